"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

__all__ = ["replace"]


def replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Have *write* make the content of *path*; what was there before stays until all of it is written.

    Raises:
        click.ClickException: it can't be written there.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.name}.", delete=False) as stream:
            made = Path(stream.name)
            try:
                write(stream)  # type: ignore[arg-type]  # a wrapper that is a BinaryIO in all but name
                stream.flush()
                made.chmod(0o666 & ~_umask())
                made.replace(path)
            except BaseException:
                made.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise click.ClickException(
            f"{path} can't be written: {error.strerror or error}; choose another place with -o FILE"
        ) from None


def _umask() -> int:
    """Return the process's mask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
