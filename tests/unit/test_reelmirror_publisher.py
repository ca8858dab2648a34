"""`ReelMirrorPublisher` over a scripted transport: its requests, their order, and what it makes of answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from attrs import evolve

from reelpub.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    DecodeError,
    NotFoundError,
    ServerError,
    TransportError,
    ValidationError,
    status_error,
)
from reelpub.models.account import Account
from reelpub.models.capability import Feature, ProviderLimits
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import CancelResult
from reelpub.models.post import DeliveryStatus, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.settings import TikTokSettings, YouTubeSettings
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItem, MediaItems
from reelpub.models.when import LocalTime
from reelpub.providers import base
from reelpub.providers.base import Absent, AccountSlots, Found, PostPage, Undecided
from reelpub.providers.reelmirror import ReelMirrorClient, ReelMirrorPublisher
from reelpub.transport.message import CallOptions, Response

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
KEY = "rm_" + "k" * 32

INSTAGRAM = Account(id="a-instagram", provider="reelmirror", platform="instagram", username="acme")
TIKTOK = Account(id="a-tiktok", provider="reelmirror", platform="tiktok", username="acme")
LISTED = {
    "data": [
        {"id": "a-instagram", "platform": "instagram", "username": "acme", "status": "active"},
        {"id": "a-tiktok", "platform": "tiktok", "username": "acme", "status": "expired"},
    ]
}


class FixedClock:
    def __init__(self, now=NOW):
        self.now = now.timestamp()

    def time(self):
        return self.now

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


class ScriptedTransport:
    """Answers each operation with the next line of its script; the last line is repeated."""

    def __init__(self):
        self.script = {}
        self.seen = []
        self.is_closed = False
        self.on_token = None

    def on(self, operation, *answers):
        self.script[operation] = list(answers)
        return self

    async def send(self, request, options=None):
        await asyncio.sleep(0)
        if self.on_token is not None:
            self.on_token()
        if options is not None and options.before_send is not None:
            await options.before_send()
        self.seen.append(request)
        answers = self.script[request.operation]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BaseException):
            raise answer
        body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
        return Response(status=200, headers={"content-type": "application/json"}, body=body)

    async def close(self):
        self.is_closed = True

    @property
    def requests(self):
        return Counter(self.operations)

    @property
    def operations(self):
        return [request.operation for request in self.seen]

    def sent(self, operation):
        return [request.json for request in self.seen if request.operation == operation]


@pytest.fixture
def wire():
    return ScriptedTransport()


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def publisher(wire, clock):
    return ReelMirrorPublisher(ReelMirrorClient(KEY, transport=wire, clock=clock), name="main")


def refused(status, operation="op"):
    return status_error(status, "no", operation=operation, provider="reelmirror")


def lost(*, sent=None):
    return TransportError("reset", operation="op", provider="reelmirror", sent=sent)


def shown(account, status="pending", **members):
    members = {
        "connected_account_id": account.id,
        "platform": account.platform,
        "username": account.username,
        **members,
    }
    return {"id": f"d-{account.id}", "status": status, **members}


def draft(*accounts, status="draft", **members):
    items = [{"id": "i-1", "generated_media_item_id": "m-1", "position": 0}]
    shape = {"id": "p-1", "status": status, "items": items, "deliveries": [shown(one) for one in accounts]}
    return {**shape, **members}


def part(source=None, *, accounts=(), **members):
    wanted = {name: members.pop(name) for name in ("caption", "settings") if name in members}
    request = PublishRequest(source or GeneratedPost("g-1"), **wanted, at=members.pop("wish", None))
    return Part(id="part-1", job_id="job-1", request=request, accounts=tuple(accounts), **members)


def attempt(**members):
    return Attempt(id="try-1", part_id="part-1", number=1, started_at=NOW.timestamp(), **members)


# --- what it is -------------------------------------------------------------------------------------------------


def test_it_offers_the_protocols_of_its_features(publisher):
    offered = {
        Feature.SCHEDULE: base.SupportsSchedule,
        Feature.RETRY_FAILED: base.SupportsRetryFailed,
        Feature.CANCEL: base.SupportsCancel,
        Feature.DELETE: base.SupportsDelete,
        Feature.BULK_READ: base.SupportsBulkRead,
        Feature.FIND_DUPLICATE: base.SupportsFindDuplicate,
        Feature.CAPTIONS: base.SupportsCaptions,
        Feature.CONNECT_ACCOUNT: base.SupportsConnect,
        Feature.DISCONNECT_ACCOUNT: base.SupportsDisconnect,
        Feature.ACCOUNT_SLOTS: base.SupportsAccountSlots,
    }
    assert publisher.capabilities.features == set(offered)
    assert isinstance(publisher, base.Publisher)
    assert all(isinstance(publisher, protocol) for protocol in offered.values())
    assert not isinstance(publisher, base.SupportsReschedule)


def test_its_name_defaults_to_the_providers_and_its_repr_holds_no_key(publisher, wire):
    limits = ProviderLimits(requests=30)
    other = ReelMirrorPublisher.connect(KEY, transport=wire, limits=limits)
    assert (other.name, other.provider, other.limits) == ("reelmirror", "reelmirror", limits)
    assert other.limiter is other.client.limiter
    assert repr(publisher) == "<ReelMirrorPublisher 'main'>"
    assert KEY not in repr(vars(other))


def test_it_takes_its_key_from_the_environment(monkeypatch, wire):
    monkeypatch.setenv("REELMIRROR_API_KEY", KEY)
    assert ReelMirrorPublisher.from_env(name="second", transport=wire).name == "second"
    monkeypatch.delenv("REELMIRROR_API_KEY")
    with pytest.raises(ConfigurationError, match="REELMIRROR_API_KEY"):
        ReelMirrorPublisher.from_env()


async def test_closing_it_closes_its_client():
    class Client(ReelMirrorClient):
        closed = 0

        async def close(self):
            self.closed += 1

    client = Client(KEY, transport=ScriptedTransport())
    async with ReelMirrorPublisher(client):
        assert client.closed == 0
    assert client.closed == 1


# --- checks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        PublishRequest(GeneratedPost("g-1")),
        PublishRequest(GeneratedPost("g-1", approve=True)),
        PublishRequest(GeneratedPost("g-1"), caption="x" * 10_000, accounts=["tiktok:acme"], at=LATER),
        PublishRequest(Draft("p-1"), settings={"tiktok": TikTokSettings(privacy="public"), "instagram": {"a": 1}}),
        PublishRequest(MediaItems(["m-1"], persona_id="per-1"), accounts=["tiktok:acme"]),
    ],
)
def test_a_request_that_reelmirror_takes_has_no_problem(publisher, request_):
    assert list(publisher.check(request_)) == []


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (PublishRequest(Clip("a", "b")), ["source"]),
        (PublishRequest(None), ["source"]),
        (PublishRequest(GeneratedPost("")), ["source.id"]),
        (PublishRequest(GeneratedPost(7)), ["source.id"]),
        (PublishRequest(GeneratedPost("g-1", approve="yes")), ["source.approve"]),
        (PublishRequest(Draft(" ")), ["source.id"]),
        (PublishRequest(Draft("p-1"), title="T"), ["title"]),
        (PublishRequest(Draft("p-1"), tags=["a"]), ["tags"]),
        (PublishRequest(MediaItems([])), ["source.items", "accounts"]),
        (PublishRequest(MediaItems(5), accounts=["x"]), ["source.items"]),
        (PublishRequest(MediaItems(["m-1", 7, ""]), accounts=["x"]), ["source.items[1]", "source.items[2].id"]),
        (
            PublishRequest(MediaItems([MediaItem("m", use_voice_converted=1)], persona_id=""), accounts=["x"]),
            ["source.persona_id", "source.items[0].use_voice_converted"],
        ),
        (PublishRequest(Draft("p-1"), settings=["tiktok"]), ["settings"]),
        (PublishRequest(Draft("p-1"), settings={"youtube": YouTubeSettings()}), ["settings.youtube"]),
        (PublishRequest(Draft("p-1"), settings={"tiktok": YouTubeSettings()}), ["settings.tiktok"]),
        (PublishRequest(Draft("p-1"), settings={"tiktok": {"a": object()}}), ["settings.tiktok"]),
        (
            PublishRequest(
                GeneratedPost("g-1", approve=True),
                caption="",
                accounts=["x"],
                settings={"tiktok": {}},
                at=LATER,
                title="T",
            ),
            ["caption", "accounts", "settings", "at", "title"],
        ),
    ],
)
def test_every_problem_is_told_at_once_and_by_its_field(publisher, request_, fields):
    problems = publisher.check(request_)
    assert [problem.field for problem in problems] == fields
    assert all(problem.is_error and problem.message for problem in problems)


def test_a_title_is_sent_to_the_caption_rather_than_dropped(publisher):
    (problem,) = publisher.check(PublishRequest(Draft("p-1"), title="Launch"))
    expected = (
        "title: a post at ReelMirror has no title; put it into the caption (given: 'Launch') [limit: caption only]"
    )
    assert str(problem) == expected


def test_one_post_goes_to_all_accounts(publisher):
    request = PublishRequest(GeneratedPost("g-1"))
    assert publisher.plan(request, [INSTAGRAM, TIKTOK]) == ((INSTAGRAM, TIKTOK),)
    assert publisher.plan(request, []) == ((),)


# --- accounts ---------------------------------------------------------------------------------------------------


async def test_accounts_are_read_once_also_by_callers_that_come_together(publisher, wire):
    wire.on("list_connected_accounts", LISTED)
    first, second = await asyncio.gather(publisher.accounts(), publisher.accounts())
    assert first == second == await publisher.accounts()
    assert [(str(one), one.is_active) for one in first] == [("instagram:acme", True), ("tiktok:acme", False)]
    assert wire.operations == ["list_connected_accounts"]


async def test_a_refresh_reads_them_anew_but_only_once_for_all_who_wait(publisher, wire):
    wire.on("list_connected_accounts", LISTED, {"data": []})
    await publisher.accounts()
    both = await asyncio.gather(publisher.accounts(refresh=True), publisher.accounts(refresh=True))
    assert both == [(), ()]
    assert len(wire.seen) == 2


async def test_it_tells_how_many_requests_it_cost(publisher, wire):
    assert publisher.requests == {}
    wire.on("list_connected_accounts", LISTED)
    await publisher.accounts()
    await publisher.accounts(refresh=True)
    assert publisher.requests == {"list_connected_accounts": 2}


async def test_a_disconnected_account_leaves_the_list(publisher, wire):
    wire.on("list_connected_accounts", LISTED, {"data": LISTED["data"][:1]}).on("disconnect_account", {})
    await publisher.accounts()
    await publisher.disconnect("a-tiktok")
    assert [one.id for one in await publisher.accounts()] == ["a-instagram"]


async def test_captions_links_and_slots_come_from_their_calls(publisher, wire):
    wire.on("generate_caption", {"caption": "Hello"}).on("get_connect_url", {"authUrl": "https://example.test/a"})
    wire.on("get_account_slots", {"purchased": 3, "used": 1, "available": 2, "subscriptionId": None})
    wire.on("set_account_slots", {"data": {"checkoutUrl": "https://example.test/pay"}})
    assert await publisher.generate_caption(["m-1"], persona_id="per-1") == "Hello"
    assert await publisher.connect_link("tiktok") == "https://example.test/a"
    assert await publisher.slots() == AccountSlots(purchased=3, used=1, available=2)
    assert await publisher.set_slots(4, return_url="/done") == AccountSlots(checkout_url="https://example.test/pay")
    assert wire.sent("set_account_slots") == [{"slots": 4, "returnUrl": "/done"}]


# --- preparing: what exists before anything goes live ------------------------------------------------------------


async def test_an_approval_and_a_retry_in_place_need_nothing(publisher, wire):
    approval = part(GeneratedPost("g-1", approve=True))
    assert await publisher.prepare(approval) == Prepared(part=approval)
    retry = part(accounts=[TIKTOK], retries="p-9")
    assert await publisher.prepare(retry) == Prepared(part=retry, post_id="p-9")
    assert wire.seen == []


async def test_a_generated_post_as_it_is_costs_one_request(publisher, wire):
    wire.on("send_generated_post_to_compose", {"outgoing_post_id": "p-1"})
    prepared = await publisher.prepare(part())
    assert (prepared.post_id, prepared.orphans) == ("p-1", ())
    assert wire.operations == ["send_generated_post_to_compose"]


async def test_without_accounts_the_edited_draft_isnt_read_again(publisher, wire):
    wire.on("send_generated_post_to_compose", {"outgoing_post_id": "p-1"}).on("update_outgoing_post", {})
    await publisher.prepare(part(caption="Hi", settings={"tiktok": TikTokSettings(privacy="friends")}))
    assert wire.operations == ["send_generated_post_to_compose", "update_outgoing_post"]
    assert wire.sent("update_outgoing_post") == [
        {"caption": "Hi", "platform_settings": {"tiktok": {"privacy": "friends"}}},
    ]


async def test_a_draft_that_took_its_targets_goes_live_itself(publisher, wire):
    wire.on("send_generated_post_to_compose", {"outgoing_post_id": "p-1"}).on("update_outgoing_post", {})
    wire.on("get_outgoing_post", {"post": draft(TIKTOK)})
    assert (await publisher.prepare(part(accounts=[TIKTOK]))).post_id == "p-1"
    assert wire.sent("update_outgoing_post") == [{"target_account_ids": ["a-tiktok"]}]
    assert wire.operations[-1] == "get_outgoing_post"


@pytest.mark.parametrize("seen", [draft(INSTAGRAM, TIKTOK), draft()], ids=["others", "hidden"])
@pytest.mark.parametrize("made", [draft(TIKTOK, id="p-2"), draft(id="p-2")], ids=["shown", "hidden"])
async def test_a_draft_that_kept_other_accounts_is_made_anew_and_deleted(publisher, wire, seen, made):
    wire.on("send_generated_post_to_compose", {"outgoing_post_id": "p-1"}).on("update_outgoing_post", {})
    wire.on("get_outgoing_post", {"post": {**seen, "persona_id": "per-1", "caption": "Old"}})
    wire.on("create_outgoing_post", {"data": made}).on("delete_outgoing_post", b"")
    prepared = await publisher.prepare(part(accounts=[TIKTOK], caption="New"))
    assert (prepared.post_id, prepared.orphans) == ("p-2", ())
    assert wire.sent("create_outgoing_post") == [
        {
            "items": [{"generated_media_item_id": "m-1", "position": 0}],
            "persona_id": "per-1",
            "caption": "New",
            "target_account_ids": ["a-tiktok"],
        }
    ]
    assert wire.seen[-1].path == "/v1/publishing/posts/p-1"
    assert wire.seen[-1].method == "DELETE"


async def test_an_edit_refused_for_its_targets_leads_to_a_new_draft_too(publisher, wire):
    """The first draft happens to have the right accounts, but not the caption that was refused with them."""
    wire.on("send_generated_post_to_compose", {"outgoing_post_id": "p-1"}).on("update_outgoing_post", refused(400))
    wire.on("get_outgoing_post", {"post": draft(TIKTOK)})
    wire.on("create_outgoing_post", {"data": draft(id="p-2")}).on("delete_outgoing_post", b"")
    prepared = await publisher.prepare(part(accounts=[TIKTOK], caption="New"))
    assert prepared.post_id == "p-2"
    assert wire.sent("create_outgoing_post")[0]["caption"] == "New"


async def test_an_edit_refused_without_targets_is_told(publisher, wire):
    wire.on("send_generated_post_to_compose", {"outgoing_post_id": "p-1"}).on("update_outgoing_post", refused(400))
    with pytest.raises(BadRequestError):
        await publisher.prepare(part(caption="New"))


@pytest.mark.parametrize(
    ("failure", "orphans"),
    [(refused(409), ("p-1",)), (lost(), ("p-1",)), (refused(404), ())],
    ids=["refused", "lost", "gone"],
)
async def test_a_draft_that_cant_be_deleted_is_told_as_an_orphan(publisher, wire, failure, orphans):
    wire.on("send_generated_post_to_compose", {"outgoing_post_id": "p-1"}).on("update_outgoing_post", {})
    wire.on("get_outgoing_post", {"post": draft(INSTAGRAM)}).on("create_outgoing_post", {"data": draft(id="p-2")})
    wire.on("delete_outgoing_post", failure)
    prepared = await publisher.prepare(part(accounts=[TIKTOK]))
    assert (prepared.post_id, prepared.orphans) == ("p-2", orphans)


async def test_a_new_draft_with_other_accounts_is_refused_and_deleted(publisher, wire):
    wire.on("send_generated_post_to_compose", {"outgoing_post_id": "p-1"}).on("update_outgoing_post", {})
    wire.on("get_outgoing_post", {"post": draft(INSTAGRAM)})
    wire.on("create_outgoing_post", {"data": draft(INSTAGRAM, id="p-2")}).on("delete_outgoing_post", b"")
    said = "accounts: asked for tiktok:acme, but ReelMirror's draft goes to instagram:acme; nothing was published"
    with pytest.raises(ValidationError, match=said):
        await publisher.prepare(part(accounts=[TIKTOK]))
    assert wire.seen[-1].path.endswith("/p-2")


async def test_a_draft_without_readable_media_is_refused_and_named(publisher, wire):
    wire.on("send_generated_post_to_compose", {"outgoing_post_id": "p-1"}).on("update_outgoing_post", {})
    wire.on("get_outgoing_post", {"post": {"id": "p-1", "status": "draft"}})
    said = "doesn't show its accounts; nothing was published; draft p-1 shows no media"
    with pytest.raises(ValidationError, match=said):
        await publisher.prepare(part(accounts=[TIKTOK]))


async def test_media_items_are_created_with_their_targets(publisher, wire):
    wire.on("create_outgoing_post", {"data": draft(TIKTOK)})
    source = MediaItems(["m-1", MediaItem("m-2", use_voice_converted=True)], persona_id="per-1")
    assert (await publisher.prepare(part(source, accounts=[TIKTOK], caption="Hi"))).post_id == "p-1"
    assert wire.sent("create_outgoing_post") == [
        {
            "items": [
                {"generated_media_item_id": "m-1", "position": 0},
                {"generated_media_item_id": "m-2", "position": 1, "use_voice_converted": True},
            ],
            "persona_id": "per-1",
            "caption": "Hi",
            "target_account_ids": ["a-tiktok"],
        }
    ]
    assert len(wire.seen) == 1


async def test_created_media_with_other_accounts_are_refused_and_the_orphan_named(publisher, wire):
    wire.on("create_outgoing_post", {"data": draft(INSTAGRAM, TIKTOK)}).on("delete_outgoing_post", refused(500))
    said = "goes to instagram:acme, tiktok:acme; nothing was published; draft p-1 couldn't be deleted"
    with pytest.raises(ValidationError, match=said):
        await publisher.prepare(part(MediaItems(["m-1"]), accounts=[TIKTOK]))


async def test_a_draft_of_ones_own_that_is_right_is_only_read(publisher, wire):
    wire.on("get_outgoing_post", {"post": draft(TIKTOK)})
    assert (await publisher.prepare(part(Draft("p-1"), accounts=[TIKTOK]))).post_id == "p-1"
    assert (await publisher.prepare(part(Draft("p-1")))).post_id == "p-1"
    assert wire.operations == ["get_outgoing_post"] * 2


async def test_a_draft_of_ones_own_is_edited_and_read_again(publisher, wire):
    wire.on("get_outgoing_post", {"post": draft(INSTAGRAM)}, {"post": draft(TIKTOK)}).on("update_outgoing_post", {})
    assert (await publisher.prepare(part(Draft("p-1"), accounts=[TIKTOK], caption="Hi"))).post_id == "p-1"
    assert wire.sent("update_outgoing_post") == [{"caption": "Hi", "target_account_ids": ["a-tiktok"]}]


@pytest.mark.parametrize("seen", [draft(INSTAGRAM), draft()], ids=["others", "hidden"])
async def test_a_draft_of_ones_own_is_never_replaced(publisher, wire, seen):
    wire.on("get_outgoing_post", {"post": seen}).on("update_outgoing_post", {})
    with pytest.raises(ValidationError, match="asked for tiktok:acme"):
        await publisher.prepare(part(Draft("p-1"), accounts=[TIKTOK]))
    assert wire.operations == ["get_outgoing_post", "update_outgoing_post", "get_outgoing_post"]


@pytest.mark.parametrize("status", ["published", "scheduled", "never_heard_of"])
async def test_what_isnt_a_draft_is_refused_with_its_status(publisher, wire, status):
    wire.on("get_outgoing_post", {"post": draft(status=status)})
    with pytest.raises(ValidationError, match=rf"source: post p-1 isn't a draft: its status is {status}"):
        await publisher.prepare(part(Draft("p-1"), caption="Hi"))
    assert wire.operations == ["get_outgoing_post"]


async def test_a_source_of_another_provider_is_refused(publisher, wire):
    with pytest.raises(ValidationError, match="source: isn't one that ReelMirror takes"):
        await publisher.prepare(part(Clip("a", "b")))
    assert wire.seen == []


async def test_a_copy_takes_the_media_of_the_post_for_the_failed_accounts_alone(publisher, wire):
    wire.on("get_outgoing_post", {"post": draft(INSTAGRAM, TIKTOK, status="partial", caption="Old")})
    wire.on("create_outgoing_post", {"data": draft(TIKTOK, id="p-2")})
    prepared = await publisher.prepare(part(accounts=[TIKTOK], copy_of="p-1"))
    assert prepared.post_id == "p-2"
    (body,) = wire.sent("create_outgoing_post")
    assert (body["target_account_ids"], body["caption"]) == (["a-tiktok"], "Old")


async def test_a_copy_falls_back_to_the_requests_own_media_or_is_refused(publisher, wire):
    wire.on("get_outgoing_post", {"post": {"id": "p-1", "status": "partial"}})
    wire.on("create_outgoing_post", {"data": draft(TIKTOK, id="p-2")})
    again = part(MediaItems(["m-7"]), accounts=[TIKTOK], copy_of="p-1")
    assert (await publisher.prepare(again)).post_id == "p-2"
    assert wire.sent("create_outgoing_post")[0]["items"][0]["generated_media_item_id"] == "m-7"
    with pytest.raises(ValidationError, match="source: post p-1 doesn't show its media"):
        await publisher.prepare(part(accounts=[TIKTOK], copy_of="p-1"))


# --- going live ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [b"", {"status": "publishing"}, {"post": draft(TIKTOK)}, draft(TIKTOK)])
async def test_publish_means_the_same_whatever_it_answers(publisher, wire, answer):
    wire.on("publish_outgoing_post", answer)
    post = await publisher.publish(Prepared(part=part(accounts=[TIKTOK]), post_id="p-1"))
    assert (post.id, post.publisher, post.status) == ("p-1", "main", PostStatus.PUBLISHING)
    assert [(one.account, one.status) for one in post.deliveries] == [(TIKTOK, DeliveryStatus.PENDING)]
    assert wire.seen[0].path == "/v1/publishing/posts/p-1/publish"


async def test_an_approval_answers_a_post_whose_accounts_are_told_later(publisher, wire):
    wire.on("approve_generated_post", {"status": "publishing", "outgoing_post_id": "p-5"})
    post = await publisher.publish(Prepared(part=part(GeneratedPost("g-1", approve=True))))
    assert (post.id, post.status, post.deliveries) == ("p-5", PostStatus.PUBLISHING, ())


@pytest.mark.parametrize("answer", [b"", {"data": draft(status="failed", deliveries=[shown(TIKTOK, "failed")])}])
async def test_a_retry_in_place_starts_its_deliveries_again(publisher, wire, answer):
    wire.on("retry_outgoing_post", answer)
    post = await publisher.publish(Prepared(part=part(accounts=[TIKTOK], retries="p-1"), post_id="p-1"))
    assert (post.id, post.status, post.is_terminal) == ("p-1", PostStatus.PUBLISHING, False)
    assert wire.operations == ["retry_outgoing_post"]


@pytest.mark.parametrize("error", [refused(409), refused(400), lost(sent=True)])
async def test_a_failure_to_publish_is_the_callers_to_judge(publisher, wire, error):
    wire.on("publish_outgoing_post", error)
    with pytest.raises(type(error)):
        await publisher.publish(Prepared(part=part(), post_id="p-1"))
    assert len(wire.seen) == 1


@pytest.mark.parametrize("source", [GeneratedPost("g-1"), MediaItems(["m-1"])])
async def test_a_part_that_wasnt_prepared_isnt_published(publisher, wire, source):
    with pytest.raises(ConfigurationError, match="prepare it"):
        await publisher.publish(Prepared(part=part(source)))
    assert wire.seen == []


# --- scheduling -----------------------------------------------------------------------------------------------------


def ready(**members):
    return Prepared(part=part(accounts=[TIKTOK], at=LATER, **members), post_id="p-1")


def test_each_part_is_scheduled_by_itself_the_earliest_first(publisher):
    times = [LATER + timedelta(hours=2), LATER, LATER + timedelta(hours=1)]
    parts = [part(at=at) for at in times]
    assert publisher.batches(parts) == [(parts[1],), (parts[2],), (parts[0],)]


@pytest.mark.parametrize("answer", [b"", {"status": "scheduled"}, {"post": draft(TIKTOK, status="scheduled")}])
async def test_scheduling_means_the_same_whatever_it_answers(publisher, wire, answer):
    wire.on("schedule_outgoing_post", answer)
    (post,) = await publisher.schedule([ready()])
    assert (post.id, post.status, post.scheduled_at) == ("p-1", PostStatus.SCHEDULED, LATER)
    assert [one.status for one in post.deliveries] == [DeliveryStatus.SCHEDULED]
    assert wire.sent("schedule_outgoing_post") == [{"scheduled_for": "2027-03-01T13:00:00Z"}]


async def test_a_local_time_takes_its_zone_along(publisher, wire):
    wire.on("schedule_outgoing_post", b"")
    await publisher.schedule([ready(wish=LocalTime("2027-03-01 14:00", "Europe/Oslo"))])
    sent = {"scheduled_for": "2027-03-01T13:00:00Z", "timezone": "Europe/Oslo"}
    assert wire.sent("schedule_outgoing_post") == [sent]


async def test_a_time_that_passes_while_it_waits_for_the_limit_isnt_sent(publisher, wire, clock):
    noted = []

    async def note():
        noted.append("intent")

    wire.on("schedule_outgoing_post", b"").on_token = lambda: setattr(clock, "now", LATER.timestamp())
    with pytest.raises(ValidationError, match="at: has passed"):
        await publisher.schedule([ready()], CallOptions(before_send=note))
    assert (noted, wire.seen) == ([], [])


async def test_the_callers_own_look_before_sending_runs_after_the_clocks(publisher, wire):
    noted = []

    async def note():
        noted.append(len(wire.seen))

    wire.on("schedule_outgoing_post", b"")
    await publisher.schedule([ready()], CallOptions(timeout=5.0, before_send=note))
    assert noted == [0]
    assert len(wire.seen) == 1


@pytest.mark.parametrize("batch", [[], [ready(), ready()], [evolve(ready(), post_id=None)]])
async def test_only_one_prepared_draft_can_be_scheduled(publisher, wire, batch):
    with pytest.raises(ConfigurationError):
        await publisher.schedule(batch)
    assert wire.seen == []


async def test_a_refused_schedule_is_raised(publisher, wire):
    wire.on("schedule_outgoing_post", refused(409))
    with pytest.raises(ConflictError):
        await publisher.schedule([ready()])


# --- reading --------------------------------------------------------------------------------------------------------


async def test_a_delivery_without_an_account_id_is_told_by_platform_and_name(publisher, wire):
    anonymous = [shown(INSTAGRAM, connected_account_id=None, username="ACME"), shown(TIKTOK, connected_account_id=None)]
    wire.on("get_outgoing_post", {"post": {**draft(), "deliveries": anonymous}}).on("list_connected_accounts", LISTED)
    post = await publisher.fetch("p-1")
    assert [one.account.id for one in post.deliveries] == ["a-instagram", "a-tiktok"]
    await publisher.fetch("p-1")
    assert wire.operations.count("list_connected_accounts") == 1


async def test_known_accounts_need_no_list(publisher, wire):
    wire.on("get_outgoing_post", {"post": {**draft(), "deliveries": [shown(TIKTOK, connected_account_id=None)]}})
    await publisher.prepare(part(accounts=[TIKTOK], retries="p-1"))
    assert (await publisher.fetch("p-1")).deliveries[0].account == TIKTOK
    assert wire.operations == ["get_outgoing_post"]


async def test_a_key_that_may_not_list_accounts_still_reads_posts(publisher, wire):
    anonymous = [
        shown(TIKTOK, connected_account_id=None),
        shown(TIKTOK, id="d-2", connected_account_id=None, username=None),
        shown(INSTAGRAM, connected_account_id="a-gone", username="old"),
    ]
    wire.on("get_outgoing_post", {"post": {**draft(), "deliveries": anonymous}})
    wire.on("list_connected_accounts", refused(403))
    first, second = await publisher.fetch("p-1"), await publisher.fetch("p-1")
    assert first == second
    accounts = [(one.account.id, str(one.account)) for one in first.deliveries]
    assert accounts == [("tiktok:acme", "tiktok:acme"), ("d-2", "tiktok:d-2"), ("a-gone", "instagram:old")]
    assert wire.operations.count("list_connected_accounts") == 1


async def test_a_passing_failure_of_the_account_list_is_tried_again(publisher, wire):
    wire.on("get_outgoing_post", {"post": {**draft(), "deliveries": [shown(TIKTOK, connected_account_id=None)]}})
    wire.on("list_connected_accounts", refused(503), LISTED)
    with pytest.raises(ServerError):
        await publisher.fetch("p-1")
    assert (await publisher.fetch("p-1")).deliveries[0].account.id == "a-tiktok"


def page_of(*numbers, count=None):
    return {"data": [draft(TIKTOK, id=f"p-{number}") for number in numbers], "count": count}


@pytest.mark.parametrize(
    ("answer", "has_more"),
    [
        (page_of(1, 2), True),
        (page_of(1), False),
        (page_of(1, count=5), True),
        (page_of(1, count=3), False),
        (page_of(count=9), False),
    ],
)
async def test_a_page_says_whether_there_may_be_more(wire, answer, has_more):
    client = ReelMirrorClient(KEY, transport=wire)
    publisher = ReelMirrorPublisher(client, limits=ProviderLimits(requests=60, page_size=2))
    wire.on("list_outgoing_posts", answer).on("list_connected_accounts", LISTED)
    assert publisher.has_bulk_read is None
    page = await publisher.read_page(1, created_after=5.0)
    assert (page.has_more, page.total) == (has_more, answer["count"])
    assert [post.id for post in page.posts] == [row["id"] for row in answer["data"]]
    assert wire.seen[0].query == (("limit", "2"), ("offset", "2"))
    assert publisher.has_bulk_read is True


async def test_rows_without_deliveries_go_by_their_own_status(publisher, wire):
    wire.on("list_outgoing_posts", {"data": [{"id": "p-1", "status": "publishing"}]})
    page = await publisher.read_page(0)
    assert isinstance(page, PostPage)
    assert [(post.status, post.deliveries) for post in page.posts] == [(PostStatus.PUBLISHING, ())]


@pytest.mark.parametrize("status", [404, 405])
async def test_a_missing_list_is_remembered(publisher, wire, status):
    wire.on("list_outgoing_posts", refused(status))
    assert await publisher.read_page(0) is None
    assert publisher.has_bulk_read is False
    assert await publisher.read_page(0) is None
    assert len(wire.seen) == 1


async def test_an_answer_that_is_no_list_twice_running_means_that_there_is_none(publisher, wire):
    wire.on("list_outgoing_posts", {"hello": "there"})
    with pytest.raises(DecodeError):
        await publisher.read_page(0)
    assert publisher.has_bulk_read is None
    assert await publisher.read_page(0) is None
    assert publisher.has_bulk_read is False


async def test_a_list_that_has_been_seen_isnt_given_up_for_damaged_answers(publisher, wire):
    wire.on("list_outgoing_posts", {"data": []}, b'{"data": [')
    await publisher.read_page(0)
    for _ in range(3):
        with pytest.raises(DecodeError):
            await publisher.read_page(0)
    assert publisher.has_bulk_read is True


async def test_other_failures_of_the_list_say_nothing_about_it(publisher, wire):
    wire.on("list_outgoing_posts", refused(401))
    with pytest.raises(AuthenticationError):
        await publisher.read_page(0)
    assert publisher.has_bulk_read is None


# --- looking for a lost attempt ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prepared", "tried", "path"),
    [
        (Prepared(part=part(), post_id="p-1"), attempt(), "p-1"),
        (Prepared(part=part(retries="p-2"), post_id="p-2"), attempt(), "p-2"),
        (Prepared(part=part(GeneratedPost("g", approve=True))), attempt(post_id="p-3"), "p-3"),
    ],
)
async def test_the_post_is_looked_up_by_the_id_known_beforehand(publisher, wire, prepared, tried, path):
    wire.on("get_outgoing_post", {"post": draft(deliveries=[shown(TIKTOK, "publishing")], status="publishing")})
    finding = await publisher.find(prepared, tried, taken=frozenset({"p-1"}))
    assert isinstance(finding, Found)
    assert wire.seen[0].path.endswith(f"/{path}")


async def test_a_draft_that_stayed_one_is_absent_and_a_post_that_is_gone_undecided(publisher, wire):
    wire.on("get_outgoing_post", {"post": draft(TIKTOK)}, refused(404))
    prepared = Prepared(part=part(accounts=[TIKTOK]), post_id="p-1")
    assert await publisher.find(prepared, attempt()) == Absent()
    finding = await publisher.find(prepared, attempt())
    assert isinstance(finding, Undecided)
    assert "p-1" in finding.reason


async def test_a_lost_approval_cant_be_found(publisher, wire):
    finding = await publisher.find(Prepared(part=part(GeneratedPost("g-1", approve=True))), attempt())
    assert isinstance(finding, Undecided)
    assert wire.seen == []


def test_a_retry_is_planned_by_what_failed(publisher):
    plan = publisher.plan_retry
    with pytest.raises(ValidationError, match="no failed delivery"):
        plan(part(), publisher._accepted(None, "p-1", part(accounts=[TIKTOK])))


# --- calling off ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [b"", {"status": "cancelled"}, refused(409), refused(400), lost(), refused(502)])
@pytest.mark.parametrize(
    ("status", "result"),
    [("cancelled", CancelResult.CANCELLED), ("draft", CancelResult.CANCELLED), ("published", CancelResult.TOO_LATE)],
)
async def test_a_cancellation_is_decided_by_what_is_read_afterwards(publisher, wire, answer, status, result):
    wire.on("cancel_outgoing_post", answer).on("get_outgoing_post", {"post": draft(status=status)})
    assert await publisher.cancel("p-1") is result
    assert wire.operations == ["cancel_outgoing_post", "get_outgoing_post"]


@pytest.mark.parametrize("answer", [b"", lost(), refused(503), b"{"])
async def test_a_post_that_still_waits_after_an_unreadable_answer_is_unknown(publisher, wire, answer):
    wire.on("cancel_outgoing_post", answer).on("get_outgoing_post", {"post": draft(status="scheduled")})
    assert await publisher.cancel("p-1") is CancelResult.UNKNOWN


async def test_a_refusal_for_a_post_that_still_waits_is_told(publisher, wire):
    wire.on("cancel_outgoing_post", refused(409)).on("get_outgoing_post", {"post": draft(status="scheduled")})
    with pytest.raises(ConflictError):
        await publisher.cancel("p-1")


@pytest.mark.parametrize("error", [refused(404), refused(401), lost(sent=False)])
async def test_a_cancellation_that_provably_did_nothing_is_raised(publisher, wire, error):
    wire.on("cancel_outgoing_post", error)
    with pytest.raises(type(error)):
        await publisher.cancel("p-1")
    assert len(wire.seen) == 1


async def test_delete_passes_the_providers_refusal_on(publisher, wire):
    wire.on("delete_outgoing_post", b"", refused(409), NotFoundError("no", status=404, operation="op", provider="x"))
    await publisher.delete("p-1")
    with pytest.raises(ConflictError):
        await publisher.delete("p-1")
    with pytest.raises(NotFoundError):
        await publisher.delete("p-1")
