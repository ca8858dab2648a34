"""Two hands on one run: whatever two processes, a crash or a slow store do to each other, nothing goes out twice, is
lost, or is told wrongly.

The processes here are orchestrators of their own with stores of their own on one file, as in `test_runs_resumed.py`;
where the moment matters, a store holds a call back until the other process has done its worst.
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from datetime import timedelta

import pytest

from reelpub import (
    CancelResult,
    Clip,
    ConfigurationError,
    DeliveryStatus,
    MediaItems,
    OutcomeStatus,
    PublishRequest,
    SqliteStore,
    bulk,
)
from reelpub.clocks import utc_now
from reelpub.errors import StoreError
from reelpub.manifest.rows import ManifestRow
from reelpub.sandbox import REAP_KEY, REELMIRROR_KEY, Fault, FaultKind

OUT = OutcomeStatus
LEASE = 60.0
GOING_LIVE = ("publishClip", "publishOutgoingPost", "scheduleClips", "scheduleOutgoingPost", "retryOutgoingPost")
LOSSES = (FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.HTML_502_AFTER, FaultKind.RATE_LIMITED)
SEEDS = int(os.environ.get("REELPUB_ATTACKS", "8"))
FAILS = Fault(FaultKind.PLATFORM_FAILS, account="linkedin:acme", times=None)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


def clip(number, *accounts, **members):
    return PublishRequest(
        Clip("demo-project-1", f"demo-clip-{number}"), title=f"T{number}", accounts=accounts or ("x:acme",), **members
    )


def item(number, *accounts, **members):
    return PublishRequest(
        MediaItems([f"demo-media-item-{number}"]), caption="c", accounts=accounts or ("instagram:acme",), **members
    )


async def begun(stage, path, *asked):
    rows = [ManifestRow(number=n, line=n + 1, request=request) for n, request in enumerate(asked, start=1)]
    async with bulk.opened(SqliteStore(path)) as store:
        return await bulk.begin(store, rows, name="posts.csv", command="publish", now=utc_now(stage.clock))


async def done(stage, path, run, call=bulk.carry_out, *arguments, store=None, publishers=(), **options):
    """Do something with a run in a process of its own that ends in order."""
    store = store or SqliteStore(path)
    async with stage.orchestrator(*publishers, store=store, lease=LEASE) as pub:
        return await call(pub, store, run, *arguments, **options)


async def told(path, run):
    async with bulk.opened(SqliteStore(path)) as store:
        return await bulk.load(store, run)


def statuses(record):
    return [row.status for row in record.rows]


class Held:
    """A store that keeps the first call of *name* waiting until it is let go."""

    def __init__(self, path, name):
        self.inner, self.name = SqliteStore(path), name
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name):
        method = getattr(self.inner, name)
        if name != self.name:
            return method

        async def call(*arguments, **options):
            self.reached.set()
            await self.go.wait()
            return await method(*arguments, **options)

        return call


class Broken(SqliteStore):
    """A store that can't write outcomes any more once it `is_full`."""

    is_full = False

    async def settle(self, *arguments, **options):
        if self.is_full:
            raise StoreError("database or disk is full")
        await super().settle(*arguments, **options)


# ---- twice


def test_what_failed_isnt_sent_again_where_another_run_has_published_it_since(play, path):
    """As where a results file was published as a new run, and somebody retries the old one a day later."""

    async def story(stage):
        stage.sandbox.order(FAILS)
        old = await begun(stage, path, clip(1, "linkedin:acme"))
        assert statuses(await done(stage, path, old)) == [OUT.FAILED]
        stage.sandbox.faults.clear()
        new = await begun(stage, path, clip(1, "linkedin:acme"))
        assert statuses(await done(stage, path, new)) == [OUT.PUBLISHED]
        record = await done(stage, path, old, bulk.retry_failed)
        assert stage.sandbox.duplicates() == []
        (row,) = record.rows
        assert row.status is OUT.DUPLICATE, "it says why nothing was sent"
        assert row.outcome.duplicate_of == f"{new}.1"
        assert (await told(path, old)).rows[0].outcome == row.outcome

    play(story)


