"""What became of a run, row by row: for a terminal, for lines, and as JSON; and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from reelpub.bulk.record import RowRecord, RunRecord
from reelpub.cli.show.encode import encode, record
from reelpub.cli.show.listing import Listing, Span
from reelpub.cli.show.printable import shorten
from reelpub.cli.show.words import spaced
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.post import Delivery

__all__ = [
    "BRIEF",
    "Told",
    "next_steps",
    "resume_command",
    "row_record",
    "rows",
    "run_record",
    "summary_record",
    "told",
    "totals",
]

BRIEF = 40
"""Lines of a run's table at its end; more are `reelpub results`'s to show."""

_NOT_SUBMITTED = "not submitted yet"
_REPEATED = "not sent, as the same was sent before; allow_duplicate in the row sends it all the same"
_WORST_FIRST = (
    OutcomeStatus.UNKNOWN,
    OutcomeStatus.FAILED,
    OutcomeStatus.PARTLY_PUBLISHED,
    OutcomeStatus.REFUSED,
    OutcomeStatus.NOT_SENT,
    OutcomeStatus.DUPLICATE,
    OutcomeStatus.CANCELLED,
    OutcomeStatus.PENDING,
    OutcomeStatus.SCHEDULED,
    OutcomeStatus.PUBLISHED,
)
_NOT_SENT = frozenset({OutcomeStatus.REFUSED, OutcomeStatus.NOT_SENT, OutcomeStatus.FAILED})


@frozen(kw_only=True)
class Told:
    """One line of a run's table: how one account of a row stands, in the words that every output uses."""

    row: int
    post: str
    publisher: str
    account: str
    status: str
    detail: str


def told(row: RowRecord) -> list[Told]:
    """Return the lines of *row*: one for each account, or one in all where nothing is known of them."""
    outcome = row.outcome
    publisher = (outcome.publisher if outcome is not None else None) or row.request.publisher or "-"
    if outcome is None or not outcome.deliveries:
        accounts = ", ".join(map(str, row.request.accounts)) or "-"
        return [_line(row, publisher, accounts, row.status, _reason(outcome))]
    return [
        _line(row, publisher, str(delivery.account), delivery.status, _detail(delivery, outcome))
        for delivery in outcome.deliveries
    ]


def _line(row: RowRecord, publisher: str, account: str, status: object, detail: str) -> Told:
    return Told(
        row=row.number,
        post=shorten(row.request, 60),
        publisher=publisher,
        account=account,
        status=str(status),
        detail=shorten(detail),
    )


def _reason(outcome: Outcome | None) -> str:
    if outcome is None:
        return _NOT_SUBMITTED
    return outcome.reason or (str(outcome.error) if outcome.error is not None else "")


def _detail(delivery: Delivery, outcome: Outcome) -> str:
    return delivery.url or delivery.error or (_reason(outcome) if not delivery.is_published else "")


def rows(run: RunRecord, *, limit: int | None = None) -> Listing:
    """List *run*; with *limit*, no more lines than that, what went wrong or isn't known first."""
    shown = _chosen(run.rows, limit)
    lines = [line for row in shown for line in told(row)]
    same = len({line.publisher for line in lines}) == 1
    return Listing(
        title=f"{run.id}  {run.name}" + (f"  {lines[0].publisher}" if same else ""),
        columns=("Row", "Post", *(() if same else ("Publisher",)), "Account", "Status", "Link or reason"),
        rows=tuple(
            (
                (Span(str(line.row)),),
                (Span(line.post),),
                *(() if same else ((Span(line.publisher),),)),
                (Span(line.account),),
                (Span(spaced(line.status), line.status),),
                (Span(line.detail),),
            )
            for line in lines
        ),
        records=tuple(row_record(run.id, row) for row in run.rows),
        footer=_hidden(run, shown),
    )


def _chosen(found: Sequence[RowRecord], limit: int | None) -> Sequence[RowRecord]:
    if limit is None or sum(len(told(row)) for row in found) <= limit:
        return found
    chosen: list[RowRecord] = []
    room = limit
    for row in sorted(found, key=lambda row: (_WORST_FIRST.index(row.status), row.number)):
        room -= len(told(row))
        if room < 0:
            break
        chosen.append(row)
    return chosen


