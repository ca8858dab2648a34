"""The wrong account never gets a post: a draft is looked at again before it goes live, and a mismatch is found."""

from __future__ import annotations

from itertools import product

import pytest

from reelpub import Clip, Draft, GeneratedPost, MediaItems, OutcomeStatus, PublishRequest, ValidationError
from reelpub.providers.reelmirror.schemas import OutgoingPostItemInput
from reelpub.sandbox import REELMIRROR_ACCOUNTS, Fault, FaultKind, ReelMirrorDialect

INSTAGRAM, TIKTOK, SECOND = (account.id for account in REELMIRROR_ACCOUNTS[:3])

DIALECTS = [
    ReelMirrorDialect(
        patch_targets=patch, draft_shows_deliveries=shows, delivery_has_account_id=has_id, write_answer=answer
    )
    for patch, shows, has_id, answer in product(
        ("ignores", "takes"), (True, False), (True, False), ("envelope", "empty_204")
    )
]
IN_EACH_DIALECT = pytest.mark.parametrize(
    "dialect", DIALECTS, ids=lambda d: f"{d.patch_targets}-{d.draft_shows_deliveries}-{d.delivery_has_account_id}-"
    f"{d.write_answer}",
)  # fmt: skip


@IN_EACH_DIALECT
@pytest.mark.parametrize(
    ("wanted", "caption"),
    [(["tiktok:acme"], None), (["instagram:acme_two"], "C"), ([INSTAGRAM, TIKTOK], None), ([TIKTOK, SECOND], "C")],
    ids=["one of two", "a foreign one", "the persona's own", "a mixture"],
)
def test_a_generated_post_goes_to_the_named_accounts_alone(play, dialect, wanted, caption):
    """Whatever an edit does with the targets and whatever a draft shows of them: exactly those asked for."""

    async def story(stage):
        request = PublishRequest(GeneratedPost("demo-generated-post-1"), caption=caption, accounts=wanted)
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(request)
        assert outcome.status is OutcomeStatus.PUBLISHED, outcome
        ids = {stage.NAMES.get(name, name) for name in wanted}
        assert {name for name, _ in stage.live()} == ids
        assert {str(delivery.account) for delivery in outcome.deliveries} == ids
        stage.check_truth([outcome])
        assert outcome.orphans == ()
        made = stage.sent("sendGeneratedPostToCompose", "createOutgoingPost")
        assert stage.sent("deleteOutgoingPost") == made - 1, "a draft that isn't needed doesn't stay behind"

    play(story, reelmirror=dialect)


@pytest.mark.parametrize("shows", [True, False])
def test_a_draft_of_ones_own_that_keeps_its_accounts_is_not_published(play, shows):
    """The caller's draft is never replaced; where it can't be shown to go where it is meant to, it stays a draft."""
    dialect = ReelMirrorDialect(patch_targets="ignores", draft_shows_deliveries=shows)

    async def story(stage):
        publisher = stage.reelmirror()
        made = await publisher.client.create_outgoing_post(
            items=[_item("demo-media-item-1")], target_account_ids=[INSTAGRAM]
        )
        requests = [
            PublishRequest(Draft(made.id), accounts=["tiktok:acme"]),
            PublishRequest(MediaItems(["demo-media-item-2"]), accounts=["tiktok:acme"]),
        ]
        async with stage.orchestrator(publisher) as publishing:
            report = await publishing.publish_many(requests)
            assert [outcome.status for outcome in report] == [OutcomeStatus.REFUSED, OutcomeStatus.PUBLISHED]
            [problem] = report[0].problems
            assert problem.field == "accounts"
            assert "asked for tiktok:acme" in problem.message
            assert ("goes to instagram:acme" if shows else "doesn't show its accounts") in problem.message
            assert "nothing was published" in problem.message
            assert problem.value == [TIKTOK]
            assert type(report[0].error) is ValidationError
            again = await publishing.retry_failed(report[0])
            assert again.status is OutcomeStatus.REFUSED
        assert stage.live("reelmirror") == [("tiktok:acme", "demo-media-item-2")]
        assert stage.sent("publishOutgoingPost") == 1
        stage.check_truth(report)

    play(story, reelmirror=dialect)


