"""Where requests go when nothing else is said: the services' own addresses. Only what was sent is looked at."""

from __future__ import annotations

from aioresponses import aioresponses
from yarl import URL

from reelpub import ReapClient, ReelMirrorClient


async def sent_by(call, url, answer):
    """Return the one request that *call* makes, answered with *answer* in place of the service."""
    with aioresponses() as services:
        services.add(url, method=answer["method"], payload=answer["payload"])
        await call()
        ((method, address), (request,)) = next(iter(services.requests.items()))
        assert len(services.requests) == 1
    return method, address, request.kwargs


async def test_reap_is_asked_at_its_own_address_with_the_key():
    url = "https://public.reap.video/api/v1/automation/publish-clip"
    async with ReapClient("a-key-of-reap-0001") as client:

        async def call():
            await client.publish_clip(project_id="p1", clip_id="c1", integrations=["i1"], title="Hi")

        method, address, said = await sent_by(call, url, {"method": "POST", "payload": {"id": "x"}})
    assert (method, address) == ("POST", URL(url))
    assert said["headers"]["Authorization"] == "Bearer a-key-of-reap-0001"
    assert said["data"] == b'{"projectId":"p1","clipId":"c1","integrations":["i1"],"title":"Hi"}'
    assert said["allow_redirects"] is False


async def test_reelmirror_is_asked_at_its_own_address_with_the_key():
    url = "https://reelmirror.com/api/v1/publishing/posts/post-1"
    async with ReelMirrorClient("rm_a_key_of_reelmirror") as client:

        async def call():
            await client.get_outgoing_post("post-1")

        answer = {"method": "GET", "payload": {"post": {"id": "post-1", "status": "draft"}}}
        method, address, said = await sent_by(call, url, answer)
    assert (method, address) == ("GET", URL(url))
    assert said["headers"]["Authorization"] == "Bearer rm_a_key_of_reelmirror"
    assert said["data"] is None
