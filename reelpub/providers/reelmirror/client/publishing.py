"""The operations about outgoing posts and captions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from reelpub.clocks import utc_now
from reelpub.providers.reelmirror import endpoints
from reelpub.providers.reelmirror.checks import MAX_PAGE
from reelpub.providers.reelmirror.client.base import Calls
from reelpub.providers.reelmirror.decode import Page
from reelpub.providers.reelmirror.paging import walk
from reelpub.providers.reelmirror.schemas import GeneratedCaption, OutgoingPost, OutgoingPostItemInput
from reelpub.transport.message import CallOptions

__all__ = ["PublishingCalls"]


class PublishingCalls(Calls):
    """Outgoing posts: drafts, publishing, scheduling and what became of them."""

    async def create_outgoing_post(
        self,
        *,
        items: Sequence[OutgoingPostItemInput],
        persona_id: str | None = None,
        caption: str | None = None,
        target_account_ids: Sequence[str] | None = None,
        platform_settings: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
    ) -> OutgoingPost:
        """Create a draft out of generated media items; nothing is published by it.

        *items* holds at least one; the vendor states no limit for their number nor for the caption's length. What
        happens without *target_account_ids* isn't stated, and no key of *platform_settings* is documented.

        Kind: makes a draft. It is repeated after a lost answer, which may leave a second draft behind.
        Scope ``publishing:write``. See
        https://reelmirror.com/docs/api-reference/publishing/create-outgoing-post

        Raises:
            ValidationError: an argument can't be right; nothing was sent.
            DecodeError: the answer doesn't hold the draft.
        """
        request = endpoints.create_outgoing_post(
            items=items,
            persona_id=persona_id,
            caption=caption,
            target_account_ids=target_account_ids,
            platform_settings=platform_settings,
        )
        return await self._one(request, OutgoingPost, options)

    async def list_outgoing_posts(
        self, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> AsyncIterator[OutgoingPost]:
        """Yield all outgoing posts from *offset* on, reading *limit* (1 to 100) of them with each request.

        No page of the vendor shows this list: it is inferred and may answer 404. Its order and whether deliveries
        are in it are unknown. Kind: reads. Scope ``publishing:read``. See
        https://reelmirror.com/docs/api-reference/introduction

        Raises:
            ValidationError: *limit* or *offset* is out of range; nothing was sent.
            NotFoundError: there is no such list.
        """

        async def fetch(limit: int, offset: int) -> Page[OutgoingPost]:
            return await self.list_outgoing_posts_page(limit=limit, offset=offset, options=options)

        async for post in walk(fetch, limit=limit, offset=offset):
            yield post

    async def list_outgoing_posts_page(
        self, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> Page[OutgoingPost]:
        """Read one page of the outgoing posts; see `list_outgoing_posts`."""
        request = endpoints.list_outgoing_posts(limit=limit, offset=offset)
        return await self._page(request, OutgoingPost, offset, options)

    async def get_outgoing_post(self, outgoing_post_id: str, *, options: CallOptions | None = None) -> OutgoingPost:
        """Read one outgoing post with a delivery for each account.

        A post is finished when every delivery is ``published`` or ``failed``, which typically takes 10 to 60 s; the
        vendor asks to read it every 10 to 30 s. Kind: reads. Scope ``publishing:read``. See
        https://reelmirror.com/docs/guides/publishing

        Raises:
            NotFoundError: no such post.
        """
        return await self._one(endpoints.get_outgoing_post(outgoing_post_id), OutgoingPost, options)

    async def update_outgoing_post(
        self,
        outgoing_post_id: str,
        *,
        caption: str | None = None,
        platform_settings: Mapping[str, Any] | None = None,
        items: Sequence[OutgoingPostItemInput] | None = None,
        target_account_ids: Sequence[str] | None = None,
        options: CallOptions | None = None,
    ) -> OutgoingPost | None:
        """Change a draft; at least one member has to be given, and None leaves a member as it is.

        Only *caption* is documented; that the others can be changed is inferred, so read the draft again before it
        goes live. Returns the post where the answer holds one. Kind: repeatable. Scope ``publishing:write``. See
        https://reelmirror.com/docs/guides/publishing

        Raises:
            ValidationError: nothing to change was given, or an argument can't be right; nothing was sent.
            BadRequestError, ConflictError: the post isn't a draft (which of the two isn't stated).
        """
        request = endpoints.update_outgoing_post(
            outgoing_post_id,
            caption=caption,
            platform_settings=platform_settings,
            items=items,
            target_account_ids=target_account_ids,
        )
        return await self._optional(request, OutgoingPost, options)

    async def delete_outgoing_post(
        self, outgoing_post_id: str, *, options: CallOptions | None = None
    ) -> OutgoingPost | None:
        """Delete a draft or a failed post at ReelMirror; nothing is taken off a social platform.

        Returns the post where the answer holds one. Kind: repeatable; a repeat may answer 404. See
        https://reelmirror.com/docs/guides/publishing

        Raises:
            BadRequestError, ConflictError: the post is in another state (which of the two isn't stated).
        """
        return await self._optional(endpoints.delete_outgoing_post(outgoing_post_id), OutgoingPost, options)

    async def publish_outgoing_post(
        self, outgoing_post_id: str, *, options: CallOptions | None = None
    ) -> OutgoingPost | None:
        """Publish a draft now to all its accounts; the delivery runs on in the background.

        Returns the post where the answer holds one; read it with `get_outgoing_post` until every delivery is
        finished. Kind: goes live. It is never repeated unless it provably never left or was refused with 429; after
        any other failure, read the post. Scope ``publishing:write``. See
        https://reelmirror.com/docs/guides/publishing

        Raises:
            BadRequestError, ConflictError: the post isn't a draft (which of the two isn't stated).
        """
        return await self._optional(endpoints.publish_outgoing_post(outgoing_post_id), OutgoingPost, options)

    async def schedule_outgoing_post(
        self,
        outgoing_post_id: str,
        *,
        scheduled_for: datetime,
        timezone: str | None = None,
        options: CallOptions | None = None,
    ) -> OutgoingPost | None:
        """Have a draft published at *scheduled_for*, an aware datetime in the future; it is sent in UTC.

        *timezone* is an IANA name and presumably only for display: the instant counts. Returns the post where the
        answer holds one. Kind: goes live; never repeated unless it provably never left or was refused with 429. See
        https://reelmirror.com/docs/guides/publishing

        Raises:
            ValidationError: *scheduled_for* is naive or not in the future; nothing was sent.
            BadRequestError, ConflictError: the post isn't a draft (which of the two isn't stated).
        """
        request = endpoints.schedule_outgoing_post(
            outgoing_post_id, scheduled_for=scheduled_for, timezone=timezone, now=utc_now(self.clock)
        )
        return await self._optional(request, OutgoingPost, options)

    async def cancel_outgoing_post(
        self, outgoing_post_id: str, *, options: CallOptions | None = None
    ) -> OutgoingPost | None:
        """Call off a scheduled post before its time.

        The status it leaves behind isn't stated. Returns the post where the answer holds one. Kind: repeatable. See
        https://reelmirror.com/docs/guides/publishing

        Raises:
            BadRequestError, ConflictError: the post isn't waiting (which of the two isn't stated).
        """
        return await self._optional(endpoints.cancel_outgoing_post(outgoing_post_id), OutgoingPost, options)

    async def retry_outgoing_post(
        self, outgoing_post_id: str, *, options: CallOptions | None = None
    ) -> OutgoingPost | None:
        """Send the failed deliveries of a post again.

        One delivery can't be picked, and that the published ones are left alone is not stated. Returns the post where
        the answer holds one. Kind: goes live; never repeated unless it provably never left or was refused with 429.
        See https://reelmirror.com/docs/guides/publishing

        Raises:
            BadRequestError, ConflictError: no delivery failed (which of the two isn't stated).
        """
        return await self._optional(endpoints.retry_outgoing_post(outgoing_post_id), OutgoingPost, options)

    async def generate_caption(
        self,
        generated_media_item_ids: Sequence[str],
        *,
        persona_id: str | None = None,
        options: CallOptions | None = None,
    ) -> GeneratedCaption:
        """Write a caption for media items, in the persona's voice where *persona_id* is given.

        Whether it costs credit isn't stated. Kind: other write; never repeated unless it provably never left or was
        refused with 429. See https://reelmirror.com/docs/guides/publishing

        Raises:
            ValidationError: *generated_media_item_ids* is empty or no list of ids; nothing was sent.
            PaymentRequiredError: the balance doesn't cover it.
        """
        request = endpoints.generate_caption(generated_media_item_ids, persona_id=persona_id)
        return await self._one(request, GeneratedCaption, options)
