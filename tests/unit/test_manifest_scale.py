"""100,000 rows stream: the memory of reading them doesn't grow with their number."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import re, sys
from pathlib import Path
from reelpub.manifest import read_manifest

import yaml, zoneinfo  # what reading itself brings in isn't what is measured

HEADS = {"csv": "clip,caption,tags,accounts,at,zone\\n", "jsonl": "", "yaml": "posts:\\n"}
ROWS = {
    "csv": 'p/c%d,"one\\ntwo",a;b,tiktok:acme;youtube:acme,2027-06-01 14:30,Europe/Oslo\\n',
    "jsonl": '{"clip": "p/c%d", "caption": "one", "tags": ["a"], "at": "2027-06-01 14:30", "zone": "Europe/Oslo"}\\n',
    "yaml": "- {clip: p/c%d, caption: one, tags: [a], at: 2027-06-01 14:30, zone: Europe/Oslo}\\n",
}
form, count = sys.argv[1], int(sys.argv[3])
path = Path(sys.argv[2])
with path.open("w") as file:
    file.write(HEADS[form])
    file.writelines(ROWS[form] % number for number in range(count))
def peak():
    # Not `ru_maxrss`, which on Linux outlasts `exec`: it would tell of the tests that started this.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
assert sum(row.is_sound for row in read_manifest(path, format=form)) == count
print(peak() - before)
"""


# YAML takes its time; what is measured shows with fewer rows, too.
@pytest.mark.parametrize(("form", "count"), [("csv", 100_000), ("jsonl", 100_000), ("yaml", 20_000)])
def test_100_000_rows_take_a_few_megabytes(tmp_path, form, count):
    command = [sys.executable, "-c", PROGRAM, form, str(tmp_path / "posts"), str(count)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < 20 * 1024, "kilobytes"
