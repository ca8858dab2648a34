"""One suite for every publisher: both providers' over the sandbox, in several dialects, and the one in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from attrs import evolve

from reelpub import (
    CancelResult,
    Clip,
    Feature,
    GeneratedPost,
    MediaItems,
    Orchestrator,
    OutcomeStatus,
    PostStatus,
    PublishRequest,
    ReapPublisher,
    ReelMirrorPublisher,
    UnsupportedOperation,
)
from reelpub.sandbox import REAP_KEY, REELMIRROR_KEY, Fault, FaultKind, ReapDialect, ReelMirrorDialect, Sandbox
from reelpub.testing import InMemoryPublisher, PublisherContract, run_virtual
from reelpub.testing.contract import PROTOCOLS
from reelpub.transport.message import Lane


class OverTheSandbox(PublisherContract):
    """What both providers share: a sandbox whose traffic is judged at the end of each test."""

    dialects: ClassVar = {}
    provider = ""

    @pytest.fixture(autouse=True)
    def _judge(self, judged):
        self.exchanges = []
        yield
        judged(self.exchanges, self.dialects.get("reelmirror"))

    async def make(self, clock):
        self.sandbox = Sandbox(clock=clock, observer=self.exchanges.append, **self.dialects)
        await self.sandbox.start()
        return self.publisher(clock)

    async def clean_up(self):
        await self.sandbox.close()

    async def live(self):
        return [(record.account_id, record.post_id) for record in self.sandbox.live()]

    async def fail_next(self, account):
        self.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account=account.id))


class TestReelMirror(OverTheSandbox):
    secrets = (REELMIRROR_KEY,)

    def publisher(self, clock):
        return ReelMirrorPublisher.connect(REELMIRROR_KEY, base_url=self.sandbox.reelmirror_url, clock=clock)

    def requests(self):
        return [
            PublishRequest(
                MediaItems(["demo-media-item-1"]), caption="One", accounts=["instagram:acme", "tiktok:acme"]
            ),
            PublishRequest(MediaItems(["demo-media-item-9"]), accounts=["tiktok:acme", "instagram:acme_two"]),
            PublishRequest(GeneratedPost("demo-generated-post-20"), accounts=["instagram:acme", "tiktok:acme"]),
        ]


class TestReelMirrorThatTellsLittle(TestReelMirror):
    dialects: ClassVar = {
        "reelmirror": ReelMirrorDialect(
            list_posts="absent",
            write_answer="empty_204",
            draft_shows_deliveries=False,
            delivery_has_account_id=False,
            patch_targets="ignores",
            mixed_status="published",
            after_cancel="draft",
            ill_timed=409,
            retry_sends="all",
            nulls="absent",
        )
    }


class TestReap(OverTheSandbox):
    secrets = (REAP_KEY,)

    def publisher(self, clock):
        return ReapPublisher.connect(REAP_KEY, base_url=self.sandbox.reap_url, clock=clock)

    def requests(self):
        return [
            PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), title=f"T{n}", accounts=["tiktok:acme", "x:acme"])
            for n in range(1, 4)
        ]


class TestReapOtherwise(TestReap):
    dialects: ClassVar = {
        "reap": ReapDialect(
            limit_scope="endpoint",
            urls_by="platform",
            waiting_status="scheduled",
            list_order="id",
            bad_date_status=422,
            deleted_post="gone",
            created_after="exclusive",
            platforms_duplicated=True,
            nulls="absent",
        )
    }


class TestInMemory(PublisherContract):
    async def make(self, clock):
        self.publisher = InMemoryPublisher(clock=clock)
        return self.publisher

    def requests(self):
        return [
            PublishRequest(Clip("project", f"clip-{n}"), accounts=["tiktok:acme", "youtube:acme"]) for n in range(3)
        ]

    async def live(self):
        public = []
        for post_id, stored in self.publisher._posts.items():
            post = self.publisher._get(post_id)
            public += [(delivery.account.id, post_id) for delivery in post.published]
            assert stored.source
        assert sum(map(len, self.publisher.live.values())) == len(public)
        return public

    async def fail_next(self, account):
        self.publisher.script.fail_accounts[account.id] = 1


def test_every_feature_has_its_protocol():
    """The table that the contract goes by leaves none out."""
    assert PROTOCOLS.keys() == set(Feature)


# ---- what a provider lacks, through the facade


def refused_with_nothing_sent(play, call, *, provider, by):
    async def story(stage):
        async with stage.orchestrator() as publishing:
            before = stage.sent()
            with pytest.raises(UnsupportedOperation) as caught:
                await call(stage, publishing)
            assert caught.value.provider == provider
            assert caught.value.supported_by == by
            assert all(name in str(caught.value) for name in by)
            return before, stage.sent()

    before, after = play(story, answers=0)
    return after - before


def test_reelmirror_cant_move_a_scheduled_post(play):
    """It raises before anything is sent, and says that Reap can."""

    async def story(stage):
        at = datetime.fromtimestamp(stage.clock.time(), UTC) + timedelta(hours=2)
        request = PublishRequest(MediaItems(["demo-media-item-1"]), accounts=["tiktok:acme"], at=at)
        async with stage.orchestrator() as publishing:
            outcome = await publishing.schedule(request)
            before = stage.sent()
            with pytest.raises(UnsupportedOperation, match="supported by: reap") as caught:
                await publishing.reschedule(outcome, at + timedelta(hours=1))
            assert caught.value.provider == "reelmirror"
            assert stage.sent() == before

    play(story)


def test_reap_cant_write_captions(play):
    async def call(stage, publishing):
        await publishing.generate_caption(["demo-media-item-1"], publisher="reap")

    assert refused_with_nothing_sent(play, call, provider="reap", by=("reelmirror",)) == 0


def test_reap_alone_names_nobody_who_can():
    async def main(clock):
        async with Sandbox(clock=clock) as sandbox:
            alone = ReapPublisher.connect(REAP_KEY, base_url=sandbox.reap_url, clock=clock)
            async with Orchestrator([alone], clock=clock) as publishing:
                with pytest.raises(UnsupportedOperation) as caught:
                    await publishing.generate_caption(["demo-media-item-1"])
            assert caught.value.supported_by == ()
            assert sandbox.requests() == []

    run_virtual(main)


def test_reap_cant_retry_in_place(play):
    """Asked for by name, it is refused, and nothing is sent."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS))
        async with stage.orchestrator() as publishing:
            outcome = await publishing.publish(
                PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["x:acme"])
            )
            assert outcome.status is OutcomeStatus.FAILED
            before = stage.sent()
            with pytest.raises(UnsupportedOperation):
                await publishing.retry_failed(outcome, in_place=True)
            assert stage.sent() == before

    play(story)


