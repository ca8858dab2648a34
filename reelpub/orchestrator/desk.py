"""One publisher's desk: plans jobs, carries their parts through the state machine, and hands posts to the poller.

The order of a publish is everywhere the same: prepare, wait for a token, note the attempt, send, note the answer. The
note of the attempt is made in `before_send`, which runs when the token is there and no byte has left.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup
from attrs import define, evolve, field, frozen

from reelpub.errors import LeaseLost, OutcomeUnknown, ReelPubError, StoreError, ValidationError
from reelpub.models.account import Account
from reelpub.models.event import JobHeld
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import DeliveryStatus, Post
from reelpub.orchestrator.claims import Claims
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.journal import Journal
from reelpub.orchestrator.looks import Looks
from reelpub.orchestrator.planning import fit_time, names_of, plan_parts
from reelpub.orchestrator.poller import Poller
from reelpub.orchestrator.pool import WorkerPool
from reelpub.orchestrator.queue import Work, Worker
from reelpub.orchestrator.suspension import elapsed_clock
from reelpub.orchestrator.tracker import Change, PartRef, advance, announce, apply, settle
from reelpub.policies.lateness import LatePolicy
from reelpub.policies.lifecycle import (
    Accepted,
    Begin,
    Failed,
    GaveUp,
    Interrupted,
    Look,
    Looked,
    LookedAbsent,
    LookedUndecided,
    PartEvent,
    Prepare,
    ReadyToSend,
    Send,
    Sending,
    Stage,
    TakenOver,
    Watch,
    Withdrawn,
)
from reelpub.policies.settlement import failure_status
from reelpub.providers.base import Absent, Found, Publisher, SupportsFindDuplicate, SupportsSchedule, Undecided
from reelpub.transport.message import CallOptions

__all__ = ["Desk"]

log = logging.getLogger("reelpub.orchestrator")

PLAN_CHUNK = 100
"""Jobs planned before the loop gets a turn, so that a big batch doesn't stall a web service."""

WORTH_TELLING = 0.5
"""Seconds of waiting from which a job counts as held."""

REGROUP_AFTER = 1.0
"""Seconds for which a part that is to be sent again waits for others, so that they share a scheduling request."""

OTHERS_SINCE = 86_400.0
"""Seconds before an attempt from which the posts of others count, those of earlier runs too."""

LOOK, PLAN, SEND = 0, 1, 2
"""Priorities: what may be live already is settled before anything new goes out."""


class _Stale(ReelPubError):
    """A part was settled while its token was awaited; nothing was sent."""


@define
class _Spacer:
    """Keeps late posts apart."""

    last: float = -math.inf

    def next_wait(self, now: float, spacing: float) -> float:
        """Return how long the next late post waits; the first doesn't."""
        self.last = max(now, self.last + spacing)
        return self.last - now


