"""Applies what happens to a part: state machine, events, and the outcome once every part has ended."""

from __future__ import annotations

from attrs import evolve, frozen

from reelpub.errors import ReelPubError
from reelpub.models.event import JobAccepted, JobSent, JobSettled, JobStatusChanged, JobUnknown
from reelpub.models.job import Prepared
from reelpub.models.outcome import Outcome
from reelpub.models.post import DeliveryStatus
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.job import Job
from reelpub.policies.lifecycle import (
    Accepted,
    Command,
    Failed,
    Looked,
    Observed,
    PartEvent,
    PartState,
    Sending,
    Settle,
    Stage,
    step,
)

__all__ = ["Change", "PartRef", "advance", "announce", "apply", "settle"]


@frozen
class PartRef:
    """One part of one job."""

    job: Job
    index: int

    @property
    def state(self) -> PartState:
        """The part as it stands."""
        return self.job.parts[self.index]

    @property
    def prepared(self) -> Prepared:
        """What the part goes live with."""
        prepared = self.state.prepared
        if prepared is None:
            raise RuntimeError(f"{self.state.part.id} isn't prepared")
        return prepared


@frozen
class Change:
    """What an event did to a part; it is told with `announce`."""

    before: PartState
    after: PartState
    event: PartEvent
    command: Command | None


def advance(context: Context, ref: PartRef, event: PartEvent) -> Change:
    """Move a part on by *event*, and tell nobody yet."""
    before = ref.state
    state, command = step(before, event, context.clock.time(), context.rules)
    ref.job.parts[ref.index] = state
    return Change(before, state, event, command)


def announce(context: Context, ref: PartRef, change: Change) -> Command | None:
    """Tell a change, settle the job if that was its last part, and return what to do next."""
    if change.after is not change.before:
        _tell(context, ref.job, change.before, change.after, change.event)
    if isinstance(change.command, Settle) and ref.job.is_done and not ref.job.is_settled:
        settle(context, ref.job, ref.job.settled_from_parts(context.now()))
    return change.command


def apply(context: Context, ref: PartRef, event: PartEvent) -> Command | None:
    """Move a part on by *event*, tell it, and return what to do next."""
    return announce(context, ref, advance(context, ref, event))


def settle(context: Context, job: Job, outcome: Outcome) -> None:
    """Give a job its outcome and tell it."""
    for error in (outcome.error, *(part.error for part in job.parts)):
        if isinstance(error, ReelPubError):
            # It says everything by itself. The frames would keep the request, its headers and the answer for as long.
            error.__traceback__ = None
    if context.is_left(job):
        outcome = evolve(outcome, is_resumable=True)
    job.settle(outcome)
    context.tell(JobSettled, job, outcome=outcome)
    context.on_settled(job)


def _tell(context: Context, job: Job, before: PartState, state: PartState, event: PartEvent) -> None:
    match event:
        case Sending(attempt):
            context.tell(JobSent, job, part_id=state.part.id, attempt=attempt.number)
        case Accepted(post) | Looked(post):
            context.tell(JobAccepted, job, post=post, reconciled=state.is_reconciled)
            context.tell_deliveries(job, None, post)
        case Observed(post):
            if before.post is not None and before.post.status is not post.status:
                context.tell(JobStatusChanged, job, post=post, before=before.post.status)
            context.tell_deliveries(job, before.post, post)
        case Failed(error) if state.stage is Stage.LOOKING:
            context.tell(JobUnknown, job, part_id=state.part.id, reason=str(error))
        case _:
            pass
    if state.is_settled and state.end is DeliveryStatus.UNKNOWN:
        context.tell(JobUnknown, job, part_id=state.part.id, reason=state.reason or "", is_final=True)
