"""Whether a draft goes to the accounts that were asked for, and to no other. Pure.

That an edit takes ``target_account_ids`` is only inferred (contracts/reelmirror.md), so a draft is read again and
compared before anything goes live.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum

from reelpub.models.account import Account
from reelpub.providers.reelmirror.schemas import Delivery

__all__ = ["Match", "compare", "shown"]


class Match(Enum):
    """What a draft's deliveries say about its accounts."""

    SAME = "same"
    DIFFERENT = "different"
    HIDDEN = "hidden"
    """It shows no deliveries, or one that can't be told to be an account's."""


def compare(asked: Sequence[Account], deliveries: Sequence[Delivery]) -> Match:
    """Compare the accounts *asked* for with those that a draft's *deliveries* show, each exactly once."""
    if not deliveries:
        return Match.HIDDEN
    found = [_account_id(delivery, asked) for delivery in deliveries]
    if None in found:
        return Match.HIDDEN
    return Match.SAME if Counter(found) == Counter(account.id for account in asked) else Match.DIFFERENT


def shown(deliveries: Sequence[Delivery]) -> str:
    """Return the accounts of *deliveries* as people write them."""
    return ", ".join(f"{d.platform}:{d.username or d.connected_account_id or '?'}" for d in deliveries)


def _account_id(delivery: Delivery, asked: Sequence[Account]) -> str | None:
    """Return the id of the account that *delivery* is for; None where it can't be told, a name where it is foreign."""
    if delivery.connected_account_id is not None:
        return delivery.connected_account_id
    platform = str(delivery.platform).lower()
    rivals = [account for account in asked if account.platform.lower() == platform]
    if delivery.username is None or any(account.username is None for account in rivals):
        return None
    username = delivery.username.lower()
    for account in rivals:
        if account.username is not None and account.username.lower() == username:
            return account.id
    return f"{platform}:{username}"
