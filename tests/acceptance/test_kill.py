"""A process that is killed again and again publishes everything once; the full run is one command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "kill.py"


@pytest.mark.timeout(180)
def test_kills_at_random_and_at_chosen_moments_neither_lose_nor_repeat_a_post(tmp_path):
    """`python benchmarks/kill.py` does the same with 200 posts and 50 kills."""
    figures = tmp_path / "figures.json"
    command = [sys.executable, str(BENCHMARK), "--posts", "12", "--kills", "5", "--seed", "2", "--json", str(figures)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["kills"] == 5
    assert found["jobs"] == found["posts"] == 12
    assert found["statuses"] == {"published": 12}
    wrong = ("unsettled", "duplicates", "lost", "untrue", "unknown")
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, 0)
