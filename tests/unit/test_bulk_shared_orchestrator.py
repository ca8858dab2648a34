"""Two calls about runs on one orchestrator: neither takes the store away from the other."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from reelpub import Clip, Orchestrator, OutcomeStatus, PublishRequest, SqliteStore, bulk
from reelpub.manifest.rows import ManifestRow
from reelpub.store import MemoryStore
from reelpub.testing import InMemoryPublisher, run_virtual

OUT = OutcomeStatus
NOW = datetime.fromtimestamp(1_800_000_000, UTC)


def play(path, story, *, rows=12):
    """Play ``story(pub, store, runs)`` with two runs of so many rows, ten of which a minute go out."""

    async def main(clock):
        store = SqliteStore(path)
        async with Orchestrator([InMemoryPublisher(clock=clock)], clock=clock, store=store) as pub:
            runs = [await begun(store, range(first, first + rows)) for first in (1, 1 + rows)]
            result = await story(pub, store, runs)
        assert store._thread is None, "it was let go of"
        return result

    return run_virtual(main)


async def begun(store, clips):
    rows = [
        ManifestRow(number=n, line=n + 1, request=PublishRequest(Clip("p", f"c{clip}"), accounts=["tiktok:acme"]))
        for n, clip in enumerate(clips, start=1)
    ]
    return await bulk.begin(store, rows, name="posts.csv", command="publish", now=NOW)


def statuses(record):
    return {row.status for row in record.rows}


async def set_after(clock, seconds, event):
    await clock.sleep(seconds)
    event.set()


@pytest.mark.parametrize("call", [bulk.carry_out, bulk.watch, bulk.retry_failed])
def test_one_drain_ends_two_calls_and_both_tell_how_their_run_stands(tmp_path, call):
    async def story(pub, store, runs):
        drain = asyncio.Event()
        draining = asyncio.create_task(set_after(pub.clock, 5, drain))
        calls = [bulk.carry_out(pub, store, runs[0], drain=drain), call(pub, store, runs[1], drain=drain)]
        records = await asyncio.gather(*calls)
        await draining
        assert not pub.is_open
        async with bulk.opened(store):
            assert records == [await bulk.load(store, run) for run in runs], "nothing was written afterwards"
        return records

    first, _ = play(tmp_path / "runs.db", story)
    assert OUT.PENDING in statuses(first)


def test_who_closes_the_orchestrator_meanwhile_doesnt_take_the_store_away(tmp_path):
    async def story(pub, store, runs):
        working = asyncio.create_task(bulk.carry_out(pub, store, runs[0]))
        await pub.clock.sleep(5)
        await asyncio.gather(pub.close(), pub.close())
        assert OUT.PENDING in statuses(await working)

    play(tmp_path / "runs.db", story)


def test_closing_a_second_time_waits_for_the_first(tmp_path):
    """Whoever closes it can count on what closing promises, also where another was faster."""

    async def story(pub, store, runs):
        handles = pub.submit_many([PublishRequest(Clip("p", f"d{n}"), accounts=["tiktok:acme"]) for n in range(30)])
        await pub.clock.sleep(1)
        first = asyncio.create_task(pub.close())
        await asyncio.sleep(0)
        await pub.close()
        assert all(handle.is_settled for handle in handles)
        await asyncio.sleep(0)
        assert first.done()

    play(tmp_path / "runs.db", story)


def test_a_run_is_read_beside_an_orchestrator_that_has_its_store_open(tmp_path):
    """`opened` closes what it opened and not what the orchestrator did."""

    async def story(pub, store, runs):
        working = asyncio.create_task(bulk.carry_out(pub, store, runs[0]))
        await pub.clock.sleep(1)
        async with bulk.opened(store):
            assert await bulk.latest(store) == runs[1]
        assert statuses(await working) == {OUT.PUBLISHED}

    play(tmp_path / "runs.db", story)


def test_a_second_value_for_the_same_file_stays_as_open_as_it_was(tmp_path):
    async def story(pub, _, runs):
        async with bulk.opened(SqliteStore(tmp_path / "runs.db")) as other:
            drain = asyncio.Event()
            drain.set()
            await bulk.carry_out(pub, other, runs[0], drain=drain)
            assert [run.id for run in await other.runs()] == runs[::-1]

    play(tmp_path / "runs.db", story)


class Slow(MemoryStore):
    """Takes a while over what one of its methods is asked for."""

    def __init__(self, clock, **seconds):
        super().__init__()
        self._clock, self._seconds = clock, seconds

    async def _take_time(self, name):
        if name in self._seconds:
            await self._clock.sleep(self._seconds[name])

    async def settle(self, *arguments, **options):
        await self._take_time("settle")
        await super().settle(*arguments, **options)

    async def add_events(self, *arguments, **options):
        await self._take_time("add_events")
        await super().add_events(*arguments, **options)

    async def held(self, *arguments, **options):
        await self._take_time("held")
        return await super().held(*arguments, **options)


def play_slowly(story, **seconds):
    """Play ``story(pub, store, run)`` with a run of twelve rows, ten of which a minute go out, over a slow store."""

    async def main(clock):
        store = Slow(clock, **seconds)
        async with Orchestrator([InMemoryPublisher(clock=clock)], clock=clock, store=store) as pub:
            await story(pub, store, await begun(store, range(1, 13)))

    run_virtual(main)


def test_what_is_told_is_whole_where_somebody_closes_the_orchestrator_at_the_last_moment(tmp_path):
    """Between the end of the work and the reading of the record, too: whoever is closing it is waited for."""

    async def story(pub, store, run):
        working = asyncio.create_task(bulk.carry_out(pub, store, run, timeout=20))
        await pub.clock.sleep(20.5)
        settled = [handle.id for handle in pub.jobs if handle.is_settled]
        assert settled
        closing = asyncio.create_task(pub.close())
        record = await working
        told = {row.job_id for row in record.rows if row.status is OUT.PUBLISHED}
        assert told.issuperset(settled)
        await closing

    play_slowly(story, settle=30, add_events=1)


@pytest.mark.parametrize("call", [bulk.carry_out, bulk.watch])
@pytest.mark.parametrize("after", [5.25, 5.75, 6.25, 6.75])
def test_who_waits_for_another_process_is_told_how_it_stands_when_the_orchestrator_is_closed(call, after):
    """Whatever was being asked of the orchestrator in that moment isn't what the caller has to hear of."""

    async def story(pub, store, run):
        working = asyncio.create_task(bulk.carry_out(pub, store, run))
        await pub.clock.sleep(1)
        async with Orchestrator([InMemoryPublisher(clock=pub.clock)], clock=pub.clock, store=store) as other:
            waiting = asyncio.create_task(call(other, store, run))
            await pub.clock.sleep(after)
            await other.close()
            record = await waiting
        assert OUT.PENDING in statuses(record)
        assert statuses(await working) == {OUT.PUBLISHED}

    play_slowly(story, held=0.5)
