"""A run's record as the rows of a results file, which is a manifest for running again what failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from attrs import evolve

from reelpub.bulk.record import RowRecord, RunRecord
from reelpub.manifest.results import ResultRow
from reelpub.models.request import PublishRequest
from reelpub.models.when import FoldPolicy, LocalTime
from reelpub.policies.scheduling import instant

__all__ = ["own_columns", "result_rows"]

_UNTOUCHED: Final = "it hasn't been submitted; resume the run"
_SAME: Final = timedelta(seconds=1)
"""What a provider may round of a time: that far from it a post wasn't moved."""


def result_rows(record: RunRecord) -> Iterator[ResultRow]:
    """Return each row of *record* for `reelpub.manifest.write_results`.

    A row of which nothing is known is *pending*, with the reason: its run may yet be resumed, so a results file that
    is published skips it. A row whose posts were all moved to one time asks for that, by the clocks of its own zone.
    """
    return (_result_row(row, record.id) for row in record.rows)


def own_columns(record: RunRecord) -> tuple[str, ...]:
    """Return the columns of *record*'s rows that were their writer's own, in the order in which they came."""
    return tuple(dict.fromkeys(name for row in record.rows for name in row.own))


def _result_row(row: RowRecord, run: str) -> ResultRow:
    if row.outcome is None:
        return ResultRow(
            number=row.number,
            line=row.line,
            request=row.request,
            status=row.status,
            reason=_UNTOUCHED,
            job_id=row.job_id,
            publisher=row.request.publisher,
            run=run,
            own=row.own,
        )
    return ResultRow(
        number=row.number,
        line=row.line,
        request=_as_moved(row),
        status=row.status,
        reason=row.outcome.reason,
        job_id=row.job_id,
        publisher=row.outcome.publisher,
        deliveries=row.outcome.deliveries,
        posts=tuple(post.id for post in row.outcome.posts),
        settled_at=row.outcome.settled_at,
        run=run,
        own=row.own,
    )


def _as_moved(row: RowRecord) -> PublishRequest:
    """Return what *row* asked for, at the one time that its posts have by now if that is another."""
    at = row.request.at
    times = {post.scheduled_at for post in row.outcome.posts} if row.outcome is not None else set()
    asked, told = instant(at), next(iter(times), None)
    if at is None or not isinstance(asked, datetime) or told is None or len(times) > 1 or abs(told - asked) < _SAME:
        return row.request
    return evolve(row.request, at=_like(at, told))


def _like(at: datetime | LocalTime, moved: datetime) -> datetime | LocalTime:
    """Return *moved* as *at* was written: in its zone, and as a clock time if that was one."""
    try:
        local = moved.astimezone(ZoneInfo(at.zone) if isinstance(at, LocalTime) else at.tzinfo)
    except OverflowError:  # the last hours of the calendar, by clocks that are ahead
        return moved
    if not isinstance(at, LocalTime):
        return local
    is_doubled = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    which = FoldPolicy.SECOND if local.fold else FoldPolicy.FIRST
    is_even = not (local.second or local.microsecond)
    clock = local.replace(tzinfo=None).isoformat(" ", "minutes" if is_even else "auto")
    return evolve(at, clock=clock, fold=which if is_doubled else at.fold)
