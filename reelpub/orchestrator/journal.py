"""The orchestrator's side of the store: what is noted when, and who holds which job."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from itertools import count, islice
from typing import Any

from attrs import frozen

from reelpub.clocks import Clock, utc_now
from reelpub.errors import ConfigurationError, LeaseLost, StoreError
from reelpub.models.outcome import Outcome
from reelpub.orchestrator.additions import Additions
from reelpub.orchestrator.book import NOTHING_LIVE
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.recalling import says_more
from reelpub.orchestrator.rows import job_of, stored_job, stored_part, untold_parts
from reelpub.orchestrator.tracker import PartRef
from reelpub.policies.lifecycle import PartState
from reelpub.store import codec
from reelpub.store.base import ClaimsPosts, Store, StoredJob, StoredPart
from reelpub.store.owner import is_gone, new_owner
from reelpub.store.runs import KnowsContents, RunStore
from reelpub.store.trouble import Trouble

__all__ = ["Journal"]

log = logging.getLogger("reelpub.store")

ASKED_AT_ONCE = 250
"""Jobs that are compared with those of the store before a write gets its turn there."""

DECODE_CHUNK = 100
"""Jobs read before the loop gets a turn, so that resuming many doesn't stall a web service."""


@frozen
class _End:
    """An outcome that is to be noted, with the parts that tell it. A later one has a higher number."""

    outcome: Outcome
    parts: tuple[PartState, ...]
    number: int


def _number(end: _End) -> int:
    return end.number


