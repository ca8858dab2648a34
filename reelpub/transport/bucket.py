"""The floor behind the pacing policy: buckets that never let out more than the configured limit.

The policy decides when a request may go; a bucket makes sure that a fault in the policy can't run away.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol, runtime_checkable

from aiolimiter import AsyncLimiter

from reelpub.clocks import Clock, LoopClock, ScaledClock, SystemClock, scale_of

__all__ = ["AioLimiterBucket", "Bucket", "LogBucket", "NotingBucket", "ReadyBucket", "default_bucket"]


class Bucket(Protocol):
    """Where the limiter takes a token before each grant; it may also be a `ReadyBucket` and a `NotingBucket`."""

    async def take(self) -> None:
        """Wait until one more request may go. Only one task waits here at any time."""
        ...


@runtime_checkable
class ReadyBucket(Protocol):
    """A bucket that spares a request that nobody stands before the pump."""

    def is_ready(self) -> bool:
        """Whether `take` would return at once, without giving another task a turn."""
        ...


@runtime_checkable
class NotingBucket(Protocol):
    """A bucket that bounds what went out of others, too, while each operation has a limit and a bucket of its own."""

    def note(self) -> None:
        """Remember a token that was taken elsewhere."""
        ...


class LogBucket:
    """At most *limit* tokens in any *window* seconds of *clock*, by remembering when each was taken."""

    def __init__(self, limit: int, window: float, *, clock: Clock) -> None:
        self._window = window
        self._clock = clock
        self._taken: deque[float] = deque(maxlen=limit)

    def is_ready(self) -> bool:
        return len(self._taken) < (self._taken.maxlen or 0) or self._taken[0] + self._window <= self._clock.monotonic()

    def note(self) -> None:
        self._taken.append(self._clock.monotonic())

    async def take(self) -> None:
        if len(self._taken) == self._taken.maxlen:
            wait = self._taken[0] + self._window - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
        self._taken.append(self._clock.monotonic())


class AioLimiterBucket:
    """`aiolimiter.AsyncLimiter` for one waiter, made inside the running loop, kept to the window by a log.

    A leaky bucket of burst *b* and rate *r* lets out ``b + r * window`` in a window. Small enough to hold the limit
    by itself, it can't also let the limit's 98 % through; at ``AsyncLimiter(limit, window)`` it collects 59
    rejections in 240 calls at a server of 60 (measured). So it runs at the nominal rate, which never delays what
    the policy grants, and the log bounds what any single window sees.
    """

    def __init__(self, limit: int, window: float = 60.0, *, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        self._limit = limit
        # The bucket reads the loop's clock, so that a clock that runs faster needs a shorter period.
        self._period = window / scale_of(clock)
        self._log = LogBucket(limit, window, clock=clock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._limiter: AsyncLimiter | None = None

    def is_ready(self) -> bool:
        return self._log.is_ready() and self._in_this_loop().has_capacity()

    def note(self) -> None:
        """Remember a token that was taken elsewhere: the log bounds what any window sees from now on."""
        self._log.note()

    async def take(self) -> None:
        await self._in_this_loop().acquire()
        await self._log.take()

    def _in_this_loop(self) -> AsyncLimiter:
        loop = asyncio.get_running_loop()
        if self._limiter is None or self._loop is not loop:
            # aiolimiter warns when it is used again in a second loop (its issue 292).
            self._loop, self._limiter = loop, AsyncLimiter(self._limit, self._period)
        return self._limiter


def default_bucket(limit: int, window: float, clock: Clock) -> Bucket:
    """Return `AioLimiterBucket` for clocks that move with the loop, else a log that asks the clock itself."""
    if isinstance(clock, (SystemClock, ScaledClock, LoopClock)):
        return AioLimiterBucket(limit, window, clock=clock)
    return LogBucket(limit, window, clock=clock)
