"""`reelpub schedule`: the posts of a file, each at its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from attrs import evolve

from reelpub.cli import options
from reelpub.cli.durations import Step, step, times
from reelpub.cli.page import ENVIRONMENT, STORE_ENVIRONMENT, STORE_FILES, Example, Page
from reelpub.cli.setup import setup_of
from reelpub.cli.work.filerun import FileOrder, options_for_files, run_file
from reelpub.cli.work.request import when_from
from reelpub.manifest.rows import ManifestRow
from reelpub.models.problem import Problem
from reelpub.models.when import LocalTime

__all__ = ["schedule", "with_times"]


@click.command(
    cls=Page,
    examples=(
        Example("Schedule a file whose rows have times:", "reelpub schedule posts.csv --zone Europe/Oslo"),
        Example(
            "Give its rows times, one every two hours:",
            "reelpub schedule posts.csv --start 2027-03-28T09:00+02:00 --every 2h",
        ),
        Example(
            "One a day, at nine by the clock there:",
            "reelpub schedule posts.csv --start '2027-03-28 09:00' --every 1d --zone Europe/Oslo",
        ),
    ),
    files=STORE_FILES,
    environment={**ENVIRONMENT, **STORE_ENVIRONMENT},
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--start",
    metavar="TIME",
    help="The time of the first row without one, with an offset or together with --zone, e.g. --start "
    "2027-03-28T09:00+02:00 --every 2h.",
)
@click.option(
    "--every",
    metavar="TIME",
    callback=step,
    help="How far the rows that get their times from --start are apart, in m, h, d or w, e.g. --every 90m. Days keep "
    "the clock time of the zone when its clocks change; hours are hours that pass.",
)
@options.zone("The zone of --start and of times in FILE that have none of their own, e.g. --zone Europe/Oslo.")
@options_for_files
@options.store()
@options.publisher
@options.timeout
@options.as_json
@click.pass_context
def schedule(context: click.Context, /, **given: Any) -> int:
    """Schedule the posts of a file, each for its time, and wait until the providers have them.

    FILE is a manifest in CSV, JSONL or YAML; - is standard input. It is `reelpub publish FILE`, but that every row
    needs a time: its own, or the next one of --start and --every. A time that is sooner than a provider schedules is
    kept here, and waited for; `reelpub watch` follows the others until they are live.
    """
    start = when_from(given["start"], given["zone"] if _is_clock_time(given["start"]) else None, option="--start")
    if (start is None) != (given["every"] is None):
        raise click.UsageError("--start and --every go together, such as --start 2027-03-28T09:00+02:00 --every 2h")
    order = FileOrder(
        file=given["file"],
        command="schedule",
        store=given["store"],
        format=given["format_"],
        zone=given["zone"],
        publisher=given["publisher"],
        timeout=given["timeout"],
        skip_bad_rows=given["skip_bad_rows"],
        dry_run=given["dry_run"],
        as_json=given["as_json"],
        prepare=with_times(start, given["every"]),
    )
    return asyncio.run(run_file(setup_of(context), order))


def _is_clock_time(text: str | None) -> bool:
    """Return whether *text* needs a zone: it is a time without an offset, or no time, which is told later."""
    try:
        return text is not None and datetime.fromisoformat(text.strip()).tzinfo is None
    except ValueError:
        return True


def with_times(
    start: datetime | LocalTime | None, every: Step | None
) -> Callable[[Iterable[ManifestRow]], Iterable[ManifestRow]]:
    """Return what gives rows without a time the next of *start* and *every*, or says that they have none."""

    def prepare(rows: Iterable[ManifestRow]) -> Iterator[ManifestRow]:
        slots = times(start, every) if start is not None and every is not None else None
        for row in rows:
            if row.request is None or row.request.at is not None or row.skip is not None or _has_time(row):
                yield row
            elif slots is None:
                message = "is missing; give the row a time, or all that have none with --start TIME --every 2h"
                yield evolve(row, problems=(*row.problems, row.locate(Problem(field="at", message=message))))
            else:
                yield evolve(row, request=evolve(row.request, at=next(slots)))

    return prepare


def _has_time(row: ManifestRow) -> bool:
    """Return whether the row says when, in whatever way: one that can't be read takes no other row's time."""
    return any(found.problem.field.partition(".")[0] == "at" for found in row.problems)
