"""Carrying out a run: portions, what ends without a job, what is left, and what ends it early."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from reelpub import (
    CancelResult,
    Clip,
    ConfigurationError,
    Orchestrator,
    OutcomeStatus,
    ProviderLimits,
    PublishRequest,
    UnsupportedOperation,
    bulk,
)
from reelpub.bulk.crew import is_for
from reelpub.errors import StoreError
from reelpub.manifest.rows import ManifestRow
from reelpub.models.capability import Capabilities, Feature
from reelpub.store import MemoryStore, SqliteStore, StoredEvent
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
NOW = datetime.fromtimestamp(1_800_000_000, UTC)
FAST = ProviderLimits(requests=100_000, max_tags=10, schedule_batch=100)


def clip(number, **members):
    return PublishRequest(Clip("p", f"c{number}"), **({"accounts": ["tiktok:acme"]} | members))


def rows_of(requests):
    return [ManifestRow(number=n, line=n + 1, request=request) for n, request in enumerate(requests, start=1)]


def play(story, requests, *, script=None, limits=None, store=None, publisher=InMemoryPublisher, **options):
    async def main(clock):
        memory = publisher(clock=clock, script=script, limits=limits)
        kept = store or MemoryStore()
        async with Orchestrator([memory], clock=clock, store=kept, **options) as pub:
            run = await bulk.begin(kept, rows_of(requests), name="posts.csv", command="publish", now=NOW)
            return await story(pub, memory, kept, run)

    return run_virtual(main)


def statuses(record):
    return [row.status for row in record.rows]


# ---- portions


def test_a_run_of_many_portions_ends_like_one_of_one(monkeypatch):
    """Never more rows are under way than is said, and each is told of once, when it is taken on."""
    monkeypatch.setattr("reelpub.bulk.crew.CHUNK", 10)
    monkeypatch.setattr("reelpub.bulk.crew.MOST_OPEN", 30)
    asked = [clip(n) for n in range(1, 101)] + [clip(3), clip(200, at=NOW - timedelta(hours=1))]
    told, most = {}, 0

    async def story(pub, memory, store, run):
        def on_rows(handles):
            nonlocal most
            assert not told.keys() & handles.keys()
            told.update(handles)
            most = max(most, sum(not handle.is_settled for handle in told.values()))

        return statuses(await bulk.carry_out(pub, store, run, on_rows=on_rows))

    found = play(story, asked, limits=FAST)
    assert found == [OUT.PUBLISHED] * 100 + [OUT.DUPLICATE, OUT.REFUSED]
    assert sorted(told) == list(range(1, 103))
    assert 20 < most <= 30


def test_a_run_read_again_is_what_the_call_returned():
    async def story(pub, memory, store, run):
        record = await bulk.carry_out(pub, store, run)
        assert record.counts == {OUT.SCHEDULED: 600}
        assert await bulk.load(store, run) == record

    play(story, [clip(n, at=NOW + timedelta(days=1, minutes=n)) for n in range(1, 601)], limits=FAST)


def test_two_calls_of_one_process_share_a_run():
    """As where a button is pressed twice: neither is refused, both tell the whole, and everything goes out once."""

    async def story(pub, memory, store, run):
        calls = [bulk.carry_out(pub, store, run) for _ in range(2)]
        assert [statuses(record) for record in await asyncio.gather(*calls)] == [[OUT.PUBLISHED] * 4] * 2
        assert {name: len(live) for name, live in memory.live.items()} == {"tiktok-acme": 4}

    play(story, [clip(n) for n in range(1, 5)])


def test_jobs_that_arent_remembered_any_more_arent_sent_again():
    """However few settled jobs the orchestrator keeps in mind, the store knows their ids."""

    async def story(pub, memory, store, run):
        await bulk.carry_out(pub, store, run)
        assert statuses(await bulk.carry_out(pub, store, run)) == [OUT.PUBLISHED] * 4
        assert {name: len(live) for name, live in memory.live.items()} == {"tiktok-acme": 4}

    play(story, [clip(n) for n in range(1, 5)], keep_settled=0)


# ---- rows that end without a job


def test_rows_that_end_without_a_job_are_noted_at_once():
    """A refusal and a duplicate are in the store before anything else has ended."""

    async def story(pub, memory, store, run):
        working = asyncio.ensure_future(bulk.carry_out(pub, store, run))
        await pub.clock.sleep(0.5)
        record = await bulk.load(store, run)
        assert [(row.status, row.is_settled) for row in record.rows] == [
            (OUT.PENDING, False),
            (OUT.DUPLICATE, True),
            (OUT.REFUSED, True),
        ]
        assert record.rows[1].outcome.duplicate_of == record.rows[0].job_id
        await working

    play(story, [clip(1), clip(1), clip(2, at=NOW - timedelta(hours=1))])


class Failing(MemoryStore):
    """Fails to write rows, the first so many times, or to add jobs."""

    def __init__(self, rows=0, jobs=False):
        super().__init__()
        self.rows_left, self.jobs_fail = rows, jobs

    async def settle_rows(self, rows, **options):
        if self.rows_left > 0:
            self.rows_left -= 1
            raise StoreError("the disk is full")
        await super().settle_rows(rows, **options)

    async def add(self, jobs, **options):
        if self.jobs_fail:
            raise StoreError("the disk is full")
        return await super().add(jobs, **options)


def test_what_couldnt_be_noted_of_a_row_is_noted_with_the_next(caplog):
    async def story(pub, memory, store, run):
        assert statuses(await bulk.carry_out(pub, store, run)) == [OUT.PUBLISHED, OUT.REFUSED]

    play(story, [clip(1), clip(2, accounts=())], store=Failing(rows=1))
    assert "the outcomes of 1 rows couldn't be noted yet: the disk is full" in caplog.text


def test_rows_that_the_store_didnt_take_are_told_and_go_out_when_sent_again():
    """Nothing is sent that can't be noted first; once it can, a retry submits it under an id of its own."""

    async def story(pub, memory, store, run):
        first = await bulk.carry_out(pub, store, run)
        assert statuses(first) == [OUT.NOT_SENT] * 2
        assert "the disk is full" in first.rows[0].outcome.reason
        assert statuses(await bulk.carry_out(pub, store, run)) == [OUT.NOT_SENT] * 2, "what has ended stays"
        assert memory.requests == {}
        store.jobs_fail = False
        again = await bulk.retry_failed(pub, store, run, rows=[2])
        assert statuses(again) == [OUT.NOT_SENT, OUT.PUBLISHED]
        assert again.rows[1].job_id == f"{run}.2.r1"
        assert [moment.kind for moment in again.rows[1].moments].count("settled") == 2
        assert statuses(await bulk.retry_failed(pub, store, run)) == [OUT.PUBLISHED] * 2

    play(story, [clip(1), clip(2)], store=Failing(jobs=True))


