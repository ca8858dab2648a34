"""Whether a clip is finished, told with few requests: one status for each project and one page for each 100 clips.

A clip has no status. It is finished when its project is completed and lists it (docs/contracts/reap.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
from attrs import define, field

from reelpub.clocks import Clock
from reelpub.errors import APIStatusError, BadRequestError, NotFoundError, ValidationError
from reelpub.models.problem import Problem
from reelpub.models.source import Clip
from reelpub.providers.reap.limits import PAGE_SIZE_MOST
from reelpub.providers.reap.schemas import ClipPage, ProjectStatus

if TYPE_CHECKING:
    from reelpub.providers.reap.client import ReapClient

__all__ = ["Readiness"]

_PROJECTS_KEPT: Final = 1_000
_REFUSAL_KEPT: Final = 60.0
"""Seconds for which a project that isn't ready is taken at its word: one window of the limit."""


@define(kw_only=True)
class _Project:
    """What is known of one project. `next_page` is None once all pages were read."""

    lock: anyio.Lock = field(factory=anyio.Lock)
    is_completed: bool = False
    clips: set[str] = field(factory=set)
    next_page: int | None = 1
    refusal: Problem | None = None
    refused_at: float = 0.0


class Readiness:
    """Remembers completed projects and their clips, so that many clips of a project cost one look.

    Callers that ask for the same project at once share the requests.
    """

    def __init__(self, client: ReapClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._projects: dict[str, _Project] = {}

    async def require(self, clip: Clip) -> None:
        """Return if *clip* is finished.

        Raises:
            ValidationError: it isn't; says in what state the project is, or what the provider said.
        """
        project = self._project(clip.project_id)
        async with project.lock:
            if clip.clip_id in project.clips:
                return
            if not project.is_completed:
                await self._require_completed(project, clip.project_id)
            if not await self._is_listed(project, clip):
                await self._require_readable(clip)
                project.clips.add(clip.clip_id)

    def _project(self, project_id: str) -> _Project:
        project = self._projects.setdefault(project_id, _Project())
        if len(self._projects) > _PROJECTS_KEPT:
            del self._projects[next(iter(self._projects))]
        return project

    async def _require_completed(self, project: _Project, project_id: str) -> None:
        now = self._clock.monotonic()
        if project.refusal is None or now - project.refused_at >= _REFUSAL_KEPT:
            project.refusal = await self._look(project_id)
            project.refused_at = self._clock.monotonic()
        if project.refusal is not None:
            raise ValidationError([project.refusal])
        project.is_completed = True

    async def _look(self, project_id: str) -> Problem | None:
        try:
            view = await self._client.get_project_status(project_id=project_id)
        except (NotFoundError, BadRequestError) as error:
            return _unreadable("source.project_id", project_id, error)
        if view.status == ProjectStatus.COMPLETED:
            return None
        return Problem(
            field="source.project_id",
            value=project_id,
            message=f"the project is {view.status}, so its clips can't be published",
            limit="a completed project",
        )

    async def _is_listed(self, project: _Project, clip: Clip) -> bool:
        while clip.clip_id not in project.clips:
            number = project.next_page
            if number is None:
                return False
            page = await self._client.get_project_clips_page(
                project_id=clip.project_id, page=number, page_size=PAGE_SIZE_MOST
            )
            project.clips |= {found.id for found in page.clips if found.id}
            project.next_page = _following(page, number)
        return True

    async def _require_readable(self, clip: Clip) -> None:
        """Ask for the clip itself: a list that shifted while it was being read may have left it out."""
        try:
            await self._client.get_clip_details(project_id=clip.project_id, clip_id=clip.clip_id)
        except (NotFoundError, BadRequestError) as error:
            raise ValidationError([_unreadable("source.clip_id", clip.clip_id, error)]) from error


def _unreadable(field_name: str, value: str, error: APIStatusError) -> Problem:
    return Problem(field=field_name, value=value, message=f"reap can't find it: {error.message}")


def _following(page: ClipPage, number: int) -> int | None:
    """Return the number of the next page; without totals, a page that isn't full is the last."""
    if not page.clips:
        return None
    has_more = number < page.total_pages if page.total_pages else len(page.clips) >= PAGE_SIZE_MOST
    return number + 1 if has_more else None
