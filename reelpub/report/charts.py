"""The report's charts as values of the plotting library: few traces with gaps, however many posts.

https://plotly.com/javascript/reference/ names what is in them. Times are clock times of the report's zone at the offset
that held when the run began: an axis can't skip an hour, or have one twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from reelpub.bulk.record import BudgetSample, RowRecord
from reelpub.report.budget import BudgetUse
from reelpub.report.look import PHASES, TONES, PhaseLook, spaced
from reelpub.report.phases import Phase, Span, Standing, ends
from reelpub.report.text import chart_text
from reelpub.report.times import Zone, milliseconds, offset_text, spoken

__all__ = ["Axis", "Chart", "budget_chart", "posts_chart", "standing_chart"]

Chart = dict[str, Any]

MOST_LABELLED = 300
"""Rows up to which each bar of the timeline says whose it is, and for how long."""

MOST_PATTERNED = 60
"""Rows up to which their bars are high enough for a pattern."""

MOST_MARKED = 2000
"""Rows up to which every end is marked; above it only those with an account that lacks the post, or may."""

MOST_APART = 4000
"""Spans, one after the other, that a screen can show apart."""

_SMALL = 4
"""Pixels of a mark where there are very many."""

_TARGETS = 3000
"""Places, about, where the pointer finds what it is on."""

_STACKED = (
    Phase.DONE,
    Phase.NOT_LIVE,
    Phase.PROVIDER,
    Phase.SENDING,
    Phase.LOOKUP,
    Phase.LIMIT,
    Phase.CAP,
    Phase.TIME,
    Phase.WAITING,
)
_SYMBOLS = {
    "published": "circle",
    "partly_published": "diamond",
    "scheduled": "square",
    "refused": "cross",
    "failed": "x",
    "cancelled": "circle-open",
    "not_sent": "line-ew",
    "duplicate": "square-open",
    "pending": "line-ns",
    "unknown": "triangle-up",
}

_FEW = 8
"""The most of which every one has a tick: left to itself, the library would have ticks between them."""


@frozen
class Axis:
    """The time axis of a run from *start* to *end*: the zone's clocks, as they were ahead of UTC at *start*."""

    zone: Zone
    start: datetime
    end: datetime

    @property
    def title(self) -> str:
        """What the axis is called."""
        name, offset = self.zone.name, offset_text(self.zone.offset(self.start))
        return f"time ({chart_text(name)})" if name == "UTC" else f"time ({chart_text(name)}, {offset})"

    def place(self, at: datetime) -> int:
        """Return where *at* is on the axis."""
        return milliseconds(at) + self.zone.offset(self.start) // timedelta(milliseconds=1)

    def layout(self, **more: object) -> Chart:
        """Return the axis's layout."""
        margin = (self.place(self.end) - self.place(self.start)) // 100 + 500
        span = [self.place(self.start) - margin, self.place(self.end) + margin]
        return {"type": "date", "title": {"text": self.title}, "range": span, **more}


def standing_chart(found: Standing, axis: Axis) -> Chart:
    """Return the areas that say how many posts were in each phase at any time."""
    instants, counts = found
    places = [axis.place(instant) for instant in instants]
    data = [_area(phase, places, counts[phase]) for phase in _STACKED if phase in counts]
    layout = {
        "height": 340,
        "hovermode": "x unified",
        "xaxis": axis.layout(),
        "yaxis": {"title": {"text": "posts"}, "rangemode": "tozero", **_whole(_most_stacked(counts))},
    }
    return {"data": data, "layout": layout}


def _most_stacked(counts: Mapping[Phase, Sequence[int]]) -> int:
    return max(map(sum, zip(*counts.values(), strict=True)), default=0)


def _whole(most: int) -> Chart:
    """Return how an axis that counts whole things up to *most* tells them."""
    return {"tickformat": ",d", **({"dtick": 1} if most <= _FEW else {})}


