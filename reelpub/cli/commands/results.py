"""`reelpub results`: what became of every row, to look at or as a file that can be run again."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
from attrs import evolve

from reelpub.bulk import history
from reelpub.bulk.record import RunRecord
from reelpub.bulk.results import own_columns, result_rows
from reelpub.cli import options
from reelpub.cli.exits import of_statuses
from reelpub.cli.page import EXITS, STORE_ENVIRONMENT, STORE_FILES, Example, Page
from reelpub.cli.progress import runviews
from reelpub.cli.show import runlisting, steps
from reelpub.cli.show.words import so_many
from reelpub.cli.stores import existing, opened
from reelpub.cli.work import files, runchoice
from reelpub.cli.work.undertaking import named_store
from reelpub.manifest.results import write_results

__all__ = ["results"]

_SEPARATORS: Final = {"comma": ",", "semicolon": ";", "tab": "\t"}


@click.command(
    cls=Page,
    examples=(
        Example("Every row of the latest run:", "reelpub results"),
        Example("Only what isn't live:", "reelpub results --failed"),
        Example("Write that to a file, to mend it there:", "reelpub results k3f9 --failed --format csv -o again.csv"),
        Example("Send it: what is live is left out, account by account:", "reelpub publish again.csv"),
        Example(
            "The links of everything that is live:",
            """reelpub results --json | jq -r '.deliveries[]? | select(.status == "published").url // empty'""",
        ),
    ),
    exits={**EXITS, "2": "Wrong use."},
    files=STORE_FILES,
    environment=STORE_ENVIRONMENT,
)
@runchoice.run()
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "jsonl"]),
    help="Write a manifest with what became of each row beside it, e.g. --format csv. Published as a file of its own, "
    "it skips what is live or can't be known and sends the rest.",
)
@click.option(
    "--failed",
    is_flag=True,
    help="Only rows of which something provably isn't live, on the screen and in the file, e.g. --failed --format csv "
    "-o again.csv. Those that were called off, or of which nothing is known to lack, aren't among them.",
)
@click.option(
    "--separator",
    type=click.Choice(list(_SEPARATORS)),
    default="comma",
    help="What stands between the cells of CSV, e.g. --separator semicolon. Spreadsheets expect a semicolon where the "
    "decimal sign is a comma.",
)
@options.output(
    "Where --format goes, e.g. -o results.csv. Without it, or with -: standard output, for programs; CSV in a file "
    "begins with the byte order mark by which spreadsheets tell UTF-8."
)
@options.store(exists=True)
@options.as_json
def results(**given: Any) -> int:
    """Show what became of every row of a run, account by account, or write it as a file.

    RUN is a run's id, or its end or beginning; without it the latest one is meant. Nothing is asked of a provider: it
    is what the store has. The exit status is that of the run.
    """
    if given["output"] is not None and given["format_"] is None:
        raise click.UsageError("-o needs a format: --format csv or --format jsonl")
    if given["separator"] != "comma" and given["format_"] != "csv":
        raise click.UsageError("--separator goes with --format csv")
    if given["as_json"] and given["format_"] is not None:
        raise click.UsageError("--json and --format are two ways of writing: leave one out")
    return asyncio.run(_results(given))


async def _results(given: dict[str, Any]) -> int:
    view = runviews.choose(as_json=given["as_json"])

    def say(text: str) -> None:
        # What is written to standard output is the file.
        click.echo(text, err=given["format_"] is not None or given["as_json"])

    path = existing(given["store"])
    async with opened(path) as store:
        run = await history.load(store, await runchoice.chosen(store, given["run"], say))
    status = of_statuses(row.status for row in run.rows)
    named = named_store(path)
    shown = evolve(run, rows=tuple(filter(steps.is_lacking, run.rows))) if given["failed"] else run
    if given["format_"] is not None:
        _write(shown, given["format_"], _SEPARATORS[given["separator"]], given["output"], named)
        return status
    view.record(runlisting.run_record(run))
    if shown.rows or not given["failed"]:
        view.listing(runlisting.rows(shown))
    else:
        view.note("no row is known to have failed, so there is nothing to send again")
    view.note(runlisting.totals(run))
    view.record(runlisting.summary_record(run, status, store=named))
    return status


def _write(run: RunRecord, format_: str, separator: str, output: Path | None, store: Path | None) -> None:
    rows = list(result_rows(run))

    def write(stream: BinaryIO, *, mark: bool = True) -> None:
        write_results(rows, stream, format_, own=own_columns(run), separator=separator, mark=mark)

    if output is None or str(output) == "-":
        # A program reads it, to which the mark would be a part of the first column's name.
        write(sys.stdout.buffer, mark=False)
        sys.stdout.buffer.flush()
        return
    files.replace(output, write)
    again = f"send what isn't live again with: {steps.file_command('publish', str(output), store=store)}"
    follows = again if any(row.runs_again for row in rows) else "published as it is, it sends nothing"
    click.echo(f"{output}: {so_many(len(rows), 'row')}; {follows}", err=True)
