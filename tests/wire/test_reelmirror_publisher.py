"""`ReelMirrorPublisher` over real sockets against the sandbox, in every dialect (pairwise) and with ordered faults."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from allpairspy import AllPairs
from attrs import asdict

from reelpub.errors import ConflictError, NotFoundError, ReelPubError, ValidationError
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import CancelResult
from reelpub.models.post import DeliveryStatus, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Draft, GeneratedPost, MediaItems
from reelpub.policies.safety import Effect, effect_of
from reelpub.providers.base import Absent, Found, Undecided
from reelpub.providers.reelmirror import ReelMirrorPublisher
from reelpub.sandbox import REELMIRROR_KEY, Fault, FaultKind, ReelMirrorDialect, Sandbox
from reelpub.transport.limiter import RateLimiter

START = datetime(2027, 3, 1, 12, tzinfo=UTC).timestamp()
A_POSTS_TIME = 61.0
"""Every delivery of the sandbox has ended by then."""


class ManualClock:
    """Time that moves when it is told to, and when somebody waits."""

    def __init__(self):
        self.now = START

    def time(self):
        return self.now

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        self.now += max(0.0, seconds)

    def at(self, seconds):
        return datetime.fromtimestamp(self.now + seconds, UTC)


class World:
    """A sandbox with a publisher on it, and short ways to carry a request out."""

    def __init__(self, sandbox, publisher, clock):
        self.sandbox, self.publisher, self.clock = sandbox, publisher, clock

    async def part(self, source, *names, **members):
        accounts = {str(account): account for account in await self.publisher.accounts()}
        texts = {"caption": members.pop("caption", None)}
        return Part(
            id="part-1",
            job_id="job-1",
            request=PublishRequest(source, **texts),
            accounts=tuple(accounts[name] for name in names),
            **members,
        )

    async def carry_out(self, part):
        prepared = await self.publisher.prepare(part)
        post = await self.publisher.publish(prepared)
        return prepared, post

    async def settled(self, post_id):
        self.clock.now += A_POSTS_TIME
        return await self.publisher.fetch(post_id)

    @property
    def live(self):
        return sorted(record.account_id for record in self.sandbox.live("reelmirror"))

    @property
    def operations(self):
        return [record.operation for record in self.sandbox.requests("reelmirror")]

    async def posts(self):
        return [raw async for raw in self.publisher.client.list_outgoing_posts()]


@asynccontextmanager
async def world(dialect=None, *faults):
    clock = ManualClock()
    async with Sandbox(clock=clock, reelmirror=dialect, limits={"reelmirror": None}) as sandbox:
        sandbox.order(*faults)
        limiter = RateLimiter(100_000, 60.0, clock=clock)
        async with ReelMirrorPublisher.connect(
            REELMIRROR_KEY, base_url=sandbox.reelmirror_url, clock=clock, limiter=limiter
        ) as publisher:
            yield World(sandbox, publisher, clock)


def pairwise():
    options = ReelMirrorDialect.options()
    rows = AllPairs(list(options.values()))
    return [ReelMirrorDialect(**dict(zip(options, row, strict=True))) for row in rows]


def named(dialect):
    usual = asdict(ReelMirrorDialect())
    return ",".join(f"{name}={value}" for name, value in asdict(dialect).items() if value != usual[name])


in_every_dialect = pytest.mark.parametrize("dialect", [ReelMirrorDialect(), *pairwise()], ids=named)

ACME, ACME_TWO, TIKTOK = "instagram:acme", "instagram:acme_two", "tiktok:acme"
IDS = {
    ACME: "demo-account-instagram-acme",
    ACME_TWO: "demo-account-instagram-acme-two",
    TIKTOK: "demo-account-tiktok-acme",
}


def attempt():
    return Attempt(id="try-1", part_id="part-1", number=1, started_at=START)


# --- in every dialect ---------------------------------------------------------------------------------------------


@in_every_dialect
async def test_a_generated_post_goes_to_the_accounts_asked_for_and_to_no_other(dialect):
    """The persona's own accounts are instagram:acme and tiktok:acme; what a draft doesn't take is made anew."""
    async with world(dialect) as w:
        part = await w.part(GeneratedPost("demo-generated-post-2"), ACME_TWO, TIKTOK, caption="Launch day")
        prepared, post = await w.carry_out(part)
        assert prepared.orphans == ()
        assert post.status is PostStatus.PUBLISHING
        assert {one.account.id for one in post.deliveries} == {IDS[ACME_TWO], IDS[TIKTOK]}
        seen = await w.settled(post.id)
        assert (seen.status, seen.caption, seen.is_terminal) == (PostStatus.PUBLISHED, "Launch day", True)
        assert [one.account for one in seen.deliveries] == list(part.accounts)
        assert w.live == sorted([IDS[ACME_TWO], IDS[TIKTOK]])
        if dialect.list_posts == "present":
            assert [raw.id for raw in await w.posts()] == [post.id]


@in_every_dialect
async def test_media_items_and_a_draft_of_ones_own_go_where_they_should(dialect):
    async with world(dialect) as w:
        media = await w.part(MediaItems(["demo-media-item-1", "demo-media-item-2"]), TIKTOK)
        prepared = await w.publisher.prepare(media)
        post = await w.publisher.publish(await w.publisher.prepare(await w.part(Draft(prepared.post_id))))
        assert post.id == prepared.post_id
        assert (await w.settled(post.id)).status is PostStatus.PUBLISHED
        assert w.live == [IDS[TIKTOK]]


@in_every_dialect
async def test_an_approval_tells_its_accounts_when_it_is_read(dialect):
    async with world(dialect) as w:
        _, post = await w.carry_out(await w.part(GeneratedPost("demo-generated-post-1", approve=True)))
        assert (post.status, post.deliveries) == (PostStatus.PUBLISHING, ())
        seen = await w.settled(post.id)
        assert sorted(one.account.id for one in seen.deliveries) == w.live == sorted([IDS[ACME], IDS[TIKTOK]])


@in_every_dialect
async def test_a_scheduled_post_goes_out_at_its_time(dialect):
    async with world(dialect) as w:
        part = await w.part(GeneratedPost("demo-generated-post-1"), TIKTOK, at=w.clock.at(3600))
        prepared = await w.publisher.prepare(part)
        (post,) = await w.publisher.schedule([prepared])
        assert (post.status, post.scheduled_at) == (PostStatus.SCHEDULED, part.at)
        assert [one.status for one in post.deliveries] == [DeliveryStatus.SCHEDULED]
        seen = await w.publisher.fetch(post.id)
        assert (seen.status, seen.scheduled_at) == (PostStatus.SCHEDULED, part.at)
        assert isinstance(await w.publisher.find(prepared, attempt()), Found)
        w.clock.now += 3600
        assert (await w.settled(post.id)).status is PostStatus.PUBLISHED
        assert w.live == [IDS[TIKTOK]]


@in_every_dialect
async def test_a_cancelled_post_never_goes_out_and_a_late_cancellation_says_so(dialect):
    async with world(dialect) as w:
        part = await w.part(GeneratedPost("demo-generated-post-1"), TIKTOK, at=w.clock.at(600))
        (post,) = await w.publisher.schedule([await w.publisher.prepare(part)])
        assert await w.publisher.cancel(post.id) is CancelResult.CANCELLED
        assert await w.publisher.cancel(post.id) is CancelResult.CANCELLED
        await w.settled(post.id)
        w.clock.now += 3600
        assert w.live == []
        _, out = await w.carry_out(await w.part(GeneratedPost("demo-generated-post-3"), TIKTOK))
        assert await w.publisher.cancel(out.id) is CancelResult.TOO_LATE
        with pytest.raises(NotFoundError):
            await w.publisher.cancel("no-such-post")


@in_every_dialect
async def test_only_the_failed_account_is_sent_to_again(dialect):
    fails = Fault(FaultKind.PLATFORM_FAILS, account=TIKTOK, text="Too long for TikTok")
    async with world(dialect, fails) as w:
        part = await w.part(GeneratedPost("demo-generated-post-1"), ACME, TIKTOK)
        _, post = await w.carry_out(part)
        seen = await w.settled(post.id)
        assert seen.status is PostStatus.PARTLY_PUBLISHED
        assert [(one.account.id, one.error) for one in seen.failed] == [(IDS[TIKTOK], "Too long for TikTok")]
        again = w.publisher.plan_retry(part, seen)
        assert (again.copy_of, again.retries) == (post.id, None)
        _, second = await w.carry_out(again)
        assert second.id != post.id
        assert (await w.settled(second.id)).status is PostStatus.PUBLISHED
        assert w.live == [IDS[ACME], IDS[TIKTOK]]
        assert w.sandbox.duplicates() == []


@in_every_dialect
async def test_a_post_that_failed_everywhere_is_retried_where_it_stands(dialect):
    async with world(dialect, Fault(FaultKind.PLATFORM_FAILS, times=2)) as w:
        part = await w.part(GeneratedPost("demo-generated-post-1"), ACME, TIKTOK)
        _, post = await w.carry_out(part)
        seen = await w.settled(post.id)
        assert seen.status is PostStatus.FAILED
        again = w.publisher.plan_retry(part, seen)
        prepared = await w.publisher.prepare(again)
        assert await w.publisher.find(prepared, attempt()) == Absent()
        retried = await w.publisher.publish(prepared)
        assert (retried.id, retried.is_terminal) == (post.id, False)
        assert isinstance(await w.publisher.find(prepared, attempt()), Found)
        assert (await w.settled(post.id)).status is PostStatus.PUBLISHED
        assert w.live == [IDS[ACME], IDS[TIKTOK]]


@in_every_dialect
@pytest.mark.parametrize("kind", [FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.HTML_502_AFTER])
async def test_a_lost_publish_is_looked_up_by_the_drafts_id(dialect, kind):
    async with world(dialect, Fault(kind, operation="publishOutgoingPost")) as w:
        part = await w.part(GeneratedPost("demo-generated-post-1"), ACME, TIKTOK)
        prepared = await w.publisher.prepare(part)
        with pytest.raises(ReelPubError) as caught:
            await w.publisher.publish(prepared)
        assert effect_of(caught.value) is Effect.UNKNOWN
        assert w.operations.count("publishOutgoingPost") == 1
        finding = await w.publisher.find(prepared, attempt())
        if kind is FaultKind.LOST_BEFORE:
            assert finding == Absent()
        else:
            assert isinstance(finding, Found)
            assert finding.post.id == prepared.post_id
            assert [one.account for one in finding.post.deliveries] == list(part.accounts)
            await w.settled(prepared.post_id)
        assert len(w.live) == (0 if kind is FaultKind.LOST_BEFORE else 2)


@in_every_dialect
async def test_the_list_of_posts_is_read_where_there_is_one(dialect):
    async with world(dialect) as w:
        ids = set()
        for number in (1, 3):
            _, post = await w.carry_out(await w.part(GeneratedPost(f"demo-generated-post-{number}"), TIKTOK))
            ids.add(post.id)
        w.clock.now += A_POSTS_TIME
        page = await w.publisher.read_page(0)
        assert w.publisher.has_bulk_read is (dialect.list_posts == "present")
        if dialect.list_posts != "present":
            assert page is None
            return
        assert (page.has_more, page.total) == (False, 2)
        assert {post.id for post in page.posts} == ids
        assert {post.status for post in page.posts} == {PostStatus.PUBLISHED}
        assert {len(post.deliveries) for post in page.posts} == {1 if dialect.list_deliveries else 0}


# --- what goes wrong on the way -------------------------------------------------------------------------------------


async def test_what_a_publish_to_named_accounts_costs():
    async with world() as w:
        await w.carry_out(await w.part(GeneratedPost("demo-generated-post-1"), TIKTOK))
        assert w.operations == [
            "listConnectedAccounts",
            "sendGeneratedPostToCompose",
            "updateOutgoingPost",
            "getOutgoingPost",
            "publishOutgoingPost",
        ]
        assert sum(w.publisher.requests.values()) == 5


async def test_a_draft_of_ones_own_that_ignores_its_targets_is_refused_and_stays():
    async with world(ReelMirrorDialect(patch_targets="ignores")) as w:
        mine = await w.publisher.prepare(await w.part(MediaItems(["demo-media-item-1"]), ACME))
        with pytest.raises(ValidationError, match=r"asked for tiktok:acme, but .* goes to instagram:acme"):
            await w.publisher.prepare(await w.part(Draft(mine.post_id), TIKTOK))
        assert [raw.id for raw in await w.posts()] == [mine.post_id]
        assert w.live == []


async def test_a_draft_that_cant_be_deleted_is_an_orphan():
    dialect = ReelMirrorDialect(patch_targets="ignores")
    async with world(dialect, Fault(FaultKind.CONFLICT, operation="deleteOutgoingPost")) as w:
        prepared, post = await w.carry_out(await w.part(GeneratedPost("demo-generated-post-1"), ACME_TWO))
        (orphan,) = prepared.orphans
        assert {raw.id for raw in await w.posts()} == {orphan, post.id}
        await w.publisher.delete(orphan)
        await w.settled(post.id)
        assert w.live == [IDS[ACME_TWO]]


async def test_a_draft_that_was_published_meanwhile_isnt_published_again():
    """In this dialect a second publish would put the post live twice."""
    async with world(ReelMirrorDialect(repeated_publish="accept_again")) as w:
        _, post = await w.carry_out(await w.part(GeneratedPost("demo-generated-post-1"), TIKTOK))
        with pytest.raises(ValidationError, match="isn't a draft"):
            await w.publisher.prepare(await w.part(Draft(post.id)))
        await w.settled(post.id)
        assert w.live == [IDS[TIKTOK]]


async def test_a_lost_approval_ends_undecided_and_is_sent_once():
    async with world(None, Fault(FaultKind.LOST_AFTER, operation="approveGeneratedPost")) as w:
        prepared = await w.publisher.prepare(await w.part(GeneratedPost("demo-generated-post-1", approve=True)))
        with pytest.raises(ReelPubError):
            await w.publisher.publish(prepared)
        assert isinstance(await w.publisher.find(prepared, attempt()), Undecided)
        assert w.operations.count("approveGeneratedPost") == 1


async def test_a_status_nobody_has_seen_neither_raises_nor_ends():
    async with world(None, Fault(FaultKind.UNKNOWN_STATUS, text="limbo")) as w:
        _, post = await w.carry_out(await w.part(GeneratedPost("demo-generated-post-1"), TIKTOK))
        seen = await w.settled(post.id)
        assert (seen.status, seen.is_terminal) == (PostStatus.OTHER, False)
        assert [(one.status, one.raw_status) for one in seen.deliveries] == [(DeliveryStatus.OTHER, "limbo")]


@pytest.mark.parametrize("kind", [FaultKind.LOST_AFTER, FaultKind.HTML_502_AFTER])
async def test_a_cancellation_whose_answer_is_lost_is_read_off_the_post(kind):
    async with world(None, Fault(kind, operation="cancelOutgoingPost", times=None)) as w:
        part = await w.part(GeneratedPost("demo-generated-post-1"), TIKTOK, at=w.clock.at(3600))
        (post,) = await w.publisher.schedule([await w.publisher.prepare(part)])
        assert await w.publisher.cancel(post.id) is CancelResult.CANCELLED


async def test_a_cancellation_that_never_arrives_is_unknown():
    async with world(None, Fault(FaultKind.LOST_BEFORE, operation="cancelOutgoingPost", times=None)) as w:
        part = await w.part(GeneratedPost("demo-generated-post-1"), TIKTOK, at=w.clock.at(3600))
        (post,) = await w.publisher.schedule([await w.publisher.prepare(part)])
        assert await w.publisher.cancel(post.id) is CancelResult.UNKNOWN


async def test_a_published_post_isnt_deleted():
    async with world() as w:
        _, post = await w.carry_out(await w.part(GeneratedPost("demo-generated-post-1"), TIKTOK))
        with pytest.raises(ConflictError):
            await w.publisher.delete(post.id)


async def test_a_past_time_is_refused_before_anything_is_sent():
    async with world() as w:
        part = await w.part(GeneratedPost("demo-generated-post-1"), at=w.clock.at(0) - timedelta(seconds=1))
        with pytest.raises(ValidationError, match="at: has passed"):
            await w.publisher.schedule([Prepared(part=part, post_id="p-1")])
        assert "scheduleOutgoingPost" not in w.operations


# --- accounts, captions, slots ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("envelope", ["bare", "data"])
async def test_accounts_captions_links_and_slots_in_both_envelopes(envelope):
    async with world(ReelMirrorDialect(object_envelope=envelope)) as w:
        accounts = {str(one): one.is_active for one in await w.publisher.accounts()}
        assert accounts == {ACME: True, TIKTOK: True, ACME_TWO: True, "tiktok:acme_old": False}
        assert "2 videos" in await w.publisher.generate_caption(["demo-media-item-1", "demo-media-item-2"])
        assert (await w.publisher.connect_link("instagram")).startswith("http")
        before = await w.publisher.slots()
        assert before.used is not None
        changed = await w.publisher.set_slots((before.purchased or 0) + 2)
        assert changed.checkout_url or changed.purchased
        await w.publisher.disconnect(IDS[ACME_TWO])
        assert ACME_TWO not in {str(one) for one in await w.publisher.accounts()}


async def test_everything_the_publisher_needs_is_in_the_environment(monkeypatch):
    clock = ManualClock()
    async with Sandbox(clock=clock) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        async with ReelMirrorPublisher.from_env() as publisher:
            assert len(await publisher.accounts()) == 4
