"""What a run's table, its JSON and its lines say: the same, shortened for people, whole for programs."""

from __future__ import annotations

import io
import json
import os
import sys
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from reelpub.bulk.record import Moment, RowRecord, RunRecord
from reelpub.cli.progress import runviews
from reelpub.cli.progress.picture import Picture
from reelpub.cli.progress.runviews import RunJson, RunLines, RunScreen, Sturdy
from reelpub.cli.progress.tally import Tally
from reelpub.cli.progress.weights import Weight
from reelpub.cli.show import runlisting, steps
from reelpub.cli.show.fitting import fits, print_fitted, stacked
from reelpub.cli.show.listing import Listing, Span
from reelpub.cli.show.when import told_at
from reelpub.cli.show.words import sentence
from reelpub.cli.work.undertaking import named_store
from reelpub.errors import ConnectError, PaymentRequiredError, PermissionDeniedError
from reelpub.models.account import Account
from reelpub.models.event import AccountFailed, JobQueued, JobSent, JobSettled, JobUnknown
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.models.when import LocalTime

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
EVIL = "\x1b[2J[red]gone[/red]\u202e\r\nnext"
LINK = "https://www.tiktok.com/@acme_with_a_long_name/video/7000000000000000006"


def delivery(status: DeliveryStatus, name: str = "tiktok:acme", **members: object) -> Delivery:
    platform, _, username = name.partition(":")
    account = Account(id=name, provider="reap", platform=platform, username=username)
    return Delivery(account=account, status=status, **members)


def row(number: int, status: OutcomeStatus | None, *deliveries: Delivery, **members: object) -> RowRecord:
    request = PublishRequest(Clip("a", "b"), reference=members.pop("name", f"clip-{number}"), accounts=["tiktok:acme"])
    outcome = None
    if status is not None:
        usual = {"publisher": "reap", "settled_at": NOW}
        outcome = Outcome(
            request=request, job_id=f"r.{number}", status=status, deliveries=deliveries, **{**usual, **members}
        )
    return RowRecord(number=number, line=number + 1, request=request, job_id=f"r.{number}", outcome=outcome)


def run(*rows: RowRecord) -> RunRecord:
    return RunRecord(id="261122-k3f9", name="posts.csv", command="publish", started_at=NOW, rows=rows)


EVERY = run(
    row(1, OutcomeStatus.PUBLISHED, delivery(DeliveryStatus.PUBLISHED, url=LINK)),
    row(
        2,
        OutcomeStatus.PARTLY_PUBLISHED,
        delivery(DeliveryStatus.PUBLISHED, url=LINK),
        delivery(DeliveryStatus.FAILED, "x:acme", error=EVIL),
    ),
    row(3, OutcomeStatus.SCHEDULED, delivery(DeliveryStatus.SCHEDULED)),
    row(4, OutcomeStatus.REFUSED, reason="tags: too many"),
    row(5, OutcomeStatus.FAILED, delivery(DeliveryStatus.FAILED, error="no")),
    row(6, OutcomeStatus.CANCELLED, delivery(DeliveryStatus.CANCELLED)),
    row(7, OutcomeStatus.NOT_SENT, error=ConnectError("refused", operation="publish_clip", provider="reap")),
    row(8, OutcomeStatus.DUPLICATE, reason="asked for before"),
    row(9, OutcomeStatus.PENDING, delivery(DeliveryStatus.PUBLISHING), reason="stuck"),
    row(10, OutcomeStatus.UNKNOWN, delivery(DeliveryStatus.UNKNOWN), reason="the answer was lost"),
    row(11, None),
    row(12, OutcomeStatus.PENDING, settled_at=None),
)


