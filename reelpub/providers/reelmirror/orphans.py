"""Drafts that a lost answer left behind: looked for where there is a list of posts, deleted, and told otherwise.

Making a draft is repeated when its answer is lost, since nobody sees a draft. The first one may then exist beside the
second, and its id is known to nobody. The list of posts is inferred (contracts/reelmirror.md), so where it is missing
or too long all that can be told is that a draft may have been left.

A draft is deleted only where it can be nothing else than the lost one: like the one that was made in its stead, made
while that call was under way, made by no other call of this publisher, and not more of them than there were repeats.
What remains is another process with the same key that makes the same draft within the same seconds.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, field, frozen

from reelpub.clocks import Clock
from reelpub.errors import ReelPubError
from reelpub.models.job import Part
from reelpub.models.problem import Problem, Severity
from reelpub.policies.safety import Effect, effect_of
from reelpub.providers.reelmirror.client import ReelMirrorClient
from reelpub.providers.reelmirror.schemas import OutgoingPost, OutgoingPostStatus
from reelpub.transport.message import CallOptions

__all__ = ["Leftovers", "Making", "OrphanHunt", "is_alike"]

ROWS_MOST: Final = 1_000
"""Rows of the list that are read: 10 of the 60 requests a minute."""

REMEMBERED: Final = 10_000
"""Own drafts whose ids are kept; a hunt asks only for those of the last minutes."""

MARGIN: Final = timedelta(seconds=2)
"""By how much ReelMirror's times may be rounded."""

SKEW: Final = timedelta(minutes=2)
"""By how much ReelMirror's clock may be behind this machine's, where only this one's time is known."""


@frozen(kw_only=True)
class Leftovers:
    """What is left behind for certain, by its id, and what may be."""

    orphans: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()


@define(eq=False)
class Making:
    """One call that makes a draft, however often it leaves; *like* names what it makes a draft of.

    `repeats` is how many of its requests may have made a draft beside the one that was answered.
    """

    like: str
    _clock: Clock
    repeats: int = field(default=0, init=False)
    _started_at: float | None = field(default=None, init=False)

    @property
    def options(self) -> CallOptions:
        """Options for the call that have its repeats counted."""
        return CallOptions(before_send=self._leaves, on_repeat=self._was_lost)

    @property
    def lasted(self) -> timedelta:
        """How long ago its first request left."""
        now = self._clock.time()
        return timedelta(seconds=now - (now if self._started_at is None else self._started_at))

    async def _leaves(self) -> None:
        if self._started_at is None:
            self._started_at = self._clock.time()

    def _was_lost(self, error: ReelPubError) -> None:
        # What was refused, such as by a 429, made nothing.
        self.repeats += effect_of(error) is not Effect.NONE


