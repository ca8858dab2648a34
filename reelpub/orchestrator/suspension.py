"""A clock that runs through suspension, for the last look before a request leaves."""

from __future__ import annotations

import time

__all__ = ["elapsed_clock"]

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


def elapsed_clock() -> float:
    """Return seconds that also pass while the process is stopped and, where the system can tell, while it sleeps.

    A process that was stopped between noting its intent and sending must find, when it goes on, that its send deadline
    has passed. Linux has CLOCK_BOOTTIME for that; elsewhere the monotonic clock at least runs while a process is
    stopped. See https://man7.org/linux/man-pages/man2/clock_gettime.2.html.
    """
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)