def _area(phase: Phase, places: Sequence[int], counts: Sequence[int]) -> Chart:
    look, colour = PHASES[phase], f"@{_colour(phase)}"
    return {
        "type": "scatter",
        "name": look.name,
        "x": places,
        "y": counts,
        "mode": "lines",
        "stackgroup": "posts",
        "line": {"shape": "hv", "width": 0.5, "color": colour},
        "hovertemplate": "%{y:,}",
        **_filled(look, colour),
    }


def _filled(look: PhaseLook, colour: str, *, has_room: bool = True) -> Chart:
    if not look.pattern or not has_room:
        return {"fillcolor": colour}
    pattern = {"shape": look.pattern, "fgcolor": "@surface", "bgcolor": colour, "solidity": 0.18, "size": 7}
    return {"fillpattern": pattern}


def _colour(phase: Phase) -> str:
    return f"phase-{phase.replace('_', '-')}"


def posts_chart(rows: Sequence[RowRecord], found: Sequence[Span], axis: Axis) -> Chart:
    """Return the timeline of every post, in the order of the manifest: one bar of phases each, and its ends."""
    by_phase: dict[Phase, list[Span]] = defaultdict(list)
    for span in _visible(found):
        by_phase[span.phase].append(span)
    labels = {row.number: chart_text(row.request) for row in rows} if len(rows) <= MOST_LABELLED else {}
    last = max(row.number for row in rows)
    data = [_bars(phase, by_phase[phase], axis, len(rows)) for phase in PHASES if phase in by_phase]
    if labels:
        data.append(_targets([span for spans in by_phase.values() for span in spans], axis, labels))
    layout = {
        "height": max(260, min(720, 150 + 18 * len(rows))),
        "hovermode": "closest",
        "xaxis": axis.layout(),
        "yaxis": {"title": {"text": "row of the manifest"}, "range": _rows_range(rows), **_whole(last)},
    }
    return {"data": data + _ends(rows, axis, labels), "layout": layout}


def _visible(found: Sequence[Span]) -> list[Span]:
    """Return what of *found* is drawn: no ends, and of very many spans none too short to be seen."""
    begin, end = min(span.begin for span in found), max(span.end for span in found)
    least = (end - begin).total_seconds() / MOST_APART if len(found) > MOST_APART else 0.0
    return [span for span in found if not span.phase.is_end and span.seconds >= least]


def _rows_range(rows: Sequence[RowRecord]) -> list[float]:
    # The first at the top, and no tick for a row 0.
    return [max(row.number for row in rows) + max(0.6, len(rows) * 0.006), 0.4]


def _bars(phase: Phase, found: Sequence[Span], axis: Axis, rows: int) -> Chart:
    """Return the bars of one phase as rectangles of a single filled path, which is drawn as fast as it gets."""
    look, colour = PHASES[phase], f"@{_colour(phase)}"
    half = look.height / 2
    across = [(axis.place(span.begin), axis.place(span.end), span.row) for span in found]
    return {
        "type": "scatter",
        "name": look.name,
        "mode": "none",
        "fill": "toself",
        "x": [place for begin, end, _ in across for place in (begin, end, end, begin, None)],
        "y": [edge for _, _, row in across for edge in (row - half, row - half, row + half, row + half, None)],
        "hoverinfo": "skip",
        **_filled(look, colour, has_room=rows <= MOST_PATTERNED),
    }


def _targets(found: Sequence[Span], axis: Axis, labels: Mapping[int, str]) -> Chart:
    """Return what the pointer finds: a filled path has no points of its own to tell of."""
    each = (axis.end - axis.start) * max(1, len(labels)) / _TARGETS
    told = [(place, span) for span in found for place in _along(axis.place(span.begin), axis.place(span.end), each)]
    return {
        "type": "scatter",
        "name": "",
        "mode": "markers",
        "marker": {"size": 8, "opacity": 0},
        "showlegend": False,
        "x": [place for place, _ in told],
        "y": [span.row for _, span in told],
        "text": [f"{labels[span.row]}<br>{PHASES[span.phase].name} for {spoken(span.seconds)}" for _, span in told],
        "hovertemplate": "row %{y:,d}: %{text}<extra></extra>",
    }


