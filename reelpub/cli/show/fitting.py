"""Listings on a terminal of any width: as a table where it fits, else with what doesn't fit under each row."""

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
    """Return *listing* as lines: as many columns as fit side by side, and under each row what is left of it.

    The last entry, a link or a reason, is always among that. The heads stand in the same way. Where not even two
    columns fit, there are none, and each row has as many entries on a line as fit.
    """
    lines = _wrapped(Text(clean(listing.title), style="bold"), "", width) if listing.title else []
    widths = _widths(listing)
    count = _side_by_side(widths[:-1], width)
    indent = " " * min(_LEAST_INDENT, (widths[0] if widths[:-1] else 0) + _GAP)
    heads = [Text(name, style="bold") for name in listing.columns]
    if count:
        lines += [_joined(heads[:count], widths[:count]), *_under(heads[count:], indent, width)]
    for row in listing.rows:
        entries = [_entry(entry) for entry in row]
        first = [_joined(entries[:count], widths[:count])] if count else _packed(entries[:-1], "", indent, width)
        lines += [*first, *_under(entries[count or -1 :], indent, width)]
    if listing.footer:
        lines += _wrapped(Text(clean(listing.footer), style="dim"), "", width)
    return lines


def _side_by_side(widths: Sequence[int], width: int) -> int:
    """Return how many columns of *widths* fit side by side; 0 for one of several, which would be no table."""
    fitting = [count for count in range(1, len(widths) + 1) if sum(widths[:count]) + _GAP * (count - 1) <= width]
    count = max(fitting, default=0)
    return 0 if count == 1 < len(widths) else count


def _under(entries: Sequence[Text], indent: str, width: int) -> list[Text]:
    """Return what stands under a row: on one line if it fits, else the last on lines of its own."""
    told = [entry for entry in entries if entry.plain]
    together = _packed(told, indent, indent, width)
    if len(together) <= 1 and all(cell_len(line.plain) <= width for line in together):
        return together
    return [*_packed(told[:-1], indent, indent, width), *_wrapped(told[-1], indent, width)]


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


def _packed(entries: Sequence[Text], start: str, indent: str, width: int) -> list[Text]:
    """Return *entries* with as many on each line as fit: the first line after *start*, the others after *indent*."""
    lines: list[Text] = []
    for entry in entries:
        if lines and cell_len(lines[-1].plain) + _GAP + cell_len(entry.plain) <= width:
            lines[-1].append(" " * _GAP)
        else:
            lines.append(Text(indent if lines else start))
        lines[-1].append_text(entry)
    return lines


def _wrapped(text: Text, indent: str, width: int) -> list[Text]:
    """Break *text* at its spaces; a single word that is too long, such as a link, stays in one piece."""
    if cell_len(indent + text.plain) <= width:
        return [Text(indent).append_text(text)]
    lines: list[Text] = []
    line = ""
    for word in text.plain.split():
        if line and cell_len(indent + line) + 1 + cell_len(word) > width:
            lines.append(Text(indent + line, style=text.style))
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, Text(indent + line, style=text.style)]
