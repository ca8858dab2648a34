"""Lost answers that are to be looked up, put together by when, so that they share what the publisher reads."""

from __future__ import annotations

import math

from attrs import field, frozen

from reelpub.orchestrator.tracker import PartRef

__all__ = ["Looks"]

STEPS = 10
"""Steps of a second; looks that are due within the same one are made together."""


@frozen
class Looks:
    """Parts by when they are to be looked up, in monotonic seconds."""

    _due: dict[int, list[PartRef]] = field(factory=dict, init=False)

    def add(self, ref: PartRef, at: float) -> int | None:
        """Add a part to be looked up no earlier than *at*; return the step if it is the first of it, else None."""
        step = math.ceil(at * STEPS)
        together = self._due.setdefault(step, [])
        together.append(ref)
        return step if len(together) == 1 else None

    def take(self, step: int) -> list[PartRef]:
        """Return the parts of a step, and forget them."""
        return self._due.pop(step, [])

    @staticmethod
    def time_of(step: int) -> float:
        """Return when a step is due, in monotonic seconds."""
        return step / STEPS
