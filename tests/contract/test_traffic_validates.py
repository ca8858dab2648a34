"""All traffic between the typed clients and the sandbox, judged by openapi-core: a validator that neither side wrote.

Requests are judged by the contracts with every schema closed, answers by the contracts as they are. Where a contract
leaves the shape of an answer open, the sandbox's dialect names one. The format "uuid", which the ReelMirror contract
marks as only observed, isn't asked for: the sandbox's seeded ids are plain names.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import yaml
from aiohttp import ClientSession
from allpairspy import AllPairs
from attrs import evolve
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from reelpub.errors import NotFoundError
from reelpub.providers.reap import ReapClient
from reelpub.providers.reap.schemas import ScheduleClip
from reelpub.providers.reelmirror import ReelMirrorClient
from reelpub.providers.reelmirror.schemas import OutgoingPostItemInput
from reelpub.sandbox import (
    REAP_ACCOUNTS,
    REAP_KEY,
    REELMIRROR_ACCOUNTS,
    REELMIRROR_KEY,
    Fault,
    FaultKind,
    RateLimit,
    ReapDialect,
    ReelMirrorDialect,
    Sandbox,
)
from reelpub.sandbox.reelmirror import answer_schemas
from reelpub.sandbox.seed import (
    PERSONA,
    REAP_READ_ONLY_KEY,
    REELMIRROR_NO_BALANCE_KEY,
    REELMIRROR_NO_CONTENT_KEY,
)
from reelpub.transport.limiter import RateLimiter

CONTRACTS = Path(__file__).parents[2] / "docs" / "contracts"
ORIGIN = "http://sandbox"
BASE = {"reap": "/api/v1/automation", "reelmirror": "/api"}
NOW = 1_800_000_000.0
PLENTY = RateLimit(limit=10_000)
"""A limit that no session reaches, so that its headers are sent and judged."""


class HandClock:
    """The providers' clock; it stands still until it is moved."""

    def __init__(self):
        self.now = NOW

    def time(self):
        return self.now

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        raise AssertionError("the sandbox never waits")


class AsRequest:
    """A recorded request in the form that openapi-core wants. The key itself is never recorded."""

    def __init__(self, exchange):
        headers = Headers(list(exchange.request_headers.items()))
        if exchange.record.key:
            headers["Authorization"] = "Bearer recorded"
        self.host_url, self.path, self.method = ORIGIN, exchange.path, exchange.method.lower()
        self.content_type, self.body = headers.get("Content-Type", ""), exchange.request_body or None
        query = ImmutableMultiDict(parse_qsl(exchange.query, keep_blank_values=True))
        self.parameters = RequestParameters(query=query, header=headers)


class AsResponse:
    """A recorded answer in the form that openapi-core wants."""

    def __init__(self, exchange):
        self.status_code, self.data = exchange.status, exchange.response_body
        self.headers = Headers(list(exchange.response_headers.items()))
        self.content_type = self.headers.get("Content-Type", "")


class Judge:
    """One provider's contract, closed for requests and with the dialect's schemas for answers."""

    def __init__(self, provider, answers=None):
        document = deepcopy(contract(provider))
        self.operations = {
            operation["operationId"]: operation for item in document["paths"].values() for operation in item.values()
        }
        self.parameters = document["components"]["parameters"]
        self.requests = closed_contract(provider)
        for operation in self.operations.values():
            if "2XX" in operation["responses"]:
                operation["responses"]["204"] = {"description": "Done; nothing to say."}
        for (name, status), schema in (answers or {}).items():
            answer = {"description": "As the dialect says.", "content": {"application/json": {"schema": schema}}}
            self.operations[name]["responses"][str(status)] = answer
        self.answers = OpenAPI.from_dict(document)

    def request_problems(self, exchange):
        """Return what is wrong with a request; openapi-core takes unknown query parameters, so those are seen here."""
        declared = {self._name(one) for one in self.operations[exchange.operation].get("parameters", [])}
        sent = {name for name, _ in parse_qsl(exchange.query, keep_blank_values=True)}
        unknown = [f"unknown query parameter {name}" for name in sorted(sent - declared)]
        return unknown + [f"{error}" for error in self.requests.iter_request_errors(AsRequest(exchange))]

    def answer_problems(self, exchange):
        """Return what is wrong with an answer."""
        if exchange.status == 204:
            return ["a 204 with a body"] if exchange.response_body else []
        return [f"{error}" for error in self.answers.iter_response_errors(AsRequest(exchange), AsResponse(exchange))]

    def _name(self, parameter):
        if "$ref" in parameter:
            parameter = self.parameters[parameter["$ref"].rpartition("/")[2]]
        return parameter["name"]


