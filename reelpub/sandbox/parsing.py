"""From the bytes of a request to a validated `Call`: bearer key, body by content type, problems as providers say."""

from __future__ import annotations

from email.parser import BytesParser
from typing import Any

import orjson
from attrs import field, frozen

from reelpub.sandbox.contract import Contract, Operation, Problem
from reelpub.sandbox.wire import Refusal

__all__ = ["Body", "bearer_key", "read_body", "refuse_problems"]

_JSON = "application/json"
_MULTIPART = "multipart/form-data"

_FASTAPI_TYPES = {
    "required": "missing",
    "additionalProperties": "extra_forbidden",
    "enum": "enum",
    "maxLength": "string_too_long",
    "minLength": "string_too_short",
    "maxItems": "too_long",
    "minItems": "too_short",
    "minimum": "greater_than_equal",
    "maximum": "less_than_equal",
    "json": "json_invalid",
}


@frozen(kw_only=True)
class Body:
    """A decoded body: its value (a form's fields by name), and the names of the files it brought."""

    value: Any = None
    files: tuple[str, ...] = field(default=())


def bearer_key(authorization: str | None) -> str | None:
    """Return the key of an ``Authorization: Bearer`` header, or None if it has none."""
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def read_body(contract: Contract, operation: Operation, content_type: str, raw: bytes) -> tuple[Body, list[Problem]]:
    """Return the decoded body of a call of *operation* and what is wrong with it."""
    kind = content_type.partition(";")[0].strip().lower()
    if not operation.bodies:
        return Body(), [_body_problem("takes no body", "additionalProperties")] if raw else []
    if kind not in operation.bodies:
        return Body(), [_body_problem(f"Content-Type has to be {' or '.join(operation.bodies)}", "content_type")]
    try:
        body = _form(content_type, raw) if kind == _MULTIPART else Body(value=orjson.loads(raw))
    except ValueError as error:
        return Body(), [_body_problem(f"isn't readable: {error}", "json")]
    return body, contract.judge_body(operation, kind, body.value)


def refuse_problems(provider: str, problems: list[Problem]) -> Refusal:
    """Return the refusal for *problems* in the shape of *provider*: FastAPI's 422 at Reap, else 400."""
    if provider == "reap":
        return Refusal(422, "The request isn't valid.", details=[_fastapi(problem) for problem in problems])
    lines = [f"{'.'.join(map(str, problem.where))}: {problem.message}" for problem in problems]
    return Refusal(400, "; ".join(lines), code="VALIDATION_ERROR", details={"problems": lines})


def _body_problem(message: str, keyword: str) -> Problem:
    return Problem(where=("body",), message=message, keyword=keyword)


def _fastapi(problem: Problem) -> dict[str, Any]:
    kind = _FASTAPI_TYPES.get(problem.keyword, f"{problem.keyword}_error")
    return {"loc": list(problem.where), "msg": problem.message, "type": kind}


def _form(content_type: str, raw: bytes) -> Body:
    """Decode a multipart form; a file's value is its name, since nobody looks at its bytes."""
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + raw)
    if not message.is_multipart():
        raise ValueError("no boundary, or no parts")
    values: dict[str, Any] = {}
    names: list[str] = []
    for part in message.get_payload():
        assert not isinstance(part, str)  # noqa: S101  (the parts of a multipart message are messages)
        field_name = str(part.get_param("name", "", header="content-disposition"))
        file_name = part.get_filename()
        if file_name is not None:
            names.append(file_name)
        data = part.get_payload(decode=True)
        values[field_name] = file_name if file_name is not None else bytes(data or b"").decode()
    return Body(value=values, files=tuple(names))
