"""Running a results file: which of its rows run again, and for which accounts; nothing that may be live does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import evolve

from reelpub.manifest.cells import Cells
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import GeneratedPost

__all__ = ["again"]

_DONE: Final[Mapping[OutcomeStatus, str]] = {
    OutcomeStatus.PUBLISHED: "is live already",
    OutcomeStatus.SCHEDULED: "is scheduled at the service already",
    OutcomeStatus.DUPLICATE: "was sent before as another row or run",
    OutcomeStatus.PENDING: "was accepted and hadn't ended",
    OutcomeStatus.CANCELLED: "was called off",
    OutcomeStatus.UNKNOWN: "may or may not be live; look at its accounts first",
    OutcomeStatus.PARTLY_PUBLISHED: "is live on some accounts and provably missing on none",
}
_OVERRIDE: Final = "empty result_status to run it all the same"
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
    if status in (OutcomeStatus.PARTLY_PUBLISHED, OutcomeStatus.FAILED) and accounts:
        return _limited(request, accounts)
    return request, f"{_DONE[status]}; {_OVERRIDE}" if status in _DONE else None


def _limited(request: PublishRequest | None, accounts: tuple[str, ...]) -> tuple[PublishRequest | None, str | None]:
    if request is None:
        return None, None
    if isinstance(request.source, GeneratedPost) and request.source.approve:
        return request, _APPROVED
    return evolve(request, accounts=accounts), None
