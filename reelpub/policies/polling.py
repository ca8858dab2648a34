"""Which posts to read next, when, and with which request.

Polling is a budget, not a sleep for each post: one list read covers a page of posts, and a post that is read one by
one waits for its turn until it is likely to have ended. A scheduled post isn't read before its time.
"""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from itertools import islice

from attrs import define, field, frozen

from reelpub.models.setting_checks import not_negative
from reelpub.policies.pages import ASIDE, NEW, PageBook
from reelpub.policies.settling import LEAST, Settling

__all__ = ["PollBook", "PollPolicy", "ReadOne", "ReadPage", "Rest", "Watched"]

SILENT = 0.4
"""The share of posts that have ended at the age at which a post is first read by itself."""

RIPE = 0.98
"""The same where more posts wait than can be read: a read that finds nothing new is one less for another post."""

MOST = 0.9
"""The share of posts half as long again as which takes is waited at the most: a few that take long hold up none."""

CHOICE = 64
"""Posts among which the one is chosen that has most likely ended; they are in the order of when they were seen."""

PATIENCE = 1.5
"""Intervals after which a list read goes out, however little it is expected to show."""

STEP = 0.1
"""Intervals until it is looked again whether a read is worth its slot."""


@frozen(kw_only=True)
class PollPolicy:
    """How often to read. Durations are seconds.

    *share* is the part of the request budget that reads take while there is still something to publish; when there
    isn't, reads take what they need, less often the longer nothing ends. A list read of that share takes a slot from
    what is to be published, so that it waits, half as long again at most, until it can be expected to show *least_ends*
    posts that have ended; 0 has none wait. *first_look* is how long after acceptance a post is first read, and
    *first_single_look* the same where each post takes a read of its own, until it is known how long posts take
    (ReelMirror's guide says 10 to 60 s); 0 has it read at once, always. *slowest* is the longest between two reads of
    the same page or post, *unseen_guard* the longest that a post goes unseen in lists before it is looked for, and
    *stuck_after* how long it may take in all: then its outcome is *pending*.

    Raises:
        ConfigurationError: a number is negative.
    """

    share: float = field(default=0.1, validator=not_negative)
    least_ends: float = field(default=2.0, validator=not_negative)
    first_look: float = field(default=8.0, validator=not_negative)
    first_single_look: float = field(default=30.0, validator=not_negative)
    slowest: float = field(default=60.0, validator=not_negative)
    unseen_guard: float = field(default=75.0, validator=not_negative)
    stuck_after: float = field(default=1800.0, validator=not_negative)

    def busy_interval(self, limit: int, window: float, *, is_own: bool = False) -> float:
        """Seconds between list reads while there is still something to publish.

        *is_own*: reads have a budget of their own.
        """
        return window / (limit if is_own else max(self.share * limit, 1.0))

    def idle_interval(self, limit: int, window: float, age: float) -> float:
        """Seconds between reads of a page when the youngest watched post was accepted *age* seconds ago."""
        return min(self.slowest, max(2.0, window / limit, 0.1 * age))

    def single_interval(self, limit: int, window: float, age: float) -> float:
        """Seconds between two reads of the same post."""
        return min(self.slowest, max(10.0, 2.0 * window / limit, 0.15 * age))


@define(kw_only=True)
class Watched:
    """One post that is being followed. Times are monotonic seconds; `created_after` is Unix seconds.

    `page` is where lists are expected to show it, `is_listed` whether one ever did, and `misses` how many pages in a
    row didn't, where it was expected.
    """

    id: str
    accepted_at: float
    due_at: float
    created_after: float
    seen_at: float | None = None
    page: int = NEW
    is_listed: bool = False
    misses: int = 0

    @property
    def waits_since(self) -> float:
        """Since when it waits to be seen."""
        return self.due_at if self.seen_at is None else self.seen_at


@frozen
class ReadPage:
    """Read this page of the list; `created_after` (Unix seconds) leaves out what is older than all that is watched."""

    page: int
    created_after: float


@frozen
class ReadOne:
    """Read this post."""

    post_id: str


@frozen
class Rest:
    """Read nothing before `until` (monotonic seconds); None: until something new is watched."""

    until: float | None


