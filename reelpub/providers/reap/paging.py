"""Walking over all pages of a list whose pages may shift and whose totals may lie."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol, TypeVar

from reelpub.errors import DecodeError
from reelpub.providers.reap.decode import PROVIDER

__all__ = ["PageLike", "all_items"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

PAGES_MOST: Final = 10_000
"""A million rows: at 10 requests a minute 17 hours, so only a server that never ends a list gets here."""

_STALE_MOST: Final = 2
"""So many pages in a row with nothing new end the walk. One alone may come of rows that were added meanwhile."""


class PageLike(Protocol[T_co]):
    """A page of rows as Reap answers it."""

    @property
    def items(self) -> tuple[T_co, ...]:
        """The rows."""
        ...

    @property
    def total(self) -> int | None:
        """How many rows there are on all pages, if the provider says so."""
        ...

    @property
    def total_pages(self) -> int | None:
        """How many pages there are, if the provider says so."""
        ...


async def all_items(
    fetch: Callable[[int], Awaitable[PageLike[T]]], *, page_size: int, operation: str
) -> AsyncIterator[T]:
    """Yield the rows of every page from 1 on, each id once.

    *fetch* reads one page by its number. The end is an empty page, or a page that isn't full where the totals don't
    promise more; totals alone end nothing while pages are full. Rows that are added meanwhile push others to the
    next page, which is why ids are remembered; a row that is *deleted* meanwhile pulls one past the reader unseen.
    """
    seen: set[str] = set()
    count = stale = 0
    for number in range(1, PAGES_MOST + 1):
        page = await fetch(number)
        fresh = [item for item in page.items if _is_new(item, seen)]
        for item in fresh:
            yield item
        count += len(fresh)
        stale = 0 if fresh else stale + 1
        if stale >= _STALE_MOST or _is_last(page, number, count, page_size):
            return
    raise DecodeError(f"the list doesn't end within {PAGES_MOST} pages", operation=operation, provider=PROVIDER)


def _is_new(item: object, seen: set[str]) -> bool:
    key = getattr(item, "id", None)
    # A row without an id is told apart by all it holds.
    key = repr(item) if key is None else key
    if key in seen:
        return False
    seen.add(key)
    return True


def _is_last(page: PageLike[T], number: int, count: int, page_size: int) -> bool:
    if not page.items:
        return True
    if len(page.items) >= page_size:
        return False
    if page.total is None and page.total_pages is None:
        return False  # the server may give out smaller pages than asked for; an empty one will tell
    return number >= (page.total_pages or 0) and count >= (page.total or 0)
