"""What waits for its time at ReelMirror: readable only where the list of posts, which isn't documented, is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from reelpub.errors import APIStatusError
from reelpub.models.account import Account
from reelpub.models.source import Draft, MediaItems, Source
from reelpub.providers.base import Queue, QueuedPost
from reelpub.providers.reelmirror.decode import Page
from reelpub.providers.reelmirror.paging import walk
from reelpub.providers.reelmirror.schemas import Delivery, OutgoingPost, OutgoingPostStatus

if TYPE_CHECKING:
    from reelpub.providers.reelmirror.client import ReelMirrorClient

__all__ = ["NO_LIST", "read_queue"]

NO_LIST: Final = "what reelmirror has scheduled can't be known: it has no list of posts"
_MEDIA_ONLY: Final = "reelmirror's list names media items, not the generated posts that they came from"
_UNSEEN: Final = "only {} posts of reelmirror were read; others may wait there, too"


async def read_queue(
    client: ReelMirrorClient, resolve: Callable[[Delivery], Account], *, page_size: int, max_reads: int
) -> Queue | None:
    """Return the posts that are scheduled, read in at most *max_reads* requests; None where there is no list.

    *resolve* says which account a delivery is for. The list is inferred (docs/contracts/reelmirror.md).
    """
    found: list[QueuedPost] = []
    seen = reads = 0
    is_cut = False

    async def fetch(limit: int, offset: int) -> Page[OutgoingPost]:
        nonlocal reads, is_cut
        if reads == max_reads:
            is_cut = True
            return Page(items=(), total=None, offset=offset)
        reads += 1
        return await client.list_outgoing_posts_page(limit=limit, offset=offset)

    try:
        async for raw in walk(fetch, limit=page_size):
            seen += 1
            if raw.status == OutgoingPostStatus.SCHEDULED:
                found.append(_queued(raw, resolve))
    except APIStatusError as error:
        if error.status not in (404, 405):
            raise
        return None
    notes = [_MEDIA_ONLY, *([_UNSEEN.format(seen)] if is_cut else [])]
    return Queue(posts=tuple(found), note="; ".join(notes))


def _queued(raw: OutgoingPost, resolve: Callable[[Delivery], Account]) -> QueuedPost:
    items = [item.generated_media_item_id for item in raw.items]
    sources: tuple[Source, ...] = (Draft(raw.id),)
    if items and None not in items:
        sources += (MediaItems([item for item in items if item is not None]),)
    return QueuedPost(
        id=raw.id,
        at=raw.scheduled_for,
        accounts=frozenset(resolve(delivery).id for delivery in raw.deliveries),
        sources=sources,
    )
