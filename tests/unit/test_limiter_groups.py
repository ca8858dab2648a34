"""The limiter where a server counts each operation by itself, and what it knows of the writes that are to come."""

from __future__ import annotations

import asyncio
import functools
import math

import pytest

from reelpub.clocks import LoopClock
from reelpub.errors import ConfigurationError
from reelpub.policies.headers import HIDDEN_SECOND, Quota
from reelpub.sandbox.limits import LimitKind, RateLimit, open_window
from reelpub.testing.virtual import run_virtual
from reelpub.transport.bucket import LogBucket
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import Lane


def virtual(test):
    """Run an async test in a loop whose time jumps over every wait."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        run_virtual(lambda _clock: test(*args, **kwargs))

    return run


class Server:
    """Counts each operation by itself, or all of them together."""

    def __init__(self, limiter, *, by_operation=True, limit=10):
        self.limiter, self.by_operation, self.windows, self.refused = limiter, by_operation, {}, 0
        self.limit = RateLimit(limit=limit, kind=LimitKind.SLIDING_LOG)

    async def call(self, operation, *, lane=Lane.WRITE, seconds=0.05):
        """Make one request; return the loop's time at which it left."""
        permit = await self.limiter.acquire(lane, operation=operation)
        at = asyncio.get_running_loop().time()
        name = operation if self.by_operation else ""
        said = self.windows.setdefault(name, open_window(self.limit)).take(at)
        self.refused += not said.allowed
        await asyncio.sleep(seconds)
        quota = Quota(
            limit=said.limit, remaining=said.remaining, reset_in=math.floor(said.reset) - math.floor(at) + HIDDEN_SECOND
        )
        permit.answered(quota, 200 if said.allowed else 429)
        return at


def make(limit=10, **options):
    return RateLimiter(limit, clock=LoopClock(), random=lambda: 0.5, **options)


async def told_apart(**options):
    """Return a limiter that knows that its server counts each operation by itself, and the server."""
    limiter = make(**options)
    server = Server(limiter)
    for operation in ["status"] * 3 + ["clips"] * 3 + ["publish"] * 2:
        await server.call(operation)
    assert limiter.has_own_reads
    return limiter, server


def now():
    return asyncio.get_running_loop().time()


@virtual
async def test_each_operation_has_the_whole_limit_once_that_is_proved():
    limiter, server = await told_apart()
    start = now()
    await asyncio.gather(*(server.call("publish") for _ in range(8)), *(server.call("list") for _ in range(10)))
    assert now() - start < 3
    more = await asyncio.gather(*(server.call("publish") for _ in range(2)))
    assert min(more) >= 60
    assert server.refused == 0
    groups = limiter.snapshot().groups
    assert {group.operation: (group.used, group.limit) for group in groups}["list"] == (10, 10)


@virtual
async def test_the_state_is_the_fullest_operations():
    limiter, server = await told_apart()
    for _ in range(5):
        await server.call("list")
    state = limiter.snapshot()
    assert (state.used, state.limit, state.waiting, state.in_flight) == (5, 10, 0, 0)
    assert [(group.operation, group.used) for group in state.groups] == [("list", 5), ("publish", 2)]
    waiting = [asyncio.create_task(server.call("publish")) for _ in range(10)]
    await asyncio.sleep(3)
    state = limiter.snapshot()
    assert (state.groups[0].operation, state.groups[0].used, state.used) == ("publish", 10, 10)
    assert state.waiting == state.groups[0].waiting == 2
    assert 50 < state.next_in == state.groups[0].next_in < 60
    await asyncio.gather(*waiting)


@virtual
async def test_one_count_has_no_groups_and_tells_what_is_used_of_it():
    limiter = make()
    server = Server(limiter, by_operation=False)
    for operation in ["status", "clips", "publish", "list"]:
        await server.call(operation)
    permit = await limiter.acquire()
    state = limiter.snapshot()
    assert (state.used, state.groups, limiter.has_own_reads) == (5, (), False)
    permit.abandoned()
    assert limiter.snapshot().used == 4
    await asyncio.sleep(61)
    assert limiter.snapshot().used == 0


@virtual
async def test_who_waits_moves_to_the_line_of_the_operation():
    limiter = make()
    server = Server(limiter)
    for operation in ["status"] * 3 + ["clips"] * 3 + ["publish"]:
        await server.call(operation)
    calls = [asyncio.create_task(server.call("publish")) for _ in range(9)]
    at = await asyncio.gather(*calls)
    assert limiter.has_own_reads
    assert max(at) < 3, "the key's own count would have let four go"
    assert server.refused == 0


@virtual
async def test_a_refusal_brings_everybody_back_into_one_line_in_their_order():
    limiter, server = await told_apart()
    server.by_operation = False
    server.windows.clear()
    order = []

    async def one(operation, number):
        await server.call(operation)
        order.append(number)

    tasks = []
    for number in range(24):
        tasks.append(asyncio.create_task(one(["publish", "list"][number % 2], number)))
        await asyncio.sleep(0)
    await asyncio.sleep(30)
    assert not limiter.has_own_reads
    assert limiter.snapshot().waiting > 0
    await asyncio.gather(*tasks)
    assert server.refused <= 2
    late = [number for number in order if number >= 16]
    assert late == sorted(late)
    await asyncio.sleep(1)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


@virtual
async def test_a_refusal_holds_the_key_as_long_as_the_server_says_and_whoever_waits():
    limiter, server = await told_apart()
    await asyncio.gather(*(server.call("publish") for _ in range(8)))
    waiter = asyncio.create_task(limiter.acquire(operation="publish"))
    await asyncio.sleep(1)
    start = now()
    permit = await limiter.acquire(Lane.POLL, operation="list")
    permit.answered(Quota(retry_after=90.0), 429)
    assert not limiter.has_own_reads
    state = limiter.snapshot()
    assert (state.groups, state.waiting) == ((), 1)
    assert state.held_for == pytest.approx(90)
    (await waiter).answered()
    assert now() - start >= 90


