"""Minutes out of order leave no end behind that need not be."""

from __future__ import annotations

import pytest

from reelpub import Clip, MediaItems, OutcomeStatus, PublishRequest
from reelpub.sandbox import Fault, FaultKind

CLIP = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["x:acme"])
ITEM = PublishRequest(MediaItems(["demo-media-item-1"]), caption="c", accounts=["instagram:acme"])
READS = {
    "publishClip": ["getAllPosts", "getPostDetails"],
    "publishOutgoingPost": ["getOutgoingPost", "listOutgoingPosts"],
}


@pytest.mark.parametrize("loss", [FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER])
@pytest.mark.parametrize(("operation", "asked"), [("publishClip", CLIP), ("publishOutgoingPost", ITEM)])
def test_a_lost_answer_is_looked_up_once_the_provider_answers_again(play, operation, asked, loss):
    """The answer is lost as an outage of ten minutes with 502 begins; afterwards one look tells what became of it."""

    async def story(stage):
        stage.sandbox.order(Fault(loss, operation=operation))
        async with stage.orchestrator() as publishing:
            await publishing.accounts()
            stage.sandbox.order(*(Fault(FaultKind.HTML_502, operation=read, times=None) for read in READS[operation]))
            handle = publishing.submit(asked)
            await stage.clock.sleep(600)
            stage.sandbox.faults.clear()
            outcome = await handle
        assert outcome.status is OutcomeStatus.PUBLISHED, outcome
        assert len(stage.sandbox.live()) == 1

    play(story, answers=0)
