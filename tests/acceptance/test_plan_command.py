"""`reelpub plan` against the sandbox in virtual time: every mistake at its place, and not a single write."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from reelpub import Clip, MediaItems, Orchestrator, PublishRequest, ReapPublisher, ReelMirrorPublisher
from reelpub.cli.app import run
from reelpub.cli.setup import Setup
from reelpub.clocks import LoopClock
from reelpub.policies.content import content_key
from reelpub.sandbox import REAP_KEY, REELMIRROR_KEY, Fault, FaultKind, ReelMirrorDialect, Sandbox
from reelpub.store import SqliteStore, StoredJob
from reelpub.testing import run_virtual

EPOCH = 1_800_000_000.0
NOW = datetime.fromtimestamp(EPOCH, UTC)
COLUMNS = ("reference", "clip", "generated_post", "media_items", "accounts", "caption", "title", "tags", "at", "zone")
COLUMNS += ("publisher", "approve", "persona", "draft", "gap", "fold", "allow_duplicate", "tiktok.privacy", "settings")
NAMES = ("REELMIRROR_API_KEY", "REAP_API_KEY", "REELMIRROR_BASE_URL", "REAP_BASE_URL", "REELPUB_STORE")


class Desk:
    """Runs the command where `asyncio.run` leads into virtual time, with a sandbox beside it."""

    def __init__(self, patch, folder, capsys):
        self.patch, self.folder, self.capsys = patch, folder, capsys
        self.options, self.faults, self.before = {}, [], None
        self.requests = []
        for name in NAMES:
            patch.delenv(name, raising=False)
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.chdir(folder)

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def manifest(self, rows, name="posts.csv"):
        """Write *rows*, which are mappings, as CSV."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return self.write(name, text.getvalue())

    def __call__(self, *arguments):
        """Run the command; return its status, its lines on standard output, and what it said on standard error."""
        self.patch.setattr(asyncio, "run", self._run)
        status = run(["plan", *arguments], obj=Setup(clock=LoopClock(EPOCH)))
        out, err = self.capsys.readouterr()
        return status, out.splitlines(), err

    def json(self, *arguments):
        """Run it with ``--json``; return its status and its objects by their type."""
        status, lines, err = self("--json", *arguments)
        assert err == ""
        found = [json.loads(line) for line in lines]
        return status, SimpleNamespace(
            findings=[one for one in found if one["type"] == "finding"],
            rows=[one for one in found if one["type"] == "row"],
            plan=found[-1],
        )

    def _run(self, main):
        async def inside(clock):
            async with Sandbox(clock=clock, **self.options) as sandbox:
                for name, value in sandbox.environment().items():
                    self.patch.setenv(name, value)
                if self.before is not None:
                    await self.before(sandbox, clock)
                sandbox.order(*self.faults)
                earlier = len(sandbox.requests())
                try:
                    return await main
                finally:
                    self.requests = sandbox.requests()[earlier:]
                    assert sandbox.rejections() == 0

        return run_virtual(inside, epoch=EPOCH)

    @property
    def sent(self):
        """The requests that reached the sandbox, by method and operation."""
        return Counter((one.method, one.operation) for one in self.requests)


@pytest.fixture
def desk(monkeypatch, tmp_path, capsys):
    return Desk(monkeypatch, tmp_path, capsys)


def clip_row(number, **members):
    project, clip = 1 + number // 40 % 3, 1 + number % 40
    at = NOW + timedelta(days=2, minutes=7 * number)
    row = {
        "reference": f"row {number}",
        "clip": f"demo-project-{project}/demo-clip-{clip}",
        "accounts": "tiktok:acme;youtube:acme",
        "title": f"Title {number}",
        "at": at.isoformat(),
    }
    return {**row, **members}


# ---- the promise: 500 rows with 40 different mistakes

