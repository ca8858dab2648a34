"""What each post was waiting for, or doing, and when: its moments as spans of time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from statistics import median
from typing import Final

from attrs import frozen

from reelpub.bulk.record import Moment, RowRecord, RunRecord
from reelpub.models.outcome import OutcomeStatus

__all__ = [
    "End",
    "Phase",
    "PhaseTotal",
    "Span",
    "Standing",
    "ends",
    "peaks",
    "phase_totals",
    "spans",
    "standing",
    "until",
]

MOST_POINTS = 240
"""Instants at which a run of many rows is counted: more than a screen can show apart in a stacked area."""


class Phase(StrEnum):
    """What a row is in, from queued to live."""

    WAITING = "waiting"
    """Queued; nothing but its turn is awaited, if only until somebody carries the run on."""
    LIMIT = "limit"
    """Held by the provider's rate limit."""
    CAP = "cap"
    """Held by the cap of its account."""
    TIME = "time"
    """Held until the time that was asked for."""
    SENDING = "sending"
    """The request that puts it live has left and isn't answered."""
    PROVIDER = "provider"
    """The provider has it and works on it."""
    LOOKUP = "lookup"
    """The answer was lost: whether the provider has it is being looked up."""
    DONE = "done"
    """It ended, live or scheduled everywhere it should be."""
    NOT_LIVE = "not_live"
    """It ended otherwise."""

    @property
    def is_end(self) -> bool:
        """Whether the row had come to an end, so that nothing was awaited."""
        return self in (Phase.DONE, Phase.NOT_LIVE)


_BEGINS = {
    "queued": Phase.WAITING,
    "sent": Phase.SENDING,
    "accepted": Phase.PROVIDER,
    "status_changed": Phase.PROVIDER,
    "unknown": Phase.LOOKUP,
}
_HOLDS = {"limit": Phase.LIMIT, "cap": Phase.CAP, "time": Phase.TIME}
_AT_REST: Final = {None: Phase.WAITING, Phase.LIMIT: Phase.WAITING, Phase.CAP: Phase.WAITING}
"""What a row is in whose run is stopped, where that is another phase: no limit holds what nobody carries out."""
_SUCCESSES: Final = (OutcomeStatus.PUBLISHED, OutcomeStatus.SCHEDULED)
_CLOSED: Final = "the orchestrator was closed"
"""How the reason begins that an orchestrator gives which closes: the job stays unfinished in its store."""
_SAME: Final = timedelta(seconds=1)
"""How far apart the times of one end may be: its moment is noted a little after its outcome was made."""


@frozen
class Span:
    """Row number *row* was in *phase* from *begin* to *end*."""

    row: int
    phase: Phase
    begin: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.end - self.begin).total_seconds()


def until(record: RunRecord) -> datetime:
    """Return how far a record reaches: the last thing it tells of. What is under way then is drawn up to it."""
    told = [record.started_at]
    told += [record.ended_at] if record.ended_at else []
    told += [moment.at for row in record.rows for moment in row.moments[-1:]]
    told += [sample.at for sample in record.samples[-1:]]
    return max(told)


def spans(row: RowRecord, end: datetime) -> Iterator[Span]:
    """Yield the spans of *row* one after the other; what was under way at last lasts until *end*."""
    phase, begin = None, end
    moments = sorted(row.moments, key=lambda moment: moment.at)
    for place, moment in enumerate(moments):
        follows = _phase(moment, phase, row, is_last=place == len(moments) - 1)
        if follows is phase:
            continue
        if phase is not None and moment.at > begin:
            yield Span(row.number, phase, begin, moment.at)
        phase, begin = follows, moment.at
    if phase is not None and end > begin:
        yield Span(row.number, phase, begin, end)


def _phase(moment: Moment, now: Phase | None, row: RowRecord, *, is_last: bool) -> Phase | None:
    """Return what *moment* begins; what only tells of an account, or that something is stuck, begins nothing."""
    if moment.kind == "settled":
        return _settled(moment, now, row, is_last=is_last)
    if moment.kind == "held":
        return _HOLDS.get(moment.reason or "", Phase.WAITING)
    return _BEGINS.get(moment.kind, now)


