"""Rows out of CSV: the separator and the header first, then each record with its values by column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from attrs import field, frozen

from reelpub.manifest import csv_values
from reelpub.manifest.columns import Column, canonical, find, is_private, unknown
from reelpub.manifest.csv_cells import RawRecord, next_record
from reelpub.manifest.records import UNREAD, Path, Record, Unreadable
from reelpub.manifest.rows import Place, RowProblem
from reelpub.manifest.text import Line, Lines
from reelpub.models.problem import Problem

__all__ = ["csv_records"]

_SEPARATORS: Final = ",;\t|"
_EXCELS_LINE: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_HEADER_LINES: Final = 20
_GUARDED: Final = "result_guarded"


@frozen(kw_only=True)
class _Header:
    """The columns in their order; None where a cell names none that is read."""

    line: int
    columns: Sequence[Column | None]
    positions: Mapping[str, int]
    own: Mapping[str, int] = field(factory=dict)
    """The indices of the writer's own columns."""
    unread: frozenset[int] = frozenset()
    """The indices of columns whose header can't be read, which is told once."""
    unnamed: frozenset[int] = frozenset()
    problems: tuple[RowProblem, ...] = ()

    @property
    def has_both_ways(self) -> bool:
        """Whether settings may stand in columns of their own as well as together."""
        together = {"settings", "raw_settings"} & set(self.positions)
        return bool(together) and any("." in name for name in self.positions)


@frozen
class _Spots:
    """Every value stands on the row's line, in its column's cell; `given` names the columns that the row fills."""

    line: int
    positions: Mapping[str, int]
    given: frozenset[str] | None = field(default=None)

    def find(self, path: Path) -> tuple[int, int | None] | None:
        name = str(path[0])
        # An entry of a list has no place of its own here; the list has.
        is_here = name in self.positions and (self.given is None or name in self.given)
        return (self.line, self.positions[name]) if is_here else None


def csv_records(lines: Lines, separator: str | None = None) -> Iterator[Record]:
    """Yield the rows of CSV; row 0 tells what is wrong with the header.

    Without *separator* it is the one that makes most of the header's names known: comma, semicolon, tab or bar.

    Raises:
        Unreadable: there is no header.
    """
    separator = _announced(lines) or separator
    header, separator = _header(lines, separator)
    if header.problems:
        yield Record(number=0, line=header.line, problems=header.problems)
    number = 0
    while (raw := next_record(lines, separator)) is not None:
        if any(cell and not cell.isspace() for cell in raw.cells) or raw.problem is not None:
            number += 1
            yield _row(number, raw, header)


def _announced(lines: Lines) -> str | None:
    """Return the separator of Excel's first line, ``sep=;``."""
    first = next(lines, None)
    found = None if first is None else _EXCELS_LINE.fullmatch(first.text)
    if first is not None and found is None:
        lines.put_back([first])
    return None if found is None else found[1]


def _header(lines: Lines, separator: str | None) -> tuple[_Header, str]:
    first = next((line for line in lines if not (line.text.isspace() or line.text.startswith("#"))), None)
    if first is None:
        raise Unreadable(Problem(field="file", message="has no rows, and no header that names the columns"))
    # A quote that is open at the line's end goes on in the next; nothing else is worth waiting for.
    head = [first, *islice(lines, _HEADER_LINES if first.text.count('"') % 2 else 0)]
    lines.put_back(head)
    separator = separator or max(_SEPARATORS, key=lambda one: _known(head, one))
    raw = next_record(lines, separator)
    if raw is None or raw.problem is not None:
        problem = Problem(field="file", message="has a header that can't be read") if raw is None else raw.problem
        raise Unreadable(problem or Problem(field="file", message=""), Place(line=first.number))
    header = _named(raw)
    if not header.positions:
        said = "has no header: the first line has to name the columns, such as clip,caption,accounts"
        raise Unreadable(Problem(field="file", value=first.text.rstrip()[:200], message=said), Place(line=first.number))
    return header, separator


def _known(head: Sequence[Line], separator: str) -> int:
    raw = next_record(Lines(head), separator)
    return 0 if raw is None else sum(find(canonical(name)) is not None for name in raw.cells)


