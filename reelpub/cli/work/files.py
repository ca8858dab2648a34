"""Files that a command writes, and what is said where they can't be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

from reelpub.report import files

__all__ = ["replace"]


def replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Have *write* make the content of *path*, whole or not at all.

    Raises:
        click.ClickException: it can't be written there.
    """
    try:
        files.replace(path, write)
    except OSError as error:
        raise click.ClickException(
            f"{path} can't be written: {error.strerror or error}; choose another place with -o FILE"
        ) from None
