"""Reading what came back: bounded bodies, content types, and what an error body says."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import ClientResponse
from attrs import evolve, frozen

from reelpub.errors import DecodeError
from reelpub.policies.retry import TruncatedBody

__all__ = [
    "ERROR_BYTES",
    "ErrorBody",
    "ErrorReader",
    "body_at_hand",
    "check_json",
    "describe_error",
    "plain_text",
    "read_any_error",
    "read_capped",
    "read_up_to",
]

EXCERPT = 300
"""The longest message taken from an error body, in characters."""

ERROR_BYTES = 65_536
"""As much of an error body as is read; nobody needs more to say what went wrong."""

_CHUNK = 65_536
_SKIPPED = re.compile(r"(?is)<(script|style|head)\b.*?</\1\s*>")
_TAG = re.compile(r"<[^<>]*>?")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]+")
_PAIRS = {ord("{"): ord("}"), ord("["): ord("]"), ord('"'): ord('"')}


@frozen(kw_only=True)
class ErrorBody:
    """What a provider's error body says: its words, its machine-readable code, whatever else it holds."""

    message: str
    code: str | None = None
    details: Any = None


ErrorReader = Callable[[int, Mapping[str, str], Any], ErrorBody]
"""Reads ``(status, headers, body)``; the body is decoded JSON, or plain text where it isn't JSON."""


async def read_up_to(response: ClientResponse, limit: int) -> tuple[bytes, bool]:
    """Read at most *limit* decompressed bytes; the second value says whether there was more."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            return b"".join(chunks)[:limit], True
    return b"".join(chunks), False


def body_at_hand(response: ClientResponse, limit: int) -> bytes | None:
    """Return the whole body where it is there already and at most *limit* bytes, as a small one is with its headers.

    None where it has to be waited for, or looked at more closely; then `read_capped` does that.
    """
    announced = response.content_length
    if announced is None or announced > limit or not response.content.is_eof():
        return None
    # What isn't compressed can't be longer than announced.
    return None if "Content-Encoding" in response.headers else response.content.read_nowait()


async def read_capped(response: ClientResponse, limit: int, *, operation: str, provider: str) -> bytes:
    """Read the whole body of a success; `DecodeError` as soon as it is known to be larger than *limit* bytes."""
    announced = response.content_length
    if announced is not None and announced <= limit and "Content-Encoding" not in response.headers:
        return await response.read()
    body, is_more = (b"", True) if announced is not None and announced > limit else await read_up_to(response, limit)
    if is_more:
        raise DecodeError(
            f"the body is larger than {limit} bytes", operation=operation, provider=provider, status=response.status
        )
    return body


def check_json(status: int, headers: Mapping[str, str], body: bytes, *, operation: str, provider: str) -> None:
    """Raise `DecodeError` where a success has a body that isn't JSON by its content type, or is cut off."""
    stripped = body.strip()
    if not stripped:
        return
    content_type = headers.get("content-type", "application/json")
    if content_type != "application/json" and not _is_json(content_type):
        media = content_type.partition(";")[0].strip()[:80]
        raise DecodeError(f"expected JSON, got {media}", operation=operation, provider=provider, status=status)
    # Whether the rest is sound is for the decoder; this costs nothing and lets a read be repeated.
    closing = _PAIRS.get(stripped[0])
    if closing is not None and (stripped[-1] != closing or len(stripped) == 1):
        raise TruncatedBody("the JSON body is cut off", operation=operation, provider=provider, status=status)


def _is_json(content_type: str) -> bool:
    """Return whether a ``Content-Type`` names JSON."""
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or media.endswith("+json")


def plain_text(text: str) -> str:
    """Return a short, one-line excerpt of *text* without markup and control characters."""
    bare = html.unescape(_TAG.sub(" ", _SKIPPED.sub(" ", text)))
    return _BLANK.sub(" ", bare).strip()[:EXCERPT]


def describe_error(
    status: int, headers: Mapping[str, str], body: bytes, *, secret: str, read_error: ErrorReader
) -> ErrorBody:
    """Return what an error answer says. HTML, plain text and nothing at all are fine; *secret* is blotted out."""
    # A provider may echo the key that it refuses.
    body = body.replace(secret.encode(), b"***") if secret else body
    try:
        content: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = plain_text(body.decode("utf-8", "replace"))
    said = read_error(status, headers, content)
    return evolve(said, message=plain_text(said.message) or _phrase(status))


def read_any_error(_status: int, _headers: Mapping[str, str], body: Any) -> ErrorBody:
    """Read an error body of no particular provider: a ``message``, ``error`` or ``detail``, or the text as it is."""
    if isinstance(body, Mapping):
        for name in ("message", "error", "detail"):
            if isinstance(body.get(name), str):
                return ErrorBody(message=body[name], details=body)
        return ErrorBody(message="", details=body)
    return ErrorBody(message=body if isinstance(body, str) else "", details=None if isinstance(body, str) else body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
