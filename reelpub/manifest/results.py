"""Results as manifests: every row with what became of it, so that the file itself runs what failed again."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final

from attrs import field, frozen

from reelpub.errors import ConfigurationError
from reelpub.manifest.columns import COLUMNS, is_private
from reelpub.manifest.csv_cells import quoted
from reelpub.manifest.csv_values import as_cell, guarded
from reelpub.manifest.rerun import left_out
from reelpub.manifest.values import request_cells
from reelpub.models.account import Account, AccountRef
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import Delivery
from reelpub.models.request import PublishRequest

__all__ = ["RESULT_FORMATS", "SEPARATORS", "ResultRow", "write_results"]

RESULT_FORMATS: Final = ("csv", "jsonl")

_ASKED: Final = tuple(column.name for column in COLUMNS if "." not in column.name and not column.is_result)
"""Settings stand together in one column: there is no end to the platforms' own."""
_TOLD: Final = tuple(column.name for column in COLUMNS if column.is_result)
SEPARATORS: Final = (",", ";", "\t")
"""What may stand between the cells of CSV."""


@frozen(kw_only=True)
class ResultRow:
    """One row of a manifest and what became of it.

    `number` and `line` are its place in the manifest that was run, `posts` the ids of its posts at the service,
    `publisher` the name of the one that had it. `reason` is why it ended as it did; what the service said of single
    accounts is in `deliveries`. `own` are the values of the columns that were the writer's own.
    """

    number: int
    line: int
    request: PublishRequest
    status: OutcomeStatus
    reason: str | None = None
    job_id: str | None = None
    publisher: str | None = None
    deliveries: tuple[Delivery, ...] = ()
    posts: tuple[str, ...] = ()
    settled_at: datetime | None = None
    run: str | None = None
    own: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def runs_again(self) -> bool:
        """Whether a manifest with this row sends something of it, if nobody changes it."""
        return left_out(self.status, self.request.source, _to_retry(self)) is None


def write_results(
    rows: Iterable[ResultRow],
    stream: BinaryIO,
    format: str = "jsonl",  # noqa: A002  (what the command's option is called)
    *,
    own: Sequence[str] = (),
    separator: str = ",",
    mark: bool = True,
) -> None:
    """Write *rows* to *stream*, each as soon as it comes; *format* is one of `RESULT_FORMATS`.

    For CSV, whose header comes before its rows, *own* names the columns that were the writer's own, as far as they are
    wanted; JSON lines have those that a row has. *separator* stands between the cells of CSV: a comma, a semicolon,
    which is what spreadsheets expect where the decimal sign is a comma, or a tab.

    What is written is a manifest. Read again, its rows ask for the same as before, but for those that are live or may
    be, which are skipped, and those that are live in part, which go to the accounts that provably lack them.

    CSV is UTF-8, and no cell of it runs as a formula. It begins with a byte order mark, by which spreadsheets tell
    UTF-8, unless *mark* is False: to most other readers the mark is a part of the first column's name.

    Raises:
        ConfigurationError: there is no such format or separator, or a column of *own* isn't the writer's own.
    """
    if format not in RESULT_FORMATS:
        raise ConfigurationError(f"results can't be written as {format!r}; there are {', '.join(RESULT_FORMATS)}")
    if separator not in SEPARATORS:
        raise ConfigurationError(f"separator: has to be ',' or ';' or a tab, not {separator!r}")
    strange = next((name for name in own if not is_private(name)), None)
    if strange is not None:
        raise ConfigurationError(f"own: {strange!r} doesn't begin with an underscore")
    if format == "csv":
        stream.write(codecs.BOM_UTF8 if mark else b"")
        _write_csv(rows, stream, own, separator)
    else:
        _write_json(rows, stream)


def _write_json(rows: Iterable[ResultRow], stream: BinaryIO) -> None:
    for row in rows:
        text = json.dumps(_values(row), ensure_ascii=False, default=str)
        stream.write(_encoded(text + "\n"))


def _write_csv(rows: Iterable[ResultRow], stream: BinaryIO, own: Sequence[str], separator: str) -> None:
    columns = (*_ASKED, *own, *_TOLD)
    stream.write(_encoded(separator.join(map(quoted, columns)) + "\r\n"))
    for row in rows:
        values = _values(row) | {"result_guarded": True}
        stream.write(_encoded(separator.join(_cell(values, column) for column in columns) + "\r\n"))


def _cell(values: Mapping[str, Any], column: str) -> str:
    value = values.get(column)
    if value is None:
        return ""
    return quoted(guarded(as_cell(value if not isinstance(value, int) or isinstance(value, bool) else str(value))))


def _encoded(text: str) -> bytes:
    # Half a surrogate pair is refused by every check, and can't be written either.
    return text.encode("utf-8", "replace")


def _values(row: ResultRow) -> dict[str, Any]:
    live = [delivery for delivery in row.deliveries if delivery.is_published]
    results = {
        "status": str(row.status),
        "reason": _reason(row),
        "publisher": row.publisher,
        "run": row.run,
        "job": row.job_id,
        "row": row.number,
        "line": row.line,
        "posts": list(row.posts) or None,
        "links": [delivery.url for delivery in live if delivery.url] or None,
        "live_accounts": [str(delivery.account) for delivery in live] or None,
        "retry_accounts": _to_retry(row) or None,
        "at": None if row.settled_at is None else row.settled_at.isoformat(),
    }
    given = {f"result_{name}": value for name, value in results.items() if value is not None}
    return {**request_cells(row.request), **row.own, **given}


def _reason(row: ResultRow) -> str | None:
    # Why a whole row was refused is told once, and not again for each account.
    own = (delivery for delivery in row.deliveries if delivery.error and delivery.error != row.reason)
    said = [f"{delivery.account}: {delivery.error}" for delivery in own]
    return "; ".join([row.reason, *said] if row.reason else said) or None


def _to_retry(row: ResultRow) -> list[str]:
    """Return the accounts that provably lack the post, named as the request named them; none if that is all of them."""
    lacking = [delivery.account for delivery in row.deliveries if delivery.status.is_provably_not_live]
    if len(lacking) == len(row.deliveries):
        return []
    return [_as_named(account, row.request) for account in lacking]


def _as_named(account: Account, request: PublishRequest) -> str:
    for given in request.accounts:
        if isinstance(given, str) and AccountRef(given.strip()).matches(account):
            return given
    return account.id
