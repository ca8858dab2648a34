"""When the next request of a credential may go: pure, driven by the times and headers it is told.

What the windows of a provider look like isn't known (fixed, anchored at the first request, sliding, a rolling
counter, a leaky bucket), so the policy keeps to what holds on all of them:

- A slot is free again one window after the *response* of the request that used it. Any window of the server then
  sees at most *limit* requests, whatever its phase and however long the network took.
- Bursts only where headers announce a window, and then doubling from two, so that every answer can still warn.
  Otherwise two at once and then evenly, such that ``burst + rate * window <= limit``.
- A refusal that this didn't foresee means that the server counts differently: evenly paced from then on.
- More used than we used ourselves means that others share the key: see `policies.sharing`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from attrs import evolve

from reelpub.policies.headers import Quota
from reelpub.policies.sharing import Share
from reelpub.policies.sighting import Sighting

__all__ = ["Pacer"]

FIRST_BURST = 2
"""Requests that may be under way before anything is known of the server's present mind."""

QUIET = 3.0
"""Seconds without an answer after which the burst starts small again: the server or the others may have changed."""

FUZZ = 2.0
"""Seconds by which the start of the server's window, told in whole seconds, may be mistaken."""

LONGEST_HOLD = 10.0
"""Windows. Whatever the server asks, it is asked again after that."""

WORST_SLOWDOWN = 2.0

MEMORY = 2.0
"""Windows for which others count as being there once they were seen."""

LISTEN_EVERY = 12
"""Windows, one of which is used to listen; costs under 1 % of the limit."""

OFTEN = 2
"""Times that others may seem to come and go before it is put down to the server."""


