"""Small parts that the request builders share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reelpub.policies.safety import RequestKind
from reelpub.providers.arguments import can_be_id
from reelpub.providers.reelmirror.checks import Checks
from reelpub.transport.message import Request, path_segment

__all__ = ["given", "instant_text", "item_request", "page_request"]


def given(**members: Any) -> dict[str, Any]:
    """Return the *members* that were given, that is, that aren't None."""
    return {name: value for name, value in members.items() if value is not None}


def instant_text(instant: datetime) -> str:
    """Return an aware *instant* as RFC 3339 in UTC, with ``Z`` as in the vendor's examples."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def item_request(
    operation: str,
    method: str,
    path: str,
    field: str,
    value: str,
    *,
    kind: RequestKind,
    json: Mapping[str, Any] | None = None,
) -> Request:
    """Return a request about the one record whose id is *value*; *path* has ``{}`` where the id belongs."""
    if not can_be_id(value):
        checks = Checks()
        checks.identifier(field, value)
        checks.finish()
    return Request(operation=operation, method=method, path=path.format(path_segment(value)), kind=kind, json=json)


def page_request(operation: str, path: str, *, limit: int | None, offset: int) -> Request:
    """Return a request for one page of a list; without *limit* neither it nor the offset is sent."""
    checks = Checks()
    checks.page(limit, offset)
    checks.finish()
    query = () if limit is None else (("limit", str(limit)), ("offset", str(offset)))
    return Request(operation=operation, method="GET", path=path, kind=RequestKind.READ, query=query)