@define
class PollBook:
    """What one poller watches. Pure but for its own state: every method takes the time.

    `limit` and `window` are the credential's request budget.
    """

    policy: PollPolicy
    limit: int
    window: float
    _later: list[tuple[float, str]] = field(factory=list, init=False)
    _waiting: dict[str, Watched] = field(factory=dict, init=False)
    # Least recently seen first, so that both the guard and single reads look at one end only.
    _active: OrderedDict[str, Watched] = field(factory=OrderedDict, init=False)
    _pages: PageBook = field(factory=PageBook, init=False)
    _settling: Settling = field(factory=Settling, init=False)
    _reading: tuple[int, float] | None = field(default=None, init=False)
    _strays: list[str] = field(factory=list, init=False)
    _last_list: float = field(default=-math.inf, init=False)
    _youngest: float = field(default=-math.inf, init=False)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._active)

    def __contains__(self, post_id: object) -> bool:
        return post_id in self._waiting or post_id in self._active

    def watch(self, watched: Watched) -> None:
        """Follow a post from its `due_at` on."""
        if watched.id in self:
            return
        self._waiting[watched.id] = watched
        heapq.heappush(self._later, (watched.due_at, watched.id))

    def forget(self, post_id: str, *, ended_at: float | None = None) -> None:
        """Stop following a post; *ended_at* is when a read showed its end, if one did."""
        self._waiting.pop(post_id, None)
        watched = self._active.pop(post_id, None)
        if watched is None:
            return
        self._pages.remove(watched)
        if ended_at is not None and self._reading is not None:
            self._pages.found(watched, self._reading[0])
        # What was scheduled hadn't begun when it was accepted, so that it tells nothing of how long posts take.
        if ended_at is not None and watched.due_at - watched.accepted_at <= self.policy.first_look:
            open_at = 0.0 if watched.seen_at is None else watched.seen_at - watched.accepted_at
            if (took := ended_at - watched.accepted_at) > open_at:
                self._settling.note(open_at, took)

    def seen(self, post_id: str, now: float) -> None:
        """Note that a read showed the post, and that it is still going on."""
        watched = self._active.get(post_id)
        if watched is None:
            return
        self._pages.remove(watched)
        watched.seen_at = now
        if self._reading is not None:
            self._pages.found(watched, self._reading[0])
        self._pages.add(watched)
        self._active.move_to_end(post_id)

    def page_read(self, *, has_more: bool, last: int | None = None) -> None:
        """Note that the page asked for was read, once all that it showed was `seen`; *last* is the last page, if known.

        What it should have shown is looked for on the next page. A post that no list has shown yet isn't followed down
        any further than there are such posts: they may stand any number of pages down, as posts that were scheduled
        long ago do, and looking for them must not cost more than reading each by itself.
        """
        if self._reading is None:
            return
        (page, asked_at), self._reading = self._reading, None
        missing = self._pages.missing(page, asked_at)
        new = [post for post in missing if not post.is_listed]
        # A page that shows none of the new ones may be at the wrong end.
        is_end = last is not None and last > page and self._pages.is_blank
        down = last if is_end and last is not None else page + 1
        for post in missing:
            if not has_more:
                # It may stand before the last page, where that wasn't looked at since it is waited for.
                is_new_there = page > 0 and self._pages.read_at(page - 1) <= post.waits_since
                self._pages.move(post, page - 1 if is_new_there else ASIDE)
            elif post.is_listed:
                self._pages.move(post, page + 1)
            elif len(new) > post.misses + 1:
                self._pages.move(post, down)
            else:
                self._pages.move(post, ASIDE)
                self._strays.append(post.id)

    def sweep_failed(self) -> None:
        """Note that the page asked for couldn't be read."""
        self._reading = None

    def overdue(self, now: float) -> list[str]:
        """Return the posts that have taken longer than *stuck_after* since they were due."""
        limit = self.policy.stuck_after
        return [w.id for w in self._active.values() if now - max(w.accepted_at, w.due_at) >= limit]

    def next_read(
        self, now: float, *, has_list: bool, is_busy: bool, every: float | None = None
    ) -> ReadPage | ReadOne | Rest:
        """Return what to read at *now*.

        *is_busy*: there is still something to publish. *every* is how many seconds to leave between list reads then,
        where they take nothing from that. By default they do, and it follows from the policy's share. Where it is more
        than the guard, no post is guarded meanwhile.
        """
        self._reading = None
        self._activate(now)
        if not self._active:
            return Rest(self._later[0][0] if self._later else None)
        while self._strays:
            post_id = self._strays.pop()
            if post_id in self._active:
                return ReadOne(post_id)
        alone = next(iter(self._active.values())) if len(self._active) == 1 else None
        # The last one of many is read as often as they were.
        if not has_list or (alone is not None and not alone.is_listed):
            return self._by_single(now, is_busy=is_busy)
        if not is_busy:
            return self._by_list(now, None)
        if every is not None:
            return self._by_list(now, every)
        return self._by_list(now, self.policy.busy_interval(self.limit, self.window), least=self.policy.least_ends)

    def _activate(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            due, post_id = heapq.heappop(self._later)
            watched = self._waiting.get(post_id)
            # An entry may be left of a post that was forgotten and is watched again for a later time.
            if watched is not None and watched.due_at <= now:
                self._active[post_id] = self._waiting.pop(post_id)
                self._pages.add(watched)
                self._youngest = max(self._youngest, due)

    # ---- by list

    def _by_list(self, now: float, every: float | None, *, least: float = 0.0) -> ReadPage | ReadOne | Rest:
        """Return the next read; *every* is the interval while there is something to publish, None where there isn't.

        *least* is how many ends a read of a page has to be worth.
        """
        oldest = next(iter(self._active.values()))
        is_put_off = every is not None and every > self.policy.unseen_guard
        guard_at = oldest.waits_since + (every if every is not None and is_put_off else self.policy.unseen_guard)
        if now >= guard_at:
            page = self._pages.place_of(oldest)
            is_tried = page == ASIDE or self._pages.read_at(page) > oldest.waits_since
            return ReadOne(oldest.id) if is_tried else self._ask(page, now)
        interval = every if every is not None else self._idle_interval(now)
        best, most, at = None, -1.0, math.inf
        for page, waiting in self._pages.waiting(now):
            due = (self._pages.read_at(page) if every is None else self._last_list) + interval
            if is_put_off:
                due = max(due, guard_at)
            at = min(at, due)
            if now >= due and waiting > most:
                best, most = page, waiting
        if best is not None:
            if now >= self._last_list + PATIENCE * interval or self._is_worth(least, now):
                return self._ask(best, now)
            at = now + STEP * interval
        aside = self._next_aside(now, every)
        if isinstance(aside, ReadOne):
            return aside
        later = self._later[0][0] if self._later else math.inf
        return Rest(min(at, guard_at, later, aside))

    def _is_worth(self, least: float, now: float) -> bool:
        """Return whether *least* posts can be expected to have ended unseen; where many are in flight, they have."""
        if not least or len(self._active) > CHOICE:
            return True
        return sum(self._ended(watched, now) for watched in self._active.values()) >= least

    def _ended(self, watched: Watched, now: float) -> float:
        """Return how likely *watched* has ended since it was seen; what was scheduled begins at its time."""
        began = watched.due_at - self.policy.first_look
        seen = None if watched.seen_at is None else watched.seen_at - began
        return self._settling.chance(seen, now - began)

    def _ask(self, page: int, now: float) -> ReadPage:
        self._reading, self._last_list = (page, now), now
        self._pages.ask(page, now)
        return ReadPage(page, min(w.created_after for w in self._active.values()))

    def _idle_interval(self, now: float) -> float:
        return self.policy.idle_interval(self.limit, self.window, now - self._youngest)

    def _next_aside(self, now: float, every: float | None) -> ReadOne | float:
        """Return the read of a post that lists don't show, or when it is due.

        While there is something to publish, the guard alone sees to them.
        """
        first = self._pages.first_aside() if every is None else None
        if first is None:
            return math.inf
        at = first.waits_since + self.policy.single_interval(self.limit, self.window, now - first.due_at)
        return ReadOne(first.id) if now >= at else at

    # ---- one by one

    def _by_single(self, now: float, *, is_busy: bool) -> ReadOne | Rest:
        is_scarce = is_busy or len(self._active) > self.limit / 2
        best, most, at = None, -1.0, math.inf
        for watched in islice(self._active.values(), CHOICE):
            due = self._single_at(watched, now, is_scarce=is_scarce)
            at = min(at, due)
            if now >= due and (chance := self._chance(watched, now)) > most:
                best, most = watched, chance
        if best is not None:
            return ReadOne(best.id)
        return Rest(min(at, self._later[0][0]) if self._later else at)

    def _chance(self, watched: Watched, now: float) -> float:
        seen = None if watched.seen_at is None else watched.seen_at - watched.accepted_at
        return self._settling.chance(seen, now - watched.accepted_at)

    def _single_at(self, watched: Watched, now: float, *, is_scarce: bool) -> float:
        if watched.seen_at is not None:
            age = now - watched.due_at
            return watched.seen_at + self.policy.single_interval(self.limit, self.window, age)
        return max(watched.due_at, watched.accepted_at + self._first_single_look(is_scarce=is_scarce))

    def _first_single_look(self, *, is_scarce: bool) -> float:
        look = self.policy.first_single_look
        if is_scarce:
            ripe = min(self._settling.age_at(RIPE), 1.5 * self._settling.age_at(MOST))
            return max(look, ripe) if look else 0.0
        return look if not look or self._settling.ended < LEAST else self._settling.age_at(SILENT)
