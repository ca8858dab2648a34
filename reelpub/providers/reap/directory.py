"""Which accounts a post goes to: what is remembered of accounts and of the posts made here. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from reelpub.models.account import Account
from reelpub.providers.reap import schemas
from reelpub.providers.reap.mapping import stranger

__all__ = ["Directory"]

_POSTS_KEPT: Final = 10_000


class Directory:
    """Accounts by id, and the accounts asked for by post id, the latest 10,000 posts.

    `version` changes with the accounts that are known.
    """

    def __init__(self) -> None:
        self.version = 0
        self._accounts: dict[str, Account] = {}
        self._posts: dict[str, tuple[Account, ...]] = {}

    def learn(self, accounts: Iterable[Account]) -> None:
        """Remember *accounts*."""
        for account in accounts:
            if self._accounts.get(account.id) != account:
                self._accounts[account.id] = account
                self.version += 1

    def remember(self, post_id: str, accounts: Sequence[Account]) -> None:
        """Remember which accounts *post_id* was made for."""
        self._posts[post_id] = tuple(accounts)
        if len(self._posts) > _POSTS_KEPT:
            del self._posts[next(iter(self._posts))]

    def knows(self, wire: schemas.Post) -> bool:
        """Whether every account of *wire* is known."""
        return all(account_id in self._accounts for account_id in wire.integrations)

    def accounts_of(self, wire: schemas.Post) -> tuple[Account, ...]:
        """Return the accounts of *wire*: those it was made for here, then any others that it names."""
        asked = self._posts.get(wire.id, ())
        named = {account.id for account in asked}
        others = [account_id for account_id in dict.fromkeys(wire.integrations) if account_id not in named]
        known = [*asked, *(self._accounts[account_id] for account_id in others if account_id in self._accounts)]
        return (*asked, *(self._accounts.get(other) or stranger(other, wire, known) for other in others))
