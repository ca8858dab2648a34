"""`reelpub plan`: what a manifest would do, with every mistake in it, before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from attrs import define, field, frozen

from reelpub.bulk import plan as planning
from reelpub.bulk.calendar import PlannedRow
from reelpub.cli import options
from reelpub.cli.exits import ExitStatus, of_error
from reelpub.cli.page import KEYS, STORE_ENVIRONMENT, STORE_FILES, UNREAD, Example, Page
from reelpub.cli.setup import Setup, publishers, setup_of
from reelpub.cli.show import planlisting, views
from reelpub.cli.show.steps import file_command
from reelpub.cli.show.words import so_many
from reelpub.cli.stores import opened_if_there
from reelpub.cli.work.missingkeys import MissingKeys, missing_keys
from reelpub.cli.work.slots import Slots, options_for_slots, slots_from, with_times
from reelpub.cli.work.undertaking import named_store
from reelpub.cli.work.waits import telling_waits
from reelpub.clocks import utc_now
from reelpub.errors import ConfigurationError
from reelpub.manifest import read_manifest
from reelpub.manifest.rows import RowProblem
from reelpub.providers import registry
from reelpub.providers.base import Publisher

__all__ = ["plan"]

_CALENDAR_ROWS: Final = 20
"""Rows of the calendar that are shown unless all are asked for."""

_EXITS: Final = {
    "0": "Every row can be sent; warnings may have been told.",
    "1": "A key was refused, so that accounts couldn't be checked.",
    "2": "Errors in the file, or wrong use.",
    "3": "A provider couldn't be reached, so that accounts couldn't be checked.",
    **UNREAD,
}


@click.command(
    "plan",
    cls=Page,
    examples=(
        Example("Check a file and see what it would do:", "reelpub plan posts.csv"),
        Example("Check it without keys and without the network:", "reelpub plan --offline posts.csv"),
        Example("See when each post goes out, in Tokyo:", "reelpub plan --calendar --zone Asia/Tokyo posts.csv"),
        Example(
            "The same for rows that `reelpub schedule` is to give times:",
            "reelpub plan --calendar --start 2027-03-28T09:00+02:00 --every 2h posts.csv",
        ),
        Example("Have a program read it:", "reelpub plan --json --rows posts.jsonl | jq .type"),
    ),
    exits=_EXITS,
    files=STORE_FILES,
    environment={**KEYS, **STORE_ENVIRONMENT},
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True), metavar="FILE")
@options.manifest_format
@options.zone("The zone of times without one, and the one to show times in, e.g. --zone Europe/Oslo.")
@options_for_slots
@click.option(
    "--offline", is_flag=True, help="Read no accounts and no queue; no key is needed, e.g. --offline posts.csv."
)
@click.option(
    "--queue-reads",
    type=click.IntRange(0, 1000),
    default=planning.QUEUE_READS,
    show_default=True,
    metavar="N",
    help="How many requests may be spent on what each provider has scheduled, 100 posts each, e.g. --queue-reads 20.",
)
@click.option("--calendar", "is_whole", is_flag=True, help="Show when every post goes out, e.g. --calendar.")
@click.option(
    "--limit-findings",
    type=click.IntRange(0),
    metavar="N",
    help="Print only so many findings; all are counted, e.g. --limit-findings 50.",
)
@click.option("--rows", "with_rows", is_flag=True, help="With --json: also an object for each row, e.g. --json --rows.")
@options.store("The store that is asked what was sent before, e.g. --store posts.db.")
@options.publisher
@options.as_json
@click.pass_context
def plan(context: click.Context, /, **given: Any) -> int:
    """Check every row of FILE and show what publishing it would do; nothing is sent.

    FILE is a manifest in CSV, JSONL or YAML; - is standard input. Every problem of every row is told at once, with its
    line and column and what would be right: mistakes in the file, accounts that aren't connected, what a provider
    doesn't take, and what would go out twice, here, by the store, or by what the provider has scheduled. Then follow
    the requests and the time it takes at the limits, and when what goes out; --start and --every give rows without a
    time the one that `reelpub schedule` would. Accounts and queues are read, within the limits, unless --offline.
    """
    if given["with_rows"] and not given["as_json"]:
        raise click.UsageError("--rows goes with --json; --calendar shows the rows to people")
    zone = given["zone"]
    order = _Order(
        slots=slots_from(given["start"], given["every"], zone),
        file=given["file"],
        format=given["format_"],
        zone=None if zone is None else ZoneInfo(zone),
        is_offline=given["offline"],
        queue_reads=given["queue_reads"],
        is_whole=given["is_whole"],
        most_findings=given["limit_findings"],
        with_rows=given["with_rows"],
        store=given["store"],
        publisher=given["publisher"],
    )
    view = views.choose(as_json=given["as_json"])
    return asyncio.run(_carry_out(setup_of(context), order, _Sink(order, view, as_json=given["as_json"])))


@frozen(kw_only=True)
class _Order:
    """What was asked for."""

    file: Path
    format: str | None
    zone: ZoneInfo | None
    slots: Slots | None
    is_offline: bool
    queue_reads: int
    is_whole: bool
    most_findings: int | None
    with_rows: bool
    store: Path | None
    publisher: str | None

    @property
    def name(self) -> str:
        """The file as it was named."""
        return str(self.file)

    @property
    def sending(self) -> str:
        """The command that sends the file."""
        return self._again("publish" if self.slots is None else "schedule")

    @property
    def planning(self) -> str:
        """The command that plans the file."""
        return self._again("plan")

    def _again(self, command: str) -> str:
        """Return *command* with all that decides what the file means, and what is known of it."""
        return file_command(
            command,
            self.name,
            start=None if self.slots is None else self.slots.written,
            every=None if self.slots is None else self.slots.every,
            zone=self.key,
            format=self.format,
            publisher=self.publisher,
            store=named_store(self.store),
        )

    @property
    def key(self) -> str | None:
        """The name of the zone, for reading."""
        return None if self.zone is None else self.zone.key


@define
class _Sink:
    """Prints what is found, as it is found."""

    order: _Order
    view: views.View
    as_json: bool = field(kw_only=True)
    missing: MissingKeys = field(factory=MissingKeys, init=False)
    _printed: int = field(default=0, init=False)
    _since: list[str] = field(factory=list, init=False)

    def found(self, problem: RowProblem) -> None:
        """Print a finding, unless enough were."""
        most = self.order.most_findings
        if most is not None and self._printed >= most:
            return
        self._printed += 1
        problem = self.missing.named(problem)
        if self.as_json:
            self.view.record(planlisting.finding_record(self.order.name, problem))
        else:
            # A line of its own and no table: editors jump to it, and a table would wait for the last one.
            click.echo(planlisting.finding_line(self.order.name, problem))

    def left_out(self, number: int, why: str) -> None:
        """Note why a row of a results file isn't to run that it would have run."""
        del number
        self._since.append(why)

    def planned(self, row: PlannedRow) -> None:
        """Print a row that can be sent, where that is asked for."""
        if self.order.with_rows:
            self.view.record(planlisting.row_record(row, self.order.zone))

    def close(self, made: planning.Plan) -> None:
        """Print what it comes to."""
        if self.as_json:
            self.view.record(planlisting.plan_record(self.order.name, made))
            return
        hidden = made.errors + made.warnings - self._printed
        if hidden:
            self.view.note(f"and {so_many(hidden, 'more finding')}")
        if made.publishers:
            self.view.listing(planlisting.summary(made))
            self._calendar(made, self.order.zone)
        for line in planlisting.left_out(self._since):
            self.view.note(f"note: {line}")
        for line in planlisting.verdict(made, planning=self.order.planning, sending=self.order.sending):
            self.view.note(line)

    def _calendar(self, made: planning.Plan, zone: tzinfo | None) -> None:
        most = None if self.order.is_whole else _CALENDAR_ROWS
        for listing in planlisting.calendar(made.calendar, zone, most=most):
            self.view.listing(listing)
        if most is not None and len(made.calendar) > most:
            self.view.note(f"and {len(made.calendar) - most} more posts: --calendar shows them")


