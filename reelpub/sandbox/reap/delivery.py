"""How a post goes out: waiting, being sent for 10 to 60 s, and an end that counts its accounts."""

from __future__ import annotations

import math

from reelpub.sandbox.faults import Fault, FaultKind
from reelpub.sandbox.ledger import LiveRecord
from reelpub.sandbox.reap.agenda import Event
from reelpub.sandbox.reap.records import Post, PostState
from reelpub.sandbox.reap.state import Studio

__all__ = ["SENDING_SECONDS", "UNSEEN_STATUS", "await_date", "finish", "fire", "send"]

SENDING_SECONDS = (10.0, 60.0)
"""Least and most time that a post is `processing`."""

UNSEEN_STATUS = "awaiting_moderation"
"""What a post reads when a status nobody has seen before is ordered without a text."""


def await_date(studio: Studio, post: Post) -> None:
    """Let *post* go out at its schedule date; an earlier wait is void."""
    assert post.schedule_date is not None  # noqa: S101  (a post that waits has a date)
    studio.agenda.put(post.schedule_date, Event.FIRE, post.id)


def fire(studio: Studio, post_id: str, at: float) -> None:
    """Send the post if it still waits for just this moment."""
    post = studio.posts.get(post_id)
    if post is not None and post.state is PostState.WAITING and post.schedule_date == at:
        send(studio, post, at)


def send(studio: Studio, post: Post, at: float) -> None:
    """Begin to send *post* at Unix time *at*, with the faults that are ordered for its accounts."""
    post.state, post.updated_at, post.pending = PostState.PROCESSING, at, list(post.integrations)
    gone = _is_gone(studio, post)
    for id_ in post.integrations:
        if gone or not studio.integrations[id_].is_active:
            post.doomed.add(id_)
            continue
        fault = _ask(studio, post, id_)
        if fault is not None:
            _note(post, id_, fault, at)
    studio.agenda.put(at + studio.rng.uniform(*SENDING_SECONDS), Event.FINISH, post.id)


def finish(studio: Studio, post_id: str, at: float) -> None:
    """Serve every account that nothing holds back any more, and end the post when none is left."""
    post = studio.posts.get(post_id)
    if post is None:
        return
    ready = [id_ for id_ in post.pending if post.stuck_until.get(id_, at) <= at]
    post.pending = [id_ for id_ in post.pending if id_ not in ready]
    for id_ in ready:
        _serve(studio, post, id_, at)
    post.updated_at = at
    if not post.pending:
        _settle(post, at)
        return
    later = min(post.stuck_until[id_] for id_ in post.pending)
    if later < math.inf:
        studio.agenda.put(later, Event.FINISH, post.id)


def _is_gone(studio: Studio, post: Post) -> bool:
    """Tell whether what a scheduled post was to show has been deleted or called off since."""
    project = studio.projects[post.project_id]
    return project.is_deleted or project.status == "cancelled" or (project.id, post.clip_id) not in studio.clips


def _ask(studio: Studio, post: Post, integration_id: str) -> Fault | None:
    integration = studio.integrations[integration_id]
    return studio.faults.for_delivery(
        "reap",
        post.operation,
        post.key,
        platform=integration.platform,
        account_id=integration.id,
        account_name=f"{integration.platform}:{integration.username}",
    )


def _note(post: Post, integration_id: str, fault: Fault, at: float) -> None:
    end = math.inf if fault.seconds is None else at + fault.seconds
    if fault.kind is FaultKind.PLATFORM_FAILS:
        post.doomed.add(integration_id)
    elif fault.kind is FaultKind.STUCK:
        post.stuck_until[integration_id] = end
    else:
        post.shown_status, post.shown_until = fault.text or UNSEEN_STATUS, end


def _serve(studio: Studio, post: Post, integration_id: str, at: float) -> None:
    if integration_id in post.doomed:
        post.failed.append(integration_id)
        return
    post.succeeded.append(integration_id)
    studio.ledger.record(
        LiveRecord(
            provider="reap",
            key=post.key,
            account_id=integration_id,
            platform=studio.integrations[integration_id].platform,
            post_id=post.id,
            source=f"{post.project_id}/{post.clip_id}",
            at=at,
        )
    )


def _settle(post: Post, at: float) -> None:
    if not post.failed:
        post.state = PostState.COMPLETED
    else:
        post.state = PostState.UNRESOLVED if post.succeeded else PostState.FAILED
    if post.succeeded:
        post.publish_date = at
