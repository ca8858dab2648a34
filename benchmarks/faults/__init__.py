"""What the fault matrix is made of: what can go wrong with a call, by its name in the table."""

from __future__ import annotations

from collections.abc import Mapping

from reelpub.sandbox import FaultKind

__all__ = ["AFTER_NOTE", "BEFORE_NOTE", "BEFORE_SEND", "FAULTS"]

BEFORE_SEND, BEFORE_NOTE, AFTER_NOTE = "killed before the send", "killed before the note", "killed after the note"

FAULTS: Mapping[str, FaultKind | None] = {
    "lost before": FaultKind.LOST_BEFORE,
    "lost after": FaultKind.LOST_AFTER,
    "reset in the body": FaultKind.RESET_IN_BODY,
    "hangs before": FaultKind.HANG_BEFORE,
    "hangs after": FaultKind.HANG_AFTER,
    "502 after": FaultKind.HTML_502_AFTER,
    "takes effect late": FaultKind.LATE,
    "429 before": FaultKind.RATE_LIMITED,
    "pooled connection closed": FaultKind.CLOSE_POOLED,
    BEFORE_SEND: None,
    BEFORE_NOTE: None,
    AFTER_NOTE: None,
}
"""What goes wrong, by its name in the table; None is a death of the process."""
