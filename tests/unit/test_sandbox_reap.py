"""The sandbox's Reap as a pure state machine: rules, times, faults, and the shape of every answer."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from allpairspy import AllPairs
from jsonschema import Draft202012Validator

from reelpub.sandbox import seed
from reelpub.sandbox.dialect import ReapDialect
from reelpub.sandbox.faults import Fault, FaultBook, FaultKind
from reelpub.sandbox.ledger import Ledger
from reelpub.sandbox.reap import ReapProvider
from reelpub.sandbox.reap.handlers import HANDLERS
from reelpub.sandbox.seed import AccountSeed
from reelpub.sandbox.wire import Call, Refusal

CONTRACT = yaml.safe_load((Path(__file__).parents[2] / "docs/contracts/reap.openapi.yaml").read_text(encoding="utf-8"))
NOW = 1_800_000_000.0
TIKTOK, YOUTUBE, INSTAGRAM, LINKEDIN, X, TIKTOK_TWO, YOUTUBE_OLD = (account.id for account in seed.REAP_ACCOUNTS)
METHODS = {
    operation["operationId"]: (path, method, operation)
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
}


class Reap:
    """A provider with a hand on its clock; every answer is checked against the contract, closed."""

    def __init__(self, faults=(), **dialect):
        self.book, self.ledger, self.now = FaultBook(), Ledger(), NOW
        for fault in faults:
            self.book.order(fault)
        self.provider = ReapProvider(ReapDialect(**dialect), 7, self.ledger, self.book)

    def __call__(self, operation, *, query=None, **body):
        call = Call(operation=operation, key="k" * 20, query=query or {}, body=body or None, now=self.now)
        answer = self.provider.handle(call).body
        check_answer(operation, answer)
        return answer

    def refusal(self, operation, *, query=None, **body):
        with pytest.raises(Refusal) as caught:
            self(operation, query=query, **body)
        refusal = caught.value
        assert str(refusal.status) in METHODS[operation][2]["responses"], "a status that the contract doesn't name"
        detail = self.provider.error(refusal)["detail"]
        return refusal.status, detail

    def publish(self, *integrations, clip="demo-clip-1", project="demo-project-1", **members):
        body = {"projectId": project, "clipId": clip, "integrations": list(integrations or [TIKTOK]), **members}
        return self("publishClip", **body)

    def schedule(self, clips=1, date=None, **members):
        rows = [{"projectId": "demo-project-1", "clipId": f"demo-clip-{n}"} for n in range(1, clips + 1)]
        body = {"clips": rows, "integrations": [TIKTOK], "scheduleDate": date or int(self.now) + 3600, **members}
        return self("scheduleClips", **body)

    def post(self, post_id):
        return self("getPostDetails", query={"postId": post_id})

    def ended(self, post_id):
        self.now += 61
        return self.post(post_id)

    def upload(self, *, size=10, content_type="video/mp4", has_authorization=False, chunked=False, upload_id=None):
        upload_id = upload_id or self("getUploadUrl", filename="a.mp4")["id"]
        self.provider.advance(self.now)
        self.provider.upload_put(
            upload_id, size=size, content_type=content_type, has_authorization=has_authorization, chunked=chunked
        )
        return upload_id


def closed(schema):
    """Return the schema with unknown members refused wherever it lists properties."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: closed(value) for name, value in schema.items()}
    if "properties" in copy and "additionalProperties" not in copy:
        copy["additionalProperties"] = False
    return copy


SCHEMAS = closed(CONTRACT["components"]["schemas"])
# allOf and a closed part contradict each other: the whole is closed instead.
SCHEMAS["UploadTarget"] = {
    "type": "object",
    "properties": SCHEMAS["Upload"]["properties"] | {"uploadUrl": {"type": "string"}},
    "additionalProperties": False,
}


def check_answer(operation, answer):
    schema = METHODS[operation][2]["responses"]["200"]["content"]["application/json"]["schema"]
    whole = {**closed(schema), "components": {"schemas": SCHEMAS}}
    problems = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(answer)]
    assert not problems, problems


def test_every_operation_of_the_contract_has_a_handler():
    """The table of handlers and the contract name the same 29 operations."""
    assert set(HANDLERS) == set(METHODS)
    assert len(HANDLERS) == 29


