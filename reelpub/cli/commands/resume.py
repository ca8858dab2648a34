"""`reelpub resume`: go on with what an earlier command left unfinished."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from reelpub.bulk import history, running
from reelpub.cli import options
from reelpub.cli.exits import ExitStatus, of_statuses
from reelpub.cli.page import ENVIRONMENT, RUN_EXITS, STORE_ENVIRONMENT, STORE_FILES, Example, Page
from reelpub.cli.progress import runviews
from reelpub.cli.setup import Setup, orchestrator, setup_of
from reelpub.cli.show import listing, views
from reelpub.cli.show.board import Board
from reelpub.cli.show.unread import to_nowhere
from reelpub.cli.stores import existing, opened
from reelpub.cli.work import runchoice
from reelpub.cli.work.following import follow
from reelpub.cli.work.undertaking import Case, Floor, conclude, undertake
from reelpub.models.outcome import Outcome
from reelpub.orchestrator.alarm import finish_by
from reelpub.orchestrator.handle import Handle
from reelpub.policies.lateness import Lateness, LatePolicy

__all__ = ["resume"]


@click.command(
    cls=Page,
    examples=(
        Example("Go on with the latest run:", "reelpub resume"),
        Example("Go on with another one, named by the end of its id:", "reelpub resume k3f9"),
        Example("Send what fell due while nothing ran, too:", "reelpub resume --late publish"),
        Example("End the single posts that `publish --store` noted:", "reelpub resume --posts --store posts.db"),
    ),
    exits=RUN_EXITS,
    files=STORE_FILES,
    environment={**ENVIRONMENT, **STORE_ENVIRONMENT},
)
@runchoice.run()
@click.option(
    "--posts",
    is_flag=True,
    help="End single posts that `reelpub publish --store` noted, rather than a run, e.g. --posts --store posts.db. "
    "It is what happens anyhow in a store without runs.",
)
@options.store(exists=True)
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
    """Go on with what an earlier command left unfinished.

    RUN is a run's id, or its end or beginning; without it the latest one is meant. Each post goes on from where it was,
    those that were kept for their time included. One that may have been sent without its answer noted is looked for
    first, and sent only if it is provably not there; that can take a minute. What a running process has in hand is
    left to it and waited for.
    """
    if given["posts"] and given["run"] is not None:
        raise click.UsageError("--posts is about single posts: leave RUN out, or leave --posts out")
    return asyncio.run(_resume(setup_of(context), given))


async def _resume(setup: Setup, given: dict[str, Any]) -> int:
    path = existing(given["store"])
    late = Lateness(policy=LatePolicy(given["late"]))
    view = runviews.Sturdy(runviews.choose(as_json=given["as_json"]))
    async with opened(path) as store:
        has_runs = await history.latest(store) is not None
        run = None
        if given["run"] is not None or (has_runs and not given["posts"]):
            run = await runchoice.chosen(store, given["run"], view.note)
    if run is None:
        wanted = _Wanted(store=path, late=late, publisher=given["publisher"], timeout=given["timeout"])
        return await _posts(setup, wanted, views.choose(as_json=given["as_json"]))
    case = Case(setup=setup, store=path, run=run, view=view, publisher=given["publisher"], late=late)

    def work(floor: Floor) -> Awaitable[object]:
        return running.carry_out(
            floor.pub, floor.store, run, timeout=given["timeout"], on_rows=floor.on_rows, drain=floor.drain
        )

    return conclude(case, await undertake(case, work))


@frozen(kw_only=True)
class _Wanted:
    """Which store to resume single posts from, how, and for how many seconds in all."""

    store: Path
    late: Lateness
    publisher: str | None
    timeout: float | None


async def _posts(setup: Setup, wanted: _Wanted, view: views.View) -> int:
    board = Board()
    handles: list[Handle] = []
    left = 0
    pub = orchestrator(setup, wanted.publisher, store=wanted.store, late=wanted.late)

    async def work() -> Sequence[Outcome]:
        nonlocal left
        deadline = None if wanted.timeout is None else setup.clock.monotonic() + wanted.timeout
        while some := await pub.resume():
            for handle in some:
                row = board.add(handle.request)
                row.publisher, row.job_id = handle.job.publisher or "", handle.id
            handles.extend(some)
            if not await finish_by(setup.clock, deadline, _all(some)):
                break
        left = await pub.unfinished() - sum(not handle.is_settled for handle in handles)
        return [handle.outcome() for handle in handles]

    outcomes: Sequence[Outcome] = ()
    try:
        outcomes = await follow(pub, board, view, work)
        _tell(view, outcomes, left)
    except OSError:
        # Nobody reads it any more, or the disk that it goes to is full; the exit status still tells how it ended.
        to_nowhere()
        outcomes = outcomes or [handle.outcome() for handle in handles]
    return max(of_statuses(outcome.status for outcome in outcomes), ExitStatus.UNKNOWN if left else ExitStatus.SUCCESS)


def _tell(view: views.View, outcomes: Sequence[Outcome], left: int) -> None:
    if outcomes:
        view.listing(listing.outcomes(outcomes))
    if left:
        view.note(f"{left} more are in another process's hands, or of a publisher whose key isn't set here")
    elif not outcomes:
        view.note("nothing is unfinished")


async def _all(handles: Sequence[Handle]) -> None:
    for handle in handles:
        await handle
