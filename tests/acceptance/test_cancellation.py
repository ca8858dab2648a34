"""A caller that goes away, or a closed orchestrator, leaves no task, no connection and no half-told outcome."""

from __future__ import annotations

import asyncio
import gc

import pytest

from reelpub import Clip, GeneratedPost, MediaItems, OutcomeStatus, PublishRequest
from reelpub.sandbox import Fault, FaultKind

SENT_OR_NOT = {
    OutcomeStatus.PUBLISHED,
    OutcomeStatus.PENDING,
    OutcomeStatus.NOT_SENT,
    OutcomeStatus.UNKNOWN,
}


def requests():
    """A batch that takes minutes at both providers: far more than one window of either limit."""
    posts = [PublishRequest(MediaItems([f"demo-media-item-{n}"]), accounts=["tiktok:acme"]) for n in range(1, 41)]
    generated = [PublishRequest(GeneratedPost(f"demo-generated-post-{n}"), caption="C") for n in range(31, 36)]
    clips = [
        PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["tiktok:acme", "x:acme"])
        for n in range(1, 31)
    ]
    return [*posts, *generated, *clips]


def others():
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def nothing_is_left(stage, before):
    """Assert that no task of ours and no connection to the sandbox outlives the orchestrator."""
    for _ in range(5):
        await asyncio.sleep(0)
    await stage.clock.sleep(1)
    left = [task for task in others() if task not in before and "reelpub" in repr(task)]
    left = [task for task in left if "sandbox" not in repr(task) and "web_protocol" not in repr(task)]
    assert left == []
    sockets = [one for one in gc.get_objects() if type(one).__name__ == "TCPConnector" and not one.closed]
    assert sockets == []


# Moments in the course of the batch, in seconds: before anything, in the first burst, in the steady pace, at the polls.
MOMENTS = [0.0, 0.001, 0.5, 3.0, 20.0, 61.0, 130.0]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_cancelled_publish_many_leaves_the_jobs_and_closing_tells_them(play, moment):
    """Cancelling the call cancels only the waiting; closing then gives every job the outcome that is so."""

    async def story(stage):
        before = others()
        async with stage.orchestrator(shutdown_timeout=5.0) as publishing:
            call = asyncio.create_task(publishing.publish_many(requests()))
            await stage.clock.sleep(moment)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            jobs = [publishing.job(job.id) for job in publishing._core.book]
        outcomes = [handle.outcome() for handle in jobs]
        assert all(outcome.is_settled for outcome in outcomes)
        assert {outcome.status for outcome in outcomes} <= SENT_OR_NOT
        assert len(outcomes) in (0, len(requests()))
        await nothing_is_left(stage, before)
        sent = stage.sent()
        await stage.clock.sleep(120)
        assert stage.sent() == sent, "nothing is sent after closing"
        check_told(stage, outcomes)

    play(story, answers=0)


def check_told(stage, outcomes):
    """Assert that what is live is of jobs that were told to be published, pending or unknown, and no other."""
    live = {record.source for record in stage.sandbox.live()}
    not_sent = {str(o.request.source) for o in outcomes if o.status is OutcomeStatus.NOT_SENT}
    assert not live & {source.replace("+", ",") for source in not_sent}
    assert stage.sandbox.duplicates() == []
    accepted = {post.id for outcome in outcomes for post in outcome.posts}
    stray = {record.post_id for record in stage.sandbox.live()} - accepted
    unknown = [outcome for outcome in outcomes if outcome.status is OutcomeStatus.UNKNOWN]
    assert len(stray) <= len(unknown)


@pytest.mark.parametrize("moment", [0.0, 0.5, 20.0, 61.0])
def test_a_body_that_raises_closes_everything(play, moment):
    """An error inside ``async with`` comes out as it is, after everything was told and closed."""

    async def story(stage):
        before = others()
        handles = []

        async def service():
            async with stage.orchestrator() as publishing:
                handles.extend(publishing.submit_many(requests()))
                await stage.clock.sleep(moment)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await service()
        assert all(handle.is_settled for handle in handles)
        await nothing_is_left(stage, before)
        check_told(stage, [handle.outcome() for handle in handles])

    play(story, answers=0)


def test_a_cancelled_task_that_owns_the_orchestrator(play):
    """The whole task is cancelled, as a server does at shutdown: closing still runs to its end."""

    async def story(stage):
        before = others()
        handles = []

        async def service():
            async with stage.orchestrator() as publishing:
                handles.extend(publishing.submit_many(requests()))
                await asyncio.Event().wait()

        task = asyncio.create_task(service())
        await stage.clock.sleep(10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(handles) == len(requests())
        assert all(handle.is_settled for handle in handles)
        await nothing_is_left(stage, before)
        check_told(stage, [handle.outcome() for handle in handles])

    play(story, answers=0)


@pytest.mark.parametrize("kind", [FaultKind.HANG_AFTER, FaultKind.HANG_BEFORE])
def test_closing_while_a_request_hangs_ends_in_time_as_unknown(play, kind):
    """Closing gives what is on the wire its grace, then tells that nobody knows."""

    async def story(stage):
        before = others()
        stage.sandbox.order(Fault(kind, operation="publishOutgoingPost"), Fault(kind, operation="publishClip"))
        async with stage.orchestrator(shutdown_timeout=2.0) as publishing:
            handles = publishing.submit_many([requests()[0], requests()[-1]])
            await stage.clock.sleep(1)
            began = stage.clock.monotonic()
        assert stage.clock.monotonic() - began < 3.0
        assert [handle.outcome().status for handle in handles] == [OutcomeStatus.UNKNOWN] * 2
        assert all("closed" in handle.outcome().reason for handle in handles)
        await nothing_is_left(stage, before)
        await stage.clock.sleep(60)
        assert len(stage.live()) == (3 if kind is FaultKind.HANG_AFTER else 0)

    play(story, answers=0)


def test_a_request_on_the_wire_is_given_the_time_to_end(play):
    """A slow answer within the grace is waited for, so that its post is told and not left unknown."""

    async def story(stage):
        slow = FaultKind.SLOW_BODY
        stage.sandbox.order(Fault(slow, operation="publishOutgoingPost", seconds=4.0))
        async with stage.orchestrator(shutdown_timeout=10.0) as publishing:
            handle = publishing.submit(requests()[0])
            await stage.clock.sleep(1)
        assert handle.outcome().status is OutcomeStatus.PENDING
        assert len(handle.outcome().posts) == 1
        await stage.clock.sleep(60)
        assert [record.post_id for record in stage.sandbox.live()] == [handle.outcome().posts[0].id]

    play(story, answers=0)


def test_a_cancelled_wait_or_await_touches_nothing(play):
    """Waiting is only looking: a job goes its way whoever stops watching it."""

    async def story(stage):
        async with stage.orchestrator() as publishing:
            handle = publishing.submit(requests()[0])
            for waiting in (publishing.wait(handle), publishing.wait_many([handle]), handle.job.wait()):
                task = asyncio.ensure_future(waiting)
                await stage.clock.sleep(0.5)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert not handle.is_settled
            outcome = await handle
        assert outcome.status is OutcomeStatus.PUBLISHED
        stage.check_truth([outcome])

    play(story)


def test_a_reader_of_events_that_goes_away_is_forgotten(play):
    async def story(stage):
        async with stage.orchestrator() as publishing:
            async with publishing.stream() as events:
                handle = publishing.submit(requests()[0])
                async for event in events:
                    assert event.kind == "queued"
                    break
            outcome = await handle
            assert outcome.status is OutcomeStatus.PUBLISHED

    play(story)
