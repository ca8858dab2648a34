"""The operations about connected accounts and slots."""

from __future__ import annotations

from collections.abc import AsyncIterator

from reelpub.providers.reelmirror import endpoints
from reelpub.providers.reelmirror.checks import MAX_PAGE
from reelpub.providers.reelmirror.client.base import Calls
from reelpub.providers.reelmirror.decode import Page
from reelpub.providers.reelmirror.paging import walk
from reelpub.providers.reelmirror.schemas import AccountSlots, ConnectedAccount, ConnectUrl, Platform, SlotsPurchase
from reelpub.transport.message import CallOptions

__all__ = ["AccountCalls"]


class AccountCalls(Calls):
    """Accounts that posts go to, and how many there may be."""

    async def list_connected_accounts(self, *, options: CallOptions | None = None) -> AsyncIterator[ConnectedAccount]:
        """Yield all connected accounts.

        The first request has no page parameters, as documented; further ones are made only where ``count`` says that
        there are more. Kind: reads. Scope ``publishing:read``. See https://reelmirror.com/docs/guides/publishing
        """

        async def fetch(limit: int, offset: int) -> Page[ConnectedAccount]:
            size = limit if offset else None
            return await self.list_connected_accounts_page(limit=size, offset=offset, options=options)

        async for account in walk(fetch, limit=MAX_PAGE):
            yield account

    async def list_connected_accounts_page(
        self, *, limit: int | None = None, offset: int = 0, options: CallOptions | None = None
    ) -> Page[ConnectedAccount]:
        """Read one page of the connected accounts; without *limit* (1 to 100) neither it nor *offset* is sent."""
        request = endpoints.list_connected_accounts(limit=limit, offset=offset)
        return await self._page(request, ConnectedAccount, offset, options)

    async def get_connect_url(self, platform: Platform | str, *, options: CallOptions | None = None) -> ConnectUrl:
        """Get the address that a person opens in a browser to connect an account of *platform*.

        Kind: reads. Scope ``publishing:write``. See https://reelmirror.com/docs/guides/publishing

        Raises:
            ValidationError: *platform* isn't instagram or tiktok; nothing was sent.
        """
        return await self._one(endpoints.get_connect_url(platform), ConnectUrl, options)

    async def disconnect_account(self, account_id: str, *, options: CallOptions | None = None) -> None:
        """Disconnect an account. What becomes of posts that wait for it isn't stated.

        Kind: repeatable; a repeat may answer 404. See https://reelmirror.com/docs/guides/publishing

        Raises:
            NotFoundError: no such account.
        """
        await self._nothing(endpoints.disconnect_account(account_id), options)

    async def get_account_slots(self, *, options: CallOptions | None = None) -> AccountSlots:
        """Read how many account slots there are and how many are used.

        Kind: reads. Scope ``publishing:read``. See https://reelmirror.com/docs/guides/publishing
        """
        return await self._one(endpoints.get_account_slots(), AccountSlots, options)

    async def set_account_slots(
        self, slots: int, *, return_url: str | None = None, options: CallOptions | None = None
    ) -> SlotsPurchase:
        """Set the total number of paid slots: one slot is free, each further one costs 3 USD a month.

        Where the answer has a `checkout_url`, no card is on file: a person pays there (and is led back to
        *return_url*, a path), then the same call is made again. Kind: repeatable, as *slots* is the total. See
        https://reelmirror.com/docs/api-reference/publishing/purchase-account-slots

        Raises:
            ValidationError: *slots* is negative or no whole number; nothing was sent.
        """
        return await self._one(endpoints.set_account_slots(slots, return_url=return_url), SlotsPurchase, options)
