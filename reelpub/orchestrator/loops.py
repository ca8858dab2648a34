"""Which event loop things belong to: what is called from another thread or loop is told so before anything happens."""

from __future__ import annotations

import asyncio

from reelpub.errors import ConfigurationError

__all__ = ["require_loop", "running_loop"]


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def require_loop(what: str, loop: asyncio.AbstractEventLoop | None) -> None:
    """Check that *loop*, to which *what* belongs, is the one that runs here.

    Raises:
        ConfigurationError: another one runs here, or none, as in a thread of a pool.
    """
    if running_loop() is not loop:
        raise ConfigurationError(
            f"{what} belongs to one event loop and its thread; from another, ask that loop,"
            " as with asyncio.run_coroutine_threadsafe"
        )
