"""Signals: one asks to stop in order, a second stops at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

from attrs import define, field

from reelpub.cli.exits import ExitStatus

__all__ = ["Interrupts", "listening"]

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""SIGHUP comes when a terminal is closed; where it is ignored already, as under nohup, it stays so."""


@define
class Interrupts:
    """What signals ask for.

    The first one calls *stop*; the second calls *last_words* and ends the process with 130 there and then. What was
    sent is in the store either way: it is written before and after each request, not at the end.
    """

    stop: Callable[[], object]
    first_words: Callable[[], None] = field(default=lambda: None)
    last_words: Callable[[], None] = field(default=lambda: None)
    leave: Callable[[int], object] = field(default=os._exit)
    _count: int = field(default=0, init=False)

    def __call__(self) -> None:
        """Note one more signal."""
        self._count += 1
        if self._count == 1:
            # A terminal that is gone is no reason not to stop in order.
            with suppress(OSError):
                self.first_words()
            self.stop()
            return
        with suppress(OSError):
            self.last_words()
            sys.stdout.flush()
            sys.stderr.flush()
        self.leave(ExitStatus.INTERRUPTED)


@contextmanager
def listening(interrupts: Interrupts) -> Generator[None, None, None]:
    """Have signals go to *interrupts* while the ``with`` lasts; then they do what they did before.

    Where signals can't be had (another thread than the main one, or Windows), nothing changes.
    """
    before: dict[int, Any] = {}
    loop = asyncio.get_running_loop()
    for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
        handler = signal.getsignal(number)
        if handler is signal.SIG_IGN:
            continue
        with suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, interrupts)
            before[number] = handler
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
