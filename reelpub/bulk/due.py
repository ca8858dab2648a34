"""When a row goes out: what its provider says of its posts counts before what was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reelpub.bulk.record import RowRecord
from reelpub.models.post import Post
from reelpub.models.request import PublishRequest
from reelpub.policies.scheduling import instant

__all__ = ["due_at", "due_of"]


def due_of(request: PublishRequest, posts: Iterable[Post] = ()) -> datetime | None:
    """Return when *request* goes out, as the provider has its *posts* or else as it was asked for; None for at once.

    Of several posts the latest counts: before that the row isn't live everywhere. A time that can't be read is none.
    """
    told = max((post.scheduled_at for post in posts if post.scheduled_at is not None), default=None)
    if told is not None:
        return told
    asked = instant(request.at) if request.at is not None else None
    return asked if isinstance(asked, datetime) else None


def due_at(row: RowRecord) -> datetime | None:
    """Return when *row* goes out, as `due_of` says; what has gone out or ended otherwise keeps the time it had."""
    return due_of(row.request, row.outcome.posts if row.outcome is not None else ())
