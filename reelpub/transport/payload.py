"""What a request carries: its headers, and its body as bytes or streamed from disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

import aiohttp
import orjson
from multidict import CIMultiDict, CIMultiDictProxy

from reelpub.errors import ConfigurationError
from reelpub.transport.message import Request

__all__ = ["HeaderSets", "encode_json", "is_streamed", "request_headers", "streamed"]


def _version() -> str:
    try:
        return version("reelpub")
    except PackageNotFoundError:
        return "0"


USER_AGENT = f"reelpub/{_version()}"


def is_streamed(request: Request) -> bool:
    """Return whether the body is read from disk while it is sent."""
    return request.file is not None


def encode_json(request: Request) -> bytes | None:
    """Return the JSON body as bytes, None where there is none; `ConfigurationError` where it can't be JSON."""
    if request.json is None:
        return None
    try:
        return orjson.dumps(request.json)
    except orjson.JSONEncodeError as exc:
        raise ConfigurationError(f"{request.operation}: the body can't be written as JSON: {exc}") from None


def request_headers(request: Request, api_key: str) -> dict[str, str]:
    """Return the headers of one request; the key is set here and nowhere else, never on a session."""
    return _headers(has_json=request.json is not None, api_key=api_key if request.authenticated else None)


def _headers(*, has_json: bool, api_key: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
    if has_json:
        headers["Content-Type"] = "application/json"
    if api_key is not None:
        headers["Authorization"] = f"Bearer {api_key}"
    return headers


class HeaderSets:
    """The headers of every kind of request of one key, made once, as aiohttp wants them."""

    def __init__(self, api_key: str) -> None:
        self._sets = {
            (has_json, key is not None): CIMultiDictProxy(CIMultiDict(_headers(has_json=has_json, api_key=key)))
            for has_json in (False, True)
            for key in (None, api_key)
        }

    def of(self, request: Request) -> CIMultiDictProxy[str]:
        """Return the headers of *request*; see `request_headers`."""
        return self._sets[request.json is not None, request.authenticated]


@asynccontextmanager
async def streamed(request: Request) -> AsyncIterator[aiohttp.FormData]:
    """Give the multipart body of *request*; its file is open for as long as the block runs."""
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in (request.form or {}).items():
        form.add_field(name, value)
    if request.file is None:
        yield form
        return
    part = request.file
    try:
        source = await asyncio.to_thread(part.path.open, "rb")
    except OSError as exc:
        raise ConfigurationError(f"file: {part.path} can't be read: {exc.strerror}") from None
    with source:
        form.add_field(part.field_name, source, filename=part.path.name, content_type=part.content_type)
        yield form
