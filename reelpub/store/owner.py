"""Who holds a lease: a name for this process that tells others on the same machine whether it is still there.

Leases end by themselves. But a process that was killed is usually started again at once, and needn't wait for its own
old leases: where the name says that the owner lived on this machine since its last start, and its process is gone, it
will send nothing more. Where that can't be told (another machine, another container, no `/proc`), the lease decides.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["is_gone", "new_owner"]

_PROC = Path("/proc")


def new_owner() -> str:
    """Return a name for this process that no other has: ``machine/process/started/random``."""
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid())}/{secrets.token_hex(8)}"


def is_gone(owner: str) -> bool:
    """Return whether the process called *owner* certainly doesn't run any more."""
    machine, _, rest = owner.partition("/")
    process, _, rest = rest.partition("/")
    started = rest.partition("/")[0]
    if not machine or not started or machine != _machine() or not process.isdecimal():
        return False
    return _started(int(process)) != started


def _machine() -> str:
    """Return what is the same for all processes that see each other's ids, or an empty text."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}.{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _started(process: int) -> str:
    """Return when a process began, in the kernel's ticks, or an empty text if there is none or it is a corpse."""
    try:
        # The second field is the command's name in brackets and may hold anything; the fields after it are plain.
        fields = (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
