"""Listings in colours: what a status looks like, and a listing as a table."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import OverflowMethod, RenderableType
from rich.table import Table
from rich.text import Text

from reelpub.cli.show.listing import Entry, Listing, Span
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


def rich_table(listing: Listing, *, cut: OverflowMethod | None = None) -> RenderableType:
    """Return *listing* as a table with colours; its texts are clean already and are never read as markup.

    With *cut* each row takes one line, and what there is no room for is cut so, of the last column first.
    """
    # Tight, so that a line of the demonstration fits into 80 columns.
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), title_justify="left", caption_justify="left"
    )
    table.title = Text(clean(listing.title), style="bold") if listing.title else None
    table.caption = Text(clean(listing.footer), style="dim") if listing.footer else None
    for place, name in enumerate(listing.columns, start=1):
        table.add_column(name, overflow=cut or "fold", no_wrap=cut is not None and place < len(listing.columns))
    for row in listing.rows:
        table.add_row(*(_one(entry, cut) for entry in row))
    return table


def _one(entry: Entry, cut: OverflowMethod | None) -> Text:
    return Text.assemble(*(styled(span) for span in entry), no_wrap=cut is not None, overflow=cut)


def styled(span: Span) -> Text:
    """Return *span* in the colour of its status."""
    return Text(span.text, style=STYLES.get(span.status or "", ""))
