"""Lengths of time as people type them: ``2h``, ``1d12h``, ``-30m``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import click
from attrs import frozen

from reelpub.models.when import FoldPolicy, LocalTime

__all__ = ["Step", "duration", "spoken", "step", "times"]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PART = re.compile(r"(\d+)\s*([smhdw])", re.IGNORECASE)
_WHOLE = re.compile(r"\s*([+-]?)\s*((?:\d+\s*[smhdw]\s*)+)", re.IGNORECASE)
_KINDS = "with s, m, h, d or w, such as 2h, 90m or 1d12h"


@frozen(kw_only=True)
class Step:
    """How far apart times are: *days* on the calendar, and *seconds* that pass."""

    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        """As it is typed: ``1d``, ``2h``, ``1d90m``."""
        unit, size = next((unit, size) for unit, size in (("h", 3600), ("m", 60), ("s", 1)) if self.seconds % size == 0)
        days = f"{self.days}d" if self.days else ""
        return days + (f"{self.seconds // size}{unit}" if self.seconds else "")

    def after(self, start: datetime, times: int) -> datetime:
        """Return *start* moved on by so many steps.

        Days keep the clock time of *start*'s zone, whatever its clocks do in between; hours are hours that pass.
        """
        moved = start + timedelta(days=self.days * times)
        if not self.seconds:
            return moved
        passed = moved.astimezone(ZoneInfo("UTC")) + timedelta(seconds=self.seconds * times)
        return passed.astimezone(start.tzinfo)


def _parts(text: str) -> tuple[int, list[tuple[int, str]]] | None:
    found = _WHOLE.fullmatch(text)
    if found is None:
        return None
    return -1 if found[1] == "-" else 1, [(int(number), unit.lower()) for number, unit in _PART.findall(found[2])]


def duration(context: click.Context, parameter: click.Parameter, value: str | None) -> timedelta | None:
    """Read a length of time, which may be negative; a callback for `click.option`."""
    if value is None:
        return None
    read = _parts(value)
    if read is None:
        raise click.BadParameter(f"{value!r} isn't a length of time: numbers {_KINDS}", ctx=context, param=parameter)
    sign, parts = read
    seconds = sign * sum(number * _SECONDS[unit] for number, unit in parts)
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise click.BadParameter(f"{value!r} is too long", ctx=context, param=parameter) from None


def step(context: click.Context, parameter: click.Parameter, value: str | None) -> Step | None:
    """Read how far apart times are, more than nothing; a callback for `click.option`."""
    if value is None:
        return None
    read = _parts(value)
    if read is None or read[0] < 0 or not any(number for number, _ in read[1]):
        raise click.BadParameter(f"{value!r} isn't a length of time: numbers {_KINDS}", ctx=context, param=parameter)
    days = sum(number * {"d": 1, "w": 7}.get(unit, 0) for number, unit in read[1])
    seconds = sum(number * _SECONDS[unit] for number, unit in read[1] if unit in "smh")
    if days > 36_500 or seconds > 36_500 * 86_400:
        raise click.BadParameter(f"{value!r} is too long", ctx=context, param=parameter)
    return Step(days=days, seconds=seconds)


def times(start: datetime | LocalTime, every: Step) -> Iterator[datetime | LocalTime]:
    """Yield *start* and the times after it, *every* step one, until the calendar ends.

    A clock time stays one where the step is whole days, so that a gap or a fold of its zone is judged like any other
    row's; with hours in the step the start is read as an instant first.
    """
    with suppress(OverflowError):
        yield from _times(start, every)


def _times(start: datetime | LocalTime, every: Step) -> Iterator[datetime | LocalTime]:
    if isinstance(start, datetime):
        return (every.after(start, number) for number in count())
    clock = datetime.fromisoformat(str(start.clock))
    if not every.seconds:
        return (LocalTime(clock + timedelta(days=every.days * number), start.zone) for number in count())
    first = clock.replace(tzinfo=ZoneInfo(start.zone))
    return (_by_the_clock(every.after(first, number), start.zone) for number in count())


def _by_the_clock(at: datetime, zone: str) -> LocalTime:
    """Return *at*, which is in *zone*, as its clock time, so that its zone is told by its name wherever it is shown."""
    is_doubled = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
    fold = (FoldPolicy.SECOND if at.fold else FoldPolicy.FIRST) if is_doubled else FoldPolicy.REFUSE
    return LocalTime(at.replace(tzinfo=None, fold=0).isoformat(sep=" "), zone, fold=fold)


def spoken(seconds: float) -> str:
    """Return a length of time in words a person would use: ``40 s``, ``6 min``, ``3 h 20 min``, ``2 days``."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(seconds / 86_400)} days"
