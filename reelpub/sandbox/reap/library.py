"""The operations on projects and their clips: list, read, rename, cancel, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reelpub.sandbox.reap.paging import choices, in_period, page
from reelpub.sandbox.reap.records import Clip, Project
from reelpub.sandbox.reap.render import clip_json, project_json, project_status_json
from reelpub.sandbox.reap.rules import check_id
from reelpub.sandbox.reap.state import FINAL_PROJECT_STATUSES, Studio
from reelpub.sandbox.wire import Call, Refusal, Reply

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

STUCK_AFTER = 8 * 3600
"""Seconds in processing after which a project counts as stuck and may be cancelled."""

_EARLY = frozenset({"queued", "prepped", "draft"})
"""Statuses before any output exists."""

_SORT_KEYS: Mapping[str, Callable[[Project], tuple[float, int]]] = {
    "createdAt": lambda project: (project.created_at, project.number),
    "updatedAt": lambda project: (project.updated_at, project.number),
    "duration": lambda project: (project.duration, project.number),
}


def get_all_projects(studio: Studio, call: Call) -> Reply:
    """Page through the projects that aren't deleted, newest first and 10 a page unless told otherwise."""
    kinds, statuses = choices(call, "projectType"), choices(call, "status")
    search = str(call.query.get("search") or "").casefold()
    in_time = in_period(call, inclusive=studio.dialect.created_after == "inclusive")
    rows = [
        project
        for project in studio.projects.values()
        if not project.is_deleted
        and (not kinds or project.kind in kinds)
        and (not statuses or project.status in statuses)
        and search in project.title.casefold()
        and in_time(project.created_at)
    ]
    rows.sort(
        key=_SORT_KEYS[call.query.get("sortBy") or "createdAt"], reverse=call.query.get("sortOrder", "desc") != "asc"
    )
    return Reply(body=page(call, rows, lambda project: _shown(studio, project), noun="projects", size=10))


def get_project_status(studio: Studio, call: Call) -> Reply:
    """Read a project's status alone."""
    return Reply(body=project_status_json(_asked_project(studio, call.query, "query")))


def get_project_details(studio: Studio, call: Call) -> Reply:
    """Read a project."""
    return Reply(body=_shown(studio, _asked_project(studio, call.query, "query")))


def get_project_clips(studio: Studio, call: Call) -> Reply:
    """Page through a project's clips, 20 a page unless told otherwise; there are none until it is completed."""
    project = _asked_project(studio, call.query, "query")
    rows = studio.clips_of(project.id) if project.status == "completed" else []
    return Reply(body=page(call, rows, lambda clip: studio.shape(clip_json(clip)), noun="clips", size=20))


def get_clip_details(studio: Studio, call: Call) -> Reply:
    """Read one clip."""
    return Reply(body=studio.shape(clip_json(_asked_clip(studio, call.query, "query"))))


def update_project(studio: Studio, call: Call) -> Reply:
    """Rename a project that has ended and wasn't cancelled."""
    project = _asked_project(studio, call.body, "body")
    _check_editable(project)
    project.title, project.updated_at = call.body["title"], call.now
    return Reply(body=_shown(studio, project))


def update_clip(studio: Studio, call: Call) -> Reply:
    """Change a clip's title or caption; a member that is absent or null stays as it is."""
    project = _asked_project(studio, call.body, "body")
    _check_editable(project)
    clip = _asked_clip(studio, call.body, "body")
    if call.body.get("title") is not None:
        clip.title = call.body["title"]
    if call.body.get("caption") is not None:
        clip.caption = call.body["caption"]
    clip.updated_at = call.now
    return Reply(body=studio.shape(clip_json(clip)))


def cancel_project(studio: Studio, call: Call) -> Reply:
    """Stop a project before it has output, or one that has been processing for more than 8 hours."""
    project = _asked_project(studio, call.body, "body")
    if project.status in FINAL_PROJECT_STATUSES:
        raise Refusal(400, f"A project that is {project.status} can't be cancelled.")
    stuck = project.started_at is not None and call.now - project.started_at > STUCK_AFTER
    if project.status not in _EARLY and not stuck:
        raise Refusal(400, f"A project that is {project.status} can't be cancelled any more.")
    project.status, project.updated_at = "cancelled", call.now
    project.path.clear()
    return Reply(body=_shown(studio, project))


def delete_project(studio: Studio, call: Call) -> Reply:
    """Delete a project softly: it can't be read any more, its posts stay."""
    project = _asked_project(studio, call.query, "query")
    project.is_deleted, project.updated_at = True, call.now
    return Reply(body={"projectId": project.id, "deleted": True})


def delete_clip(studio: Studio, call: Call) -> Reply:
    """Delete a clip for good."""
    clip = _asked_clip(studio, call.query, "query")
    del studio.clips[clip.project_id, clip.id]
    return Reply(body={"clipId": clip.id, "deleted": True})


def _shown(studio: Studio, project: Project) -> dict[str, Any]:
    return studio.shape(project_json(project))


def _asked_project(studio: Studio, members: Mapping[str, Any], place: str) -> Project:
    return studio.project(check_id(members.get("projectId"), (place, "projectId")))


def _asked_clip(studio: Studio, members: Mapping[str, Any], place: str) -> Clip:
    project_id = check_id(members.get("projectId"), (place, "projectId"))
    return studio.clip(project_id, check_id(members.get("clipId"), (place, "clipId")))


def _check_editable(project: Project) -> None:
    if project.status == "cancelled":
        raise Refusal(400, "The project was cancelled.")
    if project.status not in FINAL_PROJECT_STATUSES:
        raise Refusal(400, f"The project is still {project.status}.")
