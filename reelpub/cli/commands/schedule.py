"""`reelpub schedule`: the posts of a file, each at its time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from reelpub.cli import options
from reelpub.cli.page import ENVIRONMENT, STORE_ENVIRONMENT, STORE_FILES, Example, Page
from reelpub.cli.setup import setup_of
from reelpub.cli.work.filerun import FileOrder, options_for_files, run_file
from reelpub.cli.work.slots import options_for_slots, slots_from, with_times

__all__ = ["schedule"]


@click.command(
    cls=Page,
    examples=(
        Example("Schedule a file whose rows have times:", "reelpub schedule posts.csv --zone Europe/Oslo"),
        Example(
            "Give its rows times, one every two hours:",
            "reelpub schedule posts.csv --start 2027-03-28T09:00+02:00 --every 2h",
        ),
        Example(
            "See first when each row would go out:",
            "reelpub plan posts.csv --calendar --start 2027-03-28T09:00+02:00 --every 2h",
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
@options_for_slots
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
    slots = slots_from(given["start"], given["every"], given["zone"])
    order = FileOrder(
        file=given["file"],
        command="schedule",
        store=given["store"],
        format=given["format_"],
        zone=given["zone"],
        publisher=given["publisher"],
        timeout=given["timeout"],
        skip_bad_rows=given["skip_bad_rows"],
        most_findings=given["limit_findings"],
        dry_run=given["dry_run"],
        as_json=given["as_json"],
        start=None if slots is None else slots.written,
        every=None if slots is None else slots.every,
        needs_times=True,
        prepare=with_times(slots),
    )
    return asyncio.run(run_file(setup_of(context), order))
