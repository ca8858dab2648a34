"""`reelpub retry`: send again what provably isn't live, and only that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import click

from reelpub.bulk import retrying
from reelpub.cli import options
from reelpub.cli.page import ENVIRONMENT, RUN_EXITS, STORE_ENVIRONMENT, STORE_FILES, Example, Page
from reelpub.cli.progress import runviews
from reelpub.cli.setup import Setup, setup_of
from reelpub.cli.show.steps import is_lacking
from reelpub.cli.stores import existing, opened
from reelpub.cli.work import runchoice
from reelpub.cli.work.undertaking import Case, Floor, conclude, undertake
from reelpub.store import SqliteStore

__all__ = ["retry"]


@click.command(
    cls=Page,
    examples=(
        Example("Send what failed in the latest run again:", "reelpub retry --failed"),
        Example("The same for another run, and only for three of its rows:", "reelpub retry k3f9 --row 3-5"),
        Example("As JSON lines:", "reelpub retry --failed --json > retried.jsonl"),
    ),
    exits=RUN_EXITS,
    files=STORE_FILES,
    environment={**ENVIRONMENT, **STORE_ENVIRONMENT},
)
@runchoice.run()
@click.option(
    "--failed",
    is_flag=True,
    help="Every row with something to send again, e.g. --failed. It is what the command does without --row, too.",
)
@runchoice.rows("Only these rows, by number, e.g. --row 7 --row 12-15.")
@options.store(exists=True)
@options.publisher
@options.timeout
@options.as_json
@click.pass_context
def retry(context: click.Context, /, **given: Any) -> int:
    """Send again what provably isn't live, account by account, and only that.

    RUN is a run's id, or its end or beginning; without it the latest one is meant. Rows that were refused or weren't
    sent are asked for anew; of a row that is live on some accounts, only the others are. What may be live isn't sent:
    look at those accounts yourself. Where the file itself was wrong, mend it instead: `reelpub results RUN --format
    csv` makes one that skips what is live.
    """
    return asyncio.run(_retry(setup_of(context), given))


async def _retry(setup: Setup, given: dict[str, Any]) -> int:
    path = existing(given["store"])
    view = runviews.Sturdy(runviews.choose(as_json=given["as_json"]))
    async with opened(path) as store:
        run = await runchoice.chosen(store, given["run"], view.note)
        wanted = await _wanted(store, run, given["rows"])
    case = Case(setup=setup, store=path, run=run, view=view, publisher=given["publisher"])

    def work(floor: Floor) -> Awaitable[object]:
        return retrying.retry_failed(
            floor.pub,
            floor.store,
            floor.run,
            rows=given["rows"],
            timeout=given["timeout"],
            on_rows=floor.on_rows,
            drain=floor.drain,
        )

    if not wanted:
        view.note("no row is known to have failed, so there is nothing to send again")
    # Only those that it is about; of a run of many rows the others would hide them.
    return conclude(case, await undertake(case, work), only=wanted or None)


async def _wanted(store: SqliteStore, run: str, named: frozenset[int] | None) -> frozenset[int]:
    """Return the rows that it is about: those that are *named*, or else those of which something isn't live."""
    if named is not None:
        return named
    return frozenset(row.number for row in await runchoice.standing(store, run) if is_lacking(row))