@frozen(eq=False)
class Desk:
    """Carries out the jobs of one publisher."""

    publisher: Publisher
    _context: Context
    _journal: Journal
    _claims: Claims
    _pool: WorkerPool
    poller: Poller
    _again: list[PartRef] = field(factory=list, init=False)
    _looks: Looks = field(factory=Looks, init=False)
    _late: _Spacer = field(factory=_Spacer, init=False)

    @classmethod
    def open(
        cls, publisher: Publisher, context: Context, journal: Journal, claims: Claims, *, concurrency: int
    ) -> Desk:
        """Return a desk for *publisher* with at most *concurrency* requests under way."""
        pool = WorkerPool(context.clock, concurrency=concurrency)
        return cls(publisher, context, journal, claims, pool, Poller(publisher, context, is_busy=lambda: pool.is_busy))

    def start(self, group: TaskGroup) -> None:
        """Run in *group* from now on."""
        group.start_soon(self.poller.run)
        self._pool.start(group)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on jobs that passed their static checks."""

        def drop(reason: str) -> None:
            for job in jobs:
                self._end_unplanned(job, OutcomeStatus.NOT_SENT, reason)
                self._drop([PartRef(job, index) for index in range(len(job.parts))], reason)

        async def plan(_: Worker) -> None:
            await self._plan(jobs)

        self._pool.put(Work(run=plan, drop=drop, priority=PLAN))

    def submit_parts(self, job: Job) -> None:
        """Take on a job whose parts are planned already."""
        refs = [PartRef(job, index) for index in range(len(job.parts))]

        async def take_on(_: Worker) -> None:
            try:
                await self._journal.add([job])
            except StoreError as error:
                for ref in refs:
                    self._apply(ref, Failed(error))
            else:
                self._enqueue([ref for ref in refs if not ref.state.is_settled])

        self._pool.put(Work(run=take_on, drop=lambda reason: self._drop(refs, reason), priority=PLAN))

    async def close(self, grace: float) -> None:
        """Start nothing more, give what is being sent *grace* real seconds to end, and tell every outcome."""
        await self._pool.close(grace)
        self.poller.give_up("the orchestrator was closed before it ended")

    # ---- planning

    async def _plan(self, jobs: Sequence[Job]) -> None:
        try:
            await self._note_new(jobs)
            known = await self._accounts(jobs)
            refs: list[PartRef] = []
            for number, job in enumerate(jobs, start=1):
                if not job.is_settled and self._plan_one(job, known):
                    refs += [PartRef(job, index) for index in range(len(job.parts))]
                if number % PLAN_CHUNK == 0:
                    await asyncio.sleep(0)
            self._enqueue(refs)
        except asyncio.CancelledError:
            for job in jobs:
                self._end_unplanned(job, OutcomeStatus.NOT_SENT, "the orchestrator was closed before its turn")
            raise

    async def _note_new(self, jobs: Sequence[Job]) -> None:
        try:
            earlier = await self._journal.add([job for job in jobs if not job.is_settled])
        except StoreError as error:
            for job in jobs:
                self._fail_unplanned(job, error)
            return
        for job in jobs:
            if job.id in earlier:
                same = earlier[job.id]
                outcome = job.plain_outcome(
                    OutcomeStatus.DUPLICATE, self._context.now(), reason=f"the same as {same}", duplicate_of=same
                )
                settle(self._context, job, outcome)

    async def _accounts(self, jobs: Sequence[Job]) -> Sequence[Account] | ReelPubError:
        if not any(job.request.accounts for job in jobs if not job.is_settled):
            return ()
        try:
            return await self.publisher.accounts()
        except ReelPubError as error:
            return error
        except Exception as error:  # a publisher with a bug must not take the other jobs with it
            log.exception("%s: reading the accounts raised", self.publisher.name)
            return _wrapped(error, self.publisher, "accounts")

    def _plan_one(self, job: Job, known: Sequence[Account] | ReelPubError) -> bool:
        try:
            if isinstance(known, ReelPubError):
                if job.request.accounts:
                    raise known
                known = ()
            plan_parts(job, self.publisher, known, self._context.now())
        except ReelPubError as error:
            self._fail_unplanned(job, error)
        except Exception as error:
            log.exception("%s: planning %s raised", self.publisher.name, job.id)
            self._fail_unplanned(job, _wrapped(error, self.publisher, "plan"))
        return not job.is_settled

    def _fail_unplanned(self, job: Job, error: ReelPubError) -> None:
        is_refused = failure_status(error) is DeliveryStatus.REFUSED
        status = OutcomeStatus.REFUSED if is_refused else OutcomeStatus.NOT_SENT
        self._end_unplanned(job, status, str(error), error)

    def _end_unplanned(self, job: Job, status: OutcomeStatus, reason: str, error: ReelPubError | None = None) -> None:
        if job.is_settled or job.parts:
            return
        problems = error.problems if isinstance(error, ValidationError) else ()
        outcome = job.plain_outcome(status, self._context.now(), reason=reason, error=error, problems=problems)
        settle(self._context, job, outcome)

    def _enqueue(self, refs: Sequence[PartRef]) -> None:
        for ref in refs:
            ref.job.parts[ref.index] = fit_time(ref.state, self.publisher, self._context.now())
        now = [ref for ref in refs if ref.state.part.at is None]
        later = [ref for ref in refs if ref.state.part.at is not None]
        for ref in now:
            if self._is_wanted_now(ref):
                self._put_batch([ref], at=self._start_of(ref))
        for batch in self._batches(later):
            self._put_batch(batch)

    def _batches(self, refs: Sequence[PartRef]) -> list[list[PartRef]]:
        """Return *refs*, which have a time, in the publisher's batches; where it makes none of them, one by one."""
        if not refs or not isinstance(self.publisher, SupportsSchedule):
            return [[ref] for ref in refs]
        by_id = {ref.state.part.id: ref for ref in refs}
        try:
            batches = [
                [by_id[part.id] for part in batch] for batch in self.publisher.batches([r.state.part for r in refs])
            ]
        except Exception:
            log.exception("%s: putting %d posts into batches raised", self.publisher.name, len(refs))
            batches = []
        if sorted(ref.state.part.id for batch in batches for ref in batch) != sorted(by_id):
            return [[ref] for ref in refs]
        return batches

    def _is_wanted_now(self, ref: PartRef) -> bool:
        """Return whether a part is still wanted; what is late beyond its grace may not be."""
        due, lateness = ref.state.part.not_before, self._context.lateness
        if due is None or not lateness.is_late(due, self._context.now()) or lateness.policy is LatePolicy.PUBLISH:
            return True
        reason = f"it fell due at {due.isoformat(timespec='seconds')} while nothing ran"
        self._apply(ref, Withdrawn(reason, is_cancel=lateness.policy is LatePolicy.SKIP))
        return not ref.state.is_settled

    def _start_of(self, ref: PartRef) -> float | None:
        """Return when a part that is waited for here starts, in monotonic seconds; None for at once."""
        due = ref.state.part.not_before
        if due is None:
            return None
        now, clock = self._context.now(), self._context.clock
        wait = (due - now).total_seconds()
        if self._context.lateness.is_late(due, now):
            wait = self._late.next_wait(clock.monotonic(), self._context.lateness.spacing)
        if wait <= 0:
            return None
        self._context.tell(JobHeld, ref.job, seconds=wait, reason="time")
        return clock.monotonic() + wait

    def _put_batch(self, refs: Sequence[PartRef], *, at: float | None = None) -> None:
        due = refs[0].state.part.at

        async def carry(worker: Worker) -> None:
            await self._carry(refs, worker)

        self._pool.put(
            Work(
                run=carry,
                drop=lambda reason: self._drop(refs, reason),
                priority=SEND,
                due=due.timestamp() if due else 0,
            ),
            at=at,
        )

    def _drop(self, refs: Sequence[PartRef], reason: str) -> None:
        for ref in refs:
            self._apply(ref, GaveUp(reason))

    # ---- carrying parts out

    async def _carry(self, refs: Sequence[PartRef], worker: Worker) -> None:
        try:
            for ref in refs:
                if self._may_start(ref):
                    await self._prepare(ref)
            await self._send([ref for ref in refs if ref.state.stage is Stage.READY], worker)
        except asyncio.CancelledError:
            self._drop(refs, "the orchestrator was closed while it was under way")
            raise

    def resume(self, jobs: Sequence[Job]) -> None:
        """Take up jobs that an earlier process began."""
        unplanned = [job for job in jobs if not job.parts]
        if unplanned:
            self.submit(unplanned)
        for job in jobs:
            for ref in (PartRef(job, index) for index in range(len(job.parts))):
                if not ref.state.is_settled:
                    self._follow(ref, advance(self._context, ref, Interrupted()))
            if job.is_done and not job.is_settled:
                settle(self._context, job, job.settled_from_parts(self._context.now()))

    def _may_start(self, ref: PartRef) -> bool:
        deadline = ref.job.deadline
        if deadline is not None and self._context.clock.monotonic() >= deadline:
            self._apply(ref, Withdrawn("the deadline passed before its turn"))
        return ref.state.stage in (Stage.PLANNED, Stage.PREPARING)

    async def _prepare(self, ref: PartRef) -> None:
        self._apply(ref, Begin())
        try:
            event: PartEvent = ReadyToSend(await self.publisher.prepare(_part_to_prepare(ref)))
        except ReelPubError as error:
            event = Failed(error)
        except Exception as error:
            log.exception("%s: preparing %s raised", self.publisher.name, ref.state.part.id)
            event = Failed(_wrapped(error, self.publisher, "prepare"))
        self._apply(ref, event)
        prepared = ref.state.prepared
        if prepared is not None and prepared.post_id is not None:
            # The draft's id is on disk before anything goes live, so that a crash neither loses nor repeats it.
            await self._noted([ref])

    async def _noted(self, refs: Sequence[PartRef]) -> None:
        """Note parts before anything is sent for them; what can't be noted isn't sent."""
        try:
            await self._journal.note(refs)
        except LeaseLost:
            await self._hand_over(refs)
        except StoreError as error:
            for ref in refs:
                self._apply(ref, Failed(error))

    async def _hand_over(self, refs: Sequence[PartRef]) -> None:
        """Let go of parts whose jobs another process has taken over, and with them of what they shared a request with.

        What wasn't taken over stays unfinished in the store, for whoever resumes next.
        """
        if refs:
            await self._journal.let_go([ref.job for ref in refs])
        for ref in refs:
            self._apply(ref, TakenOver())

    async def _send(self, refs: Sequence[PartRef], worker: Worker) -> None:
        if not refs or self._held_by_cap(refs):
            return
        self._tell_wait(refs)
        try:
            results = await self._go_live(refs, worker)
        except _Stale:
            # Somebody was called off while the token was awaited: the others are put together anew.
            self._enqueue([ref for ref in refs if ref.state.stage is Stage.READY])
            return
        if any(isinstance(result, LeaseLost) for result in results):
            await self._hand_over(refs)
            return
        changes = [
            advance(self._context, ref, Accepted(result) if isinstance(result, Post) else Failed(result))
            for ref, result in zip(refs, results, strict=True)
        ]
        await self._note_and_follow(refs, changes)

    async def _note_and_follow(self, refs: Sequence[PartRef], changes: Sequence[Change]) -> None:
        # The provider's ids are in their attempts' rows before anything else is done with the answer.
        lost = await self._journal.try_note(refs)
        for ref, change in zip(refs, changes, strict=True):
            if ref.job.id in lost:
                announce(self._context, ref, change)
            else:
                self._follow(ref, change)
        await self._hand_over([ref for ref in refs if ref.job.id in lost])

    async def _go_live(self, refs: Sequence[PartRef], worker: Worker) -> Sequence[Post | ReelPubError]:
        leave_by = math.inf

        async def leaving() -> None:
            nonlocal leave_by
            # The token may come in the very turn in which the pool closes.
            await anyio.lowlevel.checkpoint_if_cancelled()
            if any(ref.state.is_settled for ref in refs) or (not worker.is_sending and self._cap_wait(refs) > 0):
                raise _Stale
            worker.is_sending = True
            leave_by = elapsed_clock() + self._context.send_timeout
            self._note_attempt(refs)
            await self._journal.note(refs)

        deadlines = [ref.job.deadline for ref in refs if ref.job.deadline is not None]
        options = CallOptions(
            timeout=self._context.send_timeout,
            deadline=min(deadlines, default=None),
            before_send=leaving,
            # Whoever takes the job over counts on it that nothing leaves after the noted send deadline.
            may_leave=lambda: elapsed_clock() < leave_by,
        )
        try:
            results = _checked(await self._call(refs, options), len(refs))
        except _Stale:
            raise
        except ReelPubError as error:
            results = [error] * len(refs)
        except Exception as error:
            log.exception("%s: publishing %s raised", self.publisher.name, refs[0].state.part.id)
            if not worker.is_sending:
                # It can't be told whether such a publisher sent anything, so nothing may be concluded.
                self._note_attempt(refs)
            results = [_wrapped(error, self.publisher, "publish")] * len(refs)
        finally:
            worker.is_sending = False
            self._claims.returned(refs)
        for ref, result in zip(refs, results, strict=True):
            if isinstance(result, Post):
                self._claims.own(result.id, ref)
        return results

    async def _call(self, refs: Sequence[PartRef], options: CallOptions) -> Sequence[Post | ReelPubError]:
        prepared = [_prepared(ref) for ref in refs]
        if refs[0].state.part.at is not None and isinstance(self.publisher, SupportsSchedule):
            return await self.publisher.schedule(prepared, options)
        return [await self.publisher.publish(prepared[0], options)]

    def _note_attempt(self, refs: Sequence[PartRef]) -> None:
        clock = self._context.clock
        # A request that leaves again after a 429 makes no second post.
        first = [ref for ref in refs if ref.state.stage is not Stage.SENDING]
        self._context.caps.use(_names(first), clock.monotonic())
        self._claims.leaves(refs)
        for ref in refs:
            ref.job.requests += 1
            number = len(ref.state.attempts) + (0 if ref.state.stage is Stage.SENDING else 1)
            part_id = ref.state.part.id
            attempt = Attempt(
                id=f"{part_id}.{number}",
                part_id=part_id,
                number=number,
                started_at=clock.time(),
                send_deadline=clock.time() + self._context.send_window,
            )
            self._apply(ref, Sending(attempt))

    def _held_by_cap(self, refs: Sequence[PartRef]) -> bool:
        wait = self._cap_wait(refs)
        if wait <= 0:
            return False
        at = self._context.clock.monotonic() + wait
        for ref in refs:
            if ref.job.deadline is not None and at > ref.job.deadline:
                self._apply(ref, Withdrawn(f"the cap of its account holds it for {wait:.0f} s, past the deadline"))
        held = [ref for ref in refs if not ref.state.is_settled]
        for ref in held:
            self._context.tell(JobHeld, ref.job, seconds=wait, reason="cap")
        self._send_later(held, at)
        return True

    def _cap_wait(self, refs: Sequence[PartRef]) -> float:
        return self._context.caps.delay(_names(refs), self._context.clock.monotonic())

    def _send_later(self, refs: Sequence[PartRef], at: float | None) -> None:
        async def send(worker: Worker) -> None:
            try:
                await self._send([ref for ref in refs if ref.state.stage is Stage.READY], worker)
            except asyncio.CancelledError:
                self._drop(refs, "the orchestrator was closed while it was under way")
                raise

        self._pool.put(Work(run=send, drop=lambda reason: self._drop(refs, reason), priority=SEND), at=at)

    def _tell_wait(self, refs: Sequence[PartRef]) -> None:
        wait = self.publisher.limiter.snapshot().next_in
        if wait >= WORTH_TELLING:
            for ref in refs:
                self._context.tell(JobHeld, ref.job, seconds=wait, reason="limit")

    # ---- what comes after

    def _apply(self, ref: PartRef, event: PartEvent) -> None:
        apply(self._context, ref, event)

    def _follow(self, ref: PartRef, change: Change) -> None:
        """Tell a change and see to it that what the machine commands is done."""
        command = announce(self._context, ref, change)
        if ref.state.post is not None:
            self._claims.own(ref.state.post.id, ref)
        match command:
            case Watch():
                self.poller.watch(ref)
            case Look(at):
                clock = self._context.clock
                self._look_later(ref, clock.monotonic() + max(0.0, at - clock.time()))
            case Send() | Prepare():
                self._send_again(ref)
            case _:
                pass

    def _send_again(self, ref: PartRef) -> None:
        """Send a part that is ready, together with those that become so at about the same time."""

        def take() -> list[PartRef]:
            refs = list(self._again)
            self._again.clear()
            return refs

        async def regroup(_: Worker) -> None:
            self._enqueue(take())

        self._again.append(ref)
        if len(self._again) == 1:
            work = Work(run=regroup, drop=lambda reason: self._drop(take(), reason), priority=SEND)
            self._pool.put(work, at=self._context.clock.monotonic() + REGROUP_AFTER)

    def _look_later(self, ref: PartRef, at: float) -> None:
        step = self._looks.add(ref, at)
        if step is None:
            return

        async def look(_: Worker) -> None:
            refs = self._looks.take(step)
            try:
                # All at once, so that the parts of one lost request share a list where that is how they are found.
                async with anyio.create_task_group() as group:
                    for one in refs:
                        group.start_soon(self._look_and_follow, one)
            except asyncio.CancelledError:
                self._drop(refs, "the orchestrator was closed while its lost answer was being looked up")
                raise

        work = Work(run=look, drop=lambda reason: self._drop(self._looks.take(step), reason), priority=LOOK)
        self._pool.put(work, at=self._looks.time_of(step))

    async def _look_and_follow(self, ref: PartRef) -> None:
        change = advance(self._context, ref, await self._look(ref))
        await self._note_and_follow([ref], [change])

    async def _look(self, ref: PartRef) -> PartEvent:
        state = ref.state
        if not isinstance(self.publisher, SupportsFindDuplicate) or state.attempt is None:
            return LookedUndecided(f"{self.publisher.provider} gives no way to look it up")
        try:
            taken = self._claims.taken | await self._journal.posts_since(state.attempt.started_at - OTHERS_SINCE)
            finding: object = await self.publisher.find(_prepared(ref), state.attempt, taken=taken)
        except ReelPubError as error:
            return LookedUndecided(str(error), error)
        except Exception as error:
            log.exception("%s: looking up %s raised", self.publisher.name, state.part.id)
            return LookedUndecided(f"{type(error).__name__}: {error}", error)
        match finding:
            case Found(post) if self._claims.claim(post.id, ref, _prepared(ref)):
                return Looked(post)
            case Found(post):
                return LookedUndecided(f"post {post.id} may be another's")
            case Absent():
                return LookedAbsent()
            case Undecided(reason):
                return LookedUndecided(reason)
            case _:
                return LookedUndecided(f"{self.publisher.provider} found {type(finding).__name__}, which means nothing")


