"""The HTTP shell common to both providers: key, rate limit, scope, validation and ordered faults around pure state."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import formatdate
from itertools import count
from urllib.parse import parse_qsl

import orjson
from aiohttp import web
from attrs import define, evolve, field

from reelpub.clocks import Clock
from reelpub.sandbox.connections import Connection
from reelpub.sandbox.contract import MethodNotAllowed, NoSuchPath, Operation, Problem, load_contract
from reelpub.sandbox.faults import Fault, FaultBook, FaultKind
from reelpub.sandbox.keys import Credential, KeyRing
from reelpub.sandbox.limits import Decision, RateLimit, Window, open_window
from reelpub.sandbox.misbehaviour import SILENT_KINDS, Answer, abort, changed, send
from reelpub.sandbox.parsing import bearer_key, read_body, refuse_problems
from reelpub.sandbox.provider import Provider
from reelpub.sandbox.records import RecordedExchange, RequestRecord
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = ["LARGEST_BODY", "Observer", "Shell"]

Observer = Callable[[RecordedExchange], None]
LARGEST_BODY = 16 * 1024 * 1024
"""Bytes; a larger body is read to its end, but not kept."""

_REMEMBERED = 200_000
_LATE_SECONDS = 20.0
_TOO_LARGE = Problem(where=("body",), message="is too large", keyword="maxLength")
_REFUSING = {
    FaultKind.RATE_LIMITED: 429,
    FaultKind.RATE_LIMITED_BARE: 429,
    FaultKind.RETRY_AFTER: 429,
    FaultKind.PAYMENT_REQUIRED: 402,
    FaultKind.FORBIDDEN: 403,
    FaultKind.CONFLICT: 409,
}
_TEXTS = {
    402: "Not enough credit for this operation.",
    403: "This key lacks the permission for this operation.",
    409: "This resource exists already.",
    429: "Too many requests.",
}


@define
class _Visit:
    """One request on its way through the shell."""

    now: float
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw: bytes
    connection: Connection
    operation: Operation | None = None
    key: str = ""
    quota: Decision | None = None
    fault: Fault | None = None
    limited: bool = False
    executed: bool = False
    allow: tuple[str, ...] = field(default=())


class Shell:
    """One provider behind HTTP.

    *limit* counts each key, or each key and endpoint if *limit_per_endpoint*; None switches it off. `records` are the
    requests, oldest first (the last 200,000).
    """

    def __init__(
        self,
        provider: Provider,
        keys: KeyRing,
        limit: RateLimit | None,
        *,
        clock: Clock,
        faults: FaultBook,
        limit_per_endpoint: bool = False,
        observer: Observer | None = None,
    ) -> None:
        self.provider, self.keys, self.limit = provider, keys, limit
        self.contract = load_contract(provider.name)
        self.records: deque[RequestRecord] = deque(maxlen=_REMEMBERED)
        self._clock, self._faults, self._observer = clock, faults, observer
        self._limit_per_endpoint = limit_per_endpoint
        self._windows: dict[tuple[str, str], Window] = {}
        self._late: list[tuple[float, int, Call]] = []
        self._late_numbers = count()

    def advance(self, now: float) -> None:
        """Let everything happen that is due by *now*, Unix seconds: late calls first, each at its time."""
        while self._late and self._late[0][0] <= now:
            due, _, call = heapq.heappop(self._late)
            self.provider.advance(due)
            # A call that is refused by then was never heard of.
            with suppress(Refusal):
                self.provider.handle(evolve(call, now=due))
        self.provider.advance(now)

    async def answer(
        self, request: web.BaseRequest, connection: Connection, closing: asyncio.Event
    ) -> web.StreamResponse:
        """Answer *request*, or do to its connection what an ordered fault wants."""
        visit = await self._arrival(request, connection)
        if connection.is_doomed:
            visit.fault = Fault(FaultKind.CLOSE_POOLED)
            self._match_quietly(visit)
            self._remember(visit, None)
            return abort(request)
        self.advance(visit.now)
        answer = self._answer(visit, self._decide(visit))
        silent = visit.fault is not None and visit.fault.kind in SILENT_KINDS
        self._remember(visit, None if silent else answer)
        return await send(request, answer, visit.fault, connection, closing)

    async def _arrival(self, request: web.BaseRequest, connection: Connection) -> _Visit:
        raw = bytearray()
        async for chunk in request.content.iter_any():
            if len(raw) <= LARGEST_BODY:
                raw += chunk
        path, _, query = request.raw_path.partition("?")
        return _Visit(
            now=self._clock.time(),
            method=request.method,
            path=path,
            query=query,
            headers=request.headers,
            raw=bytes(raw),
            connection=connection,
        )

    def _decide(self, visit: _Visit) -> Reply:
        """Return the reply, having carried out the call if it gets that far."""
        try:
            call = self._admit(visit)
            return self._carry_out(visit, call)
        except Refusal as refusal:
            return Reply(status=refusal.status, body=self.provider.error(refusal))

    def _admit(self, visit: _Visit) -> Call:
        """Return the validated call. Raises `Refusal` for what the shell itself refuses."""
        operation, path = self._match(visit)
        visit.operation = operation
        credential = self._authenticate(visit, operation)
        self._spend(visit, operation)
        self._authorise(credential, operation)
        if len(visit.raw) > LARGEST_BODY:
            raise refuse_problems(self.provider.name, [_TOO_LARGE])
        query, problems = self.contract.read_query(operation, parse_qsl(visit.query, keep_blank_values=True))
        body, wrong = read_body(self.contract, operation, visit.headers.get("Content-Type", ""), visit.raw)
        if problems or wrong:
            raise refuse_problems(self.provider.name, problems + wrong)
        return Call(
            operation=operation.id,
            key=visit.key,
            path=path,
            query=query,
            body=body.value,
            files=body.files,
            now=visit.now,
        )

    def _carry_out(self, visit: _Visit, call: Call) -> Reply:
        fault = visit.fault = self._faults.for_call(self.provider.name, call.operation, call.key)
        reply = Reply(body={})
        if fault is None or fault.takes_effect:
            reply = self.provider.handle(call)
            visit.executed = True
        if fault is not None and fault.kind is FaultKind.LATE:
            seconds = _LATE_SECONDS if fault.seconds is None else fault.seconds
            heapq.heappush(self._late, (visit.now + seconds, next(self._late_numbers), call))
        if fault is not None and fault.kind in _REFUSING:
            self._pretend_exhausted(visit, fault)
            status = _REFUSING[fault.kind]
            raise Refusal(status, fault.text if status != 429 and fault.text else _TEXTS[status])
        return reply

    def _match(self, visit: _Visit) -> tuple[Operation, dict[str, str]]:
        visit.quota = self._window("", "").peek(visit.now) if self.limit is not None else None
        base = self.provider.base_path
        if not visit.path.startswith(f"{base}/"):
            raise Refusal(404, "No such path.")
        try:
            return self.contract.find(visit.method, visit.path.removeprefix(base))
        except NoSuchPath:
            raise Refusal(404, "No such path.") from None
        except MethodNotAllowed as error:
            visit.allow = error.allowed
            raise Refusal(405, "Method not allowed.") from None

    def _match_quietly(self, visit: _Visit) -> None:
        try:
            visit.operation, _ = self._match(visit)
        except Refusal:
            visit.operation = None

    def _authenticate(self, visit: _Visit, operation: Operation) -> Credential | None:
        if operation.is_public:
            return None
        key = bearer_key(visit.headers.get("Authorization"))
        credential = None if key is None else self.keys.find(key)
        if credential is None:
            raise Refusal(401, "The API key is missing or not valid.")
        visit.key = credential.key
        return credential

    def _authorise(self, credential: Credential | None, operation: Operation) -> None:
        if credential is None:
            return
        if not credential.has_scope(operation.scope):
            raise Refusal(403, f"The API key lacks the scope {operation.scope}.")
        if credential.read_only and operation.method != "GET":
            raise Refusal(403, "The API key can only read.")

    def _window(self, key: str, operation_id: str) -> Window:
        assert self.limit is not None  # noqa: S101  (asked for only where there is a limit)
        bucket = (key, operation_id if self._limit_per_endpoint else "")
        if bucket not in self._windows:
            self._windows[bucket] = open_window(self.limit)
        return self._windows[bucket]

    def _spend(self, visit: _Visit, operation: Operation) -> None:
        if self.limit is None:
            return
        visit.quota = self._window(visit.key, operation.id).take(visit.now)
        if not visit.quota.allowed:
            visit.limited = True
            raise Refusal(429, _TEXTS[429])

    def _pretend_exhausted(self, visit: _Visit, fault: Fault) -> None:
        """Let the headers of an ordered 429 say that nothing is left until *seconds* from now."""
        if _REFUSING[fault.kind] == 429:
            limit = self.limit.limit if self.limit is not None else 1
            reset = visit.now + (5.0 if fault.seconds is None else fault.seconds)
            visit.quota = Decision(allowed=False, limit=limit, remaining=0, reset=reset)

    def _answer(self, visit: _Visit, reply: Reply) -> Answer:
        headers = {**reply.headers, "Date": formatdate(visit.now, usegmt=True), **self._rate_headers(visit)}
        if visit.allow:
            headers["Allow"] = ", ".join(visit.allow)
        body = b""
        if reply.body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = orjson.dumps(reply.body)
        answer = Answer(status=reply.status, headers=headers, body=body)
        return answer if visit.fault is None else changed(answer, visit.fault, visit.now)

    def _rate_headers(self, visit: _Visit) -> dict[str, str]:
        quota = visit.quota
        ordered = visit.fault is not None and visit.fault.kind is FaultKind.RATE_LIMITED
        if quota is None or not (ordered or (self.limit is not None and self.limit.headers)):
            return {}
        return {
            "X-RateLimit-Limit": str(quota.limit),
            "X-RateLimit-Remaining": str(quota.remaining),
            "X-RateLimit-Reset": str(math.ceil(quota.reset)),
        }

    def _remember(self, visit: _Visit, answer: Answer | None) -> None:
        record = RequestRecord(
            at=visit.now,
            provider=self.provider.name,
            key=visit.key,
            operation=visit.operation.id if visit.operation is not None else None,
            method=visit.method,
            path=visit.path,
            status=answer.status if answer is not None else None,
            on_connection_reused=visit.connection.is_reused,
            fault=visit.fault.kind if visit.fault is not None else None,
            limited=visit.limited,
            executed=visit.executed,
        )
        self.records.append(record)
        if self._observer is not None:
            self._observer(_exchange(visit, answer, record))


def _exchange(visit: _Visit, answer: Answer | None, record: RequestRecord) -> RecordedExchange:
    return RecordedExchange(
        provider=record.provider,
        operation=record.operation,
        method=visit.method,
        path=visit.path,
        query=visit.query,
        request_headers={name: value for name, value in visit.headers.items() if name.lower() != "authorization"},
        request_body=visit.raw,
        status=record.status,
        response_headers=answer.headers if answer is not None else {},
        response_body=answer.body if answer is not None else b"",
        fault=record.fault,
        record=record,
    )
