"""What waits for its time at Reap, in a bounded number of reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reelpub.models.post import PostStatus
from reelpub.models.source import Clip, Source
from reelpub.providers.base import Queue, QueuedPost
from reelpub.providers.reap import schemas
from reelpub.providers.reap.limits import PAGE_SIZE_MOST
from reelpub.providers.reap.mapping import post_status
from reelpub.providers.reap.paging import all_items

if TYPE_CHECKING:
    from reelpub.providers.reap.client import ReapClient

__all__ = ["read_queue"]

_UNSEEN: Final = "only {} posts of reap were read; others may wait there, too"


async def read_queue(client: ReapClient, *, max_reads: int) -> Queue:
    """Return the posts that wait for a date.

    The list can't be filtered by what waits: `scheduled` isn't in the filter's values, and its order isn't documented
    (contradiction 2 of docs/contracts/reap.md). So all posts are read, up to *max_reads* pages of 100.
    """
    found: list[QueuedPost] = []
    seen = 0
    is_cut = False

    async def fetch(number: int) -> schemas.PostPage:
        nonlocal is_cut
        if number > max_reads:
            is_cut = True
            return schemas.PostPage(posts=())
        return await client.get_all_posts_page(page=number)

    async for wire in all_items(fetch, page_size=PAGE_SIZE_MOST, operation="get_all_posts"):
        seen += 1
        if post_status(wire.status, is_timed=bool(wire.schedule_date)) is PostStatus.SCHEDULED:
            found.append(_queued(wire))
    return Queue(posts=tuple(found), note=_UNSEEN.format(seen) if is_cut else None)


def _queued(wire: schemas.Post) -> QueuedPost:
    sources: tuple[Source, ...] = ()
    if wire.project_id is not None and wire.clip_id is not None:
        sources = (Clip(wire.project_id, wire.clip_id),)
    return QueuedPost(
        id=wire.id, at=_instant(wire.schedule_date), accounts=frozenset(wire.integrations), sources=sources
    )


def _instant(date: int | None) -> datetime | None:
    try:
        return None if date is None else datetime.fromtimestamp(date, UTC)
    except (ValueError, OverflowError, OSError):
        return None
