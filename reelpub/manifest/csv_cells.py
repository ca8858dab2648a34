"""Cells of CSV: records out of lines, with quotes, and with a fault in one record kept from the next.

The standard library's reader isn't used: it takes the rest of a file for one cell where a quote isn't closed, it counts
lines and not cells, and its limit for a cell is one for the whole process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from attrs import field, frozen

from reelpub.manifest.text import Line, Lines, damage
from reelpub.models.problem import Problem

__all__ = ["MAX_CELL", "RawRecord", "next_record", "quoted"]

MAX_CELL: Final = 2**20
"""The most characters that a cell may have: far above every limit of a platform, far below what hurts."""

_CLOSE_IT = "close the quote, and double every quote inside the text"
_TOO_LONG = f"at most {MAX_CELL:,} characters"


@frozen(kw_only=True)
class RawRecord:
    """One record: the line where it starts and its cells, or what is wrong with it at which cell (from 1)."""

    line: int
    cells: Sequence[str] = ()
    problem: Problem | None = None
    position: int | None = None


@frozen
class _Fault(Exception):
    """A record can't be taken apart: what is wrong, in which cell."""

    message: str
    position: int
    limit: str | None = field(default=None)


@cache
def _patterns(separator: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what begins a quoted cell and what ends it; spaces are allowed outside of the quotes."""
    return re.compile(' *"'), re.compile(rf" *(?:({re.escape(separator)})|[\r\n]*$)")


def next_record(lines: Lines, separator: str) -> RawRecord | None:
    """Return the next record of *lines*, or None at the end; blank lines and comments between records are skipped.

    Where a record can't be taken apart, only its first line is used up.
    """
    for line in lines:
        if line.text.isspace() or line.text.startswith("#"):
            continue
        return _record(line, lines, separator)
    return None


def quoted(text: str) -> str:
    """Return *text* as a cell, in quotes where it needs them."""
    needs = any(mark in text for mark in ',;|\t"\r\n') or text != text.strip() or text.startswith("#")
    return '"' + text.replace('"', '""') + '"' if needs else text


def _record(line: Line, lines: Lines, separator: str) -> RawRecord:
    used: list[Line] = []
    try:
        cells = _cells(line, lines, separator, used)
    except _Fault as fault:
        lines.put_back(used)
        problem = Problem(field="row", message=fault.message, limit=fault.limit)
        return RawRecord(line=line.number, problem=line.problem or problem, position=fault.position)
    if line.problem is not None:
        return RawRecord(line=line.number, problem=line.problem)
    for position, cell in enumerate(cells, start=1):
        wrong = damage(cell)
        if wrong is not None:
            return RawRecord(line=line.number, cells=cells, problem=wrong, position=position)
    return RawRecord(line=line.number, cells=cells)


def _cells(line: Line, lines: Lines, separator: str, used: list[Line]) -> list[str]:
    if '"' not in line.text and len(line.text) <= MAX_CELL:
        return line.text.rstrip("\r\n").split(separator)
    opening, closing = _patterns(separator)
    cells: list[str] = []
    text, start = line.text, 0
    while True:
        opened = opening.match(text, start)
        if opened is None:
            cell, after, is_last = _plain(text, start, separator)
        else:
            cell, text, end = _quoted(text, opened.end(), lines, used, len(cells) + 1)
            closed = closing.match(text, end)
            if closed is None:
                raise _Fault(f"has text after a closing quote; {_CLOSE_IT}", len(cells) + 1)
            after, is_last = closed.end(), closed[1] is None
        if len(cell) > MAX_CELL:
            raise _Fault("is longer than a cell may be", len(cells) + 1, _TOO_LONG)
        cells.append(cell)
        if is_last:
            return cells
        start = after


def _plain(text: str, start: int, separator: str) -> tuple[str, int, bool]:
    end = text.find(separator, start)
    if end < 0:
        return text[start:].rstrip("\r\n"), len(text), True
    return text[start:end], end + 1, False


def _quoted(text: str, start: int, lines: Lines, used: list[Line], position: int) -> tuple[str, str, int]:
    """Return the cell whose quote was opened before *start*, the line that it ends on, and where it ends there."""
    parts: list[str] = []
    size = 0
    while True:
        quote = text.find('"', start)
        if quote < 0:
            parts.append(text[start:])
            size += len(parts[-1])
            if size > MAX_CELL:
                raise _Fault("is longer than a cell may be, or its quote isn't closed", position, _TOO_LONG)
            following = next(lines, None)
            if following is None:
                raise _Fault(f"opens a quote that is never closed; {_CLOSE_IT}", position)
            used.append(following)
            text, start = following.text, 0
        elif text.startswith('""', quote):
            parts.append(text[start : quote + 1])
            start = quote + 2
        else:
            parts.append(text[start:quote])
            return "".join(parts), text, quote + 1
