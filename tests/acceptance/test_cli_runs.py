"""Files published by the command against the sandbox, in fast time: runs, and everything that is done with them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from reelpub.cli.app import run
from reelpub.cli.progress.runviews import RunLines
from reelpub.cli.setup import Setup
from reelpub.clocks import ScaledClock
from reelpub.sandbox import Fault, FaultKind, Sandbox

COLUMNS = ("reference", "clip", "generated_post", "title", "accounts", "at")


class Served:
    """A sandbox in a thread of its own, as the command brings its own loop; both follow one fast clock."""

    def __init__(self) -> None:
        self.clock = ScaledClock(30)
        self.sandbox = Sandbox(clock=self.clock, limits={"reelmirror": None, "reap": None})
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self):
        self._thread.start()
        self._do(self.sandbox.start())
        return self

    def __exit__(self, *_exc) -> None:
        self._do(self.sandbox.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    def order(self, kind: FaultKind, **members) -> None:
        self.sandbox.order(Fault(kind, **members))

    def live(self) -> list[str]:
        return sorted(one.source for one in self.sandbox.live())

    def in_hours(self, hours: float) -> str:
        return (datetime.fromtimestamp(self.clock.time(), UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


@pytest.fixture
def served(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("REELPUB_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    with Served() as served:
        for name, value in served.sandbox.environment().items():
            monkeypatch.setenv(name, value)
        yield served


@pytest.fixture
def reelpub(served, capfdbinary):
    """Run the command; return its exit status, what it printed, and what it said on standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        status = run([str(argument) for argument in arguments], obj=Setup(clock=served.clock))
        out, err = capfdbinary.readouterr()
        return status, out.decode(), err.decode()

    return call


@pytest.fixture
def manifest(tmp_path):
    """Write rows as a CSV file and return its name."""

    def write(*rows: dict[str, str], name: str = "posts.csv") -> str:
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return name

    return write


def clip(number: int, **members: str) -> dict[str, str]:
    usual = {"reference": f"clip-{number}", "clip": f"demo-project-1/demo-clip-{number}", "title": f"T{number}"}
    return {**usual, "accounts": "tiktok:acme", **members}


def generated(number: int, **members: str) -> dict[str, str]:
    usual = {"reference": f"post-{number}", "generated_post": f"demo-generated-post-{number}"}
    return {**usual, "accounts": "tiktok:acme", **members}


def objects(out: str) -> list[dict]:
    return [json.loads(text) for text in out.splitlines()]


def outcomes(out: str) -> dict[int, dict]:
    return {one["row"]: one for one in objects(out) if one["type"] == "outcome"}


def id_of(out: str) -> str:
    return re.search(r"run (\d{6}-\w{4}): ", out)[1]