def test_a_row_that_a_check_refused_may_be_sent_again_and_again_under_new_ids():
    """As where an account was connected in the meantime; a time that has passed means now."""

    async def story(pub, memory, store, run):
        assert statuses(await bulk.carry_out(pub, store, run)) == [OUT.REFUSED] * 2
        once = await bulk.retry_failed(pub, store, run)
        assert statuses(once) == [OUT.REFUSED, OUT.PUBLISHED]
        assert [row.job_id for row in once.rows] == [f"{run}.1.r1", f"{run}.2.r1"]
        twice = await bulk.retry_failed(pub, store, run)
        assert [row.job_id for row in twice.rows] == [f"{run}.1.r2", f"{run}.2.r1"]
        assert len(memory.live["tiktok-acme"]) == 1

    play(story, [clip(1, accounts=["tiktok:nobody"]), clip(2, at=NOW - timedelta(hours=1))])


# ---- rows that are left


@pytest.mark.parametrize(
    ("request_", "is_here"),
    [
        (clip(1), True),
        (clip(1, publisher="memory"), True),
        (clip(1, publisher="reap"), False),
        (PublishRequest("no source at all"), False),
    ],
)
def test_a_row_is_for_those_publishers_that_are_here(request_, is_here):
    assert is_for(request_, {"memory": InMemoryPublisher()}) is is_here


def test_rows_for_a_publisher_that_isnt_here_are_left_for_another_time(caplog):
    async def story(pub, memory, store, run):
        record = await bulk.carry_out(pub, store, run)
        assert [row.outcome and row.status for row in record.rows] == [None, OUT.PUBLISHED]
        assert record.ended_at is None

    play(story, [clip(1, publisher="reap"), clip(2)])
    assert "1 rows are left as they are: no publisher for them is here" in caplog.text


# ---- what ends it early


