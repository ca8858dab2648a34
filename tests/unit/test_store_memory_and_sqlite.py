"""What a store promises, asked of both: the one in memory and the one in a file that two processes have open."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from reelpub.errors import LeaseLost, StoreError
from reelpub.store import (
    ClaimsPosts,
    KnowsContents,
    MemoryStore,
    RunStore,
    SqliteStore,
    Store,
    StoredEvent,
    StoredJob,
    StoredPart,
    StoredRow,
    StoredRun,
)


def a_part(job_id, number=1, state=b"planned", **more):
    return StoredPart(id=f"{job_id}.{number}", job_id=job_id, state=state, **more)


def a_job(job_id, **more):
    members = {"publisher": "reap", "request": b"{}", "submitted_at": 1000.0, **more}
    return StoredJob(id=job_id, **members)


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def stores(request, tmp_path):
    """Two views of the same store, as two processes have them."""
    if request.param == "memory":
        one = MemoryStore()
        yield one, one
        return
    one, other = SqliteStore(tmp_path / "jobs.db"), SqliteStore(tmp_path / "jobs.db")
    await one.open()
    await other.open()
    yield one, other
    await one.close()
    await other.close()


@pytest.fixture
def store(stores):
    return stores[0]


async def claim(store, owner="B", *, now=0.0, lease_until=200.0, limit=100, publishers=("reap",), run=None):
    return await store.claim(publishers=publishers, owner=owner, now=now, lease_until=lease_until, limit=limit, run=run)


async def recall(store, run="r1", owner="B", *, now=0.0, lease_until=200.0, publishers=("reap",), job_ids=None):
    return await store.recall(
        run, publishers=publishers, owner=owner, now=now, lease_until=lease_until, job_ids=job_ids
    )


def ids(jobs):
    return [job.id for job in jobs]


def a_run(name="r1", started_at=1000.0, **more):
    return StoredRun(id=name, name="posts.csv", command="publish", started_at=started_at, **more)


def a_row(number, run="r1", **more):
    return StoredRow(run=run, number=number, line=number + 1, job_id=f"{run}.{number}", request=b"{}", **more)


def an_event(at, run="r1", **more):
    return StoredEvent(run=run, at=at, kind="sent", **more)


async def add(store, *jobs, owner="A", lease_until=100.0):
    return await store.add(jobs, owner=owner, lease_until=lease_until)


def test_both_are_stores(store):
    assert isinstance(store, Store)
    assert isinstance(store, RunStore)
    assert isinstance(store, KnowsContents)
    assert isinstance(store, ClaimsPosts)


async def test_a_job_comes_back_as_it_was_added(stores):
    """Every member, with its parts; `may_repeat` is for the adding alone."""
    one, other = stores
    job = a_job(
        "j1",
        publisher="reelmirror",
        request=b'{"a":1}',
        submitted_at=12.5,
        content_key="k",
        due_at=99.5,
        before=b"earlier",
        run="run-1",
        retries="j0",
        warnings=b"[]",
        parts=(a_part("j1", 1), a_part("j1", 2, post_id="p2", sent_at=5.5)),
    )
    assert await add(one, job) == {}
    assert await other.job("j1") == job
    assert await other.job("j2") is None


async def test_the_same_content_is_added_once(stores):
    one, other = stores
    assert await add(one, a_job("j1", content_key="k")) == {}
    assert await add(other, a_job("j2", content_key="k"), a_job("j3", content_key="l"), owner="B") == {"j2": "j1"}
    assert await one.job("j2") is None
    assert await one.count() == (2, 0)


async def test_the_same_content_twice_in_one_batch_is_added_once(store):
    assert await add(store, a_job("j1", content_key="k"), a_job("j2", content_key="k")) == {"j2": "j1"}


async def test_what_may_repeat_is_added_beside_the_first(store):
    await add(store, a_job("j1", content_key="k"))
    assert await add(store, a_job("j2", content_key="k", may_repeat=True)) == {}
    assert await add(store, a_job("j3", content_key="k")) == {"j3": "j1"}


async def test_content_that_ended_without_anything_live_may_be_asked_for_again(store):
    await add(store, a_job("j1", content_key="k"), a_job("j2", content_key="l"))
    await store.settle("j1", b"not sent", owner="A", keep_content=False)
    await store.settle("j2", b"published", owner="A", keep_content=True)
    assert await add(store, a_job("j3", content_key="k"), a_job("j4", content_key="l")) == {"j4": "j2"}


async def test_a_repetition_keeps_the_content_known_when_the_first_is_forgotten(store):
    await add(store, a_job("j1", content_key="k"), a_job("j2", content_key="k", may_repeat=True))
    await store.settle("j1", b"not sent", owner="A", keep_content=False)
    assert await add(store, a_job("j3", content_key="k")) == {"j3": "j2"}


async def test_parts_are_written_and_written_over(stores):
    one, other = stores
    await add(one, a_job("j1"))
    await one.put([a_part("j1", 1), a_part("j1", 2)], owner="A")
    await one.put([a_part("j1", 2, b"sending", post_id="p", sent_at=7.0)], owner="A")
    assert (await other.job("j1")).parts == (a_part("j1", 1), a_part("j1", 2, b"sending", post_id="p", sent_at=7.0))


async def test_only_the_owner_writes(stores):
    """The fence: a write for a job that somebody else holds is refused, and nothing of it is written."""
    one, other = stores
    await add(one, a_job("j1"), a_job("j2"))
    await add(other, a_job("j3"), owner="B")
    with pytest.raises(LeaseLost):
        await other.put([a_part("j3"), a_part("j1")], owner="B")
    assert (await one.job("j3")).parts == ()
    with pytest.raises(LeaseLost):
        await other.settle("j1", b"published", owner="B", keep_content=True)
    assert (await one.job("j1")).outcome is None


async def test_a_write_for_a_job_that_was_never_added_is_refused(store):
    with pytest.raises(LeaseLost):
        await store.put([a_part("nobody")], owner="A")
    with pytest.raises(LeaseLost):
        await store.settle("nobody", b"published", owner="A", keep_content=True)


async def test_a_lease_that_ended_still_counts_until_somebody_takes_over(stores):
    """A machine that slept goes on where it was; only a take-over ends that, and then for good."""
    one, other = stores
    await add(one, a_job("j1"), lease_until=100.0)
    await one.put([a_part("j1")], owner="A")
    assert [job.id for job in await claim(other, now=100.0)] == ["j1"]
    with pytest.raises(LeaseLost, match="j1"):
        await one.put([a_part("j1", state=b"sending")], owner="A")
    await one.renew(owner="A", lease_until=1e9)
    with pytest.raises(LeaseLost):
        await one.put([a_part("j1", state=b"sending")], owner="A")
    assert (await one.job("j1")).parts == (a_part("j1"),)
    await other.put([a_part("j1", state=b"looking")], owner="B")


async def test_what_is_held_isnt_claimed(stores):
    one, other = stores
    await add(one, a_job("j1"), lease_until=100.0)
    assert await claim(other, now=99.9) == []
    await one.renew(owner="A", lease_until=150.0)
    assert await claim(other, now=149.0) == []
    assert len(await claim(other, now=150.0)) == 1
    assert await claim(one, owner="A", now=199.0) == []


async def test_claiming_takes_the_oldest_first_up_to_the_limit(stores):
    """With their parts, and never the same job for two."""
    one, other = stores
    await add(one, *(a_job(f"j{n:02}", parts=(a_part(f"j{n:02}"),)) for n in range(12)))
    first = await claim(one, "B", now=500.0, lease_until=600.0, limit=5)
    second = await claim(other, "C", now=500.0, lease_until=600.0, limit=50)
    assert [job.id for job in first] == [f"j{n:02}" for n in range(5)]
    assert [job.id for job in second] == [f"j{n:02}" for n in range(5, 12)]
    assert all(job.parts == (a_part(job.id),) for job in [*first, *second])


async def test_two_that_claim_at_once_share_the_jobs(stores):
    one, other = stores
    await add(one, *(a_job(f"j{n}") for n in range(40)))
    got = await asyncio.gather(
        *(claim(store, owner, now=500.0, lease_until=600.0, limit=15) for store, owner in ((one, "B"), (other, "C")))
    )
    taken = [job.id for jobs in got for job in jobs]
    assert len(taken) == len(set(taken)) == 30


async def test_jobs_of_publishers_that_arent_there_stay(store):
    """Who hasn't the key for a job leaves it to one who has."""
    await add(store, a_job("j1", publisher="reap"), a_job("j2", publisher="reelmirror"))
    assert [job.id for job in await claim(store, now=500.0, publishers=["reelmirror", "it's"])] == ["j2"]
    assert await claim(store, "C", now=900.0, lease_until=999.0, publishers=[]) == []
    assert await store.count() == (2, 0)


