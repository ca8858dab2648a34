"""From deliveries to the outcome of a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reelpub.errors import APIStatusError, RateLimitError, ServerError, ValidationError
from reelpub.models.account import Account
from reelpub.models.outcome import CancelResult, OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus

__all__ = [
    "combine_cancels",
    "deliveries_of_post",
    "failure_status",
    "implied_status",
    "merge",
    "outcome_status",
    "same_for_all",
]

_UNFINISHED = frozenset({DeliveryStatus.PENDING, DeliveryStatus.PUBLISHING, DeliveryStatus.OTHER})
_LIVE = frozenset({DeliveryStatus.PUBLISHED, DeliveryStatus.SCHEDULED})


def outcome_status(statuses: Iterable[DeliveryStatus]) -> OutcomeStatus:
    """Return the outcome of a request whose accounts ended so. What nobody can know outweighs everything else."""
    found = frozenset(statuses)
    if DeliveryStatus.UNKNOWN in found:
        return OutcomeStatus.UNKNOWN
    if not found or found & _UNFINISHED:
        return OutcomeStatus.PENDING
    if len(found) == 1:
        return _SINGLE[next(iter(found))]
    if found <= _LIVE:
        return OutcomeStatus.SCHEDULED
    if found & _LIVE:
        return OutcomeStatus.PARTLY_PUBLISHED
    for status in (DeliveryStatus.FAILED, DeliveryStatus.REFUSED):
        if status in found:
            return _SINGLE[status]
    return OutcomeStatus.CANCELLED


_SINGLE = {
    DeliveryStatus.PUBLISHED: OutcomeStatus.PUBLISHED,
    DeliveryStatus.SCHEDULED: OutcomeStatus.SCHEDULED,
    DeliveryStatus.FAILED: OutcomeStatus.FAILED,
    DeliveryStatus.REFUSED: OutcomeStatus.REFUSED,
    DeliveryStatus.CANCELLED: OutcomeStatus.CANCELLED,
    DeliveryStatus.NOT_SENT: OutcomeStatus.NOT_SENT,
}

_FROM_POST = {
    PostStatus.DRAFT: DeliveryStatus.PENDING,
    PostStatus.SCHEDULED: DeliveryStatus.SCHEDULED,
    PostStatus.PUBLISHING: DeliveryStatus.PUBLISHING,
    PostStatus.PUBLISHED: DeliveryStatus.PUBLISHED,
    PostStatus.PARTLY_PUBLISHED: DeliveryStatus.UNKNOWN,
    PostStatus.FAILED: DeliveryStatus.FAILED,
    PostStatus.CANCELLED: DeliveryStatus.CANCELLED,
    PostStatus.OTHER: DeliveryStatus.OTHER,
}


def implied_status(post: Post) -> DeliveryStatus:
    """Return what a post's own status says of accounts that it doesn't name."""
    return _FROM_POST[post.status]


def deliveries_of_post(post: Post, accounts: Sequence[Account]) -> tuple[Delivery, ...]:
    """Return one delivery for each account: the post's own, and for accounts it doesn't name what its state implies."""
    named = {delivery.account.id for delivery in post.deliveries}
    missing = [account for account in accounts if account.id not in named]
    if post.deliveries and not missing:
        return post.deliveries
    # A post that lists other deliveries but not this account says nothing about it.
    implied = DeliveryStatus.OTHER if post.deliveries and post.is_terminal else implied_status(post)
    return post.deliveries + same_for_all(missing, implied)


def same_for_all(
    accounts: Iterable[Account], status: DeliveryStatus, *, error: str | None = None
) -> tuple[Delivery, ...]:
    """Return a delivery with *status* for each account."""
    return tuple(Delivery(account=account, status=status, error=error) for account in accounts)


def failure_status(error: BaseException) -> DeliveryStatus:
    """Return what a failure that provably did nothing means: turned down, or never sent."""
    if isinstance(error, ValidationError):
        return DeliveryStatus.REFUSED
    if isinstance(error, APIStatusError) and not isinstance(error, (RateLimitError, ServerError)):
        return DeliveryStatus.REFUSED
    return DeliveryStatus.NOT_SENT


def merge(before: Sequence[Delivery], after: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """Return *before* with the accounts that were tried again replaced by what became of them, in their old order."""
    newer = {delivery.account.id: delivery for delivery in after}
    kept = tuple(newer.pop(delivery.account.id, delivery) for delivery in before)
    return kept + tuple(newer.values())


def combine_cancels(results: Sequence[CancelResult]) -> CancelResult:
    """Return one result for a job of several posts: the least certain, then the latest."""
    for result in (CancelResult.UNKNOWN, CancelResult.TOO_LATE):
        if result in results:
            return result
    return CancelResult.CANCELLED
