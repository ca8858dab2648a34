"""What a cell of CSV means in its column: texts, lists, yes and no, JSON; and how a value is written into one.

A spreadsheet runs a cell that begins with ``=`` and the like as a formula, and makes a number of ``1E5``. Where results
are written, such a text gets an apostrophe before it, as does one that begins with an apostrophe, and an empty text;
the row says so in its column `result_guarded`, and there alone the reader takes one apostrophe off again. In all other
rows an apostrophe is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from reelpub.manifest.columns import Column, Kind
from reelpub.manifest.json_text import JsonFault, loads
from reelpub.models.problem import Problem, Severity

__all__ = ["as_cell", "guarded", "native", "unguarded", "worth_a_look"]

_FLAGS: Final = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
"""What makes a spreadsheet take a cell for a formula, full-width signs included, and the guard itself."""

_SPOILT: Final = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_SEPARATES: Final = "entries are separated by ; or given as a JSON array"


def guarded(text: str) -> str:
    """Return *text* so that no spreadsheet runs it or makes it a number, and an empty one can be told from none."""
    return f"'{text}" if not text or text.startswith(_RISKY) or _SPOILT.fullmatch(text) else text


def unguarded(text: str) -> str:
    """Return the text that `guarded` was given."""
    return text.removeprefix("'")


def native(column: Column, text: str, *, is_exact: bool, is_guarded: bool = False) -> Any:
    """Return what *text*, which isn't empty, means in *column*: a JSON value, or the `Problem` with it.

    Spaces around anything but a text for people don't count, unless the cell *is_exact*: written by a program. One that
    *is_guarded* was made a number by no spreadsheet.
    """
    if column.kind is Kind.TEXT:
        return text
    trimmed = text if is_exact else text.strip()
    if not trimmed and not is_exact:
        return None
    match column.kind:
        case Kind.FLAG:
            return _flag(column.name, trimmed)
        case Kind.LIST | Kind.ITEMS:
            return _list(column.name, trimmed, is_exact=is_exact)
        case Kind.SETTINGS | Kind.RAW:
            return _json(column.name, trimmed, "an object")
        case Kind.CLIP if trimmed.startswith("{"):
            return _json(column.name, trimmed, "PROJECT/CLIP or an object")
        case Kind.VALUE:
            return {"true": True, "false": False}.get(trimmed.lower(), trimmed)
        case Kind.NAME if not is_guarded and _SPOILT.fullmatch(trimmed):
            said = "was made a number by the spreadsheet, which lost its end; format the column as text"
            return Problem(field=column.name, value=text, message=said)
    return trimmed


def worth_a_look(column: Column, text: str) -> Problem | None:
    """Return a warning about a cell that can be read and may mean something else."""
    if column.kind is not Kind.LIST or text.lstrip().startswith("[") or "," not in text:
        return None
    return Problem(field=column.name, value=text, message=f"has a comma, and {_SEPARATES}", severity=Severity.WARNING)


def as_cell(value: Any) -> str:
    """Return a value of `native`'s kinds as the text of a cell; it is guarded by whoever writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and value and all(_is_simple(entry) for entry in value):
        return ";".join(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _is_simple(entry: object) -> bool:
    return isinstance(entry, str) and entry == entry.strip() != "" and not set(entry) & set("[;,|\r\n")


def _flag(name: str, text: str) -> bool | Problem:
    known = _FLAGS.get(text.strip().lower())
    return Problem(field=name, value=text, message="has to be yes or no") if known is None else known


def _list(name: str, text: str, *, is_exact: bool) -> Any:
    if text.startswith("["):
        return _json(name, text, 'a JSON array, such as ["launch", "news"]')
    entries = text.split(";")
    entries = entries if is_exact else [entry.strip() for entry in entries if entry.strip()]
    joined = next((entry for entry in entries if name != "tags" and re.search(r"[\s,|]", entry)), None)
    if joined is not None and not is_exact:
        return Problem(field=name, value=joined, message=f"looks like more than one; {_SEPARATES}")
    return entries


def _json(name: str, text: str, wanted: str) -> Any:
    try:
        return loads(text)
    except JsonFault as fault:
        at = "" if fault.position is None else f" (at its character {fault.position})"
        return Problem(field=name, value=text, message=f"{fault.message}{at}; it has to be {wanted}")
