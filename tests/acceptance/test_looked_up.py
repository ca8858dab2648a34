"""What is read to settle a lost answer, and what a 409 is taken for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from reelpub import Clip, MediaItems, OutcomeStatus, PublishRequest
from reelpub.sandbox import Fault, FaultKind, ReelMirrorDialect
from reelpub.store import MemoryStore, SqliteStore

BOTH = ["instagram:acme", "tiktok:acme"]
ITEMS = PublishRequest(MediaItems(["demo-media-item-1"]), accounts=BOTH)
CLIP = PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="One", accounts=["tiktok:acme", "youtube:acme"])


def fifty(clock):
    at = datetime.fromtimestamp(clock.time(), UTC) + timedelta(hours=2)
    return [
        PublishRequest(
            Clip(f"demo-project-{1 + n // 40}", f"demo-clip-{1 + n % 40}"),
            accounts=["tiktok:acme"],
            at=at + n * timedelta(minutes=10),
        )
        for n in range(50)
    ]


@pytest.mark.parametrize(("kind", "lists", "calls"), [(FaultKind.LOST_AFTER, 1, 1), (FaultKind.LOST_BEFORE, 3, 2)])
def test_fifty_of_one_lost_call_share_their_lists(play, kind, lists, calls):
    """One list for each look, not one for each post; what has to be sent again goes in one call again."""

    async def story(stage):
        stage.sandbox.order(Fault(kind, operation="scheduleClips"))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(fifty(stage.clock))
        assert {outcome.status for outcome in report} == {OutcomeStatus.SCHEDULED}
        assert len({post.id for outcome in report for post in outcome.posts}) == 50
        assert stage.sent("getAllPosts") == lists
        assert stage.sent("scheduleClips") == calls
        assert stage.sandbox.rejections() == 0
        await stage.clock.sleep(12 * 3600)
        assert len(stage.live()) == 50
        assert stage.sandbox.duplicates() == []

    play(story)


@pytest.mark.parametrize("executed", [True, False], ids=["executed", "not executed"])
@pytest.mark.parametrize(
    ("request_", "operation"), [(ITEMS, "publishOutgoingPost"), (CLIP, "publishClip")], ids=["reelmirror", "reap"]
)
def test_a_409_is_looked_up(play, request_, operation, executed):
    """It may speak of the very post that is wanted: only what is there decides, and it is never sent again."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.CONFLICT, operation=operation, executed=executed))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(request_)
        assert outcome.status is (OutcomeStatus.PUBLISHED if executed else OutcomeStatus.REFUSED)
        assert stage.sent(operation) == 1
        stage.check_truth([outcome])
        assert len(stage.live()) == (2 if executed else 0)
        assert len(outcome.drafts) == (1 if not executed and operation == "publishOutgoingPost" else 0)

    play(story)


@pytest.mark.parametrize("dialect", [ReelMirrorDialect(ill_timed=status) for status in (400, 409)])
def test_a_409_on_a_retry_is_looked_up(play, dialect):
    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS), Fault(FaultKind.PLATFORM_FAILS))
        stage.sandbox.order(Fault(FaultKind.CONFLICT, operation="retryOutgoingPost", executed=True))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(ITEMS)
            assert outcome.status is OutcomeStatus.FAILED
            outcome = await publishing.retry_failed(outcome)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert stage.sent("retryOutgoingPost") == 1
        stage.check_truth([outcome])

    play(story, reelmirror=dialect)


# ---- what a store must not get in the way of


@pytest.fixture(params=[MemoryStore, SqliteStore], ids=["memory", "sqlite"])
def store(request, tmp_path):
    return request.param() if request.param is MemoryStore else SqliteStore(tmp_path / "jobs.db")


@pytest.mark.parametrize("fails", [2, 1], ids=["all failed", "some failed"])
@pytest.mark.parametrize("request_", [ITEMS, CLIP], ids=["reelmirror", "reap"])
def test_a_retry_is_noted_and_sent(play, store, request_, fails):
    """A retry has the content of what it retries; that makes it neither a duplicate nor another process's."""

    async def story(stage):
        stage.sandbox.order(*[Fault(FaultKind.PLATFORM_FAILS)] * fails)
        async with stage.orchestrator(store=store) as publishing:
            first = await publishing.publish(request_)
            assert len(first.failed) == fails
            outcome = await publishing.retry_failed(first)
            assert outcome.status is OutcomeStatus.PUBLISHED
            again = await publishing.publish(request_)
            assert again.status is OutcomeStatus.DUPLICATE
        stage.check_truth([outcome])
        assert len(stage.live()) == 2

    play(story)


def test_the_same_on_purpose_is_noted_and_sent(play, store):
    async def story(stage):
        async with stage.orchestrator(store=store) as publishing:
            report = await publishing.publish_many([ITEMS, ITEMS, evolve(ITEMS, allow_duplicate=True)])
        statuses = [outcome.status for outcome in report]
        assert statuses == [OutcomeStatus.PUBLISHED, OutcomeStatus.DUPLICATE, OutcomeStatus.PUBLISHED]
        assert report[1].duplicate_of == report[0].job_id
        assert len(stage.live()) == 4

    play(story)


@pytest.mark.parametrize("seconds", [5.0, 20.0, 45.0])
@pytest.mark.parametrize(
    ("request_", "operation"), [(ITEMS, "publishOutgoingPost"), (CLIP, "publishClip")], ids=["reelmirror", "reap"]
)
def test_a_call_that_takes_effect_late_is_waited_for(play, request_, operation, seconds):
    """One absence is no proof: what waited in a queue of the provider's shows by the second look, and is adopted."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LATE, operation=operation, seconds=seconds))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(request_)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert stage.sent(operation) == 1, "it isn't sent again"
        stage.check_truth([outcome])
        assert stage.sandbox.duplicates() == []

    play(story)


@pytest.mark.parametrize("seconds", [5.0, 20.0, 45.0])
def test_a_list_that_lags_behind_is_read_again(play, seconds):
    """The post is there and the list doesn't show it yet: the first look finds nothing, the second one does."""

    async def story(stage):
        stage.sandbox.order(
            Fault(FaultKind.LOST_AFTER, operation="publishClip"),
            Fault(FaultKind.STALE_LIST, operation="getAllPosts", seconds=seconds, times=None),
        )
        async with stage.orchestrator(stage.reap()) as publishing:
            outcome = await publishing.publish(CLIP)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert stage.sent("publishClip") == 1
        assert stage.sent("getAllPosts") >= (2 if seconds > 30 else 1)
        stage.check_truth([outcome])
        assert stage.sandbox.duplicates() == []

    play(story)


def test_a_post_is_followed_though_lists_lag_behind(play):
    """ReelMirror's list shows it late: what was accepted isn't lost sight of."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.STALE_LIST, operation="listOutgoingPosts", seconds=120.0, times=None))
        async with stage.orchestrator(stage.reelmirror()) as publishing:
            outcome = await publishing.publish(ITEMS)
        assert outcome.status is OutcomeStatus.PUBLISHED
        stage.check_truth([outcome])

    play(story)
