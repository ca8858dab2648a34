"""How a run stands while it goes on, put together from events: what its progress shows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from attrs import define, field, frozen

from reelpub.bulk.record import Moment, RowRecord
from reelpub.cli.progress.weights import Weight
from reelpub.cli.show.when import due_at, due_of, zone_of
from reelpub.models.event import (
    JobAccepted,
    JobEvent,
    JobHeld,
    JobQueued,
    JobSent,
    JobSettled,
    JobStatusChanged,
    JobUnknown,
)
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import PostStatus

__all__ = ["ON_THE_WAY", "WAITING", "Counted", "Due", "Line", "Tally"]

WAITING = "waiting"
ON_THE_WAY = "on the way"
LOOKING_UP = "looking up"

_ORDER = (*OutcomeStatus, LOOKING_UP, ON_THE_WAY, WAITING)
_GOES_ON = frozenset({OutcomeStatus.SCHEDULED, OutcomeStatus.PENDING})
_MAX_WAIT = timedelta(days=3650).total_seconds()


@define(kw_only=True)
class Line:
    """One row of the run: its number and name, what sending it takes, and how it stands.

    `due_at` is when a row that waits for its time goes out, by the clocks of `zone`.
    """

    number: int
    label: str
    publisher: str | None = None
    requests: float = 0.0
    state: str = WAITING
    is_settled: bool = False
    is_accepted: bool = False
    due_at: datetime | None = None
    zone: tzinfo = UTC


@frozen(kw_only=True)
class Counted:
    """So many rows are in one state."""

    state: str
    count: int


@frozen(kw_only=True)
class Due:
    """So many rows wait for their time, and the next goes out at `next_at` by the clocks of `zone`."""

    count: int
    next_at: datetime
    zone: tzinfo


@define
class Tally:
    """The rows of run *run*, read from *name*, by number. Every event costs the same, however many rows there are.

    With *until_live* a row that is scheduled or pending at its provider isn't done yet.
    """

    run: str
    name: str = ""
    until_live: bool = False
    lines: dict[int, Line] = field(factory=dict)
    settled: int = 0
    _counts: Counter[str] = field(factory=Counter, init=False)

    def add(self, rows: Iterable[RowRecord], weights: Mapping[int, Weight]) -> None:
        """Take rows as the store has them: what has settled counts as done. *weights* are what they take."""
        for row in rows:
            weight = weights.get(row.number, Weight())
            line = Line(
                number=row.number,
                label=str(row.request),
                publisher=weight.publisher,
                requests=weight.requests,
                zone=zone_of(row.request),
            )
            if row.outcome is not None:
                line.publisher = row.outcome.publisher or line.publisher
                line.is_accepted = bool(row.outcome.posts)
            if row.is_settled:
                line.state, line.is_settled = row.status.value, self._is_end(row.status)
                line.due_at = None if line.is_settled else due_at(row)
            self.settled += line.is_settled
            self._counts[line.state] += 1
            self.lines[row.number] = line

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self.lines)

    @property
    def counts(self) -> list[Counted]:
        """How many rows are in each state, what has ended first; states without any are left out."""
        return [Counted(state=str(state), count=found) for state in _ORDER if (found := self._counts[str(state)])]

    def apply(self, event: JobEvent, number: int) -> Line | None:
        """Note what happened to row *number*; return it, or None if there is no such row."""
        line = self.lines.get(number)
        if line is None:
            return None
        line.publisher = event.publisher or line.publisher
        self._move(line, *self._state(line, event))
        line.is_accepted = line.is_accepted or isinstance(event, (JobAccepted, JobSettled))
        line.due_at = _due_at(event.kind, event.at, getattr(event, "reason", None), getattr(event, "seconds", None))
        if isinstance(event, JobSettled) and not line.is_settled:
            line.due_at = due_of(event.outcome.request, event.outcome.posts)
        elif isinstance(event, JobStatusChanged) and line.state == PostStatus.SCHEDULED:
            line.due_at = event.post.scheduled_at
        return line

    def note(self, moment: Moment, number: int) -> Line | None:
        """Note what another process wrote of row *number*; return it, or None if there is no such row."""
        line = self.lines.get(number)
        if line is None:
            return None
        self._move(line, *self._state_noted(line, moment))
        line.is_accepted = line.is_accepted or moment.kind in (JobAccepted.kind, JobSettled.kind)
        line.due_at = _due_at(moment.kind, moment.at, moment.reason, moment.seconds)
        return line

    def _move(self, line: Line, state: str, is_settled: bool) -> None:
        self._counts[line.state] -= 1
        self._counts[state] += 1
        self.settled += is_settled - line.is_settled
        line.state, line.is_settled = state, is_settled

    def left(self, publisher: str) -> int:
        """Return about how many requests it takes until *publisher* has its rows, without those kept for their time."""
        return math.ceil(
            sum(
                line.requests
                for line in self.lines.values()
                if line.publisher == publisher and not (line.is_settled or line.is_accepted or line.due_at)
            )
        )

    def _is_end(self, status: OutcomeStatus | None) -> bool:
        return not (self.until_live and status in _GOES_ON)

    def _state(self, line: Line, event: JobEvent) -> tuple[str, bool]:
        if isinstance(event, JobSettled):
            return event.outcome.status.value, self._is_end(event.outcome.status)
        return _state(line, event)

    def _state_noted(self, line: Line, moment: Moment) -> tuple[str, bool]:
        if moment.kind == JobSettled.kind:
            status = moment.settled_as
            return status or line.state, self._is_end(status)
        return _state_noted(line, moment)

    def due(self, now: datetime) -> Due | None:
        """Return which rows wait for a time after *now*; None without any."""
        waiting = [line for line in self.lines.values() if line.due_at and not line.is_settled and line.due_at > now]
        if not waiting:
            return None
        first = min(waiting, key=lambda line: line.due_at or now)
        return Due(count=len(waiting), next_at=first.due_at or now, zone=first.zone)

    def last_due_at(self) -> datetime | None:
        """Return when the last of the rows that wait for their time goes out; None without any."""
        return max((line.due_at for line in self.lines.values() if line.due_at and not line.is_settled), default=None)


def _state(line: Line, event: JobEvent) -> tuple[str, bool]:
    match event:
        case JobQueued():
            return WAITING, False
        case JobHeld() if not line.is_settled:
            return WAITING, False
        case JobSent() | JobAccepted():
            return ON_THE_WAY, False
        case JobUnknown(is_final=False):
            return LOOKING_UP, False
        case JobStatusChanged() if not line.is_settled and event.post.status is not PostStatus.SCHEDULED:
            return ON_THE_WAY, False
    return line.state, line.is_settled


def _state_noted(line: Line, moment: Moment) -> tuple[str, bool]:
    if moment.kind in (JobQueued.kind, JobHeld.kind) and not line.is_settled:
        return WAITING, False
    if moment.kind in (JobSent.kind, JobAccepted.kind, JobStatusChanged.kind) and not line.is_settled:
        return ON_THE_WAY, False
    return line.state, line.is_settled


def _due_at(kind: str, at: datetime, reason: str | None, seconds: float | None) -> datetime | None:
    if kind == JobHeld.kind and reason == "time" and seconds is not None and seconds <= _MAX_WAIT:
        return at + timedelta(seconds=seconds)
    return None