def _along(begin: int, end: int, each: timedelta) -> list[int]:
    """Return places between *begin* and *end*, about *each* apart and one at least."""
    parts = max(1, round(timedelta(milliseconds=end - begin) / each)) if each else 1
    return [begin + (end - begin) * (2 * part + 1) // (2 * parts) for part in range(parts)]


def _ends(rows: Sequence[RowRecord], axis: Axis, labels: Mapping[int, str]) -> list[Chart]:
    ended: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
    for number, end in [(row.number, end) for row in rows for end in ends(row)]:
        if len(rows) <= MOST_MARKED or TONES.get(end.status, "quiet") in ("bad", "unsure", "mixed"):
            ended[str(end.status)].append((number, end.at))
    size = 9 if len(rows) <= MOST_PATTERNED else 6 if len(rows) <= MOST_LABELLED else _SMALL
    return [_marks(status, ended[status], axis, labels, size) for status in ended]


def _marks(
    status: str, ended: Sequence[tuple[int, datetime]], axis: Axis, labels: Mapping[int, str], size: int
) -> Chart:
    tone = TONES.get(status, "quiet")
    symbol = _SYMBOLS[status]
    # Small marks would be all outline; a stroke is nothing else.
    is_stroke = symbol.startswith("line-") or symbol.endswith("-open")
    outline = {"width": 1 if is_stroke or size > _SMALL else 0, "color": f"@{tone}-text" if is_stroke else "@surface"}
    marker = {"symbol": symbol, "size": size, "color": f"@{tone}-text", "line": outline}
    return {
        "type": "scatter",
        "name": f"ended: {spaced(status)}",
        "mode": "markers",
        "cliponaxis": False,
        "marker": marker,
        "x": [axis.place(at) for _, at in ended],
        "y": [number for number, _ in ended],
        "text": [labels.get(number, "") for number, _ in ended],
        "hovertemplate": f"row %{{y:,d}} %{{text}}<br>{spaced(status)}, %{{x|%Y-%m-%d %H:%M:%S}}<extra></extra>",
    }


def budget_chart(use: BudgetUse, axis: Axis) -> Chart:
    """Return how much of a publisher's limit was used over time, and below it how many requests waited."""
    samples = use.until(axis.end)
    places = [axis.place(sample.at) for sample in samples]
    data = [
        _steps("requests in the window", places, [sample.used for sample in samples], "sending", fill="tozeroy"),
        _steps("limit", places, [sample.limit for sample in samples], "lookup", dash="dash"),
        _steps("waiting for a slot", places, [sample.waiting for sample in samples], "limit", "y2", fill="tozeroy"),
    ]
    layout = {
        "height": 330,
        "hovermode": "x unified",
        "grid": {"rows": 2, "columns": 1},
        "xaxis": axis.layout(anchor="y2"),
        "yaxis": _counted(_window(use.samples[-1]), max(use.most_used, *(limit for limit, _ in use.limits)), [0.42, 1]),
        "yaxis2": _counted("waiting", use.most_waiting, [0, 0.3]),
    }
    return {"data": data, "layout": layout}


def _counted(title: str, most: int, domain: Sequence[float]) -> Chart:
    return {"title": {"text": title}, "rangemode": "tozero", "domain": list(domain), **_whole(most)}


def _window(sample: BudgetSample) -> str:
    return f"requests in {spoken(sample.window)}"


def _steps(name: str, places: Sequence[int], values: Sequence[int], phase: str, yaxis: str = "y", **look: str) -> Chart:
    line = {"shape": "hv", "width": 2, "color": f"@phase-{phase}", "dash": look.get("dash", "solid")}
    fill = {"fill": look["fill"], "fillcolor": f"@phase-{phase}-pale"} if "fill" in look else {}
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines",
        "x": places,
        "y": values,
        "yaxis": yaxis,
        "line": line,
        "hovertemplate": "%{y:,}",
        **fill,
    }
