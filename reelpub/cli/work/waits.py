"""Waits for a provider's limit, told on standard error while a command has nothing else to show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import click
from attrs import define, field

from reelpub.cli.durations import spoken
from reelpub.cli.show.printable import clean
from reelpub.clocks import Clock
from reelpub.providers.base import Publisher
from reelpub.transport.standing import Hold

__all__ = ["telling_waits"]

_LEAST: Final = 3.0
"""Seconds that a person waits without wondering."""


@contextmanager
def telling_waits(publishers: Iterable[Publisher], clock: Clock) -> Iterator[None]:
    """Say so whenever one of *publishers* has to wait longer than 3 s for its limit, once for each wait."""
    with ExitStack() as stack:
        for publisher in publishers:
            stack.callback(publisher.limiter.add_hold_listener(_Teller(publisher.name, clock)))
        yield


@define
class _Teller:
    name: str
    clock: Clock
    _until: float = field(default=0.0, init=False)

    def __call__(self, hold: Hold) -> None:
        now = self.clock.monotonic()
        # Everybody who joins a wait is told of it; one who asks again a moment before its end waits anew.
        if hold.delay <= _LEAST or now < self._until - _LEAST:
            return
        self._until = now + hold.delay
        click.echo(clean(f"{self.name}: waits for its rate limit, about {spoken(hold.delay)}"), err=True)
