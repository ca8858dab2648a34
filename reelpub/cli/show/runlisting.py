"""What became of a run, row by row: for a terminal, for lines, and as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from reelpub.bulk.record import RowRecord, RunRecord
from reelpub.cli.show.encode import encode, record
from reelpub.cli.show.listing import Listing, Span
from reelpub.cli.show.printable import shorten
from reelpub.cli.show.steps import given_options, next_steps
from reelpub.cli.show.when import due_at, due_text, told_at, when_members, zone_of
from reelpub.cli.show.words import so_many, spaced
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus

__all__ = [
    "BRIEF",
    "Told",
    "awaited",
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
_GO_OUT_LATER = frozenset({OutcomeStatus.SCHEDULED, OutcomeStatus.PENDING, OutcomeStatus.PARTLY_PUBLISHED})


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
        return [_line(row, publisher, accounts, row.status, _standing(row))]
    return [
        _line(row, publisher, str(delivery.account), delivery.status, _detail(row, outcome, delivery))
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


def _standing(row: RowRecord) -> str:
    """Return what is said of a row as a whole: why it stands as it does, and when it goes out if it still does."""
    outcome = row.outcome
    due = due_text(row.request, outcome.posts if outcome is not None else ())
    if outcome is None:
        return f"{_NOT_SUBMITTED}; due {due}" if due else _NOT_SUBMITTED
    said = outcome.reason or (str(outcome.error) if outcome.error is not None else "")
    if outcome.status is OutcomeStatus.SCHEDULED:
        return _joined(due, said)
    return _joined(f"due {due}" if due and outcome.status is OutcomeStatus.PENDING else "", said)


def _detail(row: RowRecord, outcome: Outcome, delivery: Delivery) -> str:
    if delivery.url or delivery.is_published:
        return delivery.url or delivery.error or ""
    if delivery.status is DeliveryStatus.SCHEDULED:
        return _joined(due_text(row.request, outcome.posts), delivery.error or outcome.reason or "")
    return delivery.error or outcome.reason or (str(outcome.error) if outcome.error is not None else "")


def _joined(*said: str) -> str:
    return "; ".join(filter(None, said))


def rows(
    run: RunRecord, *, limit: int | None = None, only: Collection[int] | None = None, store: Path | None = None
) -> Listing:
    """List *run*, or of its rows *only* those; with *limit*, no more lines than that, the worst and unknown first.

    The records are those of all rows. *store* is given if commands have to name it.
    """
    wanted = run.rows if only is None else [row for row in run.rows if row.number in only]
    shown = _chosen(wanted, limit)
    lines = [line for row in shown for line in told(row)]
    same = len({line.publisher for line in lines}) == 1
    return Listing(
        title=f"{run.id}  {run.name}" + (f"  {lines[0].publisher}" if same else ""),
        columns=("Row", "Post", *(() if same else ("Publisher",)), "Account", "Status", _last_column(shown)),
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
        footer=_hidden(run, shown, store),
    )


def _last_column(shown: Iterable[RowRecord]) -> str:
    has_times = any(row.status in _GO_OUT_LATER and due_at(row) is not None for row in shown)
    return "Link, time or reason" if has_times else "Link or reason"


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


def _hidden(run: RunRecord, shown: Sequence[RowRecord], store: Path | None) -> str:
    if len(shown) == len(run.rows):
        return ""
    numbers = {row.number for row in shown}
    hidden = [row for row in run.rows if row.number not in numbers]
    command = f"reelpub results {run.id}{given_options(store=store)}"
    return f"and {len(hidden)} more: {_counted(hidden)}; all of them: {command}"


def _counted(found: Iterable[RowRecord]) -> str:
    statuses = [row.status for row in found]
    return ", ".join(f"{statuses.count(status)} {spaced(status)}" for status in OutcomeStatus if status in statuses)


def totals(run: RunRecord) -> str:
    """Return one sentence on *run*."""
    count = len(run.rows)
    return f"{so_many(count, 'row')}: {_counted(run.rows)}" if count else "no rows"


def awaited(found: Iterable[RowRecord], now: datetime) -> str:
    """Return how many of a run's rows its providers keep for a time after *now*, and for which; nothing if none."""
    kept = [row for row in found if row.is_settled and row.status in _GO_OUT_LATER]
    due = sorted((at, row.number, row) for row in kept if (at := due_at(row)) is not None and at > now)
    if not due:
        return ""
    first, last = (told_at(at, zone_of(row.request)) for at, _, row in (due[0], due[-1]))
    if len(due) == 1:
        return f"1 row is scheduled; it goes out at {first}"
    return f"{len(due)} rows are scheduled; the next goes out at {first}" + (f", the last at {last}" * (first != last))


def run_record(run: RunRecord, **members: object) -> dict[str, Any]:
    """Return the first line of a run's JSON."""
    return record(
        "run", id=run.id, name=run.name, command=run.command, started_at=run.started_at, rows=len(run.rows), **members
    )


def row_record(run_id: str, row: RowRecord) -> dict[str, Any]:
    """Return one row's line of JSON: its outcome, whole, the very words that a terminal shows, and its time if any."""
    shown = [{"account": line.account, "status": line.status, "detail": line.detail} for line in told(row)]
    place = {"run": run_id, "row": row.number, "line": row.line, "status": row.status, "accounts": shown}
    place |= when_members(due_at(row), zone_of(row.request)) | ({"own": row.own} if row.own else {})
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
