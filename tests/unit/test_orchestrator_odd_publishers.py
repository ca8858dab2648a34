"""A publisher that comes to be cancelled by itself: that stops nothing but the call, and nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest

from reelpub import Clip, ConfigurationError, Orchestrator, OutcomeStatus, PublishRequest
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
CALLS = ("accounts", "prepare", "publish", "find", "read_page", "fetch")


def request(number):
    return PublishRequest(Clip("p", f"c{number}"), accounts=["tiktok:acme"])


def cancelled_by_itself(call, *, after=False):
    """Return a publisher of which the first *call* ends as cancelled, before or *after* it took effect."""

    class Odd(InMemoryPublisher):
        left = 1

    async def method(self, *arguments, **options):
        result = None
        if after or not self.left:
            result = await getattr(InMemoryPublisher, call)(self, *arguments, **options)
        if self.left:
            self.left -= 1
            shared = asyncio.ensure_future(asyncio.sleep(1000))
            shared.cancel()
            await shared
        return result

    setattr(Odd, call, method)
    if call == "fetch":
        Odd.has_bulk_read = property(lambda _: False)
    return Odd


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_cancelled_by_itself_stops_nothing_else(call):
    async def main(clock):
        memory = cancelled_by_itself(call)(clock=clock, script=Script(lose_after=1 if call == "find" else 0))
        async with Orchestrator([memory], clock=clock) as pub:
            first = await asyncio.wait_for(pub.publish(request(1)), 7200)
            second = await asyncio.wait_for(pub.publish(request(2)), 7200)
        assert second.status is OUT.PUBLISHED
        return first, memory.live

    first, live = run_virtual(main)
    is_live = live["tiktok-acme"] == ["p/c1", "p/c2"]
    assert first.status is (OUT.PUBLISHED if is_live else OUT.NOT_SENT)
    assert is_live or "cancelled by itself" in first.reason


def test_what_was_sent_by_then_is_looked_up():
    async def main(clock):
        memory = cancelled_by_itself("publish", after=True)(clock=clock)
        async with Orchestrator([memory], clock=clock) as pub:
            outcome = await pub.publish(request(1))
        assert memory.live == {"tiktok-acme": ["p/c1"]}
        return outcome.status

    assert run_virtual(main) is OUT.PUBLISHED


def test_a_caller_that_is_cancelled_is_cancelled():
    """As before: it isn't taken for the publisher's doing."""

    async def main(clock):
        memory = InMemoryPublisher(clock=clock, script=Script(seconds=100))
        async with Orchestrator([memory], clock=clock) as pub:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(pub.publish(request(1)), 5)
            return (await pub.wait(pub.jobs[0])).status

    assert run_virtual(main) is OUT.PUBLISHED


def test_where_a_task_of_the_orchestrator_is_cancelled_everybody_is_told():
    """Nobody may do that; who does it gets an error instead of waiting for ever."""

    async def main(clock):
        memory = InMemoryPublisher(clock=clock, script=Script(stuck=True))
        pub = Orchestrator([memory], clock=clock)
        await pub.__aenter__()
        handle = pub.submit(request(1))
        await clock.sleep(30)
        next(task for task in asyncio.all_tasks() if "Poller.run" in repr(task)).cancel()
        assert (await asyncio.wait_for(handle, 7200)).status is OUT.PENDING
        with pytest.raises(ConfigurationError, match="stopped with a fault"):
            pub.submit(request(2))
        with pytest.raises(RuntimeError, match="cancelled from outside"):
            await pub.close()

    run_virtual(main)
