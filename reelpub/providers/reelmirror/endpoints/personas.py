"""Requests about personas and their publishing targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reelpub.policies.safety import RequestKind
from reelpub.providers.reelmirror.checks import Checks
from reelpub.providers.reelmirror.endpoints.build import given, item_request, page_request
from reelpub.transport.message import Request

__all__ = [
    "add_publishing_target",
    "create_persona",
    "delete_persona",
    "get_persona",
    "list_personas",
    "update_persona",
]

_PERSONAS = "/v1/personas"
_PERSONA = "/v1/personas/{}"


def list_personas(*, limit: int | None, offset: int) -> Request:
    """Build `listPersonas`: one page."""
    return page_request("list_personas", _PERSONAS, limit=limit, offset=offset)


def create_persona(body: Mapping[str, Any]) -> Request:
    """Build `createPersona`; no page names the members of its *body*."""
    checks = Checks()
    checks.required("body", body)
    checks.json_object("body", body)
    checks.finish()
    return Request(
        operation="create_persona", method="POST", path=_PERSONAS, kind=RequestKind.OTHER_WRITE, json=dict(body)
    )


def get_persona(persona_id: str) -> Request:
    """Build `getPersona`."""
    return item_request("get_persona", "GET", _PERSONA, "persona_id", persona_id, kind=RequestKind.READ)


def update_persona(
    persona_id: str, *, discount_mode: bool | None = None, extra: Mapping[str, Any] | None = None
) -> Request:
    """Build `updatePersona`; *extra* holds members that no page names."""
    checks = Checks()
    checks.identifier("persona_id", persona_id)
    checks.flag("discount_mode", discount_mode)
    checks.json_object("extra", extra)
    checks.require(bool(extra) or discount_mode is not None, "discount_mode", "nothing to change was given")
    checks.finish()
    body = {**(extra or {}), **given(discount_mode=discount_mode)}
    kind = RequestKind.IDEMPOTENT
    return item_request("update_persona", "PATCH", _PERSONA, "persona_id", persona_id, kind=kind, json=body)


def delete_persona(persona_id: str) -> Request:
    """Build `deletePersona`."""
    return item_request("delete_persona", "DELETE", _PERSONA, "persona_id", persona_id, kind=RequestKind.IDEMPOTENT)


def add_publishing_target(persona_id: str, body: Mapping[str, Any]) -> Request:
    """Build `addPublishingTarget`; no page names the members of its *body*."""
    checks = Checks()
    checks.identifier("persona_id", persona_id)
    checks.required("body", body)
    checks.json_object("body", body)
    checks.finish()
    path, kind = f"{_PERSONA}/publishing-targets", RequestKind.OTHER_WRITE
    return item_request("add_publishing_target", "POST", path, "persona_id", persona_id, kind=kind, json=dict(body))
