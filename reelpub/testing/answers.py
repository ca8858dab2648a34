"""Whether an answer is what a provider's contract says: for tests of the sandbox, and of a service beside it."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from reelpub.sandbox.contract import Contract, Problem

__all__ = ["judge_answer"]

_COMMON_ANSWERS = {
    400: "BadRequest",
    401: "Unauthorized",
    402: "InsufficientBalance",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    422: "ValidationFailed",
    429: ("RateLimited", "TooManyRequests"),
    500: ("InternalError", "ServerError"),
    502: "UpstreamError",
    503: "ServiceUnavailable",
}
"""The contracts' common error answers: an operation may give any of them, whether or not it lists it."""


def judge_answer(contract: Contract, operation_id: str, status: int, body: Any, schema: Any = None) -> list[Problem]:
    """Return what is wrong with an answer; *schema*, where given, stands in for the contract's own.

    A status that the contract doesn't name for the operation is judged as the common error of that status.
    """
    answers = contract.operations[operation_id].answers
    response = answers.get(str(status)) or answers.get(f"{status // 100}XX") or _common(contract, status)
    if response is None:
        return [Problem(where=(), message=f"status {status} isn't in the contract", keyword="status")]
    found = contract.resolved(response).get("content", {}).get("application/json", {}).get("schema", {})
    document = {**(found if schema is None else schema), "components": contract.document["components"]}
    return [
        Problem(where=tuple(error.absolute_path), message=error.message, keyword=str(error.validator))
        for error in Draft202012Validator(document).iter_errors(body)
    ]


def _common(contract: Contract, status: int) -> Any:
    names = _COMMON_ANSWERS.get(status, ())
    responses = contract.document["components"]["responses"]
    return next((responses[name] for name in ([names] if isinstance(names, str) else names) if name in responses), None)
