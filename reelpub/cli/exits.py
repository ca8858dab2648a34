"""Exit statuses: what a script may conclude from how the command ended."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from reelpub.errors import (
    ConfigurationError,
    DecodeError,
    OutcomeUnknown,
    RateLimitError,
    ReelPubError,
    ServerError,
    TransportError,
)
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import Post, PostStatus
from reelpub.policies.settlement import outcome_status

__all__ = ["ExitStatus", "of_error", "of_statuses", "status_of"]


class ExitStatus(IntEnum):
    """How the command ended."""

    SUCCESS = 0
    """Every delivery succeeded."""
    FAILED = 1
    """Some failed, were refused, were duplicates, weren't sent, or were called off."""
    USAGE = 2
    """Wrong use; nothing was sent."""
    UNKNOWN = 3
    """Some are pending, or nobody can say what became of them. It outweighs a failure: don't just send again."""
    UNREAD = 141
    """Whoever read the output left before its end, and nothing was sent; the number is the shell's for SIGPIPE."""
    INTERRUPTED = 130
    """Ctrl-C before anything could be told; the number is the shell's own."""


_OPEN = frozenset({OutcomeStatus.PENDING, OutcomeStatus.UNKNOWN})
_GOOD = frozenset({OutcomeStatus.PUBLISHED, OutcomeStatus.SCHEDULED})
_MAY_YET_BE = (TransportError, ServerError, RateLimitError, DecodeError, OutcomeUnknown)

_FROM_POST = {
    PostStatus.SCHEDULED: OutcomeStatus.SCHEDULED,
    PostStatus.PUBLISHED: OutcomeStatus.PUBLISHED,
    PostStatus.PARTLY_PUBLISHED: OutcomeStatus.PARTLY_PUBLISHED,
    PostStatus.FAILED: OutcomeStatus.FAILED,
    PostStatus.CANCELLED: OutcomeStatus.CANCELLED,
}


def of_statuses(statuses: Iterable[OutcomeStatus], *, scheduled_counts: bool = True) -> ExitStatus:
    """Return the exit status for outcomes; *scheduled_counts* False is for whoever waits until posts are live."""
    found = frozenset(statuses)
    if found & _OPEN or (OutcomeStatus.SCHEDULED in found and not scheduled_counts):
        return ExitStatus.UNKNOWN
    return ExitStatus.SUCCESS if found <= _GOOD else ExitStatus.FAILED


def of_error(error: ReelPubError) -> ExitStatus:
    """Return the exit status for a command that *error* ended."""
    if isinstance(error, ConfigurationError):
        return ExitStatus.USAGE
    return ExitStatus.UNKNOWN if isinstance(error, _MAY_YET_BE) else ExitStatus.FAILED


def status_of(post: Post) -> OutcomeStatus:
    """Return what a post that was read amounts to; its deliveries decide, where it has any."""
    if post.deliveries:
        return outcome_status(delivery.status for delivery in post.deliveries)
    return _FROM_POST.get(post.status, OutcomeStatus.PENDING)
