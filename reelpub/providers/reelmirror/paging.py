"""Walking a list by limit and offset while others change it.

The pages say neither what order a list has nor, surely, what ``count`` means. So no row is given twice, a page that
brings nothing new doesn't go on for ever, and a total that is missing or wrong ends nothing too early. A row can
still be missed where rows before it are deleted meanwhile: that lies in offsets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from reelpub.providers.reelmirror.decode import Page

__all__ = ["has_more", "walk"]

T = TypeVar("T")

MAX_STALE = 2
"""Pages without a new row in succession after which the server is taken to ignore the offset."""


def has_more(page: Page[Any], *, limit: int, stale: int) -> bool:
    """Return whether another page may hold rows.

    *limit* is the size asked for; *stale* counts the pages in succession, *page* the last of them, that brought
    nothing new. A full page has to be followed whatever the total says: it may be that of the page alone.
    """
    if not page.items or stale >= MAX_STALE:
        return False
    if page.total is not None and page.total > page.offset + len(page.items):
        return True
    return stale == 0 and len(page.items) >= limit


async def walk(fetch: Callable[[int, int], Awaitable[Page[T]]], *, limit: int, offset: int = 0) -> AsyncIterator[T]:
    """Yield every row of a list once; ``fetch(limit, offset)`` reads a page."""
    seen: set[str] = set()
    stale = 0
    while True:
        page = await fetch(limit, offset)
        fresh = _unseen(page.items, seen)
        for item in fresh:
            yield item
        stale = 0 if fresh else stale + 1
        if not has_more(page, limit=limit, stale=stale):
            return
        offset += len(page.items)


def _unseen(items: tuple[T, ...], seen: set[str]) -> list[T]:
    """Return the rows whose id (or, without one, whole content) isn't in *seen*, and put them there."""
    fresh = []
    for item in items:
        key = getattr(item, "id", None) or repr(item)
        if key not in seen:
            seen.add(key)
            fresh.append(item)
    return fresh
