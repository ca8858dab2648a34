"""A run is known again by any later process: it goes on, and what it did can be waited for, retried, called off, moved.

The process that began it was closed or killed in the middle; the run is in a SQLite file, as for users. Processes that
are really killed, and two that recall at once, are at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from reelpub import (
    CancelResult,
    Clip,
    ConfigurationError,
    GeneratedPost,
    MediaItems,
    Orchestrator,
    OutcomeStatus,
    PublishRequest,
    ReapPublisher,
    ReelMirrorPublisher,
    ScaledClock,
    SqliteStore,
    StoreError,
    ValidationError,
)
from reelpub.sandbox import Fault, FaultKind, Sandbox
from reelpub.store import MemoryStore, codec

OUT = OutcomeStatus
LIVE_OPERATIONS = ("publishOutgoingPost", "scheduleOutgoingPost", "publishClip", "scheduleClips", "retryOutgoingPost")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


def later(stage, minutes):
    return datetime.fromtimestamp(stage.clock.time() // 60 * 60, UTC) + timedelta(minutes=minutes)


def post(number, *accounts, **more):
    return PublishRequest(
        MediaItems([f"demo-media-item-{number}"]), accounts=accounts or ("instagram:acme", "tiktok:acme"), **more
    )


def clip(number, *accounts, **more):
    return PublishRequest(Clip("demo-project-1", f"demo-clip-{number}"), accounts=accounts or ("x:acme",), **more)


def mixed(stage):
    """Rows of every way to go out: at once, made first, at a time, kept here for theirs, and to two of a platform."""
    return [
        *(post(n) for n in range(1, 5)),
        PublishRequest(GeneratedPost("demo-generated-post-9"), caption="Nine", accounts=["tiktok:acme"]),
        post(9, "tiktok:acme", at=later(stage, 120)),
        clip(1, "tiktok:acme", "tiktok:acme_two", title="Two"),
        *(clip(n, title=f"T{n}") for n in range(2, 14)),
        clip(14, at=later(stage, 90)),
        clip(15, "tiktok:acme", at=later(stage, 10)),
    ]


def ids_of(run, requests):
    return [f"{run}.{number}" for number in range(1, len(requests) + 1)]


async def stored(path, run="r"):
    """Return the jobs of a run as the file has them, by id, each with its outcome."""
    store = SqliteStore(path)
    await store.open()
    rows = await store.jobs(run)
    await store.close()
    return {row.id: (row, codec.load_outcome(row.outcome) if row.outcome else None) for row in rows}


def table(outcomes):
    """Return what a run came to, without what differs from time to time."""
    return {
        outcome.job_id: (
            outcome.status,
            outcome.reason,
            [(str(d.account), d.status, d.url is not None) for d in outcome.deliveries],
            len(outcome.posts),
            outcome.requests,
        )
        for outcome in outcomes
    }


async def undisturbed(stage, requests):
    async with stage.orchestrator() as publishing:
        report = await publishing.publish_many(requests, run="r", job_ids=ids_of("r", requests))
        return table(await publishing.wait_many(report))


@pytest.mark.parametrize("moment", [0.0, 0.6, 7.0, 61.0, 300.0])
def test_a_run_that_was_closed_in_the_middle_ends_as_one_that_was_not(play, path, moment):
    """Submitting every row again, under its id, sends none of them twice."""

    async def alone(stage):
        return await undisturbed(stage, mixed(stage))

    usual = play(alone)
    assert {row[0] for row in usual.values()} == {OUT.PUBLISHED}

    async def story(stage):
        requests = mixed(stage)
        ids = ids_of("r", requests)
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            first.submit_many(requests, run="r", job_ids=ids)
            await stage.clock.sleep(moment)
        async with stage.orchestrator(store=SqliteStore(path)) as second:
            handles = await second.recall("r")
            have = {handle.id for handle in handles}
            missing = [n for n, name in enumerate(ids) if name not in have]
            handles += second.submit_many([requests[n] for n in missing], run="r", job_ids=[ids[n] for n in missing])
            report = await second.wait_many(await second.wait_many(handles))
            assert table(report) == usual
            stage.check_truth(report)
        async with stage.orchestrator(store=SqliteStore(path)) as third:
            sent = stage.sent(*LIVE_OPERATIONS)
            again = await third.publish_many(requests, run="r", job_ids=ids)
            assert {(o.status, o.reason) for o in again} <= {
                (OUT.DUPLICATE, "submitted before"),
                # Its time has passed by now, which a check sees before the store is asked.
                (OUT.REFUSED, again[-1].reason),
                (OUT.REFUSED, again[-2].reason),
                (OUT.REFUSED, again[5].reason),
            }
            assert all(o.duplicate_of == o.job_id for o in again if o.status is OUT.DUPLICATE)
            assert table(handle.outcome() for handle in await third.recall("r")) == usual
            assert stage.sent(*LIVE_OPERATIONS) == sent
        kept = await stored(path)
        assert table(outcome for _, outcome in kept.values()) == usual
        assert stage.sandbox.duplicates() == []

    play(story)


def test_a_lost_answer_is_looked_up_before_anything_is_sent(play, path):
    """The run was closed while it looked for two posts of which one is there and one isn't."""

    async def story(stage):
        requests = [clip(1), post(1)]
        stage.sandbox.order(
            Fault(FaultKind.LOST_AFTER, operation="publishClip"),
            Fault(FaultKind.LOST_BEFORE, operation="publishOutgoingPost"),
        )
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            handles = first.submit_many(requests, run="r")
            await stage.clock.sleep(1.0)
        assert handles[1].outcome().status is OUT.UNKNOWN
        async with stage.orchestrator(store=SqliteStore(path)) as second:
            report = await second.wait_many(await second.recall("r"))
            assert {outcome.status for outcome in report} == {OUT.PUBLISHED}
            stage.check_truth(report)
        assert stage.sandbox.duplicates() == []
        assert stage.sent("publishClip") == 1
        assert stage.sent("publishOutgoingPost") == 2

    play(story)


