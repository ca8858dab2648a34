"""The sandbox's Reap as the HTTP shell sees it: calls in, replies out, and time that passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from reelpub.sandbox.dialect import ReapDialect
from reelpub.sandbox.faults import FaultBook
from reelpub.sandbox.ledger import Ledger
from reelpub.sandbox.reap import uploads
from reelpub.sandbox.reap.agenda import Event
from reelpub.sandbox.reap.delivery import finish, fire
from reelpub.sandbox.reap.handlers import HANDLERS
from reelpub.sandbox.reap.planting import add_account, plant
from reelpub.sandbox.reap.projects import step
from reelpub.sandbox.reap.state import Studio
from reelpub.sandbox.seed import AccountSeed
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = ["ReapProvider"]

_EVENTS: Mapping[Event, Callable[[Studio, str, float], None]] = {
    Event.FIRE: fire,
    Event.FINISH: finish,
    Event.STEP: step,
}


class ReapProvider:
    """Reap's Automation API (https://docs.reap.video) as a state machine without I/O.

    *seed* makes ids and durations repeat. All keys share one studio, so *keys* isn't looked at: who may call what is
    the shell's business.
    """

    name = "reap"
    base_path = "/api/v1/automation"

    def __init__(self, dialect: ReapDialect, seed: int, ledger: Ledger, faults: FaultBook, keys: object = None) -> None:
        del keys
        rng = Random(f"reap {seed}")  # noqa: S311  (repeatable on purpose; nothing here is secret)
        self.studio = Studio(dialect=dialect, rng=rng, ledger=ledger, faults=faults)
        plant(self.studio)

    def handle(self, call: Call) -> Reply:
        """Answer one call, after everything that is due by its time; raises `Refusal` for an error answer."""
        self.advance(call.now)
        return HANDLERS[call.operation](self.studio, call)

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """Return FastAPI's error body: `detail` is a text, or for 422 the list of what is wrong where."""
        if refusal.status != 422:
            return {"detail": refusal.message}
        item = {"loc": ["body"], "msg": refusal.message, "type": "value_error"}
        return {"detail": refusal.details or [item]}

    def advance(self, now: float) -> None:
        """Let everything happen that is due by Unix time *now*, in the order of its time; time never goes back."""
        for due in self.studio.agenda.take(now):
            self.studio.now = max(self.studio.now, due.at)
            _EVENTS[due.event](self.studio, due.subject, due.at)
        self.studio.now = max(self.studio.now, now)

    def set_origin(self, origin: str) -> None:
        """Say where the sandbox serves (`http://127.0.0.1:8701`); presigned addresses begin with it."""
        self.studio.origin = origin.rstrip("/")

    def add_account(self, account: AccountSeed) -> None:
        """Connect a social account, or replace the one with its id."""
        add_account(self.studio, account)

    def upload_put(
        self, upload_id: str, *, size: int | None, content_type: str | None, has_authorization: bool, chunked: bool
    ) -> Reply:
        """Take a PUT to a presigned address; *size* is its Content-Length. Raises `Refusal` as S3 would refuse."""
        return uploads.receive(
            self.studio,
            upload_id,
            size=size,
            content_type=content_type,
            has_authorization=has_authorization,
            chunked=chunked,
        )
