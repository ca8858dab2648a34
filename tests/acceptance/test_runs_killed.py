"""A process that carries a run out is killed with SIGKILL, again and again: the same table, and nothing twice."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from contextlib import suppress
from datetime import timedelta

import pytest

from reelpub import Clip, MediaItems, OutcomeStatus, PublishRequest, ScaledClock, SqliteStore, bulk
from reelpub.clocks import utc_now
from reelpub.manifest.rows import ManifestRow
from reelpub.sandbox import Fault, FaultKind, Sandbox
from reelpub.store import MemoryStore

SCALE = 30.0
CHILD = """
import asyncio, json, sys
from reelpub import Orchestrator, ReapPublisher, ReelMirrorPublisher, ScaledClock, SqliteStore, bulk

async def main(order):
    clock, env = ScaledClock(30.0, origin=order["origin"]), order["environment"]
    store = SqliteStore(order["path"])
    publishers = [
        ReelMirrorPublisher.connect(env["REELMIRROR_API_KEY"], base_url=env["REELMIRROR_BASE_URL"], clock=clock),
        ReapPublisher.connect(env["REAP_API_KEY"], base_url=env["REAP_BASE_URL"], clock=clock),
    ]
    async with Orchestrator(publishers, clock=clock, store=store, send_timeout=2.0) as pub:
        print("started", flush=True)
        await bulk.carry_out(pub, store, order["run"])

asyncio.run(main(json.loads(sys.argv[1])))
"""


def clip(number, *accounts, **members):
    return PublishRequest(Clip("demo-project-1", f"demo-clip-{number}"), title="T", accounts=accounts, **members)


def manifest(now):
    asked = [
        *(PublishRequest(MediaItems([f"demo-media-item-{n}"]), accounts=["instagram:acme"]) for n in range(1, 7)),
        *(clip(n, "tiktok:acme", "x:acme") for n in range(1, 4)),
        clip(4, "tiktok:acme", "tiktok:acme_two"),
        clip(5, "linkedin:acme"),
        clip(6, "youtube:acme", "x:acme"),
        clip(1, "tiktok:acme", "x:acme"),
        clip(7, "x:acme", at=now - timedelta(hours=1)),
        clip(8, "x:acme", at=now + timedelta(minutes=100)),
        clip(9, "x:acme", at=now + timedelta(minutes=110)),
    ]
    return [ManifestRow(number=n, line=n + 1, request=request) for n, request in enumerate(asked, start=1)]


FAULTS = [
    Fault(FaultKind.PLATFORM_FAILS, account="linkedin:acme", times=None),
    Fault(FaultKind.PLATFORM_FAILS, account="youtube:acme", times=None),
]


def table(record):
    return {
        row.number: (row.status, sorted((str(d.account), str(d.status)) for d in row.outcome.deliveries))
        for row in record.rows
    }


@pytest.fixture(scope="module")
def undisturbed(play):
    async def story(stage):
        stage.sandbox.order(*FAULTS)
        now = utc_now(stage.clock)
        store = MemoryStore()
        run = await bulk.begin(store, manifest(now), name="posts.csv", command="publish", now=now)
        async with stage.orchestrator(store=store) as pub:
            return table(await bulk.carry_out(pub, store, run))

    return play(story, answers=0)


async def life(order, seconds):
    """Let a process carry the run out, for so many seconds or to its end; return whether it ended by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, json.dumps(order), stdout=asyncio.subprocess.PIPE
    )
    assert (await asyncio.wait_for(process.stdout.readline(), 30)).strip() == b"started"
    try:
        status = await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        # It may have ended by itself meanwhile.
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        status = await process.wait()
    assert status in (0, -signal.SIGKILL)
    return status == 0


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_run_whose_process_is_killed_ends_with_the_table_of_one_that_isnt(tmp_path, undisturbed, seed):
    drawn = random.Random(seed)
    clock, path = ScaledClock(SCALE), tmp_path / "runs.db"
    async with Sandbox(clock=clock) as sandbox:
        sandbox.order(*FAULTS)
        now = utc_now(clock)
        async with bulk.opened(SqliteStore(path)) as store:
            run = await bulk.begin(store, manifest(now), name="posts.csv", command="publish", now=now)
        order = {"origin": clock.origin, "path": str(path), "run": run, "environment": sandbox.environment()}
        kills = 0
        for _ in range(7):
            kills += not await life(order, drawn.uniform(0.02, 0.5))
        assert await life(order, 90)
        async with bulk.opened(SqliteStore(path)) as store:
            record = await bulk.load(store, run)
        assert kills >= 3
        assert sandbox.duplicates() == []
    assert table(record) == undisturbed
    assert record.counts[OutcomeStatus.PUBLISHED] == 10
