"""The limiter, in a loop whose time is virtual: who goes when, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import functools
import itertools
import math
import warnings

import pytest

from reelpub.clocks import LoopClock, ScaledClock, SystemClock
from reelpub.errors import ConfigurationError, RateLimitWouldBlock
from reelpub.policies.headers import Quota
from reelpub.policies.lanes import LaneShare
from reelpub.testing.virtual import run_virtual
from reelpub.transport.bucket import AioLimiterBucket, LogBucket, default_bucket
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import Lane


def virtual(test):
    """Run an async test in a loop whose time jumps over every wait."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        run_virtual(lambda _clock: test(*args, **kwargs))

    return run


def announced(limit=10, remaining=None, reset_in=30.0):
    return Quota(limit=limit, remaining=limit - 1 if remaining is None else remaining, reset_in=reset_in)


def make(limit=10, window=60.0, **kwargs):
    return RateLimiter(limit, window, clock=LoopClock(), random=lambda: 0.5, **kwargs)


async def go(limiter, lane=Lane.WRITE, *, quota=None, **kwargs):
    """Acquire and answer at once; returns the loop's time of the grant."""
    permit = await limiter.acquire(lane, **kwargs)
    at = asyncio.get_running_loop().time()
    permit.answered(quota, 200)
    return at


def left_over():
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


@virtual
async def test_without_headers_two_go_at_once_and_then_one_by_one_within_the_limit():
    limiter = make(10)
    start = asyncio.get_running_loop().time()
    times = [await go(limiter) - start for _ in range(21)]
    assert times[:2] == [0, 0]
    assert [round(b - a, 1) for a, b in itertools.pairwise(times[2:10])] == [7.5] * 7
    assert all(sum(t <= other < t + 60 for other in times) <= 10 for t in times)


@virtual
async def test_where_headers_announce_the_window_the_whole_limit_goes_at_once():
    limiter = make(10)
    start = asyncio.get_running_loop().time()
    times = [await go(limiter, quota=announced(remaining=9 - i % 10)) - start for i in range(20)]
    assert times[9] == 0
    assert 60 <= times[10] <= times[19] < 60.1


@virtual
async def test_writes_go_first_and_each_lane_in_its_order():
    limiter = make(100, poll_share=0.0)
    blocker = [await limiter.acquire(), await limiter.acquire()]
    order = []

    async def one(lane, name):
        await go(limiter, lane, quota=announced(100))
        order.append(name)

    tasks = []
    for i in range(3):
        tasks += [asyncio.create_task(one(Lane.POLL, f"r{i}")), asyncio.create_task(one(Lane.WRITE, f"w{i}"))]
    await settled()
    for permit in blocker:
        permit.answered(announced(100), 200)
    await asyncio.gather(*tasks)
    assert order == ["w0", "w1", "w2", "r0", "r1", "r2"]


@virtual
async def test_reads_get_their_share_while_writes_wait():
    limiter = make(10, poll_share=0.2)
    order = []

    async def one(lane):
        await go(limiter, lane, quota=announced())
        order.append(lane)

    tasks = [asyncio.create_task(one(lane)) for lane in [Lane.WRITE] * 40 + [Lane.POLL] * 40]
    await asyncio.gather(*tasks)
    while_both = order[: len(order) - order[::-1].index(Lane.WRITE)]
    assert 0.15 <= while_both.count(Lane.POLL) / len(while_both) <= 0.3


@virtual
async def test_a_part_of_the_window_stays_free_of_writes_while_reads_are_expected():
    limiter = make(10, poll_share=0.2)
    limiter.expect_reads(300)
    start = asyncio.get_running_loop().time()
    writes = [asyncio.create_task(go(limiter, quota=announced())) for _ in range(12)]
    await asyncio.sleep(1)
    assert sum(task.done() for task in writes) == 8
    assert await go(limiter, Lane.POLL, quota=announced()) - start == 1
    assert max(await asyncio.gather(*writes)) - start >= 60


@virtual
async def test_a_deadline_before_the_known_wait_fails_at_once():
    limiter = make(1)
    loop = asyncio.get_running_loop()
    await go(limiter)
    began = loop.time()
    with pytest.raises(RateLimitWouldBlock) as caught:
        await limiter.acquire(deadline=began + 30, operation="publish", provider="reap")
    assert loop.time() == began
    assert caught.value.delay == pytest.approx(60)
    assert (caught.value.operation, caught.value.provider) == ("publish", "reap")


