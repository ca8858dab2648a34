"""Knowing a run's jobs again: what the store says of them beside what is known here, and which job retried which."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from reelpub.models.outcome import Outcome
from reelpub.orchestrator.book import JobBook
from reelpub.orchestrator.job import Job
from reelpub.store import codec

__all__ = ["chain_id", "current", "is_ahead", "link", "says_more", "with_own"]


def current(book: JobBook, before: Mapping[str, Outcome | None], found: Sequence[Job]) -> list[Job]:
    """Return for each job that was found in the store the one to go on with: itself, or what is known here of it.

    *before* has the outcomes of the jobs known here just before the store was asked: whatever has changed since then
    is newer than the store's word.
    """
    return [_current(book.get(job.id), before, job) for job in found]


def _current(known: Job | None, before: Mapping[str, Outcome | None], found: Job) -> Job:
    if known is None:
        return found
    if known.outcome is None:
        if known.was_settled:
            # It is being followed; if only an outcome from elsewhere spoke of it, its end is to be noted from now on.
            known.is_stored, known.run = True, found.run
        return known
    if not known.is_stored:
        # Word of it from elsewhere, or it was let go of, or refused here because the store had it.
        return found
    if known.id not in before or known.outcome is not before[known.id]:
        return known
    if found.outcome is None:
        return found
    is_same = codec.dump_outcome(known.outcome) == codec.dump_outcome(found.outcome)
    return known if is_same else found


def is_ahead(known: Job, found: Job) -> bool:
    """Return whether more is known here of a job than the store has, to which it is unfinished and held by nobody.

    It is under way here, and its lease has ended; or how it ended couldn't be noted.
    """
    if known.outcome is None:
        return True
    return known.is_stored and says_more(known.outcome, found.snapshot())


def says_more(ours: Outcome, theirs: Outcome) -> bool:
    """Return whether *ours* says more of a job than *theirs*, another process's word of it.

    An end that the provider told is final, so whoever knows more of them says more. Where both know the same ones, a
    later time for a post is news, but not that somebody stopped looking.
    """
    ended, ended_there = ({post.id for post in outcome.posts if post.is_terminal} for outcome in (ours, theirs))
    if ended != ended_there:
        return ended > ended_there
    is_move = _times(ours) != _times(theirs) and ours.reason is None
    return is_move and ours.settled_at is not None and ours.settled_at >= (theirs.settled_at or ours.settled_at)


def _times(outcome: Outcome) -> set[tuple[str, datetime | None]]:
    return {(post.id, post.scheduled_at) for post in outcome.posts if not post.is_terminal}


def with_own(book: JobBook, run: str, found: Sequence[Job], job_ids: Collection[str] | None = None) -> list[Job]:
    """Return *found* with the jobs of *run*, or of *job_ids* alone, that are under way here, the oldest first."""
    ids, wanted = {job.id for job in found}, None if job_ids is None else frozenset(job_ids)
    own = [
        job
        for job in book.open_jobs
        if job.run == run and job.is_stored and job.id not in ids and (wanted is None or job.id in wanted)
    ]
    return sorted([*found, *own], key=lambda job: job.submitted_at)


def link(book: JobBook, jobs: Sequence[Job]) -> None:
    """Note which of *jobs* retries which, so that a job stands for the latest of its chain."""
    by_id = {job.id: job for job in jobs}
    for job in jobs:
        earlier = by_id.get(job.retries or "")
        if earlier is not None:
            book.retries(earlier, job)


def chain_id(earlier: Job) -> str:
    """Return the id under which a retry of *earlier* is chained to it in the store.

    A retry that the store never took isn't there to be named; what it retries is.
    """
    return earlier.retries if earlier.retries is not None and not earlier.is_stored else earlier.id
