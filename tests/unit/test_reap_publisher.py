"""The Reap publisher over a transport that answers as told and records every request."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from attrs import evolve

from reelpub.errors import (
    BadRequestError,
    ConfigurationError,
    ConnectError,
    NotFoundError,
    OutcomeUnknown,
    RequestTimeout,
    ServerError,
    TransportError,
    UnsupportedOperation,
    ValidationError,
    status_error,
)
from reelpub.models.account import Account
from reelpub.models.capability import Feature
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import CancelResult
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.settings import TikTokSettings, YouTubeSettings
from reelpub.models.source import Clip
from reelpub.policies.safety import Effect, effect_of
from reelpub.providers import base
from reelpub.providers.base import Absent, Found, Undecided
from reelpub.providers.reap import ReapClient, ReapPublisher
from reelpub.providers.reap.rules import LIMITS
from reelpub.transport.message import CallOptions, Response

NOW = 1_800_000_000
TIKTOK = Account(id="t1", provider="reap", platform="tiktok", username="acme")
TIKTOK_2 = Account(id="t2", provider="reap", platform="tiktok", username="acme_two")
YOUTUBE = Account(id="y1", provider="reap", platform="youtube", username="acme")
BOTH = (TIKTOK, YOUTUBE)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = float(NOW)

    def time(self):
        return self.now

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


class FakeTransport:
    """Answers each operation with what was told: JSON, an error, a function of the request, or a list of those."""

    def __init__(self, **answers):
        self.answers = answers
        self.sent = []
        self.closed = False

    async def send(self, request, options=None):
        await asyncio.sleep(0)
        if options is not None and options.before_send is not None:
            await options.before_send()
        self.sent.append(request)
        answer = self.answers[request.operation]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return Response(status=200, headers={}, body=orjson.dumps(answer))

    async def put_file(self, url, path, **_):
        raise AssertionError("a publisher uploads nothing")

    async def close(self):
        self.closed = True

    @property
    def operations(self):
        return [request.operation for request in self.sent]


def publisher(**answers):
    clock = Clock()
    transport = FakeTransport(**answers)
    made = ReapPublisher(ReapClient("key", transport=transport, clock=clock))
    return made, transport, clock


def wire(**members):
    defaults = {
        "id": "post-1",
        "projectId": "p",
        "clipId": "c",
        "platforms": ["tiktok", "youtube"],
        "integrations": ["t1", "y1"],
        "status": "processing",
        "scheduleType": "immediate",
        "title": "Launch",
        "createdAt": NOW,
    }
    return defaults | members


def waiting(date, **members):
    return wire(**({"status": "scheduled", "scheduleType": "scheduled", "scheduleDate": date} | members))


def error(status, message="no", operation="op"):
    return status_error(status, message, operation=operation, provider="reap")


def part(clip="c", *, project="p", accounts=BOTH, lead=None, **request):
    request.setdefault("title", "Launch")
    source = PublishRequest(Clip(project, clip), accounts=[account.id for account in accounts], **request)
    at = None if lead is None else datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=lead)
    return Part(id=f"part-{clip}", job_id="job", request=source, accounts=accounts, at=at)


def prepared(*args, **kwargs):
    return Prepared(part=part(*args, **kwargs))


# ---- what it offers


def test_it_offers_each_feature_that_it_announces():
    made, _, _ = publisher()
    protocols = {
        Feature.SCHEDULE: base.SupportsSchedule,
        Feature.RETRY_FAILED: base.SupportsRetryFailed,
        Feature.CANCEL: base.SupportsCancel,
        Feature.RESCHEDULE: base.SupportsReschedule,
        Feature.DELETE: base.SupportsDelete,
        Feature.BULK_READ: base.SupportsBulkRead,
        Feature.FIND_DUPLICATE: base.SupportsFindDuplicate,
        Feature.CAPTIONS: base.SupportsCaptions,
        Feature.CONNECT_ACCOUNT: base.SupportsConnect,
        Feature.DISCONNECT_ACCOUNT: base.SupportsDisconnect,
        Feature.ACCOUNT_SLOTS: base.SupportsAccountSlots,
    }
    assert isinstance(made, base.Publisher)
    for feature, protocol in protocols.items():
        assert isinstance(made, protocol) is made.capabilities.can(feature), feature
    assert made.has_bulk_read
    assert made.requests == {}


def test_its_limits_are_the_documented_ones():
    found = publisher()[0].limits
    assert (found.requests, found.window, found.max_tags, found.page_size) == (10, 60.0, 10, 100)
    assert (found.schedule_min_lead, found.schedule_batch, found.schedule_min_interval) == (3000.0, 50, 300.0)
    assert not found.title.is_documented
    assert not found.caption.is_documented


async def test_it_is_made_from_the_environment(monkeypatch):
    monkeypatch.setenv("REAP_API_KEY", "secret-key")
    monkeypatch.setenv("REAP_BASE_URL", "http://127.0.0.1:1/api")
    async with ReapPublisher.from_env(name="second") as made:
        assert (made.name, made.provider, made.limiter) == ("second", "reap", made.client.limiter)
    monkeypatch.delenv("REAP_API_KEY")
    with pytest.raises(ConfigurationError, match="REAP_API_KEY"):
        ReapPublisher.from_env()


async def test_it_is_connected_by_a_key():
    clock = Clock()
    made = ReapPublisher.connect("secret-key", base_url="http://127.0.0.1:1/api", clock=clock)
    assert (made.name, made.client.clock) == ("reap", clock)
    assert "secret-key" not in repr(made)
    await made.close()


# ---- checks


def test_an_account_is_needed():
    (problem,) = publisher()[0].check(PublishRequest(Clip("p", "c")))
    assert (problem.field, problem.is_error) == ("accounts", True)


def test_settings_are_checked():
    request = PublishRequest(Clip("p", "c"), accounts=["t1"], settings={"x": {}, "youtube": {"privacy": "secret"}})
    assert [problem.field for problem in publisher()[0].check(request)] == ["settings.x", "settings.youtube.privacy"]
    assert publisher()[0].check(evolve(request, settings="odd")) == []


def test_a_platform_never_stands_twice_in_a_post():
    made, _, _ = publisher()
    assert made.plan(part().request, [TIKTOK, YOUTUBE, TIKTOK_2]) == ((TIKTOK, YOUTUBE), (TIKTOK_2,))


# ---- accounts

INTEGRATIONS = {
    "integrations": [
        {"id": "t1", "platform": "tiktok", "username": "acme", "isActive": True},
        {"id": "y1", "platform": "youtube", "username": "acme", "isActive": False},
    ]
}


async def test_accounts_are_read_once():
    made, transport, _ = publisher(get_integrations=INTEGRATIONS)
    first, second = await asyncio.gather(made.accounts(), made.accounts())
    assert first == second == await made.accounts()
    assert [(a.id, a.is_active) for a in first] == [("t1", True), ("y1", False)]
    assert len(transport.sent) == 1
    await made.accounts(refresh=True)
    assert len(transport.sent) == 2


async def test_a_failed_read_of_accounts_is_tried_again():
    made, transport, _ = publisher(get_integrations=[error(500), INTEGRATIONS])
    with pytest.raises(ServerError):
        await made.accounts()
    assert len(await made.accounts()) == 2
    assert len(transport.sent) == 2


# ---- preparing


def clips(*ids, **members):
    return {"clips": [{"id": id_} for id_ in ids]} | members


DONE = {"projectId": "p", "status": "completed"}


async def test_forty_clips_of_a_project_cost_two_requests():
    listed = clips(*(f"c{i}" for i in range(40)), totalPages=1)
    made, transport, _ = publisher(get_project_status=DONE, get_project_clips=listed)
    found = await asyncio.gather(*(made.prepare(part(f"c{i}")) for i in range(40)))
    assert [p.post_id for p in found] == [None] * 40
    assert transport.operations == ["get_project_status", "get_project_clips"]


async def test_pages_are_read_until_the_clip_is_seen_and_no_further():
    pages = [clips("c1", totalPages=3), clips("c2", totalPages=3), clips("c3", totalPages=3)]
    made, transport, _ = publisher(get_project_status=DONE, get_project_clips=list(pages))
    for clip, requests in (("c2", 3), ("c1", 3), ("c3", 4)):
        await made.prepare(part(clip))
        assert len(transport.sent) == requests
    assert [dict(r.query)["page"] for r in transport.sent[1:]] == ["1", "2", "3"]


@pytest.mark.parametrize("last", [{"totalPages": 1}, {}])
async def test_a_clip_that_no_page_has_is_asked_for_itself(last):
    made, transport, _ = publisher(
        get_project_status=DONE, get_project_clips=clips("c1", **last), get_clip_details={"id": "c2"}
    )
    await made.prepare(part("c2"))
    await made.prepare(part("c2"))
    assert transport.operations == ["get_project_status", "get_project_clips", "get_clip_details"]


async def test_full_pages_without_totals_are_followed_by_another():
    full = clips(*(f"c{i}" for i in range(100)))
    made, transport, _ = publisher(
        get_project_status=DONE, get_project_clips=[full, clips()], get_clip_details=error(404, "Clip not found")
    )
    with pytest.raises(ValidationError, match="Clip not found") as caught:
        await made.prepare(part("other"))
    assert caught.value.problems[0].field == "source.clip_id"
    assert transport.operations.count("get_project_clips") == 2


@pytest.mark.parametrize("status", ["queued", "processing", "finalizing", "cancelled", "failed", "brand_new"])
async def test_an_unfinished_project_is_refused_with_its_state(status):
    made, transport, clock = publisher(get_project_status=[{"status": status}, DONE], get_project_clips=clips("c"))
    for _ in range(2):
        with pytest.raises(ValidationError, match=f"the project is {status}"):
            await made.prepare(part())
    assert transport.operations == ["get_project_status"]
    clock.now += 60
    await made.prepare(part())


@pytest.mark.parametrize("status", [404, 422])
async def test_a_project_that_isn_t_there_is_asked_for_once(status):
    made, transport, _ = publisher(get_project_status=error(status, "Project not found"))
    for clip in "abc":
        with pytest.raises(ValidationError, match="Project not found") as caught:
            await made.prepare(part(clip))
        assert caught.value.problems[0].field == "source.project_id"
    assert len(transport.sent) == 1


async def test_a_server_error_isn_t_taken_for_a_verdict():
    made, _, _ = publisher(get_project_status=[error(500), DONE], get_project_clips=clips("c"))
    with pytest.raises(ServerError):
        await made.prepare(part())
    await made.prepare(part())


async def test_only_the_latest_thousand_projects_are_remembered():
    made, transport, _ = publisher(get_project_status=DONE, get_project_clips=clips("c", totalPages=1))
    for number in range(1001):
        await made.prepare(part(project=f"p{number}"))
    before = len(transport.sent)
    await made.prepare(part(project="p1000"))
    assert len(transport.sent) == before
    await made.prepare(part(project="p0"))
    assert len(transport.sent) == before + 2


# ---- publishing


async def test_a_publish_sends_what_was_asked_and_nothing_else():
    made, transport, _ = publisher(publish_clip=wire())
    settings = {"tiktok": TikTokSettings(privacy="friends"), "linkedin": {"privacy": "public"}}
    found = await made.publish(prepared(caption="Words", tags=["a", "b"], settings=settings))
    assert transport.sent[0].json == {
        "projectId": "p",
        "clipId": "c",
        "integrations": ["t1", "y1"],
        "title": "Launch",
        "description": "Words",
        "tags": ["a", "b"],
        "platformSettings": {"tiktok": {"privacy": "friends"}},
    }
    assert (found.id, found.status, found.publisher) == ("post-1", PostStatus.PUBLISHING, "reap")
    assert [d.account for d in found.deliveries] == list(BOTH)


async def test_what_isn_t_given_isn_t_sent():
    made, transport, _ = publisher(publish_clip=wire())
    await made.publish(prepared(title=None, settings={"youtube": YouTubeSettings()}))
    assert set(transport.sent[0].json) == {"projectId", "clipId", "integrations"}


async def test_the_accounts_asked_for_are_kept_where_the_post_doesn_t_tell_them():
    made, transport, _ = publisher(
        publish_clip=wire(integrations=[]), get_post_details=wire(integrations=[], status="completed")
    )
    await made.publish(prepared())
    found = await made.fetch("post-1")
    assert [(d.account, d.status) for d in found.deliveries] == [(a, DeliveryStatus.PUBLISHED) for a in BOTH]
    assert transport.operations == ["publish_clip", "get_post_details"]


async def test_errors_of_a_publish_are_passed_on_and_the_token_is_told():
    told = []

    async def before_send():
        told.append("token")

    made, transport, _ = publisher(publish_clip=error(400, "The project was cancelled"))
    with pytest.raises(BadRequestError, match="cancelled"):
        await made.publish(prepared(), CallOptions(before_send=before_send))
    assert (told, len(transport.sent)) == (["token"], 1)


# ---- scheduling


def scheduled(*parts, refused=(), **members):
    """Answer as the provider does: each clip at its place in time, except the *refused* indices."""

    def answer(request):
        body = request.json
        posts, failed = [], []
        for index, clip in enumerate(body["clips"]):
            if index in refused:
                failed.append({"clipId": clip["clipId"], "index": index, "error": "Clip isn't finished."})
                continue
            date = body["scheduleDate"] + index * body.get("intervalSeconds", 300)
            texts = {"clipId": clip["clipId"], "title": clip.get("title"), "integrations": body["integrations"]}
            posts.append(waiting(date, id=f"post-{clip['clipId']}", **(texts | members)))
        return {"posts": posts, "failed": failed}

    return answer


def test_clips_share_a_call_only_with_the_same_accounts_settings_and_spacing():
    made, _, _ = publisher()
    even = [part(f"e{i}", lead=4000 + i * 600) for i in range(3)]
    other_accounts = part("a", lead=4000, accounts=(YOUTUBE,))
    other_settings = part("s", lead=4000, settings={"tiktok": {"privacy": "friends"}})
    irrelevant = part("i", lead=5800, settings={"linkedin": {"privacy": "public"}})
    found = made.batches([irrelevant, *reversed(even), other_accounts, other_settings])
    assert [[p.id for p in batch] for batch in found] == [
        ["part-e0", "part-e1", "part-e2", "part-i"],
        ["part-a"],
        ["part-s"],
    ]


def test_at_most_fifty_clips_share_a_call():
    parts = [part(f"c{i}", lead=4000 + i * 300) for i in range(120)]
    assert [len(batch) for batch in publisher()[0].batches(parts)] == [50, 50, 20]


def test_a_part_without_a_time_can_t_be_scheduled():
    with pytest.raises(ValidationError, match="only timed parts"):
        publisher()[0].batches([part()])


async def test_a_batch_is_one_request():
    made, transport, _ = publisher(schedule_clips=scheduled())
    batch = [prepared(f"c{i}", lead=3999.5 + i * 600, title=f"Part {i}", tags=["t"]) for i in range(3)]
    found = await made.schedule(batch)
    assert [post.id for post in found] == ["post-c0", "post-c1", "post-c2"]
    assert [post.status for post in found] == [PostStatus.SCHEDULED] * 3
    assert [post.scheduled_at.timestamp() for post in found] == [NOW + 4000 + i * 600 for i in range(3)]
    (request,) = transport.sent
    assert request.json["scheduleDate"] == NOW + 4000
    assert request.json["intervalSeconds"] == 600
    assert request.json["clips"][1] == {"projectId": "p", "clipId": "c1", "title": "Part 1", "tags": ["t"]}


async def test_one_clip_has_no_interval():
    made, transport, _ = publisher(schedule_clips=scheduled())
    await made.schedule([prepared(lead=4000)])
    assert "intervalSeconds" not in transport.sent[0].json


async def test_refused_clips_are_told_apart_by_their_index():
    made, _, _ = publisher(schedule_clips=scheduled(refused={1}))
    found = await made.schedule([prepared(f"c{i}", lead=4000 + i * 300) for i in range(3)])
    assert [getattr(result, "id", None) for result in found] == ["post-c0", None, "post-c2"]
    assert isinstance(found[1], ValidationError)
    assert "Clip isn't finished." in str(found[1])
    assert effect_of(found[1]) is Effect.NONE


async def test_a_clip_that_the_answer_leaves_out_is_unknown():
    made, _, _ = publisher(schedule_clips={"posts": [waiting(NOW + 4000, clipId="c0")], "failed": []})
    found = await made.schedule([prepared(f"c{i}", lead=4000 + i * 300) for i in range(2)])
    assert found[0].id == "post-1"
    assert isinstance(found[1], OutcomeUnknown)
    assert effect_of(found[1]) is Effect.UNKNOWN


async def test_a_date_other_than_asked_is_told_and_logged(caplog):
    made, _, _ = publisher(schedule_clips={"posts": [waiting(NOW + 3700)]})
    (found,) = await made.schedule([prepared(lead=4000)])
    assert found.scheduled_at.timestamp() == NOW + 3700
    assert "is scheduled for" in caplog.text


@pytest.mark.parametrize(
    ("leads", "sent"),
    [
        ([2999], []),
        ([2000, 3100, 4200], [3100, 4200]),
        ([31_000_000, 31_536_000, 32_072_000], [31_000_000, 31_536_000]),
    ],
)
async def test_times_outside_the_window_are_refused_and_the_others_sent(leads, sent):
    made, transport, _ = publisher(schedule_clips=scheduled())
    found = await made.schedule([prepared(f"c{lead}", lead=lead) for lead in leads])
    assert [lead for lead, result in zip(leads, found, strict=True) if isinstance(result, Post)] == sent
    for lead, result in zip(leads, found, strict=True):
        if lead not in sent:
            assert isinstance(result, ValidationError)
            assert result.problems[0].field == "at"
            assert "ahead" in result.problems[0].limit
    assert [r.json["scheduleDate"] for r in transport.sent] == [NOW + lead for lead in sent[:1]]


async def test_the_window_is_looked_at_again_when_the_token_is_there():
    """The wait for the token eats the lead of the first clip; the second still goes out."""
    made, transport, clock = publisher(schedule_clips=scheduled())
    told = []

    async def before_send():
        told.append("intent")

    real = transport.send

    async def send_late(request, options=None):
        clock.now += 200 if not transport.sent and clock.now == NOW else 0
        return await real(request, options)

    transport.send = send_late
    options = CallOptions(before_send=before_send)
    found = await made.schedule([prepared("c0", lead=3100), prepared("c1", lead=3400)], options)
    assert isinstance(found[0], ValidationError)
    assert found[1].id == "post-c1"
    assert told == ["intent"]
    assert [r.json["scheduleDate"] for r in transport.sent] == [NOW + 3400]


async def test_a_lost_answer_is_raised():
    lost = RequestTimeout("no answer", operation="schedule_clips", provider="reap", sent=True)
    made, _, _ = publisher(schedule_clips=lost)
    with pytest.raises(RequestTimeout):
        await made.schedule([prepared(lead=4000)])


async def test_a_lost_answer_isn_t_laid_on_those_that_were_never_sent():
    lost = RequestTimeout("no answer", operation="schedule_clips", provider="reap", sent=True)
    made, _, _ = publisher(schedule_clips=lost)
    found = await made.schedule([prepared("c0", lead=2900), prepared("c1", lead=3200)])
    assert [effect_of(result) for result in found] == [Effect.NONE, Effect.UNKNOWN]


@pytest.mark.parametrize(
    "batch",
    [
        [],
        [prepared("a", lead=4000), prepared("b", lead=4300), prepared("c", lead=4700)],
        [prepared("a", lead=4000), prepared("b", lead=4300, accounts=(TIKTOK,))],
    ],
)
async def test_what_batches_didn_t_make_is_refused(batch):
    made, transport, _ = publisher(schedule_clips=scheduled())
    with pytest.raises(ValidationError, match="batches"):
        await made.schedule(batch)
    assert transport.sent == []


# ---- reading


async def test_fetch_learns_the_accounts_once():
    made, transport, _ = publisher(get_post_details=wire(status="completed"), get_integrations=INTEGRATIONS)
    for _ in range(2):
        found = await made.fetch("post-1")
    assert [d.account.username for d in found.deliveries] == ["acme", "acme"]
    assert transport.operations == ["get_post_details", "get_integrations", "get_post_details"]


async def test_an_account_that_was_disconnected_costs_no_more_reads():
    made, transport, _ = publisher(get_post_details=wire(integrations=["gone"]), get_integrations=INTEGRATIONS)
    for _ in range(3):
        found = await made.fetch("post-1")
    assert found.deliveries[0].account.id == "gone"
    assert transport.operations.count("get_integrations") == 1


@pytest.mark.parametrize(
    ("members", "count", "has_more"),
    [
        ({"totalPages": 2, "totalPosts": 101}, 100, True),
        ({"totalPages": 1, "totalPosts": 3}, 3, False),
        ({"totalPages": 5}, 3, True),
        ({"totalPages": 5}, 0, False),
        ({}, 100, True),
        ({}, 99, False),
    ],
)
async def test_a_page_says_whether_there_may_be_more(members, count, has_more):
    posts = [wire(id=f"post-{i}") for i in range(count)]
    made, transport, _ = publisher(get_all_posts={"posts": posts} | members, get_integrations=INTEGRATIONS)
    page = await made.read_page(0, created_after=NOW + 0.9)
    assert (len(page.posts), page.has_more, page.total) == (count, has_more, members.get("totalPosts"))
    query = dict(transport.sent[0].query)
    assert query == {"page": "1", "pageSize": "100", "createdAfter": str(NOW - 1)}


async def test_a_page_without_a_bound():
    made, transport, _ = publisher(get_all_posts={"posts": []})
    await made.read_page(3)
    assert dict(transport.sent[0].query) == {"page": "4", "pageSize": "100"}


# ---- finding what a lost answer made


def attempt(started_at=float(NOW)):
    return Attempt(id="attempt", part_id="part-c", number=1, started_at=started_at)


async def find(posts, *, given=None, taken=(), started_at=float(NOW)):
    made, transport, _ = publisher(get_all_posts={"posts": posts, "totalPages": 1})
    found = await made.find(given or prepared(), attempt(started_at), taken=frozenset(taken))
    assert dict(transport.sent[0].query)["createdAfter"] == str(int(started_at) - 121)
    return found


async def test_nothing_there_is_absent():
    assert await find([]) == Absent()
    assert await find([wire(clipId="other"), wire(id="b", title="Another")]) == Absent()
    assert await find([wire(createdAt=NOW - 121)]) == Absent()


async def test_one_that_agrees_is_found_even_if_the_clocks_differ():
    found = await find([wire(createdAt=NOW - 119, status="completed"), wire(id="other", clipId="other")])
    assert isinstance(found, Found)
    assert found.post.id == "post-1"
    assert [d.status for d in found.post.deliveries] == [DeliveryStatus.PUBLISHED] * 2


async def test_one_of_two_is_undecided_unless_the_other_is_taken():
    posts = [wire(id="a"), wire(id="b")]
    undecided = await find(posts)
    assert isinstance(undecided, Undecided)
    assert "a, b" in undecided.reason
    found = await find(posts, taken={"a"})
    assert found.post.id == "b"
    assert await find(posts, taken={"a", "b"}) == Absent()


async def test_a_post_that_shows_too_little_leaves_it_open():
    undecided = await find([wire(integrations=[])])
    assert isinstance(undecided, Undecided)
    assert "post-1" in undecided.reason
    sure = await find([wire(id="sure"), wire(integrations=[])])
    assert sure.post.id == "sure"


async def test_a_post_to_some_of_the_accounts_leaves_it_open():
    """One that was disconnected meanwhile may have been left out; sent again, the others would have it twice."""
    assert isinstance(await find([wire(integrations=["y1"])]), Undecided)
    assert await find([wire(integrations=["y1"])], taken={"post-1"}) == Absent()
    assert await find([wire(integrations=["x1"])]) == await find([wire(integrations=["t1", "y1", "x1"])]) == Absent()
    assert (await find([wire(id="all"), wire(integrations=["y1"])])).post.id == "all"


async def test_a_scheduled_one_is_found_by_its_date():
    given = prepared(lead=4000)
    assert (await find([waiting(NOW + 4000)], given=given)).post.id == "post-1"
    assert isinstance(await find([waiting(NOW + 4300)], given=given), Undecided)
    assert await find([wire()], given=given) == Absent()
    assert await find([waiting(NOW + 4000)]) == Absent()


async def test_those_who_look_at_once_share_a_list_and_later_ones_share_the_next():
    """A list that began before somebody asked can't speak for them; it reaches back as far as the first attempt."""
    posts = [wire(clipId=f"c{i}", id=f"p{i}") for i in range(10)]
    made, transport, _ = publisher(get_all_posts={"posts": posts, "totalPages": 1})
    real, gate, entered = transport.send, asyncio.Event(), asyncio.Event()

    async def send(request, options=None):
        entered.set()
        await gate.wait()
        return await real(request, options)

    transport.send = send
    async with asyncio.TaskGroup() as group:
        early = [group.create_task(made.find(prepared(f"c{i}"), attempt(NOW - i))) for i in range(5)]
        await entered.wait()
        late = [group.create_task(made.find(prepared(f"c{i}"), attempt(NOW - i))) for i in range(5, 10)]
        await asyncio.sleep(0)
        gate.set()
    assert [task.result().post.id for task in early + late] == [f"p{i}" for i in range(10)]
    assert [dict(r.query)["createdAfter"] for r in transport.sent] == [str(NOW - 4 - 121), str(NOW - 9 - 121)]


