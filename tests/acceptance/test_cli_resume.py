"""`reelpub publish --store` and `reelpub resume`: what one run leaves unfinished, another ends."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from reelpub import Clip, Orchestrator, PublishRequest, ReapPublisher, SqliteStore
from reelpub.cli.app import run
from reelpub.cli.setup import Setup
from reelpub.cli.show.lines import LinesView
from reelpub.clocks import ScaledClock
from reelpub.sandbox import REAP_KEY, Sandbox

CLIP = ("--clip", "demo-project-1/demo-clip-1", "--title", "Launch", "--account", "tiktok:acme")


@pytest.fixture
def sandbox(monkeypatch):
    """A sandbox in a thread of its own, since the command brings its own loop; the environment points at it."""
    loop, running = asyncio.new_event_loop(), Sandbox(clock=ScaledClock(30), limits={"reelmirror": None, "reap": None})
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(running.start(), loop).result(5)
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    yield running
    asyncio.run_coroutine_threadsafe(running.close(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def reelpub(sandbox, capsys):
    """Run the command; return its exit status, what it printed, and what it said on standard error."""

    def call(*arguments):
        status = run([str(argument) for argument in arguments], obj=Setup(clock=sandbox.clock))
        out, err = capsys.readouterr()
        return status, out, err

    return call


def test_what_a_run_didnt_wait_for_is_ended_by_another(reelpub, sandbox, tmp_path):
    store = tmp_path / "posts.db"
    assert reelpub("publish", *CLIP, "--no-wait", "--store", store)[0] == 3
    status, out, err = reelpub("resume", "--store", store)
    assert (status, err) == (0, "")
    assert "published" in out
    assert "demo-project-1/demo-clip-1" in out
    assert len(sandbox.live()) == 1
    status, out, err = reelpub("resume", "--store", store)
    assert (status, out, err) == (0, "nothing is unfinished\n", "")


@pytest.mark.parametrize("when", ["event", "listing"])
def test_a_reader_that_leaves_is_no_failure_of_the_post(reelpub, sandbox, tmp_path, monkeypatch, when):
    """`reelpub resume --posts | head -1`: 1 would say that it may be sent again."""

    def gone(*_) -> None:
        raise BrokenPipeError

    store = tmp_path / "posts.db"
    assert reelpub("publish", *CLIP, "--no-wait", "--store", store)[0] == 3
    monkeypatch.setattr(LinesView, when, gone)
    assert reelpub("resume", "--posts", "--store", store)[0] == 0
    assert len(sandbox.live()) == 1


def test_the_same_command_again_is_a_duplicate(reelpub, sandbox, tmp_path):
    store = tmp_path / "posts.db"
    assert reelpub("publish", *CLIP, "--store", store)[0] == 0
    status, out, _ = reelpub("publish", *CLIP, "--store", store)
    assert status == 1
    assert "duplicate" in out
    assert len(sandbox.live()) == 1


def test_what_is_left_to_others_is_told_and_isnt_success(reelpub, tmp_path, monkeypatch):
    store = tmp_path / "posts.db"
    reelpub("publish", *CLIP, "--no-wait", "--store", store)
    with monkeypatch.context() as without:
        without.delenv("REAP_API_KEY")
        status, out, _ = reelpub("resume", "--store", store)
    assert status == 3
    assert out.startswith("1 more ")
    status, out, _ = reelpub("resume", "--store", store, "--publisher", "reap", "--json")
    assert status == 0
    (outcome,) = [found for found in map(json.loads, out.splitlines()) if found["type"] == "outcome"]
    assert outcome["status"] == "published"


def test_a_timeout_ends_the_waiting_and_nothing_else(reelpub, sandbox, tmp_path):
    """A post that is kept here for its time stays in the store; asked again later, it goes out."""
    store = tmp_path / "posts.db"
    asyncio.run(leave(sandbox, store))
    status, out, _ = reelpub("resume", "--store", store, "--timeout", 3)
    assert status == 3
    assert "pending" in out
    assert len(sandbox.live()) == 0
    status, out, _ = reelpub("resume", "--store", store, "--late", "publish")
    assert status == 0, out
    assert len(sandbox.live()) == 1


async def leave(sandbox, store):
    """Have a post for a little later noted, and stop."""
    soon = datetime.fromtimestamp(sandbox.clock.time(), UTC) + timedelta(seconds=80)
    publisher = ReapPublisher.connect(REAP_KEY, base_url=sandbox.reap_url, clock=sandbox.clock)
    request = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme"], at=soon)
    async with Orchestrator([publisher], store=SqliteStore(store), clock=sandbox.clock) as publishing:
        publishing.submit(request)
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "arguments", [(), ("--store", "nowhere.db"), ("--store", "."), ("--store", "x.db", "--late", "perhaps")]
)
def test_wrong_use_makes_no_file(reelpub, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert reelpub("resume", *arguments)[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store_is_said(reelpub, tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear all, " * 500)
    status, _, err = reelpub("resume", "--store", path)
    assert status == 1
    assert "not a database" in err
