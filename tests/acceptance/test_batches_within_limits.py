"""200 publishes at each provider's limit are never refused for their rate, and cost no more requests than they need."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from reelpub import Clip, GeneratedPost, MediaItems, PublishRequest
from reelpub.sandbox import LimitKind, RateLimit, ReapDialect, ReelMirrorDialect

N = 200
FIXED, ANCHORED, SLIDING, GCRA = LimitKind.FIXED, LimitKind.ANCHORED, LimitKind.SLIDING_LOG, LimitKind.GCRA
WITH_AND_WITHOUT = pytest.mark.parametrize("headers", [True, False], ids=["headers", "silent"])


def posts():
    """200 posts at ReelMirror, each of media that no other shows on its account."""
    first = [([f"demo-media-item-{n}"], account) for account in ("instagram:acme", "tiktok:acme") for n in range(1, 61)]
    pairs = [([f"demo-media-item-{n}", f"demo-media-item-{n + 1}"], "instagram:acme_two") for n in range(1, 60)]
    singles = [([f"demo-media-item-{n}"], "instagram:acme_two") for n in range(1, 22)]
    return [PublishRequest(MediaItems(items), accounts=[account]) for items, account in first + pairs + singles]


def clips():
    """200 posts at Reap on two accounts each, no clip twice on one."""
    names = [(f"demo-project-{p}", f"demo-clip-{c}") for p in (1, 2, 3) for c in range(1, 41)]
    first = [PublishRequest(Clip(*name), accounts=["tiktok:acme", "youtube:acme"]) for name in names]
    second = [PublishRequest(Clip(*name), accounts=["instagram:acme", "x:acme"]) for name in names]
    return first + second[: N - len(first)]


def limits(kind, *, headers, burst=None):
    make = {"kind": kind, "headers": headers, "burst": burst}
    return {"reelmirror": RateLimit(limit=60, **make), "reap": RateLimit(limit=10, **make)}


async def batch(stage, requests, **options):
    """Publish *requests*, check that all is as it has to be, and return the requests by operation and the time."""
    async with stage.orchestrator(**options) as publishing:
        report = await publishing.publish_many(requests)
        assert len(report) == len(requests)
        assert report.is_success, str(report)
    sandbox = stage.sandbox
    assert sandbox.rejections() == 0
    stage.check_truth(report)
    assert sandbox.duplicates() == []
    assert len(sandbox.live()) == sum(len(request.accounts) for request in requests)
    counted = Counter(record.operation for record in sandbox.requests())
    told = Counter()
    for operations in publishing.usage().values():
        told.update(operations)
    assert told.total() == counted.total(), "the SDK knows what it sent"
    return counted, stage.clock.monotonic()


@WITH_AND_WITHOUT
@pytest.mark.parametrize(
    ("scope", "kind"),
    [(scope, kind) for scope in ("key", "endpoint") for kind in (FIXED, SLIDING, ANCHORED, GCRA)],
    ids=lambda value: getattr(value, "value", value),
)
def test_200_clips_at_reaps_limit(play, scope, kind, headers):
    """10 requests a minute for the key, or for each endpoint: nothing is refused, and all is live exactly once."""

    async def story(stage):
        counted, seconds = await batch(stage, clips())
        assert counted["publishClip"] == N
        assert counted["getIntegrations"] == 1
        # One status and one page of clips for each of the three projects.
        assert counted["getProjectStatus"] == counted["getProjectClips"] == 3
        # A tenth of the budget at the most follows the posts, or one that is found to be the reads' own.
        # A leaky bucket shows nothing that would prove whose it is.
        has_own = scope == "endpoint" and headers and kind is not GCRA
        assert counted["getAllPosts"] <= (seconds / 6 if has_own else 32)
        if has_own:
            assert seconds <= 60 * 21
        assert counted.total() == 207 + counted["getAllPosts"]
        assert seconds <= 60 * 30

    play(story, reap=ReapDialect(limit_scope=scope), limits=limits(kind, headers=headers))


@pytest.mark.parametrize("each", [1, 2])
def test_a_batch_that_fills_whole_minutes_takes_no_minute_more_for_its_reads(play, each):
    """60 requests a minute: what is sent in one or two of them is known when the next begins, by one read."""

    async def story(stage):
        if each == 1:
            numbers = [1 + n % 40 for n in range(60)]
            requests = [
                PublishRequest(GeneratedPost(f"demo-generated-post-{n}", approve=True), allow_duplicate=True)
                for n in numbers
            ]
        else:
            requests = posts()[:60]
        reelmirror = stage.reelmirror()
        async with stage.orchestrator(reelmirror) as publishing:
            await reelmirror.accounts()
            await stage.clock.sleep(61)
            start = stage.clock.monotonic()
            report = await publishing.publish_many(requests)
            seconds = stage.clock.monotonic() - start
        assert report.is_success
        assert seconds <= 60 * each + 3
        assert stage.sent("listOutgoingPosts") <= 3
        assert stage.sandbox.rejections() == 0

    play(story, limits=limits(SLIDING, headers=True))


@pytest.mark.parametrize(
    ("kind", "headers"),
    [(FIXED, True), (FIXED, False), (SLIDING, True), (SLIDING, False), (ANCHORED, True), (GCRA, True)],
    ids=lambda value: getattr(value, "value", {True: "headers", False: "silent"}.get(value)),
)
def test_200_posts_at_reelmirrors_limit(play, kind, headers):
    """60 requests a minute, two for each post: nothing is refused, and all is live exactly once."""

    async def story(stage):
        counted, seconds = await batch(stage, posts())
        assert counted["createOutgoingPost"] == counted["publishOutgoingPost"] == N
        assert counted["listConnectedAccounts"] == 1
        reads = counted["listOutgoingPosts"] + counted["getOutgoingPost"]
        assert reads <= 80
        assert counted.total() == 2 * N + 1 + reads
        assert seconds <= 60 * 10

    play(story, limits=limits(kind, headers=headers))


@WITH_AND_WITHOUT
def test_a_narrow_burst(play, headers):
    """Even spacing that lets through only three at once (GCRA) is met as well where the headers tell of it."""

    async def story(stage):
        requests = clips()[:40]
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests)
            assert report.is_success
        stage.check_truth(report)
        # Without headers nobody can know of the burst; then each refusal is borne, and nothing is lost by it.
        assert stage.sandbox.rejections() == 0 or not headers

    play(story, limits=limits(LimitKind.GCRA, headers=headers, burst=3))


def test_a_window_that_weighs_the_one_before(play):
    """What it shows of our own last minute isn't taken for the use of others: 40 clips take five and a half minutes."""

    async def story(stage):
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(clips()[:40])
            assert report.is_success
        stage.check_truth(report)
        assert stage.sandbox.rejections() == 0
        assert stage.clock.monotonic() <= 60 * 6

    play(story, limits=limits(LimitKind.SLIDING_COUNTER, headers=True))


