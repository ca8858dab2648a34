"""Jobs as rows of the store, and back."""

from __future__ import annotations

from datetime import UTC, datetime

from reelpub.orchestrator.adopting import adopt, as_settled
from reelpub.orchestrator.book import NOTHING_LIVE
from reelpub.orchestrator.job import Job
from reelpub.policies.lifecycle import PartState
from reelpub.store import codec
from reelpub.store.base import StoredJob, StoredPart

__all__ = ["job_of", "stored_job", "stored_part", "untold_parts"]


def stored_job(job: Job) -> StoredJob:
    """Return *job* as a row for the store."""
    earlier = job.earlier
    return StoredJob(
        id=job.id,
        publisher=job.publisher or "",
        request=codec.dump_request(job.request),
        submitted_at=job.submitted_at.timestamp(),
        content_key=job.content_key,
        before=codec.dump_outcome(earlier) if earlier is not None else None,
        parts=tuple(map(stored_part, job.parts)),
        run=job.run,
        retries=job.retries,
        warnings=codec.dump_warnings(job.warnings),
        # A retry has the content of what it retries; but what put nothing live may have been asked for anew since.
        may_repeat=job.request.allow_duplicate or (earlier is not None and earlier.status not in NOTHING_LIVE),
    )


def stored_part(state: PartState) -> StoredPart:
    """Return a part as a row for the store."""
    return StoredPart(
        id=state.part.id,
        job_id=state.part.job_id,
        state=codec.dump_part(state),
        post_id=state.post.id if state.post is not None else None,
        sent_at=state.attempt.started_at if state.attempt is not None else None,
    )


def untold_parts(job: Job) -> tuple[PartState, ...]:
    """Return the parts of a settled job that the store needs beside its outcome to tell how they ended.

    Where each was followed until its post ended, the outcome tells it: most jobs need none.
    """
    if not job.is_behind and all(map(_is_told_by_outcome, job.parts)):
        return ()
    return tuple(job.parts)


def _is_told_by_outcome(state: PartState) -> bool:
    return state.post is not None and state.post.is_terminal and state.end is None and state.reason is None


def job_of(row: StoredJob, taken_up_at: datetime) -> Job:
    """Return the job that a row of the store tells of, settled if the row has an outcome."""
    outcome = codec.load_outcome(row.outcome) if row.outcome is not None else None
    states = [codec.load_part(part.state) for part in row.parts]
    if outcome is not None and outcome.posts and not states:
        job = adopt(outcome)
    else:
        job = Job(
            id=row.id,
            request=codec.load_request(row.request),
            publisher=row.publisher,
            submitted_at=datetime.fromtimestamp(row.submitted_at, UTC),
            earlier=codec.load_outcome(row.before) if row.before is not None else None,
            # A retry has parts with the attempts of what it retries.
            requests=sum(attempt.part_id == state.part.id for state in states for attempt in state.attempts),
            taken_up_at=taken_up_at,
        )
        job.parts = sorted(states, key=lambda state: int(state.part.id.rpartition(".")[2]))
        job.has_stored_parts = bool(states)
    job.content_key, job.run, job.retries, job.is_stored = row.content_key, row.run, row.retries, True
    job.warnings = codec.load_warnings(row.warnings)
    if outcome is not None:
        job.parts = [as_settled(state, outcome) for state in job.parts]
        job.requests = outcome.requests
        job.settle(outcome)
    return job
