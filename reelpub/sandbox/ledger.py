"""The ledger: what really went live, on which account, through which key. It is the judge of duplicates."""

from __future__ import annotations

from collections import defaultdict

from attrs import field, frozen

__all__ = ["Ledger", "LiveRecord", "masked"]


def masked(key: str) -> str:
    """Return *key* as it may be shown: its first characters and its last four."""
    return f"{key[:3]}…{key[-4:]}" if len(key) > 10 else "…"


@frozen(kw_only=True)
class LiveRecord:
    """One video that reached one account of a social network.

    `source` names what was published (the media items, or project and clip), so two records with the same provider,
    account and source are a duplicate. `at` is Unix seconds, the moment at which the delivery finished.
    """

    provider: str
    key: str = field(repr=masked)
    account_id: str
    platform: str
    post_id: str
    source: str
    at: float


class Ledger:
    """All live records of one sandbox, in the order in which they were written."""

    def __init__(self) -> None:
        self._records: list[LiveRecord] = []

    def record(self, record: LiveRecord) -> None:
        """Write *record*; a provider calls this at the moment a delivery succeeds."""
        self._records.append(record)

    def live(self, provider: str | None = None, key: str | None = None) -> list[LiveRecord]:
        """Return the records, of *provider* and *key* alone where they are given."""
        return [record for record in self._records if provider in (None, record.provider) and key in (None, record.key)]

    def duplicates(self, provider: str | None = None, key: str | None = None) -> list[LiveRecord]:
        """Return every record after the first that put the same source on the same account."""
        seen: dict[tuple[str, str, str], list[LiveRecord]] = defaultdict(list)
        for record in self.live(provider, key):
            seen[record.provider, record.account_id, record.source].append(record)
        return [record for group in seen.values() for record in group[1:]]
