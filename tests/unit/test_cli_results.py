"""`reelpub results`, and the moves of `reelpub reschedule`: what is told of a run by its store alone."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from datetime import timedelta
from zoneinfo import ZoneInfo

import attrs
import click
import pytest

from reelpub import Account, Clip, GeneratedPost, LocalTime, OutcomeStatus, PublishRequest, SqliteStore
from reelpub.bulk import begin, cancel, carry_out, reschedule
from reelpub.cli.app import run as reelpub
from reelpub.cli.commands.results import results
from reelpub.cli.work.moves import moves_by, moves_to
from reelpub.clocks import utc_now
from reelpub.manifest.results import ResultRow
from reelpub.manifest.rows import ManifestRow
from reelpub.models.post import Delivery, DeliveryStatus


def clip(number, **members):
    return PublishRequest(Clip("demo-project-1", f"demo-clip-{number}"), accounts=("tiktok:acme",), **members)


@pytest.fixture
def posts_db(play, tmp_path, monkeypatch):
    """Carry a run out, then do *more* with it; its store is posts.db, in the present folder."""
    monkeypatch.chdir(tmp_path)

    def make(*requests, more=None):
        async def story(stage):
            store, now = SqliteStore(tmp_path / "posts.db"), utc_now(stage.clock)
            asked = [request(now) if callable(request) else request for request in requests]
            rows = [ManifestRow(number=n, line=n + 1, request=one) for n, one in enumerate(asked, start=1)]
            async with stage.orchestrator(store=store) as pub:
                run = await begin(store, rows, name="posts.csv", command="publish", now=now)
                await carry_out(pub, store, run)
                if more is not None:
                    await more(pub, store, run, now)
            return now

        return play(story)

    return make


@pytest.fixture
def told(capfd):
    """Run `reelpub results` with some more arguments; return what it prints and what it says on standard error."""

    def call(*arguments):
        reelpub(["results", "--store", "posts.db", *arguments])
        return capfd.readouterr()

    return call


async def call_off_first(pub, store, run, _now):
    await cancel(pub, store, run, rows=[1])


def in_hours(hours, number=1):
    return lambda now: clip(number, at=now + timedelta(hours=hours))


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_a_file_of_which_nothing_would_be_sent_isnt_to_be_sent(posts_db, told, format_):
    posts_db(clip(1), in_hours(3, 2))
    for options in ((), ("--failed",)):
        _, said = told(*options, "--format", format_, "-o", "again")
        assert said.endswith("; published as it is, it sends nothing\n")
        assert "reelpub publish" not in said


def test_one_of_which_something_would_be_is(posts_db, told):
    posts_db(clip(1), PublishRequest(Clip("demo-project-1", "no-such-clip"), accounts=("tiktok:acme",)))
    _, said = told("--format", "csv", "-o", "again.csv")
    assert said.endswith(
        "again.csv: 2 rows; send what isn't live again with: reelpub publish again.csv --store posts.db\n"
    )


ACCOUNTS = [Account(id=f"a{n}", provider="reap", platform="tiktok", username=f"u{n}") for n in range(2)]
DONE, LACKING, UNSURE = DeliveryStatus.PUBLISHED, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN


@pytest.mark.parametrize(
    ("status", "deliveries", "is_sent"),
    [
        (OutcomeStatus.FAILED, (LACKING, LACKING), True),
        (OutcomeStatus.REFUSED, (), True),
        (OutcomeStatus.NOT_SENT, (), True),
        (OutcomeStatus.PARTLY_PUBLISHED, (DONE, LACKING), True),
        (OutcomeStatus.UNKNOWN, (UNSURE, LACKING), False),
        (OutcomeStatus.PENDING, (DeliveryStatus.PENDING, LACKING), False),
        (OutcomeStatus.DUPLICATE, (LACKING, LACKING), False),
        (OutcomeStatus.CANCELLED, (DeliveryStatus.CANCELLED,), False),
        (OutcomeStatus.PUBLISHED, (DONE, DONE), False),
        (OutcomeStatus.SCHEDULED, (), False),
    ],
)
def test_a_row_of_results_says_whether_it_runs_again(status, deliveries, is_sent):
    made = tuple(Delivery(account=one, status=each) for one, each in zip(ACCOUNTS, deliveries, strict=False))
    row = ResultRow(number=1, line=2, request=clip(1), status=status, deliveries=made)
    assert row.runs_again is is_sent
    approved = attrs.evolve(row, request=PublishRequest(GeneratedPost("g", approve=True)))
    assert approved.runs_again is (is_sent and status is not OutcomeStatus.PARTLY_PUBLISHED)


def test_that_nothing_failed_is_said_of_what_was_called_off_too(posts_db, told):
    posts_db(in_hours(3), more=call_off_first)
    out, _ = told("--failed")
    assert "no row is known to have failed, so there is nothing to send again" in out
    assert "1 row: 1 cancelled" in out
    assert "it isn't live" not in out


def test_a_moved_row_is_written_with_its_new_time(posts_db, told):
    def asked(now):
        return clip(1, at=LocalTime(f"{now + timedelta(days=1):%Y-%m-%d} 12:00", "Europe/Oslo"))

    async def move(pub, store, run, now):
        new = (now + timedelta(days=2)).astimezone(ZoneInfo("Asia/Tokyo")).replace(hour=18, minute=30)
        moved = await reschedule(pub, store, run, {1: new.replace(second=0, microsecond=0)})
        assert moved[1].status is OutcomeStatus.SCHEDULED

    now = posts_db(asked, more=move)
    out, _ = told("--format", "csv")
    (row,) = csv.DictReader(out.splitlines())
    assert (row["at"], row["zone"]) == (f"{now + timedelta(days=2):%Y-%m-%d} 10:30", "Europe/Oslo")


@pytest.mark.parametrize("to_pipe", [(), ("-o", "-")], ids=["as it is", "by its name"])
def test_a_file_has_the_mark_that_spreadsheets_look_for_and_a_pipe_hasnt(posts_db, told, tmp_path, to_pipe):
    """A program takes the mark for a part of the first column's name."""
    posts_db(clip(1))
    told("--format", "csv", "-o", "again.csv")
    out, _ = told("--format", "csv", *to_pipe)
    assert (tmp_path / "again.csv").read_bytes().startswith(b"\xef\xbb\xbfreference,")
    assert next(csv.DictReader(out.splitlines()))["clip"] == "demo-project-1/demo-clip-1"
    assert out.startswith("reference,")


