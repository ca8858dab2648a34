"""What is noted of a run while it goes on: all of it, in few writes, and never at the run's cost."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from reelpub import Clip, Orchestrator, ProviderLimits, PublishRequest
from reelpub.bulk import begin, load
from reelpub.bulk.crew import CHUNK
from reelpub.bulk.recorder import BUFFER, recording, sample_interval
from reelpub.bulk.running import carry_out
from reelpub.errors import StoreError
from reelpub.manifest.rows import ManifestRow
from reelpub.models.event import JobQueued
from reelpub.store import MemoryStore
from reelpub.testing import InMemoryPublisher, Script, run_virtual
from reelpub.transport.limiter import Hold
from reelpub.transport.message import Lane

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)
FAST = ProviderLimits(requests=100_000, max_tags=10, schedule_batch=10)


def manifest(count, **members):
    requests = [PublishRequest(Clip("p", f"c{n}"), accounts=["tiktok:acme"], **members) for n in range(1, count + 1)]
    return [ManifestRow(number=n, line=n + 1, request=request) for n, request in enumerate(requests, start=1)]


def play(story, *, count=3, at=None, script=None, limits=None, store=None):
    """Play *story* with a run of *count* rows that has been noted and not begun."""

    async def main(clock):
        memory = InMemoryPublisher(clock=clock, script=script, limits=limits)
        kept = store or MemoryStore()
        async with Orchestrator([memory], clock=clock, store=kept) as pub:
            run = await begin(kept, manifest(count, at=at), name="posts.csv", command="publish", now=NOW)
            return await story(pub, memory, kept, run)

    return run_virtual(main)


class Counting(MemoryStore):
    """Counts its writes of events, and fails the first so many."""

    def __init__(self, failing=0):
        super().__init__()
        self.writes, self.failing = 0, failing

    async def add_events(self, events):
        self.writes += 1
        if self.writes <= self.failing:
            raise StoreError("the disk is full")
        await super().add_events(events)


def kinds(row):
    return [moment.kind for moment in row.moments]


PLAIN = ["queued", "sent", "accepted", "status_changed", "delivered", "settled"]


def test_each_row_has_the_moments_of_its_way():
    async def story(pub, memory, store, run):
        record = await carry_out(pub, store, run)
        for row in record.rows:
            assert [kind for kind in kinds(row) if kind != "held"] == PLAIN
            assert [moment.at for moment in row.moments] == sorted(moment.at for moment in row.moments)
        delivered = record.rows[0].moments[-2]
        assert (delivered.account, delivered.text) == (
            "tiktok:acme",
            record.rows[0].outcome.deliveries[0].url
            and f"live on tiktok:acme {record.rows[0].outcome.deliveries[0].url}",
        )

    play(story)


def test_ten_thousand_rows_lose_no_moment():
    """A storm of events is taken in beside the work."""

    async def story(pub, memory, store, run):
        record = await carry_out(pub, store, run)
        assert {tuple(kinds(row)) for row in record.rows} == {("queued", "sent", "accepted", "settled")}
        assert len(record.rows) == 10_000
        assert record.moments == ()
        return store.writes

    limits = ProviderLimits(requests=100_000, max_tags=10, schedule_batch=1000)
    writes = play(story, count=10_000, at=NOW + timedelta(days=2), limits=limits, store=Counting())
    assert writes < 50, "about one a second"


def test_missed_events_are_told(monkeypatch):
    monkeypatch.setattr("reelpub.bulk.recorder.BUFFER", 10)

    async def story(pub, memory, store, run):
        record = await carry_out(pub, store, run)
        assert [row.is_settled for row in record.rows] == [True] * CHUNK
        assert "missed" in {moment.kind for moment in record.moments}
        assert "events came too fast to be kept" in record.moments[0].text

    play(story, count=CHUNK, limits=FAST)
    assert BUFFER > 100_000


def test_what_a_failed_write_would_have_noted_is_noted_by_the_next(caplog):
    async def story(pub, memory, store, run):
        record = await carry_out(pub, store, run)
        assert all(set(PLAIN) <= set(kinds(row)) for row in record.rows)

    play(story, store=Counting(failing=3))
    assert "what happened couldn't be noted yet: the disk is full" in caplog.text


def test_a_store_that_never_takes_events_doesnt_stop_the_run(caplog):
    async def story(pub, memory, store, run):
        record = await carry_out(pub, store, run)
        assert [row.status for row in record.rows] == ["published"] * 3
        assert {row.moments for row in record.rows} == {()}

    with caplog.at_level(logging.WARNING, "reelpub.bulk"):
        play(story, store=Counting(failing=10**6))
    assert "couldn't be noted yet" in caplog.text


def test_the_use_of_the_budget_is_told_over_time():
    """Ten a minute, thirty rows: the window fills, is waited for, and at the end everything is free again."""

    async def story(pub, memory, store, run):
        record = await carry_out(pub, store, run)
        assert {(one.publisher, one.limit, one.window) for one in record.samples} == {("memory", 10, 60.0)}
        assert 9 <= max(one.used for one in record.samples) <= 10
        assert max(one.waiting for one in record.samples) > 0
        requests = [one.requests for one in record.samples]
        assert requests == sorted(requests)
        assert requests[-1] == sum(memory.requests.values())
        apart = [later.at - one.at for one, later in zip(record.samples, record.samples[1:], strict=False)][:-1]
        assert min(apart).total_seconds() >= 5

    play(story, count=30, limits=ProviderLimits(requests=10, max_tags=10, schedule_batch=10))


@pytest.mark.parametrize(("elapsed", "interval"), [(0, 5), (600, 5), (2500, 5), (5000, 10), (86_400, 172.8)])
def test_a_long_run_is_sampled_less_often(elapsed, interval):
    assert sample_interval(elapsed) == pytest.approx(interval)


def test_waits_that_the_provider_imposes_are_told_once_each():
    async def story(pub, memory, store, run):
        async with recording(pub, store, run) as recorder:
            for reason, delay in (("429", 30.0), ("429", 29.0), ("limit", 5.0), ("announced", 12.0)):
                hold = Hold(operation="publish", provider="memory", lane=Lane.WRITE, delay=delay, reason=reason)
                recorder.hear_hold("memory", hold)
            await pub.clock.sleep(31)
            recorder.hear_hold("memory", Hold(operation="p", provider="m", lane=Lane.WRITE, delay=4, reason="429"))
        record = await load(store, run)
        assert [(moment.reason, moment.seconds) for moment in record.moments] == [
            ("429", 30.0),
            ("announced", 12.0),
            ("429", 4.0),
        ]

    play(story)


def test_other_jobs_of_the_orchestrator_arent_noted():
    async def story(pub, memory, store, run):
        other = await begin(store, manifest(3, title="other"), name="other.csv", command="publish", now=NOW)
        await asyncio.gather(
            carry_out(pub, store, run), carry_out(pub, store, other), pub.publish(manifest(9)[8].request)
        )
        for one in (run, other):
            events = await store.events(one)
            assert {event.job_id.rpartition(".")[0] for _, event in events if event.job_id} == {one}

    play(story)


def test_what_isnt_known_to_be_of_the_run_isnt_noted():
    async def story(pub, memory, store, run):
        async with recording(pub, store, run) as recorder:
            recorder.hear(JobQueued(job_id="job_of_somebody", publisher="memory", at=NOW))
            recorder.hear(JobQueued(job_id=f"{run}.1", publisher="memory", at=NOW))
        assert [event.job_id for _, event in await store.events(run)] == [f"{run}.1"]

    play(story)


def test_nothing_is_written_while_nothing_happens():
    """A post that waits an hour for its end costs no writes meanwhile."""

    async def story(pub, memory, store, run):
        async with recording(pub, store, run):
            await pub.clock.sleep(3600)
        assert store.writes == 0
        assert (await load(store, run)).samples == ()

    play(story, store=Counting())


def test_listening_ends_with_the_recording():
    """No task and no listener is left behind, however it ended."""

    async def story(pub, memory, store, run):
        before = len(asyncio.all_tasks())
        with pytest.raises(ZeroDivisionError):
            async with recording(pub, store, run):
                raise ZeroDivisionError
        assert len(asyncio.all_tasks()) == before
        assert memory.limiter._listeners == []

    play(story, script=Script())


class SlowToClose(MemoryStore):
    """Takes 5 s to close, and takes nothing meanwhile."""

    is_closing = False

    async def add_events(self, events):
        if self.is_closing:
            raise StoreError("the store is being closed")
        await super().add_events(events)

    async def close(self):
        self.is_closing = True
        await asyncio.sleep(5)
        self.is_closing = False
        await super().close()


def test_nothing_is_written_to_a_store_that_is_being_closed(caplog):
    """What happens while the orchestrator closes is noted once it has, and nobody is warned of a failure."""

    async def story(pub, memory, store, run):
        drain = asyncio.Event()
        asyncio.get_running_loop().call_later(2.5, drain.set)
        await carry_out(pub, store, run, drain=drain)
        record = await load(store, run)
        assert [kinds(row)[-1] for row in record.rows] == ["settled"] * 20
        assert [entry.message for entry in caplog.records] == []

    play(story, count=20, store=SlowToClose())
