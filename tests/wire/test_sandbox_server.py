"""The sandbox over real sockets: keys, limits, faults, headers, the control endpoint, uploads, opening and closing."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from yarl import URL

from reelpub.clocks import LoopClock, ScaledClock
from reelpub.sandbox import (
    AccountSeed,
    Fault,
    FaultKind,
    LimitKind,
    RateLimit,
    ReapDialect,
    ReelMirrorDialect,
    Sandbox,
    describe,
    run_forever,
    seed,
    shell,
)
from reelpub.sandbox.contract import load_contract
from reelpub.testing.answers import judge_answer
from reelpub.testing.virtual import run_virtual

OFF = {"reelmirror": None, "reap": None}
ACCOUNTS, POSTS = "/v1/publishing/accounts", "/v1/publishing/posts"


class Hand:
    """A client that sends exactly what it is told to."""

    def __init__(self, session, sandbox):
        self.session, self.sandbox = session, sandbox

    async def send(self, method, path, *, provider="reelmirror", key=None, headers=None, **rest):
        default = seed.REELMIRROR_KEY if provider == "reelmirror" else seed.REAP_KEY
        sent = {"Authorization": f"Bearer {key or default}", **(headers or {})}
        url = URL(self.sandbox.base_url(provider) + path, encoded=True)
        async with self.session.request(method, url, headers=sent, allow_redirects=False, **rest) as answer:
            return answer, await answer.read()

    async def json(self, method, path, **rest):
        answer, body = await self.send(method, path, **rest)
        return answer.status, json.loads(body) if body else None

    async def draft(self):
        _, body = await self.json("POST", "/v1/generated-posts/demo-generated-post-1/send-to-compose")
        return body["outgoing_post_id"]


class serving:
    """A running sandbox with a client, closed together in the test's own task."""

    def __init__(self, **options):
        self.sandbox = Sandbox(**{"limits": OFF, **options})

    async def __aenter__(self):
        await self.sandbox.start()
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        return self.sandbox, Hand(self.session, self.sandbox)

    async def __aexit__(self, *error):
        await self.session.close()
        await self.sandbox.close()


@pytest.fixture(autouse=True)
def no_errors_in_the_log(caplog):
    """The server's own log stays free of errors, whatever a test does to it."""
    yield
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


async def test_both_providers_answer_their_lists():
    async with serving() as (sandbox, hand):
        assert (await hand.json("GET", ACCOUNTS))[1]["count"] == 4
        status, body = await hand.json("GET", "/get-integrations", provider="reap")
        assert (status, len(body["integrations"])) == (200, 7)
        assert sandbox.environment()["REAP_BASE_URL"].endswith("/api/v1/automation")
        assert [record.provider for record in sandbox.requests()] == ["reelmirror", "reap"]


@pytest.mark.parametrize(
    ("provider", "method", "path", "key", "status"),
    [
        ("reelmirror", "GET", ACCOUNTS, "nobody", 401),
        ("reelmirror", "GET", ACCOUNTS, seed.REELMIRROR_REVOKED_KEY, 401),
        ("reelmirror", "GET", ACCOUNTS, seed.REAP_KEY, 401),
        ("reelmirror", "GET", ACCOUNTS, seed.REELMIRROR_READ_ONLY_KEY, 200),
        ("reelmirror", "POST", "/v1/billing/setup-intent", seed.REELMIRROR_READ_ONLY_KEY, 403),
        ("reelmirror", "GET", "/v1/generated-posts/demo-generated-post-1", seed.REELMIRROR_NO_CONTENT_KEY, 403),
        ("reelmirror", "GET", ACCOUNTS, "extra-key", 200),
        ("reap", "GET", "/get-integrations", seed.REAP_REVOKED_KEY, 401),
        ("reap", "GET", "/get-integrations", seed.REAP_READ_ONLY_KEY, 200),
        ("reap", "DELETE", "/delete-post?postId=x", seed.REAP_READ_ONLY_KEY, 403),
        ("reap", "GET", "/get-integrations", "extra-key", 200),
    ],
)
async def test_keys_open_what_they_may(provider, method, path, key, status):
    async with serving(keys=["extra-key"]) as (sandbox, hand):
        answer, body = await hand.send(method, path, provider=provider, key=key)
        assert answer.status == status
        if status != 200:
            operation = sandbox.requests()[0].operation
            assert judge_answer(load_contract(provider), operation, status, json.loads(body)) == []


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer"}])
async def test_without_a_bearer_key_nothing_is_told(header):
    async with serving() as (sandbox, hand), hand.session.get(sandbox.reelmirror_url + ACCOUNTS, headers=header) as got:
        assert got.status == 401


