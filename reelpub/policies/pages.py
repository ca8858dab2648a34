"""Which page of a provider's list to read: the one where most unseen waiting is expected.

Nobody promises how a list is ordered, so where posts stand is learned: a post is expected on the page that showed it
last, a new one where the newest was found first, and what a page doesn't show any more on the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from attrs import define, field

__all__ = ["ASIDE", "NEW", "Listed", "PageBook"]

NEW = -1
"""The page of a post that no list has shown yet."""

ASIDE = -2
"""The page of a post that lists don't show where it can be looked for: it is read by itself."""


class Listed(Protocol):
    """A post as far as it matters here: its *page*, and since when it waits unseen, in monotonic seconds.

    *is_listed* tells whether a list has ever shown it, *misses* how many pages in a row didn't where it was expected.
    """

    id: str
    page: int
    is_listed: bool
    misses: int
    accepted_at: float
    due_at: float

    @property
    def waits_since(self) -> float: ...


@define
class _Page:
    """The posts expected on one page, with the sum of the instants since when they wait unseen."""

    posts: dict[str, Listed] = field(factory=dict)
    since: float = 0.0
    read_at: float | None = None


@define
class PageBook:
    """Where the watched posts are expected. Times are monotonic seconds.

    `front` is the page where the newest post was found that a list showed for the first time; `is_blank` tells whether
    the page asked for last showed none for the first time.
    """

    front: int = 0
    _shown: set[str] = field(factory=set, init=False)
    is_blank: bool = field(default=True, init=False)
    _pages: dict[int, _Page] = field(factory=dict, init=False)
    _newest: float = field(default=float("-inf"), init=False)

    def add(self, post: Listed) -> None:
        """Expect *post* on its page."""
        page = self._pages.setdefault(post.page, _Page())
        page.posts[post.id] = post
        page.since += post.waits_since

    def remove(self, post: Listed) -> None:
        """Expect *post* no more; what it waits since is as it was when it was added."""
        page = self._pages[post.page]
        del page.posts[post.id]
        page.since -= post.waits_since
        if not page.posts:
            # No rounding is carried along, and no page for ever.
            page.since = 0.0

    def found(self, post: Listed, page: int) -> None:
        """Note that *page* showed *post*, before it is added there."""
        self._shown.add(post.id)
        if not post.is_listed:
            self.is_blank = False
            if post.accepted_at > self._newest:
                self._newest, self.front = post.accepted_at, page
        post.page, post.is_listed, post.misses = page, True, 0

    def place_of(self, post: Listed) -> int:
        """Return the page to look for *post* on."""
        return self.front if post.page == NEW else post.page

    def read_at(self, page: int) -> float:
        """Return when *page* was last asked for, minus infinity if never."""
        known = self._pages.get(page)
        return float("-inf") if known is None or known.read_at is None else known.read_at

    def ask(self, page: int, now: float) -> None:
        """Note that *page* is asked for."""
        self._shown.clear()
        self.is_blank = True
        self._pages.setdefault(page, _Page()).read_at = now

    def first_aside(self) -> Listed | None:
        """Return the post that was seen least recently of those which lists don't show."""
        page = self._pages.get(ASIDE)
        return next(iter(page.posts.values()), None) if page is not None else None

    def waiting(self, now: float) -> Iterator[tuple[int, float]]:
        """Return each page that posts are expected on, with the seconds that they have waited unseen, all together."""
        new = self._pages.get(NEW)
        fresh = len(new.posts) * now - new.since if new is not None else 0.0
        has_front = False
        for number, page in self._pages.items():
            if number >= 0 and (page.posts or (number == self.front and new is not None and new.posts)):
                has_front = has_front or number == self.front
                yield number, len(page.posts) * now - page.since + (fresh if number == self.front else 0.0)
        if not has_front and new is not None and new.posts:
            yield self.front, fresh

    def missing(self, page: int, asked_at: float) -> list[Listed]:
        """Return the posts that were expected on *page* and that it didn't show, asked for at *asked_at*."""
        expected = list(self._pages[page].posts.values()) if page in self._pages else []
        if page == self.front and NEW in self._pages:
            expected += self._pages[NEW].posts.values()
        return [post for post in expected if post.id not in self._shown and post.due_at <= asked_at]

    def move(self, post: Listed, page: int) -> None:
        """Expect *post* on *page* instead."""
        self.remove(post)
        post.page = page
        post.misses += 1
        self.add(post)
