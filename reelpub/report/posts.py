"""The table of every post: its filters, and its rows as they are where no script runs.

A script shows the other pages, sorts and filters; `assets/table.js` makes the same rows from the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import DeliveryStatus
from reelpub.report.html import Html, clock, join, number, tag
from reelpub.report.look import badge, spaced
from reelpub.report.times import Zone, spoken
from reelpub.report.totals import NOT_NAMED, NOT_TOLD

__all__ = ["MOST_STATIC", "posts"]

Values = Mapping[str, Any]

MOST_STATIC = 500
"""Rows that are there without a script."""

_COLUMNS = (
    ("number", "Row"),
    ("label", "Post"),
    ("status", "Status"),
    ("accounts", "Accounts"),
    ("when", "When"),
    ("took", "Took"),
    ("sends", "Sent"),
)


def posts(rows: Sequence[Values], zone: Zone) -> Html:
    """Return the section with the table of *rows*."""
    heads = [tag("th", name, scope="col", role="columnheader", data_key=key, class_=key) for key, name in _COLUMNS]
    heads.append(tag("th", "Details", scope="col", role="columnheader", class_="details"))
    table = tag(
        "table",
        tag("caption", f"Every post of the run. Times are {zone.name}; links open in a new tab.", id="posts-caption"),
        tag("thead", tag("tr", *heads, role="row"), role="rowgroup"),
        tag("tbody", *(_row(row, zone) for row in rows[:MOST_STATIC]), role="rowgroup", id="rows"),
        class_="posts",
        role="table",
    )
    return tag(
        "section",
        tag("h2", "Posts", id="posts-title"),
        _filters(rows),
        tag("p", _count(rows), id="count", role="status"),
        tag("noscript", tag("p", _without_script(len(rows)), class_="notice")) if len(rows) > MOST_STATIC else None,
        tag("div", table, class_="scroll", role="region", aria_labelledby="posts-caption", tabindex="0"),
        tag("nav", id="pager", aria_label="Pages of the table", hidden=True),
        id="posts",
        aria_labelledby="posts-title",
    )


def _count(rows: Sequence[Values]) -> str:
    return f"{number(len(rows))} post{'' if len(rows) == 1 else 's'}"


def _without_script(rows: int) -> str:
    return f"Without JavaScript, only the first {MOST_STATIC} of {number(rows)} posts are listed."


# ---- filters


def _filters(rows: Sequence[Values]) -> Html:
    accounts = [account for row in rows for account in row.get("accounts", ())]
    search = tag("input", type="search", id="filter-text", name="text", autocomplete="off", spellcheck="false")
    return tag(
        "form",
        tag("p", tag("label", "Search", for_="filter-text"), search, class_="search"),
        _statuses(rows, accounts),
        _choice("platform", "Platform", _named(account.get("platform", NOT_NAMED) for account in accounts)),
        _choice("account", "Account", _named(account["name"] for account in accounts)),
        _choice("publisher", "Publisher", _named(row.get("publisher") for row in rows)),
        _sorting(),
        tag("button", "Show all", type="reset", id="filter-reset"),
        id="filters",
        role="search",
        aria_label="Posts",
        hidden=True,
    )


def _named(names: Iterable[str | None]) -> list[tuple[str, str]]:
    found = {name for name in names if name is not None}
    return [(name, name) for name in sorted(found, key=lambda name: (name.lower(), name))]


def _statuses(rows: Sequence[Values], accounts: Sequence[Values]) -> Html:
    of_rows, of_accounts = {row["status"] for row in rows}, {account.get("status", NOT_TOLD) for account in accounts}
    groups = [
        ("The post is", [(str(status), spaced(status)) for status in OutcomeStatus if status in of_rows]),
        (
            "An account is",
            [
                (f"account.{status}", f"an account: {spaced(status)}")
                for status in (*DeliveryStatus, NOT_TOLD)
                if status in of_accounts
            ],
        ),
    ]
    options = [tag("optgroup", *_options(choices), label=name) for name, choices in groups if choices]
    return _select("status", "Status", [_any(), *options])


def _choice(name: str, label: str, choices: Sequence[tuple[str, str]]) -> Html:
    return _select(name, label, [_any(), *_options(choices)])


def _any() -> Html:
    return tag("option", "any", value="")


def _options(choices: Iterable[tuple[str, str]]) -> list[Html]:
    return [tag("option", text, value=value) for value, text in choices]


def _select(name: str, label: str, options: Sequence[Html], class_: str | None = None) -> Html:
    field = f"filter-{name}"
    return tag("p", tag("label", label, for_=field), tag("select", *options, id=field, name=name), class_=class_)


def _sorting() -> Html:
    # Where the screen is too narrow for the columns' heads, which sort elsewhere.
    choices = [(f"{key}.{way}", f"{name}, {said}") for key, name in _COLUMNS for way, said in _WAYS]
    return _select("sort", "Sort by", _options(choices), class_="sorting")


_WAYS = (("up", "upwards"), ("down", "downwards"))


# ---- rows


def _row(row: Values, zone: Zone) -> Html:
    cells = [
        ("label", join(tag("bdi", row[name], class_=name) for name in ("label", "title", "caption") if row.get(name))),
        ("status", join([badge(row["status"]), _words(row.get("words", ()))])),
        ("accounts", _accounts(row.get("accounts", ()))),
        ("when", _when(row, zone)),
        ("took", spoken(row["took"]) if "took" in row else "-"),
        ("sends", _sends(row)),
        ("details", _details(row, zone)),
    ]
    line = tag("small", f"line {number(row['line'])}")
    head = tag("th", number(row["number"]), " ", line, scope="row", role="rowheader", class_="number", tabindex="-1")
    rest = [tag("td", content, role="cell", class_=name) for name, content in cells]
    return tag("tr", head, *rest, role="row", id=f"row-{row['number']}")


def _details(row: Values, zone: Zone) -> Html:
    facts = [tag("div", tag("dt", name), tag("dd", tag("bdi", value))) for name, value in row["facts"]]
    moments = [
        tag("li", clock(_instant(at), zone), " ", tag("bdi", text), class_=kind)
        for at, kind, text in row.get("moments", ())
    ]
    return tag(
        "details",
        tag("summary", "Details", aria_label=f"Details of row {number(row['number'])}"),
        tag("dl", *facts),
        tag("ol", *moments) if moments else None,
    )


def _words(words: Sequence[str]) -> Html | None:
    return tag("ul", *(tag("li", tag("bdi", text)) for text in words), class_="words") if words else None


def _accounts(accounts: Sequence[Values]) -> Html:
    return tag("ul", *(_account(account) for account in accounts)) if accounts else Html("-")


def _account(account: Values) -> Html:
    parts: list[object] = [badge(account["status"]) if "status" in account else None]
    parts += [tag("bdi", account["name"], class_="name")]
    if "href" in account:
        link = tag("a", account["url"], href=account["href"], target="_blank", rel="noopener noreferrer")
        parts.append(link)
    elif account.get("url"):
        parts.append(tag("bdi", account["url"], class_="address"))
    if account.get("words"):
        parts.append(tag("q", tag("bdi", account["words"])))
    return tag("li", *parts)


def _when(row: Values, zone: Zone) -> Html:
    # What is scheduled hasn't ended: it would have before the time that it is for.
    ended = "since" if row["status"] == OutcomeStatus.SCHEDULED else "ended"
    told = [("for", "planned"), (ended, "settled") if "settled" in row else ("began", "submitted")]
    parts = [tag("span", tag("i", f"{word} "), clock(_instant(row[name]), zone)) for word, name in told if name in row]
    return join(parts) if parts else Html("-")


def _sends(row: Values) -> str:
    return f"{number(row['sends'])}\u00d7" if "sends" in row else "-"


def _instant(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
