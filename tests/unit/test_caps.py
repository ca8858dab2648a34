"""Caps on single accounts: counts in a rolling window, least gaps, and accounts by any of their names."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.errors import ConfigurationError
from reelpub.policies.caps import AccountCap, CapBook

ACME = [("acc-1", "tiktok:acme")]
OTHER = [("acc-2", "youtube:acme")]


def test_an_account_without_a_cap_never_waits():
    book = CapBook({"tiktok:acme": AccountCap(count=1)})
    book.use(OTHER, 0.0)
    assert (book.delay(OTHER, 0.0), book.delay([], 0.0)) == (0.0, 0.0)


def test_a_count_fills_a_rolling_window():
    book = CapBook({"acc-1": AccountCap(count=2, window=100)})
    for now in (0.0, 30.0):
        assert book.delay(ACME, now) == 0
        book.use(ACME, now)
    assert book.delay(ACME, 40.0) == 60.0
    assert book.delay(ACME, 100.0) == 0
    book.use(ACME, 100.0)
    assert book.delay(ACME, 101.0) == 29.0


def test_a_gap_holds_two_apart_without_a_count():
    book = CapBook({"tiktok:acme": AccountCap(min_gap=10)})
    book.use(ACME, 5.0)
    assert (book.delay(ACME, 5.0), book.delay(ACME, 12.0), book.delay(ACME, 15.0)) == (10.0, 3.0, 0.0)
    book.use(ACME, 15.0)
    assert book.delay(ACME, 16.0) == 9.0


def test_the_strictest_of_several_caps_holds():
    book = CapBook(
        {"acc-1": AccountCap(min_gap=10), "tiktok:acme": AccountCap(min_gap=20), "acc-2": AccountCap(min_gap=5)}
    )
    book.use(ACME + OTHER, 0.0)
    assert book.delay(ACME + OTHER, 0.0) == 20.0
    assert book.delay(OTHER, 0.0) == 5.0


def test_what_provably_didnt_go_out_is_given_back():
    book = CapBook({"acc-1": AccountCap(count=2, window=100, min_gap=5)})
    for now in (0.0, 30.0, 40.0):
        book.use(ACME, now)
    assert book.delay(ACME, 50.0) == 80.0
    book.give_back(ACME, 40.0)
    assert book.delay(ACME, 50.0) == 50.0
    book.give_back(ACME, 30.0)
    assert book.delay(ACME, 50.0) == 0.0
    book.give_back(OTHER, 0.0)
    book.give_back(ACME, 77.0)
    book.use(ACME, 50.0)
    assert book.delay(ACME, 60.0) == 40.0


@given(times=st.lists(st.floats(0, 1000), min_size=1, max_size=30).map(sorted), gap=st.floats(0, 50))
def test_what_no_cap_counts_any_more_isnt_remembered(times, gap):
    book = CapBook({"acc-1": AccountCap(count=3, window=100, min_gap=gap)})
    for now in times:
        book.use(ACME, now)
    assert len(book._used["acc-1"]) == sum(now + 100 >= times[-1] for now in times)


@pytest.mark.parametrize("bad", [{"count": 0}, {"count": -1}])
def test_a_count_has_to_be_positive(bad):
    with pytest.raises(ConfigurationError, match=r"count: -?\d has to be at least 1, or None for no cap"):
        AccountCap(**bad)


@pytest.mark.parametrize("bad", [{"window": 0}, {"window": -1}, {"min_gap": -1}])
def test_durations_have_to_make_sense(bad):
    with pytest.raises(ConfigurationError, match=r"window: .* has to be positive, min_gap: .* not negative"):
        AccountCap(**bad)


@given(
    count=st.integers(1, 4),
    window=st.floats(1, 100),
    min_gap=st.floats(0, 20),
    pauses=st.lists(st.floats(0, 50), max_size=30),
)
def test_whoever_waits_as_told_keeps_count_and_gap(count, window, min_gap, pauses):
    book = CapBook({"acc-1": AccountCap(count=count, window=window, min_gap=min_gap)})
    now, sent = 0.0, []
    for pause in pauses:
        now += pause
        now += book.delay(ACME, now)
        book.use(ACME, now)
        sent.append(now)
    assert all(later - earlier >= min_gap - 1e-6 for earlier, later in itertools.pairwise(sent))
    assert all(sent[i + count] - sent[i] >= window - 1e-6 for i in range(len(sent) - count))
