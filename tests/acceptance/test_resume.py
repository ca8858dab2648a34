"""What a process had begun when it died, the next one ends: each post once, none forgotten, the same outcomes.

A process dies here at a chosen write to its store: from then on nothing that it asks of the store happens or is
answered, and its tasks are dropped where they stand. Processes that are really killed are in `test_kill.py`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from reelpub import (
    Clip,
    ConfigurationError,
    GeneratedPost,
    Lateness,
    LatePolicy,
    LeaseLost,
    MediaItems,
    OutcomeStatus,
    PublishRequest,
    StoreError,
)
from reelpub.policies.lifecycle import Stage
from reelpub.sandbox import REAP_KEY, REELMIRROR_KEY, Fault, FaultKind
from reelpub.store import MemoryStore, SqliteStore, codec

LEASE = 60.0
LIVE_OPERATIONS = ("publishOutgoingPost", "scheduleOutgoingPost", "publishClip", "scheduleClips", "retryOutgoingPost")


class Mortal:
    """A store whose process dies at the first write that *is_it* says yes to: before it, or after.

    *is_it* is given the write's name and, for parts, the stages that they are in.
    """

    def __init__(self, inner, is_it=lambda name, stages: False, *, after=False):
        self.inner, self.is_it, self.after = inner, is_it, after
        self.died = asyncio.Event()

    def __getattr__(self, name):
        method = getattr(self.inner, name)

        async def call(*arguments, **options):
            stages = {codec.load_part(part.state).stage for part in arguments[0]} if name == "put" else set()
            if self.died.is_set():
                await self.nothing_more()
            is_it = self.is_it(name, stages)
            if is_it and not self.after:
                await self.nothing_more()
            result = await method(*arguments, **options)
            if is_it or self.died.is_set():
                await self.nothing_more()
            return result

        return call

    async def nothing_more(self):
        self.died.set()
        await asyncio.get_running_loop().create_future()


ANSWERED = {Stage.ACCEPTED, Stage.SETTLED}
MOMENTS = {
    "before it is taken on": (lambda name, stages: name == "add", False),
    "once it is taken on": (lambda name, stages: name == "add", True),
    "before its draft is noted": (lambda name, stages: Stage.READY in stages, False),
    "once its draft is noted": (lambda name, stages: Stage.READY in stages, True),
    "before its intent": (lambda name, stages: Stage.SENDING in stages, False),
    "after its intent, before it is sent": (lambda name, stages: Stage.SENDING in stages, True),
    "once it is sent, before the note": (lambda name, stages: bool(stages & ANSWERED), False),
    "after the note": (lambda name, stages: bool(stages & ANSWERED), True),
    "before its outcome": (lambda name, stages: name == "settle", False),
    "after its outcome": (lambda name, stages: name == "settle", True),
}


def later(clock, minutes):
    return datetime.fromtimestamp(clock.time() // 60 * 60, UTC) + timedelta(minutes=minutes)


def post_now(_):
    return [PublishRequest(MediaItems(["demo-media-item-1"]), accounts=["instagram:acme", "tiktok:acme"])]


def generated_now(_):
    return [PublishRequest(GeneratedPost("demo-generated-post-2"), caption="Now", accounts=["tiktok:acme"])]


def post_later(clock):
    return [PublishRequest(MediaItems(["demo-media-item-1"]), accounts=["tiktok:acme"], at=later(clock, 120))]


def clip_now(_):
    return [PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="T", accounts=["tiktok:acme", "youtube:acme"])]


def clip_for_two_of_a_platform(_):
    """Two posts at Reap, so two parts of one job."""
    accounts = ["tiktok:acme", "tiktok:acme_two"]
    return [PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="T", accounts=accounts)]


def clip_soon(clock):
    """Sooner than Reap schedules, so it is kept here."""
    return [PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme"], at=later(clock, 10))]


def clips_later(clock):
    return [
        PublishRequest(
            Clip("demo-project-1", f"demo-clip-{n}"), title=f"T{n}", accounts=["x:acme"], at=later(clock, 100 + 10 * n)
        )
        for n in range(1, 4)
    ]


WORKS = {
    "reelmirror publish": post_now,
    "reelmirror generated": generated_now,
    "reelmirror schedule": post_later,
    "reap publish": clip_now,
    "reap two parts": clip_for_two_of_a_platform,
    "reap kept here": clip_soon,
    "reap schedule": clips_later,
}
WITHOUT_DRAFT = {name for name in WORKS if name.startswith("reap")}
CELLS = [(work, moment) for work in WORKS for moment in MOMENTS if not ("draft" in moment and work in WITHOUT_DRAFT)]


@asynccontextmanager
async def process(stage, store, *publishers, **options):
    """An orchestrator that is dropped at the end as a killed process is, and not closed."""
    made = publishers or (stage.reelmirror(), stage.reap())
    orchestrator = stage.orchestrator(*made, store=store, lease=LEASE, **options)
    await orchestrator.__aenter__()
    try:
        yield orchestrator
    finally:
        if isinstance(store, Mortal):
            store.died.set()
        supervisor = orchestrator._core._supervisor
        supervisor._task.cancel()
        await asyncio.wait([supervisor._task])
        for publisher in made:
            await publisher.close()


async def die(stage, inner, moment, requests, **options):
    """Let a process publish *requests* and die at *moment*."""
    is_it, after = MOMENTS[moment]
    store = Mortal(inner, is_it, after=after)
    async with process(stage, store, **options) as publishing:
        publishing.submit_many(requests)
        await asyncio.wait_for(store.died.wait(), 20_000)


async def end_all(publishing, *, scheduled=True):
    """Resume until nothing is unfinished, follow every post to its end, and return the outcomes."""
    outcomes = []
    while await publishing.unfinished():
        outcomes += await publishing.wait_many(await publishing.resume())
    return list(await publishing.wait_many(outcomes)) if scheduled else outcomes


def expected(stage, requests):
    return sorted((account, str(request.source)) for request in requests for account in request.accounts)


def live(stage):
    """Return what is live as pairs of account and source, with the sources named as the requests name them."""
    named = Counter()
    for record in stage.sandbox.live():
        source = record.source.replace("demo-generated-media", "demo-media-item")
        named[stage.NAMES[record.account_id], source] += 1
    return named


@pytest.mark.parametrize(("work", "moment"), CELLS, ids=lambda value: value.replace(" ", "-"))
def test_a_process_that_dies_at_any_moment_neither_loses_nor_repeats_a_post(play, tmp_path, work, moment):
    """Whatever had begun is ended by the next process, with one request that goes live for each post."""

    async def story(stage):
        requests = WORKS[work](stage.clock)
        await die(stage, SqliteStore(tmp_path / "jobs.db"), moment, requests)
        await stage.clock.sleep(LEASE)
        async with stage.orchestrator(store=SqliteStore(tmp_path / "jobs.db"), lease=LEASE) as publishing:
            resumed = await publishing.resume()
            # The same script is run again, too.
            again = await publishing.publish_many(requests)
            if moment == "before it is taken on":
                assert resumed == []
                report = again
            elif again[0].status is not OutcomeStatus.REFUSED:
                assert {outcome.status for outcome in again} == {OutcomeStatus.DUPLICATE}
                await publishing.wait_many(resumed)
                assert await publishing.unfinished() == 0
                report = await stored(tmp_path / "jobs.db", again)
            else:
                assert work == "reap kept here", "only its time can have passed"
                report = await publishing.wait_many(resumed) or again
            report = await publishing.wait_many(report)
            assert await publishing.unfinished() == 0
        if again[0].status is not OutcomeStatus.REFUSED or resumed:
            assert {outcome.status for outcome in report} == {OutcomeStatus.PUBLISHED}
            stage.check_truth(report)
        assert stage.sandbox.duplicates() == []
        assert len(stage.sandbox.live()) == sum(len(request.accounts) for request in requests)
        batches = 2 if work == "reap two parts" else 1
        assert stage.sent(*LIVE_OPERATIONS) == batches

    play(story)


async def stored(path, duplicates):
    """Return the outcomes in the store of what *duplicates* are duplicates of."""
    store = SqliteStore(path)
    await store.open()
    rows = [await store.job(outcome.duplicate_of) for outcome in duplicates]
    await store.close()
    return [codec.load_outcome(row.outcome) for row in rows]


@pytest.mark.parametrize("executed", [True, False], ids=["took-effect", "had-no-effect"])
@pytest.mark.parametrize("work", ["reelmirror publish", "reap publish", "reap two parts", "reap schedule"])
def test_a_process_that_dies_while_it_looks_for_a_lost_answer(play, tmp_path, work, executed):
    """The next one looks anew: what took effect is found, what didn't is sent."""

    async def story(stage):
        requests = WORKS[work](stage.clock)
        kind = FaultKind.LOST_AFTER if executed else FaultKind.LOST_BEFORE
        stage.sandbox.order(*(Fault(kind, operation=operation) for operation in LIVE_OPERATIONS))
        store = Mortal(SqliteStore(tmp_path / "jobs.db"), lambda _, stages: Stage.LOOKING in stages, after=True)
        async with process(stage, store) as dying:
            dying.submit_many(requests)
            await asyncio.wait_for(store.died.wait(), 20_000)
        await stage.clock.sleep(LEASE)
        async with stage.orchestrator(store=SqliteStore(tmp_path / "jobs.db"), lease=LEASE) as publishing:
            report = await end_all(publishing)
        assert {outcome.status for outcome in report} == {OutcomeStatus.PUBLISHED}
        stage.check_truth(report)
        assert stage.sandbox.duplicates() == []
        assert len(stage.sandbox.live()) == sum(len(request.accounts) for request in requests)
        posts = 1 if work == "reap schedule" else len(report[0].posts)
        assert stage.sent(*LIVE_OPERATIONS) == posts + (not executed)

    play(story)


