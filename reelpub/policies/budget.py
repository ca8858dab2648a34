"""What of one limit is the writes' and what the reads': kept account of, as they are told and go out."""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from attrs import define, field

from reelpub.policies.allowance import is_tight, kept_for_owed, kept_for_reads

__all__ = ["Backlog", "Budget", "ReadUse", "Slots"]


class Slots(Protocol):
    """What is known of the slots of a limit; `policies.pacing.Pacer` knows it."""

    @property
    def limit(self) -> int: ...

    def can_plan(self, now: float) -> bool: ...

    def slot_at(self, now: float, number: int) -> float: ...


@define
class Backlog:
    """How many writes are to come, as far as anybody said so, and since when there are some."""

    since: float = -math.inf
    total: int = field(default=0, init=False)
    _expected: dict[int, int] = field(factory=dict, init=False)

    def expect(self, owner: int, writes: int, now: float) -> None:
        """Count *writes* more of *owner*."""
        if not self.total:
            self.since = now
        self._expected[owner] = self._expected.get(owner, 0) + writes
        self.total += writes

    def granted(self) -> None:
        """Note that one of them goes out, whoever's it is."""
        for owner, writes in self._expected.items():
            if writes:
                self._expected[owner] = writes - 1
                self.total -= 1
                return

    def returned(self) -> None:
        """Note that one that went out has to go out again."""
        for owner in self._expected:
            self._expected[owner] += 1
            self.total += 1
            return

    def forget(self, owner: int) -> None:
        """Expect nothing more of *owner*."""
        self.total -= self._expected.pop(owner, 0)


@define
class ReadUse:
    """How many requests of the trailing *window* seconds were reads."""

    window: float
    in_flight: int = 0
    _busy: deque[float] = field(factory=deque, init=False)

    def answered(self, now: float) -> None:
        """Note that a read under way is over; its slot is the reads' for a window more."""
        self.in_flight -= 1
        self._busy.append(now + self.window)

    def recent(self, now: float) -> int:
        """Return how many slots reads hold."""
        while self._busy and self._busy[0] <= now:
            self._busy.popleft()
        return self.in_flight + len(self._busy)


@define
class Budget:
    """How many slots of a window writes leave to reads: *most* at the most, while reads are expected.

    Times are monotonic seconds. For what *put_off* is see `policies.allowance`.
    """

    most: int
    window: float
    put_off: float
    writes: Backlog = field(factory=Backlog, init=False)
    reads: ReadUse = field(init=False)
    _until: float = field(default=-math.inf, init=False)
    _owed: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.reads = ReadUse(self.window)

    def expect_reads(self, until: float, owed: int) -> None:
        """Expect reads *until* then; *owed* of them have to be made in any case."""
        self._until, self._owed = max(self._until, until), owed

    def keep(self, now: float, slots: Slots, waiting: int) -> tuple[int, float]:
        """Return how many slots a write has to leave free, and until when; *waiting* writes wait for a slot."""
        if now >= self._until:
            return 0, math.inf
        return max(0, math.ceil(self.kept(now, slots, waiting)) - self.reads.recent(now)), self._until

    def kept(self, now: float, slots: Slots, waiting: int) -> float:
        """Return how many requests of a window are the reads'."""
        if not self.writes.total or not slots.can_plan(now):
            return self.most
        writes, limit, window = max(self.writes.total, waiting), slots.limit, self.window

        def slot_at(number: int) -> float:
            return slots.slot_at(now, number)

        if self._owed and self.most:
            return kept_for_owed(now, owed=self._owed, writes=writes, limit=limit, window=window, slot_at=slot_at)
        return kept_for_reads(
            now,
            most=self.most,
            writes=writes,
            since=self.writes.since,
            limit=limit,
            window=window,
            put_off=self.put_off,
            slot_at=slot_at,
        )

    def is_pressed(self, now: float, slots: Slots) -> bool:
        """Return whether one slot less would have a batch that soon is over take a window more."""
        return bool(self.writes.total) and is_tight(
            self.writes.total,
            since=self.writes.since,
            limit=slots.limit,
            window=self.window,
            slot_at=lambda number: slots.slot_at(now, number),
        )
