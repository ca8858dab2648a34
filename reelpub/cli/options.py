"""Options that several commands share, and the kinds of values that they take."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from reelpub.models.source import Clip

__all__ = ["as_json", "clip", "publisher", "seconds", "settings", "store", "timeout"]

Command = TypeVar("Command", bound=Callable[..., Any])


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


def publisher(command: Command) -> Command:
    """Add ``--publisher``."""
    return click.option(
        "--publisher",
        metavar="NAME",
        help="The publisher to use, where both keys are set, e.g. --publisher reap.",
    )(command)


def store(*, required: bool = False, exists: bool = False) -> Callable[[Command], Command]:
    """Add ``--store``; with *exists* the file has to be there already."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path, dir_okay=False, exists=exists),
        metavar="FILE",
        required=required,
        help="The file in which jobs are noted, so that they survive a crash and nothing is sent twice, "
        "e.g. --store posts.db.",
    )


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
