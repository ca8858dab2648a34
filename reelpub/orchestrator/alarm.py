"""Waiting for a time or for something to happen, whichever comes first, on any clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import anyio

from reelpub.clocks import Clock

__all__ = ["finish_by", "wait_until"]


async def wait_until(clock: Clock, at: float | None, changed: asyncio.Event) -> None:
    """Wait until *clock*'s monotonic time is *at* (None: for ever) or *changed* is set, and clear it."""
    if at is None:
        await changed.wait()
    elif at > clock.monotonic():
        async with anyio.create_task_group() as group:

            async def sleep() -> None:
                await clock.sleep(at - clock.monotonic())
                group.cancel_scope.cancel()

            group.start_soon(sleep)
            await changed.wait()
            group.cancel_scope.cancel()
    changed.clear()


async def finish_by(clock: Clock, deadline: float | None, work: Awaitable[object]) -> bool:
    """Await *work* until *clock*'s monotonic time is *deadline* (None: to its end); return whether it finished."""
    if deadline is None:
        await work
        return True
    finished = False
    async with anyio.create_task_group() as group:

        async def expire() -> None:
            await clock.sleep(deadline - clock.monotonic())
            group.cancel_scope.cancel()

        group.start_soon(expire)
        await work
        finished = True
        group.cancel_scope.cancel()
    return finished
