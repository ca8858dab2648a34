"""Events as sentences."""

from __future__ import annotations

import math

from reelpub.cli.printable import shorten
from reelpub.models.event import (
    AccountDelivered,
    AccountFailed,
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

__all__ = ["is_noteworthy", "sentence", "spaced"]

_HELD = {"limit": "waits for the rate limit", "cap": "waits for its account's cap", "time": "waits for its time"}


def spaced(status: object) -> str:
    """Return a status as people write it: ``partly published``."""
    return str(status).replace("_", " ")


def sentence(event: JobEvent) -> str:  # noqa: C901, PLR0912  (one arm for each event)
    """Return what *event* says of its request, on one line and safe to print."""
    match event:
        case JobQueued():
            said = f"queued for {event.publisher}"
        case JobHeld():
            said = _HELD.get(event.reason, f"waits: {event.reason}")
            said += f", about {event.seconds:.0f} s" if math.isfinite(event.seconds) else ""
        case JobSent():
            said = "sent" if event.attempt == 1 else f"sent again, attempt {event.attempt}"
        case JobAccepted(reconciled=True):
            said = f"had arrived as post {event.post.id}, so it isn't sent again"
        case JobAccepted():
            said = f"accepted as post {event.post.id}"
        case JobStatusChanged():
            said = f"post {event.post.id} is {spaced(event.post.raw_status or event.post.status)}"
        case AccountDelivered():
            said = f"live on {event.delivery.account} {event.delivery.url or ''}"
        case AccountFailed():
            said = f"failed on {event.delivery.account}: {event.delivery.error or 'no reason given'}"
        case JobUnknown(is_final=True):
            said = f"may or may not be live: {event.reason}"
        case JobUnknown():
            said = f"the answer was lost, looking it up ({event.reason})"
        case JobStuck():
            said = f"post {event.post.id} is stuck at {event.post.raw_status or event.post.status}"
        case JobSettled():
            reason = event.outcome.reason
            said = f"{spaced(event.outcome.status)}{f': {reason}' if reason else ''}"
        case _:
            said = spaced(event.kind)
    return shorten(said).rstrip()


def is_noteworthy(event: JobEvent) -> bool:
    """Return whether *event* should stay on the screen when a live table moves on: what went wrong or was put right."""
    match event:
        case JobUnknown() | JobStuck() | AccountFailed() | JobAccepted(reconciled=True):
            return True
        case JobSent():
            return event.attempt > 1
    return False
