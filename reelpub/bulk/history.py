"""Finding a run again, and telling how it stands."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio

from reelpub.bulk.composing import History, compose, row_record
from reelpub.bulk.ledger import Ledger
from reelpub.bulk.record import RowRecord, RunRecord
from reelpub.errors import ConfigurationError
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.store.owner import is_gone
from reelpub.store.runs import RunStore, StoredRun

__all__ = ["find", "latest", "ledger_of", "living", "load", "opened", "require_run", "require_run_of"]

LATEST = "latest"
"""The word for the run that began last."""

_RUNS = 10_000
"""How many of the latest runs are looked through for an id."""
_NEAR = 3
_CHUNK = 100
"""Rows read before the loop gets a turn."""


@asynccontextmanager
async def opened(store: RunStore) -> AsyncGenerator[RunStore, None]:
    """Keep *store* open while the ``async with`` lasts; it stays open for whoever else has opened it."""
    await store.open()
    try:
        yield store
    finally:
        # What is being written is awaited, also where the scope around it was cancelled.
        with anyio.CancelScope(shield=True):
            await store.close()


async def load(store: RunStore, run_id: str, *, with_moments: bool = True) -> RunRecord:
    """Read a run from *store*, which has to be open: each row with what became of it, and what happened on the way.

    Without moments, which are most of what there is to read, only how each row stands.

    A row that was retried shows its latest retry. One that is unfinished shows how it stood when that was last noted,
    which is before and after everything that is sent.

    Raises:
        ConfigurationError: there is no such run.
        StoreError: it can't be read.
    """
    run = await require_run(store, run_id)
    ledger = await ledger_of(store, run_id)
    history = History()
    events = await store.events(run_id) if with_moments else ()
    for start in range(0, len(events), _CHUNK * 10):
        history.add((event for _, event in events[start : start + _CHUNK * 10]), ledger.numbers)
        await asyncio.sleep(0)
    rows: list[RowRecord] = []
    for entry in ledger:
        rows.append(row_record(entry, history.of_row.get(entry.row.number, ())))
        if len(rows) % _CHUNK == 0:
            await asyncio.sleep(0)
    return compose(run, rows, history)


async def ledger_of(store: RunStore, run_id: str) -> Ledger:
    """Read which jobs the rows of a run became."""
    # Jobs first: one that is added meanwhile belongs to a row that was there before.
    jobs = await store.jobs(run_id)
    return Ledger.of(run_id, await store.rows(run_id), jobs)


async def require_run(store: RunStore, run_id: str) -> StoredRun:
    """Return a run.

    Raises:
        ConfigurationError: there is no such run; it names those that it may have been.
    """
    run = await store.run(run_id)
    if run is None:
        raise _unknown(run_id, await store.runs(limit=_RUNS))
    return run


async def require_run_of(pub: Orchestrator, store: RunStore, run_id: str) -> StoredRun:
    """Return a run of *store*, which has to be the store of *pub*: its jobs noted elsewhere would be sent again.

    Two values for one file will do.

    Raises:
        ConfigurationError: there is no such run, *pub* isn't open, or its store doesn't know the run.
    """
    if not pub.is_open:
        raise ConfigurationError("the orchestrator isn't open; use it in `async with`")
    run = await require_run(store, run_id)
    own = pub.store
    if own is not store and not (isinstance(own, RunStore) and await own.run(run_id) is not None):
        raise ConfigurationError(f"store: that of the orchestrator doesn't know run {run_id}: {own!r}, not {store!r}")
    return run


async def latest(store: RunStore) -> str | None:
    """Return the id of the run that began last, None where there is none."""
    return next((run.id for run in await store.runs(limit=1)), None)


async def find(store: RunStore, text: str) -> str:
    """Return the id of the run that a person means by *text*: an id, the beginning of one, its last part, or "latest".

    Raises:
        ConfigurationError: there is no such run, or more than one; it names those that it may have been.
    """
    runs = await store.runs(limit=_RUNS)
    if text == LATEST and runs:
        return runs[0].id
    if any(run.id == text for run in runs) or await store.run(text) is not None:
        return text
    meant = [run for run in runs if text and (run.id.startswith(text) or run.id.partition("-")[2].startswith(text))]
    if len(meant) == 1:
        return meant[0].id
    if meant:
        raise ConfigurationError(f"run: {text!r} can mean {len(meant)}: {_listed(meant)}; give more of its id")
    raise _unknown(text, runs)


def _unknown(text: str, runs: Sequence[StoredRun]) -> ConfigurationError:
    if not runs:
        return ConfigurationError("run: there is none yet in this store; `reelpub publish FILE` begins one")
    near = difflib.get_close_matches(text, [run.id for run in runs], n=_NEAR, cutoff=0.5)
    shown = [run for run in runs if run.id in near] or runs
    return ConfigurationError(f"run: there is no {text!r}; did you mean one of {_listed(shown)}?")


def _listed(runs: Sequence[StoredRun]) -> str:
    more = ", …" if len(runs) > _NEAR else ""
    return ", ".join(f"{run.id} ({run.name})" for run in runs[:_NEAR]) + more


async def living(store: RunStore, run_id: str, now: float) -> Mapping[str, str]:
    """Return the unfinished jobs of a run that a process carries out at *now* (Unix seconds), each with its owner.

    Those of a process that certainly is gone are left out: nobody carries them out.
    """
    held = await store.held(run_id, now=now)
    gone = {owner for owner in set(held.values()) if is_gone(owner)}
    return {job: owner for job, owner in held.items() if owner not in gone}