def test_what_is_partly_live_is_sent_again_to_the_others_all_the_same(play, path):
    """Its own content doesn't stand in its way, in the process that retries the retry either."""

    async def story(stage):
        stage.sandbox.order(FAILS)
        run = await begun(stage, path, clip(1, "x:acme", "linkedin:acme"))
        assert statuses(await done(stage, path, run)) == [OUT.PARTLY_PUBLISHED]
        assert statuses(await done(stage, path, run, bulk.retry_failed)) == [OUT.PARTLY_PUBLISHED]
        stage.sandbox.faults.clear()
        assert statuses(await done(stage, path, run, bulk.retry_failed)) == [OUT.PUBLISHED]
        assert stage.sandbox.duplicates() == []

    play(story)


@pytest.mark.parametrize("call", [bulk.carry_out, bulk.retry_failed])
def test_two_at_once_share_what_is_to_be_done(play, path, call):
    async def story(stage):
        stage.sandbox.order(FAILS)
        run = await begun(stage, path, *(clip(n, "linkedin:acme") for n in range(1, 4)), item(1, "instagram:acme"))
        await done(stage, path, run)
        stage.sandbox.faults.clear()
        if call is bulk.carry_out:
            await done(stage, path, run, bulk.retry_failed, drain=set_event())
        await asyncio.gather(*(done(stage, path, run, call) for _ in range(3)))
        await done(stage, path, run, bulk.retry_failed)
        assert set(statuses(await told(path, run))) == {OUT.PUBLISHED}
        assert stage.sandbox.duplicates() == []

    play(story, answers=0)


def set_event():
    event = asyncio.Event()
    event.set()
    return event


def test_a_row_that_was_called_off_isnt_submitted_by_who_had_read_it_before(play, path):
    """The other process has read the run's rows and is about to note their jobs when the run is called off."""

    async def story(stage):
        run = await begun(stage, path, clip(1), clip(2), item(1))
        slow = Held(path, "add")
        working = asyncio.ensure_future(done(stage, path, run, store=slow))
        await slow.reached.wait()
        results = await done(stage, path, run, bulk.cancel)
        slow.go.set()
        record = await working
        assert results == dict.fromkeys((1, 2, 3), CancelResult.CANCELLED)
        assert statuses(record) == [OUT.CANCELLED] * 3
        assert stage.sent(*GOING_LIVE) == 0

    play(story, answers=0)


def test_a_row_that_was_submitted_while_it_was_called_off_isnt_told_as_called_off(play, path):
    """The other way round: its job was noted after the rows had been read for calling them off."""

    async def story(stage):
        run = await begun(stage, path, clip(1))
        slow = Held(path, "settle_rows")
        cancelling = asyncio.ensure_future(done(stage, path, run, bulk.cancel, store=slow))
        await slow.reached.wait()
        record = await done(stage, path, run)
        slow.go.set()
        assert statuses(record) == [OUT.PUBLISHED]
        assert await cancelling == {1: CancelResult.TOO_LATE}
        assert statuses(await told(path, run)) == [OUT.PUBLISHED]

    play(story)


def test_a_row_that_was_called_off_stays_so_whatever_another_process_finds_out_about_it(play, path):
    """A row that a check refused may be sent again; one that was called off isn't."""

    async def story(stage):
        run = await begun(stage, path, clip(1, "x:acme", settings={"nowhere": {}}))
        slow = Held(path, "settle_rows")
        working = asyncio.ensure_future(done(stage, path, run, store=slow))
        await slow.reached.wait()
        assert await done(stage, path, run, bulk.cancel) == {1: CancelResult.CANCELLED}
        slow.go.set()
        assert statuses(await working) == [OUT.CANCELLED]
        assert statuses(await done(stage, path, run, bulk.retry_failed)) == [OUT.CANCELLED]

    play(story, answers=0)


# ---- lost


