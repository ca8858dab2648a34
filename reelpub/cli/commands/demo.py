"""`reelpub demo`: a batch through both providers, on this machine, with three things going wrong."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from attrs import define

from reelpub.cli import options
from reelpub.cli.exits import ExitStatus, of_statuses
from reelpub.cli.page import UNREAD, Example, Page
from reelpub.cli.show import listing, views
from reelpub.cli.show.board import Board
from reelpub.cli.work import scenario
from reelpub.cli.work.following import follow
from reelpub.clocks import ScaledClock
from reelpub.models.outcome import Outcome
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.providers.reap.publisher import ReapPublisher
from reelpub.providers.reelmirror.publisher import ReelMirrorPublisher

if TYPE_CHECKING:
    from reelpub.sandbox import RecordedExchange, Sandbox

__all__ = ["demo"]

SPEED = 30
PATIENCE = 500.0
"""Seconds of the fast clock after which the demonstration tells what it has; real ones are a thirtieth."""

_POSTS = scenario.GENERATED_POSTS + scenario.CLIPS
_INTRODUCTION = f"""\
{_POSTS} posts go out over ReelMirror and Reap, both a sandbox in this process,
where time runs {SPEED} times as fast. Three things are ordered to go wrong:
- an answer is lost after the post was accepted,
- {scenario.STORM} requests in a row are told 429,
- one account fails, once."""


@click.command(
    cls=Page,
    examples=(
        Example("Watch it:", "reelpub demo"),
        Example(
            "What went wrong, and what was done about it, as JSON:",
            "reelpub demo --json | jq -c 'select(.type == \"unknown\")'",
        ),
    ),
    exits={"0": "Everything is live, and nothing twice.", "1": "It isn't.", "3": "It was interrupted.", **UNREAD},
)
@options.as_json
def demo(as_json: bool) -> int:
    """Watch 24 posts go out over both providers, and three faults being put right.

    It needs no key and no network: both providers are a sandbox inside this process. It takes about ten seconds.
    """
    return asyncio.run(_Demo(as_json=as_json).run())


@define
class _Demo:
    """One demonstration."""

    as_json: bool

    async def run(self) -> int:
        """Show everything and return the exit status."""
        # The sandbox needs jsonschema, which only the extra brings.
        from reelpub.sandbox import Sandbox

        began = time.monotonic()
        clock, requests = ScaledClock(SPEED), scenario.requests()
        board = Board(requests)
        view = views.choose(as_json=self.as_json, layout=_layout, footer=lambda: _footer(sandbox, began))
        for line in _INTRODUCTION.splitlines():
            view.note(line)

        def watch(exchange: RecordedExchange) -> None:
            said = scenario.told(exchange)
            if said is not None:
                # It is the sandbox that tells: a reader that has left is the next event's to notice.
                with suppress(BrokenPipeError):
                    view.note(said)

        async with Sandbox(clock=clock, observer=watch) as sandbox:
            sandbox.order(*scenario.faults())
            pub = Orchestrator(_publishers(sandbox, clock), clock=clock)

            async def work() -> Sequence[Outcome]:
                report = await pub.publish_many(requests, timeout=PATIENCE)
                if any(outcome.failed for outcome in report):
                    view.note("retry_failed_many: what failed is sent again, and only that")
                return await pub.retry_failed_many(report, timeout=PATIENCE)

            outcomes = await follow(pub, board, view, work, ends_unread=True)
            verdict = scenario.judge(sandbox, outcomes)
        return _conclude(view, board, outcomes, verdict, time.monotonic() - began)


def _publishers(sandbox: Sandbox, clock: ScaledClock) -> list[ReelMirrorPublisher | ReapPublisher]:
    environment = sandbox.environment()
    return [
        ReelMirrorPublisher.connect(
            environment["REELMIRROR_API_KEY"], base_url=environment["REELMIRROR_BASE_URL"], clock=clock
        ),
        ReapPublisher.connect(environment["REAP_API_KEY"], base_url=environment["REAP_BASE_URL"], clock=clock),
    ]


def _layout(board: Board, height: int, in_ascii: bool) -> listing.Listing:
    return listing.batch(board, height=height, in_ascii=in_ascii)


def _footer(sandbox: Sandbox, began: float) -> str:
    minutes, seconds = divmod(round((time.monotonic() - began) * SPEED), 60)
    sent = ", ".join(f"{name} {len(sandbox.requests(name))}" for name in ("reelmirror", "reap"))
    return f"{minutes} min {seconds:02} s of the fast clock; requests: {sent}"


def _conclude(
    view: views.View, board: Board, outcomes: Sequence[Outcome], verdict: scenario.Verdict, seconds: float
) -> int:
    for told in ("", *scenario.repairs(board, verdict), ""):
        view.note(told)
    view.listing(listing.batch(board, in_ascii=not sys.stdout.encoding.lower().startswith("utf")))
    view.note("")
    view.listing(scenario.costs(verdict))
    view.note(f"{verdict} It took {seconds:.1f} s.")
    status = of_statuses(outcome.status for outcome in outcomes)
    if len(outcomes) < len(board.rows):
        return ExitStatus.UNKNOWN
    return status or (ExitStatus.SUCCESS if verdict.is_good else ExitStatus.FAILED)