async def test_a_settled_job_is_never_claimed(stores):
    one, other = stores
    await add(one, a_job("j1"))
    await one.settle("j1", b"published", owner="A", keep_content=True)
    assert await claim(other, now=1e9) == []
    assert (await other.job("j1")).outcome == b"published"
    assert await other.count() == (0, 1)
    assert await other.owners() == []


async def test_an_outcome_can_be_followed_further(store):
    """A scheduled post is settled, and settled again once it is live."""
    await add(store, a_job("j1"))
    await store.settle("j1", b"scheduled", owner="A", keep_content=True)
    await store.settle("j1", b"published", owner="A", keep_content=True)
    assert (await store.job("j1")).outcome == b"published"


async def test_leases_that_are_given_up_are_free_at_once(stores):
    one, other = stores
    await add(one, a_job("j1"), a_job("j2"), a_job("j3"), lease_until=1e9)
    await add(other, a_job("j4"), owner="B", lease_until=1e9)
    assert sorted(await other.owners()) == ["A", "B"]
    await one.release(owner="A", job_ids=["j2", "j4", "nobody"])
    assert [job.id for job in await claim(other, "C", lease_until=1e9)] == ["j2"]
    await one.release(owner="A")
    assert [job.id for job in await claim(other, "C", lease_until=1e9)] == ["j1", "j3"]
    assert sorted(await one.owners()) == ["B", "C"]
    with pytest.raises(LeaseLost):
        await one.put([a_part("j1")], owner="A")


