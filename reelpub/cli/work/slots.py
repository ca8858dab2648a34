"""Times for the rows of a file that have none: one after the other, from a start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import click
from attrs import evolve, frozen

from reelpub.cli.durations import Step, step, times
from reelpub.cli.work.request import when_from
from reelpub.manifest.rows import ManifestRow
from reelpub.manifest.times import as_written
from reelpub.models.problem import Problem
from reelpub.models.when import LocalTime
from reelpub.policies.scheduling import instant

__all__ = ["Slots", "options_for_slots", "slots_from", "with_times"]

Command = TypeVar("Command", bound=Callable[..., Any])
Prepare = Callable[[Iterable[ManifestRow]], Iterable[ManifestRow]]


_MISSING = "is missing; give the row a time, or all that have none with --start TIME --every 2h"
_TOO_LATE = "would come after the end of the calendar; begin sooner with --start, or let them be closer with --every"


@frozen(kw_only=True)
class Slots:
    """The times that rows without one get: *start* as it was written, what that means, and how far they are apart."""

    written: str
    start: datetime | LocalTime
    every: Step


def options_for_slots(command: Command) -> Command:
    """Add ``--start`` and ``--every``."""
    command = click.option(
        "--every",
        metavar="TIME",
        callback=step,
        help="How far the rows that get their times from --start are apart, in m, h, d or w, e.g. --every 90m. Days "
        "keep the clock time of the zone when its clocks change; hours are hours that pass.",
    )(command)
    return click.option(
        "--start",
        metavar="TIME",
        help="The time of the first row without one, with an offset or together with --zone, e.g. --start "
        "2027-03-28T09:00+02:00 --every 2h.",
    )(command)


def slots_from(written: str | None, every: Step | None, zone: str | None) -> Slots | None:
    """Return the times that the options ask for; None where they weren't given.

    Raises:
        click.UsageError: one is given without the other, or the start is no time, or not just one in its zone.
    """
    start = when_from(written, zone if _is_clock_time(written) else None, option="--start")
    if (start is None) != (every is None):
        raise click.UsageError("--start and --every go together, such as --start 2027-03-28T09:00+02:00 --every 2h")
    if written is None or start is None or every is None:
        return None
    wrong = instant(start)
    if isinstance(wrong, Problem):
        # What a row can name a policy for, an option says with an offset.
        said = wrong.message.partition(";")[0]
        raise click.UsageError(f"--start: {written!r} {said}; give another time, or this one with an offset")
    return Slots(written=written.strip(), start=start, every=every)


def _is_clock_time(text: str | None) -> bool:
    """Return whether *text* needs a zone: it is a time without an offset, or no time, which is told later."""
    moment = None if text is None else as_written(text)
    return isinstance(moment, Problem) or (moment is not None and moment.tzinfo is None)


def with_times(slots: Slots | None, *, are_needed: bool = True) -> Prepare:
    """Return what gives rows without a time the next of *slots*; without any it says that they have none.

    Unless they *are_needed*: then such rows stay as they are.
    """

    def prepare(rows: Iterable[ManifestRow]) -> Iterator[ManifestRow]:
        following = times(slots.start, slots.every) if slots is not None else iter(())
        for row in rows:
            if row.request is None or row.request.at is not None or row.skip is not None or _has_time(row):
                yield row
            elif (at := next(following, None)) is not None:
                yield evolve(row, request=evolve(row.request, at=at))
            elif slots is not None or are_needed:
                problem = Problem(field="at", message=_MISSING if slots is None else _TOO_LATE)
                yield evolve(row, problems=(*row.problems, row.locate(problem)))
            else:
                yield row

    return prepare


def _has_time(row: ManifestRow) -> bool:
    """Return whether the row says when, in whatever way: one that can't be read takes no other row's time."""
    return any(found.problem.field.partition(".")[0] == "at" for found in row.problems)