def _says_less(row: StoredJob, ours: Outcome) -> bool:
    """Return whether the outcome that the store has of a settled job says less than *ours*."""
    return row.outcome is not None and says_more(ours, codec.load_outcome(row.outcome))


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
        self._unsettled: dict[str, _End] = {}
        self._others: set[str] = set()
        self._ends = count()
        self._trouble = Trouble(log)
        self._adds = Additions()

    @property
    def knows_contents(self) -> bool:
        """Whether there is a store that can be asked what it has, without anything being added."""
        return isinstance(self._store, RunStore)

    async def same_content(self, jobs: Sequence[Job]) -> dict[str, str]:
        """Return which of *jobs* have the content of an earlier one, and of which; none of them is noted."""
        wanted = {key: job.id for job in jobs for key in job.content_keys}
        if not wanted or not isinstance(self._store, RunStore):
            return {}
        return {wanted[key]: earlier for key, earlier in (await self._store.same_content(list(wanted))).items()}

    async def asked_before(self, keys: Mapping[str, Collection[str]]) -> Mapping[str, str]:
        """Return which jobs of the store have an earlier one with one of their *keys*, and which that is."""
        if not isinstance(self._store, KnowsContents):
            return {}
        found: dict[str, str] = {}
        remaining = iter(keys.items())
        while some := dict(islice(remaining, ASKED_AT_ONCE)):
            found |= await self._store.asked_before(some)
        return found

    async def open(self) -> None:
        """Make the store ready.

        Raises:
            StoreError: it can't be written to.
        """
        if self._store is not None:
            await self._store.open()

    async def close(self) -> None:
        """Write what is pending, give up the leases, and close the store."""
        await self._adds.wait()
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
        trouble = Trouble(log)
        while self._store is not None:
            await self._clock.sleep(self._lease / 3)
            try:
                await self._store.renew(owner=self._owner, lease_until=self._until())
            except StoreError as error:
                trouble.tell("the leases couldn't be renewed: %s", error)
            else:
                trouble.is_over("the leases are renewed again")

    def add_soon(self, jobs: Sequence[Job], noting: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have *noting* add new *jobs*, without waiting for it; without a store there is nothing to do."""
        if self._store is not None and jobs:
            self._adds.begin(jobs, noting, self.note_outcome)

    async def added(self, jobs: Sequence[Job]) -> None:
        """Wait until none of *jobs* is still to be added."""
        await self._adds.wait({job.id for job in jobs})

    async def add(self, jobs: Sequence[Job]) -> Mapping[str, str]:
        """Note new jobs; return which of them weren't, since another stands in the way, and which that is.

        One whose id is in the store already is in its own way; one of the same content or that retries the same, too.
        """
        if self._store is None or all(job.is_stored for job in jobs):
            return {}
        await self._settle_the_rest()
        # One that was called off by now needn't be there. One that only ended as this is being closed is to be resumed.
        new = [job for job in jobs if not job.is_stored and not job.is_done and not self._adds.has_ended(job)]
        # Who asks may go away meanwhile; what becomes of the jobs is noted all the same.
        return await asyncio.shield(self._adds.start(self._add(self._store, new), "reelpub-add"))

    async def _add(self, store: Store, new: Sequence[Job]) -> Mapping[str, str]:
        earlier = await store.add(list(map(stored_job, new)), owner=self._owner, lease_until=self._until())
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
        await self._store.put([stored_part(ref.state) for ref in whole + known], owner=self._owner)
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
                self._trouble.tell("%s couldn't be noted: %s", ", ".join(ref.state.part.id for ref in group), error)
                for ref in group:
                    ref.job.is_behind = True
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

    async def claim_post(self, part: PartState, since: float) -> str | None:
        """Note *part* as the one whose lost post was found, unless that is the post of another; return which.

        Of two processes that look for the same at once, one has it. What fails is told where the part is noted next.
        """
        if not isinstance(self._store, ClaimsPosts):
            return None
        try:
            return await self._store.claim_post(stored_part(part), owner=self._owner, since=since)
        except StoreError as error:
            log.info("%s: it couldn't be noted whose its post is: %s", part.part.id, error)
            return None

    async def let_go(self, jobs: Sequence[Job]) -> None:
        """Leave *jobs* to whoever resumes next: their outcome isn't noted here any more."""
        for job in jobs:
            job.is_stored = False
        if self._store is not None:
            try:
                await self._store.release(owner=self._owner, job_ids=[job.id for job in jobs])
            except StoreError as error:
                log.warning("leases couldn't be given up, they end by themselves in %.0f s: %s", self._lease, error)

    def has_unfinished(self, job: Job) -> bool:
        """Return whether the store has a job without an outcome, or is being given it."""
        is_there = job.is_stored or job.id in self._adds
        return self._store is not None and is_there and not job.was_settled

    def settle(self, job: Job) -> None:
        """Note a job's outcome, over an earlier one if it has one, without waiting for it."""
        if job.outcome is not None:
            self.note_outcome(job, job.outcome)

    def note_outcome(self, job: Job, outcome: Outcome) -> None:
        """Note what there is to say of a job that has its outcome in the store, without waiting for it."""
        if self._adds.keep(outcome):
            # It was called off, or its time was up, while it was being noted.
            return
        if self._store is None or not job.is_stored:
            return
        # The parts as they are now: a job may be followed further before it is written.
        self._write_soon(self._settle(_End(outcome, untold_parts(job), next(self._ends))))

    def note_unsent(self, refs: Sequence[PartRef]) -> None:
        """Note parts that provably weren't sent, without waiting for it; they aren't carried out here any more.

        What waits to leave again is in the store as being sent: whoever resumes it would look for it, and would have to
        end it as unknown where it can't be looked up.
        """
        parts = [stored_part(ref.state) for ref in refs if ref.job.has_stored_parts]
        if self._store is not None and parts:
            self._write_soon(self._put_back(self._store, parts))

    async def _put_back(self, store: Store, parts: Sequence[StoredPart]) -> None:
        try:
            await store.put(parts, owner=self._owner)
        except StoreError as error:
            log.info("%s will be looked for by whoever resumes: %s", ", ".join(part.id for part in parts), error)

    def _write_soon(self, write: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(write, name="reelpub-settle")
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, end: _End) -> None:
        try:
            await self._write_end(end)
        except StoreError as error:
            self._unsettled[end.outcome.job_id] = max(end, self._unsettled.get(end.outcome.job_id, end), key=_number)
            self._trouble.tell("the outcome of %s couldn't be noted yet: %s", end.outcome.job_id, error)

    async def _write_end(self, end: _End) -> None:
        if self._store is None:
            return
        try:
            await self._write(self._store, end)
        except LeaseLost as error:
            row = await self._store.job(end.outcome.job_id)
            if row is not None and await self._is_taken_back(self._store, row, end.outcome):
                await self._write(self._store, end)
            else:
                log.info("the outcome of %s is the other process's to note: %s", end.outcome.job_id, error)
                if row is not None and row.outcome is None:
                    self._others.add(row.id)
        self._trouble.is_over("outcomes are noted again")
        if self._unsettled.get(end.outcome.job_id, end).number <= end.number:
            self._unsettled.pop(end.outcome.job_id, None)

    async def _write(self, store: Store, end: _End) -> None:
        keep = end.outcome.status not in NOTHING_LIVE
        words, parts = codec.dump_outcome(end.outcome), list(map(stored_part, end.parts))
        await store.settle(end.outcome.job_id, words, owner=self._owner, keep_content=keep, parts=parts)
        self._others.discard(end.outcome.job_id)

    async def _is_taken_back(self, store: Store, row: StoredJob, ours: Outcome) -> bool:
        """Take back a settled job that another process has recalled since, if less is known of it there than here."""
        if row.run is None or not _says_less(row, ours):
            return False
        rows = await store.recall(
            row.run,
            publishers=[row.publisher],
            owner=self._owner,
            now=self._clock.time(),
            lease_until=self._until(),
            job_ids=[row.id],
        )
        # It may have learned more in between.
        return any(_says_less(row, ours) for row in rows)

    async def flush(self) -> None:
        """Wait until every job that was submitted is in the store, and every outcome of a job of it.

        Raises:
            StoreError: it can't be written.
        """
        # What ended while it was being added has its outcome noted right after.
        await self._adds.wait()
        await self._settle_the_rest()

    async def unnoted(self) -> frozenset[str]:
        """Wait until outcomes are in the store, and return the ids of the jobs whose outcome isn't.

        It can't be written now; or another process, which carries the job out by now, is to write it.
        """
        try:
            await self.flush()
        except StoreError as error:
            log.warning("%d outcomes couldn't be noted yet: %s", len(self._unsettled), error)
        return frozenset(self._unsettled) | self._others

    async def _settle_the_rest(self) -> None:
        """Note what couldn't be noted yet, before a retry of it may be taken on: a crash must not leave both open.

        Raises:
            StoreError: it still can't be written.
        """
        if self._settling:
            await asyncio.wait(set(self._settling))
        for end in list(self._unsettled.values()):
            await self._write_end(end)

    async def posts_since(self, sent_at: float) -> frozenset[str]:
        """Return the ids of the posts that the store knows to be somebody's, of those sent at *sent_at* or later."""
        if self._store is None:
            return frozenset()
        return await self._store.posts_since(sent_at)

    async def claim(self, publishers: Sequence[str], limit: int, run: str | None = None) -> list[Job]:
        """Take over up to *limit* unfinished jobs of *publishers* that nobody holds, with *run* only of that run."""
        store = await self._store_to_take_from("resume")
        rows = await store.claim(
            publishers=publishers,
            owner=self._owner,
            now=self._clock.time(),
            lease_until=self._until(),
            limit=limit,
            run=run,
        )
        return await self._jobs(rows)

    async def recall(self, run: str, publishers: Sequence[str], job_ids: Collection[str] | None = None) -> list[Job]:
        """Take over the settled jobs of *run* and those that nobody holds, the oldest first; or those of *job_ids*."""
        store = await self._store_to_take_from("recall")
        # What the store says of jobs of this process is then as new as what is known here.
        await self._settle_the_rest()
        rows = await store.recall(
            run,
            publishers=publishers,
            owner=self._owner,
            now=self._clock.time(),
            lease_until=self._until(),
            job_ids=job_ids,
        )
        return await self._jobs(rows)

    async def _store_to_take_from(self, what: str) -> Store:
        """Return the store once the jobs of processes that are gone are free."""
        if self._store is None:
            raise ConfigurationError(f"store: there is none; give the orchestrator one to {what} from")
        for owner in await self._store.owners():
            if owner != self._owner and is_gone(owner):
                await self._store.release(owner=owner)
        return self._store

    async def _jobs(self, rows: Sequence[StoredJob]) -> list[Job]:
        jobs: list[Job] = []
        for row in rows:
            if len(jobs) % DECODE_CHUNK == DECODE_CHUNK - 1:
                await asyncio.sleep(0)
            jobs.append(job_of(row, utc_now(self._clock)))
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
