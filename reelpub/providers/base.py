"""What every publisher offers, and the optional protocols beside it.

The orchestrator knows only this module. A publisher is an adapter for one credential at one provider; it keeps no
job of its own: what it needs comes in a `Part`, and what it learns goes out in a `Post`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from reelpub.errors import ReelPubError, UnsupportedOperation
from reelpub.models.account import Account
from reelpub.models.capability import Capabilities, Feature, ProviderLimits
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import CancelResult
from reelpub.models.post import Post
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.source import Source
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import CallOptions
from reelpub.transport.rehearsal import RehearsedRequest

__all__ = [
    "Absent",
    "AccountSlots",
    "Cost",
    "Finding",
    "Found",
    "PostPage",
    "Publisher",
    "Queue",
    "QueuedPost",
    "SupportsAccountSlots",
    "SupportsBulkRead",
    "SupportsCancel",
    "SupportsCaptions",
    "SupportsConnect",
    "SupportsDelete",
    "SupportsDisconnect",
    "SupportsFindDuplicate",
    "SupportsForecast",
    "SupportsQueue",
    "SupportsReach",
    "SupportsRehearsal",
    "SupportsReschedule",
    "SupportsRetryFailed",
    "SupportsSchedule",
    "Undecided",
    "require",
]


@runtime_checkable
class Publisher(Protocol):
    """Publishes through one credential at one provider.

    The first five members are only read: attributes of the instance or the class will do, and they may be frozen.
    """

    @property
    def name(self) -> str:
        """What it is called, unlike any other publisher of the orchestrator."""
        ...

    @property
    def provider(self) -> str:
        """The service that it publishes through."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it takes, where it publishes and what else it can do."""
        ...

    @property
    def limits(self) -> ProviderLimits:
        """The provider's numbers."""
        ...

    @property
    def limiter(self) -> RateLimiter:
        """What every request of the credential takes its token from."""
        ...

    @property
    def requests(self) -> Mapping[str, int]:
        """How many requests of each operation were sent, retries included."""
        ...

    def check(self, request: PublishRequest) -> Sequence[Problem]:
        """Return what is wrong with *request* by this provider's own rules, offline: all problems at once."""
        ...

    async def accounts(self, *, refresh: bool = False) -> Sequence[Account]:
        """Return the connected accounts, read once and remembered until *refresh*."""
        ...

    def plan(self, request: PublishRequest, accounts: Sequence[Account]) -> Sequence[tuple[Account, ...]]:
        """Return the accounts of each provider post that *request* needs, in order.

        *accounts* are the resolved ones; an empty group leaves the choice to the provider. Pure.
        """
        ...

    async def prepare(self, part: Part) -> Prepared:
        """Do everything that comes before going live; may make a draft. Nothing is public afterwards.

        Raises:
            ValidationError: the part can't go out as asked, such as a draft that kept other accounts.
        """
        ...

    async def publish(self, prepared: Prepared, options: CallOptions | None = None) -> Post:
        """Put the part live now, in one request that is never repeated unless it provably never left.

        *options* `before_send` runs after the token is granted and before anything leaves.
        """
        ...

    async def fetch(self, post_id: str) -> Post:
        """Read one post."""
        ...

    async def close(self) -> None:
        """Release what this publisher opened."""
        ...


@runtime_checkable
class SupportsSchedule(Protocol):
    """Can have the provider publish at a later time."""

    def batches(self, parts: Sequence[Part]) -> Sequence[Sequence[Part]]:
        """Group *parts*, which all have a time, into requests, the earliest first. Pure."""
        ...

    async def schedule(
        self, batch: Sequence[Prepared], options: CallOptions | None = None
    ) -> Sequence[Post | ReelPubError]:
        """Schedule one batch in one request; return a post or the provider's refusal for each member, in order."""
        ...


@runtime_checkable
class SupportsRetryFailed(Protocol):
    """Can send again what failed, and only that."""

    def plan_retry(self, part: Part, post: Post, *, in_place: bool | None = None) -> Part:
        """Return the part that sends the failed deliveries of *post* again.

        Its `retries` is set where the provider's own call is used. *in_place* True asks for that call even where
        published deliveries stand beside the failed ones; False never uses it; None leaves the choice to what is safe.

        Raises:
            ValidationError: nothing in *post* failed.
        """
        ...


@runtime_checkable
class SupportsCancel(Protocol):
    """Can call off a post that waits for its time."""

    async def cancel(self, post_id: str) -> CancelResult:
        """Call *post_id* off and read what became of it."""
        ...


@runtime_checkable
class SupportsReschedule(Protocol):
    """Can move a waiting post to another time."""

    async def reschedule(self, post_id: str, at: datetime) -> Post:
        """Move *post_id* to *at* (aware).

        Raises:
            ValidationError: *at* is naive or outside the provider's window.
        """
        ...


@runtime_checkable
class SupportsDelete(Protocol):
    """Can remove a post at the provider (never from a social platform)."""

    async def delete(self, post_id: str) -> None:
        """Delete *post_id* at the provider."""
        ...


@frozen(kw_only=True)
class PostPage:
    """One page of posts; `has_more` says whether the next page may hold others."""

    posts: tuple[Post, ...]
    has_more: bool
    total: int | None = None


