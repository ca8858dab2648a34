"""A store in one SQLite file: WAL, `synchronous=FULL`, one writing thread with group commit.

Everything that several callers ask for while a commit is under way goes into the next one, so that a write that has
to be on disk before a request leaves costs a share of one `fsync`, not an `fsync` each.
See https://www.sqlite.org/pragma.html#pragma_synchronous and https://www.sqlite.org/wal.html.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from reelpub.errors import StoreError
from reelpub.store import statements
from reelpub.store.base import StoredJob, StoredPart
from reelpub.store.schema import migrate
from reelpub.store.sqlite_runs import SqliteRuns

__all__ = ["SqliteStore"]

T = TypeVar("T")
Write = Callable[[sqlite3.Connection], Any]
_Pending = tuple[Write, "asyncio.Future[Any]"]
_Files = tuple[tuple[int, int] | None, ...]

_WAL_RETRY = 0.01
"""Seconds."""


class SqliteStore(SqliteRuns):
    """Keeps jobs and runs in the file *path*, which is made if it isn't there. Several processes may share it.

    *busy_timeout* (seconds) is how long a write waits for another process before it fails.
    """

    def __init__(self, path: str | Path, *, busy_timeout: float = 10.0) -> None:
        self.path = Path(path)
        self._busy_timeout = busy_timeout
        self._thread: ThreadPoolExecutor | None = None
        self._db: sqlite3.Connection | None = None
        self._place = self.path
        self._files: _Files = ()
        self._openings = 0
        self._connecting = Lock()
        self._pending: list[_Pending] = []
        self._committing: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<SqliteStore {str(self.path)!r}>"

    async def open(self) -> None:
        self._openings += 1
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="reelpub-store")
        try:
            await self._run(self._connect_once)
        except BaseException:
            self._openings -= 1
            if not self._openings:
                thread, self._thread = self._thread, None
                thread.submit(self._let_go)
                thread.shutdown(wait=False)
            raise

    async def close(self) -> None:
        self._openings = max(0, self._openings - 1)
        while self._committing is not None:
            await asyncio.shield(self._committing)
        if not self._openings and self._thread is not None and self._db is not None:
            # From here on it isn't open: a write asked for while SQLite closes the file would come too late.
            thread, db = self._thread, self._db
            self._thread = self._db = None
            try:
                await asyncio.get_running_loop().run_in_executor(thread, db.close)
            finally:
                thread.shutdown()

    async def add(self, jobs: Sequence[StoredJob], *, owner: str, lease_until: float) -> Mapping[str, str]:
        return await self._write(partial(statements.add, jobs=jobs, owner=owner, lease_until=lease_until))

    async def put(self, parts: Sequence[StoredPart], *, owner: str) -> None:
        await self._write(partial(statements.put, parts=parts, owner=owner))

    async def claim_post(self, part: StoredPart, *, owner: str, since: float) -> str | None:
        return await self._write(partial(statements.claim_post, part=part, owner=owner, since=since))

    async def settle(
        self, job_id: str, outcome: bytes, *, owner: str, keep_content: bool, parts: Sequence[StoredPart] = ()
    ) -> None:
        await self._write(
            partial(
                statements.settle,
                job_id=job_id,
                outcome=outcome,
                owner=owner,
                keep_content=keep_content,
                parts=parts,
            )
        )

    async def claim(
        self,
        *,
        publishers: Sequence[str],
        owner: str,
        now: float,
        lease_until: float,
        limit: int,
        run: str | None = None,
    ) -> Sequence[StoredJob]:
        names = list(publishers)
        return await self._write(
            partial(
                statements.claim,
                publishers=names,
                owner=owner,
                now=now,
                lease_until=lease_until,
                limit=limit,
                run=run,
            )
        )

    async def recall(
        self,
        run: str,
        *,
        publishers: Sequence[str],
        owner: str,
        now: float,
        lease_until: float,
        job_ids: Collection[str] | None = None,
    ) -> Sequence[StoredJob]:
        return await self._write(
            partial(
                statements.recall,
                run=run,
                publishers=list(publishers),
                owner=owner,
                now=now,
                lease_until=lease_until,
                job_ids=job_ids,
            )
        )

    async def renew(self, *, owner: str, lease_until: float) -> None:
        await self._write(partial(statements.renew, owner=owner, lease_until=lease_until))

    async def release(self, *, owner: str, job_ids: Sequence[str] | None = None) -> None:
        await self._write(partial(statements.release, owner=owner, job_ids=job_ids))

    async def owners(self) -> Sequence[str]:
        return await self._write(statements.owners)

    async def posts_since(self, sent_at: float) -> frozenset[str]:
        return await self._write(partial(statements.posts_since, sent_at=sent_at))

    async def job(self, job_id: str) -> StoredJob | None:
        return await self._write(partial(statements.job, job_id=job_id))

    async def count(self) -> tuple[int, int]:
        return await self._write(statements.count)

    # ---- inside

    def _connect_once(self) -> None:
        # In a thread: of two that open it at once, the second finds it connected.
        with self._connecting:
            if self._db is None:
                self._db = self._connect()

    def _let_go(self) -> None:
        # Whoever opened it was cancelled meanwhile; somebody else may have opened it since, in another thread.
        with self._connecting:
            if not self._openings and self._db is not None:
                self._db.close()
                self._db = None

    def _connect(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(self.path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        try:
            self._use_wal(db)
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA foreign_keys=ON")
            migrate(db)
            # Whoever changes the working directory later hasn't moved the file.
            self._place = self.path.absolute()
            self._files = _files_at(self._place)
        except (sqlite3.Error, StoreError) as error:
            db.close()
            raise error if isinstance(error, StoreError) else self._failed(error) from error
        return db

    def _use_wal(self, db: sqlite3.Connection) -> None:
        # Two processes that make the file at once collide here, and SQLite's own waiting doesn't cover this change.
        give_up_at = time.monotonic() + self._busy_timeout
        while True:
            try:
                db.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                    raise
                time.sleep(_WAL_RETRY)
            else:
                return

    def _run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        if self._thread is None:
            raise StoreError(f"{self.path}: the store isn't open")
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        if self._thread is None:
            raise StoreError(f"{self.path}: the store isn't open")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._pending.append((write, future))
        if self._committing is None:
            self._committing = loop.create_future()
            # What else is asked for in this turn goes into the same commit.
            loop.call_soon(self._commit_pending, loop, self._committing)
        return await future

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        return await self._run(partial(self._look, read))

    def _look(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run *read* in a transaction that waits for nobody and keeps nobody waiting."""
        db = self._db
        if db is None:
            raise StoreError(f"{self.path}: the store isn't open")
        try:
            db.execute("BEGIN")
            try:
                return read(db)
            finally:
                # After some errors SQLite has ended it by itself.
                if db.in_transaction:
                    db.execute("COMMIT")
        except (sqlite3.Error, ValueError) as error:
            raise StoreError(f"{self.path}: {error}") from error

    # Commits are driven by callbacks: a task could be cancelled, as all are that are left when a program ends, and then
    # nobody would answer those who are waiting for their write.

    def _commit_pending(self, loop: asyncio.AbstractEventLoop, committing: asyncio.Future[None]) -> None:
        if not self._pending:
            self._committing = None
            committing.set_result(None)
            return
        group, self._pending = self._pending, []
        try:
            work = self._run(partial(self._commit, [write for write, _ in group]))
        except (RuntimeError, StoreError) as error:  # the thread takes no more work, or there is none any more
            self._answer(group, [self._given_up(error)] * len(group))
            self._commit_pending(loop, committing)
        else:
            work.add_done_callback(partial(self._committed, loop, committing, group))

    def _committed(
        self,
        loop: asyncio.AbstractEventLoop,
        committing: asyncio.Future[None],
        group: Sequence[_Pending],
        work: asyncio.Future[list[Any]],
    ) -> None:
        error = asyncio.CancelledError() if work.cancelled() else work.exception()
        self._answer(group, work.result() if error is None else [self._given_up(error)] * len(group))
        self._commit_pending(loop, committing)

    def _given_up(self, error: BaseException) -> StoreError:
        return StoreError(f"{self.path}: the write was given up: {type(error).__name__}")

    def _answer(self, group: Sequence[_Pending], results: Sequence[Any]) -> None:
        for (_, future), result in zip(group, results, strict=True):
            _resolve(future, result)

    def _commit(self, writes: Sequence[Write]) -> list[Any]:
        """Run *writes* in one transaction; each has its own savepoint, so that one that fails undoes only itself."""
        db = self._db
        if db is None:
            return [StoreError(f"{self.path}: the store isn't open")] * len(writes)
        if _files_at(self._place) != self._files:
            # SQLite would go on writing to what nobody can open any more, and the next process would send it all again.
            return [self._failed(OSError("it was moved, removed or replaced while it was open"))] * len(writes)
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [self._attempt(db, write) for write in writes]
            db.execute("COMMIT")
        except sqlite3.Error as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            return [self._failed(error)] * len(writes)
        return results

    def _attempt(self, db: sqlite3.Connection, write: Write) -> Any:
        db.execute("SAVEPOINT one")
        try:
            result = write(db)
        except (StoreError, sqlite3.IntegrityError, ValueError) as error:
            # A ValueError is text that isn't text: half a surrogate pair.
            db.execute("ROLLBACK TO one")
            result = error if isinstance(error, StoreError) else self._failed(error)
        db.execute("RELEASE one")
        return result

    def _failed(self, error: Exception) -> StoreError:
        is_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        advice = "; make room where it is" if is_full else ""
        return StoreError(f"{self.path}: {error}{advice}; nothing was sent that it should have noted")


def _files_at(path: Path) -> _Files:
    """Return which files are at *path* and beside it, for what was committed last; None where there is none.

    The one beside it stays the same for as long as somebody has the database open.
    """
    return _file_at(path), _file_at(path.with_name(f"{path.name}-wal"))


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _resolve(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
