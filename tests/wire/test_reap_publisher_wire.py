"""The Reap publisher against the sandbox over real sockets, in every dialect (pairwise)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from allpairspy import AllPairs

from reelpub.errors import (
    AuthenticationError,
    BadRequestError,
    DecodeError,
    NotFoundError,
    PermissionDeniedError,
    ReelPubError,
    ServerError,
    TransportError,
    ValidationError,
)
from reelpub.models.account import Account
from reelpub.models.job import Attempt, Part
from reelpub.models.outcome import CancelResult
from reelpub.models.post import DeliveryStatus as D
from reelpub.models.post import PostStatus as P
from reelpub.models.request import PublishRequest
from reelpub.models.settings import TikTokSettings
from reelpub.models.source import Clip
from reelpub.policies.safety import Effect, effect_of
from reelpub.providers.base import Absent, Found, Undecided
from reelpub.providers.reap import ReapPublisher
from reelpub.sandbox import REAP_KEY, Fault, FaultKind, ReapDialect, Sandbox
from reelpub.sandbox.seed import (
    REAP_PROJECT_CANCELLED,
    REAP_PROJECT_UNFINISHED,
    REAP_PROJECTS,
    REAP_READ_ONLY_KEY,
    REAP_REVOKED_KEY,
)
from reelpub.transport.limiter import RateLimiter

NOW = 1_800_000_000.0
PROJECT = REAP_PROJECTS[0]
SWITCHES = ReapDialect.options()
DIALECTS = [ReapDialect(**dict(zip(SWITCHES, row, strict=True))) for row in AllPairs(list(SWITCHES.values()))]
every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.waiting_status + "-" + d.list_order)


class HandClock:
    """A clock that stands still until it is moved; who sleeps moves it."""

    def __init__(self):
        self.now = NOW

    def time(self):
        return self.now

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        self.now += max(0.0, seconds)
        await asyncio.sleep(0)


class World:
    """A sandbox, a publisher with one of its keys, and the accounts by their names."""

    def __init__(self, clock, sandbox, publisher):
        self.clock, self.sandbox, self.publisher = clock, sandbox, publisher
        self.accounts = {}

    async def read_accounts(self):
        self.accounts = {str(account): account for account in await self.publisher.accounts()}

    def part(self, number=1, *names, project=PROJECT, lead=None, **request):
        names = names or ("tiktok:acme", "youtube:acme")
        asked = PublishRequest(Clip(project, f"demo-clip-{number}"), accounts=names, **request)
        at = None if lead is None else datetime.fromtimestamp(NOW + lead, UTC)
        accounts = tuple(self.accounts[name] for name in names)
        return Part(id=f"part-{number}", job_id="job", request=asked, accounts=accounts, at=at)

    async def prepare(self, *args, **kwargs):
        return await self.publisher.prepare(self.part(*args, **kwargs))

    async def ended(self, post_id, seconds=120):
        self.clock.now += seconds
        return await self.publisher.fetch(post_id)

    def operations(self):
        return [record.operation for record in self.sandbox.requests("reap")]

    def attempt(self):
        return Attempt(id="a", part_id="part-1", number=1, started_at=self.clock.now)


@asynccontextmanager
async def world(dialect=None, key=REAP_KEY):
    clock = HandClock()
    async with Sandbox(clock=clock, reap=dialect, limits={"reap": None}) as sandbox:
        limiter = RateLimiter(100_000, clock=clock)
        publisher = ReapPublisher.connect(
            key, base_url=sandbox.reap_url, clock=clock, limiter=limiter, timeout=0.3 if dialect is None else 5.0
        )
        async with publisher:
            made = World(clock, sandbox, publisher)
            if key == REAP_KEY:
                await made.read_accounts()
            yield made


def statuses(post):
    return [delivery.status for delivery in post.deliveries]


@every_dialect
async def test_a_clip_goes_live_on_each_account_with_its_address(dialect):
    async with world(dialect) as here:
        prepared = await here.prepare(
            title="Launch", caption="Words", tags=["a"], settings={"tiktok": TikTokSettings(disable_duet=True)}
        )
        post = await here.publisher.publish(prepared)
        assert (post.status, statuses(post)) == (P.PUBLISHING, [D.PUBLISHING, D.PUBLISHING])
        ended = await here.ended(post.id)
        assert (ended.status, statuses(ended), ended.is_terminal) == (P.PUBLISHED, [D.PUBLISHED, D.PUBLISHED], True)
        assert [delivery.url.split("/")[2] for delivery in ended.deliveries] == ["www.tiktok.com", "www.youtube.com"]
        assert (ended.title, ended.caption) == ("Launch", "Words")
        assert {record.account_id for record in here.sandbox.live("reap")} == {d.account.id for d in ended.deliveries}
        assert here.publisher.requests["publish_clip"] == 1


@every_dialect
async def test_only_what_failed_is_sent_again(dialect):
    async with world(dialect) as here:
        here.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, provider="reap", platform="youtube"))
        prepared = await here.prepare()
        ended = await here.ended((await here.publisher.publish(prepared)).id)
        assert (ended.status, statuses(ended)) == (P.PARTLY_PUBLISHED, [D.PUBLISHED, D.FAILED])
        again = here.publisher.plan_retry(prepared.part, ended)
        assert [str(account) for account in again.accounts] == ["youtube:acme"]
        post = await here.publisher.publish(await here.publisher.prepare(again))
        assert statuses(await here.ended(post.id)) == [D.PUBLISHED]
        assert len(here.sandbox.live("reap")) == 2
        assert not here.sandbox.duplicates("reap")


@every_dialect
async def test_two_accounts_of_a_platform_are_two_posts_that_can_be_told_apart(dialect):
    async with world(dialect) as here:
        here.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, provider="reap", account="tiktok:acme_two"))
        part = here.part(1, "tiktok:acme", "tiktok:acme_two", "x:acme")
        groups = here.publisher.plan(part.request, part.accounts)
        assert [len(group) for group in groups] == [2, 1]
        found = []
        for group in groups:
            names = [str(account) for account in group]
            post = await here.publisher.publish(await here.prepare(1, *names))
            found += (await here.ended(post.id)).deliveries
        assert {str(d.account): d.status for d in found} == {
            "tiktok:acme": D.PUBLISHED,
            "x:acme": D.PUBLISHED,
            "tiktok:acme_two": D.FAILED,
        }


@every_dialect
async def test_a_lost_answer_is_found_and_what_never_arrived_is_absent(dialect):
    async with world(dialect) as here:
        for kind, expected in ((FaultKind.LOST_AFTER, Found), (FaultKind.LOST_BEFORE, Absent)):
            here.clock.now += 1000
            here.sandbox.order(Fault(kind, provider="reap", operation="publishClip"))
            prepared, attempt = await here.prepare(2), here.attempt()
            with pytest.raises(TransportError) as caught:
                await here.publisher.publish(prepared)
            assert effect_of(caught.value) is Effect.UNKNOWN
            assert isinstance(await here.publisher.find(prepared, attempt), expected)
        here.clock.now += 120
        assert len(here.sandbox.live("reap")) == 2


@every_dialect
async def test_what_is_scheduled_is_found_moved_called_off_and_goes_out(dialect):
    async with world(dialect) as here:
        attempt = here.attempt()
        batch = [await here.prepare(number, lead=4000 + number * 600, title=f"No {number}") for number in range(1, 5)]
        parts = [prepared.part for prepared in batch]
        assert here.publisher.batches(parts[::-1]) == [parts]
        posts = await here.publisher.schedule(batch)
        assert [post.status for post in posts] == [P.SCHEDULED] * 4
        assert [post.scheduled_at for post in posts] == [part.at for part in parts]
        found = await here.publisher.find(batch[2], attempt)
        assert found.post.id == posts[2].id

        later = parts[0].at + timedelta(days=1)
        assert (await here.publisher.reschedule(posts[0].id, later)).scheduled_at == later
        assert await here.publisher.cancel(posts[1].id) is CancelResult.CANCELLED
        assert await here.publisher.cancel(posts[1].id) is CancelResult.CANCELLED
        here.sandbox.order(Fault(FaultKind.LOST_AFTER, provider="reap", operation="deletePost"))
        assert await here.publisher.cancel(posts[2].id) is CancelResult.CANCELLED

        here.clock.now += 8000
        assert (await here.publisher.fetch(posts[0].id)).status is P.SCHEDULED
        assert (await here.publisher.fetch(posts[3].id)).status is P.PUBLISHED
        assert await here.publisher.cancel(posts[3].id) is CancelResult.TOO_LATE
        assert {record.source for record in here.sandbox.live("reap")} == {f"{PROJECT}/demo-clip-4"}
        assert here.operations().count("scheduleClips") == 1


@every_dialect
async def test_all_pages_show_each_post_once(dialect):
    async with world(dialect) as here:
        began = here.clock.now
        made = set()
        for number in range(1, 8):
            made.add((await here.publisher.publish(await here.prepare(number))).id)
            here.clock.now += 5
        page = await here.publisher.read_page(0, created_after=began)
        assert ({post.id for post in page.posts}, page.has_more, page.total) == (made, False, 7)
        assert all(len(post.deliveries) == 2 for post in page.posts)
        recent = await here.publisher.read_page(0, created_after=here.clock.now - 10)
        assert 2 <= len(recent.posts) <= 3


async def test_a_stranger_s_post_has_its_accounts_from_one_read():
    async with world() as here:
        post = await here.publisher.publish(await here.prepare())
        async with ReapPublisher.connect(
            REAP_KEY, base_url=here.sandbox.reap_url, clock=here.clock, limiter=RateLimiter(100_000, clock=here.clock)
        ) as other:
            found = [await other.fetch(post.id) for _ in range(2)]
            assert [str(d.account) for d in found[0].deliveries] == ["tiktok:acme", "youtube:acme"]
            assert dict(other.requests) == {"get_post_details": 2, "get_integrations": 1}


async def test_forty_clips_are_prepared_with_two_requests():
    async with world() as here:
        before = len(here.operations())
        await asyncio.gather(*(here.prepare(number) for number in range(1, 41)))
        assert here.operations()[before:] == ["getProjectStatus", "getProjectClips"]


@pytest.mark.parametrize(
    ("project", "field", "words"),
    [
        (REAP_PROJECT_UNFINISHED, "source.project_id", "the project is processing"),
        (REAP_PROJECT_CANCELLED, "source.project_id", "the project is cancelled"),
        ("demo-project-none", "source.project_id", "Project not found"),
        (PROJECT, "source.clip_id", "Clip not found"),
    ],
)
async def test_a_clip_that_isn_t_finished_is_refused_before_it_is_sent(project, field, words):
    async with world() as here:
        with pytest.raises(ValidationError, match=words) as caught:
            await here.prepare(99, project=project)
        assert caught.value.problems[0].field == field
        assert "publishClip" not in here.operations()


async def test_clips_refused_by_the_provider_are_told_apart_from_those_it_took():
    """The cancelled project is only found out by the provider here, since the parts aren't prepared."""
    async with world() as here:
        projects = [PROJECT, REAP_PROJECT_CANCELLED, PROJECT]
        parts = [here.part(i, lead=4000 + i * 300, project=project) for i, project in enumerate(projects, start=1)]
        prepared = [await here.prepare(1)]
        batch = [type(prepared[0])(part=part) for part in parts]
        first, refused, last = await here.publisher.schedule(batch)
        assert (first.scheduled_at, last.scheduled_at) == (parts[0].at, parts[2].at)
        assert isinstance(refused, ValidationError)
        assert "cancelled" in str(refused)


