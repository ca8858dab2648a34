"""Runs are noted before anything is sent, found again by what people type, and told as the store has them."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from attrs import evolve

from reelpub import Account, Delivery, DeliveryStatus, GeneratedPost, Outcome, OutcomeStatus, Problem, PublishRequest
from reelpub.bulk import begin, find, latest, load, opened
from reelpub.errors import ConfigurationError, StoreError
from reelpub.manifest.rows import ManifestRow, Place, RowProblem
from reelpub.models.problem import Severity
from reelpub.store import MemoryStore, SqliteStore, StoredEvent, StoredJob, StoredRun, codec
from reelpub.store.owner import new_owner

NOW = datetime(2026, 11, 22, 5, 30, tzinfo=UTC)


def row(number, **members):
    request = PublishRequest(GeneratedPost(f"post-{number}"), caption=f"c{number}")
    return ManifestRow(number=number, line=number + 1, request=members.pop("request", request), **members)


def wrong(number, severity=Severity.ERROR):
    problem = Problem(field="accounts", message="is empty", severity=severity)
    return (RowProblem(row=number, place=Place(line=number + 1), problem=problem),)


@pytest.fixture
async def store(tmp_path):
    async with opened(SqliteStore(tmp_path / "runs.db")) as made:
        yield made


async def begun(store, count=3, **members):
    asked = {"name": "posts.csv", "command": "publish", "now": NOW} | members
    return await begin(store, [row(n) for n in range(1, count + 1)], **asked)


async def test_a_store_is_let_go_of_although_the_scope_around_it_was_cancelled(tmp_path):
    """What is being written at that moment is awaited; the file, and the thread that writes it, stay nobody's."""
    store, made = SqliteStore(tmp_path / "runs.db"), []
    with anyio.CancelScope() as scope:
        async with opened(store):
            write, loop = store._commit, asyncio.get_running_loop()

            def commit(writes):
                loop.call_soon_threadsafe(scope.cancel)
                time.sleep(0.03)
                made.extend(write(writes))
                return made

            store._commit = commit
            await begun(store)
    assert scope.cancelled_caught
    assert made == [None]
    assert store._thread is None


# ---- beginning


async def test_columns_of_ones_own_are_kept_with_their_row(store):
    """Whatever JSON has, whole numbers of any size and halves of surrogate pairs too."""
    own = {"_note": "a\ud800", "_size": 10**30, "_list": [1.5, None, {"x": True}]}
    run = await begin(store, [row(1, own=own), row(2)], name="posts.jsonl", command="publish", now=NOW)
    assert [one.own for one in (await load(store, run)).rows] == [own, {}]


async def test_a_run_is_noted_with_its_sound_rows_and_nothing_else(store):
    """Rows with errors, and rows that an earlier run brought live, are left out; a warning leaves a row in."""
    rows = [
        row(1),
        row(2, problems=wrong(2)),
        row(3, skip="it is live"),
        row(4, problems=wrong(4, Severity.WARNING)),
        row(5, request=None, problems=wrong(5)),
    ]
    run = await begin(store, iter(rows), name="posts.csv", command="publish", now=NOW, info={"zone": "Europe/Oslo"})
    stored = await store.run(run)
    assert (stored.name, stored.command, stored.started_at) == ("posts.csv", "publish", NOW.timestamp())
    assert stored.info == b'{"zone":"Europe/Oslo","rows":2}'
    assert [(one.number, one.line, one.job_id) for one in await store.rows(run)] == [
        (1, 2, f"{run}.1"),
        (4, 5, f"{run}.4"),
    ]
    record = await load(store, run)
    assert [one.request for one in record.rows] == [rows[0].request, rows[3].request]
    assert {one.outcome for one in record.rows} == {None}
    assert record.ended_at is None
    assert record.started_at == NOW


async def test_a_run_of_nothing_is_wrong_use(store):
    with pytest.raises(ConfigurationError, match=r"posts\.csv: there is no row to run; 2 have errors or were run"):
        await begin(store, [row(1, skip="live"), row(2, problems=wrong(2))], name="posts.csv", command="x", now=NOW)
    assert await latest(store) is None


