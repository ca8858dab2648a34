"""From the body of an answer to a schema, tolerant where ReelMirror's pages disagree or say nothing.

An object comes in the envelope ``data`` (the reference), in ``post`` (the guides) or bare; a list in ``data`` beside
a ``count``, or bare. See contracts/reelmirror.md, contradiction 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

from attrs import NOTHING, fields, frozen

from reelpub.errors import DecodeError
from reelpub.providers.reelmirror.converter import CONVERTER, wire_name
from reelpub.providers.reelmirror.legacy import has_old_names, modern
from reelpub.providers.structure import load_json, structure
from reelpub.transport.http import ErrorBody
from reelpub.transport.message import Response

__all__ = [
    "PROVIDER",
    "Page",
    "decode_json",
    "decode_one",
    "decode_optional",
    "decode_page",
    "decode_rows",
    "read_error",
    "structure_rows",
    "unwrap",
]

PROVIDER = "reelmirror"

_ENVELOPES = ("data", "post")

T = TypeVar("T")


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a list.

    `offset` is the place of the first item. `total` is what ReelMirror calls ``count``: presumably all items there
    are, though no page says so; None where it was missing or no number.
    """

    items: tuple[T, ...]
    total: int | None = None
    offset: int = 0


def unwrap(value: Any, type_: type) -> Any:
    """Return what *value* holds for the schema *type_*, out of ``data`` and then ``post`` where it is in them."""
    required = _required(type_)
    for key in _ENVELOPES:
        if _is_envelope(value, key, required):
            value = value[key]
    return value


def decode_json(response: Response, *, operation: str) -> Any:
    """Return the answer's JSON as it is, or None for an empty body."""
    if not response.body.strip():
        return None
    return load_json(response, operation=operation, provider=PROVIDER)


def decode_one(response: Response, type_: type[T], *, operation: str) -> T:
    """Return the one object of the answer, or raise `DecodeError` where a member it can't do without is missing."""
    raw = load_json(response, operation=operation, provider=PROVIDER)
    return _structure(unwrap(_modern(raw, type_), type_), type_, response, operation)


def decode_optional(response: Response, type_: type[T], *, operation: str) -> T | None:
    """Return the object with an id that the answer holds, or None where it holds none that can be read.

    For writes whose answer no page shows: what they did is known from the status alone. A body that isn't JSON at
    all still raises `DecodeError`.
    """
    value = unwrap(_modern(decode_json(response, operation=operation), type_), type_)
    if not isinstance(value, Mapping) or not isinstance(value.get("id"), str):
        return None
    try:
        return _structure(value, type_, response, operation)
    except DecodeError:
        return None


def decode_page(response: Response, type_: type[T], *, operation: str, offset: int) -> Page[T]:
    """Return one page of a list of *type_*."""
    page = decode_rows(response, operation=operation, offset=offset)
    return Page(items=structure_rows(page.items, type_, operation=operation), total=page.total, offset=offset)


def decode_rows(response: Response, *, operation: str, offset: int) -> Page[Any]:
    """Return one page of a list whose rows are still JSON values."""
    raw = load_json(response, operation=operation, provider=PROVIDER)
    rows = _rows(raw)
    if rows is None:
        raise DecodeError("the answer holds no list", operation=operation, provider=PROVIDER, status=response.status)
    return Page(items=tuple(rows), total=_count(raw), offset=offset)


def structure_rows(rows: Iterable[Any], type_: type[T], *, operation: str) -> tuple[T, ...]:
    """Return *rows* of a successful answer as *type_*; the error names every bad one with its index."""
    kind = list[type_]  # type: ignore[valid-type]
    return tuple(
        structure(CONVERTER, _modern_rows(rows, type_), kind, operation=operation, provider=PROVIDER, status=200)
    )


def read_error(status: int, headers: Mapping[str, str], body: Any) -> ErrorBody:  # noqa: ARG001 - the port's shape
    """Read ``{"error": {code, message, details}}``; anything else gives the best text there is.

    See https://reelmirror.com/docs/api-reference/introduction.
    """
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return ErrorBody(message=_text(error) or f"status {status}")
    code = error.get("code")
    message = _text(error.get("message")) or f"status {status}"
    return ErrorBody(message=message, code=code if isinstance(code, str) else None, details=error.get("details"))


def _structure(value: Any, type_: type[T], response: Response, operation: str) -> T:
    return structure(CONVERTER, value, type_, operation=operation, provider=PROVIDER, status=response.status)


def _modern(value: Any, type_: type) -> Any:
    return modern(value) if has_old_names(type_) else value


def _modern_rows(rows: Iterable[Any], type_: type) -> list[Any]:
    return [modern(row) for row in rows] if has_old_names(type_) else list(rows)


@cache
def _required(type_: type) -> frozenset[str]:
    return frozenset(wire_name(member.name) for member in fields(type_) if member.default is NOTHING)


def _is_envelope(value: Any, key: str, required: frozenset[str]) -> bool:
    """Return whether *value* only wraps the object under *key*: a whole object may have such a member itself."""
    if not isinstance(value, dict) or key not in value or "id" in value:
        return False
    inner = value[key]
    if inner is None:
        return not required or not value.keys() >= required
    return isinstance(inner, dict) and (inner.keys() >= required or not value.keys() >= required)


def _rows(raw: Any) -> list[Any] | None:
    """Return the list of the answer: bare, in ``data``, or the only list among the members."""
    if isinstance(raw, list):
        return raw
    if not isinstance(raw, Mapping):
        return None
    if isinstance(raw.get("data"), list):
        return list(raw["data"])
    lists = [member for member in raw.values() if isinstance(member, list)]
    return lists[0] if len(lists) == 1 else None


def _count(raw: Any) -> int | None:
    count = raw.get("count") if isinstance(raw, Mapping) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _text(value: Any) -> str:
    return " ".join(value.split())[:300] if isinstance(value, str) else ""
