"""What is due when: the only way in which time changes anything in the sandbox's Reap."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from enum import Enum

from attrs import field, frozen

__all__ = ["Agenda", "Due", "Event"]


class Event(Enum):
    """What happens to the record that a due entry names."""

    FIRE = "fire"
    """A scheduled post's time has come."""
    FINISH = "finish"
    """A post that is being sent out reaches its end."""
    STEP = "step"
    """A project moves on to its next status."""


@frozen(kw_only=True, order=True)
class Due:
    """One entry: at Unix time `at`, `event` happens to the record `subject`."""

    at: float
    number: int
    event: Event = field(order=False)
    subject: str = field(order=False)


class Agenda:
    """A heap of due entries, taken in the order of their time; entries of one instant in the order they were put."""

    def __init__(self) -> None:
        self._heap: list[Due] = []
        self._count = 0

    def put(self, at: float, event: Event, subject: str) -> None:
        """Note that *event* happens to *subject* at Unix time *at*."""
        self._count += 1
        heapq.heappush(self._heap, Due(at=at, number=self._count, event=event, subject=subject))

    def take(self, now: float) -> Iterator[Due]:
        """Remove and yield what is due by *now*; what is put while this runs counts too."""
        while self._heap and self._heap[0].at <= now:
            yield heapq.heappop(self._heap)
