"""Whether a results file still says how its rows stand: what was sent again since then isn't sent once more."""

from __future__ import annotations

from typing import Final

from attrs import define, field

from reelpub.bulk.composing import outcome_of
from reelpub.bulk.history import ledger_of
from reelpub.bulk.ledger import Entry, Ledger
from reelpub.manifest.rows import ManifestRow
from reelpub.models.account import Account, AccountRef
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.store.runs import RunStore

__all__ = ["Standing"]

_SINCE: Final = "was sent again since the file was written; write the results of its run anew"
_NEVER_LIVE: Final = frozenset({OutcomeStatus.REFUSED, OutcomeStatus.NOT_SENT, OutcomeStatus.FAILED})


@define
class Standing:
    """What a store has, by now, of the rows that results files tell of; each run is read once."""

    store: RunStore
    _ledgers: dict[str, Ledger] = field(factory=dict, init=False)

    async def why_not(self, row: ManifestRow) -> str | None:
        """Return why *row* isn't to run although its file says so; None where it is, or the store knows nothing of it.

        Raises:
            StoreError: the store can't be read.
        """
        if row.origin is None or row.skip is not None or row.request is None:
            return None
        run, number = row.origin
        if run not in self._ledgers:
            self._ledgers[run] = await ledger_of(self.store, run)
        entry = self._ledgers[run].entries.get(number)
        return None if entry is None or _lacks(entry, row.request) else _SINCE


def _lacks(entry: Entry, request: PublishRequest) -> bool:
    """Return whether none of the accounts that *request* goes to has, or may have, what became of the row by now."""
    outcome = outcome_of(entry)
    if outcome is None or entry.is_unfinished:
        # As a row of a results file it was at its end: somebody has taken it up again.
        return False
    if not outcome.deliveries:
        return outcome.status in _NEVER_LIVE
    return all(
        delivery.status.is_provably_not_live
        for delivery in outcome.deliveries
        if not request.accounts or _is_named(delivery.account, request)
    )


def _is_named(account: Account, request: PublishRequest) -> bool:
    return any(
        account.id == one.id if isinstance(one, Account) else AccountRef(one.strip()).matches(account)
        for one in request.accounts
    )
