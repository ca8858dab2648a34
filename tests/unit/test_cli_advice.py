"""Errors name what to do next."""

from __future__ import annotations

import pytest

from reelpub import errors
from reelpub.cli.show.advice import advice, complaint
from reelpub.models.account import Account
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.problem import Problem

CALL = {"operation": "publish_clip", "provider": "reap"}
FAILED = Delivery(account=Account(id="1", provider="reap", platform="x"), status=DeliveryStatus.FAILED)
ERRORS = [
    errors.UnsupportedOperation("reschedule", "reap", supported_by=["reelmirror"]),
    *(errors.status_error(status, "no", **CALL) for status in (400, 401, 402, 403, 404, 409, 418, 422, 429, 502)),
    errors.ConnectError("refused", **CALL),
    errors.RequestTimeout("30 s", sent=None, **CALL),
    errors.TransportError("cut", sent=True, **CALL),
    errors.DecodeError("no JSON", **CALL),
    errors.RateLimitWouldBlock(12.0, **CALL),
    errors.DeadlineExceeded("too long"),
    errors.DeliveryFailed(
        Post(id="p", provider="reap", publisher="reap", status=PostStatus.FAILED, deliveries=(FAILED,))
    ),
    errors.OutcomeUnknown("lost", **CALL),
    errors.StoreError("disk full"),
    errors.LeaseLost("taken"),
]


def kinds(kind: type) -> set[type]:
    return {kind}.union(*(kinds(each) for each in kind.__subclasses__() if each.__module__ == errors.__name__))


def test_every_kind_of_error_is_looked_at():
    told = {type(error) for error in ERRORS}
    in_their_own_words = {errors.ReelPubError, errors.ConfigurationError, errors.ValidationError}
    assert told | in_their_own_words == kinds(errors.ReelPubError)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__}-{getattr(error, 'status', '')}")
def test_each_says_what_to_do(error):
    said = advice(error)
    assert said
    assert "{" not in said
    assert complaint(error).endswith(f"\nreelpub: next: {said}")


def test_the_variable_of_the_key_is_named():
    assert "REAP_API_KEY" in advice(ERRORS[2])
    assert "REAP_BASE_URL" in advice(errors.ConnectError("refused", **CALL))


def test_a_missing_key_leads_to_the_sandbox():
    said = complaint(errors.ConfigurationError("no API key found: set REAP_API_KEY"))
    assert "reelpub sandbox" in said


def test_each_problem_is_a_line_that_says_what_would_be_right():
    problems = [Problem(field="at", message="is in the past"), Problem(field="tags", message="\x1b[2Jtoo many")]
    assert complaint(errors.ValidationError(problems)).splitlines() == [
        "reelpub: at: is in the past",
        "reelpub: tags: \\x1b[2Jtoo many",
    ]
