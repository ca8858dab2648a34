"""From what a person wrote to an instant: gaps and folds of real zones, naive and past times, providers' windows."""

# Naive times are among what is refused.
# ruff: noqa: DTZ001, DTZ901

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.models.capability import ProviderLimits
from reelpub.models.problem import Problem
from reelpub.models.when import FoldPolicy, GapPolicy, LocalTime
from reelpub.policies.scheduling import add_months, instant, window_problem

NOW = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)
ZONES = ["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]

GAPS = [
    # zone, a time that is skipped, its reading before the gap and after it
    ("Europe/Oslo", "2027-03-28 02:30", "2027-03-28T00:30", "2027-03-28T01:30"),
    ("America/New_York", "2027-03-14 02:30", "2027-03-14T06:30", "2027-03-14T07:30"),
    # Half an hour only: 02:00 to 02:30 is skipped on the first Sunday of October.
    ("Australia/Lord_Howe", "2027-10-03 02:15", "2027-10-02T15:15", "2027-10-02T15:45"),
    # A whole day: Samoa went over the date line.
    ("Pacific/Apia", "2011-12-30 12:00", "2011-12-29T22:00", "2011-12-30T22:00"),
]
FOLDS = [
    ("Europe/Oslo", "2027-10-31 02:30", "2027-10-31T00:30", "2027-10-31T01:30"),
    ("America/New_York", "2027-11-07 01:30", "2027-11-07T05:30", "2027-11-07T06:30"),
    ("Australia/Lord_Howe", "2027-04-04 01:45", "2027-04-03T14:45", "2027-04-03T15:15"),
]


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestInstants:
    def test_an_aware_datetime_is_that_instant_in_utc(self):
        at = datetime(2027, 6, 1, 14, 30, tzinfo=ZoneInfo("Europe/Oslo"))
        got = instant(at)
        assert (got, got.tzinfo) == (utc("2027-06-01T12:30"), UTC)

    def test_a_naive_datetime_is_refused(self):
        problem = instant(datetime(2027, 6, 1, 14, 30), field="requests[0].at")
        assert (problem.field, problem.value) == ("requests[0].at", "2027-06-01T14:30:00")
        assert "has no time zone" in problem.message

    def test_a_zone_that_knows_no_offset_counts_as_none(self):
        class Shy(tzinfo):
            def utcoffset(self, _):
                return None

        assert "has no time zone" in instant(datetime(2027, 6, 1, tzinfo=Shy())).message

    @pytest.mark.parametrize("at", ["2027-06-01T14:30Z", 1_800_000_000, date(2027, 6, 1), True, object(), None, [NOW]])
    def test_what_is_no_time_is_refused(self, at):
        problem = instant(at)
        assert (problem.field, problem.message) == ("at", "is no time; give an aware datetime or a LocalTime")

    @pytest.mark.parametrize(
        "at",
        [
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
            datetime.min.replace(tzinfo=timezone(timedelta(hours=12))),
            LocalTime(datetime.max, "America/New_York"),
            LocalTime("0001-01-01", "Asia/Tokyo"),
        ],
    )
    def test_a_time_beyond_the_calendar_is_a_problem_and_no_crash(self, at):
        problem = instant(at)
        assert isinstance(problem, Problem)
        assert problem.message == "is outside the years 1 to 9999 in UTC"


class TestLocalTimes:
    @pytest.mark.parametrize("clock", ["2027-06-01 14:30", " 2027-06-01T14:30:00 ", datetime(2027, 6, 1, 14, 30)])
    def test_a_plain_clock_time(self, clock):
        assert instant(LocalTime(clock, "Europe/Oslo")) == utc("2027-06-01T12:30")

    @pytest.mark.parametrize(
        "clock", ["2027-06-01T14:30Z", "2027-06-01T14:30+02:00", "tomorrow", "", 5, None, NOW, "2027-02-30 10:00"]
    )
    def test_what_is_no_clock_time_is_refused(self, clock):
        problem = instant(LocalTime(clock, "Europe/Oslo"))
        assert (problem.field, problem.value) == ("at.clock", clock)
        assert "is no clock time such as 2027-03-28 14:30, without an offset" in problem.message

    @pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "Europe", "../../etc/passwd", "a\0b", None, 5, [], b"UTC"])
    def test_what_is_no_zone_is_refused(self, zone):
        problem = instant(LocalTime("2027-06-01 14:30", zone))
        assert (problem.field, problem.value) == ("at.zone", zone)
        assert "give an IANA name such as Europe/Oslo" in problem.message

    @pytest.mark.parametrize(("zone", "clock", "earlier", "later"), GAPS)
    def test_a_skipped_time_is_refused_unless_a_policy_reads_it(self, zone, clock, earlier, later):
        problem = instant(LocalTime(clock, zone))
        assert (problem.field, problem.value) == ("at", f"{clock} {zone}")
        assert "is skipped there when the clocks go forward; name a gap policy" in problem.message
        assert instant(LocalTime(clock, zone, gap=GapPolicy.EARLIER)) == utc(earlier)
        assert instant(LocalTime(clock, zone, gap=GapPolicy.LATER)) == utc(later)

    @pytest.mark.parametrize(("zone", "clock", "first", "second"), FOLDS)
    def test_a_doubled_time_is_refused_unless_a_policy_reads_it(self, zone, clock, first, second):
        problem = instant(LocalTime(clock, zone))
        assert problem.field == "at"
        assert "comes twice there when the clocks go back; name a fold policy" in problem.message
        assert instant(LocalTime(clock, zone, fold=FoldPolicy.FIRST)) == utc(first)
        assert instant(LocalTime(clock, zone, fold=FoldPolicy.SECOND)) == utc(second)

    @pytest.mark.parametrize(("zone", "clock", "earlier", "later"), GAPS)
    def test_gap_policies_may_be_given_as_their_words(self, zone, clock, earlier, later):
        assert instant(LocalTime(clock, zone, gap="earlier")) == utc(earlier)
        assert instant(LocalTime(clock, zone, gap="later")) == utc(later)
        assert isinstance(instant(LocalTime(clock, zone, gap="refuse")), Problem)

    @pytest.mark.parametrize(("zone", "clock", "first", "second"), FOLDS)
    def test_fold_policies_may_be_given_as_their_words(self, zone, clock, first, second):
        assert instant(LocalTime(clock, zone, fold="first")) == utc(first)
        assert instant(LocalTime(clock, zone, fold="second")) == utc(second)
        assert isinstance(instant(LocalTime(clock, zone, fold="refuse")), Problem)

    @pytest.mark.parametrize("word", ["sooner", None, 1, FoldPolicy.FIRST])
    def test_an_unknown_gap_policy_is_refused_even_where_there_is_no_gap(self, word):
        problem = instant(LocalTime("2027-06-01 14:30", "Europe/Oslo", gap=word))
        assert (problem.field, problem.limit) == ("at.gap", "refuse, earlier, later")

    @pytest.mark.parametrize("word", ["last", None, 1, GapPolicy.LATER])
    def test_an_unknown_fold_policy_is_refused_even_where_there_is_no_fold(self, word):
        problem = instant(LocalTime("2027-06-01 14:30", "Europe/Oslo", fold=word))
        assert (problem.field, problem.limit) == ("at.fold", "refuse, first, second")

    def test_a_gap_policy_does_not_read_a_fold_and_the_other_way_round(self):
        assert isinstance(instant(LocalTime(FOLDS[0][1], FOLDS[0][0], gap=GapPolicy.LATER)), Problem)
        assert isinstance(instant(LocalTime(GAPS[0][1], GAPS[0][0], fold=FoldPolicy.FIRST)), Problem)

    def test_edges_of_gap_and_fold_are_plain_times(self):
        assert instant(LocalTime("2027-03-28 01:59:59", "Europe/Oslo")) == utc("2027-03-28T00:59:59")
        assert instant(LocalTime("2027-03-28 03:00", "Europe/Oslo")) == utc("2027-03-28T01:00")
        assert instant(LocalTime("2027-10-31 01:59:59", "Europe/Oslo")) == utc("2027-10-30T23:59:59")
        assert instant(LocalTime("2027-10-31 03:00", "Europe/Oslo")) == utc("2027-10-31T02:00")

    @given(
        at=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2037, 12, 31), timezones=st.just(UTC)),
        zone=st.sampled_from(ZONES),
    )
    def test_every_instant_comes_back_from_its_own_clock_time(self, at, zone):
        there = at.astimezone(ZoneInfo(zone))
        fold = FoldPolicy.SECOND if there.fold else FoldPolicy.FIRST
        assert instant(LocalTime(there.replace(tzinfo=None), zone, fold=fold)) == at

    @given(
        clock=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2037, 12, 31)),
        zone=st.sampled_from(ZONES),
    )
    def test_an_accepted_clock_time_is_shown_by_the_zone_exactly_once(self, clock, zone):
        got = instant(LocalTime(clock, zone))
        if isinstance(got, Problem):
            return
        assert got.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == clock
        for shift in (timedelta(minutes=30), timedelta(hours=1)):
            for other in (got - shift, got + shift):
                assert other.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) != clock


