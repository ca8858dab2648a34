"""Wire shapes of accounts and posts.

Reap declares no member of an answer as required, so everything but an id has a default. Instants are integer Unix
seconds, as on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from reelpub.providers.reap.schemas.base import Page, identifier
from reelpub.providers.structure import WireTypeError

__all__ = [
    "DeletedPost",
    "InstagramSettings",
    "Integration",
    "IntegrationList",
    "LinkedInPrivacy",
    "LinkedInSettings",
    "Platform",
    "PlatformSettings",
    "Post",
    "PostPage",
    "PostStatus",
    "ScheduleClip",
    "ScheduleFailure",
    "ScheduleResult",
    "ScheduleType",
    "TikTokPrivacy",
    "TikTokSettings",
    "YouTubePrivacy",
    "YouTubeSettings",
]


class Platform(StrEnum):
    """Where Reap can publish to."""

    YOUTUBE = "youtube"
    INSTAGRAM = "instagram"
    TIKTOK = "tiktok"
    LINKEDIN = "linkedin"
    X = "x"


class PostStatus(StrEnum):
    """How far a post has come. `COMPLETED`, `FAILED`, `UNRESOLVED` and `CANCELLED` are final."""

    PROCESSING = "processing"
    """Being sent out."""
    DRAFT = "draft"
    """Saved, not sent."""
    COMPLETED = "completed"
    """Out on every platform."""
    FAILED = "failed"
    """Out on none."""
    CANCELLED = "cancelled"
    UNRESOLVED = "unresolved"
    """Out on some only."""
    SCHEDULED = "scheduled"
    """Waiting for its time. In the vendor's prose but not in its enum, so not fit for a filter."""


class ScheduleType(StrEnum):
    """Whether a post was to go out at once or later."""

    SCHEDULED = "scheduled"
    IMMEDIATE = "immediate"


class YouTubePrivacy(StrEnum):
    """Who sees a video on YouTube."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE = "private"


class TikTokPrivacy(StrEnum):
    """Who sees a video on TikTok."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    FRIENDS = "friends"
    PRIVATE = "private"


class LinkedInPrivacy(StrEnum):
    """Who sees a video on LinkedIn."""

    PUBLIC = "public"
    CONNECTIONS = "connections"
    LOGGED_IN = "logged_in"


@frozen(kw_only=True)
class YouTubeSettings:
    """None leaves a setting to Reap: public, embeddable, with public statistics, not made for kids."""

    privacy: YouTubePrivacy | str | None = None
    embeddable: bool | None = None
    public_stats: bool | None = None
    made_for_kids: bool | None = None


@frozen(kw_only=True)
class TikTokSettings:
    """None leaves a setting to Reap: public, and every switch off.

    *brand_content* discloses a paid partnership and *brand_organic* the own brand (inferred from the names).
    """

    privacy: TikTokPrivacy | str | None = None
    disable_comments: bool | None = None
    disable_duet: bool | None = None
    disable_stitch: bool | None = None
    brand_content: bool | None = None
    brand_organic: bool | None = None


@frozen(kw_only=True)
class InstagramSettings:
    """*share_to_feed* also shows the reel in the feed; None leaves it to Reap, which doesn't."""

    share_to_feed: bool | None = None


@frozen(kw_only=True)
class LinkedInSettings:
    """None leaves it to Reap: public."""

    privacy: LinkedInPrivacy | str | None = None


@frozen(kw_only=True)
class PlatformSettings:
    """One block for each platform, which serves every account of that platform; there is none for x."""

    youtube: YouTubeSettings | None = None
    tiktok: TikTokSettings | None = None
    instagram: InstagramSettings | None = None
    linkedin: LinkedInSettings | None = None


@frozen(kw_only=True)
class Integration:
    """A connected account; its id goes into the `integrations` of a publish or schedule call."""

    id: str = field(validator=identifier)
    platform: Platform | str | None = None
    is_active: bool | None = None
    username: str | None = None
    name: str | None = None
    profile_picture_url: str | None = None


@frozen(kw_only=True)
class IntegrationList:
    """All connected accounts; there are no pages."""

    integrations: tuple[Integration, ...]


@frozen(kw_only=True)
class Post:
    """One post to all of its *integrations*. Results are told by platform only, without a reason."""

    id: str = field(validator=identifier)
    project_id: str | None = None
    clip_id: str | None = None
    platforms: tuple[str, ...] = ()
    success_platforms: tuple[str, ...] = ()
    """Platforms where it worked, not accounts."""
    failed_platforms: tuple[str, ...] = ()
    """Platforms where it failed, not accounts."""
    integrations: tuple[str, ...] = ()
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    status: PostStatus | str | None = None
    schedule_type: ScheduleType | str | None = None
    schedule_date: int | None = None
    """Unix seconds; None for an immediate post."""
    publish_date: int | None = None
    """When it went out, Unix seconds; None before."""
    urls: Mapping[str, Any] = field(factory=dict)
    """Public addresses once it is out, by integration id or by platform: the sources disagree; see `url_for`."""
    platform_settings: PlatformSettings | None = None
    created_at: int | None = None
    """Unix seconds."""
    updated_at: int | None = None
    """Unix seconds."""

    def url_for(self, *keys: str) -> str | None:
        """Return the first address found under one of *keys*, such as an integration id and its platform."""
        found = (self.urls.get(key) for key in keys)
        return next((url for url in found if isinstance(url, str) and url), None)


@frozen(kw_only=True)
class PostPage(Page):
    """One page of get-all-posts."""

    posts: tuple[Post, ...]
    total_posts: int | None = None

    @property
    def items(self) -> tuple[Post, ...]:
        return self.posts

    @property
    def total(self) -> int | None:
        return self.total_posts


@frozen(kw_only=True)
class DeletedPost:
    """Answer to delete-post."""

    post_id: str | None = None
    deleted: bool = True


@frozen(kw_only=True)
class ScheduleClip:
    """One finished clip of a schedule-clips call, at most 10 *tags*; None lets Reap take the clip's own words."""

    project_id: str
    clip_id: str
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None


@frozen(kw_only=True)
class ScheduleFailure:
    """A clip that wasn't scheduled."""

    clip_id: str | None = None
    index: int | None = None
    """Place in the request's list, from 0."""
    error: str | None = None
    """The reason, in Reap's free words."""


@frozen(kw_only=True)
class ScheduleResult:
    """What schedule-clips took on and what it refused; both can happen in one call."""

    posts: tuple[Post, ...] = ()
    failed: tuple[ScheduleFailure, ...] = ()

    def __attrs_post_init__(self) -> None:
        # An answer that speaks of no clip at all says nothing about what became of them.
        if not self.posts and not self.failed:
            raise WireTypeError("posts or failed clips", {})
