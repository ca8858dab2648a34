"""`reelpub accounts`: which accounts are connected."""

from __future__ import annotations

import asyncio

import click

from reelpub.cli import listing, options, views
from reelpub.cli.exits import ExitStatus, of_error
from reelpub.cli.printable import clean
from reelpub.cli.setup import Setup, orchestrator, setup_of
from reelpub.errors import ReelPubError
from reelpub.models.account import Account

__all__ = ["accounts"]


@click.command()
@options.publisher
@options.as_json
@click.pass_context
def accounts(context: click.Context, publisher: str | None, as_json: bool) -> int:
    """List the connected accounts of every key that is set.

    Example: reelpub accounts --publisher reap
    """
    return asyncio.run(_accounts(setup_of(context), publisher, views.choose(as_json=as_json)))


async def _accounts(setup: Setup, name: str | None, view: views.View) -> int:
    found: list[tuple[str, Account]] = []
    errors: list[ReelPubError] = []
    async with orchestrator(setup, name) as pub:
        for publisher in pub.publishers.values():
            try:
                found += [(publisher.name, account) for account in await publisher.accounts()]
            except ReelPubError as error:
                # One provider's refusal doesn't hide the other's accounts.
                errors.append(error)
    view.listing(listing.accounts(found))
    for refusal in errors:
        click.echo(f"reelpub: {clean(refusal)}", err=True)
    return max(map(of_error, errors), default=ExitStatus.SUCCESS)