@runtime_checkable
class SupportsBulkRead(Protocol):
    """Can read many posts in one request."""

    @property
    def has_bulk_read(self) -> bool | None:
        """Whether the provider has a list of posts; None while that isn't known."""
        ...

    async def read_page(self, page: int, *, created_after: float | None = None) -> PostPage | None:
        """Read page *page* (from 0) of the posts made after *created_after* (Unix seconds, where it can filter).

        Returns None, and remembers it, where the provider turns out to have no list.
        """
        ...


@frozen
class Found:
    """Exactly one post can be the one looked for."""

    post: Post


@frozen
class Absent:
    """The provider's view doesn't have it. Proof only once that view has had time to settle."""


@frozen
class Undecided:
    """What can be read doesn't decide it."""

    reason: str = field()


Finding = Found | Absent | Undecided


@runtime_checkable
class SupportsFindDuplicate(Protocol):
    """Can look whether an attempt whose answer was lost took effect."""

    async def find(self, prepared: Prepared, attempt: Attempt, *, taken: frozenset[str] = frozenset()) -> Finding:
        """Look for the post that *attempt* may have made; *taken* are ids that belong to other attempts."""
        ...


@runtime_checkable
class SupportsCaptions(Protocol):
    """Can write a caption."""

    async def generate_caption(self, media_item_ids: Sequence[str], *, persona_id: str | None = None) -> str:
        """Return a caption for generated media items, in the persona's voice where one is named."""
        ...


@runtime_checkable
class SupportsConnect(Protocol):
    """Can hand out a link with which a person connects an account."""

    async def connect_link(self, platform: str) -> str:
        """Return the address that a person has to open in a browser."""
        ...


@runtime_checkable
class SupportsDisconnect(Protocol):
    """Can disconnect an account."""

    async def disconnect(self, account_id: str) -> None:
        """Disconnect one account; what waits for it may fail."""
        ...


@runtime_checkable
class SupportsRehearsal(Protocol):
    """Can go through everything that it would send without sending what writes."""

    def rehearse(self, on_request: Callable[[RehearsedRequest], None]) -> None:
        """From now on send nothing but reads, and tell *on_request* of every request, the key left out.

        What writes is answered here, as if it had gone well. There is no way back: make a new publisher to publish.

        Raises:
            ConfigurationError: its transport can't show what it would send.
        """
        ...


@runtime_checkable
class SupportsReach(Protocol):
    """Knows whether its service can be reached at all."""

    @property
    def unreached_for(self) -> float | None:
        """Seconds for which the service, reached before, has been out of reach; None while it isn't, or wasn't ever."""
        ...


@frozen(kw_only=True)
class AccountSlots:
    """How many accounts can be connected. `checkout_url` has to be opened first where no card is on file."""

    purchased: int | None = None
    used: int | None = None
    available: int | None = None
    checkout_url: str | None = None


@runtime_checkable
class SupportsAccountSlots(Protocol):
    """Sells slots for accounts."""

    async def slots(self) -> AccountSlots:
        """Read the allocation."""
        ...

    async def set_slots(self, total: int, *, return_url: str | None = None) -> AccountSlots:
        """Set the total number of paid slots."""
        ...


@frozen(kw_only=True)
class QueuedPost:
    """A post that waits for its time at the provider.

    `accounts` are the ids of those it goes to, empty where the provider doesn't say. `sources` are the sources of which
    a request would make the same post.
    """

    id: str
    at: datetime | None = None
    accounts: frozenset[str] = frozenset()
    sources: tuple[Source, ...] = ()


@frozen(kw_only=True)
class Queue:
    """What waits at a provider, as far as it can be read; `note` says what can't be known, where something can't."""

    posts: tuple[QueuedPost, ...] = ()
    note: str | None = None


@runtime_checkable
class SupportsQueue(Protocol):
    """Can show what waits for its time."""

    async def queue(self, *, max_reads: int) -> Queue:
        """Read what waits, in at most *max_reads* requests."""
        ...


@frozen(kw_only=True)
class Cost:
    """What one request takes at its provider, without the reads that follow its posts to their end.

    `writes` and `reads` are this request's own. `once` has what is asked once however many requests need it, with its
    number of reads. `shares` has an entry for each post that can be scheduled together with others in one request: what
    they must have in common, and its time in whole Unix seconds.
    """

    writes: int = 0
    reads: int = 0
    once: Mapping[str, int] = field(factory=dict)
    shares: tuple[tuple[Hashable, int], ...] = ()


@runtime_checkable
class SupportsForecast(Protocol):
    """Knows beforehand what its requests will be."""

    def requests_for(
        self, request: PublishRequest, groups: Sequence[tuple[Account, ...]], *, at: datetime | None
    ) -> Cost:
        """Return what *request* takes, whose posts have the accounts of *groups*, as `plan` made them.

        *at* is the time that the provider is given, None where it is to publish at once. Pure; where it depends on what
        the provider does, the usual case counts.
        """
        ...


def require(publisher: Publisher, feature: Feature, publishers: Sequence[Publisher] = ()) -> None:
    """Raise `UnsupportedOperation`, naming who can, unless *publisher* offers *feature*."""
    if not publisher.capabilities.can(feature):
        able = sorted({other.provider for other in publishers if other.capabilities.can(feature)})
        raise UnsupportedOperation(feature.value, publisher.provider, supported_by=able)
