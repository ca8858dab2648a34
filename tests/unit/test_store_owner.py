"""Whether the process behind a lease still runs: certain, or not said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from reelpub.store import owner
from reelpub.store.owner import is_gone, new_owner

NAME = "from reelpub.store.owner import new_owner; print(new_owner(), flush=True); input()"

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@contextmanager
def another():
    """Another process and its name as an owner."""
    with subprocess.Popen(
        [sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_no_name_is_given_twice():
    assert len({new_owner() for _ in range(100)}) == 100


def test_whoever_runs_isnt_gone():
    assert not is_gone(new_owner())


def test_a_process_is_gone_once_it_was_killed_and_not_before():
    """Also while nobody has asked for its end yet: a corpse sends nothing. One that is stopped may go on."""
    with another() as (process, name):
        assert not is_gone(name)
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        assert not is_gone(name)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(name)
        process.wait()
        assert is_gone(name)


def test_another_process_with_the_same_number_isnt_the_owner():
    machine, number, started, rest = new_owner().split("/")
    assert is_gone("/".join((machine, number, str(int(started) + 1), rest)))


@pytest.mark.parametrize("name", ["", "A", "a/b", "//", "/1/2/3", "elsewhere/1/2/x", "{here}/x/2/y", "{here}/1//y"])
def test_where_it_cant_be_told_nobody_is_gone(name):
    here = new_owner().partition("/")[0]
    assert not is_gone(name.replace("{here}", here))


def test_without_proc_nobody_is_gone_and_names_still_differ(monkeypatch, tmp_path):
    known = new_owner()
    monkeypatch.setattr(owner, "_PROC", tmp_path)
    assert new_owner() != new_owner()
    assert not is_gone(known)
    assert not is_gone(new_owner())


def test_a_command_with_brackets_and_blanks_in_its_name_is_read_rightly(monkeypatch, tmp_path):
    """The kernel puts a command's name in the middle of the line as it is."""
    here = new_owner().partition("/")[0]
    folder = tmp_path / "77"
    folder.mkdir()
    rest = " ".join(str(number) for number in range(4, 30))
    (folder / "stat").write_text(f"77 (a) Z 1) (b) S {rest}")
    for part in ("sys/kernel/random", "self/ns"):
        (tmp_path / part).mkdir(parents=True)
    monkeypatch.setattr(owner, "_PROC", tmp_path)
    monkeypatch.setattr(owner, "_machine", lambda: here)
    assert not is_gone(f"{here}/77/22/x")
    assert is_gone(f"{here}/77/21/x")
    (folder / "stat").write_text(f"77 (dead) Z {rest}")
    assert is_gone(f"{here}/77/22/x")
