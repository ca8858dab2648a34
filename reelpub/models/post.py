"""A post as a provider has it, with one delivery for each account."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from reelpub.models.account import Account

__all__ = ["Delivery", "DeliveryStatus", "Post", "PostStatus"]


class PostStatus(StrEnum):
    """The state of a post, the same words for every provider."""

    DRAFT = "draft"
    """It exists, and nothing will go out by itself."""
    SCHEDULED = "scheduled"
    """It waits for its time at the provider."""
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    """Live on every account."""
    PARTLY_PUBLISHED = "partly_published"
    """Live on some accounts, failed on others."""
    FAILED = "failed"
    """Live on no account."""
    CANCELLED = "cancelled"
    OTHER = "other"
    """The provider said something that isn't known here; `raw_status` has its word."""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens without a new call."""
        return self in _TERMINAL_POST


_TERMINAL_POST = frozenset({PostStatus.PUBLISHED, PostStatus.PARTLY_PUBLISHED, PostStatus.FAILED, PostStatus.CANCELLED})


class DeliveryStatus(StrEnum):
    """What is so on one account."""

    PENDING = "pending"
    """Accepted by the provider, not yet begun."""
    SCHEDULED = "scheduled"
    """The provider has it and waits for its time."""
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    """Live, by the provider's word."""
    FAILED = "failed"
    """The provider tried and says that it failed."""
    CANCELLED = "cancelled"
    """Called off in time."""
    REFUSED = "refused"
    """A check or the provider turned the request down; nothing was made."""
    NOT_SENT = "not_sent"
    """The request never left, or provably did nothing."""
    UNKNOWN = "unknown"
    """It may or may not be live, and nothing that can be read decides it."""
    OTHER = "other"
    """The provider said something that isn't known here; `raw_status` has its word."""

    @property
    def is_terminal(self) -> bool:
        """Whether this stays so without a new call."""
        return self in _TERMINAL_DELIVERY

    @property
    def is_provably_not_live(self) -> bool:
        """Whether the account certainly hasn't got the post, now or later, so that it may be sent again."""
        return self in _NOT_LIVE


_TERMINAL_DELIVERY = frozenset(
    {
        DeliveryStatus.PUBLISHED,
        DeliveryStatus.FAILED,
        DeliveryStatus.CANCELLED,
        DeliveryStatus.REFUSED,
        DeliveryStatus.NOT_SENT,
        DeliveryStatus.UNKNOWN,
    }
)
_NOT_LIVE = frozenset({DeliveryStatus.FAILED, DeliveryStatus.REFUSED, DeliveryStatus.NOT_SENT})


@frozen(kw_only=True)
class Delivery:
    """One account's share of a post.

    `url` is the public address where the provider gives one, `platform_post_id` the platform's own id, `error` the
    provider's own words on a failure. `raw_status` is the provider's word for the status, where it has one.
    """

    account: Account
    status: DeliveryStatus
    raw_status: str | None = None
    url: str | None = None
    platform_post_id: str | None = None
    error: str | None = None
    published_at: datetime | None = None

    @property
    def is_published(self) -> bool:
        """Whether it is live on the account, by the provider's word."""
        return self.status is DeliveryStatus.PUBLISHED

    @property
    def is_failed(self) -> bool:
        """Whether the provider tried and failed."""
        return self.status is DeliveryStatus.FAILED

    def __str__(self) -> str:
        detail = self.url or self.error or ""
        return f"{self.account} {self.status}{f' ({detail})' if detail else ''}"


@frozen(kw_only=True)
class Post:
    """One post at one provider. `deliveries` has exactly one entry for each account that it goes to.

    A provider that tells the accounts only later (ReelMirror's approve) leaves `deliveries` empty until it has.
    """

    id: str
    provider: str
    publisher: str
    status: PostStatus
    raw_status: str | None = None
    deliveries: tuple[Delivery, ...] = ()
    title: str | None = None
    caption: str | None = None
    scheduled_at: datetime | None = None
    published_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether every delivery has ended; a post without deliveries goes by its own status."""
        if self.deliveries:
            return all(delivery.status.is_terminal for delivery in self.deliveries)
        return self.status.is_terminal

    @property
    def published(self) -> tuple[Delivery, ...]:
        """The deliveries that are live."""
        return tuple(delivery for delivery in self.deliveries if delivery.is_published)

    @property
    def failed(self) -> tuple[Delivery, ...]:
        """The deliveries that the provider says failed."""
        return tuple(delivery for delivery in self.deliveries if delivery.is_failed)