def test_a_run_that_isnt_there_is_wrong_use():
    async def story(pub, memory, store, run):
        for call in (bulk.carry_out, bulk.retry_failed, bulk.cancel, bulk.watch):
            with pytest.raises(ConfigurationError, match="there is no 'nonsense'; did you mean one of"):
                await call(pub, store, "nonsense")
        with pytest.raises(ConfigurationError, match="there is no 'nonsense'"):
            await bulk.reschedule(pub, store, "nonsense", {})
        for call in (bulk.retry_failed, bulk.cancel):
            with pytest.raises(ConfigurationError, match="there is no row 7; its rows are 1 to 1"):
                await call(pub, store, run, rows=[7])

    play(story, [clip(1)])


def test_a_cancelled_call_leaves_the_jobs_running():
    async def story(pub, memory, store, run):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await bulk.carry_out(pub, store, run)
        assert pub.is_open
        await pub.clock.sleep(120)
        assert statuses(await bulk.load(store, run)) == [OUT.PUBLISHED]

    play(story, [clip(1)])


def test_an_orchestrator_that_somebody_else_closes_ends_the_call_in_order():
    async def story(pub, memory, store, run):
        working = asyncio.ensure_future(bulk.carry_out(pub, store, run))
        await pub.clock.sleep(5)
        await pub.close()
        record = await working
        assert statuses(record) == [OUT.PENDING, OUT.PENDING]
        assert [row.outcome is None for row in record.rows] == [False, False]

    play(story, [clip(1), clip(2)])


def test_a_drain_before_the_beginning_sends_nothing():
    async def story(pub, memory, store, run):
        drain = asyncio.Event()
        drain.set()
        record = await bulk.carry_out(pub, store, run, drain=drain)
        assert statuses(record) == [OUT.PENDING]
        assert not pub.is_open

    play(story, [clip(1)])


class Broken(MemoryStore):
    """Can't be read any more once it is to be broken."""

    is_broken = False

    async def held(self, run_id, *, now):
        if self.is_broken:
            raise StoreError("the file is gone")
        return await super().held(run_id, now=now)


def test_a_store_that_cant_be_read_ends_the_call_with_its_error():
    async def story(pub, memory, store, run):
        store.is_broken = True
        with pytest.raises(StoreError, match="the file is gone"):
            await bulk.carry_out(pub, store, run)

    play(story, [clip(1)], store=Broken())


# ---- afterwards, in the process that carried it out


def test_only_what_failed_is_sent_again_in_the_same_process():
    async def story(pub, memory, store, run):
        assert statuses(await bulk.carry_out(pub, store, run)) == [OUT.PARTLY_PUBLISHED, OUT.PUBLISHED]
        told = {}
        record = await bulk.retry_failed(pub, store, run, on_rows=told.update)
        assert statuses(record) == [OUT.PUBLISHED] * 2
        assert list(told) == [1]
        assert told[1].id == record.rows[0].job_id
        assert {name: sorted(live) for name, live in memory.live.items()} == {
            "tiktok-acme": ["p/c1", "p/c2"],
            "youtube-acme": ["p/c1"],
        }

    asked = [clip(1, accounts=["tiktok:acme", "youtube:acme"]), clip(2)]
    play(story, asked, script=Script(fail_accounts={"youtube-acme": 1}))


class Plain(InMemoryPublisher):
    """Can neither retry nor cancel."""

    def __init__(self, **options):
        super().__init__(**options)
        self.capabilities = Capabilities(
            sources=(Clip,), platforms=frozenset({"tiktok"}), features=frozenset({Feature.SCHEDULE})
        )


def test_a_publisher_that_cant_retry_or_cancel_is_told_before_anything_is_done():
    async def story(pub, memory, store, run):
        assert statuses(await bulk.carry_out(pub, store, run)) == [OUT.FAILED, OUT.SCHEDULED, OUT.REFUSED]
        before = dict(memory.requests)
        with pytest.raises(UnsupportedOperation, match="memory can't retry failed"):
            await bulk.retry_failed(pub, store, run)
        with pytest.raises(UnsupportedOperation, match="memory can't cancel"):
            await bulk.cancel(pub, store, run)
        assert memory.requests == before
        assert statuses(await bulk.load(store, run)) == [OUT.FAILED, OUT.SCHEDULED, OUT.REFUSED]

    asked = [clip(1), clip(2, at=NOW + timedelta(days=1)), clip(3, at=NOW - timedelta(days=1))]
    play(story, asked, script=Script(fail_accounts={"tiktok-acme": 1}), publisher=Plain)


