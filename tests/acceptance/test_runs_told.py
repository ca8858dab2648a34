"""What a run's record says is what the store has and what the process saw, for every kind of end."""

from __future__ import annotations

from collections import Counter

import pytest

from reelpub import DeliveryStatus, OutcomeStatus
from reelpub.store import codec


def test_every_kind_of_end_occurs(every_outcome_run):
    found = {row.number: row.status for row in every_outcome_run.record.rows}
    assert found == every_outcome_run.ROWS
    assert set(found.values()) == set(OutcomeStatus)


def test_each_row_of_the_record_is_what_the_orchestrator_told(every_outcome_run):
    """Account by account and word for word, though another store object read it."""
    for row in every_outcome_run.record.rows:
        told = every_outcome_run.told.get(row.number)
        if row.number in (8, 13):
            assert told is None, "it was never submitted"
            continue
        assert codec.outcome_values(row.outcome) == codec.outcome_values(told), row.number


def test_the_counts_are_those_of_the_rows(every_outcome_run):
    record = every_outcome_run.record
    assert record.counts == Counter(every_outcome_run.ROWS.values())
    assert record.ended_at is None, "a row was never submitted"


def test_what_the_provider_said_stands_with_its_account(every_outcome_run):
    rows = {row.number: row for row in every_outcome_run.record.rows}
    partly = {str(delivery.account): delivery for delivery in rows[2].outcome.deliveries}
    assert partly["tiktok:acme"].status is DeliveryStatus.PUBLISHED
    assert partly["youtube:acme"].status is DeliveryStatus.FAILED
    assert rows[10].outcome.duplicate_of == rows[1].job_id
    assert rows[4].outcome.problems[0].field == "at"
    assert rows[5].outcome.problems
    assert rows[8].outcome.reason == "called off before it was submitted"
    assert rows[13].outcome is None


def test_a_row_that_was_sent_again_is_told_by_its_latest_job_with_the_moments_of_both(every_outcome_run):
    row = next(row for row in every_outcome_run.record.rows if row.number == 14)
    assert row.job_id != f"{every_outcome_run.record.id}.14"
    kinds = [moment.kind for moment in row.moments]
    assert kinds.count("settled") == 2
    assert kinds.index("failed") < kinds.index("delivered")


@pytest.mark.parametrize("number", [1, 2, 3, 6, 7, 11, 12, 14])
def test_a_row_that_was_sent_has_its_way_told(every_outcome_run, number):
    row = next(row for row in every_outcome_run.record.rows if row.number == number)
    kinds = [moment.kind for moment in row.moments]
    assert kinds[0] == "queued"
    assert "sent" in kinds
    assert kinds[-1] == "settled"


def test_both_budgets_are_told(every_outcome_run):
    limits = {(one.publisher, one.limit, one.window) for one in every_outcome_run.record.samples}
    assert limits == {("reelmirror", 60, 60.0), ("reap", 10, 60.0)}


def test_no_secret_is_kept_of_a_run(every_outcome_run):
    """Neither a key nor a header nor a body, in what was written down of all this."""
    data = b"".join(path.read_bytes() for path in every_outcome_run.path.parent.iterdir())
    assert data
    for secret in (b"rm_sandbox", b"reap_sandbox_key", b"Bearer", b"Authorization"):
        assert secret not in data
