"""What an answer or a read means for a post: accepted, found, called off, to be retried. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import evolve

from reelpub.errors import ValidationError
from reelpub.models.job import Part
from reelpub.models.outcome import CancelResult
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.problem import Problem
from reelpub.providers.base import Absent, Finding, Found, Undecided
from reelpub.providers.reelmirror.decode import PROVIDER
from reelpub.providers.reelmirror.mapping import post_status

__all__ = ["accepted", "cancel_result", "due", "finding", "retry_part", "scheduled"]

_NOT_YET_BEGUN = frozenset({PostStatus.DRAFT, PostStatus.SCHEDULED, PostStatus.CANCELLED})


def accepted(post: Post | None, *, post_id: str, publisher: str, part: Part) -> Post:
    """Return the post after its publish or retry was accepted, out of the answer where that shows it.

    No page shows these answers, and delivery runs in the background. So an answer without the post means the part's
    accounts, all pending, and a delivery that the answer still shows as it stood before the call is pending too.
    """
    if post is None or post.id != post_id:
        return _in_state(PostStatus.PUBLISHING, DeliveryStatus.PENDING, post_id, publisher, part)
    stale = {DeliveryStatus.SCHEDULED, DeliveryStatus.CANCELLED}
    if part.retries is not None:
        stale.add(DeliveryStatus.FAILED)
    shown = tuple(_renewed(delivery, DeliveryStatus.PENDING, stale) for delivery in post.deliveries)
    if not shown:
        pending = _pending(part, DeliveryStatus.PENDING)
        return evolve(post, status=PostStatus.PUBLISHING, deliveries=pending, published_at=None)
    return evolve(post, deliveries=shown, status=post_status(PostStatus.PUBLISHING, shown))


def scheduled(post: Post | None, *, post_id: str, publisher: str, part: Part) -> Post:
    """Return the post after its scheduling was accepted, out of the answer where that shows it."""
    if post is None or post.id != post_id:
        return _in_state(PostStatus.SCHEDULED, DeliveryStatus.SCHEDULED, post_id, publisher, part)
    at = post.scheduled_at or part.at
    if post.status not in _NOT_YET_BEGUN:
        return evolve(post, scheduled_at=at)
    stale = {DeliveryStatus.PENDING, DeliveryStatus.CANCELLED}
    shown = tuple(_renewed(delivery, DeliveryStatus.SCHEDULED, stale) for delivery in post.deliveries)
    deliveries = shown or _pending(part, DeliveryStatus.SCHEDULED)
    return evolve(post, status=PostStatus.SCHEDULED, scheduled_at=at, deliveries=deliveries)


def finding(post: Post, part: Part) -> Finding:
    """Return whether *post*, as it reads now, shows that the call which puts *part* live took effect.

    A draft that is still one wasn't published. A post that was to be retried was retried when a delivery that had
    failed hasn't any more; one that failed again at once looks the same as none, and isn't live either.
    """
    if part.retries is None:
        return Absent() if post.status is PostStatus.DRAFT else Found(post)
    ids = {account.id for account in part.accounts}
    mine = [delivery for delivery in post.deliveries if not ids or delivery.account.id in ids]
    if not mine:
        return Undecided(f"post {post.id} doesn't show the deliveries that were to be retried")
    return Absent() if all(delivery.is_failed for delivery in mine) else Found(post)


def cancel_result(post: Post) -> CancelResult | None:
    """Return what a cancellation came to by how *post* reads afterwards; None where it still waits for its time.

    What cancel leaves behind isn't stated: a cancelled post, or a draft again.
    """
    if post.status in (PostStatus.CANCELLED, PostStatus.DRAFT):
        return CancelResult.CANCELLED
    if post.status is PostStatus.SCHEDULED:
        return None
    return CancelResult.UNKNOWN if post.status is PostStatus.OTHER else CancelResult.TOO_LATE


def retry_part(part: Part, post: Post, *, in_place: bool | None) -> Part:
    """Return the part that sends what failed of *post* again.

    That the provider's call spares published deliveries isn't stated. So, unless asked for, it is used only where
    every delivery failed; otherwise the failed accounts get a draft of their own with the same media.

    Raises:
        ValidationError: nothing in *post* failed.
    """
    accounts = tuple(delivery.account for delivery in post.failed)
    if not accounts:
        raise ValidationError([_nothing_failed(post)])
    has_all_failed = len(accounts) == len(post.deliveries)
    if has_all_failed if in_place is None else in_place:
        return evolve(part, accounts=accounts, at=None, copy_of=None, retries=post.id)
    return evolve(part, accounts=accounts, at=None, copy_of=post.id, retries=None)


def due(part: Part, now: float) -> datetime:
    """Return when *part* is to go live.

    Raises:
        ValidationError: it has no time, or one that isn't later than *now* (Unix seconds).
    """
    if part.at is not None and part.at.timestamp() > now:
        return part.at
    if part.at is None:
        raise ValidationError([Problem(field="at", message="a time is needed to schedule")])
    limit = f"later than {datetime.fromtimestamp(now, UTC).isoformat(timespec='seconds')}"
    raise ValidationError([Problem(field="at", message="has passed", value=part.at.isoformat(), limit=limit)])


def _in_state(status: PostStatus, delivery: DeliveryStatus, post_id: str, publisher: str, part: Part) -> Post:
    return Post(
        id=post_id,
        provider=PROVIDER,
        publisher=publisher,
        status=status,
        deliveries=_pending(part, delivery),
        caption=part.request.caption,
        scheduled_at=part.at,
    )


def _pending(part: Part, status: DeliveryStatus) -> tuple[Delivery, ...]:
    return tuple(Delivery(account=account, status=status) for account in part.accounts)


def _renewed(delivery: Delivery, status: DeliveryStatus, stale: set[DeliveryStatus]) -> Delivery:
    return evolve(delivery, status=status, error=None) if delivery.status in stale else delivery


def _nothing_failed(post: Post) -> Problem:
    return Problem(field="post", message=f"post {post.id} has no failed delivery", value=str(post.status))
