"""What a person may want to do next about a run, and with which command."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from reelpub.bulk.record import RowRecord, RunRecord
from reelpub.cli.show.advice import advice
from reelpub.errors import AuthenticationError, PaymentRequiredError, PermissionDeniedError
from reelpub.models.outcome import OutcomeStatus

__all__ = ["Step", "file_command", "given_options", "is_lacking", "next_steps", "resume_command"]

_REPEATED = "not sent, as the same was sent before; allow_duplicate in the row sends it all the same"
_TO_MEND = "refused, and would be again; write what isn't live to a file and mend it, with"
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
    ends = given_options(store=store)
    lacking = [row for row in run.rows if is_lacking(row)]
    to_mend = sum(map(_is_to_mend, lacking))
    to_retry = len(lacking) - to_mend
    return [
        *_about(_unfinished(run), "unfinished; go on with", resume_command(run.id, store)),
        *_about(_unknown(run), "unknown and may be live: look at the accounts before you send anything again"),
        *_about_keys(lacking),
        *_about(to_retry, "not live everywhere; send just that again with", f"reelpub retry {run.id} --failed{ends}"),
        *_about(to_mend, _TO_MEND, f"reelpub results {run.id} --failed --format csv -o again.csv{ends}"),
        *([Step("and then send it with", f"reelpub publish again.csv{ends}")] if to_mend else []),
        *_about(_of(run, OutcomeStatus.DUPLICATE), _REPEATED),
        *_about(_waiting(run), "at the provider; follow to the end with", f"reelpub watch {run.id}{ends}"),
        Step("everything on one page", f"reelpub report {run.id}{ends}"),
        Step("as a file", f"reelpub results {run.id} --format csv -o results.csv{ends}"),
    ]


def _about(count: int, text: str, command: str = "") -> list[Step]:
    """Return what there is to do about so many rows: nothing about none."""
    return [Step(f"{count} row is {text}" if count == 1 else f"{count} rows are {text}", command)] if count else []


def _about_keys(lacking: Iterable[RowRecord]) -> list[Step]:
    """Return what has to be put right before what was refused can go through, each thing once."""
    refused = Counter(
        advice(row.outcome.error)
        for row in lacking
        if row.outcome is not None and isinstance(row.outcome.error, _NOT_THE_ROWS)
    )
    return [step for what, count in refused.items() for step in _about(count, f"refused until you {what}")]


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
    return f"reelpub resume {run_id}{given_options(store=store)}"


def file_command(command: str, name: str, **given: object) -> str:
    """Return *command* for the file called *name* with the options that are *given*, as `given_options` says.

    What was standard input is called FILE, of whose format nothing is known.
    """
    file = shlex.quote(name)
    if name == "-":
        file, given = "FILE", {**given, "format": None}
    return f"reelpub {command} {file}{given_options(**given)}"


def given_options(**given: object) -> str:
    """Return options as they are typed, each with a space before it; those that are None are left out."""
    return "".join(f" --{name} {shlex.quote(str(value))}" for name, value in given.items() if value is not None)