MEDIA = {"clip": "", "title": "", "accounts": "instagram:acme", "media_items": "m1"}
AT = (NOW + timedelta(days=400)).isoformat()
MISTAKES = [
    # (what is wrong in the row, the column it is told at)
    ({"clip": ""}, None),
    ({"clip": "no-slash"}, "clip"),
    ({"clip": "/x"}, "clip"),
    ({"generated_post": "g"}, None),
    ({"accounts": ""}, "accounts"),
    ({"accounts": "tiktok:nobody"}, "accounts"),
    ({"accounts": "facebook:acme"}, "accounts"),
    ({"accounts": "instagram:nobody"}, "accounts"),
    ({"accounts": "youtube:acme_old"}, "accounts"),
    ({"accounts": "5eed0000000000000000ffff"}, "accounts"),
    ({"accounts": "tiktok:acme;tiktok:acme"}, "accounts"),
    ({"accounts": "tiktok:acme;5eed0000000000000000a001"}, "accounts"),
    ({"at": "yesterday"}, "at"),
    ({"at": "03/04/2027 14:30"}, "at"),
    ({"at": "46474.6"}, "at"),
    ({"at": "2027-06-31 10:00", "zone": "Europe/Oslo"}, "at"),
    ({"at": "2027-06-30 10:00"}, "at"),
    ({"at": "2027-06-30T10:00Z", "zone": "Europe/Oslo"}, "at"),
    ({"at": "2027-06-30 10:00", "zone": "Europe/Olso"}, "zone"),
    ({"at": "2027-03-28 02:30", "zone": "Europe/Oslo"}, "at"),
    ({"at": "2027-10-31 02:30", "zone": "Europe/Oslo"}, "at"),
    ({"at": "2020-01-01T00:00:00Z"}, "at"),
    ({"at": AT}, "at"),
    ({"at": "2027-04-28 02:30", "zone": "Europe/Oslo", "gap": "sooner"}, "gap"),
    ({"at": "2027-10-30 02:30", "zone": "Europe/Oslo", "fold": "both"}, "fold"),
    ({"tags": ";".join(f"t{n}" for n in range(11))}, "tags"),
    ({"tags": '["a", 1]'}, "tags"),
    ({"tiktok.privacy": "nobody"}, "tiktok.privacy"),
    ({"settings": "{"}, "settings"),
    ({"settings": '{"myspace": {"privacy": "public"}}'}, "settings"),
    ({"settings": '{"youtube": {"colour": "red"}}'}, "settings"),
    ({"publisher": "other"}, "publisher"),
    ({"publisher": "reelmirror", "title": "", "accounts": "instagram:acme"}, "clip"),
    ({**MEDIA, "media_items": "", "generated_post": "g", "approve": "perhaps"}, "approve"),
    ({"allow_duplicate": "perhaps"}, "allow_duplicate"),
    ({**MEDIA, "accounts": ""}, "accounts"),
    ({**MEDIA, "title": "A title"}, "title"),
    ({**MEDIA, "tags": "a"}, "tags"),
    ({**MEDIA, "accounts": "instagram:nobody_here"}, "accounts"),
    ({"same": True}, "clip"),
]


