"""What reading a manifest gives: rows, and what is wrong with them, each at its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest

__all__ = ["ManifestRow", "Place", "RowProblem"]


@frozen(kw_only=True)
class Place:
    """A place in a manifest: a line from 1 and, where the fault is narrower than the line, more.

    `column` is the name of the manifest's column. `position` counts from 1: characters within the line in JSONL and
    YAML, cells in CSV.
    """

    line: int
    column: str | None = None
    position: int | None = None

    def __str__(self) -> str:
        parts = [f"line {self.line}"]
        if self.position is not None:
            parts.append(f"column {self.position}")
        if self.column is not None:
            parts.append(f"({self.column})")
        return " ".join(parts)


@frozen(kw_only=True)
class RowProblem:
    """A problem of row *row* (from 1; 0 for the file as a whole), and where to mend it."""

    row: int
    place: Place
    problem: Problem

    @property
    def is_error(self) -> bool:
        """Whether the row can't be sent because of this."""
        return self.problem.is_error

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@frozen(kw_only=True)
class ManifestRow:
    """One row, read. `request` is None where too much is wrong to say what is asked for.

    Where `problems` has errors and there is a request all the same, it lacks what couldn't be read: it is there to be
    checked further, never to be sent. `places` maps a request's fields, as problems name them, to where they stand.
    `skip` says why the row isn't to be run, where the file is the result of an earlier run in which the row went live
    or can't be told; `origin` is that run, with the number that the row had there. `is_blocked` says that a fault told
    elsewhere, such as an unknown column that this row fills, makes the row say less than its writer meant. `own` are
    the JSON values of its writer's own columns, which are kept for the results and mean nothing here.
    """

    number: int
    line: int
    request: PublishRequest | None
    problems: tuple[RowProblem, ...] = ()
    places: Mapping[str, Place] = field(factory=dict, repr=False)
    skip: str | None = None
    origin: tuple[str, int] | None = None
    is_blocked: bool = False
    own: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def is_sound(self) -> bool:
        """Whether nothing that was read keeps the row from being sent."""
        is_whole = self.request is not None and not self.is_blocked
        return is_whole and not any(problem.is_error for problem in self.problems)

    def locate(self, problem: Problem) -> RowProblem:
        """Return *problem* of the request with the place in the file that it speaks of."""
        path = problem.field
        while path and path not in self.places:
            path = path.rpartition("[" if path.endswith("]") else ".")[0]
        return RowProblem(row=self.number, place=self.places.get(path) or Place(line=self.line), problem=problem)