@pytest.mark.parametrize("patch", ["takes", "ignores"])
@pytest.mark.parametrize("shows", [True, False])
def test_a_draft_of_ones_own_goes_where_it_goes_when_nothing_is_asked(play, patch, shows):
    """Without named accounts a draft is published as it is, and the outcome tells where it went."""
    dialect = ReelMirrorDialect(patch_targets=patch, draft_shows_deliveries=shows)

    async def story(stage):
        publisher = stage.reelmirror()
        made = await publisher.client.create_outgoing_post(
            items=[_item("demo-media-item-1")], target_account_ids=[SECOND]
        )
        async with stage.orchestrator(publisher) as publishing:
            outcome = await publishing.publish(PublishRequest(Draft(made.id), caption="Now"))
        assert [str(delivery.account) for delivery in outcome.published] == ["instagram:acme_two"]
        assert stage.live() == [("instagram:acme_two", "demo-media-item-1")]
        stage.check_truth([outcome])

    play(story, reelmirror=dialect)


def test_a_named_account_is_never_another_of_its_name(play):
    """Names are of a platform: acme at TikTok isn't acme at Instagram, at either provider."""

    async def story(stage):
        requests = [
            PublishRequest(MediaItems(["demo-media-item-1"]), accounts=["tiktok:acme"]),
            PublishRequest(MediaItems(["demo-media-item-2"]), accounts=["instagram:@ACME_two"]),
            PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme_two"]),
            PublishRequest(Clip("demo-project-1", "demo-clip-2"), accounts=["x:acme", "linkedin:acme"]),
            PublishRequest(MediaItems(["demo-media-item-3"]), accounts=["tiktok:acme_old"]),
            PublishRequest(MediaItems(["demo-media-item-3"]), accounts=["tiktok:nobody"]),
            PublishRequest(Clip("demo-project-1", "demo-clip-3"), accounts=["tiktok:acme", "youtube:acme_old"]),
        ]
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests)
        assert [outcome.is_success for outcome in report] == [True] * 4 + [False] * 3
        assert stage.live() == [
            ("instagram:acme_two", "demo-media-item-2"),
            ("linkedin:acme", "demo-project-1/demo-clip-2"),
            ("tiktok:acme", "demo-media-item-1"),
            ("tiktok:acme_two", "demo-project-1/demo-clip-1"),
            ("x:acme", "demo-project-1/demo-clip-2"),
        ]
        assert [outcome.status for outcome in report[4:]] == [OutcomeStatus.REFUSED] * 3
        assert "expired" in report[4].reason
        assert "accounts[0]" in report[5].reason
        assert "accounts[1]" in report[6].reason
        stage.check_truth(report)

    play(story)


@pytest.mark.parametrize("dialect", [ReelMirrorDialect(patch_targets="ignores"), ReelMirrorDialect()])
def test_the_retry_of_one_account_goes_to_that_account(play, dialect):
    """The copy for the failed account is aimed in the documented create body, and at nobody else."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme"))
        async with stage.orchestrator() as publishing:
            first = await publishing.publish(PublishRequest(GeneratedPost("demo-generated-post-2"), caption="C"))
            assert first.status is OutcomeStatus.PARTLY_PUBLISHED
            again = await publishing.retry_failed(first)
        assert again.status is OutcomeStatus.PUBLISHED
        assert sorted(name for name, _ in stage.live()) == ["instagram:acme", "tiktok:acme"]
        stage.check_truth([again])
        assert stage.sandbox.duplicates() == []

    play(story, reelmirror=dialect)


def _item(item_id):
    return OutgoingPostItemInput(item_id, position=0)
