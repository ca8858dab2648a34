"""Every error that `reelpub` raises on purpose.

::

    ReelPubError
    ├── ConfigurationError          wrong use; no request was made
    │   ├── JobNotFound             .job_id: no such job is known
    │   ├── UnsupportedOperation    the provider can't do this (says which can)
    │   └── ValidationError         .problems: every one of them, with field, value and limit
    ├── TransportError              no usable response; .sent says whether the request left
    │   ├── ConnectError            never sent
    │   └── RequestTimeout          also a TimeoutError
    ├── APIStatusError              the provider answered with an error status
    │   ├── BadRequestError         400, 422
    │   ├── AuthenticationError     401
    │   ├── PaymentRequiredError    402
    │   ├── PermissionDeniedError   403
    │   ├── NotFoundError           404
    │   ├── ConflictError           409
    │   ├── RateLimitError          429; .retry_after
    │   └── ServerError             5xx
    ├── DecodeError                 a success that can't be read; .problems
    ├── RateLimitWouldBlock         the wait for the limit is longer than the caller allows; .delay
    ├── DeadlineExceeded            .last_status; also a TimeoutError
    ├── DeliveryFailed              .post: the provider reports failed deliveries
    ├── OutcomeUnknown              .cause: it may or may not be live
    └── StoreError                  the store can't be read or written; nothing was sent without its note
        └── LeaseLost               another process has taken the job over

What to do next follows from the type, never from words in a message. No message, argument or attribute
of an error holds an API key or an `Authorization` header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelpub.models.post import Post
    from reelpub.models.problem import Problem

__all__ = [
    "APIStatusError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "DeadlineExceeded",
    "DecodeError",
    "DeliveryFailed",
    "JobNotFound",
    "LeaseLost",
    "NotFoundError",
    "OutcomeUnknown",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "RateLimitWouldBlock",
    "ReelPubError",
    "RequestTimeout",
    "ServerError",
    "StoreError",
    "TransportError",
    "UnsupportedOperation",
    "ValidationError",
    "status_error",
]


class ReelPubError(Exception):
    """Base of every error that `reelpub` raises on purpose. It can be copied and pickled if its members can."""

    def __reduce__(self) -> tuple[object, ...]:
        # `Exception` would call the constructor again with the words, which most of those here put together themselves.
        return _restored, (type(self), self.args), vars(self)


def _restored(kind: type[ReelPubError], args: tuple[object, ...]) -> ReelPubError:
    error = kind.__new__(kind)
    error.args = args
    return error


class ConfigurationError(ReelPubError):
    """Wrong use of the library; no request was made."""


class JobNotFound(ConfigurationError):
    """No job of the id `job_id` is known: to this orchestrator or, where that is asked, its store."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"job {job_id!r} isn't known here")


class UnsupportedOperation(ConfigurationError):
    """The provider can't do what was asked; `supported_by` names the providers that can."""

    def __init__(self, capability: str, provider: str, *, supported_by: Sequence[str] = ()) -> None:
        self.capability = capability
        self.provider = provider
        self.supported_by = tuple(supported_by)
        can = f"; supported by: {', '.join(self.supported_by)}" if self.supported_by else ""
        super().__init__(f"{provider} can't {capability.replace('_', ' ')}{can}")


class ValidationError(ConfigurationError):
    """The request can't be sent as it stands; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class TransportError(ReelPubError):
    """No usable response came back.

    `sent` is False when no byte of the request left this machine, True when the whole request did,
    None when that can't be told. `operation` is the provider's operation, such as ``publish_clip``.
    """

    def __init__(self, message: str, *, operation: str, provider: str, sent: bool | None) -> None:
        self.operation = operation
        self.provider = provider
        self.sent = sent
        super().__init__(f"{provider} {operation}: {message}")


class ConnectError(TransportError):
    """No connection could be made, so the request was never sent."""

    def __init__(self, message: str, *, operation: str, provider: str) -> None:
        super().__init__(message, operation=operation, provider=provider, sent=False)


class RequestTimeout(TransportError, TimeoutError):
    """One request took longer than its timeout; `sent` says whether it had left."""


class APIStatusError(ReelPubError):
    """The provider answered with an error status.

    `code` is the provider's machine-readable code (ReelMirror has one, Reap has none), `message` its own
    words, `details` whatever else it said. `headers` holds the answer's rate-limit and date headers with
    lower-case names.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        operation: str,
        provider: str,
        code: str | None = None,
        details: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.operation = operation
        self.provider = provider
        self.code = code
        self.message = message
        self.details = details
        self.headers = dict(headers or {})
        label = f"{status} {code}" if code else str(status)
        super().__init__(f"{provider} {operation}: {label}: {message}")


