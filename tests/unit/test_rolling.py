"""What tells a rolling counter from the use of others, and when there is room again at one."""

from __future__ import annotations

import pytest

from reelpub.policies.rolling import Rolling
from reelpub.policies.sighting import Sighting


def seen(used, *, elapsed, counted=0, before=0, limit=10, sure=None):
    return Sighting(
        limit=limit,
        used=used,
        elapsed=elapsed,
        own_most=counted,
        own_counted=counted,
        own_sure=counted if sure is None else sure,
        own_before=before,
        own_slots=counted,
    )


def proven(**values):
    rolling = Rolling(60.0, **values)
    rolling.observe(0.0, seen(9, elapsed=12, counted=1, before=10))
    rolling.observe(6.0, seen(9, elapsed=18, counted=2, before=10))
    return rolling


class TestLearning:
    def test_what_fits_the_weight_of_the_window_before_twice_is_a_rolling_counter(self):
        assert proven().is_proven is True

    def test_answers_of_one_moment_are_one_sign(self):
        """Others may have used just as much, once."""
        rolling = Rolling(60.0)
        for number in range(1, 5):
            rolling.observe(number / 10, seen(8 + number, elapsed=12, counted=number, before=10))
        assert rolling.is_proven is None

    def test_what_falls_short_of_it_is_none_for_good(self):
        rolling = Rolling(60.0)
        rolling.observe(0.0, seen(1, elapsed=1, counted=1, before=10))
        for now in (10.0, 20.0):
            rolling.observe(now, seen(9, elapsed=12, counted=1, before=10))
        assert rolling.is_proven is False

    def test_an_answer_that_was_overtaken_proves_nothing(self):
        """It shows neither what came after it nor what others of ours that were answered before it came back."""
        rolling = Rolling(60.0)
        rolling.observe(0.0, seen(43, elapsed=50, counted=40, sure=33, before=60, limit=60))
        assert rolling.is_proven is None

    def test_little_of_our_own_in_sight_proves_nothing(self):
        rolling = Rolling(60.0)
        for now in (0.0, 10.0, 20.0):
            rolling.observe(now, seen(3, elapsed=30, counted=2, before=2))
        assert rolling.is_proven is None

    def test_use_by_others_on_top_proves_nothing(self):
        rolling = Rolling(60.0)
        for now in (0.0, 10.0, 20.0):
            rolling.observe(now, seen(10, elapsed=45, counted=2, before=10))
        assert rolling.is_proven is None


class TestWhoseUseItIs:
    def test_while_nobody_knows_what_a_rolling_counter_would_show_may_be_ours(self):
        assert Rolling(60.0).most(seen(9, elapsed=12, counted=1, before=10)) == 10

    def test_not_where_the_server_is_known_to_count_otherwise(self):
        assert Rolling(60.0, is_proven=False).most(seen(9, elapsed=12, counted=1, before=10)) == 0

    def test_nor_where_the_window_before_is_out_of_sight(self):
        assert Rolling(60.0).most(seen(9, elapsed=60, counted=1, before=10)) == 0


class TestRoom:
    @pytest.mark.parametrize(
        ("elapsed", "counted", "before", "expected"),
        [
            (12, 2, 10, 6.0),  # 8 + 2 in sight: one has to pass out of it, and ten do in a minute.
            (30, 6, 8, 7.5),  # 4 + 6 in sight, and eight pass out in a minute.
        ],
    )
    def test_there_is_room_when_enough_of_the_window_before_is_out_of_sight(self, elapsed, counted, before, expected):
        sighting = seen(10, elapsed=elapsed, counted=counted, before=before)
        assert proven().opens_in(sighting, 0.0) == pytest.approx(expected)
        assert proven().opens_in(sighting, 2.0) == pytest.approx(expected + 2.0)

    def test_where_there_is_room_nothing_is_said(self):
        assert proven().opens_in(seen(9, elapsed=18, counted=2, before=10), 2.0) is None

    def test_only_the_next_window_has_room_where_this_one_is_full(self):
        assert proven().opens_in(seen(10, elapsed=50, counted=10, before=1), 2.0) is None

    def test_the_use_of_others_passes_at_a_time_that_nobody_knows(self):
        assert proven().opens_in(seen(10, elapsed=30, counted=2, before=6), 2.0) is None

    def test_nothing_is_said_of_a_counter_that_is_not_proven_to_be_one(self):
        assert Rolling(60.0).opens_in(seen(10, elapsed=12, counted=2, before=10), 2.0) is None
