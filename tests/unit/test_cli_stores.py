"""Where the store is, who may read it, and the clock that a sandbox has commands go by."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import click
import pytest

from reelpub.cli import stores
from reelpub.cli.app import run
from reelpub.cli.setup import CLOCK, clock_from
from reelpub.cli.work import files
from reelpub.clocks import ScaledClock, SystemClock

POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions")


@pytest.fixture
def state(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("REELPUB_STORE", raising=False)
    return tmp_path / "state"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@POSIX
def test_the_store_can_be_read_by_its_owner_alone(state):
    path = stores.prepared(None)
    assert path == state / "reelpub" / "reelpub.db"
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)


@POSIX
def test_so_can_one_that_is_named(tmp_path, state):
    assert mode(stores.prepared(tmp_path / "posts.db")) == 0o600
    assert not state.exists()


@POSIX
async def test_sqlites_companions_have_the_same_permissions(tmp_path):
    path = stores.prepared(tmp_path / "posts.db")
    async with stores.opened(path) as store:
        await store.count()
        assert {mode(each) for each in tmp_path.iterdir()} == {0o600}


def test_one_that_is_there_keeps_what_it_holds(tmp_path):
    path = tmp_path / "posts.db"
    path.write_bytes(b"kept")
    assert stores.prepared(path).read_bytes() == b"kept"


def test_a_store_that_cant_be_made_is_told_with_what_to_do(tmp_path):
    with pytest.raises(click.UsageError, match="name another with --store FILE or REELPUB_STORE"):
        stores.prepared(tmp_path / "no" / "such" / "folder.db")


def test_a_store_that_isnt_there_is_told_with_what_makes_one(state):
    with pytest.raises(click.UsageError, match="`reelpub publish FILE` makes one"):
        stores.existing(None)
    assert not state.exists()


@pytest.mark.parametrize("name", ["runs", "results", "report", "resume", "retry", "cancel", "watch"])
def test_commands_about_runs_say_so_where_there_is_none(name, state, capsys):
    assert run([name]) == 2
    assert "there is no store" in " ".join(capsys.readouterr().err.split())
    assert not state.exists()


def test_the_environment_names_the_store(state, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REELPUB_STORE", str(tmp_path / "other.db"))
    stores.prepared(tmp_path / "other.db")
    assert run(["runs"]) == 0
    assert "no runs yet" in capsys.readouterr().out
    assert run(["watch"]) == 2
    assert "the store has no run yet" in " ".join(capsys.readouterr().err.split())


class TestClock:
    HERE = {  # noqa: RUF012
        "REAP_API_KEY": "k",
        "REAP_BASE_URL": "http://127.0.0.1:8802/api",
        "REELMIRROR_API_KEY": "k",
        "REELMIRROR_BASE_URL": "http://localhost:8801/api",
    }

    def test_it_is_the_machines_unless_a_sandbox_names_its_own(self):
        assert isinstance(clock_from({}), SystemClock)

    def test_the_sandboxes_clock_is_taken_at_addresses_on_this_machine(self):
        clock = clock_from({**self.HERE, CLOCK: "12.5@1767225600.0"})
        assert isinstance(clock, ScaledClock)
        assert (clock.scale, clock.origin) == (12.5, 1767225600.0)

    @pytest.mark.parametrize("url", ["", "https://api.reap.video/v1", "http://192.168.0.7:8802", "http://[::1"])
    def test_it_isnt_taken_where_a_key_would_leave_this_machine(self, url):
        """A fast clock would send ten times as much as a real service allows."""
        with pytest.raises(click.UsageError, match="REAP_BASE_URL isn't one"):
            clock_from({**self.HERE, "REAP_BASE_URL": url, CLOCK: "10@1767225600.0"})

    @pytest.mark.parametrize("text", ["fast", "10", "10@", "99@1767225600.0", "@", "10@nan", "10@1e300"])
    def test_what_isnt_a_clock_is_wrong_use(self, text):
        with pytest.raises(click.UsageError, match="unset it"):
            clock_from({**self.HERE, CLOCK: text})


class TestFiles:
    def test_a_file_is_written_whole(self, tmp_path):
        path = tmp_path / "out.csv"
        files.replace(path, lambda stream: stream.write(b"all of it"))
        assert path.read_bytes() == b"all of it"
        assert list(tmp_path.iterdir()) == [path]

    def test_or_not_at_all(self, tmp_path):
        path = tmp_path / "out.csv"
        path.write_bytes(b"before")

        def fail(stream) -> None:
            stream.write(b"half")
            raise ValueError("no more")

        with pytest.raises(ValueError, match="no more"):
            files.replace(path, fail)
        assert path.read_bytes() == b"before"
        assert list(tmp_path.iterdir()) == [path]

    def test_a_place_that_cant_be_written_is_told(self, tmp_path):
        with pytest.raises(click.ClickException, match="choose another place with -o FILE"):
            files.replace(tmp_path / "no" / "out.csv", lambda stream: stream.write(b""))

    @POSIX
    def test_it_has_the_permissions_that_new_files_have(self, tmp_path):
        before = os.umask(0o022)
        try:
            files.replace(tmp_path / "out.csv", lambda stream: stream.write(b""))
        finally:
            os.umask(before)
        assert mode(tmp_path / "out.csv") == 0o644

    @POSIX
    def test_a_link_stays_one(self, tmp_path):
        (tmp_path / "real.csv").write_bytes(b"before")
        (tmp_path / "link.csv").symlink_to("real.csv")
        files.replace(tmp_path / "link.csv", lambda stream: stream.write(b"after"))
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "real.csv").read_bytes() == b"after"

    @POSIX
    def test_a_pipe_is_written_to_and_not_replaced(self, tmp_path):
        """So is a device: whoever may write to its folder would lose it."""
        path = tmp_path / "pipe"
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            files.replace(path, lambda stream: stream.write(b"through it"))
            assert os.read(reader, 100) == b"through it"
        finally:
            os.close(reader)
        assert path.is_fifo()
        assert list(tmp_path.iterdir()) == [path]