@pytest.mark.parametrize("end", ["drained", "gone"])
def test_what_another_process_leaves_while_this_one_is_busy_is_taken_over(play, path, end):
    """The other is there when this one begins, and isn't any more when this one has done its own."""

    async def story(stage):
        asked = [clip(1, at=utc_now(stage.clock) + timedelta(minutes=3)), *(clip(n) for n in range(2, 14))]
        run = await begun(stage, path, *asked)
        reap = stage.reap()
        other = SqliteStore(path)
        first = stage.orchestrator(reap, store=other, lease=LEASE)
        await first.__aenter__()
        first.submit_many(asked[:1], run=run, job_ids=[f"{run}.1"])
        await stage.clock.sleep(1)
        working = asyncio.ensure_future(done(stage, path, run))
        await stage.clock.sleep(5)
        if end == "drained":
            await first.close()
        else:
            # It hangs: from here on it neither renews its lease nor sends anything.
            first._core._supervisor._task.cancel()
            await asyncio.gather(first._core._supervisor._task, return_exceptions=True)
        record = await working
        assert set(statuses(record)) == {OUT.PUBLISHED}
        assert stage.sandbox.duplicates() == []
        if end == "gone":
            await reap.close()
            await other.close()

    play(story, answers=0)


def test_what_couldnt_be_noted_as_called_off_isnt_told_as_called_off(play, path):
    """The disk is full: the next process would send it."""

    async def story(stage):
        soon = utc_now(stage.clock) + timedelta(minutes=10)
        run = await begun(stage, path, clip(1, at=soon), clip(2))
        await done(stage, path, run, timeout=30)
        store = Broken(path)
        store.is_full = True
        with pytest.raises(StoreError, match="full"):
            await done(stage, path, run, bulk.cancel, rows=[1], store=store)
        assert await done(stage, path, run, bulk.cancel, rows=[1]) == {1: CancelResult.CANCELLED}
        assert statuses(await done(stage, path, run)) == [OUT.CANCELLED, OUT.PUBLISHED]
        assert stage.sent("publishClip") == 1

    play(story)


# ---- told wrongly


def scheduled(stage):
    at = utc_now(stage.clock) + timedelta(hours=2)
    return [clip(1, at=at), item(1, at=at)]


def test_what_a_watch_saw_is_noted_although_the_run_was_resumed_meanwhile(play, path):
    """Whoever knows the end of a post notes it; that another process looked at the run doesn't take that away."""

    async def story(stage):
        run = await begun(stage, path, *scheduled(stage))
        await done(stage, path, run)
        watching = asyncio.ensure_future(done(stage, path, run, bulk.watch))
        await stage.clock.sleep(60)
        assert statuses(await done(stage, path, run)) == [OUT.SCHEDULED] * 2
        assert statuses(await watching) == [OUT.PUBLISHED] * 2
        assert statuses(await told(path, run)) == [OUT.PUBLISHED] * 2

    play(story)


def test_the_first_of_two_watches_notes_what_it_saw_although_the_second_was_stopped(play, path):
    async def story(stage):
        stage.sandbox.order(FAILS)
        at = utc_now(stage.clock) + timedelta(hours=2)
        run = await begun(stage, path, *scheduled(stage), clip(2, "linkedin:acme", at=at))
        await done(stage, path, run)
        first = asyncio.ensure_future(done(stage, path, run, bulk.watch))
        await stage.clock.sleep(60)
        await done(stage, path, run, bulk.watch, timeout=60)
        assert statuses(await first) == [OUT.PUBLISHED, OUT.PUBLISHED, OUT.FAILED]
        stage.sandbox.faults.clear()
        assert statuses(await done(stage, path, run, bulk.retry_failed)) == [OUT.PUBLISHED] * 3
        assert stage.sandbox.duplicates() == []

    play(story)


def test_two_watches_to_the_end_agree(play, path):
    async def story(stage):
        run = await begun(stage, path, *scheduled(stage))
        await done(stage, path, run)
        records = await asyncio.gather(*(done(stage, path, run, bulk.watch) for _ in range(2)))
        assert [statuses(record) for record in records] == [[OUT.PUBLISHED] * 2] * 2

    play(story)


def test_an_older_word_isnt_written_over_a_newer_one(play, path):
    """A watch that gives up on a post that another process has called off since doesn't bring it back."""

    async def story(stage):
        run = await begun(stage, path, *scheduled(stage))
        await done(stage, path, run)
        watching = asyncio.ensure_future(done(stage, path, run, bulk.watch))
        await stage.clock.sleep(60)
        assert set((await done(stage, path, run, bulk.cancel)).values()) == {CancelResult.CANCELLED}
        assert statuses(await watching) == [OUT.CANCELLED] * 2
        assert statuses(await told(path, run)) == [OUT.CANCELLED] * 2
        assert stage.live() == []

    play(story)


