"""What is printed when nobody takes it, as with ``| head`` or a full disk: how that is told, and where it goes then."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

__all__ = ["Unread", "telling_unread", "to_nowhere", "with_streams"]

_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, errno.EIO, *([errno.EDQUOT] if hasattr(errno, "EDQUOT") else [])})
"""What writing to a disk raises."""


class Unread(Exception):
    """Whoever read standard output, or standard error, has left; it is no fault of anybody's."""


@contextmanager
def telling_unread() -> Generator[None, None, None]:
    """Have a closed pipe raise `Unread` within the ``with``: click would end the process with 1, as if it had failed.

    Raises:
        Unread: the reader has left.
        click.ClickException: what is printed goes to a disk that is full, or broken.
    """
    try:
        yield
    except BrokenPipeError as error:
        raise Unread from error
    except OSError as error:
        # A file that was opened by its name is named by its error.
        if error.errno not in _FULL or error.filename is not None:
            raise
        raise click.ClickException(f"what is printed can't be written: {error.strerror}") from error


def with_streams() -> None:
    """Have standard output and standard error end nowhere where the process was started without them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  (until the process ends)


def to_nowhere() -> None:
    """Have a stream that nobody reads end nowhere: what is left in its buffer would fail once more at the very end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _redirect(stream.fileno())


def _redirect(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
