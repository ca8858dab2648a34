"""ReelMirror's answers: envelopes, examples, pages and errors, read tolerantly where the contract is open."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import pytest

from reelpub.errors import DecodeError
from reelpub.providers.reelmirror import Page
from reelpub.providers.reelmirror import schemas as s
from reelpub.providers.reelmirror.converter import CONVERTER
from reelpub.providers.reelmirror.decode import (
    decode_json,
    decode_one,
    decode_optional,
    decode_page,
    read_error,
    unwrap,
)
from reelpub.providers.reelmirror.legacy import modern
from reelpub.providers.reelmirror.paging import has_more, walk
from reelpub.transport.message import Response

EXAMPLES = Path(__file__).parents[2] / "docs" / "contracts" / "examples" / "reelmirror"
POST = {"id": "p1", "status": "draft"}


def answer(value, status=200):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Response(status=status, headers={}, body=body)


def one(value, type_):
    return decode_one(answer(value), type_, operation="op")


RESPONSES = {
    "api-keys-create.response.1": s.ApiKeyCreated,
    "api-keys-create.response.2": s.ApiKeyCreated,
    "api-keys-create.response.3": s.ApiKeyCreated,
    "auth-signup.response.1": s.Signup,
    "auth-signup.response.2": s.Signup,
    "billing-balance-get.response.1": s.Balance,
    "billing-balance-get.response.2": s.Balance,
    "billing-balance-update.response": s.AutoReload,
    "billing-topup.response": s.CheckoutSession,
    "generate.response.1": s.GenerationStarted,
    "generate.response.2": s.GenerationStarted,
    "generated-posts-approve.response": s.ApprovedPost,
    "generated-posts-send-to-compose.response": s.ComposedPost,
    "personas-sync.response": s.SyncStarted,
    "publishing-accounts-slots-get.response": s.AccountSlots,
    "publishing-accounts-slots-purchase.response": s.SlotsPurchase,
    "publishing-caption.response": s.GeneratedCaption,
    "publishing-posts-create.response": s.OutgoingPost,
    "publishing-posts-get.response": s.OutgoingPost,
    "sources-add.response": s.Source,
    "uploads.response": s.UploadedFile,
}
LISTS = {
    "billing-transactions-list.response.1": s.Transaction,
    "billing-transactions-list.response.2": s.Transaction,
    "billing-transactions-list.response.3": s.Transaction,
}


def pruned(value):
    """Return *value* without null members and empty lists, which say no more than absent ones."""
    if isinstance(value, dict):
        return {name: pruned(member) for name, member in value.items() if member not in (None, [])}
    return [pruned(row) for row in value] if isinstance(value, list) else value


def test_every_response_example_is_decoded():
    names = {path.stem for path in EXAMPLES.glob("*.json") if ".response" in path.name}

    assert names == set(RESPONSES) | set(LISTS) | {"error.response"}


@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_response_example_keeps_every_value(name):
    raw = json.loads((EXAMPLES / f"{name}.json").read_text())

    decoded = one(raw, RESPONSES[name])

    assert pruned(CONVERTER.unstructure(decoded)) == pruned(unwrap(modern(raw), RESPONSES[name]))


@pytest.mark.parametrize("name", sorted(LISTS))
def test_list_example_is_decoded(name):
    raw = json.loads((EXAMPLES / f"{name}.json").read_text())

    page = decode_page(answer(raw), LISTS[name], operation="op", offset=0)

    assert page.total == raw["count"]
    assert page.items[0].operation_type in ("generation", "<string>")
    assert page.items[0].created_at.tzinfo is UTC


def test_error_example_is_read():
    error = read_error(404, {}, json.loads((EXAMPLES / "error.response.json").read_text()))

    assert (error.message, error.code, error.details) == ("Persona not found", "NOT_FOUND", {})


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": "boom"}, "boom", None),
        ({"error": {"message": None, "code": 7}}, "status 500", None),
        ({"message": "flat", "code": "X"}, "flat", "X"),
        ({}, "status 500", None),
        ([], "status 500", None),
        (None, "status 500", None),
        ("", "status 500", None),
        ("  gateway\n  timeout ", "gateway timeout", None),
        ("x" * 1000, "x" * 300, None),
    ],
)
def test_any_error_body_gives_a_message(body, message, code):
    error = read_error(500, {}, body)

    assert (error.message, error.code) == (message, code)


@pytest.mark.parametrize(
    "wrapped",
    [
        POST,
        {"data": POST},
        {"post": POST},
        {"data": {"post": POST}},
        {"data": POST, "status": "ok"},
        {"status": "ok", "post": POST, "message": "done"},
        {**POST, "data": {"something": "else"}},
        {**POST, "post": {"id": "other", "status": "failed"}},
        {**POST, "data": None},
    ],
)
def test_a_post_is_found_in_any_envelope_and_not_looked_for_inside_a_bare_one(wrapped):
    assert one(wrapped, s.OutgoingPost) == s.OutgoingPost(id="p1", status=s.OutgoingPostStatus.DRAFT)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ({"status": "running", "data": {"rows": 3}}, s.SyncJob),
        ({"status": "running", "data": None}, s.SyncJob),
        ({"id": "g", "post": {"id": "source"}}, s.GeneratedPost),
        ({"data": []}, s.Persona),
        ({"data": 5}, s.OutgoingPost),
        ([1], s.Persona),
        (None, s.Persona),
    ],
)
def test_what_only_resembles_an_envelope_is_left_whole(value, type_):
    assert unwrap(value, type_) is value


@pytest.mark.parametrize(
    ("value", "type_", "problem"),
    [
        ({"data": {"status": "draft"}}, s.OutgoingPost, "required member missing @ $.id"),
        ({"data": None}, s.OutgoingPost, "expected an object, got null"),
        ({"data": None}, s.Persona, "expected an object, got null"),
        ({"id": 5, "status": "draft"}, s.OutgoingPost, "expected a string, got a number @ $.id"),
        ({"status": "publishing"}, s.ApprovedPost, "required member missing @ $.outgoing_post_id"),
        ({"outgoing_post_id": None}, s.ComposedPost, "expected a string, got null"),
        ({"url": "https://x"}, s.ConnectUrl, "required member missing"),
        ({"job_ids": "abc"}, s.SyncStarted, "expected an array, got a string"),
        ([], s.GeneratedPost, "expected an object, got an array"),
    ],
)
def test_what_is_essential_and_missing_is_a_decode_error(value, type_, problem):
    with pytest.raises(DecodeError) as caught:
        one(value, type_)

    assert any(problem in line for line in caught.value.problems), caught.value.problems
    assert (caught.value.operation, caught.value.provider, caught.value.status) == ("op", "reelmirror", 200)


@pytest.mark.parametrize("body", [b'{"data": {"id": "p', b"", b"<html>"])
def test_a_body_that_is_no_json_is_a_decode_error(body):
    with pytest.raises(DecodeError, match="reelmirror op"):
        decode_one(answer(body), s.OutgoingPost, operation="op")
    with pytest.raises(DecodeError, match="reelmirror op"):
        decode_page(answer(body), s.OutgoingPost, operation="op", offset=0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"null",
        b"true",
        b"[]",
        b"{}",
        b'{"success": true}',
        b'{"data": null}',
        b'{"id": "p1"}',
        b'{"id": 5, "status": "draft"}',
        b'{"data": {"id": "p1", "status": "draft", "items": [7]}}',
    ],
)
def test_a_write_whose_answer_holds_no_readable_post_is_none(body):
    assert decode_optional(answer(body), s.OutgoingPost, operation="op") is None


@pytest.mark.parametrize("value", [POST, {"data": POST}, {"post": POST}, {"success": True, "data": POST}])
def test_a_write_whose_answer_holds_the_post_returns_it(value):
    assert decode_optional(answer(value), s.OutgoingPost, operation="op").id == "p1"


def test_a_cut_off_answer_of_a_write_is_not_taken_for_none():
    with pytest.raises(DecodeError):
        decode_optional(answer(b'{"data": {"id"'), s.OutgoingPost, operation="op")


def test_json_of_unknown_shape_is_returned_as_it_is():
    assert decode_json(answer({"a": [1]}), operation="op") == {"a": [1]}
    assert decode_json(answer(b""), operation="op") is None


@pytest.mark.parametrize(
    ("value", "total"),
    [
        ({"data": [POST], "count": 42}, 42),
        ({"data": [POST]}, None),
        ({"data": [POST], "count": "42"}, None),
        ({"data": [POST], "count": True}, None),
        ({"data": [POST], "count": -1}, None),
        ({"posts": [POST], "count": 1}, 1),
        ([POST], None),
    ],
)
def test_a_page_is_read_from_any_list_envelope(value, total):
    page = decode_page(answer(value), s.OutgoingPost, operation="op", offset=20)

    assert page == Page(items=(s.OutgoingPost(id="p1", status="draft"),), total=total, offset=20)


@pytest.mark.parametrize("value", [{}, {"data": None}, {"a": [], "b": []}, "x", 5, {"data": {"id": "x"}}])
def test_an_answer_without_a_list_is_a_decode_error(value):
    with pytest.raises(DecodeError, match="holds no list"):
        decode_page(answer(value), s.OutgoingPost, operation="op", offset=0)


def test_all_bad_rows_of_a_page_are_named():
    rows = [POST, {"id": "p2"}, {"id": 3, "status": "draft"}]

    with pytest.raises(DecodeError) as caught:
        decode_page(answer({"data": rows}), s.OutgoingPost, operation="op", offset=0)

    assert len(caught.value.problems) == 2
    assert "$[1]" in caught.value.problems[0]
    assert "$[2]" in caught.value.problems[1]


def test_a_setup_url_is_found_beside_and_inside_the_envelope():
    inside = {"data": {"balance_cents": 1, "setup_url": "https://pay"}}
    beside = {"data": {"balance_cents": 1}, "setup_url": "https://pay"}

    assert one(inside, s.AutoReload) == one(beside, s.AutoReload)
    assert one({"setup_url": "https://pay"}, s.AutoReload).setup_url == "https://pay"


def test_members_of_older_pages_are_read_under_their_present_names():
    old = {"balance_cents": 5, "balance_dollars": 0.05, "auto_reload_enabled": True, "auto_reload_amount_cents": 100}

    balance = one(old, s.Balance)

    assert (balance.balance_dollars, balance.auto_reload, balance.reload_amount_cents) == ("0.05", True, 100)


def server(rows, *, total="real", cap=100, ignores_offset=False, log=None):
    """Return a fetch over *rows* (a list that a test may change between pages)."""

    async def fetch(limit, offset):
        start = 0 if ignores_offset else offset
        items = tuple(rows[start : start + min(limit, cap)])
        if log is not None:
            log.append((limit, offset))
        said = {"real": len(rows), "page": len(items), "none": None, "huge": 10**9}[total]
        return Page(items=items, total=said, offset=offset)

    return fetch


def sources(count):
    return [s.Source(id=str(number)) for number in range(count)]


async def walked(fetch, limit=100, offset=0):
    return [row.id async for row in walk(fetch, limit=limit, offset=offset)]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250])
@pytest.mark.parametrize("total", ["real", "page", "none", "huge"])
async def test_every_row_is_given_once_whatever_the_total_says(count, total):
    assert await walked(server(sources(count), total=total)) == [str(number) for number in range(count)]


async def test_a_list_that_fits_one_page_costs_one_request():
    log = []

    await walked(server(sources(42), log=log))

    assert log == [(100, 0)]


async def test_a_server_with_smaller_pages_loses_no_row_where_the_total_is_told():
    assert len(await walked(server(sources(95), cap=20))) == 95


@pytest.mark.parametrize("total", ["real", "page", "none", "huge"])
async def test_a_server_that_ignores_the_offset_is_left_soon(total):
    log = []

    rows = await walked(server(sources(150), total=total, ignores_offset=True, log=log))

    assert len(rows) == 100
    assert len(log) <= 3


async def test_rows_without_an_id_are_told_apart_by_their_content():
    rows = [s.SourcePost(extra={"n": number % 3}) for number in range(6)]

    assert [row.extra["n"] async for row in walk(server(rows), limit=100)] == [0, 1, 2]


async def test_rows_added_in_front_meanwhile_are_not_given_twice_and_hide_none():
    rows = sources(150)
    got = []
    async for row in walk(server(rows), limit=100):
        got.append(row.id)
        if len(got) == 100:
            rows[:0] = [s.Source(id=f"new-{number}") for number in range(100)]

    assert got == [str(number) for number in range(150)]


async def test_walking_starts_where_asked_and_stops_with_its_reader():
    log = []

    async for _ in walk(server(sources(500), log=log), limit=10, offset=30):
        break

    assert log == [(10, 30)]


def test_an_empty_page_ends_the_list_whatever_the_total_says():
    assert not has_more(Page(items=(), total=10**9), limit=100, stale=0)
