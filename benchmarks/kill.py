"""Kills a process that publishes, over and over, and counts what became of its posts.

A child process publishes N posts over both providers on one `SqliteStore`, at a clock that runs 30 times as fast,
against a sandbox in this process. It is killed with SIGKILL and started again, K times; then it is left to end. A third
of the kills come at random times, the others exactly at one of the moments between two writes of the store, where the
child stops and says so; at "on the wire" the request has taken effect and its answer hasn't left the provider.

Run ``python benchmarks/kill.py --posts 200 --kills 50 --seed 1``; it fails where a post is live twice, missing, or told
untruly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import asdict, define, field, frozen

from reelpub import (
    Clip,
    DeliveryStatus,
    GeneratedPost,
    Lateness,
    LatePolicy,
    MediaItems,
    Orchestrator,
    Outcome,
    PublishRequest,
    ReapPublisher,
    ReelMirrorPublisher,
    ScaledClock,
    SqliteStore,
)
from reelpub.policies.lifecycle import Stage
from reelpub.sandbox import Sandbox
from reelpub.store import codec

__all__ = ["MOMENTS", "Figures", "main", "run"]

SCALE = 30.0
SEND_TIMEOUT = 2.0
"""Real seconds; 60 of the clock's."""

ANSWERED = {Stage.ACCEPTED, Stage.SETTLED}
MOMENTS = (
    "before add",
    "after add",
    "before draft",
    "after draft",
    "before intent",
    "after intent",
    "on the wire",
    "before answer",
    "after answer",
    "after look",
    "before outcome",
    "after outcome",
)
LIVE_OPERATIONS = {"publishOutgoingPost", "scheduleOutgoingPost", "publishClip", "scheduleClips"}
PATIENCE = 3.0
"""Real seconds after which a kill comes although its moment hasn't: the child may be past it."""


# ---- the child


class Announcing:
    """A store that stops its process for good at the n-th time that a moment comes, and says so first."""

    def __init__(self, store: SqliteStore, moment: str | None, times: int) -> None:
        self._store = store
        self._moment = moment
        self._left = times

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*arguments: Any, **options: Any) -> Any:
            what = _what(name, arguments)
            self._reached(f"before {what}")
            result = await method(*arguments, **options)
            self._reached(f"after {what}")
            return result

        return call

    def _reached(self, moment: str) -> None:
        if moment != self._moment:
            return
        self._left -= 1
        if self._left == 0:
            print(moment, flush=True)
            while True:
                signal.pause()


def _what(name: str, arguments: Sequence[Any]) -> str:
    if name != "put":
        return {"settle": "outcome"}.get(name, name)
    stages = {codec.load_part(part.state).stage for part in arguments[0]}
    if stages & ANSWERED:
        return "answer"
    named = {Stage.SENDING: "intent", Stage.LOOKING: "look", Stage.READY: "draft"}
    return next((word for stage, word in named.items() if stage in stages), "put")


