"""Keeps an orchestrator's tasks in one task of their own.

The task group lives in that task and not in whoever opened the orchestrator, so that it may be opened in one task and
closed in another, as test fixtures and the lifespans of web frameworks do; a cancel scope forbids that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

__all__ = ["Supervisor"]


class Supervisor:
    """Runs a task group until it is stopped; *on_crash* is called if a task in it raises."""

    def __init__(self, on_crash: Callable[[], None]) -> None:
        self._on_crash = on_crash
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, begin: Callable[[TaskGroup], None]) -> None:
        """Open the group and let *begin* start its tasks."""
        begun = asyncio.Event()
        self._task = asyncio.create_task(self._run(begin, begun), name="reelpub")
        await begun.wait()

    async def stop(self) -> None:
        """Cancel what runs and wait for its end; raises what a task raised."""
        self._stopping.set()
        if self._task is not None:
            task, self._task = self._task, None
            await task

    async def _run(self, begin: Callable[[TaskGroup], None], begun: asyncio.Event) -> None:
        try:
            async with anyio.create_task_group() as group:
                try:
                    begin(group)
                finally:
                    begun.set()
                await self._stopping.wait()
                group.cancel_scope.cancel()
            task = asyncio.current_task()
            if not self._stopping.is_set() and not (task is not None and task.cancelling()):
                # The group takes a task that ends as cancelled, whoever cancelled it, for its own end.
                raise RuntimeError("a task of the orchestrator was cancelled from outside, and all others with it")
        except BaseException:
            self._on_crash()
            raise
