"""A process that dies of a call: before it leaves, with the answer in hand, or right after the note of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from attrs import define, evolve, field

from faults import AFTER_NOTE, BEFORE_NOTE, BEFORE_SEND
from reelpub import StoreError
from reelpub.store import SqliteStore
from reelpub.transport.message import CallOptions, Request, Response

__all__ = ["Doom", "DoomedStore", "DoomedTransport"]


@define(eq=False)
class Doom:
    """Where a process dies: at the moment named, of the first `call`. `struck` is set when it has."""

    call: str
    moment: str
    has_answer: bool = False
    struck: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def strike(self) -> None:
        """Die: nothing after this runs."""
        self.struck.set()
        await asyncio.Event().wait()


class DoomedTransport:
    """A transport whose process dies before a request leaves, or when its answer has come."""

    def __init__(self, inner: Any, doom: Doom) -> None:
        self._inner, self._doom = inner, doom

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def send(self, request: Request, options: CallOptions | None = None) -> Response:
        """Send *request*, or die of it."""
        doom = self._doom
        if request.operation != doom.call:
            return await self._inner.send(request, options)
        if doom.moment == BEFORE_SEND:
            options = self._dying(options or CallOptions())
        response = await self._inner.send(request, options)
        doom.has_answer = True
        if doom.moment == BEFORE_NOTE:
            await doom.strike()
        return response

    def _dying(self, options: CallOptions) -> CallOptions:
        async def before_send() -> None:
            if options.before_send is not None:
                await options.before_send()
            await self._doom.strike()

        return evolve(options, before_send=before_send)


class DoomedStore(SqliteStore):
    """A store whose process dies after the first note that is made once the answer has come; then it takes nothing."""

    def __init__(self, path: Path, doom: Doom) -> None:
        super().__init__(path)
        self._doom = doom

    async def put(self, parts: Any, **by: Any) -> None:
        await super().put(parts, **by)
        if self._doom.has_answer and self._doom.moment == AFTER_NOTE:
            await self._doom.strike()

    async def _write(self, write: Any) -> Any:
        if self._doom.struck.is_set():
            raise StoreError("the process is dead")
        return await super()._write(write)
