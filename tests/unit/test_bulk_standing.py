"""A results file and `retry_failed` are two ways to send again what failed: whoever uses both sends it once."""

from __future__ import annotations

import io
import logging

import pytest

from reelpub import Clip, GeneratedPost, MemoryStore, OutcomeStatus, PublishRequest
from reelpub.bulk import begin, carry_out, load, retry_failed
from reelpub.bulk.plan import plan
from reelpub.bulk.results import result_rows
from reelpub.clocks import utc_now
from reelpub.errors import ConfigurationError
from reelpub.manifest import read_manifest, write_results
from reelpub.manifest.rows import ManifestRow
from reelpub.sandbox import Fault, FaultKind

CLIP = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=("tiktok:acme", "youtube:acme"))
MISSING = PublishRequest(Clip("demo-project-1", "no-such-clip"), accounts=("tiktok:acme",))
OUT = OutcomeStatus


def results_of(record, form="csv"):
    stream = io.BytesIO()
    write_results(result_rows(record), stream, form)
    stream.seek(0)
    return list(read_manifest(stream, format=form))


class Desk:
    """A store with an orchestrator, and a run whose post fails on YouTube alone."""

    def __init__(self, stage, pub, store) -> None:
        self.stage, self.pub, self.store = stage, pub, store

    async def begin(self, rows, name="posts.csv"):
        return await begin(self.store, rows, name=name, command="publish", now=utc_now(self.stage.clock))

    async def run(self, rows):
        return await carry_out(self.pub, self.store, await self.begin(rows))

    async def first(self, *requests, times=1):
        fault = Fault(FaultKind.PLATFORM_FAILS, provider="reap", platform="youtube", times=times)
        self.stage.sandbox.order(fault)
        return await self.run([ManifestRow(number=n, line=n + 1, request=one) for n, one in enumerate(requests, 1)])

    async def planned(self, rows):
        left_out: dict[int, str] = {}
        publishers = self.pub.publishers
        now = utc_now(self.stage.clock)
        made = await plan(rows, publishers, now=now, store=self.store, left_out=left_out.__setitem__)
        return made, left_out


@pytest.fixture
def at_desk(play):
    """Play a story at a desk, after which nothing is live twice."""

    def at(story):
        async def whole(stage):
            store = MemoryStore()
            async with stage.orchestrator(store=store) as pub:
                await story(Desk(stage, pub, store))
            assert stage.sandbox.duplicates() == []

        play(whole)

    return at


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_a_retry_made_live_since_isnt_sent_by_an_older_file(at_desk, form):
    async def story(desk):
        before = await desk.first(CLIP, MISSING)
        file = results_of(before, form)
        assert [(row.request.accounts, row.origin) for row in file] == [
            (("youtube:acme",), (before.id, 1)),
            (("tiktok:acme",), (before.id, 2)),
        ]
        after = await retry_failed(desk.pub, desk.store, before.id)
        assert after.rows[0].status is OUT.PUBLISHED
        made, left_out = await desk.planned(file)
        assert (made.skipped, made.sound) == (1, 1)
        assert left_out == {1: "was sent again since the file was written; write the results of its run anew"}
        record = await desk.run(file)
        assert [row.number for row in record.rows] == [2]

    at_desk(story)


def test_a_file_of_which_all_was_sent_again_makes_no_run(at_desk):
    async def story(desk):
        before = await desk.first(CLIP)
        file = results_of(before)
        await retry_failed(desk.pub, desk.store, before.id)
        with pytest.raises(ConfigurationError, match="there is no row to run"):
            await desk.begin(file)

    at_desk(story)


def test_a_file_whose_retry_failed_as_well_runs(at_desk):
    async def story(desk):
        before = await desk.first(CLIP, times=2)
        file = results_of(before)
        again = await retry_failed(desk.pub, desk.store, before.id)
        assert again.rows[0].status is OUT.PARTLY_PUBLISHED
        record = await desk.run(file)
        assert record.rows[0].status is OUT.PUBLISHED

    at_desk(story)


def test_what_a_file_made_live_since_isnt_sent_by_a_retry(at_desk, caplog):
    async def story(desk):
        before = await desk.first(CLIP)
        record = await desk.run(results_of(before))
        assert record.rows[0].status is OUT.PUBLISHED
        with caplog.at_level(logging.WARNING, "reelpub.bulk"):
            again = await retry_failed(desk.pub, desk.store, before.id)
        assert again.rows[0].status is OUT.PARTLY_PUBLISHED
        assert caplog.messages == [f"row 1 isn't sent again: job {record.id}.1 was asked for the same since"]

    at_desk(story)


def test_where_the_file_failed_too_a_retry_sends_it(at_desk):
    async def story(desk):
        before = await desk.first(CLIP, times=2)
        record = await desk.run(results_of(before))
        assert record.rows[0].status is OUT.FAILED
        again = await retry_failed(desk.pub, desk.store, before.id)
        assert again.rows[0].status is OUT.PUBLISHED

    at_desk(story)


def test_a_store_that_doesnt_know_the_run_leaves_the_file_alone(at_desk):
    async def story(desk):
        before = await desk.first(CLIP)
        elsewhere = MemoryStore()
        await elsewhere.open()
        run = await begin(
            elsewhere, results_of(before), name="again.csv", command="publish", now=utc_now(desk.stage.clock)
        )
        assert [row.number for row in (await load(elsewhere, run)).rows] == [1]
        await elsewhere.close()

    at_desk(story)


def test_a_row_without_accounts_of_its_own_lacks_what_all_of_them_lack(at_desk):
    """A generated post goes to those that the service has for it."""

    async def story(desk):
        fault = Fault(FaultKind.PLATFORM_FAILS, provider="reelmirror", times=2)
        desk.stage.sandbox.order(fault)
        post = PublishRequest(GeneratedPost("demo-generated-post-1"))
        before = await desk.run([ManifestRow(number=1, line=2, request=post)])
        assert before.rows[0].status is OUT.FAILED
        file = results_of(before)
        assert file[0].request.accounts == ()
        made, left_out = await desk.planned(file)
        assert (made.sound, left_out) == (1, {})
        await retry_failed(desk.pub, desk.store, before.id)
        made, left_out = await desk.planned(file)
        assert (made.sound, list(left_out)) == (0, [1])

    at_desk(story)


@pytest.mark.parametrize(
    ("told", "origin"),
    [
        ({"result_run": "r", "result_row": "3", "result_status": "failed"}, ("r", 3)),
        ({"result_run": "r", "result_row": "3", "result_status": ""}, None),
        ({"result_run": "", "result_row": "3", "result_status": "failed"}, None),
        ({"result_run": "r", "result_row": "x", "result_status": "failed"}, None),
        ({"result_run": "r", "result_row": "3" * 5000, "result_status": "failed"}, None),
    ],
)
def test_a_row_says_where_it_comes_from_unless_it_is_to_run_all_the_same(told, origin):
    text = ",".join(("clip", "accounts", *told)) + "\n" + ",".join(("p/c", "tiktok:acme", *told.values())) + "\n"
    (row,) = read_manifest(io.BytesIO(text.encode()), format="csv")
    assert row.origin == origin
