"""Requests about uploads, catalogues and the plan."""

from __future__ import annotations

from reelpub.policies.safety import RequestKind
from reelpub.providers.reap import limits
from reelpub.providers.reap.checks import Checks
from reelpub.providers.reap.endpoints.build import delete, get, post
from reelpub.transport.message import Request

__all__ = [
    "delete_upload",
    "get_all_presets",
    "get_all_uploads",
    "get_dubbing_languages",
    "get_plan_usage",
    "get_translation_languages",
    "get_upload_url",
]


def get_upload_url(*, filename: str) -> Request:
    """Return the request that reserves a place for a file."""
    check = Checks()
    check.file_name("filename", filename)
    check.finish()
    return post("get_upload_url", RequestKind.CREATE_DRAFT, {"filename": filename})


def get_all_uploads(*, page: int = 1, page_size: int = limits.PAGE_SIZE_MOST) -> Request:
    """Return the request for one page of uploads."""
    _page(page, page_size)
    return get("get_all_uploads", page=page, page_size=page_size)


def delete_upload(*, upload_id: str) -> Request:
    """Return the request that deletes an upload."""
    check = Checks()
    check.identifier("upload_id", upload_id)
    check.finish()
    return delete("delete_upload", upload_id=upload_id)


def get_all_presets(*, page: int = 1, page_size: int = limits.PAGE_SIZE_MOST) -> Request:
    """Return the request for one page of caption presets."""
    _page(page, page_size)
    return get("get_all_presets", page=page, page_size=page_size)


def get_translation_languages() -> Request:
    """Return the request for the languages of translation."""
    return get("get_translation_languages")


def get_dubbing_languages() -> Request:
    """Return the request for the languages of dubbing."""
    return get("get_dubbing_languages")


def get_plan_usage() -> Request:
    """Return the request for the plan's use."""
    return get("get_plan_usage")


def _page(page: int, page_size: int) -> None:
    check = Checks()
    check.whole("page", page, least=1)
    check.whole("page_size", page_size, least=1, most=limits.PAGE_SIZE_MOST)
    check.finish()