def _named(raw: RawRecord) -> _Header:
    columns: list[Column | None] = []
    positions: dict[str, int] = {}
    own: dict[str, int] = {}
    unread: set[int] = set()
    problems: list[RowProblem] = []
    for index, cell in enumerate(raw.cells):
        name = canonical(cell)
        column = None if is_private(name) else find(name)
        wrong = _header_problem(cell, name, column, positions)
        if wrong is not None:
            place = Place(line=raw.line, column=cell.strip()[:100], position=index + 1)
            problems.append(RowProblem(row=0, place=place, problem=wrong))
            unread.add(index)
            column = None
        elif column is not None:
            positions[column.name] = index + 1
        elif name:
            own.setdefault(cell.strip(), index)
        columns.append(column)
    return _Header(
        line=raw.line,
        columns=columns,
        positions=positions,
        own=own,
        unread=frozenset(unread),
        unnamed=frozenset(index for index, cell in enumerate(raw.cells) if not cell.strip()),
        problems=tuple(problems),
    )


def _header_problem(cell: str, name: str, column: Column | None, known: Mapping[str, int]) -> Problem | None:
    if not name or is_private(name):
        return None
    if column is None:
        return unknown(cell.strip()[:100] if "." in cell else name[:100])
    if column.name in known:
        return Problem(field=column.name, message=f"is a column already, the {known[column.name]}. one")
    return None


def _row(number: int, raw: RawRecord, header: _Header) -> Record:
    problems: list[RowProblem] = []

    def tell(problem: Problem, index: int | None) -> None:
        column = header.columns[index] if index is not None and index < len(header.columns) else None
        name, position = column.name if column else None, None if index is None else index + 1
        place = Place(line=raw.line, column=name, position=position)
        problems.append(RowProblem(row=number, place=place, problem=problem))

    if raw.problem is not None:
        tell(raw.problem, None if raw.position is None else raw.position - 1)
        return Record(number=number, line=raw.line, problems=tuple(problems))
    misfit = _misfit(raw.cells, header)
    if misfit is not None:
        tell(misfit, None if len(raw.cells) < len(header.columns) else len(header.columns))
        return Record(number=number, line=raw.line, problems=tuple(problems))
    for index in header.unnamed:
        if raw.cells[index].strip():
            tell(Problem(field="row", value=raw.cells[index], message="stands in a column without a name"), index)
    is_exact = _is_exact(raw.cells, header)
    values = _values(raw.cells, header, tell, is_exact=is_exact)
    given = frozenset(values) if header.has_both_ways else None
    return Record(
        number=number,
        line=raw.line,
        values=values,
        spots=_Spots(raw.line, header.positions, given),
        problems=tuple(problems),
        is_blocked=any(raw.cells[index].strip() for index in header.unread),
        own=_own(raw.cells, header, is_exact=is_exact),
    )


def _misfit(cells: Sequence[str], header: _Header) -> Problem | None:
    """Return the problem with a record that has fewer cells than the header, or text beyond them."""
    width = len(header.columns)
    if len(cells) < width:
        said = f"has {len(cells)} of the header's {width} cells; add the missing separators"
        return Problem(field="row", message=said)
    beyond = next((cell for cell in cells[width:] if cell.strip()), None)
    if beyond is None:
        return None
    said = f"has {len(cells)} cells and the header {width}; put a text that has the separator in it into quotes"
    return Problem(field="row", value=beyond, message=said)


def _is_exact(cells: Sequence[str], header: _Header) -> bool:
    at = header.positions.get(_GUARDED)
    return at is not None and cells[at - 1].strip().lower() == "yes"


def _own(cells: Sequence[str], header: _Header, *, is_exact: bool) -> dict[str, str]:
    given = {name: cells[index] for name, index in header.own.items() if cells[index]}
    return {name: csv_values.unguarded(cell) for name, cell in given.items()} if is_exact else given


def _values(cells: Sequence[str], header: _Header, tell: Any, *, is_exact: bool) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for index, column in enumerate(header.columns):
        cell = cells[index]
        if column is None or not cell:
            continue
        text = csv_values.unguarded(cell) if is_exact else cell
        value = csv_values.native(column, text, is_exact=is_exact, is_guarded=text != cell)
        if isinstance(value, Problem):
            tell(value, index)
            value = UNREAD
        elif not is_exact and (doubt := csv_values.worth_a_look(column, text)) is not None:
            tell(doubt, index)
        values[column.name] = value
    return values
