"""What is known of each open connection: how often it was used, and whether its next use is to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import define

__all__ = ["Connection", "Connections"]

_TIDY_AT = 1000


@define
class Connection:
    """One TCP connection. `is_doomed` makes the server close it when the next request arrives on it."""

    requests: int = 0
    is_doomed: bool = False

    @property
    def is_reused(self) -> bool:
        """Whether the present request isn't the connection's first."""
        return self.requests > 1


class Connections:
    """The connections of one server, by aiohttp's protocol object.

    *alive* lists the protocols that are still open; the closed ones are forgotten now and then.
    """

    def __init__(self, alive: Callable[[], Iterable[Any]]) -> None:
        self._alive = alive
        self._known: dict[Any, Connection] = {}

    def note(self, protocol: Any) -> Connection:
        """Count one request on *protocol* and return its connection."""
        connection = self._known.get(protocol)
        if connection is None:
            if len(self._known) >= _TIDY_AT:
                self._tidy()
            connection = self._known[protocol] = Connection()
        connection.requests += 1
        return connection

    def _tidy(self) -> None:
        alive = set(self._alive())
        self._known = {protocol: known for protocol, known in self._known.items() if protocol in alive}
