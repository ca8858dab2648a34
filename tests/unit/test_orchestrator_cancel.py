"""Calling jobs off and moving them, in every state that they can be in."""

# Naive times are among what is refused.
# ruff: noqa: DTZ001

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from reelpub.errors import BadRequestError, ServerError, UnsupportedOperation, ValidationError
from reelpub.models.capability import Feature, ProviderLimits
from reelpub.models.event import JobSettled
from reelpub.models.outcome import CancelResult, OutcomeStatus
from reelpub.models.post import DeliveryStatus, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.models.when import LocalTime
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.caps import AccountCap
from reelpub.testing import InMemoryPublisher, Script, run_virtual

SAID = {"operation": "cancel", "provider": "memory"}
OUT = OutcomeStatus
AT = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(days=1)


def clip(name="c1", *accounts, **members):
    return PublishRequest(Clip("p", name), accounts=accounts or ("tiktok:acme",), **members)


class TwoPosts(InMemoryPublisher):
    """Makes a post for each account, as Reap does for two accounts on one platform."""

    def plan(self, request, accounts):
        return [(account,) for account in accounts]


class Unable(InMemoryPublisher):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.provider = "unable"
        self.capabilities = evolve(
            self.capabilities, features=self.capabilities.features - {Feature.CANCEL, Feature.RESCHEDULE}
        )


def play(story, *, publishers=None, script=None, limits=None, **options):
    async def main(clock):
        kinds = publishers or {"memory": InMemoryPublisher}
        made = [kind(name, clock=clock, script=script, limits=limits) for name, kind in kinds.items()]
        async with Orchestrator(made, clock=clock, **options) as orchestrator:
            return await story(orchestrator, made[0] if len(made) == 1 else made, clock)

    return run_virtual(main)


