"""Two posts of one clip to one account with other captions: neither is ever taken for the other."""

from __future__ import annotations

import json

import pytest

from reelpub import Clip, OutcomeStatus, PublishRequest
from reelpub.sandbox import Fault, FaultKind

LOSSES = [
    (FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER),
    (FaultKind.HTML_502, FaultKind.HTML_502_AFTER),
    (FaultKind.HANG_BEFORE, FaultKind.HANG_AFTER),
]


@pytest.mark.parametrize("is_stale", [False, True], ids=["fresh", "stale"])
@pytest.mark.parametrize("losses", LOSSES, ids=["lost", "502", "hang"])
def test_what_is_told_as_published_went_out_with_its_own_caption(play, losses, is_stale):
    """Of two whose answers were lost only the second was made: it is never taken for the first, nor made again."""

    async def story(stage):
        stage.sandbox.order(*(Fault(kind, operation="publishClip") for kind in losses))
        if is_stale:
            stage.sandbox.order(Fault(FaultKind.STALE_LIST, operation="getAllPosts", times=3))
        requests = [
            PublishRequest(Clip("demo-project-1", "demo-clip-1"), caption=caption, accounts=["x:acme"])
            for caption in ("First", "Second")
        ]
        async with stage.orchestrator(stage.reap()) as publishing:
            report = await publishing.publish_many(requests)
        made = {
            json.loads(one.response_body)["id"]: json.loads(one.request_body)["description"]
            for one in stage.exchanges
            if one.operation == "publishClip" and one.status == 200
        }
        for outcome in report:
            if outcome.status is OutcomeStatus.PUBLISHED:
                (post,) = outcome.posts
                assert made.get(post.id, outcome.request.caption) == outcome.request.caption
                assert post.caption == outcome.request.caption, "it is another request's post"
        sent_again = list(made.values())
        assert sent_again.count("Second") == 0, "it was made when its answer was lost, and once more"

    play(story)
