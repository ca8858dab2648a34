"""Virtual time: a loop that jumps over every wait, so that an hour of pacing and polling takes a moment.

Sockets stay real: the loop looks for input before it moves its clock, so a client and a server that live in the same
loop (the SDK and the sandbox) speak HTTP as ever while time flies. Use it for tests and for computing what limits
allow. What waits on another process or machine must not run in it: nothing there moves with the loop's clock.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from reelpub.clocks import LoopClock

__all__ = ["VirtualLoop", "run_virtual"]

T = TypeVar("T")

GRACE = 0.0003
"""Real seconds that an idle look for input waits: bytes on loopback may need a moment to cross the kernel."""

RESOLUTION = 1e-6
"""Seconds by which a timer may run early."""

THREAD_STEP = 0.001
"""Real seconds between looks while a thread works for the loop; no time passes meanwhile."""


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for input, and where there is none, moves the loop's clock instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            return super().select(None)
        if self.threads:
            return super().select(THREAD_STEP)
        ready = super().select(GRACE)
        if not ready:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time jumps to the next timer whenever nothing can be read or run."""

    def __init__(self) -> None:
        self._virtual = _JumpingSelector()
        super().__init__(self._virtual)
        # From 2**24 s on (194 days) the default of 1 ns is less than floats of that size can tell apart, so that a
        # timer which has just come due would never be found to be.
        self._clock_resolution = RESOLUTION

    def time(self) -> float:
        """Return the virtual time, which starts at zero."""
        return self._virtual.now

    def call_at(  # type: ignore[override]  # the superclass pairs the types of callback and args
        self, when: float, callback: Callable[..., object], *args: Any, **options: Any
    ) -> asyncio.TimerHandle:
        """Call back at *when*.

        What is due in less than the resolution would run before the clock has moved; whoever then finds it too early
        and waits for the rest would do so for ever.
        """
        now = self.time()
        return super().call_at(max(when, now + RESOLUTION) if when > now else when, callback, *args, **options)

    def run_in_executor(  # type: ignore[override]  # the superclass pairs the types of func and args
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run *func* in a thread; the loop's clock stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._virtual.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: asyncio.Future[Any]) -> None:
        self._virtual.threads -= 1


def run_virtual(main: Callable[[LoopClock], Coroutine[Any, Any, T]], *, epoch: float = 1_800_000_000.0) -> T:
    """Run *main* in a loop of virtual time and return its result.

    *main* is given the clock to hand to the orchestrator, the publishers and the sandbox; *epoch* is the Unix time at
    which it starts.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main(LoopClock(epoch)))
