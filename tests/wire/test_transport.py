"""The transport on real sockets, against a server that does exactly what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import logging
import socket
import struct
import time
from email.utils import formatdate

import aiohttp
import pytest
from attrs import define, field

from reelpub.clocks import ScaledClock, SystemClock
from reelpub.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectError,
    DecodeError,
    RateLimitError,
    RateLimitWouldBlock,
    RequestTimeout,
    ServerError,
    TransportError,
)
from reelpub.policies.retry import RetryPolicy
from reelpub.policies.safety import Effect, RequestKind, effect_of
from reelpub.transport.http import ErrorBody, HttpTransport
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import CallOptions, FilePart, Request, path_segment

KEY = "rm_SECRET0123456789abcdefghijklmnop"
ONCE = RetryPolicy(attempts=1, rate_attempts=1)
QUICK = RetryPolicy(attempts=3, base=0.001, rate_attempts=3)


@define
class Seen:
    """A request as it stood on the wire."""

    line: str
    headers: dict
    body: bytes
    connection: int

    @property
    def target(self):
        return self.line.split(" ")[1]


def reply(status=200, body=b"{}", content_type="application/json", headers=(), close=False, length=None):
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"Content-Type: {content_type}"] if content_type else []
    lines += [f"{name}: {value}" for name, value in headers] + (["Connection: close"] if close else [])
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def write(writer):
        writer.write(head + body)
        await writer.drain()
        return not close

    return write


async def drop(writer):
    """Close without a word."""
    return False


async def reset(writer):
    """Reset the connection, as a crashing server does."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


async def hang(writer):
    await asyncio.sleep(60)


def head_then(behaviour, sent=b'{"a":', length=1000):
    async def write(writer):
        await reply(body=sent, length=length)(writer)
        await asyncio.sleep(0.01)
        return await behaviour(writer)

    return write


@define
class Wire:
    """A server that answers with the replies in turn, the last one for ever."""

    replies: list
    seen: list[Seen] = field(factory=list)
    connections: int = 0
    open_now: int = 0
    port: int = 0
    arrived: asyncio.Event = field(factory=asyncio.Event)
    _tasks: set = field(factory=set)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/api"

    async def serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self.connections += 1
        self.open_now += 1
        number = self.connections
        try:
            keep = True
            while keep:
                seen = await self.read(reader, number)
                self.seen.append(seen)
                self.arrived.set()
                behaviour = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                keep = await behaviour(writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open_now -= 1
            writer.close()

    async def read(self, reader, number):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head[1:] if line)}
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        else:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Seen(head[0], headers, body, number)

    async def stop(self, server):
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def wire(*replies):
    served = Wire(list(replies) or [reply()])
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        await served.stop(server)


@contextlib.asynccontextmanager
async def linked(*replies, **kwargs):
    """A server and a transport to it."""
    async with wire(*replies) as server:
        options = {"retry": ONCE, "limiter": RateLimiter(1000, 1.0)} | kwargs
        async with HttpTransport(server.url, KEY, provider="reelmirror", **options) as transport:
            yield server, transport


def read(operation="get_thing", path="/v1/thing", **kwargs):
    return Request(operation=operation, method="GET", path=path, kind=RequestKind.READ, **kwargs)


def write(kind=RequestKind.GO_LIVE, operation="publish", **kwargs):
    kwargs = {"json": {"a": 1}} | kwargs
    return Request(operation=operation, method="POST", path="/v1/publish", kind=kind, **kwargs)


def everything_said(error):
    """All the text that hangs on an error: messages, attributes and those of its causes and contexts."""
    texts, todo, known = [], [error], set()
    while todo:
        exc = todo.pop()
        if exc is None or id(exc) in known:
            continue
        known.add(id(exc))
        texts += [str(exc), repr(exc), repr(exc.args), repr(vars(exc))]
        todo += [exc.__cause__, exc.__context__]
    return "\n".join(texts)


