"""Rate-limit windows as pure counters: fixed, anchored, sliding log, sliding counter and GCRA.

Each window answers `peek` (what would happen) and `take` (spend one, if allowed) for a given now in Unix seconds.
A refused call isn't counted by any of them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from enum import Enum
from typing import Any, Protocol

from attrs import evolve, field, frozen
from attrs.validators import ge, gt, optional

__all__ = ["Decision", "LimitKind", "RateLimit", "Window", "open_window"]


class LimitKind(Enum):
    """How the requests of a window are counted.

    - FIXED: windows aligned to the epoch, so a burst over an edge may be twice the limit.
    - ANCHORED: a window begins with the first request after the last one ended.
    - SLIDING_LOG: never more than the limit in any trailing window; each slot is free again a window later.
    - SLIDING_COUNTER: the previous fixed window, weighted by how much of it is still in sight, plus the present one.
    - GCRA: even spacing with a tolerance of *burst* requests.
    """

    FIXED = "fixed"
    ANCHORED = "anchored"
    SLIDING_LOG = "sliding_log"
    SLIDING_COUNTER = "sliding_counter"
    GCRA = "gcra"


@frozen(kw_only=True)
class RateLimit:
    """A limit: *limit* requests in each *window* of seconds, counted by *kind*.

    *burst* is how many requests GCRA lets through at once (the whole limit by default); the other kinds ignore it.
    *headers* tells whether answers carry ``X-RateLimit-*``.
    """

    limit: int = field(default=60, validator=ge(1))
    window: float = field(default=60.0, validator=gt(0.0))
    kind: LimitKind = LimitKind.FIXED
    burst: int | None = field(default=None, validator=optional(ge(1)))
    headers: bool = True

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> RateLimit:
        """Return a limit from a JSON object with these members; `kind` by its value."""
        return cls(**{**members, "kind": LimitKind(members.get("kind", "fixed"))})


@frozen(kw_only=True)
class Decision:
    """What a window says: may this call pass, how many may follow it at once, and when it resets (Unix seconds).

    For a refused call `reset` is the first instant at which a call passes, unless other calls take its place.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: float


class Window(Protocol):
    """One bucket of one limit. Time given to it must not go back."""

    def peek(self, now: float) -> Decision:
        """Return the state at *now* without spending: `remaining` counts the next call as not yet made."""
        ...

    def take(self, now: float) -> Decision:
        """Spend one request at *now* if it is allowed; `remaining` is what is left after it."""
        ...


def open_window(limit: RateLimit) -> Window:
    """Return a new, empty window for *limit*."""
    return _WINDOWS[limit.kind](limit)


class _Counted(ABC):
    """A window that counts up to the limit and starts again; the kinds differ in when it starts."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit, self.window = limit.limit, limit.window
        self.start, self.used = -math.inf, 0

    @abstractmethod
    def _roll(self, now: float) -> None:
        """Start again if the window that *now* lies in isn't the present one."""

    def _decision(self, now: float, *, allowed: bool) -> Decision:
        end = self.start + self.window if self.used else now + self.window
        return Decision(allowed=allowed, limit=self.limit, remaining=self.limit - self.used, reset=end)

    def peek(self, now: float) -> Decision:
        self._roll(now)
        return self._decision(now, allowed=self.used < self.limit)

    def take(self, now: float) -> Decision:
        self._roll(now)
        allowed = self.used < self.limit
        if allowed:
            if not self.used:
                self._begin(now)
            self.used += 1
        return self._decision(now, allowed=allowed)

    def _begin(self, now: float) -> None:  # noqa: B027  (only an anchored window needs to know)
        """Note that the window's first request came at *now*."""


class _Fixed(_Counted):
    """Windows aligned to the epoch."""

    def _roll(self, now: float) -> None:
        start = math.floor(now / self.window) * self.window
        if start > self.start:
            self.start, self.used = start, 0

    def _decision(self, now: float, *, allowed: bool) -> Decision:
        return evolve(super()._decision(now, allowed=allowed), reset=self.start + self.window)


