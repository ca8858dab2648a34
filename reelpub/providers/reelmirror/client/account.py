"""The operations about billing, sign-up and API keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from reelpub.providers.reelmirror import endpoints
from reelpub.providers.reelmirror.checks import MAX_PAGE
from reelpub.providers.reelmirror.client.base import Calls
from reelpub.providers.reelmirror.decode import Page
from reelpub.providers.reelmirror.paging import walk
from reelpub.providers.reelmirror.schemas import (
    ApiKey,
    ApiKeyCreated,
    AutoReload,
    Balance,
    CheckoutSession,
    Scope,
    SetupIntent,
    Signup,
    Transaction,
)
from reelpub.providers.structure import UNSET, Unset
from reelpub.transport.message import CallOptions

__all__ = ["BillingAndKeyCalls"]


class BillingAndKeyCalls(Calls):
    """The credit, the account itself and its API keys. Amounts are integer US cents."""

    async def get_balance(self, *, options: CallOptions | None = None) -> Balance:
        """Read the credit left.

        Kind: reads. Scope ``billing:read``, which a new key doesn't have by default. See
        https://reelmirror.com/docs/guides/billing
        """
        return await self._one(endpoints.get_balance(), Balance, options)

    async def update_auto_reload(
        self,
        *,
        auto_reload: bool | None = None,
        reload_threshold_cents: int | None = None,
        reload_amount_cents: int | None = None,
        options: CallOptions | None = None,
    ) -> AutoReload:
        """Change the automatic top-up.

        Below *reload_threshold_cents* (0 to 5000) it adds *reload_amount_cents* (100 to 5000). Where the
        answer has a `setup_url`, no card is on file: a person saves one there, then the same call is made again.
        Kind: repeatable. Scope ``billing:write``. See
        https://reelmirror.com/docs/api-reference/billing/update-auto-reload-settings

        Raises:
            ValidationError: an amount is out of range, or nothing to change was given; nothing was sent.
        """
        request = endpoints.update_auto_reload(
            auto_reload=auto_reload,
            reload_threshold_cents=reload_threshold_cents,
            reload_amount_cents=reload_amount_cents,
        )
        return await self._one(request, AutoReload, options)

    async def list_transactions(
        self, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> AsyncIterator[Transaction]:
        """Yield all movements of credit from *offset* on, reading *limit* (1 to 100) of them with each request.

        Kind: reads. Scope ``billing:read``. See
        https://reelmirror.com/docs/api-reference/billing/list-transactions

        Raises:
            ValidationError: *limit* or *offset* is out of range; nothing was sent.
        """

        async def fetch(limit: int, offset: int) -> Page[Transaction]:
            return await self.list_transactions_page(limit=limit, offset=offset, options=options)

        async for transaction in walk(fetch, limit=limit, offset=offset):
            yield transaction

    async def list_transactions_page(
        self, *, limit: int = MAX_PAGE, offset: int = 0, options: CallOptions | None = None
    ) -> Page[Transaction]:
        """Read one page of the movements of credit; see `list_transactions`."""
        request = endpoints.list_transactions(limit=limit, offset=offset)
        return await self._page(request, Transaction, offset, options)

    async def create_topup(self, amount_cents: int, *, options: CallOptions | None = None) -> CheckoutSession:
        """Create a checkout session at which a person adds *amount_cents* of credit.

        Only certain amounts are accepted; which ones couldn't be read. Kind: other write; never repeated unless it
        provably never left or was refused with 429. Scope ``billing:write``. See
        https://reelmirror.com/docs/api-reference/billing/create-top-up-checkout-session

        Raises:
            BadRequestError: the amount isn't one of those accepted.
        """
        return await self._one(endpoints.create_topup(amount_cents), CheckoutSession, options)

    async def create_setup_intent(self, *, options: CallOptions | None = None) -> SetupIntent:
        """Create Stripe's secret with which a card is saved; it stays out of the repr.

        Kind: other write; never repeated unless it provably never left or was refused with 429. See
        https://reelmirror.com/docs/guides/agent-automation
        """
        return await self._one(endpoints.create_setup_intent(), SetupIntent, options)

    async def agent_signup(self, *, email: str, password: str, options: CallOptions | None = None) -> Signup:
        """Sign up with *email* and a *password* of at least 8 characters; no API key is sent.

        At most 5 sign-ups for each IP address in 24 h. Kind: other write; never repeated unless it provably never
        left or was refused with 429. See https://reelmirror.com/docs/api-reference/auth/agent-signup

        Raises:
            ValidationError: no e-mail address, or too short a password; nothing was sent.
            ConflictError: the address has an account, presumably.
        """
        return await self._one(endpoints.agent_signup(email=email, password=password), Signup, options)

    async def create_api_key(
        self,
        name: str,
        *,
        scopes: Sequence[Scope | str] | None = None,
        monthly_limit_cents: int | Unset | None = UNSET,
        options: CallOptions | None = None,
    ) -> ApiKeyCreated:
        """Create an API key; its `key` is shown only in this answer and stays out of the repr.

        Without *scopes* it gets all but the billing and feedback ones. *monthly_limit_cents* (100 to 1,000,000) caps
        its spending; None is no cap. Kind: other write; never repeated unless it provably never left or was refused
        with 429. See https://reelmirror.com/docs/api-reference/api-keys/create-api-key

        Raises:
            ValidationError: the limit is out of range, or an argument can't be right; nothing was sent.
        """
        request = endpoints.create_api_key(name, scopes=scopes, monthly_limit_cents=monthly_limit_cents)
        return await self._one(request, ApiKeyCreated, options)

    async def list_api_keys(self, *, options: CallOptions | None = None) -> AsyncIterator[ApiKey]:
        """Yield all API keys, without their secrets.

        The first request has no page parameters; further ones are made only where ``count`` says that there are more.
        Kind: reads. See https://reelmirror.com/docs/guides/authentication
        """

        async def fetch(limit: int, offset: int) -> Page[ApiKey]:
            return await self.list_api_keys_page(limit=limit if offset else None, offset=offset, options=options)

        async for key in walk(fetch, limit=MAX_PAGE):
            yield key

    async def list_api_keys_page(
        self, *, limit: int | None = None, offset: int = 0, options: CallOptions | None = None
    ) -> Page[ApiKey]:
        """Read one page of the API keys; without *limit* (1 to 100) neither it nor *offset* is sent."""
        return await self._page(endpoints.list_api_keys(limit=limit, offset=offset), ApiKey, offset, options)

    async def revoke_api_key(self, key_id: str, *, options: CallOptions | None = None) -> None:
        """Revoke an API key.

        Kind: repeatable; a repeat may answer 404. See https://reelmirror.com/docs/guides/authentication

        Raises:
            NotFoundError: no such key.
        """
        await self._nothing(endpoints.revoke_api_key(key_id), options)