def _checked(results: Sequence[Post | ReelPubError], count: int) -> Sequence[Post | ReelPubError]:
    """Return *results* if there is one for each of *count* posts; raise TypeError if nothing can be concluded."""
    if len(results) != count:
        raise TypeError(f"{len(results)} results for {count} posts")
    for result in results:
        if not isinstance(result, (Post, ReelPubError)):
            raise TypeError(f"{type(result).__name__} instead of a post")
    return results


def _names(refs: Sequence[PartRef]) -> list[tuple[str, str]]:
    return [names for ref in refs for names in names_of(ref.state.part)]


def _part_to_prepare(ref: PartRef) -> Part:
    """Return the part, with word of it where a process that died may have begun to prepare it."""
    part, taken_up_at = ref.state.part, ref.job.taken_up_at
    if taken_up_at is None or (part.not_before is not None and part.not_before > taken_up_at):
        return part
    return evolve(part, begun_at=ref.job.submitted_at)


def _prepared(ref: PartRef) -> Prepared:
    prepared = ref.state.prepared
    if prepared is None:
        raise RuntimeError(f"{ref.state.part.id} isn't prepared")
    return prepared


def _wrapped(error: Exception, publisher: Publisher, operation: str) -> ReelPubError:
    """Return *error*, which isn't of this library, as one that is; what it proves is nothing."""
    return OutcomeUnknown(
        f"raised {type(error).__name__}: {error}", operation=operation, provider=publisher.provider, cause=error
    )
