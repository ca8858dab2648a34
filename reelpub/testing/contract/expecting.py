"""Expecting things of a publisher without pytest's assertions, which are only rewritten in a test's own module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reelpub.models.job import Part
from reelpub.models.post import DeliveryStatus, Post

__all__ = ["accounts_of", "expect", "is_in_due_order", "raises", "states_of"]


def expect(condition: bool, message: str) -> None:
    """Fail with *message* unless *condition* holds."""
    if not condition:
        raise AssertionError(message)


@contextmanager
def raises(kind: type[BaseException]) -> Iterator[list[BaseException]]:
    """Expect an error of *kind*, which is in the list afterwards."""
    caught: list[BaseException] = []
    try:
        yield caught
    except kind as error:
        caught.append(error)
    expect(bool(caught), f"{kind.__name__} wasn't raised")


def accounts_of(post: Post) -> list[str]:
    """Return the ids of the accounts that *post* has deliveries for, sorted."""
    return sorted(delivery.account.id for delivery in post.deliveries)


def states_of(post: Post) -> dict[str, DeliveryStatus]:
    """Return how *post* stands on each of its accounts, by their ids."""
    return {delivery.account.id: delivery.status for delivery in post.deliveries}


def is_in_due_order(parts: Sequence[Part]) -> bool:
    """Return whether every part has a time, and none an earlier one than the part before it."""
    times = [part.at for part in parts if part.at is not None]
    return times == sorted(times) and len(times) == len(parts)