def test_what_was_moved_while_it_is_watched_is_told_at_its_new_time_and_then_as_live(play, path):
    async def story(stage):
        run = await begun(stage, path, scheduled(stage)[0])
        await done(stage, path, run)
        watching = asyncio.ensure_future(done(stage, path, run, bulk.watch))
        await stage.clock.sleep(60)
        at = utc_now(stage.clock).replace(second=0, microsecond=0) + timedelta(hours=5)
        await done(stage, path, run, bulk.reschedule, {1: at})
        assert (await told(path, run)).rows[0].outcome.posts[0].scheduled_at == at
        assert statuses(await watching) == [OUT.PUBLISHED]
        assert utc_now(stage.clock) > at

    play(story)


def test_what_was_moved_is_noted_although_the_run_was_resumed_meanwhile(play, path):
    """The provider says yes, and before that is noted another process takes a look at the whole run."""

    async def story(stage):
        run = await begun(stage, path, scheduled(stage)[0])
        await done(stage, path, run)
        at = utc_now(stage.clock).replace(second=0, microsecond=0) + timedelta(hours=5)
        slow = Held(path, "settle")
        moving = asyncio.ensure_future(done(stage, path, run, bulk.reschedule, {1: at}, store=slow))
        await slow.reached.wait()
        await done(stage, path, run)
        slow.go.set()
        assert (await moving)[1].posts[0].scheduled_at == at
        assert (await told(path, run)).rows[0].outcome.posts[0].scheduled_at == at

    play(story)


def test_a_move_that_was_killed_before_its_note_shows_once_the_run_is_watched(play, path):
    async def story(stage):
        run = await begun(stage, path, scheduled(stage)[0])
        before = (await done(stage, path, run)).rows[0].outcome.posts[0]
        at = utc_now(stage.clock).replace(second=0, microsecond=0) + timedelta(hours=5)
        reap = stage.reap()
        await reap.reschedule(before.id, at)
        await reap.close()
        assert statuses(await done(stage, path, run, bulk.watch)) == [OUT.PUBLISHED]
        assert utc_now(stage.clock) > at
        assert stage.sandbox.duplicates() == []

    play(story)


def test_rows_that_ended_arent_told_as_left_because_their_key_isnt_there(play, path, caplog):
    async def story(stage):
        run = await begun(stage, path, clip(1), item(1))
        await done(stage, path, run)
        record = await done(stage, path, run, publishers=[stage.reap()])
        assert statuses(record) == [OUT.PUBLISHED] * 2

    play(story)
    assert "are left as they are" not in caplog.text


def test_a_key_that_is_missing_when_a_run_is_resumed_and_there_later_changes_nothing(play, path):
    async def story(stage):
        soon = utc_now(stage.clock) + timedelta(minutes=2)
        run = await begun(stage, path, clip(1, at=soon), item(1), clip(2), item(2))
        await done(stage, path, run, timeout=1)
        record = await done(stage, path, run, publishers=[stage.reelmirror()])
        assert [row.is_settled for row in record.rows] == [False, True, False, True]
        assert statuses(await done(stage, path, run)) == [OUT.PUBLISHED] * 4
        assert stage.sandbox.duplicates() == []

    play(story)


def test_a_refused_row_that_turns_out_a_duplicate_when_it_is_sent_again_says_so(play, path):
    """The row has a job in the store, the refused one; that the later submission was a duplicate is what counts."""

    async def story(stage):
        asked = clip(1, "x:acme", publisher="reap")
        run = await begun(stage, path, clip(1, "x:nobody"), asked)
        assert statuses(await done(stage, path, run)) == [OUT.REFUSED, OUT.PUBLISHED]
        # As if the account had been renamed since: the first row asks for what the second has got.
        async with bulk.opened(SqliteStore(path)) as store:
            rows = {row.number: row for row in await store.rows(run)}
            await store._write(
                lambda db: (
                    db.execute(
                        "UPDATE run_rows SET request = ? WHERE run = ? AND number = 1", (rows[2].request, run)
                    ).rowcount
                )
            )
        record = await done(stage, path, run, bulk.retry_failed)
        assert statuses(record) == [OUT.DUPLICATE, OUT.PUBLISHED]
        assert record.rows[0].outcome.duplicate_of == f"{run}.2"
        assert stage.sandbox.duplicates() == []

    play(story)


