"""Who is cancelled while it opens leaves nothing running and nothing open."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from reelpub import ConfigurationError, Orchestrator, SqliteStore
from reelpub.testing import InMemoryPublisher


def others():
    return {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}}


@pytest.mark.parametrize("has_store", [False, True])
@pytest.mark.parametrize("turns", range(5))
async def test_a_start_that_is_cancelled_leaves_no_task(turns, has_store, tmp_path):
    """A service that is stopped while it starts, or whose start is given too little time."""
    store = SqliteStore(tmp_path / "jobs.db") if has_store else None
    pub = Orchestrator([InMemoryPublisher()], store=store, shutdown_timeout=0)

    async def serve():
        async with pub:
            await asyncio.sleep(60)

    serving = asyncio.create_task(serve())
    for _ in range(turns):
        await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert others() == set()
    assert not pub.is_open


async def test_a_start_within_a_scope_that_is_over_closes_what_it_had_opened():
    memory = InMemoryPublisher()
    pub = Orchestrator([memory])
    with anyio.move_on_after(0):
        async with pub:
            await asyncio.sleep(60)
    assert others() == set()
    assert memory.is_closed
    with pytest.raises(ConfigurationError, match="isn't open"):
        pub.submit_many([])
    with pytest.raises(ConfigurationError, match="is opened once"):
        await pub.__aenter__()
