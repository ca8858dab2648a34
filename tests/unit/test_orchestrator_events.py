"""Events: what is told of a job, to whom, and what happens to a reader that is too slow."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from reelpub.errors import ConfigurationError
from reelpub.models.account import Account
from reelpub.models.capability import ProviderLimits
from reelpub.models.event import (
    AccountDelivered,
    AccountFailed,
    EventsMissed,
    JobAccepted,
    JobHeld,
    JobQueued,
    JobSent,
    JobSettled,
    JobStatusChanged,
    JobStuck,
    JobUnknown,
)
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.caps import AccountCap
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
AT = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)


def clip(name="c1", *accounts, **members):
    return PublishRequest(Clip("p", name), accounts=accounts or ("tiktok:acme",), **members)


def play(story, *, script=None, limits=None, **options):
    async def main(clock):
        memory = InMemoryPublisher(clock=clock, script=script, limits=limits)
        async with Orchestrator([memory], clock=clock, **options) as pub:
            return await story(pub, memory, clock)

    return run_virtual(main)


async def told(pub, request, **options):
    """Return what is told of one request, up to its end."""
    async with pub.stream() as events:
        handle = pub.submit(request, **options)
        found = []
        async for event in events:
            if event.job_id == handle.id:
                found.append(event)
                if isinstance(event, JobSettled):
                    break
        return found


def kinds(events):
    return [event.kind for event in events]


class TestWhatIsTold:
    def test_the_plain_course(self):
        async def story(pub, memory, clock):
            events = await told(pub, clip("c1", "tiktok:acme", "youtube:acme"))
            assert kinds(events) == [
                "queued",
                "sent",
                "accepted",
                "status_changed",
                "delivered",
                "delivered",
                "settled",
            ]
            queued, sent, accepted, changed, first, _, settled = events
            assert (queued.publisher, queued.at) == ("memory", datetime.fromtimestamp(clock.epoch, UTC))
            assert (sent.attempt, sent.part_id) == (1, f"{sent.job_id}.1")
            assert (accepted.post.id, accepted.reconciled) == ("post-1", False)
            assert (changed.before, changed.post.status) == (PostStatus.PUBLISHING, PostStatus.PUBLISHED)
            assert (str(first.delivery.account), first.post_id) == ("tiktok:acme", "post-1")
            assert settled.outcome == pub.job(settled.job_id).outcome()
            assert all(earlier.at <= later.at for earlier, later in itertools.pairwise(events))

        play(story)

    def test_a_failed_account(self):
        async def story(pub, memory, clock):
            (failed,) = [e for e in await told(pub, clip()) if isinstance(e, AccountFailed)]
            assert failed.delivery.error == "the platform said no"

        play(story, script=Script(fail_accounts={"tiktok-acme": 1}))

    def test_a_lost_answer_found_again(self):
        async def story(pub, memory, clock):
            events = await told(pub, clip())
            assert kinds(events)[:4] == ["queued", "sent", "unknown", "accepted"]
            unknown, accepted = events[2:4]
            assert (unknown.is_final, accepted.reconciled) == (False, True)
            assert "no answer" in unknown.reason

        play(story, script=Script(lose_after=1))

    def test_a_lost_answer_sent_again(self):
        async def story(pub, memory, clock):
            events = await told(pub, clip())
            assert [e.attempt for e in events if isinstance(e, JobSent)] == [1, 2]
            assert isinstance(events[-1], JobSettled)

        play(story, script=Script(lose_before=1))

    def test_an_unknown_end(self):
        async def story(pub, memory, clock):
            events = await told(pub, clip())
            assert [e.is_final for e in events if isinstance(e, JobUnknown)] == [False, True]
            assert events[-1].outcome.status is OUT.UNKNOWN

        play(story, script=Script(lose_after=1, is_findable=False))

    def test_a_refusal_by_a_check(self):
        async def story(pub, memory, clock):
            (settled,) = await told(pub, clip(caption=5))
            assert (settled.kind, settled.outcome.status) == ("settled", OUT.REFUSED)
            assert kinds(await told(pub, clip(publisher="other"))) == ["settled"]

        play(story)

    def test_a_hold_by_the_limit(self):
        async def story(pub, memory, clock):
            pub.submit(clip("first"))
            await asyncio.sleep(1)
            (held,) = [e for e in await told(pub, clip("second")) if isinstance(e, JobHeld)]
            assert (held.reason, held.seconds) == ("limit", pytest.approx(59, abs=2))

        play(story, limits=ProviderLimits(requests=1))

    def test_a_hold_is_told_in_seconds_also_while_answers_are_waited_for(self):
        """How soon the very next request goes may depend on an answer; how long a minute's limit lasts doesn't."""

        async def story(pub, memory, clock):
            handles = pub.submit_many(clip(f"clip {number}") for number in range(12))
            async with pub.stream(handles) as events:
                waits = [event.seconds async for event in events if isinstance(event, JobHeld)]
            assert waits == [pytest.approx(60, abs=3)] * 2

        play(story, limits=ProviderLimits(requests=10))

    def test_a_hold_by_a_cap(self):
        async def story(pub, memory, clock):
            pub.submit(clip("first"))
            await asyncio.sleep(1)
            held = [e for e in await told(pub, clip("second")) if isinstance(e, JobHeld)]
            assert [(e.reason, e.seconds) for e in held] == [("cap", pytest.approx(499, abs=2))]

        play(story, caps={"tiktok:acme": AccountCap(min_gap=500)})

    def test_a_hold_for_its_time(self):
        async def story(pub, memory, clock):
            due = datetime.fromtimestamp(clock.time(), UTC) + timedelta(minutes=10)
            (held,) = [e for e in await told(pub, clip(at=due)) if isinstance(e, JobHeld)]
            assert (held.reason, held.seconds) == ("time", pytest.approx(600, abs=1))

        play(story, limits=ProviderLimits(requests=60, schedule_min_lead=3000))

    def test_a_stuck_post(self):
        async def story(pub, memory, clock):
            events = await told(pub, clip())
            (stuck,) = [e for e in events if isinstance(e, JobStuck)]
            assert (stuck.post.id, events[-1].outcome.status) == ("post-1", OUT.PENDING)

        play(story, script=Script(stuck=True))

    def test_a_scheduled_post_on_its_whole_way(self):
        async def story(pub, memory, clock):
            events = await told(pub, clip(at=AT))
            assert kinds(events) == ["queued", "sent", "accepted", "settled"]
            async with pub.stream() as stream:
                await pub.wait(events[0].job_id)
            found = await drain(stream)
            changes = [(e.before, e.post.status) for e in found if isinstance(e, JobStatusChanged)]
            assert (changes[0][0], changes[-1][1]) == (PostStatus.SCHEDULED, PostStatus.PUBLISHED)
            assert [type(e) for e in found if not isinstance(e, JobStatusChanged)] == [AccountDelivered, JobSettled]

        play(story)


class TestStreams:
    def test_of_some_jobs_ends_after_the_last_of_them(self):
        async def story(pub, memory, clock):
            one, two, other = pub.submit_many([clip("c1"), clip("c2"), clip("c3", at=AT)])
            async with pub.stream([one, two.id]) as events:
                found = [event async for event in events]
            assert {event.job_id for event in found} == {one.id, two.id}
            assert [type(e) for e in found].count(JobSettled) == 2
            assert await anext(events, "over") == "over"
            assert (await other).status is OUT.SCHEDULED

        play(story)

    def test_of_jobs_that_have_ended_ends_at_once(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            for items in ([outcome], [outcome, outcome.job_id], []):
                async with pub.stream(items) as events:
                    assert [event async for event in events] == []

        play(story)

    def test_of_ended_and_open_jobs_ends_with_the_open_ones(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1"))
            handle = pub.submit(clip("c2"))
            async with pub.stream([outcome, handle]) as events:
                found = [event async for event in events]
            assert {event.job_id for event in found} == {handle.id}

        play(story)

    def test_of_everything_ends_with_the_orchestrator(self):
        async def main(clock):
            memory = InMemoryPublisher(clock=clock)
            pub = Orchestrator([memory], clock=clock)
            found = []

            async def listen(ready):
                async with pub.stream() as events:
                    ready.set()
                    found.extend([event async for event in events])

            async with pub:
                ready = asyncio.Event()
                task = asyncio.create_task(listen(ready))
                await ready.wait()
                handle = pub.submit(clip())
                await asyncio.sleep(5)
            await task
            assert isinstance(found[-1], JobSettled)
            assert found[-1].outcome == await handle

        run_virtual(main)

    def test_several_readers_each_get_everything(self):
        async def story(pub, memory, clock):
            async with pub.stream() as one, pub.stream() as two:
                handle = pub.submit(clip())
                await handle
            assert await drain(one) == await drain(two) != []

        play(story)

    def test_a_slow_reader_is_told_how_much_it_missed_and_holds_up_nobody(self):
        async def story(pub, memory, clock):
            async with pub.stream() as whole, pub.stream(buffer=4) as slow:
                report = await pub.publish_many([clip(f"c{n}") for n in range(10)])
                assert report.is_success
            everything, found = await drain(whole), await drain(slow)
            assert isinstance(found[0], EventsMissed)
            assert found[0].count == len(everything) - 4
            assert found[1:] == everything[-4:]

        play(story)

    def test_a_reader_that_catches_up_misses_nothing_more(self):
        async def story(pub, memory, clock):
            async with pub.stream(buffer=1) as slow:
                await pub.publish(clip("c1"))
                assert isinstance(await anext(slow), EventsMissed)
                assert isinstance(await anext(slow), JobSettled)
                task = asyncio.create_task(anext(slow))
                await asyncio.sleep(0)
                handle = pub.submit(clip("c2"))
                assert isinstance(await task, JobQueued)
                await handle

        play(story)

    def test_a_reader_that_leaves_hears_nothing_more(self):
        async def story(pub, memory, clock):
            async with pub.stream() as events:
                pass
            await pub.publish(clip())
            assert [event async for event in events] == []

        play(story)

    def test_a_reader_that_breaks_off_leaves_nothing_running(self):
        async def story(pub, memory, clock):
            tasks = asyncio.all_tasks()
            async with pub.stream() as events:
                pub.submit(clip("c1", at=AT))
                async for event in events:
                    if isinstance(event, JobAccepted):
                        break
            await asyncio.sleep(10)
            assert asyncio.all_tasks() == tasks

        play(story)

    @pytest.mark.parametrize("buffer", [0, -1, 1.5, "10", True, None])
    def test_a_buffer_holds_at_least_one(self, buffer):
        async def story(pub, memory, clock):
            with pytest.raises(ConfigurationError, match=r"buffer: .* has to be a whole number of at least 1"):
                async with pub.stream(buffer=buffer):
                    pass

        play(story)


async def drain(stream):
    return [event async for event in stream]


def test_accounts_in_events_are_values():
    async def story(pub, memory, clock):
        delivered = [e for e in await told(pub, clip()) if isinstance(e, AccountDelivered)]
        assert isinstance(delivered[0].delivery.account, Account)

    play(story)
