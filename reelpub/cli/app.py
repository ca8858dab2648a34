"""The command and its subcommands, and how each of them ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from io import TextIOWrapper
from typing import Any

import click

from reelpub.cli.commands.accounts import accounts
from reelpub.cli.commands.cancel import cancel
from reelpub.cli.commands.completion import completion
from reelpub.cli.commands.demo import demo
from reelpub.cli.commands.plan import plan
from reelpub.cli.commands.publish import publish
from reelpub.cli.commands.report import report
from reelpub.cli.commands.reschedule import reschedule
from reelpub.cli.commands.results import results
from reelpub.cli.commands.resume import resume
from reelpub.cli.commands.retry import retry
from reelpub.cli.commands.runs import runs
from reelpub.cli.commands.sandbox import sandbox
from reelpub.cli.commands.schedule import schedule
from reelpub.cli.commands.schema import schema
from reelpub.cli.commands.status import status
from reelpub.cli.commands.wait import wait
from reelpub.cli.commands.watch import watch
from reelpub.cli.exits import ExitStatus, of_error
from reelpub.cli.page import EXITS, KEYS, STORE_ENVIRONMENT, STORE_FILES, Example, PagedGroup
from reelpub.cli.show.advice import complaint
from reelpub.cli.show.unread import Unread, telling_unread, to_nowhere, with_streams
from reelpub.errors import ReelPubError

__all__ = ["command", "run"]


class _Root(PagedGroup):
    """The command as a whole: what click makes of a reader that has left is kept from it."""

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Read the arguments; help that nobody reads raises `Unread`."""
        with telling_unread():
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; output that nobody reads raises `Unread`."""
        with telling_unread():
            return super().invoke(ctx)


@click.group(
    name="reelpub",
    cls=_Root,
    chapters={
        "Try it": {
            "demo": "Watch posts go out, and faults being put right.",
            "sandbox": "Serve both providers on this machine.",
        },
        "A file": {
            "schema": "Print what a row may hold, or a file to begin with.",
            "plan": "Check every row, and see what it would do.",
            "publish": "Publish every row; or a single post, from options.",
            "schedule": "Schedule every row for its time.",
        },
        "A run": {
            "watch": "Follow it to its end; send nothing.",
            "resume": "Go on with it where it stopped.",
            "retry": "Send again what provably isn't live.",
            "cancel": "Call off what hasn't gone out.",
            "reschedule": "Move what waits for its time.",
            "runs": "List the runs.",
            "results": "Show every row, or write a file to run again.",
            "report": "Write it as one page.",
        },
        "A post": {
            "status": "See how one stands.",
            "wait": "Follow some to their end.",
        },
        "Besides": {
            "accounts": "List the connected accounts.",
            "completion": "Complete commands and runs in the shell.",
        },
    },
    examples=(
        Example("See it work, on this machine alone:", "reelpub demo"),
        Example("From a file to a report:", "reelpub plan posts.csv && reelpub publish posts.csv; reelpub report"),
    ),
    exits=EXITS,
    files=STORE_FILES,
    environment={**KEYS, **STORE_ENVIRONMENT},
)
@click.version_option(version("reelpub"), "--version", prog_name="reelpub", help="Show the version, e.g. --version.")
def command() -> None:
    """Publish short videos through ReelMirror and Reap.

    Keys and addresses come from the environment, never from the command line: REELMIRROR_API_KEY and REAP_API_KEY, and
    REELMIRROR_BASE_URL and REAP_BASE_URL where the services are elsewhere. `reelpub sandbox` prints a set to try things
    with.

    A file becomes a run with an id. Runs are kept in a store, so that any later command can go on with them: after a
    crash, tomorrow, or to send again what failed.
    """


for subcommand in (
    accounts,
    cancel,
    completion,
    demo,
    plan,
    publish,
    report,
    reschedule,
    results,
    resume,
    retry,
    runs,
    sandbox,
    schedule,
    schema,
    status,
    wait,
    watch,
):
    command.add_command(subcommand)


def run(arguments: Sequence[str] | None = None, *, obj: object = None) -> int:
    """Run the command and return its exit status; *obj* is the `Setup`, where it isn't the usual one."""
    with_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # What the terminal's encoding lacks is spelt out, rather than an end in the middle of a batch.
            stream.reconfigure(errors="backslashreplace")
    try:
        with telling_unread():
            return _run(None if arguments is None else list(arguments), obj)
    except Unread:
        to_nowhere()
        return ExitStatus.UNREAD


def _run(arguments: list[str] | None, obj: object) -> int:
    try:
        return int(command.main(arguments, prog_name="reelpub", standalone_mode=False, obj=obj) or ExitStatus.SUCCESS)
    except click.ClickException as error:
        error.show()
        to_nowhere()
        return error.exit_code
    except ReelPubError as error:
        # What may have been sent decides the status, whether anybody reads the complaint or not.
        with suppress(BrokenPipeError):
            print(complaint(error), file=sys.stderr)
        to_nowhere()
        return of_error(error)
    except (click.Abort, KeyboardInterrupt):
        print("reelpub: interrupted", file=sys.stderr)
        return ExitStatus.INTERRUPTED
