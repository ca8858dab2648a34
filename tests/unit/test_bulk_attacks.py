"""Two hands on one run, in memory: what one process knows and another has changed, and stores that fail for a while."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import pytest_asyncio
from attrs import evolve

from reelpub import (
    CancelResult,
    Clip,
    Orchestrator,
    Outcome,
    OutcomeStatus,
    Post,
    PostStatus,
    ProviderLimits,
    PublishRequest,
    SqliteStore,
    UnsupportedOperation,
    bulk,
)
from reelpub.errors import LeaseLost, StoreError
from reelpub.manifest.rows import ManifestRow
from reelpub.models.capability import Capabilities, Feature
from reelpub.orchestrator.recalling import says_more
from reelpub.store import MemoryStore, StoredJob, StoredRow, StoredRun
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
NOW = datetime.fromtimestamp(1_800_000_000, UTC)
TOMORROW = NOW + timedelta(days=1)


def clip(number, **members):
    return PublishRequest(Clip("p", f"c{number}"), **({"accounts": ["tiktok:acme"]} | members))


class Shared(InMemoryPublisher):
    """Outlives the orchestrators that close it, as a provider does."""

    async def close(self):
        pass


class Plain(Shared):
    """Can't cancel."""

    def __init__(self, **options):
        super().__init__(**options)
        self.capabilities = Capabilities(
            sources=(Clip,), platforms=frozenset({"tiktok"}), features=frozenset({Feature.SCHEDULE})
        )


class Full(MemoryStore):
    """Can't write outcomes while it `is_full`."""

    is_full = False

    async def settle(self, *arguments, **options):
        if self.is_full:
            raise StoreError("the disk is full")
        await super().settle(*arguments, **options)

    async def settle_rows(self, rows, **options):
        if self.is_full:
            raise StoreError("the disk is full")
        await super().settle_rows(rows, **options)


def play(story, *asked, kind=Shared, script=None, store=None):
    """Play ``story(memory, store, run, open)``, where *open* makes an orchestrator, as another process has one."""
    kept = store or MemoryStore()
    rows = [ManifestRow(number=n, line=n + 1, request=request) for n, request in enumerate(asked, start=1)]

    async def main(clock):
        memory = kind(clock=clock, script=script)
        run = await bulk.begin(kept, rows, name="posts.csv", command="publish", now=NOW)
        try:
            return await story(memory, kept, run, lambda: Orchestrator([memory], clock=clock, store=kept))
        finally:
            memory.limiter.close()

    return run_virtual(main)


def statuses(record):
    return [row.status for row in record.rows]


def test_calling_off_what_cant_be_called_off_sets_nothing_going():
    """The run was interrupted: its unfinished row isn't sent by somebody who wanted it called off."""

    async def story(memory, store, run, orchestrator):
        async with orchestrator() as first:
            await bulk.carry_out(first, store, run, timeout=0.5)
            await first.close()
        assert statuses(await bulk.load(store, run)) == [OUT.SCHEDULED, OUT.PENDING]
        before = dict(memory.requests)
        async with orchestrator() as second:
            with pytest.raises(UnsupportedOperation, match="memory can't cancel"):
                await bulk.cancel(second, store, run)
            await second.clock.sleep(600)
        assert memory.requests == before
        assert statuses(await bulk.load(store, run)) == [OUT.SCHEDULED, OUT.PENDING]

    class Late(Plain):
        async def accounts(self, *, refresh=False):
            if self.requests:
                await self.clock.sleep(100)
            return await super().accounts(refresh=refresh)

        async def prepare(self, part):
            if part.at is None:
                await self.clock.sleep(100)
            return await super().prepare(part)

    play(story, clip(1, at=TOMORROW), clip(2), kind=Late)


def test_what_another_process_learned_of_a_job_counts_although_this_one_knows_it():
    """A service that stays open retries what failed in the hands of `reelpub watch`."""

    async def story(memory, store, run, orchestrator):
        async with orchestrator() as first:
            assert statuses(await bulk.carry_out(first, store, run)) == [OUT.SCHEDULED]
            async with orchestrator() as second:
                assert statuses(await bulk.watch(second, store, run)) == [OUT.FAILED]
            assert statuses(await bulk.retry_failed(first, store, run)) == [OUT.PUBLISHED]
        assert memory.live == {"tiktok-acme": ["p/c1"]}

    play(story, clip(1, at=TOMORROW), script=Script(fail_accounts={"tiktok-acme": 1}))


