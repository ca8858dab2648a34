"""How the command shows things: safe text, JSON, lines, tables."""

from __future__ import annotations

import io
import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from reelpub.cli.show import listing
from reelpub.cli.show.board import Board
from reelpub.cli.show.encode import encode, event_record, line, record
from reelpub.cli.show.jsonlines import JsonView
from reelpub.cli.show.lines import LinesView, lines_of
from reelpub.cli.show.listing import Span
from reelpub.cli.show.printable import clean, shorten
from reelpub.cli.show.table import TableView
from reelpub.cli.show.views import choose
from reelpub.cli.show.words import is_noteworthy, sentence
from reelpub.errors import NotFoundError
from reelpub.models.account import Account
from reelpub.models.event import (
    AccountDelivered,
    AccountFailed,
    EventsMissed,
    JobAccepted,
    JobEvent,
    JobHeld,
    JobQueued,
    JobSent,
    JobSettled,
    JobStatusChanged,
    JobStuck,
    JobUnknown,
)
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip, GeneratedPost

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
EVIL = "\x1b[2J\x9b31m[red]gone[/red]\u202e\r\nnext"


def account(name: str = "tiktok:acme") -> Account:
    platform, _, username = name.partition(":")
    return Account(id=f"id-{name}", provider="reap", platform=platform, username=username)


def delivery(
    status: DeliveryStatus = DeliveryStatus.PUBLISHED, name: str = "tiktok:acme", **members: object
) -> Delivery:
    return Delivery(account=account(name), status=status, **members)


def post(*deliveries: Delivery, status: PostStatus = PostStatus.PUBLISHED, **members: object) -> Post:
    return Post(id="p1", provider="reap", publisher="reap", status=status, deliveries=deliveries, **members)


def outcome(status: OutcomeStatus, *deliveries: Delivery, **members: object) -> Outcome:
    request = members.pop("request", PublishRequest(Clip("a", "b")))
    return Outcome(request=request, job_id="j1", publisher="reap", status=status, deliveries=deliveries, **members)


def event(kind: type[JobEvent], seconds: float = 0.0, **members: object) -> JobEvent:
    return kind(job_id="j1", publisher="reap", at=NOW + timedelta(seconds=seconds), **members)


class TestSafeText:
    def test_no_control_character_survives(self):
        """Escape, C1, bidirectional override and line breaks are spelt out or become spaces."""
        assert clean(EVIL) == "\\x1b[2J\\x9b31m[red]gone[/red]\\u202e  next"

    def test_a_lone_surrogate_can_be_printed(self):
        assert clean("a\ud800b").encode() == b"a\\ud800b"

    def test_emoji_and_other_scripts_are_left_alone(self):
        family = "👩\u200d👧 شِكراً 日本"
        assert clean(family) == family

    def test_long_text_is_cut_with_a_mark(self):
        assert shorten("x" * 400) == "x" * 299 + "…"


class TestJson:
    def test_a_line_is_ascii_and_keeps_the_text(self):
        text = line({"error": EVIL + "\x7f"})
        assert text.isascii()
        assert text.isprintable()
        assert json.loads(text) == {"error": EVIL + "\x7f"}

    def test_infinity_becomes_null(self):
        assert encode(math.inf) is None
        assert encode({"wait": math.nan}) == {"wait": None}

    def test_values_become_objects_with_all_their_members(self):
        members = event_record(event(AccountFailed, post_id="p1", delivery=delivery(DeliveryStatus.FAILED, error="no")))
        assert members["type"] == "failed"
        assert members["at"] == "2027-03-01T12:00:00+00:00"
        assert members["delivery"]["status"] == "failed"
        assert members["delivery"]["account"]["username"] == "acme"

    def test_an_outcome_names_its_request_and_tells_its_error(self):
        error = NotFoundError("gone", status=404, operation="get_post", provider="reap")
        members = record("outcome", outcome(OutcomeStatus.REFUSED, error=error))
        assert members["request"] == "a/b"
        assert members["error"] == {"type": "NotFoundError", "message": "reap get_post: 404: gone"}

    def test_what_has_no_members_is_its_text(self):
        assert encode(object) == str(object)

    def test_the_view_prints_results_to_stdout_and_remarks_to_stderr(self, capsys):
        view = JsonView()
        view.open(Board())
        view.event("a/b", event(JobQueued))
        view.note("a remark \x1b")
        view.tick()
        view.listing(listing.outcomes([outcome(OutcomeStatus.PUBLISHED, delivery())]))
        view.close()
        out, err = capsys.readouterr()
        assert [json.loads(text)["type"] for text in out.splitlines()] == ["queued", "outcome"]
        assert err == "a remark \\x1b\n"


