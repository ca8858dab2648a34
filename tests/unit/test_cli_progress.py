"""The progress of a run on a terminal of any size: what it counts, how it is drawn, what stays above it."""

from __future__ import annotations

import io
import math
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from reelpub.bulk.record import Moment, RowRecord
from reelpub.cli.progress.panel import Panel
from reelpub.cli.progress.picture import Budget, Picture, budget_line, estimate
from reelpub.cli.progress.tally import Tally
from reelpub.cli.progress.weights import Weight, weights
from reelpub.models.event import (
    AccountFailed,
    JobAccepted,
    JobEvent,
    JobHeld,
    JobQueued,
    JobSent,
    JobSettled,
    JobStatusChanged,
    JobUnknown,
)
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.post import Post, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip, GeneratedPost
from reelpub.providers import registry

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
POST = Post(id="p", provider="reap", publisher="reap", status=PostStatus.PUBLISHING)


def row(number: int, **members: object) -> RowRecord:
    request = PublishRequest(Clip("a", str(number)), accounts=["tiktok:acme"], reference=f"clip-{number}")
    return RowRecord(number=number, line=number + 1, request=request, job_id=f"r.{number}", **members)


def ended(number: int, status: OutcomeStatus, *, is_settled: bool = True) -> RowRecord:
    request = row(number).request
    outcome = Outcome(
        request=request, job_id="j", publisher="reap", status=status, settled_at=NOW if is_settled else None
    )
    return row(number, outcome=outcome)


def tally(count: int, *rows: RowRecord, requests: float = 1.0) -> Tally:
    made = Tally("261122-k3f9", "posts.csv")
    waiting = [row(number) for number in range(1, count + 1)]
    found = [*waiting, *rows]
    made.add(found, {one.number: Weight("reap", requests) for one in found})
    return made


def event(kind: type[JobEvent], **members: object) -> JobEvent:
    return kind(job_id="j", publisher="reap", at=NOW, **members)


def settled(status: OutcomeStatus) -> JobSettled:
    outcome = Outcome(request=row(1).request, job_id="j", publisher="reap", status=status, settled_at=NOW)
    return event(JobSettled, outcome=outcome)


def budget(**members: object) -> Budget:
    usual = {"publisher": "reap", "limit": 10, "window": 60.0, "used": 0, "waiting": 0, "next_in": 0.0}
    return Budget(**{**usual, **members})


def counted(of: Tally) -> dict[str, int]:
    return {one.state: one.count for one in of.counts}


class TestTally:
    def test_what_the_store_has_settled_counts_as_done(self):
        found = tally(2, ended(3, OutcomeStatus.FAILED), ended(4, OutcomeStatus.PENDING, is_settled=False))
        assert (found.total, found.settled) == (4, 1)
        assert counted(found) == {"failed": 1, "waiting": 3}

    def test_a_row_goes_through_its_states(self):
        found = tally(1)
        states = []
        for told in (
            event(JobQueued),
            event(JobHeld, seconds=3.0, reason="limit"),
            event(JobSent, part_id="p", attempt=1),
            event(JobUnknown, part_id="p", reason="cut"),
            event(JobAccepted, post=POST),
            event(JobStatusChanged, post=POST, before=PostStatus.DRAFT),
            event(JobUnknown, part_id="p", reason="cut", is_final=True),
            settled(OutcomeStatus.PARTLY_PUBLISHED),
            event(JobStatusChanged, post=POST, before=PostStatus.DRAFT),
        ):
            assert found.apply(told, 1) is found.lines[1]
            states.append(found.lines[1].state)
        assert states == [
            "waiting", "waiting", "on the way", "looking up", *["on the way"] * 3, *["partly_published"] * 2
        ]  # fmt: skip
        assert found.settled == 1

    def test_a_retry_makes_a_row_unfinished_again(self):
        found = tally(0, ended(1, OutcomeStatus.FAILED))
        found.apply(event(JobQueued), 1)
        assert (found.settled, counted(found)) == (0, {"waiting": 1})
        found.apply(settled(OutcomeStatus.PUBLISHED), 1)
        assert (found.settled, counted(found)) == (1, {"published": 1})

    def test_a_stranger_is_left_out(self):
        assert tally(1).apply(event(JobQueued), 7) is None
        assert tally(1).note(Moment(at=NOW, kind="queued"), 7) is None

    def test_what_another_process_noted_counts_the_same(self):
        found = tally(1)
        states = []
        for kind, text in (("queued", ""), ("sent", ""), ("accepted", ""), ("failed", "no"), ("settled", "failed: no")):
            found.note(Moment(at=NOW, kind=kind, text=text), 1)
            states.append(found.lines[1].state)
        assert states == ["waiting", "on the way", "on the way", "on the way", "failed"]
        found.note(Moment(at=NOW, kind="held", reason="time", seconds=60.0), 1)
        assert found.settled == 1

    def test_what_is_kept_here_for_its_time_is_known_by_its_time(self):
        found = tally(2)
        found.apply(event(JobHeld, seconds=3600.0, reason="time"), 1)
        assert found.last_due_at() == NOW + timedelta(hours=1)
        assert found.left("reap") == 1
        found.apply(event(JobSent, part_id="p", attempt=1), 1)
        assert found.last_due_at() is None
        found.apply(event(JobHeld, seconds=math.inf, reason="time"), 2)
        assert found.last_due_at() is None

    def test_what_was_accepted_takes_no_more_requests(self):
        found = tally(3, requests=1.5)
        assert found.left("reap") == 5
        found.apply(event(JobAccepted, post=POST), 1)
        assert found.left("reap") == 3
        assert found.left("reelmirror") == 0


