"""Drafts that a lost answer left behind: found and deleted where that can be proved, told everywhere else."""

from __future__ import annotations

import pytest
from attrs import evolve

from reelpub import CancelResult, GeneratedPost, MediaItems, OutcomeStatus, PublishRequest, ReelMirrorClient
from reelpub.providers.reelmirror.schemas import OutgoingPostItemInput
from reelpub.sandbox import REELMIRROR_ACCOUNTS, REELMIRROR_KEY, Fault, FaultKind, ReelMirrorDialect

BOTH = ["instagram:acme", "tiktok:acme"]
ITEMS = PublishRequest(MediaItems(["demo-media-item-1"]), caption="One", accounts=BOTH)
GENERATED = PublishRequest(GeneratedPost("demo-generated-post-1"))
EDITED = PublishRequest(GeneratedPost("demo-generated-post-1"), caption="Another", accounts=["tiktok:acme"])

REQUESTS = {
    "create": (ITEMS, "createOutgoingPost"),
    "compose": (GENERATED, "sendGeneratedPostToCompose"),
    "compose and edit": (EDITED, "sendGeneratedPostToCompose"),
}
LISTS = [
    ReelMirrorDialect(),
    ReelMirrorDialect(list_order="oldest_first"),
    ReelMirrorDialect(list_deliveries=False),
    ReelMirrorDialect(draft_shows_deliveries=False, nulls="absent"),
    ReelMirrorDialect(delivery_has_account_id=False),
]
NO_LISTS = [ReelMirrorDialect(list_posts="absent"), ReelMirrorDialect(list_posts="absent_405")]


def name_of(dialect):
    default = ReelMirrorDialect()
    changed = [f"{name}={getattr(dialect, name)}" for name in dialect.options() if _differs(dialect, default, name)]
    return ",".join(changed) or "default"


def _differs(one, other, name):
    return getattr(one, name) != getattr(other, name)


async def drafts(stage):
    async with ReelMirrorClient(REELMIRROR_KEY, base_url=stage.sandbox.reelmirror_url, clock=stage.clock) as client:
        return [post.id async for post in client.list_outgoing_posts() if post.status == "draft"]


async def make_draft(stage):
    """Make a draft like those of `ITEMS` with another publisher, as another process would."""
    ids = {account.name: account.id for account in REELMIRROR_ACCOUNTS}
    items = [OutgoingPostItemInput("demo-media-item-1", position=0)]
    async with ReelMirrorClient(REELMIRROR_KEY, base_url=stage.sandbox.reelmirror_url, clock=stage.clock) as client:
        draft = await client.create_outgoing_post(
            items=items, caption=ITEMS.caption, target_account_ids=[ids[name] for name in BOTH]
        )
    return draft.id


@pytest.mark.parametrize("dialect", LISTS, ids=name_of)
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("what", REQUESTS)
def test_what_lost_answers_left_is_deleted(play, what, times, dialect):
    """Nothing remains, nothing is told, and what was asked for is live once."""
    request, operation = REQUESTS[what]

    async def story(stage):
        stage.sandbox.order(*[Fault(FaultKind.LOST_AFTER, operation=operation)] * times)
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(request)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert (outcome.orphans, outcome.warnings) == ((), ())
        assert stage.sent(operation) == 1 + times
        assert await drafts(stage) == []
        stage.check_truth([outcome])
        assert stage.sandbox.duplicates() == []

    play(story, reelmirror=dialect)


@pytest.mark.parametrize("dialect", NO_LISTS, ids=name_of)
@pytest.mark.parametrize("what", REQUESTS)
def test_without_a_list_it_is_told_that_one_may_be_left(play, what, dialect):
    request, operation = REQUESTS[what]

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation=operation))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(request)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert outcome.orphans == ()
        (warning,) = outcome.warnings
        assert "a second one may be left" in str(warning)
        assert not warning.is_error
        stage.check_truth([outcome])

    play(story, reelmirror=dialect)


@pytest.mark.parametrize("what", REQUESTS)
def test_a_draft_that_was_never_repeated_costs_no_look(play, what):
    request, _ = REQUESTS[what]

    async def story(stage):
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(request)
        assert (outcome.orphans, outcome.warnings) == ((), ())
        assert stage.sent("listOutgoingPosts") == 0

    play(story)


