"""Which timed things can share one request, where a provider takes a first time and one constant interval."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from attrs import define, field

__all__ = ["evenly_spaced"]

T = TypeVar("T")


def evenly_spaced(
    items: Iterable[T],
    *,
    at: Callable[[T], int],
    key: Callable[[T], Hashable],
    max_size: int,
    min_interval: int,
) -> list[list[T]]:
    """Return *items* in batches whose times are ``first + i * interval``, the batch with the earliest first time first.

    *at* gives a time in whole seconds, *key* what all members of a batch have to share. No batch has more than
    *max_size* members, and no two members are less than *min_interval* seconds apart. Every item is in exactly one
    batch; items due at the same time keep their order.

    Greedy in due order: an item goes to the batch whose next time it is, else it makes a pair with the oldest batch
    of one, else it starts a batch. That costs one step for each item and isn't always the least number of batches.
    """
    shelves: dict[Hashable, _Shelf[T]] = {}
    batches: list[list[T]] = []
    for item in sorted(items, key=at):
        shelf = shelves.setdefault(key(item), _Shelf(max_size=max_size, min_interval=min_interval))
        if not shelf.place(item, at(item)):
            batches.append(shelf.start(item, at(item)))
    return batches


@define(kw_only=True)
class _Row(Generic[T]):
    """A batch that can still grow. `interval` is 0 while it has one member."""

    members: list[T]
    last: int
    interval: int = 0


@define(kw_only=True)
class _Shelf(Generic[T]):
    """The open batches of one key: those of one member, oldest first, and the others by their next time."""

    max_size: int
    min_interval: int
    singles: deque[_Row[T]] = field(factory=deque)
    rows: dict[int, deque[_Row[T]]] = field(factory=dict)

    def place(self, item: T, at: int) -> bool:
        """Put *item* into an open batch, if one can take it."""
        row = self._expecting(at) or self._single(at)
        if row is None:
            return False
        row.interval = at - row.last
        row.last = at
        row.members.append(item)
        if len(row.members) < self.max_size:
            self.rows.setdefault(at + row.interval, deque()).append(row)
        return True

    def start(self, item: T, at: int) -> list[T]:
        """Open a batch with *item* and return its members, to which later ones are added."""
        row = _Row(members=[item], last=at)
        if self.max_size > 1:
            self.singles.append(row)
        return row.members

    def _expecting(self, at: int) -> _Row[T] | None:
        rows = self.rows.get(at)
        return rows.popleft() if rows else None

    def _single(self, at: int) -> _Row[T] | None:
        # The oldest is the farthest away: if it is too close, all are.
        if self.singles and at - self.singles[0].last >= self.min_interval:
            return self.singles.popleft()
        return None
