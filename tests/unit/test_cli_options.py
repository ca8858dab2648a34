"""The command's options, before anything is sent: what they mean, and what is wrong use."""

from __future__ import annotations

import io
import signal
import socket
import sys
import time
from datetime import UTC, datetime, timedelta, timezone

import click
import pytest

from reelpub.cli import main
from reelpub.cli.app import command, run
from reelpub.cli.commands import demo
from reelpub.cli.commands.sandbox import LIMIT_KINDS, dialects_from
from reelpub.cli.durations import Step
from reelpub.cli.exits import ExitStatus, of_error, of_statuses, status_of
from reelpub.cli.show.board import Board
from reelpub.cli.show.lines import LinesView
from reelpub.cli.work import scenario
from reelpub.cli.work.request import settings_from, source_from, when_from
from reelpub.cli.work.slots import slots_from
from reelpub.errors import (
    ConfigurationError,
    NotFoundError,
    OutcomeUnknown,
    RequestTimeout,
    ServerError,
    ValidationError,
)
from reelpub.manifest import read_manifest
from reelpub.models.account import Account
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.problem import Problem
from reelpub.models.settings import TikTokSettings, YouTubeSettings
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItems
from reelpub.models.when import LocalTime
from reelpub.policies.scheduling import instant
from reelpub.sandbox import LimitKind, Sandbox


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in ("REELMIRROR_API_KEY", "REAP_API_KEY", "REELMIRROR_BASE_URL", "REAP_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def source(**given):
    nothing = {
        "generated_post": None,
        "approve": False,
        "media_items": (),
        "persona": None,
        "draft": None,
        "clip": None,
    }
    return source_from(**{**nothing, **given})


class TestSource:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"generated_post": "g"}, GeneratedPost("g")),
            ({"generated_post": "g", "approve": True}, GeneratedPost("g", approve=True)),
            ({"media_items": ("m", "n"), "persona": "p"}, MediaItems(["m", "n"], persona_id="p")),
            ({"draft": "d"}, Draft("d")),
            ({"clip": Clip("a", "b")}, Clip("a", "b")),
        ],
    )
    def test_one_is_named(self, given, expected):
        assert source(**given) == expected

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ({}, "give FILE, such as posts.csv; or, for a single post, name one source"),
            ({"draft": "d", "clip": Clip("a", "b")}, "not 2 of them"),
            ({"draft": "d", "approve": True}, "--approve goes with --generated-post"),
            ({"draft": "d", "persona": "p"}, "--persona goes with --media-item"),
        ],
    )
    def test_none_or_several_are_wrong_use(self, given, text):
        with pytest.raises(click.UsageError, match=text):
            source(**given)


class TestWhen:
    def test_a_time_with_an_offset_is_an_instant(self):
        expected = datetime(2027, 3, 28, 14, 30, tzinfo=timezone(timedelta(hours=2)))
        assert when_from("2027-03-28T14:30+02:00", None) == expected

    def test_a_clock_time_needs_its_zone(self):
        assert when_from("2027-03-28 14:30", "Europe/Oslo") == LocalTime("2027-03-28 14:30", "Europe/Oslo")

    def test_it_is_read_as_in_a_file(self):
        """A spreadsheet writes 9:30 and not 09:30."""
        (row,) = read_manifest(
            io.BytesIO(b"clip,accounts,at,zone\np/c,tiktok:acme,2027-03-28 9:30,Europe/Oslo\n"), format="csv"
        )
        assert when_from(" 2027-03-28 9:30", "Europe/Oslo") == row.request.at
        assert instant(when_from("2027-03-28 9:30", "Europe/Oslo")) == datetime(2027, 3, 28, 7, 30, tzinfo=UTC)
        assert when_from("2027-03-28 9:30+02:00", None) == datetime(2027, 3, 28, 7, 30, tzinfo=UTC)

    def test_the_zone_of_a_files_rows_goes_with_a_start_that_has_an_offset(self):
        slots = slots_from("2027-03-28 9:30+02:00", Step(days=1), "Asia/Tokyo")
        assert slots.start == datetime(2027, 3, 28, 7, 30, tzinfo=UTC)
        with pytest.raises(click.UsageError, match="--start: '2027-03-28' has no clock time"):
            slots_from("2027-03-28", Step(days=1), "Asia/Tokyo")

    def test_no_time_is_now(self):
        assert when_from(None, None) is None

    @pytest.mark.parametrize(
        ("at", "zone", "text"),
        [
            (None, "Europe/Oslo", "--zone goes with --at"),
            ("tomorrow", None, "'tomorrow' is no time that can be read; write it as 2027-03-28T14:30"),
            ("2027-03-28", "Europe/Oslo", "'2027-03-28' has no clock time; write it as 2027-03-28T14:30"),
            ("28.3.2027 9:30", "Europe/Oslo", "isn't written as year, month and day; write 2027-03-28 09:30"),
            ("2027-03-28 14:30", None, "has no offset"),
            ("2027-03-28T14:30Z", "Europe/Oslo", "has an offset already"),
        ],
    )
    def test_what_says_too_little_or_too_much_is_wrong_use(self, at, zone, text):
        with pytest.raises(click.UsageError, match=text):
            when_from(at, zone)


