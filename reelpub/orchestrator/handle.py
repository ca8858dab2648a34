"""A caller's grip on a job that goes its own way."""

from __future__ import annotations

from collections.abc import Generator

from reelpub.models.outcome import Outcome
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.job import Job

__all__ = ["Handle"]


class Handle:
    """One submitted request. ``await handle`` gives its `Outcome`; `id` finds it again with `Orchestrator.job`.

    Cancelling the await, or dropping the handle, leaves the job alone. `asyncio.gather`, `wait_for` and `as_completed`
    take handles as they are; for `asyncio.wait` and a task group, make a future of it with `asyncio.ensure_future`, or
    await it in a coroutine of your own.
    """

    __slots__ = ("_job",)

    def __init__(self, job: Job) -> None:
        self._job = job

    @property
    def job(self) -> Job:
        """The job itself, for the orchestrator."""
        return self._job

    @property
    def id(self) -> str:
        """The job's id."""
        return self._job.id

    @property
    def request(self) -> PublishRequest:
        """What was asked for."""
        return self._job.request

    @property
    def is_settled(self) -> bool:
        """Whether the job has its outcome."""
        return self._job.is_settled

    def outcome(self) -> Outcome:
        """Return the outcome, or what is known so far (with `settled_at` None)."""
        return self._job.snapshot()

    def __await__(self) -> Generator[None, None, Outcome]:
        return self._job.wait().__await__()

    def __repr__(self) -> str:
        return f"<Handle {self.id} {self.outcome().status}>"
