"""CPU time of a typed fetch against what it is made of: raw aiohttp and `json.loads`, on the same loopback server.

Run ``python benchmarks/cpu.py``; see benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import aiohttp
from aiohttp import web

from reelpub import ReelMirrorClient
from reelpub.transport.limiter import RateLimiter

KEY = "rm_benchmark00000000000000000000000"
POST_ID = "7b0e2f5c-2c1f-4f0e-9a51-5d2f3c1b7a90"
NO_LIMIT = 1_000_000_000

Fetch = Callable[[], Awaitable[object]]


def a_post() -> bytes:
    """Return a post of about 1.2 KB, as ReelMirror's reference shows them: two items, three deliveries."""
    at = "2026-11-22T14:00:05Z"
    deliveries = [
        {
            "id": f"delivery-{number}",
            "connected_account_id": f"account-{number}",
            "platform": platform_name,
            "username": f"acme_{number}",
            "status": "published",
            "platform_post_id": f"178414{number:011d}",
            "error_message": None,
            "published_at": at,
        }
        for number, platform_name in enumerate(("instagram", "tiktok", "instagram"))
    ]
    items = [
        {"generated_media_item_id": f"media-item-{number}", "position": number, "use_voice_converted": False}
        for number in range(2)
    ]
    post: dict[str, object] = {
        "id": POST_ID,
        "persona_id": "persona-1",
        "caption": "Launch day. Everything that you have been waiting for, in thirty seconds. " * 2,
        "status": "published",
        "scheduled_for": None,
        "platform_settings": {},
        "items": items,
        "deliveries": deliveries,
        "created_at": at,
        "updated_at": at,
    }
    return json.dumps({"data": post}).encode()


async def serve(body: bytes) -> None:
    """Answer every request with *body* and print the port, until cancelled."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """Run the server in a process of its own, so that its CPU time isn't counted; hand out its address."""
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/api"
    finally:
        process.kill()
        await process.wait()


async def cpu_of(fetch: Fetch, calls: int) -> float:
    """Return the process's CPU microseconds for one of *calls* fetches, one after another."""
    began = time.process_time()
    for _ in range(calls):
        await fetch()
    return (time.process_time() - began) / calls * 1e6


async def measure(rounds: int, calls: int) -> dict[str, list[float]]:
    """Return each candidate's microseconds by round.

    Within a round the candidates take turns, forwards and backwards, so that drift falls on all of them alike.
    """
    limiter = RateLimiter(NO_LIMIT, 1.0)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        server() as url,
        aiohttp.ClientSession() as session,
        ReelMirrorClient(KEY, base_url=url, limiter=limiter) as client,
    ):

        async def raw() -> object:
            async with session.get(f"{url}/v1/publishing/posts/{POST_ID}", headers=headers) as answer:
                return json.loads(await answer.read())

        async def typed() -> object:
            return await client.get_outgoing_post(POST_ID)

        candidates: dict[str, Fetch] = {"raw": raw, "raw again": raw, "typed": typed}
        for fetch in candidates.values():
            await cpu_of(fetch, max(20, calls // 10))
        found: dict[str, list[float]] = {name: [] for name in candidates}
        for number in range(rounds):
            order = list(candidates) if number % 2 == 0 else list(reversed(candidates))
            for name in order:
                found[name].append(await cpu_of(candidates[name], calls))
    return found


def summary(found: dict[str, list[float]], calls: int) -> dict[str, object]:
    """Return the medians, and the median of each round's ratio to raw."""
    rows = [
        {
            "name": name,
            "cpu_us": round(statistics.median(values), 1),
            "ratio": round(statistics.median(v / raw for v, raw in zip(values, found["raw"], strict=True)), 3),
        }
        for name, values in found.items()
    ]
    return {
        "benchmark": "cpu",
        "python": platform.python_version(),
        "aiohttp": version("aiohttp"),
        "reelpub": version("reelpub"),
        "body_bytes": len(a_post()),
        "rounds": len(found["raw"]),
        "calls": calls,
        "rows": rows,
    }


def main() -> None:
    """Measure, print a table and write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="few rounds, for CI: shows that it runs, not how fast")
    parser.add_argument("--out", type=Path, default=Path("cpu.json"), help="where the numbers go [cpu.json]")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(a_post()))
    rounds, calls = (3, 50) if options.small else (11, 1000)
    result = summary(asyncio.run(measure(rounds, calls)), calls)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"One post of {result['body_bytes']} bytes; median of {rounds} rounds of {calls} calls each")
    print(f"{'':<10}  {'CPU us a call':>13}  {'ratio to raw':>12}")
    for row in result["rows"]:  # type: ignore[attr-defined]  # it is the list made above
        print(f"{row['name']:<10}  {row['cpu_us']:>13}  {row['ratio']:>12}")


if __name__ == "__main__":
    main()