def _settled(moment: Moment, now: Phase | None, row: RowRecord, *, is_last: bool) -> Phase | None:
    """Return what an end begins, by its own words: *row* may have been moved, called off or sent again since."""
    status = moment.settled_as or (row.status if is_last else None)
    if status in _SUCCESSES:
        return Phase.DONE
    if status is OutcomeStatus.PENDING or _is_passing(moment, row):
        return _AT_REST.get(now, now)
    return Phase.NOT_LIVE


def _is_passing(moment: Moment, row: RowRecord) -> bool:
    """Return whether *moment* is no end of *row*: its process stopped, or another had submitted it before."""
    is_repeat = moment.settled_as is OutcomeStatus.DUPLICATE and row.status is not OutcomeStatus.DUPLICATE
    return is_repeat or _CLOSED in moment.text


@frozen
class End:
    """A row settled as *status* at *at*. It may have gone on from there: moved, called off, sent again."""

    status: OutcomeStatus
    at: datetime


def ends(row: RowRecord) -> tuple[End, ...]:
    """Return how *row* settled each time: first as its moments tell, at last as it stands."""
    told = [(moment.settled_as, moment.at) for moment in row.moments if not _is_passing(moment, row)]
    found = [End(status, at) for status, at in told if status is not None]
    if row.outcome is None or row.outcome.settled_at is None:
        return tuple(found)
    last = End(row.status, row.outcome.settled_at)
    if found and found[-1].status is last.status and abs(found[-1].at - last.at) < _SAME:
        found.pop()
    return (*found, last)


Standing = tuple[tuple[datetime, ...], dict[Phase, tuple[int, ...]]]
"""Instants, and how many rows are in each phase from each of them on."""


@frozen(kw_only=True)
class PhaseTotal:
    """How many posts were in a phase, and for how long: each in all its times there, in seconds."""

    phase: Phase
    posts: int
    typical: float
    longest: float
    together: float


def phase_totals(found: Iterable[Span]) -> tuple[PhaseTotal, ...]:
    """Return the totals of every phase in which some post was, ends left out; `typical` is the median."""
    times: dict[Phase, dict[int, float]] = {}
    for span in found:
        of_rows = times.setdefault(span.phase, {})
        of_rows[span.row] = of_rows.get(span.row, 0.0) + span.seconds
    return tuple(
        PhaseTotal(
            phase=phase,
            posts=len(times[phase]),
            typical=median(times[phase].values()),
            longest=max(times[phase].values()),
            together=sum(times[phase].values()),
        )
        for phase in Phase
        if phase in times and not phase.is_end
    )


def peaks(found: Iterable[Span]) -> dict[Phase, int]:
    """Return how many rows at most were in each phase at any one time, exactly; phases with no row are left out."""
    changes: dict[Phase, list[tuple[datetime, int]]] = {}
    for span in found:
        changes.setdefault(span.phase, []).extend(((span.begin, 1), (span.end, -1)))
    # Of one instant, what ends comes first.
    return {
        phase: max(accumulate(change for _, change in sorted(changes[phase]))) for phase in Phase if phase in changes
    }


def standing(found: Sequence[Span]) -> Standing:
    """Return instants, and how many rows were in each phase from each of them on; phases with no row are left out.

    Few changes are told exactly. Many are counted at `MOST_POINTS` instants at even distances.
    """
    instants = _instants(found)
    changes = {phase: [0] * (len(instants) + 1) for phase in {span.phase for span in found}}
    for span in found:
        changes[span.phase][bisect_left(instants, span.begin)] += 1
        # What is under way at the end stands there, too.
        changes[span.phase][len(instants) if span.end == instants[-1] else bisect_left(instants, span.end)] -= 1
    return instants, {phase: tuple(accumulate(changes[phase][:-1])) for phase in Phase if phase in changes}


def _instants(found: Sequence[Span]) -> tuple[datetime, ...]:
    exact = sorted({span.begin for span in found} | {span.end for span in found})
    if len(exact) <= MOST_POINTS:
        return tuple(exact)
    step = (exact[-1] - exact[0]) / (MOST_POINTS - 1)
    return (*(exact[0] + step * place for place in range(MOST_POINTS - 1)), exact[-1])
