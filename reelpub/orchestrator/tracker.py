"""Applies what happens to a part: state machine, events, and the outcome once every part has ended."""

from __future__ import annotations

from attrs import frozen

from reelpub.models.event import JobAccepted, JobSent, JobSettled, JobStatusChanged, JobUnknown
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

__all__ = ["PartRef", "apply", "settle"]


@frozen
class PartRef:
    """One part of one job."""

    job: Job
    index: int

    @property
    def state(self) -> PartState:
        """The part as it stands."""
        return self.job.parts[self.index]


def apply(context: Context, ref: PartRef, event: PartEvent) -> Command | None:
    """Move a part on by *event*, tell it, settle the job if that was its last part, and return what to do next."""
    before = ref.state
    state, command = step(before, event, context.clock.time(), context.rules)
    ref.job.parts[ref.index] = state
    if state is not before:
        _tell(context, ref.job, before, state, event)
    if isinstance(command, Settle) and ref.job.is_done and not ref.job.is_settled:
        settle(context, ref.job, ref.job.settled_from_parts(context.now()))
    return command


def settle(context: Context, job: Job, outcome: Outcome) -> None:
    """Give a job its outcome and tell it."""
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
