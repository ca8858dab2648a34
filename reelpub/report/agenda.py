"""The calendar of a run: every row with a time of its own, month by month."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from attrs import frozen

from reelpub.bulk.due import due_at
from reelpub.bulk.record import RowRecord
from reelpub.report.times import Zone

__all__ = ["Day", "Entry", "Month", "agenda"]


@frozen
class Entry:
    """A row that goes out, or went, or should have gone, at *at*."""

    at: datetime
    row: RowRecord


@frozen
class Day:
    """One day with its entries in their order; days of the months before and after have none."""

    date: date
    entries: tuple[Entry, ...] = ()


@frozen
class Month:
    """One month in weeks of seven days from Monday; those outside of the month are None."""

    first: date
    weeks: tuple[tuple[Day | None, ...], ...]

    @property
    def count(self) -> int:
        """How many entries it has."""
        return sum(len(day.entries) for week in self.weeks for day in week if day is not None)


def agenda(rows: Iterable[RowRecord], zone: Zone) -> tuple[Month, ...]:
    """Return the months in which rows go out by the clocks of *zone*; months without any are left out."""
    days: dict[date, list[Entry]] = {}
    for row in rows:
        at = due_at(row)
        if at is not None:
            days.setdefault(zone.day(at), []).append(Entry(at, row))
    ordered = {
        day: tuple(sorted(entries, key=lambda entry: (entry.at, entry.row.number))) for day, entries in days.items()
    }
    return tuple(_month(first, ordered) for first in sorted({day.replace(day=1) for day in days}))


def _month(first: date, days: Mapping[date, tuple[Entry, ...]]) -> Month:
    weeks = Calendar().monthdayscalendar(first.year, first.month)
    return Month(first, tuple(tuple(_day(first, number, days) for number in week) for week in weeks))


def _day(first: date, number: int, days: Mapping[date, tuple[Entry, ...]]) -> Day | None:
    if not number:
        return None
    day = first.replace(day=number)
    return Day(day, days.get(day, ()))
