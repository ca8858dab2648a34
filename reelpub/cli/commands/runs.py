"""`reelpub runs`: the runs of a store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from reelpub.bulk import history
from reelpub.bulk.composing import History, compose, row_record
from reelpub.bulk.record import RunRecord
from reelpub.cli import options
from reelpub.cli.page import STORE_ENVIRONMENT, STORE_FILES, UNREAD, Example, Page
from reelpub.cli.show import runlisting, views
from reelpub.cli.show.encode import record
from reelpub.cli.show.listing import Listing, Span
from reelpub.cli.stores import existing, opened

__all__ = ["runs"]


@click.command(
    cls=Page,
    examples=(
        Example("The latest runs:", "reelpub runs"),
        Example(
            "The ids of all that are unfinished:",
            "reelpub runs --limit 1000 --json | jq -r 'select(.is_finished | not).id'",
        ),
    ),
    exits={"0": "They were listed.", "1": "The store can't be read.", "2": "Wrong use, or no store yet.", **UNREAD},
    files=STORE_FILES,
    environment=STORE_ENVIRONMENT,
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    metavar="N",
    help="How many, the latest first, e.g. --limit 50.",
)
@options.store(exists=True)
@options.as_json
def runs(limit: int, store: Path | None, as_json: bool) -> int:
    """List the runs that the store has, the latest first: their ids, files, and how their rows stand."""
    found = asyncio.run(_read(existing(store), limit))
    view = views.choose(as_json=as_json)
    view.listing(_listing(found))
    if not found:
        view.note("no runs yet; `reelpub publish FILE` makes one")
    return 0


async def _read(path: Path, limit: int) -> list[RunRecord]:
    """Read the latest runs without what happened in them, which is most of what a store holds."""
    async with opened(path) as store:
        found = [(run, await history.ledger_of(store, run.id)) for run in await store.runs(limit=limit)]
    return [compose(run, [row_record(entry, ()) for entry in ledger], History()) for run, ledger in found]


def _listing(found: Sequence[RunRecord]) -> Listing:
    return Listing(
        columns=("Run", "Began", "Command", "File", "Rows"),
        rows=tuple(
            (
                (Span(run.id),),
                (Span(run.started_at.astimezone().strftime("%Y-%m-%d %H:%M %Z")),),
                (Span(run.command),),
                (Span(run.name),),
                (Span(runlisting.totals(run)),),
            )
            for run in found
        ),
        records=tuple(
            record(
                "run",
                id=run.id,
                name=run.name,
                command=run.command,
                started_at=run.started_at,
                ended_at=run.ended_at,
                rows=len(run.rows),
                counts={str(status): count for status, count in run.counts.items()},
                is_finished=all(row.is_settled for row in run.rows),
            )
            for run in found
        ),
    )
