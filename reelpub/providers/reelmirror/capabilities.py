"""What ReelMirror can do and how far it goes, as data; see https://reelmirror.com/docs/guides/publishing."""

from __future__ import annotations

from typing import Final

from reelpub.models.account import Platform
from reelpub.models.capability import Capabilities, Feature, ProviderLimits
from reelpub.models.settings import InstagramSettings, TikTokSettings
from reelpub.models.source import Draft, GeneratedPost, MediaItems

__all__ = ["CAPABILITIES", "LIMITS", "SETTINGS"]

# Moving a scheduled post isn't described anywhere, so RESCHEDULE isn't among them.
_FEATURES: Final[frozenset[Feature]] = frozenset(
    {
        Feature.SCHEDULE,
        Feature.RETRY_FAILED,
        Feature.CANCEL,
        Feature.DELETE,
        Feature.BULK_READ,
        Feature.FIND_DUPLICATE,
        Feature.CAPTIONS,
        Feature.CONNECT_ACCOUNT,
        Feature.DISCONNECT_ACCOUNT,
        Feature.ACCOUNT_SLOTS,
    }
)

CAPABILITIES: Final = Capabilities(
    sources=(GeneratedPost, MediaItems, Draft),
    platforms=frozenset({Platform.INSTAGRAM.value, Platform.TIKTOK.value}),
    features=_FEATURES,
    text_fields=frozenset({"caption"}),
)
"""An outgoing post has no title and no tags."""

LIMITS: Final = ProviderLimits(requests=60, window=60.0, schedule_batch=1, page_size=100)
"""60 requests a minute for an API key; no length of a caption and no lead of a schedule is documented."""

SETTINGS: Final[dict[str, type]] = {
    Platform.INSTAGRAM.value: InstagramSettings,
    Platform.TIKTOK.value: TikTokSettings,
}
"""The typed settings that fit each platform."""
