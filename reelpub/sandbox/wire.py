"""What passes between the sandbox's HTTP shell and a provider's pure state: a call in, a reply out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

__all__ = ["Call", "Refusal", "Reply"]


@frozen(kw_only=True)
class Call:
    """One validated call of one operation.

    `operation` is the contract's operationId. `key` is the caller's API key. `path` and `query` hold the parameters
    by name (a repeated query parameter is a list); `body` is the decoded JSON body or None. `now` is Unix seconds.
    """

    operation: str
    key: str
    path: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, Any] = field(factory=dict)
    body: Any = None
    files: Sequence[str] = ()
    now: float


@frozen(kw_only=True)
class Reply:
    """A provider's answer: status and JSON body (None sends no body)."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(factory=dict)


class Refusal(Exception):
    """Raised by a handler to answer with an error status in the provider's own error shape."""

    def __init__(self, status: int, message: str, *, code: str | None = None, details: Any = None) -> None:
        self.status = status
        self.message = message
        self.code = code
        self.details = details
        super().__init__(f"{status} {message}")