class TestPublish:
    def test_a_file_for_both_providers_goes_live_and_its_run_is_named_first(self, reelpub, served, manifest):
        status, out, err = reelpub("publish", manifest(clip(1), clip(2), generated(1)))
        assert (status, err) == (0, "")
        assert re.match(r"run \d{6}-\w{4}: 3 rows of posts\.csv\n", out)
        assert re.search(r"^ +0\.0s  2 clip-2 +queued for reap$", out, re.MULTILINE)
        assert "3 rows: 3 published" in out
        assert f"reelpub report {id_of(out)}" in out
        assert len(served.live()) == 3
        assert "\x1b" not in out

    def test_json_is_a_run_events_outcomes_and_a_summary(self, reelpub, manifest):
        status, out, err = reelpub("publish", manifest(clip(1), generated(1)), "--json")
        found = objects(out)
        assert status == 0
        kinds = [one["type"] for one in found]
        assert (kinds[0], kinds[-3:]) == ("run", ["outcome", "outcome", "summary"])
        assert {"queued", "sent", "accepted", "delivered", "settled"} <= set(kinds[1:-3])
        run_id = found[0]["id"]
        assert {one.get("run", one.get("id")) for one in found} == {run_id}
        assert {one["row"] for one in found[1:-1]} == {1, 2}
        assert found[-1]["counts"] == {"published": 2}
        assert found[-1]["exit_status"] == 0
        assert f"run {run_id}: 2 rows" in err

    def test_every_mistake_is_told_at_its_place_and_nothing_is_sent(self, reelpub, served, manifest, tmp_path):
        rows = (clip(1), clip(2, clip="nonsense"), clip(3, at="tomorrow"), clip(4, accounts="tiktok:nobody"))
        status, out, err = reelpub("publish", manifest(*rows))
        assert status == 2
        assert out == ""
        places = re.findall(r"^posts\.csv:(\d+):\d+: error: (\w+)", err, re.MULTILINE)
        assert places == [("3", "clip"), ("4", "at"), ("5", "accounts")]
        assert "leave them out with --skip-bad-rows" in err
        assert "reelpub plan posts.csv" in err
        name = manifest(*rows, name="my posts.csv")
        _, _, err = reelpub("publish", name, "--zone", "Europe/Oslo", "--store", "my posts.db")
        assert "`reelpub plan 'my posts.csv' --zone Europe/Oslo --store 'my posts.db'` shows more" in err
        assert not served.live()
        assert not (tmp_path / "state").exists()

    def test_or_the_bad_rows_are_left_out(self, reelpub, served, manifest):
        rows = (clip(1), clip(2, clip="nonsense"), clip(4, accounts="tiktok:nobody"), clip(3))
        status, out, err = reelpub("publish", manifest(*rows), "--skip-bad-rows")
        assert status == 0
        assert "2 rows of posts.csv" in out
        assert "2 rows left out: they have errors" in out
        assert err.count("error:") == 2
        assert len(served.live()) == 2

    def test_where_none_is_left_nothing_is_sent(self, reelpub, served, manifest, tmp_path):
        status, _, err = reelpub("publish", manifest(clip(1, at="tomorrow")), "--skip-bad-rows")
        assert status == 2
        assert "every row of posts.csv that is left has errors; nothing was sent" in err
        assert not (tmp_path / "state").exists()

    def test_in_json_mistakes_are_objects(self, reelpub, manifest):
        status, out, _ = reelpub("publish", manifest(clip(1, at="tomorrow")), "--json")
        assert status == 2
        (found,) = objects(out)
        assert (found["type"], found["severity"], found["line"], found["column"]) == ("finding", "error", 2, "at")

    def test_a_file_that_is_no_manifest_is_refused_even_with_bad_rows_left_out(self, reelpub, tmp_path):
        (tmp_path / "posts.csv").write_bytes(b"\x00\x01\x02binary")
        for more in ((), ("--skip-bad-rows",)):
            status, out, err = reelpub("publish", "posts.csv", *more)
            assert (status, out) == (2, "")
            assert "posts.csv:1" in err
            assert "Traceback" not in err

    def test_a_file_that_was_published_is_told_before_anything_is_sent_again(self, reelpub, served, manifest):
        name = manifest(clip(1))
        assert reelpub("publish", name)[0] == 0
        status, out, err = reelpub("publish", name)
        assert "clip" in err
        assert status != 0 or "left out" in out
        assert len(served.live()) == 1

    def test_a_wrong_key_is_told_with_what_to_do(self, reelpub, manifest, monkeypatch):
        monkeypatch.setenv("REAP_API_KEY", "reap_sandbox_key_revoked000000001")
        status, out, err = reelpub("publish", manifest(clip(1)))
        assert (status, out) == (1, "")
        assert "reelpub: reap get_integrations: 401" in err
        assert "next: look at the key in REAP_API_KEY" in err
        assert "reap_sandbox_key" not in err


