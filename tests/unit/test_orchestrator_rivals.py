"""One post under two names of its account goes out once; a job that put nothing live stands in nobody's way."""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from reelpub import Clip, Orchestrator, OutcomeStatus, PublishRequest, SqliteStore
from reelpub.errors import StoreError
from reelpub.policies.content import content_key
from reelpub.store import MemoryStore, StoredJob
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
BY_NAME = PublishRequest(Clip("p", "c1"), accounts=["tiktok:acme"])
BY_ID = PublishRequest(Clip("p", "c1"), accounts=["tiktok-acme"])


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_failed_under_one_name_may_be_asked_for_under_the_other(tmp_path, is_restarted):
    async def main(clock):
        memory = InMemoryPublisher(clock=clock, script=Script(fail_accounts={"tiktok-acme": 1}))
        first = Orchestrator([memory], clock=clock, store=SqliteStore(tmp_path / "jobs.db"))
        async with first as pub:
            report = await pub.publish_many([BY_NAME, BY_ID])
            assert [outcome.status for outcome in report] == [OUT.FAILED, OUT.DUPLICATE]
            if not is_restarted:
                return (await pub.publish(BY_ID)).status
        again = InMemoryPublisher(clock=clock)
        async with Orchestrator([again], clock=clock, store=SqliteStore(tmp_path / "jobs.db")) as pub:
            return (await pub.publish(BY_ID)).status

    assert run_virtual(main) is OUT.PUBLISHED


BOTH_WAYS = pytest.mark.parametrize(("first", "second"), [(BY_NAME, BY_ID), (BY_ID, BY_NAME)], ids=["id", "name"])


class Shared(InMemoryPublisher):
    """Outlives the orchestrators that close it, as a provider does."""

    async def close(self):
        pass


def play(story, script=None):
    """Play ``story(memory, open)``, where *open* makes an orchestrator, as another process has one."""
    store = MemoryStore()

    async def main(clock):
        memory = Shared(clock=clock, script=script)
        try:
            return await story(memory, lambda: Orchestrator([memory], clock=clock, store=store))
        finally:
            memory.limiter.close()

    return run_virtual(main)


@BOTH_WAYS
def test_what_another_process_published_under_one_name_isnt_published_under_the_other(first, second):
    async def story(memory, orchestrator):
        async with orchestrator() as pub:
            published = await pub.publish(first)
        async with orchestrator() as pub:
            again = await pub.publish(second)
            assert (again.status, again.duplicate_of) == (OUT.DUPLICATE, published.job_id)
            meant = await pub.publish(evolve(second, allow_duplicate=True))
        assert memory.live == {"tiktok-acme": ["p/c1", "p/c1"]}
        assert meant.status is OUT.PUBLISHED

    play(story)


@BOTH_WAYS
def test_of_two_processes_that_ask_at_once_under_two_names_exactly_one_publishes(first, second):
    """Neither may go first by luck, and they mustn't both give way."""

    async def story(memory, orchestrator):
        async with orchestrator() as one, orchestrator() as other:
            report = await asyncio.gather(one.publish(first), other.publish(second))
        assert sorted(outcome.status for outcome in report) == [OUT.DUPLICATE, OUT.PUBLISHED]
        assert memory.live == {"tiktok-acme": ["p/c1"]}

    play(story)


@BOTH_WAYS
@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_came_right_in_a_retry_isnt_published_under_the_other_name(first, second, is_restarted):
    async def story(memory, orchestrator):
        async with orchestrator() as pub:
            assert (await pub.publish(first)).status is OUT.FAILED
            retried = await pub.retry_failed(pub.jobs[0].id)
            assert retried.status is OUT.PUBLISHED
            if not is_restarted:
                return await pub.publish(second)
        async with orchestrator() as pub:
            return await pub.publish(second)

    outcome = play(story, Script(fail_accounts={"tiktok-acme": 1}))
    assert outcome.status is OUT.DUPLICATE


@BOTH_WAYS
@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_failed_isnt_retried_once_it_was_published_under_the_other_name(first, second, is_restarted):
    async def story(memory, orchestrator):
        async with orchestrator() as pub:
            failed = await pub.publish(first)
            assert failed.status is OUT.FAILED
            if not is_restarted:
                assert (await pub.publish(second)).status is OUT.PUBLISHED
                assert (await pub.retry_failed(failed)).status is OUT.DUPLICATE
        if is_restarted:
            async with orchestrator() as pub:
                assert (await pub.publish(second)).status is OUT.PUBLISHED
            async with orchestrator() as pub:
                assert (await pub.retry_failed(failed)).status is OUT.DUPLICATE
        assert memory.live == {"tiktok-acme": ["p/c1"]}

    play(story, Script(fail_accounts={"tiktok-acme": 1}))


def test_where_it_cant_be_asked_what_others_called_it_nothing_is_sent():
    class Deaf(MemoryStore):
        async def asked_before(self, keys):
            raise StoreError("the disk is gone")

    async def main(clock):
        memory = InMemoryPublisher(clock=clock)
        async with Orchestrator([memory], clock=clock, store=Deaf()) as pub:
            outcome = await pub.publish(BY_NAME)
        assert (outcome.status, outcome.reason) == (OUT.NOT_SENT, "the disk is gone")
        assert memory.live == {}

    run_virtual(main)


def test_of_many_at_once_each_is_compared():
    """More than are asked for in one read of the store."""
    asked = [PublishRequest(Clip("p", f"c{number}"), accounts=["tiktok-acme"]) for number in range(300)]
    known = {0, 249, 250, 299}

    async def main(clock):
        memory, store = InMemoryPublisher(clock=clock), MemoryStore()
        named = {number: evolve(asked[number], accounts=("tiktok:acme",)) for number in known}
        jobs = [
            StoredJob(
                id=f"job-{number}",
                publisher="memory",
                request=b"{}",
                submitted_at=0.0,
                content_key=content_key(request, "memory"),
            )
            for number, request in named.items()
        ]
        await store.add(jobs, owner="another", lease_until=1e12)
        async with Orchestrator([memory], clock=clock, store=store) as pub:
            report = await pub.publish_many(asked)
        duplicates = {number: outcome.duplicate_of for number, outcome in enumerate(report) if outcome.duplicate_of}
        assert duplicates == {number: f"job-{number}" for number in known}
        assert len(memory.live["tiktok-acme"]) == len(asked) - len(known)

    run_virtual(main)


def test_of_two_that_are_written_in_another_order_than_asked_for_one_is_published():
    """The second is in the store first, and not yet told there to be the first one's duplicate."""

    class Slow(MemoryStore):
        async def add(self, jobs, **options):
            if any(b"tiktok:acme" in job.request for job in jobs):
                await asyncio.sleep(1)
            return await super().add(jobs, **options)

        async def asked_before(self, keys):
            await asyncio.sleep(1)
            return await super().asked_before(keys)

        async def settle(self, *arguments, **options):
            await asyncio.sleep(10)
            await super().settle(*arguments, **options)

    async def main(clock):
        memory = InMemoryPublisher(clock=clock)
        async with Orchestrator([memory], clock=clock, store=Slow()) as pub:
            handles = [pub.submit(BY_NAME), pub.submit(BY_ID)]
            return [(await handle).status for handle in handles], memory.live

    statuses, live = run_virtual(main)
    assert sorted(statuses) == [OUT.DUPLICATE, OUT.PUBLISHED]
    assert live == {"tiktok-acme": ["p/c1"]}
