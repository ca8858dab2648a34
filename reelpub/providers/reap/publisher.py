"""Publishing clips through Reap: the adapter between `reelpub.providers.base` and the typed client."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Self, Unpack

import anyio
from attrs import evolve

from reelpub.clocks import Clock
from reelpub.errors import (
    BadRequestError,
    NotFoundError,
    ReelPubError,
    UnsupportedOperation,
    ValidationError,
)
from reelpub.models.account import Account
from reelpub.models.capability import Capabilities, ProviderLimits
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import CancelResult
from reelpub.models.post import Post, PostStatus
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.settings import PlatformSettings
from reelpub.policies.grouping import one_per_platform
from reelpub.policies.safety import Effect, effect_of
from reelpub.providers.base import Absent, Cost, Finding, Found, PostPage, Queue, Undecided
from reelpub.providers.options import ClientOptions, EnvironmentOptions
from reelpub.providers.own_client import OwnsClient
from reelpub.providers.reap import endpoints, matching, rules, schemas
from reelpub.providers.reap.client import ReapClient
from reelpub.providers.reap.client.core import BASE_URL
from reelpub.providers.reap.cost import cost_of
from reelpub.providers.reap.decode import decode_rows, structure_rows
from reelpub.providers.reap.directory import Directory
from reelpub.providers.reap.mapping import read_account, read_post
from reelpub.providers.reap.queue import read_queue
from reelpub.providers.reap.readiness import Readiness
from reelpub.providers.reap.recent import RecentPosts
from reelpub.providers.reap.rehearsal import ReapStandIn
from reelpub.providers.reap.scheduler import Scheduler, settings_of
from reelpub.providers.reap.settings import settings_problems, wire_settings
from reelpub.providers.rows import RowMemory
from reelpub.providers.structure import UNSET
from reelpub.transport.abilities import KnowsClock
from reelpub.transport.message import CallOptions
from reelpub.transport.offline import OfflineTransport
from reelpub.transport.rehearsal import RehearsedRequest, rehearsing

__all__ = ["ReapPublisher"]

_WAITING: Final = frozenset({PostStatus.DRAFT, PostStatus.SCHEDULED})
_SKEW_ALLOWED: Final = 120.0
"""Seconds by which Reap's clock may be behind this machine's without a post being overlooked."""
_SKEW_BELIEVED: Final = 86_400.0


class ReapPublisher(OwnsClient[ReapClient]):
    """Publishes finished clips through Reap, with one API key (https://docs.reap.video/api-reference).

    *name* tells several keys apart. *clock* is by default the client's. *limits* replaces the documented numbers.
    The client is closed with the publisher.

    ``async with ReapPublisher.connect(api_key) as publisher: ...``
    """

    env_key = "REAP_API_KEY"

    def __init__(
        self,
        client: ReapClient,
        *,
        name: str | None = None,
        clock: Clock | None = None,
        limits: ProviderLimits | None = None,
    ) -> None:
        super().__init__(client, name or rules.PROVIDER)
        self.provider = rules.PROVIDER
        self.capabilities: Capabilities = rules.CAPABILITIES
        self.limits: ProviderLimits = limits or rules.LIMITS
        self.limiter = client.limiter
        self._clock: Clock = clock or client.clock
        self._accounts: tuple[Account, ...] | None = None
        self._accounts_lock = anyio.Lock()
        self._directory = Directory()
        self._rows: RowMemory[Post] = RowMemory()
        self._readiness = Readiness(client, self._clock)
        self._recent = RecentPosts(client)
        self._scheduler = Scheduler(client, self._clock, self.limits, self._own)
        self._skew_seen = 0.0

    @classmethod
    def from_env(
        cls, *, name: str | None = None, clock: Clock | None = None, **client_options: Unpack[EnvironmentOptions]
    ) -> Self:
        """Make a publisher for ``REAP_API_KEY``, at ``REAP_BASE_URL`` where that is set.

        *client_options* are those of `ReapClient.from_env`.

        Raises:
            ConfigurationError: ``REAP_API_KEY`` isn't set.
        """
        return cls(ReapClient.from_env(clock=clock, **client_options), name=name)

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
        """Make a publisher for *api_key*; *client_options* are those of `ReapClient`. Nothing is sent yet."""
        return cls(ReapClient(api_key, base_url=base_url, clock=clock, **client_options), name=name, limits=limits)

    @classmethod
    def offline(cls, *, name: str | None = None, clock: Clock | None = None) -> Self:
        """Make a publisher that checks and plans without a key, and refuses to send anything."""
        return cls.connect("offline", name=name, clock=clock, transport=OfflineTransport(rules.PROVIDER))

    def rehearse(self, on_request: Callable[[RehearsedRequest], None]) -> None:
        self.client.transport = rehearsing(self.client.transport, ReapStandIn(), on_request)

    # ---- before anything is sent

    def check(self, request: PublishRequest) -> Sequence[Problem]:
        problems: list[Problem] = []
        if not request.accounts:
            message = "is empty; reap needs at least one account"
            problems.append(Problem(field="accounts", value=[], message=message))
        if isinstance(request.settings, Mapping):
            problems += settings_problems(request.settings)
        return problems

    async def accounts(self, *, refresh: bool = False) -> Sequence[Account]:
        before = self._accounts
        async with self._accounts_lock:
            # Who waited for the lock takes what was read meanwhile.
            if self._accounts is None or (refresh and self._accounts is before):
                self._accounts = tuple(read_account(found) for found in await self.client.get_integrations())
                self._directory.learn(self._accounts)
            return self._accounts

    def plan(self, request: PublishRequest, accounts: Sequence[Account]) -> Sequence[tuple[Account, ...]]:
        return one_per_platform(accounts)

    def requests_for(
        self, request: PublishRequest, groups: Sequence[tuple[Account, ...]], *, at: datetime | None
    ) -> Cost:
        return cost_of(request, groups, at=at)

    async def queue(self, *, max_reads: int) -> Queue:
        return await read_queue(self.client, max_reads=max_reads)

    async def prepare(self, part: Part) -> Prepared:
        await self._readiness.require(matching.clip_of(part))
        return Prepared(part=part)

    # ---- going live

    async def publish(self, prepared: Prepared, options: CallOptions | None = None) -> Post:
        part, request = prepared.part, prepared.part.request
        clip = matching.clip_of(part)
        wire = await self.client.publish_clip(
            project_id=clip.project_id,
            clip_id=clip.clip_id,
            integrations=[account.id for account in part.accounts],
            title=request.title,
            description=request.caption,
            tags=request.tags or None,
            platform_settings=settings_of(part) or None,
            options=options,
        )
        self._note_skew(wire)
        return self._own(wire, part)

    def batches(self, parts: Sequence[Part]) -> Sequence[Sequence[Part]]:
        return self._scheduler.batches(parts)

    async def schedule(
        self, batch: Sequence[Prepared], options: CallOptions | None = None
    ) -> Sequence[Post | ReelPubError]:
        """Schedule *batch*, as `batches` made it, in one request; see `Scheduler.schedule` for what comes back."""
        return await self._scheduler.schedule([prepared.part for prepared in batch], options)

    # ---- reading

    async def fetch(self, post_id: str) -> Post:
        return await self._read(await self.client.get_post_details(post_id=post_id))

    @property
    def has_bulk_read(self) -> bool:
        return True

    async def read_page(self, page: int, *, created_after: float | None = None) -> PostPage:
        request = endpoints.get_all_posts(
            page=page + 1,
            page_size=self.limits.page_size,
            # Whether the bound counts isn't documented, so it is set where that makes no difference.
            created_after=None if created_after is None else max(0, math.floor(created_after) - 1),
        )
        response = await self.client.transport.send(request)
        version = self._directory.version
        known: PostPage | None = self._rows.page(page, response.body, version=version)
        if known is not None:
            return known
        found, rows = decode_rows(response, schemas.PostPage, "posts", operation=request.operation)
        posts = await self._rows.read(rows, self._read_rows, version=version)
        is_full = len(posts) >= self.limits.page_size
        promises_more = page + 1 < (found.total_pages or 0)
        shown = PostPage(posts=tuple(posts), has_more=bool(posts) and (is_full or promises_more), total=found.total)
        self._rows.keep_page(page, response.body, shown, version=version)
        return shown

    async def find(self, prepared: Prepared, attempt: Attempt, *, taken: frozenset[str] = frozenset()) -> Finding:
        # Every answer's `Date` tells whether this machine's clock is ahead: the accounts are read before a first post.
        transport = self.client.transport
        ahead = transport.clock_ahead if isinstance(transport, KnowsClock) else 0.0
        not_before = attempt.started_at - _SKEW_ALLOWED - max(self._skew_seen, ahead)
        posts = await self._recent.since(max(0, math.floor(not_before) - 1))
        found = matching.candidates(posts.values(), prepared.part, not_before=not_before, taken=taken)
        if len(found.sure) == 1:
            return Found(self._own(found.sure[0], prepared.part))
        if found.sure:
            return Undecided(f"it can be any of the posts {_ids(found.sure)}")
        if found.doubtful:
            return Undecided(f"it may be one of the posts {_ids(found.doubtful)}, which don't show enough to tell")
        return Absent()

    # ---- afterwards

    def plan_retry(self, part: Part, post: Post, *, in_place: bool | None = None) -> Part:
        if in_place:
            raise UnsupportedOperation("retry in place", self.provider)
        failed = tuple(delivery.account for delivery in post.failed)
        if not failed:
            raise ValidationError([Problem(field="post", value=post.id, message="nothing in it failed")])
        return evolve(part, id=f"{part.id}/{post.id}", accounts=failed, at=None, copy_of=None, retries=None)

    async def cancel(self, post_id: str) -> CancelResult:
        """Delete *post_id* if it may still wait for its time, and read what became of it.

        A post that the provider neither shows nor deletes any more won't go out, and counts as cancelled.
        """
        before = await self._fetch_or_none(post_id)
        if before is not None and before.status is PostStatus.CANCELLED:
            return CancelResult.CANCELLED
        if before is not None and before.status not in _WAITING:
            return CancelResult.UNKNOWN if before.status is PostStatus.OTHER else CancelResult.TOO_LATE
        # One that was only just made may not be shown yet, and would go out.
        refusal, is_gone = await self._delete_or_refusal(post_id)
        answered_at = datetime.fromtimestamp(self._clock.time(), UTC)
        try:
            after = await self._fetch_or_none(post_id)
        except ReelPubError:
            return CancelResult.UNKNOWN
        if refusal is not None and after is not None and after.status in _WAITING:
            raise refusal
        if before is None and after is None:
            return CancelResult.CANCELLED if is_gone else CancelResult.UNKNOWN
        return _end_of_cancel(before, after, answered_at)

    async def reschedule(self, post_id: str, at: datetime) -> Post:
        self._scheduler.future(at)
        return await self.update(post_id, at=at)

    async def update(
        self,
        post_id: str,
        *,
        title: str | None = None,
        caption: str | None = None,
        tags: Sequence[str] | None = None,
        at: datetime | None = None,
        settings: Mapping[str, PlatformSettings] | None = None,
    ) -> Post:
        """Change a post that still waits for its time; what isn't given stays. Its accounts and clip can't be changed.

        *title* has at most 250 characters, *caption* 1000, *tags* 10 entries; *at* (aware) is 50 minutes to 12 months
        ahead. *settings* are sent for the platforms that the post goes to, which costs a read.

        Raises:
            ValidationError: a limit is broken; nothing was sent.
            BadRequestError: the post has gone out or is going out, or its project was cancelled.
        """
        date = None if at is None else self._scheduler.future(at)
        problems = rules.text_problems(title, caption, tags) + settings_problems(settings or {})
        if any(problem.is_error for problem in problems):
            raise ValidationError([problem for problem in problems if problem.is_error])
        blocks: dict[str, dict[str, Any]] = {}
        if settings:
            goes_to = await self.fetch(post_id)
            blocks = wire_settings(settings, [delivery.account.platform for delivery in goes_to.deliveries])
        wire = await self.client.update_post(
            post_id=post_id,
            title=UNSET if title is None else title,
            description=UNSET if caption is None else caption,
            tags=UNSET if tags is None else tags,
            schedule_date=UNSET if date is None else date,
            platform_settings=blocks or UNSET,
            options=None if date is None else self._scheduler.guarded([date], None),
        )
        return await self._read(wire)

    async def delete(self, post_id: str) -> None:
        await self.client.delete_post(post_id=post_id)

    # ---- helpers

    def _own(self, wire: schemas.Post, part: Part) -> Post:
        """Return a post that was made for *part*, and remember its accounts."""
        self._directory.learn(part.accounts)
        self._directory.remember(wire.id, part.accounts)
        self._rows.forget(wire.id)
        return self._mapped(wire)

    async def _read_rows(self, rows: list[Any]) -> Sequence[Post]:
        page = structure_rows(rows, schemas.PostPage, "posts", operation="get_all_posts")
        return [await self._read(wire) for wire in page.posts]

    async def _read(self, wire: schemas.Post) -> Post:
        """Return a post that was read; its accounts are asked for once if they aren't known."""
        if self._accounts is None and not self._directory.knows(wire):
            await self.accounts()
        return self._mapped(wire)

    def _mapped(self, wire: schemas.Post) -> Post:
        return read_post(wire, publisher=self.name, accounts=self._directory.accounts_of(wire))

    async def _fetch_or_none(self, post_id: str) -> Post | None:
        try:
            return self._mapped(await self.client.get_post_details(post_id=post_id))
        except NotFoundError:
            return None

    async def _delete_or_refusal(self, post_id: str) -> tuple[ReelPubError | None, bool]:
        """Delete; return the provider's refusal, if it has one, for the caller to compare with what is there.

        An error that leaves the effect open is passed over: what is there decides. Beside it stands whether the post
        is certainly gone by it.
        """
        try:
            await self.client.delete_post(post_id=post_id)
        except NotFoundError as error:
            return error, True
        except BadRequestError as error:
            return error, False
        except ReelPubError as error:
            if effect_of(error) is Effect.NONE:
                raise
            return None, False
        return None, True

    def _note_skew(self, wire: schemas.Post) -> None:
        """Learn by how much Reap's clock is behind, from a post just made; it only ever widens a later search."""
        if wire.created_at is not None:
            behind = self._clock.time() - wire.created_at
            if self._skew_seen < behind <= _SKEW_BELIEVED:
                self._skew_seen = behind


def _end_of_cancel(before: Post | None, after: Post | None, answered_at: datetime) -> CancelResult:
    """Return what became of a waiting post that was deleted; either is None where it couldn't be read."""
    if after is None:
        # Gone before its time: it can't have begun. Gone later: it may have begun in between.
        due = None if before is None else before.scheduled_at
        was_in_time = due is None or answered_at < due
        return CancelResult.CANCELLED if was_in_time else CancelResult.UNKNOWN
    if after.status is PostStatus.CANCELLED:
        return CancelResult.CANCELLED
    return CancelResult.UNKNOWN if after.status in {*_WAITING, PostStatus.OTHER} else CancelResult.TOO_LATE


def _ids(posts: Sequence[schemas.Post]) -> str:
    return ", ".join(post.id for post in posts)
