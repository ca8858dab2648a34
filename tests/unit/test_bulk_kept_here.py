"""A row that is kept here for its time can't be moved, and it is said what can be done instead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reelpub import Clip, MemoryStore, PublishRequest
from reelpub.bulk import begin, carry_out, reschedule
from reelpub.clocks import utc_now
from reelpub.errors import ValidationError
from reelpub.manifest.rows import ManifestRow

KEPT = "is kept here for its time, too soon for its provider: call it off, then ask for it anew to move it"


@pytest.mark.parametrize(
    ("minutes", "timeout", "said"),
    [
        (20, 30.0, KEPT),
        (None, 0.0, "hasn't come to be scheduled yet: resume the run, then move it"),
        (None, 300.0, "isn't scheduled, so it can't be moved"),
    ],
    ids=["kept here", "not begun", "live"],
)
def test_why_a_row_keeps_its_time(play, minutes, timeout, said):
    """To resume a run whose rows are kept here is to wait for them once more."""

    async def story(stage):
        store, now = MemoryStore(), utc_now(stage.clock)
        at = None if minutes is None else now + timedelta(minutes=minutes)
        wanted = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=("tiktok:acme",), at=at)
        async with stage.orchestrator(store=store) as pub:
            row = ManifestRow(number=1, line=2, request=wanted)
            run = await begin(store, [row], name="posts.csv", command="publish", now=now)
            await pub.accounts()
            if timeout:
                await carry_out(pub, store, run, timeout=timeout)
            moved = await reschedule(pub, store, run, {1: now + timedelta(hours=3)})
        assert isinstance(moved[1], ValidationError)
        assert moved[1].problems[0].message == said

    play(story)