# ---- afterwards


@pytest.mark.parametrize("make", [post, clip], ids=["reelmirror", "reap"])
def test_what_failed_is_retried_by_a_later_process_once(play, path, make):
    """The retry is a job of the run that names the one it retries; a third process knows the chain."""

    async def story(stage):
        accounts = ["tiktok:acme", "instagram:acme"]
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme"))
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            report = await first.publish_many([make(1, *accounts), make(2, *accounts)], run="r", job_ids=["r.1", "r.2"])
            assert [outcome.status for outcome in report] == [OUT.PARTLY_PUBLISHED, OUT.PUBLISHED]
        sent = stage.sent(*LIVE_OPERATIONS)
        async with stage.orchestrator(store=SqliteStore(path)) as second:
            handles = await second.recall("r")
            assert [handle.outcome().status for handle in handles] == [OUT.PARTLY_PUBLISHED, OUT.PUBLISHED]
            again = await second.retry_failed_many(handles)
            assert again.is_success
            assert again[1].job_id == "r.2"
            assert stage.sent(*LIVE_OPERATIONS) == sent + 1
            stage.check_truth(again)
        kept = await stored(path)
        assert [(row.run, row.retries) for row, _ in kept.values()] == [("r", None), ("r", None), ("r", "r.1")]
        assert kept["r.1"][1].status is OUT.PARTLY_PUBLISHED
        assert kept[again[0].job_id][1].status is OUT.PUBLISHED
        async with stage.orchestrator(store=SqliteStore(path)) as third:
            handles = await third.recall("r")
            assert [handle.id for handle in handles] == ["r.1", "r.2", again[0].job_id]
            ends = await third.retry_failed_many(handles)
            assert [end.job_id for end in ends] == [again[0].job_id, "r.2", again[0].job_id]
        assert stage.sent(*LIVE_OPERATIONS) == sent + 1
        assert stage.sandbox.duplicates() == []

    play(story)