class _Anchored(_Counted):
    """Windows that begin with their first request."""

    def _roll(self, now: float) -> None:
        if now >= self.start + self.window:
            self.used = 0

    def _begin(self, now: float) -> None:
        self.start = now


class _SlidingLog:
    """The instants of the requests of the trailing window."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit, self.window = limit.limit, limit.window
        self.log: deque[float] = deque()

    def _decision(self, now: float, *, allowed: bool) -> Decision:
        reset = self.log[0] + self.window if self.log else now + self.window
        return Decision(allowed=allowed, limit=self.limit, remaining=self.limit - len(self.log), reset=reset)

    def peek(self, now: float) -> Decision:
        while self.log and self.log[0] + self.window <= now:
            self.log.popleft()
        return self._decision(now, allowed=len(self.log) < self.limit)

    def take(self, now: float) -> Decision:
        allowed = self.peek(now).allowed
        if allowed:
            self.log.append(now)
        return self._decision(now, allowed=allowed)


class _SlidingCounter:
    """Two fixed windows; the older one counts by the part of it that is still within reach."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit, self.window = limit.limit, limit.window
        self.index, self.used, self.previous = -1, 0, 0

    def _roll(self, now: float) -> None:
        index = math.floor(now / self.window)
        if index > self.index:
            self.previous = self.used if index == self.index + 1 else 0
            self.index, self.used = index, 0

    def _weight(self, now: float) -> float:
        elapsed = now - self.index * self.window
        return self.previous * (1.0 - elapsed / self.window) + self.used

    def _opens(self, now: float) -> float:
        """Return when a call passes next, if none comes between."""
        end = (self.index + 1) * self.window
        if self._weight(now) + 1 <= self.limit:
            return end
        if self.previous and self.used < self.limit:
            needed = 1.0 - (self.limit - 1 - self.used) / self.previous
            return min(end, (self.index + needed) * self.window)
        return end + self.window * (1.0 - (self.limit - 1) / self.used)

    def _decision(self, now: float, *, allowed: bool) -> Decision:
        remaining = max(0, math.floor(self.limit - self._weight(now) + 1e-9))
        return Decision(allowed=allowed, limit=self.limit, remaining=remaining, reset=self._opens(now))

    def peek(self, now: float) -> Decision:
        self._roll(now)
        return self._decision(now, allowed=self._weight(now) + 1 <= self.limit + 1e-9)

    def take(self, now: float) -> Decision:
        allowed = self.peek(now).allowed
        if allowed:
            self.used += 1
        return self._decision(now, allowed=allowed)


class _Gcra:
    """The generic cell rate algorithm: a theoretical arrival time that each request pushes on by one interval."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit.limit
        self.interval = limit.window / limit.limit
        self.tolerance = self.interval * ((limit.burst or limit.limit) - 1)
        self.tat = -math.inf

    def _decision(self, now: float, *, allowed: bool) -> Decision:
        ahead = max(0.0, self.tat - now)
        remaining = math.floor((self.tolerance - ahead) / self.interval + 1 + 1e-9)
        opens = max(now, self.tat - self.tolerance) if remaining <= 0 else max(now, self.tat)
        return Decision(allowed=allowed, limit=self.limit, remaining=max(0, remaining), reset=opens)

    def peek(self, now: float) -> Decision:
        return self._decision(now, allowed=now >= self.tat - self.tolerance - 1e-9)

    def take(self, now: float) -> Decision:
        allowed = self.peek(now).allowed
        if allowed:
            self.tat = max(self.tat, now) + self.interval
        return self._decision(now, allowed=allowed)


_WINDOWS: dict[LimitKind, type[_Counted | _SlidingLog | _SlidingCounter | _Gcra]] = {
    LimitKind.FIXED: _Fixed,
    LimitKind.ANCHORED: _Anchored,
    LimitKind.SLIDING_LOG: _SlidingLog,
    LimitKind.SLIDING_COUNTER: _SlidingCounter,
    LimitKind.GCRA: _Gcra,
}