# ---- secrets


def test_nothing_secret_is_in_the_file(play, path):
    """Neither keys nor what a provider's presigned addresses and its answers' headers carry, however it went."""
    signed = "https://bucket.example/v.mp4?X-Amz-Signature=5ec4e75ec4e7&X-Amz-Credential=c4edc4ed"

    async def story(stage):
        stage.sandbox.order(
            Fault(FaultKind.LOST_AFTER, operation="publishClip"),
            Fault(FaultKind.HTML_502, operation="publishOutgoingPost"),
            Fault(FaultKind.REDIRECT, operation="createOutgoingPost", text=signed),
            Fault(FaultKind.FORBIDDEN, operation="publishClip", after=1),
            Fault(FaultKind.PAYMENT_REQUIRED, operation="scheduleClips"),
            Fault(FaultKind.RATE_LIMITED, operation="publishClip", after=2),
            Fault(FaultKind.PLATFORM_FAILS, account="linkedin:acme", text="no"),
        )
        at = utc_now(stage.clock) + timedelta(hours=2)
        asked = [*(clip(n) for n in range(1, 5)), *(item(n) for n in range(1, 5)), clip(9, at=at)]
        run = await begun(stage, path, *asked, clip(10, "linkedin:acme"))
        await done(stage, path, run, timeout=3)
        await done(stage, path, run)
        wrong_key = [stage.reap("reap_5ec4e7_wrong_key"), stage.reelmirror("rm_5ec4e7_wrong_key")]
        other = await begun(stage, path, clip(20), item(20))
        await done(stage, path, other, publishers=wrong_key)

    play(story, answers=0)
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
    secrets = [REAP_KEY, REELMIRROR_KEY, "5ec4e7", "c4edc4ed", "X-Amz", "Bearer", "uthorization"]
    assert {secret for secret in secrets if secret.encode() in kept} == set()


# ---- everything at once


class Mortal:
    """A store whose process dies at its n-th call to it: nothing that it asks for afterwards happens."""

    def __init__(self, path, calls):
        self.inner, self.left, self.died = SqliteStore(path), calls, asyncio.Event()

    def __getattr__(self, name):
        method = getattr(self.inner, name)

        async def call(*arguments, **options):
            self.left -= 1
            if self.left < 0:
                self.died.set()
                await asyncio.get_running_loop().create_future()
            return await method(*arguments, **options)

        return call


async def until_death(stage, path, run, calls, call, *arguments, **options):
    """Do something with a run in a process that dies at its n-th call to its store, if it makes as many."""
    store = Mortal(path, calls)
    publishers = (stage.reelmirror(), stage.reap())
    pub = stage.orchestrator(*publishers, store=store, lease=LEASE)
    opening = asyncio.ensure_future(pub.__aenter__())
    tasks = [opening]
    dying = asyncio.ensure_future(store.died.wait())
    await asyncio.wait({opening, dying}, return_when=asyncio.FIRST_COMPLETED)
    if not store.died.is_set():
        working = asyncio.ensure_future(call(pub, store, run, *arguments, **options))
        tasks.append(working)
        await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
    store.left = 0
    core = pub._core
    tasks += [dying, *filter(None, [core._supervisor._task])]
    while not all(task.done() for task in tasks):
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)
        # The end of one begins others.
        tasks += [*core.journal._settling, *core.journal._adds]
    await asyncio.gather(*tasks, return_exceptions=True)
    for publisher in publishers:
        await publisher.close()
    await store.inner.close()


