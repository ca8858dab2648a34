"""What every command starts from: the clock, and publishers for the keys in the environment."""

from __future__ import annotations

from pathlib import Path

import click
from attrs import field, frozen

from reelpub.clocks import Clock, SystemClock
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.lateness import Lateness
from reelpub.providers import registry
from reelpub.providers.base import Publisher
from reelpub.store import SqliteStore

__all__ = ["Setup", "orchestrator", "setup_of"]


@frozen(kw_only=True)
class Setup:
    """*clock* is where the present comes from; a test hands in a faster one as click's ``obj``."""

    clock: Clock = field(factory=SystemClock)


def setup_of(context: click.Context) -> Setup:
    """Return the setup that the command was started with, or the usual one."""
    return context.find_object(Setup) or Setup()


def orchestrator(
    setup: Setup, publisher: str | None, *, store: Path | None = None, late: Lateness | None = None
) -> Orchestrator:
    """Return an orchestrator for *publisher* alone, or for each key that is in the environment.

    It notes its jobs in the file *store*, if one is given.

    Raises:
        ConfigurationError: the key isn't set, or no publisher has that name.
    """
    noted = None if store is None else SqliteStore(store)
    return Orchestrator(_publishers(setup.clock, publisher), clock=setup.clock, store=noted, late=late)


def _publishers(clock: Clock, name: str | None) -> list[Publisher]:
    if name is None:
        return registry.from_env(clock=clock)
    return [registry.load(name).from_env(clock=clock)]
