"""The commands against the sandbox over real HTTP, in fast time: what they print, and how they end."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import datetime

import pytest

from reelpub.cli.app import run
from reelpub.cli.setup import Setup
from reelpub.cli.show.lines import LinesView
from reelpub.clocks import ScaledClock
from reelpub.sandbox import Fault, FaultKind, Sandbox

NAMES = ("REELMIRROR_API_KEY", "REAP_API_KEY", "REELMIRROR_BASE_URL", "REAP_BASE_URL")
CLIP = ("--clip", "demo-project-1/demo-clip-1", "--title", "Launch")


class Served:
    """A sandbox in a thread of its own, as the command brings its own loop; both follow one fast clock."""

    def __init__(self) -> None:
        self.clock = ScaledClock(30)
        # Each command is a process of its own, and what several have left of one window isn't the matter here.
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

    def live(self) -> list[tuple[str, str]]:
        return sorted((one.account_id, one.source) for one in self.sandbox.live())


@pytest.fixture
def served(monkeypatch):
    with Served() as served:
        for name, value in served.sandbox.environment().items():
            monkeypatch.setenv(name, value)
        yield served


@pytest.fixture
def reelpub(served, capsys):
    """Run the command; return its exit status, what it printed, and what it said on standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        status = run(arguments, obj=Setup(clock=served.clock))
        out, err = capsys.readouterr()
        return status, out, err

    return call


def objects(out: str) -> list[dict]:
    return [json.loads(text) for text in out.splitlines()]


class TestAccounts:
    def test_it_lists_those_of_every_key(self, reelpub):
        status, out, err = reelpub("accounts")
        assert (status, err) == (0, "")
        rows = [text.split() for text in out.splitlines()]
        assert ["reelmirror", "tiktok:acme_old", "expired", "demo-account-tiktok-acme-old"] in rows
        assert ["reap", "youtube:acme_old", "inactive", "5eed0000000000000000a007"] in rows
        assert len(rows) == 1 + 4 + 7

    def test_json_is_an_object_a_line(self, reelpub):
        status, out, _ = reelpub("accounts", "--publisher", "reap", "--json")
        found = objects(out)
        assert status == 0
        assert len(found) == 7
        assert found[0]["type"] == "account"
        assert (found[0]["publisher"], found[0]["id"], found[0]["is_active"]) == (
            "reap",
            "5eed0000000000000000a001",
            True,
        )

    def test_one_wrong_key_is_told_and_doesnt_hide_the_others_accounts(self, reelpub, monkeypatch):
        monkeypatch.setenv("REAP_API_KEY", "reap_sandbox_key_revoked000000001")
        status, out, err = reelpub("accounts")
        assert status == 1
        assert "reelpub: reap get_integrations: 401" in err
        assert "instagram:acme_two" in out
        assert "reap_sandbox_key" not in out + err


