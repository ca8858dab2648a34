"""Which timed things share a scheduling call."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.policies.batching import evenly_spaced

MAX, LEAST = 50, 300


def batches(items, *, max_size=MAX):
    return evenly_spaced(
        items, at=lambda item: item[0], key=lambda item: item[1], max_size=max_size, min_interval=LEAST
    )


def times(items):
    return [[at for at, _ in batch] for batch in batches([(at, "a") for at in items])]


# Multiples of 100 s make equal, too close and evenly spaced times all likely.
timed = st.lists(st.tuples(st.integers(0, 60).map(lambda n: n * 100), st.sampled_from("abc"), st.uuids()), max_size=80)


@given(timed)
def test_every_item_is_in_exactly_one_batch(items):
    assert sorted(item for batch in batches(items) for item in batch) == sorted(items)


@given(timed, st.integers(1, 5))
def test_first_time_and_interval_reproduce_every_time(items, max_size):
    for batch in batches(items, max_size=max_size):
        first = batch[0][0]
        interval = batch[1][0] - first if len(batch) > 1 else LEAST
        assert interval >= LEAST
        assert [item[0] for item in batch] == [first + i * interval for i in range(len(batch))]
        assert len(batch) <= max_size


@given(timed)
def test_a_batch_shares_its_key(items):
    assert all(len({key for _, key, _ in batch}) == 1 for batch in batches(items))


@given(timed)
def test_batches_come_earliest_first(items):
    assert all(a[0][0] <= b[0][0] for a, b in pairwise(batches(items)))


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ([], []),
        ([5], [[5]]),
        ([600, 0, 300], [[0, 300, 600]]),
        ([0, 0], [[0], [0]]),
        ([0, 299], [[0], [299]]),
        ([0, 300, 700], [[0, 300], [700]]),
        ([0, 100, 400, 500, 800, 900], [[0, 400, 800], [100, 500, 900]]),
        ([0, 3600, 7200, 10801], [[0, 3600, 7200], [10801]]),
    ],
)
def test_greedy_in_due_order(given_, expected):
    assert times(given_) == expected


def test_120_clips_ten_minutes_apart_are_three_calls():
    assert [len(batch) for batch in times([n * 600 for n in range(120)])] == [50, 50, 20]


def test_items_due_at_the_same_time_keep_their_order():
    items = [(0, "a", name) for name in "xyz"]
    assert [batch[0][2] for batch in batches(items)] == ["x", "y", "z"]


def test_ten_thousand_equal_times_stay_quick():
    """One step for each item: a scan over all open batches would take minutes here."""
    assert len(times([0] * 10_000)) == 10_000
