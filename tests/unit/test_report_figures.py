"""The numbers of a report: totals, phases of time, use of the limits, calendar; and the charts made of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import attrs
import plotly.graph_objects as go
import pytest

from reelpub import Account, LocalTime, OutcomeStatus, Post, PostStatus
from reelpub.bulk.due import due_at
from reelpub.bulk.record import BudgetSample, Moment
from reelpub.report.accounts import shares
from reelpub.report.agenda import agenda
from reelpub.report.budget import MOST_SAMPLES, budget_uses
from reelpub.report.charts import MOST_APART, MOST_LABELLED, Axis, budget_chart, posts_chart, standing_chart
from reelpub.report.figures import figures
from reelpub.report.look import PHASES
from reelpub.report.phases import MOST_POINTS, Phase, Span, peaks, phase_totals, spans, standing, until
from reelpub.report.times import zone_named
from reelpub.report.totals import headline, tallies

START = datetime(2027, 3, 26, 8, 0, tzinfo=UTC)
UTC_AXIS = Axis(zone_named("UTC"), START, START + timedelta(hours=1))


def at(seconds):
    return START + timedelta(seconds=seconds)


def row_with(runs, *moments, status=OutcomeStatus.PUBLISHED):
    said = tuple(Moment(at=at(second), kind=kind, reason=reason) for second, kind, reason in moments)
    return attrs.evolve(runs.row(1, status), moments=said)


def phases_of(row, end=100):
    return [
        (str(span.phase), (span.begin - START).total_seconds(), (span.end - START).total_seconds())
        for span in spans(row, at(end))
    ]


# ---- phases


def test_a_posts_moments_are_its_phases_one_after_the_other(runs):
    row = row_with(
        runs,
        (0, "queued", None),
        (1, "held", "limit"),
        (2, "held", "cap"),
        (5, "held", "time"),
        (9, "sent", None),
        (10, "unknown", None),
        (20, "accepted", None),
        (21, "status_changed", None),
        (25, "delivered", None),
        (30, "settled", None),
    )
    assert phases_of(row, 40) == [
        ("waiting", 0, 1),
        ("limit", 1, 2),
        ("cap", 2, 5),
        ("time", 5, 9),
        ("sending", 9, 10),
        ("lookup", 10, 20),
        ("provider", 20, 30),
        ("done", 30, 40),
    ]


def test_what_is_under_way_lasts_until_the_end_of_the_record(runs):
    assert phases_of(row_with(runs, (0, "queued", None), (3, "sent", None)), 50) == [
        ("waiting", 0, 3),
        ("sending", 3, 50),
    ]


def test_moments_that_say_nothing_of_waiting_begin_no_phase(runs):
    row = row_with(runs, (0, "queued", None), (1, "stuck", None), (2, "something_new", None))
    assert phases_of(row, 3) == [("waiting", 0, 3)]


def test_a_hold_for_a_reason_that_is_not_known_is_waiting(runs):
    assert phases_of(row_with(runs, (0, "held", "moon")), 3) == [("waiting", 0, 3)]


def test_an_end_that_was_no_success_is_told_apart(runs):
    row = row_with(runs, (0, "queued", None), (1, "settled", None), status=OutcomeStatus.FAILED)
    assert phases_of(row, 3) == [("waiting", 0, 1), ("not_live", 1, 3)]


def test_after_a_retry_the_first_end_was_none(runs):
    row = row_with(runs, (0, "queued", None), (1, "settled", None), (5, "queued", None), (6, "settled", None))
    assert phases_of(row, 9) == [("waiting", 0, 1), ("not_live", 1, 5), ("waiting", 5, 6), ("done", 6, 9)]


def test_moments_out_of_order_are_put_in_order(runs):
    row = row_with(runs, (4, "settled", None), (0, "queued", None))
    assert phases_of(row, 4) == [("waiting", 0, 4)]


def test_a_row_without_moments_has_no_phases(runs):
    assert phases_of(row_with(runs)) == []


def test_a_record_reaches_to_the_last_thing_it_tells(runs):
    run = runs.run(3, samples=0)
    assert until(run) == run.ended_at
    assert until(attrs.evolve(run, ended_at=None, samples=(runs.sample(500),))) == at(500)
    assert until(runs.run(0, samples=0)) == START


def test_totals_of_phases_are_by_post(runs):
    found = [
        Span(1, Phase.LIMIT, at(0), at(4)),
        Span(1, Phase.LIMIT, at(10), at(12)),
        Span(2, Phase.LIMIT, at(0), at(2)),
        Span(2, Phase.DONE, at(2), at(9)),
    ]
    (total,) = phase_totals(found)
    assert (total.phase, total.posts, total.typical, total.longest, total.together) == (Phase.LIMIT, 2, 4, 6, 8)


def test_few_changes_are_counted_exactly():
    found = [
        Span(1, Phase.WAITING, at(0), at(2)),
        Span(1, Phase.DONE, at(2), at(10)),
        Span(2, Phase.WAITING, at(1), at(10)),
    ]
    instants, counts = standing(found)
    assert instants == (at(0), at(1), at(2), at(10))
    assert counts == {Phase.WAITING: (1, 2, 1, 1), Phase.DONE: (0, 0, 1, 1)}


def test_many_changes_are_counted_at_even_distances():
    found = [Span(row, Phase.WAITING, at(0), at(row)) for row in range(1, 2001)]
    instants, counts = standing(found)
    assert len(instants) == MOST_POINTS
    for place in (0, 60, 120, 238):
        assert counts[Phase.WAITING][place] == sum(span.end > instants[place] for span in found)
    assert counts[Phase.WAITING][-1] == 1


def test_peaks_are_exact_however_many_changes_there_are():
    """Counted at even distances, what lasts a second in hours would be missed: nothing would ever have been sent."""
    found = []
    for row in range(2 * MOST_POINTS):
        begun = 60 * row
        found.append(Span(row, Phase.SENDING, at(begun + 30), at(begun + 31)))
        found.append(Span(row, Phase.PROVIDER, at(begun + 31), at(begun + 151)))
    assert peaks(found) == {Phase.SENDING: 1, Phase.PROVIDER: 2}
    assert peaks([]) == {}


@pytest.mark.parametrize(("count", "said"), [(1, "1 of 1 post was held"), (3, "1 of 3 posts was held")])
def test_one_post_that_was_held_is_told_as_one(runs, count, said):
    rows = [row_with(runs, (0, "queued", None), (1, "held", "limit"), (9, "sent", None), (10, "settled", None))]
    rows += [attrs.evolve(runs.row(number, OutcomeStatus.PUBLISHED), moments=()) for number in range(2, count + 1)]
    page = figures(runs.run(count, rows=tuple(rows)), zone_named("UTC"))
    assert f"{said} by the rate limit, typically for 8 s" in page.timeline


def test_one_request_is_told_as_one(runs):
    sample = attrs.evolve(runs.sample(0), limit=1, used=0, waiting=0, requests=0)
    later = attrs.evolve(sample, at=at(1), used=1, waiting=1, requests=1)
    said = figures(attrs.evolve(runs.run(1), samples=(sample, later)), zone_named("UTC")).budget
    assert "The limit: 1 request in 1 min" in said
    assert "at most 1 request waited; 1 was sent in all" in said


def test_nothing_stands_anywhere_where_nothing_happened():
    assert standing([]) == ((), {})


# ---- totals and accounts


def test_every_status_has_its_clause(runs):
    said = headline(runs.run(10))
    assert said.startswith("Of 10 posts, 1 is live, 1 is scheduled, ")
    assert said.endswith(" 1 was not sent and 1 is not finished.")


def test_a_run_of_one_post_speaks_of_one(runs):
    assert headline(runs.run(1)) == "Of 1 post, 1 is live."


def test_an_empty_run_has_no_rows(runs):
    assert headline(runs.run(0)) == "This run has no rows."


def test_accounts_are_counted_by_status(runs):
    rows = [runs.row(1, OutcomeStatus.PARTLY_PUBLISHED), runs.row(2, OutcomeStatus.PUBLISHED)]
    found = {tally.name: dict(tally.counts) for tally in tallies(shares(rows), lambda share: share.name)}
    assert found == {
        "tiktok:acme": {"published": 2},
        "instagram:acme": {"published": 1, "failed": 1},
        "youtube:acme": {"published": 1, "unknown": 1},
    }


def test_what_a_status_says_of_every_account_is_counted_without_deliveries(runs):
    refused = runs.row(3, OutcomeStatus.REFUSED, accounts=("tiktok:nobody",))
    refused = attrs.evolve(refused, outcome=attrs.evolve(refused.outcome, deliveries=()))
    duplicate = runs.row(3, OutcomeStatus.DUPLICATE, accounts=("tiktok:nobody", "an-id"))
    found = tallies(shares([refused, duplicate]), lambda share: share.platform)
    assert [(tally.name, dict(tally.counts), tally.total) for tally in found] == [
        ("tiktok", {"refused": 1, "not told": 1}, 2)
    ]


def test_an_account_value_names_its_platform(runs):
    account = Account(id="1", provider="reap", platform="x", username="acme")
    row = runs.row(3, OutcomeStatus.DUPLICATE, accounts=(account,))
    ((share,),) = shares([row])
    assert (share.name, share.platform, share.status) == ("x:acme", "x", None)


def test_accounts_called_the_same_are_told_apart(runs):
    def row(provider, id_):
        made = runs.row(3, OutcomeStatus.PUBLISHED)
        account = Account(id=id_, provider=provider, platform="tiktok", username="acme")
        delivery = attrs.evolve(made.outcome.deliveries[0], account=account)
        return attrs.evolve(made, outcome=attrs.evolve(made.outcome, deliveries=(delivery,)))

    def names(*rows):
        return [share.name for of_row in shares(rows) for share in of_row]

    assert names(row("reap", "1"), row("reap", "1")) == ["tiktok:acme", "tiktok:acme"]
    assert names(row("reap", "1"), row("reelmirror", "2")) == ["tiktok:acme (reap)", "tiktok:acme (reelmirror)"]
    assert names(row("reap", "1"), row("reap", "2")) == ["tiktok:acme (reap 1)", "tiktok:acme (reap 2)"]


# ---- budget


def test_use_of_a_limit_is_weighed_by_time(runs):
    def sample(second, used, requests, waiting=0):
        return BudgetSample(
            at=at(second), publisher="reap", limit=10, window=60.0, used=used, waiting=waiting, requests=requests
        )

    (use,) = budget_uses([sample(30, 0, 12), sample(0, 10, 4, waiting=7), sample(10, 5, 10)])
    assert use.mean_share == pytest.approx((10 * 1.0 + 20 * 0.5) / 30)
    assert (use.most_used, use.most_waiting, use.requests, use.limits) == (10, 7, 12, ((10, 60.0),))


def test_requests_of_a_process_that_went_on_are_added(runs):
    counts = [0, 5, 9, 1, 3]
    samples = [attrs.evolve(runs.sample(second), requests=count) for second, count in enumerate(counts)]
    assert budget_uses(samples)[0].requests == 12


def used(second, used, *, requests=10):
    return BudgetSample(at=at(second), publisher="reap", limit=10, window=60.0, used=used, waiting=0, requests=requests)


def test_over_a_pause_between_two_processes_nothing_was_used(runs):
    """What was used is free again after its window, whoever is there to note it; and a pause is no time of use."""
    (use,) = budget_uses([used(0, 5), used(30, 10), used(1830, 10), used(1860, 0)])
    assert [((sample.at - at(0)).total_seconds(), sample.used) for sample in use.samples] == [
        (0, 5), (30, 10), (90, 0), (1830, 10), (1860, 0)
    ]  # fmt: skip
    assert use.mean_share == pytest.approx((30 * 0.5 + 60 * 1.0 + 30 * 1.0) / 120)
    assert use.most_used == 10


def test_the_last_sample_holds_no_longer_than_its_window(runs):
    (use,) = budget_uses([used(0, 10)])
    assert [(sample.at, sample.used) for sample in use.until(at(600))] == [(at(0), 10), (at(60), 0), (at(600), 0)]
    assert [(sample.at, sample.used) for sample in use.until(at(30))] == [(at(0), 10), (at(30), 10)]
    assert [sample.at for sample in use.until(at(-5))] == [at(0), at(0)]
    (idle,) = budget_uses([used(0, 0)])
    assert [(sample.at, sample.used) for sample in idle.until(at(600))] == [(at(0), 0), (at(600), 0)]


def test_a_sample_that_comes_a_little_late_is_no_pause(runs):
    (use,) = budget_uses([used(0, 10), used(66, 10), used(100, 0)])
    assert [sample.used for sample in use.samples] == [10, 10, 0]
    assert use.mean_share == 1.0


def test_in_a_run_of_days_samples_that_are_minutes_apart_are_no_pauses(runs):
    day = 86_400
    (use,) = budget_uses([used(second, 8) for second in (0, *range(day, day + 1800, 180))])
    assert sum(sample.used == 0 for sample in use.samples) == 1, "the day before, nothing was noted"


def test_a_pause_is_kept_where_samples_are_thinned(runs):
    early = [used(second, 9) for second in range(2500)]
    late = [used(second, 9) for second in range(9000, 11_500)]
    (use,) = budget_uses([*early, *late])
    (gap,) = [sample for sample in use.samples if sample.used == 0]
    assert gap.at == at(2559)


def test_one_sample_is_a_use(runs):
    (use,) = budget_uses([attrs.evolve(runs.sample(5), limit=0)])
    assert use.mean_share == 0
    assert budget_uses([]) == ()


def test_publishers_are_kept_apart(runs):
    uses = budget_uses([runs.sample(1, "reelmirror"), runs.sample(1, "reap")])
    assert [use.publisher for use in uses] == ["reap", "reelmirror"]


def test_many_samples_are_thinned_and_keep_their_peaks(runs):
    samples = [attrs.evolve(runs.sample(second), used=0, waiting=0, requests=0) for second in range(5000)]
    samples[3333] = attrs.evolve(samples[3333], used=9, waiting=77)
    (use,) = budget_uses(samples)
    assert len(use.samples) == MOST_SAMPLES
    assert max(sample.used for sample in use.samples) == use.most_used == 9
    assert max(sample.waiting for sample in use.samples) == 77
    assert use.samples[0].at == samples[0].at


# ---- calendar


def test_the_calendar_goes_by_the_clocks_of_the_zone(runs):
    row = runs.row(1, OutcomeStatus.SCHEDULED, at=datetime(2027, 3, 31, 22, 30, tzinfo=UTC))
    (month,) = agenda([row], zone_named("Europe/Oslo"))
    assert (month.first.month, month.count) == (4, 1)
    assert month.weeks[0][:3] == (None, None, None)
    assert [entry.row.number for entry in month.weeks[0][3].entries] == [1]
    assert agenda([row], zone_named("UTC"))[0].first.month == 3


def test_entries_of_a_day_are_in_their_order(runs):
    rows = [runs.row(number, OutcomeStatus.SCHEDULED, at=at(-number * 60)) for number in range(1, 5)]
    days = [day for week in agenda(rows, zone_named("UTC"))[0].weeks for day in week if day and day.entries]
    assert [entry.row.number for entry in days[0].entries] == [4, 3, 2, 1]


def test_months_without_posts_are_left_out(runs):
    rows = [runs.row(1, OutcomeStatus.SCHEDULED, at=at(86400 * days)) for days in (0, 90)]
    assert [month.first.month for month in agenda(rows, zone_named("UTC"))] == [3, 6]


def test_what_the_provider_says_of_the_time_counts(runs):
    row = runs.row(1, OutcomeStatus.SCHEDULED, at=at(0))
    post = Post(id="p", provider="reap", publisher="reap", status=PostStatus.SCHEDULED, scheduled_at=at(60))
    assert due_at(row) == at(0)
    assert due_at(attrs.evolve(row, outcome=attrs.evolve(row.outcome, posts=(post,)))) == at(60)


def test_a_local_time_is_read_in_its_zone_and_a_wrong_one_is_none(runs):
    good = runs.row(1, OutcomeStatus.REFUSED, at=LocalTime("2027-03-26 09:00", "Europe/Oslo"))
    gap = runs.row(1, OutcomeStatus.REFUSED, at=LocalTime("2027-03-28 02:30", "Europe/Oslo"))
    assert due_at(good) == START
    assert due_at(gap) is None


# ---- charts


def drawn(chart):
    """Return the chart with colours for their names, as the page fills them in."""

    def coloured(value):
        if isinstance(value, str) and value.startswith("@"):
            return "#123456"
        if isinstance(value, dict):
            return {key: coloured(one) for key, one in value.items()}
        return [coloured(one) for one in value] if isinstance(value, list) else value

    return coloured(json.loads(json.dumps(chart)))


def found_spans(run):
    return [span for row in run.rows for span in spans(row, until(run))]


@pytest.mark.parametrize("count", [1, 20, 400])
def test_the_charts_are_what_the_library_takes(runs, count):
    run = runs.run(count)
    found = found_spans(run)
    for chart in (
        standing_chart(standing(found), UTC_AXIS),
        posts_chart(run.rows, found, UTC_AXIS),
        *(budget_chart(use, UTC_AXIS) for use in budget_uses(run.samples)),
    ):
        go.Figure(**drawn(chart))


def test_the_timeline_has_few_traces_with_gaps(runs):
    run = runs.run(3000)
    chart = posts_chart(run.rows, found_spans(run), UTC_AXIS)
    assert len(chart["data"]) < 20
    bars = {trace["name"]: trace for trace in chart["data"] if trace.get("fill") == "toself"}
    held = bars["held by the rate limit"]
    assert held["x"][:5] == [run_ms(2), run_ms(11), run_ms(11), run_ms(2), None]
    assert held["y"][:5] == [0.6, 0.6, 1.4, 1.4, None]
    assert len(held["x"]) == 3000 * 5


def run_ms(second):
    return round(at(second).timestamp() * 1000)


def test_small_runs_name_their_rows_and_large_ones_do_not(runs):
    evil = runs.row(1, OutcomeStatus.PUBLISHED, reference="<b>&lt;</b>")
    small = posts_chart([evil], list(spans(evil, at(60))), UTC_AXIS)
    (targets,) = [trace for trace in small["data"] if not trace["name"]]
    assert targets["text"][0] == "&lt;b&gt;&amp;lt;&lt;/b&gt;<br>waiting its turn for 1 s"
    large = runs.run(MOST_LABELLED + 1)
    assert all(trace["name"] for trace in posts_chart(large.rows, found_spans(large), UTC_AXIS)["data"])


def test_of_very_many_spans_those_nobody_could_see_are_left_out(runs):
    run = runs.run(1)
    tiny = [Span(1, Phase.SENDING, at(second), at(second + 0.1)) for second in range(MOST_APART)]
    long = Span(1, Phase.PROVIDER, at(0), at(4000))
    names = {trace["name"] for trace in posts_chart(run.rows, [*tiny, long], UTC_AXIS)["data"]}
    assert "on its way" not in names
    assert "at the provider" in names


def test_ends_are_marked_by_shape_too(runs):
    run = runs.run(10)
    marks = [trace for trace in posts_chart(run.rows, found_spans(run), UTC_AXIS)["data"] if "ended" in trace["name"]]
    assert len(marks) == len(OutcomeStatus)
    shapes = {trace["name"]: trace["marker"]["symbol"] for trace in marks}
    assert len(set(shapes.values())) == len(OutcomeStatus), "colours alone tell nothing to everybody"


def test_a_mark_says_on_which_day_it_was(runs):
    """A run may take days, and an axis names its days far apart."""
    run = runs.run(1)
    (mark,) = [trace for trace in posts_chart(run.rows, found_spans(run), UTC_AXIS)["data"] if "ended" in trace["name"]]
    assert mark["hovertemplate"] == "row %{y:,d} %{text}<br>published, %{x|%Y-%m-%d %H:%M:%S}<extra></extra>"


@pytest.mark.parametrize(("count", "step"), [(1, 1), (8, 1), (9, None)])
def test_few_posts_are_counted_in_whole_ones(runs, count, step):
    """Left to itself the library would have ticks at halves, and write two of them as the same row."""
    run = runs.run(count)
    for chart in (
        standing_chart(standing(found_spans(run)), UTC_AXIS),
        posts_chart(run.rows, found_spans(run), UTC_AXIS),
    ):
        assert chart["layout"]["yaxis"].get("dtick") == step
        assert chart["layout"]["yaxis"]["tickformat"] == ",d"


def test_few_rows_far_apart_have_few_ticks(runs):
    """Where rows with errors were left out, the numbers have gaps."""
    rows = (runs.row(1, OutcomeStatus.PUBLISHED), runs.row(90_000, OutcomeStatus.PUBLISHED))
    found = [span for row in rows for span in spans(row, at(200_000))]
    assert "dtick" not in posts_chart(rows, found, UTC_AXIS)["layout"]["yaxis"]


def test_few_requests_are_counted_in_whole_ones(runs):
    (use,) = budget_uses([runs.sample(0), attrs.evolve(runs.sample(1), waiting=3)])
    layout = budget_chart(attrs.evolve(use, most_waiting=3), UTC_AXIS)["layout"]
    assert (layout["yaxis"].get("dtick"), layout["yaxis2"].get("dtick")) == (None, 1)


def test_the_axis_says_whose_time_it_is_and_stays_at_one_offset():
    oslo = Axis(zone_named("Europe/Oslo"), datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 3, 29, tzinfo=UTC))
    assert oslo.title == "time (Europe/Oslo, UTC+01:00)"
    assert (
        oslo.place(datetime(2027, 3, 29, tzinfo=UTC)) - oslo.place(datetime(2027, 3, 27, tzinfo=UTC)) == 48 * 3600_000
    )
    assert UTC_AXIS.title == "time (UTC)"


def test_every_phase_has_a_look_of_its_own():
    assert set(PHASES) == set(Phase)
    drawn_alike = [(look.pattern, look.height) for phase, look in PHASES.items() if phase.is_end is False]
    assert len(set(drawn_alike)) == len(drawn_alike)
