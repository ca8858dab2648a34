"""Rate-limit windows: what each kind lets through, what it says is left, and when it resets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelpub.sandbox.limits import LimitKind, RateLimit, open_window

START = 1_800_000_000.0


def passed(window, instants):
    return [at for at in instants if window.take(at).allowed]


def test_fixed_windows_are_aligned_to_the_epoch_and_let_a_double_burst_through_at_the_edge():
    window = open_window(RateLimit(limit=3, window=60))
    assert len(passed(window, [START + 59.0] * 5)) == 3
    assert len(passed(window, [START + 60.0] * 5)) == 3
    assert window.peek(START + 61).reset == START + 120


def test_a_fixed_window_counts_down_and_names_its_end():
    window = open_window(RateLimit(limit=2, window=60))
    assert window.peek(START + 10).remaining == 2
    first, second, third = (window.take(START + 10) for _ in range(3))
    assert (first.remaining, second.remaining, third.remaining) == (1, 0, 0)
    assert (first.allowed, third.allowed) == (True, False)
    assert third.reset == START + 60


def test_an_anchored_window_begins_with_its_first_request():
    window = open_window(RateLimit(limit=2, window=60, kind=LimitKind.ANCHORED))
    assert window.peek(START).reset == START + 60
    assert passed(window, [START + 30, START + 89, START + 89.5, START + 90]) == [START + 30, START + 89, START + 90]
    assert window.peek(START + 91).reset == START + 150


def test_a_sliding_log_frees_each_slot_a_window_after_it_was_used():
    window = open_window(RateLimit(limit=2, window=60, kind=LimitKind.SLIDING_LOG))
    assert window.peek(START).reset == START + 60
    assert passed(window, [START, START + 30, START + 59, START + 60, START + 61]) == [START, START + 30, START + 60]
    refused = window.take(START + 62)
    assert (refused.allowed, refused.remaining, refused.reset) == (False, 0, START + 90)


def test_a_sliding_counter_weighs_the_window_before():
    window = open_window(RateLimit(limit=10, window=60, kind=LimitKind.SLIDING_COUNTER))
    assert len(passed(window, [START + 50] * 20)) == 10
    full = window.peek(START + 50)
    assert full.remaining == 0
    assert not window.take(START + 60).allowed
    assert window.peek(START + 90).remaining == 5
    assert len(passed(window, [START + 90] * 20)) == 5


def test_a_sliding_counter_forgets_after_two_windows():
    window = open_window(RateLimit(limit=10, window=60, kind=LimitKind.SLIDING_COUNTER))
    passed(window, [START] * 10)
    assert window.peek(START + 120).remaining == 10


def test_gcra_lets_its_burst_through_and_then_one_an_interval():
    window = open_window(RateLimit(limit=60, window=60, kind=LimitKind.GCRA, burst=3))
    assert window.peek(START).remaining == 3
    assert len(passed(window, [START] * 10)) == 3
    refused = window.take(START + 0.5)
    assert (refused.allowed, refused.remaining, refused.reset) == (False, 0, START + 1)
    assert passed(window, [START + 0.9, START + 1, START + 1.9, START + 2]) == [START + 1, START + 2]


def test_gcra_without_a_burst_takes_the_whole_limit_at_once():
    window = open_window(RateLimit(limit=10, window=60, kind=LimitKind.GCRA))
    assert len(passed(window, [START] * 30)) == 10
    assert window.take(START).reset == START + 6


@pytest.mark.parametrize("kind", LimitKind)
def test_looking_spends_nothing(kind):
    window = open_window(RateLimit(limit=1, kind=kind))
    assert all(window.peek(START + 1).allowed for _ in range(5))
    assert window.take(START + 1).allowed
    assert not window.peek(START + 1).allowed


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(LimitKind),
    limit=st.integers(1, 12),
    steps=st.lists(st.floats(0, 20), min_size=1, max_size=80),
)
def test_the_reset_of_a_refusal_is_an_instant_at_which_a_call_passes(kind, limit, steps):
    """Whoever waits until the reset and is alone gets through, in every kind of window."""
    window = open_window(RateLimit(limit=limit, window=60, kind=kind))
    now = START
    for step in steps:
        now += step
        decision = window.take(now)
        assert 0 <= decision.remaining <= limit
        if not decision.allowed:
            assert decision.reset > now
            assert window.peek(decision.reset + 1e-6).allowed
            now = decision.reset + 1e-6


@settings(max_examples=100, deadline=None)
@given(limit=st.integers(1, 8), steps=st.lists(st.floats(0, 15), max_size=80))
def test_a_sliding_log_never_passes_more_than_the_limit_in_any_window(limit, steps):
    window = open_window(RateLimit(limit=limit, window=60, kind=LimitKind.SLIDING_LOG))
    now, allowed = START, []
    for step in steps:
        now += step
        if window.take(now).allowed:
            allowed.append(now)
    assert all(later - first >= 60 for first, later in zip(allowed, allowed[limit:], strict=False))


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"window": 0}, {"burst": 0}])
def test_a_limit_without_sense_is_refused(wrong):
    with pytest.raises(ValueError):
        RateLimit(**wrong)


def test_a_limit_is_read_from_json():
    assert RateLimit.from_json({"limit": 5, "kind": "gcra"}) == RateLimit(limit=5, kind=LimitKind.GCRA)
