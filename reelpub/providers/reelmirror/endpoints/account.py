"""Requests about billing, sign-up and API keys.

See https://reelmirror.com/docs/guides/billing and https://reelmirror.com/docs/guides/authentication.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reelpub.policies.safety import RequestKind
from reelpub.providers.reelmirror.checks import Checks
from reelpub.providers.reelmirror.endpoints.build import given, item_request, page_request
from reelpub.providers.reelmirror.schemas import Scope
from reelpub.providers.structure import UNSET, Unset
from reelpub.transport.message import Request

__all__ = [
    "agent_signup",
    "create_api_key",
    "create_setup_intent",
    "create_topup",
    "get_balance",
    "list_api_keys",
    "list_transactions",
    "revoke_api_key",
    "update_auto_reload",
]

_BALANCE = "/v1/billing/balance"
_KEYS = "/v1/api-keys"
_LEAST_PASSWORD = 8


def get_balance() -> Request:
    """Build `getBalance`."""
    return Request(operation="get_balance", method="GET", path=_BALANCE, kind=RequestKind.READ)


def update_auto_reload(
    *,
    auto_reload: bool | None = None,
    reload_threshold_cents: int | None = None,
    reload_amount_cents: int | None = None,
) -> Request:
    """Build `updateAutoReload`: a change of at least one member."""
    body = given(
        auto_reload=auto_reload,
        reload_threshold_cents=reload_threshold_cents,
        reload_amount_cents=reload_amount_cents,
    )
    checks = Checks()
    checks.flag("auto_reload", auto_reload)
    checks.whole("reload_threshold_cents", reload_threshold_cents, least=0, most=5000)
    checks.whole("reload_amount_cents", reload_amount_cents, least=100, most=5000)
    checks.require(bool(body), "auto_reload", "nothing to change was given")
    checks.finish()
    return Request(
        operation="update_auto_reload", method="PATCH", path=_BALANCE, kind=RequestKind.IDEMPOTENT, json=body
    )


def list_transactions(*, limit: int | None, offset: int) -> Request:
    """Build `listTransactions`: one page."""
    return page_request("list_transactions", "/v1/billing/transactions", limit=limit, offset=offset)


def create_topup(amount_cents: int) -> Request:
    """Build `createTopup`."""
    checks = Checks()
    checks.required("amount_cents", amount_cents)
    checks.whole("amount_cents", amount_cents)
    checks.finish()
    return _write("create_topup", "/v1/billing/topup", {"amount_cents": amount_cents})


def create_setup_intent() -> Request:
    """Build `createSetupIntent`: it has no body."""
    return _write("create_setup_intent", "/v1/billing/setup-intent", None)


def agent_signup(*, email: str, password: str) -> Request:
    """Build `agentSignup`: it carries no API key."""
    checks = Checks()
    checks.email("email", email)
    checks.secret("password", password, least=_LEAST_PASSWORD)
    checks.finish()
    return Request(
        operation="agent_signup",
        method="POST",
        path="/v1/auth/signup",
        kind=RequestKind.OTHER_WRITE,
        json={"email": email, "password": password},
        authenticated=False,
    )


def create_api_key(
    name: str,
    *,
    scopes: Sequence[Scope | str] | None = None,
    monthly_limit_cents: int | Unset | None = UNSET,
) -> Request:
    """Build `createApiKey`; a *monthly_limit_cents* of None is sent as null."""
    checks = Checks()
    checks.identifier("name", name)
    checks.texts("scopes", scopes)
    if monthly_limit_cents is not UNSET:
        checks.whole("monthly_limit_cents", monthly_limit_cents, least=100, most=1_000_000)
    checks.finish()
    body: dict[str, Any] = {"name": name}
    if scopes is not None:
        body["scopes"] = [str(scope) for scope in scopes]
    if monthly_limit_cents is not UNSET:
        body["monthly_limit_cents"] = monthly_limit_cents
    return _write("create_api_key", _KEYS, body)


def list_api_keys(*, limit: int | None = None, offset: int = 0) -> Request:
    """Build `listApiKeys`; the first page is asked for as documented, without page parameters."""
    return page_request("list_api_keys", _KEYS, limit=limit, offset=offset)


def revoke_api_key(key_id: str) -> Request:
    """Build `revokeApiKey`."""
    path = f"{_KEYS}/{{}}"
    return item_request("revoke_api_key", "DELETE", path, "key_id", key_id, kind=RequestKind.IDEMPOTENT)


def _write(operation: str, path: str, body: dict[str, Any] | None) -> Request:
    return Request(operation=operation, method="POST", path=path, kind=RequestKind.OTHER_WRITE, json=body)
