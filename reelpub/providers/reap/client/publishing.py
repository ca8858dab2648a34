"""Operations on accounts and posts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from reelpub.providers.reap import endpoints, limits
from reelpub.providers.reap.client.core import ClientCore
from reelpub.providers.reap.endpoints import Settings
from reelpub.providers.reap.paging import all_items
from reelpub.providers.reap.schemas import (
    DeletedPost,
    Integration,
    IntegrationList,
    Post,
    PostPage,
    PostStatus,
    ScheduleClip,
    ScheduleResult,
)
from reelpub.providers.structure import UNSET, Unset
from reelpub.transport.message import CallOptions

__all__ = ["PublishingCalls"]


class PublishingCalls(ClientCore):
    """Accounts and posts."""

    async def get_integrations(self, *, options: CallOptions | None = None) -> tuple[Integration, ...]:
        """Return all connected accounts, in one request.

        They are described as the active ones, yet each carries `is_active`, so look at it. A read: repeated by itself
        where it fails for a moment.
        https://docs.reap.video/api-reference/get-integrations
        """
        found = await self._call(endpoints.get_integrations(), IntegrationList, options)
        return found.integrations

    async def publish_clip(
        self,
        *,
        project_id: str,
        clip_id: str,
        integrations: Sequence[str],
        title: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        platform_settings: Settings | None = None,
        options: CallOptions | None = None,
    ) -> Post:
        """Publish one finished clip now, as one post to all *integrations* (account ids), and return the new post.

        The post normally still reads `processing`; read it again to learn how it ended. Results are told by platform,
        so two accounts of one platform in one call can't be told apart. A *title* that isn't given becomes the
        clip's. At most 10 *tags*. Settings of a platform serve all of its accounts.

        Goes live: it is sent once, and again only if it provably did nothing, since there is no idempotency key. On
        any other error look with `get_all_posts` before you call it again.

        Raises `ValidationError` before anything is sent; `BadRequestError` for a clip that isn't finished, a
        cancelled project or an unknown account; `NotFoundError`; `DecodeError` for a success without the post's id.
        https://docs.reap.video/api-reference/publish-clip
        """
        request = endpoints.publish_clip(
            project_id=project_id,
            clip_id=clip_id,
            integrations=integrations,
            title=title,
            description=description,
            tags=tags,
            platform_settings=platform_settings,
        )
        return await self._call(request, Post, options)

    async def schedule_clips(
        self,
        *,
        clips: Sequence[ScheduleClip],
        integrations: Sequence[str],
        schedule_date: int,
        interval_seconds: int | None = None,
        platform_settings: Settings | None = None,
        options: CallOptions | None = None,
    ) -> ScheduleResult:
        """Schedule 1 to 50 finished clips, evenly spaced, and return what was taken on and what was refused.

        Clip *i*, from 0, goes out at ``schedule_date + i * interval_seconds``. *schedule_date* is in whole Unix
        seconds, 50 minutes to 12 months ahead; *interval_seconds* is 300 or more [300]. Accounts and settings hold
        for all clips. A success can be one in part: look at `failed`, whose `index` is the place in *clips*.

        Goes live, later: it is sent once, and again only if it provably did nothing.

        Raises `ValidationError` before anything is sent, and what `publish_clip` raises.
        https://docs.reap.video/api-reference/schedule-clips
        """
        request = endpoints.schedule_clips(
            clips=clips,
            integrations=integrations,
            schedule_date=schedule_date,
            interval_seconds=interval_seconds,
            platform_settings=platform_settings,
            now=self.clock.time(),
        )
        return await self._call(request, ScheduleResult, options)

    async def get_all_posts_page(
        self,
        *,
        page: int = 1,
        page_size: int = limits.PAGE_SIZE_MOST,
        status: Sequence[PostStatus | str] | None = None,
        created_after: int | None = None,
        created_before: int | None = None,
        options: CallOptions | None = None,
    ) -> PostPage:
        """Return one *page*, from 1, of 1 to 100 posts: the only way to read many posts in one request.

        *created_after* and *created_before* are Unix seconds; whether they include the bound isn't documented, nor is
        the order. A filter by *status* loses a post the moment its status changes; `scheduled` isn't among those that
        can be asked for. A read.
        https://docs.reap.video/api-reference/get-all-posts
        """
        request = endpoints.get_all_posts(
            page=page,
            page_size=page_size,
            status=status,
            created_after=created_after,
            created_before=created_before,
        )
        return await self._call(request, PostPage, options)

    def get_all_posts(
        self,
        *,
        page_size: int = limits.PAGE_SIZE_MOST,
        status: Sequence[PostStatus | str] | None = None,
        created_after: int | None = None,
        created_before: int | None = None,
        options: CallOptions | None = None,
    ) -> AsyncIterator[Post]:
        """Iterate over the posts of all pages, each once, *page_size* (1 to 100) in a request.

        Arguments are those of `get_all_posts_page`. A post that is deleted while pages are read may hide another one.
        https://docs.reap.video/api-reference/get-all-posts
        """
        endpoints.get_all_posts(
            page_size=page_size, status=status, created_after=created_after, created_before=created_before
        )

        async def fetch(page: int) -> PostPage:
            return await self.get_all_posts_page(
                page=page,
                page_size=page_size,
                status=status,
                created_after=created_after,
                created_before=created_before,
                options=options,
            )

        return all_items(fetch, page_size=page_size, operation="get_all_posts")

    async def get_post_details(self, post_id: str, *, options: CallOptions | None = None) -> Post:
        """Return one post. A read.

        Raises `NotFoundError`, and `BadRequestError` for an id that isn't of Reap's form.
        https://docs.reap.video/api-reference/get-post-details
        """
        return await self._call(endpoints.get_post_details(post_id=post_id), Post, options)

    async def update_post(
        self,
        post_id: str,
        *,
        title: str | Unset | None = UNSET,
        description: str | Unset | None = UNSET,
        tags: Sequence[str] | Unset | None = UNSET,
        schedule_date: int | Unset | None = UNSET,
        platform_settings: Settings | Unset | None = UNSET,
        options: CallOptions | None = None,
    ) -> Post:
        """Change a post that is still waiting (a draft or a scheduled one), and return it.

        What isn't given stays. None is sent as null, which may clear a member or count as not given: Reap doesn't
        say. *title* has at most 250 characters, *description* 1000, *tags* 10 entries; *schedule_date* is in whole
        Unix seconds, 50 minutes ahead or more. Accounts, clip and project can't be changed. Repeatable.

        Raises `BadRequestError` for a post that has gone out or is going out, or whose project was cancelled.
        https://docs.reap.video/api-reference/update-post
        """
        request = endpoints.update_post(
            post_id=post_id,
            title=title,
            description=description,
            tags=tags,
            schedule_date=schedule_date,
            platform_settings=platform_settings,
            now=self.clock.time(),
        )
        return await self._call(request, Post, options)

    async def delete_post(self, post_id: str, *, options: CallOptions | None = None) -> DeletedPost:
        """Delete a post and call off its schedule; nothing says that a published video leaves its platform.

        Repeatable; a repeat may meet `NotFoundError`, as whether the post stays readable isn't documented.
        https://docs.reap.video/api-reference/delete-post
        """
        return await self._delete(endpoints.delete_post(post_id=post_id), DeletedPost, options)
