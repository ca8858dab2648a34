"""Moving scheduled rows of a run to other times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reelpub.bulk.choosing import chosen, handles_of
from reelpub.bulk.history import ledger_of, require_run_of
from reelpub.bulk.ledger import Entry
from reelpub.bulk.recorder import recording
from reelpub.clocks import utc_now
from reelpub.errors import ReelPubError, ValidationError
from reelpub.models.outcome import Outcome
from reelpub.models.problem import Problem
from reelpub.models.when import LocalTime
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.lateness import is_kept_here
from reelpub.policies.scheduling import instant
from reelpub.store import codec
from reelpub.store.runs import RunStore

__all__ = ["reschedule"]


async def reschedule(
    pub: Orchestrator, store: RunStore, run_id: str, moves: Mapping[int, datetime | LocalTime]
) -> dict[int, Outcome | ReelPubError]:
    """Move rows, by their numbers, to other times; return for each its outcome as it is then, or why it wasn't moved.

    One that can't be moved keeps no other from it: an `UnsupportedOperation` names who can, a `ValidationError` says
    what is wrong with the time, or that the row isn't scheduled.

    Raises:
        ConfigurationError: there is no such run or row; nothing was moved.
    """
    await require_run_of(pub, store, run_id)
    entries = chosen(await ledger_of(store, run_id), moves.keys())
    settled = [entry.job.id for entry in entries if entry.job is not None and not entry.is_unfinished]
    moved: dict[int, Outcome | ReelPubError] = {}
    async with recording(pub, store, run_id):
        handles = await handles_of(pub, run_id, settled)
        for entry in entries:
            try:
                if entry.job_id not in handles:
                    raise _not_scheduled(entry, pub)
                moved[entry.row.number] = await pub.reschedule(handles[entry.job_id], moves[entry.row.number])
            except ReelPubError as error:
                moved[entry.row.number] = error
    # The new times are noted without anybody waiting for it; to count what is unfinished is to wait.
    await pub.unfinished()
    return moved


def _not_scheduled(entry: Entry, pub: Orchestrator) -> ValidationError:
    message = "isn't scheduled, so it can't be moved"
    if _is_kept_here(entry, pub):
        message = "is kept here for its time, too soon for its provider: call it off, then ask for it anew to move it"
    elif entry.is_untouched or entry.is_unfinished:
        message = "hasn't come to be scheduled yet: resume the run, then move it"
    return ValidationError([Problem(field="row", value=entry.row.number, message=message)])


def _is_kept_here(entry: Entry, pub: Orchestrator) -> bool:
    """Return whether nobody but a process here waits for the row's time: to resume the run is to wait for it again."""
    publisher = pub.publishers.get(entry.job.publisher) if entry.job is not None and entry.is_unfinished else None
    at = codec.load_request(entry.row.request).at
    due = instant(at) if at is not None else None
    if publisher is None or not isinstance(due, datetime):
        return False
    return is_kept_here(due, utc_now(pub.clock), publisher.limits)