def test_again_and_again_over_restarts_until_it_works(play, path):
    """Each process retries the latest of the chain, and each failure is kept."""

    async def story(stage):
        stage.sandbox.order(*[Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme")] * 3)
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            await first.publish_many([post(1)], run="r", job_ids=["r.1"])
        ends = []
        for _ in range(4):
            async with stage.orchestrator(store=SqliteStore(path)) as later_one:
                handles = await later_one.recall("r")
                ends.append((await later_one.retry_failed(handles[0])).status)
        assert ends == [OUT.PARTLY_PUBLISHED] * 2 + [OUT.PUBLISHED] * 2
        rows = [row for row, _ in (await stored(path)).values()]
        assert [row.retries for row in rows] == [None, *(row.id for row in rows[:-1])]
        assert stage.sandbox.duplicates() == []
        assert len(stage.sandbox.live()) == 2

    play(story)


def test_what_never_left_starts_over_in_its_run(play, path):
    """Its time was up while it was being noted: the store says so, and the job that begins it anew names it."""

    async def story(stage):
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            (unsent,) = await first.publish_many([clip(1)], run="r", job_ids=["r.1"], timeout=0)
            assert unsent.status is OUT.NOT_SENT
        assert (await stored(path))["r.1"][1] == unsent
        async with stage.orchestrator(store=SqliteStore(path)) as second:
            handles = await second.recall("r")
            again = await second.retry_failed_many(handles)
            assert again.is_success
        kept = await stored(path)
        assert [row.retries for row, _ in kept.values()] == [None, "r.1"]
        async with stage.orchestrator(store=SqliteStore(path)) as third:
            # Word of mouth instead of a recall: the store knows better.
            assert (await third.retry_failed(unsent)).duplicate_of == again[0].job_id
        assert stage.sent("publishClip") == 1

    play(story)


def test_an_old_outcome_isnt_retried_a_second_time_by_another_process(play, path):
    """The store knows that it was: the second is told which job has it, and nothing leaves."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme"))
        accounts = ["tiktok:acme", "instagram:acme"]
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            (failed,) = await first.publish_many([post(1, *accounts)], run="r")
        async with (
            stage.orchestrator(store=SqliteStore(path)) as one,
            stage.orchestrator(store=SqliteStore(path)) as other,
        ):
            ends = await asyncio.gather(one.retry_failed(failed), other.retry_failed(failed))
            assert Counter(end.status for end in ends) == {OUT.PUBLISHED: 1, OUT.DUPLICATE: 1}
            (retried,) = [end for end in ends if end.status is OUT.PUBLISHED]
            (refused,) = [end for end in ends if end.status is OUT.DUPLICATE]
            assert refused.duplicate_of == retried.job_id
            loser = one if ends[0] is refused else other
            # Once it recalls the run, it knows the other's.
            await (other if loser is one else one).flush()
            handles = await loser.recall("r")
            assert (await loser.retry_failed(handles[0])).job_id == retried.job_id
        assert len(await stored(path)) == 2
        assert stage.sandbox.duplicates() == []
        assert len(stage.sandbox.live()) == 2

    play(story)


@pytest.mark.parametrize("in_a_later_process", [False, True], ids=["same-process", "later-process"])
@pytest.mark.parametrize("make", [post, clip], ids=["reelmirror", "reap"])
def test_what_was_scheduled_is_called_off_and_the_store_says_so(play, path, make, in_a_later_process):
    async def story(stage):
        requests = [make(1, at=later(stage, 120)), make(2, at=later(stage, 180))]
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            report = await first.schedule_many(requests, run="r", job_ids=["r.1", "r.2"])
            assert {outcome.status for outcome in report} == {OUT.SCHEDULED}
            if not in_a_later_process:
                assert await first.cancel("r.1") is CancelResult.CANCELLED
        if in_a_later_process:
            async with stage.orchestrator(store=SqliteStore(path)) as second:
                handles = await second.recall("r")
                assert await second.cancel(handles[0]) is CancelResult.CANCELLED
                assert handles[0].outcome().status is OUT.CANCELLED
        kept = await stored(path)
        assert [outcome.status for _, outcome in kept.values()] == [OUT.CANCELLED, OUT.SCHEDULED]
        async with stage.orchestrator(store=SqliteStore(path)) as third:
            handles = await third.recall("r")
            assert await third.cancel(handles[0]) is CancelResult.CANCELLED
            report = await third.wait_many(handles)
            assert [outcome.status for outcome in report] == [OUT.CANCELLED, OUT.PUBLISHED]
            stage.check_truth(report)
            # What was called off may be asked for again.
            assert (await third.publish(make(1))).status is OUT.PUBLISHED
        kept = await stored(path)
        assert [outcome.status for _, outcome in kept.values()] == [OUT.CANCELLED, OUT.PUBLISHED]

    play(story)


@pytest.mark.parametrize("how", ["same process", "later process", "later process, while it is followed"])
def test_what_was_scheduled_is_moved_and_the_store_says_so(play, path, how):
    async def story(stage):
        at, then = later(stage, 120), later(stage, 300)
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            await first.schedule_many([clip(1, at=at)], run="r", job_ids=["r.1"])
            if how == "same process":
                assert (await first.reschedule("r.1", then)).posts[0].scheduled_at == then
        if how != "same process":
            async with stage.orchestrator(store=SqliteStore(path)) as second:
                (handle,) = await second.recall("r")
                if "followed" in how:
                    await second.wait(handle, timeout=1.0)
                assert (await second.reschedule(handle, then)).posts[0].scheduled_at == then
        (_, outcome) = (await stored(path))["r.1"]
        assert (outcome.status, outcome.posts[0].scheduled_at) == (OUT.SCHEDULED, then)
        async with stage.orchestrator(store=SqliteStore(path)) as third:
            report = await third.wait_many(await third.recall("r"))
            assert stage.clock.time() >= then.timestamp()
            assert {outcome.status for outcome in report} == {OUT.PUBLISHED}
        assert (await stored(path))["r.1"][1].status is OUT.PUBLISHED

    play(story)


def test_a_retry_takes_what_still_waits_along(play, path):
    """One of two posts waits at the provider and one was never taken: calling the retry off means both."""

    async def story(stage):
        request = clip(1, "tiktok:acme", "tiktok:acme_two", at=later(stage, 120))
        stage.sandbox.order(Fault(FaultKind.CONFLICT, operation="scheduleClips"))
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            (outcome,) = await first.publish_many([request], run="r", job_ids=["r.1"])
            assert sorted(d.status for d in outcome.deliveries) == ["refused", "scheduled"]
        async with stage.orchestrator(store=SqliteStore(path)) as second:
            (handle,) = await second.recall("r")
            again = await second.retry_failed(handle)
            assert again.status is OUT.SCHEDULED
            assert len(again.posts) == 2
            assert {d.status for d in again.deliveries} == {"scheduled"}
        async with stage.orchestrator(store=SqliteStore(path)) as third:
            handles = await third.recall("r")
            assert await third.cancel(handles[0]) is CancelResult.CANCELLED
            assert {d.status for d in handles[-1].outcome().deliveries} == {"cancelled"}
        await stage.clock.sleep(3 * 3600)
        assert stage.sandbox.live() == []

    play(story)


def test_what_an_outcome_says_beside_its_posts_survives_being_followed(play, path):
    """One of two posts was refused, with the provider's words; the other is followed to its end by a later process."""

    async def story(stage):
        # Two accounts of one platform are two posts; the second is refused.
        request = clip(1, "tiktok:acme", "tiktok:acme_two", title="T")
        stage.sandbox.order(
            Fault(FaultKind.STUCK, account="tiktok:acme", seconds=7200.0),
            Fault(FaultKind.FORBIDDEN, operation="publishClip", text="not this one"),
        )
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            (outcome,) = await first.publish_many([request], run="r", job_ids=["r.1"])
        (_, kept) = (await stored(path))["r.1"]
        assert kept.status is outcome.status
        async with stage.orchestrator(store=SqliteStore(path)) as second:
            (handle,) = await second.recall("r")
            assert repr(handle.outcome().error) == repr(outcome.error)
            ended = await second.wait(handle)
            assert ended.status is OUT.PARTLY_PUBLISHED
            assert "not this one" in ended.reason
            assert type(ended.error) is type(outcome.error)
            assert str(ended.error) == str(outcome.error)
            stage.check_truth([ended])
        assert (await stored(path))["r.1"][1].status is OUT.PARTLY_PUBLISHED

    play(story)


# ---- who knows what


def test_recalling_a_run_that_is_under_way_here_gives_its_handles(play, path):
    """The same jobs, not copies of them: nothing is begun a second time, before or after they have settled."""

    async def story(stage):
        requests = [post(1), clip(1), post(2, at=later(stage, 120))]
        async with stage.orchestrator(store=SqliteStore(path)) as publishing:
            handles = publishing.submit_many(requests, run="r", job_ids=["a", "b", "c"])
            await stage.clock.sleep(0.5)
            for _ in range(3):
                again = await publishing.recall("r")
                assert {handle.job for handle in again} == {handle.job for handle in handles}
                await publishing.wait_many(handles, timeout=20)
            report = await publishing.wait_many(handles)
            assert report.is_success
            assert {handle.job for handle in await publishing.recall("r")} == {handle.job for handle in handles}
            assert {handle.id for handle in publishing.jobs} == {"a", "b", "c"}
            assert await publishing.recall("another") == []
        assert stage.sent(*LIVE_OPERATIONS) == 3

    play(story)


def test_recalling_some_jobs_sets_no_others_going(play, path):
    """Of three that wait here for their time one goes out; the others stay for whoever asks for them."""

    async def story(stage):
        requests = [clip(n, at=later(stage, 10)) for n in range(1, 4)]
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            first.submit_many(requests, run="r", job_ids=["a", "b", "c"])
            await stage.clock.sleep(5)
        async with stage.orchestrator(store=SqliteStore(path)) as second:
            assert await second.recall("r", job_ids=["nobody"]) == []
            (handle,) = await second.recall("r", job_ids=["b"])
            assert [one.id for one in await second.recall("r", job_ids=["b"])] == ["b"]
            assert (await second.wait(handle)).status is OUT.PUBLISHED
            assert [one.id for one in second.jobs] == ["b"]
            await second.flush()
            assert await second.unfinished() == 2
            assert stage.sent("publishClip") == 1
            assert await second.cancel((await second.recall("r", job_ids=["a"]))[0]) is CancelResult.CANCELLED
        assert stage.sent("publishClip") == 1

    play(story)


def test_what_another_process_did_meanwhile_is_seen_at_the_next_recall(play, path):
    async def story(stage):
        async with (
            stage.orchestrator(store=SqliteStore(path)) as one,
            stage.orchestrator(store=SqliteStore(path)) as other,
        ):
            await one.schedule_many([clip(1, at=later(stage, 120))], run="r", job_ids=["r.1"])
            await one.flush()
            (theirs,) = await other.recall("r")
            assert await other.cancel(theirs) is CancelResult.CANCELLED
            await other.flush()
            # Calling it off again changes nothing, and the other's word stands.
            (mine,) = await one.recall("r")
            assert mine.outcome().status is OUT.CANCELLED
            assert one.job("r.1").outcome().status is OUT.CANCELLED

    play(story)


def test_a_submission_that_comes_twice_leaves_the_first_alone(play, path):
    """Two processes submit the same row: one sends it, the other is told that it was submitted before."""

    async def story(stage):
        async with (
            stage.orchestrator(store=SqliteStore(path)) as one,
            stage.orchestrator(store=SqliteStore(path)) as other,
        ):
            first, second = await asyncio.gather(
                one.publish_many([clip(1), clip(2)], run="r", job_ids=["r.1", "r.2"]),
                other.publish_many([clip(3, allow_duplicate=True), clip(4)], run="r", job_ids=["r.2", "r.4"]),
            )
            statuses = Counter(outcome.status for outcome in [*first, *second])
            assert statuses == {OUT.PUBLISHED: 3, OUT.DUPLICATE: 1}
            (refused,) = [outcome for outcome in [*first, *second] if outcome.status is OUT.DUPLICATE]
            assert (refused.job_id, refused.duplicate_of, refused.reason) == ("r.2", "r.2", "submitted before")
            assert not refused.posts
            loser = one if refused in list(first) else other
            with pytest.raises(ConfigurationError, match="known here already"):
                loser.submit_many([clip(9)], job_ids=["r.2"])
            # What the store has under that id takes the place of what was told of it.
            known = {handle.id: handle for handle in await loser.recall("r")}
            assert known["r.2"].outcome().status is OUT.PUBLISHED
            assert loser.job("r.2").outcome().status is OUT.PUBLISHED
            assert await loser.cancel(known["r.2"]) is CancelResult.TOO_LATE
        assert stage.sent("publishClip") == 3

    play(story)


def test_jobs_of_a_publisher_that_isnt_here_are_left_out(play, path):
    async def story(stage):
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            await first.schedule_many([post(1, at=later(stage, 120)), clip(1, at=later(stage, 120))], run="r")
        async with stage.orchestrator(stage.reap(), store=SqliteStore(path)) as only_reap:
            (handle,) = await only_reap.recall("r")
            assert handle.outcome().publisher == "reap"
            assert (await only_reap.wait(handle)).status is OUT.PUBLISHED

    play(story)


def test_more_settled_jobs_than_are_remembered_can_still_be_worked_with(play, path):
    """`keep_settled` bounds what is found by id alone; a handle keeps its job."""

    async def story(stage):
        stage.sandbox.order(*[Fault(FaultKind.PLATFORM_FAILS, account="x:acme")] * 2)
        requests = [clip(1), clip(2), *(clip(n, at=later(stage, 90 + 10 * n)) for n in range(3, 7))]
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            report = await first.publish_many(requests, run="r", job_ids=ids_of("r", requests))
            assert Counter(o.status for o in report) == {OUT.FAILED: 2, OUT.SCHEDULED: 4}
        async with stage.orchestrator(store=SqliteStore(path), keep_settled=1) as second:
            handles = await second.recall("r")
            assert len(second.jobs) == 1
            assert await second.cancel(handles[2]) is CancelResult.CANCELLED
            moved = await second.reschedule(handles[3], later(stage, 400))
            assert moved.status is OUT.SCHEDULED
            first_time = await second.retry_failed_many(handles[:2])
            assert first_time.is_success
            second_time = await second.retry_failed_many(handles[:2])
            assert [o.job_id for o in second_time] == [o.job_id for o in first_time]
            report = await second.wait_many(handles[2:])
            assert [o.status for o in report] == [OUT.CANCELLED, *[OUT.PUBLISHED] * 3]
        kept = [outcome.status for _, outcome in (await stored(path)).values()]
        assert Counter(kept) == {OUT.FAILED: 2, OUT.CANCELLED: 1, OUT.PUBLISHED: 5}
        assert stage.sandbox.duplicates() == []

    play(story)


def test_two_that_recall_at_once_share_what_nobody_held(play, path):
    """No unfinished job is in the hands of both, and each goes out once."""

    async def story(stage):
        requests = [*(post(n, "tiktok:acme") for n in range(1, 20)), *(clip(n) for n in range(1, 10))]
        async with stage.orchestrator(store=SqliteStore(path)) as first:
            first.submit_many(requests, run="r", job_ids=ids_of("r", requests))
            await stage.clock.sleep(3)
        async with (
            stage.orchestrator(store=SqliteStore(path)) as one,
            stage.orchestrator(store=SqliteStore(path)) as other,
        ):
            got = await asyncio.gather(one.recall("r"), other.recall("r"))
            unfinished = [handle.id for handles in got for handle in handles if not handle.is_settled]
            assert len(unfinished) == len(set(unfinished)) > 0
            await asyncio.gather(one.wait_many(got[0]), other.wait_many(got[1]))
            await other.flush()
            assert await one.unfinished() == 0
        kept = await stored(path)
        assert Counter(outcome.status for _, outcome in kept.values()) == {OUT.PUBLISHED: len(requests)}
        assert stage.sandbox.duplicates() == []
        assert len(stage.sandbox.live()) == len(requests)

    play(story)


# ---- wrong use


def test_recalling_needs_a_store_a_run_and_an_open_orchestrator(play, path):
    async def story(stage):
        async with stage.orchestrator() as publishing:
            with pytest.raises(ConfigurationError, match="store"):
                await publishing.recall("r")
        async with stage.orchestrator(store=MemoryStore()) as publishing:
            for wrong in ("", " ", 7, "half \ud83d"):
                for ask in (publishing.recall, lambda run: publishing.resume(run=run)):
                    with pytest.raises(ConfigurationError, match="run"):
                        await ask(wrong)
        closed = stage.orchestrator(store=MemoryStore())
        with pytest.raises(ConfigurationError, match="open"):
            await closed.recall("r")
        for publisher in closed.publishers.values():
            await publisher.close()

    play(story, answers=0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"job_ids": ["a"]}, "1 for 2 requests"),
        ({"job_ids": ["a", "b", "c"]}, "3 for 2 requests"),
        ({"job_ids": "ab"}, "list"),
        ({"job_ids": ["a", "a"]}, "twice"),
        ({"job_ids": ["a", ""]}, r"job_ids\[1\]"),
        ({"job_ids": ["a", 7]}, r"job_ids\[1\]"),
        ({"job_ids": ["a", "b\n"]}, r"job_ids\[1\]"),
        ({"job_ids": ["a", "known"]}, "known here already"),
        ({"run": ""}, "run"),
        ({"run": 7}, "run"),
    ],
)
def test_wrong_ids_are_told_before_anything_is_sent(play, wrong, words):
    async def story(stage):
        async with stage.orchestrator(store=MemoryStore()) as publishing:
            await publishing.publish_many([clip(9)], job_ids=["known"], timeout=0)
            with pytest.raises(ConfigurationError, match=words):
                publishing.submit_many([clip(1), clip(2)], **wrong)
            with pytest.raises(ConfigurationError, match=words):
                await publishing.publish_many([clip(1), clip(2)], **wrong)
            with pytest.raises((ConfigurationError, ValidationError), match=words):
                await publishing.schedule_many([clip(n, at=later(stage, 120)) for n in (1, 2)], **wrong)
            assert {handle.id for handle in publishing.jobs} == {"known"}
        assert stage.sent(*LIVE_OPERATIONS) == 0

    play(story, answers=0)