async def test_sign_up_needs_no_key():
    async with serving() as (sandbox, hand):
        body = {"email": "a@example.com", "password": "12345678"}
        async with hand.session.post(sandbox.reelmirror_url + "/v1/auth/signup", json=body) as answer:
            assert answer.status == 201


@pytest.mark.parametrize(
    ("provider", "method", "path", "status"),
    [
        ("reelmirror", "GET", "/v1/nothing", 404),
        ("reelmirror", "PUT", ACCOUNTS, 405),
        ("reap", "GET", "/publish-clip", 405),
        ("reap", "GET", "/nothing", 404),
        ("reelmirror", "GET", "/v1/personas?limit=x", 400),
        ("reelmirror", "GET", "/v1/personas?limt=1", 400),
        ("reap", "GET", "/get-all-posts?pageSize=101", 422),
        ("reelmirror", "GET", "/v1/personas/..%2F..%2Fx%0A", 404),
    ],
)
async def test_what_the_contract_doesnt_know_is_refused(provider, method, path, status):
    async with serving() as (sandbox, hand):
        answer, body = await hand.send(method, path, provider=provider)
        assert answer.status == status
        assert json.loads(body)["error" if provider == "reelmirror" else "detail"]
        assert ("Allow" in answer.headers) == (status == 405)
        assert sandbox.requests()[0].executed is False


async def test_a_path_outside_of_the_base_isnt_served():
    async with serving() as (sandbox, hand), hand.session.get(sandbox.origin("reap") + "/get-integrations") as answer:
        assert answer.status == 404


async def test_a_body_with_a_misspelt_member_is_refused_before_anything_happens():
    async with serving() as (_, hand):
        status, body = await hand.json("POST", POSTS, json={"items": [], "captn": "x"})
        assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
        assert "body.captn" in body["error"]["message"]
        assert (await hand.json("GET", POSTS))[1]["count"] == 0
        clip = {"projectId": "demo-project-1", "clipId": "demo-clip-1", "integrations": ["i"], "caption": "x"}
        status, body = await hand.json("POST", "/publish-clip", provider="reap", json=clip)
        assert (status, body["detail"][0]["loc"]) == (422, ["body", "caption"])


async def test_the_limit_refuses_with_headers_and_counts():
    limits = {"reelmirror": RateLimit(limit=2, window=60, kind=LimitKind.SLIDING_LOG), "reap": None}
    async with serving(limits=limits) as (sandbox, hand):
        before = time.time()
        answers = [(await hand.send("GET", ACCOUNTS))[0] for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
        assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"2"}
        assert before + 60 <= int(answers[2].headers["X-RateLimit-Reset"]) <= before + 62
        other, _ = await hand.send("GET", ACCOUNTS, key=seed.REELMIRROR_READ_ONLY_KEY)
        assert other.status == 200
        refused, _ = await hand.send("GET", "/v1/nothing")
        assert refused.headers["X-RateLimit-Limit"] == "2"
        assert (sandbox.rejections("reelmirror"), sandbox.rejections("reap")) == (1, 0)


async def test_a_limit_may_keep_silent():
    limits = {"reelmirror": RateLimit(limit=1, headers=False)}
    async with serving(limits=limits) as (_, hand):
        answers = [(await hand.send("GET", ACCOUNTS))[0] for _ in range(2)]
        assert answers[1].status == 429
        assert not any(name.startswith("X-RateLimit") for answer in answers for name in answer.headers)


@pytest.mark.parametrize(("scope", "statuses"), [("key", [200, 429]), ("endpoint", [200, 200])])
async def test_reaps_limit_counts_the_key_or_each_endpoint(scope, statuses):
    dialect = ReapDialect(limit_scope=scope)
    async with serving(limits={"reap": RateLimit(limit=1)}, reap=dialect) as (_, hand):
        paths = ("/get-integrations", "/get-all-posts")
        assert [(await hand.send("GET", path, provider="reap"))[0].status for path in paths] == statuses


