"""Staying with work on a run until it is done, its time is up, or it is to be drained; and telling how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from reelpub.bulk.history import load, opened
from reelpub.bulk.record import RunRecord
from reelpub.bulk.recorder import Recorder, recording
from reelpub.clocks import Clock
from reelpub.errors import ConfigurationError
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.store.runs import RunStore

__all__ = ["Work", "attend"]

Work = Callable[[Recorder], Awaitable[object]]


async def attend(
    pub: Orchestrator,
    store: RunStore,
    run_id: str,
    work: Work,
    *,
    timeout: float | None,
    drain: asyncio.Event | None,
) -> RunRecord:
    """Do *work*, note what happens meanwhile, and return how the run stands at the end.

    The end is that of *work*, or when *timeout* (seconds) has passed, or when *drain* is set: then *pub* is closed in
    order, so that nothing new is sent and what is on the wire is told. Where somebody else closes it, that is the end,
    too. Cancelling it leaves *pub* as it is.
    """
    # Whoever closes *pub* meanwhile: what happened last is still to be written, and all of it to be read.
    async with opened(store):
        async with recording(pub, store, run_id) as recorder:
            try:
                is_over = await _is_drained(pub.clock, work(recorder), timeout, drain)
            except ConfigurationError:
                # Whoever closes it ends the work, whatever that asks of it next.
                if pub.is_open:
                    raise
                is_over = True
            if is_over or not pub.is_open:
                # One who is closing it already is waited for.
                await pub.close()
        if pub.is_open:
            # Outcomes are written without anybody waiting for it; to count what is unfinished is to wait.
            await pub.unfinished()
        else:
            # It may have begun only now.
            await pub.close()
        return await load(store, run_id)


async def _is_drained(
    clock: Clock, work: Awaitable[object], timeout: float | None, drain: asyncio.Event | None
) -> bool:
    """Await *work* until its end or for *timeout* seconds; return True as soon as *drain* is set before."""
    working = asyncio.ensure_future(work)
    timing = None if timeout is None else asyncio.ensure_future(clock.sleep(timeout))
    draining = None if drain is None else asyncio.ensure_future(drain.wait())
    tasks: list[asyncio.Future[Any]] = [task for task in (working, timing, draining) if task is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return False
        return draining is not None and draining.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
