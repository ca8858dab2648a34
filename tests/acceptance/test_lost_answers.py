"""An answer lost on the way never makes a second post, never loses one, and never makes an outcome untrue."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from reelpub import (
    CancelResult,
    Clip,
    DeliveryStatus,
    GeneratedPost,
    JobAccepted,
    JobUnknown,
    MediaItems,
    Orchestrator,
    OutcomeStatus,
    OutcomeUnknown,
    PublishRequest,
    ReapPublisher,
)
from reelpub.sandbox import REAP_KEY, Fault, FaultKind, ReelMirrorDialect

EXECUTED = [
    FaultKind.LOST_AFTER,
    FaultKind.HANG_AFTER,
    FaultKind.RESET_IN_BODY,
    FaultKind.HTML_502_AFTER,
    FaultKind.TRUNCATED_JSON,
    FaultKind.WRONG_CONTENT_TYPE,
    FaultKind.REDIRECT,
]
NOT_EXECUTED = [FaultKind.LOST_BEFORE, FaultKind.HANG_BEFORE, FaultKind.HTML_502, FaultKind.HTML_500]
LOST = [(kind, True) for kind in EXECUTED] + [(kind, False) for kind in NOT_EXECUTED]

TWO_HOURS = timedelta(hours=2)


def later(clock, minutes=120):
    """Return a whole minute, *minutes* from now."""
    return datetime.fromtimestamp(clock.time(), UTC) + timedelta(minutes=minutes)


def post_now(_):
    return [PublishRequest(MediaItems(["demo-media-item-1"]), accounts=["instagram:acme", "tiktok:acme"])]


def generated_now(_):
    return [PublishRequest(GeneratedPost("demo-generated-post-2"), caption="Now", accounts=["tiktok:acme"])]


def post_later(clock):
    return [PublishRequest(MediaItems(["demo-media-item-1"]), accounts=["instagram:acme"], at=later(clock))]


def clip_now(_):
    return [PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="T", accounts=["tiktok:acme", "youtube:acme"])]


def untitled_clip_now(_):
    return [PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme"])]


def clip_later(clock):
    return [PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme"], at=later(clock))]


def clips_later(clock):
    return [
        PublishRequest(
            Clip("demo-project-1", f"demo-clip-{n}"), title=f"T{n}", accounts=["x:acme"], at=later(clock, 100 + 10 * n)
        )
        for n in range(1, 6)
    ]


GOES_LIVE = {
    "reelmirror publish": (post_now, "publishOutgoingPost"),
    "reelmirror generated": (generated_now, "publishOutgoingPost"),
    "reelmirror schedule": (post_later, "scheduleOutgoingPost"),
    "reap publish": (clip_now, "publishClip"),
    "reap publish untitled": (untitled_clip_now, "publishClip"),
    "reap schedule one": (clip_later, "scheduleClips"),
    "reap schedule several": (clips_later, "scheduleClips"),
}


def fault_of(kind, operation, *, executed):
    return Fault(kind, operation=operation, executed=executed)


@pytest.mark.parametrize(("kind", "executed"), LOST, ids=lambda value: getattr(value, "value", ""))
@pytest.mark.parametrize("what", GOES_LIVE)
def test_a_lost_answer_ends_in_one_post(play, what, kind, executed):
    """Sent again only where it hadn't taken effect; what took effect is found; each outcome is what is so."""
    make, operation = GOES_LIVE[what]

    async def story(stage):
        stage.sandbox.order(fault_of(kind, operation, executed=executed))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(make(stage.clock))
            assert {outcome.status for outcome in report} <= {OutcomeStatus.PUBLISHED, OutcomeStatus.SCHEDULED}
            report = await publishing.wait_many(report)
            assert {outcome.status for outcome in report} == {OutcomeStatus.PUBLISHED}
        stage.check_truth(report)
        assert stage.sandbox.duplicates() == []
        assert stage.sent(operation) == (1 if executed else 2)

    play(story)


