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
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.job import Job
from reelpub.policies.scheduling import instant, window_problem
from reelpub.providers.base import Publisher, SupportsReschedule, require

__all__ = ["reschedule_job"]


async def reschedule_job(
    context: Context, job: Job, publisher: Publisher, at: datetime, publishers: Sequence[Publisher]
) -> Outcome:
    """Move every post of *job* to *at*, and return the outcome as it is then."""
    require(publisher, Feature.RESCHEDULE, publishers)
    if not isinstance(publisher, SupportsReschedule):
        raise UnsupportedOperation(Feature.RESCHEDULE.value, publisher.provider)
    when = instant(at)
    problem = when if isinstance(when, Problem) else window_problem(when, context.now(), publisher.limits)
    if problem is not None or isinstance(when, Problem):
        raise ValidationError([problem] if problem else [])
    waiting = [n for n, s in enumerate(job.parts) if s.post is not None and s.post.status is PostStatus.SCHEDULED]
    if not waiting:
        raise ValidationError([Problem(field="job", value=job.id, message="isn't scheduled, so it can't be moved")])
    for index in waiting:
        state = job.parts[index]
        if state.post is not None:
            post = await publisher.reschedule(state.post.id, when)
            job.parts[index] = evolve(state, post=post, part=evolve(state.part, at=when))
    if job.is_settled:
        job.settle(job.settled_from_parts(context.now()))
    return job.snapshot()