SENTENCES = [
    (event(JobQueued), "queued for reap"),
    (
        JobHeld(job_id="j", publisher="reap", at=NOW, seconds=12.4, reason="limit"),
        "waits for the rate limit, about 12 s",
    ),
    (JobHeld(job_id="j", publisher="reap", at=NOW, seconds=math.inf, reason="cap"), "waits for its account's cap"),
    (JobHeld(job_id="j", publisher="reap", at=NOW, seconds=1, reason="tides"), "waits: tides, about 1 s"),
    (event(JobSent, part_id="p", attempt=1), "sent"),
    (event(JobSent, part_id="p", attempt=2), "sent again, attempt 2"),
    (event(JobAccepted, post=post()), "accepted as post p1"),
    (event(JobAccepted, post=post(), reconciled=True), "had arrived as post p1, so it isn't sent again"),
    (event(JobStatusChanged, post=post(raw_status="partly_done"), before=PostStatus.DRAFT), "post p1 is partly done"),
    (event(AccountDelivered, post_id="p1", delivery=delivery(url="https://x/1")), "live on tiktok:acme https://x/1"),
    (event(AccountDelivered, post_id="p1", delivery=delivery()), "live on tiktok:acme"),
    (event(AccountFailed, post_id="p1", delivery=delivery(error=EVIL)), f"failed on tiktok:acme: {clean(EVIL)}"),
    (event(AccountFailed, post_id="p1", delivery=delivery()), "failed on tiktok:acme: no reason given"),
    (event(JobUnknown, part_id="p", reason="cut"), "the answer was lost, looking it up (cut)"),
    (event(JobUnknown, part_id="p", reason="cut", is_final=True), "may or may not be live: cut"),
    (event(JobStuck, post=post(status=PostStatus.PUBLISHING)), "post p1 is stuck at publishing"),
    (event(JobSettled, outcome=outcome(OutcomeStatus.NOT_SENT, reason="too late")), "not sent: too late"),
    (event(JobSettled, outcome=outcome(OutcomeStatus.PARTLY_PUBLISHED)), "partly published"),
    (JobEvent(job_id="j", publisher="reap", at=NOW), ""),
]


class TestSentences:
    @pytest.mark.parametrize(("told", "expected"), SENTENCES)
    def test_each_event_has_one(self, told, expected):
        assert sentence(told) == expected

    def test_what_went_wrong_and_what_put_it_right_is_worth_keeping(self):
        kept = {expected for told, expected in SENTENCES if is_noteworthy(told)}
        assert kept == {
            "sent again, attempt 2",
            "had arrived as post p1, so it isn't sent again",
            f"failed on tiktok:acme: {clean(EVIL)}",
            "failed on tiktok:acme: no reason given",
            "the answer was lost, looking it up (cut)",
            "may or may not be live: cut",
            "post p1 is stuck at publishing",
        }