@pytest.mark.parametrize(
    ("where", "moment"),
    [
        (where, moment)
        for where in ("reelmirror", "reap")
        for moment in list(MOMENTS)[1:]
        if "draft" not in moment or where == "reelmirror"
    ],
    ids=lambda value: value.replace(" ", "-"),
)
def test_a_retry_survives_too(play, where, moment):
    """What a retry had begun is ended by the next process, and only the account that had failed gets it again."""

    async def story(stage):
        inner = MemoryStore()
        stage.sandbox.order(Fault(FaultKind.PLATFORM_FAILS, account="tiktok:acme"))
        requests = post_now(stage.clock) if where == "reelmirror" else clip_now(stage.clock)
        async with stage.orchestrator(store=inner, lease=LEASE) as first:
            (failed,) = await first.publish_many(requests)
            assert failed.status is OutcomeStatus.PARTLY_PUBLISHED
        is_it, after = MOMENTS[moment]
        store = Mortal(inner, is_it, after=after)
        async with process(stage, store) as dying:
            asking = asyncio.ensure_future(dying.retry_failed(failed))
            await asyncio.wait_for(store.died.wait(), 20_000)
            asking.cancel()
        await stage.clock.sleep(LEASE)
        async with stage.orchestrator(store=inner, lease=LEASE) as last:
            outcomes = await end_all(last)
            if moment != "after its outcome":
                (again,) = outcomes
                assert again.status is OutcomeStatus.PUBLISHED
                assert len(again.deliveries) == 2
                stage.check_truth([again])
            assert (await last.publish_many(requests))[0].status is OutcomeStatus.DUPLICATE
        assert stage.sandbox.duplicates() == []
        assert len(stage.sandbox.live()) == 2

    play(story)