async def test_dates_follow_the_sandboxs_clock():
    clock = ScaledClock(30, origin=time.time())
    async with serving(clock=clock) as (_, hand):
        answer, _ = await hand.send("GET", ACCOUNTS)
        said = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        assert clock.time() - 30 <= said <= clock.time()


async def test_the_time_may_be_the_loops():
    async with serving(clock=LoopClock(epoch=1_000_000_000.0)) as (_, hand):
        answer, _ = await hand.send("GET", ACCOUNTS)
        assert parsedate_to_datetime(answer.headers["Date"]).year < 2010


def test_it_lives_under_a_loop_whose_time_is_virtual():
    """A post scheduled in an hour is live after a wait that takes no real time."""

    async def main(clock):
        async with serving(clock=clock, keepalive=1e9) as (sandbox, hand):
            path = f"{POSTS}/{await hand.draft()}"
            when = datetime.fromtimestamp(clock.time() + 3600, UTC).isoformat()
            await hand.send("POST", f"{path}/schedule", json={"scheduled_for": when})
            await clock.sleep(3599)
            waiting = (await hand.json("GET", path))[1]["post"]["status"], sandbox.live()
            await clock.sleep(62)
            return waiting, (await hand.json("GET", path))[1]["post"]["status"], len(sandbox.live())

    begun = time.perf_counter()
    assert run_virtual(main) == (("scheduled", []), "published", 2)
    assert time.perf_counter() - begun < 3


@pytest.mark.parametrize("kind", [FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER])
async def test_a_lost_answer_is_a_closed_connection_with_or_without_effect(kind):
    async with serving() as (sandbox, hand):
        sandbox.order(Fault(kind, operation="createOutgoingPost"))
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await hand.send("POST", POSTS, json={"items": []})
        record = sandbox.requests("reelmirror")[0]
        assert (record.status, record.fault, record.executed) == (None, kind, kind is FaultKind.LOST_AFTER)
        assert (await hand.json("GET", POSTS))[1]["count"] == int(record.executed)


@pytest.mark.parametrize("kind", [FaultKind.HANG_BEFORE, FaultKind.HANG_AFTER])
async def test_a_hanging_call_ends_when_its_client_leaves(kind):
    async with serving() as (sandbox, hand):
        sandbox.order(Fault(kind))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hand.send("POST", POSTS, json={"items": []}), 0.05)
        await settled(lambda: len(asyncio.all_tasks()) == 1)
        assert sandbox.requests("reelmirror")[0].executed is (kind is FaultKind.HANG_AFTER)


