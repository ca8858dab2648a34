"""What the SQLite store reads and writes of jobs: functions of a connection, run inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from reelpub.errors import LeaseLost
from reelpub.store.base import StoredJob, StoredPart

__all__ = [
    "add",
    "asked_before",
    "claim",
    "claim_post",
    "count",
    "held",
    "job",
    "jobs",
    "owners",
    "posts_since",
    "put",
    "recall",
    "release",
    "renew",
    "same_content",
    "settle",
]

_COLUMNS = "id, publisher, request, submitted_at, content_key, due_at, before, outcome, run, retries, warnings"
_NAMES = _COLUMNS.split(", ")
_PART_COLUMNS = "id, job_id, state, post_id, sent_at"
_PART_NAMES = _PART_COLUMNS.split(", ")
_INSERT = (
    f"INSERT INTO jobs ({_COLUMNS}, owner, lease_until)"
    f" VALUES ({', '.join(f':{name}' for name in _NAMES)}, :owner, :lease_until)"
)
_FREE = """
    SELECT seq FROM jobs
    WHERE outcome IS NULL AND (owner IS NULL OR lease_until <= :now)
        AND publisher IN (SELECT value FROM json_each(:publishers)) AND (:run IS NULL OR run = :run)
    ORDER BY seq LIMIT :limit
"""
_CLAIM = f"UPDATE jobs SET owner = :owner, lease_until = :lease_until WHERE seq IN ({_FREE}) RETURNING seq, {_COLUMNS}"
_RECALL = f"""
    UPDATE jobs SET owner = :owner, lease_until = :lease_until
    WHERE run = :run AND publisher IN (SELECT value FROM json_each(:publishers))
        AND (outcome IS NOT NULL OR owner IS NULL OR (owner <> :owner AND lease_until <= :now))
        AND (:job_ids IS NULL OR id IN (SELECT value FROM json_each(:job_ids)))
    RETURNING seq, {_COLUMNS}
"""


def add(db: sqlite3.Connection, *, jobs: Sequence[StoredJob], owner: str, lease_until: float) -> dict[str, str]:
    """Insert jobs with their parts, but for those that another stands in the way of; return which, and what does."""
    refused: dict[str, str] = {}
    for new in jobs:
        earlier = _in_the_way(db, new)
        if earlier is not None:
            refused[new.id] = earlier
            continue
        columns = {name: getattr(new, name) for name in _NAMES}
        columns["run"] = new.run or _run_of(db, new.retries)
        db.execute(_INSERT, {**columns, "owner": owner, "lease_until": lease_until})
        _write_parts(db, new.parts)
    return refused


def _in_the_way(db: sqlite3.Connection, new: StoredJob) -> str | None:
    """Return the id of the job because of which *new* isn't added."""
    found = _first_id(db, "id", new.id) or _ended_row(db, new)
    if found is None and new.retries is not None:
        found = _first_id(db, "retries", new.retries)
    if found is None and new.content_key is not None and not new.may_repeat:
        found = _first_id(db, "content_key", new.content_key)
    return found


def _ended_row(db: sqlite3.Connection, new: StoredJob) -> str | None:
    """Return the id of *new* if the row that it belongs to has ended without a job, as one that was called off has."""
    statement = "SELECT job_id FROM run_rows WHERE job_id = ? AND run = ? AND outcome IS NOT NULL"
    row = db.execute(statement, (new.id, new.run)).fetchone()
    return row[0] if row else None


