"""What a store promises, asked of both: the one in memory and the one in a file that two processes have open."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from reelpub.errors import LeaseLost, StoreError
from reelpub.store import MemoryStore, SqliteStore, Store, StoredJob, StoredPart


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


async def claim(store, owner="B", *, now=0.0, lease_until=200.0, limit=100, publishers=("reap",)):
    return await store.claim(publishers=publishers, owner=owner, now=now, lease_until=lease_until, limit=limit)


async def add(store, *jobs, owner="A", lease_until=100.0):
    return await store.add(jobs, owner=owner, lease_until=lease_until)


def test_both_are_stores(store):
    assert isinstance(store, Store)


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
    ids = [job.id for jobs in got for job in jobs]
    assert len(ids) == len(set(ids)) == 30


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