class TestCancelling:
    def test_before_its_turn(self):
        async def story(pub, memory, clock):
            handle = pub.submit(clip())
            assert await pub.cancel(handle) is CancelResult.CANCELLED
            outcome = await handle
            assert (outcome.status, outcome.reason, memory.requests) == (OUT.CANCELLED, "called off", {})
            await asyncio.sleep(100)
            assert memory.requests == {}

        play(story)

    def test_while_it_waits_for_the_limit(self):
        async def story(pub, memory, clock):
            handles = pub.submit_many([clip(f"c{n}") for n in range(4)])
            await asyncio.sleep(5)
            assert memory.requests == {"publish": 1}
            results = await pub.cancel_many(handles[1:])
            assert results == [CancelResult.CANCELLED] * 3
            outcome = await handles[2]
            assert outcome.status is OUT.CANCELLED
            assert [d.status for d in outcome.deliveries] == [DeliveryStatus.CANCELLED]
            assert (await handles[0]).status is OUT.PUBLISHED
            assert memory.requests["publish"] == 1

        play(story, limits=ProviderLimits(requests=1, window=60))

    def test_while_a_cap_holds_it(self):
        async def story(pub, memory, clock):
            first, second = pub.submit_many([clip("c1"), clip("c2")])
            await asyncio.sleep(30)
            assert await pub.cancel(second) is CancelResult.CANCELLED
            await asyncio.sleep(5000)
            assert ((await first).status, memory.live) == (OUT.PUBLISHED, {"tiktok-acme": ["p/c1"]})

        play(story, caps={"tiktok:acme": AccountCap(min_gap=3600)})

    def test_while_it_is_kept_here_for_its_time(self):
        async def story(pub, memory, clock):
            due = datetime.fromtimestamp(clock.time(), UTC) + timedelta(minutes=10)
            handle = pub.submit(clip(at=due))
            await asyncio.sleep(10)
            assert await pub.cancel(handle) is CancelResult.CANCELLED
            await asyncio.sleep(3600)
            assert ((await handle).status, memory.requests) == (OUT.CANCELLED, {})

        play(story, limits=ProviderLimits(requests=60, schedule_min_lead=3000))

    def test_while_it_is_on_the_wire(self):
        class Slow(InMemoryPublisher):
            async def publish(self, prepared, options=None):
                post = await super().publish(prepared, options)
                await asyncio.sleep(10)
                return post

        async def story(pub, memory, clock):
            handle = pub.submit(clip())
            await asyncio.sleep(5)
            assert await pub.cancel(handle) is CancelResult.UNKNOWN
            assert (await handle).status is OUT.PUBLISHED

        play(story, publishers={"memory": Slow})

    def test_while_its_lost_answer_is_looked_up(self):
        async def story(pub, memory, clock):
            handle = pub.submit(clip())
            await asyncio.sleep(20)
            assert handle.outcome().status is OUT.UNKNOWN
            assert await pub.cancel(handle) is CancelResult.UNKNOWN
            assert (await handle).status is OUT.PUBLISHED

        play(story, script=Script(lose_before=1))

    def test_once_it_goes_out_and_once_it_is_out(self):
        async def story(pub, memory, clock):
            handle = pub.submit(clip())
            await asyncio.sleep(5)
            assert await pub.cancel(handle) is CancelResult.TOO_LATE
            outcome = await handle
            assert outcome.status is OUT.PUBLISHED
            assert await pub.cancel(outcome) is CancelResult.TOO_LATE
            assert await pub.cancel(outcome.job_id) is CancelResult.TOO_LATE

        play(story)

    def test_what_ended_as_unknown(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert await pub.cancel(outcome) is CancelResult.UNKNOWN

        play(story, script=Script(lose_after=1, is_findable=False))

    def test_what_was_refused(self):
        async def story(pub, memory, clock):
            for bad in (clip(publisher="other"), clip(caption=5), clip("c1", "tiktok:nobody")):
                outcome = await pub.publish(bad)
                assert await pub.cancel(outcome) is CancelResult.TOO_LATE

        play(story)

    def test_scheduled_at_the_provider(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=AT))
            assert await pub.cancel(outcome) is CancelResult.CANCELLED
            assert memory.requests == {"schedule": 1, "cancel": 1}
            now = pub.job(outcome.job_id).outcome()
            assert (now.status, now.is_settled) == (OUT.CANCELLED, True)
            assert [d.status for d in now.deliveries] == [DeliveryStatus.CANCELLED]
            assert (await memory.fetch("post-1")).status is PostStatus.CANCELLED

        play(story)

    def test_twice_is_cancelled_still(self):
        async def story(pub, memory, clock):
            waiting = pub.submit(clip("c1"))
            scheduled = await pub.schedule(clip("c2", at=AT))
            for _ in range(2):
                assert await pub.cancel_many([scheduled]) == [CancelResult.CANCELLED]
            unsent = pub.submit(clip("c3"))
            for _ in range(2):
                assert await pub.cancel(unsent) is CancelResult.CANCELLED
            assert memory.requests["cancel"] == 1
            await waiting

        play(story)

    def test_what_was_called_off_may_be_asked_for_again(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=AT))
            await pub.cancel(outcome)
            assert (await pub.schedule(clip(at=AT))).status is OUT.SCHEDULED

        play(story)

    def test_while_it_is_followed_to_its_end(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=AT))
            waiting = asyncio.create_task(pub.wait(outcome))
            await asyncio.sleep(100)
            assert await pub.cancel(outcome) is CancelResult.CANCELLED
            async with asyncio.timeout(60):
                assert (await waiting).status is OUT.CANCELLED

        play(story)

    def test_is_told_to_who_listens(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=AT))
            async with pub.stream() as events:
                await pub.cancel(outcome)
                event = await anext(events)
                assert isinstance(event, JobSettled)
                assert event.outcome.status is OUT.CANCELLED

        play(story)

    def test_too_late_at_the_provider(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=AT))
            await asyncio.sleep((AT - datetime.fromtimestamp(clock.time(), UTC)).total_seconds() + 5)
            assert await pub.cancel(outcome) is CancelResult.TOO_LATE
            assert (await pub.wait(outcome)).status is OUT.PUBLISHED

        play(story)

    @pytest.mark.parametrize("error", [ValueError("a bug"), ServerError("down", status=500, **SAID)])
    def test_a_provider_that_raises_keeps_nothing_else_from_being_called_off(self, error):
        class Raising(InMemoryPublisher):
            async def cancel(self, post_id):
                if post_id == "post-1":
                    raise error
                return await super().cancel(post_id)

        async def story(pub, memory, clock):
            report = await pub.schedule_many([clip("c1", at=AT), clip("c2", at=AT)])
            assert await pub.cancel_many(report) == [CancelResult.UNKNOWN, CancelResult.CANCELLED]
            assert pub.job(report[0].job_id).outcome().status is OUT.SCHEDULED

        play(story, publishers={"memory": Raising})

    def test_a_provider_that_can_not_is_named_before_anything_is_called_off(self):
        async def story(pub, made, clock):
            report = await pub.schedule_many([clip("c1", at=AT, publisher="good"), clip("c2", at=AT, publisher="bad")])
            with pytest.raises(UnsupportedOperation, match="unable can't cancel; supported by: memory"):
                await pub.cancel_many(report)
            assert [memory.requests for memory in made] == [{"schedule": 1}] * 2
            handle = pub.submit(clip("c3", publisher="bad"))
            assert await pub.cancel(handle) is CancelResult.CANCELLED

        play(story, publishers={"good": InMemoryPublisher, "bad": Unable})

    def test_a_publisher_without_the_method_leaves_it_unknown(self):
        class Half(InMemoryPublisher):
            cancel = None

        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=AT))
            assert await pub.cancel(outcome) is CancelResult.UNKNOWN

        play(story, publishers={"memory": Half})

    def test_several_posts_of_one_job(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip("c1", "tiktok:acme", "youtube:acme", at=AT))
            assert len(outcome.posts) == 2
            async with pub.stream() as events:
                assert await pub.cancel(outcome) is CancelResult.CANCELLED
                settled = await anext(events)
            assert settled.outcome.status is OUT.CANCELLED
            assert pub.job(outcome.job_id).outcome() == settled.outcome

        play(story, publishers={"memory": TwoPosts})

    def test_one_post_gone_and_one_waiting(self):
        async def story(pub, memory, clock):
            first, second = pub.submit_many([clip("c1"), clip("c2", "tiktok:acme", "youtube:acme")])
            await asyncio.sleep(65)
            assert memory.requests["publish"] == 2
            assert await pub.cancel(second) is CancelResult.TOO_LATE
            outcome = await second
            assert outcome.status is OUT.PARTLY_PUBLISHED
            assert sorted(d.status for d in outcome.deliveries) == [DeliveryStatus.CANCELLED, DeliveryStatus.PUBLISHED]
            assert (await first).status is OUT.PUBLISHED

        play(story, publishers={"memory": TwoPosts}, limits=ProviderLimits(requests=2, window=120), concurrency=1)

    def test_a_member_of_a_batch_that_waits_for_its_token(self):
        async def story(pub, memory, clock):
            now = pub.submit(clip("now"))
            handles = pub.submit_many([clip(f"c{n}", at=AT) for n in range(3)])
            await asyncio.sleep(5)
            assert memory.requests == {"publish": 1}
            assert await pub.cancel(handles[1]) is CancelResult.CANCELLED
            assert [(await handle).status for handle in handles] == [OUT.SCHEDULED, OUT.CANCELLED, OUT.SCHEDULED]
            assert memory.requests["schedule"] == 1
            assert [p.deliveries[0].status for p in (await memory.read_page(0)).posts].count("scheduled") == 2
            await now

        play(story, limits=ProviderLimits(requests=1, window=60, schedule_batch=10))

    def test_an_outcome_of_another_orchestrator(self):
        class KeptOpen(InMemoryPublisher):
            async def close(self):
                pass

        async def main(clock):
            memory = KeptOpen(clock=clock)
            async with Orchestrator([memory], clock=clock) as one:
                outcome = await one.schedule(clip(at=AT))
            async with Orchestrator([memory], clock=clock) as two:
                assert await two.cancel(outcome) is CancelResult.CANCELLED

        run_virtual(main)