class TestAfterwards:
    def test_what_failed_is_sent_again_and_only_that(self, reelpub, served, manifest):
        served.order(FaultKind.PLATFORM_FAILS, account="youtube:acme")
        accounts = "tiktok:acme;youtube:acme"
        status, out, _ = reelpub("publish", manifest(clip(1, accounts=accounts), clip(2, accounts=accounts)))
        assert status == 1
        assert "failed on youtube:acme: " in out
        assert "1 row is not live everywhere; send just that again with: reelpub retry" in out
        status, out, err = reelpub("retry", "--failed", "--json")
        assert status == 0, err
        assert len(served.live()) == 4
        assert {one["status"] for one in outcomes(out).values()} == {"published"}
        assert len([one for one in objects(out) if one["type"] == "sent"]) == 1
        status, _, _ = reelpub("retry", "--failed")
        assert status == 0
        assert len(served.live()) == 4
        assert not served.sandbox.duplicates()

    def test_only_the_rows_that_are_named_are_retried(self, reelpub, served, manifest):
        served.order(FaultKind.PLATFORM_FAILS, account="tiktok:acme", times=2)
        assert reelpub("publish", manifest(clip(1), clip(2), clip(3)))[0] == 1
        (first, second) = [
            row for row, one in outcomes(reelpub("results", "--json")[1]).items() if one["status"] == "failed"
        ]
        assert reelpub("retry", "--row", second)[0] == 1
        found = outcomes(reelpub("results", "--json")[1])
        assert (found[first]["status"], found[second]["status"]) == ("failed", "published")
        assert reelpub("retry", "--row", "9")[0] == 2

    @pytest.mark.parametrize("command", ["retry", "cancel"])
    def test_a_row_that_isnt_there_is_wrong_use_and_nothing_to_go_on_with(self, reelpub, manifest, command):
        run_id = id_of(reelpub("publish", manifest(clip(1)))[1])
        status, out, err = reelpub(command, run_id, "--row", "9")
        assert status == 2
        assert "there is no row 9" in err
        assert "go on with" not in out + err

    def test_only_what_isnt_live_may_be_shown_and_written(self, reelpub, served, manifest, tmp_path):
        rows = [clip(1), clip(2, clip="demo-project-1/no-such-clip"), clip(3)]
        assert reelpub("publish", manifest(*rows))[0] == 1
        status, out, _ = reelpub("results", "--failed")
        assert status == 1
        assert re.findall(r"^(\d) +clip", out, re.MULTILINE) == ["2"]
        assert "3 rows: 2 published, 1 refused" in out
        assert outcomes(reelpub("results", "--failed", "--json")[1]).keys() == {2}
        status, _, err = reelpub("results", "--failed", "--format", "csv", "-o", "again.csv")
        assert "again.csv: 1 row; send" in err
        text = (tmp_path / "again.csv").read_text("utf-8-sig")
        assert [row["reference"] for row in csv.DictReader(text.splitlines())] == ["clip-2"]
        (tmp_path / "again.csv").write_text(text.replace("no-such-clip", "demo-clip-2"), "utf-8")
        status, _, err = reelpub("publish", "again.csv")
        assert status == 0, err
        assert "no row is known to have failed" in reelpub("results", "--failed")[1]

    def test_a_refused_row_is_to_be_mended_and_not_to_be_retried(self, reelpub, served, manifest):
        status, out, _ = reelpub("publish", manifest(clip(1, clip="demo-project-1/no-such-clip")))
        assert status == 1
        run = id_of(out)
        assert f"mend it, with: reelpub results {run} --failed --format csv -o again.csv" in out
        assert "and then send it with: reelpub publish again.csv" in out
        assert "reelpub retry" not in out
        status, out, _ = reelpub("retry")
        assert (status, "nothing to send again" in out) == (1, False), "somebody may have mended it at the provider"

    def test_of_a_run_only_the_rows_that_were_retried_are_shown(self, reelpub, served, manifest):
        served.order(FaultKind.PLATFORM_FAILS, account="youtube:acme")
        reelpub("publish", manifest(clip(1), clip(2, accounts="youtube:acme"), clip(3)))
        status, out, err = reelpub("retry", "--failed")
        assert status == 0, err
        table = out[out.index("Row  ") :]
        assert re.findall(r"^(\d) +clip", table, re.MULTILINE) == ["2"]
        assert "and 2 more: 2 published; all of them: reelpub results" in table
        assert "3 rows: 3 published" in table
        assert "nothing to send again" in reelpub("retry")[1]

    def test_what_is_left_out_is_told_by_its_reason(self, reelpub, served, manifest, tmp_path):
        reelpub("publish", manifest(clip(1), clip(2), clip(3, at=served.in_hours(30))))
        reelpub("results", "--format", "csv", "-o", "again.csv")
        status, _, err = reelpub("publish", "again.csv")
        assert status == 0
        assert "2 rows left out: each is live already" in err
        assert "1 row left out: it is scheduled at the service already" in err

    def test_what_is_to_be_done_next_names_the_store(self, reelpub, served, manifest):
        """Another one wouldn't know what was sent before."""
        named = ("--store", "my posts.db")
        reelpub("publish", manifest(clip(1), clip(2, clip="demo-project-1/no-such-clip")), *named)
        _, out, _ = reelpub("results", "--json", *named)
        commands = [step["command"] for step in objects(out)[-1]["next"]]
        assert commands
        assert all(command.endswith(" --store 'my posts.db'") for command in commands)
        _, _, err = reelpub("results", "--format", "csv", "-o", "again.csv", *named)
        assert err.endswith("reelpub publish again.csv --store 'my posts.db'\n")
        _, out, _ = reelpub("retry", "--row", "1", *named)
        assert re.search(r"and 1 more: .*; all of them: reelpub results \S+ --store 'my posts\.db'$", out, re.MULTILINE)

    def test_results_are_a_manifest_for_what_isnt_live(self, reelpub, served, manifest, tmp_path):
        served.order(FaultKind.PLATFORM_FAILS, account="tiktok:acme")
        assert reelpub("publish", manifest(clip(1), clip(2), clip(3)))[0] == 1
        for name, format_ in (("again.csv", "csv"), ("again.jsonl", "jsonl")):
            status, out, err = reelpub("results", "--format", format_, "-o", name)
            assert (status, out) == (1, "")
            assert f"reelpub publish {name}" in err
        status, out, _ = reelpub("results", "--format", "csv")
        assert b"\xef\xbb\xbf" + out.encode() == (tmp_path / "again.csv").read_bytes()
        status, out, err = reelpub("publish", "again.jsonl")
        assert status == 0, err
        assert "1 row of again.jsonl" in out
        assert "2 rows left out" in out
        assert len(served.live()) == 3
        assert not served.sandbox.duplicates()

    def test_results_have_the_columns_of_ones_own_and_the_separator_asked_for(self, reelpub, served, tmp_path):
        served.order(FaultKind.PLATFORM_FAILS, account="tiktok:acme")
        rows = ["_note;clip;accounts;_due", "für Ada;demo-project-1/demo-clip-1;tiktok:acme;Montag"]
        (tmp_path / "posts.csv").write_text("\r\n".join(rows), "utf-8-sig")
        assert reelpub("publish", "posts.csv")[0] == 1
        assert outcomes(reelpub("results", "--json")[1])[1]["own"] == {"_note": "für Ada", "_due": "Montag"}
        assert reelpub("results", "--format", "csv", "--separator", "semicolon", "-o", "again.csv")[0] == 1
        header, line, _ = (tmp_path / "again.csv").read_text("utf-8-sig").split("\n")
        assert header.count(";") == line.count(";")
        assert ";_note;_due;result_status;" in header
        assert ";für Ada;Montag;failed;" in line
        assert reelpub("publish", "again.csv")[0] == 0
        assert outcomes(reelpub("results", "--json")[1])[1]["own"] == {"_note": "für Ada", "_due": "Montag"}
        for wrong in (("--separator", "tab"), ("--format", "jsonl", "--separator", "tab")):
            status, _, err = reelpub("results", *wrong)
            assert (status, "--separator goes with --format csv" in err) == (2, True)

    def test_where_everything_is_live_there_is_nothing_to_do(self, reelpub, served, manifest):
        assert reelpub("publish", manifest(clip(1)))[0] == 0
        assert reelpub("results", "--format", "csv", "-o", "again.csv")[0] == 0
        status, out, err = reelpub("publish", "again.csv")
        assert (status, out) == (0, "")
        assert "nothing to do in again.csv: 1 row left out" in err
        assert len(served.live()) == 1

    def test_the_runs_are_listed_the_latest_first(self, reelpub, manifest):
        first = id_of(reelpub("publish", manifest(clip(1), name="one.csv"))[1])
        second = id_of(reelpub("publish", manifest(clip(2), name="two.csv"))[1])
        status, out, _ = reelpub("runs")
        assert status == 0
        lines = [line.split()[0] for line in out.splitlines()[1:]]
        assert lines == [second, first]
        assert "two.csv" in out
        found = objects(reelpub("runs", "--json", "--limit", "1")[1])
        assert [(one["id"], one["is_finished"], one["counts"]) for one in found] == [(second, True, {"published": 1})]

    def test_a_run_is_named_by_any_part_that_is_its_own(self, reelpub, manifest):
        found = id_of(reelpub("publish", manifest(clip(1)))[1])
        for name in (found, found[-4:], "latest"):
            status, out, _ = reelpub("results", name, "--json")
            assert (status, objects(out)[0]["id"]) == (0, found)
        status, out, err = reelpub("results")
        assert f"the latest run: {found} (posts.csv)" in out + err
        status, _, err = reelpub("results", "nonsense")
        assert status == 2
        assert found in err

    def test_the_table_at_the_end_says_what_the_results_and_the_json_say(self, reelpub, served, manifest):
        served.order(FaultKind.PLATFORM_FAILS, account="youtube:acme", text="no such video")
        served.order(FaultKind.LOST_AFTER, operation="approveGeneratedPost")
        accounts = "tiktok:acme;youtube:acme"
        name = manifest(clip(1, accounts=accounts), generated(1), clip(2, at=served.in_hours(30)))
        _, out, _ = reelpub("publish", name)
        told = [
            [str(row), one["accounts"][place]["account"], one["accounts"][place]["status"]]
            for row, one in outcomes(reelpub("results", "--json")[1]).items()
            for place in range(len(one["accounts"]))
        ]
        table = out[out.rindex("Row ") :].splitlines()[1 : 1 + len(told)]
        assert [[words[0], words[3], words[4]] for words in map(str.split, table)] == told
        results = reelpub("results")[1]
        assert "\n".join(table) in results

    def test_a_report_is_a_file(self, reelpub, manifest, tmp_path):
        found = id_of(reelpub("publish", manifest(clip(1, title="</script><script>alert(1)")))[1])
        status, out, err = reelpub("report")
        assert status == 0, err
        page = (tmp_path / f"reelpub-{found}.html").read_text(encoding="utf-8")
        assert found in page
        assert "clip-1" in page
        assert f"reelpub-{found}.html" in out
        assert reelpub("report", found, "-o", "spring.html", "--zone", "Europe/Oslo")[0] == 0
        assert (tmp_path / "spring.html").exists()
        status, out, _ = reelpub("report", "-o", "-")
        assert (status, out[:15].lower()) == (0, "<!doctype html>")


