"""Taking up again what an earlier outcome left at a provider."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from reelpub.models.job import Part
from reelpub.models.outcome import Outcome
from reelpub.models.post import DeliveryStatus, Post
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.poller import Poller
from reelpub.orchestrator.tracker import PartRef
from reelpub.policies.lifecycle import PartState, Stage

__all__ = ["adopt", "as_settled", "follow_again", "unended_parts"]


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
        was_settled=True,
    )
    job.parts = [_part(job, index, post) for index, post in enumerate(outcome.posts, start=1)]
    return job


def _part(job: Job, number: int, post: Post) -> PartState:
    accounts = tuple(delivery.account for delivery in post.deliveries)
    at = post.scheduled_at
    part = Part(id=f"{job.id}.{number}", job_id=job.id, request=job.request, accounts=accounts, at=at)
    return PartState(part=part, stage=Stage.SETTLED, post=post)


def as_settled(state: PartState, outcome: Outcome) -> PartState:
    """Return a part of a settled job as the job's *outcome* shows it, which is newer than the note of the part."""
    known = state.post.id if state.post is not None else None
    post = next((post for post in outcome.posts if post.id == known), state.post)
    if post is not None and (post.is_terminal or not state.is_settled):
        return evolve(state, stage=Stage.SETTLED, post=post, end=None, reason=None)
    if state.is_settled:
        return evolve(state, post=post)
    # Only files of version 1 have such parts: it never came to a post, and its accounts all ended alike.
    ids = {account.id for account in state.part.accounts}
    ends = [delivery.status for delivery in outcome.deliveries if delivery.account.id in ids]
    return evolve(state, stage=Stage.SETTLED, end=next(iter(ends), DeliveryStatus.UNKNOWN), reason=outcome.reason)


def follow_again(job: Job, poller: Poller) -> bool:
    """Follow the posts of a settled job that haven't ended; return whether there are any."""
    indexes = [n for n, state in enumerate(job.parts) if _is_unended(state)]
    if not indexes:
        return False
    job.outcome = None
    for index in indexes:
        job.parts[index] = evolve(job.parts[index], stage=Stage.ACCEPTED, end=None, reason=None)
        poller.watch(PartRef(job, index), from_schedule=True)
    return True


def _is_unended(state: PartState) -> bool:
    return state.post is not None and not state.post.is_terminal and state.end is not DeliveryStatus.CANCELLED


def unended_parts(earlier: Job, job: Job, parts: Sequence[Part]) -> list[PartState]:
    """Return what *job*, which retries *earlier* with *parts*, takes over of it: its posts that haven't ended, settled.

    Whoever waits for the retry, calls it off or moves it means those, too.
    """
    retried = {part.retries for part in parts}
    states = [s for s in earlier.parts if _is_unended(s) and s.post is not None and s.post.id not in retried]
    return [
        evolve(state, part=evolve(state.part, id=f"{job.id}.{number}", job_id=job.id), prepared=None)
        for number, state in enumerate(states, start=1)
    ]