class TestUntilLive:
    """What following a run to its end shows: what is scheduled isn't done yet."""

    LATER = NOW + timedelta(minutes=25)

    def scheduled(self, number: int, at: datetime) -> RowRecord:
        request = PublishRequest(Clip("a", str(number)), at=at.astimezone(ZoneInfo("Europe/Oslo")))
        outcome = Outcome(request=request, job_id="j", publisher="reap", status=OutcomeStatus.SCHEDULED, settled_at=NOW)
        return RowRecord(number=number, line=number, request=request, job_id="j", outcome=outcome)

    def watched(self) -> Tally:
        rows = [
            ended(1, OutcomeStatus.PUBLISHED),
            self.scheduled(2, self.LATER),
            self.scheduled(3, NOW + timedelta(hours=2)),
            ended(4, OutcomeStatus.PENDING),
        ]
        made = Tally("261122-k3f9", "posts.csv", until_live=True)
        made.add(rows, {})
        return made

    def drawn(self, of: Tally, width: int) -> list[str]:
        console = Console(file=io.StringIO(), width=width, height=24)
        lines = console.render_lines(Picture(of, lambda: [budget()], lambda: NOW).draw(width), pad=False)
        return ["".join(segment.text for segment in line) for line in lines]

    def test_what_is_scheduled_is_waited_for_and_said_so(self):
        found = self.watched()
        assert (found.settled, counted(found)) == (1, {"published": 1, "scheduled": 2, "pending": 1})
        lines = self.drawn(found, 80)
        assert lines[0].endswith("1 of 4   about 2 h 1 min left")
        assert "2 wait for their time, the next in 25 min: 2027-03-01 13:25 Europe/Oslo" in lines
        assert "2 for later, next in 25 min" in self.drawn(found, 40)

    def test_it_is_done_when_it_is_live(self):
        found = self.watched()
        found.apply(settled(OutcomeStatus.SCHEDULED), 2)
        assert found.settled == 1
        for number in (2, 3, 4):
            found.apply(settled(OutcomeStatus.PUBLISHED), number)
        assert (found.settled, found.due(NOW)) == (4, None)
        assert self.drawn(found, 80)[0].endswith("4 of 4   done")

    def test_one_that_is_read_and_still_scheduled_keeps_waiting_for_its_time(self):
        found = self.watched()
        post = Post(id="p", provider="reap", publisher="reap", status=PostStatus.SCHEDULED, scheduled_at=self.LATER)
        found.apply(event(JobStatusChanged, post=post, before=PostStatus.SCHEDULED), 3)
        due = found.due(NOW)
        assert (counted(found)["scheduled"], due.count, due.next_at) == (2, 2, self.LATER)

    def test_what_another_process_noted_counts_the_same(self):
        found = self.watched()
        found.note(Moment(at=NOW, kind="settled", text="scheduled"), 3)
        assert found.settled == 1
        found.note(Moment(at=NOW, kind="settled", text="published"), 3)
        assert found.settled == 2


class TestWeights:
    PUBLISHERS = {one.name: one for one in registry.offline()}  # noqa: RUF012

    def rows(self, *requests: PublishRequest) -> list[RowRecord]:
        return [
            RowRecord(number=number, line=1, request=request, job_id="j") for number, request in enumerate(requests, 1)
        ]

    def test_each_row_weighs_what_its_publisher_says(self):
        found = weights(
            self.rows(
                PublishRequest(GeneratedPost("g")),
                PublishRequest(Clip("p", "c"), accounts=["tiktok:a", "tiktok:b"]),
                PublishRequest(Clip("p", "d"), accounts=["tiktok:a"]),
                PublishRequest(Clip("p", "e"), publisher="nobody"),
            ),
            self.PUBLISHERS,
            NOW,
        )
        assert [found[number].publisher for number in (1, 2, 3, 4)] == ["reelmirror", "reap", "reap", None]
        # The project is read once, by the first of its clips.
        assert [found[number].requests for number in (2, 3, 4)] == [2 + 2, 1, 0]

    def test_rows_that_are_scheduled_together_share_their_requests(self):
        rows = self.rows(
            *(
                PublishRequest(Clip("p", str(number)), accounts=["tiktok:a"], at=NOW + timedelta(days=1, hours=number))
                for number in range(100)
            )
        )
        found = weights(rows, self.PUBLISHERS, NOW)
        assert sum(weight.requests for weight in found.values()) == pytest.approx(100 / 50 + 2)


