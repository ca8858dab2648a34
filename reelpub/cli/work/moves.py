"""Which rows of a run move to which time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import click

from reelpub.bulk.record import RunRecord
from reelpub.cli.show.steps import given_options
from reelpub.cli.show.when import due_at
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.when import LocalTime

__all__ = ["moves_by", "moves_to"]

_WAITING = frozenset({OutcomeStatus.SCHEDULED, OutcomeStatus.PENDING, OutcomeStatus.PARTLY_PUBLISHED})


def moves_by(
    run: RunRecord, by: timedelta, numbers: frozenset[int] | None, *, store: Path | None = None
) -> Mapping[int, datetime]:
    """Return the new times of the rows of *run*, of *numbers* alone if given, each moved by so much.

    *store* is given if commands have to name it.

    Raises:
        click.UsageError: a row that was named waits for no time, or none does, or no calendar has its new one.
    """
    _require(run, numbers, store)
    moves: dict[int, datetime] = {}
    for row in run.rows:
        if numbers is not None and row.number not in numbers:
            continue
        at = due_at(row) if row.status in _WAITING else None
        if at is not None:
            moves[row.number] = _moved(row.number, at, by)
        elif numbers is not None:
            raise click.UsageError(f"--row {row.number}: it waits for no time, so it can't be moved ({row.status})")
    if not moves:
        raise click.UsageError(f"no row of {run.id} waits for its time; `{_results(run, store)}` shows them all")
    return moves


def _moved(number: int, at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        raise click.UsageError(f"--by: row {number} would be moved out of the calendar; move it less far") from None


def moves_to(
    run: RunRecord, at: datetime | LocalTime, numbers: frozenset[int] | None, *, store: Path | None = None
) -> Mapping[int, datetime | LocalTime]:
    """Return the new time of the one row in *numbers*; *store* is given if commands have to name it.

    Raises:
        click.UsageError: not exactly one row is named, or the run has no such row.
    """
    if numbers is None or len(numbers) != 1:
        raise click.UsageError("--at moves one row: name it with --row N, or move several with --by, such as --by +2h")
    _require(run, numbers, store)
    return dict.fromkeys(numbers, at)


def _require(run: RunRecord, numbers: frozenset[int] | None, store: Path | None) -> None:
    missing = sorted((numbers or frozenset()) - {row.number for row in run.rows})
    if missing:
        raise click.UsageError(
            f"--row {missing[0]}: run {run.id} has no such row; `{_results(run, store)}` shows those that it has"
        )


def _results(run: RunRecord, store: Path | None) -> str:
    return f"reelpub results {run.id}{given_options(store=store)}"
