"""What is told at closing of a job that the store keeps says so: a consumer must not take it for the job's end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from reelpub import Clip, JobSettled, MemoryStore, Orchestrator, OutcomeStatus, ProviderLimits, PublishRequest
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
AT = datetime.fromtimestamp(1_800_000_000, UTC) + timedelta(days=1)


def clips(count, **members):
    return [PublishRequest(Clip("p", f"c{number}"), accounts=["tiktok:acme"], **members) for number in range(count)]


def opened(clock, store, script=None):
    memory = InMemoryPublisher(clock=clock, script=script, limits=ProviderLimits(requests=2, max_tags=10))
    return Orchestrator([memory], clock=clock, store=store)


async def told_at_closing(pub, seconds, requests):
    """Return the outcomes that a consumer of events hears of when *pub* is closed after so many seconds."""
    heard = {}

    async def consume():
        async with pub.stream() as events:
            async for event in events:
                if isinstance(event, JobSettled):
                    heard[event.job_id] = event.outcome

    async with pub:
        consuming = asyncio.create_task(consume())
        await asyncio.sleep(0)
        handles = pub.submit_many(requests)
        await asyncio.sleep(seconds)
    await consuming
    assert heard == {handle.id: handle.outcome() for handle in handles}
    return heard


@pytest.mark.parametrize("seconds", [0, 5, 50])
def test_what_the_store_keeps_is_told_as_resumable_and_ends_after_the_restart(seconds):
    async def story(clock):
        store = MemoryStore()
        heard = await told_at_closing(opened(clock, store, Script(stuck=True)), seconds, clips(5))
        assert {outcome.status for outcome in heard.values()} <= {OUT.NOT_SENT, OUT.PENDING}
        assert [outcome.is_resumable for outcome in heard.values()] == [True] * 5
        async with opened(clock, store) as pub:
            assert {handle.id for handle in await pub.resume()} == set(heard)

    run_virtual(story)


def test_what_has_ended_before_isnt():
    async def story(clock):
        heard = await told_at_closing(opened(clock, MemoryStore()), 1000, clips(3))
        assert [(o.status, o.is_resumable) for o in heard.values()] == [(OUT.PUBLISHED, False)] * 3

    run_virtual(story)


def test_without_a_store_nothing_is_resumable():
    async def story(clock):
        heard = await told_at_closing(opened(clock, None), 5, clips(5))
        assert {o.is_resumable for o in heard.values()} == {False}

    run_virtual(story)


def test_what_is_followed_after_its_end_is_settled_in_the_store_and_not_resumable():
    """A scheduled post is done for the store once the provider has it, whoever waits for it to go out."""

    async def story(clock):
        store = MemoryStore()
        async with opened(clock, store) as pub:
            handle = pub.submit(*clips(1, at=AT))
            assert (await handle).status is OUT.SCHEDULED
            waiting = asyncio.create_task(pub.wait(handle))
            await asyncio.sleep(60)
            assert not handle.is_settled
        assert (await waiting).is_resumable is False
        async with opened(clock, store) as pub:
            assert await pub.resume() == []

    run_virtual(story)
