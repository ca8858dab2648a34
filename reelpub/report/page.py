"""The whole page: the sections, what they are made from, its scripts, and the policy that lets nothing else in."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from reelpub.bulk.record import RunRecord
from reelpub.errors import ConfigurationError
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.when import LocalTime
from reelpub.report.accounts import shares
from reelpub.report.agenda import agenda
from reelpub.report.figures import figures
from reelpub.report.files import replace
from reelpub.report.html import tag
from reelpub.report.look import TONES, icons
from reelpub.report.months import calendar
from reelpub.report.overview import foot, head, totals
from reelpub.report.posts import posts
from reelpub.report.rows import instants, moment_values, row_values
from reelpub.report.text import embedded, script
from reelpub.report.times import Zone, zone_named

__all__ = ["render", "write"]

_SECTIONS = (
    ("totals", "Totals"),
    ("timeline", "Timeline"),
    ("budget", "Limits"),
    ("calendar", "Calendar"),
    ("posts", "Posts"),
)


def render(record: RunRecord, *, generated_at: datetime, zone: str | None = None) -> str:
    """Return the report of *record* as one HTML page that needs nothing beside it, not even a network.

    Times are told by the clocks of the IANA *zone*; without one, of the zone that most of the rows with a local time
    are in, and UTC where there are none. Nothing but *record* goes into the page.

    Raises:
        ConfigurationError: there is no such zone, or the charts' library isn't installed.
    """
    return _page(record, zone_named(zone) if zone is not None else _own_zone(record), generated_at)


def write(record: RunRecord, path: str | Path, *, generated_at: datetime, zone: str | None = None) -> None:
    """Write the report of *record* to *path*: the whole of it, or nothing where that fails.

    Raises:
        ConfigurationError: there is no such zone, or the charts' library isn't installed.
        OSError: it can't be written.
    """
    text = render(record, generated_at=generated_at, zone=zone)
    replace(Path(path), lambda stream: stream.write(text.encode()))


def _own_zone(record: RunRecord) -> Zone:
    named = Counter(row.request.at.zone for row in record.rows if isinstance(row.request.at, LocalTime))
    for name, _ in named.most_common():
        try:
            return zone_named(name)
        except ConfigurationError:
            continue  # It was refused for its zone.
    return zone_named("UTC")


def _page(record: RunRecord, zone: Zone, generated_at: datetime) -> str:
    of_rows = shares(record.rows)
    rows = [row_values(row, shared) for row, shared in zip(record.rows, of_rows, strict=True)]
    drawn = figures(record, zone)
    scripts = {"table": _asset("table.js")}
    if drawn.charts:
        scripts |= {"plotly": _plotly(), "charts": _asset("charts.js")}
    sources = {name: script(source) for name, source in scripts.items()}
    return Template(_asset("page.html")).substitute(
        policy=_policy(list(sources.values())),
        title=tag("title", f"{record.name or record.id}: report of a run"),
        style=_asset("report.css"),
        icons=icons(),
        head=head(record, zone),
        foot=foot(zone, generated_at),
        links=tag("ul", *(tag("li", tag("a", name, href=f"#{place}")) for place, name in _SECTIONS)),
        totals=totals(record, of_rows),
        timeline=drawn.timeline,
        budget=drawn.budget,
        calendar=calendar(agenda(record.rows, zone), zone),
        posts=posts(rows, zone),
        record=embedded(_values(record, rows, zone)),
        charts=embedded(drawn.charts),
        table_script=sources["table"],
        plotly_script=sources.get("plotly", ""),
        charts_script=sources.get("charts", ""),
    )


def _values(record: RunRecord, rows: Sequence[dict[str, Any]], zone: Zone) -> dict[str, object]:
    return {
        "run": record.id,
        "statuses": [str(status) for status in OutcomeStatus],
        "tones": TONES,
        "moments": [moment_values(moment) for moment in record.moments],
        "offsets": zone.offsets(instant for row in rows for instant in instants(row)),
        "rows": rows,
    }


def _policy(scripts: Sequence[str]) -> str:
    """Return the page's content security policy: its own scripts, known by their hashes, and no request to anywhere.

    Styles may stand inline, since the charts' library makes some as it draws; they can't load anything.
    """
    hashes = [b64encode(hashlib.sha256(source.encode()).digest()).decode() for source in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _asset(name: str) -> str:
    return files("reelpub.report").joinpath("assets", name).read_text(encoding="utf-8")


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]  # noqa: PLC0415  (an extra)
    except ImportError as error:
        message = "a report's charts need plotly, which isn't installed: pip install 'reelpub[cli]'"
        raise ConfigurationError(message) from error
    return str(get_plotlyjs())
