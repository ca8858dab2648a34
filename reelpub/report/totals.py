"""How many rows and accounts stand where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import frozen

from reelpub.bulk.record import RunRecord
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import DeliveryStatus
from reelpub.report.accounts import Share

__all__ = ["NOT_NAMED", "NOT_TOLD", "Tally", "headline", "tallies"]

NOT_NAMED = "not named"
"""What platform is counted where an account is named by its id and nothing more is known of it."""

NOT_TOLD = "not told"
"""What is counted where nothing is known of an account itself."""

_CLAUSES = {
    OutcomeStatus.PUBLISHED: "{0} {is_} live",
    OutcomeStatus.SCHEDULED: "{0} {is_} scheduled",
    OutcomeStatus.PARTLY_PUBLISHED: "{0} {is_} live on some of {its} accounts only",
    OutcomeStatus.FAILED: "{0} failed",
    OutcomeStatus.REFUSED: "{0} {was} refused",
    OutcomeStatus.UNKNOWN: "{0} may or may not be live",
    OutcomeStatus.DUPLICATE: "{0} {was} asked for before",
    OutcomeStatus.CANCELLED: "{0} {was} cancelled",
    OutcomeStatus.NOT_SENT: "{0} {was} not sent",
    OutcomeStatus.PENDING: "{0} {is_} not finished",
}


@frozen(kw_only=True)
class Tally:
    """How the shares of one account, or one platform, stand: `counts` by status, in all `total`."""

    name: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many shares there are."""
        return sum(self.counts.values())


def tallies(shares: Iterable[Sequence[Share]], key: Callable[[Share], str | None]) -> tuple[Tally, ...]:
    """Count the shares of all rows by what *key* makes of each (None leaves it out), sorted by name."""
    found: dict[str, Counter[str]] = {}
    for share in (share for row in shares for share in row):
        name = key(share)
        if name is not None:
            found.setdefault(name, Counter())[str(share.status or NOT_TOLD)] += 1
    order = [*DeliveryStatus, NOT_TOLD]
    return tuple(
        Tally(name=name, counts={str(status): found[name][status] for status in order if found[name][status]})
        for name in sorted(found, key=lambda name: (name.lower(), name))
    )


def headline(record: RunRecord) -> str:
    """Say in a sentence or two how the rows stand."""
    counts = record.counts
    total = len(record.rows)
    if not total:
        return "This run has no rows."
    clauses = [_clause(status, counts[status]) for status in _CLAUSES if status in counts]
    return f"Of {total:,} post{'s' if total > 1 else ''}, {_listed(clauses)}."


def _clause(status: OutcomeStatus, count: int) -> str:
    words = {"is_": "is", "was": "was", "its": "its"} if count == 1 else {"is_": "are", "was": "were", "its": "their"}
    return _CLAUSES[status].format(f"{count:,}", **words)


def _listed(clauses: Sequence[str]) -> str:
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