class TestTable:
    def test_each_account_is_told_in_one_line(self):
        told = [
            (line.row, line.account, line.status, line.detail) for one in EVERY.rows for line in runlisting.told(one)
        ]
        assert told == [
            (1, "tiktok:acme", "published", LINK),
            (2, "tiktok:acme", "published", LINK),
            (2, "x:acme", "failed", "\\x1b[2J[red]gone[/red]\\u202e  next"),
            (3, "tiktok:acme", "scheduled", ""),
            (4, "tiktok:acme", "refused", "tags: too many"),
            (5, "tiktok:acme", "failed", "no"),
            (6, "tiktok:acme", "cancelled", ""),
            (7, "tiktok:acme", "not_sent", "reap publish_clip: refused"),
            (8, "tiktok:acme", "duplicate", "asked for before"),
            (9, "tiktok:acme", "publishing", "stuck"),
            (10, "tiktok:acme", "unknown", "the answer was lost"),
            (11, "tiktok:acme", "pending", "not submitted yet"),
            (12, "tiktok:acme", "pending", ""),
        ]

    def test_the_json_of_a_row_has_the_very_words_of_the_table(self):
        listing = runlisting.rows(EVERY)
        cells = [["".join(span.text for span in entry) for entry in one] for one in listing.rows]
        told = [
            [str(record["row"]), account["account"], account["status"].replace("_", " "), account["detail"]]
            for record in listing.records
            for account in record["accounts"]
        ]
        place = [listing.columns.index(name) for name in ("Row", "Account", "Status", "Link or reason")]
        assert [[one[column] for column in place] for one in cells] == told

    def test_a_short_one_shows_everything_in_order(self):
        assert [one[0][0].text for one in runlisting.rows(EVERY, limit=40).rows][:4] == ["1", "2", "2", "3"]
        assert runlisting.rows(EVERY, limit=40).footer == ""

    def test_a_long_one_shows_what_is_unknown_or_failed_first_and_counts_the_rest(self):
        listing = runlisting.rows(EVERY, limit=6)
        assert [one[0][0].text for one in listing.rows] == ["10", "5", "2", "2", "4", "7"]
        assert listing.footer == (
            "and 7 more: 1 published, 1 scheduled, 1 cancelled, 1 duplicate, 3 pending; "
            "all of them: reelpub results 261122-k3f9"
        )
        assert len(listing.records) == 12

    def test_several_publishers_have_a_column_and_one_stands_in_the_title(self):
        assert "Publisher" in runlisting.rows(EVERY).columns
        alone = runlisting.rows(run(*EVERY.rows[:3]))
        assert "Publisher" not in alone.columns
        assert alone.title == "261122-k3f9  posts.csv  reap"

    def test_the_totals_are_a_sentence(self):
        assert runlisting.totals(run(*EVERY.rows[:2])) == "2 rows: 1 published, 1 partly published"
        assert runlisting.totals(run(EVERY.rows[0])) == "1 row: 1 published"
        assert runlisting.totals(run()) == "no rows"


def timed(number: int, status: OutcomeStatus | None, at: object, *, scheduled_at: datetime | None = None) -> RowRecord:
    """A row with a time; its provider has it at *scheduled_at*."""
    request = PublishRequest(Clip("a", "b"), reference=f"clip-{number}", accounts=["tiktok:acme"], at=at)
    outcome = None
    if status is not None:
        post = Post(id="p", provider="reap", publisher="reap", status=PostStatus.SCHEDULED, scheduled_at=scheduled_at)
        stands = (delivery(DeliveryStatus.SCHEDULED),) if status is OutcomeStatus.SCHEDULED else ()
        outcome = Outcome(
            request=request,
            job_id=f"r.{number}",
            publisher="reap",
            status=status,
            settled_at=NOW if status is OutcomeStatus.SCHEDULED else None,
            deliveries=stands,
            posts=(post,) if scheduled_at is not None else (),
        )
    return RowRecord(number=number, line=number + 1, request=request, job_id=f"r.{number}", outcome=outcome)


