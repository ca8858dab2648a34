"""Ending what takes too long, with one timer of the loop for all requests under way.

`asyncio.timeout` sets a timer for each request and cancels it again, which hardly any request needs: 8 us of CPU of
the 80 that aiohttp takes for a whole one. Here the timer stays where it is when a request ends, and looks for the next
one that is due when it fires.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["Deadline", "Deadlines"]


class Deadline:
    """Ends the block that it is entered for once *at*, a time of the loop, has come: with `TimeoutError`.

    What it does to the task is what `asyncio.timeout` does, so that the two nest, and a cancellation from outside stays
    one.
    """

    __slots__ = ("_book", "_cancelling", "_has_struck", "_task", "at")

    def __init__(self, book: Deadlines, at: float) -> None:
        self._book = book
        self._has_struck = False
        self.at = at

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task that it can end")
        self._task = task
        self._cancelling = task.cancelling()
        self._book.add(self)

    def strike(self) -> None:
        """End the block."""
        self._has_struck = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._book.remove(self)
        if self._has_struck and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


class Deadlines:
    """The deadlines of one loop's requests under way. Only one loop at a time may use it."""

    def __init__(self) -> None:
        self._open: set[Deadline] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> Deadline:
        """Return the deadline *seconds* (of the loop) from now; enter it with ``with``."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # Whatever was open in a loop before this one is gone with it.
            self._loop, self._timer = loop, None
            self._open.clear()
        return Deadline(self, loop.time() + seconds)

    def add(self, deadline: Deadline) -> None:
        """Watch *deadline*."""
        self._open.add(deadline)
        if self._timer is None or deadline.at < self._timer.when():
            self._set(deadline.at)

    def remove(self, deadline: Deadline) -> None:
        """Watch *deadline* no more. The timer stays: setting it anew is what this saves."""
        self._open.discard(deadline)

    def close(self) -> None:
        """Leave no timer behind, but where a request is still under way: that one keeps its deadline."""
        if not self._open:
            self._drop_timer()

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, at: float) -> None:
        self._drop_timer()
        self._timer = asyncio.get_running_loop().call_at(at, self._look, at)

    def _look(self, at: float) -> None:
        self._timer = None
        # By *at* rather than by the clock: a loop runs a timer up to its clock's resolution early.
        for deadline in [deadline for deadline in self._open if deadline.at <= at]:
            self._open.discard(deadline)
            deadline.strike()
        if self._open:
            self._set(min(deadline.at for deadline in self._open))