class TestMonths:
    @pytest.mark.parametrize(
        ("start", "months", "end"),
        [
            ("2027-01-31", 1, "2027-02-28"),
            ("2028-01-31", 1, "2028-02-29"),
            ("2027-11-30", 3, "2028-02-29"),
            ("2027-12-15", 12, "2028-12-15"),
            ("2027-12-01", 1, "2028-01-01"),
            ("2027-06-30", 0, "2027-06-30"),
        ],
    )
    def test_move_on_by_the_calendar(self, start, months, end):
        assert add_months(utc(start), months) == utc(end)


class TestWindows:
    LIMITS = ProviderLimits(requests=10, schedule_min_lead=3000, schedule_max_lead=86_400.0)

    def problem(self, **ahead):
        return window_problem(NOW + timedelta(**ahead), NOW, self.LIMITS)

    @pytest.mark.parametrize("seconds", [0, -1, -86_400])
    def test_the_past_and_the_present_are_refused(self, seconds):
        problem = self.problem(seconds=seconds)
        assert (problem.field, problem.message, problem.limit) == ("at", "is in the past", f"after {NOW.isoformat()}")

    def test_less_than_the_lead_is_refused_with_the_earliest(self):
        problem = self.problem(seconds=2999)
        assert problem.message == "is too soon; the earliest is 2027-01-15T12:50:00+00:00"
        assert problem.limit == "at least 50 minutes ahead"

    def test_more_than_the_greatest_lead_is_refused(self):
        problem = self.problem(seconds=86_401)
        assert (problem.message, problem.limit) == ("is too far ahead", "at most 1 days ahead")

    @pytest.mark.parametrize("seconds", [3000, 86_400])
    def test_both_edges_are_inside(self, seconds):
        assert self.problem(seconds=seconds) is None

    def test_without_documented_limits_any_time_ahead_will_do(self):
        limits = ProviderLimits(requests=10)
        assert window_problem(NOW + timedelta(microseconds=1), NOW, limits) is None
        assert window_problem(NOW + timedelta(days=40_000), NOW, limits) is None

    def test_the_problem_names_the_callers_field(self):
        assert window_problem(NOW, NOW, self.LIMITS, field="requests[3].at").field == "requests[3].at"
