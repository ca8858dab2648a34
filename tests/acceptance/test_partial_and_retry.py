"""Deliveries that fail, hang or say something new: each account is told apart, and a retry touches only what failed."""

from __future__ import annotations

from itertools import product

import pytest

from reelpub import (
    AccountDelivered,
    AccountFailed,
    Clip,
    DeliveryStatus,
    Draft,
    GeneratedPost,
    JobStuck,
    MediaItems,
    OutcomeStatus,
    PollPolicy,
    PublishRequest,
)
from reelpub.providers.reelmirror.schemas import OutgoingPostItemInput
from reelpub.sandbox import REELMIRROR_ACCOUNTS, Fault, FaultKind, ReapDialect, ReelMirrorDialect

POST = PublishRequest(MediaItems(["demo-media-item-1"]), caption="C", accounts=["instagram:acme", "tiktok:acme"])
CLIP = PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="T", accounts=["tiktok:acme", "youtube:acme"])
BOTH = pytest.mark.parametrize("request_", [POST, CLIP], ids=["reelmirror", "reap"])


def by_account(outcome):
    return {str(delivery.account): delivery.status for delivery in outcome.deliveries}


@BOTH
def test_one_account_fails_and_its_retry_goes_to_it_alone(play, request_):
    """Partly published, in the provider's words where it has any; the retry makes it whole, and nothing is doubled."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme", text="The video is too short."))
        async with stage.orchestrator() as publishing, publishing.stream() as events:
            [first] = await publishing.publish_many([request_])
            assert first.status is OutcomeStatus.PARTLY_PUBLISHED
            assert by_account(first)["tiktok:acme"] is DeliveryStatus.FAILED
            [failed] = first.failed
            words = "The video is too short." if first.publisher == "reelmirror" else "Reap gives no reason"
            assert failed.error == words
            stage.check_truth([first])
            again = await publishing.retry_failed(first)
            assert again.status is OutcomeStatus.PUBLISHED
            assert [d.account for d in again.deliveries] == [d.account for d in first.deliveries]
            assert len(again.posts) == 2
            third = await publishing.retry_failed(again)
            assert third.job_id == again.job_id, "nothing is left to be sent again"
            await publishing.close()
            told = [event async for event in events if isinstance(event, (AccountDelivered, AccountFailed))]
        assert [event.kind for event in told].count("failed") == 1
        assert [event.kind for event in told].count("delivered") == 2
        stage.check_truth([again])
        assert stage.sandbox.duplicates() == []
        assert len(stage.live()) == 2

    play(story)


@BOTH
def test_everything_fails_twice_and_comes_right_at_the_third_try(play, request_):
    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, times=4))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(request_)
            assert outcome.status is OutcomeStatus.FAILED
            outcome = await publishing.retry_failed(outcome)
            assert outcome.status is OutcomeStatus.FAILED
            stage.check_truth([outcome])
            outcome = await publishing.retry_failed(outcome)
        assert outcome.status is OutcomeStatus.PUBLISHED
        stage.check_truth([outcome])
        assert stage.sandbox.duplicates() == []

    play(story)


@pytest.mark.parametrize(
    "dialect",
    [ReelMirrorDialect(retry_sends=sends, mixed_status=mixed)
     for sends, mixed in product(("failed_only", "all"), ("partial", "published", "failed"))],
    ids=lambda dialect: f"{dialect.retry_sends}-{dialect.mixed_status}",
)  # fmt: skip
def test_a_mixed_post_is_never_retried_in_place_unless_asked(play, dialect):
    """Whether ReelMirror's retry spares what is live isn't known: the failed account gets a post of its own."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account="instagram:acme"))
        async with stage.orchestrator() as publishing:
            first = await publishing.publish(POST)
            assert by_account(first) == {
                "instagram:acme": DeliveryStatus.FAILED,
                "tiktok:acme": DeliveryStatus.PUBLISHED,
            }
            again = await publishing.retry_failed(first)
        assert again.status is OutcomeStatus.PUBLISHED
        assert stage.sent("retryOutgoingPost") == 0
        stage.check_truth([again])
        assert stage.sandbox.duplicates() == []

    play(story, reelmirror=dialect)


