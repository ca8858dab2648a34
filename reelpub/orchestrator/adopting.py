"""Taking up again what an earlier outcome left at a provider."""

from __future__ import annotations

from attrs import evolve

from reelpub.models.job import Part
from reelpub.models.outcome import Outcome
from reelpub.models.post import DeliveryStatus, Post
from reelpub.orchestrator.desk import Desk
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.tracker import PartRef
from reelpub.policies.lifecycle import PartState, Stage

__all__ = ["adopt", "follow_again"]


def adopt(outcome: Outcome) -> Job:
    """Return a job for an outcome that came from elsewhere, with a settled part for each of its posts."""
    job = Job(
        id=outcome.job_id,
        request=outcome.request,
        publisher=outcome.publisher,
        submitted_at=outcome.submitted_at or outcome.settled_at,  # type: ignore[arg-type]  # one of them is always set
        # Its posts come back as parts.
        earlier=evolve(outcome, posts=()),
        requests=outcome.requests,
        outcome=outcome,
    )
    job.parts = [_part(job, index, post) for index, post in enumerate(outcome.posts, start=1)]
    return job


def _part(job: Job, number: int, post: Post) -> PartState:
    accounts = tuple(delivery.account for delivery in post.deliveries)
    at = post.scheduled_at
    part = Part(id=f"{job.id}.{number}", job_id=job.id, request=job.request, accounts=accounts, at=at)
    return PartState(part=part, stage=Stage.SETTLED, post=post)


def follow_again(job: Job, desk: Desk) -> bool:
    """Follow the posts of a settled job that haven't ended; return whether there are any."""
    indexes = [n for n, state in enumerate(job.parts) if _is_unended(state)]
    if not indexes:
        return False
    job.outcome = None
    for index in indexes:
        job.parts[index] = evolve(job.parts[index], stage=Stage.ACCEPTED, end=None, reason=None)
        desk.poller.watch(PartRef(job, index), from_schedule=True)
    return True


def _is_unended(state: PartState) -> bool:
    return state.post is not None and not state.post.is_terminal and state.end is not DeliveryStatus.CANCELLED
