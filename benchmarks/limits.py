"""How well the limiter fits every kind of server: refusals and the share of the limit that it uses.

Run ``python benchmarks/limits.py`` for the table, ``--small`` for a quick look, ``--json FILE`` for the figures. The
client speaks to the sandbox over real sockets, in a loop whose time jumps over waits; see docs/performance.md.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from attrs import evolve, frozen
from report import Row, finish, options

from reelpub import ReelMirrorClient
from reelpub.clocks import LoopClock
from reelpub.sandbox import REELMIRROR_KEY, LimitKind, RateLimit, Sandbox
from reelpub.testing import run_virtual
from reelpub.transport.limiter import RateLimiter

WINDOW = 60.0
WORKERS = 8
"""Callers who always have a next request; more than that changes nothing, as the limiter is what they wait for."""

STEADY_FROM = 2
"""Windows before the limit counts as used steadily: what is learned at first isn't the steady load."""


@frozen(kw_only=True)
class Load:
    """What one run came to: all refusals, and the requests that passed in the steady windows, by process."""

    rejections: int
    passed: tuple[int, ...]
    windows: int
    limit: int

    @property
    def share(self) -> float:
        """The share of the limit that all processes together used."""
        return sum(self.passed) / (self.limit * self.windows)

    @property
    def evenness(self) -> float:
        """The smallest process's part of an even part."""
        return min(self.passed) * len(self.passed) / max(1, sum(self.passed))


def measure(limit: RateLimit, *, windows: int, processes: int = 1) -> Load:
    """Keep *processes* clients with a limiter each, all on one key, busy for *windows* windows."""

    async def main(clock: LoopClock) -> Load:
        sandbox = Sandbox(clock=clock, limits={"reelmirror": limit}, keepalive=1e9)
        async with sandbox:
            await clock.sleep(7.0)  # no window of the server begins with the load
            start = clock.monotonic()
            steady = start + min(STEADY_FROM, windows // 2) * WINDOW
            end = start + windows * WINDOW
            passed = [0] * processes
            clients = [_client(sandbox, clock, limit.limit) for _ in range(processes)]

            async def work(number: int) -> None:
                while clock.monotonic() < end:
                    await clients[number].list_outgoing_posts_page(limit=1)
                    passed[number] += steady <= clock.monotonic() < end

            try:
                async with asyncio.timeout(windows * WINDOW * 2 + 1800), asyncio.TaskGroup() as group:
                    for worker in range(WORKERS * processes):
                        group.create_task(work(worker % processes))
            finally:
                for client in clients:
                    await client.close()
            return Load(
                rejections=sandbox.rejections("reelmirror"),
                passed=tuple(passed),
                windows=round((end - steady) / WINDOW),
                limit=limit.limit,
            )

    return run_virtual(main)


def _client(sandbox: Sandbox, clock: LoopClock, limit: int) -> ReelMirrorClient:
    limiter = RateLimiter(limit, WINDOW, clock=clock)
    return ReelMirrorClient(REELMIRROR_KEY, base_url=sandbox.reelmirror_url, clock=clock, limiter=limiter)


def kinds(limit: int) -> list[tuple[str, str, RateLimit]]:
    """Return each kind of server with the target it comes under."""
    plain = RateLimit(limit=limit, window=WINDOW)
    tenth = max(1, limit // 10)
    found = [
        ("S7", "fixed window", evolve(plain, kind=LimitKind.FIXED)),
        ("S7", "anchored window", evolve(plain, kind=LimitKind.ANCHORED)),
        ("S7", "sliding log", evolve(plain, kind=LimitKind.SLIDING_LOG)),
        ("S7", f"GCRA, burst {limit}", evolve(plain, kind=LimitKind.GCRA)),
        ("S8", "sliding counter", evolve(plain, kind=LimitKind.SLIDING_COUNTER)),
        ("S8", f"GCRA, burst {tenth}", evolve(plain, kind=LimitKind.GCRA, burst=tenth)),
    ]
    # At 10 a minute a tenth is 1 already.
    return found if tenth == 1 else [*found, ("S8", "GCRA, burst 1", evolve(plain, kind=LimitKind.GCRA, burst=1))]


def rows(*, is_small: bool) -> list[Row]:
    """Measure everything and return the figures beside their targets."""
    windows, limits = (4, (10,)) if is_small else (60, (10, 60))
    found: list[Row] = []
    for limit in limits:
        for headers in (True, False):
            for id_, name, kind in kinds(limit):
                load = measure(evolve(kind, headers=headers), windows=windows)
                found += _rows(id_, f"{name}, {limit} a minute, {'with' if headers else 'no'} headers", load, headers)
    for limit in limits:
        for processes in (2,) if is_small else (2, 4):
            for kind in (LimitKind.FIXED, LimitKind.SLIDING_LOG):
                load = measure(RateLimit(limit=limit, kind=kind), windows=windows, processes=processes)
                found += _shared(f"{processes} processes, {kind.value}, {limit} a minute", load, windows)
    return found


def _rows(id_: str, label: str, load: Load, headers: bool) -> list[Row]:
    # Without headers there is no window to plan with: pacing stays two at once and then evenly.
    share = 0.98 if id_ == "S7" and headers else None
    most = 0.0 if id_ == "S7" else 3.0
    return [
        Row(id=id_, what=f"{label}: answers of 429", value=float(load.rejections), target=most),
        Row(id=id_, what=f"{label}: share of the limit", value=load.share, target=share, at_least=True),
    ]


def _shared(label: str, load: Load, windows: int) -> list[Row]:
    return [
        Row(id="many", what=f"{label}: answers of 429 a window", value=load.rejections / windows),
        Row(id="many", what=f"{label}: share of the limit", value=load.share),
        Row(id="many", what=f"{label}: least of them, against an even part", value=load.evenness),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status doesn't judge."""
    chosen = options(__doc__.splitlines()[0], arguments)
    return finish("limits", rows(is_small=chosen.small), chosen)


if __name__ == "__main__":
    sys.exit(main())
