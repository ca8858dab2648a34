"""Operations on projects and their clips."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from reelpub.providers.reap import endpoints, limits
from reelpub.providers.reap.client.core import ClientCore
from reelpub.providers.reap.paging import all_items
from reelpub.providers.reap.schemas import (
    Clip,
    ClipPage,
    DeletedClip,
    DeletedProject,
    Project,
    ProjectPage,
    ProjectStatus,
    ProjectStatusView,
    ProjectType,
    SortKey,
    SortOrder,
)
from reelpub.providers.structure import UNSET, Unset
from reelpub.transport.message import CallOptions

__all__ = ["ProjectCalls"]


class ProjectCalls(ClientCore):
    """Projects and clips."""

    async def get_all_projects_page(
        self,
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
        options: CallOptions | None = None,
    ) -> ProjectPage:
        """Return one *page*, from 1, of 1 to 100 projects, the newest first where nothing else is asked for.

        *search* matches the title; *created_after* and *created_before* are Unix seconds. A read.
        https://docs.reap.video/api-reference/get-all-projects
        """
        request = endpoints.get_all_projects(
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
        return await self._call(request, ProjectPage, options)

    def get_all_projects(
        self,
        *,
        page_size: int = limits.PAGE_SIZE_MOST,
        project_type: Sequence[ProjectType | str] | None = None,
        status: Sequence[ProjectStatus | str] | None = None,
        search: str | None = None,
        created_after: int | None = None,
        created_before: int | None = None,
        sort_by: SortKey | str | None = None,
        sort_order: SortOrder | str | None = None,
        options: CallOptions | None = None,
    ) -> AsyncIterator[Project]:
        """Iterate over the projects of all pages, each once; the arguments are those of `get_all_projects_page`.

        https://docs.reap.video/api-reference/get-all-projects
        """

        async def fetch(page: int) -> ProjectPage:
            return await self.get_all_projects_page(
                page=page,
                page_size=page_size,
                project_type=project_type,
                status=status,
                search=search,
                created_after=created_after,
                created_before=created_before,
                sort_by=sort_by,
                sort_order=sort_order,
                options=options,
            )

        endpoints.get_all_projects(
            page_size=page_size,
            project_type=project_type,
            status=status,
            search=search,
            created_after=created_after,
            created_before=created_before,
            sort_by=sort_by,
            sort_order=sort_order,
        )
        return all_items(fetch, page_size=page_size, operation="get_all_projects")

    async def get_project_status(self, project_id: str, *, options: CallOptions | None = None) -> ProjectStatusView:
        """Return a project's status alone. A read; one for each look costs a tenth of a minute's requests.

        Raises `NotFoundError`, and `BadRequestError` for an id that isn't of Reap's form.
        https://docs.reap.video/api-reference/get-project-status
        """
        return await self._call(endpoints.get_project_status(project_id=project_id), ProjectStatusView, options)

    async def get_project_details(self, project_id: str, *, options: CallOptions | None = None) -> Project:
        """Return one project. A read.

        Raises `NotFoundError`, seen even for a project that was under way.
        https://docs.reap.video/api-reference/get-project-details
        """
        return await self._call(endpoints.get_project_details(project_id=project_id), Project, options)

    async def get_project_clips_page(
        self,
        project_id: str,
        *,
        page: int = 1,
        page_size: int = limits.PAGE_SIZE_MOST,
        options: CallOptions | None = None,
    ) -> ClipPage:
        """Return one *page*, from 1, of 1 to 100 clips of a project; there are none until it is completed. A read.

        https://docs.reap.video/api-reference/get-project-clips
        """
        request = endpoints.get_project_clips(project_id=project_id, page=page, page_size=page_size)
        return await self._call(request, ClipPage, options)

    def get_project_clips(
        self, project_id: str, *, page_size: int = limits.PAGE_SIZE_MOST, options: CallOptions | None = None
    ) -> AsyncIterator[Clip]:
        """Iterate over all clips of a project; there are none until it is completed.

        Projects for reframe, captions and dubbing have their one result here too.
        https://docs.reap.video/api-reference/get-project-clips
        """
        endpoints.get_project_clips(project_id=project_id, page_size=page_size)

        async def fetch(page: int) -> ClipPage:
            return await self.get_project_clips_page(
                project_id=project_id, page=page, page_size=page_size, options=options
            )

        return all_items(fetch, page_size=page_size, operation="get_project_clips")

    async def get_clip_details(self, *, project_id: str, clip_id: str, options: CallOptions | None = None) -> Clip:
        """Return one clip. A read.

        https://docs.reap.video/api-reference/get-clip-details
        """
        return await self._call(endpoints.get_clip_details(project_id=project_id, clip_id=clip_id), Clip, options)

    async def update_project(self, project_id: str, *, title: str, options: CallOptions | None = None) -> Project:
        """Rename a project; *title* has at most 80 characters. Repeatable.

        Raises `BadRequestError` while the project is being processed, and when it was cancelled.
        https://docs.reap.video/api-reference/update-project
        """
        return await self._call(endpoints.update_project(project_id=project_id, title=title), Project, options)

    async def update_clip(
        self,
        *,
        project_id: str,
        clip_id: str,
        title: str | Unset | None = UNSET,
        caption: str | Unset | None = UNSET,
        options: CallOptions | None = None,
    ) -> Clip:
        """Change a clip's *title* (at most 80 characters) or *caption* (at most 250). Repeatable.

        What isn't given stays; None is sent as null. Raises `BadRequestError` while the clip is being processed, and
        when its project was cancelled.
        https://docs.reap.video/api-reference/update-clip
        """
        request = endpoints.update_clip(project_id=project_id, clip_id=clip_id, title=title, caption=caption)
        return await self._call(request, Clip, options)

    async def cancel_project(self, project_id: str, *, options: CallOptions | None = None) -> Project:
        """Stop a project, with its credits given back, and return it.

        Only early on, or when it has been stuck for some 8 hours; `BadRequestError` otherwise, also for a project
        that is cancelled already. Repeatable.
        https://docs.reap.video/api-reference/cancel-project
        """
        return await self._call(endpoints.cancel_project(project_id=project_id), Project, options)

    async def delete_project(self, project_id: str, *, options: CallOptions | None = None) -> DeletedProject:
        """Delete a project, softly. Repeatable; a repeat may meet `NotFoundError`.

        https://docs.reap.video/api-reference/delete-project
        """
        return await self._delete(endpoints.delete_project(project_id=project_id), DeletedProject, options)

    async def delete_clip(self, *, project_id: str, clip_id: str, options: CallOptions | None = None) -> DeletedClip:
        """Delete a clip for good. Repeatable; a repeat may meet `NotFoundError`.

        https://docs.reap.video/api-reference/delete-clip
        """
        return await self._delete(endpoints.delete_clip(project_id=project_id, clip_id=clip_id), DeletedClip, options)
