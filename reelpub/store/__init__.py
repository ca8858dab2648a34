"""Where jobs and runs are remembered: in memory, or in a SQLite file that survives a crash."""

from __future__ import annotations

from reelpub.store.base import ClaimsPosts, Store, StoredJob, StoredPart
from reelpub.store.memory import MemoryStore
from reelpub.store.runs import KnowsContents, RunStore, StoredEvent, StoredRow, StoredRun
from reelpub.store.sqlite import SqliteStore

__all__ = [
    "ClaimsPosts",
    "KnowsContents",
    "MemoryStore",
    "RunStore",
    "SqliteStore",
    "Store",
    "StoredEvent",
    "StoredJob",
    "StoredPart",
    "StoredRow",
    "StoredRun",
]
