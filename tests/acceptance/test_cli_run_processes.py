"""A run as a process: Ctrl-C, signals, a reader that leaves, and being killed; the sandbox is a process, too."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "import sys; from reelpub.cli import main; sys.exit(main())"]
SPEED = "30"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


def environment(folder: Path, **more: str) -> dict[str, str]:
    names = ("REAP_", "REELMIRROR_", "REELPUB_", "COV_", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return {**kept, "PYTHONUTF8": "1", "XDG_STATE_HOME": str(folder / "state"), **more}


class Sandboxed:
    """A sandbox that serves, and the command started against it in *folder*."""

    def __init__(self, folder: Path, exports: dict[str, str]) -> None:
        self.folder, self.exports = folder, exports
        self.started: list[subprocess.Popen] = []

    def start(self, *arguments: str, **options: object) -> subprocess.Popen:
        usual = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=environment(self.folder, **self.exports),
            **{**usual, **options},
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """Leave no process behind, also where a test ended early."""
        for process in self.started:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def done(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command to its end; return its exit status, and what it wrote."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def table(self) -> list[tuple[int, str, str]]:
        """Return how each account of each row of the latest run stands."""
        _, out, _ = self.done("results", "--json")
        found = [one for one in map(json.loads, out.splitlines()) if one["type"] == "outcome"]
        return [(one["row"], account["account"], account["status"]) for one in found for account in one["accounts"]]

    def live(self) -> dict:
        origin = self.exports["REAP_BASE_URL"].split("/api")[0]
        with urllib.request.urlopen(f"{origin}/__sandbox__/live", timeout=5) as answer:
            return json.load(answer)


@contextmanager
def sandboxed(folder: Path):
    serving = subprocess.Popen(
        [*COMMAND, "sandbox", "--speed", SPEED, "--seed", "7", "--reelmirror-port", "0", "--reap-port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(folder),
    )
    try:
        exports = {}
        for line in serving.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                exports[name] = value
            if "Ctrl-C stops it" in line:
                break
        running = Sandboxed(folder, exports)
        try:
            yield running
        finally:
            running.close()
    finally:
        serving.kill()
        serving.communicate()


@pytest.fixture
def sandbox(tmp_path):
    with sandboxed(tmp_path) as running:
        yield running


def manifest(folder: Path, *, posts: int = 4, clips: int = 3) -> str:
    lines = ["reference,generated_post,clip,title,accounts"]
    lines += [f"post-{n},demo-generated-post-{n},,,instagram:acme;tiktok:acme" for n in range(1, posts + 1)]
    lines += [f"clip-{n},,demo-project-1/demo-clip-{n},T{n},tiktok:acme;youtube:acme" for n in range(1, clips + 1)]
    lines.append("unfinished,demo-generated-post-unfinished,,,tiktok:acme")
    (folder / "posts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "posts.csv"


def until(process: subprocess.Popen, text: str, times: int = 1) -> str:
    """Return what *process* prints up to the n-th line with *text*."""
    printed = ""
    for line in process.stdout:
        printed += line
        times -= text in line
        if not times:
            return printed
    raise AssertionError(f"{text!r} never came: {printed} {process.stderr.read()}")


def ended(process: subprocess.Popen, seconds: float) -> tuple[str, str]:
    try:
        return process.communicate(timeout=seconds)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_one_signal_stops_in_order_and_resume_goes_on(sandbox, number):
    process = sandbox.start("publish", manifest(sandbox.folder))
    printed = until(process, "accepted as post", 3)
    run_id = re.match(r"run (\S+):", printed)[1]
    process.send_signal(number)
    out, err = ended(process, 40)
    assert (process.returncode, err) == (3, "")
    assert "stopping: nothing new is sent" in out
    assert f"go on with: reelpub resume {run_id}" in out
    # What stopping makes of posts isn't their end, and isn't told as if it were.
    assert not re.search(r"^ +[\d.]+s .* not sent", out, re.MULTILINE)
    before = sandbox.live()
    assert before["duplicates"] == 0
    status, out, err = sandbox.done("resume", run_id)
    assert (status, err) == (1, "")
    assert "8 rows: 7 published, 1 refused" in out
    live = sandbox.live()
    assert (len(live["live"]), live["duplicates"]) == (14, 0)


def test_a_second_signal_stops_at_once_and_loses_nothing(sandbox):
    process = sandbox.start("publish", manifest(sandbox.folder))
    until(process, "accepted as post", 2)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    out, err = ended(process, 40)
    assert process.returncode == 130
    assert time.monotonic() - began < 8
    assert "Traceback" not in out + err
    assert "stopped at once; go on with: reelpub resume" in out
    status, out, _ = sandbox.done("resume")
    assert status == 1
    assert "8 rows: 7 published, 1 refused" in out
    assert sandbox.live()["duplicates"] == 0


def test_under_nohup_a_closed_terminal_is_no_reason_to_stop(sandbox):
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process = sandbox.start("publish", manifest(sandbox.folder, posts=2, clips=1), preexec_fn=ignore)
    until(process, "accepted as post")
    process.send_signal(signal.SIGHUP)
    out, _ = ended(process, 30)
    assert process.returncode == 1
    assert "stopping" not in out
    assert "3 published, 1 refused" in out


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["lines", "json"])
def test_a_reader_that_leaves_stops_it_in_order(sandbox, more):
    """`reelpub publish posts.csv | head -1`."""
    process = sandbox.start("publish", manifest(sandbox.folder), *more)
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, err = ended(process, 40)
    assert process.returncode in (1, 3)
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    status, out, _ = sandbox.done("resume")
    assert status == 1
    assert "8 rows: 7 published, 1 refused" in out
    assert sandbox.live()["duplicates"] == 0


def test_ctrl_c_before_anything_was_noted_leaves_nothing(sandbox):
    reading, writing = os.pipe()
    process = sandbox.start("publish", "-", "--format", "csv", stdin=reading)
    os.close(reading)
    os.write(writing, b"reference,clip,accounts\nfirst,nonsense,tiktok:acme\n" + b"more,nonsense,\n" * 5000)
    # It tells of the first row while it still reads.
    assert "error" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    os.close(writing)
    _, err = ended(process, 40)
    assert process.returncode in (2, 130)
    assert "Traceback" not in err
    assert not (sandbox.folder / "state").exists()


def test_another_process_watches_and_sends_nothing(sandbox):
    # Four windows of clips, eight seconds, so that much is still to come when the others have started.
    process = sandbox.start("publish", manifest(sandbox.folder, clips=40))
    until(process, "accepted as post")
    watching = sandbox.start("watch", "--json")
    lines = sandbox.start("watch")
    out, _ = ended(process, 60)
    assert process.returncode == 1
    told, err = ended(watching, 30)
    assert watching.returncode == 1, err
    found = [json.loads(line) for line in told.splitlines()]
    assert (found[0]["type"], found[-1]["type"]) == ("run", "summary")
    assert {"settled", "delivered"} <= {one["type"] for one in found}
    assert found[-1]["counts"] == {"published": 44, "refused": 1}
    out, _ = ended(lines, 30)
    assert "45 rows: 44 published, 1 refused" in out
    assert re.search(r"live on tiktok:acme", out)
    live = sandbox.live()
    assert (len(live["live"]), live["duplicates"]) == (88, 0)


def test_what_a_running_process_carries_out_cant_be_called_off_from_beside_it(sandbox):
    process = sandbox.start("publish", manifest(sandbox.folder, clips=40))
    until(process, "accepted as post")
    status, _, err = sandbox.done("cancel", "latest")
    assert status == 2
    assert "stop that first" in err
    assert process.poll() is None, "it goes on"


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_over_and_over_it_ends_as_if_it_hadnt_been(tmp_path, seed):
    """The table is that of an undisturbed run of the same file, and nothing is live twice."""
    (tmp_path / "calm").mkdir()
    with sandboxed(tmp_path / "calm") as calm:
        assert calm.done("publish", manifest(calm.folder, posts=8, clips=6))[0] == 1
        expected = calm.table()
        assert len(expected) == 29
    chance = random.Random(seed)
    with sandboxed(tmp_path) as sandbox:
        command, kills = ("publish", manifest(tmp_path, posts=8, clips=6)), 0
        while kills < 4:
            process = sandbox.start(*command)
            # The moments differ from run to run; which event they come after is drawn.
            for line in process.stdout:
                if line.startswith("run ") or chance.random() < 0.9:
                    continue
                time.sleep(chance.uniform(0.0, 0.2))
                process.kill()
                kills += 1
                break
            else:
                break
            ended(process, 10)
            command = ("resume",)
        status, out, err = sandbox.done("resume")
        assert (status, err) == (1, ""), out
        assert kills
        assert sandbox.table() == expected
        live = sandbox.live()
        assert live["duplicates"] == 0
        assert len(live["live"]) == 28
