"""Reading Reap's answers, error bodies and webhooks: every example, and what the contract leaves open."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from reelpub.errors import DecodeError
from reelpub.providers.reap.decode import decode, decode_anything, decode_deleted, read_error, read_webhook
from reelpub.providers.reap.schemas import (
    Clip,
    ClipPage,
    DeletedPost,
    IntegrationList,
    Language,
    LanguageCatalogue,
    Post,
    PostPage,
    PostStatus,
    PresetPage,
    Project,
    ProjectPage,
    ProjectSource,
    ProjectStatus,
    ProjectStatusView,
    ScheduleResult,
    ScheduleType,
    UploadTarget,
    UploadType,
)
from reelpub.transport.message import Response

EXAMPLES = Path(__file__).parents[2] / "docs" / "contracts" / "examples" / "reap"

TYPES = {
    "cancel-project": Project,
    "create-captions": Project,
    "create-clips": Project,
    "create-dubbing": Project,
    "create-reframe": Project,
    "delete-post": DeletedPost,
    "get-all-posts": PostPage,
    "get-all-presets": PresetPage,
    "get-all-projects": ProjectPage,
    "get-clip-details": Clip,
    "get-integrations": IntegrationList,
    "get-post-details": Post,
    "get-project-clips": ClipPage,
    "get-project-details": Project,
    "get-project-status": ProjectStatusView,
    "get-upload-url": UploadTarget,
    "publish-clip": Post,
    "schedule-clips": ScheduleResult,
    "update-clip": Clip,
    "update-post": Post,
    "update-project": Project,
}

ERRORS = {
    "create-clips.response.5.json": "Missing source URL or upload ID.",
    "create-clips.response.6.json": "Please select at least 1 minutes or longer from the timeline.",
    "create-clips.response.7.json": "Unable to process video from archive.org. Please contact support.",
    "get-project-status.response.2.json": "query.projectId: Invalid projectId",
    "get-project-status.response.3.json": "Project not found",
}

RESPONSES = sorted(path.name for path in EXAMPLES.glob("*.response.*.json") if path.name not in ERRORS)


def answer(value):
    return Response(status=200, headers={}, body=value if isinstance(value, bytes) else orjson.dumps(value))


def read(value, type_):
    return decode(answer(value), type_, operation="some_operation")


def example(file):
    return json.loads((EXAMPLES / file).read_text())


def refused(value, type_):
    with pytest.raises(DecodeError) as caught:
        read(value, type_)
    return caught.value


@pytest.mark.parametrize("file", RESPONSES)
def test_every_response_example_decodes(file):
    value, type_ = example(file), TYPES[file.partition(".")[0]]
    result = read(value, type_)
    assert isinstance(result, type_)
    if "id" in value:
        assert result.id == value["id"]


@pytest.mark.parametrize("file", ERRORS)
def test_every_error_example_becomes_one_readable_line(file):
    body = read_error(400, {}, example(file))
    assert (body.message, body.code) == (ERRORS[file], None)


@pytest.mark.parametrize("number", [1, 2])
def test_webhook_examples_are_read(number):
    event = read_webhook((EXAMPLES / f"webhook.request.{number}.json").read_bytes())
    assert event.project_id == "65f1a2b3c4d5e6f7a8b9c0d1"
    assert event.status is ProjectStatus.COMPLETED
    assert event.source == {1: ProjectSource.UPLOAD, 2: "user_upload"}[number]


def test_a_webhook_of_another_shape_is_refused():
    with pytest.raises(DecodeError, match="reap webhook"):
        read_webhook(b'{"projectId": "", "status": "completed"}')


def test_a_post_is_read_member_by_member():
    post = read(example("get-all-posts.response.1.json"), PostPage).posts[0]
    assert (post.project_id, post.clip_id, post.status) == ("<string>", "<string>", PostStatus.PROCESSING)
    assert (post.schedule_type, post.schedule_date, post.created_at) == (ScheduleType.SCHEDULED, 123, 123)
    assert (post.platforms, post.tags, post.urls) == (("<string>",), ("<string>",), {})
    assert post.platform_settings.tiktok.brand_organic is False


def test_a_live_upload_target_has_its_nulls_and_its_address():
    target = read(example("get-upload-url.response.3.json"), UploadTarget)
    assert (target.file_size, target.content_type, target.file_type) == (None, None, UploadType.VIDEO)
    assert target.upload_url.startswith("https://reap-user-upload-bkt-prod.s3-accelerate.amazonaws.com/")


def test_pages_say_where_they_stand_as_far_as_reap_says():
    page = read(example("get-project-clips.response.1.json"), ClipPage)
    assert (page.total, page.page, page.total_pages, page.items) == (5, None, None, page.clips)
    page = read({"presets": [], "currentPage": 4, "totalPages": 4, "totalPresets": 69}, PresetPage)
    assert (page.total, page.page, page.total_pages, page.items) == (69, 4, 4, ())


def test_languages_are_read():
    catalogue = read({"sourceLanguages": [{"code": "en", "name": "English", "displayName": None}]}, LanguageCatalogue)
    assert catalogue == LanguageCatalogue(source_languages=(Language(code="en", name="English"),))


def test_a_bare_post_needs_only_its_id():
    post = read({"id": "1"}, Post)
    assert (post.status, post.platforms, post.urls, post.tags) == (None, (), {}, None)


def test_nulls_are_as_good_as_absent_members():
    nulls = dict.fromkeys(("platforms", "integrations", "urls", "status", "tags", "scheduleDate", "title"))
    assert read({"id": "1", **nulls}, Post) == Post(id="1")


def test_unknown_members_are_ignored_and_unknown_values_stay_text():
    post = read({"id": "1", "status": "teleported", "scheduleType": "someday", "newMember": [1]}, Post)
    assert (post.status, post.schedule_type) == ("teleported", "someday")


@pytest.mark.parametrize("envelope", [{"data": {"id": "1"}}, {"post": {"id": "1"}}, {"data": {"post": {"id": "1"}}}])
def test_a_post_is_taken_out_of_an_envelope(envelope):
    assert read(envelope, Post) == Post(id="1")


def test_a_page_is_taken_out_of_an_envelope():
    assert read({"data": {"posts": [{"id": "1"}]}}, PostPage).posts == (Post(id="1"),)


def test_a_member_that_only_looks_like_an_envelope_is_left_alone():
    assert read({"id": "1", "data": {"id": "2"}}, Post).id == "1"
    assert refused({"data": "x"}, Post).problems == ("required member missing @ $.id",)


@pytest.mark.parametrize("value", [{}, {"id": None}, {"id": ""}, {"id": 5}, [], "ok", None])
def test_a_post_without_an_id_is_not_a_post(value):
    error = refused(value, Post)
    assert (error.provider, error.operation, error.status) == ("reap", "some_operation", 200)
    assert error.problems


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (PostPage, {}),
        (PostPage, {"detail": "come back later"}),
        (ProjectPage, {"posts": []}),
        (IntegrationList, {"totalPosts": 0}),
        (ProjectStatusView, {"projectId": "1"}),
    ],
)
def test_a_missing_list_or_status_is_not_taken_for_an_empty_one(type_, value):
    assert "required member missing" in refused(value, type_).problems[0]


def test_a_null_list_is_not_taken_for_an_empty_one():
    assert refused({"posts": None}, PostPage).problems == ("expected an array, got null @ $.posts",)


@pytest.mark.parametrize("value", [{}, {"posts": [], "failed": []}, {"detail": "x"}, {"posts": None, "failed": None}])
def test_a_schedule_result_that_speaks_of_no_clip_is_refused(value):
    assert refused(value, ScheduleResult).problems == ("expected posts or failed clips, got an object @ $",)


def test_a_schedule_result_may_tell_of_refusals_alone():
    result = read({"failed": [{"clipId": "c", "index": 0, "error": "not finished"}]}, ScheduleResult)
    assert (result.posts, result.failed[0].index, result.failed[0].error) == ((), 0, "not finished")


def test_an_id_is_named_by_its_place_and_not_by_its_value():
    assert refused({"posts": [{"id": "1"}, {"id": ""}]}, PostPage).problems == (
        "expected an id that isn't empty, got a string @ $.posts[1]",
    )


def test_truncated_json_is_a_decode_error():
    with pytest.raises(DecodeError, match="not valid JSON"):
        decode(answer(b'{"id": "1", "ti'), Post, operation="publish_clip")


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}", b'{"deleted": true, "postId": null}'])
def test_a_deletion_without_words_is_a_deletion(body):
    assert decode_deleted(answer(body), DeletedPost, operation="delete_post") == DeletedPost()


def test_a_body_of_unknown_shape_is_given_as_it_is():
    assert decode_anything(answer({"a": [1]}), operation="get_plan_usage") == {"a": [1]}
    assert decode_anything(answer(b""), operation="get_plan_usage") is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Bad gateway", "Bad gateway"),
        ({"detail": "Project not found"}, "Project not found"),
        (
            {"detail": [{"loc": ["body", "clips", 0, "clipId"], "msg": "Field required", "type": "missing"}]},
            "body.clips.0.clipId: Field required",
        ),
        ({"detail": [{"loc": ["query", "a"], "msg": "x"}, {"msg": "y"}, "z"]}, "query.a: x; y; z"),
        ({"detail": {"message": "too many", "loc": "nowhere"}}, "too many"),
        ({"detail": [{"type": "missing", "loc": ["body"]}]}, "body: missing"),
        ({"error": "no credits"}, "no credits"),
        ({"message": "no credits"}, "no credits"),
        ({"detail": {}}, ""),
        ({"detail": None}, ""),
        ({}, ""),
        ([], ""),
        (None, ""),
        (17, ""),
    ],
)
def test_error_bodies_of_every_form_become_one_line(body, message):
    assert read_error(400, {}, body).message == message


def test_the_values_that_a_validation_error_quotes_are_left_out():
    item = {
        "loc": ["body", "sourceUrl"],
        "msg": "bad",
        "type": "url",
        "input": "https://a?sig=hunter2",
        "ctx": {"x": "hunter2"},
    }
    body = read_error(422, {}, {"detail": [item]})
    assert body.details == [{"loc": ["body", "sourceUrl"], "msg": "bad", "type": "url"}]
    assert "hunter2" not in repr(body)
