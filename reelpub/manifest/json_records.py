"""Rows out of JSON lines: one object a line; a line that is none doesn't touch the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import frozen

from reelpub.manifest.columns import find, is_private, unknown
from reelpub.manifest.json_text import JsonFault, loads, position_of
from reelpub.manifest.records import Path, Record
from reelpub.manifest.rows import Place, RowProblem
from reelpub.manifest.text import Line, damage
from reelpub.models.problem import Problem

__all__ = ["json_records"]

_ONE_A_LINE = "each line has to be one JSON object"


@frozen
class _Spots:
    """The line and its text, which is looked through only when a place is asked for: most rows are right."""

    line: int
    text: str

    def find(self, path: Path) -> tuple[int, int | None] | None:
        position = position_of(self.text, path)
        return None if position is None else (self.line, position)


def json_records(lines: Iterable[Line]) -> Iterator[Record]:
    """Yield the rows of JSON lines; blank lines and lines that begin with ``#`` or ``//`` are none."""
    number = 0
    for line in lines:
        text = line.text.strip()
        if text and not text.startswith(("#", "//")):
            number += 1
            yield _row(number, line)


def _row(number: int, line: Line) -> Record:
    wrong = line.problem or damage(line.text)
    if wrong is not None:
        return _broken(number, line.number, wrong, None)
    try:
        value = loads(line.text)
    except JsonFault as fault:
        hint = f"; {_ONE_A_LINE}" if line.text.strip() in ("{", "[", "}", "]") else ""
        return _broken(number, line.number, Problem(field="row", message=fault.message + hint), fault.position)
    if not isinstance(value, dict):
        said = f'is no object; {_ONE_A_LINE}, such as {{"clip": "project/clip"}}'
        return _broken(number, line.number, Problem(field="row", value=_shortened(value), message=said), None)
    spots = _Spots(line.number, line.text)
    problems = tuple(_unknown_members(number, value, spots))
    known = {name: member for name, member in value.items() if find(name) is not None}
    own = {name: member for name, member in value.items() if is_private(name)}
    return Record(number=number, line=line.number, values=known, spots=spots, problems=problems, own=own)


def _unknown_members(number: int, members: dict[str, Any], spots: _Spots) -> Iterator[RowProblem]:
    for name in members:
        if find(name) is None and not is_private(name):
            position = position_of(spots.text, (name,), of_name=True)
            place = Place(line=spots.line, column=name[:100], position=position)
            yield RowProblem(row=number, place=place, problem=unknown(name[:100]))


def _shortened(value: Any) -> Any:
    return value[:200] if isinstance(value, (str, list)) else value


def _broken(number: int, line: int, problem: Problem, position: int | None) -> Record:
    place = Place(line=line, position=position)
    return Record(number=number, line=line, problems=(RowProblem(row=number, place=place, problem=problem),))
