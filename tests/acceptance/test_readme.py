"""README and docs are true: programs run as printed, commands parse, tables are complete, links lead somewhere."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from httpx import ASGITransport, AsyncClient

from reelpub import (
    Clip,
    GeneratedPost,
    Orchestrator,
    OutcomeStatus,
    PublishRequest,
    ScaledClock,
    SqliteStore,
    SystemClock,
)
from reelpub.cli.app import run as run_command
from reelpub.sandbox import Fault, FaultKind, Sandbox
from reelpub.testing import VirtualLoop, run_virtual

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", ROOT / "benchmarks/README.md", *sorted((ROOT / "docs").glob("*.md"))]
SECOND_KEY = "reap_key_of_another_brand_0000001"


class Block:
    """A fenced block, under its heading."""

    def __init__(self, page, heading, language, line, text):
        self.page, self.heading, self.language, self.line, self.text = page, heading, language, line, text

    def __repr__(self):
        return f"{self.page.stem}: {self.heading}"


def blocks_of(page):
    heading, language, start, lines, found = "", None, 0, [], []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if language is None and line.startswith("#"):
            heading = line.lstrip("# ")
        elif language is None and line.startswith("```"):
            language, start, lines = line[3:], number + 1, []
        elif line == "```":
            found.append(Block(page, heading, language, start, "\n".join(lines) + "\n"))
            language = None
        elif language is not None:
            lines.append(line)
    assert language is None, f"{page.name}: a block isn't closed"
    return found


BLOCKS = [block for page in PAGES if page.exists() for block in blocks_of(page)]

EXPECTED = {
    ("README", "The program"): [
        "published        demo-generated-post-1: instagram:acme published; tiktok:acme published",
        "published        demo-project-1/demo-clip-1: tiktok:acme published (https://",
    ],
    ("recipes", "Schedule"): ["21 scheduled", "'schedule_clips': 1"],
    ("recipes", "Call off, and move"): ["reelmirror can't reschedule; supported by: reap", "cancelled cancelled"],
    ("recipes", "Retry what failed"): ["5 published"],
    ("recipes", "Submit now, wait later"): ["3 pending", "published", "True", "3 published"],
    ("recipes", "Survive a crash"): ["from an earlier run: empty", "this run: 3 published"],
    ("recipes", "Events"): ["x:acme published", " accepted\n", " published\n"],
    ("recipes", "Several keys of one service"): ["3 published"],
    ("recipes", "Caps for an account"): ["3 published"],
    ("recipes", "Behind a proxy"): ["published        demo-project-1/demo-clip-1: x:acme published"],
    ("recipes", "The services' own calls"): ["instagram acme active", "demo-clip-40", "404 "],
    ("durability", "Durability"): ["3 published"],
    ("durability", "Runs"): ["3 published\n3 published"],
    ("runs", "Runs"): ["line 2: published", "line 3: published"],
    ("time", "A faster clock"): ["published        demo-generated-post-1"],
    ("sandbox", "Start it"): ["youtube acme", "1 request, 0 refused by the limit"],
    ("providers", "Several processes on one key"): ["Balance(", "LimiterState(limit=60, in_flight=0, waiting=0"],
    ("publishers", "A whole one"): ["published        project/clip: shelf:top published (file://"],
    ("publishers", "A publisher in memory"): [
        "partly_published ['youtube:acme failed (the platform said no)']\npublished\n",
        "{'tiktok-acme': ['project/clip'], 'youtube-acme': ['project/clip']}",
    ],
    ("recipes", "Virtual time"): ["40 clips through Reap take 5 minutes"],
    ("time", "Virtual time"): ["40 published after 120 s"],
}
FAULTS = {
    "Retry what failed": [Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme", times=2)],
    "The program": [Fault(FaultKind.LOST_AFTER, operation="publishClip")],
}
PROGRAM = """\
import asyncio
from reelpub import Clip, GeneratedPost, Orchestrator, PublishRequest

async def main() -> None:
    async with Orchestrator.from_env() as pub:  # REELMIRROR_API_KEY, REAP_API_KEY, REELMIRROR_BASE_URL, REAP_BASE_URL
        report = await pub.publish_many([
            PublishRequest(GeneratedPost("demo-generated-post-1"), caption="Launch day"),
            PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="Launch day", accounts=["tiktok:acme", "youtube:acme"]),
        ])
        for outcome in report:
            print(outcome)
        await pub.retry_failed_many(report)

