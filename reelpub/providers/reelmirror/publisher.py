"""ReelMirror behind the protocols of `reelpub.providers.base`: the words of the library in, the vendor's calls out.

See https://reelmirror.com/docs/guides/publishing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Self, Unpack

from attrs import evolve

from reelpub.clocks import Clock
from reelpub.errors import (
    APIStatusError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    DecodeError,
    NotFoundError,
    ReelPubError,
)
from reelpub.models.account import Account
from reelpub.models.capability import Capabilities, ProviderLimits
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import CancelResult
from reelpub.models.post import Post
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.source import GeneratedPost
from reelpub.models.when import LocalTime
from reelpub.policies.safety import Effect, effect_of
from reelpub.providers.base import AccountSlots, Cost, Finding, PostPage, Queue, Undecided
from reelpub.providers.options import ClientOptions, EnvironmentOptions
from reelpub.providers.own_client import OwnsClient
from reelpub.providers.reelmirror import decisions, endpoints
from reelpub.providers.reelmirror.capabilities import CAPABILITIES, LIMITS
from reelpub.providers.reelmirror.client import BASE_URL, ReelMirrorClient
from reelpub.providers.reelmirror.cost import cost_of
from reelpub.providers.reelmirror.decode import PROVIDER, Page, decode_rows, structure_rows
from reelpub.providers.reelmirror.directory import AccountDirectory
from reelpub.providers.reelmirror.drafts import DraftDesk
from reelpub.providers.reelmirror.mapping import post_of
from reelpub.providers.reelmirror.queue import NO_LIST, read_queue
from reelpub.providers.reelmirror.rehearsal import ReelMirrorStandIn
from reelpub.providers.reelmirror.request_checks import check_request
from reelpub.providers.reelmirror.schemas import OutgoingPost
from reelpub.providers.rows import RowMemory
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import CallOptions, Response
from reelpub.transport.offline import OfflineTransport
from reelpub.transport.rehearsal import RehearsedRequest, rehearsing

__all__ = ["ReelMirrorPublisher"]

_UNREADABLE_LISTS: Final = 2
"""So many answers in a row that hold no list mean that there is none; a single one may be a damaged answer."""


class ReelMirrorPublisher(OwnsClient[ReelMirrorClient]):
    """Publishes through one API key of ReelMirror.

    *name* tells several keys apart and defaults to the provider's. The publisher keeps no job: it remembers only the
    accounts, and whether there is a list of posts. It closes *client* when it is closed.
    """

    env_key = "REELMIRROR_API_KEY"
    provider: str = PROVIDER
    capabilities: Capabilities = CAPABILITIES

    def __init__(
        self,
        client: ReelMirrorClient,
        *,
        name: str | None = None,
        clock: Clock | None = None,
        limits: ProviderLimits | None = None,
    ) -> None:
        super().__init__(client, name or PROVIDER)
        self.limits: ProviderLimits = limits or LIMITS
        self.limiter: RateLimiter = client.limiter
        self._clock = clock or client.clock
        self._directory = AccountDirectory(client)
        self._desk = DraftDesk(client, has_list=lambda: self._has_bulk_read)
        self._rows: RowMemory[Post] = RowMemory()
        self._has_bulk_read: bool | None = None
        self._unreadable_lists = 0

    @classmethod
    def from_env(
        cls, *, name: str | None = None, clock: Clock | None = None, **client_options: Unpack[EnvironmentOptions]
    ) -> Self:
        """Make a publisher for ``REELMIRROR_API_KEY``, at ``REELMIRROR_BASE_URL`` where that is set.

        *client_options* are those of `ReelMirrorClient.from_env`.

        Raises:
            ConfigurationError: ``REELMIRROR_API_KEY`` isn't set.
        """
        return cls(ReelMirrorClient.from_env(clock=clock, **client_options), name=name)

    @classmethod
    def connect(
        cls,
        api_key: str,
        *,
        base_url: str = BASE_URL,
        name: str | None = None,
        clock: Clock | None = None,
        limits: ProviderLimits | None = None,
        **client_options: Unpack[ClientOptions],
    ) -> Self:
        """Make a publisher for *api_key*; *client_options* are those of `ReelMirrorClient`. Nothing is sent yet."""
        client = ReelMirrorClient(api_key, base_url=base_url, clock=clock, **client_options)
        return cls(client, name=name, limits=limits)

    @classmethod
    def offline(cls, *, name: str | None = None, clock: Clock | None = None) -> Self:
        """Make a publisher that checks and plans without a key, and refuses to send anything."""
        return cls.connect("offline", name=name, clock=clock, transport=OfflineTransport(PROVIDER))

    def rehearse(self, on_request: Callable[[RehearsedRequest], None]) -> None:
        self.client.transport = rehearsing(self.client.transport, ReelMirrorStandIn(), on_request)

    def check(self, request: PublishRequest) -> Sequence[Problem]:
        return check_request(request)

    async def accounts(self, *, refresh: bool = False) -> Sequence[Account]:
        return await self._directory.read(refresh=refresh)

    def plan(self, request: PublishRequest, accounts: Sequence[Account]) -> Sequence[tuple[Account, ...]]:
        """Return one group: a post at ReelMirror goes to any number of accounts."""
        return (tuple(accounts),)

    def requests_for(
        self,
        request: PublishRequest,
        groups: Sequence[tuple[Account, ...]],
        *,
        at: datetime | None,
    ) -> Cost:
        return cost_of(request, groups)

    async def queue(self, *, max_reads: int) -> Queue:
        """Read what is scheduled, where there is a list; its note says that it can't be known otherwise."""
        if self._has_bulk_read is False:
            return Queue(note=NO_LIST)
        found = await read_queue(
            self.client, self._directory.resolve, page_size=self.limits.page_size, max_reads=max_reads
        )
        self._has_bulk_read = found is not None
        return Queue(note=NO_LIST) if found is None else found

    async def prepare(self, part: Part) -> Prepared:
        """Make the draft that goes live and compare its accounts with those asked for; nothing is public afterwards.

        Costs 1 to 6 requests: a generated post is composed, edited where asked, read again where accounts were named,
        and made anew where it didn't take them. A post that is retried in place, and an approval, need nothing.
        """
        self._directory.remember(part.accounts)
        if part.retries is not None:
            return Prepared(part=part, post_id=part.retries)
        return await self._desk.make(part)

    async def publish(self, prepared: Prepared, options: CallOptions | None = None) -> Post:
        part = prepared.part
        self._directory.remember(part.accounts)
        if part.retries is not None:
            raw = await self.client.retry_outgoing_post(part.retries, options=options)
            return self._accepted(raw, part.retries, part)
        if prepared.post_id is not None:
            raw = await self.client.publish_outgoing_post(prepared.post_id, options=options)
            return self._accepted(raw, prepared.post_id, part)
        approved = await self.client.approve_generated_post(_to_approve(part), options=options)
        return self._accepted(None, approved.outgoing_post_id, part)

    async def fetch(self, post_id: str) -> Post:
        raw = await self.client.get_outgoing_post(post_id)
        await self._directory.learn((raw,))
        return self._post(raw)

    def batches(self, parts: Sequence[Part]) -> Sequence[Sequence[Part]]:
        """Return each part by itself, the earliest first: ReelMirror schedules one post in one request."""
        last = datetime.max.replace(tzinfo=UTC)
        return [(part,) for part in sorted(parts, key=lambda part: part.at or last)]

    async def schedule(
        self, batch: Sequence[Prepared], options: CallOptions | None = None
    ) -> Sequence[Post | ReelPubError]:
        """Schedule the one member of *batch*; a refusal is raised, since it speaks of nothing else.

        Raises:
            ValidationError: its time has passed, also while it waited for the rate limit; nothing was sent.
        """
        if len(batch) != 1:
            raise ConfigurationError(f"ReelMirror schedules one post in one request, not {len(batch)}")
        part, post_id = batch[0].part, batch[0].post_id
        if post_id is None:
            raise ConfigurationError("only a draft can be scheduled: the part wasn't prepared, or it is an approval")
        self._directory.remember(part.accounts)
        at, wished = decisions.due(part, self._clock.time()), part.request.at
        zone = wished.zone if isinstance(wished, LocalTime) else None
        raw = await self.client.schedule_outgoing_post(
            post_id, scheduled_for=at, timezone=zone, options=self._while_ahead(part, options)
        )
        shown = None if raw is None else self._post(raw)
        return (decisions.scheduled(shown, post_id=post_id, publisher=self.name, part=part),)

    def plan_retry(self, part: Part, post: Post, *, in_place: bool | None = None) -> Part:
        return decisions.retry_part(part, post, in_place=in_place)

    async def cancel(self, post_id: str) -> CancelResult:
        """Call *post_id* off, then read what became of it: what cancel answers and leaves behind isn't stated.

        Raises:
            BadRequestError, ConflictError: refused, although the post still waits for its time.
            NotFoundError: no such post.
        """
        refusal: ReelPubError | None = None
        try:
            await self.client.cancel_outgoing_post(post_id)
        except (BadRequestError, ConflictError) as error:
            refusal = error
        except ReelPubError as error:
            if effect_of(error) is Effect.NONE:
                raise
        result = decisions.cancel_result(await self.fetch(post_id))
        if result is None and refusal is not None:
            raise refusal
        return result or CancelResult.UNKNOWN

    async def delete(self, post_id: str) -> None:
        """Delete a draft or a failed post at ReelMirror; nothing is taken off a social platform.

        Raises:
            BadRequestError, ConflictError: the post is in another state.
            NotFoundError: no such post; after a lost answer that may be this very deletion's doing.
        """
        await self.client.delete_outgoing_post(post_id)

    @property
    def has_bulk_read(self) -> bool | None:
        return self._has_bulk_read

    async def read_page(self, page: int, *, created_after: float | None = None) -> PostPage | None:
        """Read one page of the posts; the list is inferred, has no filter, and may show no deliveries.

        Raises:
            DecodeError: an answer that holds no list; the next one in a row means that there is none.
        """
        if self._has_bulk_read is False:
            return None
        size = self.limits.page_size
        return await self._try_list(size, page * size)

    async def find(self, prepared: Prepared, attempt: Attempt, *, taken: frozenset[str] = frozenset()) -> Finding:
        """Read the post, whose id was known before anything was sent; no other attempt can have made it."""
        part = prepared.part
        self._directory.remember(part.accounts)
        post_id = part.retries or prepared.post_id or attempt.post_id
        if post_id is None:
            return Undecided("ReelMirror gives no way to find the post that an approval made")
        try:
            post = await self.fetch(post_id)
        except NotFoundError:
            return Undecided(f"ReelMirror doesn't know post {post_id} any more")
        return decisions.finding(post, part)

    async def generate_caption(self, media_item_ids: Sequence[str], *, persona_id: str | None = None) -> str:
        """Return a caption; whether that costs credit isn't stated."""
        return (await self.client.generate_caption(media_item_ids, persona_id=persona_id)).caption

    async def connect_link(self, platform: str) -> str:
        return (await self.client.get_connect_url(platform)).auth_url

    async def disconnect(self, account_id: str) -> None:
        await self.client.disconnect_account(account_id)
        self._directory.forget_list()

    async def slots(self) -> AccountSlots:
        raw = await self.client.get_account_slots()
        return AccountSlots(purchased=raw.purchased, used=raw.used, available=raw.available)

    async def set_slots(self, total: int, *, return_url: str | None = None) -> AccountSlots:
        """Set the number of paid slots; where `checkout_url` is given, call again once a person has paid there."""
        raw = await self.client.set_account_slots(total, return_url=return_url)
        return AccountSlots(purchased=raw.purchased, checkout_url=raw.checkout_url)

    def _post(self, raw: OutgoingPost) -> Post:
        return post_of(raw, publisher=self.name, resolve=self._directory.resolve)

    def _accepted(self, raw: OutgoingPost | None, post_id: str, part: Part) -> Post:
        shown = None if raw is None else self._post(raw)
        return decisions.accepted(shown, post_id=post_id, publisher=self.name, part=part)

    def _while_ahead(self, part: Part, options: CallOptions | None) -> CallOptions:
        """Return *options* that look at the time once more when the token is granted, before anything is noted."""
        given = options or CallOptions()

        async def before_send() -> None:
            decisions.due(part, self._clock.time())
            if given.before_send is not None:
                await given.before_send()

        return evolve(given, before_send=before_send)

    async def _read_rows(self, rows: Sequence[Any]) -> Sequence[Post]:
        raw = structure_rows(rows, OutgoingPost, operation="list_outgoing_posts")
        await self._directory.learn(raw)
        return [self._post(item) for item in raw]

    async def _try_list(self, limit: int, offset: int) -> PostPage | None:
        request = endpoints.list_outgoing_posts(limit=limit, offset=offset)
        try:
            response = await self.client.transport.send(request)
        except APIStatusError as error:
            if error.status not in (404, 405):
                raise
            self._has_bulk_read = False
            return None
        try:
            found = await self._read_list(response, limit, offset)
        except DecodeError as error:
            # The accounts may be read meanwhile; what is wrong with them says nothing about this list.
            if error.operation == request.operation and self._is_unreadable():
                return None
            raise
        self._has_bulk_read = True
        return found

    async def _read_list(self, response: Response, limit: int, offset: int) -> PostPage:
        number, version = offset // limit, self._directory.version
        known: PostPage | None = self._rows.page(number, response.body, version=version)
        if known is not None:
            return known
        page = decode_rows(response, operation="list_outgoing_posts", offset=offset)
        posts = await self._rows.read(page.items, self._read_rows, version=version)
        found = PostPage(posts=tuple(posts), has_more=_has_more(page, limit), total=page.total)
        self._rows.keep_page(number, response.body, found, version=version)
        return found

    def _is_unreadable(self) -> bool:
        """Note an answer that holds no list; return whether that was often enough to mean that there is none."""
        self._unreadable_lists += 1
        if not self._has_bulk_read and self._unreadable_lists >= _UNREADABLE_LISTS:
            self._has_bulk_read = False
        return self._has_bulk_read is False


def _to_approve(part: Part) -> str:
    source = part.request.source
    if isinstance(source, GeneratedPost) and source.approve:
        return source.id
    raise ConfigurationError("the part has no draft: prepare it before it is published")


def _has_more(page: Page[Any], size: int) -> bool:
    """Return whether to read on: after a full page, or where the total says so (whether it is one isn't stated)."""
    seen = page.offset + len(page.items)
    return len(page.items) >= size or (bool(page.items) and page.total is not None and seen < page.total)
