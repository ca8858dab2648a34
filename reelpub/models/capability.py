"""What a publisher can do and how far it goes, as data, so that the rest of the library can ask before it sends."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from reelpub.models.source import Source

__all__ = ["Capabilities", "Feature", "ProviderLimits", "TextLimit"]


class Feature(StrEnum):
    """Something that one provider can do and another may not."""

    SCHEDULE = "schedule"
    RETRY_FAILED = "retry_failed"
    CANCEL = "cancel"
    RESCHEDULE = "reschedule"
    DELETE = "delete"
    BULK_READ = "bulk_read"
    FIND_DUPLICATE = "find_duplicate"
    CAPTIONS = "generate_captions"
    CONNECT_ACCOUNT = "connect_accounts"
    DISCONNECT_ACCOUNT = "disconnect_accounts"
    ACCOUNT_SLOTS = "manage_account_slots"


@frozen(kw_only=True)
class TextLimit:
    """The greatest length of a text, in characters; a limit that isn't documented only warns."""

    maximum: int
    is_documented: bool = True
    source: str = ""


@frozen(kw_only=True)
class ProviderLimits:
    """A provider's numbers. Durations are seconds; None means that no limit is documented.

    `schedule_batch` is how many posts one scheduling request can carry, `page_size` how many one list read shows.
    """

    requests: int
    window: float = 60.0
    max_tags: int | None = None
    title: TextLimit | None = None
    caption: TextLimit | None = None
    schedule_min_lead: float = 0.0
    schedule_max_lead: float | None = None
    schedule_batch: int = 1
    schedule_min_interval: float = 0.0
    page_size: int = 100


@frozen(kw_only=True)
class Capabilities:
    """What a publisher takes, where it publishes and what else it can do."""

    sources: tuple[type[Source], ...]
    platforms: frozenset[str]
    features: frozenset[Feature]
    text_fields: frozenset[str] = frozenset({"caption", "title", "tags"})

    def can(self, feature: Feature) -> bool:
        """Return whether *feature* is offered."""
        return feature in self.features
