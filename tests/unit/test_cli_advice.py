"""Errors name what to do next."""

from __future__ import annotations

import pytest

from reelpub import errors
from reelpub.cli.setup import publishers
from reelpub.cli.show.advice import advice, complaint
from reelpub.clocks import SystemClock
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
    in_their_own_words = {errors.ReelPubError, errors.ConfigurationError, errors.JobNotFound, errors.ValidationError}
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


def test_what_isnt_found_may_be_looked_for_at_a_wrong_address():
    """A path that is wrong in the address gives 404, too; it is named only where it was set."""
    lost = errors.status_error(404, "No such path", **CALL)
    assert "REAP_BASE_URL" in advice(lost, {"REAP_BASE_URL": "https://public.reap.video/api"})
    assert "REAP_BASE_URL" not in advice(lost, {})


@pytest.mark.parametrize("name", [None, "reap"])
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("REAP_API_KEY", "a key", "REAP_API_KEY: holds a space"),
        ("REAP_BASE_URL", "reap.example/api", "REAP_BASE_URL: must be an http or https URL with a host"),
    ],
)
def test_what_cant_be_read_in_the_environment_names_its_variable(monkeypatch, name, variable, value, said):
    values = {
        "REELMIRROR_API_KEY": "key",
        "REELMIRROR_BASE_URL": "https://reelmirror.example",
        "REAP_API_KEY": "key",
        "REAP_BASE_URL": "https://reap.example",
        variable: value,
    }
    for one, text in values.items():
        monkeypatch.setenv(one, text)
    with pytest.raises(errors.ConfigurationError, match=f"^{said}"):
        publishers(SystemClock(), name)


def test_of_several_addresses_the_one_that_is_wrong_is_named(monkeypatch):
    for name in ("REAP", "REELMIRROR"):
        monkeypatch.setenv(f"{name}_API_KEY", "key")
        monkeypatch.setenv(f"{name}_BASE_URL", f"https://{name.lower()}.example")
    monkeypatch.setenv("REELMIRROR_BASE_URL", "https://")
    with pytest.raises(errors.ConfigurationError, match=r"^REELMIRROR_BASE_URL: must be"):
        publishers(SystemClock(), None)


def test_without_a_key_the_error_stays_what_it_is(monkeypatch):
    for one in ("REAP_API_KEY", "REELMIRROR_API_KEY"):
        monkeypatch.delenv(one, raising=False)
    with pytest.raises(errors.ConfigurationError, match=r"^no API key found"):
        publishers(SystemClock(), None)


def test_a_missing_key_leads_to_the_sandbox():
    said = complaint(errors.ConfigurationError("no API key found: set REAP_API_KEY"))
    assert "reelpub sandbox" in said


def test_each_problem_is_a_line_that_says_what_would_be_right():
    problems = [Problem(field="at", message="is in the past"), Problem(field="tags", message="\x1b[2Jtoo many")]
    assert complaint(errors.ValidationError(problems)).splitlines() == [
        "reelpub: at: is in the past",
        "reelpub: tags: \\x1b[2Jtoo many",
    ]
