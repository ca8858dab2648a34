"""A run that was interrupted and carried on ends with the same table as one that wasn't, and posts nothing twice.

Processes end here by Ctrl-C, by a drain, or by dying at a chosen call to their store: from then on nothing that they
ask of it happens, and their tasks are dropped where they stand. Processes that are really killed are in
`test_runs_killed.py`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from reelpub import (
    CancelResult,
    Clip,
    ConfigurationError,
    GeneratedPost,
    MediaItems,
    OutcomeStatus,
    PublishRequest,
    SqliteStore,
    ValidationError,
    bulk,
)
from reelpub.clocks import utc_now
from reelpub.manifest.rows import ManifestRow
from reelpub.sandbox import Fault, FaultKind
from reelpub.store import codec

LEASE = 60.0
GOING_LIVE = ("publishClip", "publishOutgoingPost", "scheduleClips", "scheduleOutgoingPost", "retryOutgoingPost")


def clip(number, *accounts, **members):
    return PublishRequest(
        Clip("demo-project-1", f"demo-clip-{number}"), title=f"T{number}", accounts=accounts, **members
    )


def requests(now):
    """Return rows for both providers: some fail, one is refused, one is a duplicate, some are for later."""
    return [
        PublishRequest(MediaItems(["demo-media-item-1"]), caption="one", accounts=["instagram:acme", "tiktok:acme"]),
        clip(1, "tiktok:acme", "x:acme"),
        PublishRequest(GeneratedPost("demo-generated-post-2"), caption="two", accounts=["tiktok:acme"]),
        clip(2, "tiktok:acme", "tiktok:acme_two"),
        clip(3, "linkedin:acme"),
        clip(4, "youtube:acme", "x:acme"),
        clip(1, "tiktok:acme", "x:acme"),
        clip(5, "x:acme", at=now - timedelta(hours=1)),
        clip(6, "x:acme", at=now + timedelta(minutes=100)),
        clip(7, "x:acme", at=now + timedelta(minutes=120)),
        clip(8, "x:acme", at=now + timedelta(minutes=12)),
        PublishRequest(MediaItems(["demo-media-item-3"]), accounts=["instagram:nobody"]),
        PublishRequest(MediaItems(["demo-media-item-4"]), accounts=["tiktok:acme"], at=now + timedelta(minutes=90)),
        clip(9, "instagram:acme"),
        clip(10, "tiktok:acme_two"),
    ]


FAULTS = [
    Fault(FaultKind.PLATFORM_FAILS, account="linkedin:acme", times=None),
    Fault(FaultKind.PLATFORM_FAILS, account="youtube:acme", times=None),
]


def table(record):
    """Return what a person sees of a run: how each row and each of its accounts ended."""
    return {
        row.number: (row.status, sorted((str(d.account), str(d.status)) for d in row.outcome.deliveries))
        for row in record.rows
    }


async def begun(stage, path, count=None):
    now = utc_now(stage.clock)
    asked = requests(now)[:count]
    rows = [ManifestRow(number=n, line=n + 1, request=request) for n, request in enumerate(asked, start=1)]
    async with bulk.opened(SqliteStore(path)) as store:
        return await bulk.begin(store, rows, name="posts.csv", command="publish", now=now)


async def carried_out(stage, path, run, **options):
    """Carry a run out in a process that ends in order."""
    store = SqliteStore(path)
    async with stage.orchestrator(store=store, lease=LEASE) as pub:
        return await bulk.carry_out(pub, store, run, **options)


async def told(path, run):
    async with bulk.opened(SqliteStore(path)) as store:
        return await bulk.load(store, run)


@pytest.fixture(scope="module")
def undisturbed(play, tmp_path_factory):
    """The table of a run that nothing interrupts."""
    path = tmp_path_factory.mktemp("undisturbed") / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        record = await carried_out(stage, path, await begun(stage, path))
        assert record.ended_at is not None
        assert stage.sandbox.duplicates() == []
        return table(record)

    made = play(story)
    assert {status for status, _ in made.values()} == {
        OutcomeStatus.PUBLISHED,
        OutcomeStatus.PARTLY_PUBLISHED,
        OutcomeStatus.FAILED,
        OutcomeStatus.DUPLICATE,
        OutcomeStatus.REFUSED,
        OutcomeStatus.SCHEDULED,
    }
    return made


# ---- three ways of ending in the middle


async def interrupted(stage, path, run, seconds):
    """Let a process be interrupted after so many seconds: its task is cancelled, and the orchestrator closes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await carried_out(stage, path, run)


async def drained(stage, path, run, seconds):
    """Let a process be drained after so many seconds."""
    drain = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, drain.set)
    record = await carried_out(stage, path, run, drain=drain)
    assert table_of(record) == table_of(await told(path, run)), "what it told is what the store has"


