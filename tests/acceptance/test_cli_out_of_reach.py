"""The command without a network: nothing can have been sent, and the exit status says so."""

from __future__ import annotations

import json

import pytest
from aiohttp.test_utils import unused_port

from reelpub.cli.app import run
from reelpub.cli.setup import Setup
from reelpub.clocks import ScaledClock

ROW = "clip,accounts\ndemo-project-1/demo-clip-1,tiktok:acme\n"
POST = ("--clip", "demo-project-1/demo-clip-1", "--account", "tiktok:acme")


@pytest.fixture
def reelpub(monkeypatch, tmp_path, capfd):
    """Run the command where nobody listens; return its exit status, what it printed, and what it said besides."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("REELPUB_STORE", "REELMIRROR_API_KEY", "REELMIRROR_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REAP_API_KEY", "reap_sandbox_key_0000000000000001")
    monkeypatch.setenv("REAP_BASE_URL", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "posts.csv").write_text(ROW, "utf-8")

    def call(*arguments: str) -> tuple[int, str, str]:
        status = run(list(arguments), obj=Setup(clock=ScaledClock(30)))
        return status, *capfd.readouterr()

    return call


@pytest.mark.parametrize("arguments", [("publish", "posts.csv"), ("publish", "posts.csv", "--dry-run")])
def test_a_file_that_couldnt_be_checked_wasnt_sent_and_nobody_has_to_look_for_it(reelpub, tmp_path, arguments):
    status, out, err = reelpub(*arguments)
    assert (status, out) == (1, "")
    assert "nothing of posts.csv was sent" in err
    assert "next: look at the network, and at REAP_BASE_URL if it is set" in err
    assert not (tmp_path / "state").exists()


def test_a_schedule_that_couldnt_be_checked_wasnt_sent_either(reelpub):
    status, _, err = reelpub("schedule", "posts.csv", "--start", "2027-03-28T09:00+02:00", "--every", "2h", "--json")
    assert status == 1
    assert "nothing of posts.csv was sent" in err


def test_a_single_post_wasnt_sent(reelpub):
    status, out, _ = reelpub("publish", *POST, "--json")
    assert status == 1
    assert json.loads(out.splitlines()[-1])["status"] == "not_sent"
