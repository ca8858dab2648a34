"""A file that can't be written, read or understood is a clear error before anything is sent."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest

from reelpub import MediaItems, Orchestrator, OutcomeStatus, PublishRequest, StoreError
from reelpub.store import SqliteStore, StoredJob, StoredPart, StoredRow, StoredRun, schema
from reelpub.testing import InMemoryPublisher, run_virtual


@pytest.fixture
def path(tmp_path):
    return tmp_path / "jobs.db"


def a_job(name, size=10):
    return StoredJob(id=name, publisher="memory", request=b"x" * size, submitted_at=0.0)


def a_run(name):
    return StoredRun(id=name, name="posts.csv", command="publish", started_at=0.0)


def a_row(run, number, size=10):
    return StoredRow(run=run, number=number, line=number, job_id=f"{run}.{number}", request=b"x" * size)


async def add(store, *jobs):
    return await store.add(jobs, owner="A", lease_until=1e9)


async def make(path):
    store = SqliteStore(path)
    await store.open()
    await add(store, a_job("j1"))
    await store.close()


def requests(count, caption="c"):
    return [PublishRequest(MediaItems([f"m{n}"]), caption=caption, accounts=["tiktok:acme"]) for n in range(count)]


class SmallDisk(SqliteStore):
    """A store on a disk with room for so many pages of 4 KB."""

    pages = 40

    def _connect(self):
        db = super()._connect()
        db.execute(f"PRAGMA max_page_count={self.pages}")
        return db

    async def grow(self, pages):
        await self._run(lambda: self._db.execute(f"PRAGMA max_page_count={pages}"))


# ---- what can't be opened


async def test_a_file_of_a_newer_version_is_refused_and_left_alone(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={schema.VERSION + 1}")
    with pytest.raises(
        StoreError, match=rf"is of version {schema.VERSION + 1}, and this is for {schema.VERSION}; upgrade"
    ):
        await SqliteStore(path).open()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION + 1,)
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


async def test_an_older_file_is_brought_up_to_date_with_what_is_in_it(path, monkeypatch):
    store = SqliteStore(path)
    await store.open()
    await add(store, a_job("j1"))
    await store.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("ALTER TABLE jobs ADD COLUMN note TEXT",)))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    newer = SqliteStore(path)
    await newer.open()
    assert await newer.count() == (1, 0)
    await newer.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT id, note FROM jobs").fetchall() == [("j1", None)]
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


async def test_a_migration_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    store = SqliteStore(path)
    await store.open()
    await store.close()
    steps = ("CREATE TABLE half (id TEXT)", "CREATE TABLE nonsense (")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, steps))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(StoreError, match=r"syntax error|incomplete input"):
        await SqliteStore(path).open()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION - 1,)
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name='half'").fetchone() == (0,)


VERSION_1 = """
CREATE TABLE jobs (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, publisher TEXT NOT NULL, request BLOB NOT NULL,
 submitted_at REAL NOT NULL, content_key TEXT, due_at REAL, before BLOB, outcome BLOB, run TEXT, owner TEXT,
 lease_until REAL NOT NULL DEFAULT 0) STRICT;
CREATE INDEX unfinished ON jobs (seq) WHERE outcome IS NULL;
CREATE INDEX owned ON jobs (owner) WHERE outcome IS NULL;
CREATE INDEX content ON jobs (content_key) WHERE content_key IS NOT NULL;
CREATE INDEX runs ON jobs (run) WHERE run IS NOT NULL;
CREATE TABLE parts (id TEXT PRIMARY KEY, job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
 state BLOB NOT NULL, post_id TEXT, sent_at REAL) STRICT;