async def test_whose_posts_are_known_since_when(stores):
    """Only what has an id and was sent since then: others who look for a lost post leave those out."""
    one, other = stores
    await add(one, a_job("j1"), a_job("j2", parts=(a_part("j2", post_id="p3", sent_at=300.0),)))
    await one.put([a_part("j1", 1, post_id="p1", sent_at=100.0), a_part("j1", 2, sent_at=400.0)], owner="A")
    await one.put([a_part("j1", 3, post_id="p2", sent_at=200.0), a_part("j1", 4, post_id="p0")], owner="A")
    assert await other.posts_since(0.0) == {"p1", "p2", "p3"}
    assert await other.posts_since(200.0) == {"p2", "p3"}
    assert await other.posts_since(301.0) == frozenset()


# ---- what stands in the way of a job


async def test_a_job_that_is_there_already_isnt_added_and_stays_as_it_is(stores):
    """Its id is the fence: whoever submits it a second time is told, and the others of the batch are added."""
    one, other = stores
    first = a_job("j1", request=b"first", content_key="k", parts=(a_part("j1"),))
    await add(one, first)
    again = a_job("j1", request=b"again", parts=(a_part("j1", 1, b"anew"),), may_repeat=True)
    assert await add(other, again, a_job("j2"), owner="B") == {"j1": "j1"}
    assert await one.job("j1") == first
    await one.put([a_part("j1", 2)], owner="A")
    await one.settle("j1", b"not sent", owner="A", keep_content=False)
    assert await add(other, again, owner="B") == {"j1": "j1"}
    assert await one.count() == (1, 1)


async def test_one_id_twice_in_one_batch_is_added_once(store):
    assert await add(store, a_job("j1", request=b"a"), a_job("j1", request=b"b")) == {"j1": "j1"}
    assert (await store.job("j1")).request == b"a"


async def test_a_job_is_retried_once(stores):
    """Two processes that retry the same job at the same time don't both send it; a retry can be retried in turn."""
    one, other = stores
    await add(one, a_job("j1", content_key="k"))
    results = await asyncio.gather(
        add(one, a_job("a", retries="j1", content_key="k", may_repeat=True)),
        add(other, a_job("b", retries="j1", content_key="k", may_repeat=True), owner="B"),
    )
    assert sorted(map(str, results)) in (["{'a': 'b'}", "{}"], ["{'b': 'a'}", "{}"])
    (winner,) = {"a", "b"} - {name for result in results for name in result}
    assert await add(one, a_job("c", retries=winner)) == {}
    assert await add(one, a_job("d", retries="j1")) == {"d": winner}


async def test_a_retry_of_a_job_of_a_run_is_of_the_run(store):
    """Whoever retries may have the outcome alone, which doesn't tell."""
    await add(store, a_job("j1", run="r1"), a_job("j2"))
    await add(store, a_job("a", retries="j1"), a_job("b", retries="j2"), a_job("c", retries="nobody"))
    assert ids(await store.jobs("r1")) == ["j1", "a"]