class TestSettings:
    def test_known_platforms_get_typed_settings(self):
        given = [("tiktok", "privacy", "friends"), ("tiktok", "disable_duet", True), ("youtube", "embeddable", False)]
        assert settings_from(given) == {
            "tiktok": TikTokSettings(privacy="friends", disable_duet=True),
            "youtube": YouTubeSettings(embeddable=False),
        }

    def test_others_are_passed_on_for_the_publisher_to_judge(self):
        assert settings_from([("x", "mood", "calm")]) == {"x": {"mood": "calm"}}

    def test_an_unknown_name_is_told_with_those_that_there_are(self):
        with pytest.raises(click.UsageError, match="tiktok has no 'mood'; it has privacy, disable_comments"):
            settings_from([("tiktok", "mood", "calm")])


class TestExitStatus:
    @pytest.mark.parametrize(
        ("statuses", "expected"),
        [
            ([OutcomeStatus.PUBLISHED, OutcomeStatus.SCHEDULED], 0),
            ([OutcomeStatus.PUBLISHED, OutcomeStatus.FAILED], 1),
            ([OutcomeStatus.PARTLY_PUBLISHED], 1),
            ([OutcomeStatus.REFUSED], 1),
            ([OutcomeStatus.NOT_SENT], 1),
            ([OutcomeStatus.CANCELLED], 1),
            ([OutcomeStatus.DUPLICATE], 1),
            ([OutcomeStatus.FAILED, OutcomeStatus.UNKNOWN], 3),
            ([OutcomeStatus.PENDING], 3),
        ],
    )
    def test_zero_is_for_success_alone_and_doubt_outweighs_failure(self, statuses, expected):
        assert of_statuses(statuses) == expected

    def test_whoever_waits_for_a_post_isnt_done_while_it_is_scheduled(self):
        assert of_statuses([OutcomeStatus.SCHEDULED], scheduled_counts=False) == ExitStatus.UNKNOWN

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (ConfigurationError("x"), 2),
            (ValidationError([Problem(field="at", message="is naive")]), 2),
            (NotFoundError("x", status=404, operation="o", provider="p"), 1),
            (ServerError("x", status=502, operation="o", provider="p"), 3),
            (RequestTimeout("x", operation="o", provider="p", sent=True), 3),
            (OutcomeUnknown("x", operation="o", provider="p"), 3),
        ],
    )
    def test_an_error_that_leaves_a_posts_state_open_is_a_doubt(self, error, expected):
        assert of_error(error) == expected

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (PostStatus.DRAFT, OutcomeStatus.PENDING),
            (PostStatus.OTHER, OutcomeStatus.PENDING),
            (PostStatus.SCHEDULED, OutcomeStatus.SCHEDULED),
            (PostStatus.PUBLISHED, OutcomeStatus.PUBLISHED),
            (PostStatus.FAILED, OutcomeStatus.FAILED),
        ],
    )
    def test_a_post_without_deliveries_goes_by_its_own_state(self, status, expected):
        assert status_of(Post(id="p", provider="reap", publisher="reap", status=status)) is expected

    def test_a_posts_deliveries_decide_where_it_has_any(self):
        account = Account(id="1", provider="reap", platform="x")
        failed = Delivery(account=account, status=DeliveryStatus.FAILED)
        post = Post(id="p", provider="reap", publisher="reap", status=PostStatus.PUBLISHED, deliveries=(failed,))
        assert status_of(post) is OutcomeStatus.FAILED


