"""What a client is handed carries all of its traffic: sessions for proxies and certificates, a transport's limiter."""

from __future__ import annotations

from contextlib import suppress

import pytest
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer

from reelpub import RateLimiter, ReapClient, ReapPublisher, ReelMirrorClient, ReelMirrorPublisher, ReelPubError
from reelpub.models.capability import ProviderLimits
from reelpub.transport.http import HttpTransport

KEY = "rm_" + "k" * 32


async def read_and_write(client):
    """Send one request that may be repeated, and one that goes live; what the answers are worth doesn't matter here."""
    if isinstance(client, ReapClient):
        calls = (client.get_integrations(), client.publish_clip(project_id="p", clip_id="c", integrations=["i"]))
    else:
        calls = (client.get_outgoing_post("p1"), client.publish_outgoing_post("p1"))
    for call in calls:
        with suppress(ReelPubError):
            await call


@pytest.mark.parametrize("kind", [ReelMirrorClient, ReapClient])
async def test_both_sessions_are_used_and_stay_open(kind):
    """With both given, as behind a proxy, nothing leaves by a connection that the client made for itself."""
    seen = []

    async def handle(request):
        seen.append((request.method, request.headers.get("X-Session")))
        return web.json_response({"id": "p1", "status": "draft", "integrations": []})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with (
        TestServer(app) as server,
        ClientSession(headers={"X-Session": "kept"}) as kept,
        ClientSession(headers={"X-Session": "fresh"}, connector=TCPConnector(force_close=True)) as fresh,
    ):
        async with kind(KEY, base_url=str(server.make_url("/")), session=kept, fresh_session=fresh) as client:
            await read_and_write(client)
        assert not kept.closed
        assert not fresh.closed
    assert seen == [("GET", "kept"), ("POST", "fresh")]


@pytest.mark.parametrize("kind", [ReelMirrorClient, ReapClient])
async def test_a_transport_brings_its_limiter_along(kind):
    """The one that its requests wait for is the one that the client, and a publisher on it, tell of."""
    limiter = RateLimiter(3)
    transport = HttpTransport("http://localhost:1", KEY, provider="x", limiter=limiter)
    async with kind(KEY, transport=transport) as client:
        assert client.limiter is limiter
    other = RateLimiter(5)
    assert kind(KEY, transport=transport, limiter=other).limiter is other
    await transport.close()


@pytest.mark.parametrize("kind", [ReelMirrorPublisher, ReapPublisher])
async def test_both_publishers_connect_alike(kind):
    limits = ProviderLimits(requests=3)
    async with kind.connect(KEY, base_url="http://localhost:1", name="mine", limits=limits) as publisher:
        assert publisher.name == "mine"
        assert publisher.limits is limits
