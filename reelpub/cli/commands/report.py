"""`reelpub report`: a run as one page."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from reelpub.bulk import history
from reelpub.bulk.record import RunRecord
from reelpub.cli import options
from reelpub.cli.page import STORE_ENVIRONMENT, STORE_FILES, UNREAD, Example, Page
from reelpub.cli.setup import Setup, setup_of
from reelpub.cli.show.printable import clean
from reelpub.cli.show.words import so_many
from reelpub.cli.stores import existing, opened
from reelpub.cli.work import files, runchoice
from reelpub.clocks import utc_now
from reelpub.report import render

__all__ = ["report"]


@click.command(
    cls=Page,
    examples=(
        Example("The latest run as a page:", "reelpub report"),
        Example(
            "Another one, in a zone and a file of your choice:", "reelpub report k3f9 --zone Europe/Oslo -o spring.html"
        ),
    ),
    exits={
        "0": "It was written.",
        "1": "The store can't be read, or the file can't be written.",
        "2": "Wrong use.",
        **UNREAD,
    },
    files={**STORE_FILES, "reelpub-RUN.html": "The page, unless -o names another."},
    environment=STORE_ENVIRONMENT,
)
@runchoice.run()
@options.output("Where it goes, e.g. -o spring.html; - is standard output. Without it: reelpub-RUN.html, here.")
@options.zone("The zone to show times in beside UTC, e.g. --zone Europe/Oslo. Without it: the rows' own.")
@options.store(exists=True)
@click.pass_context
def report(context: click.Context, /, **given: Any) -> int:
    """Write a run as one HTML file that needs no network: totals, a timeline, the limits, a calendar, and every row.

    RUN is a run's id, or its end or beginning; without it the latest one is meant. Nothing is asked of a provider: it
    is what the store has, and it can be written while the run goes on.
    """
    run = asyncio.run(_load(given))
    return _write(setup_of(context), run, given["output"], given["zone"])


async def _load(given: dict[str, Any]) -> RunRecord:
    async with opened(existing(given["store"])) as store:
        name = await runchoice.chosen(store, given["run"], lambda text: click.echo(clean(text), err=True))
        return await history.load(store, name)


def _write(setup: Setup, run: RunRecord, output: Path | None, zone: str | None) -> int:
    page = render(run, generated_at=utc_now(setup.clock), zone=zone).encode("utf-8")
    if output is not None and str(output) == "-":
        sys.stdout.buffer.write(page)
        sys.stdout.buffer.flush()
        return 0
    path = output or Path(f"reelpub-{run.id}.html")
    files.replace(path, lambda stream: stream.write(page))
    click.echo(clean(f"{path}: {so_many(len(run.rows), 'row')}; open it in a browser"))
    return 0
