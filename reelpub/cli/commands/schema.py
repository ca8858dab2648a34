"""`reelpub schema`: what a manifest may hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from reelpub.cli.page import UNREAD, Example, Page
from reelpub.cli.setup import setup_of
from reelpub.manifest.examples import EXAMPLE_FORMATS, example
from reelpub.manifest.schema import shipped_schema

__all__ = ["schema"]


@click.command(
    cls=Page,
    examples=(
        Example("A manifest to begin with, which runs in the sandbox:", "reelpub schema --example csv > posts.csv"),
        Example("What an editor checks JSON and YAML rows with:", "reelpub schema > manifest.schema.json"),
    ),
    exits={"0": "It was printed.", "2": "Wrong use.", **UNREAD},
)
@click.option(
    "--example",
    "example_format",
    type=click.Choice(EXAMPLE_FORMATS),
    help="Print a small manifest to begin with instead, e.g. --example csv > posts.csv.",
)
@click.pass_context
def schema(context: click.Context, example_format: str | None) -> int:
    """Print the JSON Schema of a manifest's row, or a manifest to begin with.

    An editor that is given the schema completes and checks rows of JSON and YAML. The manifest's ids and accounts are
    those of `reelpub sandbox`, so that it runs there as it is.
    """
    if example_format is None:
        click.echo(shipped_schema(), nl=False)
        return 0
    today = datetime.fromtimestamp(setup_of(context).clock.time(), UTC).date()
    # As bytes: the line ends of CSV stay what they are, wherever it is printed.
    click.echo(example(example_format, today + timedelta(days=7)).encode(), nl=False)
    return 0