class TestRequest:
    async def test_carries_key_json_and_query_and_returns_the_answer(self):
        async with linked(reply(body={"ok": True}, headers=[("X-Thing", "1")])) as (server, transport):
            response = await transport.send(write(query=(("q", "a b&c"), ("q", "ü"))))
        [seen] = server.seen
        assert seen.line == "POST /api/v1/publish?q=a+b%26c&q=%C3%BC HTTP/1.1"
        assert seen.headers["authorization"] == f"Bearer {KEY}"
        assert seen.headers["content-type"] == "application/json"
        assert seen.headers["user-agent"].startswith("reelpub/")
        assert json.loads(seen.body) == {"a": 1}
        assert (response.status, response.body, response.headers["x-thing"]) == (200, b'{"ok": true}', "1")

    @pytest.mark.parametrize(
        ("hostile", "on_wire"),
        [
            ("../../admin", "..%2F..%2Fadmin"),
            ("..", "%2E%2E"),
            ("a\r\nX-Evil: 1", "a%0D%0AX-Evil%3A%201"),
            ("a?b#c", "a%3Fb%23c"),
            ("é%2F", "%C3%A9%252F"),
        ],
    )
    async def test_an_id_is_data_whatever_it_holds(self, hostile, on_wire):
        async with linked() as (server, transport):
            await transport.send(read(path=f"/v1/posts/{path_segment(hostile)}"))
        assert server.seen[0].target == f"/api/v1/posts/{on_wire}"
        assert "x-evil" not in server.seen[0].headers

    @pytest.mark.parametrize("path", ["/v1/a b", "/v1/\n", "/v1/../x", "v1", "/v1?x=1", "/v1/#x"])
    async def test_a_path_that_was_not_encoded_is_refused(self, path):
        async with linked() as (server, transport):
            with pytest.raises(ConfigurationError, match="path"):
                await transport.send(read(path=path))
        assert server.seen == []

    async def test_an_unauthenticated_operation_carries_no_key(self):
        async with linked() as (server, transport):
            await transport.send(write(authenticated=False))
        assert "authorization" not in server.seen[0].headers

    async def test_a_body_that_is_no_json_is_refused_before_anything_is_sent(self):
        async with linked() as (server, transport):
            with pytest.raises(ConfigurationError, match="publish: the body can't be written as JSON"):
                await transport.send(write(json={"a": object()}))
        assert server.seen == []

    async def test_a_post_without_body_names_no_content_type(self):
        async with linked(reply(204, b"", None)) as (server, transport):
            response = await transport.send(write(json=None))
        assert "content-type" not in server.seen[0].headers
        assert (response.status, response.body) == (204, b"")

    async def test_multipart_streams_the_file_from_disk(self, tmp_path):
        path = tmp_path / "face.png"
        path.write_bytes(b"pixels" * 1000)
        part = FilePart(path=path, content_type="image/png")
        async with linked() as (server, transport):
            await transport.send(write(json=None, form={"category": "avatar"}, file=part))
            await transport.send(write(json=None, form={"url": "https://x"}))
        first, second = server.seen
        assert first.headers["content-type"].startswith("multipart/form-data")
        assert b"pixels" * 1000 in first.body
        assert b'name="category"' in first.body
        assert b'filename="face.png"' in first.body
        assert b"https://x" in second.body

    async def test_a_file_that_is_not_there_is_told_and_sends_nothing(self, tmp_path):
        async with linked() as (server, transport):
            with pytest.raises(ConfigurationError, match=r"file: .*can't be read"):
                await transport.send(write(json=None, file=FilePart(path=tmp_path / "none")))
        assert server.seen == []

    async def test_counts_and_tells_of_every_request(self):
        done = []
        async with linked(reply(500), reply(), retry=QUICK, on_request=done.append) as (_, transport):
            await transport.send(read())
        assert transport.requests == {"get_thing": 2}
        assert [(d.operation, d.status, d.error) for d in done] == [
            ("get_thing", 500, "ServerError"),
            ("get_thing", 200, None),
        ]
        assert all(abs(d.sent_at - time.time()) < 60 and d.elapsed >= 0 for d in done)