CREATE INDEX parts_of ON parts (job_id);
CREATE INDEX posts ON parts (sent_at, post_id) WHERE post_id IS NOT NULL;
PRAGMA user_version=1;
"""
"""What version 1 made a file with, spelt out: a released step never changes."""


async def test_a_file_of_version_1_is_brought_up_to_date_with_what_is_in_it(path):
    """Jobs, parts, leases and contents stay; the file takes runs and retries, and a second opening changes nothing."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(VERSION_1)
        job = ("j1", "memory", b"{}", 12.5, "k", 99.0, b"before", "run-1", "A", 50.0)
        db.execute(
            "INSERT INTO jobs (id, publisher, request, submitted_at, content_key, due_at, before, run, owner,"
            " lease_until) VALUES (?,?,?,?,?,?,?,?,?,?)",
            job,
        )
        db.execute("INSERT INTO parts VALUES ('j1.1', 'j1', x'61', 'p', 5.0)")
        db.commit()
    for _ in range(2):
        store = SqliteStore(path)
        await store.open()
        part = StoredPart(id="j1.1", job_id="j1", state=b"a", post_id="p", sent_at=5.0)
        assert await store.jobs("run-1") == [
            StoredJob(
                id="j1",
                publisher="memory",
                request=b"{}",
                submitted_at=12.5,
                content_key="k",
                due_at=99.0,
                before=b"before",
                run="run-1",
                parts=(part,),
            )
        ]
        assert await store.held("run-1", now=49.0) == {"j1": "A"}
        await store.close()
    store = SqliteStore(path)
    await store.open()
    await store.add_run(a_run("r"), [a_row("r", 1)])
    again = StoredJob(id="j2", publisher="memory", request=b"{}", submitted_at=1.0, run="r", retries="j1")
    assert await add(store, again) == {}
    assert (await store.job("j2")).retries == "j1"
    assert await store.rows("r") == [a_row("r", 1)]
    await store.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_first_step_is_what_version_1_was():
    """So that the test above is about the files that are out there."""

    def tables(script):
        with closing(sqlite3.connect(":memory:")) as db:
            db.executescript(script)
            found = db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
            return {name: "".join((sql or "").split()) for name, sql in found}

    assert tables(";".join(schema.MIGRATIONS[0])) == tables(VERSION_1)


async def test_something_else_than_a_database_is_refused(path):
    path.write_bytes(b"a letter to somebody, of some length" * 100)
    with pytest.raises(StoreError, match="not a database"):
        await SqliteStore(path).open()
    assert path.read_bytes().startswith(b"a letter")


@pytest.mark.parametrize("where", ["", "no/such/folder/jobs.db"], ids=["a folder", "in no folder"])
async def test_a_path_that_cant_be_a_file_is_refused(tmp_path, where):
    with pytest.raises(StoreError, match="unable to open"):
        await SqliteStore(tmp_path / where).open()


async def test_an_orchestrator_doesnt_open_without_its_store(path):
    path.write_bytes(b"not a database" * 100)
    publisher = InMemoryPublisher()
    with pytest.raises(StoreError):
        async with Orchestrator([publisher], store=SqliteStore(path)):
            pass
    assert publisher.requests == {}
    await publisher.close()


async def test_a_store_that_isnt_open_says_so(path):
    with pytest.raises(StoreError, match="isn't open"):
        await SqliteStore(path).count()


AT_ONCE = """
import multiprocessing, sys
from reelpub import StoreError
from reelpub.store import SqliteStore

def work(folder, barrier, failures):
    for number in range(60):
        barrier.wait()
        try:
            SqliteStore(f"{folder}/{number}.db")._connect().close()
        except StoreError as error:
            failures.put(str(error))

context = multiprocessing.get_context("fork")
barrier, failures = context.Barrier(4), context.Queue()
workers = [context.Process(target=work, args=(sys.argv[1], barrier, failures)) for _ in range(4)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(sum(worker.exitcode != 0 for worker in workers), failures.qsize(), failures.get() if failures.qsize() else "")
"""


