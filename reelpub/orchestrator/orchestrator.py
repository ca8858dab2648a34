"""The facade: any number of publishers behind one set of calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Self, Unpack

from attrs import evolve

from reelpub.clocks import Clock, SystemClock
from reelpub.errors import ConfigurationError, JobNotFound, UnsupportedOperation, ValidationError
from reelpub.models.account import Account
from reelpub.models.capability import Feature
from reelpub.models.outcome import CancelResult, Outcome, Report
from reelpub.models.post import Post
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.when import LocalTime
from reelpub.orchestrator import afterwards
from reelpub.orchestrator.arguments import (
    Item,
    checked_caps,
    checked_id,
    checked_ids,
    checked_kind,
    checked_publishers,
    checked_requests,
    checked_run,
    checked_seconds,
    checked_whole,
)
from reelpub.orchestrator.choice import choose
from reelpub.orchestrator.core import Core
from reelpub.orchestrator.events import EventStream
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.options import OrchestratorOptions
from reelpub.orchestrator.rows import job_of
from reelpub.policies.caps import AccountCap
from reelpub.policies.lateness import Lateness
from reelpub.policies.lifecycle import Rules
from reelpub.policies.polling import PollPolicy
from reelpub.providers import registry
from reelpub.providers.base import Publisher, SupportsCaptions, require
from reelpub.store.base import Store

__all__ = ["Orchestrator"]


class Orchestrator:
    """Publishes through any number of publishers; use it in ``async with``.

    Args:
        publishers: each a credential at a provider, with names of their own. They are closed with the orchestrator.
        concurrency: how many requests may be under way at once for each publisher, 1 or more.
        rules: how patient the lookup of lost answers is.
        poll: how often posts are read.
        caps: caps for single accounts, by account id or ``platform:username``.
        shutdown_timeout: real seconds that leaving gives to requests that are on the wire. What hasn't begun to leave
            isn't sent; what can't be told by then ends as *unknown*.
        keep_settled: how many settled jobs are remembered, for lookups and against duplicates.
        store: where jobs are noted so that they survive a crash; without one they live as long as the process.
        lease: seconds after which another process on the same store may take over the jobs of one that is gone. It is
            renewed every third of that.
        send_timeout: the longest that a request which goes live may be under way, in real seconds.
        late: what becomes of posts that were kept here for their time and fell due while nothing ran.
        clock: where the present comes from.

    Leaving the ``async with`` doesn't wait for posts to end: await `wait_many` or `publish_many` for that. Every
    handle has its outcome afterwards. It is entered once, and belongs to the event loop in which it is: a call from
    another one, or from a thread, raises `ConfigurationError`. Its work runs with the context variables of whoever
    entered it, not of whoever submits; what it logs of a job names the job.

    Raises:
        ConfigurationError: an argument isn't what it has to be, or two publishers have one name; and where it is
            entered a second time.
        StoreError: where it is entered, and the store can't be opened.
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
        self._store = store
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
    def from_env(cls, *, clock: Clock | None = None, **options: Unpack[OrchestratorOptions]) -> Self:
        """Make an orchestrator with a publisher for each key in the environment.

        Reads `REELMIRROR_API_KEY` and `REAP_API_KEY`, and `REELMIRROR_BASE_URL` and `REAP_BASE_URL` where the services
        are elsewhere; and the keys of other publishers that are installed. *options* are the constructor's.

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
    def is_open(self) -> bool:
        """Whether requests can be made: it has been opened and not been closed."""
        return self._core.is_open

    @property
    def clock(self) -> Clock:
        """Where the present comes from."""
        return self._clock

    @property
    def store(self) -> Store | None:
        """Where jobs are noted; None without one."""
        return self._store

    @property
    def publishers(self) -> Mapping[str, Publisher]:
        """The publishers by name."""
        return dict(self._core.publishers)

    # ---- publishing

    def check(self, requests: Iterable[PublishRequest]) -> list[tuple[Problem, ...]]:
        """Return for each request everything that can be known offline to be wrong or doubtful; nothing is sent.

        Only what `Problem.is_error` keeps it from being sent. Accounts and drafts are checked when it is submitted.

        Raises:
            ConfigurationError: *requests* is no list, or something in it is no `PublishRequest`.
        """
        now = self._core.context.now()
        return [choose(request, self._core.publishers, now).problems for request in checked_requests(requests)]

    def submit_many(
        self,
        requests: Iterable[PublishRequest],
        *,
        timeout: float | None = None,
        run: str | None = None,
        job_ids: Sequence[str] | None = None,
        even_if_late: bool = False,
    ) -> list[Handle]:
        """Take on *requests* and return a handle for each, at once and in order.

        What a check refuses is settled already. *timeout* (seconds) is how long a request may wait for its turn; what
        hasn't begun by then ends as *not sent*. *run* names the run that the jobs belong to: `recall` finds them by it.
        *job_ids* has an id for each job, where the caller has to know it beforehand. One that the store has already
        ends as a *duplicate* of itself, "submitted before": nothing is sent, and what the store has stays as it is.
        With *even_if_late*, what has a time that has passed goes out now instead of being refused; what is known to
        have gone out at that time is a *duplicate* still.

        Raises:
            ConfigurationError: the orchestrator isn't open, something isn't a `PublishRequest`, *run* isn't a text, or
                *job_ids* isn't one new id for each request; nothing is sent.
        """
        deadline = self._deadline(timeout)
        jobs = self._core.submit(requests, deadline=deadline, run=run, job_ids=job_ids, even_if_late=even_if_late)
        return [Handle(job) for job in jobs]

    def submit(self, request: PublishRequest, *, timeout: float | None = None) -> Handle:
        """Take on one request; see `submit_many`."""
        return self.submit_many([request], timeout=timeout)[0]

    async def publish_many(
        self,
        requests: Iterable[PublishRequest],
        *,
        timeout: float | None = None,
        run: str | None = None,
        job_ids: Sequence[str] | None = None,
    ) -> Report:
        """Publish *requests* and wait until each has its outcome, or *timeout* (seconds) has passed.

        Then whatever hasn't begun to leave isn't sent any more, and what is under way is reported as it stands
        (*pending*, or *unknown* while a lost answer is being looked up); it goes on, and `wait_many` follows it.
        A post for a later time is settled once the provider has it. Cancelling the call leaves the jobs running.
        *run* and *job_ids* are as in `submit_many`.

        Raises:
            ConfigurationError: as `submit_many`; nothing is sent. What goes wrong with a request is in its outcome.
        """
        deadline = self._deadline(timeout)
        jobs = self._core.submit(requests, deadline=deadline, run=run, job_ids=job_ids)
        return await self._report(jobs, deadline)

    async def publish(self, request: PublishRequest, *, timeout: float | None = None) -> Outcome:
        """Publish one request; see `publish_many`."""
        return (await self.publish_many([request], timeout=timeout))[0]

    async def schedule_many(
        self,
        requests: Iterable[PublishRequest],
        *,
        timeout: float | None = None,
        run: str | None = None,
        job_ids: Sequence[str] | None = None,
    ) -> Report:
        """Schedule *requests*, each of which has its `at`, and wait until the providers have them.

        *run* and *job_ids* are as in `submit_many`.

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
        return await self.publish_many(wanted, timeout=timeout, run=run, job_ids=job_ids)

    async def schedule(
        self, request: PublishRequest, *, at: datetime | LocalTime | None = None, timeout: float | None = None
    ) -> Outcome:
        """Schedule one request, for *at* if that is given; see `schedule_many`."""
        wanted = checked_requests([request])
        if at is not None:
            wanted = [evolve(request, at=at)]
        return (await self.schedule_many(wanted, timeout=timeout))[0]

    # ---- afterwards

    async def resume(self, *, limit: int = 10_000, run: str | None = None) -> list[Handle]:
        """Take up to *limit* of the store's unfinished jobs that no living process holds, the oldest first.

        Each goes on from where it was. What may have been sent without its answer noted is looked up first, once it
        can't be on its way any more; only what is provably not there is sent again. Call it again where more were left:
        what isn't taken up yet costs no memory, and other processes may take it. With *run*, only jobs of that run.

        Returns:
            A handle for each job taken up; an empty list when nothing is left to take up.

        Raises:
            ConfigurationError: there is no store, or the orchestrator isn't open.
            StoreError: the store can't be read or written.
        """
        checked_run(run)
        return [Handle(job) for job in await self._core.resume(limit, run)]

    async def recall(self, run: str, *, job_ids: Collection[str] | None = None) -> list[Handle]:
        """Know again every job of *run* that the store has and no living process holds, the oldest first.

        Unfinished jobs go on as with `resume`: nothing is sent twice. Settled ones have their outcomes, and can be
        waited for, retried, called off and moved as if this process had submitted them; what comes of it is written to
        the store over the outcome that was there. Retries are jobs of the run, too, and a job that was retried stands
        for the latest of its chain. Whoever recalls a run last writes the outcomes of its settled jobs, but for
        an end or a later time of a post that another process saw, which that one writes all the same. Jobs of
        publishers that aren't here are left out. With *job_ids*, only those jobs are taken over and go on: the others
        of the run are left alone.

        Returns:
            A handle for each job, those of the run that are under way here too; an empty list where the store has none.

        Raises:
            ConfigurationError: there is no store, or the orchestrator isn't open.
            StoreError: the store can't be read or written.
        """
        return [Handle(job) for job in await self._core.recall(run, job_ids)]

    async def wait_many(self, items: Iterable[Item], *, timeout: float | None = None) -> Report:
        """Wait until each of *items* has ended, or *timeout* (seconds) has passed.

        *items* are handles, outcomes or job ids. Posts that are scheduled or pending are followed to their end. Nothing
        is sent or called off.

        Raises:
            ConfigurationError: the orchestrator isn't open, or something in *items* names no job.
        """
        deadline = self._deadline(timeout)
        self._core.require_open()
        jobs = afterwards.follow(self._core, items)
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
            ConfigurationError: the orchestrator isn't open, or something in *items* names no job.
            UnsupportedOperation: a provider can't; nothing was sent for any of *items*.
        """
        deadline = self._deadline(timeout)
        checked_kind("in_place", in_place, bool)
        self._core.require_open()
        jobs = afterwards.retry_failed(self._core, items, in_place=in_place, deadline=deadline)
        return await self._report(jobs, deadline)

    async def retry_failed(self, item: Item, *, in_place: bool | None = None, timeout: float | None = None) -> Outcome:
        """Retry one outcome; see `retry_failed_many`."""
        return (await self.retry_failed_many([item], in_place=in_place, timeout=timeout))[0]

    async def cancel_many(self, items: Iterable[Item]) -> list[CancelResult]:
        """Call jobs off: what hasn't left isn't sent, what waits at a provider is cancelled there.

        Returns for each whether it is cancelled, was too late, or can't be known. With a store, what is cancelled is
        noted by then; while that fails, it can't be known either: it may be sent once it is resumed.

        Raises:
            ConfigurationError: the orchestrator isn't open, or something in *items* names no job.
            UnsupportedOperation: a provider can't cancel what waits there; nothing was called off.
        """
        self._core.require_open()
        return await afterwards.cancel(self._core, items)

    async def cancel(self, item: Item) -> CancelResult:
        """Call one job off; see `cancel_many`."""
        return (await self.cancel_many([item]))[0]

    async def reschedule(self, item: Item, at: datetime | LocalTime) -> Outcome:
        """Move a scheduled job to *at*.

        Raises:
            UnsupportedOperation: the provider can't; the error names who can.
            ValidationError: *at* is naive or outside the provider's window, or the job isn't scheduled.
            ReelPubError: what came back from the provider. Where it may have taken effect, read the post with `fetch`.
        """
        self._core.require_open()
        return await afterwards.reschedule(self._core, item, at)

    # ---- looking

    async def flush(self) -> None:
        """Wait until the store has every job that was submitted here, and the outcome of each that has settled.

        Both are written right away, without anybody waiting for it: await this where a job has to outlast a crash
        before you answer for it, or before something else reads the store. A job that can't be noted isn't sent: its
        handle has its outcome by then, with the error. Without a store it returns at once.

        Raises:
            StoreError: an outcome can't be written.
        """
        await self._core.journal.flush()

    async def unfinished(self) -> int:
        """Return how many jobs in the store have no outcome, those of other processes too; 0 without a store.

        Raises:
            StoreError: the store can't be read.
        """
        return await self._core.journal.unfinished()

    @property
    def jobs(self) -> Sequence[Handle]:
        """The jobs that are known here: those under way, then those that have settled, as far as they are remembered.

        Jobs that were submitted, resumed, recalled, or that an outcome from elsewhere spoke of.
        """
        return [Handle(job) for job in self._core.book]

    def job(self, job_id: str) -> Handle:
        """Return the handle of a job by its id.

        Raises:
            JobNotFound: no such job is known here; `outcome` looks in the store, too.
        """
        return Handle(self._core.jobs_of([job_id])[0])

    async def outcome(self, job_id: str) -> Outcome:
        """Return the outcome of a job by its id, or what is known so far (with `settled_at` None).

        What isn't known here is read from the store: jobs of earlier processes, and of others that share it. Nothing is
        taken over and nothing asked of a provider, so an unfinished one stands as it was noted last.

        Raises:
            JobNotFound: neither the orchestrator nor its store knows the job.
            ConfigurationError: the orchestrator isn't open.
            StoreError: the store can't be read.
        """
        self._core.require_open()
        given: object = job_id
        if not isinstance(given, str):
            raise ConfigurationError(f"job_id: {given!r} has to be the id of a job, a text")
        if not given.isprintable():
            raise JobNotFound(job_id)  # no job has such an id, and not every store can be asked for it
        known = self._core.book.get(job_id)
        # One that has settled here without the store is another process's by now, or was refused as a repetition of it.
        if self._store is not None and (known is None or (known.is_settled and not known.is_stored)):
            row = await self._store.job(job_id)
            if row is not None:
                return job_of(row, self._core.context.now()).snapshot()
        return self.job(job_id).outcome()

    async def fetch(self, post_id: str, *, publisher: str | None = None) -> Post:
        """Read one post. *publisher* names where, if there are several.

        Raises:
            ValidationError: *post_id* is no id.
            ConfigurationError: the orchestrator isn't open, or *publisher* isn't one of those here.
            NotFoundError: there is no such post.
        """
        self._core.require_open()
        checked_id("post_id", post_id)
        return await self._core.publisher(publisher).fetch(post_id)

    async def accounts(self, *, publisher: str | None = None, refresh: bool = False) -> list[Account]:
        """Return the connected accounts of *publisher*, or of every one, as they were read last unless *refresh*.

        Raises:
            ConfigurationError: the orchestrator isn't open, or *publisher* isn't one of those here.
            ReelPubError: they can't be read: the error of the first publisher that can't.
        """
        self._core.require_open()
        checked_kind("refresh", refresh, bool)
        wanted = self._all if publisher is None else [self._core.publisher(publisher)]
        return [account for one in wanted for account in await one.accounts(refresh=refresh)]

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
            require(self._core.publisher(publisher), Feature.CAPTIONS, self._all)
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