class Pacer:
    """The pacing of one credential; times are one clock's monotonic seconds.

    *limit* requests go in *window* seconds. A lower limit that the server names is adopted, a higher one only with
    *trust_server_limit*. The caller asks `delay`, and tells `sent`, then either `answered` or `abandoned`.
    """

    def __init__(self, limit: int, window: float = 60.0, *, trust_server_limit: bool = False) -> None:
        self.configured = limit
        self.window = window
        self.trusts_server = trust_server_limit
        self.in_flight = 0
        self.held_until = -math.inf
        self.reason = "limit"
        self.is_announced = False
        self.is_ratcheted = False
        self.is_pressed: Callable[[float], bool] | None = None
        self.share = Share(window)
        self._server_limit: int | None = None
        self._busy: deque[float] = deque()
        self._freed: deque[float] = deque()
        self._refusals: deque[float] = deque()
        self._slowdown = 1.0
        self._ratcheted_at = -math.inf
        self._next_even = -math.inf
        self._expired_at = -math.inf
        self._seen = 0
        self._company_at = -math.inf
        self._first_answer: float | None = None
        self._last_answer = -math.inf
        self._remaining: float = math.inf
        self._told_of = -math.inf

    @property
    def limit(self) -> int:
        """The limit in force: the configured one, or the server's."""
        if self._server_limit is None:
            return self.configured
        return self._server_limit if self.trusts_server else min(self.configured, self._server_limit)

    @property
    def slots(self) -> int:
        """How many requests this process may have in any window: the limit, or the own part of it.

        A refused request fills a slot of the limit, as some servers count it, but none of the own part.
        """
        if self.share.slots is None:
            return self.limit
        return min(self.limit, self.share.slots + len(self._refusals))

    def _listening(self, now: float) -> int:
        """Return how many slots are left free to hear whether somebody else wants them.

        Who has the whole limit and uses all of it never sees newcomers, as they are only ever refused. So in one
        window of many a few slots stay free, and use of them by others shows in the headers.
        """
        if not self.is_announced or self._first_answer is None or self.share.slots is not None or self.limit == 1:
            return 0
        windows = (now - self._first_answer) / self.window
        if windows % LISTEN_EVERY < LISTEN_EVERY - 1 or (self.is_pressed is not None and self.is_pressed(now)):
            return 0
        return max(1, self.limit // 20)

    def delay(self, now: float, *, keep: int = 0) -> float:
        """Return the seconds until a request may go: 0 for at once, infinity where only an answer can tell.

        *keep* slots are to stay free for others.
        """
        self._expire(now)
        delay = max(self._slot_delay(now, keep), self._probe_delay(now))
        if self._next_even > now:
            delay = max(delay, self._even_delay(now))
        return max(delay, self.held_until - now)

    def estimate(self, now: float, ahead: int) -> float:
        """Return the least wait in seconds for a request with *ahead* others before it, as far as is known now."""
        self._expire(now)
        held = max(0.0, self.held_until - now)
        slot = self._turn(now, ahead, self.limit, self._busy)
        if self.share.slots is not None:
            slot = max(slot, self._turn(now, ahead, self.share.slots, _without(self._busy, self._refusals)))
        even = max(0.0, self._next_even - now) + self._interval() * max(0, ahead - self._burst() + 1)
        # Before the first answer nobody knows whether the pace will have to be even.
        is_even = self._interval() > 0 and self._last_answer > -math.inf
        return max(held, slot, even if is_even else 0.0)

    def _turn(self, now: float, ahead: int, slots: int, busy: Sequence[float]) -> float:
        """Return the seconds until a request with *ahead* others before it has one of *slots*, some of them *busy*."""
        rounds, rest = divmod(ahead, max(1, slots))
        wait = rounds * self.window
        index = rest - max(0, slots - self.in_flight - len(busy))
        if index < 0:
            return wait
        return wait + (busy[index] - now if index < len(busy) else self.window)

    @property
    def is_even(self) -> bool:
        """Whether requests are spaced evenly rather than sent as soon as there is a slot."""
        return self._interval() > 0

    def can_plan(self, now: float) -> bool:
        """Return whether slots come back as our own requests have it: paced in windows, with nobody else on the key."""
        return not self.is_even and now - self._company_at > MEMORY * self.window

    def used(self, now: float) -> int:
        """Return how many slots are spoken for: requests under way, and those of the last window."""
        self._expire(now)
        return self.in_flight + len(self._busy)

    def slot_at(self, now: float, number: int) -> float:
        """Return when request *number* from now (from 0) has a slot, if each before it takes its own at once."""
        self._expire(now)
        rounds, rest = divmod(number, max(1, self.slots))
        rest -= self.slots - self.in_flight - len(self._busy)
        if rest < 0:
            return now + rounds * self.window
        # The answers of those under way are counted on by now.
        at = self._busy[rest] if rest < len(self._busy) else now + self.window
        return at + rounds * self.window

    def hold(self, now: float, seconds: float, reason: str) -> None:
        """Let nothing go for *seconds*."""
        self._hold(now, seconds, 0.0, reason)

    def recall(self, now: float, answered: Iterable[float], in_flight: int) -> None:
        """Take over requests that another pacer let go: when each was *answered*, in order, and how many are not."""
        self.in_flight += in_flight
        self._busy.extend(at + self.window for at in answered)
        self._expire(now)

    def sent(self, now: float, random: float = 0.5) -> None:
        """Note that a request goes out now; *random*, from 0 to 1, keeps processes on one key out of step."""
        self._expire(now)
        self.in_flight += 1
        interval = self._interval()
        if self.share.slots is not None:
            interval *= 0.8 + 0.3 * random
        start = max(self._next_even, now - (self._burst() - 1) * interval)
        self._next_even = start + interval

    def abandoned(self, now: float) -> None:
        """Note that a request noted as sent never left: its slot is free at once."""
        self._expire(now)
        self.in_flight -= 1
        self._next_even -= self._interval()

    def answered(
        self, now: float, quota: Quota | None, status: int | None, *, sent_at: float, random: float = 0.5
    ) -> None:
        """Note that a request is over; *quota* is None where no answer came, *status* 429 where it was refused."""
        self._expire(now)
        self.in_flight -= 1
        self._busy.append(now + self.window)
        if quota is not None:
            self._hear(now, quota, status, sent_at, random)

    def told(self, now: float, quota: Quota, *, at: float, random: float = 0.5) -> None:
        """Take in what an answer said at the instant *at*, whose request is accounted for already."""
        reset_in = None if quota.reset_in is None else max(0.0, quota.reset_in - (now - at))
        self._hear(now, evolve(quota, reset_in=reset_in), 200, at, random)

    def _hear(self, now: float, quota: Quota, status: int | None, sent_at: float, random: float) -> None:
        self._last_answer = now
        self._first_answer = now if self._first_answer is None else self._first_answer
        remaining = math.inf if quota.remaining is None else quota.remaining
        # An answer that was overtaken by that of a later request says more than is left.
        self._remaining = remaining if sent_at >= self._told_of else min(self._remaining, remaining)
        self._told_of = max(self._told_of, sent_at)
        self._adopt(quota)
        self._sight(now, quota, sent_at, random, is_refusal=status == 429)
        if status == 429:
            self._refused(now, quota, sent_at, random)
        else:
            self._seen += 1

    def _adopt(self, quota: Quota) -> None:
        if quota.is_announced and (quota.reset_in or 0.0) <= 1.5 * self.window:
            self.is_announced = True
            self._server_limit = quota.limit

    def _sight(self, now: float, quota: Quota, sent_at: float, random: float, *, is_refusal: bool) -> None:
        if not self.is_announced or quota.remaining is None or self._server_limit is None:
            return
        sighting = self._sighting(now, quota, sent_at, self._server_limit, is_refusal=is_refusal)
        self.share.observe(now, sighting, random)
        if sighting.used >= sighting.own_most + sighting.doubt:
            # Others are at it, too: few at a time, so that every answer can still warn.
            self._seen = min(self._seen, 2)
            # A rolling counter shows our own use of the window before as if it were that of others.
            self._company_at = now if not self.share.rolling.is_proven else self._company_at
        # Others that come and go in step with our own bursts are the server's way of counting.
        self.is_ratcheted = self.is_ratcheted or self.share.times_left >= OFTEN
        if quota.reset_in is not None and self._is_gone(now, quota.remaining, quota.reset_in, sighting):
            opens_in = self.share.rolling.opens_in(sighting, FUZZ)
            self._hold(now, quota.reset_in if opens_in is None else min(opens_in, quota.reset_in), random, "announced")

    def _sighting(self, now: float, quota: Quota, sent_at: float, limit: int, *, is_refusal: bool) -> Sighting:
        left = quota.remaining or 0
        elapsed = min(self.window, max(0.0, self.window - (quota.reset_in or 0.0)))
        # A server that once refused without reason may count in a way of its own, such as weighing the window before:
        # then only what exceeds two windows' own use is the others'. Some of those announce the next free slot as the
        # reset once nothing is left, which says nothing of their window.
        is_odd = self.is_ratcheted or (left == 0 and self.share.rolling.is_proven is not False)
        memory = 2 * self.window if is_odd else self.window
        counted = self._answered_since(now - elapsed - FUZZ)
        return Sighting(
            limit=limit,
            used=max(0, limit - left),
            elapsed=elapsed,
            own_most=self.in_flight + self._answered_since(sent_at - memory),
            own_counted=counted,
            own_sure=max(0, counted - self._answered_since(sent_at)),
            own_before=self._answered_since(now - elapsed - FUZZ - self.window) - counted,
            own_slots=self.in_flight + len(self._busy),
            doubt=2 if self.is_ratcheted else 1,
            is_refusal=is_refusal,
        )

    def _is_gone(self, now: float, remaining: int, reset_in: float, sighting: Sighting) -> bool:
        """Tell whether nothing is left where by our own count there is: whoever took it, a request would be refused."""
        # Where others are about, the last one is as good as gone.
        if remaining > (1 if self._company_at == now else 0):
            return False
        has_slots = self.in_flight + len(self._busy) < self.limit
        # A rolling counter has our requests longer in sight than our own slots are taken.
        is_longer = remaining == 0 and bool(self._busy) and reset_in >= self._busy[0] - now + FUZZ
        return has_slots or sighting.used > sighting.own_most or is_longer

    def _refused(self, now: float, quota: Quota, sent_at: float, random: float) -> None:
        # Without a word about when, a whole silent window leaves no shape of window in doubt.
        wait = self.window if quota.wait is None else quota.wait
        if self.share.slots is not None:
            self._refusals.append(now + self.window)
            # Coming back sooner than this takes a slot only from others who wait for it, too.
            wait = wait if wait >= self.window / 4 else self.window * (1 + random) / 2
            self._next_even = -math.inf
        self._hold(now, wait, random, "429")
        if sent_at <= self._ratcheted_at:
            return
        if self.is_ratcheted and self.share.slots is None:
            self._slowdown = min(WORST_SLOWDOWN, self._slowdown * 1.1)
        self.is_ratcheted = True
        self._ratcheted_at = now
        self._seen = 0
        self.share.refused(now)

    def _hold(self, now: float, seconds: float, random: float, reason: str) -> None:
        # Those who were held together shouldn't come back together.
        spread = random * self.window / 20 if self.share.may_be_shared else 0.0
        until = now + min(seconds, LONGEST_HOLD * self.window) + spread
        if until > self.held_until:
            self.held_until, self.reason = until, reason

    def _expire(self, now: float) -> None:
        if now == self._expired_at:
            return
        self._expired_at = now
        while self._busy and self._busy[0] <= now:
            self._freed.append(self._busy.popleft())
        while self._refusals and self._refusals[0] <= now:
            self._refusals.popleft()
        while self._freed and self._freed[0] <= now - self.window:
            self._freed.popleft()

    def _answered_since(self, instant: float) -> int:
        returned = instant + self.window
        return (
            len(self._busy)
            - bisect_right(self._busy, returned)
            + len(self._freed)
            - bisect_right(self._freed, returned)
        )

    def _slot_delay(self, now: float, keep: int) -> float:
        short = self.in_flight + len(self._busy) - max(1, self.slots - keep - self._listening(now))
        if short < 0:
            return 0.0
        return self._busy[short] - now if short < len(self._busy) else math.inf

    def _even_delay(self, now: float) -> float:
        return max(0.0, self._next_even - now) if self._interval() else 0.0

    def _probe_delay(self, now: float) -> float:
        if self.in_flight == 0 and now - self._last_answer > QUIET:
            self._seen = 0
        # Two at first, then one alone, since its answer shows what others sent with the first; then ever more.
        probe = max(1, self._seen - 1) if self._seen else FIRST_BURST
        # What the last answer said is left bounds what is under way, in case the others' use or the server's way of
        # counting isn't what our own count says; a few always may, since the slots know better when windows end.
        # Where others are about, half of it may be gone by now.
        left = self._remaining // 2 if now - self._company_at <= self.window else self._remaining
        told = max(1, self.limit // 20, left)
        return math.inf if self.in_flight >= min(probe, told) else 0.0

    def _burst(self) -> int:
        is_even = self.is_ratcheted or self.share.slots is not None
        return 1 if is_even else min(FIRST_BURST, self.limit)

    def _interval(self) -> float:
        """Return the seconds between requests where they are paced evenly, 0 where they may burst."""
        interval = 0.0
        if self.is_ratcheted:
            interval = self.window / _even_rate(self.limit) * self._slowdown
        elif not self.is_announced:
            interval = self.window / max(1, self.limit - FIRST_BURST)
        if self.share.slots is not None:
            interval = max(interval, self.window / self.share.slots)
        return interval


def _even_rate(limit: int) -> float:
    """Return how many evenly spaced requests a window of any shape takes, a rolling counter's rounding included."""
    return max(0.5, min(limit - 1.0, 0.95 * limit))


def _without(instants: deque[float], others: deque[float]) -> Sequence[float]:
    """Return *instants* without *others*, all of which are among them unless they are over."""
    if not others:
        return instants
    rest = list(instants)
    for one in others:
        rest.remove(one)
    return rest
