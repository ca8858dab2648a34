"""A bounded pool of workers over one queue. Workers are hired for work and go when there is none."""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context, copy_context

import anyio
from anyio.abc import TaskGroup

from reelpub.clocks import Clock
from reelpub.orchestrator.alarm import wait_until
from reelpub.orchestrator.queue import Work, Worker, WorkQueue

__all__ = ["WorkerPool"]

log = logging.getLogger("reelpub.orchestrator")

CLOSED = "the orchestrator was closed before its turn"

LOOK_EVERY = 30.0
"""Seconds between two looks at the wall clock, while something waits for a time of it."""


class WorkerPool:
    """Runs work with at most *concurrency* workers, in a task group that `start` is given."""

    def __init__(self, clock: Clock, *, concurrency: int) -> None:
        self._clock = clock
        self._concurrency = concurrency
        self._queue = WorkQueue()
        self._workers: set[Worker] = set()
        self._group: TaskGroup | None = None
        self._context = Context()
        self._is_closed = False
        self._later = asyncio.Event()
        self._idle = asyncio.Event()

    @property
    def is_busy(self) -> bool:
        """Whether work is being done or ready to be."""
        return bool(self._workers) or self._queue.has_ready

    def start(self, group: TaskGroup) -> None:
        """Run in *group* from now on, with the caller's context variables."""
        self._group = group
        self._context = copy_context()
        group.start_soon(self._wake)
        self._hire()

    def put(self, work: Work, *, at: float | None = None) -> None:
        """Take on *work*, to be run from *at* (monotonic seconds) on if that is given."""
        if self._is_closed:
            work.drop(CLOSED)
            return
        self._queue.put(work, at=at)
        if at is None:
            self._hire()
        else:
            self._later.set()

    async def close(self, grace: float) -> None:
        """Drop what waits, cancel what hasn't begun to send, and give what is being sent *grace* real seconds."""
        self._is_closed = True
        for work in self._queue.clear():
            work.drop(CLOSED)
        for worker in self._workers:
            worker.leave()
        with anyio.move_on_after(grace):
            await self._until_idle()
        for worker in self._workers:
            worker.scope.cancel()
        await self._until_idle()

    async def _until_idle(self) -> None:
        # One that hasn't begun has nothing in hand; when a program ends, it may have been cancelled before it could.
        while any(worker.has_begun for worker in self._workers):
            self._idle.clear()
            await self._idle.wait()

    def _hire(self) -> None:
        if self._group is not None and len(self._workers) < self._concurrency and self._queue.has_ready:
            worker = Worker()
            self._workers.add(worker)
            # Not in the context of whoever put the work: a worker goes on with that of others, and would log it as his.
            self._context.copy().run(self._group.start_soon, self._work, worker)

    async def _work(self, worker: Worker) -> None:
        worker.has_begun = True
        try:
            with worker.scope:
                while (work := self._queue.take()) is not None:
                    self._hire()
                    await self._run(work, worker)
        finally:
            self._workers.discard(worker)
            self._idle.set()
            self._hire()

    async def _run(self, work: Work, worker: Worker) -> None:
        try:
            await work.run(worker)
        except Exception as error:  # one piece of work that fails unforeseen must not end all the others
            log.exception("a piece of work raised")
            work.drop(f"it raised {type(error).__name__}: {error}")

    async def _wake(self) -> None:
        while True:
            at = self._queue.next_at
            if at is not None and self._queue.has_wall:
                # The monotonic clock stands still while the machine sleeps.
                at = min(at, self._clock.monotonic() + LOOK_EVERY)
            await wait_until(self._clock, at, self._later)
            for work in self._queue.wake(self._clock.monotonic(), self._clock.time()):
                self._begin(work)
            self._hire()

    def _begin(self, work: Work) -> None:
        try:
            if work.begin is not None:
                work.begin()
        except Exception as error:  # as where it runs
            log.exception("a piece of work couldn't begin")
            work.drop(f"it raised {type(error).__name__}: {error}")