class TestPublish:
    def test_a_clip_goes_live_and_each_event_is_a_line(self, reelpub, served):
        status, out, err = reelpub("publish", *CLIP, "--account", "tiktok:acme", "--account", "youtube:acme")
        assert (status, err) == (0, "")
        assert "queued for reap" in out
        assert "live on youtube:acme https://www.youtube.com/" in out
        assert "\x1b" not in out
        assert out.splitlines()[-1].split()[:2] == ["youtube:acme", "published"]
        assert len(served.live()) == 2

    def test_a_generated_post_goes_to_the_accounts_that_are_named(self, reelpub, served):
        arguments = ("--generated-post", "demo-generated-post-1", "--caption", "Hello", "--account", "tiktok:acme")
        status, out, _ = reelpub("publish", *arguments, "--json")
        found = objects(out)
        assert status == 0
        assert [one["type"] for one in found[:1] + found[-2:]] == ["queued", "settled", "outcome"]
        assert found[-1]["status"] == "published"
        assert found[-1]["posts"][0]["caption"] == "Hello"
        assert [account for account, _ in served.live()] == ["demo-account-tiktok-acme"]

    def test_approval_and_media_items_and_drafts_are_ways_too(self, reelpub, served):
        items = ("--media-item", "demo-media-item-7", "--persona", "demo-persona-1", "--account", "instagram:acme_two")
        assert reelpub("publish", "--generated-post", "demo-generated-post-2", "--approve")[0] == 0
        assert reelpub("publish", *items)[0] == 0
        assert reelpub("publish", "--draft", "no-such-draft")[0] == 1
        assert [account for account, _ in served.live()] == [
            "demo-account-instagram-acme",
            "demo-account-instagram-acme-two",
            "demo-account-tiktok-acme",
        ]

    def test_settings_and_tags_reach_the_provider(self, reelpub, served):
        more = (
            "--tag",
            "one",
            "--tag",
            "two",
            "--setting",
            "tiktok.privacy=friends",
            "--setting",
            "tiktok.disable_duet=true",
        )
        status, _, _ = reelpub("publish", *CLIP, *more, "--account", "tiktok:acme", "--no-wait")
        assert status == 3
        assert [one.operation for one in served.sandbox.requests("reap")].count("publishClip") == 1

    def test_what_a_check_refuses_isnt_sent(self, reelpub, served):
        tags = [part for number in range(11) for part in ("--tag", str(number))]
        status, out, _ = reelpub("publish", *CLIP, *tags, "--account", "tiktok:acme")
        assert status == 1
        assert "refused" in out
        assert "tags" in out
        assert not served.sandbox.requests("reap")

    def test_a_failed_account_is_one_and_its_text_is_defused(self, reelpub, served):
        served.order(FaultKind.PLATFORM_FAILS, account="tiktok:acme", text="\x1b[2J[red]no\u202e")
        arguments = ("--generated-post", "demo-generated-post-1", "--account", "tiktok:acme")
        status, out, _ = reelpub("publish", *arguments)
        assert status == 1
        assert "\\x1b[2J[red]no\\u202e" in out
        assert "\x1b" not in out

    def test_retry_failed_sends_what_failed_again_and_only_that(self, reelpub, served):
        served.order(FaultKind.PLATFORM_FAILS, account="tiktok:acme")
        accounts = ("--account", "tiktok:acme", "--account", "youtube:acme")
        status, out, _ = reelpub("publish", *CLIP, *accounts, "--retry-failed", "2")
        assert status == 0
        assert "failed on tiktok:acme" in out
        assert [account for account, _ in served.live()] == ["5eed0000000000000000a001", "5eed0000000000000000a002"]

    def test_a_lost_answer_is_looked_up_and_not_sent_twice(self, reelpub, served):
        served.order(FaultKind.LOST_AFTER, operation="publishClip")
        status, out, _ = reelpub("publish", *CLIP, "--account", "tiktok:acme")
        assert status == 0
        assert "the answer was lost, looking it up" in out
        assert len(served.live()) == 1

    def test_a_time_schedules_it(self, reelpub, served):
        when = ("--at", "2027-06-01 14:30", "--zone", "Europe/Oslo")
        status, out, _ = reelpub("publish", *CLIP, *when, "--account", "tiktok:acme", "--json")
        assert status == 0
        assert objects(out)[-1]["status"] == "scheduled"
        assert objects(out)[-1]["posts"][0]["scheduled_at"] == "2027-06-01T12:30:00+00:00"
        assert not served.live()

    def test_a_deadline_leaves_it_pending_and_says_how_to_go_on(self, reelpub, served):
        served.order(FaultKind.STUCK)
        status, out, _ = reelpub("publish", *CLIP, "--account", "tiktok:acme", "--timeout", "20")
        assert status == 3
        assert "follow it with: reelpub wait --publisher reap" in out

    def test_time_that_runs_out_before_a_retry_isnt_an_error(self, reelpub, served):
        served.order(FaultKind.PLATFORM_FAILS, account="tiktok:acme", times=9)
        more = ("--retry-failed", "3", "--timeout", "100")
        status, _, err = reelpub("publish", *CLIP, "--account", "tiktok:acme", *more)
        assert status in (1, 3)
        assert err == ""

    def test_an_unknown_end_warns_of_sending_again(self, reelpub, served):
        served.order(FaultKind.LOST_AFTER, operation="approveGeneratedPost")
        status, out, _ = reelpub("publish", "--generated-post", "demo-generated-post-2", "--approve")
        assert status == 3
        assert "it may or may not be live" in out

    def test_warnings_are_told(self, reelpub):
        arguments = (*CLIP, "--account", "tiktok:acme", "--setting", "tiktok.privacy=followers", "--no-wait")
        _, out, _ = reelpub("publish", *arguments)
        assert "warning: settings.tiktok.privacy" in out


