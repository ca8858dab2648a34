"""Moving a scheduled job to another time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from reelpub.errors import UnsupportedOperation, ValidationError
from reelpub.models.capability import Feature
from reelpub.models.outcome import Outcome
from reelpub.models.post import PostStatus
from reelpub.models.problem import Problem
from reelpub.models.when import LocalTime
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.desk import Desk
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.tracker import PartRef, apply, settle
from reelpub.policies.lifecycle import Observed, Stage
from reelpub.policies.scheduling import instant, window_problem
from reelpub.providers.base import Publisher, SupportsReschedule, require

__all__ = ["reschedule_job"]


async def reschedule_job(
    context: Context, job: Job, desk: Desk, at: datetime | LocalTime, publishers: Sequence[Publisher]
) -> Outcome:
    """Move every post of *job* to *at*, and return the outcome as it is then."""
    publisher = desk.publisher
    require(publisher, Feature.RESCHEDULE, publishers)
    if not isinstance(publisher, SupportsReschedule):
        raise UnsupportedOperation(Feature.RESCHEDULE.value, publisher.provider)
    when = _checked_time(at, context, publisher)
    waiting = [n for n, s in enumerate(job.parts) if s.post is not None and s.post.status is PostStatus.SCHEDULED]
    if not waiting:
        raise ValidationError([Problem(field="job", value=job.id, message="isn't scheduled, so it can't be moved")])
    try:
        for index in waiting:
            await _move(context, PartRef(job, index), when, desk, publisher)
    finally:
        # Where a later post of several refuses to be moved, the earlier ones have been.
        if job.is_settled:
            settle(context, job, job.settled_from_parts(context.now()))
    return job.snapshot()


def _checked_time(at: datetime | LocalTime, context: Context, publisher: Publisher) -> datetime:
    when = instant(at)
    if isinstance(when, Problem):
        raise ValidationError([when])
    problem = window_problem(when, context.now(), publisher.limits)
    if problem is not None:
        raise ValidationError([problem])
    return when


async def _move(context: Context, ref: PartRef, when: datetime, desk: Desk, publisher: SupportsReschedule) -> None:
    post = ref.state.post
    if post is None:
        return
    moved = await publisher.reschedule(post.id, when)
    if moved.scheduled_at is None:
        moved = evolve(moved, scheduled_at=when)
    seen = ref.state.post
    if seen is not None and seen.is_terminal:
        return  # it was seen to end meanwhile, or called off: the answer is of before
    ref.job.parts[ref.index] = evolve(ref.state, post=moved, part=evolve(ref.state.part, at=when))
    if ref.state.stage is Stage.ACCEPTED:
        desk.poller.forget(post.id)
        if moved.is_terminal:
            apply(context, ref, Observed(moved))
        else:
            # It is being followed, and must not be read before its new time if it waits for that.
            desk.poller.watch(ref, from_schedule=moved.status is PostStatus.SCHEDULED)