async def test_a_list_of_before_isn_t_used_again():
    made, transport, _ = publisher(get_all_posts=[{"posts": [], "totalPages": 1}, {"posts": [wire()], "totalPages": 1}])
    assert await made.find(prepared(), attempt()) == Absent()
    assert isinstance(await made.find(prepared(), attempt()), Found)
    assert len(transport.sent) == 2


async def test_a_list_that_failed_is_read_again():
    made, _, _ = publisher(get_all_posts=[error(500), {"posts": [wire()], "totalPages": 1}])
    first, second = await asyncio.gather(
        made.find(prepared(), attempt()), made.find(prepared(), attempt()), return_exceptions=True
    )
    assert isinstance(first, ServerError)
    assert isinstance(second, Found)


async def test_a_machine_whose_clock_is_ahead_still_finds_its_post():
    """The first answer shows that Reap's clock is ten minutes behind; a later search reaches back that far."""
    made, transport, _ = publisher(
        publish_clip=wire(createdAt=NOW - 600), get_all_posts={"posts": [wire(id="b", createdAt=NOW - 601)]}
    )
    await made.publish(prepared())
    assert isinstance(await made.find(prepared(), attempt()), Found)
    assert dict(transport.sent[1].query)["createdAfter"] == str(NOW - 721)