@pytest.mark.parametrize(("when", "expected"), [("event", 0), ("listing", 0), ("open", 3)])
def test_a_reader_that_leaves_is_no_failure_of_the_post(reelpub, served, monkeypatch, when, expected):
    """What is known of its end is told by the exit status; 1 would say that it may be sent again."""

    def gone(*_) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(LinesView, when, gone)
    assert reelpub("publish", *CLIP, "--account", "tiktok:acme")[0] == expected
    assert len(served.live()) == (expected == 0)


class TestStatusAndWait:
    def posted(self, reelpub, *accounts: str) -> list[str]:
        named = [part for account in accounts for part in ("--account", account)]
        status, out, _ = reelpub("publish", *CLIP, *named, "--no-wait", "--json")
        assert status == 3
        return [post["id"] for post in objects(out)[-1]["posts"]]

    def test_no_wait_ends_once_the_provider_has_every_post(self, reelpub):
        assert len(self.posted(reelpub, "tiktok:acme", "tiktok:acme_two")) == 2

    def test_wait_follows_posts_to_their_end(self, reelpub):
        ids = self.posted(reelpub, "tiktok:acme", "tiktok:acme_two")
        status, out, _ = reelpub("wait", "--publisher", "reap", *ids, ids[0])
        assert status == 0
        assert [text.split()[1:3] for text in out.splitlines()[-2:]] == [
            ["tiktok:acme", "published"],
            ["tiktok:acme_two", "published"],
        ]
        status, out, _ = reelpub("status", "--publisher", "reap", ids[0])
        assert status == 0
        assert "https://www.tiktok.com/" in out
        status, out, _ = reelpub("wait", "--publisher", "reap", ids[0], "--json")
        assert (status, objects(out)[-1]["status"]) == (0, "published")

    def test_what_was_waited_for_is_told_by_the_commands_clock(self, reelpub, served):
        (post_id,) = self.posted(reelpub, "tiktok:acme")
        before = served.clock.time()
        _, out, _ = reelpub("wait", "--publisher", "reap", post_id, "--json")
        outcome = objects(out)[-1]
        times = [datetime.fromisoformat(outcome[name]).timestamp() for name in ("submitted_at", "settled_at")]
        in_order = [before, *times, served.clock.time()]
        assert in_order == sorted(in_order)

    def test_a_post_under_way_is_three(self, reelpub):
        (post_id,) = self.posted(reelpub, "tiktok:acme")
        status, out, _ = reelpub("status", post_id, "--publisher", "reap", "--json")
        assert status == 3
        assert objects(out)[0]["type"] == "post"
        status, out, _ = reelpub("wait", post_id, "--publisher", "reap", "--timeout", "0")
        assert status == 3
        assert "tiktok:acme" in out

    def test_one_that_isnt_there_is_told_and_the_others_are_waited_for(self, reelpub):
        (post_id,) = self.posted(reelpub, "tiktok:acme")
        status, out, err = reelpub("wait", "--publisher", "reap", "nothing", post_id)
        assert status == 1
        assert "reelpub: reap get_post_details: 404" in err
        assert "published" in out

    def test_where_none_is_there_nothing_but_that_is_told(self, reelpub):
        status, out, err = reelpub("wait", "--publisher", "reap", "nothing", "nobody")
        assert (status, out) == (1, "")
        assert err.count("reelpub: reap get_post_details: 404") == 2

    def test_a_scheduled_post_is_a_success_to_status_and_not_to_wait(self, reelpub):
        _, out, _ = reelpub("publish", *CLIP, "--account", "tiktok:acme", "--at", "2027-06-01T12:00Z", "--json")
        post_id = objects(out)[-1]["posts"][0]["id"]
        assert reelpub("status", "--publisher", "reap", post_id)[0] == 0
        assert reelpub("wait", "--publisher", "reap", post_id, "--timeout", "10")[0] == 3

    def test_with_two_keys_the_publisher_has_to_be_named(self, reelpub):
        for command in ("status", "wait"):
            status, _, err = reelpub(command, "p1")
            assert status == 2
            assert "Error: --publisher has to be named, one of reap, reelmirror\n" in err

    def test_a_post_that_isnt_there_is_one(self, reelpub):
        status, _, err = reelpub("status", "--publisher", "reap", "nothing")
        assert status == 1
        assert "404" in err