class TestTimes:
    OSLO = LocalTime("2027-03-02 14:00", "Europe/Oslo")
    RUN = run(
        timed(1, OutcomeStatus.SCHEDULED, OSLO),
        timed(2, OutcomeStatus.SCHEDULED, OSLO, scheduled_at=datetime(2027, 3, 2, 23, 30, tzinfo=UTC)),
        timed(3, OutcomeStatus.SCHEDULED, datetime(2027, 3, 2, 13, tzinfo=UTC)),
        timed(4, OutcomeStatus.PENDING, datetime(2027, 3, 2, 13, tzinfo=timezone(timedelta(hours=2)))),
        timed(5, None, OSLO),
    )

    def test_a_row_that_is_scheduled_says_when_in_its_own_zone_and_in_utc(self):
        assert [line.detail for one in self.RUN.rows for line in runlisting.told(one)] == [
            "2027-03-02 14:00 Europe/Oslo, 13:00 UTC",
            "2027-03-03 00:30 Europe/Oslo, 2027-03-02 23:30 UTC",
            "2027-03-02 13:00 UTC",
            "due 2027-03-02 13:00 +02:00, 11:00 UTC",
            "not submitted yet; due 2027-03-02 14:00 Europe/Oslo, 13:00 UTC",
        ]
        assert runlisting.rows(self.RUN).columns[-1] == "Link, time or reason"

    def test_its_json_says_so_in_members_of_their_own(self):
        first = runlisting.row_record("r", self.RUN.rows[0])
        assert (first["at"], first["local"], first["zone"]) == (
            "2027-03-02T13:00:00+00:00", "2027-03-02T14:00:00+01:00", "Europe/Oslo"
        )  # fmt: skip
        now = runlisting.row_record("r", EVERY.rows[0])
        assert (now["at"], now["local"], now["zone"]) == (None, None, None)

    def test_an_event_says_it_too(self):
        outcome = self.RUN.rows[0].outcome
        event = JobSettled(job_id="j", publisher="reap", at=NOW, outcome=outcome)
        assert sentence(event) == "scheduled for 2027-03-02 14:00 Europe/Oslo, 13:00 UTC"

    def test_the_last_hours_of_the_calendar_are_told_in_utc(self):
        assert told_at(datetime.max.replace(tzinfo=UTC), ZoneInfo("Asia/Tokyo")) == "9999-12-31 23:59 UTC"

    def test_what_is_awaited_is_a_sentence(self):
        assert runlisting.awaited(self.RUN.rows, NOW) == (
            "3 rows are scheduled; the next goes out at 2027-03-02 14:00 Europe/Oslo, 13:00 UTC, "
            "the last at 2027-03-03 00:30 Europe/Oslo, 2027-03-02 23:30 UTC"
        )
        (alone,) = self.RUN.rows[:1]
        assert runlisting.awaited([alone], NOW) == (
            "1 row is scheduled; it goes out at 2027-03-02 14:00 Europe/Oslo, 13:00 UTC"
        )
        assert runlisting.awaited([alone], NOW + timedelta(days=9)) == ""

    def test_only_some_rows_may_be_shown_and_the_rest_is_counted(self):
        listing = runlisting.rows(EVERY, only={2, 5})
        assert [one[0][0].text for one in listing.rows] == ["2", "2", "5"]
        assert listing.footer.startswith("and 10 more: 1 published, 1 scheduled")
        assert len(listing.records) == len(EVERY.rows)


