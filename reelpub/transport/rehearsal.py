"""A transport that sends what only reads and shows what would write: the same requests, up to the first byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson
from attrs import frozen

from reelpub.errors import ConfigurationError, TransportError
from reelpub.policies.safety import RequestKind
from reelpub.transport.address import request_url
from reelpub.transport.http import HttpTransport
from reelpub.transport.message import CallOptions, Request, Response, Transport
from reelpub.transport.payload import encode_json, request_headers

__all__ = ["RehearsalTransport", "RehearsedRequest", "StandIn", "rehearsing"]

REDACTED = "[redacted]"


@frozen(kw_only=True)
class RehearsedRequest:
    """One request as it would go over the wire, without the key.

    `headers` are those that are set here; aiohttp adds ``Host``, ``Content-Length`` and the like. `body` is the JSON
    body as values, None where there is none. `is_sent` says whether it went out all the same, as what only reads does.
    """

    operation: str
    provider: str
    kind: RequestKind
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any = None
    is_sent: bool = False


class StandIn(Protocol):
    """Answers in a provider's stead, so that the code that publishes goes on to its next request."""

    def answer(self, request: Request) -> Any:
        """Return the JSON of the answer, or None where the provider itself has to be asked.

        Raises:
            ConfigurationError: it writes, and what the provider would answer isn't known here.
        """
        ...

    def saw(self, request: Request, response: Response) -> None:
        """Take note of the provider's own answer to a read."""
        ...


class RehearsalTransport:
    """Sends reads through *inner*, has *stand_in* answer everything else, and tells *on_request* of each request."""

    def __init__(self, inner: HttpTransport, stand_in: StandIn, on_request: Callable[[RehearsedRequest], None]) -> None:
        self._inner = inner
        self._stand_in = stand_in
        self._on_request = on_request

    @property
    def requests(self) -> Counter[str]:
        """How many requests of each operation were sent: reads alone."""
        return self._inner.requests

    async def send(self, request: Request, options: CallOptions | None = None) -> Response:
        answer = self._stand_in.answer(request)
        is_sent = answer is None
        if is_sent and request.kind is not RequestKind.READ:
            raise ConfigurationError(f"{request.operation}: a rehearsal has no answer for it, so it wasn't sent")
        shown = self._rendered(request, is_sent=is_sent)
        if is_sent:
            self._on_request(shown)
            response = await self._inner.send(request, options)
            self._stand_in.saw(request, response)
            return response
        await self._depart(request, options or CallOptions())
        self._on_request(shown)
        return Response(status=200, headers={"content-type": "application/json"}, body=orjson.dumps(answer))

    async def put_file(
        self,
        url: str,  # noqa: ARG002 - the port's shape
        path: Path,
        *,
        content_type: str,  # noqa: ARG002 - the port's shape
        progress: Callable[[int, int], None] | None = None,  # noqa: ARG002 - the port's shape
        timeout: float | None = None,  # noqa: ARG002 - the port's shape
    ) -> None:
        raise ConfigurationError(f"file: {path} isn't uploaded in a rehearsal")

    async def close(self) -> None:
        await self._inner.close()

    def _rendered(self, request: Request, *, is_sent: bool) -> RehearsedRequest:
        # Encoded as for the wire, so that a body that can't be sent is told here as there.
        body = encode_json(request)
        return RehearsedRequest(
            operation=request.operation,
            provider=self._inner.provider,
            kind=request.kind,
            method=request.method,
            url=str(request_url(self._inner.base_url, request.path, request.query)),
            headers=request_headers(request, REDACTED),
            body=None if body is None else orjson.loads(body),
            is_sent=is_sent,
        )

    async def _depart(self, request: Request, options: CallOptions) -> None:
        """Do what is done when a token was granted and the first byte is about to leave."""
        if options.before_send is not None:
            await options.before_send()
        if options.may_leave is not None and not options.may_leave():
            raise TransportError(
                "it was called off before it left",
                operation=request.operation,
                provider=self._inner.provider,
                sent=False,
            )


def rehearsing(
    transport: Transport, stand_in: StandIn, on_request: Callable[[RehearsedRequest], None]
) -> RehearsalTransport:
    """Return a transport that rehearses in the place of *transport*.

    Raises:
        ConfigurationError: *transport* isn't one that can tell what it would send.
    """
    if not isinstance(transport, HttpTransport):
        raise ConfigurationError(f"transport: {type(transport).__name__} can't show what it would send")
    return RehearsalTransport(transport, stand_in, on_request)
