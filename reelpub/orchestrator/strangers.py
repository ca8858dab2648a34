"""What comes out of a publisher that isn't ours: taken for nothing that it doesn't prove."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from reelpub.errors import OutcomeUnknown, ReelPubError
from reelpub.models.post import Post
from reelpub.providers.base import Publisher

__all__ = ["checked_results", "heard", "strange"]

T = TypeVar("T")


async def heard(call: Awaitable[T]) -> T:
    """Await what a publisher does; where it comes to be cancelled by itself, that is a fault of it like any other.

    A task that several of its calls share may have been cancelled with one of them. Taken for our own cancellation, it
    would end the worker or poller that asked, and with it everything.

    Raises:
        RuntimeError: it was cancelled, and nobody asked for that.
    """
    try:
        return await call
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("it was cancelled by itself") from error


def strange(error: Exception, publisher: Publisher, operation: str) -> ReelPubError:
    """Return *error*, which isn't of this library, as one that is; what it proves is nothing."""
    return OutcomeUnknown(
        f"raised {type(error).__name__}: {error}", operation=operation, provider=publisher.provider, cause=error
    )


def checked_results(results: Sequence[Post | ReelPubError], count: int) -> Sequence[Post | ReelPubError]:
    """Return *results* if there is one for each of *count* posts.

    Raises:
        TypeError: nothing can be concluded from them.
    """
    if len(results) != count:
        raise TypeError(f"{len(results)} results for {count} posts")
    for result in results:
        if not isinstance(result, (Post, ReelPubError)):
            raise TypeError(f"{type(result).__name__} instead of a post")
    return results
