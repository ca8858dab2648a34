"""Runs: what one manifest asked for, kept beside the jobs it became, so that any later command can go on with it.

A run has rows, and each row the id of the job that it becomes, which is decided before anything is submitted: a row
that was noted and never submitted can be told from one that was, and none is submitted twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

from attrs import frozen

from reelpub.store.base import Store, StoredJob

__all__ = ["KnowsContents", "RunStore", "StoredEvent", "StoredRow", "StoredRun"]


@frozen(kw_only=True)
class StoredRun:
    """One run as it is kept.

    `name` is the manifest's file name and `command` what was asked for. `info` is JSON for whoever made the run.
    """

    id: str
    name: str
    command: str
    started_at: float
    info: bytes = b"{}"


@frozen(kw_only=True)
class StoredRow:
    """One row of a run's manifest: its place, its request, and the id of its first job.

    `outcome` is set only where the row came to its end without a job in the store: a check refused it, or another job
    has the same content. `own` is JSON of the columns that are its writer's own, None where there are none.
    """

    run: str
    number: int
    line: int
    job_id: str
    request: bytes
    outcome: bytes | None = None
    own: bytes | None = None


@frozen(kw_only=True)
class StoredEvent:
    """Something that happened in a run, at `at` (Unix seconds); `job_id` is None where it is about no single job."""

    run: str
    at: float
    kind: str
    job_id: str | None = None
    data: bytes = b"{}"


@runtime_checkable
class RunStore(Store, Protocol):
    """A store that also keeps runs."""

    async def add_run(self, run: StoredRun, rows: Sequence[StoredRow]) -> None:
        """Remember a run with all of its rows, or none of it.

        Raises:
            StoreError: there is a run of that id, or it can't be written.
        """
        ...

    async def run(self, run_id: str) -> StoredRun | None:
        """Read one run."""
        ...

    async def runs(self, *, limit: int = 100) -> Sequence[StoredRun]:
        """Read the latest runs, the newest first."""
        ...

    async def rows(self, run_id: str) -> Sequence[StoredRow]:
        """Read the rows of a run in their order."""
        ...

    async def settle_rows(self, rows: Sequence[StoredRow], *, was: Sequence[bytes | None] | None = None) -> None:
        """Write the outcomes of rows that ended without a job in the store; from then on none is added for them.

        With *was*, what the outcome of each was when it was read: one that has another by now keeps that.
        """
        ...

    async def jobs(self, run_id: str) -> Sequence[StoredJob]:
        """Read every job of a run with its parts, retries included, the oldest first."""
        ...

    async def held(self, run_id: str, *, now: float) -> Mapping[str, str]:
        """Return the unfinished jobs of a run that somebody holds at *now*, each with its owner."""
        ...

    async def add_events(self, events: Sequence[StoredEvent]) -> None:
        """Remember what happened."""
        ...

    async def events(self, run_id: str, *, after: int = 0) -> Sequence[tuple[int, StoredEvent]]:
        """Read what happened in a run, each with its number; only what has a number above *after*."""
        ...

    async def same_content(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Return which of these content keys a remembered job has, each with the id of the first such job."""
        ...


@runtime_checkable
class KnowsContents(RunStore, Protocol):
    """A store of runs that tells which of two jobs it remembered first, so that of two alike exactly one is sent."""

    async def asked_before(self, keys: Mapping[str, Collection[str]]) -> Mapping[str, str]:
        """Return which jobs have an earlier one that is like them, each with the id of the first such job.

        *keys* has for each job, by its id, the content keys that others may have asked for the same by.
        """
        ...
