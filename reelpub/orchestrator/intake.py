"""From submitted jobs to their parts: noted in the store, checked against the accounts, planned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from reelpub.errors import ReelPubError, StoreError, ValidationError
from reelpub.models.account import Account
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import DeliveryStatus
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.journal import Journal
from reelpub.orchestrator.planning import plan_parts
from reelpub.orchestrator.strangers import strange
from reelpub.orchestrator.tracker import PartRef, apply, settle
from reelpub.policies.content import content_key
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

    async def plan(self, jobs: Sequence[Job]) -> list[PartRef]:
        """Note *jobs*, plan them, and return their parts; what can't be planned is settled."""
        refs: list[PartRef] = []
        try:
            await self._note_new(jobs)
            known = await self._accounts(jobs)
            for number, job in enumerate(jobs, start=1):
                if not job.is_settled and self._plan_one(job, known):
                    refs += [PartRef(job, index) for index in range(len(job.parts))]
                if number % PLAN_CHUNK == 0:
                    await asyncio.sleep(0)
        except asyncio.CancelledError:
            for job in jobs:
                self.drop(job, "the orchestrator was closed before its turn")
            raise
        return refs

    def drop(self, job: Job, reason: str) -> None:
        """Settle a job that was never planned as not sent."""
        self._end(job, OutcomeStatus.NOT_SENT, reason)

    async def take_on(self, job: Job) -> list[PartRef]:
        """Note a job whose parts are planned already, and return those that are to be carried out."""
        refs = [PartRef(job, index) for index in range(len(job.parts))]
        try:
            earlier = await self._journal.add([job])
        except StoreError as error:
            for ref in refs:
                apply(self._context, ref, Failed(error))
        else:
            self._refuse([job], earlier)
        return [] if job.is_settled else [ref for ref in refs if not ref.state.is_settled]

    async def _note_new(self, jobs: Sequence[Job]) -> None:
        open_jobs = [job for job in jobs if not job.is_settled]
        try:
            to_ask = [job for job in open_jobs if job.refusal is not None or (job.other_keys and _is_once(job))]
            earlier = await self._journal.same_content(to_ask)
            to_add = [job for job in open_jobs if job.refusal is None and job.id not in earlier]
            earlier |= await self._journal.add(to_add)
        except StoreError as error:
            for job in jobs:
                self._fail(job, error)
            return
        self._refuse(jobs, earlier)

    def _refuse(self, jobs: Sequence[Job], earlier: Mapping[str, str]) -> None:
        """Settle those of *jobs* that the store didn't take; nothing of them is sent."""
        for job in jobs:
            if job.id in earlier and not job.is_settled:
                self._end_as_duplicate(job, earlier[job.id])

    async def _accounts(self, jobs: Sequence[Job]) -> Sequence[Account] | ReelPubError:
        if not any(job.request.accounts for job in jobs if not job.is_settled):
            return ()
        try:
            return await self._publisher.accounts()
        except ReelPubError as error:
            return error
        except Exception as error:  # a publisher with a bug must not take the other jobs with it
            log.exception("%s: reading the accounts raised", self._publisher.name)
            return strange(error, self._publisher, "accounts")

    def _plan_one(self, job: Job, known: Sequence[Account] | ReelPubError) -> bool:
        try:
            if job.refusal is not None:
                raise job.refusal
            if isinstance(known, ReelPubError):
                if job.request.accounts:
                    raise known
                known = ()
            plan_parts(job, self._publisher, known, self._context.now())
            self._compare(job)
        except ReelPubError as error:
            self._fail(job, error)
        except Exception as error:
            log.exception("%s: planning %s raised", self._publisher.name, job.id)
            self._fail(job, strange(error, self._publisher, "plan"))
        return not job.is_settled

    def _compare(self, job: Job) -> None:
        """Settle *job* where another has its content for the same accounts, whatever either called them."""
        accounts = tuple(account for state in job.parts for account in state.part.accounts)
        if accounts:
            key = content_key(evolve(job.request, accounts=accounts), self._publisher.name)
            same = self._context.known_by(job, key)
            if same is not None and _is_once(job):
                self._end_as_duplicate(job, same)

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