class TestRescheduling:
    def test_moves_the_post(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=AT))
            moved = await pub.reschedule(outcome, LATER)
            assert (moved.status, moved.posts[0].scheduled_at, moved.job_id) == (OUT.SCHEDULED, LATER, outcome.job_id)
            assert memory.requests == {"schedule": 1, "reschedule": 1}
            assert pub.job(outcome.job_id).outcome() == moved
            moved = await pub.reschedule(outcome, LocalTime("2027-06-03 14:00", "Europe/Oslo"))
            assert moved.posts[0].scheduled_at == AT + timedelta(days=2)

        play(story)

    def test_while_it_is_followed_it_is_not_read_before_its_new_time(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=AT))
            waiting = asyncio.create_task(pub.wait(outcome))
            await asyncio.sleep(100)
            moved = await pub.reschedule(outcome, LATER)
            assert (moved.status, moved.is_settled) == (OUT.SCHEDULED, False)
            await asyncio.sleep((LATER - datetime.fromtimestamp(clock.time(), UTC)).total_seconds() - 1)
            assert memory.requests == {"schedule": 1, "reschedule": 1}
            assert (await waiting).status is OUT.PUBLISHED

        play(story)

    def test_a_provider_that_does_not_tell_the_new_time(self):
        class Silent(InMemoryPublisher):
            async def reschedule(self, post_id, at):
                return evolve(await super().reschedule(post_id, at), scheduled_at=None)

        async def story(pub, memory, clock):
            moved = await pub.reschedule(await pub.schedule(clip(at=AT)), LATER)
            assert moved.posts[0].scheduled_at == LATER

        play(story, publishers={"memory": Silent})

    @pytest.mark.parametrize(
        ("at", "text"),
        [
            (datetime(2027, 6, 2), "at: has no time zone"),
            ("2027-06-02", "at: is no time"),
            (None, "at: is no time"),
            (datetime(2027, 1, 1, tzinfo=UTC), "at: is in the past"),
            (datetime(2027, 1, 15, 8, 30, tzinfo=UTC), "at: is too soon; the earliest is 2027-01-15T08:50:0"),
            (datetime(2030, 1, 1, tzinfo=UTC), "at: is too far ahead"),
        ],
    )
    def test_to_a_bad_time(self, at, text):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=AT))
            with pytest.raises(ValidationError) as caught:
                await pub.reschedule(outcome, at)
            assert str(caught.value).startswith(text)
            assert memory.requests == {"schedule": 1}

        limits = ProviderLimits(requests=60, schedule_min_lead=3000, schedule_max_lead=86_400 * 366)
        play(story, limits=limits)

    def test_what_is_not_scheduled(self):
        async def story(pub, memory, clock):
            unsent, refused = pub.submit(clip("c1")), await pub.publish(clip(publisher="other"))
            gone = await pub.publish(clip("c2"))
            before = memory.requests
            for item in (unsent, refused, gone):
                with pytest.raises(ValidationError, match="job: isn't scheduled, so it can't be moved"):
                    await pub.reschedule(item, LATER)
            assert memory.requests == before

        play(story)

    def test_where_the_provider_can_not_says_who_can(self):
        async def story(pub, made, clock):
            outcome = await pub.schedule(clip(at=AT, publisher="bad"))
            with pytest.raises(UnsupportedOperation, match="unable can't reschedule; supported by: memory"):
                await pub.reschedule(outcome, LATER)

        play(story, publishers={"good": InMemoryPublisher, "bad": Unable})

    def test_where_the_publisher_has_no_such_method(self):
        class Half(InMemoryPublisher):
            reschedule = None

        async def story(pub, memory, clock):
            with pytest.raises(UnsupportedOperation, match="memory can't reschedule"):
                await pub.reschedule(await pub.schedule(clip(at=AT)), LATER)

        play(story, publishers={"memory": Half})

    def test_what_was_moved_before_a_refusal_is_told(self):
        class Refusing(TwoPosts):
            async def reschedule(self, post_id, at):
                if post_id == "post-2":
                    raise BadRequestError("no", status=400, **SAID)
                return await super().reschedule(post_id, at)

        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip("c1", "tiktok:acme", "youtube:acme", at=AT))
            with pytest.raises(BadRequestError):
                await pub.reschedule(outcome, LATER)
            assert [p.scheduled_at for p in pub.job(outcome.job_id).outcome().posts] == [LATER, AT]

        play(story, publishers={"memory": Refusing})