def test_forty_different_mistakes_in_500_rows_are_all_told_in_one_go_each_at_its_place(desk):
    rows, expected = [], []
    for number in range(500):
        row = clip_row(number)
        if number % 12 == 5 and number // 12 < len(MISTAKES):
            change, column = MISTAKES[number // 12]
            # The last one repeats the row before it.
            row = dict(rows[-1]) if "same" in change else {**row, **change}
            expected.append((number + 2, column))
        rows.append(row)
    assert len(expected) == 40
    status, told = desk.json(desk.manifest(rows))
    errors = [one for one in told.findings if one["severity"] == "error"]
    found = [(one["line"], one["column"]) for one in errors]
    assert {line for line, _ in found} == {line for line, _ in expected}
    for line, column in expected:
        told_there = [where for at, where in found if at == line]
        assert column is None or column in told_there, f"line {line}: {told_there} instead of {column}"
    positions = {name: place for place, name in enumerate(COLUMNS, start=1)}
    assert all(one["position"] == positions[one["column"]] for one in errors if one["position"] is not None)
    # A row with two mistakes isn't two rows, and one mistake isn't told twice.
    assert len({(one["line"], one["column"], one["message"]) for one in errors}) == len(errors)
    assert status == 2
    assert (told.plan["rows"], told.plan["sound"], told.plan["errors"]) == (500, 460, len(errors))
    assert all(method == "GET" for method, _ in desk.sent)
    assert desk.sent[("GET", "getIntegrations")] == 1
    assert desk.sent[("GET", "listConnectedAccounts")] == 1


def test_each_mistake_alone_is_told_as_one(desk):
    """No mistake is told in two ways at once."""
    for number, (change, _) in enumerate(MISTAKES[:-1]):
        status, told = desk.json("--queue-reads", "0", desk.manifest([{**clip_row(number), **change}]))
        errors = [one["message"] for one in told.findings if one["severity"] == "error"]
        assert (status, len(errors)) == (2, 1), (change, errors)


# ---- what people see


def test_findings_are_lines_that_editors_follow_and_the_plan_says_what_to_do_next(desk):
    name = desk.manifest([clip_row(1), clip_row(2, accounts="tiktok:nobody"), clip_row(3)])
    status, lines, err = desk(name)
    assert (status, err) == (2, "")
    assert re.fullmatch(
        r"posts\.csv:3:5: error: accounts: is no account at reap; connected are .*tiktok:acme.* "
        r"\(given: 'tiktok:nobody'\)",
        lines[0],
    )
    assert lines[-2] == "3 rows: 2 can be sent; 1 error, 0 warnings"
    assert lines[-1] == "nothing was sent; mend the errors, then: reelpub plan posts.csv"
    assert any(re.search(r"reap +2 +2 +2 +\d+ \(\d+ write, \d+ read\) +10 in 60 s", line) for line in lines)


def test_the_page_shows_what_the_command_prints(desk):
    """The example of docs/plan.md is what is printed for the file above it."""
    page = (Path(__file__).parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")
    file, shown = re.findall(r"```(?:csv)?\n(.*?)```", page, re.DOTALL)[:2]
    name = desk.write("posts.csv", file)
    _, lines, _ = desk(name)
    assert ["$ reelpub plan posts.csv", *lines] == shown.splitlines()


def test_a_sound_file_ends_with_the_command_that_sends_it(desk):
    status, lines, _ = desk(desk.manifest([clip_row(1)]))
    assert (status, lines[-1]) == (0, "send it with: reelpub publish posts.csv")
    assert "planning took 2 reads at reap, and no writes" in lines


def test_the_commands_that_follow_have_what_the_file_was_planned_with(desk):
    """Another store wouldn't know what was sent before, another format or zone would read another file."""
    store = str(desk.folder / "my posts.db")
    options = ("--zone", "Europe/Oslo", "--format", "csv", "--publisher", "reap", "--store", store)
    same = f"--zone Europe/Oslo --format csv --publisher reap --store '{store}'"
    _, lines, _ = desk(desk.manifest([clip_row(1)]), *options)
    assert lines[-1] == f"send it with: reelpub publish posts.csv {same}"
    _, lines, _ = desk(desk.manifest([clip_row(1, accounts="tiktok:nobody")]), *options)
    assert lines[-1] == f"nothing was sent; mend the errors, then: reelpub plan posts.csv {same}"
    desk.patch.setenv("REELPUB_STORE", store)
    _, lines, _ = desk(desk.manifest([clip_row(1)]))
    assert lines[-1] == "send it with: reelpub publish posts.csv"


def test_each_time_is_shown_in_utc_and_where_it_was_written(desk):
    name = desk.manifest(
        [
            clip_row(1, at="2027-03-28 00:30", zone="Europe/Oslo"),
            clip_row(2, at="2027-03-28 14:30", zone="Europe/Oslo"),
            clip_row(3, at=""),
        ]
    )
    _, lines, _ = desk(name)
    shown = [re.sub(r" +", " ", line).strip() for line in lines]
    assert "2027-01-15 Fri about 08:00 08:00 UTC 4 reap row 3 tiktok:acme, youtube:acme" in shown
    assert "2027-03-27 Sat 23:30 2027-03-28 00:30 Europe/Oslo 2 reap row 1 tiktok:acme, youtube:acme" in shown
    assert "2027-03-28 Sun 12:30 14:30 Europe/Oslo 3 reap row 2 tiktok:acme, youtube:acme" in shown
    _, lines, _ = desk("--zone", "Asia/Tokyo", name)
    assert any(re.search(r"2027-03-28 Sun.* 08:30 Asia/Tokyo .*row 1 ", line) for line in lines)


def test_rows_that_are_to_be_given_times_are_shown_with_them_and_with_the_command_that_gives_them(desk):
    name = desk.manifest(
        [clip_row(1, at=""), clip_row(2, at="2027-03-28 14:30", zone="Europe/Oslo"), clip_row(3, at="")]
    )
    options = ("--start", "2027-03-29 09:00", "--every", "1d", "--zone", "Europe/Oslo")
    status, lines, _ = desk(name, *options)
    assert status == 0
    shown = [re.sub(r" +", " ", line).strip() for line in lines]
    assert "2027-03-29 Mon 07:00 09:00 Europe/Oslo 2 reap row 1 tiktok:acme, youtube:acme" in shown
    assert "2027-03-30 Tue 07:00 09:00 Europe/Oslo 4 reap row 3 tiktok:acme, youtube:acme" in shown
    assert lines[-1] == (
        "send it with: reelpub schedule posts.csv --start '2027-03-29 09:00' --every 1d --zone Europe/Oslo"
    )
    status, _, err = desk(name, "--start", "2027-03-29T09:00Z")
    assert (status, "--start and --every go together" in err) == (2, True)


def test_the_calendar_is_shortened_unless_all_of_it_is_asked_for(desk):
    name = desk.manifest([clip_row(number) for number in range(30)])
    _, lines, _ = desk(name)
    assert "and 10 more posts: --calendar shows them" in lines
    _, whole, _ = desk("--calendar", name)
    assert sum("row " in line for line in whole) == 30
    assert not any("more posts" in line for line in whole)


def test_findings_may_be_shortened_and_are_counted_all_the_same(desk):
    name = desk.manifest([clip_row(number, accounts="tiktok:nobody") for number in range(9)])
    status, lines, _ = desk("--limit-findings", "2", name)
    assert (status, sum(": error: " in line for line in lines)) == (2, 2)
    assert "and 7 more findings" in lines
    assert "9 rows: 0 can be sent; 9 errors, 0 warnings" in lines
    _, told = desk.json("--limit-findings", "0", name)
    assert (told.findings, told.plan["errors"]) == ([], 9)


def test_nothing_in_a_file_reaches_a_terminal_as_it_is(desk):
    hostile = "tiktok:\x1b]0;pwned\x07\u202emca"
    _, lines, _ = desk(desk.manifest([clip_row(1, accounts=hostile, reference="\x1b[31m"), clip_row(2)]))
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b" in text


def test_what_a_terminal_says_is_what_the_json_says(desk):
    rows = [clip_row(number) for number in range(4)] + [
        clip_row(9, accounts="tiktok:nobody", tags=";".join("abcdefghijk"))
    ]
    name = desk.manifest(rows)
    _, lines, _ = desk(name)
    status, told = desk.json("--rows", name)
    assert status == 2
    for finding in told.findings:
        start = f"{name}:{finding['line']}:{finding['position']}: {finding['severity']}: {finding['column']}: "
        assert any(line.startswith(start + finding["message"]) for line in lines)
    assert len([line for line in lines if re.match(r"\S+:\d+:\d+: ", line)]) == len(told.findings)
    assert [row["line"] for row in told.rows] == [2, 3, 4, 5]
    first = told.rows[0]
    assert first["at"] == first["local"] == (NOW + timedelta(days=2)).isoformat()
    assert (first["accounts"], first["publisher"]) == (["tiktok:acme", "youtube:acme"], "reap")
    assert told.plan["publishers"][0]["writes"] == 1


def test_what_waits_here_and_what_is_left_out_is_told(desk):
    near = (NOW + timedelta(minutes=10)).isoformat()
    results = desk.write(
        "done posts.csv",
        "clip,accounts,at,result_status\n"
        f"demo-project-1/demo-clip-1,tiktok:acme,{near},\n"
        "demo-project-1/demo-clip-2,tiktok:acme,,published\n",
    )
    status, lines, _ = desk(results)
    assert status == 0
    assert "note: what is kept here is too soon for its provider; publishing has to run until then" in lines
    assert any("1 kept here" in line for line in lines)
    assert any("reap (kept here)" in line for line in lines)
    assert "2 rows: 1 can be sent, 1 left out by result_status; 0 errors, 1 warning" in lines
    assert lines[-1] == "send it with: reelpub publish 'done posts.csv'"
    nothing = desk.write("done.csv", "clip,accounts,result_status\nx/2,tiktok:acme,published\n")
    status, lines, _ = desk(nothing)
    assert (status, lines[-1]) == (0, "there is nothing to send")


# ---- where it comes from


def test_standard_input_is_a_manifest_too(desk, monkeypatch):
    text = (desk.folder / desk.manifest([clip_row(1)])).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    status, lines, _ = desk("--format", "csv", "-")
    assert (status, lines[-1]) == (0, "send it with: reelpub publish FILE")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("posts.jsonl", '{"clip": "demo-project-1/demo-clip-1", "accounts": ["tiktok:nobody"]}\n'),
        ("posts.yaml", "- clip: demo-project-1/demo-clip-1\n  accounts: [tiktok:nobody]\n"),
    ],
)
def test_every_format_is_planned(desk, name, text):
    status, lines, _ = desk(desk.write(name, text))
    assert status == 2
    assert re.match(rf"{re.escape(name)}:\d:\d+: error: accounts: is no account at reap", lines[0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.csv"], "does not exist"),
        (["--zone", "Mars/Base", "posts.csv"], "'Mars/Base' is no zone that this machine knows"),
        (["--rows", "posts.csv"], "--rows goes with --json"),
        (["--publisher", "nobody", "posts.csv"], "publisher 'nobody' isn't installed"),
        (["--format", "xlsx", "posts.csv"], "'xlsx' is not one of"),
    ],
)
def test_wrong_use_says_what_would_be_right(desk, arguments, said):
    desk.manifest([clip_row(1)])
    status, _, err = desk(*arguments)
    assert status == 2
    assert said in err