@virtual
async def test_a_refusal_that_says_nothing_holds_the_key_for_a_window():
    limiter, _server = await told_apart()
    permit = await limiter.acquire(Lane.POLL, operation="list")
    permit.answered(Quota(), 429)
    assert limiter.snapshot().held_for == pytest.approx(60)


@virtual
async def test_a_wait_that_is_cancelled_costs_nothing_there_either():
    limiter, server = await told_apart()
    await asyncio.gather(*(server.call("publish") for _ in range(8)))
    start = now()
    waiter = asyncio.create_task(server.call("publish"))
    await asyncio.sleep(1)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert limiter.snapshot().waiting == 0
    permit = await limiter.acquire(operation="list")
    permit.abandoned()
    assert await server.call("publish") - start == pytest.approx(60, abs=2)


@virtual
async def test_closing_refuses_those_who_wait_in_any_line():
    limiter, server = await told_apart()
    await asyncio.gather(*(server.call("publish") for _ in range(8)))
    waiter = asyncio.create_task(server.call("publish"))
    await asyncio.sleep(1)
    limiter.close()
    with pytest.raises(ConfigurationError, match="closed"):
        await waiter


def test_it_serves_one_loop_after_another_in_all_its_lines():
    limiters = []

    async def first(_clock):
        limiter, server = await told_apart()
        await asyncio.gather(*(server.call("publish") for _ in range(8)))
        waiter = asyncio.create_task(server.call("publish"))
        await asyncio.sleep(1)
        limiters.append((limiter, server))
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)

    async def second(_clock):
        server = limiters[0][1]
        await asyncio.sleep(200)
        await asyncio.gather(*(server.call("publish") for _ in range(12)))
        assert server.refused == 0

    run_virtual(first)
    run_virtual(second)


@virtual
async def test_a_bucket_of_the_callers_own_is_for_the_key_so_that_nothing_is_told_apart():
    limiter = make(bucket=LogBucket(10, 60.0, clock=LoopClock()))
    server = Server(limiter)
    for operation in ["status"] * 3 + ["clips"] * 3 + ["publish"] * 3:
        await server.call(operation)
    assert not limiter.has_own_reads


@virtual
async def test_the_floor_never_lets_more_out_than_the_limit_for_the_key_once_it_is_one_again():
    """What went out by operation counts for the key's own bucket."""
    limiter, server = await told_apart()
    await asyncio.gather(*(server.call("publish") for _ in range(8)), *(server.call("list") for _ in range(10)))
    server.by_operation = False
    server.windows = {"": open_window(RateLimit(limit=10, kind=LimitKind.SLIDING_LOG))}
    at = [await server.call(["publish", "list"][n % 2]) for n in range(30)]
    assert not limiter.has_own_reads
    steady = [one for one in at if one > at[0] + 130]
    assert all(sum(one <= other < one + 60 for other in steady) <= 10 for one in steady)


class TestExpectedWrites:
    async def announce(self, limiter):
        """Have the limiter learn that its server has windows, and let that window pass."""
        (await limiter.acquire()).answered(Quota(limit=10, remaining=9, reset_in=60.0), 200)
        await asyncio.sleep(61)

    async def write(self, limiter):
        permit = await limiter.acquire()
        at = now()
        used = limiter.snapshot().used
        permit.answered(Quota(limit=10, remaining=max(0, 10 - used), reset_in=60.0), 200)
        return at

    @virtual
    async def test_a_batch_that_fills_its_windows_keeps_nothing_for_reads(self):
        limiter = make()
        await self.announce(limiter)
        limiter.expect_reads(1000)
        ahead = limiter.expect_writes()
        ahead.add(20)
        assert limiter.reads_in_window() == 0
        assert limiter.reads_left() == 0
        start = now()
        at = [await self.write(limiter) - start for _ in range(20)]
        assert at[9] < 1
        assert 59 < at[10] <= at[19] < 62
        assert limiter.reads_in_window() is None, "all of it has gone out"

    @virtual
    async def test_without_a_word_the_share_is_kept(self):
        limiter = make()
        await self.announce(limiter)
        limiter.expect_reads(1000)
        assert limiter.reads_in_window() is None
        assert limiter.reads_left() is None
        start = now()
        at = [await self.write(limiter) - start for _ in range(10)]
        assert at[8] < 1
        assert at[9] > 59

    @virtual
    async def test_what_is_called_off_is_forgotten_and_a_request_that_never_left_is_not(self):
        limiter = make()
        await self.announce(limiter)
        one, other = limiter.expect_writes(), limiter.expect_writes()
        one.add(25)
        other.add(5)
        one.clear()
        assert limiter.reads_in_window() == pytest.approx(1)
        for _ in range(5):
            (await limiter.acquire()).abandoned()
        assert limiter.reads_in_window() == pytest.approx(1)
        other.clear()
        assert limiter.reads_in_window() is None

    @virtual
    async def test_reads_other_than_the_followers_keep_no_slot_free(self):
        """Such as reading the accounts."""
        limiter = make()
        await self.announce(limiter)
        (await limiter.acquire(Lane.POLL)).answered(Quota(limit=10, remaining=9, reset_in=60.0), 200)
        start = now()
        at = [await self.write(limiter) - start for _ in range(9)]
        assert at[8] < 1

    def test_a_wrong_setting_is_named(self):
        with pytest.raises(ConfigurationError, match="put_off"):
            RateLimiter(1, put_off=-1)
