"""`reelpub cancel`: call off what hasn't gone out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import click

from reelpub.bulk import cancelling
from reelpub.bulk.record import RunRecord
from reelpub.cli import options
from reelpub.cli.exits import ExitStatus
from reelpub.cli.page import ENVIRONMENT, RUN_EXITS, STORE_ENVIRONMENT, STORE_FILES, Example, Page
from reelpub.cli.progress import runviews
from reelpub.cli.setup import Setup, setup_of
from reelpub.cli.show.encode import record
from reelpub.cli.show.listing import Listing, Span
from reelpub.cli.show.words import spaced
from reelpub.cli.stores import existing, opened
from reelpub.cli.work import runchoice
from reelpub.cli.work.undertaking import Case, Floor, undertake
from reelpub.models.outcome import CancelResult

__all__ = ["cancel", "of_results"]


@click.command(
    cls=Page,
    examples=(
        Example("Call off everything in the latest run that hasn't gone out:", "reelpub cancel latest"),
        Example("Call off two rows of another one:", "reelpub cancel k3f9 --row 7 --row 9"),
    ),
    exits={
        **RUN_EXITS,
        "0": "Everything that was meant is called off.",
        "1": "It was too late for some: they had gone out, or had ended.",
        "2": "Wrong use; nothing was called off.",
        "3": "Of some it can't be known.",
    },
    files=STORE_FILES,
    environment={**ENVIRONMENT, **STORE_ENVIRONMENT},
)
@runchoice.run()
@runchoice.rows("Only these rows, by number, e.g. --row 7 --row 12-15. Without it: all of them.")
@options.store(exists=True)
@options.publisher
@options.as_json
@click.pass_context
def cancel(context: click.Context, /, **given: Any) -> int:
    """Call off what hasn't gone out: rows that weren't submitted yet, and posts that wait for their time.

    RUN is a run's id, its end or beginning, or `latest`. Without it the latest one is named on a terminal and you are
    asked; elsewhere that is wrong use. What is live stays live. A row that was called off isn't sent by `resume` or
    `retry`; put it into a new file to publish it after all.
    """
    return asyncio.run(_cancel(setup_of(context), given))


async def _cancel(setup: Setup, given: dict[str, Any]) -> int:
    path = existing(given["store"])
    if given["run"] is None and not runchoice.can_ask(as_json=given["as_json"]):
        raise click.UsageError("say which run: `reelpub cancel latest`, or one that `reelpub runs` lists")
    view = runviews.Sturdy(runviews.choose(as_json=given["as_json"]))
    async with opened(path) as store:
        run = await runchoice.chosen(store, given["run"], view.note)
    if given["run"] is None and not _is_meant(given):
        view.note("nothing was called off")
        return ExitStatus.USAGE
    case = Case(setup=setup, store=path, run=run, view=view, publisher=given["publisher"])
    results: dict[int, CancelResult] = {}

    async def work(floor: Floor) -> None:
        results.update(await cancelling.cancel(floor.pub, floor.store, run, rows=given["rows"]))

    after = await undertake(case, work)
    view.listing(_listing(after, results))
    status = of_results(results.values())
    view.record(record("summary", run=run, rows=len(results), exit_status=int(status)))
    return status


def _is_meant(given: dict[str, Any]) -> bool:
    """Ask whether the latest run, which nobody named, is to be called off."""
    what = "these rows" if given["rows"] else "all of it that hasn't gone out"
    return click.confirm(f"Call off {what}?")


def of_results(results: Iterable[CancelResult]) -> ExitStatus:
    """Return the exit status for what became of cancellations."""
    found = frozenset(results)
    if CancelResult.UNKNOWN in found:
        return ExitStatus.UNKNOWN
    return ExitStatus.FAILED if CancelResult.TOO_LATE in found else ExitStatus.SUCCESS


def _listing(run: RunRecord, results: Mapping[int, CancelResult]) -> Listing:
    found = [(row, results[row.number]) for row in run.rows if row.number in results]
    return Listing(
        title=f"{run.id}  {run.name}",
        columns=("Row", "Post", "Cancellation", "Status"),
        rows=tuple(
            (
                (Span(str(row.number)),),
                (Span(str(row.request)),),
                (Span(spaced(result)),),
                (Span(spaced(row.status), str(row.status)),),
            )
            for row, result in found
        ),
        records=tuple(
            record("cancellation", run=run.id, row=row.number, line=row.line, result=result, status=row.status)
            for row, result in found
        ),
    )
