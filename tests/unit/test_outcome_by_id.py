"""A job's outcome by its id: from what is known here, or else from the store, by whoever it was noted."""

from __future__ import annotations

import pytest

from reelpub import ConfigurationError, JobNotFound, MediaItems, Orchestrator, OutcomeStatus, PublishRequest
from reelpub.store import MemoryStore, SqliteStore
from reelpub.testing import InMemoryPublisher, Script, run_virtual


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "jobs.db")


def wanted(item="m", **members):
    return PublishRequest(MediaItems([item]), accounts=["tiktok:acme"], **members)


def opened(clock, store=None, seconds=1.0):
    return Orchestrator([InMemoryPublisher(clock=clock, script=Script(seconds=seconds))], store=store, clock=clock)


def test_a_job_that_settled_before_a_restart_has_its_outcome_after_it(store):
    """All of it, retried or not; and what is only read isn't taken over, so that the book doesn't grow by it."""

    async def story(clock):
        async with opened(clock, store) as pub:
            before = await pub.publish(wanted())
            assert await pub.outcome(before.job_id) is before
        async with opened(clock, store) as pub:
            after = await pub.outcome(before.job_id)
            assert (after.status, after.job_id) == (OutcomeStatus.PUBLISHED, before.job_id)
            assert (after.deliveries, after.settled_at) == (before.deliveries, before.settled_at)
            assert pub.jobs == []
            assert pub.usage() == {"memory": {}}

    run_virtual(story)


def test_one_under_way_in_another_process_stands_as_it_was_noted_and_stays_there(store):
    async def story(clock):
        async with opened(clock, store, seconds=60.0) as here, opened(clock, store) as there:
            handle = here.submit(wanted())
            await clock.sleep(5)
            seen = await there.outcome(handle.id)
            assert not seen.is_settled
            assert await there.resume() == []
            ended = await handle
            await here.flush()
            assert await there.outcome(handle.id) == ended

    run_virtual(story)


def test_one_that_was_refused_here_since_the_store_has_it_is_told_as_the_store_has_it(store):
    async def story(clock):
        async with opened(clock, store) as pub:
            (first,) = await pub.publish_many([wanted()], job_ids=["launch.1"])
            await pub.flush()
        async with opened(clock, store) as pub:
            (again,) = await pub.publish_many([wanted("other")], job_ids=["launch.1"])
            assert again.status is OutcomeStatus.DUPLICATE
            told = await pub.outcome("launch.1")
            assert (told.status, told.request.source) == (first.status, first.request.source)

    run_virtual(story)


@pytest.mark.parametrize("kept", [True, False], ids=["with a store", "without one"])
def test_what_nobody_knows_is_told(store, kept):
    async def story(clock):
        async with opened(clock, store if kept else None) as pub:
            refused = await pub.publish(wanted(""))
            assert refused.status is OutcomeStatus.REFUSED
            assert await pub.outcome(refused.job_id) is refused
            for job_id in ("nonsense", "half \ud83d", "", "\n"):
                with pytest.raises(JobNotFound) as caught:
                    await pub.outcome(job_id)
                assert caught.value.job_id == job_id
            with pytest.raises(JobNotFound, match="job 'nonsense' isn't known here"):
                pub.job("nonsense")
            # What is no text is a mistake of the program, not of whoever asks its web service.
            with pytest.raises(ConfigurationError) as wrong:
                await pub.outcome(None)
            assert not isinstance(wrong.value, JobNotFound)
        # Not to be answered as if there were no such job.
        with pytest.raises(ConfigurationError, match="isn't open") as closed:
            await pub.outcome(refused.job_id)
        assert not isinstance(closed.value, JobNotFound)

    run_virtual(story)
