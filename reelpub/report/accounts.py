"""What each account of a row got, as far as the row's outcome tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import frozen

from reelpub.bulk.record import RowRecord
from reelpub.models.account import Account, AccountRef
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus

__all__ = ["Share", "shares"]

_FOR_EVERY_ACCOUNT = {
    OutcomeStatus.PUBLISHED: DeliveryStatus.PUBLISHED,
    OutcomeStatus.SCHEDULED: DeliveryStatus.SCHEDULED,
    OutcomeStatus.REFUSED: DeliveryStatus.REFUSED,
    OutcomeStatus.FAILED: DeliveryStatus.FAILED,
    OutcomeStatus.CANCELLED: DeliveryStatus.CANCELLED,
    OutcomeStatus.NOT_SENT: DeliveryStatus.NOT_SENT,
    OutcomeStatus.PENDING: DeliveryStatus.PENDING,
    OutcomeStatus.UNKNOWN: DeliveryStatus.UNKNOWN,
}
"""What an outcome says of every account alike, where no delivery says more. Two say nothing: partly published, and
duplicate, which speaks of another job."""


@frozen(kw_only=True)
class Share:
    """One account's share of a row.

    `name` is how the account is called throughout a report. `status` is None where nothing is known of the account
    itself. `delivery` is what the outcome has of it; without one, the request only names the account.
    """

    name: str
    platform: str | None
    status: DeliveryStatus | None
    delivery: Delivery | None = None


def shares(rows: Iterable[RowRecord]) -> tuple[tuple[Share, ...], ...]:
    """Return the shares of each row, with a name of its own for each account."""
    rows = tuple(rows)
    names = _names(delivery.account for row in rows for delivery in _deliveries(row))
    return tuple(_shares(row, names) for row in rows)


def _shares(row: RowRecord, names: Mapping[tuple[str, str], str]) -> tuple[Share, ...]:
    told = tuple(
        Share(
            name=names[_key(delivery.account)],
            platform=delivery.account.platform,
            status=delivery.status,
            delivery=delivery,
        )
        for delivery in _deliveries(row)
    )
    status = _FOR_EVERY_ACCOUNT.get(row.status)
    return told or tuple(_asked_for(account, status) for account in row.request.accounts)


def _asked_for(account: object, status: DeliveryStatus | None) -> Share:
    if isinstance(account, Account):
        return Share(name=str(account), platform=account.platform, status=status)
    return Share(name=str(account), platform=AccountRef(str(account)).platform, status=status)


def _deliveries(row: RowRecord) -> tuple[Delivery, ...]:
    return row.outcome.deliveries if row.outcome is not None else ()


def _key(account: Account) -> tuple[str, str]:
    return account.provider, account.id


def _names(accounts: Iterable[Account]) -> dict[tuple[str, str], str]:
    """Return what each account is called: ``tiktok:anna``, with as much more as tells it from others of that name."""
    found = {_key(account): str(account) for account in accounts}
    names = found
    for more in (" ({0})", " ({0} {1})"):
        called = Counter(names.values())
        names = {key: name if called[name] == 1 else found[key] + more.format(*key) for key, name in names.items()}
    return names
