"""Which accounts can share one provider post, where a provider tells success by platform and not by account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reelpub.models.account import Account

__all__ = ["one_per_platform"]


def one_per_platform(accounts: Iterable[Account]) -> tuple[tuple[Account, ...], ...]:
    """Return *accounts* in groups, none of which has a platform twice.

    There are as few groups as possible: as many as the most frequent platform has accounts. The order is kept within
    a group, and the n-th account of a platform is in group n. An account that is given twice counts once; platform
    names are compared without regard to case.
    """
    groups: list[list[Account]] = []
    placed: Counter[str] = Counter()
    for account in {account.id: account for account in accounts}.values():
        platform = account.platform.casefold()
        if placed[platform] == len(groups):
            groups.append([])
        groups[placed[platform]].append(account)
        placed[platform] += 1
    return tuple(tuple(group) for group in groups)