@pytest.mark.skipif(os.name != "posix", reason="signals")
class TestStopping:
    def test_a_signal_stops_in_order_and_the_rest_goes_on_later(self, reelpub, served, manifest):
        """As a process of its own it is tested in test_cli_run_processes."""
        served.sandbox.order(Fault(FaultKind.STUCK, provider="reap", times=9))
        name = manifest(clip(1), generated(1))
        timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            status, out, err = reelpub("publish", name)
        finally:
            timer.cancel()
        assert (status, err) == (3, "")
        assert "stopping: nothing new is sent" in out
        assert f"go on with: reelpub resume {id_of(out)}" in out
        assert len(outcomes(reelpub("results", "--json")[1])) == 2

    def test_an_error_on_the_way_says_how_to_go_on(self, reelpub, manifest, tmp_path):
        assert reelpub("publish", manifest(clip(1)))[0] == 0
        with closing(sqlite3.connect(tmp_path / "state" / "reelpub" / "reelpub.db")) as db:
            db.execute("DROP TABLE run_rows")
            db.commit()
        status, _, err = reelpub("resume")
        assert status == 1
        assert "next: see that the file can be written" in err

    def test_on_a_terminal_progress_is_drawn_and_the_last_table_stays(self, reelpub, served, manifest, monkeypatch):
        """In a real terminal it is tested in test_terminal_runs."""
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        for name, value in (("TERM", "xterm"), ("FORCE_COLOR", "1"), ("COLUMNS", "80"), ("LINES", "24")):
            monkeypatch.setenv(name, value)
        served.order(FaultKind.PLATFORM_FAILS, account="youtube:acme")
        status, out, err = reelpub("publish", manifest(clip(1, accounts="youtube:acme"), generated(1)))
        assert (status, err) == (1, "")
        assert "of 10 requests used, next" in out
        assert "0 of 2" in out
        assert "━" in out
        assert "clip-1: failed on youtube:acme" in out
        assert out.rindex("2 rows: 1 published, 1 failed") > out.rindex("requests used")


