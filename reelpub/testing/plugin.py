"""Fixtures for pytest: ``pytest_plugins = ["reelpub.testing.plugin"]`` in your ``conftest.py`` makes them known.

::

    async def test_our_service_publishes(reelpub_sandbox):
        async with Orchestrator.from_env(clock=reelpub_sandbox.clock) as publishing:
            outcome = await publishing.publish(PublishRequest(GeneratedPost("demo-generated-post-1")))
        assert outcome.is_success
        assert len(reelpub_sandbox.live()) == 2

Needs the extra ``testing`` and pytest-asyncio.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from reelpub.clocks import Clock, ScaledClock
from reelpub.sandbox import Sandbox

__all__ = ["reelpub_clock", "reelpub_sandbox", "reelpub_sandbox_options"]

SCALE = 30.0


@pytest.fixture
def reelpub_clock() -> Clock:
    """Return a clock 30 times as fast as the machine's: posts end within two seconds. Override it for another."""
    return ScaledClock(SCALE)


@pytest.fixture
def reelpub_sandbox_options() -> Mapping[str, Any]:
    """Return further arguments for the `Sandbox`, such as its dialects and limits; none unless overridden."""
    return {}


@pytest_asyncio.fixture
async def reelpub_sandbox(
    reelpub_clock: Clock, reelpub_sandbox_options: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sandbox]:
    """Start a `Sandbox` on free ports, and set the environment variables so that ``from_env`` finds it.

    Hand its `clock` to the orchestrator, so that both live in the same time.
    """
    async with Sandbox(clock=reelpub_clock, **reelpub_sandbox_options) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        yield sandbox
