"""What all of the client's operations share: the transport, and reading one answer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

from reelpub.clocks import Clock, SystemClock
from reelpub.errors import ConfigurationError
from reelpub.policies.retry import RetryPolicy
from reelpub.providers.options import ClientOptions
from reelpub.providers.reap.decode import PROVIDER, decode, decode_deleted, read_error
from reelpub.transport.abilities import BringsLimiter
from reelpub.transport.http import HttpTransport
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import CallOptions, Request, Transport

if TYPE_CHECKING:
    import aiohttp

__all__ = ["BASE_URL", "RATE_LIMIT", "RATE_WINDOW", "ClientCore"]

T = TypeVar("T")

BASE_URL = "https://public.reap.video/api/v1/automation"
RATE_LIMIT = 10
"""Requests in each window of one key, over all operations by the safe reading of the docs."""
RATE_WINDOW = 60.0
"""Seconds."""


class ClientCore:
    """Construction, closing, and the way of a request to its typed answer."""

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
        self.clock: Clock = clock or SystemClock()
        own = transport.limiter if transport is not None and isinstance(transport, BringsLimiter) else None
        self.limiter = limiter or own or RateLimiter(RATE_LIMIT, RATE_WINDOW, clock=self.clock)
        self._owns_transport = transport is None
        self.transport: Transport = transport or HttpTransport(
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
        """Make a client for ``REAP_API_KEY``, at ``REAP_BASE_URL`` where that is set.

        What is given wins over the environment; *options* are the constructor's.

        Raises:
            ConfigurationError: ``REAP_API_KEY`` isn't set.
        """
        key = api_key or os.environ.get("REAP_API_KEY")
        if not key:
            raise ConfigurationError("REAP_API_KEY: the environment variable isn't set")
        address = base_url or os.environ.get("REAP_BASE_URL") or BASE_URL
        return cls(key, base_url=address, clock=clock, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what this client opened itself; a transport or session that was given stays open."""
        if self._owns_transport:
            await self.transport.close()

    async def _call(self, request: Request, type_: type[T], options: CallOptions | None) -> T:
        response = await self.transport.send(request, options)
        return decode(response, type_, operation=request.operation)

    async def _delete(self, request: Request, type_: type[T], options: CallOptions | None) -> T:
        response = await self.transport.send(request, options)
        return decode_deleted(response, type_, operation=request.operation)
