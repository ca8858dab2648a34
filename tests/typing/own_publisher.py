"""A class with the right members is a `Publisher` to a checker, without inheriting. Checked, never run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from reelpub import (
    Account,
    CallOptions,
    CancelResult,
    Capabilities,
    Clock,
    Post,
    Problem,
    ProviderLimits,
    Publisher,
    PublishRequest,
    RateLimiter,
    ReapPublisher,
    ReelMirrorPublisher,
)
from reelpub.models.job import Part, Prepared
from reelpub.providers.base import (
    SupportsBulkRead,
    SupportsCancel,
    SupportsCaptions,
    SupportsDelete,
    SupportsFindDuplicate,
    SupportsReschedule,
    SupportsRetryFailed,
    SupportsSchedule,
)
from reelpub.sandbox import Sandbox
from reelpub.testing import InMemoryPublisher, run_virtual


class Methods:
    """What a publisher does, at the least."""

    @property
    def requests(self) -> Mapping[str, int]:
        """Count nothing."""
        return {}

    def check(self, request: PublishRequest) -> Sequence[Problem]:
        """Find nothing."""
        raise NotImplementedError

    async def accounts(self, *, refresh: bool = False) -> Sequence[Account]:
        """Have none."""
        raise NotImplementedError

    def plan(self, request: PublishRequest, accounts: Sequence[Account]) -> Sequence[tuple[Account, ...]]:
        """Plan nothing."""
        raise NotImplementedError

    async def prepare(self, part: Part) -> Prepared:
        """Prepare nothing."""
        raise NotImplementedError

    async def publish(self, prepared: Prepared, options: CallOptions | None = None) -> Post:
        """Publish nothing."""
        raise NotImplementedError

    async def fetch(self, post_id: str) -> Post:
        """Fetch nothing."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close nothing."""

    async def cancel(self, post_id: str) -> CancelResult:
        """Cancel nothing."""
        raise NotImplementedError


class Own(Methods):
    """The least that a publisher is."""

    def __init__(self, limiter: RateLimiter, capabilities: Capabilities) -> None:
        self.name = "own"
        self.provider = "own"
        self.capabilities = capabilities
        self.limits = ProviderLimits(requests=1)
        self.limiter = limiter


@frozen(kw_only=True)
class Fixed(Methods):
    """One whose members can't be set."""

    name: str
    provider: str
    capabilities: Capabilities
    limits: ProviderLimits
    limiter: RateLimiter


def it_fits(own: Own, fixed: Fixed) -> tuple[Publisher, SupportsCancel, Publisher]:
    """The protocols are structural, and what they only read may be frozen."""
    return own, own, fixed


def reap_fits(
    publisher: ReapPublisher,
) -> tuple[Publisher, SupportsSchedule, SupportsRetryFailed, SupportsReschedule, SupportsDelete, SupportsBulkRead]:
    """Reap's has these."""
    return publisher, publisher, publisher, publisher, publisher, publisher


def reelmirror_fits(
    publisher: ReelMirrorPublisher,
) -> tuple[Publisher, SupportsSchedule, SupportsRetryFailed, SupportsCaptions, SupportsFindDuplicate]:
    """ReelMirror's has these."""
    return publisher, publisher, publisher, publisher, publisher


def memory_fits(publisher: InMemoryPublisher) -> tuple[Publisher, SupportsSchedule, SupportsBulkRead]:
    """So does the one in memory."""
    return publisher, publisher, publisher


async def in_virtual_time(clock: Clock) -> datetime:
    """A function of the clock is what `run_virtual` takes; it returns what the function returns."""
    async with Sandbox(clock=clock) as sandbox:
        assert sandbox.live() == []
    return datetime.now().astimezone()


def run() -> datetime:
    """The result's type is kept."""
    return run_virtual(in_virtual_time)
