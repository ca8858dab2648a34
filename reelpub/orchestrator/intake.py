"""From submitted jobs to their parts: noted in the store, checked against the accounts, planned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial

from attrs import frozen

from reelpub.errors import ReelPubError, StoreError, ValidationError
from reelpub.models.account import Account
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import DeliveryStatus
from reelpub.orchestrator.book import NOTHING_LIVE
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.journal import Journal
from reelpub.orchestrator.planning import asked_keys, plan_parts
from reelpub.orchestrator.strangers import heard, strange
from reelpub.orchestrator.tracker import PartRef, apply, settle
from reelpub.policies.lifecycle import Failed
from reelpub.policies.settlement import failure_status
from reelpub.providers.base import Publisher

__all__ = ["Intake"]

log = logging.getLogger("reelpub.orchestrator")

PLAN_CHUNK = 100
"""Jobs planned before the loop gets a turn, so that a big batch doesn't stall a web service."""


@frozen(eq=False)
class Intake:
    """Plans the jobs of one publisher. One bad job never loses or delays the others."""

    _publisher: Publisher
    _context: Context
    _journal: Journal

    def note(self, jobs: Sequence[Job]) -> None:
        """Have new jobs noted from now on, whether or not somebody is free to plan them; what can't be is settled.

        Where a limit is used up or a provider is gone, that may take an hour, which a crash must not cost.
        """
        new = [job for job in jobs if not job.is_stored]
        self._journal.add_soon(new, partial(self._note_new, new))

    async def plan(self, jobs: Sequence[Job]) -> list[PartRef]:
        """Plan *jobs* once they are noted, and return their parts; what can't be planned is settled."""
        planned: dict[str, tuple[str, ...]] = {}
        try:
            await self._journal.added(jobs)
            known = await self._accounts(jobs)
            for number, job in enumerate(jobs, start=1):
                keys = None if job.is_settled else self._plan_one(job, known)
                if keys is not None:
                    planned[job.id] = keys
                if number % PLAN_CHUNK == 0:
                    await asyncio.sleep(0)
            await self._compare_in_store([job for job in jobs if job.id in planned], planned)
        except asyncio.CancelledError:
            for job in jobs:
                self.drop(job, "the orchestrator was closed before its turn")
            raise
        open_jobs = [job for job in jobs if job.id in planned and not job.is_settled]
        return [PartRef(job, index) for job in open_jobs for index in range(len(job.parts))]

    def drop(self, job: Job, reason: str) -> None:
        """Settle a job that was never planned as not sent."""
        self._end(job, OutcomeStatus.NOT_SENT, reason)

    async def take_on(self, job: Job) -> list[PartRef]:
        """Return what is to be carried out of a job whose parts are planned already, once it is noted."""
        await self._journal.added([job])
        await self._compare_retry(job)
        refs = [PartRef(job, index) for index in range(len(job.parts))]
        return [] if job.is_settled else [ref for ref in refs if not ref.state.is_settled]

    async def _note_new(self, jobs: Sequence[Job]) -> None:
        try:
            to_ask = [job for job in jobs if job.refusal is not None or (job.other_keys and _is_once(job))]
            earlier = await self._journal.same_content(to_ask)
            to_add = [job for job in jobs if job.refusal is None and job.id not in earlier]
            earlier |= await self._journal.add(to_add)
        except StoreError as error:
            self._fail_all(jobs, error)
        except Exception as error:  # a store with a bug must not leave jobs that never end
            log.exception("noting %d jobs raised", len(jobs))
            self._fail_all(jobs, StoreError(f"noting it raised {type(error).__name__}: {error}"))
        else:
            self._refuse(jobs, earlier)

    def _fail_all(self, jobs: Sequence[Job], error: StoreError) -> None:
        for job in jobs:
            for index in range(len(job.parts)):
                apply(self._context, PartRef(job, index), Failed(error))
            self._fail(job, error)

    def _refuse(self, jobs: Sequence[Job], earlier: Mapping[str, str]) -> None:
        """Settle those of *jobs* that the store didn't take; nothing of them is sent."""
        for job in jobs:
            if job.id in earlier and not job.is_settled:
                self._end_as_duplicate(job, earlier[job.id])

    async def _accounts(self, jobs: Sequence[Job]) -> Sequence[Account] | ReelPubError:
        if not any(job.request.accounts for job in jobs if not job.is_settled):
            return ()
        try:
            return await heard(self._publisher.accounts())
        except ReelPubError as error:
            return error
        except Exception as error:  # a publisher with a bug must not take the other jobs with it
            log.exception("%s: reading the accounts raised", self._publisher.name)
            return strange(error, self._publisher, "accounts")

    def _plan_one(self, job: Job, known: Sequence[Account] | ReelPubError) -> tuple[str, ...] | None:
        """Plan a job and return the content keys by which others may have asked for it; None where it has settled."""
        keys: tuple[str, ...] = ()
        try:
            if job.refusal is not None:
                raise job.refusal
            if isinstance(known, ReelPubError):
                if job.request.accounts:
                    raise known
                known = ()
            plan_parts(job, self._publisher, known, self._context.now())
            keys = self._compare(job)
        except ReelPubError as error:
            self._fail(job, error)
        except Exception as error:
            log.exception("%s: planning %s raised", self._publisher.name, job.id)
            self._fail(job, strange(error, self._publisher, "plan"))
        return None if job.is_settled else keys

    def _compare(self, job: Job) -> tuple[str, ...]:
        """Settle *job* where another has its content for the same accounts, whatever either called them.

        Returns the keys by which another may have.
        """
        accounts = [account for state in job.parts for account in state.part.accounts]
        keys = asked_keys(job, accounts, self._publisher.name)
        same = self._context.known_by(job, keys) if keys else None
        if same is not None and _is_once(job):
            self._end_as_duplicate(job, same)
        return keys

    async def _compare_in_store(self, jobs: Sequence[Job], keys: Mapping[str, tuple[str, ...]]) -> None:
        """Settle those of *jobs* for which the store has an earlier one alike, whatever that called its accounts.

        The store knew them only by the names that they were given. Each is in the store by now, so that of two that two
        processes add at once exactly one is the earlier.
        """
        to_ask = {job.id: keys[job.id] for job in jobs if job.is_stored and keys[job.id] and _is_once(job)}
        try:
            earlier = await self._journal.asked_before(to_ask)
        except StoreError as error:
            self._fail_all(jobs, error)
        else:
            # Here the order of asking decides, in the store that of writing: they mustn't both give way.
            gave_way = {job.id for job in jobs if job.id in earlier and self._context.gave_way(earlier[job.id], job)}
            self._refuse([job for job in jobs if job.id not in gave_way], earlier)

    async def _compare_retry(self, job: Job) -> None:
        """Settle *job* if what it retries put nothing live, and somebody has asked for the same anew since."""
        before = job.earlier
        if job.is_settled or before is None or before.status not in NOTHING_LIVE:
            return
        accounts = [delivery.account for delivery in before.deliveries]
        await self._compare_in_store([job], {job.id: asked_keys(job, accounts, self._publisher.name)})

    def _end_as_duplicate(self, job: Job, same: str) -> None:
        reason = "submitted before" if same == job.id else f"the same as {same}"
        job.parts.clear()
        outcome = job.plain_outcome(OutcomeStatus.DUPLICATE, self._context.now(), reason=reason, duplicate_of=same)
        settle(self._context, job, outcome)

    def _fail(self, job: Job, error: ReelPubError) -> None:
        is_refused = failure_status(error) is DeliveryStatus.REFUSED
        status = OutcomeStatus.REFUSED if is_refused else OutcomeStatus.NOT_SENT
        self._end(job, status, str(error), error)

    def _end(self, job: Job, status: OutcomeStatus, reason: str, error: ReelPubError | None = None) -> None:
        if job.is_settled or job.parts:
            return
        problems = error.problems if isinstance(error, ValidationError) else ()
        outcome = job.plain_outcome(status, self._context.now(), reason=reason, error=error, problems=problems)
        settle(self._context, job, outcome)


def _is_once(job: Job) -> bool:
    return not job.request.allow_duplicate
