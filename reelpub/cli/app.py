"""The command and its subcommands, and how each of them ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from io import TextIOWrapper
from typing import Any

import click

from reelpub.cli.accounts import accounts
from reelpub.cli.demo import demo
from reelpub.cli.exits import ExitStatus, of_error
from reelpub.cli.printable import clean
from reelpub.cli.publish import publish
from reelpub.cli.resume import resume
from reelpub.cli.sandbox import sandbox
from reelpub.cli.status import status
from reelpub.cli.wait import wait
from reelpub.errors import ReelPubError
from reelpub.models.problem import Problem

__all__ = ["command", "run"]


@click.group(name="reelpub", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("reelpub"), prog_name="reelpub")
def command() -> None:
    """Publish short videos through ReelMirror and Reap.

    Keys and addresses come from the environment: REELMIRROR_API_KEY and REAP_API_KEY, and REELMIRROR_BASE_URL and
    REAP_BASE_URL where the services are elsewhere. `reelpub sandbox` prints a set to try things with.

    The exit status is 0 only if every delivery succeeded, 1 if some failed, were refused or weren't sent, 2 after
    wrong use, and 3 if some are pending or can't be known, which outweighs 1.

    Try it: reelpub demo
    """


for subcommand in (demo, sandbox, accounts, publish, resume, status, wait):
    command.add_command(subcommand)


def run(arguments: Sequence[str] | None = None, *, obj: object = None) -> int:
    """Run the command and return its exit status; *obj* is the `Setup`, where it isn't the usual one."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # What the terminal's encoding lacks is spelt out, rather than an end in the middle of a batch.
            stream.reconfigure(errors="backslashreplace")
    given = None if arguments is None else list(arguments)
    try:
        return int(_call(given, obj) or ExitStatus.SUCCESS)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ReelPubError as error:
        _complain(error)
        return of_error(error)
    except (click.Abort, KeyboardInterrupt):
        print("reelpub: interrupted", file=sys.stderr)
        return ExitStatus.INTERRUPTED


def _call(arguments: list[str] | None, obj: object) -> Any:
    return command.main(arguments, prog_name="reelpub", standalone_mode=False, obj=obj)


def _complain(error: ReelPubError) -> None:
    problems: tuple[Problem, ...] = getattr(error, "problems", ())
    told = [str(problem) for problem in problems] or [str(error)]
    for text in told:
        print(f"reelpub: {clean(text)}", file=sys.stderr)
