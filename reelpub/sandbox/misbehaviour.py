"""Faults on the wire: answers that are changed before they are sent, and connections that break."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.utils import formatdate
from typing import Any

import orjson
from aiohttp import web
from attrs import evolve, frozen

from reelpub.sandbox.connections import Connection
from reelpub.sandbox.faults import Fault, FaultKind

__all__ = ["BIG_BODY_BYTES", "SILENT_KINDS", "Answer", "abort", "changed", "send"]

BIG_BODY_BYTES = 50 * 1024 * 1024
_CHUNK = 256 * 1024
_SLOW_PIECES = 10
_HTML = b"<html><head><title>Bad gateway</title></head><body><h1>Something went wrong</h1></body></html>"

SILENT_KINDS = frozenset(
    {FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.HANG_BEFORE, FaultKind.HANG_AFTER, FaultKind.LATE}
)
"""The kinds that answer nothing at all."""


@frozen(kw_only=True)
class Answer:
    """What is to be sent: status, headers and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def changed(answer: Answer, fault: Fault, now: float) -> Answer:
    """Return *answer* as *fault* makes it. Kinds that only break the connection leave it as it is."""
    change = _CHANGES.get(fault.kind)
    return answer if change is None else change(answer, fault, now)


async def send(
    request: web.BaseRequest, answer: Answer, fault: Fault | None, connection: Connection, closing: asyncio.Event
) -> web.StreamResponse:
    """Send *answer* the way *fault* wants it sent, and return what aiohttp needs to go on."""
    way = None if fault is None else _WAYS.get(fault.kind)
    if fault is None or way is None:
        return _response(answer)
    sending = _Sending(request=request, answer=answer, fault=fault, connection=connection, closing=closing)
    return await way(sending)


def abort(request: web.BaseRequest) -> web.StreamResponse:
    """Close the request's connection at once, with nothing sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body or None)


def _with(answer: Answer, **headers: str) -> Answer:
    return evolve(answer, headers={**answer.headers, **{k.replace("_", "-"): v for k, v in headers.items()}})


def _without_rate(answer: Answer, fault: Fault, now: float) -> Answer:
    del fault, now
    kept = {name: value for name, value in answer.headers.items() if not name.startswith("X-RateLimit")}
    return evolve(answer, headers=kept)


def _retry_after(answer: Answer, fault: Fault, now: float) -> Answer:
    seconds = 5.0 if fault.seconds is None else fault.seconds
    value = formatdate(now + seconds, usegmt=True) if fault.text == "date" else f"{seconds:g}"
    return _with(_without_rate(answer, fault, now), Retry_After=value)


def _html(answer: Answer, fault: Fault, now: float) -> Answer:
    del now
    status = 500 if fault.kind is FaultKind.HTML_500 else 502
    return _with(Answer(status=status, headers=answer.headers, body=_HTML), Content_Type="text/html; charset=utf-8")


def _cut(answer: Answer, fault: Fault, now: float) -> Answer:
    del fault, now
    body = answer.body if len(answer.body) > 2 else b'{"data": {}}'
    return _with(
        evolve(answer, status=_with_body(answer), body=body[: len(body) // 2]), Content_Type="application/json"
    )


def _wrong_type(answer: Answer, fault: Fault, now: float) -> Answer:
    del fault, now
    body = answer.body or b"{}"
    return _with(evolve(answer, status=_with_body(answer), body=body), Content_Type="text/plain; charset=utf-8")


def _as_json(answer: Answer, fault: Fault, now: float) -> Answer:
    del fault, now
    return _with(evolve(answer, status=_with_body(answer)), Content_Type="application/json")


def _redirect(answer: Answer, fault: Fault, now: float) -> Answer:
    del now
    return _with(
        Answer(status=302, headers=answer.headers, body=b""), Location=fault.text or "http://elsewhere.invalid/"
    )


def _stale(answer: Answer, fault: Fault, now: float) -> Answer:
    """Leave out of every list what was made too lately; totals stay, as they are counted elsewhere."""
    until = now - (20.0 if fault.seconds is None else fault.seconds)
    body = orjson.loads(answer.body)
    for name, member in body.items():
        if isinstance(member, list):
            body[name] = [row for row in member if _made_at(row) <= until]
    return evolve(answer, body=orjson.dumps(body))


def _made_at(row: Any) -> float:
    made: object = row.get("createdAt", row.get("created_at"))
    return datetime.fromisoformat(made).timestamp() if isinstance(made, str) else float(str(made))


def _with_body(answer: Answer) -> int:
    return 200 if answer.status == 204 else answer.status


_CHANGES: Mapping[FaultKind, Callable[[Answer, Fault, float], Answer]] = {
    FaultKind.RATE_LIMITED_BARE: _without_rate,
    FaultKind.RETRY_AFTER: _retry_after,
    FaultKind.HTML_500: _html,
    FaultKind.HTML_502: _html,
    FaultKind.HTML_502_AFTER: _html,
    FaultKind.TRUNCATED_JSON: _cut,
    FaultKind.WRONG_CONTENT_TYPE: _wrong_type,
    FaultKind.REDIRECT: _redirect,
    FaultKind.STALE_LIST: _stale,
    FaultKind.BIG_BODY: _as_json,
}


@frozen(kw_only=True)
class _Sending:
    """All that a way of sending needs."""

    request: web.BaseRequest
    answer: Answer
    fault: Fault
    connection: Connection
    closing: asyncio.Event

    @property
    def body(self) -> bytes:
        """The answer's body; a fault that breaks off within one needs one."""
        return self.answer.body or b"{}"

    async def begin(self, length: int) -> web.StreamResponse:
        """Send the headers of an answer with *length* bytes of body."""
        response = web.StreamResponse(status=_with_body(self.answer), headers=self.answer.headers)
        response.content_length = length
        await response.prepare(self.request)
        return response


