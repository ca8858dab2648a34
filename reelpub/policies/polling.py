"""Which posts to read next, when, and with which request.

Polling is a budget, not a sleep for each post: one list read covers a page of posts, and a post that is read one by
one waits its turn behind those not seen for longer. A scheduled post isn't read before its time.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict

from attrs import define, field, frozen

__all__ = ["PollBook", "PollPolicy", "ReadOne", "ReadPage", "Rest", "Watched"]


@frozen(kw_only=True)
class PollPolicy:
    """How often to read. Durations are seconds.

    *share* is the part of the request budget that reads take while there is still something to publish; when there
    isn't, reads take what they need, less often the longer nothing ends. *first_look* is how long after acceptance a
    post is first read (ReelMirror's guide says that posts take 10 to 60 s). *unseen_guard* is the longest that a post
    goes unseen in lists before it is read by itself, and *stuck_after* how long it may take in all.
    """

    share: float = 0.1
    first_look: float = 8.0
    first_single_look: float = 20.0
    slowest: float = 60.0
    unseen_guard: float = 75.0
    stuck_after: float = 1800.0

    def busy_interval(self, limit: int, window: float) -> float:
        """Seconds between list reads while there is still something to publish."""
        return window / max(self.share * limit, 1.0)

    def idle_interval(self, limit: int, window: float, age: float) -> float:
        """Seconds between list reads when the youngest watched post was accepted *age* seconds ago."""
        return min(self.slowest, max(2.0, window / limit, 0.1 * age))

    def single_interval(self, limit: int, window: float, age: float) -> float:
        """Seconds between two reads of the same post."""
        return min(self.slowest, max(10.0, 2.0 * window / limit, 0.15 * age))


@define(kw_only=True)
class Watched:
    """One post that is being followed. Times are monotonic seconds; `created_after` is Unix seconds."""

    id: str
    accepted_at: float
    due_at: float
    created_after: float
    seen_at: float | None = None


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
    _page: int | None = field(default=None, init=False)
    _unseen: set[str] = field(factory=set, init=False)
    _strays: list[str] = field(factory=list, init=False)
    _last_sweep: float | None = field(default=None, init=False)

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

    def forget(self, post_id: str) -> None:
        """Stop following a post."""
        self._waiting.pop(post_id, None)
        self._active.pop(post_id, None)
        self._unseen.discard(post_id)

    def seen(self, post_id: str, now: float) -> None:
        """Note that a read showed the post."""
        watched = self._active.get(post_id)
        if watched is not None:
            watched.seen_at = now
            self._active.move_to_end(post_id)
        self._unseen.discard(post_id)

    def page_read(self, *, has_more: bool) -> None:
        """Note that the current page was read; the sweep goes on while posts are unseen and pages are left.

        Once that many pages were read as posts are unseen, those are read one by one: they may stand any number of
        pages further down, as posts that were scheduled long ago do, and a sweep must not cost more than its posts.
        """
        if self._page is None:
            return
        self._page += 1
        if not has_more or not self._unseen:
            self._page = None
        elif len(self._unseen) <= self._page:
            self._page, self._strays = None, sorted(self._unseen)

    def sweep_failed(self) -> None:
        """Note that the current page couldn't be read; the next sweep starts over."""
        self._page = None

    def overdue(self, now: float) -> list[str]:
        """Return the posts that have taken longer than *stuck_after* since they were due."""
        limit = self.policy.stuck_after
        return [w.id for w in self._active.values() if now - max(w.accepted_at, w.due_at) >= limit]

    def next_read(self, now: float, *, has_list: bool, is_busy: bool) -> ReadPage | ReadOne | Rest:
        """Return what to read at *now*. *is_busy*: there is still something to publish with the same budget."""
        self._activate(now)
        if not self._active:
            self._page = None
            return Rest(self._later[0][0] if self._later else None)
        while self._strays:
            post_id = self._strays.pop()
            if post_id in self._active:
                return ReadOne(post_id)
        if has_list and (len(self._active) > 1 or self._page is not None):
            return self._by_list(now, is_busy=is_busy)
        return self._by_single(now)

    def _activate(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, post_id = heapq.heappop(self._later)
            watched = self._waiting.get(post_id)
            # An entry may be left of a post that was forgotten and is watched again for a later time.
            if watched is not None and watched.due_at <= now:
                self._active[post_id] = self._waiting.pop(post_id)

    def _by_list(self, now: float, *, is_busy: bool) -> ReadPage | ReadOne | Rest:
        if self._page is None:
            at = self._next_sweep(now, is_busy=is_busy)
            # What the last sweep didn't show goes before the next one, or sweeps without a pause would starve it.
            is_missed = next(iter(self._active)) in self._unseen and now >= self._guard_at()
            if now < at or is_missed:
                return self._guarded(now, at)
            self._page, self._unseen, self._last_sweep = 0, set(self._active), now
        return ReadPage(self._page, min(w.created_after for w in self._active.values()))

    def _next_sweep(self, now: float, *, is_busy: bool) -> float:
        if self._last_sweep is None:
            return now
        if is_busy:
            return self._last_sweep + self.policy.busy_interval(self.limit, self.window)
        age = now - max(w.due_at for w in self._active.values())
        return self._last_sweep + self.policy.idle_interval(self.limit, self.window, age)

    def _guarded(self, now: float, otherwise: float) -> ReadOne | Rest:
        guard = self._guard_at()
        if now >= guard:
            return ReadOne(next(iter(self._active)))
        later = self._later[0][0] if self._later else otherwise
        return Rest(min(otherwise, guard, later))

    def _guard_at(self) -> float:
        """Return when the post that is unseen for longest has to be read by itself."""
        first = next(iter(self._active.values()))
        return (first.seen_at if first.seen_at is not None else first.due_at) + self.policy.unseen_guard

    def _by_single(self, now: float) -> ReadOne | Rest:
        first = next(iter(self._active.values()))
        at = self._single_at(first, now)
        if now >= at:
            return ReadOne(first.id)
        return Rest(min(at, self._later[0][0]) if self._later else at)

    def _single_at(self, watched: Watched, now: float) -> float:
        if watched.seen_at is not None:
            age = now - watched.due_at
            return watched.seen_at + self.policy.single_interval(self.limit, self.window, age)
        return max(watched.due_at, watched.accepted_at + self.policy.first_single_look)
