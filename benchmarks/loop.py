"""How long the event loop stands still while 1000 posts are published and followed, less what an idle loop suffers.

Run ``python benchmarks/loop.py`` for the table, ``--small`` for a quick look, ``--json FILE`` for the figures. The
sandbox and the idle loop have processes of their own. Time runs 30 times as fast, and there is no rate limit, so that
everything that the limit would spread over 17 minutes falls on some seconds.

Each round is done twice: as Python comes, and with `gc.freeze` after the start, as a service does that can't do with
a full collection in between. A full collection looks at every object of the process, whoever made it.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Self

from attrs import define, field, frozen
from report import Row, finish, options

from reelpub import GeneratedPost, Orchestrator, PublishRequest, ReelMirrorClient, ReelMirrorPublisher
from reelpub.clocks import ScaledClock
from reelpub.sandbox import REELMIRROR_KEY, Sandbox
from reelpub.transport.limiter import RateLimiter

SCALE = 30.0
TICK = 0.001
NO_LIMIT = 1_000_000


@define
class Monitor:
    """Notes the longest that a task which wants to run every millisecond had to wait."""

    longest: float = 0.0
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    async def _run(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, time.perf_counter() - began - TICK)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._task is not None:
            self._task.cancel()


class Collections:
    """Notes the CPU time of the longest garbage collection while it is listening."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._began = 0.0

    def __call__(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.longest = max(self.longest, time.thread_time() - self._began)

    def __enter__(self) -> Self:
        gc.callbacks.append(self)
        return self

    def __exit__(self, *_exc: object) -> None:
        gc.callbacks.remove(self)


@frozen(kw_only=True)
class Round:
    """What one round came to, in milliseconds; `turn` and `collection` are CPU time."""

    stall: float
    idle: float
    turn: float
    collection: float

    @property
    def less(self) -> float:
        """The longest stall less that of the idle loop."""
        return max(0.0, self.stall - self.idle)


class TurnLoop(asyncio.SelectorEventLoop):
    """Notes the most CPU time that one turn of the loop took, which other processes hardly disturb."""

    longest_turn = 0.0

    def _run_once(self) -> None:
        began = time.thread_time()
        super()._run_once()  # type: ignore[misc]  # asyncio's own step, which has no public name
        self.longest_turn = max(self.longest_turn, time.thread_time() - began)


async def serve() -> None:
    """Run the sandbox without limits, and print its address and the origin of its clock, until cancelled."""
    clock = ScaledClock(SCALE)
    async with Sandbox(clock=clock, limits={"reelmirror": None}) as sandbox:
        print(sandbox.reelmirror_url, clock.origin, flush=True)
        await asyncio.Event().wait()


async def idle() -> None:
    """Do nothing until a line comes in, and then print the longest stall of that."""
    print(flush=True)
    async with Monitor() as monitor:
        await asyncio.to_thread(sys.stdin.readline)
    print(monitor.longest, flush=True)


async def _start(role: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, f"--{role}", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode()


async def publish(posts: int, *, is_frozen: bool) -> tuple[float, float, float]:
    """Publish and follow *posts* posts; return the longest stall here, an idle loop's, and the longest collection."""
    server, said = await _start("serve")
    url, origin = said.split()
    idler, _ = await _start("idle")
    clock = ScaledClock(SCALE, origin=float(origin))
    client = ReelMirrorClient(REELMIRROR_KEY, base_url=url, clock=clock, limiter=RateLimiter(NO_LIMIT, clock=clock))
    requests = [
        PublishRequest(GeneratedPost(f"demo-generated-post-{1 + number % 40}", approve=True), allow_duplicate=True)
        for number in range(posts)
    ]
    try:
        async with Orchestrator([ReelMirrorPublisher(client)], clock=clock) as pub:
            await pub.accounts()
            if is_frozen:
                gc.collect()
                gc.freeze()
            # What came before is another turn's.
            await asyncio.sleep(0)
            _reset(asyncio.get_running_loop())
            async with Monitor() as monitor:
                with Collections() as collections:
                    report = await pub.publish_many(requests)
            if not report.is_success:
                raise RuntimeError(f"not everything was published: {report}")
        return monitor.longest, float((await idler.communicate(b"\n"))[0]), collections.longest
    finally:
        for process in (server, idler):
            if process.returncode is None:
                process.kill()
                await process.wait()


def _reset(loop: asyncio.AbstractEventLoop) -> None:
    if isinstance(loop, TurnLoop):
        loop.longest_turn = 0.0


def run(posts: int, *, is_frozen: bool) -> dict[str, float]:
    """Return the members of a `Round`."""
    with asyncio.Runner(loop_factory=TurnLoop) as runner:
        stall, idle_stall, collection = runner.run(publish(posts, is_frozen=is_frozen))
        loop = runner.get_loop()
        turn = loop.longest_turn if isinstance(loop, TurnLoop) else 0.0
    found = {"stall": stall, "idle": idle_stall, "turn": turn, "collection": collection}
    return {name: seconds * 1000 for name, seconds in found.items()}


def in_process(posts: int, *, is_frozen: bool) -> Round:
    """Run one round in a process of its own, so that no garbage of one round is collected in another."""
    role = "--frozen-round" if is_frozen else "--round"
    done = subprocess.run([sys.executable, __file__, role, str(posts)], stdout=subprocess.PIPE, check=True)
    return Round(**json.loads(done.stdout))


def _rows(found: Sequence[Round], label: str) -> list[Row]:
    less = tuple(one.less for one in found)
    told = {
        "longest stall, ms": (one.stall for one in found),
        "longest turn of the loop, CPU ms": (one.turn for one in found),
        "longest garbage collection, CPU ms": (one.collection for one in found),
    }
    what = f"{label}: longest stall less the idle loop's, ms"
    return [
        Row(id="C4", what=what, value=statistics.median(less), target=20.0, samples=less),
        *(Row(id="C4", what=f"{label}: {name}", value=statistics.median(values)) for name, values in told.items()),
    ]


def rows(*, is_small: bool) -> list[Row]:
    """Measure everything and return the figures beside their targets."""
    posts, rounds = (50, 1) if is_small else (1000, 9)
    found = [(in_process(posts, is_frozen=False), in_process(posts, is_frozen=True)) for _ in range(rounds)]
    plain, frozen_ones = [one for one, _ in found], [one for _, one in found]
    idle_stalls = [one.idle for one in plain + frozen_ones]
    return [
        *_rows(plain, f"{posts} posts published and followed"),
        *_rows(frozen_ones, "the same after gc.freeze()"),
        Row(id="C4", what="an idle loop beside it: longest stall, ms", value=statistics.median(idle_stalls)),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status doesn't judge."""
    roles = {"--serve": serve, "--idle": idle}
    if sys.argv[1:2] and sys.argv[1] in roles:
        asyncio.run(roles[sys.argv[1]]())
        return 0
    if sys.argv[1:2] in (["--round"], ["--frozen-round"]):
        print(json.dumps(run(int(sys.argv[2]), is_frozen=sys.argv[1] == "--frozen-round")))
        return 0
    chosen = options(__doc__.splitlines()[0], arguments)
    return finish("loop", rows(is_small=chosen.small), chosen)


if __name__ == "__main__":
    sys.exit(main())