class TestListings:
    def test_accounts_name_their_publisher_and_standing(self):
        inactive = Account(id="9", provider="reap", platform="x", username="old", is_active=False)
        told = Account(id="8", provider="reap", platform="x", username="bad", status="expired", is_active=False)
        assert lines_of(listing.accounts([("one", account()), ("two", inactive), ("two", told)])) == [
            "Publisher  Account      Status    Id",
            "one        tiktok:acme  active    id-tiktok:acme",
            "two        x:old        inactive  9",
            "two        x:bad        expired   8",
        ]

    def test_one_request_stands_in_the_title(self):
        deliveries = (delivery(url="https://x/1"), delivery(DeliveryStatus.FAILED, "x:acme", error="no"))
        found = listing.outcomes([outcome(OutcomeStatus.PARTLY_PUBLISHED, *deliveries, posts=(post(),))])
        assert lines_of(found) == [
            "a/b  reap  p1",
            "Account      Status     Link or reason",
            "tiktok:acme  published  https://x/1",
            "x:acme       failed     no",
        ]

    def test_several_requests_have_a_column(self):
        other = PublishRequest(GeneratedPost("g"))
        found = [
            outcome(OutcomeStatus.REFUSED, reason="tags: too many"),
            outcome(OutcomeStatus.PENDING, delivery(DeliveryStatus.PENDING), request=other, reason="stuck"),
        ]
        assert lines_of(listing.outcomes(found)) == [
            "reap",
            "Request  Account      Status   Link or reason",
            "a/b      -            refused  tags: too many",
            "g        tiktok:acme  pending  stuck",
        ]

    def test_a_post_shows_its_deliveries_or_else_its_state(self):
        assert lines_of(listing.posts([post(delivery())]))[-1] == "tiktok:acme  published"
        assert (
            lines_of(listing.posts([post(raw_status="live", status=PostStatus.OTHER)]))[-1] == "-        other   live"
        )

    def test_where_a_table_would_break_words_its_last_entries_stand_under_their_rows(self):
        written = io.StringIO()
        entries = (Span("2027-03-28 Sun"), Span("reap"), Span("instagram:acme, tiktok:acme, youtube:acme"))
        found = listing.Listing(columns=("Day", "Publisher", "Accounts"), rows=(tuple((one,) for one in entries),))
        TableView(console=Console(file=written, width=50)).listing(found)
        assert written.getvalue().splitlines() == [
            "Day             Publisher",
            "    Accounts",
            "2027-03-28 Sun  reap",
            "    instagram:acme, tiktok:acme, youtube:acme",
        ]

    def test_columns_stand_under_each_other_where_characters_are_wide(self):
        rows = tuple(((Span(name),), (Span("reap"),)) for name in ("春の投稿", "🥐 croissant", "clip-1"))
        assert lines_of(listing.Listing(columns=("Post", "Publisher"), rows=rows)) == [
            "Post          Publisher",
            "春の投稿      reap",
            "🥐 croissant  reap",
            "clip-1        reap",
        ]

    def test_an_empty_listing_has_no_rows(self):
        assert lines_of(listing.outcomes([])) == ["Account  Status  Link or reason"]


class TestLines:
    def test_each_event_is_a_line_with_the_seconds_since_the_first(self, capsys):
        view = LinesView()
        board = Board([PublishRequest(Clip("a", "b")), PublishRequest(GeneratedPost("longer-name"))])
        view.open(board)
        view.event("a/b", event(JobQueued))
        view.event("a/b", event(JobSent, seconds=61.25, part_id="p", attempt=1))
        view.note(EVIL)
        view.record({"ignored": True})
        view.tick()
        view.close()
        assert capsys.readouterr().out.splitlines() == [
            "    0.0s  a/b          queued for reap",
            "   61.2s  a/b          sent",
            clean(EVIL),
        ]

    def test_what_is_said_stands_under_each_other_where_characters_are_wide(self, capsys):
        view = LinesView()
        requests = [PublishRequest(Clip("a", "b"), reference=name) for name in ("春の投稿", "clip-1")]
        view.open(Board(requests))
        for request in requests:
            view.event(str(request), event(JobQueued))
        assert capsys.readouterr().out.splitlines() == [
            "    0.0s  春の投稿  queued for reap",
            "    0.0s  clip-1    queued for reap",
        ]


def terminal(width: int = 80, height: int = 24, **members: object) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    console = Console(
        file=written,
        force_terminal=True,
        width=width,
        height=height,
        markup=False,
        emoji=False,
        highlight=False,
        **members,
    )
    return console, written


class Ascii(io.StringIO):
    """What an old terminal takes."""

    encoding = "ascii"


def several(board: Board, height: int, in_ascii: bool) -> listing.Listing:
    return listing.batch(board, height=height, in_ascii=in_ascii)


