"""Clocks: where the present comes from, so that a test or a demo can run time faster.

Everything in `reelpub` that reads the time or waits asks a `Clock`. HTTP time-outs are the one exception: they
guard real sockets and always run in real seconds.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

__all__ = ["Clock", "LoopClock", "ScaledClock", "SystemClock", "scale_of", "utc_now"]

MAX_SCALE = 30.0
"""Above this, real HTTP time-outs and scaled waits drift too far apart to mean anything."""


@runtime_checkable
class Clock(Protocol):
    """A source of the present. All values are float seconds."""

    def time(self) -> float:
        """Return the wall clock as Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Return a clock that never goes back; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds* of this clock; a negative number waits for one turn of the loop."""
        ...


def utc_now(clock: Clock) -> datetime:
    """Return *clock*'s present as an aware datetime in UTC."""
    return datetime.fromtimestamp(clock.time(), UTC)


def scale_of(clock: Clock) -> float:
    """Return how many of *clock*'s seconds pass in a real one: its `scale`, and 1 where it has none."""
    scale: float = getattr(clock, "scale", 1.0)
    return scale


class SystemClock:
    """The machine's own clocks."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class ScaledClock:
    """A clock that runs *scale* times as fast as the machine's, for demonstrations and kill tests.

    *scale* is between 1 and 30. Two clocks made with the same *origin* (a Unix time) agree, also across processes.

    Raises:
        ValueError: *scale* is outside of that. It is no `ConfigurationError`: clocks are shared with the sandbox, which
            shares no error with what it judges.
    """

    def __init__(self, scale: float, *, origin: float | None = None) -> None:
        if not 1.0 <= scale <= MAX_SCALE:
            raise ValueError(f"scale: {scale!r} is outside 1 to {MAX_SCALE:g}")
        self.scale = scale
        self.origin = time.time() if origin is None else origin
        self._offset = time.time() - time.monotonic()

    def time(self) -> float:
        return self.origin + self.monotonic()

    def monotonic(self) -> float:
        return (time.monotonic() + self._offset - self.origin) * self.scale

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.scale)


class LoopClock:
    """A clock that follows the running event loop's own time, for loops whose time is virtual.

    *epoch* is the Unix time at which the loop's time is zero.
    """

    def __init__(self, epoch: float = 1_800_000_000.0) -> None:
        self.epoch = epoch

    def time(self) -> float:
        return self.epoch + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
