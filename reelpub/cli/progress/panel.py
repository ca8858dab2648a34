"""A few lines at the foot of a terminal that change in place, while everything printed stays above them.

rich's own `Live` counts the lines that it drew at the width they had then; a terminal that is made narrower wraps them
anew, and each refresh would leave some behind. This one counts them at the width that the terminal has now.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.control import Control
from rich.segment import ControlType, Segment

__all__ = ["Panel"]


class Panel:
    """Draws at the foot of *console*, which has to be a terminal that can move its cursor."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._widths: list[int] = []
        self._is_open = False

    def show(self, picture: RenderableType) -> None:
        """Draw *picture* in place of the one before."""
        if not self._is_open:
            self._is_open = True
            self._console.show_cursor(show=False)
        lines = self._console.render_lines(picture, pad=False)[: max(1, self._console.height - 1)]
        self._replace(lines)

    def above(self, text: RenderableType, *, soft_wrap: bool = False) -> None:
        """Print *text* for good, above the picture; the next `show` draws it again.

        With *soft_wrap* the terminal wraps it, so that it can be copied in one piece.
        """
        self._erase()
        self._console.print(text, soft_wrap=soft_wrap)

    def close(self) -> None:
        """Take the picture away; what was printed above it stays."""
        self._erase()
        if self._is_open:
            self._is_open = False
            self._console.show_cursor(show=True)

    def _replace(self, lines: Sequence[list[Segment]]) -> None:
        # One write, so that the terminal never shows the place empty.
        self._console.print(_Drawn(self._erasing(), lines), end="", soft_wrap=True)
        self._widths = [Segment.get_line_length(line) for line in lines]

    def _erase(self) -> None:
        if self._widths:
            self._console.control(self._erasing())
            self._widths = []

    def _erasing(self) -> Control:
        width = max(1, self._console.width)
        height = sum(max(1, -(-line // width)) for line in self._widths)
        if not height:
            return Control()
        wipe = (ControlType.ERASE_IN_LINE, 2)
        return Control(ControlType.CARRIAGE_RETURN, wipe, *((ControlType.CURSOR_UP, 1), wipe) * (height - 1))


class _Drawn:
    """Control codes and lines that are rendered already."""

    def __init__(self, before: Control, lines: Sequence[list[Segment]]) -> None:
        self._before = before
        self._lines = lines

    def __rich_console__(self, console: Console, options: object) -> list[Segment]:
        drawn = [self._before.segment]
        for number, line in enumerate(self._lines):
            drawn += [Segment.line(), *line] if number else line
        return drawn
