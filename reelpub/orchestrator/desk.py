"""One publisher's desk: carries the parts of jobs through the state machine, and hands posts to the poller.

The order of a publish is everywhere the same: prepare, wait for a token, note the attempt, send, note the answer. The
note of the attempt is made in `before_send`, which runs when the token is there and no byte has left.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

import anyio
from anyio.abc import TaskGroup
from attrs import evolve, field, frozen

from reelpub.errors import LeaseLost, ReelPubError, StoreError
from reelpub.models.event import JobHeld
from reelpub.models.job import Part
from reelpub.models.post import Post
from reelpub.models.source import Draft
from reelpub.orchestrator.claims import Claims
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.departure import Departure, Stale
from reelpub.orchestrator.intake import Intake
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.journal import Journal
from reelpub.orchestrator.looks import Looks
from reelpub.orchestrator.lookup import Lookup
from reelpub.orchestrator.planning import fit_time
from reelpub.orchestrator.poller import Poller
from reelpub.orchestrator.pool import WorkerPool
from reelpub.orchestrator.queue import Work, Worker
from reelpub.orchestrator.starts import Starts, batches
from reelpub.orchestrator.strangers import heard, strange
from reelpub.orchestrator.tracker import Change, PartRef, advance, announce, apply, settle
from reelpub.orchestrator.writes import WritesAhead
from reelpub.policies.lifecycle import (
    Accepted,
    Begin,
    Failed,
    GaveUp,
    Interrupted,
    Look,
    PartEvent,
    Prepare,
    ReadyToSend,
    Send,
    Stage,
    TakenOver,
    Watch,
    Withdrawn,
)
from reelpub.providers.base import Publisher

__all__ = ["Desk"]

log = logging.getLogger("reelpub.orchestrator")

WORTH_TELLING = 0.5
"""Seconds of waiting from which a job counts as held."""

REGROUP_AFTER = 1.0
"""Seconds for which a part that is to be sent again waits for others, so that they share a scheduling request."""

LOOK, PLAN, SEND = 0, 1, 2
"""Priorities: what may be live already is settled before anything new goes out."""


@frozen(eq=False)
class Desk:
    """Carries out the jobs of one publisher."""

    publisher: Publisher
    poller: Poller
    _context: Context
    _journal: Journal
    _claims: Claims
    _pool: WorkerPool
    _intake: Intake
    _starts: Starts
    _departure: Departure
    _lookup: Lookup
    _ahead: WritesAhead
    _again: list[PartRef] = field(factory=list, init=False)
    _looks: Looks = field(factory=Looks, init=False)

    @classmethod
    def open(
        cls, publisher: Publisher, context: Context, journal: Journal, claims: Claims, *, concurrency: int
    ) -> Desk:
        """Return a desk for *publisher* with at most *concurrency* requests under way."""
        pool = WorkerPool(context.clock, concurrency=concurrency)
        poller = Poller(publisher, context, is_busy=lambda: pool.is_busy, to_come=lambda: ahead.posts)
        ahead = WritesAhead(publisher, poller.look_again)
        return cls(
            publisher=publisher,
            poller=poller,
            context=context,
            journal=journal,
            claims=claims,
            pool=pool,
            intake=Intake(publisher, context, journal),
            starts=Starts(context),
            departure=Departure(publisher, context, journal, claims),
            lookup=Lookup(publisher, journal, claims),
            ahead=ahead,
        )

    def start(self, group: TaskGroup) -> None:
        """Run in *group* from now on."""
        group.start_soon(self.poller.run)
        self._pool.start(group)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on jobs that passed their static checks."""

        def drop(reason: str) -> None:
            for job in jobs:
                self._intake.drop(job, reason)
                self._drop([PartRef(job, index) for index in range(len(job.parts))], reason)

        async def plan(_: Worker) -> None:
            self._enqueue(await self._intake.plan(jobs))

        self._intake.note(jobs)
        self._pool.put(Work(run=plan, drop=drop, priority=PLAN))

    def submit_parts(self, job: Job) -> None:
        """Take on a job whose parts are planned already."""
        refs = [PartRef(job, index) for index in range(len(job.parts))]

        async def take_on(_: Worker) -> None:
            self._enqueue(await self._intake.take_on(job))

        self._intake.note([job])
        self._pool.put(Work(run=take_on, drop=lambda reason: self._drop(refs, reason), priority=PLAN))

    async def close(self, grace: float) -> None:
        """Start nothing more, give what is being sent *grace* real seconds to end, and tell every outcome."""
        await self._pool.close(grace)
        self.poller.give_up("the orchestrator was closed before it ended")

    # ---- planning

    def _enqueue(self, refs: Sequence[PartRef]) -> None:
        for ref in refs:
            ref.job.parts[ref.index] = fit_time(ref.state, self.publisher, self._context.now())
        now = [ref for ref in refs if ref.state.part.at is None]
        later = [ref for ref in refs if ref.state.part.at is not None]
        for ref in now:
            self._begin(ref)
        for batch in batches(self.publisher, later):
            self._put_batch(batch)

    def _begin(self, ref: PartRef) -> None:
        """Have a part carried out at its time: at once, or from then on."""
        if self._starts.is_wanted(ref):
            self._put_batch([ref], at=self._starts.start_of(ref))

    def _begin_kept(self, ref: PartRef) -> None:
        """Have a part that was waited for here carried out.

        The machine may have slept until long after its time. What is late by then may not be wanted any more, or was
        taken over and sent by another process.
        """

        async def decide(_: Worker) -> None:
            await self._noted([ref])
            if not ref.state.is_settled:
                self._begin(ref)

        if self._starts.is_late(ref):
            self._pool.put(Work(run=decide, drop=lambda reason: self._drop([ref], reason), priority=PLAN))
        else:
            self._begin(ref)

    def _put_batch(self, refs: Sequence[PartRef], *, at: float | None = None) -> None:
        due, kept = refs[0].state.part.at, refs[0].state.part.not_before
        # One that is late already is only kept apart from the others.
        is_ahead = at is not None and kept is not None and kept > self._context.now()

        # What is to start later isn't in anybody's way until then.
        done = self._ahead.add(refs) if at is None else None

        async def carry(worker: Worker) -> None:
            over = done or self._ahead.add(refs)
            try:
                await self._carry(refs, worker)
            finally:
                over()

        def drop(reason: str) -> None:
            self._drop(refs, reason)
            if done is not None:
                done()

        self._pool.put(
            Work(
                run=carry,
                drop=drop,
                priority=SEND,
                due=due.timestamp() if due else 0,
                wall=kept.timestamp() if is_ahead and kept is not None else None,
                begin=partial(self._begin_kept, refs[0]) if is_ahead else None,
            ),
            at=at,
        )

    def _drop(self, refs: Sequence[PartRef], reason: str) -> None:
        for ref in refs:
            self._apply(ref, GaveUp(reason))

    def _leave(self, refs: Sequence[PartRef]) -> None:
        """Tell parts that were under way when the orchestrator was closed."""
        self._journal.note_unsent([ref for ref in refs if ref.state.stage is Stage.READY])
        self._drop(refs, "the orchestrator was closed while it was under way")

    # ---- carrying parts out

    async def _carry(self, refs: Sequence[PartRef], worker: Worker) -> None:
        try:
            for ref in refs:
                if self._may_start(ref):
                    await self._prepare(ref)
            await self._send([ref for ref in refs if ref.state.stage is Stage.READY], worker)
        except asyncio.CancelledError:
            self._leave(refs)
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
            event: PartEvent = ReadyToSend(await heard(self.publisher.prepare(_part_to_prepare(ref))))
        except ReelPubError as error:
            event = Failed(error)
        except Exception as error:
            log.exception("%s: preparing %s raised", self.publisher.name, ref.state.part.id)
            event = Failed(strange(error, self.publisher, "prepare"))
        self._tell_left_behind(ref, event)
        self._apply(ref, event)
        prepared = ref.state.prepared
        if prepared is not None and prepared.post_id is not None:
            # The draft's id is on disk before anything goes live, so that a crash neither loses nor repeats it.
            await self._noted([ref])

    def _tell_left_behind(self, ref: PartRef, event: PartEvent) -> None:
        """Tell of a draft that was made while its part was called off: the outcome was told before it was there."""
        if not ref.state.is_settled or not isinstance(event, ReadyToSend) or isinstance(ref.job.request.source, Draft):
            return
        if event.prepared.post_id is not None:
            part_id, draft, name = ref.state.part.id, event.prepared.post_id, self.publisher.name
            log.warning("%s ended while its draft was being made: draft %s is left at %s", part_id, draft, name)

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
            results = await self._departure.go_live(refs, worker)
        except Stale:
            # Somebody was called off, or used a cap up, while the token was awaited: the others are put together anew.
            again = [ref for ref in refs if ref.state.stage is Stage.READY]
            self._enqueue([ref for ref in again if ref.state.part.at is not None])
            for ref in again:
                if ref.state.part.at is None:
                    # Its time had come, so that it isn't late now for want of somebody who runs it.
                    self._put_batch([ref])
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

    def _held_by_cap(self, refs: Sequence[PartRef]) -> bool:
        wait = self._departure.cap_wait(refs)
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

    def _send_later(self, refs: Sequence[PartRef], at: float | None) -> None:
        async def send(worker: Worker) -> None:
            try:
                await self._send([ref for ref in refs if ref.state.stage is Stage.READY], worker)
            except asyncio.CancelledError:
                self._leave(refs)
                raise

        self._pool.put(Work(run=send, drop=lambda reason: self._drop(refs, reason), priority=SEND), at=at)

    def _tell_wait(self, refs: Sequence[PartRef]) -> None:
        wait = self.publisher.limiter.expected_wait()
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
        change = advance(self._context, ref, await self._lookup.look(ref))
        await self._note_and_follow([ref], [change])


def _part_to_prepare(ref: PartRef) -> Part:
    """Return the part, with word of it where a process that died may have begun to prepare it."""
    part, taken_up_at = ref.state.part, ref.job.taken_up_at
    if taken_up_at is None or (part.not_before is not None and part.not_before > taken_up_at):
        return part
    return evolve(part, begun_at=ref.job.submitted_at)