class TestAnswers:
    async def test_a_redirect_is_not_followed_and_its_target_never_sees_the_key(self):
        async with wire() as other, linked(reply(302, headers=[("Location", other.url)])) as (server, transport):
            with pytest.raises(APIStatusError, match=r"302: a redirect to 127\.0\.0\.1 isn't followed") as caught:
                await transport.send(read())
        assert (caught.value.status, len(server.seen), other.seen) == (302, 1, [])
        assert effect_of(caught.value) is Effect.UNKNOWN

    async def test_a_redirect_to_nowhere_is_told(self):
        async with linked(reply(301, headers=[("Location", "http://[::1")])) as (_, transport):
            with pytest.raises(APIStatusError, match="a redirect to an unknown host"):
                await transport.send(read())

    async def test_an_html_502_is_a_server_error_with_its_words(self):
        page = b"<html><head><title>x</title></head><body><h1>502 Bad&nbsp;Gateway</h1><hr>nginx</body></html>"
        async with linked(reply(502, page, "text/html")) as (_, transport):
            with pytest.raises(ServerError) as caught:
                await transport.send(read())
        assert caught.value.message == "502 Bad Gateway nginx"

    @pytest.mark.parametrize(
        ("status", "body", "message"),
        [
            (400, b'{"message": "no such thing"}', "no such thing"),
            (400, b'{"detail": "Project not found"}', "Project not found"),
            (400, b'{"detail": [1]}', "Bad Request"),
            (400, b"[1]", "Bad Request"),
            (422, b'{"cut": "of', '{"cut": "of'),
            (500, b"", "Internal Server Error"),
            (599, b"", "no reason given"),
            (400, b"\xff\xfe", "\ufffd\ufffd"),
            (400, b"x" * 100_000, "x" * 300),
        ],
    )
    async def test_the_words_of_an_error_body_are_told_whatever_its_form(self, status, body, message):
        async with linked(reply(status, body)) as (_, transport):
            with pytest.raises(APIStatusError) as caught:
                await transport.send(read())
        assert (caught.value.status, caught.value.message) == (status, message)

    async def test_a_provider_reads_its_own_errors(self):
        def read_error(status, headers, body):
            return ErrorBody(message=body["error"]["message"], code=body["error"]["code"], details=[status])

        body = {"error": {"code": "VALIDATION_ERROR", "message": "items: <b>empty</b>"}}
        async with linked(reply(400, body), read_error=read_error) as (_, transport):
            with pytest.raises(BadRequestError) as caught:
                await transport.send(write())
        error = caught.value
        assert (error.code, error.message, error.details) == ("VALIDATION_ERROR", "items: empty", [400])
        assert (error.provider, error.operation) == ("reelmirror", "publish")

    async def test_a_body_that_breaks_off_does_not_hide_the_status(self):
        async def broken(writer):
            await reply(503, b"busy", length=1000)(writer)
            return False

        async with linked(broken) as (_, transport):
            with pytest.raises(ServerError, match="503"):
                await transport.send(read())

    @pytest.mark.parametrize("body", [b'{"data": [1, 2', b"{", b'[{"a": 1}', b'"abc'])
    async def test_cut_off_json_is_a_decode_error_and_is_read_again(self, body):
        async with linked(reply(body=body), reply(body={"whole": 1}), retry=QUICK) as (server, transport):
            assert (await transport.send(read())).body == b'{"whole": 1}'
        assert len(server.seen) == 2
        async with linked(reply(body=body), retry=QUICK) as (server, transport):
            with pytest.raises(DecodeError, match="cut off") as caught:
                await transport.send(write())
        assert (len(server.seen), effect_of(caught.value)) == (1, Effect.UNKNOWN)

    async def test_a_success_that_is_not_json_by_its_type_is_a_decode_error(self):
        async with linked(reply(body=b"<html>login</html>", content_type="text/html; charset=x")) as (_, transport):
            with pytest.raises(DecodeError, match="expected JSON, got text/html"):
                await transport.send(read())

    @pytest.mark.parametrize("content_type", [None, "application/json; charset=utf-8", "application/problem+json"])
    async def test_json_by_any_of_its_names_passes(self, content_type):
        async with linked(reply(content_type=content_type)) as (_, transport):
            assert (await transport.send(read())).body == b"{}"

    @pytest.mark.parametrize("announced", [True, False])
    async def test_a_huge_body_is_refused_before_it_is_read(self, announced):
        async def flood(writer):
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            head += "Content-Length: 52428800\r\n\r\n" if announced else "Connection: close\r\n\r\n"
            writer.write(head.encode())
            for _ in range(800):
                writer.write(b"x" * 65536)
                await writer.drain()
            return False

        started = time.monotonic()
        async with linked(flood, max_body=100_000) as (_, transport):
            with pytest.raises(DecodeError, match="larger than 100000 bytes") as caught:
                await transport.send(write())
        assert time.monotonic() - started < 2
        assert effect_of(caught.value) is Effect.UNKNOWN

    async def test_the_cap_is_on_the_decompressed_size(self):
        bomb = gzip.compress(b" " * 50_000_000)
        async with linked(reply(body=bomb, headers=[("Content-Encoding", "gzip")])) as (_, transport):
            with pytest.raises(DecodeError, match="larger than 10485760 bytes"):
                await transport.send(read())

    async def test_garbage_instead_of_http_is_a_transport_error_without_the_key(self):
        async def garbage(writer):
            writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
            return False

        async with linked(garbage) as (_, transport):
            with pytest.raises(TransportError) as caught:
                await transport.send(write())
        assert caught.value.sent is True
        assert KEY not in everything_said(caught.value)