asyncio.run(main())
"""  # noqa: E501
SERVICES = {"A web service with aiohttp", "A web service with FastAPI"}
OWN_TEST = "The sandbox in your own tests"
FIXTURE = "In pytest"
REPORT, LISTED, RESENT = "In Python", "What the service has", "Send it to those alone"
"""They look at what a program did before, so that has to be done first."""
PLAYED_APART = {*SERVICES, OWN_TEST, FIXTURE, REPORT, LISTED, RESENT}
PROGRAMS = [b for b in BLOCKS if b.language == "python" and b.heading not in PLAYED_APART]


@pytest.fixture
def reader(monkeypatch):
    """Gives a program a sandbox and virtual time: `asyncio.run` and the machine's clock are led there."""
    return Reader(monkeypatch)


class Reader:
    def __init__(self, monkeypatch):
        self.patch, self.faults = monkeypatch, []
        self.duplicates, self.rejections, self.requests, self.live = [], 0, 0, 0
        # The programs read the machine's date, so the virtual one starts there.
        self.epoch = time.time() // 60 * 60
        monkeypatch.setattr(asyncio, "run", self.run)
        monkeypatch.setattr(SystemClock, "time", lambda _: self.epoch + asyncio.get_running_loop().time())
        monkeypatch.setattr(SystemClock, "monotonic", lambda _: asyncio.get_running_loop().time())
        monkeypatch.setattr(ScaledClock, "monotonic", lambda clock: asyncio.get_running_loop().time() * clock.scale)

    def run(self, main):
        async def inside(clock):
            async with Sandbox(clock=clock, keys=[SECOND_KEY]) as sandbox:
                sandbox.order(*self.faults)
                for name, value in {**sandbox.environment(), "REAP_API_KEY_B": SECOND_KEY}.items():
                    self.patch.setenv(name, value)
                try:
                    return await main
                finally:
                    self.duplicates, self.rejections = sandbox.duplicates(), sandbox.rejections()
                    self.requests, self.live = len(sandbox.requests()), len(sandbox.live())

        return run_virtual(inside, epoch=self.epoch)

    def execute(self, block, name="__main__"):
        module = types.ModuleType(name)
        code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
        exec(code, module.__dict__)
        return module


def block_under(heading, language="python"):
    return next(block for block in BLOCKS if (block.heading, block.language) == (heading, language))


@pytest.mark.parametrize("block", PROGRAMS, ids=repr)
def test_each_program_runs_and_prints_what_the_page_says(block, reader, tmp_path, capsys):
    """Every program of the pages runs as printed, against a sandbox, in virtual time, and posts nothing twice."""
    reader.patch.chdir(tmp_path)
    reader.faults = FAULTS.get(block.heading, [])
    reader.execute(block)
    printed = capsys.readouterr().out
    key = (block.page.stem, block.heading)
    assert key in EXPECTED or block.page.stem not in ("README", "recipes"), "say what this program prints"
    for text in EXPECTED.get(key, []):
        assert text in printed
    assert reader.duplicates == []
    assert reader.rejections == 0


def test_the_file_of_the_page_is_sound(tmp_path, capsys):
    """What the page prints as a manifest is planned as it stands, with a time that is still to come."""
    text = block_under("A file of posts", "csv").text
    (tmp_path / "posts.csv").write_text(text.replace("2027", str(time.gmtime().tm_year + 1)), encoding="utf-8")
    assert run_command(["plan", "--offline", str(tmp_path / "posts.csv")]) == 0
    assert "3 rows: 3 can be sent; 0 errors" in capsys.readouterr().out


def test_what_survives_a_crash_isnt_published_by_a_second_run(reader, tmp_path, capsys):
    reader.patch.chdir(tmp_path)
    reader.execute(block_under("Survive a crash"))
    reader.execute(block_under("Survive a crash"))
    assert "this run: 3 duplicate" in capsys.readouterr().out
    assert reader.live == 0, "the second run has a sandbox of its own"


