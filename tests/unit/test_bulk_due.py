"""When a row goes out: one answer, which the terminal, JSON and the report give alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from reelpub import OutcomeStatus, Post, PostStatus
from reelpub.bulk.due import due_at
from reelpub.cli.show import runlisting
from reelpub.report.accounts import shares
from reelpub.report.agenda import agenda
from reelpub.report.rows import row_values
from reelpub.report.times import milliseconds, zone_named

EARLY = datetime(2027, 3, 26, 9, 30, tzinfo=UTC)
LATE = EARLY + timedelta(hours=3)


def row_of(runs, *times):
    row = runs.row(1, OutcomeStatus.SCHEDULED, at=EARLY - timedelta(days=1))
    posts = tuple(
        Post(id=f"p{n}", provider="reap", publisher="reap", status=PostStatus.SCHEDULED, scheduled_at=time)
        for n, time in enumerate(times)
    )
    return attrs.evolve(row, outcome=attrs.evolve(row.outcome, posts=posts))


@pytest.mark.parametrize("times", [(EARLY, LATE), (LATE, EARLY), (LATE, None), (None, LATE)])
def test_of_several_posts_the_latest_counts_in_every_output(runs, times):
    row = row_of(runs, *times)
    assert due_at(row) == LATE
    assert runlisting.row_record("r", row)["at"] == LATE.isoformat()
    assert "2027-03-26 12:30" in runlisting.told(row)[0].detail
    assert row_values(row, shares([row])[0])["planned"] == milliseconds(LATE)
    (month,) = agenda([row], zone_named("UTC"))
    assert [entry.at for week in month.weeks for day in week if day for entry in day.entries] == [LATE]


def test_without_a_word_from_the_provider_it_is_what_was_asked_for(runs):
    assert due_at(row_of(runs, None)) == EARLY - timedelta(days=1)
    assert due_at(runs.row(1, OutcomeStatus.PUBLISHED)) is None
    assert due_at(attrs.evolve(row_of(runs), outcome=None)) == EARLY - timedelta(days=1)
