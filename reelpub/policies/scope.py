"""What a limit counts, learned from the headers: the key as a whole, or each operation by itself.

Reap's pages contradict each other about it, so nothing is taken for granted: one count for the key, until the answers
of two operations prove that their counters are separate, and one again at the first contradiction.

A counter of one window never falls before the window ends, and its end doesn't move before it is there. So the counters
of two operations are separate where their windows end at different times, where one shows fewer requests than the other
did before in the same window, or where one shows fewer than this process alone has surely made there, over all its
operations. All of that holds with others on the same key, too, as their requests only add to what a counter shows.
"""

from __future__ import annotations

import math
from collections import deque
from itertools import islice

from attrs import define, field

from reelpub.policies.headers import Quota

__all__ = ["Scope"]

PROOFS = 3
"""Answers that have to prove it before each operation is taken to count by itself, where they are of several."""

PROOFS_OF_ONE = 5
"""The same where all of them are of one operation, which may be an exception."""

SHORT = 2
"""Requests by which a counter has to fall short: one may be off by rounding."""

FUZZ = 1.0
"""Seconds by which the start or end of a window, told in whole seconds, may be mistaken either way."""

APART = 2.5
"""Seconds by which the ends of two windows have to be apart to be two."""

PASSED = 4.0
"""Seconds before the end of a window, as it was told, from which it may be over."""

MEMORY = 10.0
"""Windows for which a proof counts."""

FITTING = 3
"""Answers in a row which show as much as one count for the key would, before it is taken to be one after all."""

TELLING = 3
"""Requests of other operations that make such an answer telling."""

COUNTED = 200
"""Requests of one operation that are looked through, the latest ones: enough to tell, however large a limit is."""

DOUBTED = 10.0
"""Windows for which nothing is concluded from a counter that doesn't begin and end as windows do."""

REUNITED = 30.0
"""Windows for which the key is taken as a whole after a contradiction; each further one doubles it."""

LONGEST = 480.0


@define
class _Use:
    """What this process did with one operation: `ended` has when each request was sent and answered, and if it counts.

    The last answer that told of it came at `told_at` and spoke of `used` requests in a window that ends at `reset_at`;
    the first that spoke of this window told of `first_used`. `is_window` tells whether its end has been seen to stay
    where it is. `last` is the last answer with headers, and when it came.
    """

    ended: deque[tuple[float, float, bool]]
    in_flight: int = 0
    used: int = 0
    first_used: int = 0
    told_at: float = -math.inf
    reset_at: float = -math.inf
    is_window: bool = False
    last: tuple[float, Quota] | None = None


@define(kw_only=True)
class _Look:
    """What one answer shows, and when it was asked for."""

    sent_at: float
    now: float
    used: int
    reset_at: float


