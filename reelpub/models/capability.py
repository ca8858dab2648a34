"""What a publisher can do and how far it goes, as data, so that the rest of the library can ask before it sends."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen
from attrs.validators import optional

from reelpub.models.setting_checks import at_least_one, finite_above_zero, not_negative, whole
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
    """The greatest length of a text, in characters; a limit that isn't documented only warns.

    Raises:
        ConfigurationError: *maximum* isn't a whole number, or negative.
    """

    maximum: int = field(validator=whole)
    is_documented: bool = True
    source: str = ""


@frozen(kw_only=True)
class ProviderLimits:
    """A provider's numbers. Durations are seconds; None means that no limit is documented.

    `schedule_batch` is how many posts one scheduling request can carry, `page_size` how many one list read shows.

    Raises:
        ConfigurationError: a number can't be meant, such as 0 requests or a negative duration.
    """

    requests: int = field(validator=at_least_one)
    window: float = field(default=60.0, validator=finite_above_zero)
    max_tags: int | None = field(default=None, validator=optional(whole))
    title: TextLimit | None = None
    caption: TextLimit | None = None
    schedule_min_lead: float = field(default=0.0, validator=not_negative)
    schedule_max_lead: float | None = field(default=None, validator=optional(not_negative))
    schedule_batch: int = field(default=1, validator=at_least_one)
    schedule_min_interval: float = field(default=0.0, validator=not_negative)
    page_size: int = field(default=100, validator=at_least_one)


@frozen(kw_only=True)
class Capabilities:
    """What a publisher takes, where it publishes and what else it can do.

    `platforms` are the names of platforms as accounts have them, `text_fields` those of caption, title and tags that a
    post there has; a request that fills another is refused. What isn't in `features` is never asked for.
    """

    sources: tuple[type[Source], ...]
    platforms: frozenset[str]
    features: frozenset[Feature]
    text_fields: frozenset[str] = frozenset({"caption", "title", "tags"})

    def can(self, feature: Feature) -> bool:
        """Return whether *feature* is offered."""
        return feature in self.features
