"""Leaving in the middle of things: in time, with every outcome told, and nothing left running."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from reelpub.clocks import SystemClock
from reelpub.errors import ConfigurationError
from reelpub.models.capability import ProviderLimits
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.orchestrator.pool import WorkerPool
from reelpub.orchestrator.queue import Work
from reelpub.policies.caps import AccountCap
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
AT = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)


def clip(name="c1", *accounts, **members):
    return PublishRequest(Clip("p", name), accounts=accounts or ("tiktok:acme",), **members)


def clips(count):
    return [clip(f"c{n}") for n in range(count)]


class Wire(InMemoryPublisher):
    """Takes ten seconds to answer."""

    seconds = 10.0

    async def publish(self, prepared, options=None):
        post = await super().publish(prepared, options)
        await asyncio.sleep(self.seconds)
        return post


class Deaf(Wire):
    """Never answers."""

    seconds = 1e9


async def nothing_runs():
    """Check that no task is left; a cancelled one may take a few turns to end."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def leave_after(clock, seconds, requests, *, kind=InMemoryPublisher, script=None, limits=None, **options):
    """Submit *requests*, leave after *seconds*, and return the handles, the publisher and how long leaving took."""
    memory = kind(clock=clock, script=script, limits=limits)
    async with Orchestrator([memory], clock=clock, **options) as pub:
        handles = pub.submit_many(requests)
        await asyncio.sleep(seconds)
        began = clock.monotonic()
    took = clock.monotonic() - began
    assert all(handle.is_settled and handle.outcome().is_settled for handle in handles)
    assert memory.is_closed
    await nothing_runs()
    return [handle.outcome() for handle in handles], memory, took


