# ruff: noqa: INP001, T201
"""Makes the pictures in `docs/images` of a report: 60 posts through both sandboxes, in virtual time, with faults.

Needs `reelpub[looks]` and Chromium. Run it from the repository: ``python docs/make_screenshots.py``.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import async_playwright

from reelpub import (
    Clip,
    GeneratedPost,
    MemoryStore,
    Orchestrator,
    PublishRequest,
    ReapPublisher,
    ReelMirrorPublisher,
    report,
)
from reelpub.bulk import RunRecord, begin, carry_out
from reelpub.clocks import LoopClock, utc_now
from reelpub.manifest.rows import ManifestRow
from reelpub.policies.caps import AccountCap
from reelpub.sandbox import REAP_KEY, REELMIRROR_KEY, Fault, FaultKind, ReapDialect, Sandbox
from reelpub.testing import run_virtual

IMAGES = Path(__file__).parent / "images"
ZONE = "Europe/Oslo"
START = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
DESK, PHONE = (1200, 800), (375, 812)
SHOTS = (
    ("report-totals", DESK, "light", "header, nav.sections, #totals", ""),
    ("report-timeline", DESK, "dark", "#timeline", ""),
    ("report-limits", DESK, "light", "#budget", ""),
    ("report-calendar", DESK, "light", "#calendar", ""),
    ("report-posts", DESK, "light", "#posts", "#?status=account.failed"),
    ("report-phone", PHONE, "dark", "header, nav.sections, #totals", ""),
    ("report-phone-posts", PHONE, "light", "#posts", "#?text=counter&status=published"),
)
"""Name, size, scheme, what is seen, and the filter."""

TALLEST = 1500
MARGIN = 12
CHANNELS = ("tiktok:acme", "instagram:acme", "instagram:acme_two")
CAPTIONS = (
    "Ten seconds of pure butter: how we laminate a croissant, from the block to the oven.",
    "The bakery at 4 a.m. Nobody is awake but the sourdough.",
    "Three knives you need, and the twelve you don't.",
    "A customer asked for 'something blue'. Challenge accepted.",
)


def requests(now: datetime) -> Iterator[PublishRequest]:
    """Yield 34 generated posts and 26 clips; some for later, one for nobody, one twice."""
    for number in range(1, 35):
        yield PublishRequest(
            GeneratedPost(f"demo-generated-post-{number}", approve=number == 17),
            caption=None if number == 17 else CAPTIONS[number % len(CAPTIONS)],
            accounts=() if number == 17 else CHANNELS[number % 3 : number % 3 + 1 + number % 2],
            at=now + timedelta(days=number - 24, hours=number % 5) if number > 25 else None,
            reference=f"bakery-{number:02d}",
        )
    for number in range(1, 27):
        yield PublishRequest(
            Clip(f"demo-project-{1 + number // 14}", f"demo-clip-{1 + number % 13}"),
            title=f"Live from the counter, part {number}",
            accounts=[("tiktok:acme", "youtube:acme"), ("instagram:acme", "x:acme"), ("linkedin:acme",)][number % 3],
            at=now + timedelta(days=number - 17, hours=2) if number > 18 else None,
            reference=f"counter-{number:02d}",
        )


def faults() -> list[Fault]:
    """Return what goes wrong: two lost answers, a burst of refusals, and platforms that fail."""
    return [
        Fault(FaultKind.LOST_AFTER, provider="reap", operation="publishClip", after=2),
        Fault(FaultKind.LOST_AFTER, provider="reelmirror", operation="approveGeneratedPost"),
        Fault(FaultKind.RATE_LIMITED, provider="reelmirror", operation="publishOutgoingPost", after=5, times=2),
        Fault(
            FaultKind.PLATFORM_FAILS,
            provider="reelmirror",
            account="instagram:acme_two",
            text="Instagram: the account has to be reconnected",
            times=3,
        ),
        Fault(FaultKind.PLATFORM_FAILS, provider="reap", account="linkedin:acme", times=2),
    ]


async def run(clock: LoopClock) -> tuple[RunRecord, datetime]:
    """Carry the run out against sandboxes, and return its record and when that was."""
    now = utc_now(clock)
    async with Sandbox(clock=clock, reap=ReapDialect(urls_by="platform")) as sandbox:
        sandbox.order(*faults())
        publishers = (
            ReelMirrorPublisher.connect(REELMIRROR_KEY, base_url=sandbox.reelmirror_url, clock=clock),
            ReapPublisher.connect(REAP_KEY, base_url=sandbox.reap_url, clock=clock),
        )
        store = MemoryStore()
        caps = {"youtube:acme": AccountCap(count=3, window=120)}
        async with Orchestrator(publishers, store=store, caps=caps, clock=clock) as pub:
            rows = [
                ManifestRow(number=number, line=number + 1, request=request)
                for number, request in enumerate(requests(now), start=1)
            ]
            name = await begin(store, rows, name="spring-launch.csv", command="publish spring-launch.csv", now=now)
            record = await carry_out(pub, store, name, timeout=3600)
    return record, utc_now(clock)


async def shoot(path: Path) -> None:
    """Take the pictures of the report at *path*."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height), scheme, parts, filtered in SHOTS:
            page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            await page.goto(path.as_uri() + filtered)
            await page.wait_for_selector(".chart .main-svg")
            await page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
            await page.locator("#rows summary").first.evaluate("summary => summary.parentElement.open = true")
            await page.wait_for_timeout(400)
            boxes = [await part.bounding_box() for part in await page.locator(parts).all()]
            top = max(0, boxes[0]["y"] - MARGIN)
            tall = min(TALLEST, boxes[-1]["y"] + boxes[-1]["height"] + MARGIN - top)
            clip = {"x": 0, "y": top, "width": width, "height": tall}
            await page.screenshot(path=IMAGES / f"{name}.png", full_page=True, clip=clip)
            await page.close()
        await browser.close()


def main() -> None:
    """Make the run, its report and the pictures."""
    record, now = run_virtual(run, epoch=START.timestamp())
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        report.write(record, path, generated_at=now, zone=ZONE)
        asyncio.run(shoot(path))
    for status, count in record.counts.items():
        print(status, count)


if __name__ == "__main__":
    main()
