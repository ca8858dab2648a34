"""The Reap client over real sockets: each operation as the contract has it, and what comes back of trouble."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from jsonschema import Draft202012Validator

from reelpub.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    DecodeError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
    ValidationError,
)
from reelpub.policies.retry import RetryPolicy
from reelpub.providers.reap import ReapClient
from reelpub.providers.reap.schemas import (
    Clip,
    DeletedClip,
    DeletedPost,
    DeletedProject,
    DeletedUpload,
    Integration,
    LanguageCatalogue,
    Post,
    PostPage,
    PostStatus,
    Preset,
    Project,
    ProjectStatus,
    ProjectStatusView,
    ScheduleClip,
    ScheduleResult,
    Upload,
    UploadTarget,
)
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import CallOptions, Response

KEY = "eyJhbGciOi.hunter2-secret-key"
BASE = "/api/v1/automation"
NOW = 1_800_000_000
DATE = NOW + 7200
CONTRACT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "contracts" / "reap.openapi.yaml").read_text())


class StoppedClock:
    """A clock that shows one moment; waits are over at once."""

    def __init__(self, now=NOW):
        self.now = now

    def time(self):
        return self.now

    def monotonic(self):
        return 0.0

    async def sleep(self, seconds):
        return None


def closed(node):
    if isinstance(node, list):
        return [closed(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = CONTRACT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return closed(target)
    result = {name: closed(value) for name, value in node.items()}
    if isinstance(node.get("properties"), dict):
        result.setdefault("additionalProperties", False)
    return result


def operation_of(method, path):
    return CONTRACT["paths"][path.removeprefix(BASE)][method.lower()]


class Server:
    """A scripted server that writes down what reaches it and holds it against the closed contract."""

    def __init__(self):
        self.seen = []
        self.answers = {}
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.handle)
        self.server = TestServer(app)

    async def handle(self, request):
        body = await request.read()
        self.seen.append((request, body))
        if request.path.startswith(BASE):
            self.check(request, body)
        answer = self.answers[request.path.rpartition("/")[2]]
        answer = answer(request) if callable(answer) else answer
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    def check(self, request, body):
        operation = operation_of(request.method, request.path)
        parameters = {p["name"]: p for p in closed(operation.get("parameters", []))}
        assert set(request.query) <= parameters.keys()
        assert {name for name, p in parameters.items() if p.get("required")} <= set(request.query)
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        assert bool(body) == bool(schema)
        if schema:
            assert request.headers["Content-Type"].startswith("application/json")
            Draft202012Validator(closed(schema)).validate(json.loads(body))

    @property
    def paths(self):
        return [request.path.removeprefix(BASE) for request, _ in self.seen]

    def client(self, **kwargs):
        kwargs.setdefault("clock", StoppedClock())
        kwargs.setdefault("limiter", RateLimiter(100_000, 1.0))
        kwargs.setdefault("retry", RetryPolicy(base=0.001))
        return ReapClient(KEY, base_url=str(self.server.make_url(BASE)), **kwargs)


@pytest.fixture
async def server():
    script = Server()
    await script.server.start_server()
    yield script
    await script.server.close()


POST = {"id": "x1", "status": "processing"}
PROJECT = {"id": "p1", "status": "queued"}
CLIP = {"id": "c1", "projectId": "p1"}

CALLS = [
    ("get_integrations", {}, {"integrations": [{"id": "i1"}]}, (Integration(id="i1"),)),
    (
        "publish_clip",
        {"project_id": "p1", "clip_id": "c1", "integrations": ["i1"], "tags": ["a"]},
        POST,
        Post(id="x1", status=PostStatus.PROCESSING),
    ),
    (
        "schedule_clips",
        {
            "clips": [ScheduleClip(project_id="p1", clip_id="c1", title="T")],
            "integrations": ["i1"],
            "schedule_date": DATE,
        },
        {"posts": [{"id": "x1"}], "failed": []},
        ScheduleResult(posts=(Post(id="x1"),)),
    ),
    ("get_post_details", {"post_id": "x1"}, POST, Post(id="x1", status=PostStatus.PROCESSING)),
    ("update_post", {"post_id": "x1", "title": None, "schedule_date": DATE}, {"post": {"id": "x1"}}, Post(id="x1")),
    ("delete_post", {"post_id": "x1"}, {"postId": "x1", "deleted": True}, DeletedPost(post_id="x1")),
    (
        "get_project_status",
        {"project_id": "p1"},
        {"projectId": "p1", "status": "thinking"},
        ProjectStatusView(project_id="p1", status="thinking"),
    ),
    ("get_project_details", {"project_id": "p1"}, PROJECT, Project(id="p1", status=ProjectStatus.QUEUED)),
    ("get_clip_details", {"project_id": "p1", "clip_id": "c1"}, CLIP, Clip(id="c1", project_id="p1")),
    ("update_project", {"project_id": "p1", "title": "N"}, {"id": "p1"}, Project(id="p1")),
    ("update_clip", {"project_id": "p1", "clip_id": "c1", "caption": "N"}, CLIP, Clip(id="c1", project_id="p1")),
    (
        "cancel_project",
        {"project_id": "p1"},
        {"id": "p1", "status": "cancelled"},
        Project(id="p1", status=ProjectStatus.CANCELLED),
    ),
    ("delete_project", {"project_id": "p1"}, {"projectId": "p1"}, DeletedProject(project_id="p1")),
    ("delete_clip", {"project_id": "p1", "clip_id": "c1"}, lambda _: web.Response(status=204), DeletedClip()),
    ("create_clips", {"upload_id": "u1", "clip_durations": [(0, 30)]}, {"id": "p1"}, Project(id="p1")),
    ("create_captions", {"source_url": "https://v.example/a", "resolution": 720}, {"id": "p1"}, Project(id="p1")),
    ("create_transcription", {"upload_id": "u1"}, {"id": "p1"}, Project(id="p1")),
    ("create_reframe", {"upload_id": "u1", "orientation": "square"}, {"id": "p1"}, Project(id="p1")),
    (
        "create_dubbing",
        {"upload_id": "u1", "source_language": "en-US", "target_language": "de-DE"},
        {"id": "p1"},
        Project(id="p1"),
    ),
    (
        "get_upload_url",
        {"filename": "a.mp4"},
        {"id": "u1", "uploadUrl": "https://b.example/x"},
        UploadTarget(id="u1", upload_url="https://b.example/x"),
    ),
    ("delete_upload", {"upload_id": "u1"}, {"uploadId": "u1"}, DeletedUpload(upload_id="u1")),
    ("get_translation_languages", {}, {}, LanguageCatalogue()),
    ("get_dubbing_languages", {}, {"sourceLanguages": []}, LanguageCatalogue()),
    ("get_plan_usage", {}, {"minutes": 7}, {"minutes": 7}),
]

LISTS = [
    ("get_all_posts", {"status": ["draft"], "created_after": 5}, "posts", Post(id="1")),
    ("get_all_projects", {"search": "ä&b", "sort_by": "duration"}, "projects", Project(id="1")),
    ("get_project_clips", {"project_id": "../p"}, "clips", Clip(id="1")),
    ("get_all_uploads", {}, "uploads", Upload(id="1")),
    ("get_all_presets", {}, "presets", Preset(id="1")),
]


def test_every_operation_is_called_here():
    operations = {
        re.sub(r"(?<!^)([A-Z])", lambda match: f"_{match[1].lower()}", operation["operationId"])
        for methods in CONTRACT["paths"].values()
        for operation in methods.values()
    }
    assert operations == {call[0] for call in CALLS} | {call[0] for call in LISTS}


@pytest.mark.parametrize(("name", "arguments", "answer", "want"), CALLS)
async def test_an_operation_goes_out_as_the_contract_has_it_and_comes_back_typed(server, name, arguments, answer, want):
    server.answers[name.replace("_", "-")] = answer
    async with server.client() as client:
        assert await getattr(client, name)(**arguments) == want
    ((request, _),) = server.seen
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert client.transport.requests == {name: 1}


@pytest.mark.parametrize(("name", "arguments", "key", "row"), LISTS)
async def test_a_list_is_walked_to_its_end_and_read_page_by_page(server, name, arguments, key, row):
    total = f"total{key.capitalize()}"

    def answer(request):
        page, size = int(request.query["page"]), int(request.query["pageSize"])
        rows = [{"id": str(n)} for n in range(1, 6)][(page - 1) * size : page * size]
        return {key: rows, "currentPage": page, "totalPages": -(-5 // size), total: 5}

    server.answers[name.replace("_", "-")] = answer
    async with server.client() as client:
        found = [item async for item in getattr(client, name)(**arguments, page_size=2)]
        page = await getattr(client, f"{name}_page")(**arguments, page=3, page_size=2)
    assert [item.id for item in found] == ["1", "2", "3", "4", "5"]
    assert found[0] == row
    assert (len(page.items), page.total, page.page, page.total_pages) == (1, 5, 3, 3)
    assert [request.query["page"] for request, _ in server.seen] == ["1", "2", "3", "3"]


async def test_a_list_asks_for_a_hundred_rows_at_once(server):
    server.answers["get-all-posts"] = {"posts": [], "totalPosts": 0, "totalPages": 0}
    async with server.client() as client:
        assert [post async for post in client.get_all_posts()] == []
    assert dict(server.seen[0][0].query) == {"page": "1", "pageSize": "100"}


async def test_ids_reach_the_server_as_they_are(server):
    server.answers["get-post-details"] = POST
    async with server.client() as client:
        await client.get_post_details(post_id="../a b\n?&=ü")
    assert server.seen[0][0].query["postId"] == "../a b\n?&=ü"


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, {"detail": "Post was cancelled"}, BadRequestError, "reap get_post_details: 400: Post was cancelled"),
        (401, {"detail": "Invalid API key"}, AuthenticationError, "Invalid API key"),
        (403, {"detail": "no"}, PermissionDeniedError, "no"),
        (404, {"detail": "Post not found"}, NotFoundError, "Post not found"),
        (
            422,
            {"detail": [{"loc": ["query", "postId"], "msg": "Invalid id", "input": "x"}]},
            BadRequestError,
            "422: query.postId: Invalid id",
        ),
        (405, {"detail": "Method Not Allowed"}, APIStatusError, "405: Method Not Allowed"),
    ],
)
async def test_refusals_carry_reaps_own_words(server, status, body, error, words):
    server.answers["get-post-details"] = lambda _: web.json_response(body, status=status)
    async with server.client() as client:
        with pytest.raises(error, match=re.escape(words)) as caught:
            await client.get_post_details(post_id="x1")
    assert caught.value.status == status
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda _: web.Response(status=502, text="<html>bad</html>", content_type="text/html"), ServerError),
        (lambda _: web.Response(text='{"id": "x1", "sta', content_type="application/json"), DecodeError),
        (lambda _: web.json_response({"status": "processing"}), DecodeError),
        (lambda _: web.Response(text="<p>ok</p>", content_type="text/html"), DecodeError),
    ],
)
async def test_a_publish_whose_answer_says_nothing_is_sent_once(server, answer, error):
    server.answers["publish-clip"] = answer
    async with server.client() as client:
        with pytest.raises(error):
            await client.publish_clip(project_id="p1", clip_id="c1", integrations=["i1"])
    assert server.paths == ["/publish-clip"]


async def test_a_read_is_repeated_where_the_server_fails_for_a_moment(server):
    answers = iter([web.Response(status=503), web.json_response(POST)])
    server.answers["get-post-details"] = lambda _: next(answers)
    async with server.client() as client:
        assert (await client.get_post_details(post_id="x1")).id == "x1"
    assert len(server.seen) == 2


async def test_options_reach_the_transport(server):
    server.answers["publish-clip"] = POST

    class Stop(Exception):
        pass

    async def refuse():
        raise Stop

    async with server.client() as client:
        with pytest.raises(Stop):
            await client.publish_clip(
                project_id="p1", clip_id="c1", integrations=["i1"], options=CallOptions(before_send=refuse)
            )
    assert server.seen == []


async def test_an_iterator_hands_its_options_to_every_page(server):
    server.answers["get-all-posts"] = lambda request: {"posts": [{"id": "1"}] if request.query["page"] == "1" else []}
    asked = []

    async def ask():
        asked.append(len(server.seen))

    async with server.client() as client:
        found = [p.id async for p in client.get_all_posts(page_size=1, options=CallOptions(before_send=ask))]
    assert found == ["1"]
    assert asked == [0, 1]


# ---------------------------------------------------------------------------------------------- refusals


class RecordingTransport:
    """Stands in for the wire where nothing may reach it; counts what did."""

    def __init__(self):
        self.requests = []
        self.is_closed = False

    async def send(self, request, options=None):
        self.requests.append(request)
        return Response(status=200, headers={}, body=b'{"posts": [], "totalPosts": 0}')

    async def put_file(self, url, path, *, content_type, progress=None, timeout=None):
        self.requests.append(url)

    async def close(self):
        self.is_closed = True


BAD_CALLS = [
    ("publish_clip", {"project_id": "", "clip_id": "c", "integrations": ["i"]}, "project_id"),
    ("schedule_clips", {"clips": [], "integrations": ["i"], "schedule_date": DATE}, "clips"),
    ("get_all_posts_page", {"page_size": 101}, "page_size"),
    ("get_post_details", {"post_id": None}, "post_id"),
    ("update_post", {"post_id": "x", "title": "x" * 251}, "title"),
    ("delete_post", {"post_id": 5}, "post_id"),
    ("get_all_projects_page", {"page": 0}, "page"),
    ("get_project_status", {"project_id": ""}, "project_id"),
    ("get_project_details", {"project_id": ""}, "project_id"),
    ("get_project_clips_page", {"project_id": "p", "page": "1"}, "page"),
    ("get_clip_details", {"project_id": "p", "clip_id": ""}, "clip_id"),
    ("update_project", {"project_id": "p", "title": 5}, "title"),
    ("update_clip", {"project_id": "p", "clip_id": "c", "caption": 5}, "caption"),
    ("cancel_project", {"project_id": ""}, "project_id"),
    ("delete_project", {"project_id": ""}, "project_id"),
    ("delete_clip", {"project_id": "", "clip_id": "c"}, "project_id"),
    ("create_clips", {}, "source_url"),
    ("create_captions", {}, "source_url"),
    ("create_transcription", {}, "source_url"),
    ("create_reframe", {"upload_id": ""}, "upload_id"),
    ("create_dubbing", {"upload_id": "u", "source_language": "", "target_language": "de"}, "source_language"),
    ("get_upload_url", {"filename": "a.txt"}, "filename"),
    ("get_all_uploads_page", {"page": True}, "page"),
    ("delete_upload", {"upload_id": ""}, "upload_id"),
    ("get_all_presets_page", {"page_size": 0}, "page_size"),
]


@pytest.mark.parametrize(("name", "arguments", "field"), BAD_CALLS)
async def test_bad_arguments_are_refused_and_nothing_is_sent(name, arguments, field):
    transport = RecordingTransport()
    client = ReapClient(KEY, transport=transport, clock=StoppedClock())
    with pytest.raises(ValidationError, match=f"^{field}: "):
        await getattr(client, name)(**arguments)
    assert transport.requests == []


@pytest.mark.parametrize("name", [call[0] for call in LISTS])
def test_an_iterator_refuses_bad_arguments_when_it_is_made(name):
    client = ReapClient(KEY, transport=RecordingTransport())
    arguments = {"project_id": "p"} if name == "get_project_clips" else {}
    with pytest.raises(ValidationError, match=r"^page_size: "):
        getattr(client, name)(**arguments, page_size=0)


@pytest.mark.parametrize(("lead", "words"), [(2999, "is only 2999 s ahead"), (367 * 86_400, "is too far ahead")])
async def test_the_lead_of_a_schedule_is_measured_by_the_clients_clock(lead, words):
    transport = RecordingTransport()
    client = ReapClient(KEY, transport=transport, clock=StoppedClock())
    with pytest.raises(ValidationError, match=words):
        await client.schedule_clips(
            clips=[ScheduleClip(project_id="p", clip_id="c")], integrations=["i"], schedule_date=NOW + lead
        )
    assert transport.requests == []


# ---------------------------------------------------------------------------------------------- uploads


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "launch day.MOV"
    path.write_bytes(bytes(range(256)) * 2000)
    return path


async def test_a_file_goes_to_its_presigned_address_whole_and_without_the_key(server, video):
    target = str(server.server.make_url("/bucket/slot")) + "?Signature=hunter2%2Fx"
    server.answers["get-upload-url"] = {"id": "u1", "fileName": video.name, "uploadUrl": target, "status": "upload"}
    server.answers["slot"] = lambda _: web.Response()
    told = []
    async with server.client() as client:
        upload = await client.upload_file(str(video), progress=lambda sent, size: told.append((sent, size)))
    (_, body), (put, content) = server.seen
    assert json.loads(body) == {"filename": "launch day.MOV"}
    assert type(upload) is Upload
    assert upload.id == "u1"
    assert put.method == "PUT"
    assert content == video.read_bytes()
    assert put.query["Signature"] == "hunter2/x"
    assert "Authorization" not in put.headers
    assert put.headers["Content-Length"] == "512000"
    assert put.headers["Content-Type"] == "video/mp4"
    assert told[-1] == (512_000, 512_000)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.avi", b"x", "isn't an MP4 or MOV file"),
        ("a.mp4", None, "isn't a file that exists"),
        ("a.mp4", b"", "is empty"),
    ],
)
async def test_a_file_that_cannot_be_uploaded_is_refused_and_nothing_is_sent(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    transport = RecordingTransport()
    client = ReapClient(KEY, transport=transport)
    with pytest.raises(ValidationError, match=words):
        await client.upload_file(tmp_path / name)
    assert transport.requests == []


async def test_a_file_above_five_gigabytes_is_refused_by_its_size_alone(tmp_path):
    path = tmp_path / "long.mp4"
    with path.open("wb") as file:
        file.truncate(5 * 1024**3 + 1)  # sparse: takes no room on the disk
    transport = RecordingTransport()
    with pytest.raises(ValidationError, match=r"bytes large.*\[limit: 5 GB\]"):
        await ReapClient(KEY, transport=transport).upload_file(path)
    assert transport.requests == []


@pytest.mark.parametrize("path", [None, 5, b"a.mp4"])
async def test_a_path_has_to_be_one(path):
    transport = RecordingTransport()
    with pytest.raises(ValidationError, match="has to be a path"):
        await ReapClient(KEY, transport=transport).upload_file(path)
    assert transport.requests == []


async def test_an_upload_slot_without_an_address_is_unreadable(server, video):
    server.answers["get-upload-url"] = {"id": "u1"}
    async with server.client() as client:
        with pytest.raises(DecodeError, match=r"required member missing @ \$\.upload_url"):
            await client.upload_file(video)


# ---------------------------------------------------------------------------------------------- construction


async def test_the_environment_gives_key_and_address(server, monkeypatch):
    monkeypatch.setenv("REAP_API_KEY", KEY)
    monkeypatch.setenv("REAP_BASE_URL", str(server.server.make_url(BASE)))
    server.answers["get-integrations"] = {"integrations": []}
    async with ReapClient.from_env(limiter=RateLimiter(100_000, 1.0)) as client:
        assert await client.get_integrations() == ()
    assert server.seen[0][0].headers["Authorization"] == f"Bearer {KEY}"


def test_without_a_key_in_the_environment_the_missing_variable_is_named(monkeypatch):
    monkeypatch.delenv("REAP_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="REAP_API_KEY"):
        ReapClient.from_env()


def test_arguments_win_over_the_environment(monkeypatch):
    monkeypatch.setenv("REAP_API_KEY", "")
    monkeypatch.delenv("REAP_BASE_URL", raising=False)
    client = ReapClient.from_env(api_key=KEY)
    assert str(client.transport.base_url) == "https://public.reap.video/api/v1/automation"
    monkeypatch.setenv("REAP_BASE_URL", "https://elsewhere.example")
    client = ReapClient.from_env(api_key=KEY, base_url="https://here.example/x/")
    assert str(client.transport.base_url) == "https://here.example/x"


@pytest.mark.parametrize("key", ["", "a\nb", "ключ"])
def test_a_key_that_cannot_stand_in_a_header_is_refused(key):
    with pytest.raises(ConfigurationError, match="api_key"):
        ReapClient(key)


def test_the_default_limit_is_ten_a_minute():
    client = ReapClient(KEY)
    assert (client.limiter.limit, client.limiter.window) == (10, 60.0)
    assert client.transport.limiter is client.limiter


async def test_what_was_given_stays_open(server):
    transport = RecordingTransport()
    async with ReapClient(KEY, transport=transport) as client:
        page = await client.get_all_posts_page()
    assert page == PostPage(posts=(), total_posts=0)
    assert not transport.is_closed
    server.answers["get-integrations"] = {"integrations": []}
    async with aiohttp.ClientSession() as session:
        async with server.client(session=session) as client:
            await client.get_integrations()
        assert not session.closed


async def test_closing_twice_is_fine(server):
    client = server.client()
    await client.close()
    await client.close()


def test_the_key_is_in_no_repr():
    client = ReapClient(KEY)
    assert "hunter2" not in repr(client) + repr(client.transport) + repr(vars(client))


def test_every_public_method_is_documented():
    methods = [member for name, member in inspect.getmembers(ReapClient) if not name.startswith("_")]
    assert all(method.__doc__ for method in methods)
