"""Watching a run: nothing is sent, and what is scheduled or pending is followed to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from reelpub.bulk import moments
from reelpub.bulk.attending import attend
from reelpub.bulk.choosing import handles_of
from reelpub.bulk.composing import outcome_of
from reelpub.bulk.crew import OnRows
from reelpub.bulk.history import ledger_of, living, require_run_of
from reelpub.bulk.ledger import Entry
from reelpub.bulk.record import Moment, RunRecord
from reelpub.bulk.recorder import PAUSE, Recorder
from reelpub.bulk.running import LOOK_EVERY
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.store.runs import RunStore

__all__ = ["OnMoment", "watch"]

OnMoment = Callable[[int, Moment], None]
"""Told what another process did: the row's number, and what happened to it."""


async def watch(
    pub: Orchestrator,
    store: RunStore,
    run_id: str,
    *,
    timeout: float | None = None,
    on_rows: OnRows | None = None,
    on_moment: OnMoment | None = None,
    drain: asyncio.Event | None = None,
) -> RunRecord:
    """Follow a run until every post that was sent has ended, sending nothing; return how it stands then.

    While another process carries it out, what that one notes is read once a second, and *on_moment* is told of it.
    Afterwards posts that are scheduled or pending are followed here. What is unfinished and in nobody's hands stays so:
    `carry_out` goes on with it. The other arguments are as in `carry_out`.

    Raises:
        ConfigurationError: there is no such run, or *pub* isn't open.
        StoreError: the store can't be read.
    """
    await require_run_of(pub, store, run_id)
    work = partial(_work, pub, store, run_id, on_rows, on_moment)
    return await attend(pub, store, run_id, work, timeout=timeout, drain=drain)


async def _work(
    pub: Orchestrator,
    store: RunStore,
    run_id: str,
    on_rows: OnRows | None,
    on_moment: OnMoment | None,
    _: Recorder,
) -> None:
    await _follow_others(pub, store, run_id, on_moment)
    ledger = await ledger_of(store, run_id)
    unended = {entry.job_id: entry.row.number for entry in ledger if _is_unended(entry)}
    handles = await handles_of(pub, run_id, unended)
    if on_rows is not None and handles:
        on_rows({unended[job_id]: handle for job_id, handle in handles.items()})
    await pub.wait_many(handles.values())


def _is_unended(entry: Entry) -> bool:
    """Return whether a settled job has a post at a provider that hasn't ended."""
    if entry.job is None or entry.is_unfinished:
        return False
    outcome = outcome_of(entry)
    return outcome is not None and any(not post.is_terminal for post in outcome.posts)


async def _follow_others(pub: Orchestrator, store: RunStore, run_id: str, on_moment: OnMoment | None) -> None:
    """Tell what other processes do, until none carries anything of the run out, or *pub* is closed."""
    seen = max((number for number, _ in await store.events(run_id)), default=0)
    while await _is_busy_elsewhere(pub, store, run_id):
        while await _is_busy_elsewhere(pub, store, run_id):
            await pub.clock.sleep(LOOK_EVERY)
            seen = await _tell_since(store, run_id, seen, on_moment)
        # What happened last is written a little after it.
        await pub.clock.sleep(2 * PAUSE)
        seen = await _tell_since(store, run_id, seen, on_moment)


async def _is_busy_elsewhere(pub: Orchestrator, store: RunStore, run_id: str) -> bool:
    held = await living(store, run_id, pub.clock.time())
    return pub.is_open and bool(held.keys() - {handle.id for handle in pub.jobs if not handle.is_settled})


async def _tell_since(store: RunStore, run_id: str, seen: int, on_moment: OnMoment | None) -> int:
    events = await store.events(run_id, after=seen)
    if events and on_moment is not None:
        numbers = (await ledger_of(store, run_id)).numbers
        for _, event in events:
            number = numbers.get(event.job_id or "")
            if number is not None:
                on_moment(number, moments.moment(event))
    return events[-1][0] if events else seen
