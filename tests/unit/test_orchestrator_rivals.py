"""A job that is told as the duplicate of another stands in nobody's way once that one has put nothing live."""

from __future__ import annotations

import pytest

from reelpub import Clip, Orchestrator, OutcomeStatus, PublishRequest, SqliteStore
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
BY_NAME = PublishRequest(Clip("p", "c1"), accounts=["tiktok:acme"])
BY_ID = PublishRequest(Clip("p", "c1"), accounts=["tiktok-acme"])


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_failed_under_one_name_may_be_asked_for_under_the_other(tmp_path, is_restarted):
    async def main(clock):
        memory = InMemoryPublisher(clock=clock, script=Script(fail_accounts={"tiktok-acme": 1}))
        first = Orchestrator([memory], clock=clock, store=SqliteStore(tmp_path / "jobs.db"))
        async with first as pub:
            report = await pub.publish_many([BY_NAME, BY_ID])
            assert [outcome.status for outcome in report] == [OUT.FAILED, OUT.DUPLICATE]
            if not is_restarted:
                return (await pub.publish(BY_ID)).status
        again = InMemoryPublisher(clock=clock)
        async with Orchestrator([again], clock=clock, store=SqliteStore(tmp_path / "jobs.db")) as pub:
            return (await pub.publish(BY_ID)).status

    assert run_virtual(main) is OUT.PUBLISHED
