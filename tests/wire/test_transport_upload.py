"""Uploads to presigned addresses, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from reelpub.errors import (
    ConfigurationError,
    ConnectError,
    PermissionDeniedError,
    RequestTimeout,
    ServerError,
    TransportError,
)
from reelpub.policies.retry import RetryPolicy
from reelpub.transport.http import HttpTransport
from reelpub.transport.limiter import RateLimiter

KEY = "reap-key-SECRET"
SIGNED = "X-Amz-Signature=SIGNATURE"


@contextlib.asynccontextmanager
async def storage(*statuses, body="", delay=0.0, retry=None, timeout=5.0):
    """A store that answers with the statuses in turn, the last for ever, and a transport that may put there."""
    left, seen = list(statuses), []

    async def put(request):
        content = await request.read()
        seen.append((dict(request.headers), content))
        if delay:
            await asyncio.sleep(delay)
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0], text=body)

    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_put("/{key:.*}", put)
    async with TestServer(app) as server:
        retry = retry or RetryPolicy(attempts=3, base=0.001)
        async with HttpTransport(
            "https://reap.video", KEY, provider="reap", limiter=RateLimiter(1), retry=retry, timeout=timeout
        ) as transport:
            yield f"http://127.0.0.1:{server.port}/bucket/a%2Fb.mp4?{SIGNED}", transport, seen


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(range(256)) * 4096)
    return path


async def test_streams_with_its_length_and_without_the_key_outside_the_limit(clip):
    progress = []
    async with storage(200) as (url, transport, seen):
        for _ in range(3):
            await transport.put_file(url, clip, content_type="video/mp4", progress=lambda *step: progress.append(step))
    headers, content = seen[0]
    assert content == clip.read_bytes()
    assert headers["Content-Length"] == str(clip.stat().st_size)
    assert headers["Content-Type"] == "video/mp4"
    assert "Transfer-Encoding" not in headers
    assert "Authorization" not in headers
    assert len(seen) == 3
    assert progress[3] == (clip.stat().st_size, clip.stat().st_size)
    assert [sent for sent, _ in progress[:4]] == sorted(sent for sent, _ in progress[:4])


async def test_an_empty_file_goes_too(tmp_path):
    empty = tmp_path / "empty.mp4"
    empty.touch()
    async with storage(200) as (url, transport, seen):
        await transport.put_file(url, empty, content_type="video/mp4")
    assert seen[0][1] == b""
    assert seen[0][0]["Content-Length"] == "0"


async def test_is_begun_again_from_the_start_after_a_5xx(clip):
    async with storage(503, 200) as (url, transport, seen):
        await transport.put_file(url, clip, content_type="video/mp4")
    assert [content for _, content in seen] == [clip.read_bytes()] * 2


async def test_a_5xx_that_stays_is_told(clip):
    async with storage(500) as (url, transport, seen):
        with pytest.raises(ServerError):
            await transport.put_file(url, clip, content_type="video/mp4")
    assert len(seen) == 3


async def test_a_refusal_is_told_by_its_code_without_the_signature(clip):
    body = f"<Error><Code>SignatureDoesNotMatch</Code><StringToSign>{SIGNED}</StringToSign></Error>"
    async with storage(403, body=body) as (url, transport, seen):
        with pytest.raises(PermissionDeniedError) as caught:
            await transport.put_file(url, clip, content_type="video/mp4")
    assert caught.value.code == "SignatureDoesNotMatch"
    assert "SIGNATURE" not in f"{caught.value} {vars(caught.value)}"
    assert len(seen) == 1


async def test_a_redirect_is_not_followed(clip):
    async with storage(307) as (url, transport, seen):
        with pytest.raises(Exception, match="307"):
            await transport.put_file(url, clip, content_type="video/mp4")
    assert len(seen) == 1


async def test_a_silent_store_times_out(clip):
    async with storage(200, delay=1.0, retry=RetryPolicy(attempts=1)) as (url, transport, _):
        with pytest.raises(RequestTimeout) as caught:
            await transport.put_file(url, clip, content_type="video/mp4", timeout=0.05)
    assert "SIGNATURE" not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_a_file_that_shrinks_under_way_is_told(clip):
    size = clip.stat().st_size

    def cut(sent, _total):
        if sent < size:
            with clip.open("r+b") as file:
                file.truncate(sent)

    async with storage(200, retry=RetryPolicy(attempts=1)) as (url, transport, _):
        with pytest.raises(TransportError, match=r"clip\.mp4 became shorter"):
            await transport.put_file(url, clip, content_type="video/mp4", progress=cut)


async def test_nobody_there_is_a_connect_error_without_the_query(clip):
    async with storage(200, retry=RetryPolicy(attempts=1)) as (_, transport, _seen):
        with pytest.raises(ConnectError) as caught:
            await transport.put_file(f"http://127.0.0.1:1/x?{SIGNED}", clip, content_type="video/mp4")
    assert "SIGNATURE" not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_a_file_that_is_not_there_and_an_address_in_the_clear_are_refused(tmp_path, clip):
    async with storage(200) as (url, transport, seen):
        with pytest.raises(ConfigurationError, match=r"path: .*can't be read"):
            await transport.put_file(url, tmp_path / "none.mp4", content_type="video/mp4")
        with pytest.raises(ConfigurationError, match="url: must be https") as caught:
            await transport.put_file(f"http://store.example/x?{SIGNED}", clip, content_type="video/mp4")
        assert "SIGNATURE" not in str(caught.value)
    assert seen == []