def table_of(record):
    return {row.number: (row.status, row.is_settled) for row in record.rows}


class Mortal:
    """A store whose process dies at the n-th call to it: before that takes effect, or after."""

    def __init__(self, inner, calls, *, after):
        self.inner, self.left, self.after = inner, calls, after
        self.died = asyncio.Event()

    def __getattr__(self, name):
        method = getattr(self.inner, name)

        async def call(*arguments, **options):
            self.left -= 1
            if self.died.is_set() or (self.left == 0 and not self.after):
                await self.nothing_more()
            result = await method(*arguments, **options)
            if self.died.is_set() or self.left == 0:
                await self.nothing_more()
            return result

        return call

    async def nothing_more(self):
        self.died.set()
        await asyncio.get_running_loop().create_future()


async def killed(stage, path, run, calls, *, after):
    """Let a process die at its n-th call to the store, or end if it makes fewer."""
    inner = SqliteStore(path)
    await inner.open()
    store = Mortal(inner, calls + 1, after=after)
    publishers = (stage.reelmirror(), stage.reap())
    pub = stage.orchestrator(*publishers, store=store, lease=LEASE)
    # Opening the store is its first call.
    await pub.__aenter__()
    working = asyncio.ensure_future(bulk.carry_out(pub, store, run))
    dying = asyncio.ensure_future(store.died.wait())
    await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
    store.died.set()
    tasks = {working, dying, pub._core._supervisor._task}
    while not all(task.done() for task in tasks):
        # What they would still write at their end is lost, too.
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)
    for publisher in publishers:
        await publisher.close()
    await inner.close()


# ---- the tests


@pytest.mark.parametrize("seconds", [0.001, 0.5, 2, 7, 13, 31, 60.5, 75, 200, 719, 721])
@pytest.mark.parametrize("end", [interrupted, drained], ids=["interrupted", "drained"])
def test_a_run_that_was_ended_in_order_and_carried_on_ends_as_if_it_hadnt_been(
    play, tmp_path, undisturbed, end, seconds
):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        await end(stage, path, run, seconds)
        middle = await told(path, run)
        assert OutcomeStatus.NOT_SENT not in middle.counts, "what wasn't sent yet goes on"
        record = await carried_out(stage, path, run)
        assert table(record) == undisturbed
        assert stage.sandbox.duplicates() == []

    play(story, answers=0)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("calls", [1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 27, 34, 42, 55, 70])
def test_a_process_that_dies_at_any_call_to_its_store_changes_nothing_of_the_table(
    play, tmp_path, undisturbed, calls, after
):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        await killed(stage, path, run, calls, after=after)
        await stage.clock.sleep(LEASE)
        record = await carried_out(stage, path, run)
        assert table(record) == undisturbed
        assert stage.sandbox.duplicates() == []

    play(story, answers=0)


def test_a_process_that_dies_again_and_again_gets_there(play, tmp_path, undisturbed):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        for calls in (6, 11, 9, 14, 10, 19):
            await killed(stage, path, run, calls, after=calls % 2 == 0)
            await stage.clock.sleep(LEASE)
        record = await carried_out(stage, path, run)
        assert table(record) == undisturbed
        assert stage.sandbox.duplicates() == []

    play(story, answers=0)


def test_a_run_that_has_ended_costs_nothing_to_carry_out_again(play, tmp_path, undisturbed):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        first = await carried_out(stage, path, run)
        sent = stage.sent()
        again = await carried_out(stage, path, run)
        assert stage.sent() == sent
        assert [codec.outcome_values(row.outcome) for row in again.rows] == [
            codec.outcome_values(row.outcome) for row in first.rows
        ]
        assert table(again) == undisturbed

    play(story)


def test_two_processes_share_a_run_and_neither_repeats_the_others_posts(play, tmp_path, undisturbed):
    """Both are told the whole table: what the other has in hand is waited for."""
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        records = await asyncio.gather(*(carried_out(stage, path, run) for _ in range(2)))
        assert [table(record) for record in records] == [undisturbed] * 2
        assert stage.sandbox.duplicates() == []

    play(story, answers=0)


def test_a_process_takes_over_what_another_leaves_when_it_dies(play, tmp_path, undisturbed):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        first = asyncio.ensure_future(killed(stage, path, run, 12, after=True))
        await stage.clock.sleep(1)
        record = await carried_out(stage, path, run)
        await first
        assert table(record) == undisturbed
        assert stage.sandbox.duplicates() == []

    play(story, answers=0)