class TestTable:
    def shown(self, request: PublishRequest, *events: JobEvent, **members: object) -> str:
        console, written = terminal()
        view = TableView(console=console, **members)
        board = Board([request])
        view.open(board)
        for one in events:
            board.apply(one, request)
            view.event(str(request), one)
        view.close()
        return written.getvalue()

    def test_the_live_table_shows_each_account_as_it_stands(self):
        request = PublishRequest(Clip("a", "b"), accounts=["tiktok:acme"])
        done = event(AccountDelivered, post_id="p1", delivery=delivery(url="https://x/1"))
        text = self.shown(request, done, footer=lambda: "so far")
        assert "https://x/1" in text
        assert "so far" in text

    def test_trouble_is_printed_above_the_table_and_stays(self):
        request = PublishRequest(Clip("a", "b"), accounts=["tiktok:acme"])
        lost = event(JobUnknown, part_id="p", reason="the connection was reset")
        assert "a/b: the answer was lost" in self.shown(request, lost)

    def test_text_from_elsewhere_is_neither_obeyed_nor_read_as_markup(self):
        request = PublishRequest(Clip("a", "[bold]b[/bold]:smile:"), accounts=["tiktok:acme"])
        failed = event(AccountFailed, post_id="p1", delivery=delivery(DeliveryStatus.FAILED, error=EVIL))
        text = self.shown(request, failed)
        console, written = terminal(width=200)
        view = TableView(console=console)
        view.note(EVIL)
        view.record({})
        view.listing(listing.outcomes([outcome(OutcomeStatus.FAILED, delivery(DeliveryStatus.FAILED, error=EVIL))]))
        text += written.getvalue()
        assert "[red]gone[/red]" in text
        assert "[bold]b[/bold]:smile:" in text
        for raw in ("\x1b[2J\x9b", "\x9b", "\u202e"):
            assert raw not in text

    def test_a_tall_table_shows_what_moves_and_counts_the_rest(self):
        requests = [PublishRequest(Clip("a", str(number)), accounts=["tiktok:acme"]) for number in range(9)]
        board = Board(requests)
        for request in requests[:4]:
            board.apply(
                event(JobSettled, outcome=outcome(OutcomeStatus.PUBLISHED, delivery(), request=request)), request
            )
        board.apply(event(JobSent, part_id="p", attempt=1), requests[8])
        shown = lines_of(listing.batch(board, height=3))
        assert [text.split()[0] for text in shown] == ["Post", "a/4", "a/5", "a/8", "and"]
        assert shown[-1] == "and 6 more: 4 published, 2 queued"

    def test_a_table_that_moves_is_never_taller_than_the_screen(self):
        """What scrolls off it couldn't be taken away again, not even at its end."""
        console, written = terminal(width=40, height=12)
        names = [f"instagram:a_shop_with_a_long_name_{number}" for number in range(30)]
        requests = [PublishRequest(GeneratedPost(f"generated-post-{number}"), accounts=names) for number in range(9)]
        view = TableView(console=console, layout=several, footer=lambda: "so far")
        view.open(Board(requests))
        first = written.getvalue()
        assert first.count("\n") < 12
        assert "and 4 more: 4 queued" in first
        assert "so far" in first
        view.close()
        assert written.getvalue().count("\n") <= 2 * 12

    def test_one_post_with_many_accounts_is_no_taller_either(self):
        console, written = terminal(height=10)
        request = PublishRequest(GeneratedPost("g"), accounts=[f"instagram:shop_{number}" for number in range(30)])
        view = TableView(console=console)
        view.open(Board([request]))
        view.close()
        assert "instagram:shop_0" in written.getvalue()
        assert "instagram:shop_29" not in written.getvalue()

    def test_a_table_that_moves_is_cut_without_a_sign_that_the_terminal_lacks(self):
        console, _ = terminal(width=30, height=12)
        console.file = written = Ascii()
        view = TableView(console=console, layout=several, footer=lambda: "a footer that is long " * 3)
        view.open(Board([PublishRequest(GeneratedPost("a-long-name-of-a-post"), accounts=["instagram:acme_two"] * 3)]))
        view.close()
        assert written.getvalue().count("a footer that is long a footer") == 2
        assert "…" not in written.getvalue()

    def test_marks_are_ascii_where_the_terminal_is(self):
        request = PublishRequest(Clip("a", "b"), accounts=["tiktok:acme", "x:acme"])
        board = Board([request])
        board.apply(event(AccountDelivered, post_id="p", delivery=delivery()), request)
        assert lines_of(listing.batch(board, in_ascii=True))[1].endswith("+ tiktok:acme  : x:acme")
        assert lines_of(listing.batch(board))[1].endswith("✓ tiktok:acme  · x:acme")

    def test_it_refreshes_now_and_then_and_not_for_each_event(self):
        console, written = terminal()
        view = TableView(console=console)
        view.tick()
        assert not written.getvalue()
        request = PublishRequest(Clip("a", "b"))
        view.open(Board([request]))
        view.tick()
        before = len(written.getvalue())
        view.tick()
        assert len(written.getvalue()) == before
        view.close()
        view.close()

    def test_a_dumb_terminal_gets_lines(self, monkeypatch):
        monkeypatch.setenv("TERM", "dumb")
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        assert isinstance(choose(as_json=False), LinesView)

    def test_forced_colours_dont_make_a_pipe_a_terminal(self, monkeypatch):
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert isinstance(choose(as_json=False), LinesView)

    def test_a_terminal_gets_the_table_unless_json_is_asked_for(self, monkeypatch):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        assert isinstance(choose(as_json=False), TableView)
        assert isinstance(choose(as_json=True), JsonView)


