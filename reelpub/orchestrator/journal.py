"""The orchestrator's side of the store: what is noted when, and who holds which job."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from reelpub.clocks import Clock, utc_now
from reelpub.errors import ConfigurationError, LeaseLost, StoreError
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.tracker import PartRef
from reelpub.store import codec
from reelpub.store.base import Store, StoredJob, StoredPart
from reelpub.store.owner import is_gone, new_owner

__all__ = ["Journal"]

log = logging.getLogger("reelpub.store")

NOTHING_LIVE = frozenset({OutcomeStatus.REFUSED, OutcomeStatus.FAILED, OutcomeStatus.NOT_SENT, OutcomeStatus.CANCELLED})
"""Ends after which the same may be asked for again."""


DECODE_CHUNK = 100
"""Jobs read before the loop gets a turn, so that resuming many doesn't stall a web service."""


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
        self._unsettled: dict[str, Outcome] = {}

    async def open(self) -> None:
        """Make the store ready.

        Raises:
            StoreError: it can't be written to.
        """
        if self._store is not None:
            await self._store.open()

    async def close(self) -> None:
        """Write what is pending, give up the leases, and close the store."""
        try:
            await self._settle_the_rest()
        except StoreError as error:
            log.warning("%d outcomes couldn't be noted; their jobs will be resumed: %s", len(self._unsettled), error)
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
        await self._settle_the_rest()
        earlier = await self._store.add([_stored(job) for job in new], owner=self._owner, lease_until=self._until())
        for job in new:
            job.is_stored = job.id not in earlier
        return earlier

    async def note(self, refs: Sequence[PartRef]) -> None:
        """Have the parts as they are now on disk, and with the first of a job's all the others, lest they be forgotten.

        Raises:
            LeaseLost: another process has taken a job over; nothing was written.
            StoreError: they couldn't be written.
        """
        if self._store is None or not refs:
            return
        begun = {ref.job.id: ref.job for ref in refs if not ref.job.has_stored_parts}
        whole = [PartRef(job, index) for job in begun.values() for index in range(len(job.parts))]
        known = [ref for ref in refs if ref.job.id not in begun]
        await self._store.put([_part(ref) for ref in whole + known], owner=self._owner)
        for job in begun.values():
            job.has_stored_parts = True

    async def try_note(self, refs: Sequence[PartRef]) -> frozenset[str]:
        """Note what has happened already: a failure is logged, since it can't be undone by not noting it.

        Returns the ids of the jobs that are another process's by now.
        """
        lost: set[str] = set()
        for group in await self._noted_or_alone(refs):
            try:
                await self.note(group)
            except LeaseLost as error:
                log.info("%s", error)
                lost.update(ref.job.id for ref in group)
            except StoreError as error:
                log.warning("%s couldn't be noted: %s", ", ".join(ref.state.part.id for ref in group), error)
        return frozenset(lost)

    async def _noted_or_alone(self, refs: Sequence[PartRef]) -> list[list[PartRef]]:
        """Note *refs* together; return each by itself where one was taken over, so that the others are noted."""
        if len({ref.job.id for ref in refs}) < 2:
            return [list(refs)]
        try:
            await self.note(refs)
        except LeaseLost:
            return [[ref] for ref in refs]
        except StoreError:
            return [list(refs)]
        return []

    async def let_go(self, jobs: Sequence[Job]) -> None:
        """Leave *jobs* to whoever resumes next: their outcome isn't noted here any more."""
        for job in jobs:
            job.is_stored = False
        if self._store is not None:
            try:
                await self._store.release(owner=self._owner, job_ids=[job.id for job in jobs])
            except StoreError as error:
                log.warning("leases couldn't be given up, they end by themselves in %.0f s: %s", self._lease, error)

    def settle(self, job: Job) -> None:
        """Note a job's outcome, without waiting for it."""
        outcome = job.outcome
        if self._store is None or outcome is None or not job.is_stored:
            return
        # The outcome as it is now: a job may be followed further before it is written.
        task = asyncio.get_running_loop().create_task(self._settle(outcome), name="reelpub-settle")
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, outcome: Outcome) -> None:
        try:
            await self._note_outcome(outcome)
        except StoreError as error:
            self._unsettled[outcome.job_id] = outcome
            log.warning("the outcome of %s couldn't be noted yet: %s", outcome.job_id, error)

    async def _note_outcome(self, outcome: Outcome) -> None:
        if self._store is None:
            return
        job_id, keep = outcome.job_id, outcome.status not in NOTHING_LIVE
        try:
            await self._store.settle(job_id, codec.dump_outcome(outcome), owner=self._owner, keep_content=keep)
        except LeaseLost as error:
            log.info("the outcome of %s is the other process's to note: %s", job_id, error)
        self._unsettled.pop(job_id, None)

    async def _settle_the_rest(self) -> None:
        """Note what couldn't be noted yet, before a retry of it may be taken on: a crash must not leave both open.

        Raises:
            StoreError: it still can't be written.
        """
        if self._settling:
            await asyncio.wait(set(self._settling))
        for outcome in list(self._unsettled.values()):
            await self._note_outcome(outcome)

    async def posts_since(self, sent_at: float) -> frozenset[str]:
        """Return the ids of the posts that the store knows to be somebody's, of those sent at *sent_at* or later."""
        if self._store is None:
            return frozenset()
        return await self._store.posts_since(sent_at)

    async def claim(self, publishers: Sequence[str], limit: int) -> list[Job]:
        """Take over up to *limit* unfinished jobs of *publishers* that nobody holds."""
        if self._store is None:
            raise ConfigurationError("store: there is none; give the orchestrator one to resume from")
        for owner in await self._store.owners():
            if owner != self._owner and is_gone(owner):
                await self._store.release(owner=owner)
        rows = await self._store.claim(
            publishers=publishers, owner=self._owner, now=self._clock.time(), lease_until=self._until(), limit=limit
        )
        jobs: list[Job] = []
        for row in rows:
            if len(jobs) % DECODE_CHUNK == DECODE_CHUNK - 1:
                await asyncio.sleep(0)
            jobs.append(_job(row, utc_now(self._clock)))
        return jobs

    async def unfinished(self) -> int:
        """Return how many jobs in the store have no outcome, whoever holds them."""
        if self._store is None:
            return 0
        if self._settling:
            await asyncio.wait(set(self._settling))
        return (await self._store.count())[0]

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
        # A retry has the content of what it retries.
        may_repeat=job.request.allow_duplicate or earlier is not None,
    )


def _part(ref: PartRef) -> StoredPart:
    state = ref.state
    return StoredPart(
        id=state.part.id,
        job_id=ref.job.id,
        state=codec.dump_part(state),
        post_id=state.post.id if state.post is not None else None,
        sent_at=state.attempt.started_at if state.attempt is not None else None,
    )


def _job(row: StoredJob, taken_up_at: datetime) -> Job:
    earlier = codec.load_outcome(row.before) if row.before is not None else None
    job = Job(
        id=row.id,
        request=codec.load_request(row.request),
        publisher=row.publisher,
        submitted_at=datetime.fromtimestamp(row.submitted_at, UTC),
        content_key=row.content_key,
        earlier=earlier,
        is_stored=True,
        taken_up_at=taken_up_at,
    )
    states = [codec.load_part(part.state) for part in row.parts]
    job.parts = sorted(states, key=lambda state: int(state.part.id.rpartition(".")[2]))
    job.has_stored_parts = bool(job.parts)
    job.requests = sum(len(state.attempts) for state in job.parts)
    return job