@pytest.mark.parametrize("odd", [None, 0, NOW + 5])
async def test_an_odd_time_of_creation_teaches_nothing(odd):
    made, transport, _ = publisher(publish_clip=wire(createdAt=odd), get_all_posts={"posts": [], "totalPages": 1})
    await made.publish(prepared())
    await made.find(prepared(), attempt())
    assert dict(transport.sent[1].query)["createdAfter"] == str(NOW - 121)


# ---- retrying


def delivered(*statuses):
    deliveries = tuple(Delivery(account=a, status=s) for a, s in zip(BOTH, statuses, strict=True))
    return Post(
        id="post-1", provider="reap", publisher="reap", status=PostStatus.PARTLY_PUBLISHED, deliveries=deliveries
    )


@pytest.mark.parametrize("in_place", [None, False])
def test_only_failed_accounts_are_sent_to_again(in_place):
    made, _, _ = publisher()
    post = delivered(DeliveryStatus.PUBLISHED, DeliveryStatus.FAILED)
    again = made.plan_retry(part(lead=4000), post, in_place=in_place)
    assert (again.accounts, again.at, again.retries, again.copy_of) == ((YOUTUBE,), None, None, None)
    assert again.id != part().id


def test_there_is_no_retry_in_place():
    with pytest.raises(UnsupportedOperation, match="in place"):
        publisher()[0].plan_retry(part(), delivered(DeliveryStatus.FAILED, DeliveryStatus.FAILED), in_place=True)


