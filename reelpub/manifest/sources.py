"""The source of a row: which of the four columns names it, and what belongs to it."""

from __future__ import annotations

from typing import Any

from reelpub.manifest.cells import Cells
from reelpub.manifest.columns import SOURCES
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItem, MediaItems, Source

__all__ = ["source_column", "source_of"]

_ONE = "one of generated_post, media_items, draft and clip"
_CLIP = "has to be PROJECT/CLIP, such as demo-project-1/demo-clip-1"


def source_column(cells: Cells) -> str | None:
    """Return the column that names the source, None where none or several do."""
    named = [column for column in SOURCES if cells.has(column)]
    return named[0] if len(named) == 1 else None


def source_of(cells: Cells) -> Source | None:
    """Return the source, or None with the problems noted."""
    named = [column for column in SOURCES if cells.has(column)]
    # What fills a column that can't be read may be what is missed here; that is told already, once.
    if not named and not cells.record.is_blocked:
        cells.refuse((), f"names nothing to publish; fill {_ONE}")
    for column in named[1:]:
        cells.refuse((column,), f"names a second source beside {named[0]}; keep one")
    approve, persona = cells.flag("approve"), cells.name("persona")
    if approve and named and "generated_post" not in named:
        cells.refuse(("approve",), "goes with generated_post only", approve)
    if persona is not None and named and "media_items" not in named:
        cells.refuse(("persona",), "goes with media_items only", persona)
    if len(named) != 1:
        return None
    return _made(cells, named[0], approve=approve or False, persona=persona)


def _made(cells: Cells, column: str, *, approve: bool, persona: str | None) -> Source | None:
    if column == "clip":
        return _clip(cells)
    if column == "media_items":
        items = _items(cells)
        return MediaItems(items, persona_id=persona) if items else None
    name = cells.name(column)
    if name is None:
        return None
    return Draft(name) if column == "draft" else GeneratedPost(name, approve=approve)


def _clip(cells: Cells) -> Clip | None:
    value = cells.value("clip")
    if isinstance(value, dict):
        return _clip_of_object(cells, value)
    text = cells.name("clip")
    if text is None:
        return None
    project, _, clip = text.partition("/")
    if not (project.strip() and clip.strip()):
        cells.refuse(("clip",), _CLIP, text)
        return None
    return Clip(project, clip)


def _clip_of_object(cells: Cells, value: dict[str, Any]) -> Clip | None:
    for name in value.keys() - {"project", "clip"}:
        cells.refuse(("clip", name), "isn't known; a clip has project and clip")
    project = cells.name_at(("clip", "project"), value.get("project"), is_entry=True)
    clip = cells.name_at(("clip", "clip"), value.get("clip"), is_entry=True)
    return Clip(project, clip) if project is not None and clip is not None else None


def _items(cells: Cells) -> list[MediaItem]:
    values = cells.value("media_items")
    if values is None:
        return []
    if not isinstance(values, list) or not values:
        cells.refuse(("media_items",), 'has to be a list of ids, such as ["demo-media-item-1"]', values)
        return []
    found = [_item(cells, index, value) for index, value in enumerate(values)]
    return [item for item in found if item is not None]


def _item(cells: Cells, index: int, value: Any) -> MediaItem | None:
    path = ("media_items", index)
    if not isinstance(value, dict):
        name = cells.name_at(path, value, is_entry=True)
        return None if name is None else MediaItem(name)
    for name in value.keys() - {"id", "use_voice_converted"}:
        cells.refuse((*path, name), "isn't known; a media item has id and use_voice_converted")
    name = cells.name_at((*path, "id"), value.get("id"), is_entry=True)
    voice = cells.flag_at((*path, "use_voice_converted"), value.get("use_voice_converted"))
    return None if name is None else MediaItem(name, use_voice_converted=voice)
