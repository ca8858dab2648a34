"""The rehearsing transport by itself: what it sends, shows and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reelpub import CallOptions, ConfigurationError, RateLimiter, RequestKind, TransportError
from reelpub.providers.reap.rehearsal import ReapStandIn
from reelpub.providers.reelmirror import endpoints
from reelpub.providers.reelmirror.rehearsal import ReelMirrorStandIn
from reelpub.providers.reelmirror.schemas import OutgoingPostItemInput
from reelpub.transport.http import HttpTransport
from reelpub.transport.message import Request, Response
from reelpub.transport.rehearsal import rehearsing

PUBLISH = Request(operation="publish_outgoing_post", method="POST", path="/x/y/publish", kind=RequestKind.GO_LIVE)


@pytest.fixture
async def rehearsal():
    shown = []
    inner = HttpTransport("http://127.0.0.1:9", "secret", provider="reelmirror", limiter=RateLimiter(60))
    transport = rehearsing(inner, ReelMirrorStandIn(), shown.append)
    transport.shown = shown
    yield transport
    await transport.close()


async def test_the_last_step_before_a_request_is_taken(rehearsal):
    """What must be noted before a post can go live is noted in a rehearsal, too."""
    steps = []

    async def before_send():
        steps.append(len(rehearsal.shown))

    await rehearsal.send(PUBLISH, CallOptions(before_send=before_send))
    assert steps == [0]
    assert len(rehearsal.shown) == 1


async def test_what_is_called_off_is_not_shown(rehearsal):
    with pytest.raises(TransportError, match="called off") as caught:
        await rehearsal.send(PUBLISH, CallOptions(may_leave=lambda: False))
    assert caught.value.sent is False
    assert rehearsal.shown == []


async def test_a_body_that_cant_be_sent_is_refused_as_in_earnest(rehearsal):
    with pytest.raises(ConfigurationError, match="can't be written as JSON"):
        await rehearsal.send(
            Request(
                operation="create_outgoing_post",
                method="POST",
                path="/x",
                kind=RequestKind.CREATE_DRAFT,
                json={"caption": object()},
            )
        )
    assert rehearsal.shown == []


async def test_nothing_is_uploaded(rehearsal):
    with pytest.raises(ConfigurationError, match="isn't uploaded"):
        await rehearsal.put_file("https://example.org/x", Path("clip.mp4"), content_type="video/mp4")


def test_a_transport_that_cant_tell_is_refused():
    with pytest.raises(ConfigurationError, match="can't show"):
        rehearsing(object(), ReelMirrorStandIn(), print)


def _answer(stand_in, request):
    return stand_in.answer(request)["data"]


def test_drafts_live_as_at_reelmirror():
    """Made, found in the list, edited, called off, deleted."""
    stand_in = ReelMirrorStandIn()
    post = _answer(
        stand_in,
        endpoints.create_outgoing_post(items=[OutgoingPostItemInput("m")], target_account_ids=["a", "b"], caption="C"),
    )
    assert [one["connected_account_id"] for one in post["deliveries"]] == ["a", "b"]
    edited = _answer(stand_in, endpoints.update_outgoing_post(post["id"], caption="D"))
    assert (edited["caption"], len(edited["deliveries"])) == ("D", 2)
    assert _answer(stand_in, endpoints.list_outgoing_posts(limit=10, offset=0)) == [edited]
    assert _answer(stand_in, endpoints.cancel_outgoing_post(post["id"]))["status"] == "cancelled"
    assert stand_in.answer(endpoints.delete_outgoing_post(post["id"])) == {}
    assert stand_in.answer(endpoints.get_outgoing_post(post["id"])) is None, "the provider has the word on others"


def test_a_post_whose_answer_made_no_sense_is_edited_all_the_same():
    stand_in = ReelMirrorStandIn()
    stand_in.saw(endpoints.get_outgoing_post("p"), Response(status=200, headers={}, body=b"{"))
    stand_in.saw(endpoints.get_outgoing_post("p"), Response(status=200, headers={}, body=b"[]"))
    assert _answer(stand_in, endpoints.update_outgoing_post("p", caption="C"))["caption"] == "C"


def test_an_unknown_write_has_no_answer():
    request = Request(operation="create_clips", method="POST", path="/create-clips", kind=RequestKind.OTHER_WRITE)
    assert ReapStandIn().answer(request) is None
    assert json.dumps(ReapStandIn().answer(Request(**_list()))) == (
        '{"posts": [], "totalPosts": 0, "totalPages": 1, "page": 1}'
    )


def _list():
    return {"operation": "get_all_posts", "method": "GET", "path": "/get-all-posts", "kind": RequestKind.READ}
