"""Makes the draft that goes live, and makes sure that it goes to the accounts that were asked for.

Nothing here is public. Drafts that aren't needed any more are deleted; one that can't be deleted is reported.
See https://reelmirror.com/docs/guides/publishing.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from reelpub.errors import BadRequestError, NotFoundError, ReelPubError, ValidationError
from reelpub.models.job import Part, Prepared
from reelpub.models.problem import Problem
from reelpub.models.source import Draft, GeneratedPost
from reelpub.providers.reelmirror.client import ReelMirrorClient
from reelpub.providers.reelmirror.content import Content, content_of_post, content_of_source, edits
from reelpub.providers.reelmirror.orphans import Leftovers, Making, OrphanHunt
from reelpub.providers.reelmirror.schemas import OutgoingPost, OutgoingPostStatus
from reelpub.providers.reelmirror.targets import Match, compare, shown

__all__ = ["DraftDesk"]


class DraftDesk:
    """Turns a part into a draft of its own. *has_list* says whether there is a list of posts, None where unknown."""

    def __init__(self, client: ReelMirrorClient, *, has_list: Callable[[], bool | None] = lambda: None) -> None:
        self._client = client
        self._hunt = OrphanHunt(client, has_list=has_list, discard=self._discard)

    async def make(self, part: Part) -> Prepared:
        """Return *part* with the draft that is to go live.

        An approval makes none. What a repeat after a lost answer, or a process that died, left behind is deleted or
        told.

        Raises:
            ValidationError: the draft can't be had as asked; what it says names the accounts asked for and found.
        """
        source = part.request.source
        if part.copy_of is not None:
            return await self._copy(part, part.copy_of)
        if isinstance(source, GeneratedPost):
            return Prepared(part=part) if source.approve else await self._compose(part, source)
        if isinstance(source, Draft):
            return await self._take_over(part, source)
        content = content_of_source(part.request)
        if content is None:
            raise ValidationError([Problem(field="source", message="isn't one that ReelMirror takes", value=source)])
        return await self._create(part, content)

    async def _compose(self, part: Part, source: GeneratedPost) -> Prepared:
        with self._hunt.making(source.id) as making:
            composed = await self._client.send_generated_post_to_compose(source.id, options=making.options)
            draft_id = composed.outgoing_post_id
            left = await self._left(making, part, draft_id)
        is_edited = await self._edit(draft_id, part)
        if not part.accounts:
            return _prepared(part, draft_id, left)
        draft = await self._client.get_outgoing_post(draft_id)
        if is_edited and compare(part.accounts, draft.deliveries) is Match.SAME:
            return _prepared(part, draft_id, left)
        return _with(await self._replace(part, draft), left)

    async def _left(self, making: Making, part: Part, draft_id: str) -> Leftovers:
        """Note the draft as ours; return what was left behind on the way to it, now and by a process that died."""
        self._hunt.own(draft_id)
        left, earlier = await self._hunt.after(making, draft_id), await self._hunt.before(part, draft_id)
        return Leftovers(orphans=left.orphans + earlier.orphans, warnings=left.warnings + earlier.warnings)

    async def _edit(self, draft_id: str, part: Part) -> bool:
        """Edit a draft where that is asked for; return False where the edit was refused and may be for its targets.

        That an edit takes targets is inferred, so ReelMirror may also refuse them; the create body then has the word.
        """
        changes = edits(part.request, part.accounts)
        try:
            if changes:
                await self._client.update_outgoing_post(draft_id, **changes)
        except BadRequestError:
            if not part.accounts:
                raise
            return False
        return True

    async def _replace(self, part: Part, draft: OutgoingPost) -> Prepared:
        """Make the draft anew through the create body, whose targets are documented, and delete the first one."""
        content = content_of_post(draft, part.request)
        if content is None:
            raise _mismatch(part, draft, f"; draft {draft.id} shows no media, so it can't be made anew, and stays")
        # What a process that died left has been told of the first draft already.
        made = await self._create(evolve(part, begun_at=None), content)
        return _with(made, Leftovers(orphans=await self._discard(draft.id)))

    async def _take_over(self, part: Part, source: Draft) -> Prepared:
        """Take a draft of the caller's own, which is edited but never replaced."""
        draft = await self._client.get_outgoing_post(source.id)
        if draft.status != OutgoingPostStatus.DRAFT:
            raise ValidationError([_not_a_draft(draft)])
        is_right = not part.accounts or compare(part.accounts, draft.deliveries) is Match.SAME
        changes = edits(part.request, () if is_right else part.accounts)
        if changes:
            await self._client.update_outgoing_post(draft.id, **changes)
        if not is_right:
            edited = await self._client.get_outgoing_post(draft.id)
            if compare(part.accounts, edited.deliveries) is not Match.SAME:
                raise _mismatch(part, edited)
        return Prepared(part=part, post_id=draft.id)

    async def _copy(self, part: Part, post_id: str) -> Prepared:
        post = await self._client.get_outgoing_post(post_id)
        content = content_of_post(post, part.request) or content_of_source(part.request)
        if content is None:
            raise ValidationError([_no_media(post_id)])
        return await self._create(part, content)

    async def _create(self, part: Part, content: Content) -> Prepared:
        with self._hunt.making(" ".join(item.generated_media_item_id for item in content.items)) as making:
            draft = await self._client.create_outgoing_post(
                items=content.items,
                persona_id=content.persona_id,
                caption=content.caption,
                target_account_ids=[account.id for account in part.accounts] or None,
                platform_settings=content.settings,
                options=making.options,
            )
            left = await self._left(making, part, draft.id)
        # The targets of this body are documented, so a draft that doesn't show them is taken at its word.
        if compare(part.accounts, draft.deliveries) is Match.DIFFERENT:
            kept = await self._discard(draft.id)
            raise _mismatch(part, draft, f"; draft {draft.id} couldn't be deleted" if kept else "")
        return _prepared(part, draft.id, left)

    async def _discard(self, draft_id: str) -> tuple[str, ...]:
        """Delete a draft that isn't needed; return its id where that failed, so that it is told as an orphan."""
        try:
            await self._client.delete_outgoing_post(draft_id)
        except NotFoundError:
            return ()
        except ReelPubError:
            return (draft_id,)
        return ()


def _prepared(part: Part, draft_id: str, left: Leftovers) -> Prepared:
    return Prepared(part=part, post_id=draft_id, orphans=left.orphans, warnings=left.warnings)


def _with(prepared: Prepared, left: Leftovers) -> Prepared:
    return evolve(prepared, orphans=prepared.orphans + left.orphans, warnings=prepared.warnings + left.warnings)


def _mismatch(part: Part, draft: OutgoingPost, more: str = "") -> ValidationError:
    asked = ", ".join(str(account) for account in part.accounts)
    found = shown(draft.deliveries)
    said = f"ReelMirror's draft goes to {found}" if found else "ReelMirror's draft doesn't show its accounts"
    problem = Problem(
        field="accounts",
        message=f"asked for {asked}, but {said}; nothing was published{more}",
        value=[account.id for account in part.accounts],
        limit="exactly the accounts asked for",
    )
    return ValidationError([problem])


def _not_a_draft(post: OutgoingPost) -> Problem:
    return Problem(
        field="source",
        message=f"post {post.id} isn't a draft: its status is {post.status}",
        value=str(post.status),
        limit="status draft",
    )


def _no_media(post_id: str) -> Problem:
    message = f"post {post_id} doesn't show its media, so it can't be copied for the failed accounts"
    return Problem(field="source", message=message, value=post_id)