async def test_an_id_that_is_taken_is_drawn_again(store, monkeypatch):
    first = await begun(store)
    drawn = iter([first, first, "261122-zzzz"])
    monkeypatch.setattr("reelpub.bulk.beginning.new_run_id", lambda now: next(drawn))
    assert await begun(store) == "261122-zzzz"


async def test_a_store_that_isnt_open_is_told(tmp_path):
    with pytest.raises(StoreError, match="isn't open"):
        await begun(SqliteStore(tmp_path / "runs.db"))


# ---- finding


async def named(store, *ids):
    for minute, name in enumerate(ids):
        started_at = NOW.timestamp() + 60 * minute
        await store.add_run(StoredRun(id=name, name=f"{name}.csv", command="publish", started_at=started_at), [])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("261122-k3f9", "261122-k3f9"),
        ("261123", "261123-abcd"),
        ("k3", "261122-k3f9"),
        ("abce", "261124-abce"),
        ("latest", "261124-abce"),
    ],
)
async def test_a_run_is_found_by_what_people_type(store, text, meant):
    await named(store, "261122-k3f9", "261123-abcd", "261124-abce")
    assert await find(store, text) == meant
    assert await latest(store) == "261124-abce"


async def test_what_can_mean_several_is_told_with_those_that_it_can_mean(store):
    await named(store, "261122-k3f9", "261123-abcd", "261124-abce")
    with pytest.raises(ConfigurationError, match=r"can mean 2: 261124-abce \(261124-abce.csv\), 261123-abcd"):
        await find(store, "abc")


async def test_what_means_none_is_told_with_the_nearest(store):
    await named(store, "261122-k3f9", "261123-abcd", "261124-mmmm", "261125-nnnn")
    with pytest.raises(ConfigurationError, match=r"no '261122-k3fg'; did you mean one of .*261122-k3f9"):
        await find(store, "261122-k3fg")
    with pytest.raises(ConfigurationError, match=r"did you mean one of 261125-nnnn .*, …\?"):
        await load(store, "")


@pytest.mark.parametrize("text", ["latest", "x", ""])
async def test_a_store_without_runs_says_how_to_begin_one(store, text):
    with pytest.raises(ConfigurationError, match="`reelpub publish FILE` begins one"):
        await find(store, text)


# ---- telling


def outcome(job, status, *, settled_at=NOW):
    account = Account(id="a", provider="reap", platform="x", username="acme")
    done = Delivery(account=account, status=DeliveryStatus.PUBLISHED)
    request = PublishRequest(GeneratedPost("post-1"))
    return codec.dump_outcome(
        Outcome(
            request=request,
            job_id=job,
            publisher="reap",
            status=status,
            deliveries=(done,) if status is OutcomeStatus.PUBLISHED else (),
            settled_at=settled_at,
        )
    )


async def stored(store, run, name, *, retries=None, as_outcome=None):
    request = codec.dump_request(PublishRequest(GeneratedPost(name)))
    job = StoredJob(id=name, publisher="reap", request=request, submitted_at=1.0, run=run, retries=retries)
    owner = new_owner()
    assert await store.add([job], owner=owner, lease_until=0) == {}
    if as_outcome is not None:
        await store.settle(name, as_outcome, owner=owner, keep_content=True)


@pytest.fixture(params=["memory", "sqlite"])
async def either(request, tmp_path):
    async with opened(MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "r.db")) as made:
        yield made


