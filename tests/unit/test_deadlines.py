"""One timer for all deadlines: each block ends at its time and no other, and does to its task what a time-out does."""

from __future__ import annotations

import asyncio

import pytest

from reelpub.testing import run_virtual
from reelpub.transport.deadlines import Deadlines


async def stay(deadlines, seconds, sleep=3600.0):
    """Sleep within a deadline; return how it ended and when, in the loop's seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        with deadlines.within(seconds):
            await asyncio.sleep(sleep)
    except TimeoutError:
        return "late", loop.time() - began
    return "done", loop.time() - began


def timers():
    """The timers that the running loop has yet to run."""
    return [handle for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()]


def test_a_block_ends_at_its_deadline():
    async def main(_clock):
        return await stay(Deadlines(), 30)

    assert run_virtual(main) == ("late", pytest.approx(30))


def test_a_block_that_is_done_in_time_is_let_alone():
    async def main(_clock):
        return await stay(Deadlines(), 30, sleep=29)

    assert run_virtual(main) == ("done", pytest.approx(29))


def test_a_deadline_that_is_past_ends_the_block_at_its_first_wait():
    async def main(_clock):
        with pytest.raises(TimeoutError), Deadlines().within(0):
            await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    assert run_virtual(main) == pytest.approx(0)


@pytest.mark.parametrize("order", [[10, 20, 30], [30, 20, 10], [20, 30, 10]])
def test_each_of_many_ends_at_its_own(order):
    async def main(_clock):
        deadlines = Deadlines()
        return await asyncio.gather(*(stay(deadlines, seconds) for seconds in order))

    assert run_virtual(main) == [("late", pytest.approx(seconds)) for seconds in order]


def test_a_later_one_still_ends_after_the_timer_ran_for_one_that_was_done():
    async def main(_clock):
        deadlines = Deadlines()
        return await asyncio.gather(stay(deadlines, 10, sleep=5), stay(deadlines, 12), stay(deadlines, 40, sleep=20))

    ends = run_virtual(main)
    assert ends == [("done", pytest.approx(5)), ("late", pytest.approx(12)), ("done", pytest.approx(20))]


def test_a_thousand_one_after_another_leave_one_timer_and_closing_leaves_none():
    async def main(_clock):
        deadlines = Deadlines()
        for _ in range(1000):
            with deadlines.within(30):
                await asyncio.sleep(0)
        during = len(timers())
        deadlines.close()
        deadlines.close()
        return during, len(timers())

    assert run_virtual(main) == (1, 0)


def test_closing_takes_no_deadline_from_what_is_under_way():
    async def main(_clock):
        deadlines = Deadlines()
        task = asyncio.create_task(stay(deadlines, 30))
        await asyncio.sleep(1)
        deadlines.close()
        return await task

    assert run_virtual(main) == ("late", pytest.approx(30))


def test_when_nothing_is_open_the_timer_is_not_set_again():
    async def main(_clock):
        deadlines = Deadlines()
        await stay(deadlines, 30, sleep=1)
        await asyncio.sleep(60)
        return len(timers()), await stay(deadlines, 30)

    assert run_virtual(main) == (0, ("late", pytest.approx(30)))


def test_being_cancelled_stays_being_cancelled():
    async def main(_clock):
        task = asyncio.create_task(stay(Deadlines(), 30))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.get_running_loop().time()

    assert run_virtual(main) == pytest.approx(1)


def test_being_cancelled_at_the_very_deadline_stays_being_cancelled():
    async def main(_clock):
        deadlines = Deadlines()
        task = asyncio.create_task(stay(deadlines, 30))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_at(30, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    run_virtual(main)


@pytest.mark.parametrize(("outer", "inner", "ended"), [(10, 30, "outer"), (30, 10, "inner")])
def test_it_nests_with_other_time_outs(outer, inner, ended):
    async def main(_clock):
        try:
            async with asyncio.timeout(outer):
                try:
                    with Deadlines().within(inner):
                        await asyncio.sleep(60)
                except TimeoutError:
                    return "inner", asyncio.current_task().cancelling()
        except TimeoutError:
            return "outer", asyncio.current_task().cancelling()

    assert run_virtual(main) == (ended, 0)


def test_another_fault_of_the_block_passes_through():
    async def main(_clock):
        with pytest.raises(LookupError), Deadlines().within(30):
            raise LookupError

    run_virtual(main)


def test_it_can_be_used_in_one_loop_after_another():
    deadlines = Deadlines()

    async def leave_one_open(_clock):
        deadlines.within(30).__enter__()

    async def main(_clock):
        return await stay(deadlines, 50)

    run_virtual(leave_one_open)
    assert run_virtual(main) == ("late", pytest.approx(50))


async def test_outside_a_task_there_is_nothing_to_end():
    found = asyncio.get_running_loop().create_future()

    def enter():
        try:
            Deadlines().within(30).__enter__()
        except RuntimeError as error:
            found.set_result(str(error))

    asyncio.get_running_loop().call_soon(enter)
    assert "needs a task" in await found
