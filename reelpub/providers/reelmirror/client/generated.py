"""The operations about generated posts."""

from __future__ import annotations

from reelpub.providers.reelmirror import endpoints
from reelpub.providers.reelmirror.client.base import Calls
from reelpub.providers.reelmirror.schemas import (
    ApprovedPost,
    ComposedPost,
    GeneratedMediaItem,
    GeneratedPost,
    GenerationStarted,
)
from reelpub.transport.message import CallOptions

__all__ = ["GeneratedCalls"]


class GeneratedCalls(Calls):
    """What ReelMirror generates, and its way through review."""

    async def get_generated_post(self, post_id: str, *, options: CallOptions | None = None) -> GeneratedPost:
        """Read a generated post; it is ready when it and every media item are ``completed``.

        Typical waits: 20 to 90 s for a picture, 60 to 300 s for a video, 30 to 120 s for a voice. Kind: reads. Scope
        ``content:read``. See https://reelmirror.com/docs/guides/generation

        Raises:
            NotFoundError: no such post.
        """
        return await self._one(endpoints.get_generated_post(post_id), GeneratedPost, options)

    async def approve_generated_post(self, post_id: str, *, options: CallOptions | None = None) -> ApprovedPost:
        """Approve a generated post and publish it at once to all connected accounts of its persona.

        Kind: goes live; never repeated unless it provably never left or was refused with 429. What a second approval
        does isn't stated, and after a lost answer the outgoing post can't be looked up; after
        `send_generated_post_to_compose` and `publish_outgoing_post` it can. Scope ``content:write``. See
        https://reelmirror.com/docs/guides/review-queue

        Raises:
            BadRequestError: the persona has no active account, or the generation isn't completed.
            DecodeError: the answer names no outgoing post; it may be live.
        """
        return await self._one(endpoints.approve_generated_post(post_id), ApprovedPost, options)

    async def reject_generated_post(self, post_id: str, *, options: CallOptions | None = None) -> GeneratedPost | None:
        """Reject a generated post; no outgoing post is made.

        Returns the generated post where the answer holds one. Kind: repeatable. Scope ``content:write``. See
        https://reelmirror.com/docs/guides/review-queue

        Raises:
            ConflictError: its state forbids it.
        """
        return await self._optional(endpoints.reject_generated_post(post_id), GeneratedPost, options)

    async def send_generated_post_to_compose(self, post_id: str, *, options: CallOptions | None = None) -> ComposedPost:
        """Approve a generated post into a draft, which can be edited before it goes live.

        Kind: makes a draft. It is repeated after a lost answer, which may leave a second draft behind. See
        https://reelmirror.com/docs/guides/publishing

        Raises:
            BadRequestError, ConflictError: the generation isn't completed (which of the two isn't stated).
            DecodeError: the answer doesn't name the draft.
        """
        return await self._one(endpoints.send_generated_post_to_compose(post_id), ComposedPost, options)

    async def get_generated_media_item(self, item_id: str, *, options: CallOptions | None = None) -> GeneratedMediaItem:
        """Read one generated media item.

        Kind: reads. See https://reelmirror.com/docs/guides/webhooks

        Raises:
            NotFoundError: no such item.
        """
        return await self._one(endpoints.get_generated_media_item(item_id), GeneratedMediaItem, options)

    async def reject_generated_media_item(
        self, item_id: str, *, options: CallOptions | None = None
    ) -> GeneratedMediaItem | None:
        """Reject one media item of a generated post.

        The address of this operation is inferred. Returns the item where the answer holds one. Kind: repeatable. See
        https://reelmirror.com/docs/guides/review-queue

        Raises:
            NotFoundError: no such item, or no such operation.
        """
        return await self._optional(endpoints.reject_generated_media_item(item_id), GeneratedMediaItem, options)

    async def generate(
        self, *, source_post_id: str, persona_id: str, options: CallOptions | None = None
    ) -> GenerationStarted:
        """Start generating a post for a persona from a synced source post (of Instagram, for now).

        It costs credit. Kind: other write; never repeated unless it provably never left or was refused with 429.
        Scope ``content:write``. See https://reelmirror.com/docs/guides/generation

        Raises:
            PaymentRequiredError: the balance doesn't cover it.
        """
        request = endpoints.generate(source_post_id=source_post_id, persona_id=persona_id)
        return await self._one(request, GenerationStarted, options)
