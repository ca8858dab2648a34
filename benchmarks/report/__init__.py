"""What the benchmarks share: their options, rows with targets, the table, the JSON, and paired rounds."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from attrs import asdict, field, frozen

__all__ = ["Row", "cpu_of", "finish", "options", "paired_cpu", "ratios", "versions"]

PACKAGES = ("reelpub", "aiohttp", "aiolimiter", "anyio", "attrs", "cattrs", "orjson", "yarl", "httpx")

Call = Callable[[], Awaitable[object]]


@frozen(kw_only=True)
class Row:
    """One figure: what was measured, what it came to, and what it should come to (None: it is only told).

    `samples` are the figures of the single rounds, where there were several.
    """

    id: str
    what: str
    value: float
    target: float | None = None
    at_least: bool = False
    samples: tuple[float, ...] = field(default=(), repr=False)

    @property
    def holds(self) -> bool | None:
        """Whether the target is met."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


def options(description: str, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read ``--small`` and ``--json FILE``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--small", action="store_true", help="takes seconds: shows that it runs, not what it comes to")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    return parser.parse_args(arguments)


def versions() -> dict[str, object]:
    """Return what the figures depend on."""
    found: dict[str, object] = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def finish(name: str, rows: Sequence[Row], chosen: argparse.Namespace, notes: Sequence[str] = ()) -> int:
    """Print the table and write the JSON; the exit status doesn't judge."""
    width = max(len(row.what) for row in rows)
    print(f"{'id':4} {'what':{width}} {'value':>9} {'target':>9}  holds")
    for row in rows:
        print(f"{row.id:4} {row.what:{width}} {row.value:9.3f} {_target(row):>9}  {_verdict(row)}")
    for note in notes:
        print(f"note: {note}")
    if chosen.json:
        figures = [{**asdict(row), "holds": row.holds} for row in rows]
        content = {"benchmark": name, "small": chosen.small, "versions": versions(), "rows": figures, "notes": notes}
        chosen.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    return f"{'>=' if row.at_least else '<='} {row.target:g}"


def _verdict(row: Row) -> str:
    return {None: "", True: "yes", False: "no"}[row.holds]


async def cpu_of(call: Call, calls: int) -> float:
    """Return this process's CPU microseconds for one of *calls* calls, one after another."""
    began = time.process_time()
    for _ in range(calls):
        await call()
    return (time.process_time() - began) / calls * 1e6


async def paired_cpu(candidates: dict[str, Call], rounds: int, calls: int) -> dict[str, list[float]]:
    """Return each candidate's CPU microseconds by round, after one round that doesn't count.

    Within a round the candidates take turns, and the order turns round with each, so that drift falls on all alike.
    What stands after the first round is frozen: collecting it would fall on whoever makes the most objects.
    """
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds + 1):
        order = list(candidates) if number % 2 == 0 else list(reversed(candidates))
        for name in order:
            microseconds = await cpu_of(candidates[name], calls)
            if number:
                found[name].append(microseconds)
        if number == 0:
            gc.collect()
            gc.freeze()
    return found


def ratios(found: dict[str, list[float]], name: str, base: str) -> tuple[float, tuple[float, ...]]:
    """Return the median of the rounds' ratios of *name* to *base*, and all of them."""
    samples = tuple(value / raw for value, raw in zip(found[name], found[base], strict=True))
    return statistics.median(samples), samples
