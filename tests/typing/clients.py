"""What type checkers see of the typed clients, errors and values. Checked by mypy and pyright, never run."""

from __future__ import annotations

from typing import assert_type

from reelpub import (
    APIStatusError,
    DeliveryFailed,
    Post,
    Problem,
    RateLimitError,
    ReapClient,
    ReelMirrorClient,
    RequestTimeout,
    TransportError,
    UnsupportedOperation,
    ValidationError,
)
from reelpub.providers.reap import schemas as reap
from reelpub.providers.reelmirror import schemas as reelmirror


async def reelmirror_calls(client: ReelMirrorClient) -> None:
    """A single object, a list over all pages, one page, an answer that may hold nothing."""
    post = await client.get_outgoing_post("id")
    assert_type(post, reelmirror.OutgoingPost)
    assert_type(post.deliveries, tuple[reelmirror.Delivery, ...])
    async for listed in client.list_outgoing_posts():
        assert_type(listed, reelmirror.OutgoingPost)
    page = await client.list_outgoing_posts_page(limit=10, offset=0)
    assert_type(page.items, tuple[reelmirror.OutgoingPost, ...])
    assert_type(page.total, int | None)
    assert_type(await client.publish_outgoing_post("id"), reelmirror.OutgoingPost | None)
    async with client as same:
        assert_type(same, ReelMirrorClient)


async def reap_calls(client: ReapClient) -> None:
    """The same for Reap."""
    post = await client.get_post_details("id")
    assert_type(post, reap.Post)
    assert_type(await client.get_post_details(post_id="id"), reap.Post)
    async for listed in client.get_all_posts(created_after=1):
        assert_type(listed, reap.Post)
    async for clip in client.get_project_clips(project_id="id"):
        assert_type(clip, reap.Clip)
    assert_type(await client.publish_clip(project_id="p", clip_id="c", integrations=["i"]), reap.Post)
    async with client as same:
        assert_type(same, ReapClient)


def errors(error: Exception) -> None:
    """What each error carries."""
    if isinstance(error, RateLimitError):
        assert_type(error.retry_after, float | None)
    elif isinstance(error, APIStatusError):
        assert_type(error.status, int)
        assert_type(error.code, str | None)
        assert_type(error.headers, dict[str, str])
    elif isinstance(error, TransportError):
        assert_type(error.sent, bool | None)
    elif isinstance(error, ValidationError):
        assert_type(error.problems, tuple[Problem, ...])
    elif isinstance(error, UnsupportedOperation):
        assert_type(error.supported_by, tuple[str, ...])
    elif isinstance(error, DeliveryFailed):
        assert_type(error.post, Post)


def a_timeout_is_a_timeout(error: RequestTimeout) -> TimeoutError:
    """`except TimeoutError` catches it."""
    return error
