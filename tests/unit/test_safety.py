"""What a failure proves about the request that met it."""

from __future__ import annotations

import pytest

from reelpub.errors import (
    ConfigurationError,
    ConnectError,
    DeadlineExceeded,
    DecodeError,
    RateLimitWouldBlock,
    RequestTimeout,
    TransportError,
    status_error,
)
from reelpub.policies.safety import Effect, RequestKind, effect_of, is_repeatable

NAMES = {"operation": "publish", "provider": "reap"}


def status(code):
    return status_error(code, "words", **NAMES)


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("x"),
        RateLimitWouldBlock(1.0, **NAMES),
        ConnectError("x", **NAMES),
        TransportError("x", sent=False, **NAMES),
        *[status(code) for code in (400, 401, 402, 403, 404, 405, 413, 415, 422, 429)],
    ],
    ids=repr,
)
def test_these_prove_that_nothing_was_done(error):
    assert effect_of(error) is Effect.NONE
    assert all(is_repeatable(kind, error) for kind in RequestKind)


@pytest.mark.parametrize(
    "error",
    [
        TransportError("x", sent=True, **NAMES),
        TransportError("x", sent=None, **NAMES),
        RequestTimeout("x", sent=True, **NAMES),
        DecodeError("x", **NAMES),
        DeadlineExceeded("x"),
        *[status(code) for code in (302, 408, 409, 418, 500, 502, 503, 504)],
        ValueError("x"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_these_leave_it_open_so_that_nothing_that_goes_live_is_repeated(error):
    assert effect_of(error) is Effect.UNKNOWN
    repeatable = {kind for kind in RequestKind if is_repeatable(kind, error)}
    assert repeatable == {RequestKind.READ, RequestKind.IDEMPOTENT, RequestKind.CREATE_DRAFT}
