"""Who waits for the limiter: two queues, first come first served, with the deadlines beside them."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import OrderedDict
from collections.abc import Iterator
from itertools import count
from typing import Any

from attrs import define

from reelpub.transport.message import Lane

__all__ = ["Waiter", "WaitingRoom"]


@define(eq=False)
class Waiter:
    """One who waits.

    *deadline* is a clock's monotonic time, infinite where there is none; *number* tells who came first.
    """

    lane: Lane
    operation: str
    provider: str
    deadline: float
    future: asyncio.Future[Any]
    number: int = 0


class WaitingRoom:
    """The queues. Joining, leaving and being called cost the same however many wait."""

    def __init__(self) -> None:
        self._writes: OrderedDict[Waiter, None] = OrderedDict()
        self._reads: OrderedDict[Waiter, None] = OrderedDict()
        self._deadlines: list[tuple[float, int, Waiter]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._writes) + len(self._reads)

    def _queue(self, lane: Lane) -> OrderedDict[Waiter, None]:
        return self._reads if lane is Lane.POLL else self._writes

    def waiting(self, lane: Lane) -> int:
        """Return how many wait in *lane*."""
        return len(self._queue(lane))

    def join(self, waiter: Waiter) -> None:
        """Put *waiter* at the end of its lane."""
        self._queue(waiter.lane)[waiter] = None
        if waiter.deadline < math.inf:
            heapq.heappush(self._deadlines, (waiter.deadline, next(self._order), waiter))

    def leave(self, waiter: Waiter) -> None:
        """Take *waiter* out, if it is there."""
        self._queue(waiter.lane).pop(waiter, None)

    def call(self, lane: Lane) -> Waiter:
        """Take out and return the first of *lane*."""
        return self._queue(lane).popitem(last=False)[0]

    def clear(self) -> Iterator[Waiter]:
        """Take out everybody."""
        self._deadlines.clear()
        for lane in Lane:
            while self._queue(lane):
                yield self.call(lane)

    def next_deadline(self) -> float:
        """Return the earliest deadline of those who wait, infinity where none has one."""
        while self._deadlines and self._deadlines[0][2] not in self._queue(self._deadlines[0][2].lane):
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else math.inf

    def too_late(self, instant: float) -> Iterator[Waiter]:
        """Take out those whose deadline is before *instant*."""
        while self.next_deadline() < instant:
            waiter = self._deadlines[0][2]
            self.leave(waiter)
            yield waiter
