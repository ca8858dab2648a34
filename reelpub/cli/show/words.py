"""Events as sentences."""

from __future__ import annotations

from reelpub.bulk.moments import text_of
from reelpub.bulk.record import Moment
from reelpub.cli.show.printable import shorten
from reelpub.cli.show.when import due_text
from reelpub.models.event import (
    AccountFailed,
    JobAccepted,
    JobEvent,
    JobSent,
    JobSettled,
    JobStatusChanged,
    JobStuck,
    JobUnknown,
)
from reelpub.models.outcome import Outcome, OutcomeStatus

__all__ = ["is_bad_end", "is_bad_moment", "is_noteworthy", "sentence", "so_many", "spaced"]


def spaced(status: object) -> str:
    """Return a status as people write it: ``partly published``."""
    return str(status).replace("_", " ")


def so_many(count: int, what: str) -> str:
    """Return so many of something: ``1 row``, ``2 rows``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def sentence(event: JobEvent) -> str:
    """Return what *event* says of its request, on one line and safe to print: mostly what a run keeps of it."""
    match event:
        case JobAccepted(reconciled=True):
            said = f"had arrived as post {event.post.id}, so it isn't sent again"
        case JobStatusChanged():
            said = f"post {event.post.id} is {spaced(event.post.raw_status or event.post.status)}"
        case JobUnknown(is_final=False):
            said = f"the answer was lost, looking it up ({event.reason})"
        case JobSettled():
            said = _ended(event.outcome)
        case _:
            said = text_of(event)
    return shorten(said).rstrip()


def _ended(outcome: Outcome) -> str:
    said = spaced(outcome.status)
    due = due_text(outcome.request, outcome.posts) if outcome.status is OutcomeStatus.SCHEDULED else ""
    if due:
        said += f" for {due}"
    return f"{said}: {outcome.reason}" if outcome.reason else said


def is_noteworthy(event: JobEvent) -> bool:
    """Return whether *event* should stay on the screen when a live table moves on: what went wrong or was put right."""
    match event:
        case JobUnknown() | JobStuck() | AccountFailed() | JobAccepted(reconciled=True):
            return True
        case JobSent():
            return event.attempt > 1
    return False


def is_bad_end(event: JobSettled) -> bool:
    """Return whether a request ended badly, and no account's failure has said so before."""
    outcome = event.outcome
    return not (outcome.is_success or outcome.failed) and outcome.status is not OutcomeStatus.PENDING


def is_bad_moment(moment: Moment) -> bool:
    """Return whether what was noted of a row should stay on the screen, as `is_noteworthy` and `is_bad_end` say."""
    if moment.kind == JobSettled.kind:
        return moment.settled_as not in (OutcomeStatus.PUBLISHED, OutcomeStatus.SCHEDULED, OutcomeStatus.PENDING)
    return moment.kind in (AccountFailed.kind, JobUnknown.kind, JobStuck.kind)
