"""Publishers by name, from entry points of the group ``reelpub.publishers``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Protocol, cast, runtime_checkable

from reelpub.clocks import Clock
from reelpub.errors import ConfigurationError
from reelpub.providers.base import Publisher

__all__ = ["OfflineType", "PublisherType", "from_env", "known", "load", "offline"]

GROUP = "reelpub.publishers"

NONE_INSTALLED = (
    "no publisher is installed: reelpub is imported from a folder in which it isn't installed, and publishers are found"
    " by what pip notes of packages; install it, or make the publishers and hand them to the orchestrator"
)


class PublisherType(Protocol):
    """What a publisher's class offers so that it can be found: where its key is, and how to make one from it."""

    env_key: str

    def from_env(self, *, name: str | None = None, clock: Clock | None = None) -> Publisher:
        """Make a publisher from environment variables."""
        ...


@runtime_checkable
class OfflineType(Protocol):
    """What a publisher's class offers where it can check and plan without a key."""

    def offline(self, *, name: str | None = None, clock: Clock | None = None) -> Publisher:
        """Make a publisher that refuses to send anything."""
        ...


def known() -> list[str]:
    """Return the names of the publishers that are installed."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def load(name: str) -> PublisherType:
    """Return the publisher class called *name*.

    Raises:
        ConfigurationError: no such publisher is installed.
    """
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            return cast("PublisherType", entry.load())
    names = ", ".join(known())
    raise ConfigurationError(f"publisher {name!r} isn't installed; there are {names}" if names else NONE_INSTALLED)


def from_env(*, clock: Clock | None = None, environ: Mapping[str, str] | None = None) -> list[Publisher]:
    """Make a publisher for each provider whose key is in the environment.

    Raises:
        ConfigurationError: no key is set, or no publisher is installed.
    """
    environ = os.environ if environ is None else environ
    classes = [load(name) for name in known()]
    if not classes:
        raise ConfigurationError(NONE_INSTALLED)
    publishers = [cls.from_env(clock=clock) for cls in classes if environ.get(cls.env_key)]
    if not publishers:
        keys = " or ".join(sorted(cls.env_key for cls in classes))
        raise ConfigurationError(f"no API key found: set {keys}")
    return publishers


def offline(
    *, clock: Clock | None = None, name: str | None = None, environ: Mapping[str, str] | None = None
) -> list[Publisher]:
    """Make publishers that check and plan without a key and never send: all that are installed, or *name* alone.

    One whose class can't do without its key is made as ever where that is in the environment, and left out otherwise.

    Raises:
        ConfigurationError: no such publisher is installed, or *name* can't do without its key.
    """
    environ = os.environ if environ is None else environ
    made: list[Publisher] = []
    for cls in (load(each) for each in (known() if name is None else [name])):
        if isinstance(cls, OfflineType):
            made.append(cls.offline(clock=clock))
        elif name is not None or environ.get(cls.env_key):
            made.append(cls.from_env(clock=clock))
    return made
