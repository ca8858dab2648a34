"""Commands that follow one another on a key, as plan, dry run and publish do: one person isn't taken for two."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reelpub import Clip, PublishRequest
from reelpub.bulk.plan import plan
from reelpub.clocks import utc_now
from reelpub.manifest.rows import ManifestRow
from reelpub.sandbox import LimitKind, RateLimit


@pytest.mark.parametrize("kind", [LimitKind.FIXED, LimitKind.ANCHORED, LimitKind.SLIDING_LOG])
@pytest.mark.parametrize(("before", "seconds"), [(0, 61), (1, 61), (2, 61), (3, 121), (4, 121)])
def test_what_was_read_before_costs_a_window_at_most(play, kind, before, seconds):
    """Two clips at ten requests a minute: the reads of each plan are missing from the first minute, and no more."""

    async def story(stage):
        now = utc_now(stage.clock)
        requests = [PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["x:acme"]) for n in (1, 2)]
        rows = [ManifestRow(number=n, line=n, request=request) for n, request in enumerate(requests, start=1)]
        for _ in range(before):
            publisher = stage.reap()
            await plan(rows, {"reap": publisher}, now=now)
            await publisher.close()
            await stage.clock.sleep(4)
        began = utc_now(stage.clock)
        async with stage.orchestrator(stage.reap()) as publishing:
            report = await publishing.publish_many(requests)
        assert report.is_success
        assert utc_now(stage.clock) - began <= timedelta(seconds=seconds)
        assert stage.sandbox.rejections() == 0

    play(story, limits={"reap": RateLimit(limit=10, kind=kind)})
