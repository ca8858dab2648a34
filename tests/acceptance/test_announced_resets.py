"""Where an answer says that nothing is left until some time, nothing is sent before, however the server counts."""

from __future__ import annotations

import pytest

from reelpub import Clip, PublishRequest
from reelpub.sandbox import LimitKind, RateLimit


@pytest.mark.parametrize("kind", LimitKind)
def test_a_batch_of_posts_is_never_refused_by_the_limit(play, kind):
    """Ten requests at once, then a wait until the time that the tenth answer named."""

    async def story(stage):
        requests = [PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["x:acme"]) for n in range(1, 13)]
        async with stage.orchestrator(stage.reap()) as publishing:
            report = await publishing.publish_many(requests)
        assert report.is_success
        assert stage.sandbox.rejections("reap") == 0

    play(story, answers=3, limits={"reap": RateLimit(limit=10, kind=kind)})
