"""The publisher in memory behaves as a provider does, and fails as ordered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from reelpub.errors import NotFoundError, RequestTimeout, ServerError, ValidationError
from reelpub.models.capability import Feature, ProviderLimits
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import CancelResult
from reelpub.models.post import DeliveryStatus, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip, GeneratedPost
from reelpub.providers.base import (
    Absent,
    Found,
    Publisher,
    SupportsBulkRead,
    SupportsCancel,
    SupportsFindDuplicate,
    SupportsReschedule,
    SupportsRetryFailed,
    SupportsSchedule,
    Undecided,
)
from reelpub.testing import InMemoryPublisher, Script, run_virtual
from reelpub.transport.message import CallOptions

SAID = {"operation": "publish", "provider": "memory"}


def play(story, **options):
    async def main(clock):
        memory = InMemoryPublisher(clock=clock, **options)
        try:
            return await story(memory, clock)
        finally:
            await memory.close()

    return run_virtual(main)


async def part_of(memory, name="c1", **members):
    request = PublishRequest(Clip("p", name))
    return Part(id="j.1", job_id="j", request=request, accounts=tuple(await memory.accounts()), **members)


def attempt(clock, at=None):
    return Attempt(id="j.1.1", part_id="j.1", number=1, started_at=clock.time() if at is None else at)


def test_has_every_optional_protocol_that_it_says():
    memory = InMemoryPublisher()
    protocols = {
        Feature.SCHEDULE: SupportsSchedule,
        Feature.RETRY_FAILED: SupportsRetryFailed,
        Feature.CANCEL: SupportsCancel,
        Feature.RESCHEDULE: SupportsReschedule,
        Feature.BULK_READ: SupportsBulkRead,
        Feature.FIND_DUPLICATE: SupportsFindDuplicate,
    }
    assert isinstance(memory, Publisher)
    assert memory.capabilities.features == set(protocols)
    assert all(isinstance(memory, protocol) for protocol in protocols.values())


def test_a_post_takes_its_time_and_reaches_every_account():
    async def story(memory, clock):
        post = await memory.publish(await memory.prepare(await part_of(memory)))
        assert (post.status, post.created_at.timestamp()) == (PostStatus.PUBLISHING, clock.time())
        assert memory.live == {}
        await clock.sleep(19)
        assert (await memory.fetch(post.id)).status is PostStatus.PUBLISHING
        await clock.sleep(1)
        post = await memory.fetch(post.id)
        assert (post.status, len(post.published)) == (PostStatus.PUBLISHED, 3)
        assert memory.live == {name: ["p/c1"] for name in ("instagram-acme", "tiktok-acme", "youtube-acme")}
        assert await memory.fetch(post.id) == post
        assert memory.requests == {"publish": 1, "fetch": 3}

    play(story)


async def test_a_post_that_takes_no_time_has_ended_when_it_is_answered():
    """Else a test of the simplest program waits half a minute for it to be read."""
    memory = InMemoryPublisher(script=Script(seconds=0, fail_accounts={"youtube-acme": 2}))
    try:
        post = await memory.publish(await memory.prepare(await part_of(memory)))
        assert post.status is PostStatus.PARTLY_PUBLISHED
        assert post == await memory.fetch(post.id)
        assert memory.live == {"instagram-acme": ["p/c1"], "tiktok-acme": ["p/c1"]}
        retry = memory.plan_retry(await part_of(memory), post, in_place=True)
        post = await memory.publish(await memory.prepare(retry))
        assert [delivery.account.id for delivery in post.failed] == ["youtube-acme"]
    finally:
        await memory.close()


def test_failures_are_used_up():
    async def story(memory, clock):
        ends = []
        for name in ("c1", "c2", "c3"):
            post = await memory.publish(Prepared(part=await part_of(memory, name)))
            await clock.sleep(20)
            ends.append((await memory.fetch(post.id)).status)
        assert ends == [PostStatus.FAILED, PostStatus.PARTLY_PUBLISHED, PostStatus.PUBLISHED]

    script = Script(fail_accounts={"tiktok-acme": 2, "youtube-acme": 1, "instagram-acme": 1})
    play(story, script=script)


def test_answers_are_lost_before_and_after_they_take_effect():
    async def story(memory, clock):
        part = await part_of(memory)
        for posts in (0, 1):
            with pytest.raises(RequestTimeout) as caught:
                await memory.publish(Prepared(part=part))
            assert caught.value.sent
            assert len((await memory.read_page(0)).posts) == posts
            memory.script.lose_after = 1

    play(story, script=Script(lose_before=1))


def test_refusals_come_in_their_order():
    errors = [ServerError("a", status=500, **SAID), ServerError("b", status=503, **SAID)]

    async def story(memory, clock):
        for error in errors:
            with pytest.raises(ServerError) as caught:
                await memory.publish(Prepared(part=await part_of(memory)))
            assert caught.value is error

    play(story, script=Script(refuse=list(errors)))


def test_what_runs_before_sending_can_stop_it():
    async def story(memory, clock):
        async def stop():
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await memory.publish(Prepared(part=await part_of(memory)), CallOptions(before_send=stop))
        assert memory.requests == {}
        # The token has gone back.
        await memory.publish(Prepared(part=await part_of(memory)))
        assert clock.monotonic() < 1

    play(story, limits=ProviderLimits(requests=1))


def test_scheduled_posts_wait_for_their_time():
    async def story(memory, clock):
        at = datetime.fromtimestamp(clock.time(), UTC) + timedelta(hours=1)
        parts = [await part_of(memory, name, at=at + timedelta(minutes=n)) for n, name in ((5, "b"), (0, "a"))]
        assert [[p.request.source.clip_id for p in batch] for batch in memory.batches(parts)] == [["a", "b"]]
        posts = await memory.schedule([Prepared(part=part) for part in parts])
        assert {post.status for post in posts} == {PostStatus.SCHEDULED}
        assert {d.status for post in posts for d in post.deliveries} == {DeliveryStatus.SCHEDULED}
        await clock.sleep(3600)
        assert (await memory.fetch(posts[1].id)).status is PostStatus.PUBLISHING
        await clock.sleep(20)
        assert (await memory.fetch(posts[1].id)).status is PostStatus.PUBLISHED
        assert (await memory.fetch(posts[0].id)).status is PostStatus.SCHEDULED

    play(story)


def test_batches_are_no_bigger_than_the_limit_and_need_times():
    async def story(memory, clock):
        at = datetime(2027, 6, 1, tzinfo=UTC)
        parts = [await part_of(memory, f"c{n}", at=at) for n in range(25)]
        assert [len(batch) for batch in memory.batches(parts)] == [10, 10, 5]
        with pytest.raises(ValidationError, match="at: is missing"):
            memory.batches([await part_of(memory)])

    play(story)


def test_cancels_what_waits_and_nothing_else():
    async def story(memory, clock):
        at = datetime.fromtimestamp(clock.time(), UTC) + timedelta(hours=1)
        (waiting,) = await memory.schedule([Prepared(part=await part_of(memory, at=at))])
        going = await memory.publish(Prepared(part=await part_of(memory)))
        assert await memory.cancel(waiting.id) is CancelResult.CANCELLED
        assert await memory.cancel(waiting.id) is CancelResult.TOO_LATE
        assert await memory.cancel(going.id) is CancelResult.TOO_LATE
        await clock.sleep(4000)
        assert (await memory.fetch(waiting.id)).status is PostStatus.CANCELLED
        with pytest.raises(NotFoundError):
            await memory.cancel("post-99")

    play(story)


def test_moves_what_waits():
    async def story(memory, clock):
        at = datetime.fromtimestamp(clock.time(), UTC) + timedelta(hours=1)
        (post,) = await memory.schedule([Prepared(part=await part_of(memory, at=at))])
        moved = await memory.reschedule(post.id, at + timedelta(hours=1))
        assert moved.scheduled_at == at + timedelta(hours=1)
        await clock.sleep(3700)
        assert (await memory.fetch(post.id)).status is PostStatus.SCHEDULED
        await clock.sleep(3600)
        assert (await memory.fetch(post.id)).status is PostStatus.PUBLISHED
        with pytest.raises(NotFoundError):
            await memory.reschedule("post-99", at)

    play(story)


def test_lists_the_newest_first_in_pages():
    async def story(memory, clock):
        for n in range(5):
            await memory.publish(Prepared(part=await part_of(memory, f"c{n}")))
            await clock.sleep(1)
        pages = [await memory.read_page(page) for page in range(3)]
        assert [[p.id for p in page.posts] for page in pages] == [
            ["post-5", "post-4"],
            ["post-3", "post-2"],
            ["post-1"],
        ]
        assert [page.has_more for page in pages] == [True, True, False]
        recent = await memory.read_page(0, created_after=clock.time() - 1.5)
        assert ([p.id for p in recent.posts], recent.total) == (["post-5"], 1)

    play(story, limits=ProviderLimits(requests=600, page_size=2))


def test_a_list_since_a_time_has_what_was_made_since():
    async def story(memory, clock):
        for name in ("old", "new", "newest"):
            await memory.publish(await memory.prepare(await part_of(memory, name)))
            await clock.sleep(100)
        everything = await memory.read_page(0)
        assert [post.id for post in everything.posts] == ["post-3", "post-2", "post-1"]
        page = await memory.read_page(0, created_after=clock.time() - 250)
        assert [post.id for post in page.posts] == ["post-3", "post-2"]
        assert page.total == 2

    play(story)


class TestFinding:
    def test_finds_the_one_that_fits(self):
        async def story(memory, clock):
            part, began = await part_of(memory), clock.time()
            post = await memory.publish(Prepared(part=part))
            assert await memory.find(Prepared(part=part), attempt(clock, began)) == Found(post)
            other = evolve(part, request=PublishRequest(GeneratedPost("g")))
            assert await memory.find(Prepared(part=other), attempt(clock, began)) == Absent()
            fewer = evolve(part, accounts=part.accounts[:1])
            assert await memory.find(Prepared(part=fewer), attempt(clock, began)) == Absent()
            assert await memory.find(Prepared(part=part), attempt(clock, began), taken=frozenset({post.id})) == Absent()
            assert await memory.find(Prepared(part=part), attempt(clock, began + 100)) == Absent()

        play(story)

    def test_does_not_choose(self):
        async def story(memory, clock):
            part, began = await part_of(memory), clock.time()
            for _ in range(2):
                await memory.publish(Prepared(part=part))
            assert await memory.find(Prepared(part=part), attempt(clock, began)) == Undecided(
                "2 posts could be the one"
            )

        play(story)

    def test_finds_nothing_where_it_was_told_to(self):
        async def story(memory, clock):
            found = await memory.find(Prepared(part=await part_of(memory)), attempt(clock))
            assert isinstance(found, Undecided)

        play(story, script=Script(is_findable=False))

    def test_finds_a_retry_in_place_by_what_it_did(self):
        async def story(memory, clock):
            post = await memory.publish(Prepared(part=await part_of(memory)))
            await clock.sleep(30)
            post = await memory.fetch(post.id)
            part = memory.plan_retry(await part_of(memory), post, in_place=True)
            assert (part.retries, [a.platform for a in part.accounts]) == (post.id, ["tiktok"])
            prepared = await memory.prepare(part)
            assert await memory.find(prepared, attempt(clock)) == Absent()
            memory.script.lose_after, began = 1, clock.time()
            with pytest.raises(RequestTimeout):
                await memory.publish(prepared)
            await clock.sleep(30)
            assert isinstance(await memory.find(prepared, attempt(clock, began)), Found)

        play(story, script=Script(fail_accounts={"tiktok-acme": 1}))


class TestRetrying:
    def test_leaves_live_accounts_alone(self):
        async def story(memory, clock):
            post = await memory.publish(Prepared(part=await part_of(memory)))
            await clock.sleep(30)
            post = await memory.fetch(post.id)
            part = memory.plan_retry(await part_of(memory), post)
            assert (part.retries, [a.platform for a in part.accounts]) == (None, ["tiktok"])
            await memory.publish(await memory.prepare(memory.plan_retry(part, post, in_place=True)))
            await clock.sleep(30)
            post = await memory.fetch(post.id)
            assert post.status is PostStatus.PUBLISHED
            assert {account: len(live) for account, live in memory.live.items()} == {
                "tiktok-acme": 1,
                "youtube-acme": 1,
                "instagram-acme": 1,
            }
            with pytest.raises(ValidationError, match="has no failed delivery"):
                memory.plan_retry(part, post)

        play(story, script=Script(fail_accounts={"tiktok-acme": 1}))


def test_an_unknown_post_is_not_found():
    async def story(memory, clock):
        with pytest.raises(NotFoundError):
            await memory.fetch("post-99")

    play(story)


def test_plans_one_post_for_everything():
    memory = InMemoryPublisher(accounts=["tiktok:a", "tiktok:b"])
    assert [str(a) for a in memory.plan(PublishRequest(GeneratedPost("g")), ())[0]] == ["tiktok:a", "tiktok:b"]
    assert memory.capabilities.platforms == {"tiktok"}
    assert [p.field for p in memory.check(PublishRequest(Clip("p", "c")))] == ["accounts"]
    assert memory.check(PublishRequest(GeneratedPost("g"))) == []
