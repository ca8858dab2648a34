"""The JSON Schema of one row, made from the table of columns; the package ships it as ``manifest.schema.json``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import orjson

from reelpub.manifest.columns import COLUMNS, SETTINGS, SOURCES, Column, Kind
from reelpub.manifest.times import CLOCK
from reelpub.models.outcome import OutcomeStatus

__all__ = ["as_json", "row_schema", "shipped_schema"]

_FILE: Final = "manifest.schema.json"
_NAME: Final = {"type": "string", "pattern": r"\S"}
_VOICE: Final = {"type": ["boolean", "null"]}
_MEDIA_ITEM: Final = {
    "type": "object",
    "properties": {"id": _NAME, "use_voice_converted": _VOICE},
    "required": ["id"],
    "additionalProperties": False,
}
_CLIP: Final = {
    "type": "object",
    "properties": {"project": _NAME, "clip": _NAME},
    "required": ["project", "clip"],
    "additionalProperties": False,
}
_NULL: Final = {"type": "null"}
_SHAPES: Final[Mapping[Kind, dict[str, Any]]] = {
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.NAME: {**_NAME, "type": ["string", "null"]},
    Kind.ZONE: {**_NAME, "type": ["string", "null"]},
    Kind.FLAG: {"type": ["boolean", "null"]},
    Kind.LIST: {"type": ["array", "null"], "items": _NAME},
    Kind.ITEMS: {"type": ["array", "null"], "minItems": 1, "items": {"anyOf": [_NAME, _MEDIA_ITEM]}},
    Kind.CLIP: {"anyOf": [{"type": "string", "pattern": r"^[^/]*[^/\s][^/]*/[\s\S]*\S"}, _CLIP, _NULL]},
    Kind.TIME: {"type": ["string", "null"], "pattern": rf"^\s*(?:{CLOCK.pattern})\s*$"},
    Kind.RAW: {"type": ["object", "null"], "additionalProperties": {"type": "object"}},
}
_RESULT_STATUS: Final[dict[str, Any]] = {"enum": [*OutcomeStatus, "", None]}


def row_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one row, as JSON lines and YAML write it.

    It can't say what a zone or a platform is called, nor that nothing may be given in two ways; the reader does.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A row of a reelpub manifest",
        "description": "One post: a source, its texts, the accounts it goes to, and when.",
        "type": "object",
        "properties": {column.name: _property(column) for column in COLUMNS},
        "patternProperties": {
            "^_": {"description": "Your own; it isn't read, and comes back in the results."},
            rf"^(?!(?:{'|'.join(SETTINGS)})\.)[a-z][a-z0-9_]*\.\S(?:.*\S)?$": {
                "description": "A setting of another platform, passed on as it is."
            },
        },
        "additionalProperties": False,
        "oneOf": [_given(source) for source in SOURCES],
        "allOf": [
            _rule(_given("approve", {"const": True}), _given("generated_post")),
            _rule(_given("persona"), _given("media_items")),
            _rule(
                _given("at", {"type": "string", "pattern": r"(?:[Zz]|[+-]\d\d:?\d\d)\s*$"}),
                {"properties": {"zone": _NULL}},
            ),
        ],
    }


def as_json(schema: Mapping[str, Any]) -> str:
    """Return *schema* as the shipped file has it."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def shipped_schema() -> str:
    """Return the schema that the package ships."""
    return files("reelpub.manifest").joinpath(_FILE).read_text(encoding="utf-8")


def _property(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {"description": column.doc}
    if column.name == "result_status":
        return described | _RESULT_STATUS
    if column.is_result and column.kind is not Kind.LIST:
        # Told, and never read.
        return described
    if column.kind is Kind.CHOICE:
        return described | {"enum": [*column.choices, None]}
    if column.kind is Kind.SETTINGS:
        platforms = {platform: _platform(platform) for platform in SETTINGS}
        others = {"type": ["object", "null"]}
        return described | {"type": ["object", "null"], "properties": platforms, "additionalProperties": others}
    return described | _SHAPES[column.kind]


def _platform(platform: str) -> dict[str, Any]:
    known = [column for column in COLUMNS if column.name.startswith(f"{platform}.")]
    members = {column.name.partition(".")[2]: _property(column) for column in known}
    return {"type": ["object", "null"], "properties": members, "additionalProperties": False}


def _given(name: str, shape: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what holds where the column *name* is there and isn't null."""
    return {"required": [name], "properties": {name: shape or {"not": _NULL}}}


def _rule(condition: Mapping[str, Any], consequence: Mapping[str, Any]) -> dict[str, Any]:
    return {"if": condition, "then": consequence}
