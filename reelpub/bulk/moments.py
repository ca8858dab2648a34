"""What happens in a run as values to keep, and back: events of jobs, waits that a provider imposed, use of the budget.

No event holds a key, and only names, states and the provider's own words are kept of it: never a request's body.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import orjson

from reelpub.bulk.record import BudgetSample, Moment
from reelpub.models.event import (
    AccountDelivered,
    AccountFailed,
    Event,
    EventsMissed,
    JobAccepted,
    JobEvent,
    JobHeld,
    JobQueued,
    JobSent,
    JobSettled,
    JobStatusChanged,
    JobStuck,
    JobUnknown,
)
from reelpub.store.runs import StoredEvent
from reelpub.transport.limiter import Hold

__all__ = ["BUDGET", "moment", "sample", "stored_event", "stored_hold", "stored_sample", "text_of"]

BUDGET = "budget"
"""The kind of what is kept for each `BudgetSample`."""

_WORDS = 300
"""Characters kept of what a provider says; its outcome has them all."""

_HELD = {"limit": "waits for the rate limit", "cap": "waits for its account's cap", "time": "waits for its time"}
_IMPOSED = {"429": "refused a request for its rate", "announced": "announced that nothing is left of its limit"}


def text_of(event: JobEvent | EventsMissed) -> str:  # noqa: C901, PLR0912  (one arm for each event)
    """Return what *event* says, as a sentence without its subject."""
    match event:
        case JobQueued():
            return f"queued for {event.publisher}"
        case JobHeld():
            return _HELD.get(event.reason, f"waits: {event.reason}") + _about(event.seconds)
        case JobSent():
            return "sent" if event.attempt == 1 else f"sent again, attempt {event.attempt}"
        case JobAccepted():
            return f"found as post {event.post.id}" if event.reconciled else f"accepted as post {event.post.id}"
        case JobStatusChanged():
            return f"post {event.post.id} is {event.post.raw_status or event.post.status}"
        case AccountDelivered():
            return f"live on {event.delivery.account} {event.delivery.url or ''}".rstrip()
        case AccountFailed():
            return f"failed on {event.delivery.account}: {event.delivery.error or 'no reason given'}"
        case JobUnknown():
            said = "may or may not be live" if event.is_final else "the answer was lost and is being looked up"
            return f"{said}: {event.reason}"
        case JobStuck():
            return f"post {event.post.id} is stuck at {event.post.raw_status or event.post.status}"
        case JobSettled():
            reason = event.outcome.reason
            return f"{event.outcome.status}: {reason}" if reason else str(event.outcome.status)
        case EventsMissed():
            return f"{event.count} events came too fast to be kept"
    return event.kind.replace("_", " ")


def _about(seconds: float) -> str:
    return f", about {seconds:.0f} s" if math.isfinite(seconds) else ""


def stored_event(run: str, event: Event, at: float) -> StoredEvent:
    """Return *event* as it is kept; *at* (Unix seconds) counts only where the event has no time of its own."""
    values: dict[str, Any] = {"text": _plain(text_of(event))}
    if isinstance(event, EventsMissed):
        return _stored(run, at, event.kind, None, values)
    if isinstance(event, JobHeld):
        values |= {"reason": event.reason, **_seconds(event.seconds)}
    if isinstance(event, (AccountDelivered, AccountFailed)):
        values["account"] = _plain(str(event.delivery.account))
    return _stored(run, event.at.timestamp(), event.kind, event.job_id, values)


def stored_hold(run: str, publisher: str, hold: Hold, at: float) -> StoredEvent:
    """Return a wait that the provider imposed on everything as it is kept."""
    said = _IMPOSED.get(hold.reason, f"holds requests: {hold.reason}")
    values = {"text": f"{publisher} {said}{_about(hold.delay)}", "reason": hold.reason, **_seconds(hold.delay)}
    return _stored(run, at, JobHeld.kind, None, values)


def stored_sample(run: str, budget: BudgetSample) -> StoredEvent:
    """Return *budget* as it is kept."""
    names = ("publisher", "limit", "window", "used", "waiting", "requests")
    return _stored(run, budget.at.timestamp(), BUDGET, None, {name: getattr(budget, name) for name in names})


def _stored(run: str, at: float, kind: str, job_id: str | None, values: dict[str, Any]) -> StoredEvent:
    return StoredEvent(run=run, at=at, kind=kind, job_id=job_id, data=orjson.dumps(values))


def _plain(text: str) -> str:
    """Return what a provider said as text that can be kept: it may hold half a surrogate pair."""
    return text[:_WORDS].encode("utf-8", "replace").decode("utf-8")


def _seconds(seconds: float) -> dict[str, float]:
    return {"seconds": round(seconds, 3)} if math.isfinite(seconds) else {}


def moment(stored: StoredEvent) -> Moment:
    """Return what was kept of an event as a `Moment`."""
    values = orjson.loads(stored.data)
    return Moment(
        at=datetime.fromtimestamp(stored.at, UTC),
        kind=stored.kind,
        text=values.get("text", ""),
        account=values.get("account"),
        seconds=values.get("seconds"),
        reason=values.get("reason"),
    )


def sample(stored: StoredEvent) -> BudgetSample:
    """Return what was kept of a `BudgetSample`."""
    return BudgetSample(at=datetime.fromtimestamp(stored.at, UTC), **orjson.loads(stored.data))
