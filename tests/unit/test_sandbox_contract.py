"""The contracts as data: equal to the documented ones, requests closed, answers judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from reelpub.sandbox.contract import MethodNotAllowed, NoSuchPath, load_contract
from reelpub.sandbox.parsing import bearer_key, read_body, refuse_problems
from reelpub.sandbox.reelmirror.handlers import HANDLERS
from reelpub.testing.answers import judge_answer

DOCS = Path(__file__).parents[2] / "docs" / "contracts"
REELMIRROR, REAP = load_contract("reelmirror"), load_contract("reap")


@pytest.mark.parametrize("name", ["reelmirror", "reap"])
def test_the_package_carries_the_documented_contract(name):
    documented = yaml.safe_load((DOCS / f"{name}.openapi.yaml").read_text())
    assert load_contract(name).document == documented


def test_every_operation_has_a_handler():
    from reelpub.sandbox.reap.handlers import HANDLERS as REAP_HANDLERS

    assert set(HANDLERS) == set(REELMIRROR.operations)
    assert len(HANDLERS) == 43
    assert set(REAP_HANDLERS) == set(REAP.operations)
    assert len(REAP_HANDLERS) == 29


@pytest.mark.parametrize(
    ("method", "path", "operation", "values"),
    [
        ("GET", "/v1/publishing/posts", "listOutgoingPosts", {}),
        ("POST", "/v1/publishing/posts/a%2Fb/publish", "publishOutgoingPost", {"id": "a/b"}),
        ("GET", "/v1/publishing/posts/..%2Fx%0A", "getOutgoingPost", {"id": "../x\n"}),
        ("GET", "/v1/publishing/accounts/slots", "getAccountSlots", {}),
        ("DELETE", "/v1/publishing/accounts/acc", "disconnectAccount", {"account_id": "acc"}),
    ],
)
def test_a_request_finds_its_operation(method, path, operation, values):
    found, parameters = REELMIRROR.find(method, path)
    assert (found.id, parameters) == (operation, values)


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/publishing/posts/", "/v1", "/", "/v1/publishing//posts"])
def test_an_unknown_path_is_told_apart(path):
    with pytest.raises(NoSuchPath):
        REELMIRROR.find("GET", path)


def test_a_literal_segment_wins_over_a_parameter():
    with pytest.raises(MethodNotAllowed) as caught:
        REELMIRROR.find("DELETE", "/v1/publishing/accounts/slots")
    assert set(caught.value.allowed) == {"GET", "POST"}


def body_problems(contract, operation, body):
    found = contract.operations[operation]
    problems = contract.judge_body(found, "application/json", body)
    return {(".".join(map(str, one.where)), one.keyword) for one in problems}


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("createOutgoingPost", {"items": [{"generated_media_item_id": "m", "position": 0}]}, set()),
        ("createOutgoingPost", {"items": [], "platform_settings": {"anything": {"goes": 1}}}, set()),
        ("createOutgoingPost", {}, {("body.items", "required")}),
        ("createOutgoingPost", {"items": [], "captn": "x"}, {("body.captn", "additionalProperties")}),
        (
            "createOutgoingPost",
            {"items": [{"generated_media_item_id": "m", "pos": 1}]},
            {("body.items.0.pos", "additionalProperties")},
        ),
        ("createOutgoingPost", [], {("body", "type")}),
        ("updatePersona", {"discount_mode": True, "any": 1}, set()),
        ("createPersona", {"name": "x"}, set()),
        ("createApiKey", {"name": "k", "monthly_limit_cents": 5}, {("body.monthly_limit_cents", "minimum")}),
    ],
)
def test_reelmirror_bodies_are_closed(operation, body, expected):
    assert body_problems(REELMIRROR, operation, body) == expected


CLIP = {"projectId": "p", "clipId": "c", "integrations": ["i"]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (CLIP, set()),
        ({**CLIP, "platformSettings": None}, set()),
        ({**CLIP, "platformSettings": {"tiktok": {"privacy": "public"}}}, set()),
        ({**CLIP, "caption": "x"}, {("body.caption", "additionalProperties")}),
        ({**CLIP, "integrations": []}, {("body.integrations", "minItems")}),
        ({**CLIP, "tags": ["t"] * 11}, {("body.tags", "maxItems")}),
        (
            {**CLIP, "platformSettings": {"tiktok": {"privicy": "public"}}},
            {("body.platformSettings.tiktok.privicy", "additionalProperties")},
        ),
        (
            {**CLIP, "platformSettings": {"youtube": {"privacy": "secret"}}},
            {("body.platformSettings.youtube.privacy", "enum")},
        ),
    ],
)
def test_reap_bodies_are_closed_at_every_depth(body, expected):
    assert body_problems(REAP, "publishClip", body) == expected


def test_a_query_is_converted_and_given_its_defaults():
    operation = REAP.operations["getAllPosts"]
    values, problems = REAP.read_query(operation, [("page", "2"), ("status", "draft"), ("status", "failed")])
    assert problems == []
    assert values == {"page": 2, "pageSize": 10, "status": ["draft", "failed"]}


def test_a_wrong_query_is_told_by_its_parameter():
    operation = REAP.operations["getAllPosts"]
    _, problems = REAP.read_query(operation, [("page", "x"), ("pageSize", "101"), ("pagesize", "1"), ("status", "odd")])
    assert {problem.where[1] for problem in problems} == {"page", "pageSize", "pagesize", "status"}
    _, missing = REAP.read_query(REAP.operations["getPostDetails"], [])
    assert [(one.where, one.keyword) for one in missing] == [(("query", "postId"), "required")]


def test_answers_are_judged_by_the_contract_and_by_its_common_errors():
    error = {"error": {"code": "NOT_FOUND", "message": "no", "details": {}}}
    assert judge_answer(REELMIRROR, "getOutgoingPost", 404, error) == []
    assert judge_answer(REELMIRROR, "listOutgoingPosts", 404, error) == []
    assert judge_answer(REELMIRROR, "getOutgoingPost", 200, {"post": {"id": "x"}}) != []
    assert judge_answer(REELMIRROR, "publishOutgoingPost", 204, None) == []
    assert [one.keyword for one in judge_answer(REELMIRROR, "getOutgoingPost", 418, {})] == ["status"]
    assert judge_answer(REELMIRROR, "getOutgoingPost", 200, {"id": "x"}, {"type": "object"}) == []
    assert [one.keyword for one in judge_answer(REAP, "getAllPosts", 200, {"posts": 1})] == ["type"]


@pytest.mark.parametrize(
    ("header", "key"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer ", None), (None, None)],
)
def test_the_bearer_key_is_read(header, key):
    assert bearer_key(header) == key


@pytest.mark.parametrize(
    ("operation", "content_type", "raw", "keyword"),
    [
        ("publishOutgoingPost", "application/json", b"{}", "additionalProperties"),
        ("createOutgoingPost", "text/plain", b"{}", "content_type"),
        ("createOutgoingPost", "application/json", b'{"items":', "json"),
        ("createOutgoingPost", "application/json", b"", "json"),
        ("uploadFile", "multipart/form-data", b"no boundary", "json"),
    ],
)
def test_a_body_that_cant_be_read_is_a_problem(operation, content_type, raw, keyword):
    _, problems = read_body(REELMIRROR, REELMIRROR.operations[operation], content_type, raw)
    assert [problem.keyword for problem in problems] == [keyword]


def test_no_body_is_fine_where_none_is_taken():
    body, problems = read_body(REELMIRROR, REELMIRROR.operations["publishOutgoingPost"], "", b"")
    assert (body.value, problems) == (None, [])


def test_a_form_is_read_with_the_names_of_its_files():
    raw = (
        b'--b\r\nContent-Disposition: form-data; name="category"\r\n\r\navatar\r\n'
        b'--b\r\nContent-Disposition: form-data; name="persona_id"\r\n\r\np\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n--b--\r\n"
    )
    operation = REELMIRROR.operations["uploadFile"]
    body, problems = read_body(REELMIRROR, operation, "multipart/form-data; boundary=b", raw)
    assert problems == []
    assert (body.value, body.files) == ({"category": "avatar", "persona_id": "p", "file": "a.png"}, ("a.png",))


def test_problems_are_refused_in_each_providers_way():
    _, problems = REAP.read_query(REAP.operations["getPostDetails"], [])
    fastapi = refuse_problems("reap", problems)
    assert fastapi.status == 422
    assert fastapi.details == [{"loc": ["query", "postId"], "msg": "is required", "type": "missing"}]
    plain = refuse_problems("reelmirror", problems)
    assert (plain.status, plain.code, plain.message) == (400, "VALIDATION_ERROR", "query.postId: is required")


def test_a_long_value_isnt_repeated_whole_in_a_problem():
    found = REAP.judge_body(REAP.operations["publishClip"], "application/json", {**CLIP, "title": ["x" * 5000]})
    assert max(len(problem.message) for problem in found) < 300


AGAINST_THE_CONTRACT = {
    "create-captions.request.1.json": {("body.resolution", "enum")},  # a generated sample: 123 for every number
    "publish-clip.request.3.json": {("body.caption", "additionalProperties")},  # a client that sends a made-up member
    "schedule-clips.request.2.json": {  # the wrong shape of a third party's notes
        ("body.clips", "required"),
        *(
            (f"body.{name}", "additionalProperties")
            for name in ("projectId", "clipIds", "title", "description", "tags")
        ),
    },
}
"""Reap's examples that are kept as evidence of mistakes, with what is wrong with them."""


