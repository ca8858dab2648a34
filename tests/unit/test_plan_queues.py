"""What waits at a provider: read page by page out of lists that may lie, cut off at a number of reads."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from reelpub import Clip, Draft, MediaItems
from reelpub.errors import ServerError, status_error
from reelpub.providers.base import Queue, QueuedPost, SupportsQueue
from reelpub.providers.reap import ReapClient, ReapPublisher
from reelpub.providers.reelmirror import ReelMirrorClient, ReelMirrorPublisher
from reelpub.transport.message import Response
from reelpub.transport.offline import OfflineTransport

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
SECONDS = int(AT.timestamp())


class Pages:
    """A transport that answers with the pages of a list, or raises; then with empty ones."""

    def __init__(self, *pages):
        self.pages, self.sent = list(pages), []

    async def send(self, request, options=None):
        self.sent.append(dict(request.query))
        page = self.pages.pop(0) if self.pages else []
        if isinstance(page, Exception):
            raise page
        member = "posts" if request.operation == "get_all_posts" else "data"
        return Response(status=200, headers={"content-type": "application/json"}, body=orjson.dumps({member: page}))

    async def close(self):
        pass


def reap(*pages):
    pages = Pages(*pages)
    return ReapPublisher(ReapClient("key", transport=pages)), pages


def reelmirror(*pages):
    pages = Pages(*pages)
    return ReelMirrorPublisher(ReelMirrorClient("key", transport=pages)), pages


def wire(number, status="scheduled", **members):
    row = {"id": f"{number:024x}", "status": status, "scheduleDate": SECONDS, "integrations": ["a1"]}
    return {**row, "projectId": "p", "clipId": f"c{number}", **members}


async def test_reap_shows_what_waits_and_nothing_else():
    """A draft with a date waits, too; what is out or was called off doesn't."""
    publisher, _ = reap(
        [
            wire(1),
            wire(2, "draft"),
            wire(3, "completed"),
            wire(4, "cancelled"),
            wire(5, "processing"),
            wire(6, clipId=None),
            wire(7, scheduleDate=None),
            wire(8, scheduleDate=10**15),
        ]
    )
    assert isinstance(publisher, SupportsQueue)
    found = await publisher.queue(max_reads=5)
    assert found.note is None
    assert [post.id[-1] for post in found.posts] == ["1", "2", "6", "7", "8"]
    assert found.posts[0] == QueuedPost(id=f"{1:024x}", at=AT, accounts=frozenset({"a1"}), sources=(Clip("p", "c1"),))
    assert found.posts[2].sources == ()
    assert [post.at for post in found.posts[3:]] == [None, None]


async def test_reaps_list_is_read_no_further_than_asked_for():
    full = [[wire(100 * page + n) for n in range(100)] for page in range(3)]
    publisher, pages = reap(*full)
    found = await publisher.queue(max_reads=2)
    assert len(found.posts) == 200
    assert found.note == "only 200 posts of reap were read; others may wait there, too"
    assert [query["page"] for query in pages.sent] == ["1", "2"]
    whole, pages = reap(*full)
    assert (await whole.queue(max_reads=9)).note is None
    assert len(pages.sent) == 4


def post(number, status="scheduled", **members):
    row = {"id": f"p{number}", "status": status, "scheduled_for": AT.isoformat()}
    delivery = {"id": "d", "platform": "tiktok", "status": "scheduled", "connected_account_id": "a1", "username": "x"}
    return {**row, "items": [{"generated_media_item_id": f"m{number}"}], "deliveries": [delivery], **members}


async def test_reelmirror_shows_what_is_scheduled_where_it_has_a_list():
    publisher, _ = reelmirror(
        [post(1), post(2, "draft"), post(3, items=[{"id": "i"}]), post(4, deliveries=[], scheduled_for=None)]
    )
    found = await publisher.queue(max_reads=5)
    assert [one.id for one in found.posts] == ["p1", "p3", "p4"]
    assert found.posts[0] == QueuedPost(
        id="p1", at=AT, accounts=frozenset({"a1"}), sources=(Draft("p1"), MediaItems(["m1"]))
    )
    assert found.posts[1].sources == (Draft("p3"),)
    assert (found.posts[2].at, found.posts[2].accounts) == (None, frozenset())
    assert found.note == "reelmirror's list names media items, not the generated posts that they came from"
    assert publisher.has_bulk_read is True


async def test_reelmirrors_list_is_read_no_further_than_asked_for():
    publisher, pages = reelmirror([post(n) for n in range(100)], [post(n) for n in range(100, 200)])
    found = await publisher.queue(max_reads=1)
    assert len(found.posts) == 100
    assert "only 100 posts of reelmirror were read; others may wait there, too" in found.note
    assert len(pages.sent) == 1


@pytest.mark.parametrize("status", [404, 405])
async def test_where_reelmirror_has_no_list_it_is_asked_once(status):
    error = status_error(status, "no", operation="list_outgoing_posts", provider="reelmirror")
    publisher, pages = reelmirror(error)
    nothing = Queue(note="what reelmirror has scheduled can't be known: it has no list of posts")
    assert await publisher.queue(max_reads=5) == nothing
    assert publisher.has_bulk_read is False
    assert await publisher.queue(max_reads=5) == nothing
    assert len(pages.sent) == 1


async def test_a_list_that_fails_says_nothing_about_whether_there_is_one():
    error = status_error(503, "down", operation="list_outgoing_posts", provider="reelmirror")
    publisher, _ = reelmirror(error)
    with pytest.raises(ServerError):
        await publisher.queue(max_reads=5)
    assert publisher.has_bulk_read is None


async def test_an_offline_transport_has_nothing_to_close():
    await OfflineTransport("reap").close()