def test_processes_that_make_the_file_at_once_all_get_it(tmp_path):
    command = [sys.executable, "-c", AT_ONCE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["0", "0"], done.stdout


AS_NOBODY = """
import asyncio, json, os, sys
from reelpub import MediaItems, Orchestrator, PublishRequest, StoreError
from reelpub.store import SqliteStore
from reelpub.testing import InMemoryPublisher
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)

async def main():
    publisher = InMemoryPublisher()
    told = None
    try:
        async with Orchestrator([publisher], store=SqliteStore(sys.argv[1])) as orchestrator:
            await orchestrator.publish(PublishRequest(MediaItems(["m"]), accounts=["tiktok:acme"]))
    except StoreError as error:
        told = str(error)
    await publisher.close()
    print(json.dumps({"told": told, "requests": dict(publisher.requests)}))

asyncio.run(main())
"""


@pytest.mark.parametrize("which", ["file", "folder"])
def test_a_file_or_folder_that_is_read_only_is_told_at_opening(which):
    folder = Path(tempfile.mkdtemp())
    try:
        asyncio.run(make(folder / "jobs.db"))
        if which == "file":
            folder.chmod(0o777)
            (folder / "jobs.db").chmod(0o444)
        else:
            (folder / "jobs.db").chmod(0o666)
            folder.chmod(0o555)
        command = [sys.executable, "-c", AS_NOBODY, str(folder / "jobs.db")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=os.environ)
    finally:
        folder.chmod(0o777)
        shutil.rmtree(folder)
    said = json.loads(done.stdout)
    assert said["requests"] == {}
    assert "readonly" in said["told"] or "unable to open" in said["told"]


WITHIN = """
import asyncio, resource, sys
from reelpub import StoreError
from reelpub.store import SqliteStore

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    asyncio.run(SqliteStore(sys.argv[1]).open())
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize("size", [4096, 32 * 1024])
def test_a_file_that_may_not_grow_is_told_as_what_it_is(path, size):
    """As under `ulimit -f`. SQLite takes everything back by itself then: there is nothing left to roll back."""
    command = [sys.executable, "-c", WITHIN, str(path), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "disk I/O error; nothing was sent" in done.stdout


def test_a_read_that_sqlite_takes_back_tells_why(path):
    """The reading's own error, not that there is no transaction to end any more."""

    def fails(db):
        db.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    store = SqliteStore(path)
    store._connect_once()
    with closing(store._db), pytest.raises(StoreError, match=r"disk I/O error$"):
        store._look(fails)


# ---- what fails once it is open


async def test_a_full_disk_is_a_clear_error_and_spoils_nothing_written_before(path):
    store = SmallDisk(path)
    await store.open()
    await add(store, a_job("j1"))
    with pytest.raises(StoreError, match="full"):
        await add(store, a_job("big", size=400_000))
    assert await store.count() == (1, 0)
    await add(store, a_job("j2"))
    assert await store.count() == (2, 0)
    await store.close()


def test_on_a_full_disk_nothing_is_sent_and_nothing_is_sent_twice_once_there_is_room(path):
    """What couldn't be noted ends as not sent, with the reason; sent again later, it is live once, resumed or not."""

    async def story(clock):
        publisher = InMemoryPublisher(clock=clock)
        store = SmallDisk(path)
        async with Orchestrator([publisher], store=store, clock=clock) as orchestrator:
            first = await orchestrator.publish_many(requests(3))
            await store.grow(1)
            report = await orchestrator.publish_many(requests(60, caption="x" * 2000))
            assert {outcome.status for outcome in report} == {OutcomeStatus.NOT_SENT}
            assert all("full" in outcome.reason for outcome in report)
            assert publisher.requests["publish"] == 3
            await store.grow(10_000)
            again = await orchestrator.retry_failed_many(report)
            assert again.is_success
            assert first.is_success
        async with Orchestrator([InMemoryPublisher(clock=clock)], store=SqliteStore(path), clock=clock) as next_run:
            assert await next_run.resume() == []
            assert await next_run.unfinished() == 0
        assert len(publisher.live["tiktok-acme"]) == 63

    run_virtual(story)


class Filling(InMemoryPublisher):
    """Calls something once a post is prepared: after its job was noted, before its attempt is."""

    def __init__(self, then, **options):
        super().__init__(**options)
        self.then = then

    async def prepare(self, part):
        self.then()
        return await super().prepare(part)


def locked(path):
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("BEGIN IMMEDIATE")
    return db


@pytest.mark.parametrize("when", ["before it is taken on", "before its attempt"])
def test_while_another_holds_the_file_nothing_is_sent(path, when):
    """Past the busy time-out that is an error; a moment later the same can be published."""
    others = []

    async def story(clock):
        publisher = Filling(lambda: None, clock=clock)
        store = SqliteStore(path, busy_timeout=0.02)
        async with Orchestrator([publisher], store=store, clock=clock) as orchestrator:
            if when == "before its attempt":
                publisher.then = lambda: others.append(locked(path))
            else:
                others.append(locked(path))
            outcome = await orchestrator.publish(requests(1)[0])
            assert outcome.status is OutcomeStatus.NOT_SENT
            assert "locked" in outcome.reason
            assert publisher.requests.get("publish", 0) == 0
            publisher.then = lambda: None
            others.pop().close()
            assert (await orchestrator.retry_failed(outcome)).status is OutcomeStatus.PUBLISHED
        assert publisher.live == {"tiktok-acme": ["m0"]}
        async with Orchestrator([publisher], store=SqliteStore(path), clock=clock) as next_run:
            assert await next_run.resume() == []

    try:
        run_virtual(story)
    finally:
        for other in others:
            other.close()


def _removed(path):
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def _moved(path):
    path.rename(path.with_suffix(".old"))


def _replaced(path):
    """As a backup is put back, or as a folder is kept the same as another machine's."""
    shutil.copy(path, path.with_suffix(".copy"))
    path.with_suffix(".copy").replace(path)


def _tidied(path):
    """What was committed last is in a file beside it, which looks like something that was left over."""
    path.with_name(f"{path.name}-wal").unlink()


@pytest.mark.parametrize("lose", [_removed, _moved, _replaced, _tidied])
def test_where_the_file_is_gone_nothing_is_sent(path, lose):
    """SQLite would write on without an error, into what the next process can't find."""

    async def story(clock):
        first, second = requests(2)
        memory = InMemoryPublisher(clock=clock)
        async with Orchestrator([memory], clock=clock, store=SqliteStore(path)) as pub:
            assert (await pub.publish(first)).status is OutcomeStatus.PUBLISHED
            lose(path)
            outcome = await pub.publish(second)
            assert outcome.status is OutcomeStatus.NOT_SENT
            assert f"{path}: it was moved, removed or replaced while it was open; nothing was sent" in outcome.reason
        assert memory.live == {"tiktok-acme": [str(first.source)]}
        again = InMemoryPublisher(clock=clock)
        async with Orchestrator([again], clock=clock, store=SqliteStore(path)) as pub:
            assert (await pub.publish(second)).status is OutcomeStatus.PUBLISHED

    run_virtual(story)


async def test_a_file_by_a_relative_path_stays_where_it_is_when_the_program_goes_elsewhere(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    store = SqliteStore(path.name)
    await store.open()
    monkeypatch.chdir("/")
    assert await add(store, a_job("j1")) == {}
    await store.close()


async def test_opening_waits_for_a_locked_file_no_longer_than_the_busy_timeout(path):
    store = SqliteStore(path)
    await store.open()
    await store.close()
    with closing(locked(path)), pytest.raises(StoreError, match="locked"):
        await SqliteStore(path, busy_timeout=0.02).open()
    with suppress(StoreError):
        await store.open()
    assert await store.count() == (0, 0)
    await store.close()


async def test_a_broken_rule_of_the_tables_fails_its_own_write_alone(path):
    """A row's number twice, and text that is none: those beside them in the same commit are written."""
    store = SqliteStore(path)
    await store.open()
    await add(store, a_job("j1"))
    results = await asyncio.gather(
        add(store, a_job("j2")),
        store.add_run(a_run("r"), [a_row("r", 1), a_row("r", 1)]),
        add(store, a_job("half \ud83d")),
        store.put([StoredPart(id="j1.1", job_id="j1", state=b"s")], owner="A"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [dict, StoreError, StoreError, type(None)]
    assert await store.count() == (2, 0)
    assert len((await store.job("j1")).parts) == 1
    await store.close()


async def test_nobody_waits_for_ever_when_a_write_is_given_up(path):
    """Whatever happens in the thread, who waits gets an answer; here the thread is gone."""
    store = SqliteStore(path)
    await store.open()
    store._thread.shutdown()
    with pytest.raises(StoreError, match="given up"):
        await store.count()
    store._db.close()


async def test_a_caller_that_leaves_doesnt_undo_its_write(path):
    store = SqliteStore(path)
    await store.open()
    task = asyncio.create_task(add(store, a_job("j1")))
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await store.count() == (1, 0)
    await store.close()


# ---- cost


class Counting(SqliteStore):
    """Counts its commits."""

    commits = 0

    def _commit(self, writes):
        self.commits += 1
        return super()._commit(writes)


async def test_many_writers_share_few_commits(path):
    store = Counting(path)
    await store.open()

    async def one(number):
        await add(store, a_job(f"j{number}"))
        await store.put([StoredPart(id=f"j{number}.1", job_id=f"j{number}", state=b"s")], owner="A")
        await store.settle(f"j{number}", b"done", owner="A", keep_content=True)

    await asyncio.gather(*(one(number) for number in range(300)))
    assert await store.count() == (0, 300)
    assert store.commits <= 10
    await store.close()


async def test_what_was_answered_is_on_disk(path):
    """A copy of the files, taken the moment a write was answered, has it: nothing waits for a later flush."""
    store = SqliteStore(path)
    await store.open()
    for number in range(5):
        await add(store, a_job(f"j{number}"))
        copy = path.with_name(f"copy{number}.db")
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
        other = SqliteStore(copy)
        await other.open()
        assert await other.count() == (number + 1, 0)
        await other.close()
    await store.close()


async def test_runs_of_a_store_that_isnt_open_cant_be_read(path):
    with pytest.raises(StoreError, match="isn't open"):
        await SqliteStore(path).runs()


async def test_a_read_that_fails_says_why_and_leaves_the_store_usable(path):
    store = SqliteStore(path)
    await store.open()
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE run_events")
    with pytest.raises(StoreError, match="no such table: run_events"):
        await store.events("r")
    with pytest.raises(StoreError, match="surrogates"):
        await store.run("half \ud83d")
    await add(store, a_job("j1"))
    assert await store.count() == (1, 0)
    await store.close()


async def test_the_jobs_of_a_run_are_read_in_as_few_statements_as_one(path):
    """However many there are, with however many parts; claiming and recalling, too."""
    store = SqliteStore(path)
    await store.open()
    parts = [[StoredPart(id=f"j{n}.{m}", job_id=f"j{n}", state=b"s") for m in (1, 2)] for n in range(50)]
    jobs = [
        StoredJob(id=f"j{n}", publisher="memory", request=b"{}", submitted_at=0.0, run="r", parts=tuple(parts[n]))
        for n in range(50)
    ]
    await add(store, *jobs)
    said = []
    await store._run(lambda: store._db.set_trace_callback(said.append))
    assert await store.jobs("r") == jobs
    told = {"owner": "B", "now": 2e9, "lease_until": 3e9, "publishers": ["memory"]}
    assert await store.claim(**told, limit=20) == jobs[:20]
    assert await store.recall("r", **told) == jobs[20:]
    assert len([words for words in said if "SELECT" in words]) <= 6 + 3
    await store.close()


async def test_a_reader_waits_for_no_writer(path):
    """Another process is in the middle of a commit: its run can be looked at all the same."""
    store = SqliteStore(path, busy_timeout=0.02)
    await store.open()
    await store.add_run(a_run("r"), [a_row("r", 1)])
    with closing(locked(path)):
        assert await store.rows("r") == [a_row("r", 1)]
        with pytest.raises(StoreError, match="locked"):
            await store.add_events([])
    await store.close()


async def test_what_is_asked_for_while_it_closes_is_refused_like_afterwards(path):
    store = SqliteStore(path)
    await store.open()
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="isn't open"):
        await add(store, a_job("late"))
    with pytest.raises(StoreError, match="isn't open"):
        await store.run("r")
    await closing
    assert not store._thread, "its thread has ended"


async def test_who_opens_a_store_has_it_until_they_close_it_whoever_else_does(path):
    """Two at once, one after the other: it is let go of with the last."""
    store = SqliteStore(path)
    await asyncio.gather(store.open(), store.open())
    await store.close()
    assert await store.count() == (0, 0)
    await store.close()
    with pytest.raises(StoreError, match="isn't open"):
        await store.count()
    assert not store._thread


async def test_two_who_open_what_cant_be_opened_are_both_told_and_nothing_is_left_open(path):
    path.write_bytes(b"no database" * 1000)
    store = SqliteStore(path)
    results = await asyncio.gather(store.open(), store.open(), return_exceptions=True)
    assert [type(result) for result in results] == [StoreError, StoreError]
    assert not store._thread
    path.unlink()
    await store.open()
    assert await store.count() == (0, 0)
    await store.close()


async def test_one_who_is_cancelled_while_opening_leaves_it_to_the_other(path):
    store = SqliteStore(path)
    opening = [asyncio.create_task(store.open()) for _ in range(2)]
    await asyncio.sleep(0)
    opening[0].cancel()
    await asyncio.gather(*opening, return_exceptions=True)
    assert await store.count() == (0, 0)
    await store.close()
    assert not store._thread


async def test_one_who_is_cancelled_while_opening_leaves_nothing_open(path, monkeypatch):
    """Connecting goes on in its thread; what it ends with is closed again."""
    store, connected = SqliteStore(path), []
    connect = store._connect
    monkeypatch.setattr(store, "_connect", lambda: connected.append(connect()) or connected[0])
    opening = asyncio.create_task(store.open())
    await asyncio.sleep(0)
    thread = store._thread
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    await asyncio.to_thread(thread.shutdown)
    assert store._db is None
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connected[0].execute("SELECT 1")
    monkeypatch.undo()
    await store.open()
    assert await store.count() == (0, 0)
    await store.close()


@pytest.mark.parametrize("order", range(12))
def test_a_program_that_ends_leaves_nobody_waiting_for_a_write(path, order):
    """All that is left is cancelled at once then, in any order; what is noted on the way out is noted."""
    stores = []

    async def leaving(store):
        try:
            await asyncio.sleep(60)
        finally:
            await add(store, a_job(f"noted last, {order}"))

    async def main():
        store = SqliteStore(path)
        stores.append(store)
        await store.open()
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            tasks = [asyncio.create_task(leaving(store)), asyncio.create_task(add(store, a_job("under way")))]
            await asyncio.sleep(0.01)
        raise KeyError(tasks, "the program's own fault")

    with pytest.raises(KeyError, match="own fault"):
        asyncio.run(main())
    stores[0]._thread.shutdown()
    stores[0]._db.close()
    with closing(sqlite3.connect(path)) as db:
        assert {name for (name,) in db.execute("SELECT id FROM jobs")} >= {f"noted last, {order}"}


ENDING = """
import asyncio, sys
from reelpub import MediaItems, Orchestrator, PublishRequest
from reelpub.store import SqliteStore
from reelpub.testing import InMemoryPublisher

async def publishing(number):
    requests = [PublishRequest(MediaItems([f"m{number}-{n}"]), accounts=["tiktok:acme"]) for n in range(40)]
    async with Orchestrator([InMemoryPublisher()], store=SqliteStore(sys.argv[1])) as pub:
        await pub.wait_many(pub.submit_many(requests))

async def main(seconds):
    tasks = [asyncio.create_task(publishing(number)) for number in range(4)]
    await asyncio.sleep(seconds)
    raise SystemError(tasks)

for seconds in (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1):
    try:
        asyncio.run(main(seconds))
    except SystemError:
        print("ended")
"""


def test_a_program_that_ends_while_others_publish_ends(path):
    """Each of them closes its orchestrator in order, wherever it was."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["ended"] * 7