def test_a_shutdown_leaves_jobs_to_be_resumed_at_once(play, tmp_path):
    """What is told at leaving is how things stood; the leases are given up, so that the next one needn't wait."""

    async def story(stage):
        requests = [
            *(PublishRequest(MediaItems([f"demo-media-item-{n}"]), accounts=["tiktok:acme"]) for n in range(1, 9)),
            *(PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["x:acme"]) for n in range(1, 16)),
        ]
        async with stage.orchestrator(store=SqliteStore(tmp_path / "jobs.db")) as first:
            handles = first.submit_many(requests)
            await stage.clock.sleep(12)
        told = Counter(handle.outcome().status for handle in handles)
        assert told[OutcomeStatus.NOT_SENT] > 0
        assert all(handle.outcome().is_settled for handle in handles)
        began = stage.clock.time()
        async with stage.orchestrator(store=SqliteStore(tmp_path / "jobs.db")) as second:
            left = await second.unfinished()
            assert left >= told[OutcomeStatus.NOT_SENT]
            resumed = await second.resume()
            assert len(resumed) == left
            assert stage.clock.time() == began
            report = await second.wait_many(resumed)
            assert report.is_success
            assert await second.unfinished() == 0
            again = await second.publish_many(requests)
            assert {outcome.status for outcome in again} == {OutcomeStatus.DUPLICATE}
        assert stage.sandbox.duplicates() == []
        assert len(stage.sandbox.live()) == len(requests)

    play(story)


@pytest.mark.parametrize("moment", ["before its intent", "after its intent, before it is sent"])
def test_a_batch_that_dies_goes_on_in_as_few_requests(play, tmp_path, moment):
    """Scheduling requests hold many clips, also those that the next process sends."""

    def requests_at(clock):
        return [
            PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), accounts=["x:acme"], at=later(clock, 100 + n))
            for n in range(1, 41)
        ]

    async def undisturbed(stage):
        async with stage.orchestrator() as publishing:
            await publishing.publish_many(requests_at(stage.clock))
        return stage.sent("scheduleClips")

    usual = play(undisturbed)
    assert usual <= 5

    async def story(stage):
        requests = requests_at(stage.clock)
        await die(stage, SqliteStore(tmp_path / "jobs.db"), moment, requests)
        await stage.clock.sleep(LEASE)
        async with stage.orchestrator(store=SqliteStore(tmp_path / "jobs.db")) as publishing:
            report = await publishing.wait_many(await publishing.resume(), timeout=600)
            assert {outcome.status for outcome in report} == {OutcomeStatus.SCHEDULED}
        assert stage.sent("scheduleClips") == usual

    play(story)


