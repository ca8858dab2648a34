"""Where jobs are remembered: in memory, or in a SQLite file that survives a crash."""

from __future__ import annotations

from reelpub.store.base import Store, StoredJob, StoredPart
from reelpub.store.memory import MemoryStore
from reelpub.store.sqlite import SqliteStore

__all__ = ["MemoryStore", "SqliteStore", "Store", "StoredJob", "StoredPart"]
