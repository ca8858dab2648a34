"""How long a batch takes, against what no client can beat: the real orchestrator and poller, in virtual time.

Run ``python benchmarks/makespan.py`` for the table, ``--small`` for a quick look, ``--json FILE`` for the figures.
Each row publishes N posts through a publisher over real sockets to the sandbox, in a loop whose time jumps over waits,
and divides the time until every outcome is known by the bound. The bounds are in ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from attrs import asdict, frozen

from reelpub import (
    Clip,
    GeneratedPost,
    JobSent,
    MediaItems,
    Orchestrator,
    Outcome,
    Publisher,
    PublishRequest,
    ReapPublisher,
    ReelMirrorPublisher,
)
from reelpub.clocks import LoopClock
from reelpub.sandbox import ReapDialect, ReelMirrorDialect, Sandbox
from reelpub.sandbox.limits import LimitKind, RateLimit
from reelpub.testing import run_virtual

WINDOW = 60.0
PAGE = 100


@frozen(kw_only=True)
class Row:
    """One figure: what was measured, what it came to, and what it should come to."""

    id: str
    what: str
    value: float
    target: float
    unit: str = ""
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.target if self.at_least else self.value <= self.target


@frozen(kw_only=True)
class Run:
    """What one batch came to. Times are seconds; `notices` is how long after each post ended its outcome was known."""

    posts: int
    makespan: float
    requests: int
    rejections: int
    notices: tuple[float, ...]
    took: tuple[float, ...]


def slot(k: int, limit: int) -> float:
    """Return the earliest time of request number *k* (from 0) under a limit in any trailing window."""
    return (k // limit) * WINDOW


def bound_shared(took: Sequence[float], calls: int, limit: int) -> float:
    """Return the least makespan of a batch whose reads share the budget with its writes."""
    ends = max(slot(calls * i, limit) + t for i, t in enumerate(took))
    return max(ends, slot(calls * len(took) + math.ceil(len(took) / PAGE) - 1, limit))


def bound_own(took: Sequence[float], calls: int, limit: int) -> float:
    """Return the least makespan of a batch whose reads have a budget of their own."""
    return max(slot(calls * i, limit) + t for i, t in enumerate(took))


def bound_singles(posts: int, calls: int, limit: int) -> float:
    """Return the least makespan where each post needs a read of its own."""
    return slot((calls + 1) * posts - 1, limit)


def request_for(provider: str, calls: int, number: int) -> PublishRequest:
    """Return the request that costs *calls* writes at *provider*."""
    if provider == "reap":
        clip = Clip(f"demo-project-{1 + number % 3}", f"demo-clip-{1 + number // 3 % 40}")
        return PublishRequest(clip, title=f"clip {number}", accounts=["tiktok:acme"])
    if calls == 1:
        return PublishRequest(
            GeneratedPost(f"demo-generated-post-{1 + number % 40}", approve=True), allow_duplicate=True
        )
    if calls == 2:
        media = MediaItems([f"demo-media-item-{1 + number % 60}"])
        return PublishRequest(media, caption=f"post {number}", accounts=["instagram:acme"])
    return PublishRequest(GeneratedPost(f"demo-generated-post-{1 + number % 40}"), caption=f"post {number}")


def measure(provider: str, posts: int, calls: int, *, scope: str = "key", lists: str = "present") -> Run:
    """Publish *posts* posts and return what it came to."""

    async def main(clock: LoopClock) -> Run:
        limits = {
            "reelmirror": RateLimit(kind=LimitKind.SLIDING_LOG, limit=60),
            "reap": RateLimit(kind=LimitKind.SLIDING_LOG, limit=10),
        }
        sandbox = Sandbox(
            clock=clock,
            limits=limits,
            reelmirror=ReelMirrorDialect(list_posts=lists),
            reap=ReapDialect(limit_scope=scope),
            keepalive=1e9,
        )
        async with sandbox:
            publisher = _publisher(provider, sandbox, clock)
            async with Orchestrator([publisher], clock=clock) as pub:
                await publisher.accounts()
                await clock.sleep(WINDOW)  # the batch begins with the whole budget
                before = len(sandbox.requests(provider))
                start = clock.time()
                async with pub.stream(buffer=100 * posts) as events:
                    report = await pub.publish_many(request_for(provider, calls, n) for n in range(posts))
                end = clock.time()
                sent = {event.job_id: event.at.timestamp() async for event in events if isinstance(event, JobSent)}
            if not report.is_success:
                raise RuntimeError(f"not everything was published: {report}")
            live = _live_at(sandbox, provider)
            ended = [live[outcome.posts[-1].id] for outcome in report]
            return Run(
                posts=posts,
                makespan=end - start,
                requests=len(sandbox.requests(provider)) - before,
                rejections=sandbox.rejections(provider),
                notices=tuple(_settled_at(o) - at for o, at in zip(report, ended, strict=True)),
                took=tuple(at - sent[o.job_id] for o, at in zip(report, ended, strict=True)),
            )

    return run_virtual(main)


def _publisher(provider: str, sandbox: Sandbox, clock: LoopClock) -> Publisher:
    env = sandbox.environment()
    if provider == "reap":
        return ReapPublisher.connect(env["REAP_API_KEY"], base_url=env["REAP_BASE_URL"], clock=clock)
    return ReelMirrorPublisher.connect(env["REELMIRROR_API_KEY"], base_url=env["REELMIRROR_BASE_URL"], clock=clock)


def _live_at(sandbox: Sandbox, provider: str) -> dict[str, float]:
    """Return when the last account of each post had it."""
    live: dict[str, float] = {}
    for record in sandbox.live(provider):
        live[record.post_id] = max(record.at, live.get(record.post_id, 0.0))
    return live


def _settled_at(outcome: Outcome) -> float:
    return outcome.settled_at.timestamp() if outcome.settled_at else math.inf


def rows(*, is_small: bool) -> list[Row]:
    """Measure everything and return the figures beside their targets."""
    sizes = (60,) if is_small else (60, 200, 1000)
    found: list[Row] = []
    for calls in (1, 2, 3):
        for posts in sizes:
            found += _reelmirror_rows(posts, calls)
    posts = 60 if is_small else 200
    singles = measure("reelmirror", posts, 2, lists="absent")
    ratio = singles.makespan / bound_singles(posts, 2, 60)
    found.append(
        Row(id="S6", what=f"ReelMirror without a list, N={posts}, u=2: makespan / bound", value=ratio, target=1.02)
    )
    for scope, name, span, notice in (("endpoint", "S4a", 1.01, 3.5), ("key", "S4b", 1.15, 36.0)):
        run = measure("reap", posts, 1, scope=scope)
        bound = bound_own(run.took, 1, 10) if scope == "endpoint" else bound_shared(run.took, 1, 10)
        label = f"Reap, a limit for each {scope}, N={posts}"
        found.append(Row(id=name, what=f"{label}: makespan / bound", value=run.makespan / bound, target=span))
        found.append(Row(id=name, what=f"{label}: mean notice, s", value=statistics.mean(run.notices), target=notice))
    return found


def _reelmirror_rows(posts: int, calls: int) -> list[Row]:
    run = measure("reelmirror", posts, calls)
    label = f"ReelMirror with a list, N={posts}, u={calls}"
    notices = sorted(run.notices)
    return [
        Row(
            id="S1",
            what=f"{label}: makespan / bound",
            value=run.makespan / bound_shared(run.took, calls, 60),
            target=1.03 if posts <= 200 else 1.13,
        ),
        Row(id="S2", what=f"{label}: mean notice, s", value=statistics.mean(notices), target=6.0),
        Row(id="S2", what=f"{label}: notice, 95th percentile, s", value=notices[int(0.95 * len(notices))], target=14.5),
        Row(id="S3", what=f"{label}: requests a post", value=run.requests / posts, target=calls + 0.30),
        Row(id="S7", what=f"{label}: answers of 429", value=float(run.rejections), target=0.0),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status doesn't judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a quick look instead of the whole table")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    found = rows(is_small=options.small)
    print(f"{'id':4} {'what':68} {'value':>8} {'target':>8}  holds")
    for row in found:
        print(f"{row.id:4} {row.what:68} {row.value:8.3f} {row.target:8.3f}  {'yes' if row.holds else 'no'}")
    if options.json:
        machine = {"python": platform.python_version(), "system": platform.platform()}
        options.json.write_text(json.dumps({"machine": machine, "rows": [asdict(row) for row in found]}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
