"""Some jobs of a run are known again, and the others are left alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reelpub import Clip, Orchestrator, OutcomeStatus, PublishRequest, SqliteStore, bulk
from reelpub.manifest.rows import ManifestRow
from reelpub.store import MemoryStore, StoredJob
from reelpub.testing import InMemoryPublisher, run_virtual


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path):
    async with bulk.opened(MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "jobs.db")) as made:
        yield made


async def test_a_store_hands_over_only_the_jobs_that_are_named(store):
    jobs = [StoredJob(id=f"r.{n}", publisher="reap", request=b"{}", submitted_at=n, run="r") for n in range(1, 5)]
    await store.add(jobs, owner="A", lease_until=10)

    async def recalled(job_ids):
        found = await store.recall("r", publishers=["reap"], owner="B", now=20, lease_until=99, job_ids=job_ids)
        return [job.id for job in found]

    assert await recalled({"r.2", "r.4", "x"}) == ["r.2", "r.4"]
    assert await recalled([]) == []
    assert await store.held("r", now=20) == {"r.2": "B", "r.4": "B"}
    assert await recalled(None) == ["r.1", "r.3"]


def test_an_orchestrator_carries_on_only_the_jobs_that_are_named():
    async def main(clock):
        memory, kept = InMemoryPublisher(clock=clock), MemoryStore()
        requests = [PublishRequest(Clip("p", f"c{n}"), accounts=["tiktok:acme"]) for n in (1, 2, 3)]
        rows = [ManifestRow(number=n, line=n, request=request) for n, request in enumerate(requests, start=1)]
        async with Orchestrator([memory], clock=clock, store=kept, concurrency=1) as dying:
            run = await bulk.begin(kept, rows, name="x", command="publish", now=datetime.now(UTC))
            dying.submit_many(requests, run=run, job_ids=[f"{run}.{n}" for n in (1, 2, 3)])
            await clock.sleep(0.01)
        second = InMemoryPublisher(clock=clock)
        async with Orchestrator([second], clock=clock, store=kept) as pub:
            (handle,) = await pub.recall(run, job_ids=[f"{run}.3"])
            assert (await handle).status is OutcomeStatus.PUBLISHED
            await clock.sleep(600)
        record = await bulk.load(kept, run, with_moments=False)
        assert [row.is_settled for row in record.rows] == [False, False, True]
        assert second.live == {"tiktok-acme": ["p/c3"]}

    run_virtual(main)


async def test_an_orchestrator_tells_its_clock_and_whether_it_is_open():
    memory = InMemoryPublisher()
    pub = Orchestrator([memory], clock=memory.clock)
    assert not pub.is_open
    async with pub:
        assert pub.is_open
    assert not pub.is_open
    assert pub.clock is memory.clock