class TestOutcomes:
    def test_in_the_middle_of_a_batch_every_outcome_is_told_and_true(self):
        async def main(clock):
            for seconds in (0, 0.01, 5, 14, 30, 59, 61, 100):
                outcomes, memory, took = await leave_after(
                    clock, seconds, clips(100), limits=ProviderLimits(requests=30, window=60)
                )
                assert took <= 10
                sent = [o for o in outcomes if o.status in (OUT.PUBLISHED, OUT.PENDING)]
                unsent = [o for o in outcomes if o.status is OUT.NOT_SENT]
                assert len(sent) + len(unsent) == 100
                assert len(sent) == memory.requests.get("publish", 0)
                assert {o.requests for o in unsent} <= {0}
                assert {o.reason for o in unsent} <= {
                    "the orchestrator was closed before its turn",
                    "the orchestrator was closed while it was under way",
                }

        run_virtual(main)

    def test_what_is_on_the_wire_gets_its_time(self):
        async def main(clock):
            (outcome,), _memory, took = await leave_after(clock, 5, [clip()], kind=Wire)
            assert took == pytest.approx(5)
            assert (outcome.status, outcome.posts[0].id) == (OUT.PENDING, "post-1")
            assert outcome.reason == "the orchestrator was closed before it ended"

        run_virtual(main)

    def test_what_never_answers_is_unknown_in_the_end(self):
        async def main(clock):
            outcomes, memory, took = await leave_after(clock, 5, clips(40), kind=Deaf, shutdown_timeout=7)
            assert took == pytest.approx(7)
            assert [o.status for o in outcomes].count(OUT.UNKNOWN) == 16
            assert [o.status for o in outcomes].count(OUT.NOT_SENT) == 24
            assert memory.requests["publish"] == 16

        run_virtual(main)

    def test_no_time_at_all(self):
        async def main(clock):
            (outcome,), _, took = await leave_after(clock, 5, [clip()], kind=Deaf, shutdown_timeout=0)
            assert (outcome.status, took) == (OUT.UNKNOWN, 0)

        run_virtual(main)

    def test_a_lost_answer_that_is_being_looked_up_is_unknown(self):
        async def main(clock):
            (outcome,), _, took = await leave_after(clock, 20, [clip()], script=Script(lose_before=1))
            assert (outcome.status, took) == (OUT.UNKNOWN, 0)

        run_virtual(main)

    def test_what_a_cap_holds_is_not_sent(self):
        async def main(clock):
            outcomes, _memory, _ = await leave_after(
                clock, 100, clips(3), caps={"tiktok:acme": AccountCap(min_gap=3600)}
            )
            assert [o.status for o in outcomes] == [OUT.PUBLISHED, OUT.NOT_SENT, OUT.NOT_SENT]

        run_virtual(main)

    def test_what_is_followed_stays_scheduled(self):
        async def main(clock):
            memory = InMemoryPublisher(clock=clock)
            async with Orchestrator([memory], clock=clock) as pub:
                outcome = await pub.schedule(clip(at=AT))
                waiting = asyncio.create_task(pub.wait(outcome))
                await asyncio.sleep(10)
            assert (await waiting).status is OUT.SCHEDULED
            assert memory.requests == {"schedule": 1}

        run_virtual(main)

    def test_who_waits_is_answered(self):
        async def main(clock):
            pub = Orchestrator([InMemoryPublisher(clock=clock, script=Script(stuck=True))], clock=clock)
            async with pub:
                calls = [
                    asyncio.create_task(pub.publish_many(clips(3))),
                    asyncio.create_task(pub.publish(clip("other"), timeout=10_000)),
                ]
                await asyncio.sleep(10)
            report, outcome = [await call for call in calls]
            assert [o.status for o in [*report, outcome]] == [OUT.PENDING] * 4

        run_virtual(main)

    def test_a_token_that_comes_as_the_door_closes_is_not_used(self):
        """Cancellation isn't delivered to a task whose wait is over already; it looks for itself before it sends."""

        class Gate(InMemoryPublisher):
            async def publish(self, prepared, options=None):
                self.waiting = asyncio.get_running_loop().create_future()
                await self.waiting
                return await super().publish(prepared, options)

        async def main(clock):
            memory = Gate(clock=clock)
            pub = Orchestrator([memory], clock=clock)
            await pub.__aenter__()
            handle = pub.submit(clip())
            await asyncio.sleep(1)
            loop = asyncio.get_running_loop()
            loop.call_soon(memory.waiting.set_result, None)
            await pub.close()
            assert ((await handle).status, memory.requests) == (OUT.NOT_SENT, {})

        run_virtual(main)

    def test_what_waits_for_its_plan_is_not_sent(self):
        async def main(clock):
            memory = Deaf(clock=clock)
            async with Orchestrator([memory], clock=clock, concurrency=1, shutdown_timeout=1) as pub:
                first = pub.submit(clip("c1"))
                await asyncio.sleep(5)
                second = pub.submit(clip("c2"))
                await asyncio.sleep(5)
            assert ((await first).status, (await second).status) == (OUT.UNKNOWN, OUT.NOT_SENT)
            assert (await second).reason == "the orchestrator was closed before its turn"

        run_virtual(main)

    def test_what_a_cap_had_held_and_is_on_the_wire_is_unknown_in_the_end(self):
        class SlowSecond(InMemoryPublisher):
            async def publish(self, prepared, options=None):
                post = await super().publish(prepared, options)
                if self.requests["publish"] == 2:
                    await asyncio.sleep(1e9)
                return post

        async def main(clock):
            outcomes, _, _ = await leave_after(
                clock, 400, clips(3), kind=SlowSecond, caps={"tiktok:acme": AccountCap(min_gap=300)}
            )
            assert [o.status for o in outcomes] == [OUT.PUBLISHED, OUT.UNKNOWN, OUT.NOT_SENT]

        run_virtual(main)

    @pytest.mark.parametrize("where", ["find", "accounts", "prepare"])
    def test_whatever_hangs_is_left_in_time(self, where):
        async def hang(*_, **__):
            await asyncio.sleep(1e9)

        kind = type("Hanging", (InMemoryPublisher,), {where: hang})

        async def main(clock):
            (outcome,), memory, took = await leave_after(clock, 50, [clip()], kind=kind, script=Script(lose_after=1))
            assert took == 0
            assert outcome.status is (OUT.UNKNOWN if where == "find" else OUT.NOT_SENT)
            assert memory.requests.get("publish", 0) == (1 if where == "find" else 0)

        run_virtual(main)


