"""What the SQLite store reads and writes: functions of a connection, run inside a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from reelpub.errors import LeaseLost
from reelpub.store.base import StoredJob, StoredPart

__all__ = ["add", "claim", "count", "job", "owners", "posts_since", "put", "release", "renew", "settle"]

_COLUMNS = "id, publisher, request, submitted_at, content_key, due_at, before, outcome, run"
_PART_COLUMNS = "id, job_id, state, post_id, sent_at"
_FREE = """
    SELECT seq FROM jobs
    WHERE outcome IS NULL AND (owner IS NULL OR lease_until <= ?) AND publisher IN (SELECT value FROM json_each(?))
    ORDER BY seq LIMIT ?
"""
_CLAIM = f"UPDATE jobs SET owner = ?, lease_until = ? WHERE seq IN ({_FREE}) RETURNING seq, {_COLUMNS}"  # noqa: S608


def add(db: sqlite3.Connection, *, jobs: Sequence[StoredJob], owner: str, lease_until: float) -> dict[str, str]:
    """Insert jobs with their parts, leaving out those whose content another has; return which, and of what."""
    duplicates: dict[str, str] = {}
    for new in jobs:
        earlier = None if new.may_repeat else _same_content(db, new.content_key)
        if earlier is not None:
            duplicates[new.id] = earlier
            continue
        db.execute(
            f"INSERT INTO jobs ({_COLUMNS}, owner, lease_until) VALUES (?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
            (
                new.id,
                new.publisher,
                new.request,
                new.submitted_at,
                new.content_key,
                new.due_at,
                new.before,
                new.outcome,
                new.run,
                owner,
                lease_until,
            ),
        )
        _write_parts(db, new.parts)
    return duplicates


def _same_content(db: sqlite3.Connection, content_key: str | None) -> str | None:
    if content_key is None:
        return None
    row = db.execute("SELECT id FROM jobs WHERE content_key = ? ORDER BY seq LIMIT 1", (content_key,)).fetchone()
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


def settle(db: sqlite3.Connection, *, job_id: str, outcome: bytes, owner: str, keep_content: bool) -> None:
    """Write the outcome of a job that *owner* holds."""
    done = db.execute(
        "UPDATE jobs SET outcome = ?, content_key = CASE WHEN ? THEN content_key END WHERE id = ? AND owner = ?",
        (outcome, keep_content, job_id, owner),
    )
    if done.rowcount == 0:
        raise LeaseLost(f"job {job_id} is held by another process")


def claim(
    db: sqlite3.Connection, *, publishers: Sequence[str], owner: str, now: float, lease_until: float, limit: int
) -> list[StoredJob]:
    """Take over unfinished jobs of *publishers* that nobody holds, the oldest first."""
    rows = db.execute(_CLAIM, (owner, lease_until, now, json.dumps(list(publishers)), limit)).fetchall()
    return [_job(db, row[1:]) for row in sorted(rows)]


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


def posts_since(db: sqlite3.Connection, *, sent_at: float) -> frozenset[str]:
    """Return the provider's ids of what was sent at *sent_at* or later."""
    rows = db.execute("SELECT post_id FROM parts WHERE post_id IS NOT NULL AND sent_at >= ?", (sent_at,)).fetchall()
    return frozenset(post_id for (post_id,) in rows)


def job(db: sqlite3.Connection, *, job_id: str) -> StoredJob | None:
    """Read one job."""
    row = db.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()  # noqa: S608
    return _job(db, row) if row else None


def count(db: sqlite3.Connection) -> tuple[int, int]:
    """Count the unfinished and the settled jobs."""
    (unfinished,) = db.execute("SELECT count(*) FROM jobs WHERE outcome IS NULL").fetchone()
    (whole,) = db.execute("SELECT count(*) FROM jobs").fetchone()
    return unfinished, whole - unfinished


def _job(db: sqlite3.Connection, row: Sequence[object]) -> StoredJob:
    members = dict(zip(_COLUMNS.split(", "), row, strict=True))
    rows = db.execute(f"SELECT {_PART_COLUMNS} FROM parts WHERE job_id = ?", (members["id"],)).fetchall()  # noqa: S608
    parts = (StoredPart(**dict(zip(_PART_COLUMNS.split(", "), row, strict=True))) for row in rows)
    return StoredJob(**members, parts=tuple(parts))  # type: ignore[arg-type]  # columns are typed by the STRICT table
