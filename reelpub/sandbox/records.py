"""What the sandbox remembers of each request, and what it hands to an observer."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from reelpub.sandbox.faults import FaultKind
from reelpub.sandbox.ledger import masked

__all__ = ["RecordedExchange", "RequestRecord"]


@frozen(kw_only=True)
class RequestRecord:
    """One request that reached a provider, whatever became of it.

    `at` is Unix seconds of the sandbox's clock. `operation` is None for a path that the contract doesn't know, `status`
    None where nothing was answered. `limited` tells that the rate limit itself refused it, and not an ordered fault.
    `executed` tells whether it took effect.
    """

    at: float
    provider: str
    key: str = field(repr=masked)
    operation: str | None
    method: str
    path: str
    status: int | None
    on_connection_reused: bool
    fault: FaultKind | None = None
    limited: bool = False
    executed: bool = False


@frozen(kw_only=True)
class RecordedExchange:
    """A request with its answer, whole, for a validator. Header names are as sent; Authorization is left out.

    `path` is still percent-encoded and includes the base path; `query` is the raw query string. `response_body` is
    what was meant to be sent: a fault may have cut or replaced it. `status` is None where nothing was answered.
    """

    provider: str
    operation: str | None
    method: str
    path: str
    query: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int | None
    response_headers: Mapping[str, str]
    response_body: bytes
    fault: FaultKind | None
    record: RequestRecord