class TestAReaderThatLeaves:
    """`| head -1`: the exit status tells what became of the rows, as when somebody reads it."""

    @pytest.fixture
    def unread(self, monkeypatch):
        def gone(*_) -> None:
            raise BrokenPipeError

        def break_(name: str) -> None:
            monkeypatch.setattr(RunLines, name, gone)

        return break_

    @pytest.mark.parametrize(
        "words",
        [("cancel", "latest"), ("reschedule", "latest", "--by", "1h"), ("results",)],
        ids=lambda words: words[0],
    )
    def test_what_was_done_is_done(self, reelpub, served, manifest, unread, words):
        """1 would say that it was too late for some."""
        assert reelpub("publish", manifest(clip(1, at=served.in_hours(30))))[0] == 0
        unread("listing")
        assert reelpub(*words)[0] == (141 if words == ("results",) else 0)

    def test_one_who_leaves_as_the_run_begins_stops_it_in_order(self, reelpub, served, manifest, unread):
        """Its id had no reader; it is noted all the same, and nothing of it was sent."""
        unread("note")
        assert reelpub("publish", manifest(clip(1)))[0] == 3
        assert served.live() == []
        status, out, _ = reelpub("runs", "--json")
        assert (status, objects(out)[0]["is_finished"]) == (0, False)


