"""The fault matrix: every call of a provider times everything that can go wrong, and the one end that is allowed."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from reelpub import ScaledClock
from reelpub.sandbox import Fault, FaultKind, Sandbox

ROOT = Path(__file__).parents[2]


def load_matrix():
    """Import the program, whose parts are in a folder beside it."""
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("fault_matrix")
    finally:
        sys.path.remove(folder)


matrix = load_matrix()
CELLS = matrix.load_cells()


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_a_cell_ends_as_it_may_and_in_time(cell):
    """Nothing twice, nothing lost, nothing told that isn't so; the provider's and the ledger's word against ours."""
    result = matrix.play(cell)
    assert matrix.breaches(cell, result) == []


def test_there_is_one_cell_for_everything_that_can_happen():
    """The table has no holes and no row that nobody plays."""
    found = Counter((cell.provider, cell.operation, cell.fault) for cell in CELLS)
    assert found == Counter((*row, fault) for row in matrix.OPERATIONS for fault in matrix.FAULTS)


def test_what_may_end_unknown_is_a_closed_list_with_its_reasons():
    unknown = {(cell.operation, cell.why.partition(":")[0]) for cell in CELLS if cell.end == "unknown"}
    assert unknown == {
        ("approve", "Approve without a list"),
        ("publish-clip, twice", "More than one indistinguishable candidate at Reap"),
    }
    assert all(cell.why is None for cell in CELLS if cell.end != "unknown")


def test_every_other_call_ends_the_same_whatever_goes_wrong():
    """A fault may cost time; it never changes the end."""
    ends = {}
    for cell in CELLS:
        if cell.end != "unknown":
            ends.setdefault((cell.provider, cell.operation), set()).add(cell.end)
    assert all(len(found) == 1 for found in ends.values()), ends


def test_the_page_shows_the_cells_as_they_are():
    page = (ROOT / "docs" / "fault-matrix.md").read_text(encoding="utf-8")
    assert page == matrix.render(CELLS) + "\n", "run: python benchmarks/fault_matrix.py > docs/fault-matrix.md"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"end": "unknown"}, "it ended as unknown"),
        ({"seconds": 1e6}, "more than"),
        ({"doubled": 1}, "twice"),
        ({"lost": 2}, "2 accounts never"),
        ({"told": 1}, "1 drafts"),
        ({"false": ("it is told live",)}, "it is told live"),
    ],
    ids=lambda value: "",
)
def test_whatever_breaks_a_cell_is_told(change, words):
    """The judge itself: each way in which a cell can break is a breach."""
    cell = next(cell for cell in CELLS if cell.end == "published")
    good = {"end": cell.end, "seconds": 1.0, "lost": 0, "doubled": 0, "false": (), "told": 0, "sent": 1}
    assert matrix.breaches(cell, matrix.Result(**good)) == []
    (breach,) = matrix.breaches(cell, matrix.Result(**good | change))
    assert words in breach


# ---- some of them with a real SIGKILL

SCALE = 30.0

CHILD = """
import asyncio, json, sys
from datetime import UTC, datetime
from reelpub import Orchestrator, ReapPublisher, ReelMirrorPublisher, ScaledClock
from reelpub.store import SqliteStore

_, path, scale, origin, env, provider, name = sys.argv
sys.path.insert(0, path + "/benchmarks")
import fault_matrix as matrix


async def main(env):
    clock = ScaledClock(float(scale), origin=float(origin))
    made = {
        "reelmirror": lambda: ReelMirrorPublisher.connect(
            env["REELMIRROR_API_KEY"], base_url=env["REELMIRROR_BASE_URL"], clock=clock
        ),
        "reap": lambda: ReapPublisher.connect(env["REAP_API_KEY"], base_url=env["REAP_BASE_URL"], clock=clock),
    }
    requests = matrix.OPERATIONS[provider, name].requests(datetime.fromtimestamp(float(origin), UTC))
    store = SqliteStore(env["FILE"])
    async with Orchestrator([made[provider]()], clock=clock, store=store, send_timeout=1.0) as publishing:
        handles = await publishing.resume() or publishing.submit_many(requests)
        outcomes = [await handle for handle in handles]
        print(json.dumps([[outcome.status.value, [post.id for post in outcome.posts]] for outcome in outcomes]))


asyncio.run(main(json.loads(env)))
"""


async def start(sandbox, clock, file, operation):
    env = json.dumps(sandbox.environment() | {"FILE": str(file)})
    arguments = (str(ROOT), str(SCALE), str(clock.origin), env, operation.provider, operation.name)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


@pytest.mark.parametrize(
    ("row", "kind", "sent"),
    [
        (("reelmirror", "create"), FaultKind.HANG_AFTER, 2),
        (("reelmirror", "publish"), FaultKind.HANG_BEFORE, 2),
        (("reelmirror", "publish"), FaultKind.HANG_AFTER, 1),
        (("reap", "publish-clip"), FaultKind.HANG_BEFORE, 2),
        (("reap", "publish-clip"), FaultKind.HANG_AFTER, 1),
        (("reap", "schedule-clips, 50"), FaultKind.HANG_AFTER, 1),
    ],
    ids=lambda value: getattr(value, "value", value[1] if isinstance(value, tuple) else ""),
)
async def test_a_process_killed_while_it_waits_for_an_answer(tmp_path, row, kind, sent):
    """SIGKILL with the request at the provider, carried out or not; another process ends what it began."""
    operation = matrix.OPERATIONS[row]
    call = operation.wire_call
    clock = ScaledClock(SCALE, origin=time.time())
    arrived = asyncio.Event()

    def observe(exchange):
        if exchange.operation == call:
            arrived.set()

    async with Sandbox(clock=clock, observer=observe) as sandbox, asyncio.timeout(60):
        sandbox.order(Fault(kind, operation=call))
        first = await start(sandbox, clock, tmp_path / "jobs.db", operation)
        await arrived.wait()
        first.kill()
        await first.communicate()
        second = await start(sandbox, clock, tmp_path / "jobs.db", operation)
        said, problems = await second.communicate()
        assert second.returncode == 0, problems.decode()
        outcomes = json.loads(said)
        executed = sum(record.executed and record.operation == call for record in sandbox.requests())
        if operation.name == "schedule-clips, 50":
            assert [status for status, _ in outcomes] == ["scheduled"] * 50
            assert len({post for _, posts in outcomes for post in posts}) == 50
        else:
            assert [status for status, _ in outcomes] == ["published"]
            assert {record.post_id for record in sandbox.live()} == set(outcomes[0][1])
            assert len(sandbox.live()) == 2
        assert sandbox.duplicates() == []
        assert executed == (2 if operation.name == "create" else 1)
        assert sum(record.operation == call for record in sandbox.requests()) == sent
