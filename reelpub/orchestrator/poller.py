"""The shared poller of one credential: follows every accepted post with as few reads as the policy finds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from reelpub.errors import AuthenticationError, NotFoundError, PermissionDeniedError, ReelPubError
from reelpub.models.event import JobStuck
from reelpub.models.post import Post, PostStatus
from reelpub.orchestrator.alarm import wait_until
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.tracker import PartRef, apply
from reelpub.policies.lifecycle import GaveUp, Observed
from reelpub.policies.polling import PollBook, ReadOne, ReadPage, Rest, Watched
from reelpub.providers.base import Publisher, SupportsBulkRead

__all__ = ["Poller"]

log = logging.getLogger("reelpub.poller")

MISSES_BEFORE_UNKNOWN = 3
"""A post that the provider had and answers 404 for so often is out of reach (seen of projects at Reap)."""

CREATED_SKEW = 300.0
"""Seconds by which a provider's clock may be behind ours before a list filtered by time misses a post."""

MAX_PAUSE = 60.0


class Poller:
    """Follows posts until they end. `is_busy` says whether there is still something to publish."""

    def __init__(self, publisher: Publisher, context: Context, *, is_busy: Callable[[], bool]) -> None:
        self._publisher = publisher
        self._context = context
        self._is_busy = is_busy
        self._book = PollBook(context.poll, publisher.limits.requests, publisher.limits.window)
        # A list for each post would be one more object for the garbage collector to visit, times 100,000.
        self._refs: dict[str, PartRef] = {}
        # Where a provider takes a second publish of the same draft.
        self._more: dict[str, list[PartRef]] = {}
        self._misses: dict[str, int] = {}
        self._singles: list[str] = []
        self._failures = 0
        self._changed = asyncio.Event()
        self._next_stuck_check = 0.0

    def watch(self, ref: PartRef, *, from_schedule: bool = False) -> None:
        """Follow the post of a part from now on, or from its scheduled time on."""
        post = ref.state.post
        if post is None:
            return
        if self._refs.setdefault(post.id, ref) != ref and ref not in self._more.get(post.id, ()):
            self._more.setdefault(post.id, []).append(ref)
        if post.id in self._book:
            return
        clock = self._context.clock
        now = clock.monotonic()
        wait = self._context.poll.first_look
        if from_schedule and post.scheduled_at is not None:
            wait += max(0.0, post.scheduled_at.timestamp() - clock.time())
        self._book.watch(
            Watched(id=post.id, accepted_at=now, due_at=now + wait, created_after=self._created_after(ref, post))
        )
        self._changed.set()

    def forget(self, post_id: str) -> None:
        """Stop following a post."""
        self._book.forget(post_id)
        self._refs.pop(post_id, None)
        self._more.pop(post_id, None)
        self._misses.pop(post_id, None)

    def _refs_of(self, post_id: str) -> tuple[PartRef, ...]:
        first = self._refs.get(post_id)
        return () if first is None else (first, *self._more.get(post_id, ()))

    def give_up(self, reason: str) -> None:
        """Let go of every post; what is known of each stands."""
        for post_id in list(self._refs):
            self._let_go(post_id, GaveUp(reason))

    async def run(self) -> None:
        """Read for ever; cancel to stop."""
        while True:
            self._find_stuck()
            what: ReadOne | ReadPage | Rest | None = None
            try:
                what = self._next()
                if isinstance(what, Rest):
                    await wait_until(self._context.clock, what.until, self._changed)
                    continue
                await self._read(what)
                self._failures = 0
            except (AuthenticationError, PermissionDeniedError) as error:
                self.give_up(f"its state can't be read: {error}")
            except ReelPubError as error:
                await self._pause(error, what)
            except Exception as error:  # a publisher with a bug must not stop the others
                log.exception("%s: reading posts raised", self._publisher.name)
                await self._pause(error, what)

    def _next(self) -> ReadOne | ReadPage | Rest:
        while self._singles:
            post_id = self._singles.pop()
            if post_id in self._refs:
                return ReadOne(post_id)
        now = self._context.clock.monotonic()
        return self._book.next_read(now, has_list=self._has_list(), is_busy=self._is_busy())

    def _has_list(self) -> bool:
        return isinstance(self._publisher, SupportsBulkRead) and self._publisher.has_bulk_read is not False

    async def _read(self, what: ReadOne | ReadPage) -> None:
        if isinstance(what, ReadOne):
            await self._read_one(what.post_id)
        elif isinstance(self._publisher, SupportsBulkRead):
            page = await self._publisher.read_page(what.page, created_after=what.created_after)
            if page is None:
                self._book.sweep_failed()
                return
            for post in page.posts:
                self._saw(post, is_whole=False)
            self._book.page_read(has_more=page.has_more)

    async def _read_one(self, post_id: str) -> None:
        try:
            post = await self._publisher.fetch(post_id)
        except NotFoundError:
            self._missed(post_id)
            return
        self._misses.pop(post_id, None)
        self._saw(post, is_whole=True)

    def _missed(self, post_id: str) -> None:
        self._book.seen(post_id, self._context.clock.monotonic())
        self._misses[post_id] = self._misses.get(post_id, 0) + 1
        if self._misses[post_id] >= MISSES_BEFORE_UNKNOWN:
            self._let_go(post_id, GaveUp("the provider accepted it and doesn't know it any more", is_unknown=True))

    def _let_go(self, post_id: str, event: GaveUp) -> None:
        refs = self._refs_of(post_id)
        self.forget(post_id)
        for ref in refs:
            apply(self._context, ref, event)

    def _saw(self, post: Post, *, is_whole: bool) -> None:
        refs = self._refs_of(post.id)
        if not refs:
            return
        self._book.seen(post.id, self._context.clock.monotonic())
        known = refs[0].state.post
        if not is_whole and not post.deliveries and known is not None:
            # A list that leaves the deliveries out says when to look, not what happened on each account.
            if post.status is not known.status and post.status is not PostStatus.SCHEDULED:
                self._singles.append(post.id)
            return
        for ref in refs:
            if post != ref.state.post:
                apply(self._context, ref, Observed(post))
        if all(ref.state.is_settled for ref in refs):
            self.forget(post.id)

    def _find_stuck(self) -> None:
        now = self._context.clock.monotonic()
        if now < self._next_stuck_check:
            return
        self._next_stuck_check = now + self._context.poll.stuck_after / 20
        for post_id in self._book.overdue(now):
            refs = self._refs_of(post_id)
            post = refs[0].state.post if refs else None
            if post is not None:
                for ref in refs:
                    self._context.tell(JobStuck, ref.job, post=post)
                minutes = self._context.poll.stuck_after / 60
                self._let_go(post_id, GaveUp(f"stuck at {post.raw_status or post.status} for {minutes:g} minutes"))

    async def _pause(self, error: BaseException, what: ReadOne | ReadPage | Rest | None) -> None:
        if isinstance(what, ReadOne):
            # One post that can't be read must not stand in the way of those behind it.
            self._book.seen(what.post_id, self._context.clock.monotonic())
        self._book.sweep_failed()
        self._failures += 1
        pause = min(MAX_PAUSE, 2.0**self._failures)
        log.warning("%s: reading posts failed, next try in %.0f s: %s", self._publisher.name, pause, error)
        await self._context.clock.sleep(pause)

    def _created_after(self, ref: PartRef, post: Post) -> float:
        started = [attempt.started_at for attempt in ref.state.attempts]
        if post.created_at is not None:
            started.append(post.created_at.timestamp())
        return min(started, default=self._context.clock.time()) - CREATED_SKEW
