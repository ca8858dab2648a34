"""Requests about sources, syncs and uploads; see https://reelmirror.com/docs/guides/generation."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from reelpub.policies.safety import RequestKind
from reelpub.providers.reelmirror.checks import Checks
from reelpub.providers.reelmirror.endpoints.build import given, item_request, page_request
from reelpub.providers.reelmirror.schemas import AutomationMode, Platform, UploadCategory
from reelpub.transport.message import FilePart, Request, path_segment

__all__ = ["add_source", "get_sync_job", "list_source_posts", "list_sources", "trigger_sync", "upload_file"]

_SOURCES = "/v1/personas/{}/sources"
_SOURCE_POSTS = "/v1/personas/{}/source-posts"


def add_source(
    persona_id: str, *, platform: Platform | str, handle: str, automation_mode: AutomationMode | str | None = None
) -> Request:
    """Build `addSource`."""
    checks = Checks()
    checks.identifier("persona_id", persona_id)
    checks.required("platform", platform)
    checks.one_of("platform", platform, Platform)
    checks.identifier("handle", handle)
    checks.one_of("automation_mode", automation_mode, AutomationMode)
    checks.finish()
    mode = None if automation_mode is None else str(automation_mode)
    body = {"platform": str(platform), "handle": handle, **given(automation_mode=mode)}
    kind = RequestKind.OTHER_WRITE
    return item_request("add_source", "POST", _SOURCES, "persona_id", persona_id, kind=kind, json=body)


def list_sources(persona_id: str, *, limit: int | None, offset: int) -> Request:
    """Build `listSources`: one page."""
    return _page("list_sources", _SOURCES, persona_id, limit, offset)


def list_source_posts(persona_id: str, *, limit: int | None, offset: int) -> Request:
    """Build `listSourcePosts`: one page."""
    return _page("list_source_posts", _SOURCE_POSTS, persona_id, limit, offset)


def trigger_sync(persona_id: str) -> Request:
    """Build `triggerSync`: it costs credit."""
    path, kind = "/v1/personas/{}/sync", RequestKind.OTHER_WRITE
    return item_request("trigger_sync", "POST", path, "persona_id", persona_id, kind=kind)


def get_sync_job(job_id: str) -> Request:
    """Build `getSyncJob`."""
    return item_request("get_sync_job", "GET", "/v1/sync-jobs/{}", "job_id", job_id, kind=RequestKind.READ)


def upload_file(
    file: Path | str | None = None,
    *,
    url: str | None = None,
    category: UploadCategory | str,
    persona_id: str,
) -> Request:
    """Build `uploadFile`: a multipart body with *file*, or a JSON body with the *url* to fetch it from."""
    checks = Checks()
    checks.require((file is None) != (url is None), "file", "give exactly one of file and url")
    if file is not None:
        checks.file("file", file)
    checks.optional_identifier("url", url)
    checks.required("category", category)
    checks.one_of("category", category, UploadCategory)
    checks.identifier("persona_id", persona_id)
    checks.finish()
    form = {"category": str(category), "persona_id": persona_id}
    request = Request(operation="upload_file", method="POST", path="/v1/uploads", kind=RequestKind.OTHER_WRITE)
    if file is None:
        return evolve(request, json={"url": url, **form})
    return evolve(request, form=form, file=FilePart(path=Path(file)))


def _page(operation: str, path: str, persona_id: str, limit: int | None, offset: int) -> Request:
    checks = Checks()
    checks.identifier("persona_id", persona_id)
    checks.page(limit, offset)
    checks.finish()
    return page_request(operation, path.format(path_segment(persona_id)), limit=limit, offset=offset)