def test_a_timeout_tells_how_things_stand_and_the_rest_goes_on_another_time(play, tmp_path, undisturbed):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        began = stage.clock.monotonic()
        record = await carried_out(stage, path, run, timeout=5)
        assert stage.clock.monotonic() - began < 10
        assert record.ended_at is None
        assert {row.status for row in record.rows if not row.is_settled} == {OutcomeStatus.PENDING}
        assert table(await carried_out(stage, path, run)) == undisturbed
        assert stage.sandbox.duplicates() == []

    play(story, answers=0)


# ---- afterwards, in processes of their own


def test_what_failed_is_sent_again_by_another_process_and_nothing_else_is(play, tmp_path, undisturbed):
    """By account: a partly published row isn't published again where it is live."""
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        await carried_out(stage, path, run)
        before = stage.live()
        stage.sandbox.faults.clear()
        store, told_of = SqliteStore(path), {}
        async with stage.orchestrator(store=store) as pub:
            record = await bulk.retry_failed(pub, store, run, on_rows=told_of.update)
        again = table(record)
        # Row 8 is for a time that has passed, which means now; the account of row 12 still isn't there.
        assert sorted(told_of) == [5, 6, 8, 12]
        assert {number: again[number][0] for number in told_of} == {
            5: OutcomeStatus.PUBLISHED,
            6: OutcomeStatus.PUBLISHED,
            8: OutcomeStatus.PUBLISHED,
            12: OutcomeStatus.REFUSED,
        }
        assert {n: row for n, row in again.items() if n not in told_of} == {
            n: row for n, row in undisturbed.items() if n not in told_of
        }
        new = set(stage.live()) - set(before)
        assert {account for account, _ in new} == {"linkedin:acme", "youtube:acme", "x:acme"}
        assert stage.sandbox.duplicates() == []
        async with stage.orchestrator(store=SqliteStore(path)) as pub:
            once_more = await bulk.retry_failed(pub, pub._core.journal._store, run, rows=[5, 6, 8])
        assert table(once_more) == again, "each once"

    play(story, answers=0)


def test_a_retry_that_was_interrupted_is_carried_on(play, tmp_path):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        await carried_out(stage, path, run)
        stage.sandbox.faults.clear()
        store, drain = SqliteStore(path), asyncio.Event()
        drain.set()
        async with stage.orchestrator(store=store) as pub:
            record = await bulk.retry_failed(pub, store, run, rows=[5, 6], drain=drain)
        assert table(record)[5][0] in (OutcomeStatus.PENDING, OutcomeStatus.FAILED)
        store = SqliteStore(path)
        async with stage.orchestrator(store=store) as pub:
            await bulk.carry_out(pub, store, run)
            record = await bulk.retry_failed(pub, store, run, rows=[5, 6])
        assert {table(record)[number][0] for number in (5, 6)} == {OutcomeStatus.PUBLISHED}
        assert stage.sandbox.duplicates() == []

    play(story, answers=0)


def test_an_interrupted_run_is_called_off_whole_and_then_nothing_of_it_goes_out(play, tmp_path):
    """What waits at the provider, what waits here, and what was never submitted."""
    path = tmp_path / "runs.db"

    async def story(stage):
        run = await begun(stage, path)
        await interrupted(stage, path, run, 3)
        store = SqliteStore(path)
        async with stage.orchestrator(store=store) as pub:
            results = await bulk.cancel(pub, store, run)
            record = await bulk.load(store, run)
        sent = stage.sent(*GOING_LIVE)
        off = {number for number, result in results.items() if result is CancelResult.CANCELLED}
        assert {9, 10, 11, 13} <= off, "all that was for later"
        statuses = {row.number: row.status for row in record.rows}
        assert {statuses[number] for number in off} == {OutcomeStatus.CANCELLED}
        assert set(results.values()) <= {CancelResult.CANCELLED, CancelResult.TOO_LATE}
        await carried_out(stage, path, run)
        await stage.clock.sleep(3 * 3600)
        assert stage.sent(*GOING_LIVE) == sent
        assert not {source for _, source in stage.live()} & {f"demo-project-1/demo-clip-{n}" for n in (6, 7, 8)}
        again = await told(path, run)
        assert {row.status for row in again.rows if row.number in off} == {OutcomeStatus.CANCELLED}

    play(story, answers=0)


def test_calling_one_row_off_sets_no_other_going(play, tmp_path):
    path = tmp_path / "runs.db"

    async def story(stage):
        run = await begun(stage, path)
        await interrupted(stage, path, run, 3)
        before = {row.number: row.is_settled for row in (await told(path, run)).rows}
        assert not all(before.values())
        published = stage.sent(*GOING_LIVE)
        store = SqliteStore(path)
        async with stage.orchestrator(store=store) as pub:
            assert await bulk.cancel(pub, store, run, rows=[11]) == {11: CancelResult.CANCELLED}
            await pub.clock.sleep(600)
        assert stage.sent(*GOING_LIVE) == published
        after = {row.number: row.is_settled for row in (await told(path, run)).rows}
        assert after == before | {11: True}

    play(story, answers=0)