@virtual
async def test_the_queue_ahead_counts_towards_the_known_wait():
    limiter = make(1)
    await go(limiter)
    waiting = [asyncio.create_task(limiter.acquire()) for _ in range(2)]
    await settled()
    with pytest.raises(RateLimitWouldBlock) as caught:
        await limiter.acquire(deadline=asyncio.get_running_loop().time() + 150)
    assert caught.value.delay == pytest.approx(180, abs=1)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@virtual
async def test_a_deadline_that_passes_while_an_answer_is_awaited_fails_then():
    limiter = make(1)
    permit = await limiter.acquire()
    with pytest.raises(RateLimitWouldBlock):
        await limiter.acquire(deadline=asyncio.get_running_loop().time() + 70)
    permit.answered()


@virtual
async def test_a_hold_that_comes_later_fails_those_whom_it_makes_late():
    limiter = make(10)
    loop = asyncio.get_running_loop()
    first = [await limiter.acquire(), await limiter.acquire()]
    late = asyncio.create_task(limiter.acquire(deadline=loop.time() + 10))
    await settled()
    first[0].answered(Quota(retry_after=50.0), 429)
    with pytest.raises(RateLimitWouldBlock) as caught:
        await late
    assert caught.value.delay == pytest.approx(50)
    first[1].answered()


@virtual
async def test_a_past_deadline_is_refused_even_when_the_way_is_free():
    with pytest.raises(RateLimitWouldBlock):
        await make().acquire(deadline=asyncio.get_running_loop().time() - 1)


@virtual
async def test_a_cancelled_waiter_costs_nothing_and_leaves_no_task():
    limiter = make(1)
    await go(limiter)
    start = asyncio.get_running_loop().time()
    for _ in range(5):
        task = asyncio.create_task(limiter.acquire())
        await settled()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await settled()
    assert left_over() == []
    assert limiter.snapshot().waiting == 0
    assert await go(limiter) - start == pytest.approx(60, abs=0.1)


@virtual
async def test_a_waiter_cancelled_just_as_it_is_granted_gives_the_slot_back():
    class Plain:
        """Without `is_ready`, so that even the first one waits for the pump."""

        async def take(self):
            await asyncio.sleep(0)

    limiter = make(1, bucket=Plain())
    task = asyncio.create_task(limiter.acquire())
    for _ in range(9):
        if limiter.snapshot().in_flight == 0:
            await asyncio.sleep(0)
    assert limiter.snapshot().in_flight == 1
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert limiter.snapshot().in_flight == 0
    start = asyncio.get_running_loop().time()
    assert await go(limiter) == start


@virtual
async def test_an_abandoned_permit_frees_its_slot_at_once_and_only_once():
    limiter = make(1)
    permit = await limiter.acquire()
    permit.abandoned()
    permit.abandoned()
    permit.answered()
    start = asyncio.get_running_loop().time()
    assert await go(limiter) == start
    assert limiter.snapshot().in_flight == 0


@virtual
async def test_a_429_holds_everybody_until_the_later_of_two_instants():
    limiter = make(10)
    start = asyncio.get_running_loop().time()
    permits = [await limiter.acquire(), await limiter.acquire()]
    permits[0].answered(Quota(retry_after=40.0), 429)
    permits[1].answered(Quota(retry_after=5.0), 429)
    assert limiter.snapshot().held_for == pytest.approx(40)
    assert await go(limiter) - start >= 40


@virtual
async def test_holds_are_told_with_their_reason():
    holds = []
    limiter = make(1, on_hold=holds.append)
    seen = []
    forget = limiter.add_hold_listener(seen.append)
    permit = await limiter.acquire()
    permit.answered(Quota(retry_after=90.0), 429)
    await go(limiter, operation="publish", provider="reap")
    forget()
    forget()
    await go(limiter, Lane.POLL)
    assert [(h.operation, h.lane, h.reason) for h in holds] == [
        ("publish", Lane.WRITE, "429"),
        ("", Lane.POLL, "limit"),
    ]
    assert holds[0].delay == pytest.approx(90)
    assert len(seen) == 1


@virtual
async def test_close_refuses_those_who_wait_and_those_who_come():
    limiter = make(1)
    permit = await limiter.acquire()
    task = asyncio.create_task(limiter.acquire())
    await settled()
    limiter.close()
    with pytest.raises(ConfigurationError, match="closed"):
        await task
    with pytest.raises(ConfigurationError, match="closed"):
        await limiter.acquire()
    await settled()
    assert left_over() == []
    permit.answered()