def test_the_report_of_the_page_is_made_from_the_run_of_the_page_before(reader, tmp_path):
    reader.patch.chdir(tmp_path)
    (run,) = [block for block in PROGRAMS if (block.page.stem, block.heading) == ("runs", "Runs")]
    reader.execute(run)
    reader.execute(block_under(REPORT))
    assert "demo-project-1/demo-clip-2" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_lists_of_both_services_are_printed_as_the_page_on_call_says(reader, capsys):
    """The program that is to be run when nobody knows what is live shows what is."""
    programs = []
    reader.patch.setattr(asyncio, "run", programs.append)
    reader.execute(block_under(LISTED))

    async def scenario():
        async with Orchestrator.from_env() as pub:
            await pub.publish_many(
                [
                    PublishRequest(GeneratedPost("demo-generated-post-1"), caption="Hello"),
                    PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="Launch", accounts=["tiktok:acme"]),
                ]
            )
        await programs.pop()

    reader.run(scenario())
    printed = capsys.readouterr().out
    assert re.search(r"^reap \w+ demo-clip-1 completed Launch \('tiktok',\) ", printed, re.MULTILINE)
    assert re.search(r"^reelmirror \S+ published Hello ", printed, re.MULTILINE)


def test_what_stayed_unknown_is_sent_to_the_accounts_that_lack_it_as_the_page_on_call_says(reader, tmp_path, capsys):
    reader.patch.chdir(tmp_path)
    reader.faults = [
        Fault(FaultKind.LOST_BEFORE, operation="publishClip"),
        Fault(FaultKind.FORBIDDEN, operation="getAllPosts", times=None),
    ]

    async def lost():
        wanted = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme", "youtube:acme"])
        async with Orchestrator.from_env(store=SqliteStore("posts.db")) as pub:
            return (await pub.publish_many([wanted], job_ids=["launch.1"]))[0]

    outcome = reader.run(lost())
    assert outcome.status is OutcomeStatus.UNKNOWN
    assert [str(delivery.account) for delivery in outcome.unknown] == ["tiktok:acme", "youtube:acme"]
    reader.faults = []
    reader.execute(block_under(RESENT))
    assert "published        demo-project-1/demo-clip-1: youtube:acme published" in capsys.readouterr().out
    assert reader.live == 1


def test_the_program_is_the_one_of_the_issue():
    """Its text is a promise: nobody changes it in passing."""
    assert block_under("The program").text == PROGRAM


async def _answers(post, get):
    """Ask a service to publish, and look until it has; return the statuses seen."""
    status, body = await post()
    assert status == 202
    first = (await get(body["job"]))[1]
    assert first["settled"] is False
    for _ in range(100):
        status, seen = await get(body["job"])
        if seen["settled"]:
            return seen
        await asyncio.sleep(5)
    raise AssertionError("the job never ended")


def test_the_aiohttp_service_answers_at_once_and_publishes_behind(reader, caplog):
    module = reader.execute(block_under("A web service with aiohttp"), "service")

    async def scenario():
        async with TestClient(TestServer(module.make_app())) as client:

            async def post(body):
                async with client.post("/posts", json=body) as answer:
                    return answer.status, await answer.json()

            async def get(job):
                async with client.get(f"/jobs/{job}") as answer:
                    return answer.status, await answer.json() if answer.status == 200 else None

            body = {"post": "demo-generated-post-1", "caption": "Hello"}
            seen = await _answers(lambda: post(body), get)
            assert seen == {
                "status": "published",
                "settled": True,
                "accounts": {"instagram:acme": "published", "tiktok:acme": "published"},
            }
            assert (await get("nonsense"))[0] == 404
            for nothing in ({"post": " "}, {}):
                status, told = await post(nothing)
                assert (status, bool(told["problems"])) == (422, True)
            assert (await post({"post": "demo-generated-post-2"}))[0] == 202

    reader.run(scenario())
    assert "demo-generated-post-2" in caplog.text, "what a shutdown leaves open is logged"