@pytest.mark.parametrize("status", [DeliveryStatus.PUBLISHED, DeliveryStatus.UNKNOWN, DeliveryStatus.PUBLISHING])
def test_what_didn_t_fail_isn_t_retried(status):
    with pytest.raises(ValidationError, match="nothing in it failed"):
        publisher()[0].plan_retry(part(), delivered(status, status))


# ---- calling off

DATE = NOW + 4000
GONE = error(404, "Post not found", "get_post_details")
DELETED = {"postId": "post-1", "deleted": True}
LOST = TransportError("connection lost", operation="delete_post", provider="reap", sent=True)


def cancelling(*reads, delete=DELETED):
    return publisher(get_post_details=list(reads), delete_post=delete)


@pytest.mark.parametrize("first", [waiting(DATE), waiting(DATE, status="draft"), wire(status="draft")])
@pytest.mark.parametrize("then", [GONE, waiting(DATE, status="cancelled")])
@pytest.mark.parametrize("delete", [DELETED, LOST, error(500), error(409), error(404)])
async def test_a_waiting_post_is_called_off(first, then, delete):
    made, transport, _ = cancelling(first, then, delete=delete)
    assert await made.cancel("post-1") is CancelResult.CANCELLED
    assert transport.operations == ["get_post_details", "delete_post", "get_post_details"]


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (wire(status="processing"), CancelResult.TOO_LATE),
        (wire(status="completed"), CancelResult.TOO_LATE),
        (wire(status="failed"), CancelResult.TOO_LATE),
        (wire(status="unresolved"), CancelResult.TOO_LATE),
        (wire(status="cancelled"), CancelResult.CANCELLED),
        (wire(status="brand_new"), CancelResult.UNKNOWN),
    ],
)
async def test_only_a_waiting_post_is_deleted(first, expected):
    made, transport, _ = cancelling(first)
    assert await made.cancel("post-1") is expected
    assert transport.operations == ["get_post_details"]


