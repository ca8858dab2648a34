"""The transport over HTTP: limiter, retries, deadlines, and one request at a time on the wire."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from pathlib import Path
from random import random as system_random
from typing import Self

import aiohttp
from attrs import define, frozen
from yarl import URL

from reelpub.clocks import Clock, SystemClock, scale_of
from reelpub.errors import (
    APIStatusError,
    ConfigurationError,
    ConnectError,
    RateLimitError,
    ReelPubError,
    TransportError,
    status_error,
)
from reelpub.policies.headers import Quota, clock_ahead, read_quota
from reelpub.policies.retry import GiveUp, Outage, RetryPolicy, is_about_rate
from reelpub.transport.address import check_key, parse_base, request_url
from reelpub.transport.body import (
    ERROR_BYTES,
    ErrorBody,
    ErrorReader,
    body_at_hand,
    check_json,
    describe_error,
    read_any_error,
    read_capped,
    read_up_to,
)
from reelpub.transport.deadlines import Deadlines
from reelpub.transport.faults import Flight, TooLate, translate
from reelpub.transport.limiter import Permit, RateLimiter
from reelpub.transport.message import CallOptions, Request, Response
from reelpub.transport.payload import HeaderSets, encode_json, is_streamed, streamed
from reelpub.transport.reach import Reach
from reelpub.transport.sessions import Sessions
from reelpub.transport.standing import Hold
from reelpub.transport.upload import Uploader

__all__ = ["ErrorBody", "HttpTransport", "RequestDone"]

_log = logging.getLogger("reelpub.transport")

MAX_BODY = 10 * 1024 * 1024
"""The largest success body that is read by default, in bytes; a page of 100 full posts has 0.12 million."""

_NO_OPTIONS = CallOptions()
_NO_CONTENT_TYPE = ("Content-Type",)
_KEPT_HEADERS = ("date", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


@frozen(kw_only=True)
class RequestDone:
    """One request that is over: `sent_at` is the clock's Unix time, `elapsed` its seconds; `error` a type's name."""

    operation: str
    status: int | None
    sent_at: float
    elapsed: float
    error: str | None


@define
class _Call:
    """One call of `send`, over all its attempts."""

    request: Request
    url: URL
    body: bytes | None
    options: CallOptions
    attempts: int = 0
    refused: int = 0
    unreached: int = 0
    unreached_since: float | None = None


class HttpTransport:
    """Sends the requests of one credential to one provider.

    *base_url* must be https, unless its host is this machine or *allow_insecure* says otherwise. *limiter* may be
    shared with others that use the same key. *timeout* bounds each request, in real seconds; *max_body* a success's
    decompressed body, in bytes. *read_error* reads the provider's error bodies. *on_request* is told of every
    request that is over. *random* returns numbers drawn evenly from 0 to 1.

    A *session* carries what may be repeated, a *fresh_session* everything else and uploads; both stay the caller's
    to close. Where only *session* is given, fresh connections are still this transport's own, so that whoever needs
    a proxy or a certificate for all of the traffic gives both.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        provider: str,
        limiter: RateLimiter,
        clock: Clock | None = None,
        session: aiohttp.ClientSession | None = None,
        fresh_session: aiohttp.ClientSession | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = 30.0,
        max_body: int = MAX_BODY,
        read_error: ErrorReader = read_any_error,
        on_request: Callable[[RequestDone], None] | None = None,
        allow_insecure: bool = False,
        random: Callable[[], float] = system_random,
    ) -> None:
        if not timeout > 0:
            raise ConfigurationError(f"timeout: {timeout!r} isn't above 0")
        self.base_url = parse_base(base_url, allow_insecure=allow_insecure)
        self._key = check_key(api_key)
        self._headers = HeaderSets(api_key)
        self.provider = provider
        self.limiter = limiter
        self.clock: Clock = clock or SystemClock()
        self.retry = retry or RetryPolicy()
        self.timeout = timeout
        self.max_body = max_body
        self.requests: Counter[str] = Counter()
        # The most seconds by which this machine's clock was seen to be ahead of the server's.
        self.clock_ahead = 0.0
        self.on_request = on_request
        self._read_error = read_error
        self._random = random
        self._sessions = Sessions(session, fresh_session)
        self._deadlines = Deadlines()
        self._reach = Reach(provider, self.clock)
        self._uploader = Uploader(
            self._sessions,
            provider=provider,
            retry=self.retry,
            clock=self.clock,
            timeout=timeout,
            random=random,
            allow_insecure=allow_insecure,
        )

    def __repr__(self) -> str:
        return f"<HttpTransport {self.provider} {self.base_url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        self._deadlines.close()
        await self._sessions.close()

    async def put_file(
        self,
        url: str,
        path: Path,
        *,
        content_type: str,
        progress: Callable[[int, int], None] | None = None,
        timeout: float | None = None,
    ) -> None:
        await self._uploader.put(url, path, content_type=content_type, progress=progress, timeout=timeout)

    async def send(self, request: Request, options: CallOptions | None = None) -> Response:
        url = request_url(self.base_url, request.path, request.query)
        call = _Call(request, url, encode_json(request), options or _NO_OPTIONS)
        while True:
            permit, session, flight = await self._reserve(call)
            call.attempts += 1
            try:
                return await self._attempt(call, permit, session, flight)
            except ReelPubError as error:
                delay = self._next_delay(call, error)
                if isinstance(error, RateLimitError):
                    self._tell_refusal(request, delay)
            await self.clock.sleep(delay)

    def _tell_refusal(self, request: Request, delay: float) -> None:
        self.limiter.tell(
            Hold(operation=request.operation, provider=self.provider, lane=request.lane, delay=delay, reason="429")
        )

    async def _reserve(self, call: _Call) -> tuple[Permit, aiohttp.ClientSession, Flight]:
        """Wait for the token, then run the caller's last step before the request; its failure costs nothing."""
        request, options = call.request, call.options
        permit = await self.limiter.acquire(
            request.lane, deadline=options.deadline, operation=request.operation, provider=self.provider
        )
        try:
            if options.before_send is not None:
                await options.before_send()
            # Looked up here, so that a closed transport is told before anything counts as sent.
            session, is_traced = self._sessions.pick(request.kind)
        except BaseException:
            permit.abandoned()
            raise
        is_whole = not is_streamed(request)
        return permit, session, Flight(request.operation, self.provider, is_traced, is_whole, options.may_leave)

    def _next_delay(self, call: _Call, error: ReelPubError) -> float:
        """Return the wait before the next attempt; raise *error* again where there is to be none."""
        call.refused += isinstance(error, RateLimitError)
        outage = self._outage(call, error)
        deadline = call.options.deadline
        decision = self.retry.decide(
            call.request.kind,
            error,
            call.attempts,
            refused=call.refused,
            outage=outage,
            server_delay=self._server_delay(error),
            deadline_left=None if deadline is None else deadline - self.clock.monotonic(),
            random=self._random(),
        )
        if isinstance(decision, GiveUp):
            _log.debug("%s %s: not repeated: %s", self.provider, call.request.operation, decision.reason)
            raise error
        if call.options.on_repeat is not None:
            call.options.on_repeat(error)
        _log.debug("%s %s: again in %.2f s", self.provider, call.request.operation, decision.delay)
        return decision.delay

    def _outage(self, call: _Call, error: ReelPubError) -> Outage | None:
        """Return how long *call* has been out of the provider's reach; None where that was never reached, too."""
        now = self.clock.monotonic()
        is_out_of_reach = isinstance(error, ConnectError) and not isinstance(error.__cause__, TooLate)
        if not is_out_of_reach or not self._reach.was_reached or not self.retry.outage_patience:
            call.unreached, call.unreached_since = 0, None
            return None
        self._reach.lost(error)
        call.unreached_since = now if call.unreached_since is None else call.unreached_since
        call.unreached += 1
        call.attempts -= 1  # it provably never left
        return Outage(lasted=now - call.unreached_since, failures=call.unreached)

    @property
    def unreached_for(self) -> float | None:
        """Seconds for which the provider, reached before, has been out of reach; None while it isn't."""
        return self._reach.lost_for

    def _server_delay(self, error: ReelPubError) -> float | None:
        if isinstance(error, RateLimitError):
            return error.retry_after
        return self._quota(error.headers).retry_after if isinstance(error, APIStatusError) else None

    def _quota(self, headers: Mapping[str, str]) -> Quota:
        return read_quota(headers, now=self.clock.time(), window=self.limiter.window)

    async def _attempt(self, call: _Call, permit: Permit, session: aiohttp.ClientSession, flight: Flight) -> Response:
        operation = call.request.operation
        self.requests[operation] += 1
        is_told = self.on_request is not None or _log.isEnabledFor(logging.DEBUG)
        sent_at, started = (self.clock.time(), self.clock.monotonic()) if is_told else (0.0, 0.0)
        error: BaseException | None = None
        try:
            return await self._exchange(call, permit, session, flight)
        except BaseException as exc:
            error = exc
            raise
        finally:
            _settle(permit, flight, error)
            if is_told:
                self._tell(
                    RequestDone(
                        operation=operation,
                        status=flight.status,
                        sent_at=sent_at,
                        elapsed=self.clock.monotonic() - started,
                        error=type(error).__name__ if error is not None else None,
                    )
                )

    def _tell(self, done: RequestDone) -> None:
        _log.debug("%s %s: %s in %.3f s", self.provider, done.operation, done.status or done.error, done.elapsed)
        if self.on_request is not None:
            self.on_request(done)

    def _time_left(self, options: CallOptions) -> float:
        """Return how long this request may take, in real seconds."""
        longest = self.timeout if options.timeout is None else options.timeout
        if options.deadline is None:
            return longest
        return min(longest, max(0.0, options.deadline - self.clock.monotonic()) / scale_of(self.clock))

    async def _exchange(self, call: _Call, permit: Permit, session: aiohttp.ClientSession, flight: Flight) -> Response:
        request = call.request
        try:
            with self._deadlines.within(self._time_left(call.options)):
                if request.form is None and request.file is None:
                    response = await self._begin(call, session, flight, call.body)
                    return await self._receive(request, permit, flight, response)
                async with streamed(request) as form:
                    response = await self._begin(call, session, flight, form)
                    return await self._receive(request, permit, flight, response)
        except (aiohttp.ClientError, OSError, TooLate) as exc:
            failure = translate(exc, flight)
        # Raised out here, so that aiohttp's exception doesn't hang on as the context with the request's headers.
        raise failure

    def _begin(
        self, call: _Call, session: aiohttp.ClientSession, flight: Flight, data: bytes | aiohttp.FormData | None
    ) -> Awaitable[aiohttp.ClientResponse]:
        request, options = call.request, call.options
        if not flight.is_traced and options.may_leave is not None and not options.may_leave():
            raise TooLate
        return session.request(
            request.method,
            call.url,
            data=data,
            headers=self._headers.of(request),
            # aiohttp invents a content type for what may have a body only.
            skip_auto_headers=_NO_CONTENT_TYPE if data is None and request.method != "GET" else None,
            allow_redirects=False,
            middlewares=(flight.once,),
            timeout=_socket_timeouts(self.timeout if options.timeout is None else options.timeout),
            trace_request_ctx=flight,
        )

    async def _receive(
        self, request: Request, permit: Permit, flight: Flight, response: aiohttp.ClientResponse
    ) -> Response:
        flight.status = status = response.status
        self._reach.answered()
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            self.clock_ahead = max(self.clock_ahead, clock_ahead(headers, now=self.clock.time()))
            about_rate = status != 429 or is_about_rate(request.kind, request.operation, headers)
            permit.answered(self._quota(headers), status if about_rate else None)
            if not 200 <= status < 300:
                raise await self._status_error(request, response, headers)
            body = body_at_hand(response, self.max_body)
            if body is None:
                body = await read_capped(response, self.max_body, operation=request.operation, provider=self.provider)
        finally:
            # Where the whole body was read, the connection has gone back by itself.
            if not response.closed:
                response.release()
                await response.wait_for_close()
        check_json(status, headers, body, operation=request.operation, provider=self.provider)
        return Response(status=status, headers=headers, body=body)

    async def _status_error(
        self, request: Request, response: aiohttp.ClientResponse, headers: Mapping[str, str]
    ) -> APIStatusError:
        status = response.status
        try:
            body, _ = await read_up_to(response, ERROR_BYTES)
        except (aiohttp.ClientError, ConnectionError):
            # The status is known; a body that breaks off must not make less of it.
            body = b""
        said = describe_error(status, headers, body, secret=self._key, read_error=self._read_error)
        quota = self._quota(headers)
        is_rate = status == 429 and is_about_rate(request.kind, request.operation, headers)
        return status_error(
            status,
            self._redirect_words(headers) if 300 <= status < 400 else said.message,
            operation=request.operation,
            provider=self.provider,
            code=said.code,
            details=said.details,
            headers={name: headers[name] for name in _KEPT_HEADERS if name in headers},
            retry_after=quota.wait if is_rate else quota.retry_after,
        )

    def _redirect_words(self, headers: Mapping[str, str]) -> str:
        try:
            host = self.base_url.join(URL(headers.get("location", ""))).host
        except ValueError:
            host = None
        return f"a redirect to {host or 'an unknown host'} isn't followed"


@lru_cache(maxsize=16)
def _socket_timeouts(seconds: float) -> aiohttp.ClientTimeout:
    """Return the time-out that tells a failed connect from a lost answer; the deadline above bounds the whole."""
    return aiohttp.ClientTimeout(total=None, sock_connect=seconds * 0.9)


def _settle(permit: Permit, flight: Flight, error: BaseException | None) -> None:
    """Account for the token: it goes back only where the request provably never left."""
    never_left = flight.sent is False or (isinstance(error, TransportError) and error.sent is False)
    if error is not None and never_left:
        permit.abandoned()
    else:
        permit.answered()