def test_one_that_cant_be_deleted_is_told_by_its_id(play):
    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="createOutgoingPost"))
        stage.sandbox.order(Fault(FaultKind.CONFLICT, operation="deleteOutgoingPost"))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(ITEMS)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert list(outcome.orphans) == await drafts(stage)
        assert len(outcome.orphans) == 1

    play(story)


@pytest.mark.parametrize("kind", [FaultKind.LOST_AFTER, FaultKind.LOST_BEFORE])
def test_a_draft_of_before_is_let_alone(play, kind):
    """Somebody's own draft of the very same is older than the call, so it isn't what the call left."""

    async def story(stage):
        mine = await make_draft(stage)
        await stage.clock.sleep(60)
        stage.sandbox.order(Fault(kind, operation="createOutgoingPost"))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(ITEMS)
        assert outcome.orphans == ()
        # Whether the lost request had an effect that doesn't show yet can't be told where none is found.
        assert ["may still appear" in str(one) for one in outcome.warnings] == [True] * (kind is FaultKind.LOST_BEFORE)
        assert await drafts(stage) == [mine]

    play(story)


def test_more_of_them_than_there_were_repeats_are_let_alone(play):
    """While the answer is waited for another process makes the same draft: which is whose can't be told."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.HANG_AFTER, operation="createOutgoingPost"))
        async with stage.orchestrator() as publishing:
            handle = publishing.submit(ITEMS)
            await stage.clock.sleep(5)
            other = await make_draft(stage)
            outcome = await handle
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert outcome.orphans == ()
        (warning,) = outcome.warnings
        left = await drafts(stage)
        assert other in left
        assert len(left) == 2
        assert all(draft in str(warning) for draft in left)

    play(story)


def test_two_alike_at_once_keep_their_drafts(play):
    """The same asked for twice on purpose, one answer lost: no draft that goes live is taken for a leftover."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="createOutgoingPost"))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many([ITEMS, evolve(ITEMS, allow_duplicate=True)])
        assert [outcome.status for outcome in report] == [OutcomeStatus.PUBLISHED] * 2
        stage.check_truth(report)
        assert len(stage.live()) == 4
        left = await drafts(stage)
        told = " ".join(str(warning) for outcome in report for warning in outcome.warnings)
        assert all(draft in told for draft in left)

    play(story)


def test_a_list_that_fails_only_warns(play):
    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="createOutgoingPost"))
        stage.sandbox.order(Fault(FaultKind.HTML_502, operation="listOutgoingPosts", times=4))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(ITEMS)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert "may be left" in str(outcome.warnings)

    play(story)


def test_what_is_told_is_kept_in_the_store(play, tmp_path):
    """A process that resumes tells what the one before it knew to be left."""
    from reelpub.store import SqliteStore
    from reelpub.store.codec import load_outcome

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="createOutgoingPost"))
        async with stage.orchestrator(store=SqliteStore(tmp_path / "jobs.db")) as publishing:
            outcome = await publishing.publish(ITEMS)
        store = SqliteStore(tmp_path / "jobs.db")
        await store.open()
        kept = load_outcome((await store.job(outcome.job_id)).outcome)
        await store.close()
        assert kept.warnings == outcome.warnings
        assert len(kept.warnings) == 1

    play(story, reelmirror=NO_LISTS[0])


def test_a_draft_that_is_made_while_its_post_is_called_off_is_told(play, caplog):
    """Its outcome was told before the draft was there; who called it off learns of what is left behind."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.HANG_AFTER, operation="createOutgoingPost"))
        async with stage.orchestrator() as publishing:
            await publishing.accounts()
            handle = publishing.submit(ITEMS)
            await stage.clock.sleep(3)
            assert await publishing.cancel(handle) is CancelResult.CANCELLED
            await stage.clock.sleep(300)
        (left,) = await drafts(stage)
        assert stage.live() == []
        return left

    left = play(story, answers=3)
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert sum(f"draft {left} is left at reelmirror" in text for text in told) == 1, told