async def test_two_equal_posts_of_others_leave_a_lost_one_undecided_unless_they_are_taken():
    async with world() as here:
        attempt, prepared = here.attempt(), await here.prepare(3)
        first = await here.publisher.publish(prepared)
        second = await here.publisher.publish(prepared)
        undecided = await here.publisher.find(prepared, attempt)
        assert isinstance(undecided, Undecided)
        assert first.id in undecided.reason
        found = await here.publisher.find(prepared, attempt, taken=frozenset({second.id}))
        assert found.post.id == first.id


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.HTML_500, ServerError),
        (FaultKind.HTML_502_AFTER, ServerError),
        (FaultKind.TRUNCATED_JSON, DecodeError),
        (FaultKind.WRONG_CONTENT_TYPE, DecodeError),
        (FaultKind.RESET_IN_BODY, TransportError),
        (FaultKind.HANG_AFTER, TransportError),
    ],
)
async def test_a_publish_is_sent_once_whatever_comes_back(kind, error):
    async with world() as here:
        here.sandbox.order(Fault(kind, provider="reap", operation="publishClip"))
        prepared = await here.prepare()
        with pytest.raises(error) as caught:
            await here.publisher.publish(prepared)
        assert effect_of(caught.value) is Effect.UNKNOWN
        assert here.operations().count("publishClip") == 1


