"""What a transport may offer beside `message.Transport`, each a protocol of its own; what isn't there isn't used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from reelpub.transport.limiter import RateLimiter

__all__ = ["BringsLimiter", "CountsRequests", "KnowsClock", "KnowsReach"]


@runtime_checkable
class BringsLimiter(Protocol):
    """Has a limiter already, which the client takes for its own where it is given none."""

    @property
    def limiter(self) -> RateLimiter: ...


@runtime_checkable
class CountsRequests(Protocol):
    """Counts what it sends."""

    @property
    def requests(self) -> Mapping[str, int]:
        """How many requests of each operation were sent, retries included."""
        ...


@runtime_checkable
class KnowsReach(Protocol):
    """Knows whether its provider can be reached at all."""

    @property
    def unreached_for(self) -> float | None:
        """Seconds for which the provider, reached before, has been out of reach; None while it isn't."""
        ...


@runtime_checkable
class KnowsClock(Protocol):
    """Compares its clock with the provider's."""

    @property
    def clock_ahead(self) -> float:
        """By how many seconds the clock here was ahead of the provider's at most, by the ``Date`` of its answers."""
        ...
