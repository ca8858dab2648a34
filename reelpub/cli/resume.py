"""`reelpub resume`: end what an earlier run left unfinished."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from reelpub.cli import listing, options, views
from reelpub.cli.board import Board
from reelpub.cli.exits import ExitStatus, of_statuses
from reelpub.cli.following import follow
from reelpub.cli.setup import Setup, orchestrator, setup_of
from reelpub.models.outcome import Outcome
from reelpub.orchestrator.alarm import finish_by
from reelpub.orchestrator.handle import Handle
from reelpub.policies.lateness import Lateness, LatePolicy

__all__ = ["resume"]


@click.command()
@options.store(required=True, exists=True)
@click.option(
    "--late",
    type=click.Choice([policy.value for policy in LatePolicy]),
    default=LatePolicy.ASK.value,
    help="What becomes of posts that were kept here and fell due long ago while nothing ran: they are left unsent and "
    "told (ask, the default), sent now, one after the other (publish), or called off (skip), e.g. --late publish.",
)
@options.publisher
@options.timeout
@options.as_json
@click.pass_context
def resume(context: click.Context, /, **given: Any) -> int:
    """End what an earlier run left unfinished in a store.

    Each post goes on from where it was, those that were kept for their time included. One that may have been sent
    without its answer noted is looked for first, and sent only if it is provably not there. What a running process
    has in hand is left to it.

    Example: reelpub resume --store posts.db
    """
    wanted = _Wanted(
        store=given["store"],
        late=LatePolicy(given["late"]),
        publisher=given["publisher"],
        timeout=given["timeout"],
    )
    return asyncio.run(_resume(setup_of(context), wanted, views.choose(as_json=given["as_json"])))


@frozen(kw_only=True)
class _Wanted:
    """Which store to resume from, how, and for how many seconds in all."""

    store: Path
    late: LatePolicy
    publisher: str | None
    timeout: float | None


async def _resume(setup: Setup, wanted: _Wanted, view: views.View) -> int:
    board = Board()
    left = 0
    pub = orchestrator(setup, wanted.publisher, store=wanted.store, late=Lateness(policy=wanted.late))

    async def work() -> Sequence[Outcome]:
        nonlocal left
        deadline = None if wanted.timeout is None else setup.clock.monotonic() + wanted.timeout
        handles: list[Handle] = []
        while some := await pub.resume():
            for handle in some:
                row = board.add(handle.request)
                row.publisher, row.job_id = handle.job.publisher or "", handle.id
            handles += some
            if not await finish_by(setup.clock, deadline, _all(some)):
                break
        left = await pub.unfinished() - sum(not handle.is_settled for handle in handles)
        return [handle.outcome() for handle in handles]

    outcomes = await follow(pub, board, view, work)
    if outcomes:
        view.listing(listing.outcomes(outcomes))
    if left:
        view.note(f"{left} more are in another process's hands, or of a publisher whose key isn't set here")
    elif not outcomes:
        view.note("nothing is unfinished")
    return max(of_statuses(outcome.status for outcome in outcomes), ExitStatus.UNKNOWN if left else ExitStatus.SUCCESS)


async def _all(handles: Sequence[Handle]) -> None:
    for handle in handles:
        await handle
