"""Work waiting for a worker: what is ready, in order of priority and due time, and what has to wait for its time."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import anyio
from attrs import define, field, frozen

__all__ = ["Work", "WorkQueue", "Worker"]


@define(eq=False)
class Worker:
    """One worker. `is_sending` is set while a request that can't be repeated may be on the wire."""

    scope: anyio.CancelScope = field(factory=anyio.CancelScope)
    has_begun: bool = False
    is_sending: bool = False
    _is_leaving: bool = field(default=False, init=False)

    def leave(self) -> None:
        """Stop it now, or let it see out what is on the wire; nothing more is to leave by it."""
        self._is_leaving = True
        if not self.is_sending:
            self.scope.cancel()

    def sent_nothing(self) -> None:
        """Note that what was on the wire provably did nothing, and would leave again."""
        self.is_sending = False
        if self._is_leaving:
            self.scope.cancel()


@frozen(kw_only=True, eq=False)
class Work:
    """Something to run. Lower `priority` first, then lower `due`, then first come first served.

    `drop` is called instead of `run`, with the reason, when it won't be run any more. What waits for a time of the wall
    clock has that, in Unix seconds, as `wall`: it comes due by that clock, which goes on while the machine sleeps and
    may be set. `begin` is then called once in the place of `run`, to decide anew.
    """

    run: Callable[[Worker], Awaitable[None]]
    drop: Callable[[str], None]
    priority: int = 1
    due: float = 0.0
    wall: float | None = None
    begin: Callable[[], None] | None = None


@frozen
class WorkQueue:
    """Two heaps: ready, and later. Times are monotonic seconds, passed in."""

    _ready: list[tuple[int, float, int, Work]] = field(factory=list, init=False)
    _later: list[tuple[float, int, Work]] = field(factory=list, init=False)
    _order: Iterator[int] = field(factory=count, init=False)

    @property
    def has_ready(self) -> bool:
        """Whether something can run now."""
        return bool(self._ready)

    @property
    def next_at(self) -> float | None:
        """When the earliest of what waits becomes ready."""
        return self._later[0][0] if self._later else None

    def put(self, work: Work, *, at: float | None = None) -> None:
        """Add *work*, to become ready at *at* if that is given."""
        if at is None:
            heapq.heappush(self._ready, (work.priority, work.due, next(self._order), work))
        else:
            heapq.heappush(self._later, (at, next(self._order), work))

    @property
    def has_wall(self) -> bool:
        """Whether something waits for a time of the wall clock."""
        return any(work.wall is not None for _, _, work in self._later)

    def wake(self, now: float, wall: float) -> list[Work]:
        """Move what has come due to what is ready; return what is to decide anew first. *wall* is in Unix seconds."""
        early = {entry[1] for entry in self._later if entry[2].wall is not None and entry[2].wall <= wall}
        due = [entry[2] for entry in sorted(entry for entry in self._later if entry[1] in early)]
        if early:
            self._later[:] = [entry for entry in self._later if entry[1] not in early]
            heapq.heapify(self._later)
        while self._later and self._later[0][0] <= now:
            due.append(heapq.heappop(self._later)[2])
        for work in due:
            if work.begin is None:
                self.put(work)
        return [work for work in due if work.begin is not None]

    def take(self) -> Work | None:
        """Return what runs next, if anything is ready."""
        return heapq.heappop(self._ready)[3] if self._ready else None

    def clear(self) -> list[Work]:
        """Empty both heaps and return what was in them."""
        works = [entry[3] for entry in self._ready] + [entry[2] for entry in self._later]
        self._ready.clear()
        self._later.clear()
        return works
