"""Which run, which rows, which times: what the commands about runs read from their options."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta

import click
import pytest
from click.shell_completion import ShellComplete

from reelpub.bulk import beginning
from reelpub.bulk.record import RowRecord, RunRecord
from reelpub.cli import stores
from reelpub.cli.app import command, run
from reelpub.cli.commands.cancel import of_results
from reelpub.cli.durations import Step
from reelpub.cli.show.when import due_at
from reelpub.cli.work import runchoice
from reelpub.cli.work.filerun import Checked
from reelpub.cli.work.interrupts import Interrupts, listening
from reelpub.cli.work.moves import moves_by, moves_to
from reelpub.cli.work.numbering import Numbering
from reelpub.cli.work.slots import Slots, with_times
from reelpub.manifest.rows import ManifestRow, Place, RowProblem
from reelpub.models.outcome import CancelResult, Outcome, OutcomeStatus
from reelpub.models.post import Post, PostStatus
from reelpub.models.problem import Problem, Severity
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.models.when import LocalTime
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.testing import InMemoryPublisher, Script

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=2)


class TestRows:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [((), None), (("7",), {7}), (("3-5", "9"), {3, 4, 5, 9}), (("1, 4-4",), {1, 4})],
    )
    def test_numbers_and_ranges(self, values, expected):
        assert runchoice.row_numbers(None, None, values) == expected

    @pytest.mark.parametrize("value", ["", "x", "5-3", "0", "1-", "-1", "1-2-3", "9" * 30, "5-2000000"])
    def test_anything_else_is_wrong_use(self, value):
        with pytest.raises(click.BadParameter):
            runchoice.row_numbers(None, None, (value,))


def row(number: int, status: OutcomeStatus | None, *, at=None, scheduled_at=None) -> RowRecord:
    request = PublishRequest(Clip("a", "b"), at=at)
    outcome = None
    if status is not None:
        post = Post(id="p", provider="reap", publisher="reap", status=PostStatus.SCHEDULED, scheduled_at=scheduled_at)
        outcome = Outcome(
            request=request, job_id="j", publisher="reap", status=status, posts=(post,) if scheduled_at else ()
        )
    return RowRecord(number=number, line=number, request=request, job_id="j", outcome=outcome)


class TestMoves:
    RUN = RunRecord(
        id="r",
        name="posts.csv",
        command="schedule",
        started_at=NOW,
        rows=(
            row(1, OutcomeStatus.SCHEDULED, at=LATER, scheduled_at=LATER + timedelta(hours=1)),
            row(2, OutcomeStatus.PENDING, at=LocalTime("2027-03-28 14:30", "Europe/Oslo")),
            row(3, OutcomeStatus.PUBLISHED, at=LATER),
            row(4, OutcomeStatus.PENDING),
            row(5, None, at=LATER),
        ),
    )

    def test_a_row_goes_out_when_the_provider_says_or_else_as_asked(self):
        assert [due_at(one) for one in self.RUN.rows] == [
            LATER + timedelta(hours=1), datetime(2027, 3, 28, 12, 30, tzinfo=UTC), LATER, None, LATER
        ]  # fmt: skip

    def test_all_that_wait_are_moved(self):
        moves = moves_by(self.RUN, timedelta(hours=2), None)
        assert moves == {
            1: LATER + timedelta(hours=3), 2: datetime(2027, 3, 28, 14, 30, tzinfo=UTC), 5: LATER + timedelta(hours=2)
        }  # fmt: skip

    def test_or_those_that_are_named(self):
        assert moves_by(self.RUN, -timedelta(hours=1), frozenset({1})) == {1: LATER}

    def test_rows_are_named_as_they_are_given(self):
        assert [runchoice.spans(numbers) for numbers in ([], [7], [5, 3, 4, 9, 10])] == ["", "7", "3-5,9-10"]

    @pytest.mark.parametrize(("number", "text"), [(3, "waits for no time"), (9, "has no such row")])
    def test_one_that_cant_be_meant_is_told(self, number, text):
        with pytest.raises(click.UsageError, match=text):
            moves_by(self.RUN, timedelta(hours=1), frozenset({number}))

    def test_nothing_to_move_is_told(self):
        run = RunRecord(id="r", name="n", command="c", started_at=NOW, rows=(row(1, OutcomeStatus.PUBLISHED),))
        with pytest.raises(click.UsageError, match="no row of r waits"):
            moves_by(run, timedelta(hours=1), None)

    @pytest.mark.parametrize("days", [3_000_000, -3_000_000])
    def test_a_time_that_no_calendar_has_is_told(self, days):
        with pytest.raises(click.UsageError, match=r"--by: row 1 would be moved out of the calendar"):
            moves_by(self.RUN, timedelta(days=days), None)

    def test_a_time_is_for_one_row(self):
        assert moves_to(self.RUN, LATER, frozenset({3})) == {3: LATER}
        for numbers in (None, frozenset(), frozenset({1, 2})):
            with pytest.raises(click.UsageError, match="--at moves one row"):
                moves_to(self.RUN, LATER, numbers)
        with pytest.raises(click.UsageError, match="has no such row"):
            moves_to(self.RUN, LATER, frozenset({9}))


def manifest(number: int, *, at=None, skip: str | None = None, is_broken: bool = False) -> ManifestRow:
    request = None if is_broken else PublishRequest(Clip("a", str(number)), at=at, accounts=["tiktok:acme"])
    return ManifestRow(number=number, line=number + 1, request=request, skip=skip)


class TestTimesForRows:
    def test_rows_without_a_time_get_the_next_one(self):
        rows = [manifest(1), manifest(2, at=LATER), manifest(3, skip="live"), manifest(4, is_broken=True), manifest(5)]
        found = list(with_times(Slots(written="now", start=NOW, every=Step(seconds=3600)))(rows))
        assert [one.request.at if one.request else None for one in found] == [
            NOW, LATER, None, None, NOW + timedelta(hours=1)
        ]  # fmt: skip
        assert all(one.is_sound for one in found if one.request)

    def test_without_times_to_give_a_row_that_has_none_is_an_error_at_its_place(self):
        found = list(with_times(None)([manifest(1), manifest(2, at=LATER)]))
        assert [one.is_sound for one in found] == [False, True]
        (problem,) = found[0].problems
        assert (problem.row, problem.place.line) == (1, 2)
        assert "--start TIME --every" in str(problem)

    @pytest.mark.parametrize("are_needed", [True, False])
    def test_where_the_calendar_ends_the_rows_are_told_to_begin_sooner(self, are_needed):
        slots = Slots(written="late", start=datetime(9999, 12, 31, 23, tzinfo=UTC), every=Step(seconds=3600))
        found = list(with_times(slots, are_needed=are_needed)([manifest(1), manifest(2)]))
        assert [one.is_sound for one in found] == [True, False]
        assert "would come after the end of the calendar; begin sooner with --start" in str(found[1].problems[0])

    def test_unless_a_row_needs_none(self):
        rows = [manifest(1), manifest(2, at=LATER)]
        assert list(with_times(None, are_needed=False)(rows)) == rows


class TestChecked:
    def test_what_is_sound_is_what_has_no_error_wherever_it_was_found(self):
        rows = [manifest(1), manifest(2), manifest(3, skip="live"), manifest(4, is_broken=True)]
        checked = Checked()
        assert list(checked.keep(rows)) == rows
        for number, severity in ((1, Severity.WARNING), (2, Severity.ERROR)):
            problem = Problem(field="accounts[0]", message="is unknown", severity=severity)
            checked.findings.append(RowProblem(row=number, place=Place(line=1), problem=problem))
        assert checked.sound == [rows[0]]
        assert checked.skipped == ["live"]
        checked.since[1] = "was sent again"
        assert checked.sound == []
        assert checked.skipped == ["was sent again", "live"]
        assert checked.bad == {2}


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (["publish", "FILE", "--caption", "x"], "--caption describes a single post"),
            (["publish", "FILE", "--clip", "a/b"], "--clip describes a single post"),
            (["publish", "FILE", "--no-wait"], "--no-wait describes a single post"),
            (["publish", "--clip", "a/b", "--skip-bad-rows"], "--skip-bad-rows goes with FILE"),
            (["publish", "--format", "csv"], "--format goes with FILE"),
            (["publish", "FILE", "--zone", "Mars/Base"], "is no zone"),
            (["plan", "FILE", "--zone", "Europe/Olso"], "did you mean Europe/Oslo?"),
            (["publish", "nowhere.csv"], "does not exist"),
            (["schedule", "FILE", "--every", "2h"], "--start and --every go together"),
            (["schedule", "FILE", "--start", "2027-03-28T09:00Z"], "--start and --every go together"),
            (
                ["schedule", "FILE", "--start", "2027-03-28 09:00", "--every", "2h"],
                "--start: '2027-03-28 09:00' has no",
            ),
            (["schedule", "FILE", "--start", "soon", "--every", "2h"], "--start: 'soon' is no time that can be read"),
            (
                ["schedule", "FILE", "--start", "2027-03-28 02:30", "--every", "2h", "--zone", "Europe/Oslo"],
                "--start: '2027-03-28 02:30' is skipped there when the clocks go forward",
            ),
            (
                ["plan", "FILE", "--start", "2027-10-31 02:30", "--every", "1d", "--zone", "Europe/Oslo"],
                "--start: '2027-10-31 02:30' comes twice there",
            ),
            (["reschedule", "r"], "say where to"),
            (["reschedule", "r", "--at", "2027-03-28T09:00Z", "--by", "2h"], "say where to"),
            (["resume", "r", "--posts"], "leave RUN out, or leave --posts out"),
            (["results", "-o", "x.csv"], "-o needs a format"),
            (["results", "--json", "--format", "csv"], "leave one out"),
            (["report", "--zone", "Mars/Base"], "is no zone"),
            (["retry", "--row", "x"], "isn't a row such as 7"),
        ],
    )
    def test_it_is_told_and_makes_no_file(self, arguments, text, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        (tmp_path / "posts.csv").write_text("reference\n")
        given = [str(tmp_path / "posts.csv") if one == "FILE" else one for one in arguments]
        assert run(given) == 2
        assert text in " ".join(capsys.readouterr().err.split())
        assert [one.name for one in tmp_path.iterdir()] == ["posts.csv"]

    def test_cancellations_that_came_too_late_arent_a_success_and_unknown_ones_outweigh_them(self):
        assert of_results([]) == 0
        assert of_results([CancelResult.CANCELLED]) == 0
        assert of_results([CancelResult.CANCELLED, CancelResult.TOO_LATE]) == 1
        assert of_results([CancelResult.UNKNOWN, CancelResult.TOO_LATE]) == 3


class TestNames:
    @pytest.fixture
    async def store(self, tmp_path, monkeypatch):
        path = stores.prepared(tmp_path / "posts.db")
        monkeypatch.setenv("REELPUB_STORE", str(path))
        async with stores.opened(path) as opened:
            yield opened

    async def begun(self, store, name: str, hour: int) -> str:
        at = NOW + timedelta(hours=hour)
        return await beginning.begin(store, [manifest(1)], name=name, command="publish", now=at)

    async def test_without_a_name_the_latest_is_meant_and_told(self, store):
        await self.begun(store, "first.csv", 0)
        latest = await self.begun(store, "second.csv", 1)
        said = []
        assert await runchoice.chosen(store, None, said.append) == latest
        assert said == [f"the latest run: {latest} (second.csv)"]
        assert await runchoice.chosen(store, latest[-4:], said.append) == latest
        assert len(said) == 1

    def test_the_shell_completes_the_ids_of_runs(self, tmp_path, monkeypatch):
        path = stores.prepared(tmp_path / "posts.db")
        monkeypatch.setenv("REELPUB_STORE", str(path))

        async def begin() -> str:
            async with stores.opened(path) as store:
                return await self.begun(store, "first.csv", 0)

        made = asyncio.run(begin())
        complete = ShellComplete(command, {}, "reelpub", "_REELPUB_COMPLETE")
        offered = complete.get_completions(["retry"], made[:3])
        assert [(one.value, one.help) for one in offered] == [(made, "first.csv")]
        # No id has that letter, whatever is drawn.
        assert complete.get_completions(["retry"], "o") == []
        assert [one.value for one in complete.get_completions(["retry"], "")] == [made]

    def test_and_whichever_part_of_an_id_was_begun(self, tmp_path, monkeypatch):
        """What a command takes for a run: its id, its last part, the word for the latest."""
        path = stores.prepared(tmp_path / "posts.db")
        monkeypatch.setenv("REELPUB_STORE", str(path))

        async def begin() -> list[str]:
            async with stores.opened(path) as store:
                return [await self.begun(store, f"{number}.csv", number) for number in range(3)]

        *_, middle, latest = asyncio.run(begin())
        complete = ShellComplete(command, {}, "reelpub", "_REELPUB_COMPLETE")
        offered = complete.get_completions(["report"], middle[-4:-1])
        assert (middle[-4:], "1.csv") in [(one.value, one.help) for one in offered]
        assert all(one.value.startswith(middle[-4:-1]) for one in offered)
        assert latest in [one.value for one in complete.get_completions(["report"], latest[:2])]
        assert [(one.value, one.help) for one in complete.get_completions(["report"], "la")] == [("latest", "2.csv")]

    def test_the_shell_completes_the_names_of_publishers(self):
        complete = ShellComplete(command, {}, "reelpub", "_REELPUB_COMPLETE")
        offered = complete.get_completions(["status", "--publisher"], "")
        assert [one.value for one in offered] == ["reap", "reelmirror"]
        assert [one.value for one in complete.get_completions(["wait", "--publisher"], "ree")] == ["reelmirror"]

    def test_without_a_store_it_offers_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("REELPUB_STORE", str(tmp_path / "nowhere.db"))
        assert ShellComplete(command, {}, "reelpub", "_REELPUB_COMPLETE").get_completions(["retry"], "") == []


class TestRowOfAJob:
    async def test_a_retry_belongs_to_the_row_that_it_retries(self):
        request = PublishRequest(Clip("a", "b"), accounts=["tiktok:acme"])
        async with Orchestrator([InMemoryPublisher(script=Script(seconds=0.0))]) as pub:
            first, second = pub.submit(request), pub.submit(PublishRequest(Clip("a", "c"), accounts=["tiktok:acme"]))
            second.job.retries = "r.7"
            first.job.retries = second.id
            numbering = Numbering(pub, "r")
            assert numbering.number("r.3") == 3
            assert numbering.number("r.3.r1") == 3
            assert numbering.number(first.id) == 7
            assert numbering.number("nobody's") is None
            stranger = pub.submit(PublishRequest(Clip("a", "d"), accounts=["tiktok:acme"]))
            assert numbering.number(stranger.id) is None
            numbering.learn({5: stranger})
            assert numbering.number(stranger.id) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
class TestInterrupts:
    def made(self) -> tuple[Interrupts, list[str]]:
        said = []
        interrupts = Interrupts(
            lambda: said.append("stop"),
            first_words=lambda: said.append("first"),
            last_words=lambda: said.append("last"),
            leave=lambda status: said.append(f"leave {status}"),
        )
        return interrupts, said

    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
    async def test_the_first_signal_asks_to_stop_and_the_second_leaves_at_once(self, name):
        interrupts, said = self.made()
        number = getattr(signal, name)
        before = signal.getsignal(number)
        with listening(interrupts):
            signal.raise_signal(number)
            await asyncio.sleep(0.01)
            assert said == ["first", "stop"]
            signal.raise_signal(number)
            await asyncio.sleep(0.01)
            assert said == ["first", "stop", "last", "leave 130"]
        assert signal.getsignal(number) == before

    async def test_what_is_ignored_stays_ignored(self):
        """As under nohup: closing the terminal is no reason to stop then."""
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            interrupts, said = self.made()
            with listening(interrupts):
                signal.raise_signal(signal.SIGHUP)
                await asyncio.sleep(0.01)
            assert said == []
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_a_terminal_that_is_gone_keeps_nobody_from_stopping(self):
        def gone() -> None:
            raise OSError("no such terminal")

        said = []
        interrupts = Interrupts(
            lambda: said.append("stop"), first_words=gone, last_words=gone, leave=lambda _: said.append("leave")
        )
        interrupts()
        interrupts()
        assert said == ["stop", "leave"]