# ---- the suite can fail: publishers that break one promise each


class Doubled(InMemoryPublisher):
    def plan(self, request, accounts):
        return [*super().plan(request, accounts), tuple(accounts[:1])]


class Deaf(InMemoryPublisher):
    async def publish(self, prepared, options=None):
        return await super().publish(prepared)


class Eager(InMemoryPublisher):
    async def prepare(self, part):
        await self.publish(await super().prepare(part))
        return await super().prepare(part)


class Blind(InMemoryPublisher):
    async def find(self, prepared, attempt, *, taken=frozenset()):
        return await super().find(prepared, attempt, taken=frozenset(self._posts))


class Forgetful(InMemoryPublisher):
    def batches(self, parts):
        return [super().batches(parts)[0][:1]]


class Disorderly(InMemoryPublisher):
    def batches(self, parts):
        return [list(parts)]


class Talkative(InMemoryPublisher):
    def __repr__(self):
        return "<publisher k-secret>"


class Boastful(InMemoryPublisher):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.capabilities = evolve(self.capabilities, features=self.capabilities.features | {Feature.CAPTIONS})


class Careless(InMemoryPublisher):
    def plan_retry(self, part, post, *, in_place=None):
        return evolve(super().plan_retry(part, post, in_place=False), accounts=part.accounts)


class Lenient(InMemoryPublisher):
    async def cancel(self, post_id):
        return CancelResult.CANCELLED


class Restless(InMemoryPublisher):
    async def accounts(self, *, refresh=False):
        await self._request("accounts", None, Lane.POLL)
        return await super().accounts()


class Once(InMemoryPublisher):
    async def close(self):
        assert not self.is_closed
        await super().close()


class Vague(InMemoryPublisher):
    async def read_page(self, page, *, created_after=None):
        found = await super().read_page(page)
        return evolve(found, posts=tuple(evolve(post, status=PostStatus.OTHER) for post in found.posts))


BROKEN = [
    (Doubled, "test_a_plan_covers_each_account_exactly_once"),
    (Deaf, "test_a_publish_tells_before_it_sends"),
    (Deaf, "test_nothing_is_sent_when_before_send_raises"),
    (Eager, "test_preparing_makes_nothing_public"),
    (Blind, "test_a_lost_post_is_found_and_another_is_not"),
    (Forgetful, "test_batches_cover_every_part_once_and_in_due_order"),
    (Disorderly, "test_batches_cover_every_part_once_and_in_due_order"),
    (Talkative, "test_no_secret_shows"),
    (Boastful, "test_features_are_offered_as_implemented"),
    (Careless, "test_a_retry_touches_only_what_failed"),
    (Lenient, "test_a_cancelled_post_never_goes_out"),
    (Restless, "test_accounts_are_read_once"),
    (Once, "test_closing_twice_is_closing_once"),
    (Vague, "test_a_list_and_a_single_read_agree"),
]


@pytest.mark.parametrize(("kind", "name"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_promise_is_caught(kind, name):
    """Each fails the test that is about it, and the publisher as it should be passes the same."""

    def suite(make_publisher):
        class Suite(TestInMemory):
            secrets = ("k-secret",)

            async def make(self, clock):
                self.publisher = make_publisher(clock=clock)
                return self.publisher

        return Suite()

    getattr(suite(InMemoryPublisher), name)()
    with pytest.raises(AssertionError):
        getattr(suite(kind), name)()


class Bare(PublisherContract):
    """What somebody has who forgot the hooks."""


@pytest.mark.parametrize(("hook", "arguments"), [("make", [None]), ("live", []), ("fail_next", [None])])
async def test_a_hook_that_is_missing_is_named(hook, arguments):
    with pytest.raises(NotImplementedError, match=f"PublisherContract.{hook}"):
        await getattr(Bare(), hook)(*arguments)


def test_missing_requests_are_named():
    with pytest.raises(NotImplementedError, match=r"PublisherContract\.requests"):
        Bare().requests()


class TestOneAccount(TestInMemory):
    """A service with one account keeps the contract, too."""

    def requests(self):
        return [PublishRequest(Clip("project", f"clip-{n}"), accounts=["tiktok:acme"]) for n in range(3)]


class TestFewFeatures(TestInMemory):
    """A publisher that offers nothing but publishing keeps the contract as well."""

    async def make(self, clock):
        self.publisher = Plain(clock=clock)
        return self.publisher


class Plain(InMemoryPublisher):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.capabilities = evolve(self.capabilities, features=frozenset())

    batches = schedule = plan_retry = cancel = reschedule = has_bulk_read = read_page = find = None
