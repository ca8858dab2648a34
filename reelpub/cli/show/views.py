"""The three ways of showing things, and which one to use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from reelpub.cli.show.board import Board
from reelpub.cli.show.jsonlines import JsonView
from reelpub.cli.show.lines import LinesView
from reelpub.cli.show.listing import Listing
from reelpub.cli.show.table import TableView
from reelpub.models.event import JobEvent

__all__ = ["Layout", "View", "choose"]

Layout = Callable[[Board, int, bool], Listing]
"""How a live table shows a board: the board, the rows that there is room for, and whether only ASCII may be used."""


class View(Protocol):
    """Shows what happens and what came of it. Everything it is given may hold text from elsewhere."""

    def open(self, board: Board) -> None:
        """Begin to show *board*, whose requests are about to go out."""
        ...

    def close(self) -> None:
        """Stop showing the board; the terminal is as before."""
        ...

    def tick(self) -> None:
        """Show what changed since the last time; called several times a second."""
        ...

    def event(self, label: str, event: JobEvent) -> None:
        """Show an event of the request called *label*; the board has it already."""
        ...

    def note(self, text: str) -> None:
        """Show a remark to the person at the terminal."""
        ...

    def listing(self, listing: Listing) -> None:
        """Print a result."""
        ...

    def record(self, members: Mapping[str, Any]) -> None:
        """Print an object that only a program wants."""
        ...


def choose(*, as_json: bool, layout: Layout | None = None, footer: Callable[[], str] | None = None) -> View:
    """Return JSON lines where asked, a live table on a terminal, plain lines elsewhere.

    *layout* is how the live table shows its board, *footer* a line under it.
    """
    if as_json:
        return JsonView()
    # FORCE_COLOR makes rich take a pipe for a terminal; a live table there would be noise.
    view = TableView(layout=layout, footer=footer) if sys.stdout.isatty() else None
    return view if view is not None and view.is_able else LinesView()
