"""The typed client of ReelMirror: every operation of its API as one method, in its own words."""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from reelpub.clocks import Clock, SystemClock
from reelpub.errors import ConfigurationError
from reelpub.policies.retry import RetryPolicy
from reelpub.providers.options import ClientOptions
from reelpub.providers.reelmirror.client.account import BillingAndKeyCalls
from reelpub.providers.reelmirror.client.accounts import AccountCalls
from reelpub.providers.reelmirror.client.generated import GeneratedCalls
from reelpub.providers.reelmirror.client.personas import PersonaCalls
from reelpub.providers.reelmirror.client.publishing import PublishingCalls
from reelpub.providers.reelmirror.client.sources import SourceCalls
from reelpub.providers.reelmirror.decode import PROVIDER, read_error
from reelpub.transport.abilities import BringsLimiter
from reelpub.transport.http import HttpTransport
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import Transport

if TYPE_CHECKING:
    import aiohttp

__all__ = ["BASE_URL", "RATE_LIMIT", "RATE_WINDOW", "ReelMirrorClient"]

BASE_URL = "https://reelmirror.com/api"

RATE_LIMIT = 60
"""Requests in a window for each API key; see https://reelmirror.com/docs/api-reference/introduction."""

RATE_WINDOW = 60.0
"""Seconds."""


class ReelMirrorClient(PublishingCalls, AccountCalls, GeneratedCalls, PersonaCalls, SourceCalls, BillingAndKeyCalls):
    """Every operation of ReelMirror's v1 API, which the vendor labels beta, for one API key.

    Methods are named after the operations and raise `reelpub.errors`. Those that list yield all rows of all pages;
    beside each stands ``…_page``, which reads one page. Unknown words of a status stay plain text.

    *timeout* is the longest one request may take, in real seconds. A *limiter* may be shared by several clients of
    one key; without one the client paces itself to 60 requests a minute. *retry* says what is repeated, and how often.
    A *session* that is handed in carries what may be repeated, a *fresh_session* everything else, for which the client
    makes connections of its own otherwise: whoever needs a proxy for all of the traffic gives both, the second with a
    ``TCPConnector(force_close=True)``. A *transport* replaces all arguments but *clock*, and brings its limiter along
    where it has one. Nothing that is handed in is closed with the client.

    Made outside a loop or inside one; used in one loop at a time::

        async with ReelMirrorClient(api_key) as client:
            post = await client.get_outgoing_post("…")
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = BASE_URL,
        session: aiohttp.ClientSession | None = None,
        fresh_session: aiohttp.ClientSession | None = None,
        limiter: RateLimiter | None = None,
        clock: Clock | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = 30.0,
        transport: Transport | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        own = transport.limiter if transport is not None and isinstance(transport, BringsLimiter) else None
        self.limiter = limiter or own or RateLimiter(RATE_LIMIT, RATE_WINDOW, clock=self.clock)
        self._owns_transport = transport is None
        self.transport = transport or HttpTransport(
            base_url,
            api_key,
            provider=PROVIDER,
            limiter=self.limiter,
            clock=self.clock,
            session=session,
            fresh_session=fresh_session,
            retry=retry or RetryPolicy(),
            timeout=timeout,
            read_error=read_error,
        )

    @classmethod
    def from_env(
        cls,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        clock: Clock | None = None,
        **options: Unpack[ClientOptions],
    ) -> Self:
        """Make a client for ``REELMIRROR_API_KEY``, at ``REELMIRROR_BASE_URL`` where that is set.

        What is given wins over the environment; *options* are the constructor's.

        Raises:
            ConfigurationError: ``REELMIRROR_API_KEY`` isn't set.
        """
        key = api_key or os.environ.get("REELMIRROR_API_KEY")
        if not key:
            raise ConfigurationError("REELMIRROR_API_KEY isn't set: ReelMirror needs an API key")
        address = base_url or os.environ.get("REELMIRROR_BASE_URL") or BASE_URL
        return cls(key, base_url=address, clock=clock, **options)

    async def close(self) -> None:
        """Close what this client opened; it may be called twice."""
        if self._owns_transport:
            await self.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
