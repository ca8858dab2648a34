"""What a person may want to do next about a run, and with which command."""

from __future__ import annotations

import shlex
from pathlib import Path

from attrs import frozen

from reelpub.bulk.record import RowRecord, RunRecord
from reelpub.errors import AuthenticationError, PaymentRequiredError, PermissionDeniedError
from reelpub.models.outcome import OutcomeStatus

__all__ = ["Step", "is_lacking", "next_steps", "resume_command"]

_REPEATED = "not sent, as the same was sent before; allow_duplicate in the row sends it all the same"
_NEVER_LIVE = frozenset({OutcomeStatus.REFUSED, OutcomeStatus.NOT_SENT, OutcomeStatus.FAILED})
_NOT_THE_ROWS = (AuthenticationError, PaymentRequiredError, PermissionDeniedError)
"""Refusals that are about the key or the balance: once that is put right, the very same row goes through."""


@frozen
class Step:
    """Something that a person may want to do next, and how; `command` is empty where it isn't the command's to do."""

    text: str
    command: str = ""


def next_steps(run: RunRecord, *, store: Path | None = None) -> list[Step]:
    """Return what a person may want to do next; *store* if commands have to name it.

    What isn't finished comes first: as long as it isn't, nothing should be sent again.
    """
    ends = _named_store(store)
    lacking = [row for row in run.rows if is_lacking(row)]
    to_mend = sum(map(_is_to_mend, lacking))
    to_retry = len(lacking) - to_mend
    steps = [
        Step(f"{_rows(count)} {text}", command)
        for count, text, command in (
            (_unfinished(run), "unfinished; go on with", resume_command(run.id, store)),
            (_unknown(run), "unknown and may be live: look at the accounts before you send anything again", ""),
            (to_retry, "not live everywhere; send just that again with", f"reelpub retry {run.id} --failed{ends}"),
            (
                to_mend,
                "refused, and would be again; write what isn't live to a file and mend it, with",
                _again(run, ends),
            ),
            (_of(run, OutcomeStatus.DUPLICATE), _REPEATED, ""),
            (_waiting(run), "at the provider; follow to the end with", f"reelpub watch {run.id}{ends}"),
        )
        if count
    ]
    if to_mend:
        place = next(place for place, step in enumerate(steps) if step.command == _again(run, ends))
        steps.insert(place + 1, Step("and then send it with", f"reelpub publish again.csv{ends}"))
    steps.append(Step("everything on one page", f"reelpub report {run.id}{ends}"))
    steps.append(Step("as a file", f"reelpub results {run.id} --format csv -o results.csv{ends}"))
    return steps


def _again(run: RunRecord, ends: str) -> str:
    return f"reelpub results {run.id} --failed --format csv -o again.csv{ends}"


def is_lacking(row: RowRecord) -> bool:
    """Return whether *row* came to its end and provably isn't live on all its accounts, and wasn't called off."""
    if not row.is_settled or row.outcome is None or row.status is OutcomeStatus.CANCELLED:
        return False
    return row.status in _NEVER_LIVE or bool(row.outcome.failed)


def _is_to_mend(row: RowRecord) -> bool:
    """Return whether *row* was turned down for what it asks for, so that the same would be turned down again."""
    error = row.outcome.error if row.outcome is not None else None
    return row.status is OutcomeStatus.REFUSED and not isinstance(error, _NOT_THE_ROWS)


def _unfinished(run: RunRecord) -> int:
    return sum(not row.is_settled for row in run.rows)


def _unknown(run: RunRecord) -> int:
    return sum(
        row.status is OutcomeStatus.UNKNOWN or bool(row.outcome is not None and row.outcome.unknown) for row in run.rows
    )


def _waiting(run: RunRecord) -> int:
    return _of(run, OutcomeStatus.SCHEDULED, OutcomeStatus.PENDING)


def _of(run: RunRecord, *statuses: OutcomeStatus) -> int:
    return sum(row.is_settled and row.status in statuses for row in run.rows)


def resume_command(run_id: str, store: Path | None = None) -> str:
    """Return the command that goes on with a run."""
    return f"reelpub resume {run_id}{_named_store(store)}"


def _named_store(store: Path | None) -> str:
    return f" --store {shlex.quote(str(store))}" if store is not None else ""


def _rows(count: int) -> str:
    return f"{count} row is" if count == 1 else f"{count} rows are"