def _hidden(run: RunRecord, shown: Sequence[RowRecord]) -> str:
    if len(shown) == len(run.rows):
        return ""
    numbers = {row.number for row in shown}
    hidden = [row for row in run.rows if row.number not in numbers]
    return f"and {len(hidden)} more: {_counted(hidden)}; all of them: reelpub results {run.id}"


def _counted(found: Iterable[RowRecord]) -> str:
    statuses = [row.status for row in found]
    return ", ".join(f"{statuses.count(status)} {spaced(status)}" for status in OutcomeStatus if status in statuses)


def totals(run: RunRecord) -> str:
    """Return one sentence on *run*."""
    count = len(run.rows)
    return f"{count} {'row' if count == 1 else 'rows'}: {_counted(run.rows)}" if count else "no rows"


@frozen
class Step:
    """Something that a person may want to do next, and how; `command` is empty where it isn't the command's to do."""

    text: str
    command: str = ""


def next_steps(run: RunRecord, *, store: Path | None = None) -> list[Step]:
    """Return what a person may want to do next; *store* if commands have to name it.

    What isn't finished comes first: as long as it isn't, nothing should be sent again.
    """
    ends = _named_store(store)
    steps = [
        Step(f"{_rows(count)} {text}", command)
        for count, text, command in (
            (_unfinished(run), "unfinished; go on with", resume_command(run.id, store)),
            (_unknown(run), "unknown and may be live: look at the accounts before you send anything again", ""),
            (_failed(run), "not live everywhere; send just that again with", f"reelpub retry {run.id} --failed{ends}"),
            (_of(run, OutcomeStatus.DUPLICATE), _REPEATED, ""),
            (_waiting(run), "at the provider; follow to the end with", f"reelpub watch {run.id}{ends}"),
        )
        if count
    ]
    steps.append(Step("everything on one page", f"reelpub report {run.id}{ends}"))
    steps.append(Step("as a file", f"reelpub results {run.id} --format csv -o results.csv{ends}"))
    return steps


def _unfinished(run: RunRecord) -> int:
    return sum(not row.is_settled for row in run.rows)


def _unknown(run: RunRecord) -> int:
    return sum(
        row.status is OutcomeStatus.UNKNOWN or bool(row.outcome is not None and row.outcome.unknown) for row in run.rows
    )


def _failed(run: RunRecord) -> int:
    return sum(
        row.is_settled and (row.status in _NOT_SENT or bool(row.outcome is not None and row.outcome.failed))
        for row in run.rows
        if row.status is not OutcomeStatus.CANCELLED
    )


def _waiting(run: RunRecord) -> int:
    return _of(run, OutcomeStatus.SCHEDULED, OutcomeStatus.PENDING)


def _of(run: RunRecord, *statuses: OutcomeStatus) -> int:
    return sum(row.is_settled and row.status in statuses for row in run.rows)


def resume_command(run_id: str, store: Path | None = None) -> str:
    """Return the command that goes on with a run."""
    return f"reelpub resume {run_id}{_named_store(store)}"


def _named_store(store: Path | None) -> str:
    return f" --store {shlex.quote(str(store))}" if store is not None else ""


def _rows(count: int) -> str:
    return f"{count} row is" if count == 1 else f"{count} rows are"


def run_record(run: RunRecord, **members: object) -> dict[str, Any]:
    """Return the first line of a run's JSON."""
    return record(
        "run", id=run.id, name=run.name, command=run.command, started_at=run.started_at, rows=len(run.rows), **members
    )


def row_record(run_id: str, row: RowRecord) -> dict[str, Any]:
    """Return one row's line of JSON: its outcome, whole, and the very words that a terminal shows."""
    shown = [{"account": line.account, "status": line.status, "detail": line.detail} for line in told(row)]
    place = {"run": run_id, "row": row.number, "line": row.line, "status": row.status, "accounts": shown}
    if row.outcome is None:
        return record("outcome", **place, request=str(row.request), job_id=row.job_id, reason=_NOT_SUBMITTED)
    return record("outcome", row.outcome, **place)


def summary_record(run: RunRecord, exit_status: int, *, store: Path | None = None) -> dict[str, Any]:
    """Return the last line of a run's JSON."""
    return record(
        "summary",
        run=run.id,
        rows=len(run.rows),
        counts={str(status): count for status, count in run.counts.items()},
        is_finished=all(row.is_settled for row in run.rows),
        exit_status=int(exit_status),
        next=[encode(step) for step in next_steps(run, store=store)],
    )