def every_operation(reap):
    """Call all 29 operations once with success, and return which ones were called."""
    called = set()

    def call(operation, **members):
        called.add(operation)
        return reap(operation, **members)

    for operation in [
        "getIntegrations",
        "getTranslationLanguages",
        "getDubbingLanguages",
        "getPlanUsage",
        "getAllPresets",
        "getAllProjects",
    ]:
        call(operation)
    upload_id = reap.upload()
    for operation, members in {
        "createClips": {"sourceUrl": "https://youtu.be/abc", "selectedStart": 0, "selectedEnd": 60},
        "createCaptions": {"sourceUrl": "https://vimeo.com/1", "resolution": 1080, "translationLanguage": "fr"},
        "createTranscription": {"uploadId": upload_id},
        "createReframe": {"uploadId": upload_id},
        "createDubbing": {"uploadId": upload_id, "sourceLanguage": "en-US", "targetLanguage": "fr-FR"},
    }.items():
        call(operation, **members)
    doomed = reap("createClips", sourceUrl="https://example.com/a.mp4")["id"]
    call("cancelProject", projectId=doomed)
    call("getUploadUrl", filename="b.mov")
    call("getAllUploads")
    call("deleteUpload", query={"uploadId": upload_id})
    named = {"projectId": "demo-project-2"}
    clip = {**named, "clipId": "demo-clip-2"}
    for operation in ("getProjectStatus", "getProjectDetails", "getProjectClips"):
        call(operation, query=named)
    call("getClipDetails", query=clip)
    call("updateProject", **named, title="New name")
    call("updateClip", **clip, title="New clip name", caption="words")
    settings = {"tiktok": {"privacy": "private"}, "youtube": None}
    call("publishClip", **clip, integrations=[TIKTOK, TIKTOK_TWO, YOUTUBE], tags=["a"], platformSettings=settings)
    waiting = call("scheduleClips", clips=[clip, clip], integrations=[X], scheduleDate=int(reap.now) + 3000)["posts"]
    call("updatePost", postId=waiting[0]["id"], description="words", scheduleDate=int(reap.now) + 4000)
    call("deletePost", query={"postId": waiting[0]["id"]})
    for _ in range(3):
        call("getAllPosts")
        call("getPostDetails", query={"postId": waiting[1]["id"]})
        reap.now += 2990
    call("deleteClip", query=clip)
    call("deleteProject", query=named)
    return called


@pytest.mark.parametrize(
    "dialect", list(AllPairs(list(ReapDialect.options().values()))), ids=lambda row: "-".join(map(str, row))
)
def test_every_answer_fits_the_contract_in_every_dialect(dialect):
    """All 29 operations answer what the schemas say and nothing beyond, whatever the switches."""
    reap = Reap(**dict(zip(ReapDialect.options(), dialect, strict=True)))
    assert every_operation(reap) == set(METHODS)


class TestPublish:
    def test_is_processing_for_10_to_60_seconds_then_completed_on_all_accounts(self):
        reap = Reap()
        post = reap.publish(TIKTOK, YOUTUBE)
        assert (post["status"], post["scheduleType"], post["scheduleDate"]) == ("processing", "immediate", None)
        assert (post["publishDate"], post["urls"], post["successPlatforms"]) == (None, {}, [])
        reap.now += 9
        assert reap.post(post["id"])["status"] == "processing"
        reap.now += 52
        post = reap.post(post["id"])
        assert post["status"] == "completed"
        assert post["successPlatforms"] == post["platforms"] == ["tiktok", "youtube"]
        assert set(post["urls"]) == {TIKTOK, YOUTUBE}
        assert NOW + 10 <= post["publishDate"] <= NOW + 60

    def test_puts_each_account_live_once_at_the_moment_it_finishes(self):
        reap = Reap()
        reap.publish(TIKTOK, YOUTUBE)
        reap.provider.advance(NOW + 9)
        assert reap.ledger.live() == []
        reap.provider.advance(NOW + 1000)
        records = reap.ledger.live("reap", "k" * 20)
        assert [(r.account_id, r.platform, r.source) for r in records] == [
            (TIKTOK, "tiktok", "demo-project-1/demo-clip-1"),
            (YOUTUBE, "youtube", "demo-project-1/demo-clip-1"),
        ]
        assert all(NOW + 10 <= record.at <= NOW + 60 for record in records)

    def test_never_recognises_a_repeat(self):
        """Two equal calls are two posts and two live videos: Reap has no de-duplication."""
        reap = Reap()
        first, second = reap.publish()["id"], reap.publish()["id"]
        reap.now += 61
        assert first != second
        assert reap("getAllPosts")["totalPosts"] == 2
        assert len(reap.ledger.duplicates()) == 1

    def test_takes_the_title_of_the_clip_where_none_is_sent(self):
        reap = Reap()
        assert reap.publish()["title"] == "Demo project 1, clip 1"
        assert reap.publish(title=None)["title"] == "Demo project 1, clip 1"
        assert reap.publish(title="Mine")["title"] == "Mine"

    @pytest.mark.parametrize(
        ("members", "status", "words"),
        [
            ({"project": "demo-project-9"}, 404, "Project not found"),
            ({"clip": "demo-clip-99"}, 404, "Clip not found"),
            ({"project": "demo-project-cancelled"}, 400, "cancelled"),
            ({"project": "demo-project-unfinished"}, 400, "completed project"),
            ({"integrations": ["f" * 24]}, 400, "not found"),
            ({"integrations": [TIKTOK, YOUTUBE_OLD]}, 400, "not active"),
        ],
    )
    def test_refuses(self, members, status, words):
        reap = Reap()
        body = {
            "projectId": members.get("project", "demo-project-1"),
            "clipId": members.get("clip", "demo-clip-1"),
            "integrations": members.get("integrations", [TIKTOK]),
        }
        code, detail = reap.refusal("publishClip", **body)
        assert code == status
        assert words in detail
        assert reap("getAllPosts")["totalPosts"] == 0

    @pytest.mark.parametrize("value", ["", "  ", None, 7])
    def test_an_id_that_can_not_be_one_is_a_validation_error(self, value):
        reap = Reap()
        for body in (
            {"projectId": value, "clipId": "demo-clip-1", "integrations": [TIKTOK]},
            {"projectId": "demo-project-1", "clipId": value, "integrations": [TIKTOK]},
            {"projectId": "demo-project-1", "clipId": "demo-clip-1", "integrations": [value]},
        ):
            status, detail = reap.refusal("publishClip", **body)
            assert status == 422
            assert detail[0]["loc"][0] == "body"


