"""Reading the newest posts for those who look for one: who asks while a read is awaited shares the next one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import anyio
from attrs import frozen

from reelpub.providers.reap.schemas import Post

if TYPE_CHECKING:
    from reelpub.providers.reap.client import ReapClient

__all__ = ["RecentPosts"]


@frozen(kw_only=True)
class _View:
    """A list that began after the first *asked* askers had asked."""

    asked: int
    created_after: int
    posts: Mapping[str, Post]


class RecentPosts:
    """Lists posts by their time of creation; several who ask at once cost one list, not one each."""

    def __init__(self, client: ReapClient) -> None:
        self._client = client
        self._lock = anyio.Lock()
        self._asked = 0
        self._bound: float = math.inf
        self._view = _View(asked=0, created_after=0, posts={})

    async def since(self, created_after: int) -> Mapping[str, Post]:
        """Return the posts made after *created_after* (Unix seconds) by id, in a list that began after this call."""
        self._asked += 1
        ticket = self._asked
        self._bound = min(self._bound, created_after)
        async with self._lock:
            if self._view.asked < ticket or self._view.created_after > created_after:
                self._view = await self._read(int(min(self._bound, created_after)))
            return self._view.posts

    async def _read(self, created_after: int) -> _View:
        asked, self._bound = self._asked, math.inf
        posts = {post.id: post async for post in self._client.get_all_posts(created_after=created_after)}
        return _View(asked=asked, created_after=created_after, posts=posts)
