"""An orchestrator belongs to one event loop: whoever calls it from elsewhere is told, and nothing has happened."""

from __future__ import annotations

import asyncio

import pytest

from reelpub import Clip, ConfigurationError, Orchestrator, PublishRequest
from reelpub.testing import InMemoryPublisher, Script

WANTED = PublishRequest(Clip("p", "c"), accounts=["tiktok:acme"])
ELSEWHERE = "belongs to one event loop and its thread"


async def test_submitting_in_a_thread_is_refused_and_leaves_nothing_behind():
    """As in a FastAPI endpoint without `async`: it must not answer with an error and publish all the same."""
    memory = InMemoryPublisher(script=Script(stuck=True))
    async with Orchestrator([memory], shutdown_timeout=0) as pub:
        with pytest.raises(ConfigurationError, match=f"an orchestrator {ELSEWHERE}"):
            await asyncio.to_thread(pub.submit, WANTED)
        assert pub.jobs == []
        await asyncio.sleep(0.01)
        assert memory.requests == {}


@pytest.mark.parametrize("call", ["publish", "wait", "cancel", "outcome"])
async def test_another_loop_is_refused(call):
    memory = InMemoryPublisher(script=Script(stuck=True))
    async with Orchestrator([memory], shutdown_timeout=0) as pub:
        handle = pub.submit(WANTED)

        def elsewhere():
            return asyncio.run(getattr(pub, call)(WANTED if call == "publish" else handle.id))

        with pytest.raises(ConfigurationError, match=ELSEWHERE):
            await asyncio.to_thread(elsewhere)
        assert [known.id for known in pub.jobs] == [handle.id]


async def test_a_handle_is_awaited_where_its_job_is_under_way_and_anywhere_once_it_has_its_outcome():
    async def wait(handle):
        return await handle

    async with Orchestrator([InMemoryPublisher(script=Script(stuck=True))], shutdown_timeout=0) as pub:
        handle = pub.submit(WANTED)
        with pytest.raises(ConfigurationError, match=f"a job under way {ELSEWHERE}"):
            await asyncio.to_thread(lambda: asyncio.run(wait(handle)))
    outcome = await handle
    assert await asyncio.to_thread(lambda: asyncio.run(wait(handle))) is outcome
