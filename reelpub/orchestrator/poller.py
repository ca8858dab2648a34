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
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.strangers import heard
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

BRIEF = 5.0
"""Seconds after which it is looked again whether a read would be in the way of writes."""

EXPECTED = 2.0
"""Windows for which slots are kept for reads once there is something to read, or about to be."""


class Poller:
    """Follows posts until they end.

    `is_busy` says whether there is still something to publish, `to_come` how many posts that will be.
    """

    def __init__(
        self,
        publisher: Publisher,
        context: Context,
        *,
        is_busy: Callable[[], bool],
        to_come: Callable[[], int] = lambda: 0,
    ) -> None:
        self._publisher = publisher
        self._context = context
        self._is_busy = is_busy
        self._to_come = to_come
        self._book = PollBook(context.poll, publisher.limits.requests, publisher.limits.window)
        # The job and the number of a part: a reference or a list for each post would be one more object for the garbage
        # collector to visit, times 100,000. A number of 0 isn't kept.
        self._jobs: dict[str, Job] = {}
        self._indexes: dict[str, int] = {}
        # Where a provider takes a second publish of the same draft.
        self._more: dict[str, list[PartRef]] = {}
        self._misses: dict[str, int] = {}
        self._singles: list[str] = []
        self._failures = 0
        self._reads_lists = True
        self._changed = asyncio.Event()
        self._next_stuck_check = 0.0

    def watch(self, ref: PartRef, *, from_schedule: bool = False) -> None:
        """Follow the post of a part from now on, or from its scheduled time on."""
        post = ref.state.post
        if post is None:
            return
        self._keep(post.id, ref)
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
        if self._reads_lists and wait <= EXPECTED * self._publisher.limits.window:
            # Where posts are read one by one, a write is the better use of a slot until one is to be read.
            self._expect_reads(EXPECTED)
        self._changed.set()

    def _keep(self, post_id: str, ref: PartRef) -> None:
        refs = self._refs_of(post_id)
        if not refs:
            self._jobs[post_id] = ref.job
            if ref.index:
                self._indexes[post_id] = ref.index
        elif ref not in refs:
            self._more.setdefault(post_id, []).append(ref)

    def look_again(self) -> None:
        """Decide anew what to read next, as there may be nothing more to publish."""
        self._changed.set()

    def forget(self, post_id: str, *, ended_at: float | None = None) -> None:
        """Stop following a post; *ended_at* is when a read showed its end, in monotonic seconds, if one did."""
        self._book.forget(post_id, ended_at=ended_at)
        self._jobs.pop(post_id, None)
        self._indexes.pop(post_id, None)
        self._more.pop(post_id, None)
        self._misses.pop(post_id, None)

    def _refs_of(self, post_id: str) -> tuple[PartRef, ...]:
        job = self._jobs.get(post_id)
        if job is None:
            return ()
        return PartRef(job, self._indexes.get(post_id, 0)), *self._more.get(post_id, ())

    def give_up(self, reason: str) -> None:
        """Let go of every post; what is known of each stands."""
        for post_id in list(self._jobs):
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
            if post_id in self._jobs:
                return ReadOne(post_id)
        now, is_busy = self._context.clock.monotonic(), self._is_busy()
        self._reads_lists = self._has_list()
        if is_busy and not self._reads_lists and self._is_in_the_way():
            # What is accepted meanwhile is told at once.
            return Rest(now + BRIEF)
        every = self._every() if is_busy else None
        return self._book.next_read(now, has_list=self._reads_lists, is_busy=is_busy, every=every)

    def _every(self) -> float | None:
        """Return how many seconds to leave between list reads that take nothing from what is still to be published.

        None where reads do take from it, as it is long or nobody knows how much it is.
        """
        limits, limiter, policy = self._publisher.limits, self._publisher.limiter, self._context.poll
        if limiter.has_own_reads:
            return policy.busy_interval(limits.requests, limits.window, is_own=True)
        reads = limiter.reads_in_window()
        if reads is None:
            return None
        every = min(limiter.put_off, limits.window / reads) if reads else limiter.put_off
        return every if every > policy.busy_interval(limits.requests, limits.window) else None

    def _is_in_the_way(self) -> bool:
        """Return whether a read of one post would now take from what is still to be published."""
        self._expect_reads(0.0)
        left = self._publisher.limiter.reads_left()
        return left is not None and left <= 0

    def _expect_reads(self, windows: float) -> None:
        """Have the limiter keep slots for the reads that are to come, and tell it how many have to be made."""
        limiter, window = self._publisher.limiter, self._publisher.limits.window
        limiter.expect_reads(windows * window, owed=0 if self._reads_lists else len(self._book) + self._to_come())

    def _has_list(self) -> bool:
        return isinstance(self._publisher, SupportsBulkRead) and self._publisher.has_bulk_read is not False

    async def _read(self, what: ReadOne | ReadPage) -> None:
        self._expect_reads(EXPECTED)
        if isinstance(what, ReadOne):
            await self._read_one(what.post_id)
        elif isinstance(self._publisher, SupportsBulkRead):
            page = await heard(self._publisher.read_page(what.page, created_after=what.created_after))
            if page is None:
                self._book.sweep_failed()
                return
            for post in page.posts:
                self._saw(post, is_whole=False)
            last = (page.total - 1) // self._publisher.limits.page_size if page.total else None
            self._book.page_read(has_more=page.has_more, last=last)

    async def _read_one(self, post_id: str) -> None:
        try:
            post = await heard(self._publisher.fetch(post_id))
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
        now = self._context.clock.monotonic()
        known = refs[0].state.post
        if not is_whole and not post.deliveries and known is not None:
            # A list that leaves the deliveries out says when to look, not what happened on each account.
            if self._is_put_off(post) or post.status not in (known.status, PostStatus.SCHEDULED):
                self._singles.append(post.id)
            self._book.seen(post.id, now)
            return
        for ref in refs:
            if post != ref.state.post:
                apply(self._context, ref, Observed(post))
        if all(ref.state.is_settled for ref in refs):
            self.forget(post.id, ended_at=now)
        elif self._is_put_off(post):
            # Somebody has moved it: it isn't stuck, and not to be read before its new time.
            self.forget(post.id)
            for ref in refs:
                self.watch(ref, from_schedule=True)
        else:
            self._book.seen(post.id, now)

    def _is_put_off(self, post: Post) -> bool:
        at = post.scheduled_at if post.status is PostStatus.SCHEDULED else None
        return at is not None and at.timestamp() > self._context.clock.time()

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