async def settled(condition):
    """Wait up to a second of real time for *condition*, in steps of a millisecond."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it didn't settle")


@pytest.mark.parametrize("fault", [Fault(FaultKind.HANG_BEFORE), Fault(FaultKind.SLOW_BODY, seconds=600)])
async def test_closing_is_quick_whatever_hangs(fault):
    async with serving() as (sandbox, hand):
        sandbox.order(fault)
        call = asyncio.create_task(hand.send("POST", POSTS, json={"items": []}))
        await settled(sandbox.requests)
        begun = time.perf_counter()
        await sandbox.close()
        assert time.perf_counter() - begun < 0.5
        with pytest.raises(aiohttp.ClientError):
            await call


async def test_a_reset_comes_in_the_middle_of_a_body():
    async with serving() as (sandbox, hand):
        sandbox.order(Fault(FaultKind.RESET_IN_BODY, operation="createOutgoingPost"))
        with pytest.raises((aiohttp.ClientPayloadError, ConnectionResetError)):
            await hand.send("POST", POSTS, json={"items": []})
        assert (await hand.json("GET", POSTS))[1]["count"] == 1


async def test_a_pooled_connection_is_closed_on_its_next_use_and_nothing_is_carried_out():
    async with serving() as (sandbox, hand):
        sandbox.order(Fault(FaultKind.CLOSE_POOLED, operation="listConnectedAccounts"))
        assert (await hand.send("GET", ACCOUNTS))[0].status == 200
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await hand.send("POST", POSTS, json={"items": []})
        assert (await hand.json("GET", POSTS))[1]["count"] == 0
        first, second, third = sandbox.requests("reelmirror")
        assert [one.on_connection_reused for one in (first, second, third)] == [False, True, False]
        assert (second.operation, second.status, second.executed) == ("createOutgoingPost", None, False)


async def test_a_doomed_connection_may_ask_for_anything():
    async with serving() as (sandbox, hand):
        sandbox.order(Fault(FaultKind.CLOSE_POOLED))
        await hand.send("GET", ACCOUNTS)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await hand.send("POST", "/v1/nothing")
        assert sandbox.requests("reelmirror")[1].operation is None


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        (Fault(FaultKind.RATE_LIMITED, seconds=7), 429, {"X-RateLimit-Remaining": "0"}),
        (Fault(FaultKind.RETRY_AFTER, seconds=7), 429, {"Retry-After": "7"}),
        (Fault(FaultKind.PAYMENT_REQUIRED), 402, {}),
        (Fault(FaultKind.FORBIDDEN), 403, {}),
        (Fault(FaultKind.CONFLICT, text="Twice."), 409, {}),
    ],
)
async def test_an_ordered_refusal_looks_like_the_providers_own(fault, status, headers):
    async with serving() as (sandbox, hand):
        sandbox.order(fault)
        answer, body = await hand.send("POST", POSTS, json={"items": []})
        assert answer.status == status
        assert headers.items() <= dict(answer.headers).items()
        assert judge_answer(load_contract("reelmirror"), "createOutgoingPost", status, json.loads(body)) == []
        assert (sandbox.rejections(), sandbox.requests()[0].executed) == (0, False)
        assert status != 409 or json.loads(body)["error"]["message"] == "Twice."


async def test_an_ordered_429_may_come_bare_or_with_a_date():
    async with serving(limits={"reelmirror": RateLimit(limit=60)}) as (sandbox, hand):
        sandbox.order(Fault(FaultKind.RATE_LIMITED_BARE), Fault(FaultKind.RETRY_AFTER, seconds=90, text="date"))
        bare, _ = await hand.send("GET", ACCOUNTS)
        assert not any(name.startswith(("X-RateLimit", "Retry")) for name in bare.headers)
        dated, _ = await hand.send("GET", ACCOUNTS)
        ahead = parsedate_to_datetime(dated.headers["Retry-After"]).timestamp() - time.time()
        assert 87 <= ahead <= 90
        fine, _ = await hand.send("GET", ACCOUNTS)
        assert fine.headers["X-RateLimit-Remaining"] == "57"


@pytest.mark.parametrize(
    ("kind", "status", "executed"),
    [(FaultKind.HTML_500, 500, 0), (FaultKind.HTML_502, 502, 0), (FaultKind.HTML_502_AFTER, 502, 1)],
)
async def test_a_gateway_answers_in_html(kind, status, executed):
    async with serving() as (sandbox, hand):
        sandbox.order(Fault(kind))
        answer, body = await hand.send("POST", POSTS, json={"items": []})
        assert (answer.status, answer.content_type) == (status, "text/html")
        assert body.startswith(b"<html>")
        assert (await hand.json("GET", POSTS))[1]["count"] == executed


async def test_bodies_come_slowly_cut_mistyped_or_far_too_big():
    async with serving(reelmirror=ReelMirrorDialect(write_answer="empty_204")) as (sandbox, hand):
        post_id = await hand.draft()
        sandbox.order(
            *(
                Fault(kind, seconds=0.02, operation="getOutgoingPost")
                for kind in (
                    FaultKind.SLOW_BODY,
                    FaultKind.TRUNCATED_JSON,
                    FaultKind.WRONG_CONTENT_TYPE,
                    FaultKind.BIG_BODY,
                )
            )
        )
        path = f"{POSTS}/{post_id}"
        status, _ = await hand.json("GET", path)
        assert status == 200
        _, cut = await hand.send("GET", path)
        with pytest.raises(json.JSONDecodeError):
            json.loads(cut)
        mistyped, body = await hand.send("GET", path)
        assert (mistyped.content_type, json.loads(body)["post"]["id"]) == ("text/plain", post_id)
        _, big = await hand.send("GET", path)
        assert len(big) == 50 * 1024 * 1024
        for kind in (FaultKind.TRUNCATED_JSON, FaultKind.SLOW_BODY):
            sandbox.order(Fault(kind, seconds=0.0, operation="updateOutgoingPost"))
            answer, body = await hand.send("PATCH", path, json={"caption": "x"})
            assert (answer.status, len(body) > 0) == (200, True)


async def test_a_big_body_ends_with_the_sandbox():
    async with serving() as (sandbox, hand):
        sandbox.order(Fault(FaultKind.BIG_BODY))
        headers = {"Authorization": f"Bearer {seed.REELMIRROR_KEY}"}
        async with hand.session.get(sandbox.reelmirror_url + ACCOUNTS, headers=headers) as answer:
            await answer.content.readany()
            await sandbox.close()
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()


async def test_a_redirect_leads_to_another_origin():
    async with serving() as (sandbox, hand):
        sandbox.order(Fault(FaultKind.REDIRECT), Fault(FaultKind.REDIRECT, text="http://127.0.0.1:1/x"))
        answers = [(await hand.send("GET", ACCOUNTS))[0] for _ in range(2)]
        assert [one.headers["Location"] for one in answers] == ["http://elsewhere.invalid/", "http://127.0.0.1:1/x"]
        assert {one.status for one in answers} == {302}


async def test_what_is_live_is_told_by_provider_and_key():
    clock = LoopClock()
    async with serving(clock=clock, reelmirror=ReelMirrorDialect(approve_again="new_post")) as (sandbox, hand):
        for _ in range(2):
            await hand.send("POST", "/v1/generated-posts/demo-generated-post-1/approve")
        assert sandbox.live() == []
        clock.epoch += 61
        assert len(sandbox.live("reelmirror", seed.REELMIRROR_KEY)) == 4
        assert len(sandbox.duplicates()) == 2
        assert sandbox.live("reap") == sandbox.live(key="nobody") == []


async def control(hand, method, path, *, provider="reelmirror", **rest):
    async with hand.session.request(method, f"{hand.sandbox.origin(provider)}/__sandbox__/{path}", **rest) as answer:
        return answer.status, await answer.json()


async def test_the_control_endpoint_orders_and_forgets_faults():
    async with serving() as (sandbox, hand):
        status, body = await control(hand, "POST", "faults", json={"kind": "html_502"})
        assert (status, body["faults"][0]["provider"]) == (201, "reelmirror")
        assert (await hand.send("GET", ACCOUNTS))[0].status == 502
        await control(hand, "POST", "faults", json=[{"kind": "stuck"}, {"kind": "html_500", "provider": "reap"}])
        assert len((await control(hand, "GET", "faults"))[1]["faults"]) == 2
        await control(hand, "DELETE", "faults")
        assert sandbox.faults.open_orders() == []


@pytest.mark.parametrize("body", [b"{", b'{"kind": "odd"}', b'{"kind": "stuck", "odd": 1}', b"[1]"])
async def test_the_control_endpoint_says_what_it_cant_read(body):
    async with serving() as (_, hand):
        status, answer = await control(hand, "POST", "faults", data=body)
        assert (status, bool(answer["error"])) == (400, True)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"kind": "lost_aftr"}, r"^kind: there is no 'lost_aftr', did you mean lost_after\? There are big_body, "),
        ({}, r"^kind: is missing; there are big_body, "),
        ({"kind": ["stuck"]}, r"^kind: there is no \['stuck'\]; there are big_body, "),
        ({"operation": "publishClipp"}, r"^operation: there is no 'publishClipp', did you mean publishClip\? There"),
        ({"operation": "publishOutgoingPost"}, r"^operation: reap has no 'publishOutgoingPost', reelmirror has"),
        ({"operation": 5}, r"^operation: there is no 5; there are .*, publishClip, "),
        ({"oparation": "publishClip"}, r"^member: there is no 'oparation', did you mean operation\? There are acc"),
        ({"provider": "Reap"}, r"^provider: there is no 'Reap', did you mean reap\? There are reap, reelmirror$"),
        ({"provider": None, "operation": "publish"}, r"^operation: there is no 'publish', .*, publishOutgoingPost, "),
    ],
)
async def test_a_fault_that_could_never_happen_is_refused_with_the_names_that_there_are(members, told):
    """It would be waited for in vain; and of several none is ordered."""
    async with serving() as (sandbox, hand):
        body = [{"kind": "stuck"}, {} if "kind" in members or not members else {"kind": "html_502"}]
        body[1] |= members
        status, answer = await control(hand, "POST", "faults", provider="reap", json=body)
        assert status == 400
        assert re.search(told, answer["error"]), answer["error"]
        assert sandbox.faults.open_orders() == []


async def test_a_fault_of_either_provider_may_name_any_operation():
    async with serving() as (sandbox, hand):
        for operation in ("publishClip", "publishOutgoingPost"):
            order = {"kind": "stuck", "provider": None, "operation": operation}
            assert (await control(hand, "POST", "faults", json=order))[0] == 201
        assert [fault.operation for fault in sandbox.faults.open_orders()] == ["publishClip", "publishOutgoingPost"]
        with pytest.raises(ValueError, match="did you mean publishClip"):
            sandbox.order(Fault(FaultKind.STUCK, operation="publishclip"))


async def test_the_control_endpoint_counts_and_isnt_counted():
    clock = LoopClock()
    async with serving(clock=clock, limits={"reelmirror": RateLimit(limit=1)}) as (_, hand):
        await hand.send("POST", "/v1/generated-posts/demo-generated-post-1/approve")
        await hand.send("GET", "/v1/nothing")
        await hand.send("GET", ACCOUNTS)
        counts = (await control(hand, "GET", "requests"))[1]
        assert (counts["count"], counts["rejections"]) == (3, 1)
        assert counts["by_status"] == {"200": 1, "404": 1, "429": 1}
        assert counts["by_operation"]["unknown"] == 1
        assert (await control(hand, "GET", "requests?provider=reap"))[1]["count"] == 0
        clock.epoch += 61
        live = (await control(hand, "GET", "live", provider="reap"))[1]
        assert (len(live["live"]), live["duplicates"]) == (2, 0)
        assert seed.REELMIRROR_KEY not in json.dumps(live)


async def test_the_control_endpoint_connects_accounts():
    async with serving() as (_, hand):
        status, made = await control(hand, "POST", "accounts", json={"platform": "tiktok", "username": "new"})
        assert (status, made["status"]) == (201, "active")
        assert (await hand.json("GET", ACCOUNTS))[1]["count"] == 5
        assert (await control(hand, "POST", "accounts", json={"platform": "tiktok"}))[0] == 400
        assert (await control(hand, "GET", "nothing"))[0] == 404
        assert "reap" in (await control(hand, "GET", ""))[1]["keys"]


async def test_accounts_are_connected_from_python_too():
    async with serving() as (sandbox, hand):
        sandbox.connect_account("reap", AccountSeed(id="a" * 24, platform="x", username="new"))
        assert len((await hand.json("GET", "/get-integrations", provider="reap"))[1]["integrations"]) == 8


async def upload_address(hand):
    _, body = await hand.json("POST", "/get-upload-url", provider="reap", json={"filename": "a.mp4"})
    return body["uploadUrl"]


async def test_a_file_is_put_to_its_presigned_address():
    async with serving() as (sandbox, hand):
        url = await upload_address(hand)
        assert url.startswith(sandbox.origin("reap") + "/__uploads__/")
        async with hand.session.put(url, data=b"x" * 300_000, headers={"Content-Type": "video/mp4"}) as answer:
            assert answer.status == 200
        (record,) = sandbox.uploads()
        assert (record.received, record.content_length, record.had_authorization) == (300_000, 300_000, False)


async def chunks():
    yield b"xyz"


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("PUT", {"data": b"x", "headers": {"Content-Type": "video/mp4", "Authorization": "Bearer x"}}),
        ("PUT", {"data": b"x", "headers": {"Content-Type": "text/plain"}}),
        ("PUT", {"chunked": True, "headers": {"Content-Type": "video/mp4"}}),
        ("POST", {"data": b"x", "headers": {"Content-Type": "video/mp4"}}),
    ],
)
async def test_a_wrong_upload_is_refused_and_remembered(method, rest):
    async with serving() as (sandbox, hand):
        chunked = rest.pop("chunked", False)
        data = chunks() if chunked else rest.pop("data")
        async with hand.session.request(method, await upload_address(hand), data=data, **rest) as answer:
            assert 400 <= answer.status <= 501
            assert "<Message>" in await answer.text()
        (record,) = sandbox.uploads()
        assert (record.status, record.was_chunked) == (answer.status, chunked)
        assert record.had_authorization is ("Authorization" in rest["headers"])


async def test_a_multipart_form_is_taken():
    async with serving() as (_, hand):
        form = aiohttp.FormData({"category": "avatar", "persona_id": seed.PERSONA})
        form.add_field("file", b"\x89PNG\r\n" * 1000, filename="a.png", content_type="image/png")
        status, body = await hand.json("POST", "/v1/uploads", data=form)
        assert (status, body["data"]["category"]) == (201, "avatar")


async def test_an_observer_is_given_whole_exchanges_without_the_key():
    seen = []
    async with serving(observer=seen.append) as (sandbox, hand):
        sandbox.order(Fault(FaultKind.LOST_AFTER, operation="createOutgoingPost"))
        await hand.send("GET", "/v1/personas?limit=5")
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await hand.send("POST", POSTS, json={"items": []})
        read, lost = seen
        assert (read.path, read.query, read.status) == ("/api/v1/personas", "limit=5", 200)
        assert json.loads(read.response_body)["count"] == 1
        assert read.response_headers["Content-Type"] == "application/json"
        assert (json.loads(lost.request_body), lost.status, lost.response_body) == ({"items": []}, None, b"")
        assert lost.fault is FaultKind.LOST_AFTER
        assert seed.REELMIRROR_KEY not in repr(seen)


async def test_a_body_too_large_to_hold_is_refused():
    async with serving() as (sandbox, hand):
        large = io.BytesIO(b'{"name": "' + b"x" * (shell.LARGEST_BODY + 2**20) + b'"}')
        kind = {"Content-Type": "application/json"}
        status, body = await hand.json("POST", "/v1/personas", data=large, headers=kind)
        assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
        assert sandbox.requests()[0].executed is False


async def test_an_integer_beyond_64_bits_does_no_harm():
    async with serving() as (_, hand):
        await hand.send("POST", "/v1/billing/setup-intent")
        status, body = await hand.json("POST", "/v1/publishing/accounts/slots", json={"slots": 10**30})
        assert (status, body["data"]["purchased"]) == (200, 10**30 * 1.0)


async def test_many_connections_are_forgotten_when_they_are_closed():
    from reelpub.sandbox.connections import Connections

    alive = {1}
    connections = Connections(lambda: alive)
    for protocol in range(1, 1001):
        connections.note(protocol)
    assert connections.note(1001).requests == 1
    assert connections.note(1).is_reused
    assert not connections.note(2).is_reused


async def test_outside_of_its_life_a_sandbox_has_no_address():
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="isn't running"):
        _ = sandbox.reelmirror_url
    async with sandbox:
        assert sandbox.reap_url.startswith("http://127.0.0.1:")
    with pytest.raises(RuntimeError):
        _ = sandbox.reap_url


async def test_a_sandbox_can_be_opened_again_with_all_that_it_had():
    async with serving() as (sandbox, hand):
        await hand.send("POST", POSTS, json={"items": []})
        await sandbox.close()
        await sandbox.start()
        assert (await hand.json("GET", POSTS))[1]["count"] == 1


async def test_a_taken_port_is_told_and_leaves_nothing_open():
    async with serving() as (sandbox, _):
        taken = int(sandbox.origin("reap").rpartition(":")[2])
        second = Sandbox(ports={"reap": taken})
        with pytest.raises(OSError, match="address already in use"):
            await second.start()
        with pytest.raises(RuntimeError):
            _ = second.reelmirror_url


async def test_it_serves_until_cancelled_and_says_what_it_holds():
    told = []
    sandbox = Sandbox()
    served = asyncio.create_task(run_forever(sandbox, {"reap": 0}, on_start=lambda one: told.append(describe(one))))
    await settled(lambda: told)
    for word in (seed.REELMIRROR_KEY, seed.REAP_KEY, seed.PERSONA, "instagram:acme", "/__sandbox__/faults"):
        assert word in told[0]
    served.cancel()
    with pytest.raises(asyncio.CancelledError):
        await served
    with pytest.raises(RuntimeError):
        _ = sandbox.reap_url