@pytest.mark.parametrize(
    ("then", "delete", "expected"),
    [
        (GONE, error(404), CancelResult.CANCELLED),
        (GONE, DELETED, CancelResult.CANCELLED),
        (waiting(DATE, status="cancelled"), DELETED, CancelResult.CANCELLED),
        (GONE, error(400), CancelResult.UNKNOWN),
        (GONE, error(500), CancelResult.UNKNOWN),
        (GONE, LOST, CancelResult.UNKNOWN),
        (error(500), DELETED, CancelResult.UNKNOWN),
        (wire(status="completed"), error(400), CancelResult.TOO_LATE),
    ],
)
async def test_one_that_isn_t_to_be_read_is_deleted_all_the_same(then, delete, expected):
    """A post that was only just made may not be shown yet, and would go out."""
    made, transport, _ = cancelling(GONE, then, delete=delete)
    assert await made.cancel("post-1") is expected
    assert transport.operations == ["get_post_details", "delete_post", "get_post_details"]


@pytest.mark.parametrize(
    ("then", "delete", "expected"),
    [
        (wire(status="processing"), error(400), CancelResult.TOO_LATE),
        (wire(status="completed"), LOST, CancelResult.TOO_LATE),
        (waiting(DATE), LOST, CancelResult.UNKNOWN),
        (waiting(DATE), DELETED, CancelResult.UNKNOWN),
        (wire(status="brand_new"), DELETED, CancelResult.UNKNOWN),
        (error(500), DELETED, CancelResult.UNKNOWN),
    ],
)
async def test_what_is_there_afterwards_decides(then, delete, expected):
    made, _, _ = cancelling(waiting(DATE), then, delete=delete)
    assert await made.cancel("post-1") is expected


