"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

__all__ = ["replace"]


def replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Have *write* make the content of *path*; what was there before stays until all of it is written.

    A link stays one, and what it leads to is replaced. A device or a pipe is written to, as it can't be replaced.

    Raises:
        OSError: it can't be written there.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            write(stream)
        return
    place = Path(os.path.realpath(path))
    beside = place.with_name(f".{place.name}.{token_hex(4)}.part")
    try:
        with beside.open("xb") as stream:
            write(stream)
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
