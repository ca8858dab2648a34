"""Reading Reap's answers, its error bodies and the body of its webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs

from reelpub.providers.reap.converter import CONVERTER
from reelpub.providers.reap.schemas import Clip, Post, Project, UploadTarget, WebhookEvent
from reelpub.providers.structure import camel_case, load_json, structure
from reelpub.transport.http import ErrorBody
from reelpub.transport.message import Response

__all__ = [
    "PROVIDER",
    "decode",
    "decode_anything",
    "decode_deleted",
    "decode_rows",
    "read_error",
    "read_webhook",
    "structure_rows",
]

T = TypeVar("T")

PROVIDER: Final = "reap"

_WORDS: Final[dict[type, str]] = {Clip: "clip", Post: "post", Project: "project", UploadTarget: "upload"}
"""What an envelope around each of these would be called; the documented answers are bare."""


def decode(response: Response, type_: type[T], *, operation: str) -> T:
    """Return the body of *response* as *type_*, out of an envelope if there is one; `DecodeError` if it can't be."""
    value = _peel(load_json(response, operation=operation, provider=PROVIDER), type_)
    return structure(CONVERTER, value, type_, operation=operation, provider=PROVIDER, status=response.status)


def decode_rows(response: Response, type_: type[T], member: str, *, operation: str) -> tuple[T, list[Any]]:
    """Return a page of type *type_* without its rows, and its rows, the list *member*, as JSON values."""
    value = _peel(load_json(response, operation=operation, provider=PROVIDER), type_)
    rows = value.get(member) if isinstance(value, dict) else None
    bare = {**value, member: []} if isinstance(rows, list) else value
    page = structure(CONVERTER, bare, type_, operation=operation, provider=PROVIDER, status=response.status)
    return page, rows if isinstance(rows, list) else []


def structure_rows(rows: list[Any], type_: type[T], member: str, *, operation: str) -> T:
    """Return a page of type *type_* that holds *rows* in *member*; the error names every bad one with its index."""
    return structure(CONVERTER, {member: rows}, type_, operation=operation, provider=PROVIDER, status=200)


def decode_deleted(response: Response, type_: type[T], *, operation: str) -> T:
    """Return the answer to a deletion; a success without a body says as much as one with it."""
    return decode(response, type_, operation=operation) if response.body.strip() else type_()


def decode_anything(response: Response, *, operation: str) -> Any:
    """Return a body whose shape nobody documents, as JSON; None where there is none."""
    return load_json(response, operation=operation, provider=PROVIDER) if response.body.strip() else None


def read_webhook(body: bytes) -> WebhookEvent:
    """Return what Reap sends to a webhook when a project ends; `DecodeError` if it isn't that.

    Nothing is signed, so anybody who knows the address can send one: read the project before you trust it. Answer
    200 with an empty body within 10 s (https://docs.reap.video/api-reference/webhooks).
    """
    return decode(Response(status=200, headers={}, body=body), WebhookEvent, operation="webhook")


def read_error(_status: int, _headers: Mapping[str, str], body: Any) -> ErrorBody:
    """Read ``{"detail": text | list | object}`` into one line; there are no machine-readable codes.

    A rejected value that the service quotes beside its words is left out: it may be a signed address.
    """
    detail = body.get("detail", body) if isinstance(body, Mapping) else body
    if isinstance(detail, str):
        return ErrorBody(message=detail)
    items = detail if isinstance(detail, list) else [detail]
    kept = [_reason(item) for item in items if isinstance(item, (Mapping, str))]
    return ErrorBody(message="; ".join(filter(None, map(_line, kept))), details=kept or None)


def _peel(value: Any, type_: type[Any]) -> Any:
    members = {camel_case(a.name) for a in attrs.fields(type_)}
    for word in ("data", _WORDS.get(type_)):
        if isinstance(value, dict) and isinstance(value.get(word), dict) and not members & value.keys():
            value = value[word]
    return value


def _reason(item: Mapping[str, Any] | str) -> dict[str, Any]:
    """Keep where, what and of which kind."""
    if isinstance(item, str):
        return {"msg": item}
    words = next((item[name] for name in ("msg", "message", "error") if isinstance(item.get(name), str)), None)
    kept = {"loc": item.get("loc"), "msg": words, "type": item.get("type")}
    return {name: value for name, value in kept.items() if value is not None}


def _line(reason: Mapping[str, Any]) -> str:
    place = reason.get("loc")
    path = ".".join(map(str, place)) if isinstance(place, list) else ""
    return ": ".join(part for part in (path, reason.get("msg") or reason.get("type")) if part)
