"""Handles: awaited by anybody, as often as they like, and never in the job's way."""

from __future__ import annotations

import asyncio

import pytest

from reelpub.errors import ConfigurationError
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.testing import InMemoryPublisher, run_virtual

OUT = OutcomeStatus


def clip(name="c1", **members):
    return PublishRequest(Clip("p", name), accounts=["tiktok:acme"], **members)


def play(story, **options):
    async def main(clock):
        memory = InMemoryPublisher(clock=clock)
        async with Orchestrator([memory], clock=clock, **options) as pub:
            return await story(pub, memory, clock)

    return run_virtual(main)


def test_submitting_returns_at_once_and_in_order():
    async def story(pub, memory, clock):
        wanted = [clip(f"c{n}") for n in range(100)]
        handles = pub.submit_many(wanted)
        assert (clock.monotonic(), memory.requests) == (0, {})
        assert [handle.request for handle in handles] == wanted
        assert len({handle.id for handle in handles}) == 100
        assert not any(handle.is_settled for handle in handles)
        assert {handle.outcome().status for handle in handles} == {OUT.PENDING}
        assert not handles[0].outcome().is_settled

    play(story)


def test_several_tasks_await_one_handle():
    async def story(pub, memory, clock):
        handle = pub.submit(clip())

        async def wait():
            return await handle

        outcomes = await asyncio.gather(*(wait() for _ in range(5)))
        assert all(outcome is outcomes[0] for outcome in outcomes)
        assert (outcomes[0].status, await handle) == (OUT.PUBLISHED, outcomes[0])
        assert handle.is_settled
        assert handle.outcome() is outcomes[0]

    play(story)


def test_a_cancelled_awaiter_leaves_the_job_and_the_other_awaiters():
    async def story(pub, memory, clock):
        handle = pub.submit(clip())

        async def wait():
            return await handle

        first, second = asyncio.create_task(wait()), asyncio.create_task(wait())
        await asyncio.sleep(5)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await handle
        assert (await second).status is OUT.PUBLISHED
        assert memory.live == {"tiktok-acme": ["p/c1"]}

    play(story)


def test_an_awaiter_cancelled_in_the_turn_of_its_answer_harms_nobody():
    async def story(pub, memory, clock):
        handle = pub.submit(clip())

        async def wait():
            return await handle

        first, second = asyncio.create_task(wait()), asyncio.create_task(wait())
        outcome = await handle
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert await second == outcome

    play(story)


def test_asyncio_takes_handles_where_it_takes_awaitables():
    async def story(pub, memory, clock):
        handles = pub.submit_many([clip("c1"), clip("c2")])
        first = await asyncio.wait_for(handles[0], 600)
        done, _ = await asyncio.wait([asyncio.ensure_future(handle) for handle in handles])
        gathered = await asyncio.gather(*handles)
        completed = [await one for one in asyncio.as_completed(handles)]
        assert gathered[0] is first
        assert {future.result().job_id for future in done} == {outcome.job_id for outcome in completed}
        assert [outcome.status for outcome in gathered] == [OUT.PUBLISHED] * 2

    play(story)


def test_a_dropped_handle_leaves_the_job():
    async def story(pub, memory, clock):
        job_id = pub.submit(clip()).id
        await asyncio.sleep(60)
        assert memory.live == {"tiktok-acme": ["p/c1"]}
        assert pub.job(job_id).outcome().status is OUT.PUBLISHED

    play(story)


def test_a_job_is_found_again_by_its_id():
    async def story(pub, memory, clock):
        handle = pub.submit(clip())
        found = pub.job(handle.id)
        assert (found.id, found.job) == (handle.id, handle.job)
        assert await found == await handle
        with pytest.raises(ConfigurationError, match="job 'job_0' isn't known here"):
            pub.job("job_0")

    play(story)


def test_a_settled_job_is_forgotten_after_so_many_others():
    async def story(pub, memory, clock):
        first = pub.submit(clip("c1"))
        await first
        await pub.publish_many([clip("c2"), clip("c3")])
        with pytest.raises(ConfigurationError, match="isn't known here"):
            pub.job(first.id)
        assert (await first).status is OUT.PUBLISHED

    play(story, keep_settled=2)


def test_an_open_job_is_never_forgotten():
    async def story(pub, memory, clock):
        first = pub.submit(clip("c1"))
        for n in range(5):
            await pub.publish(clip(caption=n))
        assert pub.job(first.id).id == first.id
        await first

    play(story, keep_settled=1)


def test_says_what_it_is():
    async def story(pub, memory, clock):
        handle = pub.submit(clip())
        assert repr(handle) == f"<Handle {handle.id} pending>"
        await handle
        assert repr(handle) == f"<Handle {handle.id} published>"

    play(story)


def test_a_refused_request_is_settled_at_once():
    async def story(pub, memory, clock):
        good, bad = pub.submit_many([clip(), clip(caption=5)])
        assert (good.is_settled, bad.is_settled) == (False, True)
        assert (await bad).status is OUT.REFUSED
        await good

    play(story)


def test_outlives_its_orchestrator():
    async def main(clock):
        async with Orchestrator([InMemoryPublisher(clock=clock)], clock=clock) as pub:
            handle = pub.submit(clip())
        return handle, await handle

    handle, outcome = run_virtual(main)
    assert outcome.is_settled
    assert handle.outcome() is outcome