def test_an_outcome_that_couldnt_be_noted_at_first_is_noted_before_the_call_ends():
    async def story(memory, store, run, orchestrator):
        async with orchestrator() as pub:
            working = asyncio.ensure_future(bulk.carry_out(pub, store, run))
            await pub.clock.sleep(1)
            store.is_full = True
            while pub.jobs and not all(handle.is_settled for handle in pub.jobs):
                await pub.clock.sleep(0.01)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            store.is_full = False
            assert statuses(await asyncio.wait_for(working, 600)) == [OUT.PUBLISHED]

    play(story, clip(1), store=Full())


def test_outcomes_that_cant_be_noted_at_all_dont_keep_the_call_for_ever(caplog):
    """It ends and says so; the run goes on where it is once there is room."""

    async def story(memory, store, run, orchestrator):
        store.is_full = True
        async with orchestrator() as pub:
            record = await asyncio.wait_for(bulk.carry_out(pub, store, run), 600)
            assert statuses(record) == [OUT.PENDING, OUT.PENDING, OUT.PENDING]
        store.is_full = False
        async with orchestrator() as pub:
            assert statuses(await bulk.carry_out(pub, store, run)) == [OUT.PUBLISHED, OUT.PUBLISHED, OUT.REFUSED]
        assert sorted(memory.live["tiktok-acme"]) == ["p/c1", "p/c2"]

    play(story, clip(1), clip(2), clip(3, accounts=[]), store=Full())
    assert "outcomes couldn't be noted, resume the run once they can be" in caplog.text


def test_what_was_called_off_and_couldnt_be_noted_is_told():
    async def story(memory, store, run, orchestrator):
        async with orchestrator() as pub:
            await bulk.carry_out(pub, store, run)
            store.is_full = True
            with pytest.raises(StoreError, match="the disk is full"):
                await bulk.cancel(pub, store, run)
            store.is_full = False
            assert await bulk.cancel(pub, store, run) == {1: CancelResult.CANCELLED}

    play(story, clip(1, at=TOMORROW), store=Full())


def test_a_job_is_called_off_once_that_is_noted():
    """Told before, and the process killed then, the next one would send it."""

    class Slow(Full):
        async def settle(self, *arguments, **options):
            await asyncio.sleep(1)
            await super().settle(*arguments, **options)

    async def story(memory, store, run, orchestrator):
        async with orchestrator() as pub:
            working = asyncio.ensure_future(bulk.carry_out(pub, store, run))
            await pub.clock.sleep(5)
            began = pub.clock.monotonic()
            assert await pub.cancel(f"{run}.1") is CancelResult.CANCELLED
            assert pub.clock.monotonic() - began >= 1
            assert statuses(await bulk.load(store, run)) == [OUT.CANCELLED, OUT.SCHEDULED]
            store.is_full = True
            assert await pub.cancel(f"{run}.2") is CancelResult.UNKNOWN
            store.is_full = False
            assert await pub.cancel(f"{run}.2") is CancelResult.CANCELLED
            assert statuses(await bulk.load(store, run)) == [OUT.CANCELLED, OUT.CANCELLED]
            await working

    play(story, clip(1, at=TOMORROW), clip(2, at=TOMORROW + timedelta(hours=1)), store=Slow())


def test_what_hasnt_left_is_stopped_before_a_provider_is_asked():
    """However long the provider takes to call off the first post, none of the others leaves meanwhile."""

    class Dallying(Shared):
        async def cancel(self, post_id):
            await self.clock.sleep(1000)
            return await super().cancel(post_id)

    async def story(memory, store, run, orchestrator):
        async with orchestrator() as pub:
            soon = NOW + timedelta(minutes=10)
            handles = pub.submit_many([clip(1, at=TOMORROW), clip(2, at=soon)])
            await pub.clock.sleep(5)
            assert await pub.cancel_many(handles) == [CancelResult.CANCELLED] * 2
            await pub.clock.sleep(3600)
        assert memory.live == {}
        assert memory.requests.get("publish") is None

    limits = ProviderLimits(requests=600, max_tags=10, schedule_batch=10, schedule_min_lead=3600.0)
    play(story, clip(9), kind=partial(Dallying, limits=limits))


def test_of_two_outcomes_that_couldnt_be_noted_the_later_one_is_noted():
    """Called off while the note that it was scheduled is still due."""

    async def story(memory, store, run, orchestrator):
        store.is_full = True
        async with orchestrator() as pub:
            working = asyncio.ensure_future(bulk.carry_out(pub, store, run))
            await pub.clock.sleep(5)
            assert await pub.cancel(f"{run}.1") is CancelResult.UNKNOWN
            await pub.clock.sleep(5)
            store.is_full = False
            await pub.flush()
            await working
        assert statuses(await bulk.load(store, run)) == [OUT.CANCELLED]

    play(story, clip(1, at=TOMORROW), store=Full())


