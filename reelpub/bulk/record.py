"""A run as it is told: every row with what became of it, what happened on the way, and how the limits were used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from reelpub.models.event import JobSettled
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.request import PublishRequest

__all__ = ["BudgetSample", "Moment", "RowRecord", "RunRecord"]


@frozen(kw_only=True)
class Moment:
    """Something that happened to a row, in the words of the event it was (see `reelpub.models.event`).

    `kind` is the event's: queued, held, sent, accepted, status_changed, delivered, failed, unknown, stuck or settled.
    `seconds` and `reason` (limit, cap or time) belong to held: the wait expected then, and what for. `account` belongs
    to delivered and failed. `text` is a sentence for people.
    """

    at: datetime
    kind: str
    text: str = ""
    account: str | None = None
    seconds: float | None = None
    reason: str | None = None

    @property
    def settled_as(self) -> OutcomeStatus | None:
        """How the row stood when it settled, which the text of such a moment begins with; None for all others.

        None, too, where the text doesn't say, or says what only a later version of this package knows.
        """
        word = self.text.partition(":")[0]
        return OutcomeStatus(word) if self.kind == JobSettled.kind and word in set(OutcomeStatus) else None


@frozen(kw_only=True)
class BudgetSample:
    """How the limit of one publisher stood at `at`.

    `used` of `limit` requests are spoken for in the present `window` (seconds), `waiting` more wait for a slot, and
    `requests` were sent in all since the process began.
    """

    at: datetime
    publisher: str
    limit: int
    window: float
    used: int
    waiting: int
    requests: int


@frozen(kw_only=True)
class RowRecord:
    """One row: its number (from 1) and line in the manifest, what it asked for, and what became of it.

    `job_id` is its latest job: a retry's, where it was retried. `outcome` is None while nothing is known of it: it
    hasn't been submitted yet; an outcome without `settled_at` is how things stand. `own` are the values of the columns
    that are the manifest's writer's own.
    """

    number: int
    line: int
    request: PublishRequest
    job_id: str
    outcome: Outcome | None = None
    moments: tuple[Moment, ...] = ()
    own: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def status(self) -> OutcomeStatus:
        """How the row stands; *pending* while nothing is known of it."""
        return self.outcome.status if self.outcome is not None else OutcomeStatus.PENDING

    @property
    def is_settled(self) -> bool:
        """Whether the row has come to its end."""
        return self.outcome is not None and self.outcome.is_settled


@frozen(kw_only=True)
class RunRecord:
    """One run, as its store has it. `ended_at` is when its last row settled, None while some haven't.

    `moments` are about no single row: waits that a provider imposed, and events that couldn't be kept.
    """

    id: str
    name: str
    command: str
    started_at: datetime
    ended_at: datetime | None = None
    rows: tuple[RowRecord, ...] = ()
    samples: tuple[BudgetSample, ...] = ()
    moments: tuple[Moment, ...] = ()

    @property
    def counts(self) -> dict[OutcomeStatus, int]:
        """How many rows stand in each status; statuses that didn't occur are left out."""
        found = [row.status for row in self.rows]
        return {status: found.count(status) for status in OutcomeStatus if status in found}
