"""Per-platform settings of a post. None leaves a setting to the provider's default, which is given in brackets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import frozen

__all__ = ["InstagramSettings", "LinkedInSettings", "PlatformSettings", "TikTokSettings", "YouTubeSettings"]


@frozen(kw_only=True)
class YouTubeSettings:
    """*privacy* is public, unlisted or private [public].

    *embeddable* and *public_stats* are [true], *made_for_kids* is [false].
    """

    privacy: Literal["public", "unlisted", "private"] | None = None
    embeddable: bool | None = None
    public_stats: bool | None = None
    made_for_kids: bool | None = None


@frozen(kw_only=True)
class TikTokSettings:
    """*privacy* is public, unlisted, followers, friends or private [public]; the switches are [false].

    *brand_content* discloses a paid partnership, *brand_organic* the own brand.
    """

    privacy: Literal["public", "unlisted", "followers", "friends", "private"] | None = None
    disable_comments: bool | None = None
    disable_duet: bool | None = None
    disable_stitch: bool | None = None
    brand_content: bool | None = None
    brand_organic: bool | None = None


@frozen(kw_only=True)
class InstagramSettings:
    """*share_to_feed* also shows the reel in the feed [false]."""

    share_to_feed: bool | None = None


@frozen(kw_only=True)
class LinkedInSettings:
    """*privacy* is public, connections or logged_in [public]."""

    privacy: Literal["public", "connections", "logged_in"] | None = None


PlatformSettings = YouTubeSettings | TikTokSettings | InstagramSettings | LinkedInSettings | Mapping[str, Any]
"""Settings of one platform: typed, or the provider's own members as a mapping, sent as they are."""
