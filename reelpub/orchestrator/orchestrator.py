"""The facade: any number of publishers behind one set of calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from attrs import evolve

from reelpub.clocks import Clock, SystemClock
from reelpub.errors import ConfigurationError, UnsupportedOperation, ValidationError
from reelpub.models.account import Account
from reelpub.models.capability import Feature
from reelpub.models.job import Part
from reelpub.models.outcome import CancelResult, Outcome, Report
from reelpub.models.post import Post
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.when import LocalTime
from reelpub.orchestrator.adopting import follow_again
from reelpub.orchestrator.arguments import (
    Item,
    checked_caps,
    checked_id,
    checked_ids,
    checked_kind,
    checked_publishers,
    checked_requests,
    checked_seconds,
    checked_whole,
)
from reelpub.orchestrator.cancelling import cancel_job, require_cancel
from reelpub.orchestrator.choice import choose
from reelpub.orchestrator.core import Core
from reelpub.orchestrator.events import EventStream
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.planning import without_past_time
from reelpub.orchestrator.rescheduling import reschedule_job
from reelpub.orchestrator.retrying import is_retryable, retry_parts
from reelpub.policies.caps import AccountCap
from reelpub.policies.lateness import Lateness
from reelpub.policies.lifecycle import Rules
from reelpub.policies.polling import PollPolicy
from reelpub.providers import registry
from reelpub.providers.base import Publisher, SupportsCaptions, SupportsRetryFailed, require
from reelpub.store.base import Store

__all__ = ["Orchestrator"]


class Orchestrator:
    """Publishes through any number of publishers; use it in ``async with``.

    Args:
        publishers: each a credential at a provider, with names of their own. They are closed with the orchestrator.
        concurrency: how many requests may be under way at once for each publisher.
        rules: how patient the lookup of lost answers is.
        poll: how often posts are read.
        caps: caps for single accounts, by account id or ``platform:username``.
        shutdown_timeout: real seconds that leaving gives to requests that are on the wire. What hasn't begun to leave
            isn't sent; what can't be told by then ends as *unknown*.
        keep_settled: how many settled jobs are remembered, for lookups and against duplicates.
        store: where jobs are noted so that they survive a crash; without one they live as long as the process.
        lease: seconds after which another process on the same store may take over the jobs of one that is gone.
        send_timeout: the longest that a request which goes live may be under way, in real seconds.
        late: what becomes of posts that were kept here for their time and fell due while nothing ran.
        clock: where the present comes from.

    Leaving the ``async with`` doesn't wait for posts to end: await `wait_many` or `publish_many` for that. Every
    handle has its outcome afterwards.
    """

    def __init__(
        self,
        publishers: Iterable[Publisher],
        *,
        concurrency: int = 16,
        rules: Rules | None = None,
        poll: PollPolicy | None = None,
        caps: Mapping[str, AccountCap] | None = None,
        shutdown_timeout: float = 10.0,
        keep_settled: int = 10_000,
        store: Store | None = None,
        lease: float = 120.0,
        send_timeout: float = 30.0,
        late: Lateness | None = None,
        clock: Clock | None = None,
    ) -> None:
        checked_whole("concurrency", concurrency, least=1)
        checked_whole("keep_settled", keep_settled, least=0)
        checked_seconds("shutdown_timeout", shutdown_timeout)
        checked_seconds("lease", lease, above_zero=True)
        checked_seconds("send_timeout", send_timeout, above_zero=True)
        for name, value, kind in (("rules", rules, Rules), ("poll", poll, PollPolicy), ("late", late, Lateness)):
            checked_kind(name, value, kind)
        checked_kind("clock", clock, Clock)
        checked_kind("store", store, Store)
        self._clock = clock or SystemClock()
        self._shutdown_timeout = shutdown_timeout
        self._core = Core(
            checked_publishers(publishers),
            clock=self._clock,
            concurrency=concurrency,
            rules=rules or Rules(),
            poll=poll or PollPolicy(),
            caps=checked_caps(caps),
            keep_settled=keep_settled,
            store=store,
            lease=lease,
            send_timeout=send_timeout,
            lateness=late or Lateness(),
        )

    @classmethod
    def from_env(cls, *, clock: Clock | None = None, **options: Any) -> Self:
        """Make an orchestrator with a publisher for each key in the environment.

        Reads `REELMIRROR_API_KEY` and `REAP_API_KEY`, and `REELMIRROR_BASE_URL` and `REAP_BASE_URL` where the services
        are elsewhere. *options* are the constructor's.

        Raises:
            ConfigurationError: no key is set.
        """
        return cls(registry.from_env(clock=clock), clock=clock, **options)

    async def __aenter__(self) -> Self:
        await self._core.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop, within `shutdown_timeout`: nothing more is sent, and every handle gets its outcome."""
        await self._core.close(self._shutdown_timeout)

    @property
    def publishers(self) -> Mapping[str, Publisher]:
        """The publishers by name."""
        return dict(self._core.publishers)

    # ---- publishing

    def check(self, requests: Iterable[PublishRequest]) -> list[tuple[Problem, ...]]:
        """Return for each request everything that can be known offline to be wrong or doubtful; nothing is sent."""
        now = self._core.context.now()
        return [choose(request, self._core.publishers, now).problems for request in checked_requests(requests)]

    def submit_many(self, requests: Iterable[PublishRequest], *, timeout: float | None = None) -> list[Handle]:
        """Take on *requests* and return a handle for each, at once and in order.

        What a check refuses is settled already. *timeout* (seconds) is how long a request may wait for its turn; what
        hasn't begun by then ends as *not sent*.

        Raises:
            ConfigurationError: the orchestrator isn't open, or something isn't a `PublishRequest`; nothing is sent.
        """
        return [Handle(job) for job in self._core.submit(requests, deadline=self._deadline(timeout))]

    def submit(self, request: PublishRequest, *, timeout: float | None = None) -> Handle:
        """Take on one request; see `submit_many`."""
        return self.submit_many([request], timeout=timeout)[0]

    async def publish_many(self, requests: Iterable[PublishRequest], *, timeout: float | None = None) -> Report:
        """Publish *requests* and wait until each has its outcome, or *timeout* (seconds) has passed.

        Then whatever hasn't begun to leave isn't sent any more, and what is under way is reported as it stands
        (*pending*, or *unknown* while a lost answer is being looked up); it goes on, and `wait_many` follows it.
        A post for a later time is settled once the provider has it. Cancelling the call leaves the jobs running.
        """
        deadline = self._deadline(timeout)
        jobs = self._core.submit(requests, deadline=deadline)
        return await self._report(jobs, deadline)

    async def publish(self, request: PublishRequest, *, timeout: float | None = None) -> Outcome:
        """Publish one request; see `publish_many`."""
        return (await self.publish_many([request], timeout=timeout))[0]

    async def schedule_many(self, requests: Iterable[PublishRequest], *, timeout: float | None = None) -> Report:
        """Schedule *requests*, each of which has its `at`, and wait until the providers have them.

        Raises:
            ValidationError: a request has no `at`; nothing is sent.
        """
        wanted = checked_requests(requests)
        missing = [
            Problem(field=f"requests[{index}].at", message="is missing; give an aware datetime or a LocalTime")
            for index, request in enumerate(wanted)
            if request.at is None
        ]
        if missing:
            raise ValidationError(missing)
        return await self.publish_many(wanted, timeout=timeout)

    async def schedule(
        self, request: PublishRequest, *, at: datetime | LocalTime | None = None, timeout: float | None = None
    ) -> Outcome:
        """Schedule one request, for *at* if that is given; see `schedule_many`."""
        wanted = checked_requests([request])
        if at is not None:
            wanted = [evolve(request, at=at)]
        return (await self.schedule_many(wanted, timeout=timeout))[0]

    # ---- afterwards

    async def resume(self, *, limit: int = 10_000) -> list[Handle]:
        """Take up to *limit* of the store's unfinished jobs that no living process holds, the oldest first.

        Each goes on from where it was. What may have been sent without its answer noted is looked up first, once it
        can't be on its way any more; only what is provably not there is sent again. Call it again where more were left:
        what isn't taken up yet costs no memory, and other processes may take it.

        Returns:
            A handle for each job taken up; an empty list when nothing is left to take up.

        Raises:
            ConfigurationError: there is no store, or the orchestrator isn't open.
            StoreError: the store can't be read or written.
        """
        return [Handle(job) for job in await self._core.resume(limit)]

    async def wait_many(self, items: Iterable[Item], *, timeout: float | None = None) -> Report:
        """Wait until each of *items* has ended, or *timeout* (seconds) has passed.

        Posts that are scheduled or pending are followed to their end. Nothing is sent or called off.
        """
        deadline = self._deadline(timeout)
        self._core.require_open()
        jobs = self._core.jobs_of(items)
        for job in jobs:
            if (
                job.is_settled
                and job.publisher in self._core.desks
                and follow_again(job, self._core.desks[job.publisher])
            ):
                self._core.book.add(job)
        await self._core.wait(jobs, deadline)
        return Report(job.snapshot() for job in jobs)

    async def wait(self, item: Item, *, timeout: float | None = None) -> Outcome:
        """Wait for one job; see `wait_many`."""
        return (await self.wait_many([item], timeout=timeout))[0]

    async def retry_failed_many(
        self, items: Iterable[Item], *, in_place: bool | None = None, timeout: float | None = None
    ) -> Report:
        """Send again what provably isn't live, and only that; return the new outcomes in the order of *items*.

        Outcomes with nothing to send again come back as they are: *unknown* ones too. An outcome that was retried
        before stands for its latest retry. *in_place* True uses the provider's own retry call even beside published
        deliveries, which nobody documents to be spared; False never uses it.

        Raises:
            UnsupportedOperation: a provider can't; nothing was sent for any of *items*.
        """
        deadline = self._deadline(timeout)
        checked_kind("in_place", in_place, bool)
        self._core.require_open()
        latest = self._latest(items)
        # All plans are made before anything is sent, so that one that can't be made doesn't leave the others half told.
        plans = {job.id: self._plan_retry(job, in_place=in_place) for job in latest}
        jobs = {job.id: self._retry(job, plans[job.id], deadline) for job in {job.id: job for job in latest}.values()}
        return await self._report([jobs[job.id] for job in latest], deadline)

    async def retry_failed(self, item: Item, *, in_place: bool | None = None, timeout: float | None = None) -> Outcome:
        """Retry one outcome; see `retry_failed_many`."""
        return (await self.retry_failed_many([item], in_place=in_place, timeout=timeout))[0]

    async def cancel_many(self, items: Iterable[Item]) -> list[CancelResult]:
        """Call jobs off: what hasn't left isn't sent, what waits at a provider is cancelled there.

        Returns for each whether it is cancelled, was too late, or can't be known.

        Raises:
            UnsupportedOperation: a provider can't cancel what waits there; nothing was called off.
        """
        self._core.require_open()
        jobs = self._latest(items)
        for job in jobs:
            require_cancel(job, self._core.publishers)
        return [await self._cancel(job) for job in jobs]

    async def cancel(self, item: Item) -> CancelResult:
        """Call one job off; see `cancel_many`."""
        return (await self.cancel_many([item]))[0]

    async def reschedule(self, item: Item, at: datetime | LocalTime) -> Outcome:
        """Move a scheduled job to *at*.

        Raises:
            UnsupportedOperation: the provider can't; the error names who can.
            ValidationError: *at* is naive or outside the provider's window, or the job isn't scheduled.
        """
        self._core.require_open()
        (job,) = self._latest([item])
        desk = self._core.desks.get(job.publisher or "")
        if desk is None:
            raise ValidationError([Problem(field="job", value=job.id, message="isn't scheduled, so it can't be moved")])
        return await reschedule_job(self._core.context, job, desk, at, self._all)

    # ---- looking

    async def unfinished(self) -> int:
        """Return how many jobs in the store have no outcome, those of other processes too; 0 without a store."""
        return await self._core.journal.unfinished()

    def job(self, job_id: str) -> Handle:
        """Return the handle of a job by its id.

        Raises:
            ConfigurationError: no such job is known here.
        """
        return Handle(self._core.jobs_of([job_id])[0])

    async def fetch(self, post_id: str, *, publisher: str | None = None) -> Post:
        """Read one post. *publisher* names where, if there are several.

        Raises:
            ValidationError: *post_id* is no id.
            ConfigurationError: the orchestrator isn't open, or *publisher* isn't one of those here.
            NotFoundError: there is no such post.
        """
        self._core.require_open()
        checked_id("post_id", post_id)
        return await self._publisher(publisher).fetch(post_id)

    async def accounts(self, *, refresh: bool = False) -> list[Account]:
        """Return the connected accounts of every publisher, as they were read last unless *refresh*."""
        self._core.require_open()
        checked_kind("refresh", refresh, bool)
        return [account for publisher in self._all for account in await publisher.accounts(refresh=refresh)]

    async def generate_caption(
        self, media_item_ids: Sequence[str], *, persona_id: str | None = None, publisher: str | None = None
    ) -> str:
        """Have a provider write a caption for generated media items.

        Raises:
            UnsupportedOperation: the named publisher, or every one here, can't.
            ValidationError: *media_item_ids* isn't a list of ids.
        """
        self._core.require_open()
        checked_kind("persona_id", persona_id, str)
        able = [p for p in self._all if p.capabilities.can(Feature.CAPTIONS) and publisher in (None, p.name)]
        if publisher is not None:
            require(self._publisher(publisher), Feature.CAPTIONS, self._all)
        if not able or not isinstance(able[0], SupportsCaptions):
            raise UnsupportedOperation(Feature.CAPTIONS.value, ", ".join(self._core.publishers))
        checked_ids("media_item_ids", media_item_ids)
        return await able[0].generate_caption(media_item_ids, persona_id=persona_id)

    def usage(self) -> dict[str, dict[str, int]]:
        """Return how many requests of each operation every publisher has sent, retries included."""
        return {publisher.name: dict(publisher.requests) for publisher in self._all}

    @asynccontextmanager
    async def stream(
        self, items: Iterable[Item] | None = None, *, buffer: int = 1000
    ) -> AsyncGenerator[EventStream, None]:
        """Hand out the events from now on: ``async with orchestrator.stream() as events: async for event in events``.

        With *items*, only theirs, ending after the last has settled; without, until the orchestrator closes. A reader
        more than *buffer* events behind loses the oldest and is told how many.

        Raises:
            ConfigurationError: the orchestrator isn't open, or something in *items* names no job.
        """
        self._core.require_open()
        checked_whole("buffer", buffer, least=1)
        jobs = None if items is None else self._core.jobs_of(items)
        stream = EventStream(None if jobs is None else [job.id for job in jobs], buffer=buffer)
        for job in jobs or ():
            if job.is_settled:
                stream.settled_already(job.id)
        self._core.context.bus.add(stream)
        try:
            yield stream
        finally:
            self._core.context.bus.remove(stream)

    # ---- inside

    @property
    def _all(self) -> list[Publisher]:
        return list(self._core.publishers.values())

    def _deadline(self, timeout: float | None) -> float | None:
        if timeout is None:
            return None
        given: object = timeout
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not given >= 0:
            raise ConfigurationError(f"timeout: {timeout!r} has to be a number of seconds, 0 or more, or None")
        return self._clock.monotonic() + timeout

    async def _report(self, jobs: Sequence[Job], deadline: float | None) -> Report:
        if not await self._core.wait(jobs, deadline):
            self._core.withdraw(jobs, "the deadline passed before it was sent")
        return Report(job.snapshot() for job in jobs)

    def _publisher(self, name: str | None) -> Publisher:
        checked_kind("publisher", name, str)
        if name is None and len(self._core.publishers) == 1:
            return self._all[0]
        names = ", ".join(self._core.publishers)
        if name is None:
            raise ConfigurationError(f"publisher: has to be named, one of {names}")
        if name not in self._core.publishers:
            raise ConfigurationError(f"publisher: {name!r} isn't one of {names}")
        return self._core.publishers[name]

    def _latest(self, items: Iterable[Item]) -> list[Job]:
        return [self._core.book.latest(job.id) or job for job in self._core.jobs_of(items)]

    def _plan_retry(self, job: Job, *, in_place: bool | None) -> list[Part] | None:
        """Return the parts that retry *job*, none where it has to start over, or None if it isn't retried."""
        outcome = job.outcome
        if outcome is None or job.publisher is None or not is_retryable(outcome):
            return None
        if self._core.book.is_retried(job.id):
            return None  # by a job that is no longer remembered
        publisher = self._publisher(job.publisher)
        require(publisher, Feature.RETRY_FAILED, self._all)
        if not isinstance(publisher, SupportsRetryFailed):
            raise UnsupportedOperation(Feature.RETRY_FAILED.value, publisher.provider)
        return retry_parts(outcome, publisher, in_place=in_place)

    def _retry(self, job: Job, parts: list[Part] | None, deadline: float | None) -> Job:
        outcome = job.outcome
        if outcome is None or parts is None:
            return job
        if parts:
            return self._core.submit_parts(outcome, parts, deadline=deadline)
        again = self._core.submit([without_past_time(outcome.request, self._core.context.now())], deadline=deadline)[0]
        self._core.book.retries(job.id, again)
        return again

    async def _cancel(self, job: Job) -> CancelResult:
        if job.publisher is None or job.publisher not in self._core.desks:
            return CancelResult.TOO_LATE
        return await cancel_job(self._core.context, job, self._core.desks[job.publisher])
