"""The clocks: they agree with the machine's, run as fast as they say, and follow a virtual loop."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC

import pytest

from reelpub.clocks import Clock, LoopClock, ScaledClock, SystemClock, scale_of, utc_now
from reelpub.orchestrator.context import Context
from reelpub.policies.caps import CapBook
from reelpub.policies.lifecycle import Rules
from reelpub.policies.polling import PollPolicy
from reelpub.testing.virtual import run_virtual


@pytest.mark.parametrize("clock", [SystemClock(), ScaledClock(2), LoopClock()])
def test_each_is_a_clock(clock):
    assert isinstance(clock, Clock)


async def test_the_system_clock_is_the_machines():
    clock = SystemClock()
    assert abs(clock.time() - time.time()) < 1
    assert abs(clock.monotonic() - time.monotonic()) < 1
    before = clock.monotonic()
    await clock.sleep(0.01)
    await clock.sleep(-1)
    assert 0.009 < clock.monotonic() - before < 1


async def test_the_scaled_clock_runs_faster_from_its_origin():
    clock = ScaledClock(30)
    before, real = clock.monotonic(), time.monotonic()
    await clock.sleep(0.6)
    await clock.sleep(-1)
    real = time.monotonic() - real
    assert 0.02 <= real < 0.5
    assert clock.monotonic() - before == pytest.approx(real * 30, rel=0.2)
    assert clock.time() == pytest.approx(clock.origin + clock.monotonic(), abs=1)


def test_two_scaled_clocks_of_one_origin_agree():
    origin = time.time() - 100
    first, second = ScaledClock(10, origin=origin), ScaledClock(10, origin=origin)
    assert first.time() == pytest.approx(second.time(), abs=0.5)
    assert first.time() == pytest.approx(origin + 1000, abs=5)


@pytest.mark.parametrize("scale", [0, 0.5, 30.1, -1])
def test_a_scale_outside_1_to_30_is_refused(scale):
    with pytest.raises(ValueError, match="scale"):
        ScaledClock(scale)


class FastClock(SystemClock):
    """A clock of a caller's own that says how fast it runs."""

    scale = 5.0


def test_a_clock_is_as_fast_as_it_says_and_else_as_the_machines():
    assert [scale_of(clock) for clock in (ScaledClock(30), FastClock(), SystemClock(), LoopClock())] == [30, 5, 1, 1]


def test_real_seconds_on_the_wire_are_as_many_by_any_fast_clock():
    """Whoever takes a job over waits, by that clock, until nothing of it can be on its way any more."""
    for clock in (FastClock(), ScaledClock(5)):
        context = Context(
            clock=clock,
            rules=Rules(),
            poll=PollPolicy(),
            caps=CapBook({}),
            send_timeout=30.0,
            on_settled=lambda job: None,
            known_by=lambda job, keys: None,
        )
        assert context.send_window == 150.0


def test_the_loop_clock_follows_the_loop():
    async def main(clock):
        start = clock.monotonic()
        assert clock.time() == pytest.approx(1_800_000_000 + start)
        await clock.sleep(3600)
        assert clock.monotonic() - start == pytest.approx(3600)
        await clock.sleep(-1)
        assert asyncio.get_running_loop().time() == clock.monotonic()

    run_virtual(main)


def test_now_is_an_aware_datetime():
    now = utc_now(SystemClock())
    assert now.tzinfo is UTC
    assert abs(now.timestamp() - time.time()) < 1
