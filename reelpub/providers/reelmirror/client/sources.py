"""The operations about sources, syncs and uploads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from reelpub.providers.reelmirror import endpoints
from reelpub.providers.reelmirror.checks import MAX_PAGE
from reelpub.providers.reelmirror.client.base import Calls
from reelpub.providers.reelmirror.decode import Page
from reelpub.providers.reelmirror.paging import walk
from reelpub.providers.reelmirror.schemas import (
    AutomationMode,
    Platform,
    Source,
    SourcePost,
    SyncJob,
    SyncStarted,
    UploadCategory,
    UploadedFile,
)
from reelpub.transport.message import CallOptions

__all__ = ["SourceCalls"]


class SourceCalls(Calls):
    """The creators that are followed, what was synced from them, and the persona's own files."""

    async def add_source(
        self,
        persona_id: str,
        *,
        platform: Platform | str,
        handle: str,
        automation_mode: AutomationMode | str | None = None,
        options: CallOptions | None = None,
    ) -> Source:
        """Follow a creator for a persona; a leading ``@`` of *handle* is dropped by the server.

        *automation_mode* is ``sync_only`` where not given. Kind: other write; never repeated unless it provably never
        left or was refused with 429. Scope ``sources:write``. See
        https://reelmirror.com/docs/api-reference/sources/add-source

        Raises:
            ValidationError: *platform* or *automation_mode* isn't one of the documented words; nothing was sent.
            ConflictError: the creator is followed already, presumably.
        """
        request = endpoints.add_source(persona_id, platform=platform, handle=handle, automation_mode=automation_mode)
        return await self._one(request, Source, options)

    async def list_sources(
        self, persona_id: str, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> AsyncIterator[Source]:
        """Yield all sources of a persona from *offset* on, reading *limit* (1 to 100) with each request.

        Kind: reads. Scope ``sources:read``. See https://reelmirror.com/docs/api-reference/introduction

        Raises:
            ValidationError: *limit* or *offset* is out of range; nothing was sent.
        """

        async def fetch(limit: int, offset: int) -> Page[Source]:
            return await self.list_sources_page(persona_id, limit=limit, offset=offset, options=options)

        async for source in walk(fetch, limit=limit, offset=offset):
            yield source

    async def list_sources_page(
        self, persona_id: str, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> Page[Source]:
        """Read one page of a persona's sources; see `list_sources`."""
        request = endpoints.list_sources(persona_id, limit=limit, offset=offset)
        return await self._page(request, Source, offset, options)

    async def list_source_posts(
        self, persona_id: str, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> AsyncIterator[SourcePost]:
        """Yield all synced posts of a persona's sources from *offset* on, reading *limit* (1 to 100) at a time.

        Kind: reads. See https://reelmirror.com/docs/guides/generation

        Raises:
            ValidationError: *limit* or *offset* is out of range; nothing was sent.
        """

        async def fetch(limit: int, offset: int) -> Page[SourcePost]:
            return await self.list_source_posts_page(persona_id, limit=limit, offset=offset, options=options)

        async for post in walk(fetch, limit=limit, offset=offset):
            yield post

    async def list_source_posts_page(
        self, persona_id: str, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> Page[SourcePost]:
        """Read one page of a persona's synced posts; see `list_source_posts`."""
        request = endpoints.list_source_posts(persona_id, limit=limit, offset=offset)
        return await self._page(request, SourcePost, offset, options)

    async def trigger_sync(self, persona_id: str, *, options: CallOptions | None = None) -> SyncStarted:
        """Sync all sources of a persona: one job for each, and the expected cost in US cents.

        It costs credit. Kind: other write; never repeated unless it provably never left or was refused with 429. Scope
        ``sync:write``. See https://reelmirror.com/docs/guides/generation

        Raises:
            PaymentRequiredError: the balance doesn't cover it.
        """
        return await self._one(endpoints.trigger_sync(persona_id), SyncStarted, options)

    async def get_sync_job(self, job_id: str, *, options: CallOptions | None = None) -> SyncJob:
        """Read a sync job, which typically takes 30 to 300 s and ends ``completed``, ``failed`` or ``skipped``.

        Kind: reads. See https://reelmirror.com/docs/guides/webhooks

        Raises:
            NotFoundError: no such job.
        """
        return await self._one(endpoints.get_sync_job(job_id), SyncJob, options)

    async def upload_file(
        self,
        file: Path | str | None = None,
        *,
        url: str | None = None,
        category: UploadCategory | str,
        persona_id: str,
        options: CallOptions | None = None,
    ) -> UploadedFile:
        """Set a persona's avatar or voice sample: from *file* on disk, streamed, or from a *url* that is fetched.

        Exactly one of the two has to be given; that the member is called ``url`` is inferred. It isn't a way to
        publish media of one's own. Kind: other write; never repeated unless it provably never left or was refused
        with 429. Scope ``uploads:write``. See https://reelmirror.com/docs/api-reference/uploads/upload-file

        Raises:
            ValidationError: both or neither were given, or the file doesn't exist; nothing was sent.
        """
        request = endpoints.upload_file(file, url=url, category=category, persona_id=persona_id)
        return await self._one(request, UploadedFile, options)
