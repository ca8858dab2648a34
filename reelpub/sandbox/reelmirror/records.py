"""What ReelMirror keeps: accounts, personas, generated posts, outgoing posts and deliveries; times are Unix seconds."""

from __future__ import annotations

from enum import Enum
from typing import Any

from attrs import define, field

__all__ = [
    "Account",
    "Delivery",
    "GeneratedPost",
    "Item",
    "MediaItem",
    "OutgoingPost",
    "Persona",
    "Source",
    "SourcePost",
    "Stage",
    "SyncJob",
    "Transaction",
    "Wallet",
]


class Stage(Enum):
    """How far an outgoing post is; what it came to is told by its deliveries."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENT = "sent"
    CANCELLED = "cancelled"


@define(kw_only=True)
class Account:
    """A connected account of a social network."""

    id: str
    platform: str
    username: str
    status: str

    @property
    def name(self) -> str:
        """The account as people write it: ``instagram:acme``."""
        return f"{self.platform}:{self.username}"

    @property
    def is_active(self) -> bool:
        """Whether a post can go to this account."""
        return self.status == "active"


@define(kw_only=True)
class Persona:
    """A persona, with the ids of its publishing targets; `extra` holds what the contract doesn't name."""

    id: str
    discount_mode: bool = False
    avatar_url: str | None = None
    voice_sample_url: str | None = None
    account_ids: list[str] = field(factory=list)
    extra: dict[str, Any] = field(factory=dict)


@define(kw_only=True)
class Source:
    """A creator's account that a persona follows."""

    id: str
    persona_id: str
    platform: str
    handle: str
    automation_mode: str
    creator_id: str
    created_at: float
    status: str = "pending"
    last_synced_at: float | None = None
    content_count: int = 0


@define(kw_only=True)
class SourcePost:
    """A post found by a sync."""

    id: str
    persona_id: str
    platform: str
    handle: str
    caption: str
    created_at: float


@define(kw_only=True)
class SyncJob:
    """One sync of one source."""

    id: str
    source_id: str
    status: str = "pending"


@define(kw_only=True)
class MediaItem:
    """A generated video or image."""

    id: str
    generated_post_id: str | None
    status: str = "completed"
    is_rejected: bool = False


@define(kw_only=True)
class GeneratedPost:
    """A generated post in the review queue."""

    id: str
    persona_id: str
    media_item_ids: list[str]
    caption: str
    created_at: float
    status: str = "completed"
    review_status: str = "pending_review"
    is_approved: bool = False


@define(kw_only=True)
class Item:
    """One place in an outgoing post's carousel."""

    id: str
    media_item_id: str
    position: int
    use_voice_converted: bool


@define(kw_only=True)
class Delivery:
    """One outgoing post on one account.

    `turn` counts how often it was sent, so that the end of an earlier sending doesn't overwrite a later one.
    """

    id: str
    account_id: str
    platform: str
    username: str
    status: str = "pending"
    platform_post_id: str | None = None
    error_message: str | None = None
    published_at: float | None = None
    shown_status: str | None = None
    shown_until: float = 0.0
    turn: int = 0

    def status_at(self, now: float) -> str:
        """Return the status as it reads at *now*; an ordered fault may hide the real one."""
        return self.shown_status if self.shown_status is not None and now < self.shown_until else self.status


@define(kw_only=True)
class OutgoingPost:
    """An outgoing post. `key` is the API key that last sent or scheduled it, `plan` counts its schedules."""

    id: str
    key: str
    created_at: float
    updated_at: float
    items: list[Item]
    deliveries: list[Delivery]
    persona_id: str | None = None
    caption: str | None = None
    platform_settings: dict[str, Any] | None = None
    generated_post_id: str | None = None
    stage: Stage = Stage.DRAFT
    scheduled_for: float | None = None
    plan: int = 0

    def status_at(self, now: float, mixed: str) -> str:
        """Return the post's status at *now*; *mixed* is the word for some published and some failed."""
        if self.stage is not Stage.SENT:
            return str(self.stage.value)
        hidden = [one.status_at(now) for one in self.deliveries if one.status_at(now) != one.status]
        if hidden:
            return hidden[0]
        statuses = {one.status for one in self.deliveries}
        if not statuses <= {"published", "failed"}:
            return "publishing"
        return mixed if len(statuses) > 1 else statuses.pop()

    def content(self) -> str:
        """Return what it publishes, as the ledger names it: its media items in order."""
        return ",".join(item.media_item_id for item in sorted(self.items, key=lambda item: item.position))


@define(kw_only=True)
class Transaction:
    """A movement of money; a negative amount is a debit."""

    id: str
    amount_cents: int
    operation_type: str
    description: str
    created_at: float
    generated_post_id: str | None = None


@define(kw_only=True)
class Wallet:
    """A balance with its auto-reload settings."""

    balance_cents: int
    auto_reload: bool = False
    reload_threshold_cents: int | None = None
    reload_amount_cents: int | None = None
    transactions: list[Transaction] = field(factory=list)