def requests(count: int, origin: float) -> list[PublishRequest]:
    """Return *count* requests for both providers, no two of which put the same on the same account."""
    return [_post(n // 2) if n % 2 == 0 else _clip(n // 2, origin, is_full=count >= 100) for n in range(count)]


def _post(number: int) -> PublishRequest:
    accounts = ["instagram:acme", "tiktok:acme"]
    if number % 5 in (1, 3) and number // 5 * 2 < 40:
        generated = number // 5 * 2 + (number % 5 == 3) + 1
        return PublishRequest(GeneratedPost(f"demo-generated-post-{generated}"), accounts=accounts)
    pair = [f"demo-media-item-{number % 60 + 1}", f"demo-media-item-{(number + 29 + number // 60) % 60 + 1}"]
    return PublishRequest(MediaItems(pair), caption=f"c{number}", accounts=accounts)


def _clip(number: int, origin: float, *, is_full: bool) -> PublishRequest:
    """Return the n-th clip; some go to two accounts of a platform, which makes two posts, and some out later."""
    clip = Clip(f"demo-project-{number % 3 + 1}", f"demo-clip-{number // 3 % 40 + 1}")
    accounts = ["tiktok:acme", "tiktok:acme_two"] if number % 5 == 4 else ["tiktok:acme", "youtube:acme"]
    start = datetime.fromtimestamp(origin // 60 * 60, UTC)
    at = start + timedelta(minutes=5 + number // 7) if number % 7 == 3 else None
    if is_full and number % 7 == 5:
        at = start + timedelta(minutes=62 + number // 7)
    return PublishRequest(clip, title=f"t{number}", accounts=accounts, at=at)


async def child(order: dict[str, Any]) -> None:
    """Resume what is in the store, ask for all requests again, and stay until nothing is unfinished."""
    clock = ScaledClock(SCALE, origin=order["origin"])
    env = order["environment"]
    publishers = [
        ReelMirrorPublisher.connect(env["REELMIRROR_API_KEY"], base_url=env["REELMIRROR_BASE_URL"], clock=clock),
        ReapPublisher.connect(env["REAP_API_KEY"], base_url=env["REAP_BASE_URL"], clock=clock),
    ]
    store: Any = Announcing(SqliteStore(order["path"]), order["moment"], order["times"])
    late = Lateness(policy=LatePolicy.PUBLISH, spacing=5.0)
    async with Orchestrator(publishers, clock=clock, store=store, send_timeout=SEND_TIMEOUT, late=late) as publishing:
        print("started", flush=True)
        await publishing.resume()
        await publishing.publish_many(requests(order["posts"], order["origin"]))
        while await publishing.unfinished():
            await publishing.wait_many(await publishing.resume())
            await asyncio.sleep(0.05)


# ---- the parent


@frozen(kw_only=True)
class Figures:
    """What a run showed. `seconds` are real; `untrue` counts accounts of which an outcome says what isn't so."""

    posts: int
    kills: int
    moments: dict[str, int]
    seconds: float
    jobs: int
    unsettled: int
    duplicates: int
    lost: int
    untrue: int
    unknown: int
    statuses: dict[str, int]
    requests: dict[str, int]
    rejections: int

    @property
    def is_right(self) -> bool:
        """Whether every post is live once on every account, and every job settled and told truly."""
        wrong = (self.unsettled, self.duplicates, self.lost, self.untrue, self.unknown, self.jobs - self.posts)
        return not any(wrong)

    def table(self) -> str:
        """Return the figures as text."""
        rows = {
            "posts": self.posts,
            "kills": self.kills,
            "of them at": ", ".join(f"{moment} {count}" for moment, count in self.moments.items()),
            "jobs in the store": self.jobs,
            "not settled": self.unsettled,
            "live twice": self.duplicates,
            "lost": self.lost,
            "untrue outcomes": self.untrue,
            "unknown": self.unknown,
            "outcomes": ", ".join(f"{count} {status}" for status, count in self.statuses.items()),
            "requests": ", ".join(f"{count} {name}" for name, count in self.requests.items()),
            "refused by the limit": self.rejections,
            "seconds": f"{self.seconds:.0f}",
        }
        return "\n".join(f"{name:<22}{value}" for name, value in rows.items())


@define
class _Killer:
    """Chooses when to kill; `pid` is the child that runs now, `aim` the moment at which it is to die."""

    random: random.Random
    left: int
    pid: int | None = None
    aim: str | None = None
    times: int = 0
    done: Counter[str] = field(factory=Counter)

    def next(self) -> None:
        """Choose the moment of the next kill: None for a random time."""
        self.aim = self.random.choice((*MOMENTS, *[None] * (len(MOMENTS) // 2))) if self.left else None
        self.times = self.random.choice((1, 1, 1, 2))

    def answering(self, exchange: Any) -> None:
        """Kill the child when the chosen request has taken effect and its answer hasn't been written yet."""
        if self.aim == "on the wire" and self.pid is not None and exchange.operation in LIVE_OPERATIONS:
            self.times -= 1
            if self.times == 0:
                self.kill(self.aim)

    def kill(self, moment: str) -> None:
        """Kill the child."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self.pid = None
            self.left -= 1
            self.done[moment] += 1


async def run(posts: int, kills: int, seed: int) -> Figures:
    """Publish *posts* while killing the publishing process *kills* times; *seed* makes the choices repeat."""
    killer = _Killer(random.Random(seed), kills)
    began = time.monotonic()
    clock = ScaledClock(SCALE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.db"
        async with Sandbox(clock=clock, observer=killer.answering) as sandbox:
            order = {"origin": clock.origin, "path": str(path), "posts": posts, "environment": sandbox.environment()}
            while not await _life(killer, order):
                pass
            wanted = requests(posts, clock.origin)
            await clock.sleep(max((_at(one) for one in wanted), default=0.0) + 90.0 - clock.time())
            return _figures(sandbox, killer, _outcomes(path), wanted, time.monotonic() - began)


def _at(request: PublishRequest) -> float:
    return request.at.timestamp() if isinstance(request.at, datetime) else 0.0


async def _life(killer: _Killer, order: dict[str, Any]) -> bool:
    """Let the child live until it ends or is killed; return whether it ended by itself.

    Raises:
        RuntimeError: it failed.
    """
    killer.next()
    said = json.dumps({**order, "moment": killer.aim, "times": killer.times})
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--child", said, stdout=asyncio.subprocess.PIPE
    )
    killer.pid = process.pid
    await _line(process, 60.0)
    if killer.left:
        # Where no moment is chosen the child announces nothing more, and this is the time that it has.
        wait = killer.random.uniform(0.05, 1.5) if killer.aim is None else PATIENCE
        moment = await _line(process, wait)
        if process.returncode is None and moment != "":
            killer.kill(moment or "a random time")
    await asyncio.wait_for(process.wait(), 600)
    was_killed = killer.pid is None
    killer.pid = None
    if not was_killed and process.returncode != 0:
        raise RuntimeError(f"the child ended with {process.returncode}")
    return not was_killed


async def _line(process: asyncio.subprocess.Process, seconds: float) -> str | None:
    """Return the next line that the child says, an empty one if it ended, None if it said nothing for *seconds*."""
    assert process.stdout is not None
    try:
        return (await asyncio.wait_for(process.stdout.readline(), seconds)).decode().strip()
    except TimeoutError:
        return None


def _outcomes(path: Path) -> list[Outcome | None]:
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT outcome FROM jobs ORDER BY seq").fetchall()
    return [None if outcome is None else codec.load_outcome(outcome) for (outcome,) in rows]


def _figures(
    sandbox: Sandbox,
    killer: _Killer,
    outcomes: Sequence[Outcome | None],
    wanted: Sequence[PublishRequest],
    seconds: float,
) -> Figures:
    live = Counter((record.post_id, record.account_id) for record in sandbox.live())
    settled = [outcome for outcome in outcomes if outcome is not None]
    told = [
        (delivery.status, sum(live[post.id, delivery.account.id] for post in outcome.posts))
        for outcome in settled
        for delivery in outcome.deliveries
    ]
    return Figures(
        posts=len(wanted),
        kills=sum(killer.done.values()),
        moments=dict(sorted(killer.done.items())),
        seconds=seconds,
        jobs=len(outcomes),
        unsettled=len(outcomes) - len(settled),
        duplicates=len(sandbox.duplicates()),
        lost=sum(len(request.accounts) for request in wanted) - sum(times > 0 for _, times in told),
        untrue=sum(not _is_so(status, times) for status, times in told) + live.total() - sum(n for _, n in told),
        unknown=sum(status is DeliveryStatus.UNKNOWN for status, _ in told),
        statuses=_counted(outcome.status.value for outcome in settled),
        requests=_counted(record.operation or "?" for record in sandbox.requests()),
        rejections=sandbox.rejections(),
    )


def _is_so(status: DeliveryStatus, times: int) -> bool:
    """Return whether a delivery that was told as *status* may be live so many times by now."""
    if status in (DeliveryStatus.PUBLISHED, DeliveryStatus.SCHEDULED):
        return times == 1
    return status is DeliveryStatus.UNKNOWN or times == 0


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the arguments say; return 1 if anything isn't as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="a quick look: 8 posts, 2 kills")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child is not None:
        asyncio.run(child(json.loads(given.child)))
        return 0
    posts, kills = (8, 2) if given.small else (given.posts, given.kills)
    figures = asyncio.run(run(posts, kills, given.seed))
    print(figures.table())
    if given.json is not None:
        given.json.write_text(json.dumps(asdict(figures), indent=2) + "\n", encoding="utf-8")
    return 0 if figures.is_right else 1


if __name__ == "__main__":
    sys.exit(main())