def test_in_place_uses_the_providers_call_and_its_risk(play):
    """Asked for by name it is used; where that call re-sends everything, the double is the caller's to have risked."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account="instagram:acme"))
        async with stage.orchestrator() as publishing:
            first = await publishing.publish(POST)
            again = await publishing.retry_failed(first, in_place=True)
        assert again.status is OutcomeStatus.PUBLISHED
        assert stage.sent("retryOutgoingPost") == 1
        assert stage.sent("createOutgoingPost") == 1
        assert stage.sandbox.duplicates() == []
        stage.check_truth([again])

    play(story)


@BOTH
def test_a_stuck_delivery_is_told_and_stays_pending(play, request_):
    """Half an hour without an end: an event, an outcome that is pending and says so, and no second post."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.STUCK, account="tiktok:acme"))
        async with stage.orchestrator() as publishing, publishing.stream() as events:
            outcome = await publishing.publish(request_)
            assert outcome.status is OutcomeStatus.PENDING
            assert "stuck" in outcome.reason
            assert by_account(outcome)["tiktok:acme"] in (DeliveryStatus.PENDING, DeliveryStatus.PUBLISHING)
            assert 1700 < stage.clock.monotonic() < 2100
            again = await publishing.retry_failed(outcome)
            assert again.job_id == outcome.job_id
            await publishing.close()
            stuck = [event async for event in events if isinstance(event, JobStuck)]
        assert [event.post.id for event in stuck] == [outcome.posts[0].id]
        assert stage.sent("publishOutgoingPost", "publishClip") == 1

    play(story)


@BOTH
def test_a_stuck_delivery_that_comes_loose_is_found_by_waiting_on(play, request_):
    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.STUCK, account="tiktok:acme", seconds=3000.0))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(request_)
            assert outcome.status is OutcomeStatus.PENDING
            outcome = await publishing.wait(outcome)
        assert outcome.status is OutcomeStatus.PUBLISHED
        stage.check_truth([outcome])
        assert stage.sandbox.duplicates() == []

    play(story)


def odd_status(seconds=None):
    """Let the post read a word that the contract doesn't have; at Reap its lists still tell who has it."""
    return (
        Fault(FaultKind.UNKNOWN_STATUS, account="tiktok:acme", text="in_the_clouds", seconds=seconds),
        Fault(FaultKind.STUCK, account="youtube:acme", seconds=seconds),
    )


@BOTH
def test_a_status_that_nobody_knows_is_kept_as_it_is(play, request_):
    """A new word of the provider is neither an end nor a failure; it is shown, and followed until it changes."""

    async def story(stage):
        stage.sandbox.order(*odd_status(seconds=400.0))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(request_, timeout=200.0)
            assert outcome.status is OutcomeStatus.PENDING
            [odd] = [delivery for delivery in outcome.deliveries if delivery.status is DeliveryStatus.OTHER]
            assert str(odd.account) == {"reelmirror": "tiktok:acme", "reap": "youtube:acme"}[outcome.publisher]
            assert odd.raw_status == "in_the_clouds"
            outcome = await publishing.wait(outcome)
        assert outcome.status is OutcomeStatus.PUBLISHED
        stage.check_truth([outcome])

    play(story, answers=0)


@BOTH
def test_a_status_that_never_becomes_known_doesnt_loop_for_ever(play, request_):
    async def story(stage):
        stage.sandbox.order(*odd_status())
        async with stage.orchestrator(poll=PollPolicy(stuck_after=600.0)) as publishing:
            outcome = await publishing.publish(request_)
        assert outcome.status is OutcomeStatus.PENDING
        assert "stuck at in_the_clouds" in outcome.reason
        reads = stage.sent("listOutgoingPosts", "getOutgoingPost", "getAllPosts", "getPostDetails")
        assert reads < 60
        assert stage.sent("publishOutgoingPost", "publishClip") == 1

    play(story, answers=0)


@pytest.mark.parametrize("ill_timed", [400, 409])
@pytest.mark.parametrize("repeated", ["accept_again", "refuse", "noop_200"])
def test_a_repeated_publish_is_never_sent(play, repeated, ill_timed):
    """In the dialect where a second publish of a post puts it live again, nothing ever sends one."""
    dialect = ReelMirrorDialect(repeated_publish=repeated, ill_timed=ill_timed)

    async def story(stage):
        operation = "publishOutgoingPost"
        stage.sandbox.order(
            Fault(FaultKind.LOST_AFTER, operation=operation),
            Fault(FaultKind.HTML_502_AFTER, operation=operation),
            Fault(FaultKind.CONFLICT, operation=operation, executed=True),
            Fault(FaultKind.LOST_BEFORE, operation=operation),
            Fault(FaultKind.RATE_LIMITED_BARE, operation=operation),
        )
        requests = [PublishRequest(MediaItems([f"demo-media-item-{n}"]), accounts=["tiktok:acme"]) for n in range(1, 9)]
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests)
            assert [outcome.status for outcome in report] == [OutcomeStatus.PUBLISHED] * 8
        stage.check_truth(report)
        assert stage.sandbox.duplicates() == []
        assert len(stage.live()) == 8

    play(story, reelmirror=dialect)