class TestFaults:
    def test_a_platform_that_fails_leaves_the_post_unresolved(self):
        reap = Reap([Fault(FaultKind.PLATFORM_FAILS, platform="tiktok")])
        post = reap.ended(reap.publish(TIKTOK, YOUTUBE)["id"])
        assert (post["status"], post["successPlatforms"], post["failedPlatforms"]) == (
            "unresolved",
            ["youtube"],
            ["tiktok"],
        )
        assert set(post["urls"]) == {YOUTUBE}
        assert [record.account_id for record in reap.ledger.live()] == [YOUTUBE]

    def test_a_failure_on_all_accounts_is_failed_and_has_no_publish_date(self):
        reap = Reap([Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme")])
        post = reap.ended(reap.publish(TIKTOK)["id"])
        assert (post["status"], post["publishDate"]) == ("failed", None)
        assert reap.ended(reap.publish(TIKTOK)["id"])["status"] == "completed", "the order was for one time"

    def test_one_platform_name_can_have_worked_and_failed(self):
        """With two accounts of one platform, the name in both lists tells nobody which account failed."""
        reap = Reap([Fault(FaultKind.PLATFORM_FAILS, account=TIKTOK_TWO)])
        post = reap.ended(reap.publish(TIKTOK, TIKTOK_TWO)["id"])
        assert post["successPlatforms"] == post["failedPlatforms"] == post["platforms"] == ["tiktok"]

    def test_stuck_for_good_never_finishes_and_holds_back_only_its_account(self):
        reap = Reap([Fault(FaultKind.STUCK, platform="tiktok")])
        post_id = reap.publish(TIKTOK, YOUTUBE)["id"]
        reap.now += 100_000
        post = reap.post(post_id)
        assert (post["status"], post["successPlatforms"], post["failedPlatforms"]) == ("processing", ["youtube"], [])
        assert [record.account_id for record in reap.ledger.live()] == [YOUTUBE]

    def test_stuck_for_a_time_finishes_then(self):
        reap = Reap([Fault(FaultKind.STUCK, seconds=600)])
        post_id = reap.publish(TIKTOK)["id"]
        reap.now += 599
        assert reap.post(post_id)["status"] == "processing"
        reap.now += 1
        assert reap.post(post_id)["status"] == "completed"
        assert reap.ledger.live()[0].at == NOW + 600

    @pytest.mark.parametrize(("text", "shown"), [(None, "awaiting_moderation"), ("odd", "odd")])
    def test_an_unknown_status_shows_for_its_time(self, text, shown):
        reap = Reap([Fault(FaultKind.UNKNOWN_STATUS, text=text, seconds=300)])
        with pytest.raises(AssertionError, match="is not one of"):
            reap.publish(TIKTOK)
        [post_id] = reap.provider.studio.posts
        call = Call(operation="getPostDetails", key="k", query={"postId": post_id}, now=NOW + 100)
        assert reap.provider.handle(call).body["status"] == shown
        reap.now += 300
        assert reap.post(post_id)["status"] == "completed"

    def test_an_unknown_status_without_a_time_stays(self):
        reap = Reap([Fault(FaultKind.UNKNOWN_STATUS)])
        with pytest.raises(AssertionError, match="awaiting_moderation"):
            reap.publish(TIKTOK)
        reap.provider.advance(NOW + 1e6)
        [post] = reap.provider.studio.posts.values()
        call = Call(operation="getPostDetails", key="k", query={"postId": post.id}, now=NOW + 1e6)
        assert reap.provider.handle(call).body["status"] == "awaiting_moderation"


class TestSchedule:
    def test_clip_i_goes_out_i_intervals_after_the_date(self):
        reap = Reap()
        posts = reap.schedule(3, intervalSeconds=400)["posts"]
        assert [post["scheduleDate"] - int(NOW) for post in posts] == [3600, 4000, 4400]
        assert all((post["status"], post["scheduleType"]) == ("draft", "scheduled") for post in posts)
        reap.now += 3599
        assert reap.post(posts[0]["id"])["status"] == "draft"
        reap.now += 1
        assert reap.post(posts[0]["id"])["status"] == "processing"
        reap.now += 60
        assert [reap.post(post["id"])["status"] for post in posts] == ["completed", "draft", "draft"]
        reap.provider.advance(NOW + 10_000)
        assert [round(record.at - NOW) // 400 for record in reap.ledger.live()] == [9, 10, 11]

    def test_the_interval_is_300_seconds_unless_told_otherwise(self):
        dates = [post["scheduleDate"] for post in Reap().schedule(2)["posts"]]
        assert dates[1] - dates[0] == 300

    def test_part_of_the_clips_can_be_refused_and_keep_their_place_in_time(self):
        reap = Reap()
        rows = [
            {"projectId": "demo-project-1", "clipId": "demo-clip-1"},
            {"projectId": "demo-project-cancelled", "clipId": "demo-clip-1"},
            {"projectId": "demo-project-1", "clipId": "demo-clip-404"},
            {"projectId": "demo-project-unfinished", "clipId": "demo-clip-1"},
            {"projectId": "demo-project-2", "clipId": "demo-clip-1", "title": "Own", "tags": ["t"]},
        ]
        answer = reap("scheduleClips", clips=rows, integrations=[TIKTOK], scheduleDate=int(NOW) + 3000)
        assert [(row["index"], row["clipId"]) for row in answer["failed"]] == [
            (1, "demo-clip-1"),
            (2, "demo-clip-404"),
            (3, "demo-clip-1"),
        ]
        assert "cancelled" in answer["failed"][0]["error"]
        assert [post["scheduleDate"] - int(NOW) for post in answer["posts"]] == [3000, 4200]
        assert (answer["posts"][1]["title"], answer["posts"][1]["tags"]) == ("Own", ["t"])

    @pytest.mark.parametrize("status", [400, 422])
    @pytest.mark.parametrize("seconds", [-5, 0, 2999, 366 * 86400])
    def test_a_date_out_of_range_is_refused_with_the_status_of_the_dialect(self, status, seconds):
        reap = Reap(bad_date_status=status)
        code, detail = reap.refusal(
            "scheduleClips",
            clips=[{"projectId": "demo-project-1", "clipId": "demo-clip-1"}],
            integrations=[TIKTOK],
            scheduleDate=int(NOW) + seconds,
        )
        assert code == status
        assert "Schedule date" in str(detail)

    def test_the_bounds_themselves_are_allowed(self):
        """NOW is 15 January 2027, so 12 months are 365 days."""
        reap = Reap()
        assert len(reap.schedule(date=int(NOW) + 3000)["posts"]) == 1
        assert len(reap.schedule(date=int(NOW) + 365 * 86400)["posts"]) == 1

    def test_twelve_months_after_29_february_is_28_february(self):
        reap = Reap()
        reap.now = 1_835_395_200.0  # 2028-02-29T00:00:00Z
        assert len(reap.schedule(date=1_866_931_200)["posts"]) == 1  # 2029-02-28T00:00:00Z
        with pytest.raises(Refusal, match="12 months"):
            reap.schedule(date=1_866_931_201)

    def test_a_clip_that_would_go_out_after_12_months_fails_alone(self):
        answer = Reap().schedule(2, date=int(NOW) + 365 * 86400)
        assert len(answer["posts"]) == 1
        assert (answer["failed"][0]["index"], answer["failed"][0]["clipId"]) == (1, "demo-clip-2")

    def test_an_account_that_does_not_exist_refuses_the_whole_call(self):
        with pytest.raises(Refusal, match="not found"):
            Reap().schedule(2, integrations=["0" * 24])

    def test_what_can_not_be_an_id_refuses_the_whole_call(self):
        body = {"clips": [{"projectId": "", "clipId": "c"}], "integrations": [TIKTOK], "scheduleDate": int(NOW) + 3000}
        assert Reap().refusal("scheduleClips", **body)[0] == 422

    @pytest.mark.parametrize("operation", ["deleteClip", "deleteProject"])
    def test_a_post_whose_clip_is_gone_fails_when_its_time_comes(self, operation):
        reap = Reap()
        [post] = reap.schedule()["posts"]
        query = {"projectId": "demo-project-1"} | ({"clipId": "demo-clip-1"} if operation == "deleteClip" else {})
        reap(operation, query=query)
        reap.now += 4000
        assert reap.post(post["id"])["status"] == "failed"
        assert reap.ledger.live() == []

    def test_an_account_that_is_lost_before_the_time_fails(self):
        reap = Reap()
        [post] = reap.schedule(integrations=[TIKTOK, X])["posts"]
        reap.provider.add_account(AccountSeed(id=TIKTOK, platform="tiktok", username="acme", status="inactive"))
        reap.now += 4000
        assert reap.post(post["id"])["failedPlatforms"] == ["tiktok"]

    def test_a_fault_can_be_ordered_for_scheduled_posts_alone(self):
        reap = Reap([Fault(FaultKind.PLATFORM_FAILS, operation="scheduleClips")])
        [post] = reap.schedule()["posts"]
        assert reap.ended(reap.publish()["id"])["status"] == "completed"
        reap.now += 4000
        assert reap.post(post["id"])["status"] == "failed"


class TestUpdatePost:
    def test_moves_a_waiting_post_and_the_old_date_is_void(self):
        reap = Reap()
        [post] = reap.schedule()["posts"]
        moved = reap("updatePost", postId=post["id"], scheduleDate=int(NOW) + 7200)
        assert moved["scheduleDate"] == int(NOW) + 7200
        reap.now += 3700
        assert reap.post(post["id"])["status"] == "draft"
        reap.now += 3600
        assert reap.post(post["id"])["status"] == "completed"
        assert len(reap.ledger.live()) == 1

    def test_leaves_alone_what_is_absent_or_null(self):
        reap = Reap()
        [post] = reap.schedule()["posts"]
        settings = {"tiktok": {"privacy": "friends"}}
        reap("updatePost", postId=post["id"], title="T", tags=["a"], platformSettings=settings)
        post = reap("updatePost", postId=post["id"], title=None, description="D")
        assert (post["title"], post["description"], post["tags"]) == ("T", "D", ["a"])
        assert post["platformSettings"] == settings

    def test_moving_there_and_back_sends_once(self):
        reap = Reap()
        [post] = reap.schedule()["posts"]
        for seconds in (7200, 3600):
            reap("updatePost", postId=post["id"], scheduleDate=int(NOW) + seconds)
        reap.now += 10_000
        assert reap.post(post["id"])["status"] == "completed"
        assert len(reap.ledger.live()) == 1

    @pytest.mark.parametrize("status", [400, 422])
    def test_keeps_the_50_minutes(self, status):
        reap = Reap(bad_date_status=status)
        [post] = reap.schedule()["posts"]
        code, _ = reap.refusal("updatePost", postId=post["id"], title="no", scheduleDate=int(NOW) + 2999)
        assert code == status
        assert reap.post(post["id"])["title"] != "no", "a refused call changes nothing"

    def test_refuses_posts_that_do_not_wait(self):
        reap = Reap()
        post_id = reap.publish()["id"]
        assert reap.refusal("updatePost", postId=post_id, title="x") == (
            400,
            "A post that is processing can't be updated.",
        )
        reap.now += 61
        assert reap.refusal("updatePost", postId=post_id, title="x")[0] == 400
        assert reap.refusal("updatePost", postId="f" * 24)[0] == 404
        assert reap.refusal("updatePost", postId="")[0] == 422

    def test_refuses_posts_of_a_cancelled_project(self):
        reap = Reap()
        [post] = reap.schedule()["posts"]
        reap.provider.studio.projects["demo-project-1"].status = "cancelled"
        assert "cancelled" in reap.refusal("updatePost", postId=post["id"], title="x")[1]
        reap.now += 4000
        assert reap.post(post["id"])["status"] == "failed"


class TestDeletePost:
    def test_calls_a_waiting_post_off(self):
        reap = Reap()
        [post] = reap.schedule()["posts"]
        assert reap("deletePost", query={"postId": post["id"]}) == {"postId": post["id"], "deleted": True}
        reap.now += 10_000
        assert reap.post(post["id"])["status"] == "cancelled"
        assert reap.ledger.live() == []
        assert reap.refusal("deletePost", query={"postId": post["id"]})[0] == 400

    def test_makes_it_unreadable_in_the_other_dialect(self):
        reap = Reap(deleted_post="gone")
        [post] = reap.schedule()["posts"]
        reap("deletePost", query={"postId": post["id"]})
        reap.now += 10_000
        for operation in ("getPostDetails", "deletePost"):
            assert reap.refusal(operation, query={"postId": post["id"]}) == (404, "Post not found")
        assert reap.ledger.live() == []

    def test_takes_nothing_back_that_is_out_or_on_its_way(self):
        reap = Reap([Fault(FaultKind.PLATFORM_FAILS, account=YOUTUBE)])
        post_id = reap.publish(TIKTOK, YOUTUBE)["id"]
        assert reap.refusal("deletePost", query={"postId": post_id})[0] == 400
        assert reap.ended(post_id)["status"] == "unresolved"
        assert reap.refusal("deletePost", query={"postId": post_id})[0] == 400

    def test_clears_a_failed_post_away(self):
        reap = Reap([Fault(FaultKind.PLATFORM_FAILS)], deleted_post="gone")
        post_id = reap.publish()["id"]
        assert reap.ended(post_id)["status"] == "failed"
        reap("deletePost", query={"postId": post_id})
        assert reap.refusal("getPostDetails", query={"postId": post_id})[0] == 404

    def test_a_post_deleted_while_it_is_stuck_in_the_agenda_stays_gone(self):
        reap = Reap(deleted_post="gone")
        post_id = reap.publish()["id"]
        del reap.provider.studio.posts[post_id]
        reap.now += 100
        assert reap("getAllPosts")["totalPosts"] == 0


class TestListPosts:
    def fill(self, reap, count=25):
        ids = []
        for _ in range(count):
            ids.append(reap.publish()["id"])
            reap.now += 1
        return ids

    @pytest.mark.parametrize("order", ReapDialect.options()["list_order"])
    def test_pages_hold_every_post_once_in_the_order_of_the_dialect(self, order):
        reap = Reap(list_order=order)
        ids = self.fill(reap)
        pages = [reap("getAllPosts", query={"page": page, "pageSize": 10}) for page in (1, 2, 3, 4)]
        assert [len(page["posts"]) for page in pages] == [10, 10, 5, 0]
        assert all((page["totalPages"], page["totalPosts"]) == (3, 25) for page in pages)
        assert [page["currentPage"] for page in pages] == [1, 2, 3, 4]
        listed = [post["id"] for page in pages for post in page["posts"]]
        assert listed == {"newest": ids[::-1], "oldest": ids, "id": sorted(ids)}[order]

    def test_pages_shift_while_posts_are_added(self):
        reap = Reap()
        self.fill(reap, 10)
        first = reap("getAllPosts", query={"pageSize": 5})["posts"]
        reap.publish()
        second = reap("getAllPosts", query={"pageSize": 5, "page": 2})["posts"]
        assert first[-1]["id"] == second[0]["id"]

    def test_ten_a_page_by_default(self):
        reap = Reap()
        self.fill(reap, 11)
        assert len(reap("getAllPosts")["posts"]) == 10

    def test_the_filter_follows_the_status_that_is_shown(self):
        reap = Reap(waiting_status="scheduled")
        reap.publish()
        reap.schedule(2)
        assert reap("getAllPosts", query={"status": ["scheduled"]})["totalPosts"] == 2
        assert reap("getAllPosts", query={"status": "draft"})["totalPosts"] == 0
        assert reap("getAllPosts", query={"status": ["processing", "scheduled"]})["totalPosts"] == 3
        reap.now += 61
        assert reap("getAllPosts", query={"status": ["processing"]})["totalPosts"] == 0

    @pytest.mark.parametrize(("bounds", "found"), [("inclusive", 3), ("exclusive", 1)])
    def test_the_bounds_of_time_include_their_second_or_not(self, bounds, found):
        reap = Reap(created_after=bounds)
        self.fill(reap, 5)
        query = {"createdAfter": int(NOW) + 1, "createdBefore": int(NOW) + 3}
        assert reap("getAllPosts", query=query)["totalPosts"] == found

    def test_a_page_number_beyond_json_is_echoed_as_the_largest(self):
        assert Reap()("getAllPosts", query={"page": 10**30})["currentPage"] == 2**53 - 1


class TestDialects:
    @pytest.mark.parametrize(("by", "keys"), [("integration", {TIKTOK, YOUTUBE}), ("platform", {"tiktok", "youtube"})])
    def test_urls_are_keyed_by_account_or_by_platform(self, by, keys):
        reap = Reap(urls_by=by)
        assert set(reap.ended(reap.publish(TIKTOK, YOUTUBE)["id"])["urls"]) == keys

    def test_a_platform_can_stand_twice(self):
        reap = Reap(platforms_duplicated=True)
        post = reap.ended(reap.publish(TIKTOK, TIKTOK_TWO)["id"])
        assert post["platforms"] == post["successPlatforms"] == ["tiktok", "tiktok"]

    def test_members_without_a_value_can_be_absent(self):
        post = Reap(nulls="absent").publish()
        assert not {"scheduleDate", "publishDate", "description", "tags", "platformSettings"} & set(post)
        assert None not in post.values()


class TestProjects:
    def test_walks_to_completed_and_then_has_clips_that_can_be_published(self):
        reap = Reap()
        project_id = reap("createClips", sourceUrl="https://www.youtube.com/watch")["id"]
        seen = []
        for _ in range(300):
            status = reap("getProjectStatus", query={"projectId": project_id})["status"]
            if status != "completed":
                assert reap("getProjectClips", query={"projectId": project_id})["totalClips"] == 0
            if status not in seen:
                seen.append(status)
            reap.now += 1
        assert seen == ["queued", "prepped", "draft", "processing", "finalizing", "completed"]
        clips = reap("getProjectClips", query={"projectId": project_id})["clips"]
        assert 3 <= len(clips) <= 8
        assert reap.publish(project=project_id, clip=clips[0]["id"])["status"] == "processing"

    @pytest.mark.parametrize(
        ("operation", "clips"),
        [("createCaptions", 1), ("createReframe", 1), ("createDubbing", 1), ("createTranscription", 0)],
    )
    def test_the_other_kinds_deliver_one_clip_or_none(self, operation, clips):
        reap = Reap()
        body = {"uploadId": reap.upload()}
        if operation == "createDubbing":
            body |= {"sourceLanguage": "en-US", "targetLanguage": "de-DE"}
        project = reap(operation, **body)
        assert project["source"] == "Upload"
        reap.now += 300
        listed = reap("getProjectClips", query={"projectId": project["id"]})
        assert listed["totalClips"] == clips
        assert all(clip["viralityScore"] is None for clip in listed["clips"])

    @pytest.mark.parametrize("end", ["failed", "invalid", "expired", "error"])
    def test_an_address_can_ask_for_a_bad_end(self, end):
        reap = Reap()
        project_id = reap("createClips", sourceUrl=f"https://example.com/{end}")["id"]
        reap.now += 300
        assert reap("getProjectDetails", query={"projectId": project_id})["status"] == end
        assert reap.refusal("publishClip", projectId=project_id, clipId="c", integrations=[TIKTOK])[0] == 400

    def test_more_than_ten_at_a_time_are_too_many(self):
        """The seeded unfinished project is one of the ten; the message is the only mark of this kind of 429."""
        reap = Reap()
        for _ in range(9):
            reap("createTranscription", sourceUrl="https://example.com/a")
        status, detail = reap.refusal("createTranscription", sourceUrl="https://example.com/a")
        assert status == 429
        assert "concurrent projects" in detail
        reap.now += 300
        assert reap("createTranscription", sourceUrl="https://example.com/a")["status"] == "queued"

    @pytest.mark.parametrize(
        ("operation", "body", "words"),
        [
            ("createClips", {"genre": "talking"}, "Missing source URL or upload ID."),
            ("createClips", {"sourceUrl": "https://a.com/b", "uploadId": "u"}, "either"),
            ("createClips", {"sourceUrl": "ftp://a.com/b"}, "Invalid source URL"),
            ("createClips", {"sourceUrl": "http://[oops"}, "Invalid source URL"),
            ("createClips", {"sourceUrl": "https://stream.mux.com/x"}, "Unable to process video from stream.mux.com."),
            ("createClips", {"sourceUrl": "https://cdn.reap.video/x"}, "Unable to process"),
            ("createClips", {"sourceUrl": "https://a.com/b", "selectedStart": 10, "selectedEnd": 69}, "1 minutes"),
            ("createClips", {"sourceUrl": "https://a.com/b", "captionsPreset": "nope"}, "preset"),
            ("createClips", {"sourceUrl": "https://a.com/b", "clipDurations": [[0, 31]]}, "durations"),
            ("createCaptions", {"sourceUrl": "https://a.com/b", "captionsPreset": "nope"}, "preset"),
            ("createReframe", {"uploadId": "f" * 24}, "Upload not found"),
            ("createDubbing", {"uploadId": "u", "sourceLanguage": "tlh", "targetLanguage": "fr-FR"}, "dubbing"),
        ],
    )
    def test_creation_is_refused(self, operation, body, words):
        reap = Reap()
        status, detail = reap.refusal(operation, **body)
        assert status == 400
        assert words in detail
        assert reap("getAllProjects")["totalProjects"] == 5, "a refused request makes no project"

    def test_captions_take_the_default_preset_and_can_be_off(self):
        reap = Reap()
        assert reap("createCaptions", sourceUrl="https://a.com/b")["captionsPreset"] == "system_beasty"
        off = reap("createCaptions", sourceUrl="https://a.com/b", captionsPreset=None)
        assert (off["captionsPreset"], off["enableCaptions"]) == (None, False)

    def test_list_filters_sorts_and_searches(self):
        reap = Reap()
        reap("createTranscription", sourceUrl="https://example.com/Interview")
        assert reap("getAllProjects", query={"projectType": ["transcription"]})["totalProjects"] == 1
        assert reap("getAllProjects", query={"status": ["cancelled", "queued"]})["totalProjects"] == 2
        assert reap("getAllProjects", query={"search": "interview"})["projects"][0]["title"] == "Interview"
        assert reap("getAllProjects", query={"createdAfter": int(NOW)})["totalProjects"] == 1
        titles = [p["title"] for p in reap("getAllProjects", query={"sortOrder": "asc"})["projects"]]
        assert (titles[0], titles[-1]) == ("Demo project 1", "Interview")
        shortest = reap("getAllProjects", query={"sortBy": "duration", "sortOrder": "asc"})["projects"][0]
        assert shortest["title"] == "Interview"

    def test_cancel_is_allowed_early_and_stops_the_walk(self):
        reap = Reap()
        project_id = reap("createClips", sourceUrl="https://example.com/a")["id"]
        assert reap("cancelProject", projectId=project_id)["status"] == "cancelled"
        reap.now += 300
        assert reap("getProjectStatus", query={"projectId": project_id})["status"] == "cancelled"
        assert reap.refusal("cancelProject", projectId=project_id)[0] == 400

    def test_cancel_is_refused_later_unless_the_project_is_stuck(self):
        reap = Reap()
        studio = reap.provider.studio
        project = studio.projects["demo-project-unfinished"]
        project.started_at = NOW - 8 * 3600
        assert "any more" in reap.refusal("cancelProject", projectId=project.id)[1]
        reap.now += 1
        assert reap("cancelProject", projectId=project.id)["status"] == "cancelled"
        assert reap.refusal("cancelProject", projectId="demo-project-1")[0] == 400

    def test_edits_need_a_project_that_has_ended_well(self):
        reap = Reap()
        for project_id, words in (("demo-project-unfinished", "still"), ("demo-project-cancelled", "cancelled")):
            assert words in reap.refusal("updateProject", projectId=project_id, title="x")[1]
            assert words in reap.refusal("updateClip", projectId=project_id, clipId="c")[1]
        clip = {"projectId": "demo-project-1", "clipId": "demo-clip-1"}
        assert reap("updateClip", **clip, caption="C")["title"] == "Demo project 1, clip 1"
        assert reap("updateClip", **clip, title="T")["caption"] == "C"

    def test_a_deleted_project_is_gone_for_readers(self):
        reap = Reap()
        query = {"projectId": "demo-project-1"}
        assert reap("deleteProject", query=query) == {"projectId": "demo-project-1", "deleted": True}
        for operation in ("getProjectStatus", "getProjectDetails", "getProjectClips", "deleteProject"):
            assert reap.refusal(operation, query=query) == (404, "Project not found")
        assert reap("getAllProjects")["totalProjects"] == 4

    def test_a_deleted_clip_is_gone(self):
        reap = Reap()
        clip = {"projectId": "demo-project-1", "clipId": "demo-clip-1"}
        assert reap("deleteClip", query=clip) == {"clipId": "demo-clip-1", "deleted": True}
        assert reap.refusal("getClipDetails", query=clip) == (404, "Clip not found")
        assert reap("getProjectClips", query={"projectId": "demo-project-1"})["totalClips"] == 39


class TestUploads:
    def test_the_file_is_looked_at_when_it_is_first_used(self):
        reap = Reap()
        reap.provider.set_origin("http://127.0.0.1:8701/")
        target = reap("getUploadUrl", filename="A.MP4")
        assert target["uploadUrl"].startswith(f"http://127.0.0.1:8701/__uploads__/{target['id']}?Signature=")
        assert (target["status"], target["fileSize"]) == ("upload", None)
        assert "received" in reap.refusal("createReframe", uploadId=target["id"])[1]
        reap.upload(upload_id=target["id"], size=77)
        [upload] = reap("getAllUploads")["uploads"]
        assert (upload["status"], upload["fileSize"], upload["contentType"]) == ("upload", 77, "video/mp4")
        reap("createReframe", uploadId=target["id"])
        assert reap("getAllUploads")["uploads"][0]["status"] == "verified"

    @pytest.mark.parametrize("size", [0, 5 * 1024**3 + 1])
    def test_a_file_of_no_use_is_rejected(self, size):
        reap = Reap()
        upload_id = reap.upload(size=size)
        for _ in range(2):
            assert "rejected" in reap.refusal("createReframe", uploadId=upload_id)[1]
        assert reap("getAllUploads")["uploads"][0]["status"] == "rejected"

    @pytest.mark.parametrize(
        ("members", "status"),
        [
            ({"has_authorization": True}, 400),
            ({"chunked": True, "size": None}, 501),
            ({"size": None}, 411),
            ({"content_type": "application/octet-stream"}, 403),
            ({"upload_id": "f" * 24}, 403),
        ],
    )
    def test_a_put_is_refused(self, members, status):
        reap = Reap()
        with pytest.raises(Refusal) as caught:
            reap.upload(**members)
        assert caught.value.status == status
        assert all(upload.size is None for upload in reap.provider.studio.uploads.values())

    def test_the_address_ends_after_12_hours(self):
        reap = Reap()
        upload_id = reap("getUploadUrl", filename="a.mov")["id"]
        reap.now += 43_200
        with pytest.raises(Refusal, match="expired"):
            reap.upload(upload_id=upload_id)

    def test_only_video_files_have_a_place(self):
        assert Reap().refusal("getUploadUrl", filename="a.txt")[0] == 400

    def test_a_deleted_upload_is_gone(self):
        reap = Reap()
        upload_id = reap.upload()
        reap("deleteUpload", query={"uploadId": upload_id})
        assert reap.refusal("deleteUpload", query={"uploadId": upload_id}) == (404, "Upload not found")
        assert reap("getAllUploads")["totalUploads"] == 0


class TestCatalogue:
    def test_69_presets_on_4_pages(self):
        reap = Reap()
        pages = [reap("getAllPresets", query={"page": page}) for page in (1, 2, 3, 4)]
        assert [len(page["presets"]) for page in pages] == [20, 20, 20, 9]
        assert len({preset["id"] for page in pages for preset in page["presets"]}) == 69

    def test_integrations_show_the_inactive_ones(self):
        rows = Reap()("getIntegrations")["integrations"]
        assert [(row["platform"], row["username"]) for row in rows if not row["isActive"]] == [("youtube", "acme_old")]
        assert len(rows) == 7

    def test_plan_usage_counts(self):
        reap = Reap()
        assert reap("getPlanUsage")["concurrentProjects"] == {"used": 1, "limit": 10}


class TestTime:
    def test_runs_repeat(self):
        """The same calls at the same times give the same ids and the same ends."""
        runs = []
        for _ in range(2):
            reap = Reap()
            for _ in range(5):
                reap.publish(TIKTOK, YOUTUBE)
            reap.now += 100
            runs.append((reap("getAllPosts"), reap.ledger.live()))
        assert runs[0] == runs[1]

    def test_one_big_step_equals_many_small_ones(self):
        """Nothing depends on how often the clock is looked at."""
        ledgers = []
        for step in (1.0, 10_000.0):
            reap = Reap()
            reap.schedule(5)
            reap.publish()
            at = NOW
            while at < NOW + 10_000:
                at += step
                reap.provider.advance(at)
            ledgers.append(reap.ledger.live())
        assert ledgers[0] == ledgers[1]
        assert len(ledgers[0]) == 6

    def test_time_never_goes_back(self):
        reap = Reap()
        reap.provider.advance(NOW + 100)
        reap.provider.advance(NOW)
        assert reap.provider.studio.now == NOW + 100


class TestErrors:
    def test_bodies_are_those_of_fastapi(self):
        error = Reap().provider.error
        assert error(Refusal(404, "Post not found")) == {"detail": "Post not found"}
        item = {"loc": ["query", "page"], "msg": "m", "type": "t"}
        assert error(Refusal(422, "m", details=[item])) == {"detail": [item]}
        assert error(Refusal(422, "m")) == {"detail": [{"loc": ["body"], "msg": "m", "type": "value_error"}]}
