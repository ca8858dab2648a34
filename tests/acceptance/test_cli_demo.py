"""`reelpub demo` as a person runs it: on a terminal, through a pipe, as JSON."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time

from reelpub.cli.app import run

COMMAND = [sys.executable, "-c", "import sys; from reelpub.cli import main; sys.exit(main())"]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REAP_", "REELMIRROR_", "COV_"))}
    return {**kept, "PYTHONUTF8": "1", **more}


def on_a_terminal(columns: int, rows: int) -> tuple[int, str, float]:
    """Run it on a terminal of this size; return its exit status, what it wrote, and how many seconds it took."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    began = time.monotonic()
    process = subprocess.Popen(
        [*COMMAND, "demo"], stdin=follower, stdout=follower, stderr=follower, env=environment(TERM="xterm-256color")
    )
    os.close(follower)
    written = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(leader)
    return process.wait(10), written.decode(), time.monotonic() - began


def test_lines_tell_what_happened_and_that_nothing_went_out_twice(capsys):
    began = time.monotonic()
    assert run(["demo"]) == 0
    assert time.monotonic() - began < 20
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    assert len(re.findall(r"^(?:generated-post|clip)-\d+ +re\w+ +published", out, re.MULTILINE)) == 24
    assert out.count("was answered 429 (ordered)") == 4
    assert "publishClip took effect, and its answer was lost (ordered)" in out
    assert "found at the provider and not sent again, published" in out
    assert "generated-post-5: instagram:acme_two failed, sent again where it failed, published" in out
    assert "39 of 39 deliveries are live, nothing is live twice, and the rate limits were never exceeded" in out
    costs = [text.split() for text in out.splitlines()[-3:-1]]
    assert [row[0] for row in costs] == ["reelmirror", "reap"]
    assert [row[5:] for row in costs] == [["4", "0"], ["0", "0"]]


def test_a_terminal_sees_a_live_table_within_its_width():
    columns = 80
    status, written, seconds = on_a_terminal(columns, rows=24)
    assert status == 0
    assert seconds < 20
    assert "\x1b[?25l" in written
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l"), "the cursor is shown again"
    shown = [ESCAPE.sub("", text) for text in re.split(r"[\r\n]", written)]
    assert max(map(len, shown)) <= columns
    assert "looking up" in written
    assert any("nothing is live twice" in text for text in shown)


def test_json_is_on_standard_output_alone():
    done = subprocess.run([*COMMAND, "demo", "--json"], capture_output=True, env=environment(), timeout=30, check=False)
    assert done.returncode == 0
    found = [json.loads(text) for text in done.stdout.splitlines()]
    assert {"queued", "sent", "accepted", "delivered", "failed", "unknown", "settled"} <= {one["type"] for one in found}
    assert found[-1]["type"] == "verdict"
    assert found[-1]["is_good"] is True
    assert (found[-1]["expected"], found[-1]["live"], found[-1]["duplicates"]) == (39, 39, 0)
    assert b"ordered to go wrong" in done.stderr


def test_a_reader_that_leaves_ends_it_at_once_and_without_a_word():
    """`reelpub demo | head -3`."""
    process = subprocess.Popen(
        [*COMMAND, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    for _ in range(3):
        process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), said) == (141, "")
