"""From the fields of a request, as problems name them, to where they stand in the manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from reelpub.manifest.columns import COLUMNS
from reelpub.manifest.records import Path, Spots
from reelpub.manifest.rows import Place

__all__ = ["Places"]

_FIELDS: Final = ("accounts", "allow_duplicate", "at", "caption", "publisher", "reference", "settings", "tags", "title")
_ELSEWHERE: Final = {
    "source.persona_id": "persona",
    "source.approve": "approve",
    "at.clock": "at",
    "at.zone": "zone",
    "at.gap": "gap",
    "at.fold": "fold",
}
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_SETTING_COLUMNS: Final = [column.name for column in COLUMNS if "." in column.name]


class Places(Mapping[str, Place]):
    """The places of one row's fields, found when they are asked for: a row that is kept costs little.

    *source* is the column that names the source, None where none or several do.
    """

    __slots__ = ("_line", "_source", "_spots")

    def __init__(self, line: int, spots: Spots, source: str | None) -> None:
        self._line, self._spots, self._source = line, spots, source

    def __getitem__(self, field: str) -> Place:
        steps: Path = tuple(int(index) if index else name for index, name in _STEP.findall(field))
        for path in self._paths(field, steps):
            spot = self._spots.find(path)
            if spot is not None:
                return Place(line=spot[0], column=str(path[0]), position=spot[1])
        # Nothing stands there; it still has a column to be filled.
        column = _ELSEWHERE.get(field) or (field if field in _FIELDS else None)
        if column is None and field == "source":
            column = self._source
        if column is None:
            raise KeyError(field)
        return Place(line=self._line, column=column)

    def __iter__(self) -> Iterator[str]:
        names = ("source", *_FIELDS, *_ELSEWHERE)
        return (name for name in names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _paths(self, field: str, steps: Path) -> Iterator[Path]:
        if field in _ELSEWHERE:
            yield (_ELSEWHERE[field],)
        elif steps[:2] == ("source", "items"):
            yield ("media_items", *steps[2:])
        elif steps and steps[0] == "source" and self._source is not None:
            yield (self._source,)
        elif steps and steps[0] == "settings":
            yield from _setting_paths(steps)
        elif steps:
            yield steps


def _setting_paths(steps: Path) -> Iterator[Path]:
    if len(steps) >= 3:
        platform, name = str(steps[1]), str(steps[2])
        for spelt in (name, _snake_case(name)):
            yield (f"{platform}.{spelt}",)
            yield ("settings", platform, spelt)
        yield ("raw_settings", platform, name)
    elif len(steps) == 2:
        yield from ((column, *steps[1:]) for column in ("settings", "raw_settings"))
        yield from ((name,) for name in _SETTING_COLUMNS if name.startswith(f"{steps[1]}."))
    else:
        yield from (("settings",), ("raw_settings",))


def _snake_case(name: str) -> str:
    """Return ``madeForKids`` as ``made_for_kids``: some services' checks name settings in their own words."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda capital: f"_{capital[1].lower()}", name)
