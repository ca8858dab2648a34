"""The sandbox itself: both providers on two ports of the loopback, inside the caller's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from aiohttp import web
from attrs import frozen

from reelpub.clocks import Clock, SystemClock
from reelpub.sandbox import seed as seeds
from reelpub.sandbox.connections import Connections
from reelpub.sandbox.control import CONTROL_PREFIX, control
from reelpub.sandbox.dialect import ReapDialect, ReelMirrorDialect
from reelpub.sandbox.faults import Fault, FaultBook
from reelpub.sandbox.keys import KeyRing
from reelpub.sandbox.ledger import Ledger, LiveRecord
from reelpub.sandbox.limits import RateLimit
from reelpub.sandbox.provider import Provider
from reelpub.sandbox.reap import ReapProvider
from reelpub.sandbox.records import RequestRecord
from reelpub.sandbox.reelmirror import ReelMirrorProvider
from reelpub.sandbox.shell import Observer, Shell
from reelpub.sandbox.uploads import UPLOAD_PREFIX, UploadRecord, take_upload

__all__ = ["DEFAULT_LIMITS", "PROVIDERS", "Sandbox", "run_forever"]

PROVIDERS = ("reelmirror", "reap")
DEFAULT_LIMITS: Mapping[str, RateLimit | None] = {"reelmirror": RateLimit(limit=60), "reap": RateLimit(limit=10)}
"""The documented limits, a minute, counted in fixed windows."""

_BACKLOG = 4096
"""Connections that may wait to be accepted: a large batch opens as many, and one too many looks like a dead line."""

_SHUTDOWN_SECONDS = 0.2


class Sandbox:
    """ReelMirror and Reap as local servers; use it with ``async with``, or `start` and `close` it.

    - *clock* says what time it is at the providers; it never makes anything wait.
    - *seed* makes ids and durations repeat.
    - *reelmirror*, *reap* choose the dialects.
    - *limits* by provider's name; a missing one is as documented, None switches it off.
    - *keys* are API keys to accept beside the seeded ones, at both providers and for everything.
    - *ports* by provider's name; 0 or missing takes a free one.
    - *keepalive* is how many seconds of the loop an unused connection stays open.
    - *observer* is given every exchange, whole.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int = 1,
        reelmirror: ReelMirrorDialect | None = None,
        reap: ReapDialect | None = None,
        limits: Mapping[str, RateLimit | None] | None = None,
        keys: Iterable[str] = (),
        host: str = "127.0.0.1",
        ports: Mapping[str, int] | None = None,
        keepalive: float = 75.0,
        observer: Observer | None = None,
    ) -> None:
        self.clock = clock if clock is not None else SystemClock()
        self.seed = seed
        self.reelmirror_dialect = reelmirror if reelmirror is not None else ReelMirrorDialect()
        self.reap_dialect = reap if reap is not None else ReapDialect()
        self.limits = {**DEFAULT_LIMITS, **(limits or {})}
        self.host, self.keepalive = host, keepalive
        self.ports = {name: (ports or {}).get(name, 0) for name in PROVIDERS}
        self.faults, self.ledger = FaultBook(), Ledger()
        self._observer = observer
        self._uploads: list[UploadRecord] = []
        extra = list(keys)
        self._shells = {shell.provider.name: shell for shell in (self._reelmirror(extra), self._reap(extra))}
        self._sites: dict[str, _Site] = {}
        self._closing = asyncio.Event()

    def _reelmirror(self, extra: list[str]) -> Shell:
        keys = KeyRing(seeds.REELMIRROR_KEYS, extra)
        provider = ReelMirrorProvider(self.reelmirror_dialect, self.seed, self.ledger, self.faults, keys)
        return self._shell(provider, keys)

    def _reap(self, extra: list[str]) -> Shell:
        keys = KeyRing(seeds.REAP_KEYS, extra)
        provider = ReapProvider(self.reap_dialect, self.seed, self.ledger, self.faults, keys)
        return self._shell(provider, keys, limit_per_endpoint=self.reap_dialect.limit_scope == "endpoint")

    def _shell(self, provider: Provider, keys: KeyRing, *, limit_per_endpoint: bool = False) -> Shell:
        return Shell(
            provider,
            keys,
            self.limits[provider.name],
            clock=self.clock,
            faults=self.faults,
            limit_per_endpoint=limit_per_endpoint,
            observer=self._observer,
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Begin to listen. Raises `OSError` if a port is taken; nothing is left open then."""
        self._closing = asyncio.Event()
        try:
            for name, shell in self._shells.items():
                self._sites[name] = await self._listen(shell, self.ports[name])
        except BaseException:
            await self.close()
            raise

    async def _listen(self, shell: Shell, port: int) -> _Site:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return await self._route(request, shell, connections)

        # handler_cancellation ends a handler that hangs when its client leaves.
        server = web.Server(handle, handler_cancellation=True, access_log=None, keepalive_timeout=self.keepalive)
        connections = Connections(lambda: server.connections)
        runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, port, backlog=_BACKLOG).start()
        except BaseException:
            await runner.cleanup()
            raise
        site = _Site(runner=runner, origin=f"http://{self.host}:{runner.addresses[0][1]}")
        shell.provider.set_origin(site.origin)
        return site

    async def _route(self, request: web.BaseRequest, shell: Shell, connections: Connections) -> web.StreamResponse:
        if request.path.startswith(CONTROL_PREFIX):
            return await control(self, shell.provider.name, request)
        if request.path.startswith(UPLOAD_PREFIX):
            shell.advance(self.clock.time())
            return await take_upload(shell.provider, request, self._uploads)
        return await shell.answer(request, connections.note(request.protocol), self._closing)

    async def close(self) -> None:
        """Stop listening and end every connection, also those that hang. What was recorded stays readable."""
        self._closing.set()
        sites, self._sites = self._sites, {}
        for site in sites.values():
            await site.runner.cleanup()

    @property
    def reelmirror_url(self) -> str:
        """ReelMirror's base address, with ``/api``. Raises `RuntimeError` while the sandbox isn't running."""
        return self.base_url("reelmirror")

    @property
    def reap_url(self) -> str:
        """Reap's base address, with ``/api/v1/automation``. Raises `RuntimeError` while the sandbox isn't running."""
        return self.base_url("reap")

    def base_url(self, provider: str) -> str:
        """Return *provider*'s base address. Raises `RuntimeError` while the sandbox isn't running."""
        return self.origin(provider) + self._shells[provider].provider.base_path

    def origin(self, provider: str) -> str:
        """Return *provider*'s origin, ``http://127.0.0.1:PORT``. Raises `RuntimeError` while it isn't running."""
        if provider not in self._sites:
            raise RuntimeError("the sandbox isn't running")
        return self._sites[provider].origin

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point a client at this sandbox."""
        return {
            "REELMIRROR_API_KEY": seeds.REELMIRROR_KEY,
            "REAP_API_KEY": seeds.REAP_KEY,
            "REELMIRROR_BASE_URL": self.reelmirror_url,
            "REAP_BASE_URL": self.reap_url,
        }

    def order(self, *faults: Fault) -> None:
        """Order *faults*, to happen in turn.

        Raises `ValueError` if one of them names a provider or an operation that there isn't; none is ordered then.
        """
        operations = {name: shell.contract.operations for name, shell in self._shells.items()}
        for fault in faults:
            fault.require_names(operations)
        for fault in faults:
            self.faults.order(fault)

    def live(self, provider: str | None = None, key: str | None = None) -> list[LiveRecord]:
        """Return what is live by now, of *provider* and *key* alone where they are given."""
        self.advance()
        return self.ledger.live(provider, key)

    def duplicates(self, provider: str | None = None, key: str | None = None) -> list[LiveRecord]:
        """Return what went live on an account where the same source was live already."""
        self.advance()
        return self.ledger.duplicates(provider, key)

    def advance(self) -> None:
        """Let everything happen that is due by now. Every call does it, so it is seldom needed."""
        now = self.clock.time()
        for shell in self._shells.values():
            shell.advance(now)

    def requests(self, provider: str | None = None) -> list[RequestRecord]:
        """Return every request of *provider*, or of both, in the order of their arrival at each."""
        return [record for name, shell in self._shells.items() if provider in (None, name) for record in shell.records]

    def rejections(self, provider: str | None = None) -> int:
        """Return how many requests the rate limit itself refused; ordered 429s don't count."""
        return sum(record.limited for record in self.requests(provider))

    def uploads(self) -> list[UploadRecord]:
        """Return every PUT to a presigned address, refused ones among them."""
        return list(self._uploads)

    def connect_account(self, provider: str, account: seeds.AccountSeed) -> None:
        """Connect *account* at *provider*, or replace the one with its id (to let it expire, for instance)."""
        self._shells[provider].provider.add_account(account)


@frozen(kw_only=True)
class _Site:
    """A provider's running server."""

    runner: web.ServerRunner
    origin: str


async def run_forever(
    sandbox: Sandbox,
    ports: Mapping[str, int] | None = None,
    *,
    on_start: Callable[[Sandbox], None] | None = None,
) -> None:
    """Serve *sandbox* until cancelled, on *ports* by provider's name; *on_start* is called once it listens.

    Raises `OSError` if a port is taken.
    """
    sandbox.ports = {**sandbox.ports, **(ports or {})}
    async with sandbox:
        if on_start is not None:
            on_start(sandbox)
        await asyncio.Event().wait()
