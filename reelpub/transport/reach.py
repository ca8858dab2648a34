"""Whether a provider can be reached at all: that it can't is told once, and once more when it can be again."""

from __future__ import annotations

import logging

from reelpub.clocks import Clock

__all__ = ["Reach"]

_log = logging.getLogger("reelpub.transport")


class Reach:
    """What is known of a provider's reach, of which each answer and each connection that can't be made are told.

    `was_reached` says whether it ever answered: before that, it is the address that may be wrong.
    """

    def __init__(self, provider: str, clock: Clock) -> None:
        self.was_reached = False
        self._provider = provider
        self._clock = clock
        self._lost_at: float | None = None

    @property
    def lost_for(self) -> float | None:
        """Seconds for which the provider, reached before, has been out of reach; None while it isn't."""
        return None if self._lost_at is None else self._clock.monotonic() - self._lost_at

    def lost(self, error: Exception) -> None:
        """Note that no connection can be made any more."""
        if self._lost_at is None:
            self._lost_at = self._clock.monotonic()
            _log.warning("%s can't be reached; what waits is sent when it can be: %s", self._provider, error)

    def answered(self) -> None:
        """Note that an answer has begun."""
        self.was_reached = True
        if self._lost_at is not None:
            lasted, self._lost_at = self._clock.monotonic() - self._lost_at, None
            _log.warning("%s is reached again, after %.0f s", self._provider, lasted)
