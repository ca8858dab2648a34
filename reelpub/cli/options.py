"""Options that several commands share, and the kinds of values that they take."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from reelpub.cli.stores import VARIABLE
from reelpub.manifest import FORMATS
from reelpub.manifest.times import zone_problem
from reelpub.models.source import Clip
from reelpub.providers import registry

__all__ = [
    "as_json",
    "clip",
    "dry_run",
    "manifest_format",
    "output",
    "publisher",
    "require_publisher",
    "seconds",
    "settings",
    "store",
    "timeout",
    "zone",
    "zone_name",
]

Command = TypeVar("Command", bound=Callable[..., Any])

_STORE = (
    "The file in which everything is noted before it is sent, so that a crash loses nothing and repeats nothing, "
    "e.g. --store posts.db. Without it: REELPUB_STORE, or else the one under Files."
)


def clip(context: click.Context, parameter: click.Parameter, value: str | None) -> Clip | None:
    """Read ``PROJECT/CLIP``; a callback for `click.option`."""
    if value is None:
        return None
    project, _, name = value.partition("/")
    if not project or not name:
        raise click.BadParameter(
            f"{value!r} isn't PROJECT/CLIP, such as demo-project-1/demo-clip-1", ctx=context, param=parameter
        )
    return Clip(project, name)


def settings(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str, bool | str]]:
    """Read each ``PLATFORM.NAME=VALUE``; true and false are switches, everything else is text."""
    return [_setting(context, parameter, value) for value in values]


def _setting(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, str, bool | str]:
    path, equals, text = value.partition("=")
    platform, _, name = path.strip().partition(".")
    if not (equals and platform and name):
        message = f"{value!r} isn't PLATFORM.NAME=VALUE, such as tiktok.privacy=friends"
        raise click.BadParameter(message, ctx=context, param=parameter)
    switches: dict[str, bool | str] = {"true": True, "false": False}
    return platform.lower(), name, switches.get(text.strip().lower(), text.strip())


def seconds(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Read a number of seconds, 0 or more."""
    try:
        number = 0.0 if value is None else float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise click.BadParameter(f"{value!r} isn't a number of seconds, 0 or more", ctx=context, param=parameter)
    return None if value is None else number


def _publishers(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the publishers that are installed to the shell."""
    del context, parameter
    return [CompletionItem(name) for name in registry.known() if name.startswith(incomplete)]


def publisher(command: Command) -> Command:
    """Add ``--publisher``."""
    return click.option(
        "--publisher",
        metavar="NAME",
        shell_complete=_publishers,
        help="The publisher to use, where both keys are set, e.g. --publisher reap.",
    )(command)


def require_publisher(given: str | None, names: Collection[str]) -> None:
    """Raise `click.UsageError` where ``--publisher`` wasn't *given*, and there are several of *names*."""
    if given is None and len(names) > 1:
        raise click.UsageError(f"--publisher has to be named, one of {', '.join(names)}")


def store(help_text: str = _STORE, *, exists: bool = False) -> Callable[[Command], Command]:
    """Add ``--store``; with *exists* a file that is named has to be there already."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path, dir_okay=False, exists=exists),
        metavar="FILE",
        envvar=VARIABLE,
        help=help_text,
    )


def zone(help_text: str) -> Callable[[Command], Command]:
    """Add ``--zone``."""
    return click.option("--zone", metavar="ZONE", callback=zone_name, help=help_text)


def zone_name(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Read the name of a time zone."""
    wrong = None if value is None else zone_problem(value)
    if wrong is not None:
        raise click.BadParameter(f"{value!r} {wrong.message}", ctx=context, param=parameter)
    return value


def timeout(command: Command) -> Command:
    """Add ``--timeout``."""
    return click.option(
        "--timeout",
        callback=seconds,
        metavar="SECONDS",
        help="How long to wait in all, e.g. --timeout 300. Without it: until everything has ended.",
    )(command)


def as_json(command: Command) -> Command:
    """Add ``--json``."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="JSON lines on standard output and everything else on standard error, e.g. --json | jq .type",
    )(command)


def dry_run(command: Command) -> Command:
    """Add ``--dry-run``."""
    return click.option(
        "--dry-run",
        is_flag=True,
        help="Show every request that would be sent, the key left out, and how each post would end, e.g. --dry-run. "
        "What only reads is sent, within the limits; nothing is published and nothing noted.",
    )(command)


def manifest_format(command: Command) -> Command:
    """Add ``--format`` of a command that reads FILE."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(list(FORMATS)),
        help="How FILE is written, where its name doesn't say, e.g. --format csv for standard input.",
    )(command)


def output(help_text: str) -> Callable[[Command], Command]:
    """Add ``-o``; ``-`` is standard output."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        metavar="FILE",
        help=help_text,
    )
