"""`reelpub wait`: follow posts to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import click
from attrs import frozen

from reelpub.cli import options
from reelpub.cli.exits import ExitStatus, of_error, of_statuses, status_of
from reelpub.cli.page import ENVIRONMENT, EXITS, Example, Page
from reelpub.cli.setup import Setup, orchestrator, setup_of
from reelpub.cli.show import listing, views
from reelpub.cli.show.advice import complaint
from reelpub.cli.show.board import Board
from reelpub.cli.work.following import follow
from reelpub.clocks import utc_now
from reelpub.errors import ConfigurationError, ReelPubError
from reelpub.models.outcome import Outcome
from reelpub.models.post import Post
from reelpub.models.request import PublishRequest
from reelpub.models.source import Draft
from reelpub.orchestrator.orchestrator import Orchestrator

__all__ = ["wait"]


@click.command(
    cls=Page,
    examples=(
        Example(
            "Wait ten minutes for a post at Reap:",
            "reelpub wait --publisher reap --timeout 600 65a1b2c3d4e5f60718293a4b",
        ),
        Example(
            "Wait for two, as long as it takes:",
            "reelpub wait --publisher reap 65a1b2c3d4e5f60718293a4b 65a1b2c3d4e5f60718293a4c",
        ),
    ),
    exits={
        **EXITS,
        "0": "Every post is live on every account.",
        "3": "Some wait for their time, are pending, or can't be known.",
    },
    environment=ENVIRONMENT,
)
@click.argument("post_ids", metavar="POST_ID...", nargs=-1, required=True)
@options.publisher
@options.timeout
@options.as_json
@click.pass_context
def wait(
    context: click.Context, post_ids: tuple[str, ...], publisher: str | None, timeout: float | None, as_json: bool
) -> int:
    """Wait until posts are live, or have failed, on every account.

    POST_ID is the provider's id of a post, as `reelpub publish` prints it. Nothing is sent or called off. The posts of
    a run are followed with `reelpub watch`.
    """
    wanted = _Wanted(ids=tuple(dict.fromkeys(post_ids)), publisher=publisher, timeout=timeout)
    return asyncio.run(_wait(setup_of(context), wanted, views.choose(as_json=as_json)))


@frozen(kw_only=True)
class _Wanted:
    """Which posts to wait for, where, and for how many seconds in all."""

    ids: tuple[str, ...]
    publisher: str | None
    timeout: float | None


async def _wait(setup: Setup, wanted: _Wanted, view: views.View) -> int:
    board = Board()
    errors: list[ReelPubError] = []
    pub = orchestrator(setup, wanted.publisher)

    async def work() -> Sequence[Outcome]:
        options.require_publisher(wanted.publisher, pub.publishers)
        began = setup.clock.monotonic()
        posts = [post for id_ in wanted.ids if (post := await _read(pub, id_, wanted.publisher, errors))]
        found = [_to_follow(post, utc_now(setup.clock)) for post in posts]
        for outcome in found:
            row = board.add(outcome.request)
            row.publisher, row.state, row.job_id = outcome.publisher or "", outcome.status.value, outcome.job_id
            row.put(outcome.deliveries)
        left = None if wanted.timeout is None else max(0.0, began + wanted.timeout - setup.clock.monotonic())
        return await pub.wait_many(found, timeout=left)

    # Nothing is sent or called off, so there is nothing to stay for once nobody reads it.
    outcomes = await follow(pub, board, view, work, ends_unread=True)
    if outcomes:
        view.listing(listing.outcomes(outcomes))
    for refusal in errors:
        click.echo(complaint(refusal), err=True)
    ends = [of_statuses((outcome.status for outcome in outcomes), scheduled_counts=False), *map(of_error, errors)]
    if len(outcomes) + len(errors) < len(wanted.ids):
        ends.append(ExitStatus.UNKNOWN)
    return max(ends)


async def _read(pub: Orchestrator, post_id: str, publisher: str | None, errors: list[ReelPubError]) -> Post | None:
    """Read one post; an error of one is kept in *errors* and doesn't keep the others from being waited for."""
    try:
        return await pub.fetch(post_id, publisher=publisher)
    except ConfigurationError:
        raise
    except ReelPubError as error:
        errors.append(error)
        return None


def _to_follow(post: Post, now: datetime) -> Outcome:
    """Return an outcome that the orchestrator can take up: *post* is all that is known of what was asked for."""
    return Outcome(
        request=PublishRequest(Draft(post.id), reference=post.id),
        job_id=f"wait_{post.id}",
        publisher=post.publisher,
        status=status_of(post),
        deliveries=post.deliveries,
        posts=(post,),
        submitted_at=now,
        settled_at=now,
    )
