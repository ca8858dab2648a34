"""The retry policy: what is repeated, how often, and how soon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.errors import (
    ConfigurationError,
    ConnectError,
    DecodeError,
    RateLimitWouldBlock,
    RequestTimeout,
    TransportError,
    status_error,
)
from reelpub.policies.retry import GiveUp, Outage, RetryAfter, RetryPolicy, TruncatedBody, is_about_rate
from reelpub.policies.safety import RequestKind

NAMES = {"operation": "op", "provider": "reap"}
HARMLESS = {RequestKind.READ, RequestKind.IDEMPOTENT, RequestKind.CREATE_DRAFT}
NEVER = set()
ALWAYS = set(RequestKind)


def status(code, **kwargs):
    return status_error(code, "words", **NAMES, **kwargs)


def decide(kind, error, attempt=1, *, random=1.0, policy=None, **kwargs):
    return (policy or RetryPolicy()).decide(kind, error, attempt, random=random, **kwargs)


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (ConnectError("x", **NAMES), ALWAYS),
        (TransportError("x", sent=False, **NAMES), ALWAYS),
        (TransportError("x", sent=None, **NAMES), HARMLESS),
        (TransportError("x", sent=True, **NAMES), HARMLESS),
        (RequestTimeout("x", sent=True, **NAMES), HARMLESS),
        (status(429), ALWAYS),
        *[(status(code), HARMLESS) for code in (500, 502, 503, 504)],
        *[(status(code), NEVER) for code in (302, 400, 401, 402, 403, 404, 405, 409, 422, 501)],
        (TruncatedBody("x", **NAMES), {RequestKind.READ}),
        (DecodeError("x", **NAMES), NEVER),
        (ConfigurationError("x"), NEVER),
        (RateLimitWouldBlock(1.0, **NAMES), NEVER),
    ],
    ids=lambda value: repr(value) if isinstance(value, Exception) else f"for-{len(value)}-kinds",
)
def test_what_is_repeated(error, repeated):
    assert {kind for kind in RequestKind if isinstance(decide(kind, error), RetryAfter)} == repeated


def test_a_publish_that_may_have_left_says_why_it_is_not_repeated():
    decision = decide(RequestKind.GO_LIVE, status(500))
    assert decision == GiveUp(reason="a go_live request that may have taken effect isn't repeated")


def test_the_backoff_doubles_to_its_cap_with_full_jitter():
    policy = RetryPolicy(attempts=99, base=0.5, cap=3.0)
    error = status(500)
    assert [decide(RequestKind.READ, error, n, policy=policy).delay for n in (1, 2, 3, 4, 98)] == [0.5, 1, 2, 3, 3]
    assert decide(RequestKind.READ, error, 3, policy=policy, random=0.25).delay == 0.5
    assert decide(RequestKind.READ, error, 3, policy=policy, random=0.0).delay == 0.0


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_the_backoff_is_never_negative_nor_above_its_cap(failures, random):
    assert 0 <= RetryPolicy().backoff(failures, random) <= 30.0


def test_the_servers_wait_wins_over_the_backoff_up_to_its_bound():
    assert decide(RequestKind.READ, status(503), server_delay=7.0) == RetryAfter(delay=7.0)
    assert decide(RequestKind.GO_LIVE, status(429), server_delay=0.0) == RetryAfter(delay=0.0)
    too_long = decide(RequestKind.READ, status(429), server_delay=121.0)
    assert too_long == GiveUp(reason="the server asks for 121 s, more than 120")


def test_attempts_are_counted_and_refusals_apart():
    assert isinstance(decide(RequestKind.READ, status(500), 3), RetryAfter)
    assert decide(RequestKind.READ, status(500), 4) == GiveUp(reason="4 of 4 attempts are used")
    assert isinstance(decide(RequestKind.READ, status(429), 9, refused=9), RetryAfter)
    assert isinstance(decide(RequestKind.READ, status(429), 10, refused=10), GiveUp)
    assert isinstance(decide(RequestKind.READ, status(500), 9, refused=6), RetryAfter)
    assert isinstance(decide(RequestKind.READ, status(500), 9, refused=5), GiveUp)


def test_nothing_begins_at_or_after_the_deadline():
    assert decide(RequestKind.READ, status(503), server_delay=5.0, deadline_left=5.1) == RetryAfter(delay=5.0)
    for left in (5.0, 0.0, -1.0):
        assert isinstance(decide(RequestKind.READ, status(503), server_delay=5.0, deadline_left=left), GiveUp)


@pytest.mark.parametrize(
    ("kind", "operation", "headers", "expected"),
    [
        (RequestKind.OTHER_WRITE, "create_clips", {}, False),
        (RequestKind.OTHER_WRITE, "create_clips", {"x-ratelimit-remaining": "4"}, False),
        (RequestKind.OTHER_WRITE, "create_clips", {"x-ratelimit-remaining": " 0"}, True),
        (RequestKind.OTHER_WRITE, "generate", {}, True),
        (RequestKind.CREATE_DRAFT, "create_outgoing_post", {}, True),
        (RequestKind.READ, "get", {}, True),
    ],
)
def test_a_429_of_a_create_is_about_the_rate_only_where_the_window_is_used_up(kind, operation, headers, expected):
    assert is_about_rate(kind, operation, headers) is expected
    error = status_error(429, "too many", operation=operation, provider="reap", headers=headers)
    assert isinstance(decide(kind, error), RetryAfter) is expected


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"base": -1.0}, {"cap": -1.0}, {"max_server_delay": 0.0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        RetryPolicy(**wrong)


def test_an_outage_counts_as_no_attempt_until_its_patience_is_over():
    """Waits of 1, 2, 4 ... 60 s, each by half at most shorter; then the call gives up."""
    error = ConnectError("no route", operation="publish_clip", provider="reap")
    policy = RetryPolicy(outage_patience=600.0)

    def decide(lasted, failures, random=1.0, **more):
        return policy.decide(
            RequestKind.GO_LIVE, error, 99, outage=Outage(lasted=lasted, failures=failures), random=random, **more
        )

    assert [decide(0.0, n).delay for n in (1, 2, 3, 6, 7, 5000)] == [1.0, 2.0, 4.0, 32.0, 60.0, 60.0]
    assert decide(0.0, 1, random=0.0).delay == 0.5
    assert isinstance(decide(600.0, 12), GiveUp)
    assert isinstance(decide(10.0, 5, deadline_left=3.0), GiveUp)
    none = RetryPolicy(outage_patience=0.0)
    outage = Outage(lasted=0.0, failures=1)
    assert isinstance(none.decide(RequestKind.GO_LIVE, error, 4, outage=outage, random=1.0), GiveUp)
    assert none.decide(RequestKind.GO_LIVE, error, 1, outage=outage, random=1.0).delay == 0.5