class TestTimes:
    def test_every_row_needs_a_time(self, reelpub, served, manifest):
        status, _, err = reelpub("schedule", manifest(clip(1), clip(2, at=served.in_hours(30))))
        assert status == 2
        assert re.search(r"^posts\.csv:2:\d+: error: at: is missing", err, re.MULTILINE)
        assert "--start TIME --every 2h" in err
        # To `plan` a row without a time is to go out now, and sound.
        assert "reelpub plan" not in err
        many = ("schedule", manifest(*map(clip, range(1, 5))), "--limit-findings", "3")
        assert "reelpub: and 1 more finding; --limit-findings 4 tells them all" in reelpub(*many)[2]

    def test_the_plan_that_shows_more_gives_rows_the_same_times(self, reelpub, served, manifest):
        start = served.in_hours(30)
        name = manifest(clip(1), clip(2, accounts="tiktok:nobody"))
        status, _, err = reelpub("schedule", name, "--start", start, "--every", "90m")
        assert status == 2
        assert f"`reelpub plan posts.csv --start {start} --every 90m` shows more" in err

    def test_rows_are_given_times(self, reelpub, served, manifest):
        start = served.in_hours(30)
        name = manifest(*(clip(number) for number in (1, 2, 3)))
        status, out, err = reelpub("schedule", name, "--start", start, "--every", "2h", "--json")
        assert status == 0, err
        found = [one["posts"][0]["scheduled_at"] for one in outcomes(out).values()]
        apart = timedelta(hours=2)
        first = datetime.fromisoformat(start)
        assert [datetime.fromisoformat(at) for at in found] == [first, first + apart, first + 2 * apart]
        assert not served.live()

    def test_a_dry_run_says_when_each_row_would_go_out(self, reelpub, served, manifest):
        name = manifest(clip(1), clip(2))
        start = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d 12:00")
        day = start[:10]
        zone = "Asia/Tokyo"
        options = ("--start", start, "--every", "1h", "--zone", zone, "--dry-run")
        status, out, err = reelpub("schedule", name, *options)
        assert status == 0, err
        assert f"posts.csv:2: clip-1: would be scheduled for {day} 12:00 Asia/Tokyo, 03:00 UTC" in out
        assert f"posts.csv:3: clip-2: would be scheduled for {day} 13:00 Asia/Tokyo, 04:00 UTC" in out

    def test_a_scheduled_row_says_when_in_every_output(self, reelpub, served, manifest):
        at = (datetime.fromtimestamp(served.clock.time(), UTC) + timedelta(days=3)).strftime("%Y-%m-%d 12:00")
        told = f"{at} Asia/Tokyo, 03:00 UTC"
        status, out, err = reelpub("schedule", manifest(clip(1, at=at)), "--zone", "Asia/Tokyo")
        assert status == 0, err
        assert re.search(rf"clip-1 +scheduled for {told}$", out, re.MULTILINE), "as an event"
        assert re.search(rf"^1 +clip-1 +tiktok:acme +scheduled +{told}$", out, re.MULTILINE), "in the table"
        assert told in reelpub("results")[1]
        (row,) = outcomes(reelpub("results", "--json")[1]).values()
        assert (row["accounts"][0]["detail"], row["zone"]) == (told, "Asia/Tokyo")
        assert datetime.fromisoformat(row["at"]) == datetime.fromisoformat(row["local"])
        status, out, _ = reelpub("watch", "--timeout", "1")
        assert status == 3
        assert f"1 row is scheduled; it goes out at {told}" in out
        status, out, err = reelpub(
            "reschedule", "latest", "--row", "1", "--at", f"{at[:10]} 21:00", "--zone", "Asia/Tokyo"
        )
        assert status == 0, err
        assert re.search(rf"^1 +clip-1 +yes +{at[:10]} 21:00 Asia/Tokyo, 12:00 UTC$", out, re.MULTILINE)

    def test_what_its_provider_cant_move_is_told_with_what_to_do(self, reelpub, served, manifest):
        status, _, err = reelpub("publish", manifest(generated(1, at=served.in_hours(30))))
        assert status == 0, err
        status, out, _ = reelpub("reschedule", "latest", "--by", "+2h")
        assert status == 1
        assert re.search(r"^1 +post-1 +no +\d{4}-\S+ \d\d:\d\d UTC +reelmirror can't", out, re.MULTILINE)
        assert re.search(r"call it off with: reelpub cancel \d{6}-\w{4} --row 1$", out, re.MULTILINE)
        assert "reelpub schedule FILE" in out

    def scheduled(self, reelpub, served, manifest) -> str:
        name = manifest(*(clip(number, at=served.in_hours(30 + number)) for number in (1, 2, 3)))
        status, out, err = reelpub("publish", name)
        assert status == 0, err
        assert "3 rows are at the provider; follow to the end with: reelpub watch" in out
        return id_of(out)

    def test_what_is_scheduled_can_be_moved(self, reelpub, served, manifest):
        found = self.scheduled(reelpub, served, manifest)
        before = [one["posts"][-1]["scheduled_at"] for one in outcomes(reelpub("results", "--json")[1]).values()]
        status, out, _err = reelpub("reschedule", found, "--row", "2-3", "--by", "+2h", "--json")
        moves = [one for one in objects(out) if one["type"] == "move"]
        told = {one["row"]: one["error"] for one in moves}
        assert told.keys() == {2, 3}
        after = [one["posts"][-1]["scheduled_at"] for one in outcomes(reelpub("results", "--json")[1]).values()]
        shifts = [
            datetime.fromisoformat(late) - datetime.fromisoformat(early)
            for early, late in zip(before, after, strict=True)
        ]
        if status == 0:
            assert shifts == [timedelta(0), timedelta(hours=2), timedelta(hours=2)]
        else:
            assert shifts == [timedelta(0)] * 3
            assert all(told.values())

    def test_one_row_can_be_moved_to_a_time(self, reelpub, served, manifest):
        found = self.scheduled(reelpub, served, manifest)
        when = served.in_hours(50)
        status, out, _ = reelpub("reschedule", found, "--row", "1", "--at", when, "--json")
        (move,) = [one for one in objects(out) if one["type"] == "move"]
        if status == 0:
            assert datetime.fromisoformat(move["at"]) == datetime.fromisoformat(when)
        else:
            assert move["error"]["message"]

    def test_a_time_that_no_provider_takes_is_told_and_the_row_keeps_its_own(self, reelpub, served, manifest):
        self.scheduled(reelpub, served, manifest)
        status, out, _ = reelpub("reschedule", "latest", "--row", "1", "--at", "2019-01-01T00:00Z")
        assert status == 1
        assert re.search(r"^1 +clip-1 +no +\d{4}-\S+ \d\d:\d\d UTC +\S", out, re.MULTILINE)

    def test_what_is_scheduled_can_be_called_off(self, reelpub, served, manifest):
        self.scheduled(reelpub, served, manifest)
        status, out, err = reelpub("cancel", "latest", "--row", "2")
        assert status == 0, err
        assert re.search(r"^2 +clip-2 +cancelled +cancelled$", out, re.MULTILINE)
        found = {row: one["status"] for row, one in outcomes(reelpub("results", "--json")[1]).items()}
        assert found == {1: "scheduled", 2: "cancelled", 3: "scheduled"}
        status, out, _ = reelpub("cancel", "latest", "--json")
        assert status == 0
        results = {one["row"]: one["result"] for one in objects(out) if one["type"] == "cancellation"}
        assert results == dict.fromkeys((1, 2, 3), "cancelled")
        assert reelpub("retry")[0] == 1, "what was called off isn't sent again"
        assert not served.live()

    def test_without_a_name_somebody_is_asked(self, reelpub, served, manifest, monkeypatch):
        self.scheduled(reelpub, served, manifest)
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        for answer, status, ends in (("n", 2, {"scheduled"}), ("y", 0, {"cancelled"})):
            terminal = io.StringIO(f"{answer}\n")
            terminal.isatty = lambda: True
            monkeypatch.setattr("sys.stdin", terminal)
            found, out, err = reelpub("cancel")
            assert found == status, err
            assert "the latest run: " in out
            assert "Call off all of it that hasn't gone out? [y/N]" in out
            assert {one["status"] for one in outcomes(reelpub("results", "--json")[1]).values()} == ends

    def test_it_is_too_late_for_what_is_live(self, reelpub, manifest):
        assert reelpub("publish", manifest(clip(1)))[0] == 0
        status, _, err = reelpub("cancel")
        assert (status, "say which run" in err) == (2, True), "nobody was asked"
        status, out, _ = reelpub("cancel", "latest")
        assert status == 1
        assert re.search(r"^1 +clip-1 +too late +published$", out, re.MULTILINE)

    def test_watching_follows_to_the_end(self, reelpub, served, manifest):
        served.order(FaultKind.STUCK)
        status, out, _ = reelpub("publish", manifest(clip(1)), "--timeout", "5")
        assert status == 3
        status, out, _ = reelpub("watch", "--timeout", "5")
        assert status == 3
        assert "reelpub resume" in out or "reelpub watch" in out

    def test_what_time_ran_out_for_goes_on(self, reelpub, served, manifest):
        status, out, _ = reelpub("publish", manifest(clip(1), generated(1)), "--timeout", "1")
        assert status == 3
        assert f"go on with: reelpub resume {id_of(out)}" in out
        status, out, err = reelpub("resume", "--json")
        assert status == 0, err
        assert objects(out)[0]["type"] == "run"
        assert {one["status"] for one in outcomes(out).values()} == {"published"}
        assert not served.sandbox.duplicates()
        status, out, err = reelpub("resume")
        assert status == 0
        assert "2 rows: 2 published" in out


