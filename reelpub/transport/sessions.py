"""Sessions and the connections under them: one pool for what may be repeated, fresh connections for what may not.

A pooled connection can be dead without anybody knowing. aiohttp then sends GET, PUT and DELETE again by itself,
past limiter and journal, and fails POST and PATCH with the outcome unknown (both measured). So a request is let
through once (`Flight.once`), and what must not be repeated never meets a pooled connection.
"""

from __future__ import annotations

import asyncio

import aiohttp

from reelpub.errors import ConfigurationError
from reelpub.policies.safety import RequestKind
from reelpub.transport.faults import ToldRequest, trace_config

__all__ = ["Sessions"]

KEEPALIVE = 15.0
"""Seconds for which an idle connection is kept for reads; servers commonly close after 15 to 75."""


class Sessions:
    """Two sessions, made inside the running loop when first needed; injected ones are used and never closed.

    The connectors set no limit of their own, since the limiter decides how many requests are under way.
    """

    def __init__(self, pooled: aiohttp.ClientSession | None = None, fresh: aiohttp.ClientSession | None = None) -> None:
        self._injected = {"pooled": pooled, "fresh": fresh}
        self._own: dict[str, aiohttp.ClientSession] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def pick(self, kind: RequestKind) -> tuple[aiohttp.ClientSession, bool]:
        """Return the session for a request of *kind*, and whether it tells how far a request has come."""
        # Compared rather than looked up: the hash of an enum's member is Python code.
        return self._get("pooled" if kind is RequestKind.READ or kind is RequestKind.IDEMPOTENT else "fresh")

    def _get(self, name: str) -> tuple[aiohttp.ClientSession, bool]:
        if self._closed:
            raise ConfigurationError("the transport is closed")
        injected = self._injected[name]
        if injected is not None:
            return injected, False
        self._check_loop()
        if name not in self._own:
            self._own[name] = self._make(name)
        return self._own[name], True

    def _check_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._own and self._loop is not loop:
            raise ConfigurationError("the transport's connections belong to another event loop; make one for each loop")
        self._loop = loop

    def _make(self, name: str) -> aiohttp.ClientSession:
        jar = aiohttp.DummyCookieJar()
        if name == "pooled":
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE)
            return aiohttp.ClientSession(connector=connector, cookie_jar=jar, request_class=ToldRequest)
        # What goes live is told by aiohttp's documented trace, whatever it costs.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        return aiohttp.ClientSession(connector=connector, cookie_jar=jar, trace_configs=[trace_config()])

    async def close(self) -> None:
        """Close what was made here; requests under way fail. May be called again."""
        self._closed = True
        own, self._own = list(self._own.values()), {}
        for session in own:
            await session.close()
