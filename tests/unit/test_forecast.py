"""How long a batch takes at a limit: arithmetic that is rounded up, never down."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.policies.forecast import FINISH_SECONDS, Forecast, Load, forecast, remaining_seconds, window_capacity

LIMITS = st.integers(1, 200)
COUNTS = st.integers(0, 5_000)


@pytest.mark.parametrize(
    ("limit", "used", "writes", "reads", "seconds"),
    [
        (10, 0, 0, 0, 0),
        (10, 0, 10, 0, 0),  # all of it fits what is free now
        (10, 0, 11, 0, 60),
        (10, 0, 18, 0, 60),
        (10, 0, 20, 0, 60),  # soon over: reads go without until then
        (10, 0, 21, 0, 120),
        (10, 0, 60, 0, 360),  # reads share a window that the batch is given more
        (10, 0, 140, 0, 15 * 60),  # a long one: one of ten is theirs
        (10, 10, 1, 0, 60),
        (10, 9, 1, 0, 0),
        (10, 4, 6, 0, 0),
        (10, 4, 7, 0, 60),
        (10, 99, 9, 0, 60),
        (60, 0, 60, 0, 0),
        (60, 0, 61, 0, 60),
        (60, 0, 1_000, 0, 18 * 60),
        (60, 0, 500, 500, 18 * 60),  # reads that have to be made count like writes
        (1, 0, 3, 0, 120),
    ],
)
def test_whole_windows_until_the_last_request_leaves(limit, used, writes, reads, seconds):
    found = remaining_seconds(limit=limit, window=60.0, used=used, writes_left=writes, reads_left=reads)
    assert found == seconds


@given(limit=LIMITS, used=COUNTS, writes=COUNTS, reads=COUNTS, share=st.floats(0, 0.9))
def test_never_sooner_than_any_window_allows(limit, used, writes, reads, share):
    """Request k can't leave before floor((k + used) / limit) windows are over; that is the bound, not the forecast."""
    found = remaining_seconds(
        limit=limit, window=60.0, used=min(used, limit), writes_left=writes, reads_left=reads, share=share
    )
    left = writes + reads
    bound = math.floor((min(used, limit) + left - 1) / limit) * 60.0 if left else 0.0
    assert found >= bound
    assert found % 60.0 == 0


@given(limit=LIMITS, writes=COUNTS, more=st.integers(1, 50), used=COUNTS)
def test_more_to_do_never_takes_less_time(limit, writes, more, used):
    def seconds(count):
        return remaining_seconds(limit=limit, window=60.0, used=used, writes_left=count)

    assert seconds(writes) <= seconds(writes + more)


@given(limit=LIMITS, share=st.floats(0, 0.99))
def test_a_window_always_takes_a_request(limit, share):
    assert 1 <= window_capacity(limit, share=share) <= limit


def test_posts_are_followed_to_their_end_and_scheduled_ones_are_not():
    at_once = forecast(Load(writes=5, posts=5), limit=10, window=60.0)
    assert (at_once.sending, at_once.seconds) == (0.0, FINISH_SECONDS)
    assert at_once.following > 0
    scheduled = forecast(Load(writes=5), limit=10, window=60.0)
    assert scheduled == Forecast(requests=5, following=0, sending=0.0, seconds=0.0)


def test_without_a_list_each_post_costs_a_read_and_those_count_against_the_limit():
    load = Load(writes=400, posts=200)
    by_list = forecast(load, limit=60, window=60.0)
    one_by_one = forecast(load, limit=60, window=60.0, has_list=False)
    assert one_by_one.following == 200
    assert one_by_one.seconds > by_list.seconds
    assert one_by_one.sending == by_list.sending


def test_what_is_used_already_delays_the_rest():
    load = Load(writes=10, posts=10)
    assert forecast(load, limit=10, window=60.0, used=10).sending == 60.0
    assert forecast(load, limit=10, window=60.0).sending == 0.0


def test_nothing_to_do_takes_no_time():
    assert forecast(Load(), limit=10, window=60.0, used=10) == Forecast(
        requests=0, following=0, sending=0.0, seconds=0.0
    )


def test_loads_add_up():
    assert Load(writes=1, reads=2, posts=3) + Load(writes=10, reads=20, posts=30) == Load(writes=11, reads=22, posts=33)
