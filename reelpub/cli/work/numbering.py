"""Which row a job belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from reelpub.bulk.ids import place_of
from reelpub.errors import ConfigurationError
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.orchestrator import Orchestrator

__all__ = ["Numbering"]


@define
class Numbering:
    """The rows of *run* by job: a job is named by its row, or retries one that is, or retries one that does."""

    pub: Orchestrator
    run: str
    _known: dict[str, int | None] = field(factory=dict, init=False)

    def learn(self, handles: Mapping[int, Handle]) -> None:
        """Note the jobs that rows became."""
        self._known.update({handle.id: number for number, handle in handles.items()})

    def number(self, job_id: str) -> int | None:
        """Return the number of the row that *job_id* belongs to, None if it is none of this run's."""
        if job_id not in self._known:
            self._known[job_id] = self._found(job_id)
        return self._known[job_id]

    def _found(self, job_id: str) -> int | None:
        place = place_of(job_id, self.run)
        if place is not None:
            return place[0]
        try:
            retried = self.pub.job(job_id).job.retries
        except ConfigurationError:  # so many have settled since then that it isn't remembered
            return None
        return self.number(retried) if retried is not None else None
