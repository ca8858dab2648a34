"""When a row goes out: from what a person or a spreadsheet wrote to an instant, and what would be right otherwise."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from attrs import frozen

from reelpub.manifest.columns import suggest
from reelpub.models.problem import Problem
from reelpub.models.when import FoldPolicy, GapPolicy, LocalTime
from reelpub.policies.scheduling import instant

__all__ = ["CLOCK", "TimeRules", "advice", "as_written", "clock_text", "moment", "zone_problem"]

CLOCK: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ] *(\d\d?):(\d\d)(?::(\d\d)([.,]\d{1,9})?)? *([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
"""A date, a clock time and perhaps an offset, as people, spreadsheets and programs write them."""

_RIGHT: Final = "write it as 2027-03-28T14:30+02:00, or as 2027-03-28 14:30 with a zone"
_DATE: Final = re.compile(r"\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d-?\d", re.ASCII)
_SLASHED: Final = re.compile(r"(\d\d?)[/.-](\d\d?)[/.-](\d{4}|\d\d)(?:[ ,T]+(\d\d?:\d\d).*)?", re.ASCII)
_SERIAL: Final = re.compile(r"([2-9]\d{4})(?:[.,](\d+))?", re.ASCII)
_UNIX: Final = re.compile(r"(\d{10})(?:\d{3}|\.\d+)?", re.ASCII)
_EXCELS_FIRST_DAY: Final = datetime(1899, 12, 30)  # noqa: DTZ001  (a spreadsheet's day has no zone)


@frozen(kw_only=True)
class TimeRules:
    """How a clock time without an offset is read: its zone, and what to do where the zone skips or repeats it."""

    zone: str | None = None
    gap: GapPolicy = GapPolicy.REFUSE
    fold: FoldPolicy = FoldPolicy.REFUSE


def moment(text: str, rules: TimeRules, *, has_own_zone: bool = False) -> datetime | LocalTime | Problem:
    """Return when *text* is, or what is wrong with it and what would be right.

    *has_own_zone* says that the zone was given for this very time: beside an offset that is one too many.
    """
    read = as_written(text)
    if isinstance(read, Problem):
        return read
    if read.tzinfo is not None:
        if has_own_zone:
            return _problem(text, "has an offset already; leave the zone empty, or the offset out")
        when: datetime | LocalTime = read
    elif rules.zone is None:
        return _problem(
            text, "has no offset and no zone; add an offset, such as +02:00, or a zone, such as Europe/Oslo"
        )
    else:
        when = LocalTime(clock_text(text, read), rules.zone, gap=rules.gap, fold=rules.fold)
    found = instant(when)
    return found if isinstance(found, Problem) else when


@lru_cache(maxsize=1024)
def zone_problem(zone: str) -> Problem | None:
    """Return what is wrong with *zone* as an IANA time zone, with the one that may have been meant."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        guess = suggest(zone.replace(" ", "_"), _spellings()) if len(zone) < 100 else ""
        said = f"is no zone that this machine knows; give an IANA name such as Europe/Oslo{guess}"
        return Problem(field="zone", value=zone, message=said)
    return None


@lru_cache(maxsize=1)
def _spellings() -> tuple[str, ...]:
    # Without the names that only repeat others.
    return tuple(sorted(name for name in available_timezones() if not name.startswith(("posix/", "right/"))))


def as_written(text: str) -> datetime | Problem:
    """Return the time that *text* says, aware where it has an offset, or what is wrong with it and would be right."""
    trimmed = text.strip()
    written = CLOCK.fullmatch(trimmed)
    try:
        if written is not None:
            return datetime.fromisoformat(_iso(written))
        if _DATE.fullmatch(trimmed):
            return _problem(text, f"has no clock time; {_RIGHT}")
        # The rarer forms of ISO 8601.
        return datetime.fromisoformat(trimmed)
    except ValueError:
        said = "is no time that exists" if written is not None else advice(trimmed)
        return _problem(text, f"{said}; {_RIGHT}" if written is not None or not said else said)


def _iso(written: re.Match[str]) -> str:
    date, hour, minute, second, fraction, offset = written.groups()
    return f"{date}T{hour:0>2}:{minute}:{second or '00'}{(fraction or '')[:7]}{(offset or '').upper()}"


def clock_text(text: str, read: datetime) -> str:
    """Return the clock time as it was written, if that is ISO, for people to know it again."""
    trimmed = text.strip()
    try:
        return trimmed if datetime.fromisoformat(trimmed) == read else read.isoformat()
    except ValueError:
        return read.isoformat()


def _problem(text: str, message: str) -> Problem:
    return Problem(field="at", value=text[:200], message=message)


def advice(text: str) -> str:
    """Return what *text* may be, and how that is written."""
    slashed, serial, unix = _SLASHED.fullmatch(text), _SERIAL.fullmatch(text), _UNIX.fullmatch(text)
    if slashed is not None:
        return _dates(*slashed.groups())
    if serial is not None:
        days = float(f"{serial[1]}.{serial[2] or 0}"[:18])
        meant = (_EXCELS_FIRST_DAY + timedelta(minutes=round(days * 1440))).isoformat(sep=" ", timespec="minutes")
        return f"is a spreadsheet's number for {meant}; write that, with the cell formatted as text"
    if unix is not None:
        meant = datetime.fromtimestamp(int(unix[1]), UTC).isoformat()
        return f"is a number of seconds; if it is Unix time, write {meant}"
    return f"is no time that can be read; {_RIGHT}"


def _dates(first: str, second: str, year: str, clock: str | None) -> str:
    year = year if len(year) == 4 else f"20{year}"
    orders = [(second, first), (first, second)] if first != second else [(first, second)]
    clock = (clock or "14:30").rjust(5, "0")
    meant = [f"{year}-{month:0>2}-{day:0>2} {clock}" for month, day in orders if int(month) <= 12 and int(day) <= 31]
    if not meant:
        return f"is no time that can be read; {_RIGHT}"
    doubt = "doesn't say which number is the month; " if len(meant) > 1 else "isn't written as year, month and day; "
    return f"{doubt}write {' or '.join(meant)}"
