"""From Reap's posts and integrations to the values of `reelpub.models`. Pure, and it never raises.

Reap tells success by platform name, not by account, and gives no reasons. What it says of a platform holds for an
account only where the post has no second account there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from reelpub.models.account import Account
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.providers.reap import schemas
from reelpub.providers.reap.rules import PROVIDER

__all__ = ["NO_REASON", "UNKNOWN_PLATFORM", "delivery_status", "post_status", "read_account", "read_post", "stranger"]

NO_REASON: Final = "Reap gives no reason"
_NOT_LISTED: Final = "the provider's post doesn't list this account"
UNKNOWN_PLATFORM: Final = "unknown"

_POST_STATUS: Final[Mapping[str, PostStatus]] = {
    "processing": PostStatus.PUBLISHING,
    "draft": PostStatus.DRAFT,
    "scheduled": PostStatus.SCHEDULED,
    "completed": PostStatus.PUBLISHED,
    "failed": PostStatus.FAILED,
    "unresolved": PostStatus.PARTLY_PUBLISHED,
    "cancelled": PostStatus.CANCELLED,
}

_IMPLIED: Final[Mapping[PostStatus, DeliveryStatus]] = {
    PostStatus.PUBLISHING: DeliveryStatus.PUBLISHING,
    PostStatus.DRAFT: DeliveryStatus.PENDING,
    PostStatus.SCHEDULED: DeliveryStatus.SCHEDULED,
    PostStatus.PUBLISHED: DeliveryStatus.PUBLISHED,
    PostStatus.FAILED: DeliveryStatus.FAILED,
    PostStatus.PARTLY_PUBLISHED: DeliveryStatus.UNKNOWN,
    PostStatus.CANCELLED: DeliveryStatus.CANCELLED,
    PostStatus.OTHER: DeliveryStatus.OTHER,
}
"""What a post's status says of an account whose platform is in neither list."""

_GOING_ON: Final = frozenset({PostStatus.PUBLISHING, PostStatus.DRAFT, PostStatus.SCHEDULED})
"""Statuses after which another is documented to follow."""


def post_status(raw: str | None, *, is_timed: bool) -> PostStatus:
    """Return the status that *raw* means; a draft with a date waits for it (contradiction 2 of the fact sheet)."""
    status = _POST_STATUS.get((raw or "").casefold(), PostStatus.OTHER)
    return PostStatus.SCHEDULED if status is PostStatus.DRAFT and is_timed else status


def delivery_status(
    status: PostStatus, *, is_in_success: bool, is_in_failed: bool, is_shared: bool = False
) -> DeliveryStatus:
    """Return what the post's *status* and its two lists say of one account.

    *is_shared* says that another account of the post is on the same platform: then the lists count only once the post
    has ended, and a platform in both of them decides nothing for either account.

    A failure counts only once the post isn't going on any more: nobody documents that the service has given the
    platform up by then, and who sends it again while it tries on its own has it there twice.
    """
    has_ended = status.is_terminal
    if is_in_success and is_in_failed:
        return DeliveryStatus.UNKNOWN if has_ended else _IMPLIED[status]
    if is_shared and not has_ended:
        return _IMPLIED[status]
    if is_in_success:
        return DeliveryStatus.PUBLISHED
    return DeliveryStatus.FAILED if is_in_failed and status not in _GOING_ON else _IMPLIED[status]


def read_account(wire: schemas.Integration) -> Account:
    """Return an integration as an account; one that doesn't say whether it is active counts as active."""
    return Account(
        id=wire.id,
        provider=PROVIDER,
        platform=str(wire.platform or UNKNOWN_PLATFORM).casefold(),
        username=wire.username,
        name=wire.name,
        is_active=wire.is_active is not False,
    )


def stranger(account_id: str, wire: schemas.Post, known: Sequence[Account] = ()) -> Account:
    """Return an account of which only the id is known, such as one that was disconnected since.

    Its platform follows where the post has one platform, or one that *known*, the post's other accounts, leave over.
    """
    names = {name.casefold() for name in wire.platforms}
    left = names - {account.platform.casefold() for account in known}
    strangers = len(wire.integrations) - len(known)
    is_clear = len(names) == 1 or (len(left) == 1 and strangers == 1)
    platform = next(iter(left or names)) if is_clear else UNKNOWN_PLATFORM
    return Account(id=account_id, provider=PROVIDER, platform=platform)


def read_post(wire: schemas.Post, *, publisher: str, accounts: Sequence[Account]) -> Post:
    """Return *wire* with one delivery for each of *accounts*, in their order."""
    raw = None if wire.status is None else str(wire.status)
    status = post_status(raw, is_timed=bool(wire.schedule_date))
    deliveries = _deliveries(wire, status, raw, accounts)
    return Post(
        id=wire.id,
        provider=PROVIDER,
        publisher=publisher,
        status=_overall(status, deliveries),
        raw_status=raw,
        deliveries=deliveries,
        title=wire.title,
        caption=wire.description,
        scheduled_at=_instant(wire.schedule_date),
        published_at=_instant(wire.publish_date),
        created_at=_instant(wire.created_at),
        updated_at=_instant(wire.updated_at),
    )


def _overall(status: PostStatus, deliveries: Sequence[Delivery]) -> PostStatus:
    found = {delivery.status for delivery in deliveries}
    if found == {DeliveryStatus.PUBLISHED}:
        return PostStatus.PUBLISHED
    if found == {DeliveryStatus.FAILED}:
        return PostStatus.FAILED
    return PostStatus.PARTLY_PUBLISHED if found == {DeliveryStatus.PUBLISHED, DeliveryStatus.FAILED} else status


def _deliveries(
    wire: schemas.Post, status: PostStatus, raw: str | None, accounts: Sequence[Account]
) -> tuple[Delivery, ...]:
    per_platform = Counter(account.platform.casefold() for account in accounts)
    return tuple(
        _delivery(wire, status, raw, account, is_shared=per_platform[account.platform.casefold()] > 1)
        for account in accounts
    )


def _delivery(
    wire: schemas.Post, status: PostStatus, raw: str | None, account: Account, *, is_shared: bool
) -> Delivery:
    if wire.integrations and account.id not in wire.integrations:
        return Delivery(account=account, status=DeliveryStatus.UNKNOWN, raw_status=raw, error=_NOT_LISTED)
    platform = account.platform.casefold()
    found = delivery_status(
        status,
        is_in_success=platform in {name.casefold() for name in wire.success_platforms},
        is_in_failed=platform in {name.casefold() for name in wire.failed_platforms},
        is_shared=is_shared,
    )
    is_live = found is DeliveryStatus.PUBLISHED
    return Delivery(
        account=account,
        status=found,
        raw_status=raw if found in (DeliveryStatus.OTHER, DeliveryStatus.UNKNOWN) else None,
        url=_url(wire, account, is_shared=is_shared) if is_live else None,
        error=NO_REASON if found is DeliveryStatus.FAILED else None,
        published_at=_instant(wire.publish_date) if is_live else None,
    )


def _url(wire: schemas.Post, account: Account, *, is_shared: bool) -> str | None:
    """Look under the account's id and, where that names one account, under its platform: the sources disagree."""
    url = wire.url_for(account.id)
    if url is not None or is_shared:
        return url
    platform = account.platform.casefold()
    return wire.url_for(*(key for key in wire.urls if key.casefold() == platform))


def _instant(seconds: int | None) -> datetime | None:
    """Return Unix seconds as an instant; none for zero, which stands for null in places, or beyond the calendar."""
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