def test_a_run_needs_no_store_to_be_submitted(play):
    async def story(stage):
        async with stage.orchestrator() as publishing:
            (outcome,) = await publishing.publish_many([clip(1)], run="r", job_ids=["r.1"])
            assert (outcome.job_id, outcome.status) == ("r.1", OUT.PUBLISHED)

    play(story)


def test_a_store_that_cant_write_recalls_nothing(play, monkeypatch):
    """What is known here and couldn't be noted yet would be overlooked; the caller is told instead."""

    async def story(stage):
        store = MemoryStore()
        settle = store.settle

        async def fail(*_, **__):
            raise StoreError("the disk is full")

        async with stage.orchestrator(store=store) as publishing:
            store.settle = fail
            assert (await publishing.publish_many([clip(1)], run="r", job_ids=["r.1"])).is_success
            with pytest.raises(StoreError, match="disk is full"):
                await publishing.recall("r")
            store.settle = settle
            (handle,) = await publishing.recall("r")
            assert handle.outcome().status is OUT.PUBLISHED
        assert codec.load_outcome((await store.job("r.1")).outcome).status is OUT.PUBLISHED

    play(story)


# ---- processes that are really killed

SCALE = 30.0
ROWS = 8

CHILD = """
import asyncio, json, sys
from reelpub import *
from reelpub.store import codec

order = json.loads(sys.argv[1])

async def main():
    clock = ScaledClock(order["scale"], origin=order["origin"])
    env = order["environment"]
    publishers = [
        ReelMirrorPublisher.connect(env["REELMIRROR_API_KEY"], base_url=env["REELMIRROR_BASE_URL"], clock=clock),
        ReapPublisher.connect(env["REAP_API_KEY"], base_url=env["REAP_BASE_URL"], clock=clock),
    ]
    requests = [codec.load_request(row.encode()) for row in order["rows"]]
    store = SqliteStore(order["path"])
    async with Orchestrator(publishers, clock=clock, store=store, send_timeout=1.0) as publishing:
        if requests:
            handles = publishing.submit_many(requests, run="r", job_ids=order["ids"])
        else:
            handles = await publishing.recall("r")
        mine = [handle.id for handle in handles if not handle.is_settled]
        print(json.dumps({"mine": mine}), flush=True)
        report = await publishing.wait_many(handles)
        print(json.dumps({outcome.job_id: outcome.status for outcome in report}), flush=True)

asyncio.run(main())
"""