class TestManners:
    def test_is_opened_in_one_task_and_closed_in_another(self):
        async def main(clock):
            memory = InMemoryPublisher(clock=clock)
            pub = Orchestrator([memory], clock=clock)
            await asyncio.create_task(pub.__aenter__())
            outcome = await pub.publish(clip())
            await asyncio.create_task(pub.close())
            assert (outcome.status, memory.is_closed) == (OUT.PUBLISHED, True)
            await nothing_runs()

        run_virtual(main)

    def test_closing_twice_or_unopened_does_nothing(self):
        async def main(clock):
            pub = Orchestrator([InMemoryPublisher(clock=clock)], clock=clock)
            await pub.close()
            async with pub:
                await pub.close()
                with pytest.raises(ConfigurationError, match="isn't open"):
                    pub.submit(clip())
            await pub.close()

        run_virtual(main)

    def test_an_error_in_the_body_comes_out_and_everything_is_told(self):
        async def main(clock):
            memory = InMemoryPublisher(clock=clock)
            with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the body is what raises
                async with Orchestrator([memory], clock=clock) as pub:
                    handle = pub.submit(clip())
                    raise ZeroDivisionError
            sent = memory.requests.get("publish", 0)
            assert ((await handle).requests, memory.is_closed) == (sent, True)
            assert (await handle).status is (OUT.PENDING if sent else OUT.NOT_SENT)

        run_virtual(main)

    def test_a_cancelled_task_leaves_in_order(self):
        async def main(clock):
            memory = Wire(clock=clock)
            handles = []

            async def serve():
                async with Orchestrator([memory], clock=clock) as pub:
                    handles.extend(pub.submit_many(clips(3)))
                    await asyncio.sleep(10_000)

            task = asyncio.create_task(serve())
            await asyncio.sleep(5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [handle.outcome().status for handle in handles] == [OUT.PENDING] * 3
            assert memory.is_closed
            await nothing_runs()

        run_virtual(main)

    def test_a_task_cancelled_again_while_it_leaves_still_tells_everything(self):
        async def main(clock):
            memory = Deaf(clock=clock)
            handles = []

            async def serve():
                async with Orchestrator([memory], clock=clock, shutdown_timeout=1000) as pub:
                    handles.extend(pub.submit_many(clips(3)))
                    await asyncio.sleep(10_000)

            task = asyncio.create_task(serve())
            for _ in range(2):
                await asyncio.sleep(5)
                task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [handle.outcome().status for handle in handles] == [OUT.UNKNOWN] * 3
            assert memory.is_closed
            await nothing_runs()

        run_virtual(main)

    def test_a_publisher_that_can_not_close_keeps_the_others_from_nothing(self, caplog):
        class Stubborn(InMemoryPublisher):
            async def close(self):
                raise OSError("no")

        async def main(clock):
            made = [Stubborn("one", clock=clock), InMemoryPublisher("two", clock=clock)]
            async with Orchestrator(made, clock=clock) as pub:
                handle = pub.submit(clip(publisher="one"))
            assert handle.is_settled
            assert made[1].is_closed
            made[0].limiter.close()

        run_virtual(main)
        assert "one: closing raised" in caplog.text

    def test_a_fault_of_its_own_tells_every_outcome_and_comes_out(self):
        """Should one of its own tasks fail, nobody waits for ever, and leaving says what it was."""

        class Broken:
            def __init__(self, clock):
                self.clock, self.is_broken = clock, False

            def time(self):
                return self.clock.time()

            def monotonic(self):
                return self.clock.monotonic()

            async def sleep(self, seconds):
                await self.clock.sleep(seconds)
                if self.is_broken:
                    raise OSError("the clock broke")

        async def main(clock):
            broken = Broken(clock)
            memory = InMemoryPublisher(clock=clock, script=Script(lose_before=1))
            with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012 - leaving is what raises
                async with Orchestrator([memory], clock=broken) as pub:
                    async with pub.stream() as events:
                        handles = pub.submit_many([clip("c1"), clip("c2", at=AT)])
                        await asyncio.sleep(5)
                        broken.is_broken = True
                        outcome = await handles[0]
                        assert [event.job_id async for event in events][-1] == outcome.job_id
                    assert outcome.status is OUT.UNKNOWN
                    with pytest.raises(ConfigurationError, match="has stopped with a fault, which leaving it raises"):
                        pub.submit(clip("c3"))
            assert caught.group_contains(OSError, match="the clock broke")
            assert memory.is_closed
            await nothing_runs()

        run_virtual(main)

    def test_a_thousand_jobs_leave_no_task(self):
        async def main(clock):
            outcomes, _memory, _ = await leave_after(clock, 3, clips(1000), limits=ProviderLimits(requests=60))
            assert len(outcomes) == 1000

        run_virtual(main)


async def test_closing_doesnt_wait_for_workers_that_were_cancelled_before_they_began():
    """As all are that are left when a program ends: such a worker never says that it has gone."""

    class Ending:
        def start_soon(self, *_):
            pass

    dropped = []
    pool = WorkerPool(SystemClock(), concurrency=2)
    pool.start(Ending())
    for _ in range(3):
        pool.put(Work(run=lambda _worker: asyncio.sleep(0), drop=dropped.append, priority=0))
    await asyncio.wait_for(pool.close(0.01), 5)
    assert len(dropped) == 3
