"""Shapes of generated posts, personas, sources, syncs and uploads.

See https://reelmirror.com/docs/guides/generation and https://reelmirror.com/docs/guides/review-queue. `extra` holds
the members that no page names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, frozen

from reelpub.providers.reelmirror.schemas.enums import (
    AutomationMode,
    GenerationStatus,
    Platform,
    ReviewStatus,
    SyncJobStatus,
    UploadCategory,
)

__all__ = [
    "ApprovedPost",
    "ComposedPost",
    "GeneratedMediaItem",
    "GeneratedPost",
    "GenerationStarted",
    "Persona",
    "Source",
    "SourcePost",
    "SyncJob",
    "SyncStarted",
    "UploadedFile",
]


@frozen(kw_only=True)
class GeneratedMediaItem:
    """One generated picture or video."""

    id: str | None = None
    status: GenerationStatus | str | None = None
    extra: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class GeneratedPost:
    """A generated post; it is ready when it and every media item of it are ``completed``."""

    id: str | None = None
    status: GenerationStatus | str | None = None
    review_status: ReviewStatus | str | None = None
    media_items: tuple[GeneratedMediaItem, ...] = ()
    extra: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class ApprovedPost:
    """The outgoing post that an approval made and began to publish."""

    outgoing_post_id: str
    status: str | None = None


@frozen(kw_only=True)
class ComposedPost:
    """The draft that sending to compose made."""

    outgoing_post_id: str


@frozen(kw_only=True)
class GenerationStarted:
    """The generated post that is being made."""

    generated_post_id: str
    status: str | None = None


@frozen(kw_only=True)
class Persona:
    """A persona. `discount_mode` takes 20 % off what generating for it costs."""

    id: str | None = None
    discount_mode: bool | None = None
    avatar_url: str | None = None
    voice_sample_url: str | None = None
    extra: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class Source:
    """A creator whose posts are tracked for a persona."""

    id: str | None = None
    creator_id: str | None = None
    platform: Platform | str | None = None
    handle: str | None = None
    automation_mode: AutomationMode | str | None = None
    status: str | None = None
    last_synced_at: datetime | None = None
    content_count: int | None = None
    created_at: datetime | None = None


@frozen(kw_only=True)
class SourcePost:
    """A synced post of a creator; no page shows its members."""

    id: str | None = None
    extra: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class SyncStarted:
    """The jobs that a sync started, one for each source, and what it is expected to cost in US cents."""

    job_ids: tuple[str, ...]
    estimated_cost_cents: int | None = None


@frozen(kw_only=True)
class SyncJob:
    """A sync of one source; ``skipped`` is the end of one that ran within the last 15 minutes."""

    status: SyncJobStatus | str
    id: str | None = None
    error_message: str | None = None
    extra: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class UploadedFile:
    """A stored avatar or voice sample; the persona shows it already."""

    key: str | None = None
    url: str | None = None
    category: UploadCategory | str | None = None
    persona_id: str | None = None