def test_a_service_with_a_store_knows_after_a_restart_what_ended_before(reader, tmp_path):
    """What the page says of its services where they are given a store; nothing else of the program is changed."""
    reader.patch.chdir(tmp_path)
    block = block_under("A web service with aiohttp")
    given = "shutdown_timeout=5.0, store=__import__('reelpub').SqliteStore('jobs.db')"
    text = block.text.replace("shutdown_timeout=5.0", given)
    assert text != block.text
    module = reader.execute(Block(block.page, block.heading, block.language, block.line, text), "service")

    async def ended(client, job):
        for _ in range(100):
            async with client.get(f"/jobs/{job}") as answer:
                assert answer.status == 200
                seen = await answer.json()
            if seen["settled"]:
                return seen["status"]
            await asyncio.sleep(5)
        raise AssertionError("the job never ended")

    async def first():
        async with TestClient(TestServer(module.make_app())) as client:
            async with client.post("/posts", json={"post": "demo-generated-post-1"}) as answer:
                job = (await answer.json())["job"]
            await ended(client, job)
            return job

    async def second(job):
        async with TestClient(TestServer(module.make_app())) as client:
            return await ended(client, job)

    assert reader.run(second(reader.run(first()))) == "published"


def test_the_fastapi_service_answers_at_once_and_publishes_behind(reader, caplog):
    module = reader.execute(block_under("A web service with FastAPI"), "service")

    async def scenario():
        async with (
            module.app.router.lifespan_context(module.app),
            AsyncClient(transport=ASGITransport(module.app), base_url="http://service") as client,
        ):

            async def post(body):
                answer = await client.post("/posts", json=body)
                return answer.status_code, answer.json()

            async def get(job):
                answer = await client.get(f"/jobs/{job}")
                return answer.status_code, answer.json()

            body = {"project": "demo-project-1", "clip": "demo-clip-1", "accounts": ["tiktok:acme"], "title": "Hello"}
            seen = await _answers(lambda: post(body), get)
            assert seen == {"status": "published", "settled": True, "accounts": {"tiktok:acme": "published"}}
            assert (await get("nonsense"))[0] == 404
            assert (await post({**body, "accounts": []}))[0] == 422
            assert (await post({**body, "clip": "demo-clip-2"}))[0] == 202

    reader.run(scenario())
    assert "demo-project-1/demo-clip-2" in caplog.text, "what a shutdown leaves open is logged"


def run_pytest(folder, *arguments):
    """Run pytest in a process of its own, as a reader would, and return what it says."""
    options = ["-q", "-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function"]
    command = [sys.executable, "-m", "pytest", *options, *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_test_in_the_readme_passes_under_pytest(tmp_path):
    (tmp_path / "test_own.py").write_text(block_under(OWN_TEST).text, encoding="utf-8")
    assert "3 passed" in run_pytest(tmp_path, "test_own.py")


def test_both_commands_are_one_line_each_and_make_their_own_environment():
    """`.ci/run` takes them from here, too."""
    commands = [block.text.strip() for block in blocks_of(README) if block.language == "sh"]
    assert len(commands) == 2
    for command in commands:
        assert "\n" not in command
        assert command.startswith("python3 -m venv ")
        assert "sudo" not in command
    assert commands[0].endswith("reelpub demo")
    assert commands[1].endswith("pytest -n auto")


def test_every_outcome_has_its_row_in_the_order_of_importance():
    text = README.read_text(encoding="utf-8")
    section = text.partition("## How a request ends")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(OutcomeStatus)


def test_the_test_in_the_docs_passes_under_pytest(tmp_path):
    (tmp_path / "test_fixture.py").write_text(block_under(FIXTURE).text, encoding="utf-8")
    assert "1 passed" in run_pytest(tmp_path, "test_fixture.py", "-o", "asyncio_mode=auto")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_the_project_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in _anchors(file), target


def test_every_recipe_is_listed_on_its_page_and_in_the_readme():
    recipes = ROOT / "docs/recipes.md"
    text = recipes.read_text(encoding="utf-8")
    there = _anchors(recipes) - {"recipes"}
    assert set(re.findall(r"\]\(#([\w-]+)\)", text.partition("\n## ")[0])) == there
    assert set(re.findall(r"\(docs/recipes\.md#([\w-]+)\)", README.read_text(encoding="utf-8"))) == there


def _anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_stage_is_virtual():
    """The programs above would take an hour in real time; this shows that they don't."""
    began = time.monotonic()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(asyncio.sleep(3600))
    assert time.monotonic() - began < 5
