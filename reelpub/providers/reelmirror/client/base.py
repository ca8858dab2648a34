"""What the parts of the client share: sending a request and reading its answer."""

from __future__ import annotations

from typing import Any, TypeVar

from reelpub.clocks import Clock
from reelpub.providers.reelmirror.decode import Page, decode_json, decode_one, decode_optional, decode_page
from reelpub.transport.message import CallOptions, Request, Transport

__all__ = ["Calls"]

T = TypeVar("T")


class Calls:
    """Sends requests through `transport` and reads the answers."""

    transport: Transport
    clock: Clock

    async def _one(self, request: Request, type_: type[T], options: CallOptions | None) -> T:
        response = await self.transport.send(request, options)
        return decode_one(response, type_, operation=request.operation)

    async def _optional(self, request: Request, type_: type[T], options: CallOptions | None) -> T | None:
        response = await self.transport.send(request, options)
        return decode_optional(response, type_, operation=request.operation)

    async def _page(self, request: Request, type_: type[T], offset: int, options: CallOptions | None) -> Page[T]:
        response = await self.transport.send(request, options)
        return decode_page(response, type_, operation=request.operation, offset=offset)

    async def _json(self, request: Request, options: CallOptions | None) -> Any:
        response = await self.transport.send(request, options)
        return decode_json(response, operation=request.operation)

    async def _nothing(self, request: Request, options: CallOptions | None) -> None:
        await self.transport.send(request, options)
