"""One queue in front of one limit: a pump task while somebody waits, and the bucket behind it all."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from reelpub.clocks import Clock
from reelpub.errors import RateLimitWouldBlock
from reelpub.policies.lanes import LaneShare
from reelpub.policies.pacing import Pacer
from reelpub.transport.bucket import Bucket, NotingBucket, ReadyBucket
from reelpub.transport.message import Lane
from reelpub.transport.waiting import Waiter, WaitingRoom

__all__ = ["Line"]

P = TypeVar("P")


class Line(Generic[P]):
    """Calls those who wait, two lanes, first come first served within each, when *pacer* says that one may go.

    *keep* tells how many slots those of a lane have to leave free, and until when that holds; *permit* makes what who
    is called is given, and notes the request as sent.
    """

    def __init__(
        self,
        pacer: Pacer,
        bucket: Bucket,
        lanes: LaneShare,
        *,
        clock: Clock,
        keep: Callable[[Lane, float], tuple[int, float]],
        permit: Callable[[Lane, str, float], P],
    ) -> None:
        self.pacer = pacer
        self.bucket = bucket
        self.lanes = lanes
        self.room = WaitingRoom()
        self._clock = clock
        self._keep = keep
        self._permit = permit
        self._is_ready = bucket.is_ready if isinstance(bucket, ReadyBucket) else None
        self._note = bucket.note if isinstance(bucket, NotingBucket) else None
        self._tokens = 0
        self._pump: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    def enter_loop(self) -> None:
        """Forget what belongs to an event loop that is over."""
        self.room = WaitingRoom()
        self._pump, self._wake = None, asyncio.Event()

    async def try_at_once(self, lane: Lane, operation: str, now: float) -> P | None:
        """Return a permit where nobody waits and there is no wait ahead, which needs no pump; None otherwise."""
        if self.room or not (self._pump is None or self._pump.done()):
            return None
        if self.pacer.delay(now, keep=self._keep(lane, now)[0]) > 0:
            return None
        if not (self._tokens or (self._is_ready is not None and self._is_ready())):
            return None
        if not self._tokens:
            await self.bucket.take()
            self._tokens = 1
        return self._grant(lane, operation, now)

    def join(self, waiters: Iterable[Waiter]) -> None:
        """Have *waiters* wait here, in their order."""
        for waiter in waiters:
            self.room.join(waiter)
        if self.room:
            self._start_pump()

    def leave(self, waiter: Waiter) -> None:
        """Take *waiter* out."""
        self.room.leave(waiter)
        if not self.room:
            self.stop()

    def expected_wait(self, lane: Lane, now: float) -> tuple[float, bool]:
        """Return the least wait of one who joins *lane* now, as far as is known, and whether there is one at all."""
        writes, reads = self.room.waiting(Lane.WRITE), self.room.waiting(Lane.POLL)
        ahead = writes if lane is Lane.WRITE else self.lanes.ahead_of_read(writes, reads)
        is_held = ahead > 0 or self.pacer.delay(now, keep=self._keep(lane, now)[0]) > 0
        return self.pacer.estimate(now, ahead), is_held

    def give_back(self) -> None:
        """Take back the token of a request that never left."""
        self._tokens += 1

    def note(self) -> None:
        """Have the bucket remember a token that was taken from another line's, if it can."""
        if self._note is not None:
            self._note()

    def changed(self) -> None:
        """Have the pump look again."""
        self._wake.set()

    def stop(self) -> None:
        """End the pump; those who wait go on waiting."""
        pump, self._pump = self._pump, None
        if pump is not None and not pump.done() and not pump.get_loop().is_closed():
            pump.cancel()

    def fail(self, error: BaseException) -> None:
        """Fail everybody who waits."""
        for waiter in self.room.clear():
            if not waiter.future.done():
                waiter.future.set_exception(error)

    def _start_pump(self) -> None:
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._run(), name="reelpub rate limiter")
            self._pump.add_done_callback(self._ended)
        else:
            self._wake.set()

    def _ended(self, pump: asyncio.Task[None]) -> None:
        """Pass a fault of the pump on to everybody who waits for it."""
        if not pump.cancelled() and (fault := pump.exception()) is not None:
            self.fail(fault)

    async def _run(self) -> None:
        while self.room:
            now = self._clock.monotonic()
            lane, delay, until = self._next(now)
            self._expire(now, delay)
            if not self.room:
                return
            if delay > 0:
                await self._pause(now, min(delay, until - now))
            elif self._tokens == 0:
                await self.bucket.take()
                self._tokens = 1
            else:
                self._call(lane, now)

    def _next(self, now: float) -> tuple[Lane, float, float]:
        """Return whose turn it is, the wait until then, and when what is kept free may change by itself."""
        writes, reads = self.room.waiting(Lane.WRITE), self.room.waiting(Lane.POLL)
        free = self.pacer.delay(now)
        if self.lanes.prefers_read(has_write=writes > 0, has_read=reads > 0):
            return Lane.POLL, free, math.inf
        keep, until = self._keep(Lane.WRITE, now)
        delay = self.pacer.delay(now, keep=keep)
        if delay > 0 and reads and free < delay:
            return Lane.POLL, free, math.inf
        return (Lane.WRITE if writes else Lane.POLL), delay, until

    def _expire(self, now: float, delay: float) -> None:
        """Refuse those whose deadline is past, or will be before the next grant."""
        known = 0.0 if math.isinf(delay) else delay
        for waiter in self.room.too_late(now + max(known, 1e-9)):
            if not waiter.future.done():
                error = RateLimitWouldBlock(known, operation=waiter.operation, provider=waiter.provider)
                waiter.future.set_exception(error)

    async def _pause(self, now: float, delay: float) -> None:
        """Wait until *delay* is over, a deadline passes, or something changes."""
        wake = self._wake
        wake.clear()
        seconds = min(delay, self.room.next_deadline() - now)
        if math.isinf(seconds):
            await wake.wait()
            return
        changed = asyncio.ensure_future(wake.wait())
        nap = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((changed, nap), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            nap.cancel()
            await asyncio.gather(changed, nap, return_exceptions=True)
        if not nap.cancelled():
            nap.result()

    def _call(self, lane: Lane, now: float) -> None:
        waiter = self.room.call(lane)
        if not waiter.future.done():
            waiter.future.set_result(self._grant(lane, waiter.operation, now))

    def _grant(self, lane: Lane, operation: str, now: float) -> P:
        self._tokens -= 1
        self.lanes.granted(is_read=lane is Lane.POLL)
        return self._permit(lane, operation, now)