class TestNextSteps:
    def commands(self, *rows: RowRecord, **options: object) -> list[str]:
        return [step.command for step in steps.next_steps(run(*rows), **options)]

    def test_what_isnt_finished_comes_first(self):
        assert self.commands(*EVERY.rows)[:7] == [
            "reelpub resume 261122-k3f9",
            "",
            "reelpub retry 261122-k3f9 --failed",
            "reelpub results 261122-k3f9 --failed --format csv -o again.csv",
            "reelpub publish again.csv",
            "",
            "reelpub watch 261122-k3f9",
        ]

    def test_how_many_rows_each_is_about(self):
        assert [step.text for step in steps.next_steps(EVERY)][:7] == [
            "2 rows are unfinished; go on with",
            "1 row is unknown and may be live: look at the accounts before you send anything again",
            "3 rows are not live everywhere; send just that again with",
            "1 row is refused, and would be again; write what isn't live to a file and mend it, with",
            "and then send it with",
            "1 row is not sent, as the same was sent before; allow_duplicate in the row sends it all the same",
            "2 rows are at the provider; follow to the end with",
        ]

    def test_where_all_is_well_there_is_only_what_to_read(self):
        assert self.commands(EVERY.rows[0]) == [
            "reelpub report 261122-k3f9",
            "reelpub results 261122-k3f9 --format csv -o results.csv",
        ]

    def test_what_was_refused_for_its_key_or_balance_needs_no_mending(self):
        said = {"operation": "publish_clip", "provider": "reap"}
        error = PaymentRequiredError("no credits", status=402, **said)
        commands = self.commands(row(1, OutcomeStatus.REFUSED, error=error))
        assert commands[:2] == ["", "reelpub retry 261122-k3f9 --failed"]
        assert "reelpub publish again.csv" not in commands

    def test_what_has_to_be_put_right_comes_before_sending_again(self):
        """With a key that may only read, or an empty balance, the same would be refused again."""
        said = {"provider": "reap", "operation": "publish_clip"}
        forbidden = PermissionDeniedError("reads only", status=403, **said)
        unpaid = PaymentRequiredError("no credits", status=402, **said)
        rows = [row(n, OutcomeStatus.REFUSED, error=error) for n, error in enumerate((forbidden, unpaid, forbidden), 1)]
        assert [step.text for step in steps.next_steps(run(*rows))][:3] == [
            (
                "2 rows are refused until you give the key in REAP_API_KEY the permission it lacks, "
                "or make one that has it"
            ),
            "1 row is refused until you top up the balance at reap",
            "3 rows are not live everywhere; send just that again with",
        ]

    def test_what_was_called_off_isnt_to_be_sent_again(self):
        assert "reelpub retry 261122-k3f9 --failed" not in self.commands(EVERY.rows[5])

    def test_a_store_that_commands_dont_find_is_named(self, tmp_path, monkeypatch):
        path = tmp_path / "my posts.db"
        assert self.commands(*EVERY.rows, store=named_store(path))[0].endswith(f"--store '{path}'")
        monkeypatch.setenv("REELPUB_STORE", str(path))
        assert named_store(path) is None


def terminal(width: int, **options: object) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    usual = {"force_terminal": True, "color_system": None, "markup": False, "emoji": False, "highlight": False}
    return Console(file=written, width=width, height=24, **{**usual, **options}), written


