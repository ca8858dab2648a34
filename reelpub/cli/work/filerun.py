"""A file to its end: read and checked whole, noted as a run, carried out, told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import click
from attrs import define, field, frozen

from reelpub.bulk import beginning, running
from reelpub.bulk.plan import Plan, plan
from reelpub.cli import options
from reelpub.cli.durations import spoken
from reelpub.cli.exits import ExitStatus
from reelpub.cli.progress import runviews
from reelpub.cli.setup import Setup, publishers
from reelpub.cli.show import planlisting
from reelpub.cli.show.advice import complaint
from reelpub.cli.show.printable import clean
from reelpub.cli.show.steps import file_command
from reelpub.cli.show.words import so_many
from reelpub.cli.stores import opened, opened_if_there, prepared
from reelpub.cli.work.dryrun import dry_run
from reelpub.cli.work.missingkeys import missing_keys
from reelpub.cli.work.undertaking import Case, Floor, conclude, named_store, undertake
from reelpub.cli.work.waits import telling_waits
from reelpub.clocks import utc_now
from reelpub.manifest import read_manifest
from reelpub.manifest.rows import ManifestRow, RowProblem
from reelpub.providers.base import Publisher

__all__ = ["FINDINGS", "Checked", "FileOrder", "options_for_files", "run_file"]

FINDINGS: Final = 100
"""Findings that are told unless another number is asked for: `reelpub plan` is there to list them."""


def _unchanged(rows: Iterable[ManifestRow]) -> Iterable[ManifestRow]:
    return rows


@frozen(kw_only=True)
class FileOrder:
    """What is done with a file.

    *prepare* changes its rows before they are checked. *timeout* (seconds) is how long to stay with the run, not with
    reading and checking. Of what is found, *most_findings* are told on standard error. *start* and *every* are the
    options that give rows their times, and *needs_times* says that those without one are refused.
    """

    file: Path
    command: str
    store: Path | None = None
    format: str | None = None
    zone: str | None = None
    publisher: str | None = None
    timeout: float | None = None
    skip_bad_rows: bool = False
    dry_run: bool = False
    most_findings: int = FINDINGS
    as_json: bool = False
    start: str | None = None
    every: object = None
    needs_times: bool = False
    prepare: Callable[[Iterable[ManifestRow]], Iterable[ManifestRow]] = field(default=_unchanged)

    @property
    def name(self) -> str:
        """The file as it was named."""
        return str(self.file)

    @property
    def planning(self) -> str:
        """The command that plans the file; nothing where that finds less: to it a row without a time is to go now."""
        if self.needs_times and self.start is None:
            return ""
        return file_command(
            "plan",
            self.name,
            start=self.start,
            every=self.every,
            zone=self.zone,
            format=self.format,
            publisher=self.publisher,
            store=named_store(self.store),
        )

    def read(self) -> Iterable[ManifestRow]:
        """Read the file's rows, one after the other."""
        return self.prepare(read_manifest(self.file, format=self.format, zone=self.zone))


@define
class Checked:
    """What reading and checking a file found: its rows, what is wrong with them, and the jobs of those sent before.

    `since` says why rows of a results file aren't to run that were sent again since it was written.
    """

    rows: list[ManifestRow] = field(factory=list)
    findings: list[RowProblem] = field(factory=list)
    earlier: dict[int, str] = field(factory=dict)
    since: dict[int, str] = field(factory=dict)

    def keep(self, rows: Iterable[ManifestRow]) -> Iterator[ManifestRow]:
        """Pass *rows* on and keep them."""
        for row in rows:
            self.rows.append(row)
            yield row

    @property
    def bad(self) -> frozenset[int]:
        """The numbers of the rows that can't be sent; 0 stands for the file as a whole."""
        blocked = {row.number for row in self.rows if row.is_blocked and row.skip is None}
        return frozenset(found.row for found in self.findings if found.is_error) | blocked

    @property
    def sound(self) -> list[ManifestRow]:
        """The rows that can be sent and haven't been yet."""
        bad = self.bad
        out = bad | self.since.keys()
        return [row for row in self.rows if row.number not in out and row.is_sound and row.skip is None]

    @property
    def skipped(self) -> list[str]:
        """Why rows are left out, of each that the file itself leaves out or that was sent again since."""
        reasons = (row.skip or self.since.get(row.number) for row in self.rows)
        return [why for why in reasons if why is not None]


async def run_file(setup: Setup, order: FileOrder) -> int:
    """Check the whole file, then carry it out as a run; return the exit status.

    Raises:
        ConfigurationError: no key is set, or no row is left to run.
        StoreError: the store can't be read or written; nothing was sent.
    """
    made = publishers(setup.clock, order.publisher)
    async with AsyncExitStack() as unless_run:
        for publisher in made:
            unless_run.push_async_callback(publisher.close)
        checked, planned = await _check(setup, order, made)
        if planned.unread:
            return _unchecked(order, planned)
        if _is_refused(order, checked, planned):
            return _refuse(order, checked)
        if not checked.sound:
            return _nothing_to_do(order, checked)
        if order.dry_run:
            return await _rehearse(setup, order, checked, made)
        # Made only now: wrong use leaves no file behind.
        path = prepared(order.store)
        run = await _begin(setup, order, checked, path)
        # From here on they are closed with the orchestrator.
        unless_run.pop_all()
    # Once the run is noted, a reader that leaves stops it in order.
    view = runviews.Sturdy(runviews.choose(as_json=order.as_json))
    records = [planlisting.finding_record(order.name, found) for found in checked.findings]
    case = Case(setup=setup, store=path, run=run, view=view, publishers=made, records=records)
    _introduce(view, order, checked, planned, run)

    def work(floor: Floor) -> Awaitable[object]:
        return running.carry_out(
            floor.pub, floor.store, run, timeout=order.timeout, on_rows=floor.on_rows, drain=floor.drain
        )

    return conclude(case, await undertake(case, work))