async def test_a_refused_deletion_of_a_post_that_still_waits_is_told():
    made, _, _ = cancelling(waiting(DATE), waiting(DATE), delete=error(400, "Can't be deleted."))
    with pytest.raises(BadRequestError, match=r"Can't be deleted\."):
        await made.cancel("post-1")


async def test_a_deletion_that_never_left_is_told():
    made, transport, _ = cancelling(waiting(DATE), delete=ConnectError("no", operation="delete_post", provider="reap"))
    with pytest.raises(ConnectError):
        await made.cancel("post-1")
    assert len(transport.sent) == 2


async def test_a_post_that_vanished_after_its_time_came_may_have_gone_out():
    made, _, clock = cancelling(waiting(NOW + 1), GONE)
    clock.now += 2
    assert await made.cancel("post-1") is CancelResult.UNKNOWN


async def test_delete_is_one_request():
    made, transport, _ = publisher(delete_post=DELETED)
    await made.delete("post-1")
    assert [(r.operation, r.query) for r in transport.sent] == [("delete_post", (("postId", "post-1"),))]
    made, _, _ = publisher(delete_post=error(404))
    with pytest.raises(NotFoundError):
        await made.delete("post-1")


# ---- changing a waiting post


async def test_a_post_is_moved_to_another_time():
    made, transport, _ = publisher(update_post=waiting(NOW + 5000), get_integrations=INTEGRATIONS)
    found = await made.reschedule("post-1", datetime.fromtimestamp(NOW + 4999.5, UTC))
    assert found.scheduled_at.timestamp() == NOW + 5000
    assert transport.sent[0].json == {"postId": "post-1", "scheduleDate": NOW + 5000}


