"""Plain lines on standard output, for pipes, logs and terminals that can't do more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.cells import cell_len

from reelpub.cli.show.board import Board
from reelpub.cli.show.listing import Listing
from reelpub.cli.show.printable import clean
from reelpub.cli.show.words import sentence
from reelpub.models.event import JobEvent

__all__ = ["LinesOutput", "LinesView", "lines_of"]


class LinesOutput:
    """Lines with the seconds since the first one; results as aligned columns."""

    def __init__(self) -> None:
        self._began: datetime | None = None
        self._width = 0

    def close(self) -> None:
        pass

    def tick(self) -> None:
        pass

    def told(self, at: datetime, label: str, text: str) -> None:
        """Print that *text*, which is safe, was said of *label* at *at*."""
        self._began = self._began or at
        seconds = (at - self._began).total_seconds()
        print(f"{seconds:7.1f}s  {_padded(clean(label), self._width)}  {text}", flush=True)

    def note(self, text: str) -> None:
        print(clean(text), flush=True)

    def listing(self, listing: Listing) -> None:
        for text in lines_of(listing):
            print(text, flush=True)

    def record(self, members: Mapping[str, Any]) -> None:
        pass


class LinesView(LinesOutput):
    """One line an event, with the name of its post."""

    def open(self, board: Board) -> None:
        self._width = max((cell_len(clean(row.label)) for row in board.rows), default=0)

    def event(self, label: str, event: JobEvent) -> None:
        self.told(event.at, label, sentence(event))


def lines_of(listing: Listing) -> list[str]:
    """Return *listing* as aligned columns, two spaces between them, without a frame."""
    table = [list(listing.columns), *(["".join(span.text for span in entry) for entry in row] for row in listing.rows)]
    widths = [max(cell_len(row[place]) for row in table) for place in range(len(listing.columns))]
    body = ["  ".join(_padded(text, width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return [*filter(None, [clean(listing.title)]), *body, *filter(None, [clean(listing.footer)])]


def _padded(text: str, width: int) -> str:
    """Return *text* with as many spaces as it takes to *width* columns, of which some characters take two, or none."""
    return text + " " * (width - cell_len(text))
