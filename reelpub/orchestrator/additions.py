"""Jobs on their way into the store, which may end, be called off or be asked for before they are there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from attrs import define, field

from reelpub.models.outcome import Outcome
from reelpub.orchestrator.job import Job

__all__ = ["Additions"]

T = TypeVar("T")


@define(eq=False)
class Additions:
    """What is being added. Iterating gives the tasks that do so."""

    _tasks: set[asyncio.Task[Any]] = field(factory=set, init=False)
    _ids: set[str] = field(factory=set, init=False)
    _early: dict[str, Outcome] = field(factory=dict, init=False)

    def __iter__(self) -> Iterator[asyncio.Task[Any]]:
        return iter(self._tasks)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._ids

    def begin(
        self,
        jobs: Sequence[Job],
        noting: Callable[[], Coroutine[Any, Any, None]],
        ended: Callable[[Job, Outcome], None],
    ) -> None:
        """Have *noting* add *jobs*, as of now; *ended* is told of those that have ended by the time they are there."""
        # At once: they may be called off, or the orchestrator be closed, before the task comes to run.
        self._ids.update(job.id for job in jobs)
        self.start(self._see_through(jobs, noting, ended), "reelpub-note")

    async def _see_through(
        self,
        jobs: Sequence[Job],
        noting: Callable[[], Coroutine[Any, Any, None]],
        ended: Callable[[Job, Outcome], None],
    ) -> None:
        try:
            await noting()
        finally:
            self._ids.difference_update(job.id for job in jobs)
            early = [(job, self._early.pop(job.id)) for job in jobs if job.id in self._early]
        for job, outcome in early:
            ended(job, outcome)

    def start(self, adding: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run *adding* in a task that goes on where whoever asked for it goes away."""
        task = asyncio.get_running_loop().create_task(adding, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Whoever still waits for it is told; where nobody does, nobody is to be.
            task.exception()

    def keep(self, outcome: Outcome) -> bool:
        """Keep the outcome of a job that is being added until it is there; return whether it is one of those."""
        if outcome.job_id not in self._ids:
            return False
        self._early[outcome.job_id] = outcome
        return True

    def has_ended(self, job: Job) -> bool:
        """Return whether a job that is being added has ended meanwhile."""
        return job.id in self._early

    async def wait(self, job_ids: Collection[str] | None = None) -> None:
        """Wait until none of *job_ids* is being added any more; without them, until all is that is being added now."""
        if job_ids is None:
            if self._tasks:
                await asyncio.wait(set(self._tasks))
            return
        # When a program ends, what was to add them may have been cancelled before it could begin.
        while self._tasks and not self._ids.isdisjoint(job_ids):
            await asyncio.wait(set(self._tasks))
