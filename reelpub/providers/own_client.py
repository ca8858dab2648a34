"""What a publisher has by its one client: its closing, and what the client's transport tells of itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from reelpub.transport.abilities import CountsRequests, KnowsReach
from reelpub.transport.message import Transport

__all__ = ["Client", "OwnsClient"]


class Client(Protocol):
    """Sends through a transport."""

    transport: Transport

    async def close(self) -> None:
        """Close what the client made for itself."""
        ...


C = TypeVar("C", bound=Client)


class OwnsClient(Generic[C]):
    """A publisher named *name* that closes its *client* with itself."""

    def __init__(self, client: C, name: str) -> None:
        self.client = client
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.client.close()

    @property
    def requests(self) -> Mapping[str, int]:
        """How many requests of each operation were sent, retries included; empty where the transport doesn't count."""
        transport = self.client.transport
        return dict(transport.requests) if isinstance(transport, CountsRequests) else {}

    @property
    def unreached_for(self) -> float | None:
        """Seconds out of the provider's reach; None while it isn't, and where the transport doesn't know."""
        transport = self.client.transport
        return transport.unreached_for if isinstance(transport, KnowsReach) else None