async def test_the_last_of_the_parts_is_written_with_the_outcome_or_not_at_all(stores):
    one, other = stores
    await add(one, a_job("j1", parts=(a_part("j1"),)))
    await one.settle("j1", b"failed", owner="A", keep_content=False, parts=[a_part("j1", 1, b"settled")])
    assert (await other.job("j1")).parts == (a_part("j1", 1, b"settled"),)
    with pytest.raises(LeaseLost):
        await other.settle("j1", b"mine", owner="B", keep_content=False, parts=[a_part("j1", 1, b"mine")])
    assert (await other.job("j1")).parts == (a_part("j1", 1, b"settled"),)


# ---- recalling a run


async def test_recalling_takes_what_is_settled_and_what_nobody_holds(stores):
    """In the order in which they were added, with parts and outcomes; others' runs and publishers are left alone."""
    one, other = stores
    await add(one, a_job("held", run="r1"), lease_until=1000.0)
    await add(
        one,
        a_job("over", run="r1"),
        a_job("settled", run="r1", parts=(a_part("settled"),)),
        a_job("elsewhere", run="r2"),
        a_job("theirs", run="r1", publisher="reelmirror"),
        a_job("nowhere"),
        lease_until=100.0,
    )
    await add(one, a_job("free", run="r1"), lease_until=1000.0)
    await one.release(owner="A", job_ids=["free"])
    await one.settle("settled", b"scheduled", owner="A", keep_content=True)
    assert ids(await recall(other, now=99.0)) == ["settled", "free"]
    found = await recall(other, now=100.0)
    assert ids(found) == ["over", "settled"]
    assert found[1] == a_job("settled", run="r1", outcome=b"scheduled", parts=(a_part("settled"),))
    assert await recall(other, run="nothing") == []
    assert await recall(other, publishers=()) == []
    assert ids(await recall(other, "r2", now=500.0)) == ["elsewhere"]


async def test_recalling_some_jobs_leaves_the_others_where_they_are(stores):
    one, other = stores
    await add(one, *(a_job(f"j{n}", run="r1") for n in range(4)), a_job("x", run="r2"))
    await one.settle("j1", b"scheduled", owner="A", keep_content=True)
    await one.settle("j2", b"scheduled", owner="A", keep_content=True)
    assert ids(await recall(other, now=500.0, job_ids=["j3", "j1", "x", "nobody"])) == ["j1", "j3"]
    assert await recall(other, now=500.0, job_ids=[]) == []
    assert await other.held("r1", now=0.0) == {"j0": "A", "j3": "B"}
    await one.settle("j2", b"published", owner="A", keep_content=True)
    with pytest.raises(LeaseLost):
        await one.settle("j1", b"published", owner="A", keep_content=True)


async def test_who_recalls_a_settled_job_is_the_one_who_rewrites_its_outcome(stores):
    one, other = stores
    await add(one, a_job("j1", run="r1", content_key="k"))
    await one.settle("j1", b"scheduled", owner="A", keep_content=True)
    await recall(other)
    with pytest.raises(LeaseLost):
        await one.settle("j1", b"published", owner="A", keep_content=True)
    await other.settle("j1", b"cancelled", owner="B", keep_content=False)
    assert (await one.job("j1")).outcome == b"cancelled"
    assert await one.same_content(["k"]) == {}
    assert ids(await recall(one, owner="A")) == ["j1"]


async def test_what_its_owner_recalls_isnt_handed_out_twice(store):
    """A job under way here is known here: only settled ones come again."""
    await add(store, a_job("j1", run="r1"), a_job("j2", run="r1"), owner="B", lease_until=10.0)
    await store.settle("j2", b"published", owner="B", keep_content=True)
    assert ids(await recall(store, now=1000.0)) == ["j2"]
    assert ids(await recall(store, owner="C", now=1000.0)) == ["j1", "j2"]


async def test_two_that_recall_at_once_never_hold_one_job_both(stores):
    one, other = stores
    await add(one, *(a_job(f"j{n}", run="r1") for n in range(40)))
    await one.settle("j3", b"published", owner="A", keep_content=True)
    got = await asyncio.gather(
        *(recall(store, owner=owner, now=500.0, lease_until=600.0) for store, owner in ((one, "B"), (other, "C")))
    )
    unfinished = [job.id for jobs in got for job in jobs if job.outcome is None]
    assert len(unfinished) == len(set(unfinished)) == 39
    assert all("j3" in ids(jobs) for jobs in got)
    held = await one.held("r1", now=500.0)
    assert len(held) == 39
    assert set(held.values()) in ({"B"}, {"C"})


