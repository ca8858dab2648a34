"""A store in memory: nothing survives the process, and nothing has to be waited for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from attrs import define, evolve, field

from reelpub.errors import LeaseLost
from reelpub.store.base import StoredJob, StoredPart
from reelpub.store.memory_runs import MemoryRuns

__all__ = ["MemoryStore"]


@define
class _Held:
    """A job and who holds it; `number` says how many were remembered before it."""

    job: StoredJob
    owner: str | None
    lease_until: float
    number: int
    parts: dict[str, StoredPart] = field(factory=dict)

    def whole(self) -> StoredJob:
        """Return the job with its parts as they are."""
        return evolve(self.job, parts=tuple(self.parts.values()))


class MemoryStore(MemoryRuns):
    """Keeps jobs and runs in dictionaries, by the same rules as a store that lasts."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs: dict[str, _Held] = {}
        self._by_content: dict[str, list[str]] = {}
        self._retried_by: dict[str, str] = {}

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def add(self, jobs: Sequence[StoredJob], *, owner: str, lease_until: float) -> Mapping[str, str]:
        refused: dict[str, str] = {}
        for job in jobs:
            earlier = self._in_the_way(job)
            if earlier is not None:
                refused[job.id] = earlier
                continue
            if job.content_key:
                self._by_content.setdefault(job.content_key, []).append(job.id)
            if job.retries is not None:
                self._retried_by[job.retries] = job.id
            retried = self._jobs.get(job.retries or "")
            new = evolve(job, run=job.run or (retried.job.run if retried else None))
            self._jobs[job.id] = _Held(new, owner, lease_until, len(self._jobs), {part.id: part for part in job.parts})
        return refused

    def _in_the_way(self, job: StoredJob) -> str | None:
        if job.id in self._jobs or self._has_ended(job.run, job.id):
            return job.id
        if job.retries in self._retried_by:
            return self._retried_by[job.retries]
        same = self._by_content.get(job.content_key or "")
        return same[0] if same and not job.may_repeat else None

    async def put(self, parts: Sequence[StoredPart], *, owner: str) -> None:
        for part in parts:
            self._held(part.job_id, owner)
        self._put(parts)

    async def claim_post(self, part: StoredPart, *, owner: str, since: float) -> str | None:
        self._held(part.job_id, owner)
        for other in (one for held in self._jobs.values() for one in held.parts.values()):
            if other.post_id == part.post_id and other.id != part.id and (other.sent_at or 0.0) >= since:
                return other.id
        self._put([part])
        return None

    def _put(self, parts: Sequence[StoredPart]) -> None:
        for part in parts:
            self._jobs[part.job_id].parts[part.id] = part

    async def settle(
        self, job_id: str, outcome: bytes, *, owner: str, keep_content: bool, parts: Sequence[StoredPart] = ()
    ) -> None:
        held = self._held(job_id, owner)
        same = self._by_content.get(held.job.content_key or "", [])
        if not keep_content:
            if job_id in same:
                same.remove(job_id)
            held.job = evolve(held.job, content_key=None)
        held.job = evolve(held.job, outcome=outcome)
        self._put(parts)

    def _held(self, job_id: str, owner: str) -> _Held:
        held = self._jobs.get(job_id)
        if held is None or held.owner != owner:
            raise LeaseLost(f"job {job_id} is held by another process")
        return held

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
        free = [
            held
            for held in self._jobs.values()
            if held.job.outcome is None
            and held.job.publisher in publishers
            and (held.owner is None or held.lease_until <= now)
            and run in (None, held.job.run)
        ]
        return _take(free[:limit], owner, lease_until)

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
        wanted = None if job_ids is None else frozenset(job_ids)
        free = [
            held
            for held in self._of_run(run)
            if held.job.publisher in publishers
            and (wanted is None or held.job.id in wanted)
            and (
                held.job.outcome is not None or held.owner is None or (held.owner != owner and held.lease_until <= now)
            )
        ]
        return _take(free, owner, lease_until)

    async def jobs(self, run_id: str) -> Sequence[StoredJob]:
        return [held.whole() for held in self._of_run(run_id)]

    async def held(self, run_id: str, *, now: float) -> Mapping[str, str]:
        return {
            held.job.id: held.owner
            for held in self._of_run(run_id)
            if held.job.outcome is None and held.owner is not None and held.lease_until > now
        }

    async def asked_before(self, keys: Mapping[str, Collection[str]]) -> Mapping[str, str]:
        found = {}
        for job_id, mine in keys.items():
            own = self._jobs.get(job_id)
            like = {other for key in mine for other in self._by_content.get(key, ())}
            before = sorted(held.number for other in like if own and (held := self._jobs[other]).number < own.number)
            if before:
                found[job_id] = next(islice(self._jobs, before[0], None))
        return found

    async def same_content(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: same[0] for key in keys if (same := self._by_content.get(key))}

    def _of_run(self, run_id: str) -> list[_Held]:
        return [held for held in self._jobs.values() if held.job.run == run_id]

    async def renew(self, *, owner: str, lease_until: float) -> None:
        for held in self._jobs.values():
            if held.owner == owner and held.job.outcome is None:
                held.lease_until = lease_until

    async def release(self, *, owner: str, job_ids: Sequence[str] | None = None) -> None:
        for held in self._jobs.values():
            if held.owner == owner and held.job.outcome is None and (job_ids is None or held.job.id in job_ids):
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


def _take(free: Sequence[_Held], owner: str, lease_until: float) -> list[StoredJob]:
    for held in free:
        held.owner, held.lease_until = owner, lease_until
    return [held.whole() for held in free]
