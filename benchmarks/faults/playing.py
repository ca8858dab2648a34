"""Plays one cell of the fault matrix: the story up to the call, the fault, and a second process where one died."""

from __future__ import annotations

import asyncio
import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from faults import AFTER_NOTE, FAULTS
from faults.dying import Doom
from faults.operations import OPERATIONS
from faults.stage import Cell, Result, Stage
from faults.truth import judge
from reelpub import Outcome, ReelPubError
from reelpub.clocks import Clock
from reelpub.sandbox import Fault, FaultKind, Sandbox
from reelpub.testing import run_virtual

__all__ = ["play"]

RESUME_EVERY = 5.0
PATIENCE = 900.0
"""Seconds of the clock after which a cell that hasn't ended never will."""


def play(cell: Cell) -> Result:
    """Play *cell* and return what it came to."""
    operation = OPERATIONS[cell.provider, cell.operation]
    random.seed(1)

    async def story(clock: Clock) -> Result:
        with tempfile.TemporaryDirectory() as folder:
            async with Sandbox(clock=clock, reelmirror=operation.dialect) as sandbox:
                asked = operation.requests(datetime.fromtimestamp(clock.time(), UTC))
                stage = Stage(operation, sandbox, clock, Path(folder) / "jobs.db", asked)
                async with asyncio.timeout(PATIENCE):
                    told, seconds = await _tell(stage, cell.fault)
                return await judge(stage, told, seconds)

    return run_virtual(story)


async def _tell(stage: Stage, fault: str) -> tuple[Any, float]:
    """Play the story; return what the caller was told, and how long it took from the asking."""
    doom = Doom(stage.operation.call, fault) if FAULTS[fault] is None else None
    before = await _lead_up(stage)
    _order(stage, fault)
    asked_at = stage.clock.time()
    told = await (_ask(stage, before) if doom is None else _ask_and_die(stage, before, doom))
    return told, stage.clock.time() - asked_at


def _order(stage: Stage, fault: str) -> None:
    kind, call = FAULTS[fault], stage.operation.wire_call
    if kind is FaultKind.CLOSE_POOLED:
        # Every connection dies on its second use, so that the call meets one wherever it would take one from a pool.
        stage.sandbox.order(Fault(kind, times=None))
    elif kind is not None:
        stage.sandbox.order(Fault(kind, operation=call, times=2 if len(stage.asked) == 2 else 1))


async def _lead_up(stage: Stage) -> Outcome | None:
    """Play what comes before the call, where there is something."""
    if stage.operation.after is None:
        return None
    stage.sandbox.order(*stage.operation.setting)
    async with stage.process() as publishing:
        (outcome,) = await publishing.publish_many(stage.asked)
    return outcome


async def _ask(stage: Stage, before: Outcome | None, doom: Doom | None = None) -> Any:
    async with stage.process(doom) as publishing:
        if before is None or stage.operation.after is None:
            return list(await publishing.publish_many(stage.asked))
        try:
            told = await stage.operation.after(publishing, before)
        except ReelPubError as error:
            return error
        if doom is not None and doom.moment == AFTER_NOTE and not stage.operation.is_noted:
            await doom.strike()
        return [told] if isinstance(told, Outcome) else told


async def _ask_and_die(stage: Stage, before: Outcome | None, doom: Doom) -> Any:
    """Ask in a process that dies of it, and then in another one."""
    life = asyncio.ensure_future(_ask(stage, before, doom))
    death = asyncio.ensure_future(doom.struck.wait())
    await asyncio.wait([life, death], return_when=asyncio.FIRST_COMPLETED)
    if not doom.struck.is_set():
        raise AssertionError(f"the process outlived {doom.moment}: {life.result()}")
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)
    return await (_resume(stage) if stage.operation.is_noted else _ask(stage, before))


async def _resume(stage: Stage) -> list[Outcome]:
    """Take up in a new process what the dead one left, once its leases have ended."""
    async with stage.process() as publishing:
        while not (handles := await publishing.resume()):
            await stage.clock.sleep(RESUME_EVERY)
        return [await handle for handle in handles]
