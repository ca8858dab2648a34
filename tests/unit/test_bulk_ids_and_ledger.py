"""Which job is which row's, however often it was retried or submitted anew."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.bulk.choosing import chosen
from reelpub.bulk.ids import job_id, new_run_id, place_of
from reelpub.bulk.ledger import Ledger, numbers_of
from reelpub.errors import ConfigurationError
from reelpub.store import StoredJob, StoredRow

RUN = "261122-k3f9"


def row(number, **members):
    return StoredRow(run=RUN, number=number, line=number + 1, job_id=job_id(RUN, number), request=b"{}", **members)


def job(name, retries=None, outcome=None):
    return StoredJob(
        id=name, publisher="reap", request=b"{}", submitted_at=0, run=RUN, retries=retries, outcome=outcome
    )


def test_a_run_id_is_short_begins_with_its_day_and_has_nothing_that_is_misread():
    ids = {new_run_id(datetime(2026, 11, 22, 5, tzinfo=UTC)) for _ in range(300)}
    assert len(ids) > 290
    assert all(re.fullmatch(r"261122-[23456789abcdefghjkmnpqrstuvwxyz]{4}", one) for one in ids)


def test_run_ids_sort_by_their_day_over_the_turn_of_the_year():
    assert new_run_id(datetime(2026, 12, 31, tzinfo=UTC)) < new_run_id(datetime(2027, 1, 1, tzinfo=UTC))


@given(st.integers(1, 10**6), st.integers(0, 50))
def test_a_jobs_name_leads_back_to_its_row(number, again):
    assert place_of(job_id(RUN, number, again), RUN) == (number, again)


@pytest.mark.parametrize(
    "name", ["", RUN, f"{RUN}.", f"{RUN}.x", f"{RUN}.1.rx", f"{RUN}.1.2", "261122-k3f8.1", "job_17", f"{RUN}1.1"]
)
def test_a_name_of_another_kind_leads_to_no_row(name):
    assert place_of(name, RUN) is None


def test_the_latest_of_a_rows_jobs_counts():
    """A retry of a retry is its row's, and so is what was submitted anew under the row's name."""
    jobs = [
        job(f"{RUN}.1"),
        job(f"{RUN}.2"),
        job("job_a", retries=f"{RUN}.1"),
        job("job_b", retries="job_a"),
        job(f"{RUN}.3.r1"),
        job("job_c", retries=f"{RUN}.3.r1"),
        job("job_stray", retries="job_elsewhere"),
    ]
    ledger = Ledger.of(RUN, [row(n) for n in (1, 2, 3, 4)], jobs)
    assert {number: entry.job_id for number, entry in ledger.entries.items()} == {
        1: "job_b",
        2: f"{RUN}.2",
        3: "job_c",
        4: f"{RUN}.4",
    }
    assert ledger.entries[4].is_untouched
    assert not ledger.entries[1].is_untouched
    assert ledger.entries[1].is_unfinished
    assert "job_stray" not in ledger.numbers
    assert ledger.numbers["job_a"] == 1
    assert ledger.numbers[f"{RUN}.4"] == 4


def test_a_row_that_is_submitted_anew_gets_an_id_that_it_never_had():
    jobs = [job(f"{RUN}.1.r2"), job("job_a", retries=f"{RUN}.1.r2")]
    ledger = Ledger.of(RUN, [row(1), row(2, outcome=b"{}")], jobs)
    assert ledger.next_id(ledger.entries[1], "job_a") == f"{RUN}.1.r3"
    assert ledger.next_id(ledger.entries[2], f"{RUN}.2") == f"{RUN}.2.r1"
    assert ledger.next_id(ledger.entries[2], f"{RUN}.2.r4") == f"{RUN}.2.r5"
    assert not ledger.entries[2].is_untouched


def test_known_numbers_lead_a_retry_to_its_row():
    assert numbers_of(RUN, [("job_b", "job_a")], known={"job_a": 7}) == {"job_a": 7, "job_b": 7}


def test_rows_are_chosen_by_number_and_a_wrong_number_is_told_with_those_that_there_are():
    ledger = Ledger.of(RUN, [row(n) for n in range(1, 6)], [])
    assert [entry.row.number for entry in chosen(ledger, None)] == [1, 2, 3, 4, 5]
    assert [entry.row.number for entry in chosen(ledger, [4, 2, 4])] == [2, 4]
    assert chosen(ledger, []) == []
    with pytest.raises(ConfigurationError, match=r"there is no row 6, 9; its rows are 1 to 5"):
        chosen(ledger, [9, 6, 1])
    with pytest.raises(ConfigurationError, match="its rows are none"):
        chosen(Ledger.of(RUN, [], []), [1])