def test_parts_that_had_not_begun_are_not_forgotten(play):
    """A job of two posts dies when one of them has its intent on disk: the other one goes out too, and first once."""

    async def story(stage):
        inner = MemoryStore()
        store = Mortal(inner, MOMENTS["after its intent, before it is sent"][0], after=True)
        async with process(stage, store, concurrency=1) as dying:
            dying.submit_many(clip_for_two_of_a_platform(stage.clock))
            await asyncio.wait_for(store.died.wait(), 1000)
        assert stage.sent("publishClip") == 0
        await stage.clock.sleep(LEASE)
        async with stage.orchestrator(store=inner) as second:
            (outcome,) = await end_all(second)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert len(outcome.deliveries) == 2
        stage.check_truth([outcome])
        assert stage.sent("publishClip") == 2

    play(story)


def test_what_was_told_as_not_sent_and_sent_again_isnt_resumed_as_well(play):
    """A job whose end couldn't be written is closed in the store before its retry is taken on."""

    async def story(stage):
        inner = MemoryStore()

        class Flaky(Mortal):
            async def nothing_more(self):
                raise StoreError("the disk is full")

        failing = [True]
        flaky = Flaky(inner, lambda name, stages: failing[0] and (name == "settle" or Stage.SENDING in stages))
        flaky.died = asyncio.Event()
        store = Mortal(flaky)
        async with process(stage, store) as dying:
            (outcome,) = await dying.publish_many(clip_now(stage.clock))
            assert outcome.status is OutcomeStatus.NOT_SENT
            assert "full" in outcome.reason
            assert (await dying.retry_failed(outcome)).status is OutcomeStatus.NOT_SENT, "nothing new is taken on"
            failing[0] = False
            assert (await dying.retry_failed(outcome)).status is OutcomeStatus.PUBLISHED
        await stage.clock.sleep(LEASE * 3)
        async with stage.orchestrator(store=inner) as second:
            report = await second.wait_many(await second.resume())
            assert {one.status for one in report} <= {OutcomeStatus.PUBLISHED}
        assert stage.sandbox.duplicates() == []
        assert stage.sent("publishClip") == 1

    play(story)


# ---- the same thing twice


def test_the_same_script_run_again_sends_nothing(play, tmp_path):
    """Each row is told as the duplicate of the job of the first run; one word overrides it."""

    async def story(stage):
        requests = post_now(stage.clock) + clip_now(stage.clock)
        async with stage.orchestrator(store=SqliteStore(tmp_path / "jobs.db")) as first:
            before = await first.publish_many(requests)
            assert before.is_success
        sent = stage.sent(*LIVE_OPERATIONS)
        async with stage.orchestrator(store=SqliteStore(tmp_path / "jobs.db")) as second:
            again = await second.publish_many(requests)
            assert [outcome.status for outcome in again] == [OutcomeStatus.DUPLICATE] * 2
            assert [outcome.duplicate_of for outcome in again] == [outcome.job_id for outcome in before]
            assert stage.sent(*LIVE_OPERATIONS) == sent
            clip = PublishRequest(
                Clip("demo-project-1", "demo-clip-1"), title="T", accounts=["x:acme"], allow_duplicate=True
            )
            assert (await second.publish(clip)).status is OutcomeStatus.PUBLISHED
            assert (await second.publish(clip)).status is OutcomeStatus.PUBLISHED
        assert [record.account_id for record in stage.sandbox.duplicates()] == [
            account for account, name in stage.NAMES.items() if name == "x:acme"
        ]

    play(story)


@pytest.mark.parametrize("moment", ["after its intent, before it is sent", "once it is sent, before the note"])
def test_a_repetition_on_purpose_isnt_taken_for_the_post_of_an_earlier_run(play, tmp_path, moment):
    """The store knows whose posts are whose: the lost one is found beside its twin, and a missing one is sent."""

    async def story(stage):
        path = tmp_path / "jobs.db"
        request = PublishRequest(Clip("demo-project-1", "demo-clip-1"), title="T", accounts=["x:acme"])
        twin = PublishRequest(request.source, title="T", accounts=["x:acme"], allow_duplicate=True)
        store = Mortal(SqliteStore(path))
        async with process(stage, store) as dying:
            earlier = await dying.publish(request)
            assert earlier.status is OutcomeStatus.PUBLISHED
            store.is_it, store.after = MOMENTS[moment]
            dying.submit(twin)
            await asyncio.wait_for(store.died.wait(), 1000)
        await stage.clock.sleep(LEASE)
        async with stage.orchestrator(store=SqliteStore(path)) as last:
            (outcome,) = await end_all(last)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert outcome.posts[0].id != earlier.posts[0].id
        assert len(stage.sandbox.live()) == 2
        assert stage.sent("publishClip") == 2

    play(story)


