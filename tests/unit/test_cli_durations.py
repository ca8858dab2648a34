"""Lengths of time as people type them, and times that are so far apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import islice, pairwise

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.cli.durations import Step, duration, spoken, step, times
from reelpub.models.when import LocalTime
from reelpub.policies.scheduling import instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", timedelta(hours=2)),
        ("+2h", timedelta(hours=2)),
        ("-30m", timedelta(minutes=-30)),
        ("1d12h", timedelta(hours=36)),
        (" 1 W ", timedelta(weeks=1)),
        ("90s", timedelta(seconds=90)),
        ("0m", timedelta(0)),
    ],
)
def test_a_length_is_numbers_with_units(text, expected):
    assert duration(None, None, text) == expected


@pytest.mark.parametrize("text", ["", "2", "h", "2 hours", "1.5h", "--2h", "2h-1m", "99999999999w"])
def test_anything_else_is_told_with_what_would_be_right(text):
    with pytest.raises(click.BadParameter) as caught:
        duration(None, None, text)
    assert "such as 2h" in str(caught.value) or "too long" in str(caught.value)


@given(st.text(max_size=30))
def test_no_text_makes_more_than_a_length_or_a_complaint(text):
    for read in (duration, step):
        try:
            read(None, None, text)
        except click.BadParameter as error:
            assert error.message  # noqa: PT017


@pytest.mark.parametrize("text", ["0h", "-2h", "", "often", "999999999w"])
def test_times_are_apart_by_more_than_nothing(text):
    with pytest.raises(click.BadParameter):
        step(None, None, text)


def test_nothing_given_is_nothing():
    assert duration(None, None, None) is None
    assert step(None, None, None) is None


def test_days_keep_the_clock_time_when_the_clocks_change():
    start = LocalTime("2027-03-27 09:00", "Europe/Oslo")
    found = [instant(at) for at in islice(times(start, Step(days=1)), 3)]
    assert found == [datetime(2027, 3, day, hour, tzinfo=UTC) for day, hour in ((27, 8), (28, 7), (29, 7))]


def test_a_day_whose_clock_time_is_skipped_stays_a_clock_time_to_be_refused():
    second = list(islice(times(LocalTime("2027-03-27 02:30", "Europe/Oslo"), Step(days=1)), 2))[1]
    assert isinstance(second, LocalTime)
    assert "is skipped" in str(instant(second))


def test_hours_are_hours_that_pass_when_the_clocks_change():
    start = LocalTime("2027-03-28 01:30", "Europe/Oslo")
    found = [instant(at) for at in islice(times(start, Step(seconds=3600)), 3)]
    assert [second - first for first, second in pairwise(found)] == [timedelta(hours=1)] * 2


def test_an_instant_stays_one():
    start = datetime(2027, 3, 28, 9, tzinfo=timezone(timedelta(hours=2)))
    assert list(islice(times(start, Step(days=1, seconds=60)), 2)) == [start, start + timedelta(days=1, minutes=1)]


@pytest.mark.parametrize(
    ("start", "every", "count"),
    [
        (datetime(9999, 12, 31, 21, tzinfo=UTC), Step(seconds=7200), 2),
        (LocalTime("9999-12-31 21:00", "UTC"), Step(days=1), 1),
        (LocalTime("0001-01-01 00:00", "Asia/Tokyo"), Step(seconds=60), 0),
    ],
)
def test_times_end_with_the_calendar(start, every, count):
    assert len(list(islice(times(start, every), 5))) == count


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (0.4, "0 s"), (41.2, "41 s"), (89, "89 s"), (90, "2 min"), (3540, "59 min"), (3600, "1 h"),
     (12_000, "3 h 20 min"), (200_000, "2 days")],
)  # fmt: skip
def test_a_length_is_told_as_a_person_would(seconds, said):
    assert spoken(seconds) == said


def test_hours_that_pass_are_told_by_the_clocks_of_the_zone_also_when_those_go_back():
    """An hour that comes twice on the clock comes once each in what passes."""
    found = list(islice(times(LocalTime("2027-10-31 01:30", "Europe/Oslo"), Step(seconds=3600)), 4))
    assert {at.zone for at in found} == {"Europe/Oslo"}
    assert [(at.clock[11:16], str(at.fold)) for at in found] == [
        ("01:30", "refuse"), ("02:30", "first"), ("02:30", "second"), ("03:30", "refuse")
    ]  # fmt: skip
    assert [instant(at).hour for at in found] == [23, 0, 1, 2]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (Step(days=1), "1d"),
        (Step(seconds=7200), "2h"),
        (Step(seconds=5400), "90m"),
        (Step(seconds=45), "45s"),
        (Step(days=14, seconds=3600), "14d1h"),
    ],
)
def test_a_step_is_written_as_it_is_typed(given, written):
    assert str(given) == written
    assert step(None, None, written) == given
