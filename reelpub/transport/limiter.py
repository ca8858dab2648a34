"""The rate limiter of one credential, shared by everything that uses it.

`policies.pacing` decides when the next request may go and `policies.lanes` whose it is; this is the loop around
them: queues, one pump task while somebody waits, and the bucket behind it all.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from random import random as system_random

from attrs import frozen

from reelpub.clocks import Clock, SystemClock
from reelpub.errors import ConfigurationError, RateLimitWouldBlock
from reelpub.policies.headers import Quota
from reelpub.policies.lanes import LaneShare
from reelpub.policies.pacing import Pacer
from reelpub.transport.bucket import Bucket, default_bucket
from reelpub.transport.message import Lane
from reelpub.transport.waiting import Waiter, WaitingRoom

__all__ = ["Hold", "LimiterState", "Permit", "RateLimiter"]


@frozen(kw_only=True)
class Hold:
    """A request has to wait: *delay* is the least number of seconds, as far as is known.

    *reason* is ``limit`` (our own use fills the window), ``429`` (the server refused) or ``announced`` (the server
    said that nothing is left).
    """

    operation: str
    provider: str
    lane: Lane
    delay: float
    reason: str


@frozen(kw_only=True)
class LimiterState:
    """How the limiter stands. Times are seconds from now; `next_in` is infinite while only an answer can tell."""

    limit: int
    in_flight: int
    waiting: int
    held_for: float
    next_in: float


class Permit:
    """The right to send one request; its slot is taken until `answered` or `abandoned` is called, once."""

    __slots__ = ("_granted_at", "_is_open", "_lane", "_limiter")

    def __init__(self, limiter: RateLimiter, lane: Lane, granted_at: float) -> None:
        self._limiter = limiter
        self._lane = lane
        self._granted_at = granted_at
        self._is_open = True

    def answered(self, quota: Quota | None = None, status: int | None = None) -> None:
        """Say that the request is over, or lost: its slot returns a window from now. Only the first call counts.

        *quota* is what the answer's headers said, None where no answer came; *status* is 429 only where the rate
        was refused.
        """
        if self._is_open:
            self._is_open = False
            self._limiter._settle(self._lane, self._granted_at, quota, status)  # noqa: SLF001 - one unit of two classes

    def abandoned(self) -> None:
        """Say that the request never left: its slot is free at once. Does nothing after `answered`."""
        if self._is_open:
            self._is_open = False
            self._limiter._give_back(self._lane)  # noqa: SLF001 - one unit of two classes


class RateLimiter:
    """Lets through *limit* requests in each *window* seconds, in two lanes, first come first served within each.

    Writes go before reads, but reads are owed *poll_share* of the grants, and of the slots while reads are
    expected. *bucket* is the floor behind the policy, by default one that never lets out more than *limit* in a
    window. *random* returns numbers drawn evenly from 0 to 1. *on_hold* is told of each request that has to wait.

    Nothing is bound to an event loop before somebody waits; it can be used from one loop after another, not from
    two at a time.
    """

    def __init__(
        self,
        limit: int,
        window: float = 60.0,
        *,
        clock: Clock | None = None,
        poll_share: float = 0.1,
        bucket: Bucket | None = None,
        random: Callable[[], float] | None = None,
        on_hold: Callable[[Hold], None] | None = None,
    ) -> None:
        if type(limit) is not int or limit < 1:
            raise ConfigurationError(f"limit: {limit!r} isn't a whole number from 1")
        if not 0 < window < math.inf:
            raise ConfigurationError(f"window: {window!r} isn't a number of seconds above 0")
        if not 0 <= poll_share < 1:
            raise ConfigurationError(f"poll_share: {poll_share!r} isn't from 0 to below 1")
        self.window = window
        self.clock: Clock = clock or SystemClock()
        self._bucket = bucket or default_bucket(limit, window, self.clock)
        self._is_ready: Callable[[], bool] | None = getattr(self._bucket, "is_ready", None)
        self._random = random or system_random
        self._pacer = Pacer(limit, window)
        self._lanes = LaneShare(poll_share, limit)
        self._room = WaitingRoom()
        self._reads_busy: deque[float] = deque()
        self._reads_in_flight = 0
        self._reads_until = -math.inf
        self._tokens = 0
        self._pump: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._listeners: list[Callable[[Hold], None]] = [on_hold] if on_hold else []

    @property
    def limit(self) -> int:
        """The limit in force: the configured one, or the server's where that is lower."""
        return self._pacer.limit

    def add_hold_listener(self, listener: Callable[[Hold], None]) -> Callable[[], None]:
        """Have *listener* told of each request that has to wait; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def expect_reads(self, seconds: float) -> None:
        """Keep the reads' share of the slots free of writes for the next *seconds*."""
        self._reads_until = max(self._reads_until, self.clock.monotonic() + seconds)

    def snapshot(self) -> LimiterState:
        """Return how the limiter stands, for a status line."""
        now = self.clock.monotonic()
        return LimiterState(
            limit=self._pacer.limit,
            in_flight=self._pacer.in_flight,
            waiting=len(self._room),
            held_for=max(0.0, self._pacer.held_until - now),
            next_in=self._pacer.delay(now),
        )

    def close(self) -> None:
        """Refuse everybody who waits and everybody who comes; nothing is left running."""
        self._closed = True
        self._fail_all(ConfigurationError("the rate limiter is closed"))
        self._stop_pump()

    async def acquire(
        self, lane: Lane = Lane.WRITE, *, deadline: float | None = None, operation: str = "", provider: str = ""
    ) -> Permit:
        """Wait for the right to send one request.

        *deadline* is a value of the clock's `monotonic`. Raises `RateLimitWouldBlock` as soon as it is known that
        the wait will outlast it, which may be at once. A cancelled wait costs nothing.
        """
        self._enter_loop()
        now = self.clock.monotonic()
        if lane is Lane.POLL:
            self.expect_reads(2 * self.window)
        limit = math.inf if deadline is None else deadline
        if now <= limit and not self._room and (self._pump is None or self._pump.done()):
            # With nobody before it and no wait ahead, a request needs no pump.
            is_due = self._pacer.delay(now, keep=self._keep(lane, now)) <= 0
            if is_due and (self._tokens or (self._is_ready is not None and self._is_ready())):
                if not self._tokens:
                    await self._bucket.take()
                    self._tokens = 1
                return self._permit(lane, now)
        waiter = Waiter(lane, operation, provider, limit, asyncio.get_running_loop().create_future())
        self._refuse_late(waiter, now)
        self._room.join(waiter)
        self._start_pump()
        try:
            permit: Permit = await waiter.future
        except asyncio.CancelledError:
            self._leave(waiter)
            raise
        return permit

    def _enter_loop(self) -> None:
        if self._closed:
            raise ConfigurationError("the rate limiter is closed")
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._room and self._loop is not None and not self._loop.is_closed():
                raise ConfigurationError("the rate limiter is in use in another event loop; make one for each loop")
            self._room = WaitingRoom()
            self._loop, self._pump, self._wake = loop, None, asyncio.Event()

    def _refuse_late(self, waiter: Waiter, now: float) -> None:
        ahead = self._ahead(waiter.lane)
        delay = self._pacer.estimate(now, ahead)
        if now + delay > waiter.deadline:
            raise RateLimitWouldBlock(delay, operation=waiter.operation, provider=waiter.provider)
        if ahead or self._pacer.delay(now, keep=self._keep(waiter.lane, now)) > 0:
            self._tell(waiter, delay)

    def _ahead(self, lane: Lane) -> int:
        writes, reads = self._room.waiting(Lane.WRITE), self._room.waiting(Lane.POLL)
        return writes if lane is Lane.WRITE else self._lanes.ahead_of_read(writes, reads)

    def _tell(self, waiter: Waiter, delay: float) -> None:
        is_held = self._pacer.held_until > self.clock.monotonic()
        hold = Hold(
            operation=waiter.operation,
            provider=waiter.provider,
            lane=waiter.lane,
            delay=delay,
            reason=self._pacer.reason if is_held else "limit",
        )
        for listener in tuple(self._listeners):
            listener(hold)

    def _start_pump(self) -> None:
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._run(), name="reelpub rate limiter")
            self._pump.add_done_callback(self._ended)
        else:
            self._wake.set()

    def _stop_pump(self) -> None:
        pump, self._pump = self._pump, None
        if pump is not None and not pump.done() and self._loop is not None and not self._loop.is_closed():
            pump.cancel()

    def _ended(self, pump: asyncio.Task[None]) -> None:
        """Pass a fault of the pump on to everybody who waits for it."""
        if not pump.cancelled() and (fault := pump.exception()) is not None:
            self._fail_all(fault)

    def _fail_all(self, error: BaseException) -> None:
        for waiter in self._room.clear():
            if not waiter.future.done():
                waiter.future.set_exception(error)

    def _leave(self, waiter: Waiter) -> None:
        future = waiter.future
        if future.done() and not future.cancelled() and future.exception() is None:
            future.result().abandoned()
            return
        self._room.leave(waiter)
        if not self._room:
            self._stop_pump()

    async def _run(self) -> None:
        while self._room:
            now = self.clock.monotonic()
            lane, delay = self._next(now)
            self._expire(now, delay)
            if not self._room:
                return
            if delay > 0:
                await self._pause(now, delay)
            elif self._tokens == 0:
                await self._bucket.take()
                self._tokens = 1
            else:
                self._grant(lane, now)

    def _next(self, now: float) -> tuple[Lane, float]:
        """Return whose turn it is, and the wait until then."""
        writes, reads = self._room.waiting(Lane.WRITE), self._room.waiting(Lane.POLL)
        free = self._pacer.delay(now)
        if self._lanes.prefers_read(has_write=writes > 0, has_read=reads > 0):
            return Lane.POLL, free
        delay = self._pacer.delay(now, keep=self._keep(Lane.WRITE, now))
        if delay > 0 and reads and free < delay:
            return Lane.POLL, free
        return (Lane.WRITE if writes else Lane.POLL), delay

    def _keep(self, lane: Lane, now: float) -> int:
        if lane is Lane.POLL or now >= self._reads_until:
            return 0
        while self._reads_busy and self._reads_busy[0] <= now:
            self._reads_busy.popleft()
        return max(0, self._lanes.kept - len(self._reads_busy) - self._reads_in_flight)

    def _expire(self, now: float, delay: float) -> None:
        """Refuse those whose deadline is past, or will be before the next grant."""
        known = 0.0 if math.isinf(delay) else delay
        for waiter in self._room.too_late(now + max(known, 1e-9)):
            if not waiter.future.done():
                error = RateLimitWouldBlock(known, operation=waiter.operation, provider=waiter.provider)
                waiter.future.set_exception(error)

    async def _pause(self, now: float, delay: float) -> None:
        """Wait until *delay* is over, a deadline passes, or something changes."""
        wake = self._wake
        wake.clear()
        seconds = min(delay, self._room.next_deadline() - now)
        if self._reads_until > now:
            # What is kept for reads is free for writes then.
            seconds = min(seconds, self._reads_until - now)
        if math.isinf(seconds):
            await wake.wait()
            return
        changed = asyncio.ensure_future(wake.wait())
        nap = asyncio.ensure_future(self.clock.sleep(seconds))
        try:
            await asyncio.wait((changed, nap), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            nap.cancel()
            await asyncio.gather(changed, nap, return_exceptions=True)
        if not nap.cancelled():
            nap.result()

    def _grant(self, lane: Lane, now: float) -> None:
        waiter = self._room.call(lane)
        if not waiter.future.done():
            waiter.future.set_result(self._permit(lane, now))

    def _permit(self, lane: Lane, now: float) -> Permit:
        self._tokens -= 1
        self._pacer.sent(now, self._random())
        self._lanes.granted(is_read=lane is Lane.POLL)
        self._reads_in_flight += lane is Lane.POLL
        return Permit(self, lane, now)

    def _settle(self, lane: Lane, granted_at: float, quota: Quota | None, status: int | None) -> None:
        now = self.clock.monotonic()
        self._pacer.answered(now, quota, status, sent_at=granted_at, random=self._random())
        if lane is Lane.POLL:
            self._reads_in_flight -= 1
            self._reads_busy.append(now + self.window)
        self._changed()

    def _give_back(self, lane: Lane) -> None:
        self._pacer.abandoned(self.clock.monotonic())
        self._tokens += 1
        self._reads_in_flight -= lane is Lane.POLL
        self._changed()

    def _changed(self) -> None:
        self._wake.set()