@pytest.mark.parametrize(("kind", "executed"), LOST, ids=lambda value: getattr(value, "value", ""))
@pytest.mark.parametrize(
    ("make", "again"), [(post_now, "retryOutgoingPost"), (clip_now, "publishClip")], ids=["reelmirror", "reap"]
)
def test_a_lost_answer_to_a_retry_ends_in_one_post(play, make, again, kind, executed):
    """The retry of what failed is itself a call that goes live, and is looked up like one."""

    async def story(stage):
        stage.sandbox.order(*(Fault(FaultKind.PLATFORM_FAILS) for _ in range(2)))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(make(stage.clock))
            assert [outcome.status for outcome in report] == [OutcomeStatus.FAILED]
            before = stage.sent(again)
            stage.sandbox.order(fault_of(kind, again, executed=executed))
            report = await publishing.retry_failed_many(report)
        assert [outcome.status for outcome in report] == [OutcomeStatus.PUBLISHED]
        stage.check_truth(report)
        assert len(stage.live()) == 2
        assert stage.sent(again) - before == (1 if executed else 2)

    play(story)


@pytest.mark.parametrize("executed", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("dialect", [ReelMirrorDialect(retry_sends=sends) for sends in ("failed_only", "all")])
def test_a_lost_answer_to_a_mixed_retry_ends_in_one_post(play, dialect, executed):
    """ReelMirror's mixed post: the new draft for the failed account goes live once, the other account isn't touched."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, platform="tiktok"))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(post_now(stage.clock))
            assert [outcome.status for outcome in report] == [OutcomeStatus.PARTLY_PUBLISHED]
            stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="publishOutgoingPost", executed=executed))
            report = await publishing.retry_failed_many(report)
        assert [outcome.status for outcome in report] == [OutcomeStatus.PUBLISHED]
        stage.check_truth(report)
        assert stage.sandbox.duplicates() == []

    play(story, reelmirror=dialect)


@pytest.mark.parametrize("make", [post_now, clip_now], ids=["reelmirror", "reap"])
@pytest.mark.parametrize("kind", [FaultKind.SLOW_BODY, FaultKind.BIG_BODY], ids=lambda kind: kind.value)
def test_an_endless_answer_is_a_lost_one(play, make, kind):
    """A body that doesn't come in time or is beyond all bounds says nothing; the post is found all the same."""

    async def story(stage):
        stage.sandbox.order(Fault(kind, operation="publishOutgoingPost", seconds=90.0))
        stage.sandbox.order(Fault(kind, operation="publishClip", seconds=90.0))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(make(stage.clock))
        assert [outcome.status for outcome in report] == [OutcomeStatus.PUBLISHED]
        stage.check_truth(report)
        assert stage.sandbox.duplicates() == []

    play(story)


@pytest.mark.parametrize("executed", [True, False], ids=["after", "before"])
def test_a_lost_approve_ends_unknown_and_is_never_repeated(play, executed):
    """No read shows what an approval made: whoever asked is told that nobody knows, and it isn't sent again."""

    async def story(stage):
        fault = Fault(FaultKind.LOST_AFTER, operation="approveGeneratedPost", executed=executed)
        stage.sandbox.order(fault)
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(PublishRequest(GeneratedPost("demo-generated-post-1", approve=True)))
            assert outcome.status is OutcomeStatus.UNKNOWN
            assert "no way to find" in outcome.reason
            again = await publishing.retry_failed(outcome)
            assert again.status is OutcomeStatus.UNKNOWN
            assert again.job_id == outcome.job_id
            assert await publishing.cancel(outcome) is CancelResult.UNKNOWN
        assert stage.sent("approveGeneratedPost") == 1
        await stage.clock.sleep(60)
        assert len(stage.live()) == (2 if executed else 0)

    play(story)


def test_a_lost_approve_with_named_accounts_is_told_for_each(play):
    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="approveGeneratedPost"))
        request = PublishRequest(GeneratedPost("demo-generated-post-1", approve=True))
        async with stage.orchestrator() as publishing, publishing.stream() as events:
            handle = publishing.submit(request)
            await handle
            await publishing.close()
            unknown = [event async for event in events if isinstance(event, JobUnknown)]
        assert [event.is_final for event in unknown] == [False, True]

    play(story)