class TestFailures:
    async def test_refused_connection_is_never_sent_and_even_a_publish_is_repeated(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        limiter = RateLimiter(1000, 1.0)
        async with HttpTransport(
            f"http://127.0.0.1:{port}", KEY, provider="reap", limiter=limiter, retry=QUICK
        ) as transport:
            with pytest.raises(ConnectError) as caught:
                await transport.send(write())
        assert caught.value.sent is False
        assert transport.requests == {"publish": 3}
        assert limiter.snapshot().in_flight == 0
        assert KEY not in everything_said(caught.value)

    async def test_a_server_without_tls_is_never_sent_to(self):
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, HttpTransport(url, KEY, provider="reap", limiter=RateLimiter(9), retry=ONCE) as transport:
            with pytest.raises(ConnectError) as caught:
                await transport.send(write())
        assert effect_of(caught.value) is Effect.NONE
        assert KEY not in everything_said(caught.value)

    async def test_a_silent_server_times_out_as_sent(self):
        async with linked(hang, timeout=0.1) as (server, transport):
            with pytest.raises(RequestTimeout) as caught:
                await transport.send(write())
        assert (caught.value.sent, len(server.seen)) == (True, 1)
        assert effect_of(caught.value) is Effect.UNKNOWN
        assert KEY not in everything_said(caught.value)

    async def test_a_call_can_set_its_own_timeout(self):
        async with linked(hang) as (_, transport):
            with pytest.raises(RequestTimeout):
                await transport.send(read(), CallOptions(timeout=0.05))

    async def test_the_deadline_ends_a_request_under_way_in_scaled_time(self):
        clock = ScaledClock(30)
        async with linked(hang, clock=clock, limiter=RateLimiter(9, clock=clock)) as (_, transport):
            started = time.monotonic()
            with pytest.raises(RequestTimeout):
                await transport.send(read(), CallOptions(deadline=clock.monotonic() + 3))
        assert time.monotonic() - started < 1

    async def test_a_body_that_trickles_times_out(self):
        async def trickle(writer):
            await reply(body=b"{", length=100)(writer)
            while True:
                writer.write(b" ")
                await asyncio.sleep(0.01)

        async with linked(trickle, timeout=0.15) as (_, transport):
            with pytest.raises(RequestTimeout) as caught:
                await transport.send(write())
        assert caught.value.sent is True

    @pytest.mark.parametrize("ending", [drop, reset])
    async def test_a_connection_lost_in_the_body_leaves_a_write_unknown_and_repeats_a_read(self, ending):
        async with linked(head_then(ending), reply(), retry=QUICK) as (server, transport):
            with pytest.raises(TransportError) as caught:
                await transport.send(write())
            assert (caught.value.sent, effect_of(caught.value)) == (True, Effect.UNKNOWN)
            assert len(server.seen) == 1
        async with linked(head_then(ending), reply(), retry=QUICK) as (server, transport):
            await transport.send(read())
            assert len(server.seen) == 2

    @pytest.mark.parametrize("ending", [drop, reset])
    async def test_a_publish_whose_answer_is_lost_is_sent_once_and_unknown(self, ending):
        async with linked(ending, reply(), retry=QUICK) as (server, transport):
            with pytest.raises(TransportError) as caught:
                await transport.send(write())
        assert len(server.seen) == 1
        assert effect_of(caught.value) is Effect.UNKNOWN

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    async def test_a_publish_answered_with_5xx_is_sent_once(self, status):
        async with linked(reply(status), reply(), retry=QUICK) as (server, transport):
            with pytest.raises(ServerError):
                await transport.send(write())
        assert len(server.seen) == 1

    async def test_a_refused_key_is_told_at_once_and_an_echo_of_it_blotted_out(self):
        body = {"error": f"key {KEY} is revoked", "seen": KEY}
        async with linked(reply(401, body), retry=QUICK) as (server, transport):
            with pytest.raises(AuthenticationError) as caught:
                await transport.send(read())
        assert len(server.seen) == 1
        assert "key *** is revoked" in caught.value.message
        assert KEY not in everything_said(caught.value)


class TestConnections:
    async def test_reads_share_a_connection_and_publishes_have_their_own(self):
        async with linked() as (server, transport):
            for _ in range(3):
                await transport.send(read())
            for kind in (RequestKind.GO_LIVE, RequestKind.CREATE_DRAFT, RequestKind.OTHER_WRITE):
                await transport.send(write(kind))
            await transport.send(read())
        assert [seen.connection for seen in server.seen] == [1, 1, 1, 2, 3, 4, 1]

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_a_dead_pooled_connection_never_makes_a_request_that_was_not_granted(self, method):
        """aiohttp by itself would send these methods again; here each sending has its own token."""
        limiter = RateLimiter(1000, 1.0)
        request = Request(operation="x", method=method, path="/x", kind=RequestKind.IDEMPOTENT, json={"a": 1})
        async with linked(reply(), drop, reply(), limiter=limiter, retry=QUICK) as (server, transport):
            await transport.send(request)
            response = await transport.send(request)
        assert response.status == 200
        assert len(server.seen) == 3 == transport.requests["x"]
        assert [json.loads(seen.body) for seen in server.seen] == [{"a": 1}] * 3

    async def test_without_a_retry_the_first_failure_is_told_after_one_sending(self):
        async with linked(reply(), drop, reply()) as (server, transport):
            await transport.send(read())
            with pytest.raises(TransportError):
                await transport.send(read())
        assert len(server.seen) == 2

    async def test_an_injected_session_is_used_and_left_open(self):
        async with wire() as server, aiohttp.ClientSession(headers={"X-From": "caller"}) as session:
            transport = HttpTransport(
                server.url, KEY, provider="reap", limiter=RateLimiter(9), session=session, fresh_session=session
            )
            await transport.send(read())
            await transport.send(write())
            await transport.close()
            assert not session.closed
            assert all(seen.headers["x-from"] == "caller" for seen in server.seen)

    async def test_an_injected_session_cannot_tell_whether_a_lost_request_left(self):
        async with wire(hang) as server, aiohttp.ClientSession() as session:
            transport = HttpTransport(
                server.url, KEY, provider="reap", limiter=RateLimiter(9), session=session, retry=ONCE, timeout=0.05
            )
            with pytest.raises(RequestTimeout) as caught:
                await transport.send(read())
            assert caught.value.sent is None

    async def test_close_may_come_twice_and_ends_what_is_under_way(self):
        async with linked(hang) as (server, transport):
            task = asyncio.create_task(transport.send(write()))
            await server.arrived.wait()
            await transport.close()
            await transport.close()
            with pytest.raises(TransportError):
                await task
            with pytest.raises(ConfigurationError, match="closed"):
                await transport.send(read())
        assert transport.limiter.snapshot().in_flight == 0

    async def test_cancellation_leaves_nothing_open_and_the_token_spent(self):
        limiter = RateLimiter(9, 60.0)
        async with linked(hang, limiter=limiter) as (server, transport):
            task = asyncio.create_task(transport.send(write()))
            await server.arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert limiter.snapshot().in_flight == 0
        assert len(asyncio.all_tasks()) == 1

    def test_a_second_event_loop_is_refused_in_words(self):
        async def use(transport):
            await transport.send(read())

        async def main():
            async with wire() as server:
                transport = HttpTransport(server.url, KEY, provider="reap", limiter=RateLimiter(9))
                await use(transport)
                with pytest.raises(ConfigurationError, match="another event loop"):
                    await asyncio.to_thread(asyncio.run, use(transport))
                await transport.close()

        asyncio.run(main())


class TestLimits:
    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ([("Retry-After", "7")], 7.0),
            ([("Retry-After", formatdate(1_800_000_009, usegmt=True)), ("Date", formatdate(1_800_000_000))], 10.0),
            ([("X-RateLimit-Reset", "1800000020"), ("Date", formatdate(1_800_000_000, usegmt=True))], 21.0),
            ([], None),
            ([("Retry-After", "soon"), ("X-RateLimit-Reset", "-")], None),
        ],
    )
    async def test_the_wait_that_a_429_names_is_in_the_error(self, headers, expected):
        async with linked(reply(429, headers=headers)) as (_, transport):
            with pytest.raises(RateLimitError) as caught:
                await transport.send(write())
        assert caught.value.retry_after == expected
        assert effect_of(caught.value) is Effect.NONE

    async def test_a_publish_refused_with_429_is_sent_again_after_the_wait(self):
        clock = ScaledClock(30)
        limiter = RateLimiter(100, 1.0, clock=clock)
        refusal = reply(429, headers=[("Retry-After", "2")])
        async with linked(refusal, reply(), retry=QUICK, clock=clock, limiter=limiter) as (server, transport):
            started = clock.monotonic()
            await transport.send(write())
        assert len(server.seen) == 2
        assert clock.monotonic() - started >= 2

    async def test_a_429_about_too_many_projects_neither_repeats_nor_holds_the_key(self):
        limiter = RateLimiter(10, 60.0)
        headers = [("X-RateLimit-Limit", "10"), ("X-RateLimit-Remaining", "8")]
        request = write(RequestKind.OTHER_WRITE, "create_clips")
        async with linked(reply(429, headers=headers), retry=QUICK, limiter=limiter) as (server, transport):
            with pytest.raises(RateLimitError):
                await transport.send(request)
        assert len(server.seen) == 1
        assert limiter.snapshot().held_for == 0

    async def test_a_deadline_shorter_than_the_wait_fails_at_once_with_nothing_sent(self):
        limiter = RateLimiter(1, 60.0)
        async with linked(limiter=limiter) as (server, transport):
            await transport.send(read())
            started = time.monotonic()
            with pytest.raises(RateLimitWouldBlock) as caught:
                await transport.send(write(), CallOptions(deadline=SystemClock().monotonic() + 5))
        assert 55 < caught.value.delay <= 61
        assert time.monotonic() - started < 1
        assert len(server.seen) == 1

    async def test_no_repeat_begins_after_the_deadline(self):
        retry = RetryPolicy(attempts=9, base=5.0)
        deadline = SystemClock().monotonic() + 0.5
        async with linked(reply(503), retry=retry, random=lambda: 1.0) as (server, transport):
            with pytest.raises(ServerError):
                await transport.send(read(), CallOptions(deadline=deadline))
        assert len(server.seen) == 1

    async def test_retry_after_of_a_503_is_obeyed_up_to_its_bound(self):
        async with linked(reply(503, headers=[("Retry-After", "3600")]), retry=QUICK) as (server, transport):
            with pytest.raises(ServerError):
                await transport.send(read())
        assert len(server.seen) == 1


