"""Times as people and spreadsheets write them: read where they can mean one thing, else told what would be right."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from reelpub import FoldPolicy, GapPolicy, LocalTime, Problem
from reelpub.manifest import read_manifest
from reelpub.manifest.times import TimeRules, moment, zone_problem
from reelpub.policies.scheduling import instant

OSLO = TimeRules(zone="Europe/Oslo")


@pytest.mark.parametrize(
    "text",
    [
        "2027-06-01T12:30Z",
        "2027-06-01T14:30+02:00",
        "2027-06-01 14:30+0200",
        "2027-06-01 14:30:00 +02:00",
        "2027-06-01t12:30:00.000z",
        " 2027-06-01T12:30:00,0Z ",
        "20270601T123000Z",
    ],
)
def test_a_time_with_an_offset_is_that_instant(text):
    assert moment(text, TimeRules()) == datetime(2027, 6, 1, 12, 30, tzinfo=UTC)
    assert moment(text, OSLO) == datetime(2027, 6, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2027-06-01 14:30",
        "2027-06-01T14:30",
        "2027-06-01 14:30:00",
        "2027-06-01  14:30",
        "2027-06-01T14:30:00.000000123",
        "20270601T1430",
    ],
)
def test_a_time_without_one_is_local(text):
    found = moment(text, OSLO)
    assert isinstance(found, LocalTime)
    assert instant(found) == datetime(2027, 6, 1, 12, 30, tzinfo=UTC)


def test_one_digit_for_the_hour_is_enough():
    assert instant(moment("2027-06-01 9:05", OSLO)) == datetime(2027, 6, 1, 7, 5, tzinfo=UTC)


def test_a_time_is_known_again_by_how_it_was_written():
    assert moment(" 2027-06-01 14:30 ", OSLO).clock == "2027-06-01 14:30"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("03/04/2027", "write 2027-04-03 14:30 or 2027-03-04 14:30"),
        ("03.04.2027 9:15", "write 2027-04-03 09:15 or 2027-03-04 09:15"),
        ("3-4-27, 21:00 Uhr", "write 2027-04-03 21:00 or 2027-03-04 21:00"),
        ("25/12/2027", "isn't written as year, month and day; write 2027-12-25 14:30"),
        ("12/25/2027", "write 2027-12-25 14:30"),
        ("05/05/2027", "isn't written as year, month and day; write 2027-05-05 14:30"),
        ("31/31/2027", "is no time that can be read"),
        ("46474.6", "a spreadsheet's number for 2027-03-28 14:24"),
        ("46474,6", "2027-03-28 14:24"),
        ("46474", "2027-03-28 00:00"),
        ("1806244200", "if it is Unix time, write 2027-03-28T"),
        ("1806244200000", "if it is Unix time, write 2027-03-28T"),
        ("2027-03-28", "has no clock time"),
        ("20270328", "has no clock time"),
        ("2027-W12-7", "has no clock time"),
        ("2027-13-01 10:00", "is no time that exists"),
        ("2027-02-30 10:00", "is no time that exists"),
        ("2027-03-28 25:00", "is no time that exists"),
        ("2027-03-28T14:30+99:00", "is no time that exists"),
        ("tomorrow", "write it as 2027-03-28T14:30+02:00"),
        ("14:30", "write it as 2027-03-28T14:30+02:00"),
        ("2027-03-28 2:30 pm", "write it as"),
        ("٢٠٢٧-٠٣-٢٨ ١٤:٣٠", "write it as"),
        ("", "write it as"),
    ],
)
def test_anything_else_is_told_what_would_be_right(text, words):
    problem = moment(text, OSLO)
    assert isinstance(problem, Problem)
    assert words in problem.message


def test_what_is_recommended_can_be_read():
    for text in ("2027-03-28T14:30+02:00", "2027-03-28 14:30", "2027-04-03 09:15"):
        assert not isinstance(moment(text, OSLO), Problem)


def test_a_local_time_needs_a_zone():
    assert "has no offset and no zone" in moment("2027-06-01 14:30", TimeRules()).message


def test_an_offset_and_a_zone_of_its_own_are_one_too_many():
    assert "has an offset already" in moment("2027-06-01T14:30Z", OSLO, has_own_zone=True).message


def test_gaps_and_folds_are_refused_unless_a_policy_is_named():
    assert "skipped" in moment("2027-03-28 02:30", OSLO).message
    assert "comes twice" in moment("2027-10-31 02:30", OSLO).message
    named = TimeRules(zone="Europe/Oslo", gap=GapPolicy.LATER, fold=FoldPolicy.SECOND)
    assert instant(moment("2027-03-28 02:30", named)) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert instant(moment("2027-10-31 02:30", named)) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("europe/olso", "did you mean Europe/Oslo?"),
        ("America/New York", "did you mean America/New_York?"),
        ("UTC+2", "no zone"),
        ("../../etc/passwd", "no zone"),
        ("x" * 5000, "no zone"),
        ("a\0b", "no zone"),
    ],
)
def test_a_zone_that_isnt_known_says_which_may_be_meant(zone, words):
    assert words in zone_problem(zone).message


def rows_of(text, **options):
    return list(read_manifest(io.BytesIO(text.encode()), format="csv", **options))


def test_the_rows_own_zone_and_policies_come_first():
    text = "clip,at,zone,gap\np/1,2027-03-28 02:30,,\np/2,2027-06-01 14:30,Asia/Tokyo,\np/3,2027-03-28 02:30,,earlier\n"
    first, second, third = rows_of(text, zone="Europe/Oslo", gap=GapPolicy.LATER)
    assert first.request.at == LocalTime("2027-03-28 02:30", "Europe/Oslo", gap=GapPolicy.LATER)
    assert second.request.at == LocalTime("2027-06-01 14:30", "Asia/Tokyo", gap=GapPolicy.LATER)
    assert third.request.at.gap is GapPolicy.EARLIER


def test_a_wrong_zone_and_a_wrong_time_are_told_together():
    (row,) = rows_of("clip,at,zone\np/1,03/04/2027,Europe/Olso\n")
    assert [problem.place.column for problem in row.problems] == ["zone", "at"]


def test_a_wrong_zone_alone_leaves_the_row_without_a_time():
    (row,) = rows_of("clip,at,zone\np/1,2027-03-28 14:30,Europe/Olso\n", zone="UTC")
    assert [problem.place.column for problem in row.problems] == ["zone"]
    assert row.request.at is None
    assert not row.is_sound
