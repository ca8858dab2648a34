"""Listings on a terminal of any width: as a table where it fits, else with what doesn't fit on lines of its own."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from reelpub.cli.show.listing import Entry, Listing
from reelpub.cli.show.painting import rich_table, styled
from reelpub.cli.show.printable import clean

__all__ = ["fits", "print_fitted", "stacked"]

_GAP = 2
_LEAST_INDENT = 4


def print_fitted(console: Console, listing: Listing) -> None:
    """Print *listing*, whatever the width of *console*. A link is left to the terminal to wrap, so it can be copied."""
    if fits(listing, console.width):
        console.print(rich_table(listing))
        return
    for text in stacked(listing, console.width):
        console.print(text, soft_wrap=True)


def fits(listing: Listing, width: int) -> bool:
    """Return whether *listing* as a table needs no more than *width* columns."""
    return sum(_widths(listing)) + _GAP * len(listing.columns) <= width


def stacked(listing: Listing, width: int) -> list[Text]:
    """Return *listing* as lines: each row's last entry, a link or a reason, stands under the others.

    Where those don't fit side by side either, each entry has a line.
    """
    lines = _wrapped(Text(clean(listing.title), style="bold"), "", width) if listing.title else []
    widths = _widths(listing)[:-1]
    is_narrow = sum(widths) + _GAP * len(widths) > width
    if not is_narrow:
        lines.append(Text(_joined([Text(name) for name in listing.columns[:-1]], widths).plain, style="bold"))
    indent = " " * min(_LEAST_INDENT, (widths[0] if widths else 0) + _GAP)
    for row in listing.rows:
        *head, last = (_entry(entry) for entry in row)
        if is_narrow:
            lines += _narrow(head, indent, width)
        else:
            lines.append(_joined(head, widths))
        if last.plain:
            lines += _wrapped(last, indent, width)
    if listing.footer:
        lines += _wrapped(Text(clean(listing.footer), style="dim"), "", width)
    return lines


def _widths(listing: Listing) -> list[int]:
    columns = [
        [name, *(_entry(row[place]).plain for row in listing.rows)] for place, name in enumerate(listing.columns)
    ]
    return [max(map(cell_len, texts)) for texts in columns]


def _entry(entry: Entry) -> Text:
    return Text.assemble(*(styled(span) for span in entry))


def _joined(entries: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for entry, width in zip(entries, widths, strict=True):
        padded = entry.copy()
        padded.pad_right(width - cell_len(entry.plain) + _GAP)
        line.append_text(padded)
    line.rstrip()
    return line


def _narrow(head: Sequence[Text], indent: str, width: int) -> list[Text]:
    """Return the entries with as many on each line as fit."""
    lines = [Text()]
    for entry in head:
        room = width - cell_len(lines[-1].plain) - _GAP
        if lines[-1].plain.strip() and cell_len(entry.plain) > room:
            lines.append(Text(indent))
        elif lines[-1].plain.strip():
            lines[-1].append("  ")
        lines[-1].append_text(entry)
    return lines


def _wrapped(text: Text, indent: str, width: int) -> list[Text]:
    """Break *text* at its spaces; a single word that is too long, such as a link, stays in one piece."""
    if cell_len(indent + text.plain) <= width:
        return [Text(indent + text.plain, style=text.style)]
    lines: list[Text] = []
    line = ""
    for word in text.plain.split():
        if line and cell_len(indent + line) + 1 + cell_len(word) > width:
            lines.append(Text(indent + line, style=text.style))
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, Text(indent + line, style=text.style)]
