"""Running a results file: which of its rows run again, and for which accounts; nothing that may be live does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve

from reelpub.manifest.cells import Cells
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import GeneratedPost, Source

__all__ = ["again", "left_out", "origin"]

_DONE: Final[Mapping[OutcomeStatus, str]] = {
    OutcomeStatus.PUBLISHED: "is live already",
    OutcomeStatus.SCHEDULED: "is scheduled at the service already",
    OutcomeStatus.DUPLICATE: "was sent before as another row or run",
    OutcomeStatus.PENDING: "was accepted and hadn't ended",
    OutcomeStatus.CANCELLED: "was called off",
    OutcomeStatus.UNKNOWN: "may or may not be live; look at its accounts first",
    OutcomeStatus.PARTLY_PUBLISHED: "is live on some accounts and provably missing on none",
}
_DIGITS: Final = 9
"""What a row's number has at most."""
_IN_PART: Final = (OutcomeStatus.PARTLY_PUBLISHED, OutcomeStatus.FAILED)
_OVERRIDE: Final = "empty result_status to run it all the same"
_OVERRIDE_KNOWN: Final = "empty result_status and set allow_duplicate to yes to run it all the same"
"""A store that knows the content would take the row for a duplicate; that of what was called off is free again."""
_APPROVED: Final = "is live on some accounts, and approve takes no accounts; `reelpub retry` sends it to the others"


def again(cells: Cells, request: PublishRequest | None) -> tuple[PublishRequest | None, str | None]:
    """Return what is to run of *request*, which an earlier run may have had, and why it isn't to run at all."""
    word = (cells.text("result_status") or "").strip().lower()
    if not word:
        return request, None
    try:
        status = OutcomeStatus(word)
    except ValueError:
        cells.refuse(
            ("result_status",), "isn't a status; empty it to run the whole row", word, limit=", ".join(OutcomeStatus)
        )
        return request, None
    accounts = cells.names("result_retry_accounts")
    if request is None:
        return None, left_out(status, None, accounts)
    why = left_out(status, request.source, accounts)
    is_limited = why is None and accounts and status in _IN_PART
    return evolve(request, accounts=accounts) if is_limited else request, why


def origin(cells: Cells) -> tuple[str, int] | None:
    """Return the run that the row tells of, and its number there; None where it tells of none, or isn't to go by it."""
    run, number = cells.value("result_run"), str(cells.value("result_row") or "").strip()
    if not isinstance(run, str) or not cells.has("result_status") or not number.isdecimal() or len(number) > _DIGITS:
        return None
    return run.strip(), int(number)


def left_out(status: OutcomeStatus, source: Source | None, accounts: Sequence[str]) -> str | None:
    """Return why a row that ended as *status* isn't to run again, None where it is.

    *accounts* are those that provably lack the post, where others don't; without any the row runs as a whole, or not.
    """
    if status in _IN_PART and accounts:
        return _APPROVED if isinstance(source, GeneratedPost) and source.approve else None
    if status not in _DONE:
        return None
    return f"{_DONE[status]}; {_OVERRIDE if status is OutcomeStatus.CANCELLED else _OVERRIDE_KNOWN}"
