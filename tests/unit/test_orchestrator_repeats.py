"""A request that provably did nothing and waits to leave again: nothing of it is on the wire, whoever asks."""

from __future__ import annotations

import asyncio

import pytest

from reelpub import CancelResult, Clip, ConnectError, Orchestrator, OutcomeStatus, PublishRequest
from reelpub.errors import StoreError
from reelpub.store import MemoryStore
from reelpub.testing import InMemoryPublisher, Script, run_virtual
from reelpub.transport.message import Lane

ONE = PublishRequest(Clip("p", "c1"), accounts=["tiktok:acme"])
TWICE = PublishRequest(Clip("p", "c1"), accounts=["tiktok:acme"], allow_duplicate=True)


class Repeating(InMemoryPublisher):
    """Sends as the transport does: the last *repeated* of *posts* posts don't get through at first, and wait *pause*.

    A failing request is *on_wire* seconds on its way. Times are seconds.
    """

    def __init__(self, clock, *, posts=1, repeated=1, on_wire=0.0, pause=300.0, **options):
        super().__init__(clock=clock, **options)
        self._unharmed, self._repeated = posts - repeated, repeated
        self._on_wire, self._pause = on_wire, pause

    async def publish(self, prepared, options=None):
        if self._unharmed:
            self._unharmed -= 1
        elif self._repeated:
            self._repeated -= 1
            await self._request("publish", options, Lane.WRITE)
            await self.clock.sleep(self._on_wire)
            options.on_repeat(ConnectError("no way there", operation="publish", provider=self.provider))
            await self.clock.sleep(self._pause)
        return await super().publish(prepared, options)


def test_closing_while_it_is_on_the_wire_lets_it_end_and_not_leave_again():
    """Nothing new is sent once closing has begun, and nobody waits for what isn't going to be."""

    async def main(clock):
        memory = Repeating(clock, on_wire=2.0, pause=3.0)
        async with Orchestrator([memory], clock=clock, shutdown_timeout=60) as pub:
            handle = pub.submit(ONE)
            await clock.sleep(1)
            assert memory.requests == {"publish": 1}, "it is on the wire"
            closing = clock.monotonic()
        assert clock.monotonic() - closing < 1.5
        assert handle.outcome().status is OutcomeStatus.NOT_SENT
        assert (memory.requests, memory.live) == ({"publish": 1}, {})

    run_virtual(main)


def test_what_waits_to_leave_again_is_sent_without_a_look_by_whoever_resumes():
    """The store had it as being sent; that it never was is noted on leaving."""

    async def main(clock):
        store = MemoryStore()
        first, second = Repeating(clock), InMemoryPublisher(clock=clock)
        async with Orchestrator([first], clock=clock, store=store) as pub:
            handle = pub.submit(ONE)
            await clock.sleep(10)
        assert handle.outcome().status is OutcomeStatus.NOT_SENT
        async with Orchestrator([second], clock=clock, store=store) as pub:
            (again,) = await pub.resume()
            assert (await pub.wait(again)).status is OutcomeStatus.PUBLISHED
        assert second.requests["publish"] == 1
        assert "find" not in second.requests
        assert first.live == {}

    run_virtual(main)


class Full(MemoryStore):
    """Takes no word of a part while it `is_full`."""

    is_full = False

    async def put(self, *arguments, **options):
        if self.is_full:
            raise StoreError("database or disk is full")
        await super().put(*arguments, **options)


def test_where_that_cant_be_noted_whoever_resumes_looks_for_it():
    async def main(clock):
        store = Full()
        first, second = Repeating(clock), InMemoryPublisher(clock=clock)
        async with Orchestrator([first], clock=clock, store=store) as pub:
            pub.submit(ONE)
            await clock.sleep(10)
            store.is_full = True
        store.is_full = False
        async with Orchestrator([second], clock=clock, store=store) as pub:
            (again,) = await pub.resume()
            assert (await pub.wait(again)).status is OutcomeStatus.PUBLISHED
        assert (second.requests["find"], second.requests["publish"]) == (2, 1)

    run_virtual(main)


def test_what_is_on_the_wire_when_its_time_is_up_is_still_looked_up_by_whoever_resumes():
    async def main(clock):
        store = MemoryStore()
        first, second = Repeating(clock, on_wire=100.0), InMemoryPublisher(clock=clock)
        async with Orchestrator([first], clock=clock, store=store, shutdown_timeout=5) as pub:
            handle = pub.submit(ONE)
            await clock.sleep(10)
        assert handle.outcome().status is OutcomeStatus.UNKNOWN
        async with Orchestrator([second], clock=clock, store=store) as pub:
            (again,) = await pub.resume()
            assert (await pub.wait(again)).status is OutcomeStatus.PUBLISHED
        assert second.requests["find"] == 2

    run_virtual(main)


def test_a_lost_answer_is_found_although_the_same_waits_to_leave_again():
    """What it waits for can't be its post: it provably made none."""

    async def main(clock):
        memory = Repeating(clock, posts=2, script=Script(lose_after=1))
        async with Orchestrator([memory], clock=clock) as pub:
            lost, waiting = pub.submit_many([TWICE, TWICE])
            await clock.sleep(200)
            assert lost.outcome().status is OutcomeStatus.PUBLISHED, lost.outcome()
            assert not waiting.is_settled
            assert (await pub.wait(waiting)).status is OutcomeStatus.PUBLISHED
        assert [len(found) for found in memory.live.values()] == [2]

    run_virtual(main)


@pytest.mark.parametrize("seconds", [0.0, 10.0])
def test_it_can_be_called_off(seconds):
    async def main(clock):
        memory = Repeating(clock)
        async with Orchestrator([memory], clock=clock) as pub:
            handle = pub.submit(ONE)
            await asyncio.sleep(0)
            await clock.sleep(seconds)
            assert await pub.cancel(handle) is CancelResult.CANCELLED
            await clock.sleep(600)
        assert memory.live == {}
        assert handle.outcome().status is OutcomeStatus.CANCELLED

    run_virtual(main)
