"""Requests about connected accounts and slots; see https://reelmirror.com/docs/guides/publishing."""

from __future__ import annotations

from reelpub.policies.safety import RequestKind
from reelpub.providers.reelmirror.checks import Checks
from reelpub.providers.reelmirror.endpoints.build import item_request, page_request
from reelpub.providers.reelmirror.schemas import Platform
from reelpub.transport.message import Request

__all__ = [
    "disconnect_account",
    "get_account_slots",
    "get_connect_url",
    "list_connected_accounts",
    "set_account_slots",
]

_ACCOUNTS = "/v1/publishing/accounts"
_SLOTS = "/v1/publishing/accounts/slots"


def list_connected_accounts(*, limit: int | None = None, offset: int = 0) -> Request:
    """Build `listConnectedAccounts`; the first page is asked for as documented, without page parameters."""
    return page_request("list_connected_accounts", _ACCOUNTS, limit=limit, offset=offset)


def get_connect_url(platform: Platform | str) -> Request:
    """Build `getConnectUrl`."""
    checks = Checks()
    checks.required("platform", platform)
    checks.one_of("platform", platform, Platform)
    checks.finish()
    return Request(
        operation="get_connect_url",
        method="GET",
        path=f"{_ACCOUNTS}/connect",
        kind=RequestKind.READ,
        query=(("platform", str(platform)),),
    )


def disconnect_account(account_id: str) -> Request:
    """Build `disconnectAccount`."""
    path = f"{_ACCOUNTS}/{{}}"
    return item_request("disconnect_account", "DELETE", path, "account_id", account_id, kind=RequestKind.IDEMPOTENT)


def get_account_slots() -> Request:
    """Build `getAccountSlots`."""
    return Request(operation="get_account_slots", method="GET", path=_SLOTS, kind=RequestKind.READ)


def set_account_slots(slots: int, *, return_url: str | None = None) -> Request:
    """Build `setAccountSlots`: *slots* is the total to have, so a repeat buys nothing more."""
    checks = Checks()
    checks.required("slots", slots)
    checks.whole("slots", slots, least=0)
    checks.optional_identifier("return_url", return_url)
    checks.finish()
    body = {"slots": slots} if return_url is None else {"slots": slots, "returnUrl": return_url}
    return Request(operation="set_account_slots", method="POST", path=_SLOTS, kind=RequestKind.IDEMPOTENT, json=body)