class TestBoard:
    def test_a_request_goes_through_its_states(self):
        request = PublishRequest(Clip("a", "b"), accounts=["tiktok:@ACME"])
        board = Board([request])
        row = board.rows[0]
        states = []
        for told in (
            event(JobQueued),
            JobHeld(job_id="j1", publisher="reap", at=NOW, seconds=1.0, reason="limit"),
            event(JobSent, part_id="p", attempt=1),
            event(JobUnknown, part_id="p", reason="cut"),
            event(JobSent, part_id="p", attempt=2),
            event(JobAccepted, post=post(delivery(DeliveryStatus.PENDING)), reconciled=True),
            event(JobStatusChanged, post=post(delivery(DeliveryStatus.PUBLISHING)), before=PostStatus.PUBLISHING),
            event(AccountFailed, post_id="p1", delivery=delivery(DeliveryStatus.FAILED, error="no")),
            event(JobUnknown, part_id="p", reason="cut", is_final=True),
            event(JobSettled, outcome=outcome(OutcomeStatus.FAILED, delivery(DeliveryStatus.FAILED, error="no"))),
            event(JobStuck, post=post()),
        ):
            assert board.apply(told, request) is row
            states.append(row.state)
        assert states[:5] == ["queued", "waiting", "sent", "looking up", "sent again"]
        assert states[5:] == ["accepted", "published", "published", "unknown", "failed", "failed"]
        assert [(cell.name, cell.status, cell.detail) for cell in row.cells] == [("tiktok:acme", "failed", "no")]
        board.apply(event(JobQueued), request)
        assert row.story == [
            "the answer was lost",
            "attempt 2",
            "found at the provider and not sent again",
            "tiktok:acme failed",
            "sent again where it failed",
        ]

    def test_an_account_that_nobody_named_gets_a_place(self):
        request = PublishRequest(GeneratedPost("g"))
        board = Board([request])
        board.apply(event(JobAccepted, post=post(delivery(), delivery(name="x:acme"))), request)
        assert [cell.name for cell in board.rows[0].cells] == ["tiktok:acme", "x:acme"]

    def test_a_stranger_is_left_out(self):
        board = Board([PublishRequest(Clip("a", "b"))])
        assert board.apply(event(JobQueued), PublishRequest(Clip("a", "b"))) is None

    def test_of_a_refused_request_the_end_is_all_that_is_known_of_its_accounts(self):
        request = PublishRequest(Clip("a", "b"), accounts=["tiktok:acme"])
        board = Board([request])
        board.apply(event(JobSettled, outcome=outcome(OutcomeStatus.REFUSED, request=request)), request)
        assert lines_of(listing.batch(board))[1].endswith("✗ tiktok:acme")

    def test_a_dropped_event_has_a_kind_to_be_told_by(self):
        assert event_record(EventsMissed(count=3)) == {"type": "missed", "count": 3}
