"""A dry run, shown: every request of the real code path, and how each post would end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from attrs import evolve

from reelpub.bulk.rehearsal import Rehearsal, rehearse
from reelpub.cli.exits import of_statuses
from reelpub.cli.show.encode import line, record
from reelpub.cli.show.printable import clean
from reelpub.cli.show.when import due_of, due_text, when_members, zone_of
from reelpub.cli.show.words import so_many, spaced
from reelpub.cli.work.waits import telling_waits
from reelpub.clocks import Clock
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.providers.base import Publisher
from reelpub.transport.rehearsal import RehearsedRequest

__all__ = ["dry_run", "shown"]


async def dry_run(
    publishers: Sequence[Publisher],
    requests: Sequence[PublishRequest],
    *,
    labels: Sequence[str],
    clock: Clock,
    as_json: bool,
    earlier: Mapping[int, str] | None = None,
) -> int:
    """Rehearse *requests*, print what would be sent, and return the exit status that publishing would have.

    *labels* name the requests, such as by their lines. *earlier* has the places of those that the store has already,
    each with its job.
    """
    with telling_waits(publishers, clock):
        rehearsal = await rehearse(publishers, requests, clock=clock, earlier=earlier)
    outcomes = [evolve(outcome, request=request) for outcome, request in zip(rehearsal.outcomes, requests, strict=True)]
    rehearsal = evolve(rehearsal, outcomes=tuple(outcomes))
    if as_json:
        for members in _records(rehearsal, labels):
            click.echo(line(members))
    else:
        for text in shown(rehearsal, labels):
            click.echo(text)
    return of_statuses(outcome.status for outcome in outcomes)


def _records(rehearsal: Rehearsal, labels: Sequence[str]) -> list[Mapping[str, Any]]:
    told: list[Mapping[str, Any]] = [record("request", request) for request in rehearsal.requests]
    for place, (label, outcome) in enumerate(zip(labels, rehearsal.outcomes, strict=True)):
        kept = place in rehearsal.kept
        told.append(
            record(
                "would_end",
                row=label,
                status=outcome.status,
                reason=outcome.reason,
                is_kept_until_due=kept,
                **when_members(due_of(outcome.request, outcome.posts), zone_of(outcome.request)),
            )
        )
    return told


def shown(rehearsal: Rehearsal, labels: Sequence[str]) -> list[str]:
    """Return *rehearsal* as lines that are safe to print."""
    lines: list[str] = []
    for number, request in enumerate(rehearsal.requests, start=1):
        lines += [*_request(number, request), ""]
    for place, (label, outcome) in enumerate(zip(labels, rehearsal.outcomes, strict=True)):
        lines.append(clean(f"{label}: {_end(outcome, is_kept=place in rehearsal.kept)}"))
    writes = sum(not request.is_sent for request in rehearsal.requests)
    reads = len(rehearsal.requests) - writes
    twice = sum(outcome.status is OutcomeStatus.DUPLICATE for outcome in rehearsal.outcomes)
    again = f"; {so_many(twice, 'post')} wouldn't be sent again" if twice else ""
    lines.append(f"dry run: {so_many(writes, 'request')} shown and not sent, {reads} sent that only read{again}")
    return lines


def _end(outcome: Outcome, *, is_kept: bool) -> str:
    if outcome.status is OutcomeStatus.DUPLICATE:
        return f"wouldn't be sent again, as a duplicate: {outcome.reason}"
    said = f"would be {spaced(outcome.status)}"
    if is_kept:
        said += f", after it was kept here until {due_text(outcome.request)}"
    elif outcome.status is OutcomeStatus.SCHEDULED:
        said += f" for {due_text(outcome.request, outcome.posts)}"
    return f"{said}: {outcome.reason}" if outcome.reason else said


def _request(number: int, request: RehearsedRequest) -> list[str]:
    state = "sent, it only reads" if request.is_sent else "not sent"
    lines = [
        f"# {number}. {request.provider} {request.operation} ({state})",
        f"{request.method} {request.url}",
        *(f"{name}: {value}" for name, value in request.headers.items()),
    ]
    if request.body is not None:
        # Line by line, since a line break is all the layout that there is; what is in a text is escaped by JSON.
        lines += ["", *json.dumps(request.body, indent=2, ensure_ascii=False).splitlines()]
    return [clean(text) for text in lines]
