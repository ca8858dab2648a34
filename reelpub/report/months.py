"""The calendar's section: a table for each month, a row for each week."""

from __future__ import annotations

from collections.abc import Sequence

from reelpub.models.outcome import OutcomeStatus
from reelpub.report.agenda import Day, Entry, Month
from reelpub.report.html import Html, number, tag
from reelpub.report.look import TONES, badge
from reelpub.report.times import Zone

__all__ = ["calendar"]

_AT_ONCE = 4
"""Entries of a day that are seen before it is opened."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def calendar(months: Sequence[Month], zone: Zone) -> Html:
    """Return the section with *months*, told by the clocks of *zone*."""
    entries = [entry for month in months for week in month.weeks for day in week if day for entry in day.entries]
    waiting = sum(entry.row.status is OutcomeStatus.SCHEDULED for entry in entries)
    said = f"{number(len(entries))} posts have a time of their own, {_scheduled(waiting, len(entries))}."
    if len(entries) == 1:
        said = f"1 post has a time of its own{', and is scheduled' if waiting else ''}."
    return tag(
        "section",
        tag("h2", "Calendar", id="calendar-title"),
        tag("p", f"{said} Times are {zone.name}." if entries else "No post has a time of its own."),
        *(_month(month, zone) for month in months),
        id="calendar",
        aria_labelledby="calendar-title",
    )


def _scheduled(count: int, among: int) -> str:
    if count in (0, among):
        return "all of them are scheduled" if count else "none of them is scheduled"
    return f"{number(count)} of them {'is' if count == 1 else 'are'} scheduled"


def _month(month: Month, zone: Zone) -> Html:
    # The roles are named since a narrow screen shows it as a list, which would make it no table to a screen reader.
    name = f"{_MONTHS[month.first.month - 1]} {month.first.year}"
    heads = [tag("th", day, scope="col", role="columnheader") for day in _DAYS]
    weeks = [tag("tr", *(_day(day, zone) for day in week), role="row") for week in month.weeks]
    caption = tag("caption", tag("b", name), f" {number(month.count)} post{'' if month.count == 1 else 's'}")
    head = tag("thead", tag("tr", *heads, role="row"), role="rowgroup")
    return tag("table", caption, head, tag("tbody", *weeks, role="rowgroup"), class_="month", role="table")


def _day(day: Day | None, zone: Zone) -> Html:
    if day is None:
        return tag("td", class_="outside", role="cell")
    long = f"{_DAYS[day.date.weekday()]}, {day.date.day} {_MONTHS[day.date.month - 1]}"
    date = tag(
        "time",
        tag("span", str(day.date.day), class_="short", aria_hidden="true"),
        tag("span", long, class_="long"),
        datetime=day.date.isoformat(),
    )
    first, rest = day.entries[:_AT_ONCE], day.entries[_AT_ONCE:]
    more = tag("details", tag("summary", f"{number(len(rest))} more"), _entries(rest, zone)) if rest else None
    return tag(
        "td", date, _entries(first, zone) if first else None, more, class_=None if first else "free", role="cell"
    )


def _entries(entries: Sequence[Entry], zone: Zone) -> Html:
    return tag("ul", *(tag("li", _entry(entry, zone)) for entry in entries))


def _entry(entry: Entry, zone: Zone) -> Html:
    at, status = zone.clock(entry.at)[11:16], str(entry.row.status)
    return tag(
        "a",
        tag("b", at),
        " ",
        tag("bdi", entry.row.request),
        " ",
        badge(status),
        href=f"#row-{entry.row.number}",
        class_=f"entry {TONES.get(status, 'quiet')}",
    )
