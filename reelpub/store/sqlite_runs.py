"""The part of the SQLite store that keeps runs.

Runs are read beside the writing, not in its transaction: in WAL mode a reader sees the file as it was when it began
and keeps nobody from noting an intent. See https://www.sqlite.org/wal.html#concurrency.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from reelpub.store import run_statements, statements
from reelpub.store.base import StoredJob
from reelpub.store.runs import StoredEvent, StoredRow, StoredRun

__all__ = ["SqliteRuns"]

T = TypeVar("T")


class SqliteRuns(ABC):
    """Keeps runs by way of two methods: one that writes, and one that reads."""

    @abstractmethod
    async def _write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out *write* and have it on disk."""

    @abstractmethod
    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out *read*, all of whose statements see the same state of the file."""

    async def add_run(self, run: StoredRun, rows: Sequence[StoredRow]) -> None:
        await self._write(partial(run_statements.add_run, run=run, rows=rows))

    async def run(self, run_id: str) -> StoredRun | None:
        return await self._read(partial(run_statements.run, run_id=run_id))

    async def runs(self, *, limit: int = 100) -> Sequence[StoredRun]:
        return await self._read(partial(run_statements.runs, limit=limit))

    async def rows(self, run_id: str) -> Sequence[StoredRow]:
        return await self._read(partial(run_statements.rows, run_id=run_id))

    async def settle_rows(self, rows: Sequence[StoredRow], *, was: Sequence[bytes | None] | None = None) -> None:
        await self._write(partial(run_statements.settle_rows, rows=rows, was=was))

    async def jobs(self, run_id: str) -> Sequence[StoredJob]:
        return await self._read(partial(statements.jobs, run=run_id))

    async def held(self, run_id: str, *, now: float) -> Mapping[str, str]:
        return await self._read(partial(statements.held, run=run_id, now=now))

    async def add_events(self, events: Sequence[StoredEvent]) -> None:
        await self._write(partial(run_statements.add_events, events=events))

    async def events(self, run_id: str, *, after: int = 0) -> Sequence[tuple[int, StoredEvent]]:
        return await self._read(partial(run_statements.events, run_id=run_id, after=after))

    async def same_content(self, keys: Sequence[str]) -> Mapping[str, str]:
        return await self._read(partial(statements.same_content, keys=keys))

    async def asked_before(self, keys: Mapping[str, Collection[str]]) -> Mapping[str, str]:
        return await self._read(partial(statements.asked_before, keys=keys))
