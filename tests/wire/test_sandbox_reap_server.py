"""The sandbox's Reap over real HTTP: what the shell adds to the state machine, seen as a client sees it."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import ClientSession

from reelpub.sandbox import REAP_ACCOUNTS, REAP_KEY, Fault, FaultKind, RateLimit, ReapDialect, Sandbox
from reelpub.sandbox.seed import REAP_READ_ONLY_KEY, REAP_REVOKED_KEY

NOW = 1_800_000_000.0
TIKTOK, YOUTUBE = REAP_ACCOUNTS[0].id, REAP_ACCOUNTS[1].id
CLIP = {"projectId": "demo-project-1", "clipId": "demo-clip-1"}


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = NOW

    def time(self):
        return self.now

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        self.now += max(0.0, seconds)


class Reap:
    """A running sandbox with a session that holds the seeded key."""

    def __init__(self, key=REAP_KEY, **options):
        self.clock = HandClock()
        self.sandbox = Sandbox(clock=self.clock, **{"limits": {"reap": None}, **options})
        self.headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    async def __aenter__(self):
        await self.sandbox.start()
        self.session = ClientSession(headers=self.headers)
        return self

    async def __aexit__(self, *error):
        await self.session.close()
        await self.sandbox.close()

    async def __call__(self, method, name, *, params=None, **kwargs):
        address = f"{self.sandbox.reap_url}/{name}"
        async with self.session.request(method, address, params=params, **kwargs) as response:
            self.answer_headers = response.headers
            return response.status, await response.json()

    async def publish(self, **members):
        return await self("POST", "publish-clip", json={**CLIP, "integrations": [TIKTOK], **members})


async def test_a_published_clip_goes_live_within_a_minute():
    async with Reap() as reap:
        status, post = await reap.publish(integrations=[TIKTOK, YOUTUBE], title="T", tags=["a"])
        assert (status, post["status"]) == (200, "processing")
        assert reap.sandbox.live() == []
        reap.clock.now += 60
        status, post = await reap("GET", "get-post-details", params={"postId": post["id"]})
        assert (status, post["status"], set(post["urls"])) == (200, "completed", {TIKTOK, YOUTUBE})
        assert [record.account_id for record in reap.sandbox.live("reap", REAP_KEY)] == [TIKTOK, YOUTUBE]
        await reap.publish()
        reap.clock.now += 60
        assert [record.account_id for record in reap.sandbox.duplicates("reap")] == [TIKTOK]


async def test_scheduled_posts_fire_without_any_call():
    async with Reap() as reap:
        rows = [CLIP, {**CLIP, "clipId": "demo-clip-404"}, {**CLIP, "clipId": "demo-clip-2"}]
        body = {"clips": rows, "integrations": [TIKTOK], "scheduleDate": int(NOW) + 3000, "intervalSeconds": 600}
        status, answer = await reap("POST", "schedule-clips", json=body)
        assert (status, [row["index"] for row in answer["failed"]]) == (200, [1])
        reap.clock.now += 3000 + 1200 + 60
        assert [int(record.at - NOW) // 600 for record in reap.sandbox.live()] == [5, 7]


@pytest.mark.parametrize(
    ("method", "name", "body", "where"),
    [
        ("POST", "publish-clip", {**CLIP, "integrations": [TIKTOK], "titel": "x"}, ["body", "titel"]),
        ("POST", "publish-clip", {**CLIP}, ["body", "integrations"]),
        ("POST", "publish-clip", {**CLIP, "integrations": []}, ["body", "integrations"]),
        ("POST", "publish-clip", {**CLIP, "integrations": [TIKTOK], "tags": ["t"] * 11}, ["body", "tags"]),
        ("POST", "publish-clip", {**CLIP, "clipId": 7, "integrations": [TIKTOK]}, ["body", "clipId"]),
        ("POST", "publish-clip", {**CLIP, "clipId": "", "integrations": [TIKTOK]}, ["body", "clipId"]),
        (
            "POST",
            "schedule-clips",
            {"clips": [CLIP] * 51, "integrations": [TIKTOK], "scheduleDate": int(NOW) + 4000},
            ["body", "clips"],
        ),
        (
            "POST",
            "schedule-clips",
            {"clips": [CLIP], "integrations": [TIKTOK], "scheduleDate": int(NOW) + 4000, "intervalSeconds": 299},
            ["body", "intervalSeconds"],
        ),
        ("POST", "get-upload-url", None, ["body"]),
        ("GET", "get-all-posts?pageSize=101", None, ["query", "pageSize"]),
        ("GET", "get-all-posts?page=0", None, ["query", "page"]),
        ("GET", "get-all-posts?status=odd", None, ["query", "status", 0]),
        ("GET", "get-post-details", None, ["query", "postId"]),
        ("GET", "get-post-details?postId=", None, ["query", "postId"]),
        ("DELETE", "delete-post", None, ["query", "postId"]),
    ],
)
async def test_what_breaks_the_schema_is_a_422_with_the_place(method, name, body, where):
    async with Reap() as reap:
        status, answer = await reap(method, name, **({} if body is None else {"json": body}))
        assert status == 422
        assert where in [problem["loc"] for problem in answer["detail"]]
        assert (await reap("GET", "get-all-posts"))[1]["totalPosts"] == 0


async def test_a_bad_date_is_answered_as_the_dialect_says():
    body = {"clips": [CLIP], "integrations": [TIKTOK], "scheduleDate": int(NOW) + 2999}
    async with Reap() as reap:
        status, answer = await reap("POST", "schedule-clips", json=body)
        assert (status, isinstance(answer["detail"], str)) == (400, True)
    async with Reap(reap=ReapDialect(bad_date_status=422)) as reap:
        status, answer = await reap("POST", "schedule-clips", json=body)
        assert (status, answer["detail"][0]["loc"]) == (422, ["body", "scheduleDate"])


@pytest.mark.parametrize(
    ("key", "reading", "writing"),
    [(REAP_KEY, 200, 200), (REAP_READ_ONLY_KEY, 200, 403), (REAP_REVOKED_KEY, 401, 401), (None, 401, 401)],
)
async def test_keys_open_what_they_may(key, reading, writing):
    async with Reap(key) as reap:
        assert (await reap("GET", "get-integrations"))[0] == reading
        status, answer = await reap.publish()
        assert status == writing
        assert status == 200 or isinstance(answer["detail"], str)


async def test_the_wrong_verb_and_the_wrong_path():
    async with Reap() as reap:
        assert (await reap("GET", "get-upload-url"))[0] == 405
        assert (await reap("GET", "get-all-the-posts"))[0] == 404
        assert await reap("GET", "get-post-details", params={"postId": "f" * 24}) == (404, {"detail": "Post not found"})


async def test_ten_requests_a_minute_for_each_key():
    async with Reap(limits={"reap": RateLimit(limit=10)}) as reap:
        answers = [(await reap("GET", "get-plan-usage"))[0] for _ in range(9)]
        answers.append((await reap("GET", "get-integrations"))[0])
        assert answers == [200] * 10
        assert reap.answer_headers["X-RateLimit-Remaining"] == "0"
        assert (await reap("GET", "get-plan-usage"))[0] == 429
        assert float(reap.answer_headers["X-RateLimit-Reset"]) > NOW
        assert reap.sandbox.rejections("reap") == 1
        reap.clock.now += 60
        assert (await reap("GET", "get-plan-usage"))[0] == 200


async def test_the_limit_can_count_each_endpoint_apart():
    async with Reap(limits={"reap": RateLimit(limit=2)}, reap=ReapDialect(limit_scope="endpoint")) as reap:
        for name in ("get-plan-usage", "get-integrations"):
            assert [(await reap("GET", name))[0] for _ in range(3)] == [200, 200, 429]


async def test_a_list_takes_a_repeated_status():
    async with Reap() as reap:
        for _ in range(3):
            await reap.publish()
        params = [("status", "processing"), ("status", "draft"), ("pageSize", "2"), ("page", "2")]
        status, answer = await reap("GET", "get-all-posts", params=params)
        assert (status, len(answer["posts"]), answer["totalPages"], answer["totalPosts"]) == (200, 1, 2, 3)
        assert (await reap("GET", "get-all-posts", params={"status": "failed"}))[1]["posts"] == []


async def test_an_upload_takes_bytes_without_the_key_and_makes_a_project():
    async with Reap() as reap:
        _, target = await reap("POST", "get-upload-url", json={"filename": "a.mp4"})
        assert target["uploadUrl"].startswith(reap.sandbox.origin("reap"))
        put = {"data": b"x" * 1000, "headers": {"Content-Type": "video/mp4"}}
        async with ClientSession() as stranger, stranger.put(target["uploadUrl"], **put) as response:
            assert response.status == 200
        status, project = await reap("POST", "create-reframe", json={"uploadId": target["id"]})
        assert (status, project["status"], project["title"]) == (200, "queued", "a.mp4")
        _, uploads = await reap("GET", "get-all-uploads")
        assert (uploads["uploads"][0]["fileSize"], uploads["uploads"][0]["status"]) == (1000, "verified")


async def test_an_upload_refuses_the_key_and_chunks():
    async with Reap() as reap:
        _, target = await reap("POST", "get-upload-url", json={"filename": "a.mp4"})
        headers = {"Content-Type": "video/mp4"}
        async with reap.session.put(target["uploadUrl"], data=b"x", headers=headers) as response:
            assert response.status == 400

        async def chunks():
            yield b"x"

        put = {"data": chunks(), "headers": headers}
        async with ClientSession() as stranger, stranger.put(target["uploadUrl"], **put) as response:
            assert response.status == 501
        records = reap.sandbox.uploads()
        assert [(record.had_authorization, record.was_chunked) for record in records] == [(True, False), (False, True)]


async def test_a_lost_answer_leaves_a_post_that_a_list_shows():
    """The fault that the whole SDK is about: the caller can't know, the list can."""
    async with Reap() as reap:
        reap.sandbox.order(Fault(FaultKind.LOST_AFTER, operation="publishClip"))
        with pytest.raises(aiohttp.ClientError):
            await reap.publish(title="unique")
        _, answer = await reap("GET", "get-all-posts", params={"createdAfter": int(NOW) - 5})
        assert [post["title"] for post in answer["posts"]] == ["unique"]


async def test_an_account_that_fails_once_leaves_the_post_unresolved():
    async with Reap() as reap:
        reap.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, provider="reap", account="youtube:acme"))
        _, post = await reap.publish(integrations=[TIKTOK, YOUTUBE])
        reap.clock.now += 60
        _, post = await reap("GET", "get-post-details", params={"postId": post["id"]})
        assert (post["status"], post["failedPlatforms"]) == ("unresolved", ["youtube"])


async def test_an_account_can_be_connected_while_it_runs():
    async with Reap() as reap:
        account = {"id": "aa" * 12, "platform": "x", "username": "new"}
        address = f"{reap.sandbox.origin('reap')}/__sandbox__/accounts"
        async with reap.session.post(address, json=account) as response:
            assert response.status == 201
        assert (await reap.publish(integrations=["aa" * 12]))[0] == 200
