"""How a limiter stands, and that a request has to wait: what it tells."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from reelpub.transport.message import Lane

__all__ = ["GroupState", "Hold", "HoldReason", "LimiterState"]

HoldReason = Literal["limit", "429", "announced"]


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
    reason: HoldReason


@frozen(kw_only=True)
class GroupState:
    """How one operation stands whose requests the server counts by themselves; see `LimiterState`."""

    operation: str
    limit: int
    used: int
    waiting: int
    next_in: float


@frozen(kw_only=True)
class LimiterState:
    """How the limiter stands. Times are seconds from now; `next_in` is infinite while only an answer can tell.

    `used` of `limit` requests are spoken for in the present window: those under way and this process's own of the last
    window. Where the server counts each operation by itself, `groups` has them, the fullest one first, and `limit`,
    `used`, `held_for` and `next_in` are that one's; otherwise it is empty.
    """

    limit: int
    in_flight: int
    waiting: int
    held_for: float
    next_in: float
    used: int = 0
    groups: tuple[GroupState, ...] = ()