# ---- times that the provider doesn't take


def at_reap(stage, minutes, clip=1):
    return PublishRequest(
        Clip("demo-project-1", f"demo-clip-{clip}"), accounts=["tiktok:acme"], at=later(stage.clock, minutes)
    )


def published_at(stage):
    """Return when each publish request came, in order."""
    return [record.at for record in stage.sandbox.requests("reap") if record.operation == "publishClip"]


@pytest.mark.parametrize("minutes", [1, 20, 49, 51])
def test_what_reap_wont_take_yet_is_kept_here_and_goes_out_when_due(play, minutes):
    """51 minutes are within the margin: once the token is there, the time would be too near."""

    async def story(stage):
        request = at_reap(stage, minutes)
        async with stage.orchestrator(store=MemoryStore()) as publishing:
            outcome = await publishing.publish(request)
        assert outcome.status is OutcomeStatus.PUBLISHED
        (at,) = published_at(stage)
        assert 0 <= at - request.at.timestamp() < 15
        assert stage.sent("scheduleClips") == 0

    play(story)


def test_what_is_kept_here_goes_out_when_due_also_after_a_restart(play, tmp_path):
    async def story(stage):
        request = at_reap(stage, 40)
        await die(stage, SqliteStore(tmp_path / "jobs.db"), "once it is taken on", [request])
        await stage.clock.sleep(20 * 60)
        async with stage.orchestrator(store=SqliteStore(tmp_path / "jobs.db")) as publishing:
            (outcome,) = await end_all(publishing)
        assert outcome.status is OutcomeStatus.PUBLISHED
        (at,) = published_at(stage)
        assert 0 <= at - request.at.timestamp() < 15

    play(story)


async def miss(stage, store, count, *, late):
    """Have *count* posts fall due within minutes while nothing runs, and resume long after with *late*."""
    requests = [at_reap(stage, 30 + n, clip=n) for n in range(1, count + 1)]
    async with stage.orchestrator(store=store) as first:
        first.submit_many(requests)
        await stage.clock.sleep(60)
    await stage.clock.sleep(3 * 3600)
    return requests


def test_a_few_minutes_late_is_within_the_grace(play):
    async def story(stage):
        store = MemoryStore()
        request = at_reap(stage, 30)
        async with stage.orchestrator(store=store) as first:
            first.submit(request)
            await stage.clock.sleep(60)
        await stage.clock.sleep(request.at.timestamp() + 600 - stage.clock.time())
        async with stage.orchestrator(store=store) as second:
            (outcome,) = await end_all(second)
        assert outcome.status is OutcomeStatus.PUBLISHED
        assert published_at(stage)[0] - request.at.timestamp() < 620

    play(story)


def test_late_posts_go_out_spaced_and_never_in_a_burst(play):
    async def story(stage):
        store, late = MemoryStore(), Lateness(policy=LatePolicy.PUBLISH, spacing=240.0)
        await miss(stage, store, 4, late=late)
        async with stage.orchestrator(store=store, late=late) as second:
            outcomes = await end_all(second)
        assert {outcome.status for outcome in outcomes} == {OutcomeStatus.PUBLISHED}
        times = published_at(stage)
        assert len(times) == 4
        assert all(later - earlier > 230 for earlier, later in pairwise(times))
        assert times[-1] - times[0] < 4 * 250

    play(story)


def test_late_posts_can_be_called_off(play):
    async def story(stage):
        store, late = MemoryStore(), Lateness(policy=LatePolicy.SKIP)
        await miss(stage, store, 2, late=late)
        async with stage.orchestrator(store=store, late=late) as second:
            outcomes = await end_all(second)
            assert await second.unfinished() == 0
        assert {outcome.status for outcome in outcomes} == {OutcomeStatus.CANCELLED}
        assert all("while nothing ran" in outcome.reason for outcome in outcomes)
        assert published_at(stage) == []

    play(story)


