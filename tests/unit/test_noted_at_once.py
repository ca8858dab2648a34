"""A job that was submitted is noted at once, whether or not anybody is free to plan it: nothing accepted is lost."""

from __future__ import annotations

import asyncio

import pytest

from reelpub import Clip, Orchestrator, OutcomeStatus, ProviderLimits, PublishRequest, StoreError
from reelpub.store import MemoryStore, SqliteStore
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
ONE_A_MINUTE = ProviderLimits(requests=1, max_tags=10)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "jobs.db")


def clip(number, **members):
    return PublishRequest(Clip("p", f"c{number}"), accounts=["tiktok:acme"], **members)


def opened(clock, store, memory=None, **options):
    return Orchestrator([memory or InMemoryPublisher(clock=clock)], store=store, clock=clock, **options)


def busy(clock, store, **options):
    """Return an orchestrator whose only worker waits for its turn most of the time."""
    return opened(clock, store, InMemoryPublisher(clock=clock, limits=ONE_A_MINUTE), concurrency=1, **options)


async def submit_each(pub, count):
    """Submit clips one by one, as requests come to a web service, after enough to keep its worker busy for minutes."""
    handles = []
    for number in range(count):
        handles.append(pub.submit(clip(number)))
        await asyncio.sleep(2 if number == 2 else 0)
    return handles


def test_what_waits_for_a_worker_is_in_the_store_once_flushed(store):
    async def story(clock):
        async with busy(clock, store) as pub:
            handles = await submit_each(pub, 10)
            await pub.flush()
            assert clock.monotonic() < 3.0
            assert [await store.job(handle.id) is not None for handle in handles] == [True] * 10
            assert await pub.unfinished() == 10

    run_virtual(story)


@pytest.mark.parametrize("seconds", [0.0, 3.0])
def test_a_restart_goes_on_with_all_that_was_submitted(store, seconds):
    """Also with what was submitted in the very turn in which it was closed."""

    async def story(clock):
        async with busy(clock, store) as pub:
            handles = await submit_each(pub, 9)
            await asyncio.sleep(seconds)
            handles.append(pub.submit(clip(9)))
        async with opened(clock, store) as pub:
            assert {handle.id for handle in await pub.resume()} == {handle.id for handle in handles}

    run_virtual(story)


def test_what_was_called_off_before_it_could_be_noted_stays_called_off(store):
    async def story(clock):
        async with busy(clock, store) as pub:
            handles = await submit_each(pub, 3)
            handles.append(pub.submit(clip(3)))
            await pub.cancel_many(handles[1:])
        async with opened(clock, store) as pub:
            assert [handle.id for handle in await pub.resume()] == [handles[0].id]

    run_virtual(story)


def test_what_the_store_has_already_is_told_without_waiting_for_a_worker(store):
    async def story(clock):
        async with opened(clock, store) as pub:
            first = await pub.publish(clip(9))
        async with busy(clock, store) as pub:
            await submit_each(pub, 5)
            again = await asyncio.wait_for(pub.submit(clip(9)), 1.0)
            assert (again.status, again.duplicate_of) == (OUT.DUPLICATE, first.job_id)

    run_virtual(story)


@pytest.mark.parametrize("error", [StoreError("the disk is full"), OSError("a bug")])
def test_what_cant_be_noted_is_told_without_waiting_for_a_worker(error):
    class Full(MemoryStore):
        is_full = False

        async def add(self, jobs, **names):
            if self.is_full:
                raise error
            return await super().add(jobs, **names)

    async def story(clock):
        store = Full()
        async with busy(clock, store) as pub:
            await submit_each(pub, 5)
            await pub.flush()
            store.is_full = True
            outcome = await asyncio.wait_for(pub.submit(clip(9)), 1.0)
            assert outcome.status is OUT.NOT_SENT
            assert isinstance(outcome.error, StoreError)
            assert str(error) in str(outcome.error)

    run_virtual(story)


def test_a_retry_is_noted_at_once_too(store):
    async def story(clock):
        memory = InMemoryPublisher(clock=clock, script=Script(fail_accounts={"tiktok-acme": 1}), limits=ONE_A_MINUTE)
        async with opened(clock, store, memory, concurrency=1) as pub:
            failed = await pub.publish(clip(9))
            assert failed.status is OUT.FAILED
            await submit_each(pub, 5)
            await asyncio.sleep(1)
            retrying = asyncio.create_task(pub.retry_failed(failed))
            await asyncio.sleep(0)
            await pub.flush()
            retry = next(handle for handle in pub.jobs if handle.job.retries == failed.job_id)
            assert await store.job(retry.id) is not None
            retrying.cancel()

    run_virtual(story)
