"""One story in every dialect: whatever the documentation leaves open, the ends are the same.

The dialects are chosen pairwise: each two values of each two switches meet in one of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from allpairspy import AllPairs

from reelpub import (
    CancelResult,
    Clip,
    Draft,
    GeneratedPost,
    MediaItems,
    OutcomeStatus,
    PublishRequest,
)
from reelpub.providers.reelmirror.schemas import OutgoingPostItemInput
from reelpub.sandbox import REELMIRROR_ACCOUNTS, Fault, FaultKind, ReapDialect, ReelMirrorDialect


def pairs(dialect_class):
    """Return dialects in which each two values of each two switches meet, the default first."""
    names = list(dialect_class.options())
    rows = AllPairs(list(dialect_class.options().values()))
    found = [dialect_class(), *(dialect_class(**dict(zip(names, row, strict=True))) for row in rows)]
    return list(dict.fromkeys(found))


def label(dialect):
    """Return what sets a dialect apart from the default."""
    plain = type(dialect)()
    names = [name for name in type(dialect).options() if getattr(dialect, name) != getattr(plain, name)]
    return ",".join(f"{name}={getattr(dialect, name)}" for name in names) or "default"


def after(stage, minutes):
    return datetime.fromtimestamp(stage.clock.time(), UTC) + timedelta(minutes=minutes)


def statuses(report):
    return [outcome.status.value for outcome in report]


@pytest.mark.parametrize("dialect", pairs(ReelMirrorDialect), ids=label)
def test_reelmirror(play, dialect):
    """Publish in each way, schedule, lose an answer, fail in part and in whole, retry, call off, wait for it all."""

    async def story(stage):
        publisher = stage.reelmirror()
        draft = await publisher.client.create_outgoing_post(
            items=[OutgoingPostItemInput("demo-media-item-50", position=0)],
            target_account_ids=[REELMIRROR_ACCOUNTS[2].id],
        )
        operation = "publishOutgoingPost"
        stage.sandbox.order(
            Fault(FaultKind.PLATFORM_FAILS, account="instagram:acme", operation="approveGeneratedPost"),
            Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme", operation=operation),
            Fault(FaultKind.PLATFORM_FAILS, account="instagram:acme_two", operation=operation),
            Fault(FaultKind.LOST_AFTER, operation=operation, after=2),
            Fault(FaultKind.LOST_BEFORE, operation="scheduleOutgoingPost"),
        )
        requests = [
            PublishRequest(GeneratedPost("demo-generated-post-1"), caption="As it is"),
            PublishRequest(GeneratedPost("demo-generated-post-2"), accounts=["instagram:acme_two"]),
            PublishRequest(GeneratedPost("demo-generated-post-3", approve=True)),
            PublishRequest(MediaItems(["demo-media-item-30", "demo-media-item-31"]), accounts=["instagram:acme"]),
            PublishRequest(MediaItems(["demo-media-item-40"]), accounts=["instagram:acme", "tiktok:acme"]),
            PublishRequest(Draft(draft.id), caption="Mine"),
            PublishRequest(MediaItems(["demo-media-item-51"]), accounts=["tiktok:acme"], at=after(stage, 60)),
            PublishRequest(MediaItems(["demo-media-item-52"]), accounts=["tiktok:acme"], at=after(stage, 90)),
        ]
        async with stage.orchestrator(publisher) as publishing:
            first = await publishing.publish_many(requests)
            assert all(outcome.is_settled for outcome in first)
            stage.check_truth(first)
            assert sum(len(outcome.failed) for outcome in first) == 3
            assert statuses(first)[6:] == ["scheduled", "scheduled"]
            second = await publishing.retry_failed_many(first)
            assert statuses(second) == ["published"] * 6 + ["scheduled"] * 2
            stage.check_truth(second)
            cancelled = await publishing.cancel_many([second[7], second[0]])
            assert cancelled == [CancelResult.CANCELLED, CancelResult.TOO_LATE]
            third = await publishing.wait_many(second)
        assert statuses(third) == ["published"] * 7 + ["cancelled"]
        stage.check_truth(third)
        await stage.clock.sleep(7200)
        assert stage.live() == [
            ("instagram:acme", "demo-media-item-1"),
            ("instagram:acme", "demo-media-item-30,demo-media-item-31"),
            ("instagram:acme", "demo-media-item-4"),
            ("instagram:acme", "demo-media-item-40"),
            ("instagram:acme_two", "demo-media-item-2,demo-media-item-3"),
            ("instagram:acme_two", "demo-media-item-50"),
            ("tiktok:acme", "demo-media-item-1"),
            ("tiktok:acme", "demo-media-item-4"),
            ("tiktok:acme", "demo-media-item-40"),
            ("tiktok:acme", "demo-media-item-51"),
        ]
        assert stage.sandbox.rejections() == 0

    play(story, reelmirror=dialect)


@pytest.mark.parametrize("dialect", pairs(ReapDialect), ids=label)
def test_reap(play, dialect):
    """Publish, schedule together and alone, lose answers, fail in part, retry, move, call off, wait for it all."""

    async def story(stage):
        stage.sandbox.order(
            Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme_two"),
            Fault(FaultKind.PLATFORM_FAILS, account="linkedin:acme"),
            Fault(FaultKind.LOST_AFTER, operation="publishClip", after=1),
            Fault(FaultKind.LOST_BEFORE, operation="publishClip", after=2),
            Fault(FaultKind.LOST_AFTER, operation="scheduleClips"),
        )
        project = "demo-project-1"
        later = [
            PublishRequest(Clip(project, f"demo-clip-{n}"), title=f"T{n}", accounts=["x:acme"], at=after(stage, 30 * n))
            for n in (10, 11, 12)
        ]
        requests = [
            PublishRequest(Clip(project, "demo-clip-1"), title="T", accounts=["tiktok:acme", "youtube:acme"]),
            PublishRequest(Clip(project, "demo-clip-2"), accounts=["tiktok:acme", "tiktok:acme_two", "instagram:acme"]),
            PublishRequest(Clip("demo-project-2", "demo-clip-1"), caption="C", tags=["a"], accounts=["linkedin:acme"]),
            *later,
            PublishRequest(Clip("demo-project-cancelled", "demo-clip-1"), accounts=["x:acme"]),
            PublishRequest(Clip("demo-project-unfinished", "demo-clip-1"), accounts=["x:acme"], at=after(stage, 90)),
        ]
        async with stage.orchestrator(stage.reap()) as publishing:
            first = await publishing.publish_many(requests)
            assert statuses(first)[0] == "published"
            assert statuses(first)[3:] == ["scheduled"] * 3 + ["refused"] * 2
            assert sum(len(outcome.failed) for outcome in first[:3]) == 2
            stage.check_truth(first[:6])
            second = await publishing.retry_failed_many(first)
            assert statuses(second) == ["published"] * 3 + ["scheduled"] * 3 + ["refused"] * 2
            stage.check_truth(second[:6])
            cancelled = await publishing.cancel_many([second[4], second[0]])
            assert cancelled == [CancelResult.CANCELLED, CancelResult.TOO_LATE]
            moved = await publishing.reschedule(second[5], after(stage, 600))
            assert moved.status is OutcomeStatus.SCHEDULED
            assert (moved.posts[0].scheduled_at - after(stage, 600)).total_seconds() < 1
            began = stage.clock.monotonic()
            third = await publishing.wait_many(second)
            assert stage.clock.monotonic() - began > 500 * 60
        assert statuses(third) == ["published"] * 4 + ["cancelled", "published"] + ["refused"] * 2
        stage.check_truth(third[:6])
        assert stage.live() == [
            ("instagram:acme", "demo-project-1/demo-clip-2"),
            ("linkedin:acme", "demo-project-2/demo-clip-1"),
            ("tiktok:acme", "demo-project-1/demo-clip-1"),
            ("tiktok:acme", "demo-project-1/demo-clip-2"),
            ("tiktok:acme_two", "demo-project-1/demo-clip-2"),
            ("x:acme", "demo-project-1/demo-clip-10"),
            ("x:acme", "demo-project-1/demo-clip-12"),
            ("youtube:acme", "demo-project-1/demo-clip-1"),
        ]
        assert stage.sandbox.rejections() == 0

    play(story, reap=dialect)


# The last switch that pairs alone would leave to chance: what is dangerous together.
DANGEROUS = ReelMirrorDialect(
    repeated_publish="accept_again",
    retry_sends="all",
    patch_targets="ignores",
    list_posts="absent",
    draft_shows_deliveries=False,
    delivery_has_account_id=False,
    write_answer="status_only",
    mixed_status="failed",
    review_during_approve="pending_review",
    after_cancel="draft",
    nulls="absent",
)


def test_the_most_dangerous_dialect(play):
    """Everything that could make a second post, together with every way to lose an answer: nothing is doubled."""

    async def story(stage):
        for operation in ("publishOutgoingPost", "retryOutgoingPost", "scheduleOutgoingPost"):
            for kind in (FaultKind.LOST_AFTER, FaultKind.HANG_AFTER, FaultKind.RESET_IN_BODY, FaultKind.LOST_BEFORE):
                stage.sandbox.order(Fault(kind, operation=operation, times=2))
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, times=9))
        requests = [
            PublishRequest(MediaItems([f"demo-media-item-{n}"]), accounts=["instagram:acme", "tiktok:acme"])
            for n in range(1, 11)
        ] + [
            PublishRequest(MediaItems([f"demo-media-item-{n}"]), accounts=["tiktok:acme"], at=after(stage, 30))
            for n in range(11, 16)
        ]
        async with stage.orchestrator(stage.reelmirror()) as publishing:
            report = await publishing.wait_many(await publishing.publish_many(requests))
            stage.check_truth(report)
            for _ in range(4):
                report = await publishing.wait_many(await publishing.retry_failed_many(report))
                stage.check_truth(report)
        assert report.is_success, [str(outcome) for outcome in report]
        assert len(stage.live()) == 25
        assert stage.sandbox.duplicates() == []

    play(story, reelmirror=DANGEROUS)