class TestStores:
    def test_one_that_is_named_is_named_in_what_to_do_next(self, reelpub, manifest, tmp_path):
        status, out, _ = reelpub("publish", manifest(clip(1)), "--store", "my posts.db")
        assert status == 0
        assert "--store 'my posts.db'" in out
        assert not (tmp_path / "state").exists()
        assert reelpub("results", "--store", "my posts.db")[0] == 0

    def test_single_posts_and_runs_share_one(self, reelpub, served, manifest):
        single = ("--clip", "demo-project-2/demo-clip-1", "--account", "tiktok:acme", "--no-wait")
        assert reelpub("publish", *single, "--store", "posts.db")[0] == 3
        assert reelpub("publish", manifest(clip(1)), "--store", "posts.db")[0] == 0
        status, out, _ = reelpub("resume", "--posts", "--store", "posts.db")
        assert status == 0, out
        assert "demo-project-2/demo-clip-1" in out
        assert len(served.live()) == 2


# ---- the dry run


def test_a_dry_run_shows_every_request_and_sends_none_that_writes(reelpub, served, manifest, tmp_path):
    """The requests of the real code path, the key left out, and how each row would end; no run and no store."""
    name = manifest(
        {"reference": "a", "generated_post": "demo-generated-post-1", "title": ""},
        {"reference": "b", "clip": "demo-project-1/demo-clip-1", "title": "It's on", "accounts": "x:acme"},
        {"reference": "c", "clip": "no-such-project/demo-clip-1", "accounts": "x:acme"},
    )
    status, out, err = reelpub("publish", name, "--dry-run")
    assert status == 1, err
    assert "POST " in out
    assert "/publish-clip" in out
    assert '"title": "It\'s on"' in out
    assert "Authorization: Bearer [redacted]" in out
    assert f"{name}:2: a: would be published" in out
    assert f"{name}:4: c: would be refused: " in out
    assert "requests shown and not sent" in out
    for key in served.sandbox.environment().values():
        if key.startswith("http"):
            continue
        assert key not in out + err
    assert served.live() == []
    assert {record.method for record in served.sandbox.requests()} == {"GET"}
    assert not (tmp_path / "state").exists(), "nothing is noted"


