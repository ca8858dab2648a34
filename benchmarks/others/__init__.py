"""Other SDKs for publishing that `cpu.py` compares with, where they are installed: how each is asked for one post.

Each is pointed at the benchmark's own server, below a path of its own, and is answered with a post in its own shape:
two media, three accounts, about as many bytes as ReelMirror's.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Any

from attrs import frozen

__all__ = ["ALL", "Other", "connected"]

Call = Callable[[], Awaitable[object]]

POST_ID = "7b0e2f5c-2c1f-4f0e-9a51-5d2f3c1b7a90"
TEXT = "Launch day. Everything that you have been waiting for, in thirty seconds. " * 2
AT = "2026-11-22T14:00:05Z"
PLATFORMS = ("instagram", "tiktok", "youtube")


@frozen(kw_only=True)
class Other:
    """One other SDK.

    `make` returns its asynchronous client for an address; `get` asks that client for the post; `read_id` takes the id
    out of what it returns, so that a post that wasn't understood isn't measured. `post` is what the server answers.
    """

    distribution: str
    module: str
    make: Callable[[Any, str], Any]
    get: Callable[[Any], Awaitable[Any]]
    read_id: Callable[[Any], object]
    post: dict[str, Any]

    @property
    def body(self) -> bytes:
        """What the server answers below the path that is called like the distribution."""
        return json.dumps(self.post).encode()

    @property
    def is_installed(self) -> bool:
        """Whether it can be imported."""
        return find_spec(self.module) is not None


def _zernio_post() -> dict[str, Any]:
    media = [{"type": "video", "url": f"https://media.example.com/item-{n}.mp4"} for n in range(2)]
    platforms = [
        {
            "platform": name,
            "accountId": f"account-{n}",
            "status": "published",
            "platformPostId": f"178414{n:011d}",
            "platformPostUrl": f"https://{name}.example.com/p/{n}",
            "publishedAt": AT,
        }
        for n, name in enumerate(PLATFORMS)
    ]
    return {
        "post": {
            "_id": POST_ID,
            "userId": "user-1",
            "content": TEXT,
            "mediaItems": media,
            "platforms": platforms,
            "scheduledFor": AT,
            "timezone": "UTC",
            "status": "published",
            "tags": [],
            "visibility": "public",
            "createdAt": AT,
            "updatedAt": AT,
        }
    }


def _castrook_post() -> dict[str, Any]:
    targets = [
        {
            "account_id": f"account-{n}",
            "platform": name,
            "status": "published",
            "attempts": 1,
            "provider_post_id": f"178414{n:011d}",
            "url": f"https://{name}.example.com/p/{n}",
        }
        for n, name in enumerate(PLATFORMS)
    ]
    media = [{"type": "video", "url": f"https://media.example.com/item-{n}.mp4"} for n in range(2)]
    post = {
        "id": POST_ID,
        "profile_id": "profile-1",
        "text": TEXT,
        "media_items": media,
        "status": "published",
        "scheduled_at": None,
        "created_at": AT,
        "updated_at": AT,
        "targets": targets,
        "mode": "test",
    }
    return {"data": post}


def _postify_post() -> dict[str, Any]:
    variants: list[dict[str, Any]] = [
        {"id": f"variant-{n}", "channel_id": f"account-{n}", "body": "", "media": []} for n in range(3)
    ]
    variants[0]["media"] = [{"url": f"https://media.example.com/item-{n}.mp4", "type": "video"} for n in range(2)]
    deliveries = [
        {"channel_id": f"account-{n}", "stage": "acked", "external_id": f"178414{n:011d}", "error": None}
        for n in range(3)
    ]
    return {
        "id": POST_ID,
        "status": "published",
        "type": "single",
        "title": None,
        "body": TEXT * 2,
        "scheduled_at": None,
        "published_at": AT,
        "created_at": AT,
        "variants": variants,
        "deliveries": deliveries,
    }


def _omnisocials_post() -> dict[str, Any]:
    platforms = [
        {"platform": name, "account_id": f"account-{n}", "status": "posted", "url": f"https://{name}.example.com/p/{n}"}
        for n, name in enumerate(PLATFORMS)
    ]
    media = [{"type": "video", "url": f"https://media.example.com/item-{n}.mp4"} for n in range(2)]
    return {
        "id": POST_ID,
        "content": TEXT * 2,
        "status": "posted",
        "scheduled_at": None,
        "media": media,
        "platforms": platforms,
        "created_at": AT,
        "updated_at": AT,
    }


ALL = (
    Other(
        distribution="zernio-sdk",
        module="late",
        make=lambda module, url: module.Zernio("benchmark", base_url=url),
        get=lambda client: client.posts.aget(POST_ID),
        read_id=lambda found: found.post.field_id,
        post=_zernio_post(),
    ),
    Other(
        distribution="castrook",
        module="castrook",
        make=lambda module, url: module.AsyncCastrook("cr_test_benchmark", base_url=url),
        get=lambda client: client.posts.get(POST_ID),
        read_id=lambda found: found["data"]["id"],
        post=_castrook_post(),
    ),
    Other(
        distribution="postify-sdk",
        module="postify",
        make=lambda module, url: module.AsyncPostify(api_key="postify_test_benchmark", base_url=url),
        get=lambda client: client.posts.get(POST_ID),
        read_id=lambda found: found.id,
        post=_postify_post(),
    ),
    Other(
        distribution="omnisocials",
        module="omnisocials",
        make=lambda module, url: module.AsyncOmniSocials("benchmark", base_url=url),
        get=lambda client: client.posts.get(POST_ID),
        read_id=lambda found: found["id"],
        post=_omnisocials_post(),
    ),
)


@asynccontextmanager
async def connected(origin: str) -> AsyncIterator[tuple[dict[str, Call], list[str]]]:
    """Hand out a call for each SDK that is installed, by its distribution, and say why the others have none."""
    calls: dict[str, Call] = {}
    missing = [other.distribution for other in ALL if not other.is_installed]
    notes = [f"not installed, so not compared: {', '.join(missing)}"] if missing else []
    async with AsyncExitStack() as stack:
        for other in ALL:
            if not other.is_installed:
                continue
            try:
                module = importlib.import_module(other.module)
                client = await stack.enter_async_context(other.make(module, f"{origin}/{other.distribution}"))
                found = other.read_id(await other.get(client))
            except Exception as error:  # noqa: BLE001 - whatever keeps another SDK from working is told, and no more
                notes.append(f"not compared: {other.distribution}, which raised {type(error).__name__}: {error}"[:300])
                continue
            if found != POST_ID:
                notes.append(f"not compared: {other.distribution} read the post's id as {found!r}")
                continue
            calls[other.distribution] = _call(other, client)
        yield calls, notes


def _call(other: Other, client: Any) -> Call:
    async def call() -> object:
        return await other.get(client)

    return call
