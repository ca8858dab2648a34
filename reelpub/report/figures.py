"""The charts' sections: each chart with its title, what it says in words, and its numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from reelpub.bulk.record import RunRecord
from reelpub.report.budget import BudgetUse, budget_uses
from reelpub.report.charts import Axis, Chart, budget_chart, posts_chart, standing_chart
from reelpub.report.html import Html, clock, join, number, so_many, tag
from reelpub.report.look import PHASES
from reelpub.report.phases import Phase, PhaseTotal, Standing, peaks, phase_totals, spans, standing, until
from reelpub.report.times import Zone, spoken

__all__ = ["Figures", "figures"]

_TOLD_INSTANTS = 12
"""Rows of the table that stands for the areas: their shape, not every change."""

_IMPOSED_AT_ONCE = 50
"""Waits that are listed one by one."""


@frozen(kw_only=True)
class Figures:
    """What a page needs of its charts: the sections' HTML, and by each chart's id what draws it."""

    timeline: Html
    budget: Html
    charts: dict[str, Any]


def figures(record: RunRecord, zone: Zone) -> Figures:
    """Return the sections on time and on the limits of *record*, with their charts."""
    end = until(record)
    found = [span for row in record.rows for span in spans(row, end)]
    axis = Axis(zone, record.started_at, end)
    uses = budget_uses(record.samples)
    charts: dict[str, Any] = {f"budget-{place}": budget_chart(use, axis) for place, use in enumerate(uses)}
    content = [tag("p", "Nothing that happened on the way is on record.")]
    if found:
        stood, totals = standing(found), phase_totals(found)
        charts["standing"] = standing_chart(stood, axis)
        charts["posts"] = posts_chart(record.rows, found, axis)
        content = [
            _figure("standing", "How many posts were where", _most(peaks(found)), _standing_table(stood, zone), charts),
            _figure("posts", "Every post", _held(totals, len(record.rows)), _phase_table(totals), charts),
        ]
    return Figures(timeline=_timeline(content), budget=_budget(record, uses, zone, charts), charts=charts)


def _timeline(content: Sequence[Html]) -> Html:
    title = tag("h2", "From queued to live", id="timeline-title")
    return tag("section", title, *content, id="timeline", aria_labelledby="timeline-title")


def _figure(chart: str, title: str, said: str, table: Html, charts: Mapping[str, Chart]) -> Html:
    name, drawn = f"chart-{chart}", charts[chart]
    return tag(
        "figure",
        tag("figcaption", tag("h3", title, id=f"{name}-title"), tag("p", said, id=f"{name}-said")),
        tag(
            "div",
            id=name,
            class_="chart",
            # The room that it will take, so that nothing moves, and no link ends elsewhere, once it is drawn.
            style=f"--height:{drawn['layout']['height']};--traces:{len(drawn['data'])}",
            role="img",
            aria_labelledby=f"{name}-title",
            aria_describedby=f"{name}-said",
        ),
        tag("details", tag("summary", f"{title}: the numbers"), tag("div", table, class_="scroll")),
    )


def _most(found: Mapping[Phase, int]) -> str:
    told = [f"{PHASES[phase].name} {number(count)}" for phase, count in found.items() if not phase.is_end]
    return f"At most, at any one time: {', '.join(told)}." if told else "Every post had ended when it was first seen."


def _held(totals: Sequence[PhaseTotal], posts: int) -> str:
    by_phase = {total.phase: total for total in totals}
    said = [
        f"{number(by_phase[phase].posts)} of {so_many(posts, 'post')} {_was(by_phase[phase].posts)} "
        f"{PHASES[phase].name}, typically for {spoken(by_phase[phase].typical)}"
        for phase in (Phase.LIMIT, Phase.CAP, Phase.TIME)
        if phase in by_phase
    ]
    zoom = "With a mouse, drag to look closer and double-click to see all again."
    return f"{'; '.join(said) or 'No post was held by a limit, a cap or its time'}. One line is one post. {zoom}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _standing_table(found: Standing, zone: Zone) -> Html:
    instants, counts = found
    last = len(instants) - 1
    places = sorted({last * place // (_TOLD_INSTANTS - 1) for place in range(_TOLD_INSTANTS)})
    heads = [tag("th", PHASES[phase].name, scope="col") for phase in counts]
    rows = [
        tag(
            "tr",
            tag("th", clock(instants[place], zone), scope="row"),
            *(tag("td", number(counts[phase][place])) for phase in counts),
        )
        for place in places
    ]
    return _table("Posts in each state at some instants", [tag("th", "at", scope="col"), *heads], rows)


def _phase_table(totals: Sequence[PhaseTotal]) -> Html:
    heads = [tag("th", name, scope="col") for name in ("state", "posts", "typically", "at the longest", "all together")]
    rows = [
        tag(
            "tr",
            tag("th", PHASES[total.phase].name, scope="row"),
            tag("td", number(total.posts)),
            *(tag("td", spoken(seconds)) for seconds in (total.typical, total.longest, total.together)),
        )
        for total in totals
    ]
    return _table("How long posts were in each state", heads, rows)


def _budget(record: RunRecord, uses: Sequence[BudgetUse], zone: Zone, drawn: Mapping[str, Chart]) -> Html:
    title = tag("h2", "Use of the limits", id="budget-title")
    nothing = tag("p", "How the limits stood isn't on record.") if not uses else None
    charts = [
        _figure(f"budget-{place}", use.publisher, _used(use), _use_table(use), drawn) for place, use in enumerate(uses)
    ]
    return tag(
        "section",
        title,
        nothing,
        tag("div", *charts, class_="pair") if charts else None,
        _imposed(record, zone),
        id="budget",
        aria_labelledby="budget-title",
    )


def _imposed(record: RunRecord, zone: Zone) -> Html | None:
    """Return what is about no single post: the waits that a provider imposed on all of them, and gaps in the record."""
    if not record.moments:
        return None
    first, rest = record.moments[:_IMPOSED_AT_ONCE], record.moments[_IMPOSED_AT_ONCE:]
    items = [tag("li", clock(moment.at, zone), " ", tag("bdi", moment.text or moment.kind)) for moment in first]
    more = tag("p", f"and {number(len(rest))} more") if rest else None
    return tag("div", tag("h3", "What held everything up"), tag("ul", *items), more, class_="imposed")


def _used(use: BudgetUse) -> str:
    limits = " then ".join(f"{so_many(limit, 'request')} in {spoken(window)}" for limit, window in use.limits)
    return (
        f"The limit: {limits}. {use.mean_share:.0%} of it was used on average, pauses left out, "
        f"and at most {number(use.most_used)}; "
        f"at most {so_many(use.most_waiting, 'request')} waited; "
        f"{number(use.requests)} {_was(use.requests)} sent in all."
    )


def _use_table(use: BudgetUse) -> Html:
    values = [
        ("limit", " then ".join(f"{number(limit)} in {spoken(window)}" for limit, window in use.limits)),
        ("used at most", number(use.most_used)),
        ("used on average, pauses left out", f"{use.mean_share:.0%}"),
        ("waiting at most", number(use.most_waiting)),
        ("requests in all", number(use.requests)),
    ]
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in values]
    heads = [tag("th", "what", scope="col"), tag("th", "value", scope="col")]
    return _table(f"Use of {use.publisher}'s limit", heads, rows)


def _table(caption: str, heads: Sequence[Html], rows: Sequence[Html]) -> Html:
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", join(heads))),
        tag("tbody", join(rows)),
        class_="numbers",
    )