async def test_claiming_can_be_for_one_run_alone(store):
    await add(store, a_job("j1", run="r1"), a_job("j2", run="r2"), a_job("j3"), a_job("j4", run="r2"))
    assert ids(await claim(store, now=500.0, lease_until=600.0, run="r2", limit=1)) == ["j2"]
    assert ids(await claim(store, now=500.0, lease_until=600.0, run="r2")) == ["j4"]
    assert ids(await claim(store, now=500.0, lease_until=600.0)) == ["j1", "j3"]


async def test_who_holds_what_of_a_run(stores):
    one, other = stores
    await add(one, *(a_job(f"j{n}", run="r1") for n in range(4)), a_job("j9", run="r2"), lease_until=100.0)
    await one.settle("j0", b"published", owner="A", keep_content=True)
    await one.release(owner="A", job_ids=["j1"])
    assert await other.held("r1", now=99.0) == {"j2": "A", "j3": "A"}
    assert await other.held("r1", now=100.0) == {}
    assert await other.held("nothing", now=0.0) == {}


# ---- runs


async def test_a_run_comes_back_with_its_rows_in_their_order(stores):
    one, other = stores
    run = a_run(info=b'{"a":1}')
    rows = [a_row(3), a_row(1, outcome=b"refused"), a_row(2)]
    await one.add_run(run, rows)
    assert await other.run("r1") == run
    assert await other.rows("r1") == [rows[1], rows[2], rows[0]]
    assert await other.run("r2") is None
    assert await other.rows("r2") == []
    assert await other.jobs("r1") == []


@pytest.mark.parametrize("rows", [[a_row(1), a_row(1)], [a_row(1), a_row(1, run="r0")]], ids=["twice", "another's"])
async def test_a_run_is_added_whole_or_not_at_all(store, rows):
    await store.add_run(a_run("r0"), [])
    with pytest.raises(StoreError):
        await store.add_run(a_run(), rows)
    assert await store.run("r1") is None
    assert await store.rows("r1") == []
    with pytest.raises(StoreError, match="there is a run 'r0' already"):
        await store.add_run(a_run("r0"), [a_row(1, run="r0")])
    assert await store.rows("r0") == []


async def test_the_latest_runs_come_first(stores):
    one, other = stores
    for name, started_at in (("a", 30.0), ("b", 10.0), ("c", 20.0), ("d", 20.0)):
        await one.add_run(a_run(name, started_at), [])
    assert ids(await other.runs()) == ["a", "d", "c", "b"]
    assert ids(await other.runs(limit=2)) == ["a", "d"]


async def test_rows_that_never_became_jobs_get_their_outcome_and_nothing_else(stores):
    one, other = stores
    await one.add_run(a_run(), [a_row(1, own=b'{"_note": 1}'), a_row(2), a_row(3)])
    ended = StoredRow(run="r1", number=2, line=99, job_id="other", request=b"other", outcome=b"refused")
    await one.settle_rows([ended, a_row(7, outcome=b"nobody"), a_row(1, run="r9", outcome=b"nobody")])
    assert await other.rows("r1") == [a_row(1, own=b'{"_note": 1}'), a_row(2, outcome=b"refused"), a_row(3)]
    await one.settle_rows([a_row(2, outcome=b"published")])
    assert (await other.rows("r1"))[1].outcome == b"published"


async def test_the_jobs_of_a_run_come_with_their_parts_and_retries(stores):
    one, other = stores
    jobs = [a_job(f"j{n}", run="r1", parts=(a_part(f"j{n}", 1), a_part(f"j{n}", 2))) for n in range(3)]
    retry = a_job("again", run="r1", retries="j0", before=b"failed")
    await add(one, *jobs, a_job("x", run="r2"), a_job("y"), retry)
    assert await other.jobs("r1") == [*jobs, retry]


async def test_what_happened_is_numbered_and_read_on_from_any_number(stores):
    one, other = stores
    await one.add_run(a_run(), [])
    await one.add_run(a_run("r2"), [])
    await one.add_events([an_event(1.0), an_event(2.0, "r2"), an_event(2.5, job_id="j1", data=b"[1]")])
    first = await other.events("r1")
    assert [event for _, event in first] == [an_event(1.0), an_event(2.5, job_id="j1", data=b"[1]")]
    await other.add_events([an_event(0.5)])
    later = await one.events("r1", after=first[-1][0])
    assert [event for _, event in later] == [an_event(0.5)]
    assert later[0][0] > first[-1][0] > first[0][0]
    assert await one.events("r1", after=later[0][0]) == []
    assert await one.events("r9") == []


