"""What is kept here for its time goes out by the wall clock: that goes on while the machine sleeps, and may be set."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest

from reelpub import (
    AccountCap,
    Clip,
    Lateness,
    LatePolicy,
    MemoryStore,
    Orchestrator,
    OutcomeStatus,
    ProviderLimits,
    PublishRequest,
)
from reelpub.clocks import LoopClock, utc_now
from reelpub.orchestrator.pool import WorkerPool
from reelpub.orchestrator.queue import Work
from reelpub.testing import InMemoryPublisher, run_virtual

OUT = OutcomeStatus
HOUR = 3600.0
NEAR = ProviderLimits(requests=600, schedule_min_lead=2 * HOUR)


class Slept(LoopClock):
    """The machine's clocks where it slept: its monotonic one stood still meanwhile."""

    slept = 0.0

    def time(self):
        return super().time() + self.slept


def request(number, at, *accounts):
    return PublishRequest(Clip("p", f"c{number}"), accounts=accounts or ["tiktok:acme"], at=at)


def play(slept, **options):
    """Keep a post for an hour hence, let the machine sleep after half an hour; return its outcome, and how late it is.

    Late in seconds, by the wall clock; the post takes none.
    """

    async def main(_):
        clock = Slept()
        memory = InMemoryPublisher(clock=clock, limits=NEAR)
        memory.script.seconds = 0
        async with Orchestrator([memory], clock=clock, store=MemoryStore(), **options) as pub:
            at = utc_now(clock) + timedelta(seconds=HOUR)
            handle = pub.submit(request(1, at))
            await clock.sleep(HOUR / 2)
            clock.slept = slept
            outcome = await handle
        when = outcome.posts[0].created_at if outcome.posts else outcome.settled_at
        return outcome, (when - at).total_seconds()

    return run_virtual(main)


@pytest.mark.parametrize("slept", [0.0, 60.0, HOUR / 4, HOUR / 2 - 1, HOUR / 2, HOUR / 2 + 600])
def test_after_a_sleep_it_goes_out_when_it_is_due(slept):
    outcome, late = play(slept)
    assert outcome.status is OUT.PUBLISHED
    assert 0 <= late <= max(0.0, slept - HOUR / 2) + 31


def test_what_fell_due_long_ago_in_the_sleep_isnt_sent_unless_asked_for():
    """As where no process ran at the time: the lid was closed over it."""
    outcome, late = play(5 * HOUR)
    assert outcome.status is OUT.NOT_SENT
    assert "fell due" in outcome.reason
    assert late <= 4.5 * HOUR + 31


def test_it_goes_out_after_the_sleep_where_late_ones_are_to_be_published():
    outcome, late = play(5 * HOUR, late=Lateness(policy=LatePolicy.PUBLISH))
    assert outcome.status is OUT.PUBLISHED
    assert late <= 4.5 * HOUR + 31


def test_where_the_clock_was_set_back_it_doesnt_go_out_early():
    outcome, late = play(-HOUR / 4)
    assert outcome.status is OUT.PUBLISHED
    assert 0 <= late <= 31


def test_what_is_called_off_in_the_sleep_stays_back():
    async def main(_):
        clock = Slept()
        memory = InMemoryPublisher(clock=clock, limits=NEAR)
        async with Orchestrator([memory], clock=clock) as pub:
            handle = pub.submit(request(1, utc_now(clock) + timedelta(seconds=HOUR)))
            await clock.sleep(60)
            clock.slept = HOUR
            await pub.cancel(handle)
            await clock.sleep(2 * HOUR)
            assert handle.outcome().status is OUT.CANCELLED
        assert memory.live == {}
        assert "publish" not in memory.requests

    run_virtual(main)


def test_what_another_process_sent_in_the_sleep_isnt_told_as_not_sent():
    async def main(_):
        clock, store = Slept(), MemoryStore()
        memory = InMemoryPublisher(clock=clock, limits=NEAR)
        late = Lateness(policy=LatePolicy.PUBLISH)
        async with (
            Orchestrator([memory], clock=clock, store=store) as stopped,
            Orchestrator([memory], clock=clock, store=store, late=late) as other,
        ):
            handle = stopped.submit(request(1, utc_now(clock) + timedelta(seconds=HOUR)))
            await clock.sleep(HOUR / 2)
            clock.slept = 5 * HOUR
            (owner,) = await store.owners()
            await store.release(owner=owner)
            (taken,) = await other.resume()
            assert (await taken).status is OUT.PUBLISHED
            assert (await handle).status is OUT.PENDING
            assert handle.outcome().reason == "another process carries it out now"

    run_virtual(main)


def test_what_waits_for_the_limit_past_its_grace_isnt_late_for_want_of_somebody_who_runs_it():
    """Two wait for their tokens, the first takes what the cap leaves, and the second is put together anew."""

    async def main(clock):
        limits = ProviderLimits(requests=2, window=60.0, schedule_min_lead=2 * HOUR)
        memory = InMemoryPublisher(clock=clock, limits=limits)
        caps = {"tiktok:acme": AccountCap(min_gap=100)}
        async with Orchestrator([memory], clock=clock, caps=caps, late=Lateness(grace=60)) as pub:
            at = utc_now(clock) + timedelta(seconds=HOUR)
            others = [request(number, at, "youtube:acme") for number in range(6)]
            report = await pub.publish_many([*others, request(7, at), request(8, at)])
        assert [outcome.status for outcome in report] == [OUT.PUBLISHED] * 8, [one.reason for one in report]

    run_virtual(main)


def test_what_cant_begin_at_its_time_is_told_and_stops_nothing_else(caplog):
    told, ran = [], []

    def broken():
        raise LookupError("no limiter")

    async def run(_):
        ran.append(True)

    async def main(clock):
        pool = WorkerPool(clock, concurrency=1)
        async with anyio.create_task_group() as group:
            pool.start(group)
            due = clock.monotonic() + 10
            pool.put(Work(run=run, drop=told.append, wall=clock.time() + 10, begin=broken), at=due)
            pool.put(Work(run=run, drop=told.append), at=due + 1)
            await clock.sleep(12)
            await pool.close(0)
            group.cancel_scope.cancel()

    run_virtual(main)
    assert told == ["it raised LookupError: no limiter"]
    assert ran == [True]
    assert "couldn't begin" in caplog.text