class TestBeforeSend:
    async def test_runs_for_each_sending(self):
        calls = []

        async def note():
            calls.append(1)

        async with linked(reply(500), reply(), retry=QUICK) as (_, transport):
            await transport.send(read(), CallOptions(before_send=note))
        assert calls == [1, 1]

    @pytest.mark.parametrize("fault", [KeyError("journal"), ConnectError("x", operation="y", provider="z")])
    async def test_its_error_passes_unchanged_sends_nothing_and_gives_the_token_back(self, fault):
        async def fail():
            raise fault

        limiter = RateLimiter(1, 60.0)
        async with linked(limiter=limiter, retry=QUICK) as (server, transport):
            with pytest.raises(type(fault)) as caught:
                await transport.send(write(), CallOptions(before_send=fail))
            assert caught.value is fault
            await asyncio.wait_for(transport.send(write()), 5)
        assert len(server.seen) == 1


class TestConfiguration:
    @pytest.mark.parametrize(
        ("base_url", "words"),
        [
            ("http://reap.video/api", "base_url: must be https"),
            ("https://u:p@reap.video", "base_url: must not hold a user name"),
            ("https://reap.video?x=1", "base_url: must not hold a query"),
            ("https://reap.video#x", "base_url: must not hold a query or a fragment"),
            ("ftp://reap.video", "base_url: must be an http or https URL"),
            ("reap.video", "base_url: must be an http or https URL"),
            ("https://[::1", "base_url: isn't a URL"),
            (None, "base_url: isn't a URL"),
        ],
    )
    def test_a_bad_base_url_is_named(self, base_url, words):
        with pytest.raises(ConfigurationError, match=words):
            HttpTransport(base_url, KEY, provider="reap", limiter=RateLimiter(9))

    @pytest.mark.parametrize("key", ["", "a\nb", "a b", "schlüssel", None])
    def test_a_bad_key_is_refused_without_being_repeated(self, key):
        with pytest.raises(ConfigurationError, match=r"^api_key: ") as caught:
            HttpTransport("https://reap.video", key, provider="reap", limiter=RateLimiter(9))
        assert not key or key not in str(caught.value)

    @pytest.mark.parametrize("base_url", ["http://localhost:1", "http://a.localhost", "http://[::1]:1"])
    def test_this_machine_may_be_spoken_to_in_the_clear(self, base_url):
        assert HttpTransport(base_url, KEY, provider="reap", limiter=RateLimiter(9)).base_url

    def test_a_timeout_that_is_none_is_refused(self):
        with pytest.raises(ConfigurationError, match="timeout"):
            HttpTransport("https://reap.video", KEY, provider="reap", limiter=RateLimiter(9), timeout=0)

    def test_elsewhere_in_the_clear_only_where_allowed(self):
        HttpTransport("http://reap.video", KEY, provider="reap", limiter=RateLimiter(9), allow_insecure=True)

    async def test_the_key_is_in_no_repr_and_no_log(self, caplog):
        with caplog.at_level(logging.DEBUG):
            async with linked(reply(500), reply(), retry=QUICK) as (_, transport):
                await transport.send(read(query=(("secret", "value"),)))
                text = repr(transport) + caplog.text
        assert "reelmirror get_thing" in caplog.text
        assert KEY not in text
        assert "value" not in text


