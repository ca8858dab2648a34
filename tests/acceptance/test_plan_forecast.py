"""The forecast against the real thing: batches at the sandbox in virtual time end when the plan says they will."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reelpub import Clip, GeneratedPost, MediaItems, PublishRequest
from reelpub.bulk.plan import plan
from reelpub.manifest.rows import ManifestRow
from reelpub.sandbox import ReelMirrorDialect

WINDOW = 60.0
MARGIN = 0.15


def media(count, now):
    """Posts of two writes each, no media twice on one account."""
    singles = [
        ([f"demo-media-item-{n}"], account) for account in ("instagram:acme", "tiktok:acme") for n in range(1, 61)
    ]
    pairs = [([f"demo-media-item-{n}", f"demo-media-item-{n + 1}"], "instagram:acme_two") for n in range(1, 60)]
    return [PublishRequest(MediaItems(items), accounts=[account]) for items, account in (singles + pairs)[:count]]


def generated(count, now):
    """Posts of three writes and a read each."""
    return [
        PublishRequest(GeneratedPost(f"demo-generated-post-{n}"), accounts=["instagram:acme"])
        for n in range(1, count + 1)
    ]


def clips(count, now):
    names = [(f"demo-project-{p}", f"demo-clip-{c}") for p in (1, 2, 3) for c in range(1, 41)]
    both = [(name, ["tiktok:acme", "youtube:acme"]) for name in names] + [(name, ["x:acme"]) for name in names]
    return [PublishRequest(Clip(*name), accounts=accounts) for name, accounts in both[:count]]


def scheduled(count, now):
    """Clips for later, every five minutes."""
    start = now + timedelta(hours=2)
    return [
        PublishRequest(one.source, accounts=one.accounts, at=start + timedelta(minutes=5 * n))
        for n, one in enumerate(clips(count, now))
    ]


def near(count, now):
    """Clips for a time that is too near for Reap, so that they are kept here."""
    start = now + timedelta(minutes=5)
    return [
        PublishRequest(one.source, accounts=one.accounts, at=start + timedelta(seconds=20 * n))
        for n, one in enumerate(clips(count, now))
    ]


@pytest.mark.parametrize(
    ("make", "count", "answer"),
    [
        *[(make, count, "present") for make in (media, clips, scheduled) for count in (5, 60, 130)],
        *[(generated, count, "present") for count in (5, 40)],
        *[(media, count, "absent") for count in (5, 60, 130)],
        (near, 30, "present"),
    ],
)
def test_a_batch_ends_when_the_plan_says_it_will(play, make, count, answer):
    """Within 15 % or one window; and the writes are as many as the plan counted."""

    async def story(stage):
        now = datetime.fromtimestamp(stage.clock.time(), UTC)
        requests = make(count, now)
        rows = [ManifestRow(number=n, line=n, request=one) for n, one in enumerate(requests, start=1)]
        async with stage.orchestrator() as pub:
            made = await plan(rows, pub.publishers, now=now)
            planning = stage.sent()
            # What planning read of the limits is over by the time that somebody has looked at it.
            await stage.clock.sleep(WINDOW + 1)
            began = stage.clock.monotonic()
            report = await pub.publish_many(requests)
            took = stage.clock.monotonic() - began
        assert report.is_success
        assert made.is_sound
        return made, took, planning, stage.sandbox.requests()

    made, took, planning, requests = play(story, reelmirror=ReelMirrorDialect(list_posts=answer))
    # Kept posts have their times, a minute of which went by above.
    expected = made.seconds - (WINDOW + 1 if make is near else 0)
    assert abs(took - expected) <= max(WINDOW, MARGIN * expected), (took, expected)
    assert all(record.method == "GET" for record in requests[:planning])
    writes = sum(record.method != "GET" for record in requests[planning:])
    assert writes == made.publishers[0].writes


def test_the_time_of_each_post_is_about_when_it_leaves(play):
    """Of 60 clips at 10 a minute, each leaves within two windows of what the calendar said."""

    async def story(stage):
        now = datetime.fromtimestamp(stage.clock.time(), UTC)
        requests = clips(60, now)
        rows = [ManifestRow(number=n, line=n, request=one) for n, one in enumerate(requests, start=1)]
        async with stage.orchestrator() as pub:
            made = await plan(rows, pub.publishers, now=now, queue_reads=0)
            began = stage.clock.time()
            await pub.publish_many(requests)
        left = [record.at - began for record in stage.sandbox.requests() if record.operation == "publishClip"]
        return [(row.at - now).total_seconds() for row in made.calendar], left

    told, left = play(story)
    assert len(told) == len(left) == 60
    assert all(abs(one - other) <= 2 * WINDOW for one, other in zip(told, sorted(left), strict=True))