@define
class Scope:
    """The scope of one key's limit. `is_apart` tells whether each operation counts by itself.

    Pure but for its own state; times are one clock's monotonic seconds. *limit* bounds what is remembered.
    """

    limit: int
    window: float
    is_apart: bool = False
    _uses: dict[str, _Use] = field(factory=dict, init=False)
    _proofs: deque[tuple[float, str]] = field(factory=deque, init=False)
    _fitting: int = field(default=0, init=False)
    _united_until: float = field(default=-math.inf, init=False)
    _patience: float = field(default=REUNITED, init=False)

    def sent(self, operation: str) -> None:
        """Note that a request of *operation* goes out."""
        use = self._uses.get(operation)
        if use is None:
            use = self._uses[operation] = _Use(deque(maxlen=self.limit))
        use.in_flight += 1

    def abandoned(self, operation: str) -> None:
        """Note that a request noted as sent never left."""
        self._uses[operation].in_flight -= 1

    def answered(
        self, operation: str, now: float, quota: Quota | None, status: int | None, *, sent_at: float, has_others: bool
    ) -> None:
        """Note that a request is over; *quota* is None where no answer came, *status* 429 where it was refused.

        *has_others* tells whether others are known to use the same counter, which explains a refusal.
        """
        use = self._uses[operation]
        use.in_flight -= 1
        is_counted = quota is not None and quota.is_announced and status is not None and 200 <= status < 300
        if is_counted and quota is not None:
            use.last = (now, quota)
            self._take_in(operation, use, now, quota, sent_at)
        elif status == 429 and self.is_apart and not has_others:
            self._unite(now)
        use.ended.append((sent_at, now, is_counted))
        while use.ended[0][1] <= now - self.window:
            use.ended.popleft()

    def in_flight(self, operation: str) -> int:
        """Return how many requests of *operation* are under way."""
        use = self._uses.get(operation)
        return use.in_flight if use is not None else 0

    def answers(self, operation: str, now: float) -> list[float]:
        """Return when the requests of *operation* of the last window were answered, the oldest first."""
        use = self._uses.get(operation)
        return [] if use is None else [at for _, at, _ in use.ended if at > now - self.window]

    def last_told(self, operation: str) -> tuple[float, Quota] | None:
        """Return when an answer of *operation* last told of the limit, and what it said."""
        use = self._uses.get(operation)
        return None if use is None else use.last

    def _take_in(self, operation: str, use: _Use, now: float, quota: Quota, sent_at: float) -> None:
        limit, remaining, reset_in = quota.limit or 0, quota.remaining or 0, quota.reset_in or 0.0
        if not remaining:
            # Some servers tell then when a request passes again rather than when the window ends.
            return
        look = _Look(sent_at=sent_at, now=now, used=max(0, limit - remaining), reset_at=now + reset_in)
        is_window = _follow(use, look, self.window / limit)
        if not is_window:
            self._doubt(now)
        elif now >= self._united_until and (
            use.is_window or not _may_be_leaky(look.used, reset_in, self.window / limit)
        ):
            self._judge(operation, use, look)

    def _judge(self, operation: str, use: _Use, look: _Look) -> None:
        others = [other for other in self._uses.values() if other is not use]
        if any(_are_separate(look, other) for other in others):
            self._prove(operation, look.now)
            return
        start = look.reset_at - self.window + FUZZ
        mine = 1 + _sure(use, start, look.sent_at)
        theirs = sum(_sure(other, start, look.sent_at) for other in others)
        if look.used < mine:
            self._doubt(look.now)
        elif look.used + SHORT <= mine + theirs:
            self._prove(operation, look.now)
        elif theirs >= TELLING and self.is_apart:
            self._fitting += 1
            if self._fitting >= FITTING:
                self._unite(look.now)

    def _prove(self, operation: str, now: float) -> None:
        self._fitting = 0
        if self.is_apart:
            return
        while self._proofs and self._proofs[0][0] < now - MEMORY * self.window:
            self._proofs.popleft()
        self._proofs.append((now, operation))
        several = len({name for _, name in self._proofs}) > 1
        if len(self._proofs) >= (PROOFS if several else PROOFS_OF_ONE):
            self.is_apart = True
            self._proofs.clear()

    def _doubt(self, now: float) -> None:
        """Conclude nothing for a while from a counter that isn't that of a window, such as a leaky bucket's."""
        self._proofs.clear()
        self._united_until = max(self._united_until, now + DOUBTED * self.window)
        self.is_apart = False

    def _unite(self, now: float) -> None:
        self.is_apart = False
        self._fitting = 0
        self._proofs.clear()
        self._united_until = now + self._patience * self.window
        self._patience = min(LONGEST, 2 * self._patience)


def _follow(use: _Use, look: _Look, interval: float) -> bool:
    """Take what an answer shows down as an operation's latest; return whether the counter of a window can show it.

    A leaky bucket's end moves on by one *interval* with each request.
    """
    before, used_before, told_at = use.reset_at, use.used, use.told_at
    may_be_over = before <= look.now + PASSED
    is_same = not may_be_over and abs(look.reset_at - before) <= APART
    use.used, use.told_at, use.reset_at = look.used, look.now, before if is_same else look.reset_at
    if not is_same:
        use.first_used = look.used
        return may_be_over
    if (look.used - use.first_used) * interval > APART + 2 * FUZZ:
        use.is_window = True
    return look.used >= used_before or told_at > look.sent_at


def _are_separate(look: _Look, other: _Use) -> bool:
    """Return whether an answer can't come from the counter of which *other* was told, in a window not yet over."""
    if other.reset_at <= look.now + PASSED or other.told_at > look.sent_at:
        return False
    if abs(look.reset_at - other.reset_at) > APART:
        return True
    return look.used + SHORT <= other.used + 1


def _sure(use: _Use, start: float, before: float) -> int:
    """Return how many requests surely came to the server after *start* and were counted by the instant *before*."""
    number = 0
    for sent, answered, is_counted in islice(reversed(use.ended), COUNTED):
        if answered < start:
            break
        number += is_counted and sent >= start and answered <= before
    return number


def _may_be_leaky(used: int, reset_in: float, interval: float) -> bool:
    """Return whether a leaky bucket could say this: it is empty after one interval for each request it still holds.

    Such a bucket shows fewer requests than were made in any window, and tells of another end with each answer, so that
    it would seem to prove what isn't so. One with a burst smaller than its limit seems to hold more than it does.
    """
    return reset_in <= used * interval + 2 * FUZZ