def test_late_posts_are_left_to_the_caller_who_may_send_them_now(play):
    """By default: not sent, with the reason; `retry_failed` sends them at once, and once."""

    async def story(stage):
        store = MemoryStore()
        await miss(stage, store, 2, late=None)
        async with stage.orchestrator(store=store) as second:
            outcomes = await end_all(second)
            assert {outcome.status for outcome in outcomes} == {OutcomeStatus.NOT_SENT}
            assert published_at(stage) == []
            again = await second.retry_failed_many(outcomes)
            assert {outcome.status for outcome in again} == {OutcomeStatus.PUBLISHED}
            assert await second.unfinished() == 0
        assert len(published_at(stage)) == 2
        assert stage.sandbox.duplicates() == []

    play(story)


@pytest.mark.parametrize("policy", [LatePolicy.PUBLISH, LatePolicy.SKIP])
def test_a_draft_that_was_to_be_scheduled_and_whose_time_passed_is_late_too(play, tmp_path, policy):
    """ReelMirror would refuse its time by now; the draft that exists is published, or nothing is."""

    async def story(stage):
        path = tmp_path / "jobs.db"
        await die(stage, SqliteStore(path), "once its draft is noted", post_later(stage.clock))
        await stage.clock.sleep(5 * 3600)
        late = Lateness(policy=policy)
        async with stage.orchestrator(store=SqliteStore(path), late=late) as publishing:
            (outcome,) = await end_all(publishing)
        is_sent = policy is LatePolicy.PUBLISH
        assert outcome.status is (OutcomeStatus.PUBLISHED if is_sent else OutcomeStatus.CANCELLED)
        assert len(stage.sandbox.live()) == is_sent
        assert stage.sent("createOutgoingPost") == 1
        assert stage.sent("scheduleOutgoingPost") == 0

    play(story)


# ---- several processes


class Gate:
    """A store that holds back one owner's writes of parts while it is closed, as a stopped process does.

    With *stages*, only those of parts that are in one of them.
    """

    def __init__(self, inner, stages=frozenset(Stage)):
        self.inner, self.stages = inner, stages
        self.arrived, self.open_ = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name):
        return getattr(self.inner, name)

    async def put(self, parts, *, owner):
        if self.stages & {codec.load_part(part.state).stage for part in parts}:
            self.arrived.set()
            await self.open_.wait()
        await self.inner.put(parts, owner=owner)

    async def renew(self, *, owner, lease_until):
        await self.open_.wait()
        await self.inner.renew(owner=owner, lease_until=lease_until)


@pytest.mark.parametrize("work", ["reelmirror publish", "reap publish", "reap two parts", "reap schedule"])
def test_what_another_process_took_over_is_only_let_go(play, work):
    """Its first write after that is refused, nothing leaves, and its outcome says who has the job."""

    async def story(stage):
        inner = MemoryStore()
        slow = Gate(inner)
        async with (
            stage.orchestrator(store=slow, lease=LEASE) as stopped,
            stage.orchestrator(store=inner, lease=LEASE) as other,
        ):
            handles = stopped.submit_many(WORKS[work](stage.clock))
            await slow.arrived.wait()
            assert await other.resume() == []
            await stage.clock.sleep(LEASE + 1)
            taken = await other.resume()
            assert len(taken) == len(handles)
            report = await other.wait_many(taken)
            report = await other.wait_many(report)
            slow.open_.set()
            own = await stopped.wait_many(handles, timeout=1000)
            assert {outcome.status for outcome in own} == {OutcomeStatus.PENDING}
            assert all("another process" in outcome.reason for outcome in own)
        assert {outcome.status for outcome in report} == {OutcomeStatus.PUBLISHED}
        stage.check_truth(report)
        assert stage.sandbox.duplicates() == []
        assert await inner.count() == (0, len(handles))

    play(story)


def test_a_lease_that_ended_while_the_machine_slept_and_nobody_took_is_no_hindrance(play):
    async def story(stage):
        inner = MemoryStore()
        slow = Gate(inner)
        async with stage.orchestrator(store=slow, lease=LEASE) as sleeper:
            handles = sleeper.submit_many(clip_now(stage.clock))
            await slow.arrived.wait()
            await stage.clock.sleep(10 * LEASE)
            slow.open_.set()
            assert await sleeper.resume() == []
            assert (await sleeper.wait_many(handles)).is_success
        assert stage.sandbox.duplicates() == []
        assert stage.sent("publishClip") == 1

    play(story)


