"""Telling a rolling counter from the use of others, and when there is room again at one.

Such a server adds to the present window the one before, by how much of it is still in sight (as Upstash's and
Cloudflare's sliding windows do). So it shows our own use of a minute ago, which looks as if it were that of others.
"""

from __future__ import annotations

import math

from attrs import define, field

from reelpub.policies.sighting import Sighting

__all__ = ["Rolling"]

DOUBT = 1.5
"""Requests by which a count may be off: rounding, and one that is on its way."""

LEAST_EARLIER = 3.0
"""Requests of our own in sight of the window before, below which a rolling counter looks like any other."""

LEAST_FITS = 2
"""Times that a rolling counter has to be fitted before it is taken for one."""

APART = 1 / 12
"""Windows between two such times: others may have used just as much once."""


@define
class Rolling:
    """Whether a server's counter is a rolling one over *window* seconds; `is_proven` is None while nobody knows."""

    window: float
    is_proven: bool | None = None
    _fits: int = field(default=0, init=False)
    _fitted_at: float = field(default=-math.inf, init=False)

    def shown(self, sighting: Sighting) -> float:
        """Return how many requests of ours a rolling counter shows."""
        return sighting.own_counted + self._earlier(sighting)

    def most(self, sighting: Sighting) -> int:
        """Return how much of what is used would be ours if this were a rolling counter; 0 where it isn't one."""
        if self.is_proven is False or self._earlier(sighting) < 1.0:
            return 0
        return math.ceil(self.shown(sighting) + 1.0)

    def observe(self, now: float, sighting: Sighting) -> None:
        """Learn from an answer.

        Where enough of the window before is our own, what is shown either fits its weight time after time, or falls
        short of it once and for all.
        """
        earlier = self._earlier(sighting)
        if self.is_proven is False or earlier < LEAST_EARLIER:
            return
        # Only those that were answered before it was sent are surely in it: answers overtake each other.
        if sighting.used < sighting.own_sure + earlier - max(DOUBT, earlier / 2):
            self.is_proven = False
        elif sighting.used <= self.shown(sighting) + DOUBT and now >= self._fitted_at + APART * self.window:
            self._fits += 1
            self._fitted_at = now
            self.is_proven = True if self._fits >= LEAST_FITS else None

    def opens_in(self, sighting: Sighting, slack: float) -> float | None:
        """Return the seconds until there is room again, where a rolling counter shows our own use alone.

        None where it isn't proven to be one, where others use the key, and where there is room only in the next window.
        *slack* is by how many seconds the beginning of the server's window may be mistaken.
        """
        shown = self.shown(sighting)
        over = shown + 1 - sighting.limit
        if not self.is_proven or sighting.used > shown + DOUBT or over <= 0 or not sighting.own_before:
            return None
        seconds = self.window * over / sighting.own_before
        return seconds + slack if sighting.elapsed + seconds <= self.window else None

    def _earlier(self, sighting: Sighting) -> float:
        return sighting.own_before * max(0.0, 1.0 - sighting.elapsed / self.window)
