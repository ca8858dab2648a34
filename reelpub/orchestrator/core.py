"""What stands behind the facade: the desks, the jobs, and how a request becomes one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence

import anyio
from anyio.abc import TaskGroup

from reelpub.clocks import Clock
from reelpub.errors import ConfigurationError, JobNotFound, ValidationError
from reelpub.models.event import JobQueued
from reelpub.models.job import Part
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.adopting import adopt, unended_parts
from reelpub.orchestrator.alarm import finish_by
from reelpub.orchestrator.arguments import (
    Item,
    checked_items,
    checked_job_ids,
    checked_kind,
    checked_requests,
    checked_run,
)
from reelpub.orchestrator.book import NOTHING_LIVE, JobBook
from reelpub.orchestrator.choice import Choice, choose, is_only_late
from reelpub.orchestrator.claims import Claims
from reelpub.orchestrator.context import Context, new_job_id
from reelpub.orchestrator.desk import Desk
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.journal import Journal
from reelpub.orchestrator.loops import require_loop, running_loop
from reelpub.orchestrator.planning import asked_keys, renumber, without_past_time
from reelpub.orchestrator.recalling import chain_id, current, is_ahead, link, with_own
from reelpub.orchestrator.supervisor import Supervisor
from reelpub.orchestrator.tracker import PartRef, apply, settle
from reelpub.policies.caps import AccountCap, CapBook
from reelpub.policies.content import content_key
from reelpub.policies.lateness import Lateness
from reelpub.policies.lifecycle import GaveUp, Rules, Withdrawn
from reelpub.policies.polling import PollPolicy
from reelpub.providers.base import Publisher
from reelpub.store.base import Store

__all__ = ["Core"]

log = logging.getLogger("reelpub.orchestrator")


class Core:
    """Everything an orchestrator holds. Opened once, closed once."""

    def __init__(
        self,
        publishers: Sequence[Publisher],
        *,
        clock: Clock,
        concurrency: int,
        rules: Rules,
        poll: PollPolicy,
        caps: Mapping[str, AccountCap],
        keep_settled: int,
        store: Store | None,
        lease: float,
        send_timeout: float,
        lateness: Lateness,
    ) -> None:
        self.publishers = {publisher.name: publisher for publisher in publishers}
        self.book = JobBook(keep=keep_settled)
        self.journal = Journal(store, clock, lease=lease)
        self.context = Context(
            clock=clock,
            rules=rules,
            poll=poll,
            caps=CapBook(caps),
            send_timeout=send_timeout,
            lateness=lateness,
            known_by=self._known_by,
            gave_way=self._gave_way,
            on_settled=self._on_settled,
            is_left=self._is_left,
        )
        claims = {publisher.provider: Claims() for publisher in self.publishers.values()}
        self.desks = {
            name: Desk.open(publisher, self.context, self.journal, claims[publisher.provider], concurrency=concurrency)
            for name, publisher in self.publishers.items()
        }
        self._supervisor = Supervisor(self._crashed)
        self.is_open = False
        self._closing = asyncio.Lock()
        self._has_crashed = False
        self._was_opened = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Start the desks."""
        if self._was_opened:
            raise ConfigurationError("an orchestrator is opened once; make a new one")
        self._loop = running_loop()
        await self.journal.open()
        self._was_opened = True
        try:
            await self._supervisor.start(self._start_desks)
        except BaseException:
            # Whoever is cancelled now never comes to close it.
            await self._close(0.0)
            raise
        self.is_open = True

    async def close(self, grace: float) -> None:
        """Stop the desks, tell every outcome, and close the publishers; if somebody does so already, wait for that."""
        async with self._closing:
            if self.is_open:
                self.is_open = False
                await self._close(grace)

    async def _close(self, grace: float) -> None:
        with anyio.CancelScope(shield=True):
            try:
                async with anyio.create_task_group() as group:
                    for desk in self.desks.values():
                        group.start_soon(desk.close, grace)
            finally:
                self._settle_the_rest()
                self.context.bus.end()
                try:
                    await self._supervisor.stop()
                finally:
                    await self._let_go()

    async def _let_go(self) -> None:
        try:
            await self.journal.close()
        finally:
            for name, publisher in self.publishers.items():
                try:
                    await publisher.close()
                except Exception:  # the others have to be closed all the same
                    log.exception("%s: closing raised", name)

    def _crashed(self) -> None:
        """Tell every outcome although the orchestrator's own tasks have ended with a fault."""
        self._has_crashed = True
        self._settle_the_rest()
        self.context.bus.end()

    def require_open(self) -> None:
        """Raise `ConfigurationError` unless requests can be made now, and here."""
        if not self.is_open:
            raise ConfigurationError("the orchestrator isn't open; use it in `async with`")
        if self._has_crashed:
            raise ConfigurationError("the orchestrator has stopped with a fault, which leaving it raises")
        require_loop("an orchestrator", self._loop)

    def _on_settled(self, job: Job) -> None:
        self.book.settled(job)
        if not self._is_closing:
            self.journal.settle(job)

    @property
    def _is_closing(self) -> bool:
        """Whether what is told now is how things stand; in the store the jobs stay unfinished, to be resumed."""
        return not self.is_open or self._has_crashed

    def _is_left(self, job: Job) -> bool:
        return self._is_closing and self.journal.has_unfinished(job)

    async def resume(self, limit: int, run: str | None = None) -> list[Job]:
        """Take up at most *limit* unfinished jobs of the store, with *run* only of that run."""
        self.require_open()
        claimed = await self.journal.claim(list(self.desks), limit, run)
        ours = {job.id: known for job in claimed if (known := self.book.get(job.id)) and is_ahead(known, job)}
        taken = [job for job in claimed if job.id not in ours]
        self._take_up(taken)
        for job in ours.values():
            self.journal.settle(job)
        return taken

    async def recall(self, run: str, job_ids: Collection[str] | None = None) -> list[Job]:
        """Know again every job of *run* that the store has and nobody else holds, the oldest first; or *job_ids*."""
        self.require_open()
        checked_run(run)
        before = {job.id: job.outcome for job in self.book}
        found = current(self.book, before, await self.journal.recall(run, list(self.desks), job_ids))
        new = [job for job in found if self.book.get(job.id) is not job]
        for job in new:
            if job.is_settled:
                self.book.add(job)
                self.book.settled(job)
        self._take_up([job for job in new if not job.is_settled])
        jobs = with_own(self.book, run, found, job_ids)
        link(self.book, jobs)
        return jobs

    def _take_up(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self.book.add(job)
        for name, desk in self.desks.items():
            desk.resume([job for job in jobs if job.publisher == name])

    def _start_desks(self, group: TaskGroup) -> None:
        for desk in self.desks.values():
            desk.start(group)
        group.start_soon(self.journal.keep_leases)

    def _settle_the_rest(self) -> None:
        for job in self.book.open_jobs:
            self._end(job, "the orchestrator was closed")

    def _end(self, job: Job, reason: str) -> None:
        for index in range(len(job.parts)):
            apply(self.context, PartRef(job, index), GaveUp(reason))
        if not job.is_settled:
            settle(self.context, job, job.plain_outcome(OutcomeStatus.NOT_SENT, self.context.now(), reason=reason))

    def publisher(self, name: str | None) -> Publisher:
        """Return the publisher called *name*, or the only one.

        Raises:
            ConfigurationError: there are several, or none of that name.
        """
        checked_kind("publisher", name, str)
        names = ", ".join(self.publishers)
        if name is None and len(self.publishers) == 1:
            return next(iter(self.publishers.values()))
        if name is None:
            raise ConfigurationError(f"publisher: has to be named, one of {names}")
        if name not in self.publishers:
            raise ConfigurationError(f"publisher: {name!r} isn't one of {names}")
        return self.publishers[name]

    # ---- jobs

    def submit(
        self,
        requests: Iterable[PublishRequest],
        *,
        deadline: float | None,
        run: str | None = None,
        job_ids: Iterable[str] | None = None,
        even_if_late: bool = False,
    ) -> list[Job]:
        """Take on *requests*; what a check refuses is settled at once, in its place."""
        self.require_open()
        wanted = checked_requests(requests)
        checked_run(run)
        ids = checked_job_ids(job_ids, len(wanted)) or [new_job_id() for _ in wanted]
        known = next((job_id for job_id in ids if self.book.get(job_id) is not None), None)
        if known is not None:
            raise ConfigurationError(f"job_ids: {known!r} is known here already; a job has its id for good")
        blank = [self._blank_job(request, deadline, ids[index], run) for index, request in enumerate(wanted)]
        if even_if_late:
            for job in blank:
                self._let_go_late(job)
        return self._submit(blank)

    def submit_again(self, earlier: Job, *, deadline: float | None) -> Job:
        """Start a settled job over, at once where its time has passed."""
        job = self._blank_job(earlier.snapshot().request, deadline, new_job_id(), earlier.run)
        job.retries = chain_id(earlier)
        self._let_go_late(job)
        job.asked = job.asked or earlier.asked
        self._submit([job])
        self.book.retries(earlier, job)
        return job

    def _let_go_late(self, job: Job) -> None:
        """Have a blank job go out at once where its time has passed."""
        request = without_past_time(job.request, self.context.now())
        if request is not job.request:
            # What went out at that time, asked for by somebody else, is the same still.
            job.request, job.asked = request, job.request

    def _submit(self, jobs: list[Job]) -> list[Job]:
        for job in jobs:
            self._check(job)
        for name, desk in self.desks.items():
            mine = [job for job in jobs if job.publisher == name and not job.is_settled]
            if mine:
                desk.submit(mine)
        return jobs

    def submit_parts(self, earlier: Job, parts: Sequence[Part], *, deadline: float | None) -> Job:
        """Take on the parts that retry an earlier job."""
        outcome = earlier.snapshot()
        job = Job(
            id=new_job_id(),
            request=outcome.request,
            publisher=outcome.publisher,
            submitted_at=self.context.now(),
            # Whoever asks for the same again while it is being retried gets told so.
            content_key=content_key(outcome.request, outcome.publisher or ""),
            deadline=deadline,
            earlier=outcome,
            run=earlier.run,
            retries=chain_id(earlier),
        )
        accounts = [delivery.account for delivery in outcome.deliveries]
        keys = asked_keys(job, accounts, outcome.publisher or "") if outcome.status in NOTHING_LIVE else ()
        same = self.book.same_content(*keys)
        if same is not None and not outcome.request.allow_duplicate:
            # Somebody asked for it anew in the meantime; that one has it now.
            self._refuse_duplicate(job, same)
            return job
        waiting = unended_parts(earlier, job, parts)
        job.parts = waiting + renumber(job, parts, first=len(waiting) + 1)
        self._take_on(job)
        self.book.retries(earlier, job)
        self.desks[job.publisher or ""].submit_parts(job)
        return job

    def _blank_job(self, request: PublishRequest, deadline: float | None, job_id: str, run: str | None) -> Job:
        return Job(
            id=job_id,
            request=request,
            publisher=request.publisher,
            submitted_at=self.context.now(),
            deadline=deadline,
            run=run,
        )

    def _check(self, job: Job) -> None:
        """Find a job its publisher and take it on, or settle it at once."""
        choice = choose(job.request, self.publishers, self.context.now())
        job.publisher = choice.publisher.name if choice.publisher else job.publisher
        job.warnings = choice.warnings
        if choice.publisher is not None and choice.errors and self._may_be_done(job, choice):
            # Whoever runs yesterday's script again is told that it was done, not that it is too late: the store knows.
            job.refusal = ValidationError(choice.errors)
        elif choice.errors or choice.publisher is None:
            reason = "; ".join(map(str, choice.errors))
            self.book.add(job)
            outcome = job.plain_outcome(
                OutcomeStatus.REFUSED, self.context.now(), reason=reason, problems=choice.problems
            )
            settle(self.context, job, outcome)
            return
        job.content_key = content_key(job.request, choice.publisher.name)
        if job.asked is not None:
            job.other_keys = (content_key(job.asked, choice.publisher.name),)
        earlier = self.book.same_content(*job.content_keys)
        if earlier is not None and not job.request.allow_duplicate:
            self._refuse_duplicate(job, earlier)
            return
        self._take_on(job)

    def _known_by(self, job: Job, keys: Sequence[str]) -> str | None:
        same = next((rival for key in keys if (rival := self.book.rival(job, key)) is not None), None)
        if same is None:
            self.book.add_key(job, keys[0])
        return same

    def _gave_way(self, job_id: str, job: Job) -> bool:
        other = self.book.get(job_id)
        return other is not None and other.outcome is not None and other.outcome.duplicate_of == job.id

    def _may_be_done(self, job: Job, choice: Choice) -> bool:
        request = job.request
        is_known = self.journal.knows_contents and not request.allow_duplicate
        return is_known and is_only_late(request, choice.errors, self.context.now())

    def _refuse_duplicate(self, job: Job, earlier: str) -> None:
        job.content_key, job.other_keys = None, ()
        self.book.add(job)
        outcome = job.plain_outcome(
            OutcomeStatus.DUPLICATE, self.context.now(), reason=f"the same as {earlier}", duplicate_of=earlier
        )
        settle(self.context, job, outcome)

    def _take_on(self, job: Job) -> None:
        self.book.add(job)
        self.context.tell(JobQueued, job)

    def jobs_of(self, items: Iterable[Item]) -> list[Job]:
        """Return the jobs that *items* speak of; an outcome from elsewhere is adopted."""
        return [self._job_of(item) for item in checked_items(items)]

    def _job_of(self, item: Item) -> Job:
        if isinstance(item, Handle):
            return item.job
        job = self.book.get(item.job_id if isinstance(item, Outcome) else item)
        if job is not None:
            return job
        if isinstance(item, str):
            raise JobNotFound(item)
        if item.publisher is not None and item.publisher not in self.desks:
            raise ConfigurationError(f"outcome {item.job_id}: publisher {item.publisher!r} isn't one of those here")
        job = adopt(item)
        self.book.settled(job)
        return job

    async def wait(self, jobs: Sequence[Job], deadline: float | None) -> bool:
        """Wait until *jobs* have settled or *deadline* passes; return whether they all have."""

        async def all_settled() -> None:
            for job in jobs:
                await job.wait()

        return await finish_by(self.context.clock, deadline, all_settled())

    def withdraw(self, jobs: Sequence[Job], reason: str) -> None:
        """Settle as not sent whatever of *jobs* hasn't begun to leave."""
        for job in jobs:
            if not job.is_settled and not job.parts:
                settle(self.context, job, job.plain_outcome(OutcomeStatus.NOT_SENT, self.context.now(), reason=reason))
            for index in range(len(job.parts)):
                apply(self.context, PartRef(job, index), Withdrawn(reason))
