"""The top of the page: which run this is, how it stands, and how many posts and accounts stand where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from reelpub.bulk.record import RunRecord
from reelpub.models.post import DeliveryStatus
from reelpub.report.accounts import Share
from reelpub.report.html import Html, clock, join, number, tag
from reelpub.report.look import TONES, badge, spaced
from reelpub.report.times import Zone, spoken
from reelpub.report.totals import NOT_NAMED, NOT_TOLD, Tally, headline, tallies

__all__ = ["filtered", "foot", "head", "totals"]

_ORDER = tuple(dict.fromkeys([*TONES, *map(str, DeliveryStatus), NOT_TOLD]))
"""Of the tables' columns: the same in both."""


def filtered(**filters: str | None) -> str:
    """Return the address within the page that shows the table's rows with these *filters*."""
    return f"#?{urlencode({name: value for name, value in filters.items() if value})}"


def head(record: RunRecord, zone: Zone) -> Html:
    """Return the page's header: the run, in a sentence and in facts."""
    facts = [
        ("Run", tag("code", record.id)),
        ("Command", tag("code", record.command)),
        ("Started", _both(record.started_at, zone)),
        ("Ended", _both(record.ended_at, zone) if record.ended_at else "not yet"),
        ("Took", spoken((record.ended_at - record.started_at).total_seconds()) if record.ended_at else None),
    ]
    return tag(
        "header",
        tag("p", "Report of a run", class_="eyebrow"),
        tag("h1", tag("bdi", record.name or record.id)),
        tag("p", headline(record), class_="headline"),
        _unfinished(record),
        tag("dl", *(_fact(name, value) for name, value in facts if value is not None), class_="facts"),
    )


def _fact(name: str, value: object) -> Html:
    return tag("div", tag("dt", name), tag("dd", value))


def _both(at: datetime, zone: Zone) -> Html:
    utc = f" · {at.astimezone(UTC):%H:%M:%S} UTC" if zone.offset(at) else ""
    return join([clock(at, zone), " ", tag("span", f"{zone.name}{utc}", class_="zone")])


def foot(zone: Zone, generated_at: datetime) -> Html:
    """Return the page's footer: when it was made, and from what."""
    made = join(["Made ", clock(generated_at, zone), f" {zone.name} by ", tag("b", "reelpub")])
    rest = " from what its store has of the run. This file loads nothing and sends nothing."
    return tag("footer", tag("p", made, rest))


def _unfinished(record: RunRecord) -> Html | None:
    open_rows = sum(not row.is_settled for row in record.rows)
    if not open_rows:
        return None
    posts = "1 post hasn't" if open_rows == 1 else f"{number(open_rows)} posts haven't"
    resume = tag("code", f"reelpub resume {record.id}")
    return tag("p", f"This run isn't over: {posts} come to an end. ", resume, " goes on with it.", class_="notice")


def totals(record: RunRecord, shares: Sequence[Sequence[Share]]) -> Html:
    """Return the section that counts: posts by status, accounts' shares by platform and by account."""
    platforms = tallies(shares, lambda share: share.platform or NOT_NAMED)
    accounts = tallies(shares, lambda share: share.name)
    told = (("By platform", "Platform", "platform", platforms), ("By account", "Account", "account", accounts))
    tables = [_table(*table) for table in told if table[-1]]
    return tag(
        "section",
        tag("h2", "Totals", id="totals-title"),
        _cards(record) if record.rows else tag("p", "There is nothing to count."),
        tag("div", *tables, class_="tallies") if tables else None,
        _not_told(platforms),
        id="totals",
        aria_labelledby="totals-title",
    )


def _not_told(found: Sequence[Tally]) -> Html | None:
    if not any(NOT_TOLD in tally.counts for tally in found):
        return None
    said = f"{NOT_TOLD}: nothing is known of the account itself, as with a duplicate, of which another post tells."
    return tag("p", said, class_="hint")


def _cards(record: RunRecord) -> Html:
    counts, total = record.counts, len(record.rows)
    bar = [
        tag("span", class_=f"part {TONES.get(status, 'quiet')}", style=f"flex-grow:{count}")
        for status, count in counts.items()
    ]
    cards = [tag("li", _card(str(status), count, total)) for status, count in counts.items()]
    return join([tag("div", *bar, class_="bar", aria_hidden="true"), tag("ul", *cards, class_="cards")])


def _card(status: str, count: int, total: int) -> Html:
    share = tag("span", f"{count / total:.1%} of posts".replace(".0%", "%"), class_="share")
    return tag("a", tag("b", number(count)), badge(status), share, href=filtered(status=status), class_="card")


def _table(title: str, name: str, key: str, found: Sequence[Tally]) -> Html:
    statuses = [status for status in _ORDER if any(status in tally.counts for tally in found)]
    heads = [tag("th", badge(status) if status != NOT_TOLD else status, scope="col") for status in statuses]
    rows = [_row(tally, statuses, key) for tally in found]
    columns = tag("tr", tag("th", name, scope="col"), *heads, tag("th", "all", scope="col"))
    table = tag("table", tag("caption", title), tag("thead", columns), tag("tbody", *rows), class_="tally")
    return tag("div", table, class_="scroll", role="region", aria_label=title, tabindex="0")


def _row(tally: Tally, statuses: Sequence[str], key: str) -> Html:
    cells = [tag("td", _count(tally, status, key)) for status in statuses]
    every = tag("a", number(tally.total), href=filtered(**{key: tally.name}))
    return tag("tr", tag("th", tag("bdi", tally.name), scope="row"), *cells, tag("td", every))


def _count(tally: Tally, status: str, key: str) -> Html:
    count = tally.counts.get(status, 0)
    if not count:
        return tag("span", "0", class_="none")
    spoken_of = f"{number(count)} {spaced(status)}, {tally.name}"
    filters = {key: tally.name, "status": f"account.{status}"}
    return tag("a", number(count), href=filtered(**filters), aria_label=spoken_of)
