"""A row between its format and its meaning: values by column, and a way to find where each of them stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from attrs import field, frozen

from reelpub.manifest.rows import ManifestRow, Place, RowProblem
from reelpub.models.problem import Problem

__all__ = ["NOWHERE", "UNREAD", "Path", "Record", "Spots", "Unreadable", "file_row"]

Path = tuple[str | int, ...]
"""The way to a value: a column, and within a list or an object further, such as ``("accounts", 1)``."""


class Spots(Protocol):
    """Where the values of one row stand."""

    def find(self, path: Path) -> tuple[int, int | None] | None:
        """Return the line and the position of the value, or None where there is none or it can't be told."""
        ...


class _Nowhere:
    def find(self, path: Path) -> tuple[int, int | None] | None:
        del path
        return None


NOWHERE: Spots = _Nowhere()
"""No value stands anywhere: for a row that couldn't be taken apart."""


class _Unread:
    """See `UNREAD`."""


UNREAD: Final = _Unread()
"""Stands for a value that is there and couldn't be read; its problem is told already."""


@frozen(kw_only=True)
class Record:
    """One row, taken apart but not yet understood.

    `values` are JSON values by column; None and a missing one mean the same. `own` are those of the writer's own
    columns. `shared` names the columns whose values come from YAML's defaults, so that a fault in one isn't told for
    every row. A record with errors among its `problems` and no `values` couldn't be taken apart.
    """

    number: int
    line: int
    values: Mapping[str, Any] = field(factory=dict)
    spots: Spots = field(default=NOWHERE, repr=False)
    problems: tuple[RowProblem, ...] = ()
    shared: frozenset[str] = frozenset()
    own: Mapping[str, Any] = field(factory=dict, repr=False)
    is_blocked: bool = False


class Unreadable(Exception):
    """The file, or the rest of it, can't be read as a manifest."""

    def __init__(self, problem: Problem, place: Place | None = None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.place = place or Place(line=1)


def file_row(problem: Problem, place: Place) -> ManifestRow:
    """Return row 0, which tells a problem of the file as a whole."""
    return ManifestRow(
        number=0, line=place.line, request=None, problems=(RowProblem(row=0, place=place, problem=problem),)
    )
