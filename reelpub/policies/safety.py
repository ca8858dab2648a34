"""What kind of request something is, and what a failure of it proves.

Neither provider takes an idempotency key, so a request that puts a post live must not be repeated unless it
provably never took effect. Everything that repeats a request asks here first.
"""

from __future__ import annotations

from enum import Enum

from reelpub.errors import (
    APIStatusError,
    ConfigurationError,
    ConflictError,
    RateLimitError,
    RateLimitWouldBlock,
    ServerError,
    StoreError,
    TransportError,
)

__all__ = ["Effect", "RequestKind", "effect_of", "is_repeatable"]


class RequestKind(Enum):
    """What repeating a request would do."""

    READ = "read"
    """Changes nothing."""
    IDEMPOTENT = "idempotent"
    """Changes something, to the same end however often it is sent."""
    CREATE_DRAFT = "create_draft"
    """Makes something that nobody sees; a repeat leaves an orphan, never a second live post."""
    GO_LIVE = "go_live"
    """Makes something public, now or at a later time; a repeat may be a second live post."""
    OTHER_WRITE = "other_write"
    """Costs money or can't be undone, but posts nothing; repeated only when it provably never left."""


class Effect(Enum):
    """What a failed request did, as far as the failure proves it."""

    NONE = "none"
    """It provably did nothing: it never left, or the provider refused it."""
    UNKNOWN = "unknown"
    """It may have taken effect."""


_REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 413, 415, 422, 429})


def effect_of(error: BaseException) -> Effect:
    """Return what *error* proves about the request that raised it.

    A time-out, a reset, a 3xx, a 5xx and an unreadable success all leave the effect open. So does a 409: it may
    speak of the very post that a lost answer made, and has to be looked up.
    """
    if isinstance(error, (ConfigurationError, RateLimitWouldBlock, RateLimitError, StoreError)):
        return Effect.NONE
    if isinstance(error, TransportError):
        return Effect.NONE if error.sent is False else Effect.UNKNOWN
    if isinstance(error, (ServerError, ConflictError)):
        return Effect.UNKNOWN
    if isinstance(error, APIStatusError) and error.status in _REFUSALS:
        return Effect.NONE
    return Effect.UNKNOWN


def is_repeatable(kind: RequestKind, error: BaseException) -> bool:
    """Return whether a request of *kind* that failed with *error* may be sent again without asking first.

    This says what is *safe*, not what is worth while: that a 404 is not retried is the retry policy's business.
    """
    if kind in (RequestKind.READ, RequestKind.IDEMPOTENT, RequestKind.CREATE_DRAFT):
        return True
    return effect_of(error) is Effect.NONE
