"""How long a batch takes, against what no client can beat: the real orchestrator and poller, in virtual time.

Run ``python benchmarks/makespan.py`` for the table, ``--small`` for a quick look, ``--json FILE`` for the figures.
Each row publishes N posts through a publisher over real sockets to the sandbox, in a loop whose time jumps over waits,
and divides the time until every outcome is known by the bound. The bounds are in ``docs/performance.md``.
"""

from __future__ import annotations

import asyncio
import math
import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence

from attrs import frozen
from report import Row, finish, options

from reelpub import (
    Clip,
    GeneratedPost,
    JobSent,
    MediaItems,
    Orchestrator,
    Outcome,
    OutcomeStatus,
    Post,
    Publisher,
    PublishRequest,
    ReapClient,
    ReapPublisher,
    ReelMirrorPublisher,
)
from reelpub.clocks import LoopClock, utc_now
from reelpub.models.job import Part, Prepared
from reelpub.providers.base import SupportsBulkRead
from reelpub.sandbox import REAP_KEY, ReapDialect, ReelMirrorDialect, Sandbox
from reelpub.sandbox.limits import LimitKind, RateLimit
from reelpub.testing import run_virtual
from reelpub.transport.limiter import RateLimiter

WINDOW = 60.0
PAGE = 100
NAIVE_INTERVAL = 15.0
NAIVE_ENDS = ("completed", "failed", "unresolved", "cancelled")


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


def measure(
    provider: str,
    posts: int,
    calls: int,
    *,
    scope: str = "key",
    lists: str = "present",
    order: str = "newest_first",
    put_off: float | None = None,
    is_known: bool = False,
) -> Run:
    """Publish *posts* posts and return what it came to.

    *lists* and *order* tell whether ReelMirror has a list, and how it is sorted; *is_known* has it asked for before the
    batch. *put_off* is the limiter's, by default what that has.
    """

    async def main(clock: LoopClock) -> Run:
        limits = {
            "reelmirror": RateLimit(kind=LimitKind.SLIDING_LOG, limit=60),
            "reap": RateLimit(kind=LimitKind.SLIDING_LOG, limit=10),
        }
        sandbox = Sandbox(
            clock=clock,
            limits=limits,
            reelmirror=ReelMirrorDialect(list_posts=lists, list_order=order),
            reap=ReapDialect(limit_scope=scope),
            keepalive=1e9,
        )
        async with sandbox:
            publisher = _publisher(provider, sandbox, clock, put_off)
            async with Orchestrator([publisher], clock=clock) as pub:
                await publisher.accounts()
                if is_known and isinstance(publisher, SupportsBulkRead):
                    await publisher.read_page(0)
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


def _publisher(provider: str, sandbox: Sandbox, clock: LoopClock, put_off: float | None = None) -> Publisher:
    env = sandbox.environment()
    if provider == "reap":
        return ReapPublisher.connect(env["REAP_API_KEY"], base_url=env["REAP_BASE_URL"], clock=clock)
    limiter = None if put_off is None else RateLimiter(60, clock=clock, put_off=put_off)
    return ReelMirrorPublisher.connect(
        env["REELMIRROR_API_KEY"], base_url=env["REELMIRROR_BASE_URL"], clock=clock, limiter=limiter
    )


def _live_at(sandbox: Sandbox, provider: str) -> dict[str, float]:
    """Return when the last account of each post had it."""
    live: dict[str, float] = {}
    for record in sandbox.live(provider):
        live[record.post_id] = max(record.at, live.get(record.post_id, 0.0))
    return live


def _settled_at(outcome: Outcome) -> float:
    return outcome.settled_at.timestamp() if outcome.settled_at else math.inf


def in_flight(posts: int, follow: Callable[[Sandbox, LoopClock, Sequence[Post]], Awaitable[None]]) -> Run:
    """Have *posts* posts made by other keys of the same studio, and return how long *follow* takes to know them."""

    async def main(clock: LoopClock) -> Run:
        keys = [f"reap_sandbox_filler{number:04d}" for number in range(math.ceil(posts / 10))]
        limit = RateLimit(kind=LimitKind.SLIDING_LOG, limit=10)
        dialect = ReapDialect(limit_scope="endpoint")
        async with Sandbox(clock=clock, limits={"reap": limit}, reap=dialect, keys=keys, keepalive=1e9) as sandbox:
            made = await asyncio.gather(
                *(_fill(sandbox, clock, key, range(number, posts, len(keys))) for number, key in enumerate(keys))
            )
            waiting = [post for batch in made for post in batch]
            before, start = len(sandbox.requests("reap")), clock.monotonic()
            await follow(sandbox, clock, waiting)
            live = _live_at(sandbox, "reap")
            return Run(
                posts=posts,
                makespan=clock.monotonic() - start,
                requests=len(sandbox.requests("reap")) - before,
                rejections=sandbox.rejections("reap"),
                notices=(),
                took=tuple(live[post.id] - clock.epoch - start for post in waiting),
            )

    return run_virtual(main)


async def _fill(sandbox: Sandbox, clock: LoopClock, key: str, numbers: Sequence[int]) -> list[Post]:
    limiter = RateLimiter(1000, clock=clock)  # each of the keys stays within its limit as it is
    async with ReapPublisher.connect(key, base_url=sandbox.reap_url, clock=clock, limiter=limiter) as publisher:
        accounts = [a for a in await publisher.accounts() if (a.platform, a.username) == ("tiktok", "acme")]
        parts = [
            Part(id=f"p{n}", job_id=f"j{n}", request=request_for("reap", 1, n), accounts=tuple(accounts))
            for n in numbers
        ]
        return list(await asyncio.gather(*(publisher.publish(Prepared(part=part)) for part in parts)))


