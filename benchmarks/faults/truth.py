"""What a cell came to: what the caller was told against what the provider has, and against what went live."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from faults.operations import HOUR, move
from faults.stage import Cell, Result, Stage
from reelpub import (
    CancelResult,
    Clip,
    DeliveryStatus,
    Outcome,
    OutcomeStatus,
    PublishRequest,
    ReelMirrorClient,
    ReelPubError,
)
from reelpub.sandbox import REAP_ACCOUNTS, REELMIRROR_ACCOUNTS, REELMIRROR_KEY

__all__ = ["breaches", "judge"]


async def judge(stage: Stage, told: Any, seconds: float) -> Result:
    """Return what the story came to of which the caller was told *told* after *seconds*, once a day has passed."""
    stage.sandbox.faults.clear()
    sent = stage.operation.wire_call
    count = sum(record.operation == sent for record in stage.sandbox.requests())
    outcomes = told if isinstance(told, list) else []
    false = [*_untrue_times(stage, outcomes)]
    await stage.clock.sleep(24 * 3600.0)
    live = Counter((record.account_id, record.source) for record in stage.sandbox.live())
    wanted = Counter() if told is CancelResult.CANCELLED else _wanted(stage)
    false += _untrue(stage, outcomes)
    left, untold = await _drafts(stage, outcomes)
    return Result(
        end=_end(told),
        seconds=seconds,
        lost=(wanted - live).total(),
        doubled=(live - wanted).total(),
        false=(*false, *(f"draft {draft} is left behind, and no outcome says so" for draft in untold)),
        told=left,
        sent=count,
    )


def _wanted(stage: Stage) -> Counter[tuple[str, str]]:
    """Return what was asked for, as the sandbox's ledger names it."""
    accounts = REELMIRROR_ACCOUNTS if stage.operation.provider == "reelmirror" else REAP_ACCOUNTS
    ids = {account.name: account.id for account in accounts}
    return Counter((ids[str(name)], _source(request)) for request in stage.asked for name in _names(request))


def _names(request: PublishRequest) -> Sequence[Any]:
    """Return the accounts of a request; a persona's own, where it names none."""
    return request.accounts or ("instagram:acme", "tiktok:acme")


def _source(request: PublishRequest) -> str:
    clip = request.source
    # Every other source here holds the first media item alone.
    return f"{clip.project_id}/{clip.clip_id}" if isinstance(clip, Clip) else "demo-media-item-1"


def _end(told: Any) -> str:
    if isinstance(told, ReelPubError):
        return f"raised {type(told).__name__}"
    return told.value if isinstance(told, CancelResult) else " and ".join(sorted({o.status.value for o in told}))


def _untrue_times(stage: Stage, outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Name the posts for a later time that an outcome gives another time than was asked for."""
    moved = HOUR if stage.operation.after is move else timedelta()
    for request, outcome in zip(stage.asked, outcomes, strict=False):
        if isinstance(request.at, datetime) and outcome.posts and outcome.posts[-1].scheduled_at != request.at + moved:
            yield f"{outcome.posts[-1].id} is to go out at {outcome.posts[-1].scheduled_at}"


def _untrue(stage: Stage, outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Name the deliveries of which an outcome says what isn't so, now that everything has gone out."""
    live = Counter((record.post_id, record.account_id) for record in stage.sandbox.live())
    at = {record.post_id: record.at for record in stage.sandbox.live()}
    for outcome in outcomes:
        posts = [post.id for post in outcome.posts]
        for delivery in outcome.deliveries:
            times = sum(live[post, delivery.account.id] for post in posts)
            goes_out = delivery.status in (DeliveryStatus.PUBLISHED, DeliveryStatus.SCHEDULED)
            if delivery.status is not DeliveryStatus.UNKNOWN and times != goes_out:
                yield f"{delivery.account} is told {delivery.status} and is live {times} times"
        for post in outcome.posts:
            if (
                post.scheduled_at is not None
                and not 0 <= at.get(post.id, math.inf) - post.scheduled_at.timestamp() <= 60
            ):
                yield f"{post.id} went out at {at.get(post.id)}"


async def _drafts(stage: Stage, outcomes: Sequence[Outcome]) -> tuple[int, list[str]]:
    """Return how many drafts are left behind that an outcome names or warns of, and those of which none speaks."""
    if stage.operation.provider != "reelmirror" or stage.operation.dialect.list_posts != "present":
        return 0, []
    named = {draft for outcome in outcomes for draft in (*outcome.orphans, *outcome.drafts)}
    may_be_left = any(warning.field == "draft" for outcome in outcomes for warning in outcome.warnings)
    async with ReelMirrorClient(REELMIRROR_KEY, base_url=stage.sandbox.reelmirror_url, clock=stage.clock) as client:
        left = [post.id async for post in client.list_outgoing_posts() if post.status == "draft"]
    untold = [] if may_be_left else [draft for draft in left if draft not in named]
    return len(left) - len(untold), untold


def breaches(cell: Cell, result: Result) -> list[str]:
    """Return how *result* breaks what *cell* allows, in words; an account that ends *unknown* isn't called lost."""
    found = list(result.false)
    if result.end != cell.end:
        found.append(f"it ended as {result.end}, not as {cell.end}")
    if result.seconds > cell.within:
        found.append(f"it took {result.seconds:.0f} s, more than {cell.within:.0f} s")
    if result.doubled:
        found.append(f"{result.doubled} accounts got it twice")
    if result.lost and cell.end != OutcomeStatus.UNKNOWN.value:
        found.append(f"{result.lost} accounts never got it")
    if result.told != cell.told:
        found.append(f"{result.told} drafts were left behind and told, not {cell.told}")
    return found
