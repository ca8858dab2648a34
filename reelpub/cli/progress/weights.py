"""How many requests each row of a run takes, for the estimate of its progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import frozen

from reelpub.bulk.record import RowRecord
from reelpub.bulk.tally import Tally as Planned
from reelpub.models.account import Account, AccountRef
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.choice import choose
from reelpub.policies.lateness import is_kept_here
from reelpub.policies.scheduling import instant
from reelpub.providers.base import Cost, Publisher, SupportsForecast

__all__ = ["Weight", "weights"]


@frozen
class Weight:
    """Who carries a row out, None where nobody does, and how many requests that takes, about.

    It is less than one for a post that is scheduled together with others.
    """

    publisher: str | None = None
    requests: float = 0.0


def weights(rows: Iterable[RowRecord], publishers: Mapping[str, Publisher], now: datetime) -> Mapping[int, Weight]:
    """Return what each row takes, by number. Nothing is asked of a provider: an account is what its name says."""
    found: dict[int, Weight] = {}
    shared: dict[int, tuple[str, int]] = {}
    planned: dict[str, Planned] = {}
    asked: set[str] = set()
    for row in rows:
        publisher = choose(row.request, publishers, now).publisher
        if publisher is None:
            found[row.number] = Weight()
            continue
        cost = _cost(publisher, row.request, now)
        once = sum(reads for what, reads in cost.once.items() if what not in asked)
        asked.update(cost.once)
        found[row.number] = Weight(publisher.name, cost.writes + cost.reads + once)
        if cost.shares:
            tally = planned.setdefault(publisher.name, Planned(publisher, now))
            tally.add(Cost(shares=cost.shares), len(cost.shares), at=now, is_kept=False, names_accounts=False)
            shared[row.number] = (publisher.name, len(cost.shares))
    return found | _spread(found, shared, planned)


def _spread(
    found: Mapping[int, Weight], shared: Mapping[int, tuple[str, int]], planned: Mapping[str, Planned]
) -> dict[int, Weight]:
    """Give each row that shares requests with others its part of them."""
    posts: Counter[str] = Counter()
    for name, count in shared.values():
        posts[name] += count
    each = {name: planned[name].result().writes / count for name, count in posts.items()}
    return {
        number: Weight(name, found[number].requests + count * each[name]) for number, (name, count) in shared.items()
    }


def _cost(publisher: Publisher, request: PublishRequest, now: datetime) -> Cost:
    if not isinstance(publisher, SupportsForecast):
        return Cost(writes=1)
    at = instant(request.at) if request.at is not None else None
    given = at if isinstance(at, datetime) and not is_kept_here(at, now, publisher.limits) else None
    groups = publisher.plan(request, [_named(account, publisher.provider) for account in request.accounts])
    return publisher.requests_for(request, groups or [()], at=given)


def _named(account: str | Account, provider: str) -> Account:
    """Return an account in place of one that is only named; an id doesn't tell its platform, so it counts as one."""
    if isinstance(account, Account):
        return account
    return Account(id=account, provider=provider, platform=AccountRef(account).platform or account)
