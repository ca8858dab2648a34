"""Uploads to presigned addresses: streamed from disk, without the API key, outside the rate limit.

The storage is Amazon S3's or speaks its language: it wants a `Content-Length`, refuses chunked bodies, and binds
the `Content-Type` into the signature (observed at Reap). The query of a presigned address is a secret.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import anyio
from attrs import define
from yarl import URL

from reelpub.clocks import Clock
from reelpub.errors import APIStatusError, ConfigurationError, ReelPubError, TransportError, status_error
from reelpub.policies.retry import GiveUp, RetryPolicy
from reelpub.policies.safety import RequestKind
from reelpub.transport.address import check_url
from reelpub.transport.body import read_up_to
from reelpub.transport.faults import Flight, translate
from reelpub.transport.sessions import Sessions

__all__ = ["Uploader"]

OPERATION = "put_file"
CHUNK = 256 * 1024
_ERROR_BYTES = 8192
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,60})</Code>")


@define
class _Source:
    """One reading of the file, which must keep the size that was announced."""

    path: Path
    size: int
    progress: Callable[[int, int], None] | None
    has_changed: bool = False

    async def chunks(self, file: anyio.AsyncFile[bytes]) -> AsyncIterator[bytes]:
        sent = 0
        while sent < self.size:
            chunk = await file.read(min(CHUNK, self.size - sent))
            if not chunk:
                self.has_changed = True
                raise EOFError("the file is shorter than it was")
            yield chunk
            sent += len(chunk)
            if self.progress is not None:
                self.progress(sent, self.size)


class Uploader:
    """Puts files at presigned addresses; a failed one is begun again, since a PUT has one effect however often."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        provider: str,
        retry: RetryPolicy,
        clock: Clock,
        timeout: float,
        random: Callable[[], float],
        allow_insecure: bool,
    ) -> None:
        self._sessions = sessions
        self._provider = provider
        self._retry = retry
        self._clock = clock
        self._timeout = timeout
        self._random = random
        self._allow_insecure = allow_insecure

    async def put(
        self,
        url: str,
        path: Path,
        *,
        content_type: str,
        progress: Callable[[int, int], None] | None = None,
        timeout: float | None = None,
    ) -> None:
        """Send the file; *timeout* bounds each attempt in real seconds, silence of the server is bounded anyhow."""
        target = check_url(url, "url", allow_insecure=self._allow_insecure, percent_encoded=True)
        attempt = 0
        while True:
            attempt += 1
            try:
                source = _Source(path, await _size(path), progress)
                return await self._once(target, source, content_type, timeout)
            except ReelPubError as error:
                decision = self._retry.decide(RequestKind.IDEMPOTENT, error, attempt, random=self._random())
                if isinstance(decision, GiveUp):
                    raise
            await self._clock.sleep(decision.delay)

    async def _once(self, url: URL, source: _Source, content_type: str, timeout: float | None) -> None:
        session, is_traced = self._sessions.pick(RequestKind.OTHER_WRITE)
        flight = Flight(OPERATION, self._provider, is_traced, is_whole=False)
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(session, url, source, content_type, flight)
        except (aiohttp.ClientError, OSError) as exc:
            failure = self._failure(exc, source, flight)
        raise failure

    def _failure(self, exc: BaseException, source: _Source, flight: Flight) -> TransportError:
        if source.has_changed:
            words = f"{source.path.name} became shorter while it was sent"
            return TransportError(words, operation=OPERATION, provider=self._provider, sent=None)
        return translate(exc, flight)

    async def _exchange(
        self, session: aiohttp.ClientSession, url: URL, source: _Source, content_type: str, flight: Flight
    ) -> None:
        async with (
            # Not inside the generator: nobody closes that when the storage answers before it has everything.
            await anyio.open_file(source.path, "rb") as file,
            session.put(
                url,
                data=source.chunks(file) if source.size else b"",
                headers={"Content-Type": content_type, "Content-Length": str(source.size)},
                allow_redirects=False,
                middlewares=(flight.once,),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=self._timeout),
                trace_request_ctx=flight,
            ) as response,
        ):
            if not 200 <= response.status < 300:
                raise await self._refusal(response)

    async def _refusal(self, response: aiohttp.ClientResponse) -> APIStatusError:
        """Return the storage's refusal by its code alone: its words may repeat the signature."""
        body, _ = await read_up_to(response, _ERROR_BYTES)
        match = _CODE.search(body)
        code = match.group(1).decode() if match else None
        words = f"the storage at {response.url.host} refuses the file"
        return status_error(response.status, words, operation=OPERATION, provider=self._provider, code=code)


async def _size(path: Path) -> int:
    try:
        return (await anyio.Path(path).stat()).st_size
    except OSError as exc:
        raise ConfigurationError(f"path: {path} can't be read: {exc.strerror}") from None