async def test_a_name_that_resolves_nowhere_is_never_sent():
    limiter = RateLimiter(9, 60.0)
    async with HttpTransport(
        "https://no-such-host.invalid", KEY, provider="reap", limiter=limiter, retry=ONCE, timeout=5
    ) as transport:
        with pytest.raises(ConnectError):
            await transport.send(write())
    assert limiter.snapshot().in_flight == 0


async def test_a_connection_that_is_never_accepted_is_never_sent():
    """A full backlog leaves the client waiting for its connection."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        async with HttpTransport(
            f"http://127.0.0.1:{address[1]}", KEY, provider="reap", limiter=RateLimiter(9), retry=ONCE, timeout=0.2
        ) as transport:
            with pytest.raises(TransportError) as caught:
                await transport.send(write())
        for filler in fillers:
            filler.close()
    assert caught.value.sent is False
    assert effect_of(caught.value) is Effect.NONE


class TestMayLeave:
    async def test_stops_the_request_once_connected_and_proves_that_nothing_left(self):
        async with linked() as (server, transport):
            with pytest.raises(ConnectError, match="too late") as caught:
                await transport.send(write(), CallOptions(may_leave=lambda: False))
            assert caught.value.sent is False
        assert (server.connections, server.seen) == (1, [])

    async def test_is_asked_anew_for_each_sending(self):
        answers = iter([False, True])
        async with linked(retry=QUICK) as (server, transport):
            await transport.send(write(), CallOptions(may_leave=lambda: next(answers)))
        assert len(server.seen) == 1

    async def test_to_have_come_too_late_says_nothing_about_the_provider(self, caplog):
        """It is one attempt more, whoever was reached before: no outage that is told and waited for."""
        async with linked(retry=QUICK) as (server, transport):
            await transport.send(read())
            with pytest.raises(ConnectError, match="too late"):
                await transport.send(write(), CallOptions(may_leave=lambda: False))
            assert transport.unreached_for is None
        assert len(server.seen) == 1
        assert "can't be reached" not in caplog.text

    async def test_is_asked_before_connecting_by_a_session_that_was_handed_in(self):
        async with aiohttp.ClientSession() as session, linked(session=session, fresh_session=session) as (server, link):
            with pytest.raises(ConnectError, match="too late"):
                await link.send(write(), CallOptions(may_leave=lambda: False))
        assert server.connections == 0
