"""Shapes of billing, sign-up and API keys.

See https://reelmirror.com/docs/guides/billing and https://reelmirror.com/docs/guides/authentication. Amounts are
integer US cents. Secrets stay out of every repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from reelpub.providers.reelmirror.schemas.enums import Scope

__all__ = [
    "ApiKey",
    "ApiKeyCreated",
    "AutoReload",
    "Balance",
    "CheckoutSession",
    "SetupIntent",
    "Signup",
    "Transaction",
]


@frozen(kw_only=True)
class Balance:
    """The credit left. `balance_dollars` is a decimal text such as ``10.50``."""

    balance_cents: int
    balance_dollars: str | None = None
    auto_reload: bool | None = None
    reload_threshold_cents: int | None = None
    reload_amount_cents: int | None = None


@frozen(kw_only=True)
class AutoReload:
    """The balance after a change of the automatic top-up.

    Where `setup_url` is given no card is on file: a person saves one there, then the same call is made again.
    """

    balance_cents: int | None = None
    balance_dollars: str | None = None
    auto_reload: bool | None = None
    reload_threshold_cents: int | None = None
    reload_amount_cents: int | None = None
    setup_url: str | None = None


@frozen(kw_only=True)
class Transaction:
    """One movement of credit; `amount_cents` is negative for what was spent."""

    id: str
    amount_cents: int
    operation_type: str | None = None
    description: str | None = None
    created_at: datetime | None = None
    generated_post_id: str | None = None
    generated_media_item_id: str | None = None
    refund_of_id: str | None = None


@frozen(kw_only=True)
class CheckoutSession:
    """The address at which a person pays."""

    url: str


@frozen(kw_only=True)
class SetupIntent:
    """Stripe's secret with which a card is saved."""

    client_secret: str = field(repr=False)


@frozen(kw_only=True)
class Signup:
    """A new account, whose e-mail address is still to be confirmed."""

    user_id: str
    status: str | None = None


@frozen(kw_only=True)
class ApiKeyCreated:
    """A new API key. `key` is the secret itself and is shown only this once."""

    id: str
    key: str = field(repr=False)
    name: str | None = None
    scopes: tuple[Scope | str, ...] = ()
    created_at: datetime | None = None
    monthly_limit_cents: int | None = None


@frozen(kw_only=True)
class ApiKey:
    """An API key as a list shows it. `extra` isn't in the repr, since no page says what is in it."""

    id: str
    name: str | None = None
    scopes: tuple[Scope | str, ...] = ()
    created_at: datetime | None = None
    monthly_limit_cents: int | None = None
    extra: Mapping[str, Any] = field(factory=dict, repr=False)
