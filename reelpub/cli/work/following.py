"""Work done while it is shown, to an end that is told even after Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, Protocol

from reelpub.cli.show.board import Board
from reelpub.cli.show.printable import clean
from reelpub.cli.show.views import View
from reelpub.models.event import EventsMissed
from reelpub.models.outcome import Outcome
from reelpub.orchestrator.events import EventStream
from reelpub.orchestrator.orchestrator import Orchestrator

__all__ = ["follow", "remarks", "shown"]

_TICK_SECONDS = 0.1


class _Noting(Protocol):
    def note(self, text: str) -> None: ...


class _Shown(_Noting, Protocol):
    def tick(self) -> None: ...

    def close(self) -> None: ...


async def follow(
    orchestrator: Orchestrator,
    board: Board,
    view: View,
    work: Callable[[], Awaitable[Sequence[Outcome]]],
    *,
    ends_unread: bool = False,
) -> Sequence[Outcome]:
    """Open *orchestrator*, run *work* while *view* shows *board*, and close it.

    After Ctrl-C the orchestrator is closed in order, and what is known then of each request on the board that was
    taken on is returned; a second Ctrl-C ends the process at once.

    Raises:
        BrokenPipeError: whoever read what is shown has left. *work* was done to its end all the same, unless it
            *ends_unread*: then it was stopped at once.
    """
    try:
        reading = asyncio.current_task() if ends_unread else None
        feed = partial(_feed, orchestrator, board, view, reading)
        async with orchestrator, shown(view, partial(view.open, board), orchestrator.stream(), feed) as events:
            try:
                done = await work()
                # What closing does to posts that aren't waited for is no news.
                events.end()
            finally:
                # After Ctrl-C it is: so it is closed before the view is.
                await orchestrator.close()
            return done
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
    return [orchestrator.job(row.job_id).outcome() for row in board.rows if row.job_id is not None]


@asynccontextmanager
async def shown(
    view: _Shown,
    begin: Callable[[], None],
    stream: AbstractAsyncContextManager[EventStream],
    feed: Callable[[EventStream], Coroutine[Any, Any, None]],
) -> AsyncGenerator[EventStream, None]:
    """Open *view* by *begin*, keep it up to date while the ``async with`` lasts, and close it.

    Its clock ticks, *feed* hands it the events of *stream*, and what the library warns of is noted there.
    """
    begin()
    ticking = asyncio.create_task(_tick(view))
    try:
        with remarks(view):
            async with stream as events:
                feeding = asyncio.create_task(feed(events))
                try:
                    yield events
                finally:
                    events.end()
                    await feeding
    finally:
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
        view.close()


async def _feed(
    orchestrator: Orchestrator, board: Board, view: View, reading: asyncio.Task[Any] | None, events: EventStream
) -> None:
    """Show what comes in *events*; a reader that leaves cancels *reading*, if it is there."""
    try:
        async for event in events:
            if isinstance(event, EventsMissed):
                view.note(f"{event.count} events came too fast to be shown")
                continue
            row = board.apply(event, orchestrator.job(event.job_id).request)
            if row is not None:
                view.event(row.label, event)
    except BrokenPipeError:
        if reading is not None:
            reading.cancel()
        raise


async def _tick(view: _Shown) -> None:
    while True:
        view.tick()
        await asyncio.sleep(_TICK_SECONDS)


class _Remarks(logging.Handler):
    """Hands log records to a view: they may quote a provider, and would tear a live table."""

    def __init__(self, view: _Noting) -> None:
        super().__init__(logging.WARNING)
        self._view = view

    def emit(self, record: logging.LogRecord) -> None:
        self._view.note(clean(f"{record.levelname.lower()}: {record.getMessage()}"))


@contextmanager
def remarks(view: _Noting) -> Generator[None, None, None]:
    """Show the library's warnings through *view* while the ``with`` lasts."""
    logger, handler = logging.getLogger("reelpub"), _Remarks(view)
    propagated = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