class OrphanHunt:
    """Knows the drafts that this publisher made, and looks for those that it made without learning of it.

    *has_list* says whether the provider has a list of posts; None while that isn't known. *discard* deletes a draft
    and returns its id where that failed.
    """

    def __init__(
        self,
        client: ReelMirrorClient,
        *,
        has_list: Callable[[], bool | None],
        discard: Callable[[str], Awaitable[tuple[str, ...]]],
    ) -> None:
        self._client = client
        self._has_list = has_list
        self._discard = discard
        self._made: OrderedDict[str, None] = OrderedDict()
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def making(self, like: str) -> Iterator[Making]:
        """Watch over a call that makes a draft of *like*, until its draft is known."""
        self._under_way[like] += 1
        try:
            yield Making(like, self._client.clock)
        finally:
            self._under_way[like] -= 1
            if not self._under_way[like]:
                del self._under_way[like]

    def own(self, draft_id: str) -> None:
        """Remember a draft that was made and answered."""
        self._made[draft_id] = None
        if len(self._made) > REMEMBERED:
            self._made.popitem(last=False)

    async def after(self, making: Making, draft_id: str) -> Leftovers:
        """Delete what the requests of *making* before the one that made *draft_id* left; return what remains."""
        if not making.repeats:
            return Leftovers()
        lasted = making.lasted + MARGIN
        view = await self._view(draft_id, lambda draft: draft.created_at and draft.created_at - lasted)
        if view is None:
            return _maybe("making the draft had to be repeated, so a second one may be left")
        found = [post for post in view.others if is_alike(post, view.draft)]
        if len(found) > making.repeats or (found and self._under_way[making.like] > 1):
            return _maybe(f"making the draft had to be repeated, and one of {_ids(found)} may be left of it")
        kept = tuple([orphan for post in found for orphan in await self._discard(post.id)])
        if len(found) < making.repeats:
            # A lost request may wait in a queue of the provider's and make its draft after this look.
            return evolve(
                _maybe("making the draft had to be repeated, and a second one may still appear"), orphans=kept
            )
        return Leftovers(orphans=kept)

    async def before(self, part: Part, draft_id: str) -> Leftovers:
        """Return what a process that died may have left of *part*, which has *draft_id* now.

        Nothing is deleted: another job of the dead process may still go live with such a draft.
        """
        if part.begun_at is None:
            return Leftovers()
        since = part.begun_at - SKEW
        view = await self._view(draft_id, lambda _: since)
        if view is None:
            return _maybe("an earlier process may have left a draft of it")
        found = [post for post in view.others if is_alike(post, view.draft, edited=part)]
        if found and part.request.allow_duplicate:
            return _maybe(f"an earlier process may have left {_ids(found)} of it")
        return Leftovers(orphans=tuple(post.id for post in found))

    async def _view(self, draft_id: str, since: Callable[[OutgoingPost], datetime | None]) -> _View | None:
        """Return the draft as the list has it, and the others made at *since* of it or later; None where it can't."""
        if self._has_list() is False:
            return None
        seen: list[OutgoingPost] = []
        draft: OutgoingPost | None = None
        try:
            async for post in self._client.list_outgoing_posts():
                seen.append(post)
                draft = post if post.id == draft_id else draft
                bound = None if draft is None else since(draft)
                if bound is not None and _has_passed(seen, bound):
                    break
                if len(seen) >= ROWS_MOST:
                    return None
        except ReelPubError:
            return None
        bound = None if draft is None else since(draft)
        if draft is None or bound is None:
            return None
        return _View(draft=draft, others=[p for p in _made_since(seen, bound) if p.id not in self._made])


@frozen(kw_only=True)
class _View:
    """A draft of ours, and the drafts that were made since then and that nobody here made."""

    draft: OutgoingPost
    others: Sequence[OutgoingPost]


def _made_since(posts: Sequence[OutgoingPost], since: datetime) -> list[OutgoingPost]:
    """Return those of *posts* that are drafts and were made at *since* or later."""
    return [
        post
        for post in posts
        if post.status == OutgoingPostStatus.DRAFT and post.created_at is not None and post.created_at >= since
    ]


def is_alike(one: OutgoingPost, other: OutgoingPost, *, edited: Part | None = None) -> bool:
    """Return whether two drafts hold the same for the same accounts, as far as both show it.

    With *edited*, *one* may also be *other* after its edit for that part.
    """
    media = [item.generated_media_item_id for item in one.items]
    if (
        not media
        or media != [item.generated_media_item_id for item in other.items]
        or one.persona_id != other.persona_id
    ):
        return False
    captions, targets = {other.caption}, [_accounts(other)]
    if edited is not None:
        captions.add(edited.request.caption)
        targets.append({account.id for account in edited.accounts})
    mine = _accounts(one)
    return one.caption in captions and (not mine or not targets[0] or mine in targets)


def _accounts(post: OutgoingPost) -> set[str]:
    return {one.connected_account_id or f"{one.platform}:{one.username}" for one in post.deliveries}


def _has_passed(seen: Sequence[OutgoingPost], since: datetime) -> bool:
    """Return whether the list is newest first and has come to what is older than *since*."""
    last = seen[-1].created_at
    if last is None or last >= since:
        return False
    times = [post.created_at for post in seen if post.created_at is not None]
    return times == sorted(times, reverse=True)


def _maybe(message: str) -> Leftovers:
    problem = Problem(field="draft", message=f"{message} at ReelMirror; it isn't public", severity=Severity.WARNING)
    return Leftovers(warnings=(problem,))


def _ids(posts: Sequence[OutgoingPost]) -> str:
    return ", ".join(post.id for post in posts)
