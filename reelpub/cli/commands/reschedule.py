"""`reelpub reschedule`: move what waits for its time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import click

from reelpub.bulk import history, rescheduling
from reelpub.bulk.record import RowRecord, RunRecord
from reelpub.cli import options
from reelpub.cli.durations import duration
from reelpub.cli.exits import ExitStatus, of_error
from reelpub.cli.page import ENVIRONMENT, RUN_EXITS, STORE_ENVIRONMENT, STORE_FILES, Example, Page
from reelpub.cli.progress import runviews
from reelpub.cli.setup import Setup, setup_of
from reelpub.cli.show.encode import record
from reelpub.cli.show.listing import Listing, Span
from reelpub.cli.show.printable import shorten
from reelpub.cli.show.steps import given_options
from reelpub.cli.show.when import due_at, told_at, when_members, zone_of
from reelpub.cli.stores import existing, opened
from reelpub.cli.work import runchoice
from reelpub.cli.work.moves import moves_by, moves_to
from reelpub.cli.work.request import when_from
from reelpub.cli.work.runchoice import spans
from reelpub.cli.work.undertaking import Case, Floor, named_store, undertake
from reelpub.errors import ReelPubError, UnsupportedOperation
from reelpub.models.outcome import Outcome
from reelpub.models.when import LocalTime

__all__ = ["reschedule"]

Moved = Mapping[int, Outcome | ReelPubError]


@click.command(
    cls=Page,
    examples=(
        Example("Move one row to a time:", "reelpub reschedule k3f9 --row 7 --at 2027-03-28T14:30+02:00"),
        Example(
            "The same as a clock time:", "reelpub reschedule k3f9 --row 7 --at '2027-03-28 14:30' --zone Europe/Oslo"
        ),
        Example(
            "Move everything in the latest run that still waits by two hours:", "reelpub reschedule latest --by +2h"
        ),
        Example("Move three rows half an hour back:", "reelpub reschedule k3f9 --row 3-5 --by=-30m"),
    ),
    exits={
        **RUN_EXITS,
        "0": "Everything that was meant is moved.",
        "1": "Some couldn't be moved; they keep their time.",
        "2": "Wrong use; nothing was moved.",
    },
    files=STORE_FILES,
    environment={**ENVIRONMENT, **STORE_ENVIRONMENT},
)
@runchoice.run(required=True)
@runchoice.rows("The rows to move, by number, e.g. --row 7. Without it, with --by: all that wait for their time.")
@click.option(
    "--at",
    metavar="TIME",
    help="The new time of one row, with an offset or together with --zone, e.g. --row 7 --at 2027-03-28T14:30+02:00.",
)
@options.zone("The time zone of --at, e.g. --at '2027-03-28 14:30' --zone Europe/Oslo.")
@click.option(
    "--by",
    metavar="TIME",
    callback=duration,
    help="How far to move, in s, m, h, d or w, back with a minus, e.g. --by +2h, --by 1d12h, --by=-30m.",
)
@options.store(exists=True)
@options.publisher
@options.as_json
@click.pass_context
def reschedule(context: click.Context, /, **given: Any) -> int:
    """Move rows that wait for their time to another one.

    RUN is a run's id, its end or beginning, or `latest`. Either --row and --at move one row to a time, or --by moves
    rows by some time. A provider's limits on how soon and how far ahead a post may be hold for the new time, too. Not
    every provider can move a post; where it can't, the row keeps its time and the reason is told.
    """
    if (given["at"] is None) == (given["by"] is None):
        raise click.UsageError("say where to: --row N --at TIME moves one row, --by +2h moves several")
    given["at"] = when_from(given["at"], given["zone"])
    return asyncio.run(_reschedule(setup_of(context), given))


async def _reschedule(setup: Setup, given: dict[str, Any]) -> int:
    path = existing(given["store"])
    view = runviews.Sturdy(runviews.choose(as_json=given["as_json"]))
    async with opened(path) as store:
        run = await runchoice.chosen(store, given["run"], view.note)
        before = await history.load(store, run)
    moves: Mapping[int, datetime | LocalTime]
    if given["by"] is not None:
        moves = moves_by(before, given["by"], given["rows"], store=named_store(path))
    else:
        moves = moves_to(before, given["at"], given["rows"], store=named_store(path))
    case = Case(setup=setup, store=path, run=run, view=view, publisher=given["publisher"])
    moved: dict[int, Outcome | ReelPubError] = {}

    async def work(floor: Floor) -> None:
        moved.update(await rescheduling.reschedule(floor.pub, floor.store, run, moves))

    after = await undertake(case, work)
    view.listing(_listing(after, moved, None if given["at"] is None else _zone(given["at"])))
    for text, command in _what_else(case, moved):
        view.advise(text, command)
    status = _status(moved)
    view.record(record("summary", run=run, rows=len(moved), exit_status=int(status)))
    return status


def _zone(at: datetime | LocalTime) -> tzinfo:
    """Return the zone in which *at* was given."""
    return ZoneInfo(at.zone) if isinstance(at, LocalTime) else at.tzinfo or UTC


def _what_else(case: Case, moved: Moved) -> list[tuple[str, str]]:
    """Return what can be done about rows that their provider can't move, with the command for it."""
    rows = sorted(number for number, result in moved.items() if isinstance(result, UnsupportedOperation))
    if not rows:
        return []
    cancel = f"reelpub cancel {case.run}{given_options(row=spans(rows), store=named_store(case.store))}"
    them = "it" if len(rows) == 1 else "them"
    return [
        (f"what its provider can't move can be called off and scheduled anew; call {them} off with", cancel),
        (f"then put {them} into a file with the new time, and send that with", "reelpub schedule FILE"),
    ]


def _status(moved: Moved) -> ExitStatus:
    errors = [of_error(found) for found in moved.values() if isinstance(found, ReelPubError)]
    if ExitStatus.UNKNOWN in errors:
        return ExitStatus.UNKNOWN
    return ExitStatus.FAILED if errors else ExitStatus.SUCCESS


def _listing(run: RunRecord, moved: Moved, zone: tzinfo | None) -> Listing:
    """List what was moved, by the clocks of *zone* or else of each row; reasons, which may be long, come last."""
    found = [(row, moved[row.number]) for row in run.rows if row.number in moved]
    has_reasons = any(isinstance(result, ReelPubError) for _, result in found)
    return Listing(
        title=f"{run.id}  {run.name}",
        columns=("Row", "Post", "Moved", "Goes out at", *(("Why not",) if has_reasons else ())),
        rows=tuple(
            (
                (Span(str(row.number)),),
                (Span(str(row.request)),),
                (Span("no" if isinstance(result, ReelPubError) else "yes"),),
                (Span(_when(row, zone)),),
                *(((Span(shorten(result) if isinstance(result, ReelPubError) else ""),),) if has_reasons else ()),
            )
            for row, result in found
        ),
        records=tuple(
            record(
                "move",
                run=run.id,
                row=row.number,
                line=row.line,
                **when_members(due_at(row), zone or zone_of(row.request)),
                error=result if isinstance(result, ReelPubError) else None,
            )
            for row, result in found
        ),
    )


def _when(row: RowRecord, zone: tzinfo | None) -> str:
    at = due_at(row)
    return told_at(at, zone or zone_of(row.request)) if at is not None else "-"
