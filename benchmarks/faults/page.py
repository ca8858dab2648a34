"""The fault matrix as a page: a table for each provider, and the reasons of what ends unknown."""

from __future__ import annotations

from collections.abc import Sequence

from faults import FAULTS
from faults.stage import Cell

__all__ = ["render"]


def render(cells: Sequence[Cell]) -> str:
    """Return the table of *cells* as Markdown."""
    notes = list(dict.fromkeys(cell.why for cell in cells if cell.why))
    lines = [_INTRODUCTION.format(count=len(cells))]
    for provider, title in (("reelmirror", "ReelMirror"), ("reap", "Reap")):
        mine = {(cell.operation, cell.fault): cell for cell in cells if cell.provider == provider}
        lines += [f"## {title}", "", _line(["", *FAULTS]), _line(["---"] * (1 + len(FAULTS)))]
        for row in dict.fromkeys(operation for operation, _ in mine):
            shown = [_shown(mine.get((row, fault)), notes) for fault in FAULTS]
            lines.append(_line([f"**{row}**", *shown]))
        lines.append("")
    lines += [f"{number}. {why}" for number, why in enumerate(notes, start=1)]
    return "\n".join(lines)


_INTRODUCTION = """# The fault matrix

What becomes of a post when a call goes wrong. Each row is one call of a provider, each column one thing that goes \
wrong at that call, each cell the one end that is allowed and the time within which it is reached, in seconds of the \
clock from the asking.

In all {count} cells what the caller is told is compared with what the provider then has and with what goes live: \
nothing went live twice, nothing was lost, and no outcome said what isn't so. They are played on the \
[sandbox](sandbox.md) over real sockets, with the rate limits on; `python benchmarks/fault_matrix.py` plays them all \
and prints this page. The cells are in `tests/acceptance/fault_matrix.json`, and the tests hold them.

- *Before* and *after* say whether the provider had carried the call out when its answer was lost.
- *Pooled connection closed*: every connection dies on its second use.
- A process is killed just before the request leaves, its intent on disk; with the answer in hand and nothing of it \
noted; and right after the note. Another process then takes the job up, once the dead one's leases have ended (120 s). \
Cancellations and moves are no jobs of the store's: there the second process is asked again at once.
- *Update* and *delete* at ReelMirror are calls on the way to a post: the edit of a draft, and the deletion of one \
that didn't take its accounts. *Told* counts drafts that a process that died left behind: nobody sees them, and the \
outcome names them in `orphans`. A draft that a lost answer left is found and deleted; one that a lost request makes \
only later is warned of.
- *Takes effect late*: the connection breaks without an answer, and the provider carries the call out 20 s afterwards.
- The times include the rate limits. A process that doesn't know yet what its key has used of the window begins slowly.
- Where the end is *unknown*, the note says why. Nothing is sent again then.
"""


def _line(columns: Sequence[str]) -> str:
    return f"| {' | '.join(columns)} |"


def _shown(cell: Cell | None, notes: Sequence[str]) -> str:
    if cell is None:
        return ""
    told = f", {cell.told} told" if cell.told else ""
    note = f" ({1 + notes.index(cell.why)})" if cell.why else ""
    return f"{cell.end}{note}{told}, {cell.within:.0f} s"
