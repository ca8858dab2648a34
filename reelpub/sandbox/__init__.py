"""Both providers as local servers that behave as their contracts say, with faults that can be ordered.

It shares no code with the clients it judges: of `reelpub` it imports only the clocks.
"""

from __future__ import annotations

from reelpub.sandbox.control import describe
from reelpub.sandbox.dialect import ReapDialect, ReelMirrorDialect
from reelpub.sandbox.faults import Fault, FaultKind
from reelpub.sandbox.ledger import LiveRecord
from reelpub.sandbox.limits import LimitKind, RateLimit
from reelpub.sandbox.records import RecordedExchange, RequestRecord
from reelpub.sandbox.seed import (
    REAP_ACCOUNTS,
    REAP_KEY,
    REELMIRROR_ACCOUNTS,
    REELMIRROR_KEY,
    AccountSeed,
)
from reelpub.sandbox.server import Sandbox, run_forever
from reelpub.sandbox.uploads import UploadRecord

Dialect = ReelMirrorDialect | ReapDialect
"""Either provider's dialect."""

__all__ = [
    "REAP_ACCOUNTS",
    "REAP_KEY",
    "REELMIRROR_ACCOUNTS",
    "REELMIRROR_KEY",
    "AccountSeed",
    "Dialect",
    "Fault",
    "FaultKind",
    "LimitKind",
    "LiveRecord",
    "RateLimit",
    "ReapDialect",
    "RecordedExchange",
    "ReelMirrorDialect",
    "RequestRecord",
    "Sandbox",
    "UploadRecord",
    "describe",
    "run_forever",
]
