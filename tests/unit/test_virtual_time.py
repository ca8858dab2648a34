"""Virtual time: waits cost nothing, sockets and threads stay real, and months are no further than seconds."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from reelpub.testing import VirtualLoop, run_virtual


def test_waits_cost_no_real_time_and_end_in_order():
    async def main(clock):
        ended = []

        async def sleeper(seconds):
            await clock.sleep(seconds)
            ended.append((seconds, clock.monotonic()))

        await asyncio.gather(*(sleeper(seconds) for seconds in (3600, 1, 60, 0.5)))
        return ended

    began = time.monotonic()
    assert run_virtual(main) == [(seconds, pytest.approx(seconds)) for seconds in (0.5, 1, 60, 3600)]
    assert time.monotonic() - began < 1


def test_a_clock_follows_the_loop_from_its_epoch():
    async def main(clock):
        before = clock.time()
        await clock.sleep(86_400)
        await clock.sleep(-5)
        return before, clock.time(), asyncio.get_running_loop().time()

    epoch = datetime(2027, 6, 1, tzinfo=UTC).timestamp()
    assert run_virtual(main, epoch=epoch) == (epoch, epoch + 86_400, 86_400)


@pytest.mark.parametrize("days", [97, 194, 400])
def test_timers_are_found_however_far_the_clock_has_come(days):
    """Far out, two neighbouring floats are further apart than the nanosecond by which a loop runs timers early."""

    async def main(clock):
        for seconds in (days * 86_400.0, 0.1, 0.3, 1e-3, 1 / 3, 60.0):
            await clock.sleep(seconds)
        return clock.monotonic()

    assert run_virtual(main) == pytest.approx(days * 86_400 + 60.7343, abs=1e-3)


def test_timeouts_jump_too():
    async def main(clock):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1000):
                await asyncio.Event().wait()
        return clock.monotonic()

    assert run_virtual(main) == pytest.approx(1000)


def test_sockets_are_served_before_the_clock_moves():
    async def main(clock):
        async def answer(reader, writer):
            while line := await reader.readline():
                writer.write(line.upper())
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        async with asyncio.timeout(3600):
            for n in range(20):
                writer.write(f"line {n}\n".encode())
                assert await reader.readline() == f"LINE {n}\n".encode()
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return clock.monotonic()

    assert run_virtual(main) < 60


def test_the_clock_stands_still_while_a_thread_works():
    async def main(clock):
        loop = asyncio.get_running_loop()
        alarm = loop.call_later(5, lambda: None)
        await asyncio.to_thread(time.sleep, 0.02)
        stood = clock.monotonic()
        alarm.cancel()
        await clock.sleep(10)
        return stood, clock.monotonic()

    assert run_virtual(main) == (0, 10)


def test_a_thread_that_raises_lets_the_clock_go_on():
    def fail():
        raise OSError("no")

    async def main(clock):
        with pytest.raises(OSError, match="no"):
            await asyncio.to_thread(fail)
        await clock.sleep(10)
        return clock.monotonic()

    assert run_virtual(main) == 10


def test_a_thread_may_wake_the_loop():
    async def main(clock):
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        await asyncio.to_thread(loop.call_soon_threadsafe, woken.set)
        await woken.wait()
        return clock.monotonic()

    assert run_virtual(main) == 0


def test_who_waits_for_a_time_comes_to_it_however_little_is_left():
    """Two sums of the same durations differ in their last digits; whoever waits for the rest mustn't wait for ever."""

    async def main(clock):
        at, waits = 1.0 + 4.7e-8, 0
        await clock.sleep(1.0)
        while clock.monotonic() < at and waits < 10:
            await clock.sleep(at - clock.monotonic())
            waits += 1
        return waits

    assert run_virtual(main) == 1


def test_a_result_and_an_error_come_out():
    async def main(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_virtual(main)


def test_a_loop_starts_at_zero():
    loop = VirtualLoop()
    try:
        assert loop.time() == 0.0
    finally:
        loop.close()
