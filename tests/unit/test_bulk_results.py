"""A run's results are a manifest: what is live or may be is skipped, and what failed runs again."""

from __future__ import annotations

import io
import json
import shutil
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

from reelpub import Clip, LocalTime, MemoryStore, OutcomeStatus, Post, PostStatus, PublishRequest, SqliteStore
from reelpub.bulk import begin, carry_out, load, reschedule
from reelpub.bulk.results import result_rows
from reelpub.clocks import utc_now
from reelpub.manifest import read_manifest, write_results
from reelpub.manifest.rerun import left_out
from reelpub.manifest.rows import ManifestRow
from reelpub.policies.scheduling import instant


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


# ---- what was moved

ASKED = datetime(2027, 3, 26, 9, 30, tzinfo=UTC)
MOVED = datetime(2027, 12, 25, 9, 0, tzinfo=UTC)


def with_posts(runs, at, *times):
    """Return a run of one row that asked for *at*, and whose posts go out at *times*."""
    row = runs.row(1, OutcomeStatus.SCHEDULED, at=at)
    posts = tuple(
        Post(id=f"p{n}", provider="reap", publisher="reap", status=PostStatus.SCHEDULED, scheduled_at=time)
        for n, time in enumerate(times)
    )
    row = attrs.evolve(row, outcome=attrs.evolve(row.outcome, posts=posts))
    return attrs.evolve(runs.run(0), rows=(row,))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(
    ("at", "moved", "written"),
    [
        (ASKED, MOVED, MOVED),
        (ASKED.astimezone(timezone(timedelta(hours=9))), MOVED, datetime.fromisoformat("2027-12-25T18:00+09:00")),
        (LocalTime("2027-03-26 10:30", "Europe/Oslo"), MOVED, LocalTime("2027-12-25 10:00", "Europe/Oslo")),
        (
            LocalTime("2027-03-26 10:30", "Europe/Oslo", gap="later", fold="second"),
            MOVED + timedelta(seconds=30),
            LocalTime("2027-12-25 10:00:30", "Europe/Oslo", gap="later", fold="second"),
        ),
        (
            LocalTime("2027-03-26 10:30", "Europe/Oslo"),
            datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
            LocalTime("2027-10-31 02:30", "Europe/Oslo", fold="first"),
        ),
        (
            LocalTime("2027-03-26 10:30", "Europe/Oslo", fold="first"),
            datetime(2027, 10, 31, 1, 30, tzinfo=UTC),
            LocalTime("2027-10-31 02:30", "Europe/Oslo", fold="second"),
        ),
        (
            LocalTime("2027-03-26 18:30", "Asia/Tokyo"),
            datetime(9999, 12, 31, 23, tzinfo=UTC),
            datetime(9999, 12, 31, 23, tzinfo=UTC),
        ),
    ],
)
def test_a_row_that_was_moved_asks_for_its_new_time_in_its_own_zone(runs, at, moved, written, kind):
    record = with_posts(runs, at, moved, moved)
    (result,) = result_rows(record)
    assert result.request.at == written
    assert getattr(result.request.at, "tzinfo", None) is None or result.request.at.utcoffset() == written.utcoffset()
    assert instant(result.request.at) == moved
    (row,) = read_back(record, kind).values()
    assert not row.problems
    assert instant(row.request.at) == moved
    assert attrs.evolve(result.request, at=at) == record.rows[0].request, "nothing else of it changes"


@pytest.mark.parametrize(
    ("at", "times"),
    [
        (ASKED, ()),
        (ASKED, (None,)),
        (ASKED, (MOVED, ASKED)),
        (ASKED, (MOVED, None)),
        (ASKED + timedelta(milliseconds=400), (ASKED,)),
        (None, (MOVED,)),
        (LocalTime("2027-03-28 02:30", "Europe/Oslo"), (MOVED,)),
    ],
)
def test_a_row_that_wasnt_moved_as_a_whole_asks_for_what_it_did(runs, at, times):
    (result,) = result_rows(with_posts(runs, at, *times))
    assert result.request.at == at


def test_a_row_that_was_moved_and_is_run_again_goes_out_at_its_new_time(play):
    async def story(stage):
        now = utc_now(stage.clock)
        at = LocalTime((now + timedelta(days=1)).strftime("%Y-%m-%d 12:00"), "Europe/Oslo")
        new = LocalTime((now + timedelta(days=2)).strftime("%Y-%m-%d 10:00"), "Asia/Tokyo")
        request = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=("tiktok:acme",), at=at)
        async with stage.orchestrator(store=(store := MemoryStore())) as pub:
            run = await begin(store, [ManifestRow(number=1, line=2, request=request)], name="a", command="b", now=now)
            await carry_out(pub, store, run)
            assert (await reschedule(pub, store, run, {1: new}))[1].posts[0].scheduled_at == instant(new)
            record = await load(store, run)
        (again,) = read_back(record, "jsonl").values()
        assert again.request.at.zone == "Europe/Oslo"
        async with stage.orchestrator(store=MemoryStore()) as pub:
            assert (await pub.publish(again.request)).posts[0].scheduled_at == instant(new)

    play(story)


# ---- what it takes to run a row all the same


@pytest.mark.parametrize("are_repeats", [False, True])
def test_with_its_status_emptied_a_row_runs_but_as_a_duplicate_where_its_store_knows_it(
    every_outcome_run, play, tmp_path, are_repeats
):
    store = SqliteStore(shutil.copy(every_outcome_run.path, tmp_path / "runs.db"))
    emptied = [attrs.evolve(row, request=attrs.evolve(row.request, allow_duplicate=are_repeats))
               for row in result_rows(every_outcome_run.record) if row.publisher != "elsewhere"]  # fmt: skip
    stream = io.BytesIO()
    write_results(emptied, stream)
    lines = [json.loads(line) | {"result_status": None} for line in stream.getvalue().splitlines()]
    text = "\n".join(map(json.dumps, lines)).encode()
    rows = list(read_manifest(io.BytesIO(text), format="jsonl"))
    assert all(row.is_sound and row.skip is None for row in rows)

    async def story(stage):
        async with stage.orchestrator(store=store) as pub:
            report = await pub.publish_many([row.request for row in rows], timeout=3600)
        known = {was.status for was, now in zip(emptied, report, strict=True) if now.status is OutcomeStatus.DUPLICATE}
        said = {row.status for row in emptied if "allow_duplicate" in (left_out(row.status, None, ()) or "")}
        assert known == (set() if are_repeats else said)
        assert said == {
            OutcomeStatus.PUBLISHED,
            OutcomeStatus.PARTLY_PUBLISHED,
            OutcomeStatus.SCHEDULED,
            OutcomeStatus.DUPLICATE,
            OutcomeStatus.PENDING,
            OutcomeStatus.UNKNOWN,
        }

    play(story)
