"""The `reelpub` command (extra ``cli``). This module imports nothing that a bare installation lacks."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]

_EXTRA = frozenset({"click", "jsonschema", "rich"})
"""What the extra brings; ``jsonschema`` belongs to the sandbox, which the command serves."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with *arguments*, by default the process's, and return its exit status.

    0 is for success alone: every delivery published, or scheduled where that was asked for. 1 means that some failed,
    were refused or weren't sent, 2 wrong use, 3 that some are pending or can't be known.
    """
    try:
        from reelpub.cli.app import run  # noqa: PLC0415  (its libraries may be missing)

        return run(arguments)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA:
            raise
        print("reelpub: the command needs more packages: pip install 'reelpub[cli]'", file=sys.stderr)
        return 2
