"""Operations on uploads, catalogues and the plan."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import attrs

from reelpub.errors import ValidationError
from reelpub.providers.reap import endpoints, limits
from reelpub.providers.reap.checks import Checks
from reelpub.providers.reap.client.core import ClientCore
from reelpub.providers.reap.decode import decode_anything
from reelpub.providers.reap.paging import all_items
from reelpub.providers.reap.schemas import (
    DeletedUpload,
    LanguageCatalogue,
    Preset,
    PresetPage,
    Upload,
    UploadPage,
    UploadTarget,
)
from reelpub.transport.message import CallOptions

__all__ = ["UploadCalls"]

_CONTENT_TYPE = "video/mp4"
"""The signature of the presigned address binds it, for MOV files too."""


class UploadCalls(ClientCore):
    """Uploads, caption presets, languages, plan."""

    async def get_upload_url(self, filename: str, *, options: CallOptions | None = None) -> UploadTarget:
        """Reserve a place for a file, and return it with the presigned address to PUT the bytes to.

        *filename* ends in .mp4 or .mov and has at most 1000 characters. The address was valid for 12 hours when seen;
        send no API key there, ``Content-Type: video/mp4`` and a ``Content-Length``. `upload_file` does all of it.
        May be repeated: a repeat leaves an unused place behind.
        https://docs.reap.video/api-reference/get-upload-url
        """
        return await self._call(endpoints.get_upload_url(filename=filename), UploadTarget, options)

    async def upload_file(
        self,
        path: str | os.PathLike[str],
        *,
        progress: Callable[[int, int], None] | None = None,
        timeout: float | None = None,
        options: CallOptions | None = None,
    ) -> Upload:
        """Upload an MP4 or MOV file of at most 5 GB, streamed from disk, and return it for use as `upload_id`.

        *progress* is told (bytes sent, bytes in all); *timeout* bounds the transfer, in real seconds, and *options*
        is for the request before it. Reap looks at the file only when a project first uses it.

        Raises `ValidationError` for a file that isn't there, is empty, too large or of another kind, before anything
        is sent.
        https://docs.reap.video/api-reference/get-upload-url
        """
        file = await anyio.to_thread.run_sync(_checked_file, path)
        target = await self.get_upload_url(filename=file.name, options=options)
        await self.transport.put_file(
            target.upload_url, file, content_type=_CONTENT_TYPE, progress=progress, timeout=timeout
        )
        return Upload(**{a.name: getattr(target, a.name) for a in attrs.fields(Upload)})

    async def get_all_uploads_page(
        self, *, page: int = 1, page_size: int = limits.PAGE_SIZE_MOST, options: CallOptions | None = None
    ) -> UploadPage:
        """Return one *page*, from 1, of 1 to 100 uploads. A read.

        https://docs.reap.video/api-reference/get-all-uploads
        """
        return await self._call(endpoints.get_all_uploads(page=page, page_size=page_size), UploadPage, options)

    def get_all_uploads(
        self, *, page_size: int = limits.PAGE_SIZE_MOST, options: CallOptions | None = None
    ) -> AsyncIterator[Upload]:
        """Iterate over all uploads, *page_size* (1 to 100) in a request.

        https://docs.reap.video/api-reference/get-all-uploads
        """
        endpoints.get_all_uploads(page_size=page_size)

        async def fetch(page: int) -> UploadPage:
            return await self.get_all_uploads_page(page=page, page_size=page_size, options=options)

        return all_items(fetch, page_size=page_size, operation="get_all_uploads")

    async def delete_upload(self, upload_id: str, *, options: CallOptions | None = None) -> DeletedUpload:
        """Delete an uploaded file. Repeatable; a repeat may meet `NotFoundError`.

        https://docs.reap.video/api-reference/delete-upload
        """
        return await self._delete(endpoints.delete_upload(upload_id=upload_id), DeletedUpload, options)

    async def get_all_presets_page(
        self, *, page: int = 1, page_size: int = limits.PAGE_SIZE_MOST, options: CallOptions | None = None
    ) -> PresetPage:
        """Return one *page*, from 1, of 1 to 100 caption presets. A read.

        https://docs.reap.video/api-reference/get-all-presets
        """
        return await self._call(endpoints.get_all_presets(page=page, page_size=page_size), PresetPage, options)

    def get_all_presets(
        self, *, page_size: int = limits.PAGE_SIZE_MOST, options: CallOptions | None = None
    ) -> AsyncIterator[Preset]:
        """Iterate over all caption presets, *page_size* (1 to 100) in a request.

        https://docs.reap.video/api-reference/get-all-presets
        """
        endpoints.get_all_presets(page_size=page_size)

        async def fetch(page: int) -> PresetPage:
            return await self.get_all_presets_page(page=page, page_size=page_size, options=options)

        return all_items(fetch, page_size=page_size, operation="get_all_presets")

    async def get_translation_languages(self, *, options: CallOptions | None = None) -> LanguageCatalogue:
        """Return the languages that captions can be translated from and to. A read.

        https://docs.reap.video/api-reference/get-translation-languages
        """
        return await self._call(endpoints.get_translation_languages(), LanguageCatalogue, options)

    async def get_dubbing_languages(self, *, options: CallOptions | None = None) -> LanguageCatalogue:
        """Return the languages that videos can be dubbed from and to. A read.

        https://docs.reap.video/api-reference/get-dubbing-languages
        """
        return await self._call(endpoints.get_dubbing_languages(), LanguageCatalogue, options)

    async def get_plan_usage(self, *, options: CallOptions | None = None) -> Any:
        """Return the plan's use as Reap sends it, decoded JSON of undocumented shape; None for an empty body.

        Free of credits, so fit to try a key. A read.
        https://docs.reap.video/api-reference/get-plan-usage
        """
        request = endpoints.get_plan_usage()
        response = await self.transport.send(request, options)
        return decode_anything(response, operation=request.operation)


def _checked_file(path: object) -> Path:
    check = Checks()
    file = check.file("path", path)
    if file is not None and file.suffix.lower() not in limits.UPLOAD_SUFFIXES:
        check.add("path", "isn't an MP4 or MOV file", str(file), "ends in .mp4 or .mov")
    if file is None or not file.is_file():
        raise ValidationError(check.problems)
    size = file.stat().st_size
    if size > limits.UPLOAD_BYTES_MOST:
        check.add("path", f"is {size} bytes large", str(file), "5 GB")
    if size == 0:
        check.add("path", "is empty", str(file))
    check.finish()
    return file