def test_calling_off_tells_for_each_row_what_holds():
    async def story(pub, memory, store, run):
        await bulk.carry_out(pub, store, run)
        expected = {
            1: CancelResult.TOO_LATE,
            2: CancelResult.CANCELLED,
            3: CancelResult.TOO_LATE,
            4: CancelResult.CANCELLED,
        }
        assert await bulk.cancel(pub, store, run) == expected
        assert await bulk.cancel(pub, store, run) == expected, "saying it again changes nothing"
        record = await bulk.load(store, run)
        assert statuses(record) == [OUT.PUBLISHED, OUT.CANCELLED, OUT.REFUSED, OUT.CANCELLED]
        assert statuses(await bulk.retry_failed(pub, store, run, rows=[2, 4])) == statuses(record)

    asked = [
        clip(1),
        clip(2, at=NOW + timedelta(days=1)),
        clip(3, at=NOW - timedelta(days=1)),
        clip(4, publisher="elsewhere"),
    ]
    play(story, asked)


def test_what_nobody_can_know_stays_unknown_when_called_off():
    async def story(pub, memory, store, run):
        assert statuses(await bulk.carry_out(pub, store, run)) == [OUT.UNKNOWN]
        assert await bulk.cancel(pub, store, run) == {1: CancelResult.UNKNOWN}
        assert statuses(await bulk.retry_failed(pub, store, run)) == [OUT.UNKNOWN]

    play(story, [clip(1)], script=Script(lose_after=1, is_findable=False))


def test_a_run_is_called_off_while_this_process_carries_it_out():
    """What is under way here can be stopped; a row that isn't submitted yet can't be, behind the call's back."""

    async def story(pub, memory, store, run):
        working = asyncio.ensure_future(bulk.carry_out(pub, store, run))
        await pub.clock.sleep(1)
        assert await bulk.cancel(pub, store, run, rows=[1]) == {1: CancelResult.CANCELLED}
        with pytest.raises(ConfigurationError, match="row 2 with it"):
            await bulk.cancel(pub, store, run)
        assert (await working).rows[0].status is OUT.CANCELLED

    soon = NOW + timedelta(minutes=5)
    play(
        story,
        [clip(1, at=soon), clip(2, publisher="elsewhere"), clip(3, at=soon)],
        limits=ProviderLimits(requests=600, max_tags=10, schedule_batch=10, schedule_min_lead=3600.0),
    )


# ---- the store of the run and that of the orchestrator


@pytest.mark.parametrize("call", [bulk.carry_out, bulk.retry_failed, bulk.cancel, bulk.watch])
@pytest.mark.parametrize("own", [MemoryStore(), None])
def test_an_orchestrator_with_another_store_is_told_so_before_anything_is_sent(call, own):
    """Its jobs would be noted where nobody looks for them, and sent again the next time."""

    async def story(pub, memory, store, run):
        async with Orchestrator([memory], clock=pub.clock, store=own) as other:
            with pytest.raises(ConfigurationError, match=f"store: that of the orch.* doesn't know run {run}: "):
                await call(other, store, run)
        assert not memory.live

    play(story, [clip(1)])


def test_two_values_for_one_file_are_one_store(tmp_path):
    async def story(pub, memory, store, run):
        other = SqliteStore(tmp_path / "jobs.db")
        async with bulk.opened(other):
            record = await bulk.carry_out(pub, other, run)
        assert statuses(record) == [OUT.PUBLISHED]

    play(story, [clip(1)], store=SqliteStore(tmp_path / "jobs.db"))


def test_an_orchestrator_that_isnt_open_is_told_so():
    async def story(pub, memory, store, run):
        with pytest.raises(ConfigurationError, match="the orchestrator isn't open"):
            await bulk.carry_out(Orchestrator([memory], store=store), store, run)

    play(story, [clip(1)])


@pytest.mark.parametrize("last", range(1, 7))
def test_watching_tells_what_another_process_did_last_whichever_look_finds_it_gone(last):
    """It holds the job for so many looks; what it did last is noted within the second after."""

    class Held(MemoryStore):
        looks, job_id = 0, None

        async def held(self, run_id, *, now):
            self.looks += 1
            if self.looks == last:
                done = StoredEvent(run=run_id, at=now, kind="settled", job_id=self.job_id, data=b'{"text": "the end"}')
                asyncio.get_running_loop().call_later(1, lambda: asyncio.ensure_future(self.add_events([done])))
            return {self.job_id: "another"} if self.looks <= last else {}

    async def story(pub, memory, store, run):
        (row,) = (await bulk.carry_out(pub, store, run)).rows
        store.looks, store.job_id = 0, row.outcome.job_id
        told = []
        await bulk.watch(pub, store, run, on_moment=lambda number, moment: told.append((number, moment.text)))
        assert told == [(1, "the end")]

    play(story, [clip(1)], store=Held())
