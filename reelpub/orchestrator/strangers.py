"""What comes out of a publisher that isn't ours: taken for nothing that it doesn't prove."""

from __future__ import annotations

from collections.abc import Sequence

from reelpub.errors import OutcomeUnknown, ReelPubError
from reelpub.models.post import Post
from reelpub.providers.base import Publisher

__all__ = ["checked_results", "strange"]


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