def test_connections_that_die_in_the_pool_cost_nothing(play):
    """Each connection is closed by the server on its second use: nothing that goes live ever meets one."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.CLOSE_POOLED, times=None))
        at = later(stage.clock)
        requests = [
            *post_now(stage.clock),
            *clip_now(stage.clock),
            *generated_now(stage.clock),
            PublishRequest(MediaItems(["demo-media-item-9"]), accounts=["instagram:acme"], at=at),
            PublishRequest(Clip("demo-project-2", "demo-clip-1"), accounts=["tiktok:acme"], at=at),
            PublishRequest(Clip("demo-project-2", "demo-clip-2"), accounts=["tiktok:acme"], at=at + TWO_HOURS),
        ]
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests)
            report = await publishing.wait_many(report)
        assert report.is_success
        assert {outcome.status for outcome in report} == {OutcomeStatus.PUBLISHED}
        stage.check_truth(report)
        assert stage.sandbox.duplicates() == []
        cut = Counter(r.operation for r in stage.sandbox.requests() if r.status is None)
        assert sum(cut.values()) > 0
        assert not cut.keys() & {"publishOutgoingPost", "publishClip", "scheduleOutgoingPost", "scheduleClips"}

    play(story)


@pytest.mark.parametrize("executed", [(True, False), (False, True), (True, True), (False, False)], ids=str)
@pytest.mark.parametrize("make", [post_now, clip_now], ids=["reelmirror", "reap"])
def test_two_alike_whose_answers_are_both_lost(play, make, executed):
    """The same asked for twice on purpose: no post is taken for both, and where nobody can tell, none is sent again."""

    async def story(stage):
        request = make(stage.clock)[0]
        operation = "publishClip" if isinstance(request.source, Clip) else "publishOutgoingPost"
        stage.sandbox.order(*(Fault(FaultKind.LOST_AFTER, operation=operation, executed=done) for done in executed))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many([request, evolve(request, allow_duplicate=True)])
            statuses = [outcome.status for outcome in report]
            posts = [post.id for outcome in report for post in outcome.posts]
        assert len(posts) == len(set(posts)), "one post stands for both"
        await stage.clock.sleep(60)
        stage.check_truth(report)
        assert len(stage.live()) <= 4
        if OutcomeStatus.UNKNOWN not in statuses:
            assert statuses == [OutcomeStatus.PUBLISHED] * 2
            assert len(stage.live()) == 4
        else:
            # Only where both are there and look the same can nobody tell which is whose.
            assert executed == (True, True)
            assert len(stage.live()) == 4

    play(story)


@pytest.mark.parametrize("make", [post_now, clip_now], ids=["reelmirror", "reap"])
def test_a_post_whose_answer_is_still_coming_is_not_taken_for_a_lost_one(play, make):
    """Of two alike one never arrived, and the other's answer is slow: the look for the first doesn't take its post."""

    async def story(stage):
        request = make(stage.clock)[0]
        operation = "publishClip" if isinstance(request.source, Clip) else "publishOutgoingPost"
        stage.sandbox.order(
            Fault(FaultKind.LOST_BEFORE, operation=operation),
            Fault(FaultKind.SLOW_BODY, operation=operation, seconds=20.0),
        )
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many([request, evolve(request, allow_duplicate=True)])
        assert [outcome.status for outcome in report] == [OutcomeStatus.PUBLISHED] * 2
        assert len({post.id for outcome in report for post in outcome.posts}) == 2
        stage.check_truth(report)
        assert len(stage.live()) == 4
        assert stage.sent(operation) == 3

    play(story)


def test_a_batch_in_which_every_third_answer_is_lost(play):
    """A bad day: of 30 posts at each provider a third lose their answers, before and after they took effect."""

    async def story(stage):
        for operation in ("publishOutgoingPost", "publishClip"):
            for after in range(0, 60, 6):
                stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation=operation, after=after))
                stage.sandbox.order(Fault(FaultKind.LOST_BEFORE, operation=operation, after=after + 3))
        requests = [
            PublishRequest(MediaItems([f"demo-media-item-{n}"]), accounts=["instagram:acme", "tiktok:acme"])
            for n in range(1, 31)
        ]
        requests += [
            PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["tiktok:acme", "youtube:acme"])
            for n in range(1, 31)
        ]
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests)
        assert {outcome.status for outcome in report} == {OutcomeStatus.PUBLISHED}
        stage.check_truth(report)
        assert stage.sandbox.duplicates() == []
        assert len(stage.live()) == 120
        assert stage.sandbox.rejections() == 0

    play(story)


@pytest.mark.parametrize("executed", [True, False], ids=["after", "before"])
def test_an_outcome_is_unknown_for_as_long_as_it_is_looked_up(play, executed):
    """A deadline in between tells *unknown*; followed further it tells what is so, and nothing is sent after it."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="publishClip", executed=executed))
        stage.sandbox.order(Fault(FaultKind.HTML_502, operation="getAllPosts", times=4))
        async with stage.orchestrator() as publishing, publishing.stream() as events:
            outcome = await publishing.publish(clip_now(stage.clock)[0], timeout=25.0)
            assert outcome.status is OutcomeStatus.UNKNOWN
            assert {delivery.status for delivery in outcome.deliveries} == {DeliveryStatus.UNKNOWN}
            assert not outcome.is_settled
            outcome = await publishing.wait(outcome)
            assert outcome.status is (OutcomeStatus.PUBLISHED if executed else OutcomeStatus.NOT_SENT)
            await publishing.close()
            accepted = [event async for event in events if isinstance(event, JobAccepted)]
        assert [event.reconciled for event in accepted] == ([True] if executed else [])
        stage.check_truth([outcome])
        assert stage.sent("publishClip") == 1

    play(story)


