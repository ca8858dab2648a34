"""Rows as JSON values: what the page's table, its filters and its details are made from, with and without a script.

Everything is in words or Unix milliseconds; what isn't so is left out. Text is made fit for a page here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from reelpub.bulk.due import due_at
from reelpub.bulk.record import Moment, RowRecord
from reelpub.models.outcome import Outcome
from reelpub.models.request import PublishRequest
from reelpub.report.accounts import Share
from reelpub.report.look import spaced
from reelpub.report.text import address, shown
from reelpub.report.times import milliseconds

__all__ = ["instants", "moment_values", "row_values"]

Values = dict[str, Any]


def row_values(row: RowRecord, shares: Sequence[Share]) -> Values:
    """Return *row* with its *shares* as JSON values."""
    outcome = row.outcome
    return _said(
        number=row.number,
        line=row.line,
        label=shown(row.request),
        title=_shown(row.request.title),
        caption=_shown(row.request.caption),
        status=str(row.status),
        words=_words(row),
        accounts=[_account_values(share) for share in shares],
        publisher=_shown((outcome.publisher if outcome is not None else None) or row.request.publisher),
        planned=_milliseconds(due_at(row)),
        **(_times(outcome) if outcome is not None else {}),
        facts=[[name, shown(value)] for name, value in _facts(row, shares)],
        moments=[moment_values(moment) for moment in row.moments],
    )


def _times(outcome: Outcome) -> Values:
    submitted, settled = outcome.submitted_at, outcome.settled_at
    return {
        "submitted": _milliseconds(submitted),
        "settled": _milliseconds(settled),
        "took": (settled - submitted).total_seconds() if submitted and settled else None,
        "sends": outcome.requests,
    }


def instants(values: Mapping[str, Any]) -> Iterable[int]:
    """Yield every instant in the *values* of a row."""
    yield from (values[name] for name in ("planned", "submitted", "settled") if name in values)
    yield from (account["at"] for account in values.get("accounts", ()) if "at" in account)
    yield from (moment[0] for moment in values.get("moments", ()))


def _said(**values: object) -> Values:
    """Return *values* without those that say nothing. An empty text says something: it was given."""
    return {name: value for name, value in values.items() if value is not None and value != []}


def _milliseconds(at: datetime | None) -> int | None:
    return None if at is None else milliseconds(at)


def _shown(text: object) -> str | None:
    return None if text is None else shown(text)


def _account_values(share: Share) -> Values:
    values = _said(name=shown(share.name), platform=_shown(share.platform), status=_shown(share.status))
    if share.delivery is None:
        return values
    return values | _said(
        url=_shown(share.delivery.url),
        href=address(share.delivery.url),
        words=_shown(share.delivery.error),
        raw=_shown(share.delivery.raw_status),
        post=_shown(share.delivery.platform_post_id),
        at=_milliseconds(share.delivery.published_at),
    )


def moment_values(moment: Moment) -> list[object]:
    """Return when *moment* was, its kind, and what it says."""
    status = moment.settled_as
    said = moment.text or spaced(moment.kind)
    if status is not None:
        said = said.replace(status, spaced(status), 1)
    return [milliseconds(moment.at), moment.kind, shown(said)]


def _words(row: RowRecord) -> list[str]:
    """Return why *row* stands as it does, each thing once: the reason, the error behind it, and every problem."""
    outcome = row.outcome
    if outcome is None:
        return ["not submitted yet"]
    said: list[str] = []
    for text in (outcome.reason, outcome.error, *outcome.problems):
        words = shown(text if text is not None else "").strip()
        if words and not any(words in other for other in said):
            said = [other for other in said if other not in words]
            said.append(words)
    return said


def _facts(row: RowRecord, shares: Sequence[Share]) -> Iterable[tuple[str, object]]:
    yield from _asked(row.request)
    if row.outcome is not None:
        yield from _became(row.outcome)
    for share in shares:
        delivery = share.delivery
        told = (delivery.raw_status, delivery.platform_post_id) if delivery is not None else ()
        if any(told):
            yield f"Provider on {share.name}", ", post ".join(str(word) for word in told if word)
    yield "Job", row.job_id


def _asked(request: PublishRequest) -> Iterable[tuple[str, object]]:
    yield "Source", f"{type(request.source).__name__} {request.source}"
    if request.tags:
        yield "Tags", ", ".join(str(tag) for tag in request.tags)
    if request.at is not None:
        yield "Asked for", request.at


def _became(outcome: Outcome) -> Iterable[tuple[str, object]]:
    for post in outcome.posts:
        yield f"Post at {post.provider}", f"{post.id}: {post.raw_status or post.status}"
    if outcome.duplicate_of is not None:
        yield "Same as job", outcome.duplicate_of
    for warning in outcome.warnings:
        yield "Warning", warning
    if outcome.drafts:
        yield "Prepared, not live", ", ".join(outcome.drafts)
    if outcome.orphans:
        yield "Drafts left behind", ", ".join(outcome.orphans)
