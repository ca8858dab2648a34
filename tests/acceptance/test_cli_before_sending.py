"""What a command tells of a file before anything of it is sent, against the sandbox in virtual time."""

from __future__ import annotations

import asyncio
import json
import re
from types import SimpleNamespace

import pytest

from reelpub import Clip, PublishRequest, ReapPublisher
from reelpub.cli.app import run
from reelpub.cli.setup import Setup
from reelpub.clocks import LoopClock
from reelpub.policies.content import content_key
from reelpub.providers import registry
from reelpub.sandbox import REAP_KEY, Sandbox
from reelpub.store import SqliteStore, StoredJob
from reelpub.testing import run_virtual

EPOCH = 1_800_000_000.0
HEADER = "reference,clip,accounts\n"


def row(number):
    return f"{'abcdefgh'[number - 1]},demo-project-1/demo-clip-{number},x:acme\n"


@pytest.fixture
def desk(monkeypatch, tmp_path, capsys):
    """Run commands where `asyncio.run` leads into virtual time, with a sandbox beside them."""
    for name in ("REELMIRROR_API_KEY", "REAP_API_KEY", "REELMIRROR_BASE_URL", "REAP_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    desk = SimpleNamespace(folder=tmp_path, before=None, without=(), sent=[], took=0.0)

    def write(text, name="posts.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    def carry_out(main):
        async def inside(clock):
            async with Sandbox(clock=clock) as sandbox:
                for name, value in sandbox.environment().items():
                    if name not in desk.without:
                        monkeypatch.setenv(name, value)
                if desk.before is not None:
                    await desk.before(sandbox, clock)
                began = clock.monotonic()
                try:
                    return await main
                finally:
                    desk.took = clock.monotonic() - began
                    desk.sent = [one for one in sandbox.requests() if one.method != "GET"]

        return run_virtual(inside, epoch=EPOCH)

    def call(*arguments):
        monkeypatch.setattr(asyncio, "run", carry_out)
        status = run(list(arguments), obj=Setup(clock=LoopClock(EPOCH)))
        return status, *capsys.readouterr()

    desk.write, desk.run = write, call
    return desk


@pytest.fixture
def sent_before(desk):
    """Have a store note the first two rows as done."""

    async def note():
        store = SqliteStore(desk.folder / "posts.db")
        await store.open()
        jobs = [
            StoredJob(
                id=f"run.{number}",
                publisher="reap",
                request=b"{}",
                submitted_at=0.0,
                content_key=content_key(
                    PublishRequest(Clip("demo-project-1", f"demo-clip-{number}"), accounts=["x:acme"]), "reap"
                ),
            )
            for number in (1, 2)
        ]
        await store.add(jobs, owner="me", lease_until=0.0)
        await store.close()

    run_virtual(lambda _: note())


# ---- what was sent before


def test_a_dry_run_shows_nothing_of_what_would_not_be_sent_again(desk, sent_before):
    """What the store has ends as a duplicate, as the real run says; only the others are gone through."""
    name = desk.write(HEADER + row(1) + row(2) + row(3))
    status, out, err = desk.run("publish", name, "--dry-run", "--store", "posts.db")
    assert status == 1
    assert "posts.csv:2:2: warning: clip: was asked for before, as job run.1; it isn't sent again" in err
    ends = [line for line in out.splitlines() if line.startswith("posts.csv:")]
    assert ends == [
        "posts.csv:2: a: wouldn't be sent again, as a duplicate: the same as run.1",
        "posts.csv:3: b: wouldn't be sent again, as a duplicate: the same as run.2",
        "posts.csv:4: c: would be published",
    ]
    assert out.splitlines()[-1].startswith("dry run: 1 request shown and not sent, ")
    assert out.splitlines()[-1].endswith("; 2 posts wouldn't be sent again")
    assert '"clipId": "demo-clip-3"' in out
    assert '"clipId": "demo-clip-1"' not in out
    assert desk.sent == []


def test_a_dry_run_tells_a_program_of_duplicates(desk, sent_before):
    name = desk.write(HEADER + row(1))
    status, out, _ = desk.run("publish", name, "--dry-run", "--store", "posts.db", "--json")
    (end,) = [json.loads(line) for line in out.splitlines()]
    assert (status, end["status"], end["reason"]) == (1, "duplicate", "the same as run.1")


def test_the_estimate_of_a_run_is_of_what_it_will_send(desk, sent_before):
    status, out, err = desk.run("publish", desk.write(HEADER + row(1) + row(2)), "--store", "posts.db")
    assert status == 1
    assert "2 rows asked for before: they aren't sent again" in out + err
    assert "at the limits" not in out + err
    status, out, err = desk.run("publish", desk.write(HEADER + row(1) + row(3)), "--store", "posts.db")
    assert "1 row asked for before: it isn't sent again" in out + err
    assert "requests and 60 s at the limits" in out + err


# ---- many findings


def test_a_misspelt_column_is_told_once_however_many_rows_fill_it(desk):
    name = desk.write("reference,clip,acounts\n" + "".join(row(n) for n in range(1, 9)))
    status, _, err = desk.run("publish", name)
    assert status == 2
    assert [line for line in err.splitlines() if ": error: " in line] == [
        "posts.csv:1:3: error: acounts: isn't a column of a manifest; did you mean accounts?"
    ]
    status, out, _ = desk.run("plan", name)
    assert (status, "8 rows: 0 can be sent; 1 error, 0 warnings" in out) == (2, True)


def test_rows_that_fill_such_a_column_are_counted_as_left_out(desk):
    """A default that can't be read is told at its own place, and keeps every row that has it from being sent."""
    name = desk.write(
        "defaults:\n  accounts: [x:acme]\n  tags: 5\nposts:\n"
        + "".join(f"  - clip: demo-project-1/demo-clip-{n}\n" for n in (1, 2, 3)),
        "posts.yaml",
    )
    status, _, err = desk.run("publish", name)
    assert (status, err.count(": error: ")) == (2, 1)
    assert "Mend 3 rows" in err


def test_publishing_tells_no_more_findings_than_asked_for_and_counts_all(desk):
    name = desk.write(HEADER + "".join(row(n).replace("x:acme", "x:nobody") for n in range(1, 9)))
    status, out, err = desk.run("publish", name, "--limit-findings", "3")
    assert (status, out) == (2, "")
    assert err.count(": error: ") == 3
    assert "reelpub: and 5 more findings; `reelpub plan posts.csv` tells them all" in err
    assert "8 errors in posts.csv; nothing was sent" in err
    _, out, err = desk.run("publish", name, "--limit-findings", "7", "--json")
    assert "and 1 more finding; " in err
    assert len([one for one in map(json.loads, out.splitlines()) if one["type"] == "finding"]) == 8


def test_publishing_tells_a_hundred_findings_unless_asked_for_more(desk):
    name = desk.write(HEADER + "".join(f"r{n},demo-project-1/c{n},x:nobody\n" for n in range(130)))
    _, _, err = desk.run("publish", name)
    assert err.count(": error: ") == 100
    assert "and 30 more findings; " in err
    _, _, err = desk.run("publish", name, "--limit-findings", "200")
    assert (err.count(": error: "), "more finding" in err) == (130, False)


def test_how_many_findings_are_told_goes_with_a_file_only(desk):
    status, _, err = desk.run("publish", "--clip", "p/c", "--account", "x:acme", "--limit-findings", "3")
    assert (status, "--limit-findings" in err) == (2, True)


# ---- waits


async def used_up(sandbox, clock):
    """Have another process use Reap's minute up, ten seconds ago."""
    other = ReapPublisher.connect(REAP_KEY, base_url=sandbox.reap_url, clock=clock)
    for _ in range(10):
        await other.accounts(refresh=True)
    await other.close()
    await clock.sleep(10)


@pytest.mark.parametrize(
    "arguments",
    [("plan", "posts.csv"), ("publish", "posts.csv", "--dry-run"), ("accounts",)],
    ids=lambda arguments: arguments[0],
)
def test_every_long_wait_for_the_limit_is_told_once(desk, arguments):
    """What is told adds up to the time that the command took: no wait is missing, and none is told twice."""
    desk.before = used_up
    desk.write(HEADER + row(1) + row(2))
    status, out, err = desk.run(*arguments)
    assert status == 0
    told = [line for line in err.splitlines() if "waits for" in line]
    assert told[0].startswith("reap: waits for its rate limit, about 5")
    seconds = [int(re.fullmatch(r"reap: waits for its rate limit, about (\d+) s", line)[1]) for line in told]
    assert desk.took - 5 * len(told) < sum(seconds) < desk.took + len(told)
    assert "waits for" not in out


def test_reading_one_post_tells_its_wait(desk):
    desk.before = used_up
    status, _, err = desk.run("status", "--publisher", "reap", "65a1b2c3d4e5f60718293a4b")
    assert status != 0
    assert err.startswith("reap: waits for its rate limit, about 5")


def test_a_short_wait_isnt_told(desk):
    desk.write(HEADER + row(1) + row(2))
    for arguments in (("plan", "posts.csv"), ("publish", "posts.csv", "--dry-run"), ("accounts",)):
        assert "waits for" not in desk.run(*arguments)[2]


# ---- keys that aren't set


@pytest.mark.parametrize("command", ["plan", "publish"])
def test_the_key_that_a_row_needs_is_named(desk, command):
    desk.without = ("REAP_API_KEY",)
    name = desk.write("clip,accounts,publisher\np/c,x:acme,\np/d,x:acme,reap\np/e,x:acme,nobody\n")
    status, out, err = desk.run(command, name)
    assert status == 2
    assert [line for line in (out + err).splitlines() if ": error: " in line] == [
        (
            "posts.csv:2:1: error: clip: is taken by none of the publishers here (reelmirror); "
            "reap takes it: set REAP_API_KEY (given: 'p/c')"
        ),
        (
            "posts.csv:3:3: error: publisher: isn't one of the publishers here; set REAP_API_KEY to have it "
            "(given: 'reap') [limit: reelmirror]"
        ),
        "posts.csv:4:3: error: publisher: isn't one of the publishers here (given: 'nobody') [limit: reelmirror]",
    ]


def test_a_publisher_that_needs_its_key_to_say_what_it_takes_is_named_by_its_name_alone(desk, monkeypatch):
    class Keyed:
        env_key = "OTHER_API_KEY"

        @classmethod
        def from_env(cls, *, name=None, clock=None):
            raise AssertionError("it has no key")

    load = registry.load
    monkeypatch.setattr(registry, "known", lambda: ["other", "reap", "reelmirror"])
    monkeypatch.setattr(registry, "load", lambda name: Keyed if name == "other" else load(name))
    name = desk.write("clip,accounts,publisher\np/d,x:acme,other\n")
    _, out, _ = desk.run("plan", "--publisher", "reap", name)
    assert "isn't one of the publishers here; set OTHER_API_KEY to have it (given: 'other')" in out


def test_a_key_that_is_set_isnt_asked_for(desk):
    """It is left out by --publisher, and not for want of its key."""
    status, out, _ = desk.run("plan", "--publisher", "reelmirror", desk.write(HEADER + row(1)))
    assert (status, "REAP_API_KEY" in out, "is taken by none of the publishers here (reelmirror)" in out) == (
        2,
        False,
        True,
    )