class TestFitting:
    def shown(self, listing: Listing, width: int) -> list[str]:
        console, written = terminal(width)
        print_fitted(console, listing)
        return written.getvalue().splitlines()

    def test_where_there_is_room_it_is_a_table(self):
        assert fits(runlisting.rows(EVERY), 200)
        assert any(line.split()[:1] == ["1"] and LINK in line for line in self.shown(runlisting.rows(EVERY), 200))

    @pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 100])
    def test_elsewhere_only_a_link_is_wider_than_the_terminal(self, width):
        """A link stays in one piece, so that it can be copied; a terminal wraps it."""
        for line in self.shown(runlisting.rows(EVERY), width):
            assert len(line) <= width or line.strip() == LINK or len(line.split()) == 1, line

    def test_at_eighty_columns_links_stand_under_their_rows_and_say_what_they_are(self):
        lines = self.shown(runlisting.rows(run(*EVERY.rows[:2])), 80)
        assert lines[0] == "261122-k3f9  posts.csv  reap"
        assert lines[1].split() == ["Row", "Post", "Account", "Status"]
        assert lines[2] == "    Link or reason"
        assert [line.split() for line in lines[3:5]] == [["1", "clip-1", "tiktok:acme", "published"], [LINK]]

    def test_at_thirty_columns_what_fits_is_a_table_and_the_rest_stands_under_it(self):
        texts = [line.plain for line in stacked(runlisting.rows(run(row(2, None))), 30)]
        assert texts[1:] == [
            "Row  Post    Account",
            "    Status  Link or reason",
            "2    clip-2  tiktok:acme",
            "    pending  not submitted yet",
        ]

    def test_where_hardly_anything_fits_each_entry_has_a_line(self):
        texts = [line.plain for line in stacked(runlisting.rows(run(row(2, None))), 9)]
        assert texts[3:] == ["2  clip-2", "    tiktok:acme", "    pending", "    not", "    submitted", "    yet"]

    def test_what_stands_under_a_row_keeps_its_colours(self):
        listing = Listing(
            columns=("Post", "Accounts"), rows=(((Span("clip-1"),), (Span("x:acme", "failed"), Span(" y:acme"))),)
        )
        under = stacked(listing, 20)[-1]
        assert under.plain == "    x:acme y:acme"
        assert [(span.start, span.end, span.style) for span in under.spans if span.style] == [(4, 10, "red")]

    def test_wide_characters_take_two_columns(self):
        listing = Listing(columns=("A", "B"), rows=(((Span("日本語"),), (Span("x"),)),))
        assert not fits(listing, 10)
        assert fits(listing, 11)

    def test_no_control_character_reaches_the_terminal(self):
        for width in (30, 80, 200):
            text = "\n".join(
                self.shown(runlisting.rows(run(row(1, OutcomeStatus.REFUSED, reason=EVIL, name=EVIL))), width)
            )
            assert "\u202e" not in text
            assert "\x1b[2J" not in text


def shown_run() -> tuple[Tally, Picture]:
    tally = Tally("261122-k3f9", "posts.csv")
    tally.add([row(12, None, name=EVIL)], {12: Weight("reap", 1.0)})
    return tally, Picture(tally, list, lambda: NOW)


FAILED = AccountFailed(
    job_id="j", publisher="reap", at=NOW, post_id="p", delivery=delivery(DeliveryStatus.FAILED, error=EVIL)
)


def settled(status: OutcomeStatus, *deliveries: Delivery) -> JobSettled:
    outcome = row(12, status, *deliveries, reason="why").outcome
    return JobSettled(job_id="j", publisher="reap", at=NOW, outcome=outcome)


def drive(view: runviews.RunView) -> None:
    """Show a run with everything that can happen in it."""
    tally, picture = shown_run()
    line = tally.lines[12]
    view.open(tally, picture)
    view.event(line, JobQueued(job_id="j", publisher="reap", at=NOW))
    view.event(line, FAILED)
    view.moment(line, Moment(at=NOW, kind="settled", text="failed: elsewhere"))
    view.note(EVIL)
    view.tick()
    view.close()
    view.advise("go on with", "reelpub resume 261122-k3f9")
    view.listing(runlisting.rows(run(row(12, None))))
    view.record({"type": "summary"})