def test_what_can_not_be_looked_up_ends_unknown_with_its_cause(play):
    """Where the list of posts fails as well, the outcome is unknown, says why, and is never sent again."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="publishClip"))
        stage.sandbox.order(Fault(FaultKind.HTML_502, operation="getAllPosts", times=None))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(clip_now(stage.clock)[0])
            assert outcome.status is OutcomeStatus.UNKNOWN
            assert "can't be looked up" in outcome.reason
            assert not isinstance(outcome.error, OutcomeUnknown) or outcome.error.cause is not None
        assert stage.sent("publishClip") == 1
        assert len(stage.live()) == 2

    play(story)


class Ahead:
    """A clock that is wrong by so many seconds."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds
        self.monotonic, self.sleep = clock.monotonic, clock.sleep

    def time(self):
        return self.clock.time() + self.seconds


@pytest.mark.parametrize("seconds", [300, 3600, -3600])
def test_a_lost_post_is_found_although_this_machines_clock_is_wrong(play, seconds):
    """The list is asked for what was made since the attempt, by the provider's clock."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="publishClip"))
        clock = Ahead(stage.clock, seconds)
        reap = ReapPublisher.connect(REAP_KEY, base_url=stage.sandbox.reap_url, clock=clock)
        async with Orchestrator([reap], clock=clock) as publishing:
            request = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["x:acme"], title="T")
            assert (await publishing.publish(request)).status is OutcomeStatus.PUBLISHED
        assert stage.sandbox.duplicates() == []
        assert stage.sent("publishClip") == 1

    play(story)
