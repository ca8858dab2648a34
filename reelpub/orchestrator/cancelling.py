"""Calling jobs off: what hasn't left is withdrawn, what waits at the provider is cancelled there."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from attrs import evolve

from reelpub.errors import ReelPubError
from reelpub.models.capability import Feature
from reelpub.models.outcome import CancelResult, OutcomeStatus
from reelpub.models.post import DeliveryStatus, Post, PostStatus
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.desk import Desk
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.strangers import heard
from reelpub.orchestrator.tracker import PartRef, apply, settle
from reelpub.policies.lifecycle import PartState, Stage, Withdrawn
from reelpub.policies.settlement import combine_cancels
from reelpub.providers.base import Publisher, SupportsCancel, require

__all__ = ["cancel_job", "require_cancel", "withdraw_job"]

log = logging.getLogger("reelpub.orchestrator")

_UNCLEAR = frozenset({PostStatus.DRAFT, PostStatus.OTHER})
"""What a post that was accepted may read without its being told whether it has gone out, or will."""


def withdraw_job(context: Context, job: Job) -> None:
    """Stop whatever of *job* hasn't begun to leave."""
    if not job.parts and not job.is_settled:
        settle(context, job, job.plain_outcome(OutcomeStatus.CANCELLED, context.now(), reason="called off"))
    for index in range(len(job.parts)):
        apply(context, PartRef(job, index), Withdrawn("called off", is_cancel=True))


async def cancel_job(context: Context, job: Job, desk: Desk) -> CancelResult:
    """Call *job*, which is withdrawn, off part by part, and return what holds for the whole of it."""
    refs = [PartRef(job, index) for index in range(len(job.parts))]
    if not refs:
        is_cancelled = job.snapshot().status is OutcomeStatus.CANCELLED
        return CancelResult.CANCELLED if is_cancelled else CancelResult.TOO_LATE
    before = [ref.state.post for ref in refs]
    results = [await _cancel_part(context, ref, desk) for ref in refs]
    # What was cancelled at the provider has no event in the machine, which may have settled the part long ago.
    if job.is_done and before != [ref.state.post for ref in refs]:
        settle(context, job, job.settled_from_parts(context.now()))
    return combine_cancels(results)


def require_cancel(job: Job, publishers: Mapping[str, Publisher]) -> None:
    """Raise `UnsupportedOperation` if *job* waits at a provider that can't cancel."""
    publisher = publishers.get(job.publisher or "")
    if publisher is not None and any(s.post is not None and s.post.status is PostStatus.SCHEDULED for s in job.parts):
        require(publisher, Feature.CANCEL, list(publishers.values()))


async def _cancel_part(context: Context, ref: PartRef, desk: Desk) -> CancelResult:
    state = ref.state
    if state.end is DeliveryStatus.CANCELLED:
        return CancelResult.CANCELLED
    if state.stage in (Stage.SENDING, Stage.LOOKING) or state.end is DeliveryStatus.UNKNOWN:
        return CancelResult.UNKNOWN
    if state.post is not None and state.post.status is PostStatus.CANCELLED:
        return CancelResult.CANCELLED
    if state.post is None or not _may_wait(state):
        is_open = state.post is not None and state.post.status in _UNCLEAR
        return CancelResult.UNKNOWN if is_open else CancelResult.TOO_LATE
    result = await _cancel_post(desk, state.post)
    if result is CancelResult.CANCELLED and await _may_have_gone_out(context, desk, state.post):
        result = CancelResult.UNKNOWN
    return _end_of_cancel(ref, desk, result)


def _may_wait(state: PartState) -> bool:
    """Return whether the post of a part waits for its time, or may do so under a word that nobody knows."""
    status = state.post.status if state.post is not None else None
    return status is PostStatus.SCHEDULED or (status is PostStatus.OTHER and state.part.at is not None)


def _end_of_cancel(ref: PartRef, desk: Desk, result: CancelResult) -> CancelResult:
    """Return what became of a post: what was seen of it meanwhile counts before what *result*, the answer, says."""
    state = ref.state
    post = state.post
    if post is None or post.is_terminal:
        is_cancelled = post is not None and post.status is PostStatus.CANCELLED
        return CancelResult.CANCELLED if is_cancelled else CancelResult.TOO_LATE
    if result is not CancelResult.CANCELLED:
        return result
    if post.status is PostStatus.PUBLISHING:
        # It had begun to go out; it is followed on.
        return CancelResult.UNKNOWN
    desk.poller.forget(post.id)
    cancelled = evolve(state, stage=Stage.SETTLED, post=_as_cancelled(post), end=None, reason=None)
    ref.job.parts[ref.index] = cancelled
    return result


async def _may_have_gone_out(context: Context, desk: Desk, post: Post) -> bool:
    """Return whether a post whose time has come may be called cancelled only since it can't be read any more."""
    if post.scheduled_at is None or context.now() < post.scheduled_at:
        return False
    try:
        await heard(desk.publisher.fetch(post.id))
    except ReelPubError as error:
        log.info("%s: %s, whose time has come, can't be read: %s", desk.publisher.name, post.id, error)
    except Exception:  # whatever it is, it doesn't show that the post stayed back
        log.exception("%s: reading %s raised", desk.publisher.name, post.id)
    else:
        return False
    return True


async def _cancel_post(desk: Desk, post: Post) -> CancelResult:
    if not isinstance(desk.publisher, SupportsCancel):
        return CancelResult.UNKNOWN
    try:
        return await heard(desk.publisher.cancel(post.id))
    except ReelPubError as error:
        log.warning("%s: calling off %s failed: %s", desk.publisher.name, post.id, error)
        return CancelResult.UNKNOWN
    except Exception:  # a publisher with a bug must not keep the others from being called off
        log.exception("%s: calling off %s raised", desk.publisher.name, post.id)
        return CancelResult.UNKNOWN


def _as_cancelled(post: Post) -> Post:
    """Return *post* as it is once it has been called off."""
    deliveries = tuple(evolve(delivery, status=DeliveryStatus.CANCELLED) for delivery in post.deliveries)
    return evolve(post, status=PostStatus.CANCELLED, deliveries=deliveries)