class TestDialects:
    def test_a_switch_is_turned_by_its_name_and_value(self):
        found = dialects_from(
            ["reelmirror.patch_targets=ignores", "reap.platforms_duplicated=TRUE", "reelmirror.ill_timed=400"]
        )
        assert found["reelmirror"].patch_targets == "ignores"
        assert found["reelmirror"].ill_timed == 400
        assert found["reap"].platforms_duplicated is True

    @pytest.mark.parametrize(
        ("switch", "text"),
        [
            ("patch_targets=ignores", "isn't PROVIDER.SWITCH=VALUE for one of reelmirror, reap"),
            ("reap.patch_targets=ignores", "reap has no 'patch_targets'; it has limit_scope, urls_by"),
            ("reap.urls_by=name", "reap.urls_by is one of integration, platform, not 'name'"),
            ("reap.nulls", "reap.nulls is one of null, absent, not ''"),
        ],
    )
    def test_a_wrong_one_is_told_with_what_there_is(self, switch, text):
        with pytest.raises(click.UsageError) as caught:
            dialects_from([switch])
        assert text in caught.value.message

    def test_every_way_of_counting_can_be_chosen(self):
        assert set(LIMIT_KINDS) == {kind.value for kind in LimitKind}


def wrong(capsys, *arguments: str) -> str:
    """Return what wrong use is told on standard error."""
    assert run(arguments) == ExitStatus.USAGE
    out, err = capsys.readouterr()
    assert not out
    return " ".join(err.split())


class TestCommand:
    def test_no_option_takes_a_key(self):
        options = [option for subcommand in command.commands.values() for option in subcommand.params]
        assert not [option for option in options if any("key" in text or "token" in text for text in option.opts)]

    def test_help_is_no_failure(self, capsys):
        assert main(["publish", "--help"]) == 0
        assert "--generated-post" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "arguments", [[], ["nonsense"], ["status"], ["wait"], ["publish"], ["schedule"], ["reschedule"]]
    )
    def test_wrong_use_is_two(self, arguments, capsys):
        assert main(arguments) == 2
        assert "Usage: reelpub" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["--clip", "abc"], "'abc' isn't PROJECT/CLIP"),
            (["--clip", "a/"], "'a/' isn't PROJECT/CLIP"),
            (["--draft", "d", "--setting", "tiktok=1"], "isn't PLATFORM.NAME=VALUE"),
            (["--draft", "d", "--setting", "tiktok.mood=calm"], "tiktok has no 'mood'"),
            (["--draft", "d", "--timeout", "soon"], "'soon' isn't a number of seconds"),
            (["--draft", "d", "--timeout", "-1"], "'-1' isn't a number of seconds"),
            (["--draft", "d", "--timeout", "inf"], "'inf' isn't a number of seconds"),
            (["--draft", "d", "--at", "soon"], "--at: 'soon' is no time that can be read; write it as "),
            (["--draft", "d", "--retry-failed", "99"], "99 is not in the range"),
            (["--draft", "d", "--retry-failed", "1", "--no-wait"], "--retry-failed needs to wait"),
        ],
    )
    def test_a_wrong_value_is_named(self, arguments, text, capsys):
        assert text in wrong(capsys, "publish", *arguments)

    @pytest.mark.parametrize(
        "arguments", [["accounts"], ["status", "p1"], ["wait", "p1"], ["publish", "--draft", "d1"]], ids=lambda a: a[0]
    )
    def test_a_missing_key_is_told_by_its_variable(self, arguments, capsys):
        told = wrong(capsys, *arguments)
        assert told.startswith("reelpub: no API key found: set REAP_API_KEY or REELMIRROR_API_KEY reelpub: next: ")
        assert "reelpub sandbox" in told
        assert "REAP_API_KEY" in wrong(capsys, *arguments, "--publisher", "reap")

    def test_an_unknown_publisher_is_told_with_those_that_there_are(self, capsys):
        assert "reap, reelmirror" in wrong(capsys, "accounts", "--publisher", "vine")

    def test_without_its_packages_it_says_how_to_get_them(self, monkeypatch, capsys):
        monkeypatch.delitem(sys.modules, "reelpub.cli.app")
        monkeypatch.setitem(sys.modules, "click", None)
        assert main(["demo"]) == 2
        out, err = capsys.readouterr()
        assert not out
        assert err == "reelpub: the command needs more packages: pip install 'reelpub[cli]'\n"

    def test_another_missing_module_isnt_hidden(self, monkeypatch):
        monkeypatch.delitem(sys.modules, "reelpub.cli.app")
        monkeypatch.setitem(sys.modules, "reelpub.cli.commands.demo", None)
        with pytest.raises(ModuleNotFoundError):
            main(["demo"])


