"""A store in memory: nothing survives the process, and nothing has to be waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, evolve, field

from reelpub.errors import LeaseLost
from reelpub.store.base import StoredJob, StoredPart

__all__ = ["MemoryStore"]


@define
class _Held:
    """A job and who holds it."""

    job: StoredJob
    owner: str | None
    lease_until: float
    parts: dict[str, StoredPart] = field(factory=dict)

    def whole(self) -> StoredJob:
        """Return the job with its parts as they are."""
        return evolve(self.job, parts=tuple(self.parts.values()))


class MemoryStore:
    """Keeps jobs in dictionaries, by the same rules as a store that lasts."""

    def __init__(self) -> None:
        self._jobs: dict[str, _Held] = {}
        self._by_content: dict[str, str] = {}

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def add(self, jobs: Sequence[StoredJob], *, owner: str, lease_until: float) -> Mapping[str, str]:
        duplicates: dict[str, str] = {}
        for job in jobs:
            earlier = self._by_content.get(job.content_key) if job.content_key else None
            if earlier is not None:
                duplicates[job.id] = earlier
                continue
            self._jobs[job.id] = _Held(job, owner, lease_until, {part.id: part for part in job.parts})
            if job.content_key:
                self._by_content[job.content_key] = job.id
        return duplicates

    async def put(self, parts: Sequence[StoredPart], *, owner: str, now: float) -> None:
        for part in parts:
            held = self._jobs[part.job_id]
            if held.owner != owner or held.lease_until <= now:
                raise LeaseLost(f"job {part.job_id} is held by another process")
        for part in parts:
            self._jobs[part.job_id].parts[part.id] = part

    async def settle(self, job_id: str, outcome: bytes, *, owner: str, keep_content: bool) -> None:
        held = self._jobs[job_id]
        if held.owner != owner:
            raise LeaseLost(f"job {job_id} is held by another process")
        if not keep_content and held.job.content_key and self._by_content.get(held.job.content_key) == job_id:
            del self._by_content[held.job.content_key]
        held.job = evolve(held.job, outcome=outcome)

    async def claim(self, *, owner: str, now: float, lease_until: float, limit: int) -> Sequence[StoredJob]:
        free = [
            held
            for held in self._jobs.values()
            if held.job.outcome is None and (held.owner is None or held.lease_until <= now)
        ]
        for held in free[:limit]:
            held.owner, held.lease_until = owner, lease_until
        return [held.whole() for held in free[:limit]]

    async def renew(self, *, owner: str, lease_until: float) -> None:
        for held in self._jobs.values():
            if held.owner == owner and held.job.outcome is None:
                held.lease_until = lease_until

    async def release(self, *, owner: str) -> None:
        for held in self._jobs.values():
            if held.owner == owner:
                held.owner = None

    async def owners(self) -> Sequence[str]:
        return sorted({held.owner for held in self._jobs.values() if held.owner and held.job.outcome is None})

    async def job(self, job_id: str) -> StoredJob | None:
        held = self._jobs.get(job_id)
        return held.whole() if held else None

    async def count(self) -> tuple[int, int]:
        settled = sum(held.job.outcome is not None for held in self._jobs.values())
        return len(self._jobs) - settled, settled
