"""Requests about projects and their clips."""

from __future__ import annotations

from collections.abc import Sequence

from reelpub.policies.safety import RequestKind
from reelpub.providers.reap import limits
from reelpub.providers.reap.checks import Checks
from reelpub.providers.reap.endpoints.build import delete, get, post
from reelpub.providers.reap.schemas import ProjectStatus, ProjectType, SortKey, SortOrder
from reelpub.providers.structure import UNSET, Unset
from reelpub.transport.message import Request

__all__ = [
    "cancel_project",
    "delete_clip",
    "delete_project",
    "get_all_projects",
    "get_clip_details",
    "get_project_clips",
    "get_project_details",
    "get_project_status",
    "update_clip",
    "update_project",
]


def get_all_projects(
    *,
    page: int = 1,
    page_size: int = limits.PAGE_SIZE_MOST,
    project_type: Sequence[ProjectType | str] | None = None,
    status: Sequence[ProjectStatus | str] | None = None,
    search: str | None = None,
    created_after: int | None = None,
    created_before: int | None = None,
    sort_by: SortKey | str | None = None,
    sort_order: SortOrder | str | None = None,
) -> Request:
    """Return the request for one page of projects."""
    check = Checks()
    _page(check, page, page_size)
    check.many_of("project_type", project_type, ProjectType)
    check.many_of("status", status, ProjectStatus)
    check.text("search", search)
    check.unix_seconds("created_after", created_after)
    check.unix_seconds("created_before", created_before)
    check.one_of("sort_by", sort_by, SortKey)
    check.one_of("sort_order", sort_order, SortOrder)
    check.finish()
    return get(
        "get_all_projects",
        page=page,
        page_size=page_size,
        project_type=project_type,
        status=status,
        search=search,
        created_after=created_after,
        created_before=created_before,
        sort_by=sort_by,
        sort_order=sort_order,
    )


def get_project_status(*, project_id: str) -> Request:
    """Return the request for a project's status alone."""
    _ids(project_id=project_id)
    return get("get_project_status", project_id=project_id)


def get_project_details(*, project_id: str) -> Request:
    """Return the request for one project."""
    _ids(project_id=project_id)
    return get("get_project_details", project_id=project_id)


def get_project_clips(*, project_id: str, page: int = 1, page_size: int = limits.PAGE_SIZE_MOST) -> Request:
    """Return the request for one page of a project's clips."""
    check = Checks()
    check.identifier("project_id", project_id)
    _page(check, page, page_size)
    check.finish()
    return get("get_project_clips", project_id=project_id, page=page, page_size=page_size)


def get_clip_details(*, project_id: str, clip_id: str) -> Request:
    """Return the request for one clip."""
    _ids(project_id=project_id, clip_id=clip_id)
    return get("get_clip_details", project_id=project_id, clip_id=clip_id)


def update_project(*, project_id: str, title: str) -> Request:
    """Return the request that renames a project."""
    check = Checks()
    check.identifier("project_id", project_id)
    check.required("title", title)
    check.text("title", title, limits.PROJECT_TITLE_LENGTH)
    check.finish()
    return post("update_project", RequestKind.IDEMPOTENT, {"project_id": project_id, "title": title})


def update_clip(
    *, project_id: str, clip_id: str, title: str | Unset | None = UNSET, caption: str | Unset | None = UNSET
) -> Request:
    """Return the request that changes a clip's words."""
    check = Checks()
    check.identifier("project_id", project_id)
    check.identifier("clip_id", clip_id)
    check.text("title", title, limits.CLIP_TITLE_LENGTH)
    check.text("caption", caption, limits.CLIP_CAPTION_LENGTH)
    check.finish()
    members = {"project_id": project_id, "clip_id": clip_id}
    return post("update_clip", RequestKind.IDEMPOTENT, members, nullable={"title": title, "caption": caption})


def cancel_project(*, project_id: str) -> Request:
    """Return the request that stops a project."""
    _ids(project_id=project_id)
    return post("cancel_project", RequestKind.IDEMPOTENT, {"project_id": project_id})


def delete_project(*, project_id: str) -> Request:
    """Return the request that deletes a project."""
    _ids(project_id=project_id)
    return delete("delete_project", project_id=project_id)


def delete_clip(*, project_id: str, clip_id: str) -> Request:
    """Return the request that deletes a clip."""
    _ids(project_id=project_id, clip_id=clip_id)
    return delete("delete_clip", project_id=project_id, clip_id=clip_id)


def _ids(**ids: str) -> None:
    check = Checks()
    for field, value in ids.items():
        check.identifier(field, value)
    check.finish()


def _page(check: Checks, page: int, page_size: int) -> None:
    check.whole("page", page, least=1)
    check.whole("page_size", page_size, least=1, most=limits.PAGE_SIZE_MOST)