class TestEstimate:
    def test_what_fits_the_limit_takes_what_platforms_take(self):
        assert estimate(tally(10), [budget()], NOW) == 60.0

    def test_what_doesnt_fit_waits_for_whole_windows(self):
        assert estimate(tally(10), [budget(used=10)], NOW) == 60.0 + 60.0

    def test_the_slower_provider_decides(self):
        assert estimate(tally(100), [budget(publisher="reelmirror"), budget()], NOW) > 10 * 60.0

    def test_a_time_to_wait_for_counts(self):
        found = tally(1)
        found.apply(event(JobHeld, seconds=7200.0, reason="time"), 1)
        assert estimate(found, [budget()], NOW) == 7260.0

    def test_when_all_is_done_there_is_none(self):
        assert estimate(tally(0, ended(1, OutcomeStatus.PUBLISHED)), [budget()], NOW) is None


class TestPicture:
    @pytest.mark.parametrize(
        ("width", "expected"),
        [
            (80, "reap          10 of 10 requests used, next in 41 s, 2 waiting"),
            (76, "reap          10 of 10 requests used, next in 41 s, 2 waiting"),
            (75, "reap 10/10, next in 41 s, 2 waiting"),
            (40, "reap 10/10, next in 41 s, 2 waiting"),
            (35, "reap 10/10, next in 41 s"),
        ],
    )
    def test_a_line_for_each_provider(self, width, expected):
        assert budget_line(budget(used=10, waiting=2, next_in=41.2), width) == expected

    def test_a_token_that_is_there_and_one_that_nobody_knows(self):
        assert budget_line(budget(used=3), 80).endswith("3 of 10 requests used, next now")
        assert budget_line(budget(next_in=math.inf), 80).endswith("next after an answer")

    @pytest.mark.parametrize(
        ("width", "expected"),
        [
            (80, "reap        can't be reached for 2 min; what waits is sent when it can be"),
            (75, "reap: out of reach for 2 min"),
            (40, "reap: out of reach for 2 min"),
        ],
    )
    def test_a_provider_that_is_out_of_reach_has_nothing_to_use_up(self, width, expected):
        assert budget_line(budget(used=3, unreached_for=125.0), width) == expected

    def drawn(self, width: int, *, in_ascii: bool = False, colours: bool = False) -> list[str]:
        found = tally(120)
        for number in range(1, 35):
            found.apply(settled(OutcomeStatus.PUBLISHED if number > 3 else OutcomeStatus.NOT_SENT), number)
        found.name = "a folder/with a long name/posts of the spring campaign.csv"
        budgets = [budget(publisher="reelmirror", limit=60, used=52, waiting=86, next_in=3.0), budget(next_in=math.inf)]
        picture = Picture(found, lambda: budgets, lambda: NOW)
        console = Console(
            file=io.StringIO(),
            width=width,
            height=24,
            force_terminal=True,
            color_system="truecolor" if colours else None,
        )
        lines = console.render_lines(picture.draw(width, in_ascii=in_ascii), pad=False)
        return ["".join(segment.text for segment in line) for line in lines]

    @pytest.mark.parametrize("width", [20, 39, 40, 41, 59, 60, 80, 132, 200])
    @pytest.mark.parametrize("in_ascii", [False, True])
    def test_no_line_is_wider_than_the_terminal(self, width, in_ascii):
        lines = self.drawn(width, in_ascii=in_ascii)
        assert max(map(len, lines)) < width
        assert any("34" in line and "120" in line for line in lines)

    def test_a_name_in_wide_characters_leaves_the_estimate_its_room(self):
        found = tally(120)
        found.name = "春の投稿" * 20 + ".csv"
        console = Console(file=io.StringIO(), width=80, height=24)
        lines = console.render_lines(Picture(found, list, lambda: NOW).draw(80), pad=False)
        head = "".join(segment.text for segment in lines[0])
        assert head.startswith("261122-k3f9  春の投稿")
        assert re.search(r"\.\.\. +0 of 120   about \d+ (s|min) left$", head)
        assert cell_len(head) == 79

    def test_at_eighty_columns(self):
        head, bar, counts, *budgets = self.drawn(80)
        assert re.fullmatch(r"261122-k3f9  a folder/with.*\.\.\.  34 of 120   about 9 min left", head)
        assert re.fullmatch("━{21}─{56}", bar)
        assert counts == "31 published  3 not sent  86 waiting"
        assert budgets == [
            "reelmirror    52 of 60 requests used, next in 3 s, 86 waiting",
            "reap           0 of 10 requests used, next after an answer",
        ]

    def test_at_forty_columns(self):
        assert self.drawn(40)[0] == "34 of 120, about 9 min left"
        assert self.drawn(40)[2:] == [
            "31 published  3 not sent  86 waiting",
            "reelmirror 52/60, next in 3 s",
            "reap 0/10, next after an answer",
        ]

    def test_in_ascii(self):
        assert all(line.isascii() for line in self.drawn(80, in_ascii=True))
        assert re.fullmatch(r"\[#+\.+\]", self.drawn(80, in_ascii=True)[1])


