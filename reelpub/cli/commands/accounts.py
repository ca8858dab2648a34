"""`reelpub accounts`: which accounts are connected."""

from __future__ import annotations

import asyncio

import click

from reelpub.cli import options
from reelpub.cli.exits import ExitStatus, of_error
from reelpub.cli.page import ENVIRONMENT, UNREAD, Example, Page
from reelpub.cli.setup import Setup, orchestrator, setup_of
from reelpub.cli.show import listing, views
from reelpub.cli.show.advice import complaint
from reelpub.cli.work.waits import telling_waits
from reelpub.errors import ReelPubError
from reelpub.models.account import Account

__all__ = ["accounts"]


@click.command(
    cls=Page,
    examples=(
        Example("Those of every key that is set:", "reelpub accounts"),
        Example(
            "The names of Reap's that can be used:",
            "reelpub accounts --publisher reap --json | jq -r 'select(.is_active).username'",
        ),
    ),
    exits={
        "0": "They were listed.",
        "1": "A key was refused.",
        "2": "Wrong use.",
        "3": "A provider couldn't be reached.",
        **UNREAD,
    },
    environment=ENVIRONMENT,
)
@options.publisher
@options.as_json
@click.pass_context
def accounts(context: click.Context, publisher: str | None, as_json: bool) -> int:
    """List the connected accounts of every key that is set, by the names that --account and manifests take."""
    return asyncio.run(_accounts(setup_of(context), publisher, views.choose(as_json=as_json)))


async def _accounts(setup: Setup, name: str | None, view: views.View) -> int:
    found: list[tuple[str, Account]] = []
    errors: list[ReelPubError] = []
    async with orchestrator(setup, name) as pub:
        with telling_waits(pub.publishers.values(), setup.clock):
            for publisher in pub.publishers.values():
                try:
                    found += [(publisher.name, account) for account in await publisher.accounts()]
                except ReelPubError as error:
                    # One provider's refusal doesn't hide the other's accounts.
                    errors.append(error)
    view.listing(listing.accounts(found))
    for refusal in errors:
        click.echo(complaint(refusal), err=True)
    return max(map(of_error, errors), default=ExitStatus.SUCCESS)
