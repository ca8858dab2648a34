"""A plan in words: each finding on a line that editors can follow, what it comes to, and when what goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from itertools import islice
from typing import Any, Final

from reelpub.bulk.calendar import PlannedRow, days, zone_name
from reelpub.bulk.plan import Plan
from reelpub.bulk.tally import PublisherPlan
from reelpub.cli.durations import spoken
from reelpub.cli.show.encode import encode, record
from reelpub.cli.show.listing import Entry, Listing, Span
from reelpub.cli.show.printable import clean, shorten
from reelpub.cli.show.words import so_many
from reelpub.manifest.rows import RowProblem

__all__ = ["calendar", "finding_line", "finding_record", "left_out", "plan_record", "row_record", "summary", "verdict"]

_VALUE: Final = 200
"""Characters of a value that a record of a finding shows."""

_COLUMNS: Final = ("Day", "UTC", "Local", "Line", "Publisher", "Post", "Accounts")
"""What may be long comes last: on a narrow terminal it has a line of its own."""

_TOGETHER: Final = 1_000
"""Rows of the calendar that are laid out together."""


def finding_line(name: str, found: RowProblem) -> str:
    """Return a finding as compilers write theirs: ``FILE:LINE:COLUMN: error: column: what is wrong``."""
    place, problem = found.place, found.problem
    said = str(problem).removeprefix(f"{problem.field}: ")
    kind = "error" if found.is_error else "warning"
    return clean(f"{name}:{max(1, place.line)}:{place.position or 1}: {kind}: {place.column or problem.field}: {said}")


def finding_record(name: str, found: RowProblem) -> dict[str, Any]:
    """Return a finding's object."""
    place, problem = found.place, found.problem
    members = {
        "severity": problem.severity,
        "file": name,
        "row": found.row,
        "line": place.line,
        "position": place.position,
        "column": place.column,
        "field": problem.field,
        "message": problem.message,
        "value": _short(problem.value),
        "limit": problem.limit,
    }
    return {"type": "finding", **encode(members)}


def _short(value: object) -> object:
    return value if value is None or isinstance(value, (bool, int, float)) else shorten(value, _VALUE)


def row_record(row: PlannedRow, zone: tzinfo | None) -> dict[str, Any]:
    """Return the object of a row that can be sent; `local` is its time in *zone* or the one it was written in."""
    local = row.local(zone)
    return record(
        "row",
        row=row.number,
        line=row.line,
        publisher=row.publisher,
        post=row.label,
        accounts=row.accounts,
        at=row.at,
        local=local,
        zone=zone_name(local),
        is_timed=row.is_timed,
        is_kept_here=row.is_kept_here,
        posts=row.posts,
        requests=row.requests,
    )


def plan_record(name: str, plan: Plan) -> dict[str, Any]:
    """Return the object of the whole plan, the last one."""
    return record(
        "plan",
        file=name,
        is_sound=plan.is_sound,
        rows=plan.rows,
        sound=plan.sound,
        new=plan.new,
        remembered=plan.remembered,
        skipped=plan.skipped,
        errors=plan.errors,
        warnings=plan.warnings,
        posts=plan.posts,
        requests=plan.requests,
        seconds=plan.seconds,
        first_at=plan.first_at,
        last_at=plan.last_at,
        publishers=[{**encode(one), "requests": one.requests} for one in plan.publishers],
        reads=plan.reads,
        unread={publisher: str(error) for publisher, error in plan.unread.items()},
        notes=plan.notes,
    )


def summary(plan: Plan) -> Listing:
    """List what each publisher gets to do."""
    rows = tuple(_publisher_row(one) for one in plan.publishers)
    columns = ("Publisher", "Rows", "Posts", "Later", "Requests, about", "Limit", "Time")
    return Listing(columns=columns, rows=rows)


def _publisher_row(one: PublisherPlan) -> tuple[Entry, ...]:
    texts = (
        one.publisher,
        one.rows,
        one.posts,
        _later(one),
        f"{one.requests} ({one.writes} write, {one.reads + one.following} read)",
        f"{one.limit} in {one.window:g} s",
        spoken(one.seconds),
    )
    return tuple((Span(str(text)),) for text in texts)


def _later(one: PublisherPlan) -> str:
    parts = [f"{one.scheduled}"] if one.scheduled else []
    if one.kept_here:
        parts.append(f"{one.kept_here} kept here")
    return ", ".join(parts) or "-"


def verdict(plan: Plan, *, planning: str, sending: str) -> list[str]:
    """Return what a person has to know of the whole: what couldn't be known, the counts, and what to do next.

    *planning* is the command that plans the file, *sending* the one that sends it.
    """
    lines = [f"note: {note}" for note in plan.notes]
    lines += [
        f"the accounts of {publisher} couldn't be read, so they weren't checked: {error}"
        for publisher, error in plan.unread.items()
    ]
    if any(one.kept_here for one in plan.publishers):
        lines.append("note: what is kept here is too soon for its provider; publishing has to run until then")
    if plan.reads:
        told = ", ".join(f"{so_many(count, 'read')} at {publisher}" for publisher, count in plan.reads.items())
        lines.append(f"planning took {told}, and no writes")
    return [*lines, _counts(plan), _next_step(plan, planning, sending)]


def left_out(reasons: Iterable[str]) -> list[str]:
    """Return how many rows are left out, for each of *reasons*."""
    counted = Counter(reasons).items()
    return [f"{so_many(count, 'row')} left out: {'it' if count == 1 else 'each'} {why}" for why, count in counted]


def _counts(plan: Plan) -> str:
    skipped = f", {plan.skipped} left out by result_status" if plan.skipped else ""
    known = f", {plan.remembered} asked for before" if plan.remembered else ""
    return (
        f"{so_many(plan.rows, 'row')}: {plan.new} can be sent{known}{skipped}; "
        f"{so_many(plan.errors, 'error')}, {so_many(plan.warnings, 'warning')}"
    )


def _next_step(plan: Plan, planning: str, sending: str) -> str:
    if plan.errors:
        return f"nothing was sent; mend the errors, then: {planning}"
    if plan.unread:
        return f"see to the keys and the network, then: {planning}"
    return f"send it with: {sending}" if plan.new else "there is nothing to send"


def calendar(rows: Sequence[PlannedRow], zone: tzinfo | None, *, most: int | None) -> Iterator[Listing]:
    """Yield listings of what goes out when, at most *most* rows in all, and so many in one that it can be laid out."""
    entries = islice(_entries(rows, zone), most)
    while part := tuple(islice(entries, _TOGETHER)):
        yield Listing(columns=_COLUMNS, rows=part)


def _entries(rows: Sequence[PlannedRow], zone: tzinfo | None) -> Iterator[tuple[Entry, ...]]:
    for day, found in days(rows, zone):
        for number, row in enumerate(found):
            yield _calendar_row(row, day, zone, is_first=number == 0)


def _calendar_row(row: PlannedRow, day: date, zone: tzinfo | None, *, is_first: bool) -> tuple[Entry, ...]:
    local = row.local(zone)
    texts = (
        f"{day.isoformat()} {day:%a}" if is_first else "",
        ("" if row.is_timed else "about ") + _clock(row.at, day),
        f"{_clock(local, day)} {zone_name(local)}",
        str(row.line),
        row.publisher + (" (kept here)" if row.is_kept_here else ""),
        row.label,
        ", ".join(row.accounts) or "-",
    )
    return tuple((Span(shorten(text, 80)),) for text in texts)


def _clock(at: datetime, day: date) -> str:
    return f"{at:%H:%M}" if at.date() == day else f"{at:%Y-%m-%d %H:%M}"