def test_a_dry_run_tells_a_program_the_same(reelpub, served, manifest):
    name = manifest({"reference": "b", "clip": "demo-project-1/demo-clip-1", "accounts": "x:acme", "at": ""})
    status, out, _ = reelpub("publish", name, "--dry-run", "--json")
    told = [json.loads(text) for text in out.splitlines()]
    assert status == 0
    writes = [one for one in told if one["type"] == "request" and not one["is_sent"]]
    assert [(one["method"], one["operation"]) for one in writes] == [("POST", "publish_clip")]
    assert writes[0]["body"]["clipId"] == "demo-clip-1"
    assert told[-1] == {
        "type": "would_end",
        "row": f"{name}:2: b",
        "status": "published",
        "reason": None,
        "is_kept_until_due": False,
        "at": None,
        "local": None,
        "zone": None,
    }
    assert served.live() == []


def test_a_store_that_is_named_for_one_post_is_made_only_for_sending(reelpub, served, tmp_path, monkeypatch):
    post = ("publish", "--clip", "demo-project-1/demo-clip-1", "--account", "x:acme", "--store", "posts.db")
    assert reelpub(*post, "--dry-run")[0] == 0
    assert not (tmp_path / "posts.db").exists()
    with monkeypatch.context() as bare:
        bare.delenv("REAP_API_KEY")
        bare.delenv("REELMIRROR_API_KEY")
        assert reelpub(*post)[0] == 2
    assert not (tmp_path / "posts.db").exists()
    assert reelpub(*post)[0] == 0
    assert (tmp_path / "posts.db").stat().st_mode & 0o777 == 0o600


def test_a_dry_run_of_one_post_and_of_one_that_is_kept_here(reelpub, served, manifest):
    """Options show the same as a file; what Reap doesn't schedule so soon is shown as it leaves when it is due."""
    status, out, _ = reelpub("publish", "--clip", "demo-project-1/demo-clip-1", "--account", "x:acme", "--dry-run")
    assert status == 0
    assert "demo-project-1/demo-clip-1: would be published" in out
    assert "dry run: 1 request shown and not sent" in out
    name = manifest({"clip": "demo-project-1/demo-clip-1", "accounts": "x:acme", "at": served.in_hours(0.5)})
    status, out, _ = reelpub("schedule", name, "--dry-run")
    assert status == 0
    assert re.search(r"after it was kept here until \d{4}-\d\d-\d\d \d\d:\d\d UTC", out)
    assert served.live() == []


def test_a_time_that_cant_be_read_takes_no_other_rows_time(reelpub, served, manifest):
    """--start counts the rows that have none; one whose own is wrong is told, and the next gets the first slot."""
    name = manifest(
        {"reference": "a", "clip": "demo-project-1/demo-clip-1", "accounts": "x:acme", "at": "soon"},
        {"reference": "b", "clip": "demo-project-1/demo-clip-2", "accounts": "x:acme"},
    )
    start = served.in_hours(3)
    status, out, _ = reelpub("schedule", name, "--start", start, "--every", "1h", "--skip-bad-rows", "--json")
    told = [json.loads(text) for text in out.splitlines()]
    assert status == 0
    assert start[:16] in json.dumps([one for one in told if one["type"] == "outcome"])