@cache
def contract(provider):
    """Return the contract, served where the recorded requests seem to go. Read once: it is long."""
    document = yaml.safe_load((CONTRACTS / f"{provider}.openapi.yaml").read_text(encoding="utf-8"))
    document["servers"] = [{"url": ORIGIN + BASE[provider]}]
    return without_uuids(document)


@cache
def closed_contract(provider):
    return OpenAPI.from_dict(closed(contract(provider)))


def without_uuids(node):
    """Return *node* without the format "uuid"."""
    if isinstance(node, list):
        return [without_uuids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {name: without_uuids(value) for name, value in node.items() if (name, value) != ("format", "uuid")}


def closed(node):
    """Return *node* with every object that names its members closed to all others."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {name: closed(value) for name, value in node.items()}
    if isinstance(node.get("properties"), dict):
        copy.setdefault("additionalProperties", False)
    return copy


def check(judge, exchanges, *, requests=True):
    """Assert that *exchanges* are what the contract says, and return the operations that succeeded."""
    for exchange in exchanges:
        label = f"{exchange.operation} {exchange.status} {exchange.response_body[:300]!r}"
        if requests:
            assert not judge.request_problems(exchange), label
        assert not judge.answer_problems(exchange), label
    return {exchange.operation for exchange in exchanges if exchange.status < 300}


def named(dialect_class, row):
    return dialect_class(**dict(zip(dialect_class.options(), row, strict=True)))


def pairs(dialect_class):
    """Return dialects in which each two values of each two switches meet."""
    return [named(dialect_class, row) for row in AllPairs(list(dialect_class.options().values()))]


def label(dialect):
    return "-".join(str(getattr(dialect, name)) for name in type(dialect).options())


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\0" * 2048)
    return path


async def every(iterator):
    return [row async for row in iterator]


@pytest.mark.parametrize("dialect", pairs(ReapDialect), ids=label)
async def test_every_call_of_the_reap_client(dialect, video):
    """All 29 operations, each answered with success at least once, in dialects that cover all pairs of switches."""
    exchanges, clock = [], HandClock()
    sandbox = Sandbox(clock=clock, reap=dialect, limits={"reap": PLENTY}, observer=exchanges.append)
    async with sandbox, ReapClient(REAP_KEY, base_url=sandbox.reap_url, limiter=RateLimiter(10_000, 60.0)) as client:
        await reap_session(client, clock, video)
    judge = Judge("reap")
    assert check(judge, exchanges) == set(judge.operations)


async def reap_session(client, clock, video):
    tiktok, youtube = REAP_ACCOUNTS[0].id, REAP_ACCOUNTS[1].id
    clip = {"project_id": "demo-project-1", "clip_id": "demo-clip-1"}
    assert len(await client.get_integrations()) == len(REAP_ACCOUNTS)
    await client.get_plan_usage()
    await client.get_translation_languages()
    await client.get_dubbing_languages()
    assert len(await every(client.get_all_presets())) == 69
    upload = await client.upload_file(video)
    project = await client.create_clips(source_url="https://youtu.be/a", captions_preset=None, topics=["a"])
    await client.create_captions(upload_id=upload.id, translation_language="fr")
    await client.create_transcription(upload_id=upload.id)
    await client.create_reframe(upload_id=upload.id, orientation="square")
    await client.create_dubbing(upload_id=upload.id, source_language="en-US", target_language="fr-FR")
    await client.cancel_project(project_id=project.id)
    await every(client.get_all_uploads())
    await client.delete_upload(upload_id=upload.id)
    await every(client.get_all_projects(status=["queued", "completed"], sort_by="duration", sort_order="asc"))
    await client.get_project_status(project_id="demo-project-1")
    await client.get_project_details(project_id="demo-project-1")
    assert len(await every(client.get_project_clips(project_id="demo-project-1"))) == 40
    await client.get_clip_details(**clip)
    await client.update_project(project_id="demo-project-1", title="Renamed")
    await client.update_clip(**clip, title="Renamed", caption=None)
    live = await client.publish_clip(**clip, integrations=[tiktok, youtube], title="T", tags=["a"])
    plan = await client.schedule_clips(
        clips=[ScheduleClip(**clip, title="T"), ScheduleClip(project_id="demo-project-cancelled", clip_id="c")],
        integrations=[tiktok],
        schedule_date=int(clock.now) + 3600,
        interval_seconds=600,
    )
    await client.update_post(post_id=plan.posts[0].id, description="D", schedule_date=int(clock.now) + 4000)
    clock.now += 61
    await every(client.get_all_posts(status=["completed", "draft"], created_after=int(NOW) - 1))
    await client.get_post_details(post_id=live.id)
    await client.delete_post(post_id=plan.posts[0].id)
    with pytest.raises(NotFoundError):
        await client.get_post_details(post_id="../f f")
    await client.delete_clip(**clip)
    await client.delete_project(project_id="demo-project-1")


@pytest.mark.parametrize("dialect", pairs(ReelMirrorDialect), ids=label)
async def test_every_call_of_the_reelmirror_client(dialect, video):
    """All 43 operations, each answered with success at least once, where the dialect has it at all."""
    exchanges, clock = [], HandClock()
    sandbox = Sandbox(clock=clock, reelmirror=dialect, limits={"reelmirror": PLENTY}, observer=exchanges.append)
    sandbox.order(Fault(FaultKind.PLATFORM_FAILS, provider="reelmirror", operation="publishOutgoingPost"))
    limiter = RateLimiter(10_000, 60.0)
    async with sandbox, ReelMirrorClient(REELMIRROR_KEY, base_url=sandbox.reelmirror_url, limiter=limiter) as client:
        await reelmirror_accounts(client)
        await reelmirror_personas(client, clock, video)
        await reelmirror_posts(client, clock, has_list=dialect.list_posts == "present")
    judge = Judge("reelmirror", answer_schemas(dialect))
    absent = set() if dialect.list_posts == "present" else {"listOutgoingPosts"}
    judged = [exchange for exchange in exchanges if exchange.operation not in absent]
    assert check(judge, judged) == set(judge.operations) - absent


async def reelmirror_accounts(client):
    assert len(await every(client.list_connected_accounts())) == len(REELMIRROR_ACCOUNTS)
    await client.get_connect_url("tiktok")
    await client.disconnect_account(REELMIRROR_ACCOUNTS[3].id)
    await client.get_account_slots()
    await client.set_account_slots(9, return_url="/back")
    await client.create_setup_intent()
    await client.set_account_slots(9)
    await client.get_balance()
    await client.update_auto_reload(auto_reload=True, reload_threshold_cents=100, reload_amount_cents=500)
    await client.create_topup(500)
    await client.agent_signup(email="a@example.com", password="long enough")
    made = await client.create_api_key("second", scopes=["content:read"], monthly_limit_cents=None)
    await every(client.list_api_keys())
    await client.revoke_api_key(made.id)


async def reelmirror_personas(client, clock, video):
    persona = await client.create_persona({"name": "Second"})
    await every(client.list_personas())
    await client.get_persona(persona.id)
    await client.update_persona(persona.id, discount_mode=True)
    await client.add_publishing_target(persona.id, {"connected_account_id": REELMIRROR_ACCOUNTS[0].id})
    await client.upload_file(video, category="avatar", persona_id=persona.id)
    await client.upload_file(url="https://example.com/a.wav", category="voice", persona_id=persona.id)
    await client.add_source(persona.id, platform="instagram", handle="somebody", automation_mode="sync_only")
    await every(client.list_sources(persona.id))
    started = await client.trigger_sync(persona.id)
    clock.now += 301
    await client.get_sync_job(started.job_ids[0])
    [first, *_] = await every(client.list_source_posts(persona.id))
    generation = await client.generate(source_post_id=first.id, persona_id=persona.id)
    await client.get_generated_post(generation.generated_post_id)
    await every(client.list_transactions())
    await client.delete_persona(persona.id)


async def reelmirror_posts(client, clock, *, has_list):
    instagram = REELMIRROR_ACCOUNTS[0].id
    items = [OutgoingPostItemInput(generated_media_item_id="demo-media-item-1", position=0)]
    await client.get_generated_media_item("demo-media-item-1")
    await client.reject_generated_media_item("demo-media-item-60")
    await client.reject_generated_post("demo-generated-post-5")
    await client.approve_generated_post("demo-generated-post-6")
    await client.generate_caption(["demo-media-item-1"], persona_id=PERSONA)
    drafts = [
        await client.create_outgoing_post(
            items=items, caption="C", target_account_ids=[instagram], platform_settings={"free": {"form": 1}}
        )
        for _ in range(3)
    ]
    composed = await client.send_generated_post_to_compose("demo-generated-post-7")
    await client.update_outgoing_post(composed.outgoing_post_id, caption="Edited", target_account_ids=[instagram])
    await client.delete_outgoing_post(drafts[0].id)
    when = datetime.fromtimestamp(clock.now + 3600, UTC)
    await client.schedule_outgoing_post(drafts[1].id, scheduled_for=when, timezone="America/New_York")
    await client.cancel_outgoing_post(drafts[1].id)
    await client.publish_outgoing_post(drafts[2].id)
    clock.now += 61
    await client.get_outgoing_post(drafts[2].id)
    await client.retry_outgoing_post(drafts[2].id)
    clock.now += 61
    await client.get_outgoing_post(drafts[2].id)
    if has_list:
        await every(client.list_outgoing_posts())
    with pytest.raises(NotFoundError):
        await client.get_outgoing_post("../f f")


ITEM = "demo-media-item-1"
REFUSALS = {
    "reap": [
        (REAP_KEY, "GET", "/get-post-details?postId=nowhere", None, 404),
        (REAP_KEY, "GET", "/get-post-details?postId=", None, 422),
        (REAP_KEY, "POST", "/publish-clip", {"projectId": 1}, 422),
        (REAP_KEY, "POST", "/publish-clip", {"projectId": "p", "clipId": "c", "integrations": ["i"]}, 404),
        (REAP_KEY, "POST", "/create-clips", {}, 400),
        (REAP_READ_ONLY_KEY, "POST", "/update-post", {"postId": "p"}, 403),
        ("no key", "GET", "/get-integrations", None, 401),
    ],
    "reelmirror": [
        (REELMIRROR_KEY, "GET", "/v1/publishing/posts/nowhere", None, 404),
        (REELMIRROR_KEY, "POST", "/v1/publishing/posts", {"items": "none"}, 400),
        (REELMIRROR_KEY, "POST", "/v1/publishing/posts", {"items": [], "captoin": "C"}, 400),
        (REELMIRROR_NO_BALANCE_KEY, "POST", "/v1/publishing/caption", {"generated_media_item_ids": [ITEM]}, 402),
        (REELMIRROR_NO_CONTENT_KEY, "GET", "/v1/generated-posts/demo-generated-post-1", None, 403),
        ("no key", "GET", "/v1/personas", None, 401),
    ],
}


@pytest.mark.parametrize("provider", ["reap", "reelmirror"])
async def test_refusals_have_the_shape_of_the_contract(provider):
    """Errors are answers too: each has the status and the body that the contract gives it."""
    exchanges = []
    keep = {"reap": RateLimit(limit=6), "reelmirror": RateLimit(limit=3)}
    async with (
        Sandbox(clock=HandClock(), limits=keep, observer=exchanges.append) as sandbox,
        ClientSession() as session,
    ):
        for key, method, path, body, status in REFUSALS[provider]:
            headers = {"Authorization": f"Bearer {key}"}
            address = sandbox.base_url(provider) + path
            async with session.request(method, address, json=body, headers=headers) as response:
                assert response.status == status, await response.text()
        for _ in range(7):
            address = sandbox.base_url(provider) + {"reap": "/get-integrations", "reelmirror": "/v1/personas"}[provider]
            key = {"reap": REAP_KEY, "reelmirror": REELMIRROR_KEY}[provider]
            async with session.get(address, headers={"Authorization": f"Bearer {key}"}) as response:
                await response.read()
        assert response.status == 429
    check(Judge(provider), exchanges, requests=False)


async def recorded(provider, path, body=None, query=""):
    """Send one request and return its exchange."""
    exchanges = []
    async with Sandbox(clock=HandClock(), observer=exchanges.append) as sandbox, ClientSession() as session:
        key = {"reap": REAP_KEY, "reelmirror": REELMIRROR_KEY}[provider]
        address = f"{sandbox.base_url(provider)}{path}{query}"
        headers = {"Authorization": f"Bearer {key}"}
        method = "GET" if body is None else "POST"
        async with session.request(method, address, json=body, headers=headers) as response:
            await response.read()
    [exchange] = exchanges
    return exchange


CLIP = {"projectId": "demo-project-1", "clipId": "demo-clip-1", "integrations": [REAP_ACCOUNTS[0].id]}
POST = {"items": [{"generated_media_item_id": ITEM}]}


@pytest.mark.parametrize(
    ("provider", "path", "body"),
    [
        ("reap", "/publish-clip", CLIP | {"titel": "T"}),
        ("reap", "/publish-clip", CLIP | {"platformSettings": {"tiktok": {"privaci": "public"}}}),
        ("reap", "/publish-clip", CLIP | {"platformSettings": {"facebook": {}}}),
        ("reelmirror", "/v1/publishing/posts", POST | {"captoin": "C"}),
        ("reelmirror", "/v1/publishing/posts", {"items": [POST["items"][0] | {"positoin": 0}]}),
    ],
)
async def test_a_misspelt_member_is_seen_by_both(provider, path, body):
    """The judge refuses it and so does the sandbox: a request that passes here is spelt as in the contract."""
    exchange = await recorded(provider, path, body)
    assert Judge(provider).request_problems(exchange)
    assert exchange.status in (400, 422)


async def test_a_misspelt_query_parameter_is_seen_by_both():
    exchange = await recorded("reap", "/get-all-posts", query="?pagesize=5")
    assert Judge("reap").request_problems(exchange) == ["unknown query parameter pagesize"]
    assert exchange.status == 422


async def test_a_request_without_a_key_is_seen():
    exchange = await recorded("reap", "/get-integrations")
    judge = Judge("reap")
    assert judge.request_problems(exchange) == []
    keyless = evolve(exchange, record=evolve(exchange.record, key=""))
    assert "Security" in judge.request_problems(keyless)[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"response_body": b'{"integrations": [{"id": 7}]}'}, "7 is not of type"),
        ({"response_body": b'{"integrations": [{"platform": "myspace"}]}'}, "myspace"),
        ({"status": 418}, "418"),
        ({"response_headers": {"Content-Type": "text/html"}}, "text/html"),
    ],
)
async def test_a_wrong_answer_is_seen(changes, words):
    exchange = await recorded("reap", "/get-integrations")
    judge = Judge("reap")
    assert judge.answer_problems(exchange) == []
    assert words in str(judge.answer_problems(evolve(exchange, **changes)))


async def test_an_answer_of_another_dialect_is_seen():
    """The schemas that a dialect names for open answers are really asked for."""
    exchange = await recorded("reelmirror", f"/v1/personas/{PERSONA}")
    bare, wrapped = (answer_schemas(ReelMirrorDialect(object_envelope=name)) for name in ("bare", "data"))
    assert Judge("reelmirror", bare).answer_problems(exchange) == []
    assert Judge("reelmirror", wrapped).answer_problems(exchange)
