"""What every command starts from: the clock, and publishers for the keys in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import click
from attrs import field, frozen

from reelpub.clocks import Clock, ScaledClock, SystemClock, utc_now
from reelpub.errors import ConfigurationError
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.lateness import Lateness
from reelpub.providers import registry
from reelpub.providers.base import Publisher
from reelpub.store import SqliteStore

__all__ = ["CLOCK", "Setup", "clock_from", "orchestrator", "publishers", "setup_of"]

CLOCK = "REELPUB_SANDBOX_CLOCK"
"""The variable that `reelpub sandbox --speed` prints: how many times as fast time runs there, and since when."""

_SEND_TIMEOUT = 30.0
_LEAST_SEND_TIMEOUT = 2.0
"""Real seconds; at a sandbox on this machine nothing is under way for longer."""


@frozen(kw_only=True)
class Setup:
    """*clock* is where the present comes from; a test hands in a faster one as click's ``obj``."""

    clock: Clock = field(factory=SystemClock)


def setup_of(context: click.Context) -> Setup:
    """Return the setup that the command was started with, or the usual one."""
    return context.find_object(Setup) or Setup(clock=clock_from(os.environ))


def clock_from(environ: Mapping[str, str]) -> Clock:
    """Return the machine's clock, or a sandbox's fast one where the environment names it: ``30@1767225600.0``.

    A fast clock counts the limit of a real service wrongly, so it is taken only where every key goes with an address
    on this machine.

    Raises:
        click.UsageError: it is no such text, or a key would be used elsewhere than on this machine.
    """
    text = environ.get(CLOCK, "").strip()
    if not text:
        return SystemClock()
    for name in sorted(registry.known()):
        prefix = name.upper()
        if environ.get(f"{prefix}_API_KEY") and not _is_here(environ.get(f"{prefix}_BASE_URL", "")):
            raise click.UsageError(
                f"{CLOCK} is for a sandbox on this machine alone, and {prefix}_BASE_URL isn't one: unset {CLOCK}"
            )
    scale, _, origin = text.partition("@")
    try:
        clock = ScaledClock(float(scale), origin=float(origin))
        utc_now(clock)
    except (ValueError, OverflowError, OSError):
        raise click.UsageError(f"{CLOCK}: {text!r} isn't what `reelpub sandbox --speed` prints; unset it") from None
    return clock


def _is_here(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def orchestrator(
    setup: Setup,
    publisher: str | None,
    *,
    store: Path | SqliteStore | None = None,
    late: Lateness | None = None,
    made: Sequence[Publisher] | None = None,
) -> Orchestrator:
    """Return an orchestrator for *publisher* alone, or for each key that is in the environment, or for those *made*.

    It notes its jobs in *store*, if one is given.

    Raises:
        ConfigurationError: the key isn't set, or no publisher has that name.
    """
    noted = SqliteStore(store) if isinstance(store, Path) else store
    scale = getattr(setup.clock, "scale", 1.0)
    return Orchestrator(
        publishers(setup.clock, publisher) if made is None else made,
        clock=setup.clock,
        store=noted,
        late=late,
        # It is part of how long a lost answer is waited for, which should be fast where everything is.
        send_timeout=max(_LEAST_SEND_TIMEOUT, _SEND_TIMEOUT / scale),
    )


def publishers(clock: Clock, name: str | None) -> list[Publisher]:
    """Return the publisher called *name* alone, or one for each key that is in the environment.

    Raises:
        ConfigurationError: the key isn't set, or no publisher has that name.
    """
    try:
        return registry.from_env(clock=clock) if name is None else [registry.load(name).from_env(clock=clock)]
    except ConfigurationError as error:
        raise _with_variable(error, name) from error


def _with_variable(error: ConfigurationError, name: str | None) -> ConfigurationError:
    """Return *error*; where it is about a key or an address, it names the environment variable that has it."""
    field, colon, what = str(error).partition(":")
    if not colon or field not in ("api_key", "base_url"):
        return error
    for one in registry.known() if name is None else [name]:
        cls = registry.load(one)
        variable = cls.env_key if field == "api_key" else f"{one.upper()}_BASE_URL"
        if (name is not None or os.environ.get(cls.env_key)) and _raises(cls, str(error)):
            return ConfigurationError(f"{variable}:{what}")
    return error


def _raises(cls: registry.PublisherType, message: str) -> bool:
    """Return whether making a publisher of *cls* raises just that: one that is made has opened nothing yet."""
    try:
        cls.from_env()
    except ConfigurationError as error:
        return str(error) == message
    return False
