"""`reelpub status`: how one post stands."""

from __future__ import annotations

import asyncio

import click

from reelpub.cli import options
from reelpub.cli.exits import of_statuses, status_of
from reelpub.cli.page import ENVIRONMENT, EXITS, Example, Page
from reelpub.cli.setup import Setup, orchestrator, setup_of
from reelpub.cli.show import listing, views
from reelpub.cli.work.waits import telling_waits

__all__ = ["status"]


@click.command(
    cls=Page,
    examples=(
        Example("How a post stands at Reap:", "reelpub status --publisher reap 65a1b2c3d4e5f60718293a4b"),
        Example(
            "Its links:", "reelpub status --publisher reap 65a1b2c3d4e5f60718293a4b --json | jq -r '.deliveries[].url'"
        ),
    ),
    exits={**EXITS, "0": "It is live on every account, or waits for its time at the provider."},
    environment=ENVIRONMENT,
)
@click.argument("post_id")
@options.publisher
@options.as_json
@click.pass_context
def status(context: click.Context, post_id: str, publisher: str | None, as_json: bool) -> int:
    """Read one post once and show it, account by account.

    POST_ID is the provider's id of the post, as `reelpub publish` prints it.
    """
    view = views.choose(as_json=as_json)
    return asyncio.run(_status(setup_of(context), publisher, post_id, view))


async def _status(setup: Setup, name: str | None, post_id: str, view: views.View) -> int:
    async with orchestrator(setup, name) as pub:
        options.require_publisher(name, pub.publishers)
        with telling_waits(pub.publishers.values(), setup.clock):
            post = await pub.fetch(post_id, publisher=name)
    view.listing(listing.posts([post]))
    return of_statuses([status_of(post)])