@virtual
async def test_the_pump_ends_when_nobody_waits():
    limiter = make(100)
    await asyncio.gather(*(go(limiter, quota=announced(100)) for _ in range(50)))
    await settled()
    assert left_over() == []


@virtual
async def test_a_fault_of_the_bucket_reaches_those_who_wait():
    class Broken:
        async def take(self):
            raise OSError("no bucket")

    limiter = make(bucket=Broken())
    with pytest.raises(OSError, match="no bucket"):
        await limiter.acquire()


@virtual
async def test_the_state_is_told():
    limiter = make(10)
    state = limiter.snapshot()
    assert (state.limit, state.in_flight, state.waiting, state.held_for, state.next_in) == (10, 0, 0, 0, 0)
    permits = [await limiter.acquire(), await limiter.acquire()]
    assert limiter.snapshot().in_flight == 2
    assert limiter.snapshot().next_in == math.inf
    for permit in permits:
        permit.answered(announced(6), 200)
    assert limiter.limit == 6


@virtual
async def test_many_waiters_cost_little():
    limiter = make(5000)
    tasks = [asyncio.create_task(go(limiter, quota=announced(5000))) for _ in range(3000)]
    await asyncio.gather(*tasks)
    assert limiter.snapshot().waiting == 0


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 2.5}, {"limit": True}, {"window": 0}, {"window": math.inf}, {"poll_share": 1}]
)
def test_wrong_settings_are_named(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        RateLimiter(**({"limit": 1} | wrong))


def test_serves_one_loop_after_another_but_not_two_at_once():
    limiter = RateLimiter(10, 0.2, bucket=LogBucket(10, 0.2, clock=SystemClock()))

    async def once():
        (await limiter.acquire()).answered()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(once())
        asyncio.run(once())

    async def two():
        permits = [await limiter.acquire() for _ in range(2)]
        task = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0.001)
        with pytest.raises(ConfigurationError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, once())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for permit in permits:
            permit.answered()

    asyncio.run(two())


class TestBuckets:
    @pytest.mark.parametrize("make_bucket", [AioLimiterBucket, LogBucket])
    @virtual
    async def test_never_let_out_more_than_the_limit_in_any_window(self, make_bucket):
        bucket = make_bucket(10, 60.0, clock=LoopClock())
        loop = asyncio.get_running_loop()
        times = []
        for _ in range(55):
            await bucket.take()
            times.append(loop.time())
        assert times[9] == times[0]
        assert all(sum(t <= other < t + 60 - 1e-6 for other in times) <= 10 for t in times)
        assert times[-1] - times[0] < 301

    async def test_follow_a_scaled_clock(self):
        clock = ScaledClock(30)
        bucket = AioLimiterBucket(2, 1.2, clock=clock)
        start = clock.monotonic()
        for _ in range(3):
            await bucket.take()
        assert 1.19 <= clock.monotonic() - start < 10

    def test_a_second_loop_gives_no_warning(self):
        bucket = AioLimiterBucket(5, 1.0)
        asyncio.run(bucket.take())
        asyncio.run(bucket.take())

    def test_a_clock_of_its_own_kind_gets_a_bucket_that_asks_it(self):
        class OtherClock:
            def time(self):
                return 0.0

            monotonic = time

        assert isinstance(default_bucket(1, 1.0, OtherClock()), LogBucket)
        assert isinstance(default_bucket(1, 1.0, SystemClock()), AioLimiterBucket)


class TestLaneShare:
    def test_writes_first_reads_owed_their_share(self):
        lanes = LaneShare(0.1, 10)
        grants = []
        for _ in range(100):
            is_read = lanes.prefers_read(has_write=True, has_read=True)
            lanes.granted(is_read=is_read)
            grants.append(is_read)
        assert 9 <= sum(grants) <= 11
        assert not grants[0]

    def test_reads_go_when_no_write_waits_and_never_when_none_is_there(self):
        lanes = LaneShare(0.0, 10)
        assert lanes.prefers_read(has_write=False, has_read=True)
        assert not lanes.prefers_read(has_write=False, has_read=False)
        assert not lanes.prefers_read(has_write=True, has_read=True)
        assert lanes.ahead_of_read(3, 2) == 5

    def test_what_is_owed_is_kept_up_to_a_windows_part(self):
        lanes = LaneShare(0.5, 10)
        for _ in range(100):
            lanes.granted(is_read=False)
        owed = 0
        while lanes.prefers_read(has_write=True, has_read=True):
            lanes.granted(is_read=True)
            owed += 1
        assert owed == lanes.kept == 5
        assert lanes.ahead_of_read(100, 4) == 10