def linked_examples():
    """The request examples that ReelMirror's contract links to their operations."""
    for item in REELMIRROR.document["paths"].values():
        for raw in item.values():
            content = raw.get("requestBody", {}).get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                yield raw["operationId"], DOCS / example["externalValue"]


def named_examples():
    """Reap's request examples, whose file names begin with the operation's path."""
    by_path = {operation.path.strip("/"): operation for operation in REAP.operations.values()}
    for path in sorted((DOCS / "examples" / "reap").glob("*.request.*.json")):
        operation = by_path.get(path.name.split(".")[0])
        if operation is not None and operation.bodies:
            yield operation.id, path


def test_every_documented_request_example_passes_the_closed_schemas():
    linked = list(linked_examples())
    named = [(operation, path) for operation, path in named_examples() if path.name not in AGAINST_THE_CONTRACT]
    assert len(linked) >= 10
    assert len(named) >= 10
    for contract, examples in ((REELMIRROR, linked), (REAP, named)):
        for operation_id, path in examples:
            body = json.loads(path.read_text())
            problems = contract.judge_body(contract.operations[operation_id], "application/json", body)
            assert problems == [], path.name


@pytest.mark.parametrize(("name", "expected"), AGAINST_THE_CONTRACT.items())
def test_the_examples_of_mistakes_are_refused(name, expected):
    operation = {path.name: operation for operation, path in named_examples()}[name]
    body = json.loads((DOCS / "examples" / "reap" / name).read_text())
    assert body_problems(REAP, operation, body) == expected