def test_without_keys_it_says_how_to_go_on(desk, monkeypatch):
    from reelpub.providers import registry

    def without_keys(**_):
        return real(environ={})

    real = registry.from_env
    monkeypatch.setattr(registry, "from_env", without_keys)
    status, _, err = desk(desk.manifest([clip_row(1)]))
    assert status == 2
    assert "checked with: reelpub plan --offline FILE" in err


# ---- offline


def test_offline_nothing_is_sent_and_no_key_is_needed(desk):
    name = desk.manifest([clip_row(1), clip_row(2, accounts="facebook:acme"), clip_row(3, accounts="tiktok:nobody")])
    status, lines, _ = desk("--offline", name)
    assert status == 2
    assert [line for line in lines if ": error: " in line] == [
        (
            "posts.csv:3:5: error: accounts: is on a platform reap doesn't publish to (given: 'facebook:acme') "
            "[limit: instagram, linkedin, tiktok, x, youtube]"
        )
    ]
    assert desk.requests == []


# ---- what went out, or waits, already


def test_what_the_store_has_is_told(desk):
    async def remember():
        store = SqliteStore(desk.folder / "posts.db")
        await store.open()
        key = content_key(PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme"]), "reap")
        job = StoredJob(id="job-7", publisher="reap", request=b"{}", submitted_at=0.0, content_key=key)
        await store.add([job], owner="me", lease_until=0.0)
        await store.close()

    with asyncio.Runner() as runner:
        runner.run(remember())
    row = {"clip": "demo-project-1/demo-clip-1", "accounts": "tiktok:acme"}
    name = desk.manifest([row])
    status, lines, _ = desk("--store", "posts.db", name)
    assert status == 0
    assert lines[0].startswith("posts.csv:2:2: warning: clip: was asked for before, as job job-7; it isn't sent again")
    assert "1 row: 0 can be sent, 1 asked for before; 0 errors, 1 warning" in lines
    assert lines[-1] == "there is nothing to send"
    status, told = desk.json("--store", "posts.db", desk.manifest([row, clip_row(2)]))
    assert (told.plan["sound"], told.plan["new"], told.plan["remembered"]) == (2, 1, 1)
    # A store that isn't there yet isn't made.
    desk.manifest([row])
    status, lines, _ = desk("--store", "none.db", name)
    assert (status, any("warning" in line for line in lines[:1])) == (0, False)
    assert not (desk.folder / "none.db").exists()


def scheduled(*requests):
    """Return a step that has *requests* scheduled at the sandbox before the command runs."""

    async def before(sandbox, clock):
        publishers = [
            ReapPublisher.connect(REAP_KEY, base_url=sandbox.reap_url, clock=clock),
            ReelMirrorPublisher.connect(REELMIRROR_KEY, base_url=sandbox.reelmirror_url, clock=clock),
        ]
        async with Orchestrator(publishers, clock=clock) as pub:
            report = await pub.publish_many(requests)
            assert report.is_success
        # What that took of the limits is another process's, and long ago.
        await clock.sleep(61)

    return before


def test_yesterdays_file_is_told_as_done_and_not_as_too_late(desk):
    """A row whose time has passed and that the store has is no mistake; one that it hasn't is."""

    async def remember():
        store = SqliteStore(desk.folder / "posts.db")
        await store.open()
        request = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["x:acme"], at=NOW - timedelta(days=1))
        key = content_key(request, "reap")
        job = StoredJob(id="run.1", publisher="reap", request=b"{}", submitted_at=EPOCH - 9e4, content_key=key)
        await store.add([job], owner="me", lease_until=0.0)
        await store.close()

    run_virtual(lambda _: remember())
    at = (NOW - timedelta(days=1)).isoformat()
    rows = [{"clip": f"demo-project-1/demo-clip-{number}", "accounts": "x:acme", "at": at} for number in (1, 2)]
    status, lines, _ = desk("--store", "posts.db", desk.manifest(rows[:1]))
    assert status == 0
    assert "was asked for before, as job run.1; it isn't sent again" in lines[0]
    status, lines, _ = desk("--store", "posts.db", desk.manifest(rows))
    assert status == 2
    assert "posts.csv:3:9: error: at: is in the past" in "\n".join(lines)
    assert "posts.csv:2:9" not in "\n".join(lines)