async def follow_shared(sandbox: Sandbox, clock: LoopClock, posts: Sequence[Post]) -> None:
    """Follow *posts* with the orchestrator, as one that was restarted does."""
    async with Orchestrator([_publisher("reap", sandbox, clock)], clock=clock) as pub:
        outcomes = [
            Outcome(
                request=request_for("reap", 1, number),
                job_id=f"job_{number}",
                publisher="reap",
                status=OutcomeStatus.PENDING,
                deliveries=post.deliveries,
                posts=(post,),
                submitted_at=utc_now(clock),
            )
            for number, post in enumerate(posts)
        ]
        report = await pub.wait_many(outcomes)
        if not report.is_success:
            raise RuntimeError(f"not every end is known: {report}")


async def follow_naive(sandbox: Sandbox, clock: LoopClock, posts: Sequence[Post]) -> None:
    """Read each post every 15 s until it ends, under the same limiter."""
    url = sandbox.reap_url

    async def follow(post: Post) -> None:
        while str((await client.get_post_details(post_id=post.id)).status) not in NAIVE_ENDS:
            await clock.sleep(NAIVE_INTERVAL)

    async with ReapClient(REAP_KEY, base_url=url, clock=clock) as client:
        await asyncio.gather(*(follow(post) for post in posts))


def _in_flight_rows(posts: int, least: float) -> list[Row]:
    shared, naive = in_flight(posts, follow_shared), in_flight(posts, follow_naive)
    bound = max(*shared.took, slot(math.ceil(posts / PAGE) - 1, 10))
    label = f"Reap, own budgets, {posts} in flight"
    return [
        Row(
            id="S5",
            what=f"{label}: naive makespan / makespan",
            value=naive.makespan / shared.makespan,
            target=least,
            at_least=True,
        ),
        Row(id="S5", what=f"{label}: makespan, s", value=shared.makespan),
        Row(id="S5", what=f"{label}: makespan / bound", value=shared.makespan / bound),
        Row(id="S5", what=f"{label}: naive makespan, s", value=naive.makespan),
        Row(id="S5", what=f"{label}: naive requests / requests", value=naive.requests / shared.requests),
    ]


def rows(*, is_small: bool) -> list[Row]:
    """Measure everything and return the figures beside their targets."""
    sizes = (60,) if is_small else (60, 200, 1000)
    found: list[Row] = []
    for calls in (1, 2, 3):
        for posts in sizes:
            found += _reelmirror_rows(posts, calls)
    posts = 60 if is_small else 200
    found += _whole_rows(posts)
    found += _single_rows(posts)
    for scope, name, span, notice in (("endpoint", "S4a", 1.01, 3.5), ("key", "S4b", 1.15, 36.0)):
        run = measure("reap", posts, 1, scope=scope)
        bound = bound_own(run.took, 1, 10) if scope == "endpoint" else bound_shared(run.took, 1, 10)
        label = f"Reap, a limit for each {scope}, N={posts}"
        found.append(Row(id=name, what=f"{label}: makespan / bound", value=run.makespan / bound, target=span))
        found.append(Row(id=name, what=f"{label}: mean notice, s", value=statistics.mean(run.notices), target=notice))
    for in_all, least in ((60, 12.0),) if is_small else ((200, 12.0), (1000, 40.0)):
        found += _in_flight_rows(in_all, least)
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
        Row(
            id="S3",
            what=f"{label}: requests a post",
            value=run.requests / posts,
            target=calls + 0.30 if posts >= 100 else None,
        ),
        Row(id="S7", what=f"{label}: answers of 429", value=float(run.rejections), target=0.0),
    ]


def _whole_rows(posts: int) -> list[Row]:
    """Return what it comes to where reads give way to a batch for longer than they do by default, and oldest first."""
    found = []
    run = measure("reelmirror", posts, 3, put_off=600.0)
    label = f"ReelMirror with a list, N={posts}, u=3, put_off=600"
    ratio = run.makespan / bound_shared(run.took, 3, 60)
    found.append(Row(id="S1", what=f"{label}: makespan / bound", value=ratio, target=1.03))
    found.append(Row(id="S2", what=f"{label}: mean notice, s", value=statistics.mean(run.notices)))
    run = measure("reelmirror", posts, 1, order="oldest_first")
    label = f"ReelMirror with a list, oldest first, N={posts}, u=1"
    ratio = run.makespan / bound_shared(run.took, 1, 60)
    found.append(Row(id="S1", what=f"{label}: makespan / bound", value=ratio))
    found.append(Row(id="S2", what=f"{label}: mean notice, s", value=statistics.mean(run.notices)))
    return found


def _single_rows(posts: int) -> list[Row]:
    """Return what single reads come to: where windows are filled to the last slot, and where there is some slack."""
    found = []
    for count, is_known in ((posts, False), (posts, True), (posts - posts // 20, False)):
        run = measure("reelmirror", count, 2, lists="absent", is_known=is_known)
        label = f"ReelMirror without a list, {'which is known, ' if is_known else ''}N={count}, u=2"
        ratio = run.makespan / bound_singles(count, 2, 60)
        found.append(Row(id="S6", what=f"{label}: makespan / bound", value=ratio, target=1.02))
        found.append(Row(id="S6", what=f"{label}: requests", value=float(run.requests)))
        found.append(Row(id="S6", what=f"{label}: mean notice, s", value=statistics.mean(run.notices)))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status doesn't judge."""
    chosen = options(__doc__.splitlines()[0], arguments)
    return finish("makespan", rows(is_small=chosen.small), chosen)


if __name__ == "__main__":
    sys.exit(main())