@pytest.mark.parametrize("repeated", ["accept_again", "refuse", "noop_200"])
def test_the_same_draft_asked_for_twice(play, repeated):
    """Two requests for one draft: each gets an outcome that is so, and neither waits for ever."""

    async def story(stage):
        publisher = stage.reelmirror()
        made = await publisher.client.create_outgoing_post(
            items=[OutgoingPostItemInput("demo-media-item-1", position=0)],
            target_account_ids=[REELMIRROR_ACCOUNTS[0].id],
        )
        requests = [PublishRequest(Draft(made.id)), PublishRequest(Draft(made.id), allow_duplicate=True)]
        async with stage.orchestrator(publisher) as publishing:
            report = await publishing.publish_many(requests, timeout=3600.0)
            assert all(outcome.is_settled for outcome in report)
            assert OutcomeStatus.PUBLISHED in {outcome.status for outcome in report}
            assert OutcomeStatus.UNKNOWN not in {outcome.status for outcome in report}

    play(story, reelmirror=ReelMirrorDialect(repeated_publish=repeated))


def test_the_same_asked_for_twice_by_mistake_is_a_duplicate(play):
    async def story(stage):
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many([POST, CLIP, POST, CLIP])
            late = await publishing.publish(POST)
        assert [outcome.status.value for outcome in report] == ["published", "published", "duplicate", "duplicate"]
        assert [outcome.duplicate_of for outcome in report[2:]] == [report[0].job_id, report[1].job_id]
        assert late.duplicate_of == report[0].job_id
        stage.check_truth(report[:2])
        assert len(stage.live()) == 4

    play(story)


@pytest.mark.parametrize("duplicated", [True, False])
@pytest.mark.parametrize("urls_by", ["integration", "platform"])
def test_two_accounts_of_one_platform_at_reap_are_told_apart(play, duplicated, urls_by):
    """They go out in two posts, so one that fails is known, and its retry is its own."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme_two"))
        request = PublishRequest(
            Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme", "tiktok:acme_two", "youtube:acme"]
        )
        async with stage.orchestrator() as publishing:
            first = await publishing.publish(request)
            assert by_account(first) == {
                "tiktok:acme": DeliveryStatus.PUBLISHED,
                "tiktok:acme_two": DeliveryStatus.FAILED,
                "youtube:acme": DeliveryStatus.PUBLISHED,
            }
            assert all(delivery.url for delivery in first.published)
            again = await publishing.retry_failed(first)
        assert again.status is OutcomeStatus.PUBLISHED
        assert len(again.posts) == 3
        stage.check_truth([again])
        assert stage.sandbox.duplicates() == []

    play(story, reap=ReapDialect(platforms_duplicated=duplicated, urls_by=urls_by))


def test_an_approved_post_that_fails_in_part_is_put_right(play):
    """An approval names its accounts only afterwards; the one that failed is retried all the same."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme"))
        async with stage.orchestrator() as publishing:
            first = await publishing.publish(PublishRequest(GeneratedPost("demo-generated-post-2", approve=True)))
            assert first.status is OutcomeStatus.PARTLY_PUBLISHED
            again = await publishing.retry_failed(first)
        assert again.status is OutcomeStatus.PUBLISHED
        stage.check_truth([again])
        assert stage.sent("approveGeneratedPost") == 1
        assert len(stage.live()) == 2

    play(story)


def test_a_whole_report_is_retried_at_once(play):
    """Of a mixed batch only what failed goes out again, in the order of the requests."""

    async def story(stage):
        stage.sandbox.order(*(Fault(FaultKind.PLATFORM_FAILS, platform="tiktok", after=n) for n in (0, 1)))
        requests = [
            PublishRequest(MediaItems([f"demo-media-item-{n}"]), accounts=["instagram:acme", "tiktok:acme"])
            for n in range(1, 4)
        ] + [
            PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["tiktok:acme", "x:acme"])
            for n in range(1, 4)
        ]
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests)
            failed = [outcome for outcome in report if outcome.failed]
            assert failed
            again = await publishing.retry_failed_many(report)
            assert again.is_success
            assert [outcome.request for outcome in again] == requests
            assert (await publishing.retry_failed_many(report)).outcomes == again.outcomes
        stage.check_truth(again)
        assert len(stage.live()) == 12
        assert stage.sandbox.duplicates() == []

    play(story)
