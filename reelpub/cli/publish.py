"""`reelpub publish`: one post, to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from attrs import field, frozen

from reelpub.cli import listing, options, views
from reelpub.cli.board import Board
from reelpub.cli.exits import ExitStatus, of_statuses
from reelpub.cli.following import follow
from reelpub.cli.printable import clean
from reelpub.cli.request import settings_from, source_from, when_from
from reelpub.cli.setup import Setup, orchestrator, setup_of
from reelpub.clocks import Clock
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.lifecycle import Stage

__all__ = ["publish"]


@click.command()
@click.option(
    "--generated-post", metavar="ID", help="Publish a generated post, e.g. --generated-post demo-generated-post-1."
)
@click.option(
    "--approve",
    is_flag=True,
    help="Send the generated post in ReelMirror's one-call way, to every active "
    "account of its persona and as it is, e.g. --generated-post ID --approve.",
)
@click.option(
    "--media-item",
    "media_items",
    metavar="ID",
    multiple=True,
    help="Publish media items in this order, e.g. --media-item demo-media-item-1 --media-item demo-media-item-2.",
)
@click.option("--persona", metavar="ID", help="The persona of the media items, e.g. --persona demo-persona-1.")
@click.option("--draft", metavar="ID", help="Publish a draft that exists already, e.g. --draft 5d1f...")
@click.option(
    "--clip",
    callback=options.clip,
    metavar="PROJECT/CLIP",
    help="Publish a finished clip of Reap, e.g. --clip demo-project-1/demo-clip-1.",
)
@click.option("--caption", metavar="TEXT", help="The caption, e.g. --caption 'Launch day'.")
@click.option("--title", metavar="TEXT", help="The title, where the platform has one, e.g. --title 'Launch day'.")
@click.option(
    "--tag", "tags", metavar="TEXT", multiple=True, help="A tag, given again for each, e.g. --tag launch --tag news."
)
@click.option(
    "--account",
    "accounts",
    metavar="ACCOUNT",
    multiple=True,
    help="An account by platform and name or by id, given again for each, e.g. --account tiktok:acme. "
    "Without any, those that the provider has for a generated post or draft.",
)
@click.option(
    "--at",
    metavar="TIME",
    help="Publish at a later time, with an offset or together with --zone, e.g. --at 2027-03-28T14:30+02:00.",
)
@click.option("--zone", metavar="ZONE", help="The time zone of --at, e.g. --at '2027-03-28 14:30' --zone Europe/Oslo.")
@click.option(
    "--setting",
    "settings",
    callback=options.settings,
    metavar="PLATFORM.NAME=VALUE",
    multiple=True,
    help="A setting of a platform, given again for each, e.g. --setting tiktok.privacy=friends.",
)
@click.option(
    "--retry-failed",
    type=click.IntRange(0, 10),
    default=0,
    metavar="TIMES",
    help="Send what provably isn't live again, so many times, e.g. --retry-failed 2.",
)
@click.option(
    "--no-wait",
    is_flag=True,
    help="Stop once the provider has the post; it is then pending, and the exit "
    "status 3, e.g. --no-wait, and later: reelpub wait POST_ID.",
)
@options.store()
@options.publisher
@options.timeout
@options.as_json
@click.pass_context
def publish(context: click.Context, /, **given: Any) -> int:
    """Publish one post and wait until it is live, or has failed, on every account.

    With --at it is done once the provider has it scheduled. Ctrl-C stops the waiting, not a post that has left; what
    is known by then is told, and `reelpub wait POST_ID` goes on.

    Example: reelpub publish --clip demo-project-1/demo-clip-1 --title 'Launch day' --account tiktok:acme
    """
    order = _Order(
        request=_request(given),
        retries=given["retry_failed"],
        waits=not given["no_wait"],
        timeout=given["timeout"],
        store=given["store"],
    )
    if order.retries and not order.waits:
        raise click.UsageError("--retry-failed needs to wait: leave --no-wait out")
    return asyncio.run(_publish(setup_of(context), order, views.choose(as_json=given["as_json"])))


@frozen(kw_only=True)
class _Order:
    """A request, how many times what fails of it is sent again, how long to stay with it (seconds), and its store."""

    request: PublishRequest
    retries: int
    waits: bool
    timeout: float | None = field(default=None)
    store: Path | None = field(default=None)


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


async def _publish(setup: Setup, order: _Order, view: views.View) -> int:
    pub = orchestrator(setup, order.request.publisher, store=order.store)

    async def work() -> Sequence[Outcome]:
        return [await _carry_out(pub, order, setup.clock)]

    outcomes = await follow(pub, Board([order.request]), view, work)
    view.listing(listing.outcomes(outcomes))
    _advise(view, outcomes)
    # Interrupted before it was taken on: it provably wasn't sent.
    return of_statuses(outcome.status for outcome in outcomes) if outcomes else ExitStatus.FAILED


async def _carry_out(pub: Orchestrator, order: _Order, clock: Clock) -> Outcome:
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
