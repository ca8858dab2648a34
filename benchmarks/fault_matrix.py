"""The fault matrix: every call that makes, changes or calls off a post, times every way in which it can go wrong.

Each cell plays one story on the sandbox, over real sockets in virtual time: a post is asked for, the fault strikes at
the one call that the cell is about, and what the caller is told is compared with what the provider then has and with
what goes live. `tests/acceptance/fault_matrix.json` names for each cell the one end that is allowed.

Run ``python benchmarks/fault_matrix.py > docs/fault-matrix.md``; it fails where a cell doesn't hold.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from faults import FAULTS
from faults.operations import OPERATIONS
from faults.page import render
from faults.playing import play
from faults.stage import Cell, Result
from faults.truth import breaches

__all__ = ["CELLS", "FAULTS", "OPERATIONS", "Cell", "Result", "breaches", "load_cells", "main", "play", "render"]

CELLS = Path(__file__).parents[1] / "tests" / "acceptance" / "fault_matrix.json"


def load_cells(path: Path = CELLS) -> list[Cell]:
    """Read the cells."""
    return [Cell(**row) for row in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def main() -> int:
    """Play every cell and print the table; return 1, and print what broke to stderr, where one doesn't hold."""
    logging.disable(logging.CRITICAL)
    cells = load_cells()
    broken = [(cell.id, words) for cell in cells for words in breaches(cell, play(cell))]
    for name, words in broken:
        print(f"{name}: {words}", file=sys.stderr)
    if broken:
        return 1
    print(render(cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
