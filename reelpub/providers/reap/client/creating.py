"""Operations that start projects.

They cost credits and have no idempotency key: each is sent once, and again only if it provably did nothing. A refused
one makes no project and costs nothing. A 429 may also mean too many projects at once (Creator 3, Studio 10).
"""

from __future__ import annotations

from collections.abc import Sequence

from reelpub.providers.reap import endpoints
from reelpub.providers.reap.client.core import ClientCore
from reelpub.providers.reap.schemas import Genre, Orientation, Project, TranscriptionScript
from reelpub.providers.structure import UNSET, Unset
from reelpub.transport.message import CallOptions

__all__ = ["CreatingCalls"]


class CreatingCalls(ClientCore):
    """Clips, captions, transcription, reframe, dubbing."""

    async def create_clips(
        self,
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
        options: CallOptions | None = None,
    ) -> Project:
        """Start a project that cuts a video of 2 minutes to 3 hours into clips, and return it.

        Give exactly one of *source_url* and *upload_id*; MP4 or MOV, at most 5 GB. *export_resolution* is 720, 1080,
        1440 or 2160 [720], *export_orientation* [landscape], *genre* [talking]. *captions_preset* None switches
        captions off. *selected_start* and *selected_end* are seconds: a range to search in, not an exact cut, and
        refused below 60 s. *clip_durations* are wanted ranges in seconds: (0, 30), (30, 60), (60, 90), (90, 180),
        (180, 300). *prompt* has at most 1000 characters.

        Costs credits: sent again only if it provably did nothing. Raises `BadRequestError` for a source that can't be
        fetched or a window that is too short.
        https://docs.reap.video/api-reference/create-clips
        """
        request = endpoints.create_clips(
            source_url=source_url,
            upload_id=upload_id,
            reframe_clips=reframe_clips,
            export_orientation=export_orientation,
            export_resolution=export_resolution,
            captions_preset=captions_preset,
            enable_captions=enable_captions,
            enable_emojis=enable_emojis,
            enable_highlights=enable_highlights,
            enable_auto_hook=enable_auto_hook,
            language=language,
            translation_language=translation_language,
            transcription_script=transcription_script,
            genre=genre,
            selected_start=selected_start,
            selected_end=selected_end,
            clip_durations=clip_durations,
            topics=topics,
            prompt=prompt,
        )
        return await self._call(request, Project, options)

    async def create_captions(
        self,
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
        options: CallOptions | None = None,
    ) -> Project:
        """Start a project that puts captions on a video of 3 seconds to 15 minutes, and return it.

        Give exactly one of *source_url* and *upload_id*. *captions_preset* is `system_beasty` where it isn't given.
        *resolution* is 720, 1080, 1440 or 2160 [720] and counts only with *source_url*.

        Costs credits: sent again only if it provably did nothing.
        https://docs.reap.video/api-reference/create-captions
        """
        request = endpoints.create_captions(
            source_url=source_url,
            upload_id=upload_id,
            captions_preset=captions_preset,
            language=language,
            translation_language=translation_language,
            transcription_script=transcription_script,
            enable_emojis=enable_emojis,
            enable_highlights=enable_highlights,
            resolution=resolution,
        )
        return await self._call(request, Project, options)

    async def create_transcription(
        self,
        *,
        source_url: str | None = None,
        upload_id: str | None = None,
        language: str | None = None,
        translation_language: str | None = None,
        transcription_script: TranscriptionScript | str | None = None,
        options: CallOptions | None = None,
    ) -> Project:
        """Start a project that writes down what is said in a video, and return it.

        Give exactly one of *source_url* and *upload_id*. Costs credits: sent again only if it provably did nothing.
        https://docs.reap.video/api-reference/create-transcription
        """
        request = endpoints.create_transcription(
            source_url=source_url,
            upload_id=upload_id,
            language=language,
            translation_language=translation_language,
            transcription_script=transcription_script,
        )
        return await self._call(request, Project, options)

    async def create_reframe(
        self,
        *,
        upload_id: str,
        genre: Genre | str | None = None,
        orientation: Orientation | str | None = None,
        disable_auto_split: bool | None = None,
        center_stage: bool | None = None,
        options: CallOptions | None = None,
    ) -> Project:
        """Start a project that reframes an uploaded video of 3 seconds to 15 minutes, and return it.

        *orientation* is portrait or square [portrait]. Said to need the Studio plan. Costs credits: sent again only
        if it provably did nothing.
        https://docs.reap.video/api-reference/create-reframe
        """
        request = endpoints.create_reframe(
            upload_id=upload_id,
            genre=genre,
            orientation=orientation,
            disable_auto_split=disable_auto_split,
            center_stage=center_stage,
        )
        return await self._call(request, Project, options)

    async def create_dubbing(
        self, *, upload_id: str, source_language: str, target_language: str, options: CallOptions | None = None
    ) -> Project:
        """Start a project that dubs an uploaded video of 3 seconds to 15 minutes, and return it.

        The languages are codes of `get_dubbing_languages`, such as ``en-US``. Costs credits: sent again only if it
        provably did nothing.
        https://docs.reap.video/api-reference/create-dubbing
        """
        request = endpoints.create_dubbing(
            upload_id=upload_id, source_language=source_language, target_language=target_language
        )
        return await self._call(request, Project, options)