@pytest.mark.parametrize(
    "at",
    [
        datetime(2027, 6, 1),  # noqa: DTZ001
        datetime.fromtimestamp(NOW + 2999, UTC),
        datetime.fromtimestamp(NOW + 367 * 86_400, UTC),
        "tomorrow",
        None,
    ],
)
async def test_a_time_outside_the_window_is_refused_unsent(at):
    made, transport, _ = publisher(update_post=waiting(DATE))
    with pytest.raises(ValidationError) as caught:
        await made.reschedule("post-1", at)
    assert caught.value.problems[0].field == "at"
    assert transport.sent == []


async def test_a_change_is_refused_when_the_wait_for_its_token_ate_the_lead():
    made, transport, clock = publisher(update_post=waiting(DATE))
    real = transport.send

    async def send_late(request, options=None):
        clock.now += 10
        return await real(request, options)

    transport.send = send_late
    with pytest.raises(ValidationError, match="too soon"):
        await made.reschedule("post-1", datetime.fromtimestamp(NOW + 3005, UTC))
    assert transport.sent == []


async def test_texts_and_settings_are_changed():
    made, transport, _ = publisher(
        update_post=waiting(DATE), get_post_details=waiting(DATE), get_integrations=INTEGRATIONS
    )
    settings = {"tiktok": TikTokSettings(disable_duet=True), "linkedin": {"privacy": "public"}}
    await made.update("post-1", title="New", caption="Words", tags=[], settings=settings)
    assert transport.sent[-1].json == {
        "postId": "post-1",
        "title": "New",
        "description": "Words",
        "tags": [],
        "platformSettings": {"tiktok": {"disableDuet": True}},
    }


async def test_limits_of_a_change_are_told_at_once_and_unsent():
    made, transport, _ = publisher()
    with pytest.raises(ValidationError) as caught:
        await made.update("post-1", title="x" * 251, tags=["t"] * 11, settings={"x": {}})
    assert [problem.field for problem in caught.value.problems] == ["title", "tags", "settings.x"]
    assert transport.sent == []


async def test_a_transport_that_was_given_stays_open():
    made, transport, _ = publisher()
    async with made:
        pass
    assert not transport.closed


def test_the_documented_numbers_can_be_replaced():
    limits = evolve(LIMITS, schedule_batch=2)
    made = ReapPublisher(ReapClient("key", transport=FakeTransport()), limits=limits)
    parts = [part(f"c{i}", lead=4000 + i * 300) for i in range(4)]
    assert [len(batch) for batch in made.batches(parts)] == [2, 2]
