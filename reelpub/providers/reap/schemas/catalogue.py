"""Wire shapes of uploads, caption presets and languages. Instants are integer Unix seconds."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from reelpub.providers.reap.schemas.base import Page, identifier
from reelpub.providers.reap.schemas.projects import Genre, Orientation, TranscriptionScript

__all__ = [
    "DeletedUpload",
    "Language",
    "LanguageCatalogue",
    "Preset",
    "PresetPage",
    "PresetPreferences",
    "PresetSource",
    "Upload",
    "UploadPage",
    "UploadStatus",
    "UploadTarget",
    "UploadType",
]


class UploadType(StrEnum):
    """Kind of an uploaded file."""

    VIDEO = "video"
    AUDIO = "audio"
    IMAGE = "image"


class UploadStatus(StrEnum):
    """`UPLOAD` until a project first uses the file; only then it is checked."""

    UPLOAD = "upload"
    VERIFIED = "verified"
    REJECTED = "rejected"


class PresetSource(StrEnum):
    """Who made a caption preset."""

    SYSTEM = "system"
    USER = "user"


@frozen(kw_only=True)
class Upload:
    """An uploaded file, or the place reserved for one; *file_size* in bytes."""

    id: str = field(validator=identifier)
    file_name: str | None = None
    file_type: UploadType | str | None = None
    file_size: int | None = None
    content_type: str | None = None
    status: UploadStatus | str | None = None
    created_at: int | None = None
    updated_at: int | None = None


@frozen(kw_only=True)
class UploadTarget(Upload):
    """A place reserved for a file, with the presigned address to PUT it to."""

    upload_url: str = field(repr=False, validator=identifier)
    """A secret as long as it is valid (12 hours when seen): who has it can write the file."""


@frozen(kw_only=True)
class UploadPage(Page):
    """One page of get-all-uploads."""

    uploads: tuple[Upload, ...]
    total_uploads: int | None = None

    @property
    def items(self) -> tuple[Upload, ...]:
        return self.uploads

    @property
    def total(self) -> int | None:
        return self.total_uploads


@frozen(kw_only=True)
class DeletedUpload:
    """Answer to delete-upload."""

    upload_id: str | None = None
    deleted: bool = True


@frozen(kw_only=True)
class PresetPreferences:
    """What a caption preset sets."""

    add_audiogram: bool | None = None
    add_captions: bool | None = None
    genre: Genre | str | None = None
    language: str | None = None
    translation_language: str | None = None
    transcription_script: TranscriptionScript | str | None = None
    orientation: Orientation | str | None = None
    resolution: int | None = None
    clip_durations: tuple[tuple[int, ...], ...] = ()


@frozen(kw_only=True)
class Preset:
    """A caption preset; its id goes into `captions_preset`."""

    id: str = field(validator=identifier)
    name: str | None = None
    source: PresetSource | str | None = None
    preferences: PresetPreferences | None = None


@frozen(kw_only=True)
class PresetPage(Page):
    """One page of get-all-presets."""

    presets: tuple[Preset, ...]
    total_presets: int | None = None

    @property
    def items(self) -> tuple[Preset, ...]:
        return self.presets

    @property
    def total(self) -> int | None:
        return self.total_presets


@frozen(kw_only=True)
class Language:
    """A language by its code."""

    code: str
    name: str | None = None
    display_name: str | None = None


@frozen(kw_only=True)
class LanguageCatalogue:
    """Languages that can be translated or dubbed from and to."""

    source_languages: tuple[Language, ...] = ()
    target_languages: tuple[Language, ...] = ()
