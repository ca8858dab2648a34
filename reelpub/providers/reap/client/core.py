"""What all of the client's operations share: the transport, and reading one answer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self, TypeVar

from reelpub.clocks import Clock, SystemClock
from reelpub.errors import ConfigurationError
from reelpub.policies.retry import RetryPolicy
from reelpub.providers.reap.decode import PROVIDER, decode, decode_deleted, read_error
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
        limiter: RateLimiter | None = None,
        clock: Clock | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = 30.0,
        transport: Transport | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.limiter = limiter or RateLimiter(RATE_LIMIT, RATE_WINDOW, clock=self.clock)
        self._owns_transport = transport is None
        self.transport: Transport = transport or HttpTransport(
            base_url,
            api_key,
            provider=PROVIDER,
            limiter=self.limiter,
            clock=self.clock,
            session=session,
            retry=retry or RetryPolicy(),
            timeout=timeout,
            read_error=read_error,
        )

    @classmethod
    def from_env(cls, **kwargs: Any) -> Self:
        """Return a client with the key in ``REAP_API_KEY`` and, where it is set, the address in ``REAP_BASE_URL``.

        *kwargs* are the constructor's and win over the environment. Raises `ConfigurationError` that names the
        missing variable.
        """
        api_key = kwargs.pop("api_key", None) or os.environ.get("REAP_API_KEY")
        if not api_key:
            raise ConfigurationError("REAP_API_KEY: the environment variable isn't set")
        base_url = os.environ.get("REAP_BASE_URL")
        if base_url:
            kwargs.setdefault("base_url", base_url)
        return cls(api_key, **kwargs)

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
