"""Instants and durations as people read them: clock times in one zone, with UTC at hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from attrs import frozen

from reelpub.errors import ConfigurationError
from reelpub.manifest.times import zone_problem

__all__ = ["Zone", "milliseconds", "offset_text", "spoken", "zone_named"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def milliseconds(at: datetime) -> int:
    """Return Unix time in milliseconds, as JavaScript counts it."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


@frozen
class Zone:
    """The zone in which a report tells its times; `name` is what people call it."""

    name: str
    zone: ZoneInfo

    def offset(self, at: datetime) -> timedelta:
        """Return how far the clocks are ahead of UTC at *at*; 0 at the ends of the calendar."""
        try:
            return at.astimezone(self.zone).utcoffset() or timedelta()
        except OverflowError:
            return timedelta()

    def wall(self, at: datetime) -> datetime:
        """Return the clock time at *at*, without a zone."""
        return at.astimezone(UTC).replace(tzinfo=None) + self.offset(at)

    def day(self, at: datetime) -> date:
        """Return the day that it is at *at*."""
        return self.wall(at).date()

    def clock(self, at: datetime) -> str:
        """Return *at* as ``2027-03-01 14:05:09``."""
        return self.wall(at).isoformat(sep=" ", timespec="seconds")

    def offsets(self, instants: Iterable[int]) -> list[tuple[int, int]]:
        """Return from which of *instants* (Unix milliseconds) on the clocks are ahead of UTC by how many seconds.

        A page that is given these tells the times of *instants* as this does, whatever its browser knows of zones.
        """
        found: list[tuple[int, int]] = []
        for instant in sorted(set(instants)):
            ahead = int(self.offset(_EPOCH + timedelta(milliseconds=instant)).total_seconds())
            if not found or found[-1][1] != ahead:
                found.append((instant, ahead))
        return found


def zone_named(name: str) -> Zone:
    """Return the IANA zone of that name.

    Raises:
        ConfigurationError: this machine knows no such zone.
    """
    wrong = zone_problem(name)
    if wrong is not None:
        raise ConfigurationError(f"{name!r} {wrong.message}")
    return Zone(name, ZoneInfo(name))


def offset_text(offset: timedelta) -> str:
    """Return an offset as ``UTC+02:00``."""
    minutes = round(offset.total_seconds() / _MINUTE)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def spoken(seconds: float) -> str:
    """Return a duration as ``0.4 s``, ``42 s``, ``3 min 20 s``, ``2 h 5 min`` or ``3 d 4 h``."""
    if seconds < 10:
        return f"{int(seconds * 10 + 0.5) / 10:g} s"
    whole = int(seconds + 0.5)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    return _two(whole, _HOUR, "h", _MINUTE, "min") if whole < _DAY else _two(whole, _DAY, "d", _HOUR, "h")


def _two(seconds: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large} {large_name}" + (f" {rest} {small_name}" if rest else "")
