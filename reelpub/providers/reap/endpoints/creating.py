"""Requests that start projects. They cost credits, so none is repeated unless it provably did nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reelpub.policies.safety import RequestKind
from reelpub.providers.arguments import is_list
from reelpub.providers.reap import limits
from reelpub.providers.reap.checks import Checks
from reelpub.providers.reap.endpoints.build import post
from reelpub.providers.reap.schemas import Genre, Orientation, TranscriptionScript
from reelpub.providers.structure import UNSET, Unset
from reelpub.transport.message import Request

__all__ = ["create_captions", "create_clips", "create_dubbing", "create_reframe", "create_transcription"]

_RESOLUTIONS: Final = (720, 1080, 1440, 2160)


def create_clips(
    *,
    source_url: str | None = None,
    upload_id: str | None = None,
    reframe_clips: bool | None = None,
    export_orientation: Orientation | str | None = None,
    export_resolution: int | None = None,
    captions_preset: str | Unset | None = UNSET,
    enable_captions: bool | None = None,
    enable_emojis: bool | None = None,
    enable_highlights: bool | None = None,
    enable_auto_hook: bool | None = None,
    language: str | None = None,
    translation_language: str | None = None,
    transcription_script: TranscriptionScript | str | None = None,
    genre: Genre | str | None = None,
    selected_start: float | None = None,
    selected_end: float | None = None,
    clip_durations: Sequence[Sequence[int]] | None = None,
    topics: Sequence[str] | None = None,
    prompt: str | None = None,
) -> Request:
    """Return the request that starts a clipping project."""
    flags = {
        "reframe_clips": reframe_clips,
        "enable_captions": enable_captions,
        "enable_emojis": enable_emojis,
        "enable_highlights": enable_highlights,
        "enable_auto_hook": enable_auto_hook,
    }
    texts = {"language": language, "translation_language": translation_language}
    window = {"selected_start": selected_start, "selected_end": selected_end}
    others = {
        "source_url": source_url,
        "upload_id": upload_id,
        "export_orientation": export_orientation,
        "export_resolution": export_resolution,
        "transcription_script": transcription_script,
        "genre": genre,
        "clip_durations": clip_durations,
        "topics": topics,
        "prompt": prompt,
    }
    check = Checks()
    check.source(source_url, upload_id)
    _flags_and_texts(check, flags, {**texts, "captions_preset": captions_preset})
    check.one_of("export_orientation", export_orientation, Orientation)
    check.one_of("export_resolution", export_resolution, _RESOLUTIONS)
    check.one_of("transcription_script", transcription_script, TranscriptionScript)
    check.one_of("genre", genre, Genre)
    for field, value in window.items():
        check.number(field, value)
    _durations(check, clip_durations)
    check.texts("topics", topics)
    check.text("prompt", prompt, limits.PROMPT_LENGTH)
    check.finish()
    members = {**others, **flags, **texts, **window}
    return post("create_clips", RequestKind.OTHER_WRITE, members, nullable={"captions_preset": captions_preset})


def create_captions(
    *,
    source_url: str | None = None,
    upload_id: str | None = None,
    captions_preset: str | Unset | None = UNSET,
    language: str | None = None,
    translation_language: str | None = None,
    transcription_script: TranscriptionScript | str | None = None,
    enable_emojis: bool | None = None,
    enable_highlights: bool | None = None,
    resolution: int | None = None,
) -> Request:
    """Return the request that starts a captions project."""
    flags = {"enable_emojis": enable_emojis, "enable_highlights": enable_highlights}
    texts = {"language": language, "translation_language": translation_language}
    others = {
        "source_url": source_url,
        "upload_id": upload_id,
        "transcription_script": transcription_script,
        "resolution": resolution,
    }
    check = Checks()
    check.source(source_url, upload_id)
    _flags_and_texts(check, flags, {**texts, "captions_preset": captions_preset})
    check.one_of("transcription_script", transcription_script, TranscriptionScript)
    check.one_of("resolution", resolution, _RESOLUTIONS)
    check.finish()
    members = {**others, **flags, **texts}
    return post("create_captions", RequestKind.OTHER_WRITE, members, nullable={"captions_preset": captions_preset})


def create_transcription(
    *,
    source_url: str | None = None,
    upload_id: str | None = None,
    language: str | None = None,
    translation_language: str | None = None,
    transcription_script: TranscriptionScript | str | None = None,
) -> Request:
    """Return the request that starts a transcription project."""
    texts = {"language": language, "translation_language": translation_language}
    check = Checks()
    check.source(source_url, upload_id)
    _flags_and_texts(check, {}, texts)
    check.one_of("transcription_script", transcription_script, TranscriptionScript)
    check.finish()
    members = {
        "source_url": source_url,
        "upload_id": upload_id,
        **texts,
        "transcription_script": transcription_script,
    }
    return post("create_transcription", RequestKind.OTHER_WRITE, members)


def create_reframe(
    *,
    upload_id: str,
    genre: Genre | str | None = None,
    orientation: Orientation | str | None = None,
    disable_auto_split: bool | None = None,
    center_stage: bool | None = None,
) -> Request:
    """Return the request that starts a reframe project."""
    flags = {"disable_auto_split": disable_auto_split, "center_stage": center_stage}
    check = Checks()
    check.identifier("upload_id", upload_id)
    check.one_of("genre", genre, Genre)
    check.one_of("orientation", orientation, Orientation)
    if orientation == Orientation.LANDSCAPE:
        check.add("orientation", "can't be landscape", orientation, "portrait, square")
    _flags_and_texts(check, flags, {})
    check.finish()
    members = {"upload_id": upload_id, "genre": genre, "orientation": orientation, **flags}
    return post("create_reframe", RequestKind.OTHER_WRITE, members)


def create_dubbing(*, upload_id: str, source_language: str, target_language: str) -> Request:
    """Return the request that starts a dubbing project."""
    members = {"upload_id": upload_id, "source_language": source_language, "target_language": target_language}
    check = Checks()
    for field, value in members.items():
        check.identifier(field, value)
    check.finish()
    return post("create_dubbing", RequestKind.OTHER_WRITE, members)


def _flags_and_texts(check: Checks, flags: Mapping[str, object], texts: Mapping[str, object]) -> None:
    for field, flag in flags.items():
        check.flag(field, flag)
    for field, text in texts.items():
        check.text(field, text)


def _durations(check: Checks, clip_durations: Sequence[Sequence[int]] | None) -> None:
    for field, pair in check.entries("clip_durations", clip_durations, "pairs of seconds"):
        if not is_list(pair) or len(pair) != 2:
            check.add(field, "has to be a pair of seconds", pair, "two whole numbers")
            continue
        for end, seconds in zip(("from", "to"), pair, strict=True):
            check.whole(f"{field}.{end}", seconds, least=0)
