"""Members whose names and types the vendor's pages have changed, brought to the present ones.

See contracts/reelmirror.md, contradiction 10: older pages show other names for the same members, and nothing says
which of them the service sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from attrs import fields_dict

__all__ = ["has_old_names", "modern"]

_RENAMED = {
    "auto_reload_enabled": "auto_reload",
    "auto_reload_amount_cents": "reload_amount_cents",
    "auto_reload_threshold_cents": "reload_threshold_cents",
}


_PRESENT = frozenset({"balance_cents", "operation_type", "setup_url"})
"""The members by which a schema is told that `modern` has something to say to."""


@cache
def has_old_names(type_: type) -> bool:
    """Return whether the schema *type_* is one whose members have had other names."""
    return not _PRESENT.isdisjoint(fields_dict(type_))


def modern(value: Any) -> Any:
    """Return *value* with the balance and transaction members of older pages under their present names.

    Looks into ``data``, and moves a ``setup_url`` from beside it into it, as its place isn't documented.
    """
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("data"), dict):
        moved = {"setup_url": value["setup_url"]} if "setup_url" in value else {}
        data = modern(value["data"])
        return {**value, "data": {**moved, **data}} if moved or data is not value["data"] else value
    if "balance_cents" in value:
        return _balance(value)
    if "amount_cents" in value and "type" in value:
        return {"operation_type": value["type"], **value}
    return value


def _balance(value: Mapping[str, Any]) -> dict[str, Any]:
    present = {_RENAMED.get(name, name): member for name, member in value.items()}
    dollars = present.get("balance_dollars")
    if isinstance(dollars, int | float) and not isinstance(dollars, bool):
        present["balance_dollars"] = f"{dollars:.2f}"
    return present