async def _check(setup: Setup, order: FileOrder, made: list[Publisher]) -> tuple[Checked, Plan]:
    """Read and check everything, telling what is wrong as it is found; only accounts are asked for."""
    checked = Checked()
    missing = await missing_keys(made)

    def found(problem: RowProblem) -> None:
        checked.findings.append(missing.named(problem))
        if len(checked.findings) <= order.most_findings:
            click.echo(planlisting.finding_line(order.name, checked.findings[-1]), err=True)

    async with opened_if_there(order.store) as store:
        with telling_waits(made, setup.clock):
            planned = await plan(
                checked.keep(order.read()),
                {publisher.name: publisher for publisher in made},
                now=utc_now(setup.clock),
                found=found,
                recalled=checked.earlier.__setitem__,
                left_out=checked.since.__setitem__,
                store=store,
                # What the providers have scheduled is `reelpub plan`'s to read: it costs requests that posts wait for.
                queue_reads=0,
            )
    hidden = len(checked.findings) - order.most_findings
    if hidden > 0:
        how = f"`{order.planning}`" if order.planning else f"--limit-findings {len(checked.findings)}"
        click.echo(clean(f"reelpub: and {so_many(hidden, 'more finding')}; {how} tells them all"), err=True)
    return checked, planned


async def _rehearse(setup: Setup, order: FileOrder, checked: Checked, made: list[Publisher]) -> int:
    """Show what the rows would send; nothing is noted."""
    rows = [(row, row.request) for row in checked.sound if row.request is not None]
    labels = [f"{order.name}:{row.line}: {request}" for row, request in rows]
    earlier = {
        place: checked.earlier[row.number] for place, (row, _) in enumerate(rows) if row.number in checked.earlier
    }
    return await dry_run(
        made,
        [request for _, request in rows],
        labels=labels,
        clock=setup.clock,
        as_json=order.as_json,
        earlier=earlier,
    )


def _is_refused(order: FileOrder, checked: Checked, planned: Plan) -> bool:
    if not planned.errors:
        return False
    return not order.skip_bad_rows or 0 in checked.bad


def _unchecked(order: FileOrder, planned: Plan) -> int:
    """Say whose accounts couldn't be read. A script needn't look for posts, as it must after such an error later on."""
    for error in planned.unread.values():
        click.echo(complaint(error), err=True)
    names = " and ".join(planned.unread)
    told = f"nothing of {order.name} was sent: the accounts of {names} couldn't be read, so it couldn't be checked"
    click.echo(clean(f"reelpub: {told}"), err=True)
    return ExitStatus.FAILED


def _refuse(order: FileOrder, checked: Checked) -> int:
    bad = checked.bad
    errors = sum(found.is_error for found in checked.findings)
    told = f"reelpub: {so_many(errors, 'error')} in {order.name}; nothing was sent. "
    if 0 in bad:
        told += "Mend the file"
    else:
        told += (
            f"Mend {so_many(len(bad), 'row')}, or leave {'it' if len(bad) == 1 else 'them'} out with --skip-bad-rows"
        )
    click.echo(clean(f"{told}; `{order.planning}` shows more" if order.planning else told), err=True)
    if order.as_json:
        view = runviews.choose(as_json=True)
        for found in checked.findings:
            view.record(planlisting.finding_record(order.name, found))
    return ExitStatus.USAGE


def _nothing_to_do(order: FileOrder, checked: Checked) -> int:
    """Say why no row is left; return success where there is nothing that should have gone out."""
    if checked.bad:
        click.echo(clean(f"reelpub: every row of {order.name} that is left has errors; nothing was sent"), err=True)
        return ExitStatus.USAGE
    why = "; ".join(planlisting.left_out(checked.skipped)) or "it has no rows"
    click.echo(clean(f"reelpub: nothing to do in {order.name}: {why}"), err=True)
    return ExitStatus.SUCCESS


async def _begin(setup: Setup, order: FileOrder, checked: Checked, path: Path) -> str:
    async with opened(path) as store:
        return await beginning.begin(
            store,
            checked.sound,
            name=order.name,
            command=order.command,
            now=utc_now(setup.clock),
            info={"file": str(order.file.absolute()) if order.name != "-" else "-"},
        )


def _introduce(view: runviews.RunView, order: FileOrder, checked: Checked, planned: Plan, run: str) -> None:
    """Say the run's id first of all, and what it will do."""
    view.note(f"run {run}: {so_many(len(checked.sound), 'row')} of {order.name}")
    if checked.bad:
        view.note(f"{so_many(len(checked.bad), 'row')} left out: they have errors")
    for told in planlisting.left_out(checked.skipped):
        view.note(told)
    if planned.remembered:
        each = "it isn't" if planned.remembered == 1 else "they aren't"
        view.note(f"{so_many(planned.remembered, 'row')} asked for before: {each} sent again")
    if planned.new:
        view.note(f"about {so_many(planned.requests, 'request')} and {spoken(planned.seconds)} at the limits")


def options_for_files(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every command that takes a file."""
    command = options.dry_run(command)
    command = click.option(
        "--limit-findings",
        type=click.IntRange(0),
        default=FINDINGS,
        show_default=True,
        metavar="N",
        help="Tell only so many findings about FILE on standard error; all are counted, and `reelpub plan` tells them, "
        "e.g. --limit-findings 20.",
    )(command)
    command = click.option(
        "--skip-bad-rows",
        is_flag=True,
        help="Leave rows with errors out and publish the others, e.g. --skip-bad-rows. Without it, one bad row keeps "
        "all from being sent.",
    )(command)
    return options.manifest_format(command)
