"""One post, from the options of `reelpub publish`, to its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from attrs import field, frozen

from reelpub.cli.exits import ExitStatus, of_statuses
from reelpub.cli.setup import Setup, orchestrator, publishers
from reelpub.cli.show import listing, views
from reelpub.cli.show.board import Board
from reelpub.cli.show.printable import clean
from reelpub.cli.show.unread import to_nowhere
from reelpub.cli.stores import prepared
from reelpub.cli.work.dryrun import dry_run
from reelpub.cli.work.following import follow
from reelpub.cli.work.request import settings_from, source_from, when_from
from reelpub.clocks import Clock
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.lifecycle import Stage

__all__ = ["Order", "order_from", "publish_one", "rehearse_one"]


@frozen(kw_only=True)
class Order:
    """A request, how many times what fails of it is sent again, how long to stay with it (seconds), and its store."""

    request: PublishRequest
    retries: int
    waits: bool
    timeout: float | None = field(default=None)
    store: Path | None = field(default=None)


def order_from(given: dict[str, Any]) -> Order:
    """Return what the options ask for.

    Raises:
        click.UsageError: they don't go together.
    """
    request = _request(given)
    if given["retry_failed"] and given["no_wait"]:
        raise click.UsageError("--retry-failed needs to wait: leave --no-wait out")
    return Order(
        request=request,
        retries=given["retry_failed"],
        waits=not given["no_wait"],
        timeout=given["timeout"],
        store=given["store"],
    )


def _request(given: dict[str, Any]) -> PublishRequest:
    return PublishRequest(
        source_from(
            generated_post=given["generated_post"],
            approve=given["approve"],
            media_items=given["media_items"],
            persona=given["persona"],
            draft=given["draft"],
            clip=given["clip"],
        ),
        caption=given["caption"],
        title=given["title"],
        tags=given["tags"],
        accounts=given["accounts"],
        settings=settings_from(given["settings"]),
        at=when_from(given["at"], given["zone"]),
        publisher=given["publisher"],
    )


async def rehearse_one(setup: Setup, order: Order, *, as_json: bool) -> int:
    """Show what publishing the post would send, and return the exit status that it would have."""
    made = publishers(setup.clock, order.request.publisher)
    return await dry_run(made, [order.request], labels=[str(order.request)], clock=setup.clock, as_json=as_json)


async def publish_one(setup: Setup, order: Order, view: views.View) -> int:
    """Publish the post, show it, and return the exit status."""
    pub = orchestrator(setup, order.request.publisher, store=order.store)
    if order.store is not None:
        # Made only now: neither wrong use nor a dry run leaves a file behind.
        prepared(order.store)

    done: list[Outcome] = []

    async def work() -> Sequence[Outcome]:
        done.append(await _carry_out(pub, order, setup.clock))
        return done

    outcomes: Sequence[Outcome] = done
    try:
        outcomes = await follow(pub, Board([order.request]), view, work)
        view.listing(listing.outcomes(outcomes))
        _advise(view, outcomes)
    except OSError:
        # Nobody reads it any more, or its disk is full; the exit status still tells how it ended, as far as is known.
        to_nowhere()
        if not outcomes:
            return ExitStatus.UNKNOWN
    # Interrupted before it was taken on: it provably wasn't sent.
    return of_statuses(outcome.status for outcome in outcomes) if outcomes else ExitStatus.FAILED


async def _carry_out(pub: Orchestrator, order: Order, clock: Clock) -> Outcome:
    deadline = None if order.timeout is None else clock.monotonic() + order.timeout
    if not order.waits:
        return await _until_accepted(pub, pub.submit(order.request, timeout=order.timeout))
    outcome = await pub.publish(order.request, timeout=order.timeout)
    for _ in range(order.retries):
        left = None if deadline is None else max(0.0, deadline - clock.monotonic())
        again = await pub.retry_failed(outcome, timeout=left)
        if again.job_id == outcome.job_id:
            break
        outcome = again
    return outcome


async def _until_accepted(pub: Orchestrator, handle: Handle) -> Outcome:
    """Wait until the provider has every post of the job, or the job has ended."""
    async with pub.stream([handle]) as events:
        async for _ in events:
            parts = handle.job.parts
            if parts and all(part.stage in (Stage.ACCEPTED, Stage.SETTLED) for part in parts):
                break
    return handle.outcome()


def _advise(view: views.View, outcomes: Sequence[Outcome]) -> None:
    """Say what a warning, a post that goes on, or an unknown end asks a person to do."""
    for outcome in outcomes:
        for warning in outcome.warnings:
            view.note(f"warning: {warning}")
        if outcome.status is OutcomeStatus.PENDING and outcome.posts:
            ids = " ".join(clean(post.id) for post in outcome.posts)
            view.note(f"it goes on at the provider; follow it with: reelpub wait --publisher {outcome.publisher} {ids}")
        if outcome.status is OutcomeStatus.UNKNOWN:
            view.note("it may or may not be live: look at the accounts before you send it again")
