"""The orchestrator's side of the store: what is noted when, and who holds which job."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from reelpub.clocks import Clock
from reelpub.errors import ConfigurationError, LeaseLost, StoreError
from reelpub.models.outcome import OutcomeStatus
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.tracker import PartRef
from reelpub.store import codec
from reelpub.store.base import Store, StoredJob, StoredPart
from reelpub.store.owner import is_gone, new_owner

__all__ = ["Journal"]

log = logging.getLogger("reelpub.store")

NOTHING_LIVE = frozenset({OutcomeStatus.REFUSED, OutcomeStatus.FAILED, OutcomeStatus.NOT_SENT, OutcomeStatus.CANCELLED})
"""Ends after which the same may be asked for again."""


class Journal:
    """Notes jobs in *store* as one owner, whose leases last *lease* seconds and are renewed until it is closed.

    Without a store nothing is noted: jobs then live as long as the process.
    """

    def __init__(self, store: Store | None, clock: Clock, *, lease: float) -> None:
        self._store = store
        self._clock = clock
        self._lease = lease
        self._owner = new_owner()
        self._settling: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Make the store ready.

        Raises:
            StoreError: it can't be written to.
        """
        if self._store is not None:
            await self._store.open()

    async def close(self) -> None:
        """Write what is pending, give up the leases, and close the store."""
        while self._settling:
            await asyncio.wait(self._settling)
        if self._store is None:
            return
        try:
            await self._store.release(owner=self._owner)
        except StoreError as error:
            log.warning("the leases couldn't be given up, they end by themselves in %.0f s: %s", self._lease, error)
        finally:
            await self._store.close()

    async def keep_leases(self) -> None:
        """Renew the leases for ever; cancel to stop."""
        while self._store is not None:
            await self._clock.sleep(self._lease / 3)
            try:
                await self._store.renew(owner=self._owner, lease_until=self._until())
            except StoreError as error:
                log.warning("the leases couldn't be renewed: %s", error)

    async def add(self, jobs: Sequence[Job]) -> Mapping[str, str]:
        """Note new jobs; return which of them have the content of an earlier one, and of which."""
        new = [job for job in jobs if not job.is_stored]
        if self._store is None or not new:
            return {}
        earlier = await self._store.add([_stored(job) for job in new], owner=self._owner, lease_until=self._until())
        for job in new:
            job.is_stored = job.id not in earlier
        return earlier

    async def note(self, refs: Sequence[PartRef]) -> None:
        """Have the parts as they are now on disk.

        Raises:
            LeaseLost: another process has taken a job over; nothing was written.
            StoreError: they couldn't be written.
        """
        if self._store is not None and refs:
            await self._store.put([_part(ref) for ref in refs], owner=self._owner, now=self._clock.time())

    async def try_note(self, refs: Sequence[PartRef]) -> None:
        """Note what has happened already: a failure is logged, since it can't be undone by not noting it."""
        try:
            await self.note(refs)
        except StoreError as error:
            log.warning("%s couldn't be noted: %s", ", ".join(ref.state.part.id for ref in refs), error)

    def settle(self, job: Job) -> None:
        """Note a job's outcome, without waiting for it."""
        if self._store is None or not job.is_stored:
            return
        task = asyncio.get_running_loop().create_task(self._settle(job), name="reelpub-settle")
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, job: Job) -> None:
        outcome = job.outcome
        if outcome is None or self._store is None:
            return
        keep = outcome.status not in NOTHING_LIVE
        try:
            await self._store.settle(job.id, codec.dump_outcome(outcome), owner=self._owner, keep_content=keep)
        except LeaseLost as error:
            log.info("the outcome of %s is the other process's to note: %s", job.id, error)
        except StoreError as error:
            log.warning("the outcome of %s couldn't be noted: %s", job.id, error)

    async def claim(self, limit: int) -> list[Job]:
        """Take over up to *limit* unfinished jobs that nobody holds."""
        if self._store is None:
            raise ConfigurationError("store: there is none; give the orchestrator one to resume from")
        for owner in await self._store.owners():
            if owner != self._owner and is_gone(owner):
                await self._store.release(owner=owner)
        rows = await self._store.claim(
            owner=self._owner, now=self._clock.time(), lease_until=self._until(), limit=limit
        )
        return [_job(row) for row in rows]

    async def unfinished(self) -> int:
        """Return how many jobs in the store have no outcome, whoever holds them."""
        return 0 if self._store is None else (await self._store.count())[0]

    def _until(self) -> float:
        return self._clock.time() + self._lease


def _stored(job: Job) -> StoredJob:
    earlier = job.earlier
    return StoredJob(
        id=job.id,
        publisher=job.publisher or "",
        request=codec.dump_request(job.request),
        submitted_at=job.submitted_at.timestamp(),
        content_key=job.content_key,
        before=codec.dump_outcome(earlier) if earlier is not None else None,
        parts=tuple(_part(PartRef(job, index)) for index in range(len(job.parts))),
    )


def _part(ref: PartRef) -> StoredPart:
    state = ref.state
    return StoredPart(
        id=state.part.id,
        job_id=ref.job.id,
        state=codec.dump_part(state),
        post_id=state.post.id if state.post is not None else None,
    )


def _job(row: StoredJob) -> Job:
    earlier = codec.load_outcome(row.before) if row.before is not None else None
    job = Job(
        id=row.id,
        request=codec.load_request(row.request),
        publisher=row.publisher,
        submitted_at=datetime.fromtimestamp(row.submitted_at, UTC),
        content_key=row.content_key,
        earlier=earlier,
        is_stored=True,
    )
    states = [codec.load_part(part.state) for part in row.parts]
    job.parts = sorted(states, key=lambda state: int(state.part.id.rpartition(".")[2]))
    return job