def test_a_move_that_isnt_one_names_the_store_to_look_in(runs, tmp_path):
    run, store = runs.run(1), tmp_path / "my posts.db"
    by, row = timedelta(hours=1), frozenset({9})
    named = f"`reelpub results {run.id} --store '{store}'`"
    for wrong in (
        lambda **given: moves_by(run, by, row, **given),
        lambda **given: moves_by(run, by, None, **given),
        lambda **given: moves_to(run, run.started_at, row, **given),
    ):
        with pytest.raises(click.UsageError) as error:
            wrong(store=store)
        assert named in error.value.message
        with pytest.raises(click.UsageError) as error:
            wrong()
        assert f"`reelpub results {run.id}`" in error.value.message


def test_reschedule_tells_it_so(posts_db, capfd, monkeypatch):
    monkeypatch.setenv("REAP_API_KEY", "k")
    posts_db(clip(1))
    for wrong in (("--row", "9", "--at", "2027-03-28T09:00Z"), ("--by", "2h")):
        assert reelpub(["reschedule", "latest", *wrong, "--store", "posts.db"]) == 2
        assert " --store posts.db` shows " in capfd.readouterr().err


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_the_example_with_jq_prints_the_links_of_what_is_live_and_nothing_else(posts_db, told):
    (example,) = [one for one in results.sections.examples if "jq" in one.line]
    missing = PublishRequest(Clip("demo-project-1", "no-such-clip"), accounts=("tiktok:acme",))
    posts_db(clip(1), in_hours(3, 2), missing, clip(4), in_hours(4, 5))
    out, _ = told("--json")
    links = [
        delivery["url"]
        for line in out.splitlines()
        for delivery in json.loads(line).get("deliveries", ())
        if delivery["url"]
    ]
    assert len(links) == 2
    _, _, filtering = example.line.partition("|")
    done = subprocess.run(
        ["sh", "-c", filtering], input=out, capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.splitlines() == links
    assert done.stderr == ""
