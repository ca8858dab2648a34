"""Tables on a terminal, and the live one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import evolve, frozen
from rich.console import Console, ConsoleOptions, Group, OverflowMethod, RenderableType
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from reelpub.cli.show.board import Board
from reelpub.cli.show.fitting import print_fitted
from reelpub.cli.show.listing import Listing, details
from reelpub.cli.show.painting import rich_table
from reelpub.cli.show.printable import clean
from reelpub.cli.show.words import is_noteworthy, sentence
from reelpub.models.event import AccountFailed, JobEvent, JobUnknown

__all__ = ["TableView"]

_FRAME_LINES = 7
"""Lines that the frame, the head and what stands under the table take; the rest of the screen is for rows."""

_LEAST_SECONDS = 0.1


def _everything(board: Board, height: int, in_ascii: bool) -> Listing:
    del height, in_ascii
    return details(board)


class TableView:
    """A live table while something happens, what is worth keeping printed above it; then a table of the results.

    *layout* makes the live listing from the board, *footer* the line under it.
    """

    def __init__(
        self,
        *,
        layout: Callable[[Board, int, bool], Listing] | None = None,
        footer: Callable[[], str] | None = None,
        console: Console | None = None,
    ) -> None:
        # Nothing that is printed here is markup, an emoji code or something to highlight.
        self._console = console or Console(markup=False, emoji=False, highlight=False)
        self._layout = layout or _everything
        self._footer = footer or (lambda: "")
        self._board = Board()
        self._live: Live | None = None
        self._shown_at = 0.0

    @property
    def is_able(self) -> bool:
        """Whether the terminal can move its cursor."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    def open(self, board: Board) -> None:
        self._board = board
        self._live = Live(
            self._picture(), console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop"
        )
        self._live.start(refresh=True)

    def close(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def tick(self) -> None:
        if self._live is not None and time.monotonic() - self._shown_at >= _LEAST_SECONDS:
            self._live.update(self._picture(), refresh=True)
            self._shown_at = time.monotonic()

    def event(self, label: str, event: JobEvent) -> None:
        if is_noteworthy(event):
            style = "yellow" if isinstance(event, (JobUnknown, AccountFailed)) else "green"
            self._console.print(Text(f"{clean(label)}: {sentence(event)}", style=style))
        self.tick()

    def note(self, text: str) -> None:
        self._console.print(Text(clean(text)))

    def listing(self, listing: Listing) -> None:
        print_fitted(self._console, listing)

    def record(self, members: Mapping[str, Any]) -> None:
        pass

    def _picture(self) -> RenderableType:
        in_ascii = not self._console.encoding.startswith("utf")
        cut: OverflowMethod = "crop" if in_ascii else "ellipsis"
        listing = self._layout(self._board, max(1, self._console.height - _FRAME_LINES), in_ascii)
        below = [
            Text(clean(text), style="dim", no_wrap=True, overflow=cut)
            for text in (listing.footer, self._footer())
            if text
        ]
        table = rich_table(evolve(listing, footer=""), cut=cut)
        return Group(_First(table, max(1, self._console.height - 1 - len(below))), *below)


@frozen
class _First:
    """The first *most* lines of *table*: what has scrolled off the screen couldn't be taken away again."""

    table: RenderableType
    most: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in console.render_lines(self.table, options, pad=False)[: self.most]:
            yield from line
            yield Segment.line()