class Screen:
    """A terminal as far as a panel needs one: lines, a cursor that goes up and to the left, and lines wiped."""

    def __init__(self, width: int) -> None:
        self.width, self.cells, self.row, self.column = width, [""], 0, 0
        self.is_cursor_shown = True

    def write(self, text: str) -> None:
        for code, parameter, letter, character in re.findall(r"(\x1b\[(\??\d*)([A-Za-z]))|(?s:(.))", text):
            if not code:
                self.put(character)
            elif letter == "A":
                self.row -= int(parameter or 1)
                assert self.row >= 0, "above the screen"
            elif letter == "K":
                assert parameter == "2"
                self.cells[self.row] = ""
            elif letter in "hl":
                self.is_cursor_shown = letter == "h"
            else:
                assert letter == "m", code

    def put(self, character: str) -> None:
        if character == "\n":
            self.row, self.column = self.row + 1, 0
        elif character == "\r":
            self.column = 0
        else:
            if self.column == self.width:
                self.row, self.column = self.row + 1, 0
            self.cells += [""] * (self.row + 1 - len(self.cells))
            line = self.cells[self.row].ljust(self.column)
            self.cells[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1
        self.cells += [""] * (self.row + 1 - len(self.cells))

    def resize(self, width: int) -> None:
        """Wrap everything anew, as tmux and most terminals do; the cursor stays where its text went."""
        wrapped, row = [], 0
        for number, line in enumerate(self.cells):
            pieces = [line[start : start + width] for start in range(0, max(1, len(line)), width)]
            if number == self.row:
                row = len(wrapped) + len(pieces) - 1
            wrapped += pieces
        self.cells, self.row, self.width = wrapped, row, width
        self.column = len(self.cells[row])

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.cells if line.strip()]


class TestPanel:
    def made(self, width: int, height: int = 12) -> tuple[Panel, Screen, Console]:
        screen = Screen(width)
        file = io.StringIO()
        file.write = screen.write
        console = Console(file=file, force_terminal=True, width=width, height=height, color_system=None)
        return Panel(console), screen, console

    def test_a_picture_takes_the_place_of_the_one_before(self):
        panel, screen, _ = self.made(40)
        panel.show(Text("one\ntwo\nthree"))
        panel.show(Text("four\nfive"))
        assert screen.lines == ["four", "five"]

    def test_what_is_printed_stays_above_it(self):
        panel, screen, _ = self.made(40)
        panel.show(Text("picture"))
        panel.above(Text("a failure"))
        panel.show(Text("picture\nof two lines"))
        panel.above(Text("another"))
        panel.show(Text("picture"))
        assert screen.lines == ["a failure", "another", "picture"]

    def test_a_terminal_made_narrower_keeps_nothing_of_the_old_picture(self):
        panel, screen, console = self.made(40)
        panel.above(Text("kept"))
        panel.show(Text(f"{'x' * 39}\n{'y' * 20}"))
        screen.resize(15)
        console.width = 15
        panel.show(Text("new"))
        assert screen.lines == ["kept", "new"]
        screen.resize(60)
        console.width = 60
        panel.show(Text("newer"))
        assert screen.lines == ["kept", "newer"]

    def test_it_never_fills_the_screen(self):
        panel, screen, _ = self.made(40, height=5)
        panel.show(Text("\n".join("abcdefgh")))
        assert screen.lines == list("abcd")

    def test_the_cursor_is_hidden_meanwhile_and_comes_back(self):
        panel, screen, _ = self.made(40)
        panel.show(Text("picture"))
        assert not screen.is_cursor_shown
        panel.close()
        panel.close()
        assert screen.is_cursor_shown
        assert screen.lines == []

    def test_an_account_that_fails_isnt_the_end_of_a_row(self):
        found = tally(1)
        found.apply(event(JobAccepted, post=POST), 1)
        found.apply(event(AccountFailed, post_id="p", delivery=None), 1)
        assert counted(found) == {"on the way": 1}
