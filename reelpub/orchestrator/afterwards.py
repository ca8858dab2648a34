"""What can be done with jobs afterwards: wait for them, retry, call off, move."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from reelpub.errors import UnsupportedOperation, ValidationError
from reelpub.models.capability import Feature
from reelpub.models.job import Part
from reelpub.models.outcome import CancelResult, Outcome
from reelpub.models.problem import Problem
from reelpub.models.when import LocalTime
from reelpub.orchestrator.adopting import follow_again
from reelpub.orchestrator.arguments import Item
from reelpub.orchestrator.cancelling import cancel_job, require_cancel, withdraw_job
from reelpub.orchestrator.core import Core
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.rescheduling import reschedule_job
from reelpub.orchestrator.retrying import is_retryable, retry_parts
from reelpub.providers.base import SupportsRetryFailed, require

__all__ = ["cancel", "follow", "reschedule", "retry_failed"]


def follow(core: Core, items: Iterable[Item]) -> list[Job]:
    """Return the jobs that *items* speak of, with those that haven't ended at their provider followed again."""
    jobs = core.jobs_of(items)
    for job in jobs:
        desk = core.desks.get(job.publisher or "")
        if job.is_settled and desk is not None and follow_again(job, desk.poller):
            core.book.add(job)
    return jobs


def retry_failed(core: Core, items: Iterable[Item], *, in_place: bool | None, deadline: float | None) -> list[Job]:
    """Return for each of *items* the job that sends again what provably isn't live, or its latest as it is."""
    latest = _latest(core, items)
    # All plans are made before anything is sent, so that one that can't be made doesn't leave the others half told.
    plans = {job.id: _plan_retry(core, job, in_place=in_place) for job in latest}
    jobs = {job.id: _retry(core, job, plans[job.id], deadline) for job in {job.id: job for job in latest}.values()}
    return [jobs[job.id] for job in latest]


def _plan_retry(core: Core, job: Job, *, in_place: bool | None) -> list[Part] | None:
    """Return the parts that retry *job*, none where it has to start over, or None if it isn't retried."""
    outcome = job.outcome
    if outcome is None or job.publisher is None or not is_retryable(outcome):
        return None
    if core.book.is_retried(job):
        return None  # by a job that is no longer remembered
    publisher = core.publisher(job.publisher)
    require(publisher, Feature.RETRY_FAILED, list(core.publishers.values()))
    if not isinstance(publisher, SupportsRetryFailed):
        raise UnsupportedOperation(Feature.RETRY_FAILED.value, publisher.provider)
    return retry_parts(outcome, publisher, in_place=in_place)


def _retry(core: Core, job: Job, parts: list[Part] | None, deadline: float | None) -> Job:
    outcome = job.outcome
    if outcome is None or parts is None:
        return job
    if parts:
        return core.submit_parts(job, parts, deadline=deadline)
    return core.submit_again(job, deadline=deadline)


async def cancel(core: Core, items: Iterable[Item]) -> list[CancelResult]:
    """Call the jobs of *items* off, and return what holds for each."""
    jobs = _latest(core, items)
    for job in jobs:
        require_cancel(job, core.publishers)
    # What hasn't left is stopped before anything is awaited, lest it leaves meanwhile.
    for job in jobs:
        withdraw_job(core.context, job)
    results = [await _cancel(core, job) for job in jobs]
    unnoted = await core.journal.unnoted()
    # Until it is noted that it was called off, whoever resumes would send what waits here.
    return [
        CancelResult.UNKNOWN if result is CancelResult.CANCELLED and job.id in unnoted else result
        for job, result in zip(jobs, results, strict=True)
    ]


async def _cancel(core: Core, job: Job) -> CancelResult:
    desk = core.desks.get(job.publisher or "")
    return CancelResult.TOO_LATE if desk is None else await cancel_job(core.context, job, desk)


async def reschedule(core: Core, item: Item, at: datetime | LocalTime) -> Outcome:
    """Move the job of *item* to *at*, and have it in the store."""
    (job,) = _latest(core, [item])
    desk = core.desks.get(job.publisher or "")
    if desk is None:
        raise ValidationError([Problem(field="job", value=job.id, message="isn't scheduled, so it can't be moved")])
    try:
        return await reschedule_job(core.context, job, desk, at, list(core.publishers.values()))
    finally:
        if job.was_settled and not job.is_settled:
            # It is being followed; what the store has of it is its old time.
            core.journal.note_outcome(job, job.settled_from_parts(core.context.now()))


def _latest(core: Core, items: Iterable[Item]) -> Sequence[Job]:
    return [core.book.latest(job) for job in core.jobs_of(items)]