def test_posts_where_reelmirror_has_no_list(play):
    """Every post is then read by itself, within the limit, and no more often than the budget allows."""

    async def story(stage):
        counted, seconds = await batch(stage, posts()[:100])
        assert counted["listOutgoingPosts"] == 1
        assert counted["getOutgoingPost"] <= 300
        assert seconds <= 60 * 10

    play(story, reelmirror=ReelMirrorDialect(list_posts="absent"))


def test_both_providers_at_once_are_as_fast_as_the_slower_one(play):
    """A mixed batch: the limits are apart, so neither provider waits for the other."""

    async def story(stage):
        generated = [PublishRequest(GeneratedPost(f"demo-generated-post-{n}")) for n in range(1, 21)]
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many([*clips()[:60], *posts()[:60], *generated])
            assert report.is_success
            settled = {
                name: max(o.settled_at for o in report if o.publisher == name) for name in ("reelmirror", "reap")
            }
        assert stage.sandbox.rejections() == 0
        stage.check_truth(report)
        waited = {name: at.timestamp() - report[0].submitted_at.timestamp() for name, at in settled.items()}
        assert waited["reelmirror"] < 300
        assert waited["reap"] < 600

    play(story)


def test_a_batch_scheduled_at_reap_takes_one_request_for_50_clips(play):
    """60 clips, evenly spaced: two requests make them wait at the provider."""

    async def story(stage):
        start = datetime.fromtimestamp(stage.clock.time(), UTC) + timedelta(hours=2)
        requests = [
            PublishRequest(request.source, accounts=["tiktok:acme"], at=start + timedelta(minutes=10 * n))
            for n, request in enumerate(clips()[:60])
        ]
        async with stage.orchestrator() as publishing:
            report = await publishing.schedule_many(requests)
            assert report.is_success
            assert stage.sent("scheduleClips") == 2
            assert stage.sent() == 2 + 1 + 2 * 2
            report = await publishing.wait_many(report)
        assert report.is_success
        stage.check_truth(report)
        assert len(stage.sandbox.live()) == 60
        assert stage.sandbox.duplicates() == []

    play(story)
