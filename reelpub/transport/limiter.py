"""The rate limiter of one credential, shared by everything that uses it.

`policies.pacing` decides when the next request may go, `policies.scope` whether each operation is paced by itself,
`policies.budget` what writes leave to reads and `policies.lanes` whose turn it is; a `Line` is the loop around them.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import count
from random import random as system_random
from typing import cast

from reelpub.clocks import Clock, SystemClock
from reelpub.errors import ConfigurationError, RateLimitWouldBlock
from reelpub.policies.allowance import PUT_OFF
from reelpub.policies.budget import Budget
from reelpub.policies.headers import Quota
from reelpub.policies.lanes import LaneShare
from reelpub.policies.pacing import Pacer
from reelpub.policies.scope import Scope
from reelpub.transport.bucket import Bucket, default_bucket
from reelpub.transport.line import Line
from reelpub.transport.message import Lane
from reelpub.transport.standing import GroupState, Hold, HoldReason, LimiterState
from reelpub.transport.waiting import Waiter

__all__ = ["ExpectedWrites", "GroupState", "Hold", "LimiterState", "Permit", "RateLimiter"]


class Permit:
    """The right to send one request; its slot is taken until `answered` or `abandoned` is called, once."""

    __slots__ = ("_granted_at", "_is_open", "_lane", "_limiter", "_operation")

    def __init__(self, limiter: RateLimiter, lane: Lane, operation: str, granted_at: float) -> None:
        self._limiter = limiter
        self._lane = lane
        self._operation = operation
        self._granted_at = granted_at
        self._is_open = True

    def answered(self, quota: Quota | None = None, status: int | None = None) -> None:
        """Say that the request is over, or lost: its slot returns a window from now. Only the first call counts.

        *quota* is what the answer's headers said, None where no answer came; *status* is 429 only where the rate
        was refused.
        """
        if self._is_open:
            self._is_open = False
            self._limiter._settle(self._lane, self._operation, self._granted_at, quota, status)  # noqa: SLF001 - one unit of two classes

    def abandoned(self) -> None:
        """Say that the request never left: its slot is free at once. Does nothing after `answered`."""
        if self._is_open:
            self._is_open = False
            self._limiter._give_back(self._lane, self._operation)  # noqa: SLF001 - one unit of two classes


class ExpectedWrites:
    """What one owner has said that it will write; see `RateLimiter.expect_writes`."""

    __slots__ = ("_limiter", "_number")

    def __init__(self, limiter: RateLimiter, number: int) -> None:
        self._limiter = limiter
        self._number = number

    def add(self, writes: int) -> None:
        """Say that *writes* more requests will come."""
        self._limiter._expect(self._number, writes)  # noqa: SLF001 - one unit of two classes

    def clear(self) -> None:
        """Say that nothing more will come of what was said."""
        self._limiter._forget(self._number)  # noqa: SLF001 - one unit of two classes


class RateLimiter:
    """Lets through *limit* requests in each *window* seconds, in two lanes, first come first served within each.

    Writes go before reads, but reads are owed *poll_share* of the grants, and of the slots while reads are expected.
    Where it is known how much there is to write (`expect_writes`), they get less of a batch that would take a window
    more for them, and for *put_off* seconds nothing, if all is written by then.

    *bucket* is the floor behind the policy, by default one that never lets out more than *limit* in a window. With the
    default, a server that proves by its headers to count each operation by itself is paced so: *limit* holds for each
    of them then. *random* returns numbers drawn evenly from 0 to 1. *on_hold* is told of each request that has to wait.

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
        put_off: float = PUT_OFF,
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
        if not put_off >= 0:
            raise ConfigurationError(f"put_off: {put_off!r} isn't a number of seconds from 0")
        self.window = window
        self.clock: Clock = clock or SystemClock()
        self._configured = limit
        self.put_off = put_off
        self._learns_scope = bucket is None
        self._random = random or system_random
        self._scope = Scope(limit, window)
        lanes = LaneShare(poll_share, limit)
        self._budget = Budget(lanes.kept, window, put_off)
        self._shared = self._line(self._pacer(Lane.WRITE), bucket, lanes, self._keep, self._permit_shared)
        self._own: dict[str, Line[Permit]] = {}
        self._numbers = count()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._listeners: list[Callable[[Hold], None]] = [on_hold] if on_hold else []

    @property
    def limit(self) -> int:
        """The limit in force: the configured one, or the server's where that is lower."""
        return self._shared.pacer.limit

    @property
    def has_own_reads(self) -> bool:
        """Whether reads don't take from the writes' budget, as the server counts each operation by itself."""
        return self._scope.is_apart

    def add_hold_listener(self, listener: Callable[[Hold], None]) -> Callable[[], None]:
        """Have *listener* told of each request that has to wait; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def tell(self, hold: Hold) -> None:
        """Tell the listeners of *hold*, a wait that isn't here: a request that was refused comes back after it."""
        for listener in tuple(self._listeners):
            listener(hold)

    def expect_reads(self, seconds: float, *, owed: int = 0) -> None:
        """Keep the reads' share of the slots free of writes for the next *seconds*.

        *owed* is how many reads have to be made in any case, where each post takes one of its own.
        """
        self._budget.expect_reads(self.clock.monotonic() + seconds, owed)

    def expect_writes(self) -> ExpectedWrites:
        """Return where to say how many writes are to come, so that it can be told whether reads delay them."""
        return ExpectedWrites(self, next(self._numbers))

    def reads_in_window(self) -> float | None:
        """Return how many reads of a window don't delay what is to be written; None where nobody said how much that is.

        Reads that can wait should be no more than that; they aren't held back here.
        """
        if not self._budget.writes.total or self._scope.is_apart:
            return None
        now, waiting = self.clock.monotonic(), self._shared.room.waiting(Lane.WRITE)
        return self._budget.kept(now, self._shared.pacer, waiting)

    def reads_left(self) -> int | None:
        """Return how many more reads may go now without delaying what is to be written; None as `reads_in_window`."""
        reads = self.reads_in_window()
        return None if reads is None else math.ceil(reads) - self._budget.reads.recent(self.clock.monotonic())

    def expected_wait(self, lane: Lane = Lane.WRITE, *, operation: str = "") -> float:
        """Return the least wait in seconds of a request that would ask now, as far as is known: 0 for none."""
        line = self._own.get(operation, self._shared)
        seconds, is_held = line.expected_wait(lane, self.clock.monotonic())
        return seconds if is_held else 0.0

    def snapshot(self) -> LimiterState:
        """Return how the limiter stands, for a status line."""
        now = self.clock.monotonic()
        lines = list(self._own.values()) or [self._shared]
        groups = [_group(operation, line, now) for operation, line in self._own.items()]
        groups.sort(key=lambda group: (-group.used / group.limit, group.operation))
        pacer = self._own[groups[0].operation].pacer if groups else self._shared.pacer
        return LimiterState(
            limit=pacer.limit,
            in_flight=sum(line.pacer.in_flight for line in lines),
            waiting=sum(len(line.room) for line in [self._shared, *self._own.values()]),
            held_for=max(0.0, pacer.held_until - now),
            next_in=pacer.delay(now),
            used=pacer.used(now),
            groups=tuple(groups),
        )

    def close(self) -> None:
        """Refuse everybody who waits and everybody who comes; nothing is left running."""
        self._closed = True
        for line in [self._shared, *self._own.values()]:
            line.fail(ConfigurationError("the rate limiter is closed"))
            line.stop()

    async def acquire(
        self, lane: Lane = Lane.WRITE, *, deadline: float | None = None, operation: str = "", provider: str = ""
    ) -> Permit:
        """Wait for the right to send one request.

        *deadline* is a value of the clock's `monotonic`. Raises `RateLimitWouldBlock` as soon as it is known that
        the wait will outlast it, which may be at once. A cancelled wait costs nothing.
        """
        self._enter_loop()
        now = self.clock.monotonic()
        limit = math.inf if deadline is None else deadline
        line = self._line_of(operation, lane, now)
        permit: Permit | None = None
        if now <= limit and (permit := await line.try_at_once(lane, operation, now)) is not None:
            return permit
        future: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        waiter = Waiter(lane, operation, provider, limit, future, next(self._numbers))
        self._refuse_late(line, waiter, now)
        line.join([waiter])
        try:
            return await future
        except asyncio.CancelledError:
            self._leave(waiter)
            raise

    # ---- who waits where

    def _pacer(self, lane: Lane) -> Pacer:
        pacer = Pacer(self._configured, self.window)
        if lane is Lane.WRITE:
            pacer.is_pressed = lambda now: self._budget.is_pressed(now, pacer)
        return pacer

    def _keep(self, lane: Lane, now: float) -> tuple[int, float]:
        """Return how many slots requests of *lane* have to leave free, and until when."""
        if lane is Lane.POLL:
            return 0, math.inf
        return self._budget.keep(now, self._shared.pacer, self._shared.room.waiting(Lane.WRITE))

    def _line(
        self,
        pacer: Pacer,
        bucket: Bucket | None,
        lanes: LaneShare,
        keep: Callable[[Lane, float], tuple[int, float]],
        permit: Callable[[Lane, str, float], Permit],
    ) -> Line[Permit]:
        floor = bucket or default_bucket(self._configured, self.window, self.clock)
        return Line(pacer, floor, lanes, clock=self.clock, keep=keep, permit=permit)

    def _line_of(self, operation: str, lane: Lane, now: float) -> Line[Permit]:
        """Return where requests of *operation* wait."""
        if not self._scope.is_apart:
            return self._shared
        if operation not in self._own:
            self._own[operation] = self._open(operation, lane, now)
        return self._own[operation]

    def _open(self, operation: str, lane: Lane, now: float) -> Line[Permit]:
        """Return a line for *operation* alone, which knows what went out before and what was said of it."""
        pacer = self._pacer(lane)
        pacer.recall(now, self._scope.answers(operation, now), self._scope.in_flight(operation))
        told = self._scope.last_told(operation)
        if told is not None and told[0] > now - self.window:
            pacer.told(now, told[1], at=told[0], random=self._random())
        return self._line(pacer, None, LaneShare(0.0, self._configured), _keep_nothing, self._permit_own)

    def _enter_loop(self) -> None:
        if self._closed:
            raise ConfigurationError("the rate limiter is closed")
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            lines = [self._shared, *self._own.values()]
            if any(line.room for line in lines) and self._loop is not None and not self._loop.is_closed():
                raise ConfigurationError("the rate limiter is in use in another event loop; make one for each loop")
            for line in lines:
                line.enter_loop()
            self._loop = loop

    def _refuse_late(self, line: Line[Permit], waiter: Waiter, now: float) -> None:
        delay, is_held = line.expected_wait(waiter.lane, now)
        if now + delay > waiter.deadline:
            raise RateLimitWouldBlock(delay, operation=waiter.operation, provider=waiter.provider)
        if is_held:
            self._tell(line, waiter, delay)

    def _tell(self, line: Line[Permit], waiter: Waiter, delay: float) -> None:
        is_held = line.pacer.held_until > self.clock.monotonic()
        hold = Hold(
            operation=waiter.operation,
            provider=waiter.provider,
            lane=waiter.lane,
            delay=delay,
            reason=cast("HoldReason", line.pacer.reason) if is_held else "limit",  # its `hold` takes any text
        )
        self.tell(hold)

    def _leave(self, waiter: Waiter) -> None:
        future = waiter.future
        if future.done() and not future.cancelled() and future.exception() is None:
            future.result().abandoned()
            return
        for line in [self._shared, *self._own.values()]:
            line.leave(waiter)

    # ---- what requests do to the policies

    def _expect(self, owner: int, writes: int) -> None:
        self._budget.writes.expect(owner, writes, self.clock.monotonic())

    def _forget(self, owner: int) -> None:
        self._budget.writes.forget(owner)
        self._shared.changed()

    def _permit_shared(self, lane: Lane, operation: str, now: float) -> Permit:
        if lane is Lane.POLL:
            self._budget.reads.in_flight += 1
        else:
            self._budget.writes.granted()
        self._scope.sent(operation)
        self._shared.pacer.sent(now, self._random())
        return Permit(self, lane, operation, now)

    def _permit_own(self, lane: Lane, operation: str, now: float) -> Permit:
        self._own[operation].pacer.sent(now, self._random())
        self._shared.note()
        return self._permit_shared(lane, operation, now)

    def _settle(self, lane: Lane, operation: str, sent_at: float, quota: Quota | None, status: int | None) -> None:
        now = self.clock.monotonic()
        if lane is Lane.POLL:
            self._budget.reads.answered(now)
        elif status == 429:
            self._budget.writes.returned()
        own = self._own.get(operation)
        random = self._random()
        # While operations count by themselves, the key's own pacer learns which slots were used, and nothing else.
        said = (quota, status) if not self._scope.is_apart else (None, None)
        self._shared.pacer.answered(now, *said, sent_at=sent_at, random=random)
        if own is not None:
            own.pacer.answered(now, quota, status, sent_at=sent_at, random=random)
        if self._learns_scope:
            has_others = own is not None and own.pacer.share.slots is not None
            was_apart = self._scope.is_apart
            self._scope.answered(operation, now, quota, status, sent_at=sent_at, has_others=has_others)
            if self._scope.is_apart != was_apart:
                self._change_scope(now, quota if status == 429 else None)
        (own or self._shared).changed()

    def _change_scope(self, now: float, refusal: Quota | None) -> None:
        """Have everybody wait where their operation now belongs; *refusal* is what a refused answer said."""
        if self._scope.is_apart:
            for waiter in list(self._shared.room.clear()):
                self._line_of(waiter.operation, waiter.lane, now).join([waiter])
            self._shared.changed()
            return
        if refusal is not None:
            # The way of counting is as it was thought to be; what it counts isn't.
            self._shared.pacer.hold(now, self.window if refusal.wait is None else refusal.wait, "429")
        self._reunite()

    def _reunite(self) -> None:
        waiters = [waiter for line in self._own.values() for waiter in line.room.clear()]
        for line in self._own.values():
            line.changed()
        self._own.clear()
        self._shared.join(sorted(waiters, key=lambda waiter: waiter.number))

    def _give_back(self, lane: Lane, operation: str) -> None:
        now = self.clock.monotonic()
        if lane is Lane.POLL:
            self._budget.reads.in_flight -= 1
        else:
            self._budget.writes.returned()
        self._scope.abandoned(operation)
        self._shared.pacer.abandoned(now)
        line = self._own.get(operation)
        if line is not None:
            line.pacer.abandoned(now)
        (line or self._shared).give_back()
        (line or self._shared).changed()


def _keep_nothing(_lane: Lane, _now: float) -> tuple[int, float]:
    return 0, math.inf


def _group(operation: str, line: Line[Permit], now: float) -> GroupState:
    pacer = line.pacer
    return GroupState(
        operation=operation,
        limit=pacer.limit,
        used=pacer.used(now),
        waiting=len(line.room),
        next_in=pacer.delay(now),
    )