class BadRequestError(APIStatusError):
    """400 or 422: the provider refuses the request as it stands."""


class AuthenticationError(APIStatusError):
    """401: the key is missing, wrong or revoked."""


class PaymentRequiredError(APIStatusError):
    """402: the balance doesn't cover the operation."""


class PermissionDeniedError(APIStatusError):
    """403: the key lacks a scope or permission."""


class NotFoundError(APIStatusError):
    """404: no such record."""


class ConflictError(APIStatusError):
    """409: the record is in a state that forbids this, or exists already."""


class RateLimitError(APIStatusError):
    """429: over the limit; nothing was done. `retry_after` is the wait in seconds where one was announced."""

    def __init__(self, message: str, *, retry_after: float | None = None, **kwargs: Any) -> None:
        self.retry_after = retry_after
        super().__init__(message, **kwargs)


class ServerError(APIStatusError):
    """5xx: the provider failed; whether a write took effect can't be told from this answer."""


class DecodeError(ReelPubError):
    """A successful answer that can't be read; `problems` has a line for each member that doesn't fit."""

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        provider: str,
        status: int | None = None,
        problems: Sequence[str] = (),
    ) -> None:
        self.operation = operation
        self.provider = provider
        self.status = status
        self.problems = tuple(problems)
        more = f": {'; '.join(self.problems)}" if self.problems else ""
        super().__init__(f"{provider} {operation}: {message}{more}")


class RateLimitWouldBlock(ReelPubError):
    """The wait for the rate limit would outlast the caller's deadline; nothing was sent. `delay` is in seconds."""

    def __init__(self, delay: float, *, operation: str, provider: str) -> None:
        self.delay = delay
        self.operation = operation
        self.provider = provider
        super().__init__(f"{provider} {operation}: the rate limit allows it only in {delay:.1f} s, after the deadline")


class DeadlineExceeded(ReelPubError, TimeoutError):
    """The deadline passed before the work was finished; `last_status` is the last one seen, if any."""

    def __init__(self, message: str, *, last_status: str | None = None) -> None:
        self.last_status = last_status
        super().__init__(message)


class DeliveryFailed(ReelPubError):
    """The provider reports failed deliveries; `post` has its words for each account."""

    def __init__(self, post: Post) -> None:
        self.post = post
        failed = [d for d in post.deliveries if d.is_failed]
        said = "; ".join(f"{d.account}: {d.error or 'no reason given'}" for d in failed)
        super().__init__(f"{post.provider} post {post.id}: {said}")


class OutcomeUnknown(ReelPubError):
    """A call that can't be repeated may or may not have taken effect; `cause` is what went wrong with it."""

    def __init__(self, message: str, *, operation: str, provider: str, cause: BaseException | None = None) -> None:
        self.operation = operation
        self.provider = provider
        self.cause = cause
        super().__init__(f"{provider} {operation}: {message}")


class StoreError(ReelPubError):
    """The store can't be read or written; nothing is sent that it should have noted first."""


class LeaseLost(StoreError):
    """Another process has taken the job over; this one sends nothing more for it."""


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: BadRequestError,
}


def status_error(
    status: int,
    message: str,
    *,
    operation: str,
    provider: str,
    code: str | None = None,
    details: Any = None,
    headers: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> APIStatusError:
    """Return the error whose type says what *status* means."""
    common: dict[str, Any] = {
        "status": status,
        "operation": operation,
        "provider": provider,
        "code": code,
        "details": details,
        "headers": headers,
    }
    if status == 429:
        return RateLimitError(message, retry_after=retry_after, **common)
    if status >= 500:
        return ServerError(message, **common)
    return _BY_STATUS.get(status, APIStatusError)(message, **common)
