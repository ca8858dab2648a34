"""`reelpub watch`: follow a run to its end without sending anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import click

from reelpub.bulk import watching
from reelpub.cli import options
from reelpub.cli.page import ENVIRONMENT, RUN_EXITS, STORE_ENVIRONMENT, STORE_FILES, Example, Page
from reelpub.cli.progress import runviews
from reelpub.cli.setup import Setup, setup_of
from reelpub.cli.show import runlisting
from reelpub.cli.stores import existing, opened
from reelpub.cli.work import runchoice
from reelpub.cli.work.undertaking import Case, Floor, conclude, undertake
from reelpub.clocks import utc_now

__all__ = ["watch"]


@click.command(
    cls=Page,
    examples=(
        Example("Follow the latest run until everything is live:", "reelpub watch"),
        Example("Look for ten minutes at another one:", "reelpub watch k3f9 --timeout 600"),
    ),
    exits={**RUN_EXITS, "0": "Everything is live.", "3": "Some are scheduled, pending, or can't be known."},
    files=STORE_FILES,
    environment={**ENVIRONMENT, **STORE_ENVIRONMENT},
)
@runchoice.run()
@options.store(exists=True)
@options.publisher
@options.timeout
@options.as_json
@click.pass_context
def watch(context: click.Context, /, **given: Any) -> int:
    """Follow a run until every post is live, or has failed; nothing is sent and nothing called off.

    RUN is a run's id, or its end or beginning; without it the latest one is meant. Posts that wait at the provider are
    read until they are live. While another process carries the run out, what it notes is shown instead. Rows that
    nobody carries out stay as they are: `reelpub resume` goes on with those.
    """
    return asyncio.run(_watch(setup_of(context), given))


async def _watch(setup: Setup, given: dict[str, Any]) -> int:
    path = existing(given["store"])
    view = runviews.Sturdy(runviews.choose(as_json=given["as_json"]))
    async with opened(path) as store:
        run = await runchoice.chosen(store, given["run"], view.note)
        awaited = runlisting.awaited(await runchoice.standing(store, run), utc_now(setup.clock))
    if awaited:
        view.note(awaited)
    case = Case(setup=setup, store=path, run=run, view=view, publisher=given["publisher"], until_live=True)

    def work(floor: Floor) -> Awaitable[object]:
        return watching.watch(
            floor.pub,
            floor.store,
            run,
            timeout=given["timeout"],
            on_rows=floor.on_rows,
            on_moment=floor.on_moment,
            drain=floor.drain,
        )

    return conclude(case, await undertake(case, work))
