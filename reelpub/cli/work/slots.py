"""Times for the rows of a file that have none: one after the other, from a start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from shlex import quote
from typing import Any, TypeVar

import click
from attrs import evolve, frozen

from reelpub.cli.durations import Step, step, times
from reelpub.cli.work.request import when_from
from reelpub.manifest.rows import ManifestRow
from reelpub.models.problem import Problem
from reelpub.models.when import LocalTime

__all__ = ["Slots", "options_for_slots", "slots_from", "with_times"]

Command = TypeVar("Command", bound=Callable[..., Any])
Prepare = Callable[[Iterable[ManifestRow]], Iterable[ManifestRow]]


@frozen(kw_only=True)
class Slots:
    """The times that rows without one get: *start* as it was written, what that means, and how far they are apart."""

    written: str
    start: datetime | LocalTime
    every: Step

    @property
    def options(self) -> str:
        """The options that ask for them."""
        return f"--start {quote(self.written)} --every {self.every}"


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
        click.UsageError: one is given without the other, or the start is no time.
    """
    start = when_from(written, zone if _is_clock_time(written) else None, option="--start")
    if (start is None) != (every is None):
        raise click.UsageError("--start and --every go together, such as --start 2027-03-28T09:00+02:00 --every 2h")
    if written is None or start is None or every is None:
        return None
    return Slots(written=written.strip(), start=start, every=every)


def _is_clock_time(text: str | None) -> bool:
    """Return whether *text* needs a zone: it is a time without an offset, or no time, which is told later."""
    try:
        return text is not None and datetime.fromisoformat(text.strip()).tzinfo is None
    except ValueError:
        return True


def with_times(slots: Slots | None, *, are_needed: bool = True) -> Prepare:
    """Return what gives rows without a time the next of *slots*; without any it says that they have none.

    Unless they *are_needed*: then such rows stay as they are.
    """

    def prepare(rows: Iterable[ManifestRow]) -> Iterator[ManifestRow]:
        following = times(slots.start, slots.every) if slots is not None else None
        for row in rows:
            if row.request is None or row.request.at is not None or row.skip is not None or _has_time(row):
                yield row
            elif following is not None:
                yield evolve(row, request=evolve(row.request, at=next(following)))
            elif are_needed:
                message = "is missing; give the row a time, or all that have none with --start TIME --every 2h"
                yield evolve(row, problems=(*row.problems, row.locate(Problem(field="at", message=message))))
            else:
                yield row

    return prepare


def _has_time(row: ManifestRow) -> bool:
    """Return whether the row says when, in whatever way: one that can't be read takes no other row's time."""
    return any(found.problem.field.partition(".")[0] == "at" for found in row.problems)