async def _lose(sending: _Sending) -> web.StreamResponse:
    return abort(sending.request)


async def _hang(sending: _Sending) -> web.StreamResponse:
    """Wait until the sandbox closes; aiohttp cancels the handler when the client leaves first."""
    await sending.closing.wait()
    return abort(sending.request)


async def _reset(sending: _Sending) -> web.StreamResponse:
    """Send the headers and half of the body, then a TCP reset: a socket closed with a linger time of zero sends one."""
    response = await sending.begin(len(sending.body))
    await response.write(sending.body[: len(sending.body) // 2])
    transport = sending.request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return response


async def _doom(sending: _Sending) -> web.StreamResponse:
    sending.connection.is_doomed = True
    return _response(sending.answer)


async def _trickle(sending: _Sending) -> web.StreamResponse:
    """Send the body in pieces over *seconds* of the loop's own time: it is HTTP time-outs that this is to test."""
    response = await sending.begin(len(sending.body))
    pause = (2.0 if sending.fault.seconds is None else sending.fault.seconds) / _SLOW_PIECES
    step = -(-len(sending.body) // _SLOW_PIECES)
    for start in range(0, len(sending.body), step):
        if await _closes_within(sending.closing, pause):
            return abort(sending.request)
        await response.write(sending.body[start : start + step])
    return response


async def _closes_within(closing: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(closing.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _pour(sending: _Sending) -> web.StreamResponse:
    """Send 50 MB of well-formed JSON, as far as the client takes it."""
    head, tail = b'{"padding": "', b'"}'
    response = await sending.begin(BIG_BODY_BYTES)
    await response.write(head)
    left = BIG_BODY_BYTES - len(head) - len(tail)
    while left:
        if sending.closing.is_set():
            return abort(sending.request)
        await response.write(b"x" * min(_CHUNK, left))
        left -= min(_CHUNK, left)
    await response.write(tail)
    return response


_WAYS: Mapping[FaultKind, Callable[[_Sending], Awaitable[web.StreamResponse]]] = {
    FaultKind.LOST_BEFORE: _lose,
    FaultKind.LOST_AFTER: _lose,
    FaultKind.LATE: _lose,
    FaultKind.HANG_BEFORE: _hang,
    FaultKind.HANG_AFTER: _hang,
    FaultKind.RESET_IN_BODY: _reset,
    FaultKind.CLOSE_POOLED: _doom,
    FaultKind.SLOW_BODY: _trickle,
    FaultKind.BIG_BODY: _pour,
}
