"""The three forms that Reap's requests take: GET, POST with a JSON body, DELETE with the ids in the query."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import attrs

from reelpub.policies.safety import RequestKind
from reelpub.providers.arguments import is_list
from reelpub.providers.reap.converter import CONVERTER
from reelpub.providers.structure import UNSET, camel_case
from reelpub.transport.message import Request

__all__ = ["delete", "get", "post"]


def get(operation: str, **query: object) -> Request:
    """Return a read of *operation*; members that are None or `UNSET` are left out, lists repeat their name."""
    return Request(operation=operation, method="GET", path=_path(operation), kind=RequestKind.READ, query=_query(query))


def delete(operation: str, **query: object) -> Request:
    """Return a deletion by the ids in *query*; the end is the same however often it is sent."""
    return Request(
        operation=operation, method="DELETE", path=_path(operation), kind=RequestKind.IDEMPOTENT, query=_query(query)
    )


def post(
    operation: str, kind: RequestKind, members: Mapping[str, object], *, nullable: Mapping[str, object] | None = None
) -> Request:
    """Return a write of *operation*.

    *members* that are None or `UNSET` are left out. Those of *nullable* are left out when `UNSET`, and null when None.
    """
    given = {name: value for name, value in members.items() if value is not None and value is not UNSET}
    given |= {name: value for name, value in (nullable or {}).items() if value is not UNSET}
    body = {camel_case(name): _wire(value) for name, value in given.items()}
    return Request(operation=operation, method="POST", path=_path(operation), kind=kind, json=body)


def _path(operation: str) -> str:
    return "/" + operation.replace("_", "-")


def _query(members: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for name, value in members.items():
        values = value if is_list(value) else () if value is None or value is UNSET else (value,)
        pairs.extend((camel_case(name), str(item)) for item in values)
    return tuple(pairs)


def _wire(value: Any) -> Any:
    if attrs.has(type(value)):
        return CONVERTER.unstructure(value)
    if isinstance(value, Mapping):
        return {str(name): _wire(member) for name, member in value.items()}
    if is_list(value):
        return [_wire(item) for item in value]
    return value.value if isinstance(value, Enum) else value
