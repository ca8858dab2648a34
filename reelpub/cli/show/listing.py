"""Listings: results as columns and rows, for every way of printing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from reelpub.cli.show.board import Board, Cell, Row
from reelpub.cli.show.encode import record
from reelpub.cli.show.printable import clean, shorten
from reelpub.cli.show.words import spaced
from reelpub.models.account import Account
from reelpub.models.outcome import Outcome
from reelpub.models.post import Delivery, Post

__all__ = ["Entry", "Listing", "Span", "accounts", "batch", "details", "outcomes", "posts"]


@frozen
class Span:
    """A piece of text; `status` chooses its colour where there are colours."""

    text: str = field(converter=clean)
    status: str | None = None


Entry = tuple[Span, ...]


@frozen(kw_only=True)
class Listing:
    """Columns with rows of entries; `records` is the same for ``--json``. `footer` follows the rows."""

    title: str = ""
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    records: tuple[Mapping[str, Any], ...] = ()
    footer: str = ""


MARKS = {"published": "✓", "failed": "✗", "refused": "✗", "not_sent": "✗", "cancelled": "✗", "unknown": "?"}
ASCII_MARKS = {"published": "+", "failed": "x", "refused": "x", "not_sent": "x", "cancelled": "x", "unknown": "?"}


def accounts(found: Sequence[tuple[str, Account]]) -> Listing:
    """List accounts, each with the publisher that has it."""
    rows = [
        (_plain(publisher), _plain(account), _status(_standing(account)), _plain(account.id))
        for publisher, account in found
    ]
    records = tuple(record("account", account, publisher=publisher) for publisher, account in found)
    return Listing(columns=("Publisher", "Account", "Status", "Id"), rows=tuple(rows), records=records)


def outcomes(found: Sequence[Outcome]) -> Listing:
    """List outcomes: a row for each delivery, with its link or the reason."""
    rows: list[tuple[Entry, ...]] = []
    for outcome in found:
        head = (str(outcome.request), outcome.publisher or "-", ", ".join(post.id for post in outcome.posts) or "-")
        if outcome.deliveries:
            rows += [_delivery_row(head, delivery, outcome.reason) for delivery in outcome.deliveries]
        else:
            rows.append(_row(head, "-", outcome.status, outcome.reason or ""))
    records = tuple(record("outcome", outcome) for outcome in found)
    return _details(rows, records)


def posts(found: Sequence[Post]) -> Listing:
    """List posts as they were read: a row for each delivery."""
    rows: list[tuple[Entry, ...]] = []
    for post in found:
        head = (post.id, post.publisher, post.id)
        if post.deliveries:
            rows += [_delivery_row(head, delivery, None) for delivery in post.deliveries]
        else:
            rows.append(_row(head, "-", post.status, post.raw_status or ""))
    return _details(rows, tuple(record("post", post) for post in found))


def details(board: Board) -> Listing:
    """List the board, a row for each account."""
    rows = [
        _row(_head(row), cell.name, cell.status or row.state, cell.detail) for row in board.rows for cell in _cells(row)
    ]
    return _details(rows, ())


def batch(board: Board, *, height: int | None = None, in_ascii: bool = False) -> Listing:
    """List the board, a row for each request; with *height*, so many of them, those that something happens to first."""
    marks = ASCII_MARKS if in_ascii else MARKS
    shown = _fitting(board.rows, height)
    hidden = [row for row in board.rows if row not in shown]
    rows = tuple(
        (_plain(row.label), _plain(row.publisher), _status(row.state), _marked(row, marks, ":" if in_ascii else "·"))
        for row in shown
    )
    more = ", ".join(f"{number} {spaced(state)}" for state, number in board.counts(hidden).items())
    footer = f"and {len(hidden)} more: {more}" if hidden else ""
    return Listing(columns=("Post", "Provider", "State", "Accounts"), rows=rows, footer=footer)


def _fitting(rows: Sequence[Row], height: int | None) -> list[Row]:
    if height is None or len(rows) <= height:
        return list(rows)
    # What moves is worth more room than what has ended; among those, the latest.
    chosen = sorted(rows, key=lambda row: (row.is_settled, -row.changed))[: max(1, height)]
    return [row for row in rows if row in chosen]


def _marked(row: Row, marks: Mapping[str, str], other: str) -> Entry:
    spans: list[Span] = []
    for cell in row.cells:
        # Of an account that nobody speaks of, the request's own end is all that is known.
        status = cell.status or (row.state if row.is_settled else "")
        spans += [Span(f"{marks.get(status, other)} {cell.name}", status), Span("  ")]
    return tuple(spans[:-1])


def _cells(row: Row) -> Sequence[Cell]:
    return row.cells or (Cell(name="-"),)


def _head(row: Row) -> tuple[str, str, str]:
    return row.label, row.publisher, ""


def _standing(account: Account) -> str:
    return account.status or ("active" if account.is_active else "inactive")


def _plain(text: object) -> Entry:
    return (Span(str(text)),)


def _status(status: object) -> Entry:
    return (Span(spaced(status), str(status)),)


def _row(head: tuple[str, str, str], account: str, status: object, detail: str) -> tuple[Entry, ...]:
    label, publisher, post_id = head
    return (
        _plain(label),
        _plain(publisher),
        _plain(post_id),
        _plain(account),
        _status(status),
        _plain(shorten(detail)),
    )


def _delivery_row(head: tuple[str, str, str], delivery: Delivery, reason: str | None) -> tuple[Entry, ...]:
    why = delivery.url or delivery.error or (reason if not delivery.is_published else "") or ""
    return _row(head, str(delivery.account), delivery.status, why)


def _details(rows: Sequence[tuple[Entry, ...]], records: tuple[Mapping[str, Any], ...]) -> Listing:
    """Return the listing without the columns that say the same in each row; those stand in its title."""
    names = ("Request", "Publisher", "Post", "Account", "Status", "Link or reason")
    texts = [[_text(row[place]) for row in rows] for place in range(3)]
    same = [place for place in range(3) if len(set(texts[place])) <= 1]
    title = "  ".join(
        dict.fromkeys(texts[place][0] for place in same if texts[place] and texts[place][0] not in ("", "-"))
    )
    repeated = [2] if texts[2] == texts[0] else []
    kept = [place for place in range(len(names)) if place not in (*same, *repeated)]
    return Listing(
        title=title,
        columns=tuple(names[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in rows),
        records=records,
    )


def _text(entry: Entry) -> str:
    return "".join(span.text for span in entry)
