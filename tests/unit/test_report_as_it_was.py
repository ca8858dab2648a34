"""What a report draws at a time is what was so then, whatever became of the posts since."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from reelpub import Clip, MemoryStore, OutcomeStatus, PublishRequest
from reelpub.bulk import begin, cancel, carry_out, load, opened, reschedule
from reelpub.bulk.record import Moment
from reelpub.clocks import utc_now
from reelpub.manifest.rows import ManifestRow
from reelpub.report.charts import Axis, posts_chart
from reelpub.report.phases import Phase, ends, spans, standing, until
from reelpub.report.times import zone_named

START = datetime(2027, 3, 26, 8, 0, tzinfo=UTC)
CLOSED = "the orchestrator was closed before it ended"


def at(seconds):
    return START + timedelta(seconds=seconds)


def drawn(run, until_=None):
    return [span for row in run.rows for span in spans(row, until_ or until(run))]


def counts_at(run, instant):
    """Return how many rows a report that reaches beyond *instant* draws in each phase at it."""
    instants, counts = standing(drawn(run, max(until(run), instant + timedelta(seconds=1))))
    place = max(place for place, one in enumerate(instants) if one <= instant)
    return {phase: found[place] for phase, found in counts.items() if found[place]}


def marks(run):
    axis = Axis(zone_named("UTC"), run.started_at, until(run))
    data = posts_chart(run.rows, drawn(run), axis)["data"]
    return {
        trace["name"]: sorted(zip(trace["y"], trace["x"], strict=True)) for trace in data if "ended" in trace["name"]
    }


def rows(now, count, *, hours=None):
    requests = [
        PublishRequest(
            Clip("demo-project-1", f"demo-clip-{number}"),
            title=f"T{number}",
            accounts=("tiktok:acme",),
            at=now + timedelta(hours=hours + number) if hours else None,
        )
        for number in range(1, count + 1)
    ]
    return [ManifestRow(number=n, line=n + 1, request=request) for n, request in enumerate(requests, start=1)]


def test_what_was_scheduled_stays_so_until_it_was_moved_or_called_off(play):
    async def story(stage):
        now, store = utc_now(stage.clock), MemoryStore()
        async with stage.orchestrator(store=store) as pub:
            run = await begin(store, rows(now, 4, hours=2), name="s.csv", command="publish s.csv", now=now)
            before = await carry_out(pub, store, run)
            await stage.clock.sleep(60)
            moved = await reschedule(pub, store, run, {2: now + timedelta(hours=40)})
            assert moved[2].status is OutcomeStatus.SCHEDULED
            await cancel(pub, store, run, rows=[3])
            after = await load(store, run)
        then = until(before)
        assert counts_at(before, then) == {Phase.DONE: 4}
        assert counts_at(after, then) == {Phase.DONE: 4}
        assert counts_at(after, until(after)) == {Phase.DONE: 3, Phase.NOT_LIVE: 1}
        first = marks(before)["ended: scheduled"]
        assert [number for number, _ in first] == [1, 2, 3, 4]
        last = marks(after)
        assert set(first) <= set(last["ended: scheduled"])
        assert [number for number, _ in last["ended: scheduled"]] == [1, 2, 2, 3, 4], "row 2 was moved"
        assert [number for number, _ in last["ended: cancelled"]] == [3]

    play(story)


def test_between_a_stop_and_going_on_nothing_has_ended(play):
    async def story(stage):
        now, store, drain = utc_now(stage.clock), MemoryStore(), asyncio.Event()
        async with opened(store):
            run = await begin(store, rows(now, 11), name="s.csv", command="publish s.csv", now=now)
            async with stage.orchestrator(store=store) as pub:
                carrying = asyncio.create_task(carry_out(pub, store, run, drain=drain))
                await stage.clock.sleep(1.5)
                drain.set()
                before = await carrying
            assert {row.is_settled for row in before.rows} == {False}
            stopped = until(before)
            at_rest = counts_at(before, stopped)
            assert at_rest.keys() == {Phase.WAITING, Phase.PROVIDER}
            assert sum(at_rest.values()) == 11
            assert marks(before) == {}
            await stage.clock.sleep(60)
            async with stage.orchestrator(store=store) as pub:
                after = await carry_out(pub, store, run)
        assert after.counts == {OutcomeStatus.PUBLISHED: 11}
        assert counts_at(after, stopped + timedelta(seconds=30)) == at_rest
        assert counts_at(after, until(after)) == {Phase.DONE: 11}
        assert {name: len(found) for name, found in marks(after).items()} == {"ended: published": 11}

    play(story)


def row_with(runs, *moments, status=OutcomeStatus.PUBLISHED, **outcome):
    made = runs.row(1, status)
    said = tuple(Moment(at=at(second), kind=kind, text=text, reason=reason) for second, kind, text, reason in moments)
    return attrs.evolve(made, moments=said, outcome=attrs.evolve(made.outcome, **outcome))


def phases_of(row, end=100):
    return [(str(span.phase), (span.begin - START).total_seconds()) for span in spans(row, at(end))]


@pytest.mark.parametrize(
    ("before", "said", "rests_in"),
    [
        (("held", "limit"), f"not_sent: {CLOSED}", "waiting"),
        (("held", "cap"), f"not_sent: {CLOSED}", "waiting"),
        (("held", "time"), f"not_sent: {CLOSED}", "time"),
        (("accepted", None), f"pending: {CLOSED}", "provider"),
        (("accepted", None), f"partly_published: too long; {CLOSED}", "provider"),
        (("accepted", None), "pending: stuck at processing for 30 minutes", "provider"),
        (("unknown", None), f"unknown: {CLOSED}", "lookup"),
    ],
)
def test_what_a_process_leaves_unfinished_is_where_it_was(runs, before, said, rests_in):
    kind, reason = before
    row = row_with(runs, (0, "queued", "", None), (1, kind, "", reason), (2, "settled", said, None))
    assert phases_of(row)[-1][0] == rests_in
    assert "not_live" not in {phase for phase, _ in phases_of(row)}


def test_a_post_that_was_left_before_anything_was_noted_waits(runs):
    row = row_with(runs, (3, "settled", f"not_sent: {CLOSED}", None))
    assert phases_of(row) == [("waiting", 3)]


def test_what_provably_never_left_in_time_has_ended(runs):
    row = row_with(
        runs, (0, "queued", "", None), (1, "settled", "not_sent: its time to start has passed", None),
        (5, "queued", "", None), (6, "settled", "published", None),
    )  # fmt: skip
    assert phases_of(row) == [("waiting", 0), ("not_live", 1), ("waiting", 5), ("done", 6)]
    assert next((end.status, end.at) for end in ends(row)) == (OutcomeStatus.NOT_SENT, at(1))


def test_that_another_process_had_submitted_it_before_is_no_end(runs):
    said = ((0, "queued", "", None), (1, "accepted", "", None), (2, "settled", "duplicate: submitted before", None))
    row = row_with(runs, *said, settled_at=at(9))
    assert phases_of(row) == [("waiting", 0), ("provider", 1)]
    assert [(end.status, end.at) for end in ends(row)] == [(OutcomeStatus.PUBLISHED, at(9))]
    repeat = row_with(runs, *said, status=OutcomeStatus.DUPLICATE, settled_at=at(2))
    assert phases_of(repeat)[-1] == ("not_live", 2)
    assert [end.status for end in ends(repeat)] == [OutcomeStatus.DUPLICATE]


def test_an_end_is_marked_once_however_late_it_was_noted_and_one_without_a_moment_too(runs):
    said = (0, "queued", "", None), (2.3, "settled", "scheduled", None)
    late = row_with(runs, *said, status=OutcomeStatus.SCHEDULED, settled_at=at(2))
    assert [(end.status, end.at) for end in ends(late)] == [(OutcomeStatus.SCHEDULED, at(2))]
    moved = row_with(runs, *said, status=OutcomeStatus.SCHEDULED, settled_at=at(60))
    assert [end.at for end in ends(moved)] == [at(2.3), at(60)]
    going_on = row_with(runs, *said, status=OutcomeStatus.PENDING, settled_at=None)
    assert [end.status for end in ends(going_on)] == [OutcomeStatus.SCHEDULED]
    assert ends(attrs.evolve(going_on, outcome=None, moments=())) == ()


def test_only_a_settled_moment_with_a_word_that_is_known_says_how_it_ended():
    def told(kind, text):
        return Moment(at=START, kind=kind, text=text).settled_as

    assert told("settled", "partly_published: too long") is OutcomeStatus.PARTLY_PUBLISHED
    assert told("settled", "evaporated: by a later version") is None
    assert told("settled", "") is None
    assert told("sent", "published") is None
