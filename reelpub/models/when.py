"""Times as people write them: a wall-clock time in a zone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

__all__ = ["FoldPolicy", "GapPolicy", "LocalTime"]


class GapPolicy(StrEnum):
    """What to do with a clock time that a zone skips (clocks go forward)."""

    REFUSE = "refuse"
    EARLIER = "earlier"
    """Read it with the offset in force after the gap, which lands before it."""
    LATER = "later"
    """Read it with the offset in force before the gap, which lands after it."""


class FoldPolicy(StrEnum):
    """What to do with a clock time that comes twice (clocks go back)."""

    REFUSE = "refuse"
    FIRST = "first"
    SECOND = "second"


@frozen
class LocalTime:
    """A clock time in an IANA zone, such as ``LocalTime("2027-03-28 02:30", "Europe/Oslo")``.

    *clock* is a naive datetime or ISO text without an offset. A time that the zone skips or has twice is refused
    unless *gap* or *fold* says how to read it.
    """

    clock: str | datetime
    zone: str
    gap: GapPolicy = field(default=GapPolicy.REFUSE, kw_only=True)
    fold: FoldPolicy = field(default=FoldPolicy.REFUSE, kw_only=True)

    def __str__(self) -> str:
        return f"{self.clock} {self.zone}"
