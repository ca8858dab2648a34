"""The converter from ReelMirror's JSON to its schemas."""

from __future__ import annotations

from reelpub.providers.structure import make_converter

__all__ = ["CONVERTER", "wire_name"]

# All other members are snake_case on the wire too (contracts/reelmirror.md, contradiction 8).
_CAMEL_CASE = {"auth_url": "authUrl", "checkout_url": "checkoutUrl", "subscription_id": "subscriptionId"}


def wire_name(name: str) -> str:
    """Return the name that the member *name* of a schema has in ReelMirror's JSON."""
    return _CAMEL_CASE.get(name, name)


CONVERTER = make_converter(wire_name=wire_name)
