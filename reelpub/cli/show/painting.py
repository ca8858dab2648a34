"""Listings in colours: what a status looks like, and a listing as a table."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reelpub.cli.show.listing import Listing, Span
from reelpub.cli.show.printable import clean

__all__ = ["STYLES", "rich_table", "styled"]

STYLES: Mapping[str, str] = {
    "published": "green",
    "active": "green",
    "scheduled": "cyan",
    "partly_published": "yellow",
    "failed": "red",
    "refused": "red",
    "not_sent": "red",
    "cancelled": "magenta",
    "duplicate": "magenta",
    "unknown": "bold yellow",
    "looking up": "yellow",
    "pending": "blue",
    "publishing": "blue",
    "accepted": "blue",
    "sent": "blue",
}


def rich_table(listing: Listing) -> RenderableType:
    """Return *listing* as a table with colours; its texts are clean already and are never read as markup."""
    # Tight, so that a line of the demonstration fits into 80 columns.
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), title_justify="left", caption_justify="left"
    )
    table.title = Text(clean(listing.title), style="bold") if listing.title else None
    table.caption = Text(clean(listing.footer), style="dim") if listing.footer else None
    for name in listing.columns:
        table.add_column(name, overflow="fold")
    for row in listing.rows:
        table.add_row(*(Text.assemble(*(styled(span) for span in entry)) for entry in row))
    return table


def styled(span: Span) -> Text:
    """Return *span* in the colour of its status."""
    return Text(span.text, style=STYLES.get(span.status or "", ""))
