"""The ReelMirror client over real sockets, against a server that knows the contract and answers by a script."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from jsonschema import Draft202012Validator

from reelpub import errors
from reelpub.providers.reelmirror import ReelMirrorClient
from reelpub.providers.reelmirror import schemas as s
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import CallOptions, Response

CONTRACT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "contracts" / "reelmirror.openapi.yaml").read_text())
KEY = "rm_" + "k" * 32
LATER = datetime.now(UTC) + timedelta(days=1)
ITEM = s.OutgoingPostItemInput("m1", position=0)
POST = {"id": "p1", "status": "draft", "deliveries": [{"id": "d", "platform": "tiktok", "status": "queued"}]}


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", lambda match: f"_{match[1].lower()}", name)


def closed(node):
    """Return *node* with references inlined and every object that names its members closed."""
    if isinstance(node, list):
        return [closed(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = CONTRACT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return closed(target)
    result = {name: closed(value) for name, value in node.items() if name != "examples"}
    if isinstance(node.get("properties"), dict):
        result.setdefault("additionalProperties", False)
    return result


BODIES = {
    snake(operation["operationId"]): {
        kind: Draft202012Validator(content["schema"])
        for kind, content in closed(operation.get("requestBody", {}).get("content", {})).items()
    }
    for methods in CONTRACT["paths"].values()
    for operation in methods.values()
}


class Scripted:
    """Answers every operation as its script says and keeps what came: (operation, path, query, body, headers)."""

    def __init__(self):
        self.script = {}
        self.seen = []
        app = web.Application()
        for path, methods in CONTRACT["paths"].items():
            for method, operation in methods.items():
                # A path with a fixed last segment has to win over the one with an id there.
                name = snake(operation["operationId"])
                app.router.add_route(method.upper(), f"/api{path}", self._handler(name))
        self.server = TestServer(app)

    def _handler(self, operation):
        async def handle(request):
            body = await self._body(operation, request)
            self.seen.append((operation, request.raw_path, dict(request.query), body, dict(request.headers)))
            answer = self.script[operation]
            answer = answer(request) if callable(answer) else answer
            if isinstance(answer, web.Response):
                return answer
            return web.json_response(answer) if answer is not None else web.Response(status=204)

        return handle

    async def _body(self, operation, request):
        kinds = BODIES[operation]
        if request.content_type == "multipart/form-data":
            body = {name: getattr(part, "filename", part) for name, part in (await request.post()).items()}
        else:
            text = await request.text()
            body = json.loads(text) if text else None
        if kinds:
            kinds[request.content_type].validate(body)
        else:
            assert body is None
        return body

    @property
    def operations(self):
        return [entry[0] for entry in self.seen]


@asynccontextmanager
async def scripted(**script):
    """Hand out a client and the server that it talks to."""
    site = Scripted()
    site.script = script
    async with site.server:
        url = str(site.server.make_url("/api"))
        async with ReelMirrorClient(KEY, base_url=url, limiter=RateLimiter(100_000, 60.0)) as client:
            yield client, site


# Operation, arguments, what the server answers, what the client returns.
CALLS = [
    ("create_outgoing_post", (), {"items": [ITEM], "caption": "c"}, {"data": POST}, "p1"),
    ("get_outgoing_post", ("p1",), {}, {"post": POST}, "p1"),
    ("update_outgoing_post", ("p1",), {"caption": "c"}, POST, "p1"),
    ("update_outgoing_post", ("p1",), {"caption": "c"}, None, None),
    ("delete_outgoing_post", ("p1",), {}, None, None),
    ("publish_outgoing_post", ("p1",), {}, {"success": True}, None),
    ("publish_outgoing_post", ("p1",), {}, {"data": {**POST, "status": "publishing"}}, "p1"),
    ("schedule_outgoing_post", ("p1",), {"scheduled_for": LATER, "timezone": "Europe/Berlin"}, {"post": POST}, "p1"),
    ("cancel_outgoing_post", ("p1",), {}, None, None),
    ("retry_outgoing_post", ("p1",), {}, {"data": POST}, "p1"),
    ("generate_caption", (["m1"],), {"persona_id": "x"}, {"caption": "hi"}, s.GeneratedCaption(caption="hi")),
    ("get_connect_url", ("tiktok",), {}, {"authUrl": "https://l"}, s.ConnectUrl(auth_url="https://l")),
    ("disconnect_account", ("a1",), {}, {"anything": 1}, None),
    (
        "get_account_slots",
        (),
        {},
        {"data": {"purchased": 1, "used": 1, "available": 0}},
        s.AccountSlots(purchased=1, used=1, available=0),
    ),
    (
        "set_account_slots",
        (2,),
        {"return_url": "/x"},
        {"data": {"checkoutUrl": "https://pay"}},
        s.SlotsPurchase(checkout_url="https://pay"),
    ),
    ("get_generated_post", ("g1",), {}, {"post": {"id": "g1", "status": "new"}}, "g1"),
    (
        "approve_generated_post",
        ("g1",),
        {},
        {"status": "publishing", "outgoing_post_id": "p1"},
        s.ApprovedPost(outgoing_post_id="p1", status="publishing"),
    ),
    ("reject_generated_post", ("g1",), {}, None, None),
    (
        "send_generated_post_to_compose",
        ("g1",),
        {},
        {"data": {"outgoing_post_id": "p1"}},
        s.ComposedPost(outgoing_post_id="p1"),
    ),
    ("get_generated_media_item", ("m1",), {}, {"id": "m1", "status": "completed"}, "m1"),
    ("reject_generated_media_item", ("m1",), {}, {"data": {"id": "m1"}}, "m1"),
    (
        "generate",
        (),
        {"source_post_id": "s1", "persona_id": "x"},
        {"generated_post_id": "g1", "status": "started"},
        s.GenerationStarted(generated_post_id="g1", status="started"),
    ),
    ("create_persona", ({"name": "Ada"},), {}, {"data": {"id": "x"}}, "x"),
    ("get_persona", ("x",), {}, {"data": {"id": "x"}}, "x"),
    ("update_persona", ("x",), {"discount_mode": True, "extra": {"name": "B"}}, {"id": "x"}, "x"),
    ("delete_persona", ("x",), {}, None, None),
    ("add_publishing_target", ("x", {"connected_account_id": "a1"}), {}, {"linked": True}, {"linked": True}),
    ("add_source", ("x",), {"platform": "instagram", "handle": "n"}, {"data": {"id": "s1"}}, "s1"),
    (
        "trigger_sync",
        ("x",),
        {},
        {"job_ids": ["j1"], "estimated_cost_cents": 4},
        s.SyncStarted(job_ids=("j1",), estimated_cost_cents=4),
    ),
    ("get_sync_job", ("j1",), {}, {"id": "j1", "status": "skipped"}, "j1"),
    (
        "upload_file",
        (),
        {"url": "https://example.com/v.mp3", "category": "voice", "persona_id": "x"},
        {"data": {"key": "k", "category": "voice"}},
        s.UploadedFile(key="k", category=s.UploadCategory.VOICE),
    ),
    ("get_balance", (), {}, {"data": {"balance_cents": 7}}, s.Balance(balance_cents=7)),
    (
        "update_auto_reload",
        (),
        {"auto_reload": True},
        {"data": {}, "setup_url": "https://pay"},
        s.AutoReload(setup_url="https://pay"),
    ),
    ("create_topup", (1000,), {}, {"data": {"url": "https://pay"}}, s.CheckoutSession(url="https://pay")),
    ("create_setup_intent", (), {}, {"client_secret": "sec"}, s.SetupIntent(client_secret="sec")),
    (
        "agent_signup",
        (),
        {"email": "a@b.c", "password": "12345678"},
        {"status": "pending_confirmation", "user_id": "u"},
        s.Signup(user_id="u", status="pending_confirmation"),
    ),
    ("create_api_key", ("ci",), {"monthly_limit_cents": None}, {"id": "k", "key": "rm_1"}, "k"),
    ("revoke_api_key", ("k",), {}, None, None),
]
LISTS = [
    ("list_outgoing_posts", (), POST),
    ("list_connected_accounts", (), {"id": "p1", "status": "active"}),
    ("list_personas", (), {"id": "p1"}),
    ("list_sources", ("x",), {"id": "p1"}),
    ("list_source_posts", ("x",), {"id": "p1", "url": "u"}),
    ("list_transactions", (), {"id": "p1", "amount_cents": -5}),
    ("list_api_keys", (), {"id": "p1"}),
]


@pytest.mark.parametrize(("operation", "args", "kwargs", "answer", "wanted"), CALLS)
async def test_operation_sends_what_the_contract_says_and_reads_the_answer(operation, args, kwargs, answer, wanted):
    async with scripted(**{operation: answer}) as (client, site):
        result = await getattr(client, operation)(*args, **kwargs)

    # A text stands for the id of what is returned.
    assert (getattr(result, "id", result) if isinstance(wanted, str) else result) == wanted
    assert site.operations == [operation]


@pytest.mark.parametrize(("operation", "args", "row"), LISTS)
async def test_list_gives_its_rows_and_ends(operation, args, row):
    async with scripted(**{operation: {"data": [row], "count": 1}}) as (client, site):
        rows = [found.id async for found in getattr(client, operation)(*args)]
        page = await getattr(client, f"{operation}_page")(*args)

    assert rows == ["p1"]
    assert (page.total, page.offset, [found.id for found in page.items]) == (1, 0, ["p1"])
    assert site.operations == [operation] * 2


def test_every_operation_of_the_contract_is_called_here():
    assert {call[0] for call in CALLS} | {call[0] for call in LISTS} == set(BODIES)


def numbered(count):
    """Return an answer that pages through *count* rows as the vendor says, 20 where no size is asked for."""

    def answer(request):
        offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", 20))
        rows = [{"id": str(number), "amount_cents": 1} for number in range(count)]
        return {"data": rows[offset : offset + limit], "count": count}

    return answer


async def test_a_long_list_is_read_a_hundred_rows_at_a_time():
    async with scripted(list_transactions=numbered(250)) as (client, site):
        rows = [row.id async for row in client.list_transactions()]

    assert rows == [str(number) for number in range(250)]
    assert [query for _, _, query, _, _ in site.seen] == [
        {"limit": "100", "offset": "0"},
        {"limit": "100", "offset": "100"},
        {"limit": "100", "offset": "200"},
    ]


@pytest.mark.parametrize("operation", ["list_connected_accounts", "list_api_keys"])
async def test_a_list_without_page_parameters_is_followed_where_the_count_says_more(operation):
    async with scripted(**{operation: numbered(45)}) as (client, site):
        rows = [row.id async for row in getattr(client, operation)()]

    assert len(rows) == 45
    assert [query for _, _, query, _, _ in site.seen] == [{}, {"limit": "100", "offset": "20"}]


async def test_the_key_goes_with_every_request_but_the_sign_up():
    script = {"get_balance": {"balance_cents": 1}, "agent_signup": {"user_id": "u"}}
    async with scripted(**script) as (client, site):
        await client.get_balance()
        await client.agent_signup(email="a@b.c", password="12345678")

    assert [headers.get("Authorization") for *_, headers in site.seen] == [f"Bearer {KEY}", None]
    assert KEY not in repr(client)


async def test_an_id_can_t_leave_its_segment():
    async with scripted(get_persona={"id": "x"}) as (client, site):
        await client.get_persona("../billing/balance?x=1\n")

    assert site.seen[0][1] == "/api/v1/personas/..%2Fbilling%2Fbalance%3Fx%3D1%0A"


async def test_a_file_is_sent_as_a_part_beside_its_fields(tmp_path):
    path = tmp_path / "voice.mp3"
    path.write_bytes(b"sound" * 1000)
    async with scripted(upload_file={"data": {"key": "k"}}) as (client, site):
        await client.upload_file(path, category="voice", persona_id="x")

    assert site.seen[0][3] == {"category": "voice", "persona_id": "x", "file": "voice.mp3"}


def refusal(status, code, message):
    error = {"code": code, "message": message, "details": {"hint": 1}}
    return lambda _: web.json_response({"error": error}, status=status)


@pytest.mark.parametrize(
    ("status", "code", "type_"),
    [
        (400, "VALIDATION_ERROR", errors.BadRequestError),
        (401, "UNAUTHORIZED", errors.AuthenticationError),
        (402, "INSUFFICIENT_BALANCE", errors.PaymentRequiredError),
        (403, "FORBIDDEN", errors.PermissionDeniedError),
        (404, "NOT_FOUND", errors.NotFoundError),
        (409, "CONFLICT", errors.ConflictError),
        (500, "INTERNAL_ERROR", errors.ServerError),
        (502, "UPSTREAM_ERROR", errors.ServerError),
    ],
)
async def test_a_refusal_has_the_vendors_own_words(status, code, type_):
    answer = refusal(status, code, "in their words")
    async with scripted(publish_outgoing_post=answer) as (client, site):
        with pytest.raises(type_, match=f"reelmirror publish_outgoing_post: {status} {code}: in their words") as caught:
            await client.publish_outgoing_post("p1")

    assert (caught.value.code, caught.value.details) == (code, {"hint": 1})
    assert site.operations == ["publish_outgoing_post"]


async def test_an_approval_whose_answer_names_no_post_is_an_error_and_not_repeated():
    async with scripted(approve_generated_post={"status": "publishing"}) as (client, site):
        with pytest.raises(errors.DecodeError, match="outgoing_post_id"):
            await client.approve_generated_post("g1")

    assert site.operations == ["approve_generated_post"]


@pytest.mark.parametrize(
    ("operation", "args", "kwargs", "field"),
    [
        ("get_outgoing_post", ("",), {}, "outgoing_post_id"),
        ("create_outgoing_post", (), {"items": []}, "items"),
        ("schedule_outgoing_post", ("p",), {"scheduled_for": datetime(2020, 1, 1, tzinfo=UTC)}, "scheduled_for"),
        ("schedule_outgoing_post", ("p",), {"scheduled_for": datetime(2099, 1, 1)}, "scheduled_for"),  # noqa: DTZ001
        ("list_connected_accounts_page", (), {"limit": 101}, "limit"),
        ("list_api_keys_page", (), {"limit": 0}, "limit"),
        ("list_outgoing_posts_page", (), {"offset": -1}, "offset"),
    ],
)
async def test_a_bad_argument_is_refused_and_nothing_is_sent(operation, args, kwargs, field):
    async with scripted() as (client, site):
        with pytest.raises(errors.ValidationError) as caught:
            await getattr(client, operation)(*args, **kwargs)

    assert [problem.field for problem in caught.value.problems] == [field]
    assert site.seen == []


@pytest.mark.parametrize(
    ("operation", "args"),
    [
        ("list_outgoing_posts", ()),
        ("list_personas", ()),
        ("list_sources", ("x",)),
        ("list_source_posts", ("x",)),
        ("list_transactions", ()),
    ],
)
async def test_a_bad_page_size_is_refused_at_the_first_row(operation, args):
    async with scripted() as (client, site):
        with pytest.raises(errors.ValidationError, match="limit"):
            [_ async for _ in getattr(client, operation)(*args, limit=1000)]

    assert site.seen == []


async def test_options_reach_the_transport():
    async def stop():
        raise LookupError("not now")

    async with scripted() as (client, site):
        with pytest.raises(LookupError, match="not now"):
            await client.publish_outgoing_post("p1", options=CallOptions(before_send=stop))

    assert site.seen == []


async def test_a_client_from_the_environment_uses_its_key_and_address(monkeypatch):
    async with scripted(get_balance={"balance_cents": 1}) as (_, site):
        monkeypatch.setenv("REELMIRROR_API_KEY", "rm_other")
        monkeypatch.setenv("REELMIRROR_BASE_URL", str(site.server.make_url("/api")))
        async with ReelMirrorClient.from_env(timeout=5.0) as client:
            await client.get_balance()
        await client.close()

    assert site.seen[0][4]["Authorization"] == "Bearer rm_other"


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_key_is_named(monkeypatch, value):
    monkeypatch.delenv("REELMIRROR_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("REELMIRROR_API_KEY", value)

    with pytest.raises(errors.ConfigurationError, match="REELMIRROR_API_KEY"):
        ReelMirrorClient.from_env()


def test_arguments_win_over_the_environment_and_the_limit_is_the_vendors(monkeypatch):
    monkeypatch.setenv("REELMIRROR_BASE_URL", "https://elsewhere.example/api")

    client = ReelMirrorClient.from_env(api_key="rm_x", base_url="https://reelmirror.com/api")

    assert str(client.transport.base_url) == "https://reelmirror.com/api"
    assert (client.limiter.limit, client.limiter.window) == (60, 60.0)


async def test_what_is_handed_in_is_left_open():
    class Recorder:
        closed = False

        async def send(self, request, options=None):
            return Response(status=200, headers={}, body=b'{"balance_cents": 3}')

        async def close(self):
            self.closed = True

    transport = Recorder()
    async with ReelMirrorClient("rm_x", transport=transport) as client:
        assert (await client.get_balance()).balance_cents == 3

    async with scripted(get_balance={"balance_cents": 1}) as (_, site), ClientSession() as session:
        url = str(site.server.make_url("/api"))
        async with ReelMirrorClient(KEY, base_url=url, session=session) as client:
            await client.get_balance()
        assert not session.closed
    assert not transport.closed