class Hand:
    """Somebody who does one thing after the other to one of *runs*, without thinking, and is killed now and then."""

    def __init__(self, stage, path, runs, dice):
        self.stage, self.path, self.runs, self.dice = stage, path, runs, dice
        self.run, self.off, self.did = runs[0], set(), []

    async def play(self, moves):
        for _ in range(moves):
            await self.stage.clock.sleep(self.dice.choice([0.01, 0.3, 2, 20, 200]))
            name = self.dice.choice(["go", "go", "retry", "cancel", "move", "watch"])
            self.run = self.dice.choice(self.runs)
            self.did.append((self.run, name))
            with suppress(ConfigurationError):
                await getattr(self, name)()

    async def go(self):
        await self.do(bulk.carry_out, timeout=self.dice.choice([0.1, 3, 60, 900]))

    async def retry(self):
        await self.do(bulk.retry_failed, timeout=self.dice.choice([0.1, 60, 900]))

    async def watch(self):
        await self.do(bulk.watch, timeout=self.dice.choice([5, 600, 9000]))

    async def cancel(self):
        results = await self.do(bulk.cancel, rows=self.dice.sample(range(1, 15), 2)) or {}
        self.off |= {(self.run, row) for row, result in results.items() if result is CancelResult.CANCELLED}

    async def move(self):
        at = utc_now(self.stage.clock).replace(second=0, microsecond=0) + timedelta(hours=self.dice.randint(2, 4))
        await self.do(bulk.reschedule, dict.fromkeys(self.dice.sample(range(1, 15), 2), at))

    async def do(self, call, *arguments, **options):
        if self.dice.random() < 0.4:
            calls = self.dice.randint(1, 25)
            return await until_death(self.stage, self.path, self.run, calls, call, *arguments, **options)
        drain = asyncio.Event()
        if call in (bulk.carry_out, bulk.retry_failed) and self.dice.random() < 0.4:
            options["drain"] = drain
            asyncio.get_running_loop().call_later(self.dice.choice([0.01, 1, 30]), drain.set)
        return await done(self.stage, self.path, self.run, call, *arguments, **options)


def is_off(outcome):
    return outcome.status is OUT.CANCELLED or any(d.status is DeliveryStatus.CANCELLED for d in outcome.deliveries)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_three_hands_do_to_a_run_it_ends_once_and_is_told_as_it_is(play, path, seed):
    dice = random.Random(seed)

    async def story(stage):
        stage.sandbox.order(
            *(
                Fault(FaultKind.PLATFORM_FAILS, account=account, times=2)
                for account in ("linkedin:acme", "youtube:acme")
            ),
            *(
                Fault(dice.choice(LOSSES), operation=operation, after=dice.randint(0, 3))
                for operation in GOING_LIVE
                for _ in range(2)
            ),
        )
        now = utc_now(stage.clock)
        asked = [
            clip(1),
            clip(2, "tiktok:acme", "tiktok:acme_two"),
            clip(3, "linkedin:acme", "x:acme"),
            clip(4, "youtube:acme"),
            clip(5, "linkedin:acme"),
            clip(6, at=now + timedelta(minutes=5)),
            clip(7, at=now + timedelta(minutes=80)),
            clip(8, "linkedin:acme", at=now + timedelta(minutes=90)),
            clip(5, "linkedin:acme"),
            item(1),
            item(2, "tiktok:acme", "instagram:acme"),
            item(3, at=now + timedelta(minutes=70)),
            item(4, "instagram:nobody"),
            item(1),
        ]
        # The second asks for some of what the first does, as where a file was mended and published anew.
        runs = [await begun(stage, path, *asked), await begun(stage, path, *asked[2:8], clip(9), item(5))]
        hands = [Hand(stage, path, runs, random.Random(f"{seed}.{n}")) for n in range(3)]
        await asyncio.gather(*(hand.play(8) for hand in hands))
        await stage.clock.sleep(LEASE)
        for call in (bulk.carry_out, bulk.watch, bulk.carry_out):
            for run in runs:
                await done(stage, path, run, call)
        said = [(hand.did, hand.off) for hand in hands]
        rows = {(run, row.number): row for run in runs for row in (await told(path, run)).rows}
        assert stage.sandbox.duplicates() == [], said
        assert all(row.is_settled for row in rows.values()), said
        stage.check_truth([row.outcome for row in rows.values()])
        off = set().union(*(hand.off for hand in hands))
        # Of a row that is live on some accounts, only the others are called off.
        assert {key for key, row in rows.items() if is_off(row.outcome)} >= off, said

    play(story, answers=0)
