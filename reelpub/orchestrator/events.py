"""Events handed to readers: each reader has its own bounded queue, and a slow one never holds up the work."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Self

from reelpub.models.event import Event, EventsMissed, JobEvent, JobSettled

__all__ = ["EventBus", "EventStream"]


class EventStream:
    """Events as they happen: ``async for event in events``.

    It ends when the orchestrator closes or, made for certain jobs, after the last of them has settled. When the
    reader falls more than *buffer* events behind, the oldest are dropped and an `EventsMissed` says how many.
    """

    def __init__(self, job_ids: Iterable[str] | None, *, buffer: int) -> None:
        self._wanted = None if job_ids is None else frozenset(job_ids)
        self._open_jobs = set(self._wanted or ())
        self._queue: deque[JobEvent] = deque()
        self._buffer = buffer
        self._missed = 0
        self._changed = asyncio.Event()
        self._ended = self._wanted is not None and not self._open_jobs

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._queue and not self._missed:
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return EventsMissed(count=missed)
        return self._queue.popleft()  # type: ignore[return-value]  # only members of Event are ever put in

    def put(self, event: JobEvent) -> None:
        """Take one event, if it is of a job that this stream is about."""
        if self._ended or (self._wanted is not None and event.job_id not in self._wanted):
            return
        if len(self._queue) >= self._buffer:
            self._queue.popleft()
            self._missed += 1
        self._queue.append(event)
        if isinstance(event, JobSettled) and self._wanted is not None:
            self._open_jobs.discard(event.job_id)
            self._ended = not self._open_jobs
        self._changed.set()

    def settled_already(self, job_id: str) -> None:
        """Don't wait for a job that had settled before this stream was made."""
        self._open_jobs.discard(job_id)
        self._ended = self._ended or (self._wanted is not None and not self._open_jobs)

    def end(self) -> None:
        """Let the reader read what is queued, then stop."""
        self._ended = True
        self._changed.set()


class EventBus:
    """Hands each event to every stream."""

    def __init__(self) -> None:
        self._streams: list[EventStream] = []

    @property
    def is_heard(self) -> bool:
        """Whether anybody reads; when nobody does, events needn't be made."""
        return bool(self._streams)

    def add(self, stream: EventStream) -> None:
        """Let *stream* hear what happens from now on."""
        self._streams.append(stream)

    def remove(self, stream: EventStream) -> None:
        """Let *stream* hear nothing more."""
        stream.end()
        self._streams.remove(stream)

    def put(self, event: JobEvent) -> None:
        """Hand *event* to every stream."""
        for stream in self._streams:
            stream.put(event)

    def end(self) -> None:
        """End every stream."""
        for stream in self._streams:
            stream.end()
