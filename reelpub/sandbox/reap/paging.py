"""Query parameters, filters and pages of the list operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from reelpub.sandbox.wire import Call

__all__ = ["choices", "in_period", "number", "page"]

T = TypeVar("T")

_LARGEST_JSON_INTEGER = 2**53 - 1
"""Page numbers are echoed; one beyond what JSON readers take exactly is echoed as this."""


def number(call: Call, name: str, default: int | None = None) -> int | None:
    """Return the integer query parameter *name*, or *default* where it wasn't sent."""
    value = call.query.get(name)
    return default if value is None else int(value)


def choices(call: Call, name: str) -> frozenset[str]:
    """Return the values of the repeatable query parameter *name*; none means no filter."""
    value = call.query.get(name)
    if value is None:
        return frozenset()
    return frozenset([value] if isinstance(value, str) else value)


def in_period(call: Call, *, inclusive: bool) -> Callable[[float], bool]:
    """Return a test of creation times against `createdAfter` and `createdBefore`, in whole seconds."""
    after, before = number(call, "createdAfter"), number(call, "createdBefore")
    slack = 0 if inclusive else 1

    def test(created_at: float) -> bool:
        second = int(created_at)
        return (after is None or second >= after + slack) and (before is None or second <= before - slack)

    return test


def page(call: Call, rows: Sequence[T], render: Callable[[T], Any], *, noun: str, size: int) -> dict[str, Any]:
    """Return one page of *rows*: the list under *noun*, and the totals under the names that go with it.

    *size* is the page size where the call names none. A page after the last is empty.
    """
    wanted, length = number(call, "page", 1) or 1, number(call, "pageSize", size) or size
    start = (wanted - 1) * length
    return {
        noun: [render(row) for row in rows[start : start + length]],
        "currentPage": min(wanted, _LARGEST_JSON_INTEGER),
        "totalPages": -(-len(rows) // length),
        f"total{noun.capitalize()}": len(rows),
    }
