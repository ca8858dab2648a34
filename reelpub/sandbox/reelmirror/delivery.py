"""How a post goes out: each delivery is pending, then publishing, and is published or fails after 10 to 60 s."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

from reelpub.sandbox.faults import Fault, FaultKind
from reelpub.sandbox.ledger import LiveRecord
from reelpub.sandbox.reelmirror.records import Account, Delivery, OutgoingPost, Stage
from reelpub.sandbox.reelmirror.world import World

__all__ = ["PENDING_SHARE", "SENDING_SECONDS", "UNSEEN_STATUS", "deliveries_to", "plan", "send"]

SENDING_SECONDS = (10.0, 60.0)
"""Least and most time from publish to the end of a delivery (https://reelmirror.com/docs/guides/publishing)."""

PENDING_SHARE = 0.2
"""The part of that time during which the delivery is still pending."""

UNSEEN_STATUS = "awaiting_platform"
"""What a delivery reads when a status nobody has seen before is ordered without a text."""

_PROVIDER = "reelmirror"


def deliveries_to(world: World, accounts: Iterable[Account]) -> list[Delivery]:
    """Return new pending deliveries, one for each of *accounts*."""
    return [
        Delivery(id=world.new_id(), account_id=one.id, platform=one.platform, username=one.username) for one in accounts
    ]


def send(world: World, post: OutgoingPost, deliveries: Iterable[Delivery], at: float, operation: str) -> None:
    """Begin to send *deliveries* of *post* at *at*; *operation* is the call that does it, for faults to match."""
    post.stage, post.updated_at = Stage.SENT, at
    for delivery in deliveries:
        _begin(world, post, delivery, at, operation)


def plan(world: World, post: OutgoingPost, at: float, operation: str) -> None:
    """Let *post* go out at *at*; an earlier plan of it is void."""
    post.stage, post.scheduled_for, post.plan = Stage.SCHEDULED, at, post.plan + 1
    number = post.plan

    def fire(when: float) -> None:
        if post.stage is Stage.SCHEDULED and post.plan == number:
            send(world, post, post.deliveries, when, operation)

    world.at(at, fire)


def _begin(world: World, post: OutgoingPost, delivery: Delivery, at: float, operation: str) -> None:
    lasts = world.rng.uniform(*SENDING_SECONDS)
    fault = _ask(world, post, delivery, operation)
    error = _reason_to_fail(world, delivery, fault)
    end = at + lasts
    delivery.turn += 1
    delivery.status, delivery.shown_status = "pending", None
    delivery.platform_post_id = delivery.error_message = delivery.published_at = None
    if fault is not None and fault.kind is FaultKind.UNKNOWN_STATUS:
        delivery.shown_status = fault.text or UNSEEN_STATUS
        delivery.shown_until = math.inf if fault.seconds is None else at + fault.seconds
    elif fault is not None and fault.kind is FaultKind.STUCK:
        end = math.inf if fault.seconds is None else at + fault.seconds
    world.at(at + lasts * PENDING_SHARE, partial(_start, delivery, delivery.turn))
    if end < math.inf:
        world.at(end, partial(_finish, world, post, delivery, (delivery.turn, error)))


def _ask(world: World, post: OutgoingPost, delivery: Delivery, operation: str) -> Fault | None:
    return world.faults.for_delivery(
        _PROVIDER,
        operation,
        post.key,
        platform=delivery.platform,
        account_id=delivery.account_id,
        account_name=f"{delivery.platform}:{delivery.username}",
    )


def _reason_to_fail(world: World, delivery: Delivery, fault: Fault | None) -> str | None:
    account = world.accounts.get(delivery.account_id)
    if account is None:
        return f"{delivery.platform}:{delivery.username} has been disconnected."
    if not account.is_active:
        return f"{account.name} is {account.status}; connect it again."
    if fault is not None and fault.kind is FaultKind.PLATFORM_FAILS:
        return fault.text or f"{account.platform} refused the video."
    return None


def _start(delivery: Delivery, turn: int, when: float) -> None:
    del when
    if delivery.turn == turn and delivery.status == "pending":
        delivery.status = "publishing"


def _finish(world: World, post: OutgoingPost, delivery: Delivery, end: tuple[int, str | None], when: float) -> None:
    """End one sending, given as its turn and its error. It is live even if a later turn has begun meanwhile."""
    turn, error = end
    platform_post_id = str(world.rng.randrange(10**16, 10**17))
    if error is None:
        _go_live(world, post, delivery, when)
    if delivery.turn != turn:
        return
    post.updated_at = when
    if error is not None:
        delivery.status, delivery.error_message = "failed", error
        return
    delivery.status, delivery.platform_post_id, delivery.published_at = "published", platform_post_id, when
    generated = world.generated_posts.get(post.generated_post_id or "")
    if generated is not None:
        generated.review_status = "published"


def _go_live(world: World, post: OutgoingPost, delivery: Delivery, when: float) -> None:
    world.ledger.record(
        LiveRecord(
            provider=_PROVIDER,
            key=post.key,
            account_id=delivery.account_id,
            platform=delivery.platform,
            post_id=post.id,
            source=post.content(),
            at=when,
        )
    )
