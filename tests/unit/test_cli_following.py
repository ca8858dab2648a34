"""Work that is shown while it is done: the view sees every event, and Ctrl-C ends in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest

from reelpub.cli.show.board import Board
from reelpub.cli.work.following import follow, remarks
from reelpub.models.event import EventsMissed
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.testing import InMemoryPublisher, Script


class Recorder:
    """A view that keeps what it is given."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.notes: list[str] = []
        self.ticks = 0
        self.is_open = False

    def open(self, board: Board) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def tick(self) -> None:
        self.ticks += 1

    def event(self, label: str, event) -> None:
        self.kinds.append(event.kind)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def listing(self, listing) -> None:
        raise AssertionError("not while it runs")

    record = listing


def memory(**script) -> tuple[Orchestrator, PublishRequest]:
    request = PublishRequest(Clip("a", "b"), accounts=["tiktok:acme"])
    return Orchestrator([InMemoryPublisher(script=Script(**script))]), request


async def followed(pub: Orchestrator, board: Board, view: Recorder, work) -> Sequence[Outcome]:
    return await asyncio.wait_for(follow(pub, board, view, work), 5)


async def test_every_event_is_shown_and_the_view_is_closed():
    # An hour: a slow machine doesn't see its end either.
    pub, request = memory(seconds=3600.0)
    view, board = Recorder(), Board([request])

    async def work() -> Sequence[Outcome]:
        handle = pub.submit(request)
        async with pub.stream([handle]) as events:
            async for event in events:
                if event.kind == "accepted":
                    break
        return [handle.outcome()]

    outcomes = await followed(pub, board, view, work)
    assert [outcome.status for outcome in outcomes] == [OutcomeStatus.PENDING]
    assert view.kinds == ["queued", "sent", "accepted"]
    assert view.ticks
    assert not view.is_open


async def test_ctrl_c_closes_in_order_and_tells_what_is_known():
    pub, request = memory(stuck=True)
    view, board = Recorder(), Board([request])
    task = asyncio.current_task()
    assert task is not None

    async def work() -> Sequence[Outcome]:
        handle = pub.submit(request)
        async with pub.stream([handle]) as events:
            async for event in events:
                if event.kind == "accepted":
                    task.cancel()
        return []

    outcomes = await follow(pub, board, view, work)
    assert [outcome.status for outcome in outcomes] == [OutcomeStatus.PENDING]
    assert view.kinds[-1] == "settled"
    assert not view.is_open
    assert not task.cancelling()


async def test_ctrl_c_before_anything_was_taken_on_leaves_nothing_to_tell():
    pub, request = memory()
    task = asyncio.current_task()
    assert task is not None

    async def work() -> Sequence[Outcome]:
        task.cancel()
        await asyncio.sleep(0)
        return []

    assert await follow(pub, Board([request]), Recorder(), work) == []


async def test_an_error_of_the_work_comes_out_as_it_is():
    pub, request = memory()
    view = Recorder()

    async def work() -> Sequence[Outcome]:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        await followed(pub, Board([request]), view, work)
    assert not view.is_open


async def test_a_view_that_fails_is_told_after_the_work_is_done():
    """A closed pipe doesn't keep a post from going out."""
    pub, request = memory()
    view, done = Recorder(), []

    def broken(label: str, event) -> None:
        raise BrokenPipeError("the reader left")

    view.event = broken

    async def work() -> Sequence[Outcome]:
        handle = pub.submit(request)
        async with pub.stream([handle]) as events:
            async for told in events:
                if told.kind == "accepted":
                    break
        done.append(True)
        return [handle.outcome()]

    with pytest.raises(BrokenPipeError):
        await followed(pub, Board([request]), view, work)
    assert done


async def test_events_of_others_are_left_out_and_dropped_ones_are_counted():
    pub, request = memory()
    view = Recorder()

    async def work() -> Sequence[Outcome]:
        handles = pub.submit_many(
            PublishRequest(Clip("a", str(number)), accounts=["tiktok:acme"], tags=["t"] * 99) for number in range(1200)
        )
        assert all(handle.is_settled for handle in handles)
        return []

    await followed(pub, Board([request]), view, work)
    assert view.kinds == []
    assert view.notes == ["200 events came too fast to be shown"]
    assert EventsMissed(count=1).kind == "missed"


def test_the_librarys_warnings_go_through_the_view_and_are_safe():
    view, logger = Recorder(), logging.getLogger("reelpub.poller")
    with remarks(view):
        logger.warning("reading failed: %s", "\x1b[2Jgone")
        logger.info("nothing to see")
    assert view.notes == ["warning: reading failed: \\x1b[2Jgone"]
    assert logging.getLogger("reelpub").propagate
    assert not logging.getLogger("reelpub").handlers
