"""From what a store has of a row to what is told of it. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from attrs import define, field

from reelpub.bulk import moments
from reelpub.bulk.ledger import Entry
from reelpub.bulk.record import BudgetSample, Moment, RowRecord, RunRecord
from reelpub.models.event import EventsMissed, JobHeld
from reelpub.models.outcome import Outcome
from reelpub.orchestrator.rows import job_of
from reelpub.store import codec
from reelpub.store.base import StoredJob
from reelpub.store.runs import StoredEvent, StoredRow, StoredRun

__all__ = ["History", "compose", "outcome_of", "row_record"]

_ABOUT_THE_RUN = frozenset({EventsMissed.kind, JobHeld.kind})


@define
class History:
    """What happened in a run: to each row, to none of them, and to the limits."""

    of_row: dict[int, list[Moment]] = field(factory=lambda: defaultdict(list))
    of_run: list[Moment] = field(factory=list)
    samples: list[BudgetSample] = field(factory=list)

    def add(self, events: Iterable[StoredEvent], numbers: Mapping[str, int]) -> None:
        """Take *events* in; those of jobs that aren't in *numbers* are of no row here and left out."""
        for event in events:
            if event.kind == moments.BUDGET:
                self.samples.append(moments.sample(event))
            elif event.job_id is not None:
                number = numbers.get(event.job_id)
                if number is not None:
                    self.of_row[number].append(moments.moment(event))
            elif event.kind in _ABOUT_THE_RUN:
                self.of_run.append(moments.moment(event))


def row_record(entry: Entry, happened: Sequence[Moment]) -> RowRecord:
    """Return what is known of a row: its latest job's outcome, or how that stands, or how the row ended without one."""
    outcome = outcome_of(entry)
    return RowRecord(
        number=entry.row.number,
        line=entry.row.line,
        request=codec.load_request(entry.row.request),
        job_id=outcome.job_id if outcome is not None else entry.row.job_id,
        outcome=outcome,
        own=json.loads(entry.row.own) if entry.row.own else {},
        # Two processes may have had a hand in it, each of which wrote what it saw a little later.
        moments=tuple(sorted(happened, key=_when)),
    )


def outcome_of(entry: Entry) -> Outcome | None:
    """Return a row's outcome, a snapshot where it is unfinished, None where nothing is known of it."""
    own = codec.load_outcome(entry.row.outcome) if entry.row.outcome is not None else None
    if entry.job is None:
        return own
    return own if own is not None and _is_of_later(own, entry.job, entry.row) else _outcome_of_job(entry.job)


def _is_of_later(own: Outcome, job: StoredJob, row: StoredRow) -> bool:
    """Return whether a row's own outcome is that of a submission after *job*, which the store wouldn't take.

    One that was refused because *job* was there already says nothing of the row.
    """
    if job.outcome is None or own.job_id in (row.job_id, job.id) or own.duplicate_of == job.id:
        return False
    return own.submitted_at is not None and own.submitted_at.timestamp() >= job.submitted_at


def _outcome_of_job(job: StoredJob) -> Outcome:
    if job.outcome is not None:
        return codec.load_outcome(job.outcome)
    return job_of(job, datetime.fromtimestamp(job.submitted_at, UTC)).snapshot()


def compose(run: StoredRun, rows: Sequence[RowRecord], history: History) -> RunRecord:
    """Return the record of *run*."""
    ends = [row.outcome.settled_at for row in rows if row.outcome is not None and row.outcome.settled_at is not None]
    return RunRecord(
        id=run.id,
        name=run.name,
        command=run.command,
        started_at=datetime.fromtimestamp(run.started_at, UTC),
        ended_at=max(ends) if ends and len(ends) == len(rows) else None,
        rows=tuple(rows),
        samples=tuple(history.samples),
        moments=tuple(history.of_run),
    )


def _when(moment: Moment) -> datetime:
    return moment.at