async def test_an_unknown_status_is_kept_and_stays_open():
    async with world() as here:
        here.sandbox.order(Fault(FaultKind.UNKNOWN_STATUS, provider="reap", text="in_review", seconds=600))
        post = await here.publisher.publish(await here.prepare())
        assert (post.status, post.raw_status) == (P.OTHER, "in_review")
        assert not post.is_terminal
        assert (await here.ended(post.id, 700)).status is P.PUBLISHED


@pytest.mark.parametrize(
    ("key", "error"), [(REAP_REVOKED_KEY, AuthenticationError), ("no-such-key", AuthenticationError)]
)
async def test_a_wrong_key_is_told(key, error):
    async with world(key=key) as here:
        with pytest.raises(error) as caught:
            await here.publisher.accounts()
        assert key not in str(caught.value) + repr(caught.value)


async def test_a_read_only_key_publishes_nothing():
    async with world(key=REAP_READ_ONLY_KEY) as here:
        await here.read_accounts()
        with pytest.raises(PermissionDeniedError):
            await here.publisher.publish(await here.prepare())


async def test_what_was_never_there_can_t_be_read_or_deleted():
    async with world() as here:
        for call in (here.publisher.fetch, here.publisher.delete):
            with pytest.raises(NotFoundError):
                await call("0" * 24)


async def test_a_post_that_is_under_way_can_t_be_moved():
    async with world() as here:
        post = await here.publisher.publish(await here.prepare())
        with pytest.raises(BadRequestError, match="processing"):
            await here.publisher.reschedule(post.id, datetime.fromtimestamp(NOW + 9000, UTC))
        assert await here.publisher.cancel(post.id) is CancelResult.TOO_LATE
        assert "deletePost" not in here.operations()


async def test_an_inactive_account_is_refused_in_the_provider_s_words():
    async with world() as here:
        old = here.accounts["youtube:acme_old"]
        assert isinstance(old, Account)
        assert not old.is_active
        with pytest.raises(ReelPubError, match="not active"):
            await here.publisher.publish(await here.prepare(1, "youtube:acme_old"))
