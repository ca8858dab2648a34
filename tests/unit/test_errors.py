"""The error tree: types by status, attributes, and words."""

from __future__ import annotations

import builtins
import copy
import inspect
import pickle
from types import SimpleNamespace

import pytest

from reelpub import errors
from reelpub.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    DeadlineExceeded,
    DecodeError,
    DeliveryFailed,
    NotFoundError,
    OutcomeUnknown,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RateLimitWouldBlock,
    ReelPubError,
    RequestTimeout,
    ServerError,
    TransportError,
    UnsupportedOperation,
    ValidationError,
    status_error,
)

NAMES = {"operation": "publish_clip", "provider": "reap"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, APIStatusError),
        (400, BadRequestError),
        (401, AuthenticationError),
        (402, PaymentRequiredError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, APIStatusError),
        (409, ConflictError),
        (422, BadRequestError),
        (429, RateLimitError),
        (500, ServerError),
        (503, ServerError),
    ],
)
def test_the_type_follows_from_the_status(status, kind):
    error = status_error(status, "words", code="CODE", details=[1], headers={"date": "x"}, **NAMES)
    assert type(error) is kind
    assert isinstance(error, APIStatusError)
    assert (error.status, error.code, error.message, error.details) == (status, "CODE", "words", [1])
    assert (error.operation, error.provider, error.headers) == ("publish_clip", "reap", {"date": "x"})
    assert str(error) == f"reap publish_clip: {status} CODE: words"


def test_without_a_code_the_status_stands_alone():
    assert str(status_error(404, "Project not found", **NAMES)) == "reap publish_clip: 404: Project not found"


def test_a_rate_limit_has_its_wait():
    assert status_error(429, "slow", retry_after=3.0, **NAMES).retry_after == 3.0


def test_transport_errors_say_whether_the_request_left():
    assert ConnectError("refused", **NAMES).sent is False
    error = RequestTimeout("no answer", sent=None, **NAMES)
    assert isinstance(error, TransportError)
    assert isinstance(error, TimeoutError)
    assert (error.sent, str(error)) == (None, "reap publish_clip: no answer")


def test_unsupported_says_who_can():
    error = UnsupportedOperation("retry_failed", "reap", supported_by=["reelmirror"])
    assert isinstance(error, ConfigurationError)
    assert str(error) == "reap can't retry failed; supported by: reelmirror"
    assert str(UnsupportedOperation("fly", "reap")) == "reap can't fly"


def test_validation_lists_every_problem():
    error = ValidationError(["tags: 11, 10 at most", "title: empty"])
    assert error.problems == ("tags: 11, 10 at most", "title: empty")
    assert str(error) == "tags: 11, 10 at most; title: empty"


def test_decode_errors_list_every_problem():
    error = DecodeError("doesn't fit", problems=["a", "b"], status=200, **NAMES)
    assert (error.problems, error.status) == (("a", "b"), 200)
    assert str(error) == "reap publish_clip: doesn't fit: a; b"
    assert str(DecodeError("cut off", **NAMES)) == "reap publish_clip: cut off"


def test_waits_deadlines_and_unknown_outcomes():
    blocked = RateLimitWouldBlock(12.34, **NAMES)
    assert blocked.delay == 12.34
    assert "12.3 s" in str(blocked)
    late = DeadlineExceeded("too late", last_status="processing")
    assert isinstance(late, TimeoutError)
    assert late.last_status == "processing"
    cause = ValueError("x")
    unknown = OutcomeUnknown("may be live", cause=cause, **NAMES)
    assert (unknown.cause, str(unknown)) == (cause, "reap publish_clip: may be live")


def test_a_failed_delivery_tells_the_providers_words():
    deliveries = [
        SimpleNamespace(account="tiktok:a", is_failed=True, error="no rights"),
        SimpleNamespace(account="x:b", is_failed=True, error=None),
        SimpleNamespace(account="x:c", is_failed=False, error=None),
    ]
    error = DeliveryFailed(SimpleNamespace(provider="reap", id="p1", deliveries=deliveries))
    assert str(error) == "reap post p1: tiktok:a: no rights; x:b: no reason given"


def test_every_error_is_ours_is_drawn_in_the_tree_and_hides_no_builtin():
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if kind.__module__ == errors.__name__:
            assert issubclass(kind, ReelPubError)
            assert name in errors.__doc__ or name == "ReelPubError"
            assert name in errors.__all__
            assert not hasattr(builtins, name)


SAMPLES = [
    ReelPubError("words"),
    UnsupportedOperation("retry_failed", "reap", supported_by=["reelmirror"]),
    ValidationError(["tags: 11, 10 at most", "title: empty"]),
    TransportError("reset", sent=None, **NAMES),
    ConnectError("refused", **NAMES),
    RequestTimeout("no answer", sent=True, **NAMES),
    *(status_error(status, "words", code="CODE", headers={"date": "x"}, **NAMES) for status in (302, 400, 404, 503)),
    status_error(429, "slow", retry_after=3.0, **NAMES),
    DecodeError("doesn't fit", problems=["a", "b"], status=200, **NAMES),
    RateLimitWouldBlock(12.34, **NAMES),
    DeadlineExceeded("too late", last_status="processing"),
    errors.JobNotFound("job_1"),
    OutcomeUnknown("may be live", cause=None, **NAMES),
    errors.LeaseLost("another process has it"),
]


@pytest.mark.parametrize("again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_can_be_copied_and_cross_to_another_process(error, again):
    """Such as in an outcome that a worker process returns; its type, words and members are the same there."""
    found = again(error)
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert vars(found) == vars(error)
    assert found.args == error.args
