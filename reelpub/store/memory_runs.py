"""The part of the store in memory that keeps runs."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from reelpub.errors import StoreError
from reelpub.store.runs import StoredEvent, StoredRow, StoredRun

__all__ = ["MemoryRuns"]


class MemoryRuns:
    """Keeps runs, their rows and what happened in them."""

    def __init__(self) -> None:
        self._runs: dict[str, StoredRun] = {}
        self._rows: dict[str, dict[int, StoredRow]] = {}
        self._events: dict[str, list[tuple[int, StoredEvent]]] = {}
        self._ended: dict[str, set[str]] = {}
        self._last_event = 0

    async def add_run(self, run: StoredRun, rows: Sequence[StoredRow]) -> None:
        if run.id in self._runs:
            raise StoreError(f"there is a run {run.id!r} already")
        by_number = {row.number: row for row in rows}
        if len(by_number) < len(rows):
            raise StoreError(f"run {run.id!r} has two rows of one number")
        if any(row.run != run.id for row in rows):
            raise StoreError(f"run {run.id!r}: a row is another run's")
        self._runs[run.id], self._rows[run.id], self._events[run.id] = run, by_number, []
        self._ended[run.id] = {row.job_id for row in rows if row.outcome is not None}

    async def run(self, run_id: str) -> StoredRun | None:
        return self._runs.get(run_id)

    async def runs(self, *, limit: int = 100) -> Sequence[StoredRun]:
        # Of two that began at the same time the one that was added later is the newer.
        newest = sorted(enumerate(self._runs.values()), key=lambda one: (one[1].started_at, one[0]), reverse=True)
        return [run for _, run in newest[:limit]]

    async def rows(self, run_id: str) -> Sequence[StoredRow]:
        rows = self._rows.get(run_id, {})
        return [rows[number] for number in sorted(rows)]

    async def settle_rows(self, rows: Sequence[StoredRow], *, was: Sequence[bytes | None] | None = None) -> None:
        for index, row in enumerate(rows):
            kept = self._rows.get(row.run, {})
            if row.number in kept and (was is None or kept[row.number].outcome == was[index]):
                kept[row.number] = evolve(kept[row.number], outcome=row.outcome)
                ended, job_id = self._ended[row.run], kept[row.number].job_id
                ended.discard(job_id) if row.outcome is None else ended.add(job_id)

    def _has_ended(self, run_id: str | None, job_id: str) -> bool:
        """Return whether the row to which a job would belong has ended without it."""
        return job_id in self._ended.get(run_id or "", ())

    async def add_events(self, events: Sequence[StoredEvent]) -> None:
        unknown = next((event.run for event in events if event.run not in self._runs), None)
        if unknown is not None:
            raise StoreError(f"there is no run {unknown!r}")
        for event in events:
            self._last_event += 1
            self._events[event.run].append((self._last_event, event))

    async def events(self, run_id: str, *, after: int = 0) -> Sequence[tuple[int, StoredEvent]]:
        return [(number, event) for number, event in self._events.get(run_id, ()) if number > after]
