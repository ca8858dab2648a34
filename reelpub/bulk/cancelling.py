"""Calling rows of a run off: what waits at a provider or here, and what hasn't been submitted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from attrs import evolve, frozen

from reelpub.bulk.choosing import chosen, handles_of
from reelpub.bulk.composing import outcome_of
from reelpub.bulk.history import ledger_of, living, require_run_of
from reelpub.bulk.ledger import Entry
from reelpub.bulk.recorder import recording
from reelpub.clocks import Clock, utc_now
from reelpub.errors import ConfigurationError
from reelpub.models.capability import Feature
from reelpub.models.outcome import CancelResult, Outcome, OutcomeStatus
from reelpub.models.post import PostStatus
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.providers.base import Publisher, require
from reelpub.store import codec
from reelpub.store.runs import RunStore, StoredRow

__all__ = ["cancel"]


@frozen(kw_only=True)
class _Sorted:
    """What is to be called off: `jobs` may still be, `untouched` rows certainly can, `ended` tells the others.

    `waiting` are the names of the publishers where something waits.
    """

    jobs: dict[str, int]
    untouched: list[Entry]
    ended: dict[int, CancelResult]
    waiting: set[str]


async def cancel(
    pub: Orchestrator, store: RunStore, run_id: str, *, rows: Collection[int] | None = None
) -> dict[int, CancelResult]:
    """Call a run off, or *rows* of it by number, and return for each row what holds.

    What waits at a provider is cancelled there, what waits here isn't sent, and a row that hasn't been submitted is
    marked so that it never is. What has gone out, or had ended otherwise, is too late. Nothing else of the run is set
    going by it. A whole run that another process, or another call, carries out is stopped there first.

    Raises:
        ConfigurationError: there is no such run or row, or somebody is carrying out what would be called off.
        UnsupportedOperation: a provider can't cancel what waits there; nothing was called off.
        StoreError: it can't be noted, so that what waits here may still be sent when the run is carried on.
    """
    await require_run_of(pub, store, run_id)
    found = _sort(chosen(await ledger_of(store, run_id), rows))
    _require_cancel(found.waiting, pub.publishers)
    await _require_idle(pub, store, run_id, found)
    async with recording(pub, store, run_id):
        handles = await handles_of(pub, run_id, found.jobs)
        # What hasn't left is stopped before anything is awaited, lest it leaves meanwhile.
        ordered = sorted(handles.values(), key=_has_post)
        results = await pub.cancel_many(ordered)
        untouched = await _call_off(store, run_id, [_called_off(entry, pub.clock) for entry in found.untouched])
    # Before it is noted, nothing that waits here is called off: the next process would send it.
    await pub.flush()
    by_job = dict(zip((handle.id for handle in ordered), results, strict=True))
    told = {number: by_job.get(job_id, CancelResult.UNKNOWN) for job_id, number in found.jobs.items()}
    return dict(sorted((told | untouched | found.ended).items()))


async def _call_off(store: RunStore, run_id: str, rows: Sequence[StoredRow]) -> dict[int, CancelResult]:
    """Mark rows that haven't been submitted, and return what holds for each: one may have been, meanwhile."""
    if not rows:
        return {}
    await store.settle_rows(rows, was=[None] * len(rows))
    # The store adds no job for a row once it is marked, so what is there now is all that ever will be.
    ledger = await ledger_of(store, run_id)
    return {row.number: _result_of(ledger.entries[row.number]) for row in rows}


def _result_of(entry: Entry) -> CancelResult:
    outcome = outcome_of(entry)
    if outcome is None or outcome.status is OutcomeStatus.CANCELLED:
        return CancelResult.CANCELLED
    return CancelResult.UNKNOWN if not outcome.is_settled or _may_go_out(outcome) else CancelResult.TOO_LATE


def _sort(entries: Sequence[Entry]) -> _Sorted:
    found = _Sorted(jobs={}, untouched=[], ended={}, waiting=set())
    for entry in entries:
        outcome = outcome_of(entry)
        if outcome is None:
            found.untouched.append(entry)
        elif entry.job is not None and (not outcome.is_settled or _may_go_out(outcome)):
            found.jobs[entry.job.id] = entry.row.number
            if any(post.status is PostStatus.SCHEDULED for post in outcome.posts):
                found.waiting.add(entry.job.publisher)
        else:
            found.ended[entry.row.number] = _result_of(entry)
    return found


def _require_cancel(names: Iterable[str], publishers: Mapping[str, Publisher]) -> None:
    # Before any job is taken up: those that weren't sent yet would go on.
    for publisher in (publishers[name] for name in names if name in publishers):
        require(publisher, Feature.CANCEL, list(publishers.values()))


def _may_go_out(outcome: Outcome) -> bool:
    """Return whether a post of a settled job may still go out: one waits for its time, or nobody knows."""
    return outcome.status is OutcomeStatus.UNKNOWN or any(not post.is_terminal for post in outcome.posts)


async def _require_idle(pub: Orchestrator, store: RunStore, run_id: str, found: _Sorted) -> None:
    held = await living(store, run_id, pub.clock.time())
    here = {handle.id for handle in pub.jobs}
    elsewhere = [number for job_id, number in found.jobs.items() if job_id in held and job_id not in here]
    # Whoever carries the run out has read its rows already, and wouldn't see the mark.
    busy = sorted(elsewhere + [entry.row.number for entry in found.untouched if held])
    if busy:
        raise ConfigurationError(
            f"run {run_id} is being carried out, and row {busy[0]} with it: stop that first (Ctrl-C there), "
            "then call it off; nothing was called off"
        )


def _has_post(handle: Handle) -> bool:
    return any(state.post is not None for state in handle.job.parts)


def _called_off(entry: Entry, clock: Clock) -> StoredRow:
    request = codec.load_request(entry.row.request)
    outcome = Outcome(
        request=request,
        job_id=entry.row.job_id,
        publisher=request.publisher,
        status=OutcomeStatus.CANCELLED,
        reason="called off before it was submitted",
        settled_at=utc_now(clock),
    )
    return evolve(entry.row, outcome=codec.dump_outcome(outcome))
