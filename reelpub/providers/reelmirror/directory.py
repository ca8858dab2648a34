"""The accounts of one credential, read once, and which of them a delivery belongs to.

The reference shows ``connected_account_id`` on a delivery, the guide's example lacks it; platform and user name then
say which account it is (contracts/reelmirror.md, contradiction 11).
"""

from __future__ import annotations

from collections.abc import Iterable

import anyio

from reelpub.errors import NotFoundError, PermissionDeniedError
from reelpub.models.account import Account
from reelpub.providers.reelmirror.client import ReelMirrorClient
from reelpub.providers.reelmirror.decode import PROVIDER
from reelpub.providers.reelmirror.mapping import account_of
from reelpub.providers.reelmirror.schemas import Delivery, OutgoingPost

__all__ = ["AccountDirectory"]


class AccountDirectory:
    """Remembers accounts and finds the one that a delivery is for. `version` changes with what is remembered."""

    def __init__(self, client: ReelMirrorClient) -> None:
        self._client = client
        self.version = 0
        self._known: dict[str, Account] = {}
        self._listed: tuple[Account, ...] | None = None
        self._is_refused = False
        self._lock = anyio.Lock()

    async def read(self, *, refresh: bool = False) -> tuple[Account, ...]:
        """Return the connected accounts; callers that come at the same time share one read."""
        before = self._listed
        async with self._lock:
            # Another caller's read that ended while this one waited is as fresh as one of its own would be.
            if self._listed is None or (refresh and self._listed is before):
                listed = [account_of(raw) async for raw in self._client.list_connected_accounts()]
                self._listed = tuple(listed)
                self.remember(listed)
            return self._listed

    def remember(self, accounts: Iterable[Account]) -> None:
        """Note accounts that are known from elsewhere, such as those of a part."""
        for account in accounts:
            if self._known.get(account.id) != account:
                self._known[account.id] = account
                self.version += 1

    def forget_list(self) -> None:
        """Read the list anew when it is asked for next; what is known of old deliveries' accounts stays."""
        self._listed = None

    async def learn(self, posts: Iterable[OutgoingPost]) -> None:
        """Read the accounts once where a delivery in *posts* has no account's id and no known account's name.

        Where the key may not list accounts, the deliveries keep the names that they have.
        """
        if self._listed is not None or self._is_refused:
            return
        nameless = [d for post in posts for d in post.deliveries if d.connected_account_id is None]
        if all(self._find(delivery) is not None for delivery in nameless):
            return
        try:
            await self.read()
        except (PermissionDeniedError, NotFoundError):
            self._is_refused = True

    def resolve(self, delivery: Delivery) -> Account:
        """Return the account of *delivery*: the known one, or what the delivery itself says."""
        known = self._find(delivery)
        if known is not None:
            return known
        platform = str(delivery.platform)
        name = f"{platform}:{delivery.username}" if delivery.username else delivery.id
        return Account(
            id=delivery.connected_account_id or name,
            provider=PROVIDER,
            platform=platform,
            username=delivery.username,
        )

    def _find(self, delivery: Delivery) -> Account | None:
        if delivery.connected_account_id is not None:
            return self._known.get(delivery.connected_account_id)
        wanted = _name(str(delivery.platform), delivery.username)
        matches = [known for known in self._known.values() if _name(known.platform, known.username) == wanted]
        return matches[0] if wanted is not None and len(matches) == 1 else None


def _name(platform: str, username: str | None) -> tuple[str, str] | None:
    return None if username is None else (platform.lower(), username.lower())