async def test_each_row_is_told_by_its_latest_job_by_its_own_outcome_or_by_nothing(either):
    run = await begun(either, 5)
    late = NOW + timedelta(minutes=5)
    await stored(either, run, f"{run}.1", as_outcome=outcome(f"{run}.1", OutcomeStatus.FAILED))
    await stored(either, run, f"{run}.2")
    await stored(
        either, run, "job_a", retries=f"{run}.1", as_outcome=outcome("job_a", OutcomeStatus.PUBLISHED, settled_at=late)
    )
    rows = {one.number: one for one in await either.rows(run)}
    refused = outcome(f"{run}.3", OutcomeStatus.REFUSED)
    await either.settle_rows([evolve(rows[3], outcome=refused)])
    record = await load(either, run)
    assert [(one.job_id, one.status, one.is_settled) for one in record.rows] == [
        ("job_a", OutcomeStatus.PUBLISHED, True),
        (f"{run}.2", OutcomeStatus.PENDING, False),
        (f"{run}.3", OutcomeStatus.REFUSED, True),
        (f"{run}.4", OutcomeStatus.PENDING, False),
        (f"{run}.5", OutcomeStatus.PENDING, False),
    ]
    assert record.rows[1].outcome is not None, "it was submitted"
    assert record.rows[3].outcome is None, "it wasn't"
    assert record.ended_at is None
    assert record.counts == {OutcomeStatus.PUBLISHED: 1, OutcomeStatus.REFUSED: 1, OutcomeStatus.PENDING: 3}


async def test_a_run_has_ended_when_its_last_row_has(either):
    run = await begun(either, 2)
    late = NOW + timedelta(minutes=5)
    await stored(either, run, f"{run}.1", as_outcome=outcome(f"{run}.1", OutcomeStatus.PUBLISHED, settled_at=late))
    await stored(either, run, f"{run}.2", as_outcome=outcome(f"{run}.2", OutcomeStatus.PUBLISHED))
    assert (await load(either, run)).ended_at == late


async def test_what_happened_stands_with_its_row_in_the_order_of_time(either):
    """A retry's moments are its row's; what is about no row is the run's; what is of no row here is left out."""
    run = await begun(either, 2)
    await stored(either, run, f"{run}.1", as_outcome=outcome(f"{run}.1", OutcomeStatus.FAILED))
    await stored(either, run, "job_a", retries=f"{run}.1")

    def event(at, kind, job=None, data=b'{"text":"t"}'):
        return StoredEvent(run=run, at=at, kind=kind, job_id=job, data=data)

    budget = b'{"publisher":"reap","limit":10,"window":60.0,"used":1,"waiting":2,"requests":3}'
    await either.add_events(
        [
            event(2.0, "settled", f"{run}.1"),
            event(1.0, "sent", f"{run}.1"),
            event(3.0, "queued", "job_a"),
            event(4.0, "queued", "job_elsewhere"),
            event(5.0, "missed"),
            event(6.0, "held"),
            event(7.0, "something newer"),
            event(8.0, "budget", data=budget),
        ]
    )
    record = await load(either, run)
    assert [(one.kind, one.at.timestamp()) for one in record.rows[0].moments] == [
        ("sent", 1.0),
        ("settled", 2.0),
        ("queued", 3.0),
    ]
    assert record.rows[1].moments == ()
    assert [one.kind for one in record.moments] == ["missed", "held"]
    assert [(one.publisher, one.used, one.waiting, one.requests) for one in record.samples] == [("reap", 1, 2, 3)]


async def test_many_rows_are_read_without_holding_up_the_loop(store):
    """Some hundred rows at a time; nothing of them is lost on the way."""
    run = await begun(store, 450)
    await store.add_events(
        [StoredEvent(run=run, at=n, kind="queued", job_id=f"{run}.{n}") for n in range(1, 451) for _ in range(5)]
    )
    record = await load(store, run)
    assert [one.number for one in record.rows] == list(range(1, 451))
    assert {len(one.moments) for one in record.rows} == {5}


async def test_requests_that_arent_rows_are_refused_before_anything_is_noted(store):
    with pytest.raises(ConfigurationError, match=r"rows\[1\]: has to be a ManifestRow, not PublishRequest"):
        await begin(store, [row(1), row(2).request], name="posts.csv", command="publish", now=NOW)
    assert await store.runs() == []
