"""The values of one row, each checked for being what its column holds; whatever is wrong is noted and left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from reelpub.manifest.columns import COLUMNS
from reelpub.manifest.records import UNREAD, Path, Record
from reelpub.manifest.rows import Place, RowProblem
from reelpub.models.problem import Problem

__all__ = ["Cells"]

_CHOICES = {column.name: column.choices for column in COLUMNS if column.choices}


@define
class Cells:
    """One record being read. `told` are the problems so far; those of shared values are kept apart."""

    record: Record
    told: list[RowProblem] = field(factory=list)
    shared: list[RowProblem] = field(factory=list)

    def has(self, column: str) -> bool:
        """Return whether the row gives *column*, readable or not."""
        return self.record.values.get(column) is not None

    def value(self, column: str) -> Any:
        """Return what stands in *column*, None where nothing does or it couldn't be read."""
        value = self.record.values.get(column)
        return None if value is UNREAD else value

    def refuse(self, path: Path, message: str, value: object = None, *, limit: str | None = None) -> None:
        """Note a problem with the value at *path*."""
        self.note(path, Problem(field=_field(path), message=message, value=_brief(value), limit=limit))

    def note(self, path: Path, problem: Problem) -> None:
        """Note *problem* at *path*, or at the nearest value around it that has a place."""
        spot, around = None, path
        while around and (spot := self.record.spots.find(around)) is None:
            around = around[:-1]
        line, position = spot or (self.record.line, None)
        place = Place(line=line, column=str(path[0]) if path else None, position=position)
        told = self.shared if path and path[0] in self.record.shared else self.told
        told.append(RowProblem(row=self.record.number, place=place, problem=problem))

    def text(self, column: str) -> str | None:
        """Return a text, which may be empty."""
        return self.text_at((column,), self.value(column))

    def name(self, column: str) -> str | None:
        """Return a text that isn't blank."""
        return self.name_at((column,), self.value(column))

    def flag(self, column: str) -> bool | None:
        """Return True or False."""
        return self.flag_at((column,), self.value(column))

    def choice(self, column: str) -> str | None:
        """Return one of the words that the column allows."""
        word = self.name(column)
        known = _CHOICES[column]
        if word is None or word.lower() in known:
            return word and word.lower()
        self.refuse((column,), "isn't one of the words allowed", word, limit=", ".join(known))
        return None

    def names(self, column: str) -> tuple[str, ...]:
        """Return a list of texts that aren't blank."""
        values = self.value(column)
        if values is None:
            return ()
        if not isinstance(values, list):
            self.refuse((column,), f'has to be a list, such as ["{_sample(values)}"]', values)
            return ()
        found = [self.name_at((column, index), value, is_entry=True) for index, value in enumerate(values)]
        return tuple(one for one in found if one is not None)

    def mapping(self, column: str) -> Mapping[str, Any]:
        """Return an object."""
        value = self.value(column)
        if value is None or isinstance(value, dict):
            return value or {}
        self.refuse((column,), "has to be an object from platform to settings", value)
        return {}

    def text_at(self, path: Path, value: Any) -> str | None:
        """Return *value*, found at *path*, if it is a text."""
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(path, f"has to be text, {_instead(value)}", value)
        elif "\0" in value:
            self.refuse(path, "holds a NUL character, which no text has")
        else:
            return value
        return None

    def name_at(self, path: Path, value: Any, *, is_entry: bool = False) -> str | None:
        """Return *value*, found at *path*, if it is a text that isn't blank; an entry of a list has to be there."""
        text = self.text_at(path, value)
        if text is not None and not text.strip():
            self.refuse(path, "is empty; leave it out" if not is_entry else "is an empty entry")
        elif text is None and value is None and is_entry:
            self.refuse(path, "is an empty entry")
        else:
            return text
        return None

    def flag_at(self, path: Path, value: Any) -> bool | None:
        """Return *value*, found at *path*, if it is True or False."""
        if value is None or isinstance(value, bool):
            return value
        self.refuse(
            path,
            "has to be true or false, without quotes" if isinstance(value, str) else "has to be true or false",
            value,
        )
        return None


def _field(path: Path) -> str:
    """Return *path* as problems name it: ``accounts[1]``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".") or "row"


def _brief(value: object) -> object:
    return value[:200] if isinstance(value, str) else value


def _instead(value: object) -> str:
    if isinstance(value, bool):
        return f'not a switch; write "{str(value).lower()}" in quotes'
    if isinstance(value, (int, float)):
        return f'not a number; write "{value}" in quotes'
    return "not a list" if isinstance(value, list) else "not an object"


def _sample(value: object) -> str:
    return value[:40] if isinstance(value, str) and value.strip() else "launch"