# ---- what the stores keep up


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path):
    one = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "jobs.db")
    await one.open()
    yield one
    await one.close()


def a_job(name, **members):
    return StoredJob(**({"id": name, "publisher": "reap", "request": b"{}", "submitted_at": 1.0} | members))


def a_row(number, **members):
    return StoredRow(run="r", number=number, line=number, job_id=f"r.{number}", request=b"{}", **members)


async def test_a_row_that_ended_without_a_job_is_given_none_any_more(store):
    run = StoredRun(id="r", name="n", command="c", started_at=0.0)
    await store.add_run(run, [a_row(1), a_row(2, outcome=b"refused"), a_row(3), a_row(10)])
    await store.settle_rows([a_row(1, outcome=b"off")])
    await store.settle_rows([a_row(3, outcome=b"off")])
    await store.settle_rows([a_row(3)])
    jobs = [a_job(f"r.{n}", run="r") for n in (1, 2, 3, 10)]
    assert await store.add(jobs, owner="A", lease_until=9.0) == {"r.1": "r.1", "r.2": "r.2"}
    assert [job.id for job in await store.jobs("r")] == ["r.3", "r.10"]
    # Under another id, or as no row's job, it is another matter.
    others = [a_job("r.1.r1", run="r"), a_job("r.2")]
    assert await store.add(others, owner="A", lease_until=9.0) == {}


async def test_the_outcome_of_a_row_that_has_changed_since_it_was_read_stays(store):
    await store.add_run(StoredRun(id="r", name="n", command="c", started_at=0.0), [a_row(1), a_row(2, outcome=b"no")])
    await store.settle_rows([a_row(1, outcome=b"off"), a_row(2, outcome=b"no again")], was=[None, b"no"])
    await store.settle_rows([a_row(1, outcome=b"refused"), a_row(2, outcome=b"off")], was=[None, b"no"])
    assert [row.outcome for row in await store.rows("r")] == [b"off", b"no again"]


async def test_giving_up_leases_leaves_settled_jobs_to_whom_they_were(store):
    await store.add([a_job("j")], owner="A", lease_until=9.0)
    await store.settle("j", b"1", owner="A", keep_content=True)
    await store.release(owner="A")
    await store.settle("j", b"2", owner="A", keep_content=True)
    with pytest.raises(LeaseLost):
        await store.settle("j", b"3", owner="B", keep_content=True)
    assert (await store.job("j")).outcome == b"2"


# ---- whose word counts


def an_outcome(*posts, at=NOW, **members):
    return Outcome(
        request=clip(1), job_id="j", publisher="p", status=OUT.SCHEDULED, posts=posts, settled_at=at, **members
    )


def a_post(name="a", status=PostStatus.SCHEDULED, at=TOMORROW):
    return Post(id=name, provider="p", publisher="p", status=status, scheduled_at=at)


LATER = NOW + timedelta(minutes=1)
LIVE = a_post(status=PostStatus.PUBLISHED)
MOVED = a_post(at=TOMORROW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("ours", "theirs", "says"),
    [
        (an_outcome(LIVE), an_outcome(a_post()), True),
        (an_outcome(a_post()), an_outcome(LIVE), False),
        (an_outcome(LIVE), an_outcome(LIVE, at=LATER), False),
        (an_outcome(LIVE, a_post("b")), an_outcome(a_post(), a_post("b", PostStatus.CANCELLED)), False),
        (an_outcome(LIVE), an_outcome(a_post(), at=LATER), True),
        (an_outcome(MOVED, at=LATER), an_outcome(a_post()), True),
        (an_outcome(MOVED), an_outcome(a_post(), at=LATER), False),
        (an_outcome(a_post(), at=LATER, reason="stuck at scheduled"), an_outcome(MOVED), False),
        (an_outcome(a_post(), at=LATER), an_outcome(a_post()), False),
        (evolve(an_outcome(MOVED), settled_at=None), an_outcome(a_post()), False),
    ],
    ids=[
        "an end over none",
        "none over an end",
        "the same end",
        "another end",
        "an end over a later look",
        "a move over an older time",
        "an older move",
        "giving up over a move",
        "nothing new",
        "one that isn't settled",
    ],
)
def test_whoever_knows_more_of_the_ends_says_more(ours, theirs, says):
    assert says_more(ours, theirs) is says