def test_a_job_that_was_let_go_and_left_by_the_other_can_be_resumed_here(play):
    async def story(stage):
        inner = MemoryStore()
        slow = Gate(inner)
        async with stage.orchestrator(store=slow, lease=LEASE) as stopped:
            handles = stopped.submit_many(clip_now(stage.clock))
            await slow.arrived.wait()
            await stage.clock.sleep(LEASE + 1)
            async with stage.orchestrator(store=inner, lease=LEASE) as other:
                assert len(await other.resume()) == 1
            slow.open_.set()
            assert (await stopped.wait_many(handles))[0].status is OutcomeStatus.PENDING
            (again,) = await stopped.resume()
            assert again.id == handles[0].id
            assert (await stopped.wait(again)).status is OutcomeStatus.PUBLISHED
        assert stage.sent("publishClip") == 1
        assert await inner.count() == (0, 1)

    play(story)


def test_what_is_taken_over_alone_out_of_a_shared_request_costs_the_others_nothing(play):
    """A scheduling request of several jobs isn't sent when one of them is gone; the rest stays to be resumed."""

    async def story(stage):
        inner = MemoryStore()
        slow = Gate(inner)
        async with (
            stage.orchestrator(store=slow, lease=LEASE) as stopped,
            stage.orchestrator(store=inner, lease=LEASE) as other,
        ):
            handles = stopped.submit_many(clips_later(stage.clock))
            await slow.arrived.wait()
            await stage.clock.sleep(LEASE + 1)
            taken = await other.resume(limit=1)
            slow.open_.set()
            own = await stopped.wait_many(handles, timeout=1000)
            assert {outcome.status for outcome in own} == {OutcomeStatus.PENDING}
            report = await stopped.wait_many(await stopped.resume())
            report = [*await other.wait_many(taken), *report]
            assert {outcome.status for outcome in report} == {OutcomeStatus.SCHEDULED}
        assert await inner.count() == (0, 3)
        assert stage.sent("scheduleClips") == 2

    play(story)


def test_what_is_taken_over_alone_after_a_shared_answer_leaves_the_others_noted(play):
    """The ids of the others are on disk; the one that is gone is found by the other process."""

    async def story(stage):
        inner = MemoryStore()
        slow = Gate(inner, ANSWERED)
        async with stage.orchestrator(store=inner, lease=LEASE) as other:
            async with process(stage, slow) as stopped:
                handles = stopped.submit_many(clips_later(stage.clock))
                await slow.arrived.wait()
                await stage.clock.sleep(LEASE + 1)
                taken = await other.resume(limit=1)
                slow.open_.set()
                own = await stopped.wait_many(handles, timeout=60)
                assert [outcome.status for outcome in own] == [OutcomeStatus.SCHEDULED] * 3
                assert await inner.posts_since(0.0) == {outcome.posts[0].id for outcome in own[1:]}
            report = await other.wait_many(taken, timeout=600)
            assert [outcome.status for outcome in report] == [OutcomeStatus.SCHEDULED]
            assert [outcome.posts[0].id for outcome in report] == [own[0].posts[0].id]
            assert await other.unfinished() == 0
            assert await inner.count() == (0, 3)
        assert stage.sent("scheduleClips") == 1

    play(story)


def test_jobs_of_a_publisher_that_isnt_here_are_left_to_a_process_that_has_it(play):
    async def story(stage):
        store = MemoryStore()
        async with stage.orchestrator(store=store) as first:
            first.submit_many(post_now(stage.clock) + clip_now(stage.clock))
        async with stage.orchestrator(stage.reap(), store=store) as only_reap:
            report = await only_reap.wait_many(await only_reap.resume())
            assert [outcome.publisher for outcome in report] == ["reap"]
            assert report.is_success
            assert await only_reap.unfinished() == 1
        async with stage.orchestrator(store=store) as both:
            assert (await both.wait_many(await both.resume())).is_success
            assert await both.unfinished() == 0
        assert stage.sandbox.duplicates() == []

    play(story)


# ---- and besides


def test_resuming_needs_a_store_and_an_open_orchestrator(play):
    async def story(stage):
        async with stage.orchestrator() as publishing:
            with pytest.raises(ConfigurationError, match="store"):
                await publishing.resume()
            assert await publishing.unfinished() == 0
        closed = stage.orchestrator(store=MemoryStore())
        with pytest.raises(ConfigurationError, match="open"):
            await closed.resume()
        for publisher in closed.publishers.values():
            await publisher.close()

    play(story, answers=0)


class Failing(MemoryStore):
    """Fails some of its writes."""

    failing = frozenset()

    def __getattribute__(self, name):
        if name in type(self).failing:

            async def fail(*_, **__):
                raise StoreError("the disk is gone")

            return fail
        return super().__getattribute__(name)


