"""What the SQLite store reads and writes of runs: functions of a connection, run inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from reelpub.errors import StoreError
from reelpub.store.runs import StoredEvent, StoredRow, StoredRun

__all__ = ["add_events", "add_run", "events", "rows", "run", "runs", "settle_rows"]

_RUN = "id, name, command, started_at, info"
_ROW = "run, number, line, job_id, request, outcome, own"
_EVENT = "run, at, job_id, kind, data"


def add_run(db: sqlite3.Connection, *, run: StoredRun, rows: Sequence[StoredRow]) -> None:
    """Insert a run and its rows."""
    done = db.execute(
        f"INSERT INTO runs ({_RUN}) VALUES (?,?,?,?,?) ON CONFLICT (id) DO NOTHING",
        (run.id, run.name, run.command, run.started_at, run.info),
    )
    if done.rowcount == 0:
        raise StoreError(f"there is a run {run.id!r} already")
    if any(row.run != run.id for row in rows):
        raise StoreError(f"run {run.id!r}: a row is another run's")
    # A generator: a run of 100,000 rows isn't copied.
    db.executemany(
        f"INSERT INTO run_rows ({_ROW}) VALUES (?,?,?,?,?,?,?)",
        ((row.run, row.number, row.line, row.job_id, row.request, row.outcome, row.own) for row in rows),
    )


def run(db: sqlite3.Connection, *, run_id: str) -> StoredRun | None:
    """Read one run."""
    found = db.execute(f"SELECT {_RUN} FROM runs WHERE id = ?", (run_id,)).fetchone()
    return _run(found) if found else None


def runs(db: sqlite3.Connection, *, limit: int) -> list[StoredRun]:
    """Read the latest runs, the newest first."""
    found = db.execute(f"SELECT {_RUN} FROM runs ORDER BY started_at DESC, seq DESC LIMIT ?", (limit,))
    return [_run(row) for row in found]


def _run(row: Sequence[Any]) -> StoredRun:
    name, title, command, started_at, info = row
    return StoredRun(id=name, name=title, command=command, started_at=started_at, info=info)


def rows(db: sqlite3.Connection, *, run_id: str) -> list[StoredRow]:
    """Read the rows of a run in their order."""
    found = db.execute(f"SELECT {_ROW} FROM run_rows WHERE run = ? ORDER BY number", (run_id,))
    return [
        StoredRow(run=name, number=number, line=line, job_id=job_id, request=request, outcome=outcome, own=own)
        for name, number, line, job_id, request, outcome, own in found
    ]


def settle_rows(
    db: sqlite3.Connection, *, rows: Sequence[StoredRow], was: Sequence[bytes | None] | None = None
) -> None:
    """Write the outcomes of rows, with *was* only of those that still have that one."""
    statement = "UPDATE run_rows SET outcome = ? WHERE run = ? AND number = ?"
    values = [(row.outcome, row.run, row.number) for row in rows]
    if was is None:
        db.executemany(statement, values)
    else:
        db.executemany(f"{statement} AND outcome IS ?", [(*one, old) for one, old in zip(values, was, strict=True)])


def add_events(db: sqlite3.Connection, *, events: Sequence[StoredEvent]) -> None:
    """Insert events."""
    db.executemany(
        f"INSERT INTO run_events ({_EVENT}) VALUES (?,?,?,?,?)",
        ((event.run, event.at, event.job_id, event.kind, event.data) for event in events),
    )


def events(db: sqlite3.Connection, *, run_id: str, after: int) -> list[tuple[int, StoredEvent]]:
    """Read the events of a run that have a number above *after*."""
    found = db.execute(
        f"SELECT seq, {_EVENT} FROM run_events WHERE run = ? AND seq > ? ORDER BY seq",
        (run_id, after),
    )
    return [
        (seq, StoredEvent(run=name, at=at, job_id=job_id, kind=kind, data=data))
        for seq, name, at, job_id, kind, data in found
    ]
