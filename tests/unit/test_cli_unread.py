"""What is printed when whoever reads it leaves, as with ``| head``: how a command ends then."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reelpub import Clip, Orchestrator, PublishRequest, SqliteStore
from reelpub.bulk import begin
from reelpub.cli.app import run as reelpub
from reelpub.cli.page import EXITS, RUN_EXITS
from reelpub.cli.progress import runviews
from reelpub.cli.progress.runviews import RunLines, Sturdy, sturdy
from reelpub.cli.show.board import Board
from reelpub.cli.show.lines import LinesView
from reelpub.cli.work.following import follow
from reelpub.manifest.rows import ManifestRow
from reelpub.models.outcome import Outcome
from reelpub.testing import InMemoryPublisher

UNREAD = 141
"""What a shell says of a process that SIGPIPE ended, such as `yes | head -1`."""


@contextmanager
def unread(*names):
    """Have nobody read the streams called *names*."""
    before = {name: getattr(sys, name) for name in names}
    try:
        for name in names:
            read, write = os.pipe()
            os.close(read)
            setattr(sys, name, os.fdopen(write, "w", encoding="utf-8"))
        yield
    finally:
        for name, stream in before.items():
            # Closing it writes what is left in it: that mustn't fail once more.
            getattr(sys, name).close()
            setattr(sys, name, stream)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    request = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=("tiktok:acme",))

    async def note():
        store = SqliteStore("posts.db")
        await store.open()
        row = ManifestRow(number=1, line=2, request=request)
        await begin(store, [row], name="posts.csv", command="publish", now=datetime(2027, 3, 1, tzinfo=UTC))
        await store.close()

    asyncio.run(note())
    (tmp_path / "posts.csv").write_text("clip,accounts\np/c,tiktok:acme\n", encoding="utf-8")
    return ("--store", "posts.db")


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["plan", "--help"],
        ["schema"],
        ["schema", "--example", "csv"],
        ["completion", "bash"],
        ["runs"],
        ["runs", "--json"],
        ["results"],
        ["results", "--json"],
        ["results", "--format", "csv"],
        ["report", "-o", "-"],
        ["plan", "--offline", "posts.csv"],
        ["plan", "--offline", "--json", "posts.csv"],
    ],
    ids=" ".join,
)
def test_a_command_that_only_prints_ends_as_other_tools_do(store, words):
    """1 would say that posts failed, or that a store couldn't be read."""
    takes_store = words[0] in ("runs", "results", "report", "plan") and "--help" not in words
    with unread("stdout"):
        assert reelpub([*words, *(store if takes_store else ())]) == UNREAD


def test_complaints_that_nobody_reads_are_no_failure_either(store):
    with unread("stderr"):
        assert reelpub(["publish", "nowhere.csv"]) == UNREAD


def test_what_may_have_been_sent_decides_whoever_reads_of_it(store, monkeypatch):
    monkeypatch.setenv("REAP_API_KEY", "k")
    with unread("stderr"):
        assert reelpub(["watch", "no-such-run", *store]) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full")
@pytest.mark.parametrize("words", [["runs"], ["results", "--format", "csv"], ["report", "-o", "-"]], ids=" ".join)
def test_a_disk_that_is_full_is_said(store, words, capfd, monkeypatch):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert reelpub([*words, *store]) == 1
        full.flush()
    assert "Error: what is printed can't be written: No space left on device" in capfd.readouterr().err


def test_a_process_without_streams_does_its_work(store, monkeypatch):
    """As from a service that closes them: `reelpub runs >&- 2>&-`."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    try:
        assert reelpub(["runs", *store]) == 0
        assert reelpub(["runs", "--store", "none.db"]) == 2
    finally:
        sys.stdout.close()
        sys.stderr.close()


def test_a_reader_that_stays_changes_nothing(store, capfd):
    assert reelpub(["runs", *store]) == 0
    assert "posts.csv" in capfd.readouterr().out


@pytest.mark.skipif(os.name != "posix", reason="pipes of a shell")
def test_python_adds_no_words_and_no_status_of_its_own_at_the_end(store):
    """It flushes once more when it ends, and says so with 120 where that fails."""
    code = "import sys; from reelpub.cli import main; sys.exit(main(['schema']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert (process.stderr.read(), process.wait(60)) == (b"", UNREAD)
    process.stderr.close()


def test_the_pages_say_so():
    """All but those of commands about a run, which end as the run stands."""
    assert str(UNREAD) in EXITS
    assert RUN_EXITS.keys() == EXITS.keys() - {str(UNREAD)}


async def test_one_who_waits_without_anybody_reading_waits_no_longer():
    """`reelpub wait … | head -1`: nothing is sent or called off by it, so there is nothing to stay for."""
    pub, view = Orchestrator([InMemoryPublisher()]), LinesView()
    request = PublishRequest(Clip("p", "c"), accounts=["tiktok:acme"])

    async def work() -> Sequence[Outcome]:
        pub.submit(request)
        await asyncio.Event().wait()
        raise AssertionError

    def gone(*_) -> None:
        raise BrokenPipeError

    view.event = gone
    with pytest.raises(BrokenPipeError):
        await asyncio.wait_for(follow(pub, Board([request]), view, work, ends_unread=True), 20)


class TestSturdy:
    def test_one_around_another_is_that_one(self):
        view = Sturdy(RunLines())
        assert sturdy(view) is view
        assert isinstance(sturdy(RunLines()), Sturdy)

    def test_who_listens_too_late_is_told_at_once(self):
        """The run was noted, and its first words had no reader: it stops in order all the same."""
        view, told = Sturdy(runviews.choose(as_json=True)), []
        with unread("stdout"):
            view.record({"type": "run"})
        assert view.is_lost
        view.when_lost(lambda: told.append(True))
        assert told == [True]
