"""A transport that sends nothing: for a publisher that only checks and plans, and needs no key for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reelpub.errors import ConfigurationError
from reelpub.transport.message import CallOptions, Request, Response

__all__ = ["OfflineTransport"]


class OfflineTransport:
    """Refuses every request of *provider* with `ConfigurationError`; no address and no key is known to it."""

    def __init__(self, provider: str) -> None:
        self.provider = provider

    async def send(self, request: Request, options: CallOptions | None = None) -> Response:
        raise ConfigurationError(f"{self.provider} {request.operation}: this publisher is offline and sends nothing")

    async def put_file(
        self,
        url: str,
        path: Path,
        *,
        content_type: str,
        progress: Callable[[int, int], None] | None = None,
        timeout: float | None = None,
    ) -> None:
        raise ConfigurationError(f"{self.provider} {path.name}: this publisher is offline and sends nothing")

    async def close(self) -> None:
        pass