async def _carry_out(setup: Setup, order: _Order, sink: _Sink) -> int:
    made = await _plan(setup, order, sink)
    sink.close(made)
    if made.errors:
        return ExitStatus.USAGE
    return max(map(of_error, made.unread.values()), default=ExitStatus.SUCCESS)


async def _plan(setup: Setup, order: _Order, sink: _Sink) -> planning.Plan:
    async with _publishers(setup, order) as found, opened_if_there(order.store) as store:
        sink.missing = await missing_keys(found)
        return await planning.plan(
            with_times(order.slots, are_needed=False)(read_manifest(order.file, format=order.format, zone=order.key)),
            {publisher.name: publisher for publisher in found},
            now=utc_now(setup.clock),
            found=sink.found,
            planned=sink.planned,
            left_out=sink.left_out,
            store=store,
            is_offline=order.is_offline,
            queue_reads=order.queue_reads,
        )


@asynccontextmanager
async def _publishers(setup: Setup, order: _Order) -> AsyncGenerator[list[Publisher], None]:
    """Have the publishers for as long as the ``async with`` lasts."""
    if order.is_offline:
        found = registry.offline(clock=setup.clock, name=order.publisher)
    else:
        try:
            found = publishers(setup.clock, order.publisher)
        except ConfigurationError as error:
            raise click.UsageError(
                f"{error}; without keys a file is checked with: reelpub plan --offline FILE"
            ) from error
    try:
        with telling_waits(found, setup.clock):
            yield found
    finally:
        for publisher in found:
            await publisher.close()