class Case:
    """A sandbox of this process, and processes that publish to it on one file."""

    def __init__(self, path, sandbox, clock):
        self.sandbox, self.clock = sandbox, clock
        self.requests = [
            clip(n // 2 + 1, title=f"t{n}") if n % 2 else post(n // 2 + 1, "tiktok:acme") for n in range(ROWS)
        ]
        self.order = {
            "scale": SCALE,
            "origin": clock.origin,
            "environment": sandbox.environment(),
            "path": str(path),
            "rows": [],
            "ids": ids_of("r", self.requests),
        }

    @asynccontextmanager
    async def child(self, *, submits):
        rows = [codec.dump_request(request).decode() for request in self.requests] if submits else []
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, json.dumps({**self.order, "rows": rows}), stdout=asyncio.subprocess.PIPE
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def sent(self, count):
        """Wait until so many requests that go live have reached the sandbox."""
        while sum(record.operation in LIVE_OPERATIONS for record in self.sandbox.requests()) < count:
            await self.clock.sleep(0.2)

    def orchestrator(self, path):
        env = self.sandbox.environment()
        publishers = [
            ReelMirrorPublisher.connect(
                env["REELMIRROR_API_KEY"], base_url=self.sandbox.reelmirror_url, clock=self.clock
            ),
            ReapPublisher.connect(env["REAP_API_KEY"], base_url=self.sandbox.reap_url, clock=self.clock),
        ]
        return Orchestrator(publishers, clock=self.clock, store=SqliteStore(path), send_timeout=1.0)

    def check(self, outcomes):
        assert {outcome.status for outcome in outcomes} == {OUT.PUBLISHED}
        assert len(outcomes) == ROWS
        assert self.sandbox.duplicates() == []
        assert len(self.sandbox.live()) == ROWS


@asynccontextmanager
async def a_case(path):
    clock = ScaledClock(SCALE)
    async with Sandbox(clock=clock) as sandbox:
        yield Case(path, sandbox, clock)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")  # noqa: PTH110
@pytest.mark.parametrize("killed_after", [1, 3, 6])
async def test_a_killed_process_is_recalled_and_its_run_ends(path, killed_after):
    """After so many requests that go live. What had not been submitted yet is submitted under the same ids."""
    async with a_case(path) as case:
        async with case.child(submits=True) as process:
            await asyncio.wait_for(case.sent(killed_after), 30)
            process.send_signal(signal.SIGKILL)
        async with case.orchestrator(path) as publishing:
            handles = await publishing.recall("r")
            known = {handle.id for handle in handles}
            missing = [n for n, name in enumerate(case.order["ids"]) if name not in known]
            handles += publishing.submit_many(
                [case.requests[n] for n in missing], run="r", job_ids=[case.order["ids"][n] for n in missing]
            )
            case.check(await publishing.wait_many(handles))


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")  # noqa: PTH110
async def test_two_processes_that_recall_a_killed_one_at_once_hold_no_job_both(path):
    async with a_case(path) as case:
        async with case.child(submits=True) as process:
            await asyncio.wait_for(case.sent(2), 30)
            process.send_signal(signal.SIGKILL)
        async with case.child(submits=False) as one, case.child(submits=False) as other:
            said = await asyncio.wait_for(asyncio.gather(one.stdout.read(), other.stdout.read()), 60)
        mine = [json.loads(words.splitlines()[0])["mine"] for words in said]
        assert not set(mine[0]) & set(mine[1])
        assert mine[0] or mine[1]
        async with case.orchestrator(path) as publishing:
            assert await publishing.unfinished() == 0
            case.check([handle.outcome() for handle in await publishing.recall("r")])
