"""The tables, and how a file of an older version is brought up to date."""

from __future__ import annotations

import sqlite3

from reelpub.errors import StoreError

__all__ = ["VERSION", "migrate"]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE jobs (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            publisher TEXT NOT NULL,
            request BLOB NOT NULL,
            submitted_at REAL NOT NULL,
            content_key TEXT,
            due_at REAL,
            before BLOB,
            outcome BLOB,
            run TEXT,
            owner TEXT,
            lease_until REAL NOT NULL DEFAULT 0
        ) STRICT
        """,
        # Partial indexes: however many jobs are settled, finding the unfinished ones stays cheap.
        "CREATE INDEX unfinished ON jobs (seq) WHERE outcome IS NULL",
        "CREATE INDEX owned ON jobs (owner) WHERE outcome IS NULL",
        "CREATE INDEX content ON jobs (content_key) WHERE content_key IS NOT NULL",
        "CREATE INDEX runs ON jobs (run) WHERE run IS NOT NULL",
        """
        CREATE TABLE parts (
            id TEXT PRIMARY KEY,
            job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            state BLOB NOT NULL,
            post_id TEXT,
            sent_at REAL
        ) STRICT
        """,
        "CREATE INDEX parts_of ON parts (job_id)",
        "CREATE INDEX posts ON parts (sent_at, post_id) WHERE post_id IS NOT NULL",
    ),
    (
        "ALTER TABLE jobs ADD COLUMN retries TEXT",
        "ALTER TABLE jobs ADD COLUMN warnings BLOB",
        "CREATE INDEX retried ON jobs (retries) WHERE retries IS NOT NULL",
        # An index and a table can't have the same name.
        "DROP INDEX runs",
        "CREATE INDEX jobs_of ON jobs (run) WHERE run IS NOT NULL",
        """
        CREATE TABLE runs (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            command TEXT NOT NULL,
            started_at REAL NOT NULL,
            info BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX newest ON runs (started_at, seq)",
        """
        CREATE TABLE run_rows (
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            line INTEGER NOT NULL,
            job_id TEXT NOT NULL,
            request BLOB NOT NULL,
            outcome BLOB,
            own BLOB,
            PRIMARY KEY (run, number)
        ) STRICT
        """,
        "CREATE INDEX ended_rows ON run_rows (job_id) WHERE outcome IS NOT NULL",
        """
        CREATE TABLE run_events (
            seq INTEGER PRIMARY KEY,
            run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            at REAL NOT NULL,
            job_id TEXT,
            kind TEXT NOT NULL,
            data BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX events_of ON run_events (run)",
    ),
)

VERSION = len(MIGRATIONS)


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file to this version, one step after the other, in one transaction.

    The transaction is begun even where there is nothing to do: a file that can't be written to is told now.

    Raises:
        StoreError: the file is of a newer version.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        found = _version(db)
        if found > VERSION:
            raise StoreError(f"the store is of version {found}, and this is for {VERSION}; upgrade reelpub")
        for step in MIGRATIONS[found:]:
            for statement in step:
                db.execute(statement)
        db.execute(f"PRAGMA user_version={VERSION:d}")
        db.execute("COMMIT")
    except BaseException:
        # Where the disk is full or can't be written SQLite has rolled back by itself; the reason is what counts.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)
