"""What the store costs: a job's writes, alone and beside others, opening and resuming a file of many jobs, and runs.

Run ``python benchmarks/store.py`` for the tables, ``--small`` for a quick look, ``--json FILE`` for the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from reelpub import Account, Clip, Delivery, DeliveryStatus, Orchestrator, Post, PostStatus, PublishRequest, SqliteStore
from reelpub.models.capability import ProviderLimits
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.policies.lifecycle import PartState, Stage
from reelpub.store import MemoryStore, Store, StoredJob, StoredPart, StoredRow, StoredRun, codec
from reelpub.testing import InMemoryPublisher
from reelpub.testing.memory import Script

__all__ = ["main"]

_NEW = PartState(part=Part(id="", job_id="", request=PublishRequest(Clip("", ""))))
NOW = 1_800_000_000.0
TEMPLATE = 0xFEEDFACECAFEBEEF
ACCOUNTS = tuple(
    Account(id=f"66f0c0ffee00000000000{n:03}", provider="reap", platform=platform_name, username="acme")
    for n, platform_name in enumerate(("tiktok", "youtube"))
)


# ---- rows as they are in life


def a_request(number: int) -> PublishRequest:
    """Return the n-th request, of a size that is usual."""
    caption = "Launch day. Everything that you have been waiting for, in thirty seconds. " * 2
    clip = Clip(f"66f0c0ffee0000000000{number % 1000:04}", f"clip-{number}")
    return PublishRequest(clip, title=f"Launch day {number}", caption=caption, accounts=["tiktok:acme", "youtube:acme"])


def a_post(number: int, status: PostStatus) -> Post:
    """Return the post that the n-th request made."""
    ended = DeliveryStatus.PUBLISHED if status is PostStatus.PUBLISHED else DeliveryStatus.PUBLISHING
    deliveries = tuple(Delivery(account=account, status=ended) for account in ACCOUNTS)
    return Post(id=f"post-{number}", provider="reap", publisher="memory", status=status, deliveries=deliveries)


def a_state(number: int, stage: Stage) -> PartState:
    """Return the part of the n-th job at *stage*."""
    job_id = f"job_{number:016x}"
    part = Part(id=f"{job_id}.1", job_id=job_id, request=a_request(number), accounts=ACCOUNTS)
    attempt = Attempt(id=f"{part.id}.1", part_id=part.id, number=1, started_at=NOW, send_deadline=NOW + 30)
    post = a_post(number, PostStatus.PUBLISHING) if stage is Stage.ACCEPTED else None
    return PartState(part=part, stage=stage, prepared=Prepared(part=part), attempts=(attempt,), post=post)


def a_part(number: int, stage: Stage) -> StoredPart:
    """Return the part of the n-th job as it is kept."""
    state = a_state(number, stage)
    return StoredPart(
        id=state.part.id,
        job_id=state.part.job_id,
        state=codec.dump_part(state),
        post_id=state.post.id if state.post else None,
        sent_at=NOW,
    )


def a_job(number: int) -> StoredJob:
    """Return the n-th job as it is kept at first."""
    return StoredJob(
        id=f"job_{number:016x}",
        publisher="memory",
        request=codec.dump_request(a_request(number)),
        submitted_at=NOW,
        content_key=f"{number:064x}",
    )


def an_outcome(number: int) -> bytes:
    """Return the n-th job's outcome as it is kept."""
    post = a_post(number, PostStatus.PUBLISHED)
    outcome = Outcome(
        request=a_request(number),
        job_id=f"job_{number:016x}",
        publisher="memory",
        status=OutcomeStatus.PUBLISHED,
        deliveries=post.deliveries,
        posts=(post,),
    )
    return codec.dump_outcome(outcome)


# ---- the writes of a job


async def one_job(store: Store, number: int) -> None:
    """Write what one job writes: itself, its intent, its answer, its outcome."""
    await store.add([a_job(number)], owner="A", lease_until=NOW)
    await store.put([a_part(number, Stage.SENDING)], owner="A")
    await store.put([a_part(number, Stage.ACCEPTED)], owner="A")
    await store.settle(f"job_{number:016x}", an_outcome(number), owner="A", keep_content=True)