@pytest.mark.parametrize("failing", [{"settle"}, {"renew"}, {"release"}, {"settle", "renew", "release"}])
def test_a_store_that_fails_after_the_send_changes_no_outcome(play, monkeypatch, failing):
    """What has happened can't be undone by not noting it; what stays unfinished in the store is followed later."""

    async def story(stage):
        store = Failing()
        monkeypatch.setattr(Failing, "failing", frozenset(failing))
        async with stage.orchestrator(store=store, lease=LEASE) as publishing:
            assert (await publishing.publish_many(post_now(stage.clock))).is_success
            await stage.clock.sleep(LEASE)
        monkeypatch.setattr(Failing, "failing", frozenset())
        await stage.clock.sleep(LEASE * 2)
        async with stage.orchestrator(store=store) as second:
            assert all(outcome.is_success for outcome in await end_all(second))
            assert await second.unfinished() == 0
        assert stage.sandbox.duplicates() == []
        assert stage.sent("publishOutgoingPost") == 1

    play(story)


def test_whatever_cant_be_noted_after_the_answer_is_looked_up_by_the_next(play):
    """The answer's note fails, and so does the outcome's: on disk there is only the intent."""

    async def story(stage):
        inner = MemoryStore()

        class Deaf(Mortal):
            async def nothing_more(self):
                raise StoreError("the disk is gone")

        store = Deaf(inner, lambda name, stages: name == "settle" or bool(stages & ANSWERED))
        async with stage.orchestrator(store=store) as publishing:
            assert (await publishing.publish_many(clip_now(stage.clock))).is_success
        async with stage.orchestrator(store=inner) as second:
            (outcome,) = await end_all(second)
            assert outcome.status is OutcomeStatus.PUBLISHED
        assert stage.sent("publishClip") == 1

    play(story)


def test_no_secret_is_ever_in_the_file(play, tmp_path):
    """Not after successes, refusals, lost answers, and words of the provider that hold the key."""

    async def story(stage):
        path = tmp_path / "jobs.db"
        stage.sandbox.order(
            Fault(FaultKind.LOST_AFTER, operation="publishClip"),
            Fault(FaultKind.FORBIDDEN, operation="publishOutgoingPost", text=f"the key {REELMIRROR_KEY} may not"),
        )
        async with stage.orchestrator(store=SqliteStore(path)) as publishing:
            await publishing.publish_many(post_now(stage.clock) + clip_now(stage.clock) + clips_later(stage.clock))
        wrong = "rm_" + "wrong" * 8
        async with stage.orchestrator(stage.reelmirror(key=wrong), store=SqliteStore(path)) as publishing:
            refused = PublishRequest(MediaItems(["demo-media-item-9"]), caption="marker", accounts=["tiktok:acme"])
            assert (await publishing.publish(refused)).status is OutcomeStatus.REFUSED
        kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert b"marker" in kept
        for secret in (REELMIRROR_KEY, REAP_KEY, wrong, "Bearer", "Authorization", "X-Amz"):
            assert secret.encode() not in kept, secret

    play(story)


def test_a_lost_lease_is_an_error_of_the_store():
    """So that nothing is concluded from it but that nothing was sent."""
    assert issubclass(LeaseLost, StoreError)


@pytest.mark.parametrize("make_store", [lambda _: MemoryStore(), lambda path: SqliteStore(path / "jobs.db")])
def test_yesterdays_script_is_told_that_it_was_done(play, tmp_path, make_store):
    """Its times have passed: what the store knows is a duplicate, and only what it doesn't know is refused."""

    async def story(stage):
        at = datetime.fromtimestamp(stage.clock.time(), UTC) + timedelta(hours=2)
        script = [
            PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["x:acme"], at=at),
            PublishRequest(GeneratedPost("demo-generated-post-1"), at=at),
        ]
        store = make_store(tmp_path)
        async with stage.orchestrator(store=store) as publishing:
            first = await publishing.publish_many(script)
        assert first.is_success
        await stage.clock.sleep(24 * 3600)
        late = PublishRequest(Clip("demo-project-1", "demo-clip-2"), accounts=["x:acme"], at=at)
        async with stage.orchestrator(store=store) as publishing:
            again = await publishing.publish_many([*script, late])
            assert [outcome.status for outcome in again] == [
                OutcomeStatus.DUPLICATE,
                OutcomeStatus.DUPLICATE,
                OutcomeStatus.REFUSED,
            ]
            assert [outcome.duplicate_of for outcome in again] == [*(outcome.job_id for outcome in first), None]
            assert [problem.field for problem in again[2].problems] == ["at"]
            # What was refused isn't remembered as done.
            third = await publishing.publish(late)
            assert third.status is OutcomeStatus.REFUSED
            await publishing.flush()
            assert await publishing.unfinished() == 0
        assert len(stage.live()) == 3
        assert stage.sandbox.duplicates() == []

    play(story)
