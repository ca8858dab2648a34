"""Reading of rate-limit headers: what they mean, and that nonsense means nothing."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.policies.headers import Quota, clock_ahead, read_quota

NOW = 1_800_000_000.0
DATE = {"date": formatdate(NOW, usegmt=True)}


def test_all_of_them():
    headers = DATE | {
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int(NOW) + 30),
        "retry-after": "12",
    }
    quota = read_quota(headers, now=NOW)
    assert quota == Quota(limit=60, remaining=0, reset_in=31.0, retry_after=12.0)
    assert quota.is_announced
    assert quota.wait == 12.0


def test_none_of_them():
    quota = read_quota({}, now=NOW)
    assert quota == Quota()
    assert not quota.is_announced
    assert quota.wait is None


@pytest.mark.parametrize("skew", [-86_400, -600, 0, 600, 86_400])
def test_a_wrong_clock_of_ours_does_no_harm_where_the_answer_has_a_date(skew):
    headers = DATE | {"x-ratelimit-reset": str(int(NOW) + 20)}
    assert read_quota(headers, now=NOW + skew).reset_in == 21.0


@pytest.mark.parametrize(
    ("headers", "now", "expected"),
    [
        (DATE, NOW + 300, 300.0),
        (DATE, NOW, 0.0),
        (DATE, NOW - 300, 0.0),
        (DATE, NOW + 86_401, 0.0),
        ({}, NOW, 0.0),
        ({"date": "yesterday"}, NOW, 0.0),
    ],
    ids=["ahead", "right", "behind", "no clock", "no date", "no sense"],
)
def test_a_date_tells_whether_our_clock_is_ahead(headers, now, expected):
    assert clock_ahead(headers, now=now) == expected


@pytest.mark.parametrize(
    ("reset", "date", "expected"),
    [
        (NOW + 20, None, 21.0),
        (NOW - 5, None, 0.0),
        (NOW + 5000, None, 120.0),
        (NOW - 5000, None, 0.0),
        (NOW - 5000, NOW, 0.0),
        (NOW + 3600, NOW, 3601.0),
        (NOW + 1e6, NOW, None),
        (NOW + 20, NOW - 5000, 21.0),
        (45, None, 45.0),
        (100_000, None, None),
    ],
    ids=[
        "own clock", "just past", "own clock, far: two windows", "long past", "long past by its date",
        "an hour by its date", "further than a day", "a date in another time than the reset: our clock",
        "seconds, as in the IETF draft", "neither",
    ],
)  # fmt: skip
def test_the_reset_is_relative(reset, date, expected):
    headers = {"x-ratelimit-reset": f"{reset:.0f}"} | ({"date": formatdate(date, usegmt=True)} if date else {})
    assert read_quota(headers, now=NOW).reset_in == expected


@pytest.mark.parametrize(
    ("text", "date", "expected"),
    [
        ("0", False, 0.0),
        ("1.5", False, 1.5),
        (formatdate(NOW + 9, usegmt=True), True, 10.0),
        (formatdate(NOW + 9, usegmt=True), False, 10.0),
        (formatdate(NOW + 9, localtime=False).replace("-0000", ""), True, 10.0),
        (formatdate(NOW - 99, usegmt=True), True, 0.0),
        ("-3", True, None),
        ("soon", True, None),
        ("", True, None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(text, date, expected):
    assert read_quota({"retry-after": text} | (DATE if date else {}), now=NOW).retry_after == expected


@pytest.mark.parametrize("text", ["", "-1", "NaN", "inf", "1e9", "ten", "0x10", "1" * 40, "5;w=60", "\u0665\u0665"])
def test_nonsense_is_ignored(text):
    headers = {f"x-ratelimit-{name}": text for name in ("limit", "remaining", "reset")}
    assert read_quota(headers | {"date": text}, now=NOW) == Quota()


def test_a_limit_of_none_is_no_limit():
    assert read_quota({"x-ratelimit-limit": "0"}, now=NOW).limit is None


@given(st.dictionaries(
    st.sampled_from(["date", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]),
    st.one_of(st.text(st.characters(max_codepoint=255), max_size=40), st.integers().map(str), st.floats().map(str),
              st.integers(0, 4 * 10**9).map(lambda t: formatdate(t, usegmt=True))),
))  # fmt: skip
def test_never_raises_and_never_gives_a_negative_or_endless_wait(headers):
    quota = read_quota(headers, now=NOW)
    for value in (quota.limit, quota.remaining, quota.reset_in, quota.retry_after):
        assert value is None or 0 <= value < float("inf")
