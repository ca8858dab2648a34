"""How long the event loop stands still while 1000 posts are published and followed, less what an idle loop suffers.

Run ``python benchmarks/loop.py`` for the table, ``--small`` for a quick look, ``--json FILE`` for the figures. The
sandbox and the idle loop have processes of their own. Time runs 30 times as fast, and there is no rate limit, so that
everything that the limit would spread over 17 minutes falls on some seconds.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Self

from attrs import define, field
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


async def publish(posts: int) -> tuple[float, float]:
    """Publish and follow *posts* posts; return the longest stall here, and that of an idle loop meanwhile."""
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
            _reset(asyncio.get_running_loop())
            async with Monitor() as monitor:
                report = await pub.publish_many(requests)
            if not report.is_success:
                raise RuntimeError(f"not everything was published: {report}")
        return monitor.longest, float((await idler.communicate(b"\n"))[0])
    finally:
        for process in (server, idler):
            if process.returncode is None:
                process.kill()
                await process.wait()


def _reset(loop: asyncio.AbstractEventLoop) -> None:
    if isinstance(loop, TurnLoop):
        loop.longest_turn = 0.0


def run(posts: int) -> tuple[float, float, float]:
    """Return the longest stall, that of the idle loop, and the longest turn in CPU time; all in milliseconds."""
    with asyncio.Runner(loop_factory=TurnLoop) as runner:
        stall, idle_stall = runner.run(publish(posts))
        loop = runner.get_loop()
        turn = loop.longest_turn if isinstance(loop, TurnLoop) else 0.0
    return stall * 1000, idle_stall * 1000, turn * 1000


def in_process(posts: int) -> tuple[float, float, float]:
    """Run one round in a process of its own, so that no garbage of one round is collected in another."""
    done = subprocess.run([sys.executable, __file__, "--round", str(posts)], stdout=subprocess.PIPE, check=True)
    stall, idle_stall, turn = json.loads(done.stdout)
    return stall, idle_stall, turn


def rows(*, is_small: bool) -> list[Row]:
    """Measure everything and return the figures beside their targets."""
    posts, rounds = (50, 1) if is_small else (1000, 9)
    found = [in_process(posts) for _ in range(rounds)]
    less = tuple(max(0.0, stall - idle_stall) for stall, idle_stall, _ in found)
    label = f"{posts} posts published and followed"
    return [
        Row(
            id="C4",
            what=f"{label}: longest stall less the idle loop's, ms",
            value=statistics.median(less),
            target=20.0,
            samples=less,
        ),
        Row(id="C4", what=f"{label}: longest stall, ms", value=statistics.median(stall for stall, _, _ in found)),
        Row(id="C4", what="an idle loop beside it: longest stall, ms", value=statistics.median(i for _, i, _ in found)),
        Row(
            id="C4", what=f"{label}: longest turn of the loop, CPU ms", value=statistics.median(t for _, _, t in found)
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status doesn't judge."""
    roles = {"--serve": serve, "--idle": idle}
    if sys.argv[1:2] and sys.argv[1] in roles:
        asyncio.run(roles[sys.argv[1]]())
        return 0
    if sys.argv[1:2] == ["--round"]:
        print(json.dumps(run(int(sys.argv[2]))))
        return 0
    chosen = options(__doc__.splitlines()[0], arguments)
    return finish("loop", rows(is_small=chosen.small), chosen)


if __name__ == "__main__":
    sys.exit(main())
