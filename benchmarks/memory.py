"""What following many posts costs: memory for each post, and the longest pause of the garbage collector.

Run ``python benchmarks/memory.py`` for the table, ``--small`` for a quick look, ``--json FILE`` for the figures. What
is followed stands in the product's own poller; the rival is a task that sleeps, for each post. Each measurement has a
process of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from report import Row, finish, options

from reelpub import GeneratedPost, PublishRequest, ReelMirrorPublisher
from reelpub.clocks import SystemClock
from reelpub.models.job import Part
from reelpub.models.post import Post, PostStatus
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.poller import Poller
from reelpub.orchestrator.tracker import PartRef
from reelpub.policies.caps import CapBook
from reelpub.policies.lifecycle import PartState, Rules, Stage
from reelpub.policies.polling import PollPolicy

KEY = "rm_benchmark00000000000000000000000"
POLL_EVERY = 3600.0
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def a_job(number: int) -> Job:
    """Return a job with one part that the provider has accepted, as the orchestrator holds it."""
    request = PublishRequest(GeneratedPost(f"post-{number}", approve=True))
    job = Job(id=f"job_{number:016x}", request=request, publisher="reelmirror", submitted_at=NOW)
    post = Post(
        id=f"7b0e2f5c-2c1f-4f0e-9a51-{number:012d}",
        provider="reelmirror",
        publisher="reelmirror",
        status=PostStatus.PUBLISHING,
        created_at=NOW,
    )
    part = Part(id=f"{job.id}.1", job_id=job.id, request=request)
    job.parts = [PartState(part=part, stage=Stage.ACCEPTED, post=post)]
    return job


def track(jobs: Sequence[Job]) -> object:
    """Follow *jobs* with the poller, and hold a handle of each."""
    clock = SystemClock()
    context = Context(
        clock=clock,
        rules=Rules(),
        poll=PollPolicy(),
        caps=CapBook({}),
        on_settled=lambda _job: None,
        known_by=lambda _job, _key: None,
    )
    poller = Poller(ReelMirrorPublisher.connect(KEY), context, is_busy=lambda: True)
    for job in jobs:
        poller.watch(PartRef(job, 0))
    return poller, [Handle(job) for job in jobs]


def give_tasks(jobs: Sequence[Job]) -> object:
    """Give each of *jobs* a task that sleeps until its next poll."""

    async def poll(job: Job) -> None:
        while not job.is_settled:
            await clock.sleep(POLL_EVERY)

    clock = SystemClock()

    return [asyncio.ensure_future(poll(job)) for job in jobs]


WAYS: dict[str, Callable[[Sequence[Job]], object]] = {"track": track, "tasks": give_tasks}


async def measure(way: str, count: int) -> dict[str, float]:
    """Return the bytes for each post of *way*, and the CPU seconds of full collections with it."""
    jobs_before = _traced()
    jobs = [a_job(number) for number in range(count)]
    before = _traced()
    held = WAYS[way](jobs)
    await asyncio.sleep(0)
    each = (_traced() - before) / count
    tracemalloc.stop()
    del held
    gc.collect()
    # Anew and without tracing, which slows the collector down. The jobs are no part of either way: they are frozen.
    gc.freeze()
    held = WAYS[way](jobs)
    await asyncio.sleep(0)
    pauses = [_collect() for _ in range(9)]
    if isinstance(held, list):
        for task in held:
            task.cancel()
    return {"bytes": each, "job_bytes": (before - jobs_before) / count, "pause": statistics.median(pauses)}


def _traced() -> float:
    gc.collect()
    if not tracemalloc.is_tracing():
        tracemalloc.start()
    return tracemalloc.get_traced_memory()[0]


def _collect() -> float:
    began = time.process_time()
    gc.collect()
    return time.process_time() - began


def in_process(way: str, count: int) -> dict[str, float]:
    """Measure *way* in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--way", way, str(count)], stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def rows(*, is_small: bool) -> list[Row]:
    """Measure everything and return the figures beside their targets."""
    count, rounds = (2_000, 1) if is_small else (100_000, 9)
    found: dict[str, list[dict[str, float]]] = {"track": [], "tasks": []}
    for number in range(rounds):
        for way in list(WAYS) if number % 2 == 0 else list(reversed(WAYS)):
            found[way].append(in_process(way, count))
    pauses = tuple(t["pause"] / max(1e-9, o["pause"]) for t, o in zip(found["track"], found["tasks"], strict=True))

    def median(way: str, name: str) -> float:
        return statistics.median(measured[name] for measured in found[way])

    label = f"at {count:,} posts"
    return [
        Row(
            id="M1",
            what=f"{label}: poller's record, index and handle, KB a post",
            value=median("track", "bytes") / 1000,
            target=0.7,
        ),
        Row(id="M1", what=f"{label}: a task for each, KB a post", value=median("tasks", "bytes") / 1000),
        Row(
            id="M1",
            what=f"{label}: job, request, part and post beside it, KB",
            value=median("track", "job_bytes") / 1000,
        ),
        Row(
            id="M2",
            what=f"{label}: full collection, against a task for each",
            value=statistics.median(pauses),
            target=0.2,
            samples=pauses,
        ),
        Row(id="M2", what=f"{label}: full collection, tracked, CPU ms", value=median("track", "pause") * 1000),
        Row(id="M2", what=f"{label}: full collection, tasks, CPU ms", value=median("tasks", "pause") * 1000),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status doesn't judge."""
    if sys.argv[1:2] == ["--way"]:
        print(json.dumps(asyncio.run(measure(sys.argv[2], int(sys.argv[3])))))
        return 0
    chosen = options(__doc__.splitlines()[0], arguments)
    return finish("memory", rows(is_small=chosen.small), chosen)


if __name__ == "__main__":
    sys.exit(main())
