"""Carrying out a run: what has settled stays, what is unfinished goes on, what was never submitted is submitted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from functools import partial

from reelpub.bulk.attending import attend
from reelpub.bulk.crew import Crew, OnRows
from reelpub.bulk.history import living, require_run_of
from reelpub.bulk.record import RunRecord
from reelpub.bulk.recorder import Recorder
from reelpub.errors import StoreError
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.store.runs import RunStore, StoredRow
from reelpub.store.trouble import Trouble

__all__ = ["LOOK_EVERY", "carry_out"]

log = logging.getLogger("reelpub.bulk")

LOOK_EVERY = 1.0
"""Seconds between two looks at what another process does."""


async def carry_out(
    pub: Orchestrator,
    store: RunStore,
    run_id: str,
    *,
    timeout: float | None = None,
    on_rows: OnRows | None = None,
    drain: asyncio.Event | None = None,
) -> RunRecord:
    """Carry out the run *run_id* of *store*, which is the store of *pub*, until every row has settled.

    The first call publishes or schedules; any later one, in this process or another, goes on where the one before
    stopped: nothing is sent twice. Rows that another living process has in hand are waited for, and taken over if it
    dies.

    *on_rows* is told which rows are taken on. *timeout* (seconds) is how long to stay with it, and *drain* an event
    that ends it sooner: then *pub* is closed in order. Either way the record says how things stand; what is unfinished
    stays so, to be carried on. Cancelled, the call leaves the jobs running, as `Orchestrator.publish_many` does.

    Raises:
        ConfigurationError: there is no such run, or *pub* isn't open.
        StoreError: the store can't be read.
    """
    await require_run_of(pub, store, run_id)
    work = partial(_work, pub, store, run_id, on_rows)
    return await attend(pub, store, run_id, work, timeout=timeout, drain=drain)


async def _work(pub: Orchestrator, store: RunStore, run_id: str, on_rows: OnRows | None, recorder: Recorder) -> None:
    crew = Crew(pub=pub, store=store, run=run_id, news=recorder.news, on_rows=on_rows)
    recalled = await pub.recall(run_id)
    crew.take_up(recalled)
    await crew.submit(await _unsubmitted(store, run_id, {handle.id for handle in recalled}))
    await crew.see_out()
    trouble = Trouble(log)
    while pub.is_open:
        await crew.settle_up()
        # In this order: what is let go of between the two is found by the second.
        held = await _under_way(pub, store, run_id, trouble)
        left = await pub.resume(run=run_id)
        if left:
            crew.take_up(left)
            await crew.see_out()
        elif held:
            await pub.clock.sleep(LOOK_EVERY)
        else:
            return


async def _under_way(pub: Orchestrator, store: RunStore, run_id: str, trouble: Trouble) -> set[str]:
    """Return the unfinished jobs that are in somebody's hands; what has ended here is noted first.

    What can't be noted isn't waited for: it goes on when the run is carried out again.
    """
    try:
        await pub.flush()
    except StoreError as error:
        trouble.tell("run %s: outcomes couldn't be noted, resume the run once they can be: %s", run_id, error)
    else:
        trouble.is_over("run %s: outcomes are noted again", run_id)
    held = (await living(store, run_id, pub.clock.time())).keys()
    return held - {handle.id for handle in pub.jobs if handle.is_settled and handle.job.is_stored} if held else set()


async def _unsubmitted(store: RunStore, run_id: str, recalled: Collection[str]) -> list[StoredRow]:
    """Return the rows that have neither an outcome nor a job: one that was *recalled*, or that is somebody else's.

    One that another process submits in this moment is submitted here, too, and recognized by its id.
    """
    untouched = [row for row in await store.rows(run_id) if row.outcome is None and row.job_id not in recalled]
    others = {job.id for job in await store.jobs(run_id)} if untouched else set()
    return [row for row in untouched if row.job_id not in others]
