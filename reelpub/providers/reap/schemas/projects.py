"""Wire shapes of projects, clips, uploads and catalogues.

Reap declares no member of an answer as required, so nearly everything has a default. Instants are integer Unix
seconds, lengths and places in a video seconds. Addresses of media are signed, so they stay out of every repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from reelpub.providers.reap.schemas.base import Page, identifier

__all__ = [
    "Clip",
    "ClipPage",
    "DeletedClip",
    "DeletedProject",
    "Genre",
    "MediaMeta",
    "Orientation",
    "Project",
    "ProjectPage",
    "ProjectSource",
    "ProjectStatus",
    "ProjectStatusView",
    "ProjectType",
    "SortKey",
    "SortOrder",
    "TranscriptionScript",
    "WebhookEvent",
]


class ProjectType(StrEnum):
    """What a project makes."""

    CLIPPING = "clipping"
    CAPTIONS = "captions"
    REFRAME = "reframe"
    DUBBING = "dubbing"
    TRANSCRIPTION = "transcription"


class ProjectStatus(StrEnum):
    """How far a project has come: queued, prepped, draft, processing, finalizing, then one of the final six."""

    QUEUED = "queued"
    PREPPED = "prepped"
    DRAFT = "draft"
    PROCESSING = "processing"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INVALID = "invalid"
    EXPIRED = "expired"
    FAILED = "failed"
    ERROR = "error"


class ProjectSource(StrEnum):
    """Where a project's video came from."""

    UPLOAD = "Upload"
    YOUTUBE = "Youtube"
    VIMEO = "Vimeo"
    TWITCH_VOD = "TwitchVod"
    TWITTER = "Twitter"
    RUMBLE_EMBED = "RumbleEmbed"
    GENERIC = "Generic"
    INSTAGRAM = "Instagram"


class Genre(StrEnum):
    """What kind of video it is; `TALKING` where it isn't given."""

    TALKING = "talking"
    SCREENSHARE = "screenshare"
    GAMING = "gaming"
    CINEMA = "cinema"


class Orientation(StrEnum):
    """Shape of the result."""

    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"
    SQUARE = "square"


class TranscriptionScript(StrEnum):
    """Script of the transcription; `NATIVE` where it isn't given."""

    NATIVE = "native"
    ROMAN = "roman"


class SortKey(StrEnum):
    """What get-all-projects can sort by."""

    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"
    DURATION = "duration"


class SortOrder(StrEnum):
    """Which end comes first."""

    ASCENDING = "asc"
    DESCENDING = "desc"


@frozen(kw_only=True)
class MediaMeta:
    """Facts about a media file; *duration* in seconds, *size* in bytes."""

    width: int | None = None
    height: int | None = None
    aspect_ratio: str | None = None
    size: float | None = None
    bitrate: float | None = None
    fps: float | None = None
    duration: float | None = None
    rotation: int | None = None
    resolution: int | None = None
    codec: str | None = None
    codec_full_name: str | None = None
    codec_tag: str | None = None
    format: str | None = None
    format_full_name: str | None = None


@frozen(kw_only=True)
class Project:
    """One piece of work on one video."""

    id: str = field(validator=identifier)
    title: str | None = None
    thumbnail: str | None = field(default=None, repr=False)
    billed_duration: float | None = None
    """Seconds by the docs, whole minutes in live answers."""
    status: ProjectStatus | str | None = None
    project_type: ProjectType | str | None = None
    source: ProjectSource | str | None = None
    genre: Genre | str | None = None
    topics: tuple[str, ...] = ()
    clip_durations: tuple[tuple[int, ...], ...] = ()
    """Wanted ranges of seconds, such as (30, 60)."""
    selected_start: float | None = None
    selected_end: float | None = None
    reframe_clips: bool | None = None
    export_resolution: int | None = None
    export_orientation: Orientation | str | None = None
    captions_preset: str | None = None
    enable_captions: bool | None = None
    enable_emojis: bool | None = None
    enable_highlights: bool | None = None
    language: str | None = None
    dubbing_language: str | None = None
    translate_transcription: bool | None = None
    translation_languages: tuple[Any, ...] = ()
    """Language codes; a sample in the vendor's docs has objects in their place."""
    transcription_script: TranscriptionScript | str | None = None
    metadata: MediaMeta | None = None
    urls: Mapping[str, Any] = field(factory=dict, repr=False)
    """Signed addresses of the project's files; `videoFile` is the working source, not the result."""
    created_at: int | None = None
    updated_at: int | None = None


@frozen(kw_only=True)
class ProjectPage(Page):
    """One page of get-all-projects."""

    projects: tuple[Project, ...]
    total_projects: int | None = None

    @property
    def items(self) -> tuple[Project, ...]:
        return self.projects

    @property
    def total(self) -> int | None:
        return self.total_projects


@frozen(kw_only=True)
class ProjectStatusView:
    """Answer to get-project-status."""

    project_id: str | None = None
    project_type: ProjectType | str | None = None
    source: ProjectSource | str | None = None
    status: ProjectStatus | str
    """A reader that asks for the status can't go on without it."""


@frozen(kw_only=True)
class WebhookEvent:
    """Body of Reap's own request to a webhook: a project ended. There are none for posts, and none is signed."""

    project_id: str = field(validator=identifier)
    project_type: ProjectType | str | None = None
    source: ProjectSource | str | None = None
    status: ProjectStatus | str


@frozen(kw_only=True)
class Clip:
    """One clip; it has no status of its own: a clip of a completed project is finished."""

    id: str | None = None
    project_id: str | None = None
    clip_url: str | None = field(default=None, repr=False)
    """Signed address of the result, which expires."""
    clip_with_captions_url: str | None = field(default=None, repr=False)
    """Deprecated by the docs, yet seen live as the only one with captions."""
    start_time: float | None = None
    end_time: float | None = None
    duration: float | None = None
    topic: str | None = None
    title: str | None = None
    caption: str | None = None
    hook: str | None = None
    segments: tuple[tuple[float, ...], ...] = ()
    """Pairs of seconds, relative to the selected window."""
    language: str | None = None
    dubbing_language: str | None = None
    translate_transcription: bool | None = None
    translation_languages: tuple[Any, ...] = ()
    transcription_script: TranscriptionScript | str | None = None
    virality_score: float | None = None
    """0 to 10; None for captions projects."""
    reframe_clips: bool | None = None
    export_resolution: int | None = None
    export_orientation: Orientation | str | None = None
    captions_preset: str | None = None
    enable_captions: bool | None = None
    enable_emojis: bool | None = None
    enable_highlights: bool | None = None
    metadata: MediaMeta | None = None
    created_at: int | None = None
    updated_at: int | None = None


@frozen(kw_only=True)
class ClipPage(Page):
    """One page of get-project-clips."""

    clips: tuple[Clip, ...]
    total_clips: int | None = None

    @property
    def items(self) -> tuple[Clip, ...]:
        return self.clips

    @property
    def total(self) -> int | None:
        return self.total_clips


@frozen(kw_only=True)
class DeletedProject:
    """Answer to delete-project."""

    project_id: str | None = None
    deleted: bool = True


@frozen(kw_only=True)
class DeletedClip:
    """Answer to delete-clip."""

    clip_id: str | None = None
    deleted: bool = True