def _run_of(db: sqlite3.Connection, job_id: str | None) -> str | None:
    if job_id is None:
        return None
    row = db.execute("SELECT run FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return row[0] if row else None


def _first_id(db: sqlite3.Connection, column: str, value: str) -> str | None:
    row = db.execute(f"SELECT id FROM jobs WHERE {column} = ? ORDER BY seq LIMIT 1", (value,)).fetchone()
    return row[0] if row else None


def _write_parts(db: sqlite3.Connection, parts: Iterable[StoredPart]) -> None:
    db.executemany(
        "INSERT INTO parts (id, job_id, state, post_id, sent_at) VALUES (?,?,?,?,?) ON CONFLICT (id) DO UPDATE"
        " SET state = excluded.state, post_id = excluded.post_id, sent_at = excluded.sent_at",
        [(part.id, part.job_id, part.state, part.post_id, part.sent_at) for part in parts],
    )


def put(db: sqlite3.Connection, *, parts: Sequence[StoredPart], owner: str) -> None:
    """Write parts of jobs that *owner* holds."""
    for job_id in {part.job_id for part in parts}:
        if db.execute("SELECT 1 FROM jobs WHERE id = ? AND owner = ?", (job_id, owner)).fetchone() is None:
            raise LeaseLost(f"job {job_id} is held by another process")
    _write_parts(db, parts)


def claim_post(db: sqlite3.Connection, *, part: StoredPart, owner: str, since: float) -> str | None:
    """Write a part whose lost post was found, unless another part has that post; return which."""
    row = db.execute(
        "SELECT id FROM parts WHERE sent_at >= ? AND post_id = ? AND id <> ?", (since, part.post_id, part.id)
    ).fetchone()
    if row is not None:
        return str(row[0])
    put(db, parts=[part], owner=owner)
    return None


def settle(
    db: sqlite3.Connection,
    *,
    job_id: str,
    outcome: bytes,
    owner: str,
    keep_content: bool,
    parts: Sequence[StoredPart] = (),
) -> None:
    """Write the outcome of a job that *owner* holds, and parts of it."""
    done = db.execute(
        "UPDATE jobs SET outcome = ?, content_key = CASE WHEN ? THEN content_key END WHERE id = ? AND owner = ?",
        (outcome, keep_content, job_id, owner),
    )
    if done.rowcount == 0:
        raise LeaseLost(f"job {job_id} is held by another process")
    _write_parts(db, parts)


def claim(
    db: sqlite3.Connection,
    *,
    publishers: Sequence[str],
    owner: str,
    now: float,
    lease_until: float,
    limit: int,
    run: str | None = None,
) -> list[StoredJob]:
    """Take over unfinished jobs of *publishers* that nobody holds, the oldest first."""
    values = {"owner": owner, "lease_until": lease_until, "now": now, "limit": limit, "run": run}
    return _taken(db, _CLAIM, values, publishers)


def recall(
    db: sqlite3.Connection,
    *,
    run: str,
    publishers: Sequence[str],
    owner: str,
    now: float,
    lease_until: float,
    job_ids: Collection[str] | None = None,
) -> list[StoredJob]:
    """Take over the jobs of a run that are settled or that nobody holds, the oldest first."""
    only = None if job_ids is None else json.dumps(list(job_ids))
    values = {"owner": owner, "lease_until": lease_until, "now": now, "run": run, "job_ids": only}
    return _taken(db, _RECALL, values, publishers)


def _taken(
    db: sqlite3.Connection, statement: str, values: Mapping[str, object], publishers: Sequence[str]
) -> list[StoredJob]:
    rows = db.execute(statement, {**values, "publishers": json.dumps(list(publishers))}).fetchall()
    return _whole(db, [row[1:] for row in sorted(rows, key=lambda row: row[0])])


def renew(db: sqlite3.Connection, *, owner: str, lease_until: float) -> None:
    """Prolong the leases of *owner*."""
    db.execute("UPDATE jobs SET lease_until = ? WHERE owner = ? AND outcome IS NULL", (lease_until, owner))


def release(db: sqlite3.Connection, *, owner: str, job_ids: Sequence[str] | None = None) -> None:
    """Give up the leases of *owner*, or those of *job_ids* alone."""
    statement = "UPDATE jobs SET owner = NULL WHERE owner = ? AND outcome IS NULL"
    if job_ids is None:
        db.execute(statement, (owner,))
    else:
        db.executemany(f"{statement} AND id = ?", [(owner, job_id) for job_id in job_ids])


def owners(db: sqlite3.Connection) -> list[str]:
    """Return everybody who holds a lease of an unfinished job."""
    rows = db.execute("SELECT DISTINCT owner FROM jobs WHERE outcome IS NULL AND owner IS NOT NULL").fetchall()
    return [owner for (owner,) in rows]


def held(db: sqlite3.Connection, *, run: str, now: float) -> dict[str, str]:
    """Return the unfinished jobs of a run that somebody holds, with their owners."""
    rows = db.execute(
        "SELECT id, owner FROM jobs WHERE run = ? AND outcome IS NULL AND owner IS NOT NULL AND lease_until > ?",
        (run, now),
    )
    return dict(rows.fetchall())


def posts_since(db: sqlite3.Connection, *, sent_at: float) -> frozenset[str]:
    """Return the provider's ids of what was sent at *sent_at* or later."""
    rows = db.execute("SELECT post_id FROM parts WHERE post_id IS NOT NULL AND sent_at >= ?", (sent_at,)).fetchall()
    return frozenset(post_id for (post_id,) in rows)


def same_content(db: sqlite3.Connection, *, keys: Sequence[str]) -> dict[str, str]:
    """Return which content keys a job has, each with the id of the first such job."""
    rows = db.execute(
        "SELECT content_key, id FROM jobs WHERE content_key IN (SELECT value FROM json_each(?)) ORDER BY seq DESC",
        (json.dumps(list(keys)),),
    )
    return dict(rows.fetchall())


def asked_before(db: sqlite3.Connection, *, keys: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return for each job that was added after one with any of its *keys* the id of the first such job."""
    found = {}
    for job_id, mine in keys.items():
        row = db.execute(
            "SELECT id FROM jobs WHERE content_key IN (SELECT value FROM json_each(?))"
            " AND seq < (SELECT seq FROM jobs WHERE id = ?) ORDER BY seq LIMIT 1",
            (json.dumps(list(mine)), job_id),
        ).fetchone()
        if row is not None:
            found[job_id] = row[0]
    return found


def job(db: sqlite3.Connection, *, job_id: str) -> StoredJob | None:
    """Read one job."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchall()
    return next(iter(_whole(db, rows)), None)


def jobs(db: sqlite3.Connection, *, run: str) -> list[StoredJob]:
    """Read the jobs of a run, the oldest first."""
    return _whole(db, db.execute(f"SELECT {_COLUMNS} FROM jobs WHERE run = ? ORDER BY seq", (run,)).fetchall())


def count(db: sqlite3.Connection) -> tuple[int, int]:
    """Count the unfinished and the settled jobs."""
    (unfinished,) = db.execute("SELECT count(*) FROM jobs WHERE outcome IS NULL").fetchone()
    (whole,) = db.execute("SELECT count(*) FROM jobs").fetchone()
    return unfinished, whole - unfinished


def _whole(db: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> list[StoredJob]:
    """Return jobs with their parts, which are read for all of them at once."""
    parts: dict[str, list[StoredPart]] = {row[0]: [] for row in rows}
    # In the order in which they were first written.
    found = db.execute(
        f"SELECT {_PART_COLUMNS} FROM parts WHERE job_id IN (SELECT value FROM json_each(?)) ORDER BY rowid",
        (json.dumps(list(parts)),),
    )
    for row in found:
        parts[row[1]].append(StoredPart(**dict(zip(_PART_NAMES, row, strict=True))))
    return [StoredJob(**dict(zip(_NAMES, row, strict=True)), parts=tuple(parts[row[0]])) for row in rows]
