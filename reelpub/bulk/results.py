"""A run's record as the rows of a results file, which is a manifest for running again what failed."""

from __future__ import annotations

from collections.abc import Iterator

from reelpub.bulk.record import RowRecord, RunRecord
from reelpub.manifest.results import ResultRow

__all__ = ["own_columns", "result_rows"]

_UNTOUCHED = "it hasn't been submitted; resume the run"


def result_rows(record: RunRecord) -> Iterator[ResultRow]:
    """Return each row of *record* for `reelpub.manifest.write_results`.

    A row of which nothing is known is *pending*, with the reason: its run may yet be resumed, so a results file that
    is published skips it.
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
        request=row.request,
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
