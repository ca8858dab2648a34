"""From aiohttp's failures to ours: what happened, and whether the request can have left.

An exception of aiohttp is kept as the cause only where nothing of the request's headers can hang on it:
`ClientResponseError` and its kin hold the whole request, the key among its headers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from attrs import define

from reelpub.errors import ConnectError, RequestTimeout, TransportError

__all__ = ["Flight", "ToldRequest", "TooLate", "trace_config", "translate"]

NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
)
"""What aiohttp raises before a connection is there to write to."""


_Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]


class TooLate(Exception):
    """The request was stopped just before its first byte: it may not leave any more."""


@define
class Flight:
    """How far one request has come, as the session's trace or its `ToldRequest` tells it.

    `is_traced` says whether the session tells at all; an injected one doesn't. `is_whole` says whether the headers'
    departure is the whole request's, which holds for bodies that are one piece in memory. `may_leave` is asked when
    the first byte is about to be written. `status` is the answer's, once there is one.
    """

    operation: str
    provider: str
    is_traced: bool
    is_whole: bool = True
    may_leave: Callable[[], bool] | None = None
    is_connected: bool = False
    has_headers_out: bool = False
    status: int | None = None
    _failure: BaseException | None = None

    @property
    def sent(self) -> bool | None:
        """Whether the request left, as far as is known while no answer has come."""
        if not self.is_traced:
            return None
        if not self.is_connected:
            return False
        return True if self.has_headers_out and self.is_whole else None

    def leaves(self) -> None:
        """Note that the first byte is about to be written; raises `TooLate` where it may not be any more."""
        self.is_connected = True
        if self.may_leave is not None and not self.may_leave():
            raise TooLate
        self.has_headers_out = True

    async def once(self, request: aiohttp.ClientRequest, handler: _Handler) -> aiohttp.ClientResponse:
        """Let the request through once: a client middleware that ends aiohttp's own re-sending with the first failure.

        It also hands itself to the request, where the request is one that tells.
        """
        if self._failure is not None:
            raise self._failure
        if request.__class__ is ToldRequest:
            request.flight = self
        try:
            return await handler(request)
        except (aiohttp.ClientError, OSError) as exc:
            self._failure = exc
            raise


def trace_config() -> aiohttp.TraceConfig:
    """Return the trace that fills in the `Flight` passed as a request's trace context."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_connected)
    trace.on_connection_reuseconn.append(_connected)
    trace.on_request_headers_sent.append(_headers_out)
    return trace


async def _connected(_session: Any, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.is_connected = True


async def _headers_out(_session: Any, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.leaves()


class ToldRequest(aiohttp.ClientRequest):
    """A request that tells its `flight` by itself, at the same point as a trace would.

    A trace costs about 20 us of CPU a request, this one. It stands on a method that aiohttp may rename, after which
    nothing would be told and every failure would count as never sent: fit only for what may be repeated.
    """

    flight: Flight | None = None

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Tell the flight, then write: *conn* is there now."""
        if self.flight is not None:
            self.flight.leaves()
        return await super().send(conn)


def translate(exc: BaseException, flight: Flight) -> TransportError:
    """Return our error for *exc*; where an answer had begun, the request did leave."""
    sent = True if flight.status is not None else flight.sent
    error = _typed(exc, flight, sent)
    if not isinstance(exc, aiohttp.ClientResponseError):
        error.__cause__ = exc
    return error


def _typed(exc: BaseException, flight: Flight, sent: bool | None) -> TransportError:
    names = {"operation": flight.operation, "provider": flight.provider}
    if isinstance(exc, TooLate):
        return ConnectError("it was too late to send it, so it wasn't", **names)
    if isinstance(exc, aiohttp.ConnectionTimeoutError):
        return ConnectError("no connection in time", **names)
    if isinstance(exc, NEVER_SENT):
        return ConnectError(f"can't connect: {_words(exc)}", **names)
    if isinstance(exc, asyncio.TimeoutError):
        return RequestTimeout("no whole answer in time", sent=sent, **names)
    if sent is False:
        return ConnectError(f"no connection: {_words(exc)}", **names)
    return TransportError(f"the connection failed: {_words(exc)}", sent=sent, **names)


def _words(exc: BaseException) -> str:
    # Never str(exc): for some types it holds the address with its query.
    os_error = getattr(exc, "os_error", exc)
    reason = getattr(os_error, "strerror", None)
    return f"{type(exc).__name__} ({reason})" if isinstance(reason, str) and reason else type(exc).__name__
