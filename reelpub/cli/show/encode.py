"""Values as JSON: what ``--json`` prints, one object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import attrs

from reelpub.models.event import EventsMissed, JobEvent
from reelpub.models.request import PublishRequest

__all__ = ["encode", "event_record", "line", "record"]


def encode(value: object) -> Any:
    """Return *value* in JSON's types. A request becomes its name, an error its type and message, infinity null."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case PublishRequest():
            return str(value)
        case BaseException():
            return {"type": type(value).__name__, "message": str(value)}
        case Mapping():
            return {str(key): encode(member) for key, member in value.items()}
        case tuple() | list():
            return [encode(member) for member in value]
    return _members(value) if attrs.has(type(value)) else str(value)


def _members(value: Any) -> dict[str, Any]:
    return {field.name: encode(getattr(value, field.name)) for field in attrs.fields(type(value))}


def record(kind: str, value: object = None, **members: object) -> dict[str, Any]:
    """Return one line's object: its ``type`` first, then the members of *value*, then *members*."""
    return {"type": kind, **({} if value is None else _members(value)), **encode(members)}


def event_record(event: JobEvent | EventsMissed, **members: object) -> dict[str, Any]:
    """Return an event's line; ``type`` is its kind."""
    return record(event.kind, event, **members)


def line(members: Mapping[str, Any]) -> str:
    """Return *members* as one line of JSON in pure ASCII, so that a terminal that shows it obeys nothing in it."""
    return json.dumps(members, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f")
