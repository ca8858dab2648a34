"""The sandbox's ReelMirror as the HTTP shell sees it: calls in, replies out, and time that passes."""

from __future__ import annotations

from random import Random
from typing import Any

from reelpub.sandbox.dialect import ReelMirrorDialect
from reelpub.sandbox.faults import FaultBook
from reelpub.sandbox.keys import KeyRing
from reelpub.sandbox.ledger import Ledger
from reelpub.sandbox.reelmirror.handlers import HANDLERS
from reelpub.sandbox.reelmirror.planting import add_account, plant
from reelpub.sandbox.reelmirror.world import World
from reelpub.sandbox.seed import AccountSeed
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = ["ReelMirrorProvider"]

_CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    402: "INSUFFICIENT_BALANCE",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "VALIDATION_ERROR",
    409: "CONFLICT",
    429: "RATE_LIMITED",
}
"""The error codes by status; the one for 405 is a guess, as no page names one."""


class ReelMirrorProvider:
    """ReelMirror's v1 API (https://reelmirror.com/docs) as a state machine without I/O.

    *seed* makes ids and durations repeat. Every key sees the same records; *keys* is the ring that key-making calls
    change.
    """

    name = "reelmirror"
    base_path = "/api"

    def __init__(self, dialect: ReelMirrorDialect, seed: int, ledger: Ledger, faults: FaultBook, keys: KeyRing) -> None:
        rng = Random(f"reelmirror {seed}")  # noqa: S311  (repeatable on purpose; nothing here is secret)
        self.world = World(dialect, rng, ledger, faults, keys)
        plant(self.world)

    def handle(self, call: Call) -> Reply:
        """Answer one call, after everything that is due by its time; raises `Refusal` for an error answer."""
        self.advance(call.now)
        return HANDLERS[call.operation](self.world, call)

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """Return the error body: code, message and details."""
        code = refusal.code or _CODES[refusal.status]
        return {"error": {"code": code, "message": refusal.message, "details": refusal.details or {}}}

    def advance(self, now: float) -> None:
        """Let everything happen that is due by Unix time *now*, in the order of its time."""
        self.world.advance(now)

    def set_origin(self, origin: str) -> None:
        """Say where the sandbox serves; links for people to open begin with it."""
        self.world.origin = origin

    def add_account(self, account: AccountSeed) -> None:
        """Connect a social account, or replace the one with its id."""
        add_account(self.world, account)

    def upload_put(
        self, upload_id: str, *, size: int | None, content_type: str | None, has_authorization: bool, chunked: bool
    ) -> Reply:
        """Refuse: ReelMirror gives out no presigned addresses."""
        del upload_id, size, content_type, has_authorization, chunked
        raise Refusal(404, "The specified key does not exist.")
