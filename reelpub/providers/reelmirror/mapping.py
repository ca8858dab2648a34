"""From ReelMirror's posts, deliveries and accounts to the values that every provider shares.

The deliveries decide, not the post's own status: of that one only some words are documented, and none for a mixed
result (contracts/reelmirror.md, "States"). A word that isn't known becomes OTHER and is kept in `raw_status`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from reelpub.models.account import Account
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.providers.reelmirror import schemas
from reelpub.providers.reelmirror.decode import PROVIDER

__all__ = [
    "DELIVERY_STATUS",
    "POST_STATUS",
    "account_of",
    "delivery_of",
    "post_of",
    "post_status",
]

POST_STATUS: Final[dict[str, PostStatus]] = {
    "draft": PostStatus.DRAFT,
    "scheduled": PostStatus.SCHEDULED,
    "publishing": PostStatus.PUBLISHING,
    "published": PostStatus.PUBLISHED,
    "partial": PostStatus.PARTLY_PUBLISHED,
    "failed": PostStatus.FAILED,
    "cancelled": PostStatus.CANCELLED,
}

DELIVERY_STATUS: Final[dict[str, DeliveryStatus]] = {
    "pending": DeliveryStatus.PENDING,
    "publishing": DeliveryStatus.PUBLISHING,
    "published": DeliveryStatus.PUBLISHED,
    "failed": DeliveryStatus.FAILED,
}

# A delivery has no word of its own for these: it stays pending while its post waits or is called off.
_PENDING_IN: Final = {
    PostStatus.SCHEDULED: DeliveryStatus.SCHEDULED,
    PostStatus.CANCELLED: DeliveryStatus.CANCELLED,
}

# Where an account stands in one post twice, what is live counts most, then what may still become it.
_WEIGHT: Final = {
    DeliveryStatus.PUBLISHED: 4,
    DeliveryStatus.PUBLISHING: 3,
    DeliveryStatus.OTHER: 2,
    DeliveryStatus.PENDING: 1,
    DeliveryStatus.SCHEDULED: 1,
}

_UNMOVED: Final = frozenset({PostStatus.DRAFT, PostStatus.SCHEDULED, PostStatus.CANCELLED, PostStatus.OTHER})
_WAITING: Final = frozenset({DeliveryStatus.PENDING, DeliveryStatus.SCHEDULED, DeliveryStatus.CANCELLED})


def account_of(raw: schemas.ConnectedAccount) -> Account:
    """Return a connected account; only the status ``active`` is named, so any other word means inactive."""
    return Account(
        id=raw.id,
        provider=PROVIDER,
        platform=_text(raw.platform) or "unknown",
        username=raw.username,
        status=_text(raw.status),
        is_active=raw.status in (None, schemas.AccountStatus.ACTIVE.value),
    )


def post_of(raw: schemas.OutgoingPost, *, publisher: str, resolve: Callable[[schemas.Delivery], Account]) -> Post:
    """Return the post with one delivery for each account; *resolve* says which account a delivery is for."""
    stated = POST_STATUS.get(raw.status, PostStatus.OTHER)
    deliveries = _one_each(delivery_of(delivery, resolve(delivery), stated) for delivery in raw.deliveries)
    status = post_status(stated, deliveries)
    return Post(
        id=raw.id,
        provider=PROVIDER,
        publisher=publisher,
        status=status,
        raw_status=str(raw.status),
        deliveries=deliveries,
        caption=raw.caption,
        scheduled_at=raw.scheduled_for,
        published_at=_published_at(deliveries) if status.is_terminal else None,
        created_at=raw.created_at,
        updated_at=raw.updated_at,
    )


def delivery_of(raw: schemas.Delivery, account: Account, stated: PostStatus) -> Delivery:
    """Return one delivery of a post whose own status is *stated*."""
    status = DELIVERY_STATUS.get(raw.status, DeliveryStatus.OTHER)
    if status is DeliveryStatus.PENDING:
        status = _PENDING_IN.get(stated, status)
    has_ended_badly = status in (DeliveryStatus.FAILED, DeliveryStatus.OTHER)
    return Delivery(
        account=account,
        status=status,
        raw_status=str(raw.status),
        platform_post_id=raw.platform_post_id,
        # After a retry was accepted, the last failure's words may still stand beside a pending delivery.
        error=raw.error_message if has_ended_badly else None,
        published_at=raw.published_at,
    )


def post_status(stated: PostStatus, deliveries: Sequence[Delivery]) -> PostStatus:
    """Return the status of a post out of its deliveries, and out of its own word *stated* where they are silent."""
    if not deliveries:
        return stated
    found = {delivery.status for delivery in deliveries}
    if DeliveryStatus.OTHER in found:
        return PostStatus.OTHER
    if stated in _UNMOVED and found <= _WAITING:
        return stated
    if all(delivery.status.is_terminal for delivery in deliveries):
        return _ended(found)
    return PostStatus.PUBLISHING


def _ended(found: set[DeliveryStatus]) -> PostStatus:
    if DeliveryStatus.PUBLISHED not in found:
        return PostStatus.FAILED
    return PostStatus.PUBLISHED if len(found) == 1 else PostStatus.PARTLY_PUBLISHED


def _one_each(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Return one delivery for each account; a retry might leave the old one standing beside the new one."""
    kept: dict[str, Delivery] = {}
    for delivery in deliveries:
        before = kept.get(delivery.account.id)
        if before is None or _WEIGHT.get(delivery.status, 0) >= _WEIGHT.get(before.status, 0):
            kept[delivery.account.id] = delivery
    return tuple(kept.values())


def _published_at(deliveries: Sequence[Delivery]) -> datetime | None:
    """Return when the last delivery went live."""
    times = [delivery.published_at for delivery in deliveries if delivery.is_published and delivery.published_at]
    return max(times, default=None)


def _text(word: str | None) -> str | None:
    """Return a word of an open vocabulary as plain text."""
    return None if word is None else str(word)
