"""The command as a process: signals, a busy port, a closed pipe, a bare installation."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

COMMAND = [sys.executable, "-c", "import sys; from reelpub.cli import main; sys.exit(main())"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals")


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REAP_", "REELMIRROR_", "COV_"))}
    return {**kept, "PYTHONUTF8": "1", **more}


@contextmanager
def running(*arguments: str, **more: str):
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**more)
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(process: subprocess.Popen, text: str) -> list[str]:
    """Return the lines that *process* prints up to the one with *text*."""
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if text in line:
            return lines
    raise AssertionError(f"{text!r} never came: {lines} {process.stderr.read()}")


@contextmanager
def sandbox(*arguments: str):
    """Serve a sandbox; yield its process, what it printed and the environment that it told."""
    with running("sandbox", "--reelmirror-port", "0", "--reap-port", "0", *arguments) as process:
        printed = until(process, "Ctrl-C stops it")
        exports = [line.removeprefix("export ").split("=", 1) for line in printed if line.startswith("export ")]
        yield process, printed, dict(exports)


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_serves_until_it_is_stopped(number):
    with sandbox("--speed", "30", "--rate-limit-kind", "sliding", "--dialect", "reap.urls_by=platform") as (
        process,
        printed,
        exports,
    ):
        services = {"REELMIRROR_API_KEY", "REAP_API_KEY", "REELMIRROR_BASE_URL", "REAP_BASE_URL"}
        assert set(exports) == services | {"REELPUB_SANDBOX_CLOCK"}
        text = "\n".join(printed)
        for named in ("demo-generated-post-1", "demo-project-1", "tiktok:acme", "5eed0000000000000000a001"):
            assert named in text
        assert re.search(r"clock=ScaledClock\(30, origin=\d+\.\d+\)", text)
        listed = subprocess.run(
            [*COMMAND, "accounts", "--publisher", "reap"],
            capture_output=True,
            env=environment(**exports),
            timeout=20,
            check=False,
        )
        assert listed.returncode == 0
        assert b"linkedin:acme" in listed.stdout
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(5) == 0
        assert time.monotonic() - began < 3
        assert process.stderr.read() == ""


def test_a_port_that_is_taken_is_wrong_use():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        running("sandbox", "--reap-port", str(taken.getsockname()[1]), "--reelmirror-port", "0") as process,
    ):
        assert process.wait(10) == 2
        assert "choose others with --reelmirror-port and --reap-port" in process.stderr.read()


@POSIX
def test_ctrl_c_tells_what_is_known_and_how_to_go_on():
    arguments = ("--publisher", "reap", "--clip", "demo-project-1/demo-clip-1", "--account", "tiktok:acme")
    with sandbox() as (_, _, exports), running("publish", *arguments, **exports) as process:
        until(process, "accepted as post")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 3
        assert time.monotonic() - began < 5
        printed = process.stdout.read()
        assert re.search(r"follow it with: reelpub wait --publisher reap [0-9a-f]{24}", printed)
        assert process.stderr.read() == ""


def test_a_reader_that_leaves_ends_it_without_a_traceback():
    with sandbox() as (_, _, exports), running("accounts", "--publisher", "reap", **exports) as process:
        process.stdout.close()
        assert process.wait(10) == 141
        assert process.stderr.read() == ""
        process.stdout = None


@POSIX
def test_a_reader_that_leaves_changes_nothing_in_how_a_post_ends():
    """1 would say that it may be sent again."""
    arguments = ("--publisher", "reap", "--clip", "demo-project-1/demo-clip-1", "--account", "tiktok:acme")
    with sandbox("--speed", "30") as (_, _, exports), running("publish", *arguments, **exports) as process:
        until(process, "queued for reap")
        process.stdout.close()
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
        process.stdout = None


def test_an_encoding_that_lacks_a_character_is_no_reason_to_end():
    with sandbox() as (_, _, exports):
        done = subprocess.run(
            [*COMMAND, "publish", "--publisher", "reap", "--clip", "demo-project-1/日本", "--account", "tiktok:acme"],
            capture_output=True,
            env=environment(PYTHONUTF8="0", PYTHONIOENCODING="ascii", **exports),
            timeout=30,
            check=False,
        )
        assert done.returncode == 1
        assert b"\\u65e5\\u672c" in done.stdout


def test_without_click_it_says_one_line_and_ends_with_two():
    code = "import sys; sys.modules['click'] = None; from reelpub.cli import main; sys.exit(main(['demo']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "reelpub: the command needs more packages: pip install 'reelpub[cli]'\n"


def test_the_module_that_the_entry_point_names_loads_nothing_that_may_be_missing():
    code = "import sys, reelpub.cli; sys.exit(any(name in sys.modules for name in ('click', 'rich', 'jsonschema')))"
    assert subprocess.run([sys.executable, "-c", code], timeout=20, check=False).returncode == 0
