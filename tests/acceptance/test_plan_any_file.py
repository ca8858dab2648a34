"""Whatever a file holds, and however long it is, a plan comes of it: no traceback, no request, bounded memory."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelpub.cli.app import run

VALID = {
    ".csv": (
        b"clip,accounts,title,tags,at,zone,tiktok.privacy,settings\n"
        b"p/1,tiktok:acme;youtube:acme,Hello,a;b,2027-03-27 14:30,Europe/Oslo,friends,\n"
        b'p/2,tiktok:acme,"two\nlines",,2027-03-27T14:30Z,,,"{""x"": {""a"": 1}}"\n'
        b"p/1,0a1b,=HYPERLINK(1),,,,,\n"
    ),
    ".jsonl": (
        b'{"clip": "p/1", "accounts": ["tiktok:acme"], "settings": {"tiktok": {"privacy": "friends"}}}\n'
        b'{"generated_post": "g", "caption": "c", "at": "2027-03-27 14:30", "zone": "Europe/Oslo"}\n'
        b'{"media_items": ["m1", {"id": "m2"}], "accounts": ["instagram:acme"], "approve": false}\n'
    ),
    ".yaml": (
        b"defaults: {accounts: [tiktok:acme]}\n"
        b"posts:\n"
        b"  - clip: p/1\n"
        b"    at: 2027-03-27T14:30:00Z\n"
        b"  - {clip: p/2, title: Hello, tags: [a, b], fold: first}\n"
    ),
}
WORDS = [
    b'"',
    b"\n",
    b"\r",
    b",",
    b";",
    b"\t",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"- ",
    b"&a ",
    b"*a",
    b"\x00",
    b"\xff",
    b"\xfe",
]
WORDS += [
    "\u202e".encode(),
    "\ud83d".encode("utf-8", "surrogatepass"),
    b"2027-03-28 02:30",
    b"tiktok:",
    b"1e999",
    b"!!python/x",
]
FUZZ = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@st.composite
def mutated(draw):
    """A valid manifest with some of its bytes cut out, doubled or replaced."""
    suffix = draw(st.sampled_from(sorted(VALID)))
    data = bytearray(VALID[suffix])
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 12)))
        data[start:end] = draw(st.sampled_from(WORDS) | st.binary(max_size=8) | st.just(bytes(data[start:end]) * 3))
    return suffix, bytes(data)


def planned(suffix, data, *options):
    """Plan *data*, offline; return the exit status and what was printed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"posts{suffix}"
        file.write_bytes(data)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run(["plan", "--offline", *options, str(file)])
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return status, out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def no_store(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("REELMIRROR_API_KEY", "REAP_API_KEY", "REELPUB_STORE"):
        monkeypatch.delenv(name, raising=False)


@FUZZ
@given(suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".yaml", ""]), data=st.binary(max_size=400))
def test_any_bytes_give_a_plan_or_problems(suffix, data):
    status, out, _ = planned(suffix, data)
    assert status in (0, 2)
    assert out


@FUZZ
@given(file=mutated(), zone=st.sampled_from([(), ("--zone", "Europe/Oslo")]))
def test_any_damage_to_a_manifest_gives_a_plan_or_problems(file, zone):
    status, out, err = planned(*file, *zone)
    assert status in (0, 2)
    assert err == ""
    assert "\x1b" not in out
    assert (": error: " in out) == (status == 2)


@FUZZ
@given(file=mutated())
def test_the_json_of_any_manifest_is_json_and_agrees_with_itself(file):
    status, out, _ = planned(*file, "--json", "--rows")
    found = [json.loads(line) for line in out.splitlines()]
    whole = found[-1]
    assert whole["type"] == "plan"
    findings = [one for one in found if one["type"] == "finding"]
    assert whole["errors"] == sum(one["severity"] == "error" for one in findings)
    assert whole["warnings"] == sum(one["severity"] == "warning" for one in findings)
    assert whole["sound"] == sum(one["type"] == "row" for one in found)
    assert status == (2 if whole["errors"] else 0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1", "utf-32"])
def test_any_encoding_gives_a_plan_or_problems(encoding):
    text = VALID[".csv"].decode() + "p/9,tiktok:acme,Grüße,,,,,\n"
    status, _, _ = planned(".csv", text.encode(encoding))
    assert status in (0, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"clip,accounts,title\np/1,tiktok:acme," + b"x" * 3_000_000 + b"\n",
        b"clip,accounts,tags\np/1,tiktok:acme," + b"a;" * 200_000 + b"\n",
        b"clip,accounts\np/1," + b"tiktok:a;" * 20_000 + b"\n",
    ],
    ids=["a cell of 3 MB", "200,000 tags", "20,000 accounts"],
)
def test_huge_cells_give_problems(data):
    status, _, _ = planned(".csv", data)
    assert status == 2


# ---- long files

PROGRAM = """
import re, sys
from pathlib import Path
from reelpub.cli.app import run
status = run(["plan", "--offline", "--json", "--format", "csv", sys.argv[1]])
# Not `ru_maxrss`, which on Linux outlasts `exec`: it would tell of the tests that started this.
print(status, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


def started(file, **streams):
    command = [sys.executable, "-c", PROGRAM, str(file)]
    environment = {**os.environ, "XDG_STATE_HOME": "/nonexistent"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **streams
    )


def test_a_problem_is_told_while_the_rest_of_the_file_is_still_to_come():
    """Its row is read, the file isn't at its end, and the problem is out."""
    with started("-", stdin=subprocess.PIPE) as process:
        process.stdin.write("clip,accounts\np/1,facebook:acme\n" + "p/2,tiktok:acme\n" * 5_000)
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        assert (first["line"], first["column"]) == (2, "accounts")
        out, err = process.communicate()
    assert json.loads(out.splitlines()[-1])["rows"] == 5_001
    assert err.startswith("2 ")


@pytest.mark.timeout(300)
def test_a_hundred_thousand_rows_within_300_mb(tmp_path):
    file, start = tmp_path / "posts.csv", datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    with file.open("w", encoding="utf-8") as stream:
        stream.write("reference,clip,accounts,title,caption,at\n")
        for n in range(100_000):
            at = (start + timedelta(minutes=n)).isoformat() if n % 2 else ""
            accounts = f"tiktok:acme-{n % 50};{'0a1b' if n % 1_000 else 'facebook:acme'}"
            stream.write(f"row {n},project-{n % 97}/clip-{n},{accounts},Title {n},A caption for it,{at}\n")
    with started(file) as process:
        out, err = process.communicate()
    plan = json.loads(out.splitlines()[-1])
    status, kilobytes = map(int, err.split())
    assert (status, plan["rows"], plan["sound"]) == (2, 100_000, 99_900)
    assert kilobytes < 300 * 1024
