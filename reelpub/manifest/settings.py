"""The platforms' settings of a row: typed ones for the platforms known here, all others as they are."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

from attrs import define, field

from reelpub.manifest.cells import Cells
from reelpub.manifest.columns import SETTINGS, Kind, find, suggest, unknown
from reelpub.manifest.records import UNREAD, Path
from reelpub.models.settings import PlatformSettings

__all__ = ["settings_of"]

_TWICE: Final = "is given twice in this row; keep one"


@define
class _Collected:
    """What was found so far, by platform."""

    typed: dict[str, dict[str, Any]] = field(factory=dict)
    raw: dict[str, dict[str, Any]] = field(factory=dict)

    def put(self, cells: Cells, path: Path, platform: str, name: str, value: Any) -> None:
        """Take a setting, unless it is there already."""
        settings = (self.typed if platform in SETTINGS else self.raw).setdefault(platform, {})
        if name in settings:
            cells.refuse(path, _TWICE, value)
        else:
            settings[name] = value


def settings_of(cells: Cells) -> dict[str, PlatformSettings]:
    """Return the settings by platform, out of `settings`, the columns of single ones, and `raw_settings`."""
    found = _Collected()
    for platform, members in cells.mapping("settings").items():
        _together(cells, found, platform, members)
    for column, value in cells.record.values.items():
        if "." in column and value is not None and value is not UNREAD:
            _put(cells, found, (column,), column, value)
    for platform, members in cells.mapping("raw_settings").items():
        path = ("raw_settings", platform)
        if not isinstance(members, dict):
            cells.refuse(path, "has to be an object of the service's own members", members)
        elif platform in found.typed or platform in found.raw:
            cells.refuse(path, "has settings elsewhere in this row; keep one", members)
        else:
            found.raw[platform] = members
    typed = {platform: SETTINGS[platform](**members) for platform, members in found.typed.items()}
    return {**typed, **found.raw}


def _together(cells: Cells, found: _Collected, platform: str, members: Any) -> None:
    path = ("settings", platform)
    known = platform.lower() if platform.lower() in SETTINGS else platform
    if members is None:
        return
    if not isinstance(members, dict):
        cells.refuse(path, "has to be an object of settings", members)
        return
    if known not in SETTINGS and get_close_matches(known.lower(), SETTINGS, cutoff=0.8):
        cells.refuse(path, f"isn't a platform{suggest(platform, SETTINGS)}")
        return
    (found.typed if known in SETTINGS else found.raw).setdefault(known, {})
    for name, value in members.items():
        if known in SETTINGS and find(f"{known}.{name}") is None:
            cells.note((*path, name), unknown(f"{known}.{name}"))
        elif value is not None or known not in SETTINGS:
            _put(cells, found, (*path, name), f"{known}.{name}", value)


def _put(cells: Cells, found: _Collected, path: Path, full_name: str, value: Any) -> None:
    platform, _, name = full_name.partition(".")
    column = find(full_name)
    if platform in SETTINGS and column is not None:
        read = cells.flag_at(path, value) if column.kind is Kind.FLAG else cells.name_at(path, value)
        if read is None:
            return
        value = read
    found.put(cells, path, platform, name, value)
