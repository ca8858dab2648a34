"""A run's results are a manifest: what is live or may be is skipped, and what failed runs again."""

from __future__ import annotations

import io

import pytest

from reelpub.bulk.results import result_rows
from reelpub.manifest import read_manifest, write_results


def read_back(record, kind):
    stream = io.BytesIO()
    write_results(result_rows(record), stream, kind)
    stream.seek(0)
    return {row.number: row for row in read_manifest(stream, format=kind)}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_results_of_a_run_with_every_end_run_again_what_provably_isnt_live(every_outcome_run, kind):
    rows = read_back(every_outcome_run.record, kind)
    assert sorted(rows) == sorted(every_outcome_run.ROWS)
    assert all(not row.problems for row in rows.values())
    # Partly published, refused (twice), failed, not sent; everything else is live, may be, or was called off.
    assert [number for number, row in rows.items() if row.skip is None] == [2, 4, 5, 6, 9]
    # Only the account that lacks it.
    assert rows[2].request.accounts == ("youtube:acme",)


def test_each_row_is_told_with_its_run_its_job_and_its_posts(every_outcome_run):
    record = every_outcome_run.record
    told = list(result_rows(record))
    for row, result in zip(record.rows, told, strict=True):
        assert (result.number, result.line, result.request, result.run) == (
            row.number,
            row.line,
            row.request,
            record.id,
        )
        assert (result.status, result.job_id) == (row.status, row.job_id)
        outcome = row.outcome
        if outcome is None:
            assert result.reason == "it hasn't been submitted; resume the run"
        else:
            assert result.deliveries == outcome.deliveries
            assert result.posts == tuple(post.id for post in outcome.posts)
            assert (result.reason, result.settled_at) == (outcome.reason, outcome.settled_at)
