"""CPU time of the typed clients against what they are made of: raw aiohttp and `json.loads`, on one loopback server.

Run ``python benchmarks/cpu.py`` for the table, ``--small`` for a quick look, ``--json FILE`` for the figures; see
docs/performance.md. The server is a process of its own, and isn't counted.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.util import find_spec
from itertools import count

import aiohttp
import others
from aiohttp import web
from report import Call, Row, finish, options, paired_cpu, ratios

from reelpub import ReelMirrorClient, ReelMirrorPublisher
from reelpub.transport.limiter import RateLimiter

KEY = "rm_benchmark00000000000000000000000"
POST_ID = "7b0e2f5c-2c1f-4f0e-9a51-5d2f3c1b7a90"
PAGE = 100
NO_LIMIT = 1_000_000_000


def a_post(post_id: str = POST_ID, *, caption: str = "") -> dict[str, object]:
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
    return {
        "id": post_id,
        "persona_id": "persona-1",
        "caption": caption or "Launch day. Everything that you have been waiting for, in thirty seconds. " * 2,
        "status": "published",
        "scheduled_for": None,
        "platform_settings": {},
        "items": items,
        "deliveries": deliveries,
        "created_at": at,
        "updated_at": at,
    }


def a_page(changed: int | None = None) -> bytes:
    """Return a page of 100 posts; with *changed*, one of them has a caption that no other page has."""
    rows = [a_post(f"{POST_ID[:-4]}{number:04d}") for number in range(PAGE)]
    if changed is not None:
        rows[changed % PAGE]["caption"] = f"changed {changed}"
    return json.dumps({"data": rows, "count": PAGE}).encode()


async def serve() -> None:
    """Answer with one post, the same page, or a page with one change each time; print the port, until cancelled."""
    post, page, changes = json.dumps({"data": a_post()}).encode(), a_page(), count()
    changed = [a_page(number) for number in range(PAGE)]
    foreign = {other.distribution: other.body for other in others.ALL}

    async def answer(request: web.Request) -> web.Response:
        body = foreign.get(request.path.split("/")[1], post)
        if "limit" in request.query:
            body = changed[next(changes) % PAGE] if request.path.startswith("/changing") else page
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """Run the server in a process of its own; hand out its origin."""
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


def a_client(origin: str, prefix: str = "") -> ReelMirrorClient:
    """Return a client whose limit is never met."""
    return ReelMirrorClient(KEY, base_url=f"{origin}{prefix}/api", limiter=RateLimiter(NO_LIMIT, 1.0))


def raw_aiohttp(session: aiohttp.ClientSession, url: str) -> Call:
    """Return what somebody writes who needs nothing but the JSON."""
    headers = {"Authorization": f"Bearer {KEY}"}

    async def call() -> object:
        async with session.get(url, headers=headers) as answer:
            return json.loads(await answer.read())

    return call


async def measure_posts(origin: str, rounds: int, calls: int) -> list[Row]:
    """C1: one post."""
    url = f"{origin}/api/v1/publishing/posts/{POST_ID}"
    async with aiohttp.ClientSession() as session, a_client(origin) as client:
        raw = raw_aiohttp(session, url)
        candidates = {"raw": raw, "again": raw, "typed": lambda: client.get_outgoing_post(POST_ID)}
        if find_spec("httpx") is None:
            found = await paired_cpu(candidates, rounds, calls)
        else:
            import httpx  # noqa: PLC0415 - only where it is installed

            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}) as other:

                async def raw_httpx() -> object:
                    return (await other.get(url)).json()

                found = await paired_cpu({**candidates, "httpx": raw_httpx}, rounds, calls)
    size = len(json.dumps({"data": a_post()}))
    return [
        _row(found, "A/A", f"raw aiohttp again, a post of {size} bytes, against raw aiohttp", "again"),
        _row(found, "C1", f"typed fetch of a post of {size} bytes, against raw aiohttp", "typed", 1.15),
        *([_row(found, "C1", "the same, against raw httpx", "typed", base="httpx")] if "httpx" in found else []),
        Row(id="C1", what="raw aiohttp, CPU us", value=statistics.median(found["raw"])),
        Row(id="C1", what="typed fetch, CPU us", value=statistics.median(found["typed"])),
    ]


async def measure_pages(origin: str, rounds: int, calls: int) -> list[Row]:
    """C2 and C3: a page of 100 full posts."""
    url = f"{origin}/api/v1/publishing/posts?limit={PAGE}&offset=0"
    async with (
        aiohttp.ClientSession() as session,
        a_client(origin) as client,
        ReelMirrorPublisher(a_client(origin)) as same,
        ReelMirrorPublisher(a_client(origin, "/changing")) as changing,
    ):
        raw = raw_aiohttp(session, url)
        candidates: dict[str, Call] = {
            "raw": raw,
            "again": raw,
            "typed": lambda: client.list_outgoing_posts_page(limit=PAGE),
            "same": lambda: same.read_page(0),
            "changing": lambda: changing.read_page(0),
        }
        found = await paired_cpu(candidates, rounds, calls)
    size = len(a_page())
    return [
        _row(found, "A/A", f"raw aiohttp again, a page of {size} bytes, against raw aiohttp", "again"),
        _row(found, "C2", "typed page, all structured, against raw aiohttp", "typed", 2.5),
        _row(found, "C3", "poll of a page where nothing changed, against raw aiohttp", "same", 0.60),
        _row(found, "C3", "poll of a page where two posts of 100 changed, against raw aiohttp", "changing"),
        Row(id="C2", what="raw aiohttp, CPU us", value=statistics.median(found["raw"])),
    ]


async def measure_others(origin: str, rounds: int, calls: int) -> tuple[list[Row], list[str]]:
    """C1 against other SDKs, each with a post in its own shape; return the rows, and what isn't compared."""
    async with a_client(origin) as client, others.connected(origin) as (calls_of, notes):
        if not calls_of:
            return [], notes
        found = await paired_cpu({"typed": lambda: client.get_outgoing_post(POST_ID), **calls_of}, rounds, calls)
    sizes = {other.distribution: len(other.body) for other in others.ALL}
    rows = [
        _row(
            found,
            "C1",
            f"typed fetch, against {name} {version(name)} (a post of {sizes[name]} bytes)",
            "typed",
            base=name,
        )
        for name in calls_of
    ]
    return rows, notes


def _row(
    found: dict[str, list[float]], id_: str, what: str, name: str, target: float | None = None, *, base: str = "raw"
) -> Row:
    value, samples = ratios(found, name, base)
    return Row(id=id_, what=what, value=value, target=target, samples=samples)


async def measure(*, is_small: bool) -> tuple[list[Row], list[str]]:
    """Measure everything and return the figures beside their targets, and notes."""
    rounds, posts, pages, foreign = (3, 50, 5, 5) if is_small else (15, 600, 60, 60)
    async with server() as origin:
        rows = [*await measure_posts(origin, rounds, posts), *await measure_pages(origin, rounds, pages)]
        compared, notes = await measure_others(origin, rounds, foreign)
    return [*rows, *compared], notes


def main() -> int:
    """Measure, print a table and write the figures."""
    if "--serve" in sys.argv:
        asyncio.run(serve())
    chosen = options(__doc__.splitlines()[0])
    rows, notes = asyncio.run(measure(is_small=chosen.small))
    return finish("cpu", rows, chosen, notes)


if __name__ == "__main__":
    sys.exit(main())