async def test_events_of_a_run_that_isnt_there_are_refused_together(store):
    await store.add_run(a_run(), [])
    with pytest.raises(StoreError):
        await store.add_events([an_event(1.0), an_event(2.0, "r9")])
    assert await store.events("r1") == []


async def test_which_contents_are_known(stores):
    one, other = stores
    await add(one, a_job("j1", content_key="k"), a_job("j2", content_key="k", may_repeat=True))
    await add(one, a_job("j3", content_key="it's"), a_job("j4", content_key="m"))
    await one.settle("j4", b"not sent", owner="A", keep_content=False)
    assert await other.same_content(["k", "it's", "m", "n"]) == {"k": "j1", "it's": "j3"}
    assert await other.same_content([]) == {}


async def test_a_post_that_two_found_is_the_first_ones(stores):
    one, other = stores
    await add(one, a_job("j1", parts=(a_part("j1", 1),)), a_job("j2", parts=(a_part("j2", 1),)))
    found = a_part("j1", state=b"found", post_id="p1", sent_at=100.0)
    assert await one.claim_post(found, owner="A", since=50.0) is None
    assert (await other.job("j1")).parts == (found,)
    too_late = a_part("j2", state=b"found", post_id="p1", sent_at=101.0)
    assert await other.claim_post(too_late, owner="A", since=50.0) == "j1.1"
    assert (await one.job("j2")).parts == (a_part("j2", 1),)
    assert await one.claim_post(found, owner="A", since=50.0) is None
    assert await other.claim_post(too_late, owner="A", since=100.5) is None
    with pytest.raises(LeaseLost):
        await one.claim_post(a_part("j2", post_id="p2", sent_at=1.0), owner="B", since=0.0)


async def test_which_of_two_alike_was_remembered_first(stores):
    """Whoever asks, and in whatever order: of two jobs that others would call by each other's keys one is earlier."""
    one, other = stores
    await add(one, a_job("j1", content_key="by name"), a_job("j2", content_key="m"))
    await add(other, a_job("j3", content_key="by id"), a_job("j4", content_key="by name", may_repeat=True), owner="B")
    keys = ["by name", "by id"]
    asked = {"j1": keys, "j2": keys, "j3": keys, "j4": keys, "j9": keys}
    assert await one.asked_before(asked) == await other.asked_before(asked) == {"j2": "j1", "j3": "j1", "j4": "j1"}
    await one.settle("j1", b"not sent", owner="A", keep_content=False)
    assert await other.asked_before(asked) == {"j4": "j3"}
    assert await one.asked_before({}) == {}


# ---- many at once


async def test_many_writers_at_once_all_get_their_answer(store):
    """One of them fails, and only that one."""

    async def one(number):
        await add(store, a_job(f"j{number}", content_key=f"k{number % 30}"))
        await store.put([a_part(f"j{number}")], owner="Z" if number == 7 else "A")

    results = await asyncio.gather(*(one(number) for number in range(60)), return_exceptions=True)
    failed = [number for number, result in enumerate(results) if result is not None]
    # 30 and above have the content of one before them and so were never added.
    assert failed == [7, *range(30, 60)]
    assert all(isinstance(results[number], LeaseLost) for number in failed)
    assert await store.count() == (30, 0)


async def test_opening_and_closing_again_does_nothing(store):
    await store.open()
    await add(store, a_job("j1"))
    await store.close()
    await store.close()
    await store.open()
    assert await store.count() == (1, 0)


async def test_a_file_keeps_everything_over_a_restart(tmp_path):
    first = SqliteStore(tmp_path / "jobs.db")
    await first.open()
    await add(first, a_job("j1", content_key="k", parts=(a_part("j1"),)), a_job("j2"))
    await first.settle("j2", b"published", owner="A", keep_content=True)
    await first.close()
    with pytest.raises(StoreError, match="isn't open"):
        await first.count()
    second = SqliteStore(str(tmp_path / "jobs.db"))
    await second.open()
    assert await second.count() == (1, 1)
    assert await second.job("j1") == a_job("j1", content_key="k", parts=(a_part("j1"),))
    assert await add(second, a_job("j3", content_key="k")) == {"j3": "j1"}
    await second.close()
    assert str(tmp_path / "jobs.db") in repr(second)