async def writes(folder: Path, count: int, beside: int) -> dict[str, Any]:
    """Return the time of *count* jobs' writes with *beside* jobs at once."""
    store = SqliteStore(folder / f"writes-{beside}.db")
    await store.open()
    began = time.perf_counter()
    for start in range(0, count, beside):
        await asyncio.gather(*(one_job(store, number) for number in range(start, min(count, start + beside))))
    seconds = time.perf_counter() - began
    await store.close()
    return {"at once": beside, "jobs": count, "ms a job": seconds / count * 1000, "jobs a second": count / seconds}


async def published(store: Store | None, count: int) -> float:
    """Return the seconds of publishing *count* posts that a provider in memory takes at once."""
    limits = ProviderLimits(requests=10_000_000, schedule_batch=10)
    publisher = InMemoryPublisher(limits=limits)
    async with Orchestrator([publisher], store=store, shutdown_timeout=0.0) as publishing:
        began = time.perf_counter()
        handles = publishing.submit_many([a_request(number) for number in range(count)])
        while not all(part.stage is Stage.ACCEPTED for handle in handles for part in handle.job.parts or [_NEW]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return time.perf_counter() - began


async def whole(folder: Path, count: int) -> list[dict[str, Any]]:
    """Compare publishing without a store, with one in memory, and with a file."""
    stores: dict[str, Store | None] = {
        "without": None,
        "MemoryStore": MemoryStore(),
        "SqliteStore": SqliteStore(folder / "whole.db"),
    }
    rows = []
    for name, store in stores.items():
        seconds = await published(store, count)
        rows.append(
            {"store": name, "jobs": count, "ms a job": seconds / count * 1000, "jobs a second": count / seconds}
        )
    return rows


# ---- many jobs


async def fill(path: Path, count: int, unfinished: int) -> None:
    """Make a file of *count* jobs, every so many of which is unfinished."""
    job, part, outcome = a_job(TEMPLATE), a_part(TEMPLATE, Stage.ACCEPTED), an_outcome(TEMPLATE)
    every = count // unfinished
    jobs = []
    for number in range(count):
        # Encoding each would take longer than what is measured.
        job_id = f"job_{number:016x}"
        mine = job_id.encode()
        state = StoredPart(
            id=f"{job_id}.1",
            job_id=job_id,
            state=part.state.replace(job.id.encode(), mine).replace(f"post-{TEMPLATE}".encode(), b"post-%d" % number),
            post_id=f"post-{number}",
            sent_at=NOW,
        )
        is_open = number % every == 0 and number // every < unfinished
        ended = None if is_open else outcome.replace(job.id.encode(), mine)
        jobs.append(evolve(job, id=job_id, content_key=f"{number:064x}", parts=(state,), outcome=ended))
    store = SqliteStore(path)
    await store.open()
    await store.add(jobs, owner="A", lease_until=NOW)
    assert await store.count() == (unfinished, count - unfinished)
    await store.release(owner="A")
    await store.close()


async def resume(path: Path) -> dict[str, Any]:
    """Open *path* in this process, resume, and return the times and the most memory that the process ever had."""
    publisher = InMemoryPublisher(accounts=[], script=Script(stuck=True))
    began = time.perf_counter()
    async with Orchestrator([publisher], store=SqliteStore(path), shutdown_timeout=0.0) as publishing:
        opened = time.perf_counter()
        handles = await publishing.resume()
        resumed = time.perf_counter()
        memory = most_memory()
    return {
        "resumed": len(handles),
        "open s": opened - began,
        "resume s": resumed - opened,
        "MB": memory,
    }


def most_memory() -> float:
    """Return the most memory that this process ever had, in MB.

    Not `ru_maxrss`, which on Linux outlasts `exec`: it would tell of the process that started this one.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (line,) = [line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def many(folder: Path, count: int, unfinished: int) -> dict[str, Any]:
    """Fill a file and resume from it in a process of its own."""
    path = folder / f"many-{unfinished}.db"
    asyncio.run(fill(path, count, unfinished))
    command = [sys.executable, __file__, "--resume", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"jobs": count, "file MB": path.stat().st_size / 1e6, **json.loads(done.stdout)}


# ---- runs


async def runs(folder: Path, count: int) -> list[dict[str, Any]]:
    """Return the seconds that it takes to note a run of *count* rows, and to know a tenth as many jobs again."""
    store = SqliteStore(folder / "runs.db")
    await store.open()
    run = StoredRun(id="r", name="posts.csv", command="publish", started_at=NOW)
    request = codec.dump_request(a_request(1))
    rows = [StoredRow(run="r", number=n, line=n, job_id=f"r.{n}", request=request) for n in range(1, count + 1)]
    jobs = [evolve(a_job(n), run="r", parts=(a_part(n, Stage.ACCEPTED),)) for n in range(count // 10)]
    figures = [
        await timed("note its rows", count, store.add_run(run, rows)),
        await timed("read", count, store.rows("r")),
    ]
    await store.add(jobs, owner="A", lease_until=NOW)
    await asyncio.gather(
        *(store.settle(job.id, an_outcome(n), owner="A", keep_content=True) for n, job in enumerate(jobs))
    )
    figures.append(await timed("read its jobs", len(jobs), store.jobs("r")))
    await store.close()
    publisher = InMemoryPublisher(accounts=[], script=Script(stuck=True))
    async with Orchestrator([publisher], store=store, shutdown_timeout=0.0) as publishing:
        figures.append(await timed("recall its jobs", len(jobs), publishing.recall("r")))
    return figures


async def timed(what: str, count: int, work: Awaitable[object]) -> dict[str, Any]:
    """Return how long *work* on *count* things takes."""
    began = time.perf_counter()
    await work
    return {"run": what, "count": count, "s": time.perf_counter() - began}


# ---- the command


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return *rows* as text, with the first row's names on top."""
    names = list(rows[0])
    shown = [names, *([_shown(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in shown) for column in range(len(names))]
    return "\n".join("  ".join(word.rjust(width) for word, width in zip(line, widths, strict=True)) for line in shown)


def _shown(value: object) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and value < 100
        else f"{value:.0f}"
        if isinstance(value, float)
        else str(value)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the figures where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a quick look: few jobs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--only-resume", action="store_true", help="leave out everything but opening and resuming")
    parser.add_argument("--resume", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.resume is not None:
        print(json.dumps(asyncio.run(resume(given.resume))))
        return 0
    with tempfile.TemporaryDirectory() as name:
        figures = measure(Path(name), is_small=given.small, only_resume=given.only_resume)
    for title, rows in figures.items():
        if isinstance(rows, list) and rows:
            print(f"{title}\n{table(rows)}\n")
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(folder: Path, *, is_small: bool, only_resume: bool) -> dict[str, Any]:
    """Return all figures."""
    figures: dict[str, Any] = {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cores": os.cpu_count(),
    }
    if not only_resume:
        scale = 10 if is_small else 1
        alone = [asyncio.run(writes(folder, 300 // scale, 1))]
        beside = [asyncio.run(writes(folder, 5000 // scale, n)) for n in (16, 500)]
        figures["The writes of a job (4 of them, each on disk before the next)"] = alone + beside
        figures["Publishing to a provider that answers at once"] = asyncio.run(whole(folder, 3000 // scale))
        figures["Runs"] = asyncio.run(runs(folder, 100_000 // scale))
    count = 5_000 if is_small else 100_000
    parts = (count // 10,) if only_resume else (count // 100, count // 10, count)
    figures["Opening and resuming"] = [many(folder, count, unfinished) for unfinished in parts]
    return figures


if __name__ == "__main__":
    sys.exit(main())
