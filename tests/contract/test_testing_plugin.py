"""The fixtures for users' own tests do what their words say."""

from __future__ import annotations

import os

import pytest

from reelpub import GeneratedPost, Orchestrator, PublishRequest
from reelpub.clocks import ScaledClock
from reelpub.sandbox import REAP_KEY, ReapDialect
from reelpub.testing.plugin import reelpub_clock, reelpub_sandbox, reelpub_sandbox_options

__all__ = ["reelpub_clock", "reelpub_sandbox", "reelpub_sandbox_options"]


async def test_the_sandbox_is_found_in_the_environment(reelpub_sandbox):
    """A dozen lines of a user's: a post goes out through the sandbox, in a second or two."""
    assert isinstance(reelpub_sandbox.clock, ScaledClock)
    assert os.environ["REAP_API_KEY"] == REAP_KEY
    async with Orchestrator.from_env(clock=reelpub_sandbox.clock) as publishing:
        assert sorted(publishing.publishers) == ["reap", "reelmirror"]
        accounts = await publishing.accounts()
        assert len(accounts) == 11
        assert publishing.check([PublishRequest(GeneratedPost("demo-generated-post-1"))]) == [()]
    assert reelpub_sandbox.live() == []
    assert len(reelpub_sandbox.requests()) == 2


class TestOptions:
    @pytest.fixture
    def reelpub_sandbox_options(self):
        return {"reap": ReapDialect(list_order="id"), "seed": 7}

    async def test_its_options_can_be_overridden(self, reelpub_sandbox):
        assert reelpub_sandbox.reap_dialect.list_order == "id"
        assert reelpub_sandbox.seed == 7
        assert reelpub_sandbox.reap_url == os.environ["REAP_BASE_URL"]


def test_the_environment_is_as_before():
    """What the fixture set is gone after its test."""
    assert os.environ.get("REAP_API_KEY") != REAP_KEY
