"""Which run a command is about, and which of its rows."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from reelpub.bulk import history
from reelpub.bulk.composing import row_record
from reelpub.bulk.record import RowRecord
from reelpub.cli.stores import existing, opened, path_from
from reelpub.errors import ReelPubError
from reelpub.store.runs import RunStore

__all__ = ["can_ask", "chosen", "row_numbers", "rows", "run", "spans", "standing"]

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST = 1_000_000
"""The highest number of a row that can be named: a range is taken apart into its numbers."""

_OFFERED = 20
"""Runs that the shell offers."""


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the latest runs of the store to the shell, by whichever part of their ids was begun."""
    del parameter
    named: Path | None = context.params.get("store")
    try:
        return asyncio.run(_offered(existing(named or path_from(os.environ)), incomplete))
    except (ReelPubError, click.ClickException, OSError):
        # The shell has nowhere to show an error.
        return []


async def _offered(path: Path, beginning: str) -> list[CompletionItem]:
    async with opened(path) as store:
        runs = await store.runs(limit=_OFFERED)
    whole = [CompletionItem(run.id, help=run.name) for run in runs if run.id.startswith(beginning)]
    if whole or not beginning:
        return whole
    # A shell drops what doesn't begin with what was typed, so the part that does is offered.
    parts = [(run.id.partition("-")[2], run.name) for run in runs]
    if runs:
        parts.append((history.LATEST, runs[0].name))
    return [CompletionItem(part, help=name) for part, name in parts if part.startswith(beginning)]


def run(*, required: bool = False) -> Callable[[Command], Command]:
    """Add the argument RUN."""
    return click.argument("run", required=required, default=None, shell_complete=_complete)


def row_numbers(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> frozenset[int] | None:
    """Read row numbers and ranges of them: ``7``, ``3-5``, ``3-5,9``; a callback for `click.option`."""
    found: set[int] = set()
    for text in (part.strip() for value in values for part in value.split(",")):
        first, dash, last = text.partition("-")
        numbers = (first, last if dash else first)
        if not all(number.strip().isdecimal() and len(number) < 9 for number in numbers):
            raise click.BadParameter(
                f"{text!r} isn't a row such as 7, or rows such as 3-5", ctx=context, param=parameter
            )
        span = range(int(numbers[0]), int(numbers[1]) + 1)
        if not span or span[0] < 1 or span[-1] > _MOST:
            said = f"{text!r} names no rows that there can be; they count from 1, to {_MOST:,} at most"
            raise click.BadParameter(said, ctx=context, param=parameter)
        found.update(span)
    return frozenset(found) if values else None


def spans(numbers: Iterable[int]) -> str:
    """Return *numbers* as ``--row`` takes them: ``3-5,9``."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][-1] + 1:
            found[-1] = [found[-1][0], number]
        else:
            found.append([number])
    return ",".join("-".join(map(str, span)) for span in found)


def rows(help_text: str) -> Callable[[Command], Command]:
    """Add ``--row``; its value is a set of numbers, or None."""
    return click.option("--row", "rows", metavar="N", multiple=True, callback=row_numbers, help=help_text)


def can_ask(*, as_json: bool) -> bool:
    """Return whether somebody is there who can be asked."""
    return not as_json and sys.stdin.isatty() and sys.stdout.isatty()


async def standing(store: RunStore, run_id: str) -> list[RowRecord]:
    """Return how the rows of a run stand, without what happened to them, which is most of what a store holds."""
    return [row_record(entry, ()) for entry in await history.ledger_of(store, run_id)]


async def chosen(store: RunStore, given: str | None, say: Callable[[str], None]) -> str:
    """Return the id of the run that *given* names, or of the latest, which is told.

    Raises:
        ConfigurationError: no run, or several, can be meant; it names those that come near.
        click.UsageError: there is no run yet.
    """
    if given is not None:
        return await history.find(store, given)
    latest = await history.latest(store)
    if latest is None:
        raise click.UsageError("the store has no run yet: `reelpub publish FILE` makes one")
    found = await store.run(latest)
    say(f"the latest run: {latest}" + (f" ({found.name})" if found is not None else ""))
    return latest