def test_what_the_providers_have_scheduled_is_told_with_the_posts_id(desk):
    at = NOW + timedelta(days=3)
    desk.before = scheduled(
        PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme"], at=at),
        PublishRequest(MediaItems(["demo-media-item-1"]), accounts=["instagram:acme"], at=at),
        PublishRequest(Clip("demo-project-1", "demo-clip-9"), accounts=["x:acme"]),
    )
    rows = [
        {"clip": "demo-project-1/demo-clip-1", "accounts": "tiktok:acme"},
        {"clip": "demo-project-1/demo-clip-2", "accounts": "tiktok:acme", "at": at.isoformat()},
        {"media_items": "demo-media-item-1", "accounts": "instagram:acme"},
        {"media_items": "demo-media-item-2", "accounts": "instagram:acme", "at": at.isoformat()},
        {"clip": "demo-project-1/demo-clip-9", "accounts": "x:acme"},
        {"clip": "demo-project-1/demo-clip-1", "accounts": "youtube:acme"},
    ]
    status, told = desk.json(desk.manifest(rows))
    assert status == 0
    said = {one["line"]: (one["column"], one["message"]) for one in told.findings}
    assert set(said) == {2, 3, 4, 5}
    when = "2027-01-18T08:00+00:00"
    assert re.fullmatch(rf"is scheduled there already for {re.escape(when)}, as post [0-9a-f]{{24}}", said[2][1])
    assert re.fullmatch(r"tiktok:acme has post [0-9a-f]{24} scheduled in the same minute", said[3][1])
    assert re.fullmatch(rf"is scheduled there already for {re.escape(when)}, as post [0-9a-f-]{{36}}", said[4][1])
    assert re.fullmatch(r"instagram:acme has post [0-9a-f-]{36} scheduled in the same minute", said[5][1])
    assert [said[line][0] for line in (2, 3, 4, 5)] == ["clip", "at", "media_items", "at"]
    assert all(method == "GET" for method, _ in desk.sent)
    assert told.plan["reads"] == {"reap": 2, "reelmirror": 2}


