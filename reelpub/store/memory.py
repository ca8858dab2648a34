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
        self._by_content: dict[str, list[str]] = {}

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def add(self, jobs: Sequence[StoredJob], *, owner: str, lease_until: float) -> Mapping[str, str]:
        duplicates: dict[str, str] = {}
        for job in jobs:
            same = self._by_content.setdefault(job.content_key, []) if job.content_key else []
            if same and not job.may_repeat:
                duplicates[job.id] = same[0]
                continue
            same.append(job.id)
            self._jobs[job.id] = _Held(job, owner, lease_until, {part.id: part for part in job.parts})
        return duplicates

    async def put(self, parts: Sequence[StoredPart], *, owner: str) -> None:
        for part in parts:
            self._held(part.job_id, owner)
        for part in parts:
            self._jobs[part.job_id].parts[part.id] = part

    async def settle(self, job_id: str, outcome: bytes, *, owner: str, keep_content: bool) -> None:
        held = self._held(job_id, owner)
        same = self._by_content.get(held.job.content_key or "", [])
        if not keep_content and job_id in same:
            same.remove(job_id)
        held.job = evolve(held.job, outcome=outcome)

    def _held(self, job_id: str, owner: str) -> _Held:
        held = self._jobs.get(job_id)
        if held is None or held.owner != owner:
            raise LeaseLost(f"job {job_id} is held by another process")
        return held

    async def claim(
        self, *, publishers: Sequence[str], owner: str, now: float, lease_until: float, limit: int
    ) -> Sequence[StoredJob]:
        free = [
            held
            for held in self._jobs.values()
            if held.job.outcome is None
            and held.job.publisher in publishers
            and (held.owner is None or held.lease_until <= now)
        ]
        for held in free[:limit]:
            held.owner, held.lease_until = owner, lease_until
        return [held.whole() for held in free[:limit]]

    async def renew(self, *, owner: str, lease_until: float) -> None:
        for held in self._jobs.values():
            if held.owner == owner and held.job.outcome is None:
                held.lease_until = lease_until

    async def release(self, *, owner: str, job_ids: Sequence[str] | None = None) -> None:
        for held in self._jobs.values():
            if held.owner == owner and (job_ids is None or held.job.id in job_ids):
                held.owner = None

    async def owners(self) -> Sequence[str]:
        return sorted({held.owner for held in self._jobs.values() if held.owner and held.job.outcome is None})

    async def posts_since(self, sent_at: float) -> frozenset[str]:
        parts = (part for held in self._jobs.values() for part in held.parts.values())
        return frozenset(
            part.post_id
            for part in parts
            if part.post_id is not None and part.sent_at is not None and part.sent_at >= sent_at
        )

    async def job(self, job_id: str) -> StoredJob | None:
        held = self._jobs.get(job_id)
        return held.whole() if held else None

    async def count(self) -> tuple[int, int]:
        settled = sum(held.job.outcome is not None for held in self._jobs.values())
        return len(self._jobs) - settled, settled
