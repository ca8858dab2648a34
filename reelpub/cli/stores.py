"""Where the command's store is, and making it readable by its owner alone."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import click
import platformdirs

from reelpub.store import SqliteStore

__all__ = ["VARIABLE", "default_path", "existing", "opened", "opened_if_there", "path_from", "prepared"]

VARIABLE = "REELPUB_STORE"


def default_path() -> Path:
    """Return where the store is unless another is named."""
    return platformdirs.user_state_path("reelpub", appauthor=False) / "reelpub.db"


def path_from(environ: Mapping[str, str]) -> Path | None:
    """Return the store that the environment names, if it does."""
    named = environ.get(VARIABLE)
    return Path(named) if named else None


def prepared(path: Path | None) -> Path:
    """Return the path of the store to write to, *path* or the default one, made if it isn't there yet.

    A store holds captions and account names, so what is made here can be read by its owner alone. SQLite gives its
    companions (``-wal``, ``-shm``) the same permissions.

    Raises:
        click.UsageError: it can't be made.
    """
    chosen = path or default_path()
    try:
        if path is None:
            chosen.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(chosen, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise click.UsageError(
            f"the store {chosen} can't be written: {error.strerror}; name another with --store FILE or REELPUB_STORE"
        ) from None
    return chosen


def existing(path: Path | None) -> Path:
    """Return the path of the store to read, *path* or the default one.

    Raises:
        click.UsageError: there is none.
    """
    chosen = path or default_path()
    if not chosen.is_file():
        raise click.UsageError(
            f"there is no store {chosen} yet: `reelpub publish FILE` makes one; "
            "name the right one with --store FILE or REELPUB_STORE"
        )
    return chosen


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[SqliteStore, None]:
    """Open the store at *path* for as long as the ``async with`` lasts.

    Raises:
        StoreError: it can't be read or written, or was made by a newer version.
    """
    store = SqliteStore(path)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def opened_if_there(path: Path | None) -> AsyncGenerator[SqliteStore | None, None]:
    """Open the store at *path*, or the default one, as `opened` does; None where there isn't one yet."""
    chosen = path or default_path()
    if not chosen.is_file():
        yield None
        return
    async with opened(chosen) as store:
        yield store
