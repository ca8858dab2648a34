"""A request that provably did nothing uses up no account's cap."""

from __future__ import annotations

from datetime import timedelta

from reelpub import AccountCap, CancelResult, Clip, OutcomeStatus, PublishRequest
from reelpub.clocks import utc_now
from reelpub.sandbox import Fault, FaultKind


def clip(number, **members):
    return PublishRequest(Clip("demo-project-1", f"demo-clip-{number}"), accounts=["x:acme"], **members)


def test_what_was_called_off_before_it_left_uses_no_cap(play):
    """It was refused with 429 and waits to leave again; called off then, it isn't one of the account's posts a day."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.RATE_LIMITED, operation="publishClip"))
        caps = {"x:acme": AccountCap(count=1, window=86_400)}
        async with stage.orchestrator(stage.reap(), caps=caps) as publishing:
            first = publishing.submit(clip(1))
            await stage.clock.sleep(5)
            assert first.outcome().requests == 1
            assert await publishing.cancel(first) is CancelResult.CANCELLED
            report = await publishing.publish_many([clip(2)], timeout=1800)
        assert [outcome.status for outcome in report] == [OutcomeStatus.PUBLISHED]

    play(story)


def test_those_that_shared_a_request_with_one_called_off_arent_held_by_their_own_cap(play):
    """They are put together anew, and the request that never took effect isn't counted for them."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.RATE_LIMITED, operation="scheduleClips"))
        start = utc_now(stage.clock) + timedelta(hours=5)
        caps = {"x:acme": AccountCap(count=3, window=86_400)}
        async with stage.orchestrator(stage.reap(), caps=caps) as publishing:
            handles = publishing.submit_many(clip(n, at=start + timedelta(minutes=10 * n)) for n in (1, 2, 3))
            await stage.clock.sleep(5)
            assert await publishing.cancel(handles[1]) is CancelResult.CANCELLED
            await stage.clock.sleep(1800)
        ends = [handle.outcome().status for handle in handles]
        assert ends == [OutcomeStatus.SCHEDULED, OutcomeStatus.CANCELLED, OutcomeStatus.SCHEDULED]

    play(story)