class TestViews:
    def test_json_is_objects_on_stdout_and_everything_else_on_stderr(self, capsys):
        drive(RunJson())
        out, err = capsys.readouterr()
        found = [json.loads(text) for text in out.splitlines()]
        assert [one["type"] for one in found] == ["queued", "failed", "settled", "outcome", "summary"]
        assert {one["row"] for one in found[:4]} == {12}
        assert {one["run"] for one in found[:4]} == {"261122-k3f9"}
        assert out.isascii()
        assert err.splitlines()[1] == "go on with: reelpub resume 261122-k3f9"

    def test_lines_name_the_row(self, capsys):
        drive(RunLines())
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("    0.0s  12 \\x1b[2J[red]gone")
        assert lines[0].endswith("queued for reap")
        assert "failed on tiktok:acme" in lines[1]
        assert lines[2].endswith("failed: elsewhere")
        assert "go on with: reelpub resume 261122-k3f9" in lines

    def test_lines_stand_under_each_other_where_characters_are_wide(self, capsys):
        tally = Tally("261122-k3f9", "posts.csv")
        tally.add(
            [row(1, None, name="春の投稿"), row(2, None, name="clip")], {1: Weight("reap", 1.0), 2: Weight("reap", 1.0)}
        )
        view = RunLines()
        view.open(tally, Picture(tally, list, lambda: NOW))
        for line in tally.lines.values():
            view.event(line, JobQueued(job_id="j", publisher="reap", at=NOW))
        assert capsys.readouterr().out.splitlines() == [
            "    0.0s  1 春の投稿  queued for reap",
            "    0.0s  2 clip      queued for reap",
        ]

    def test_a_screen_keeps_what_failed_and_not_what_went_well(self):
        console, written = terminal(80)
        drive(RunScreen(console))
        text = written.getvalue()
        assert "failed on tiktok:acme" in text
        assert "failed: elsewhere" in text
        assert "queued" not in text
        assert "  reelpub resume 261122-k3f9" in text
        assert "\u202e" not in text

    @pytest.mark.parametrize(
        ("event", "is_kept"),
        [
            (settled(OutcomeStatus.PUBLISHED), False),
            (settled(OutcomeStatus.PENDING), False),
            (settled(OutcomeStatus.REFUSED), True),
            (settled(OutcomeStatus.UNKNOWN), True),
            # Its account's failure was told before.
            (settled(OutcomeStatus.FAILED, FAILED.delivery), False),
            (JobUnknown(job_id="j", publisher="reap", at=NOW, part_id="p", reason="cut"), True),
            (JobSent(job_id="j", publisher="reap", at=NOW, part_id="p", attempt=2), True),
        ],
    )
    def test_what_stays_on_the_screen(self, event, is_kept):
        console, written = terminal(80)
        tally, _ = shown_run()
        RunScreen(console).event(tally.lines[12], event)
        assert bool(written.getvalue()) == is_kept

    def test_it_isnt_drawn_for_each_event(self):
        console, written = terminal(80)
        view = RunScreen(console)
        view.open(*shown_run())
        before = len(written.getvalue())
        view.tick()
        assert len(written.getvalue()) == before
        view.close()

    def test_no_color_draws_without_colours(self, monkeypatch):
        monkeypatch.setenv("NO_COLOR", "1")
        console, written = terminal(80, color_system="truecolor")
        drive(RunScreen(console))
        assert "\x1b[3" not in written.getvalue()

    def test_a_dumb_terminal_gets_lines(self, monkeypatch):
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        monkeypatch.setenv("TERM", "dumb")
        assert isinstance(runviews.choose(as_json=False), RunLines)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert isinstance(runviews.choose(as_json=False), RunScreen)
        assert isinstance(runviews.choose(as_json=True), RunJson)

    def test_a_pipe_gets_lines(self):
        assert isinstance(runviews.choose(as_json=False), RunLines)


class TestAReaderThatLeaves:
    def test_it_is_told_once_and_nothing_is_shown_any_more(self):
        lost, shown = [], []

        class Broken(RunJson):
            def record(self, members) -> None:
                shown.append(members)
                raise BrokenPipeError

        view = Sturdy(Broken())
        view.when_lost(lambda: lost.append(True))
        before = sys.stdout
        try:
            # What is lost must not be this test's own output.
            sys.stdout = io.StringIO()
            drive(view)
        finally:
            sys.stdout = before
        assert lost == [True]
        assert len(shown) == 1
        assert view.is_lost

    def test_nothing_is_left_to_fail_at_the_very_end(self):
        """Python flushes standard output once more when it ends."""
        read, write = os.pipe()
        os.close(read)
        before = sys.stdout
        try:
            with os.fdopen(write, "w") as pipe:
                sys.stdout = pipe
                Sturdy(RunLines()).note("to nobody")
                pipe.write("left in the buffer")
        finally:
            sys.stdout = before

    def test_another_fault_isnt_hidden(self):
        class Broken(RunJson):
            def tick(self) -> None:
                raise LookupError

        with pytest.raises(LookupError):
            Sturdy(Broken()).tick()