@pytest.mark.parametrize("answer", ["absent", "absent_405"])
def test_where_there_is_no_list_it_says_that_it_cant_be_known(desk, answer):
    desk.options = {"reelmirror": ReelMirrorDialect(list_posts=answer)}
    status, told = desk.json(desk.manifest([{"media_items": "demo-media-item-1", "accounts": "instagram:acme"}]))
    assert (status, told.plan["notes"]) == (
        0,
        ["what reelmirror has scheduled can't be known: it has no list of posts"],
    )


def test_reading_a_long_queue_ends_and_says_what_it_left_out(desk):
    at = NOW + timedelta(days=3)
    desk.before = scheduled(
        *[
            PublishRequest(
                Clip("demo-project-1", f"demo-clip-{n}"), accounts=[account], at=at + timedelta(minutes=5 * n)
            )
            for n in range(1, 41)
            for account in ("tiktok:acme", "x:acme", "youtube:acme")
        ]
    )
    name = desk.manifest([clip_row(1, at=(NOW + timedelta(days=30)).isoformat())])
    _, told = desk.json("--queue-reads", "1", name)
    assert told.plan["notes"] == ["only 100 posts of reap were read; others may wait there, too"]
    assert desk.sent[("GET", "getAllPosts")] == 1
    _, told = desk.json("--queue-reads", "5", name)
    assert told.plan["notes"] == []
    assert desk.sent[("GET", "getAllPosts")] == 2


# ---- accounts that can't be read


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(FaultKind.FORBIDDEN, operation="getIntegrations", times=9), 1),
        (Fault(FaultKind.HTML_502, operation="getIntegrations", times=9), 3),
    ],
)
def test_a_key_or_a_service_that_fails_leaves_the_accounts_unchecked_and_the_rest_told(desk, fault, expected):
    desk.faults = [fault]
    status, lines, _ = desk(desk.manifest([clip_row(1)]))
    assert status == expected
    assert any(line.startswith("the accounts of reap couldn't be read, so they weren't checked") for line in lines)
    assert lines[-1] == "see to the keys and the network, then: reelpub plan posts.csv"
    status, lines, _ = desk(desk.manifest([clip_row(1, at="2020-01-01T00:00Z")]))
    assert status == 2
    assert "is in the past" in lines[0]
