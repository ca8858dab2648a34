"""Schemas for the answers that the contract leaves open, as this dialect gives them."""

from __future__ import annotations

from typing import Any

from reelpub.sandbox.dialect import ReelMirrorDialect

__all__ = ["answer_schemas"]

Json = dict[str, Any]
_POST_WRITES = (
    "updateOutgoingPost",
    "deleteOutgoingPost",
    "publishOutgoingPost",
    "scheduleOutgoingPost",
    "cancelOutgoingPost",
    "retryOutgoingPost",
)
_OTHER_WRITES = {
    "deletePersona": "Persona",
    "disconnectAccount": "ConnectedAccount",
    "rejectGeneratedPost": "GeneratedPost",
    "rejectGeneratedMediaItem": "GeneratedMediaItem",
}

_WITHOUT_SECRET: Json = {"type": "object", "required": ["id", "name"], "not": {"required": ["key"]}}
"""An API key as it is shown after it was made."""


def answer_schemas(dialect: ReelMirrorDialect) -> dict[tuple[str, int], Json]:
    """Return the schema of each successful answer for which the contract has none, by operationId and status.

    They refer to the contract's components. A 204 has no body and no schema.
    """
    rows = {(operation, 200): _written(dialect, _ref("OutgoingPost")) for operation in _POST_WRITES}
    rows |= {(operation, 200): _written(dialect, _ref(name)) for operation, name in _OTHER_WRITES.items()}
    rows |= {
        ("revokeApiKey", 200): _written(dialect, _WITHOUT_SECRET),
        ("getOutgoingPost", 200): _wrapped(dialect.post_envelope, _ref("OutgoingPost")),
        ("createPersona", 201): _wrapped("data", _ref("Persona")),
        ("getPersona", 200): _wrapped(dialect.object_envelope, _ref("Persona")),
        ("updatePersona", 200): _wrapped(dialect.object_envelope, _ref("Persona")),
        ("addPublishingTarget", 201): _wrapped("data", _closed("persona_id", "connected_account_id")),
        ("listApiKeys", 200): {
            "type": "object",
            "required": ["data", "count"],
            "properties": {"data": {"type": "array", "items": _WITHOUT_SECRET}},
        },
    }
    return rows


def _written(dialect: ReelMirrorDialect, schema: Json) -> Json:
    if dialect.write_answer == "status_only":
        return _closed("status")
    return _wrapped("bare" if dialect.write_answer == "bare" else dialect.post_envelope, schema)


def _wrapped(envelope: str, schema: Json) -> Json:
    if envelope == "bare":
        return schema
    return {"type": "object", "required": [envelope], "properties": {envelope: schema}, "additionalProperties": False}


def _closed(*names: str) -> Json:
    members = {name: {"type": "string"} for name in names}
    return {"type": "object", "required": list(names), "properties": members, "additionalProperties": False}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