class TestSandbox:
    """In this process; as a process of its own it is tested in tests/acceptance."""

    def stopped_once_it_serves(self, monkeypatch, *arguments: str) -> int:
        import reelpub.sandbox as served

        def described(server) -> str:
            signal.raise_signal(signal.SIGINT)
            return f"{server.host} {server.seed} {server.reap_dialect.urls_by} {server.limits['reap'].kind.value}"

        monkeypatch.setattr(served, "describe", described)
        return run(["sandbox", "--reelmirror-port", "0", "--reap-port", "0", *arguments])

    def test_its_options_reach_it_and_ctrl_c_is_its_good_end(self, monkeypatch, capsys):
        more = ("--seed", "7", "--dialect", "reap.urls_by=platform", "--rate-limit-kind", "sliding")
        assert self.stopped_once_it_serves(monkeypatch, *more) == 0
        assert capsys.readouterr().out == "127.0.0.1 7 platform sliding_log\n\nServing; Ctrl-C stops it.\n"

    def test_a_fast_clock_is_told_to_clients(self, monkeypatch, capsys):
        assert self.stopped_once_it_serves(monkeypatch, "--speed", "12.5") == 0
        assert (
            "Time runs 12.5 times as fast; for clients in Python: clock=ScaledClock(12.5, origin="
            in capsys.readouterr().out
        )

    def test_a_port_that_is_taken_is_wrong_use(self, capsys):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            told = wrong(capsys, "sandbox", "--reap-port", str(taken.getsockname()[1]), "--reelmirror-port", "0")
        assert "choose others with --reelmirror-port and --reap-port" in told


class TestDemonstration:
    def test_its_live_table_and_its_footer(self):
        board = Board(scenario.requests())
        shown = demo._layout(board, 5, in_ascii=True)
        assert len(shown.rows) == 5
        assert shown.footer == "and 19 more: 19 queued"
        footer = demo._footer(Sandbox(), time.monotonic() - 3)
        assert footer.startswith("1 min 30 s of the fast clock; requests: reelmirror 0, reap 0")

    def test_what_is_missing_or_twice_isnt_good(self):
        nothing = {"reelmirror": 0, "reap": 0}
        verdict = scenario.Verdict(
            expected=2,
            live=3,
            duplicates=1,
            posts={},
            deliveries={},
            requests=nothing,
            ordered=nothing,
            rejections={"reap": 2},
        )
        assert not verdict.is_good
        assert (
            str(verdict) == "3 of 2 deliveries are live, 1 are live TWICE, and the rate limits were exceeded 2 times."
        )

    def test_a_demonstration_that_was_interrupted_is_three(self):
        nothing = {"reelmirror": 0, "reap": 0}
        verdict = scenario.Verdict(
            expected=0,
            live=0,
            duplicates=0,
            posts={},
            deliveries={},
            requests=nothing,
            ordered=nothing,
            rejections=nothing,
        )
        view, board = LinesView(), Board(scenario.requests())
        assert demo._conclude(view, board, [], verdict, 1.0) == 3
        assert scenario.repairs(board, verdict) == []


def test_a_second_ctrl_c_is_the_shells_own_status(monkeypatch, capsys):
    def interrupted(*_arguments, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "main", interrupted)
    assert run(["demo"]) == 130
    assert capsys.readouterr().err == "reelpub: interrupted\n"