def test_what_another_process_carries_out_isnt_called_off_behind_its_back(play, tmp_path):
    path = tmp_path / "runs.db"

    async def story(stage):
        run = await begun(stage, path)
        working = asyncio.ensure_future(carried_out(stage, path, run))
        await stage.clock.sleep(3)
        store = SqliteStore(path)
        async with stage.orchestrator(store=store) as pub:
            with pytest.raises(ConfigurationError, match="is being carried out, and row 11 with it: stop that first"):
                await bulk.cancel(pub, store, run, rows=[11])
        assert (await working).rows[10].status is OutcomeStatus.PUBLISHED

    play(story, answers=0)


def test_scheduled_rows_are_moved_by_another_process(play, tmp_path):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        await carried_out(stage, path, run)
        at = utc_now(stage.clock).replace(second=0, microsecond=0) + timedelta(hours=5)
        store = SqliteStore(path)
        async with stage.orchestrator(store=store) as pub:
            moved = await bulk.reschedule(pub, store, run, {9: at, 13: at, 2: at, 7: at})
        assert moved[9].posts[0].scheduled_at == at
        assert "reelmirror can't reschedule" in str(moved[13])
        assert isinstance(moved[2], ValidationError)
        assert "isn't scheduled" in str(moved[7])
        record = await told(path, run)
        assert record.rows[8].outcome.posts[0].scheduled_at == at
        with pytest.raises(ConfigurationError, match="there is no row 99"):
            async with stage.orchestrator(store=SqliteStore(path)) as pub:
                await bulk.reschedule(pub, pub._core.journal._store, run, {99: at})

    play(story, answers=0)


def test_a_row_that_isnt_scheduled_yet_is_resumed_first(play, tmp_path):
    path = tmp_path / "runs.db"

    async def story(stage):
        run = await begun(stage, path)
        store = SqliteStore(path)
        async with stage.orchestrator(store=store) as pub:
            moved = await bulk.reschedule(pub, store, run, {9: utc_now(stage.clock) + timedelta(hours=5)})
            await pub.accounts()
        assert "resume the run, then move it" in str(moved[9])

    play(story, answers=0)


def test_watching_follows_what_is_scheduled_to_its_end_and_sends_nothing(play, tmp_path):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        await carried_out(stage, path, run)
        sent = stage.sent(*GOING_LIVE)
        store, told_of = SqliteStore(path), {}
        async with stage.orchestrator(store=store) as pub:
            record = await bulk.watch(pub, store, run, on_rows=told_of.update)
        assert sorted(told_of) == [9, 10, 13]
        assert {table(record)[number][0] for number in told_of} == {OutcomeStatus.PUBLISHED}
        assert stage.sent(*GOING_LIVE) == sent
        again = await told(path, run)
        assert table(again) == table(record)
        assert {"delivered", "settled"} <= {moment.kind for moment in again.rows[8].moments}

    play(story, answers=0)


def test_watching_what_another_process_does_tells_it_as_that_notes_it(play, tmp_path, undisturbed):
    path = tmp_path / "runs.db"

    async def story(stage):
        stage.sandbox.order(*FAULTS)
        run = await begun(stage, path)
        working = asyncio.ensure_future(carried_out(stage, path, run))
        await stage.clock.sleep(1)
        store, seen = SqliteStore(path), []
        async with stage.orchestrator(store=store) as pub:
            record = await bulk.watch(
                pub, store, run, on_moment=lambda number, moment: seen.append((number, moment.kind))
            )
        assert (1, "delivered") in seen
        assert (11, "delivered") in seen
        finished = table(await working)
        assert finished == undisturbed
        ends = {number: row[0] for number, row in table(record).items()}
        assert {ends[number] for number in (9, 10, 13)} == {OutcomeStatus.PUBLISHED}
        assert stage.sandbox.duplicates() == []

    play(story, answers=0)


def test_watching_leaves_alone_what_nobody_carries_out(play, tmp_path):
    path = tmp_path / "runs.db"

    async def story(stage):
        run = await begun(stage, path)
        await interrupted(stage, path, run, 3)
        published = stage.sent(*GOING_LIVE)
        store = SqliteStore(path)
        async with stage.orchestrator(store=store) as pub:
            record = await bulk.watch(pub, store, run)
        assert record.ended_at is None
        assert stage.sent(*GOING_LIVE) == published

    play(story, answers=0)
