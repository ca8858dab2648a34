"""A publisher that lives in memory: the whole protocol, no network, and faults on order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import count, takewhile

from attrs import define, evolve, field

from reelpub.clocks import Clock, SystemClock
from reelpub.errors import NotFoundError, ReelPubError, RequestTimeout, ValidationError
from reelpub.models.account import Account
from reelpub.models.capability import Capabilities, Feature, ProviderLimits
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import CancelResult
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItems
from reelpub.providers.base import Absent, Finding, Found, PostPage, Undecided
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.message import CallOptions, Lane

__all__ = ["InMemoryPublisher", "Script"]

DEFAULT_ACCOUNTS = ("instagram:acme", "tiktok:acme", "youtube:acme")

FEATURES = frozenset(
    {
        Feature.SCHEDULE,
        Feature.RETRY_FAILED,
        Feature.CANCEL,
        Feature.RESCHEDULE,
        Feature.BULK_READ,
        Feature.FIND_DUPLICATE,
    }
)


@define(kw_only=True)
class Script:
    """What goes wrong, and how long things take. Each list is used up from its front, one entry a publish.

    `lose_before` and `lose_after` lose the answer of the next that many publishes, before or after they took effect;
    `refuse` holds errors to answer with; `fail_accounts` maps an account's id to how often a post fails there;
    `seconds` is how long a post takes; with 0 it has ended when it is answered, so that nobody has to wait until it is
    read. `stuck` keeps every post from ending.
    """

    lose_before: int = 0
    lose_after: int = 0
    refuse: list[BaseException] = field(factory=list)
    fail_accounts: dict[str, int] = field(factory=dict)
    seconds: float = 20.0
    stuck: bool = False
    is_findable: bool = True


@define
class _Stored:
    """A post in memory and when it ends."""

    post: Post
    source: str
    made_at: float
    starts_at: float
    ends_at: float


class InMemoryPublisher:
    """Implements `Publisher` and the optional protocols in memory, for tests of your own.

    *accounts* are ``platform:username`` texts; their ids are ``platform-username``. *script* orders what goes wrong.
    `live` counts what reached each account, as ``{account id: [source, ...]}``, so that a double post shows.
    """

    def __init__(
        self,
        name: str = "memory",
        *,
        accounts: Sequence[str] = DEFAULT_ACCOUNTS,
        script: Script | None = None,
        clock: Clock | None = None,
        limits: ProviderLimits | None = None,
    ) -> None:
        self.name = name
        self.provider = "memory"
        self.clock = clock or SystemClock()
        self.limits = limits or ProviderLimits(requests=600, max_tags=10, schedule_batch=10)
        self.script = script or Script()
        self.limiter = RateLimiter(self.limits.requests, self.limits.window, clock=self.clock)
        self.capabilities = Capabilities(
            sources=(GeneratedPost, MediaItems, Draft, Clip),
            platforms=frozenset(text.partition(":")[0] for text in accounts),
            features=FEATURES,
        )
        self.live: dict[str, list[str]] = {}
        self.is_closed = False
        self._accounts = tuple(_account(text) for text in accounts)
        self._posts: dict[str, _Stored] = {}
        self._requests: Counter[str] = Counter()
        self._ids = count(1)

    # ---- Publisher

    @property
    def requests(self) -> Mapping[str, int]:
        return dict(self._requests)

    def check(self, request: PublishRequest) -> Sequence[Problem]:
        if isinstance(request.source, Clip) and not request.accounts:
            return [Problem(field="accounts", message="is empty; name at least one account")]
        return []

    async def accounts(self, *, refresh: bool = False) -> Sequence[Account]:
        return self._accounts

    def plan(self, request: PublishRequest, accounts: Sequence[Account]) -> Sequence[tuple[Account, ...]]:
        return [tuple(accounts) or self._accounts]

    async def prepare(self, part: Part) -> Prepared:
        return Prepared(part=part, post_id=part.retries)

    async def publish(self, prepared: Prepared, options: CallOptions | None = None) -> Post:
        await self._request("publish", options, Lane.WRITE)
        self._fail_before()
        now = self.clock.time()
        if prepared.part.retries is not None:
            post = self._again(prepared.part.retries, now)
        else:
            post = self._store(prepared.part, PostStatus.PUBLISHING, now)
        self._fail_after()
        return self._get(post.id)

    async def fetch(self, post_id: str) -> Post:
        await self._request("fetch", None, Lane.POLL)
        return self._get(post_id)

    async def close(self) -> None:
        self.is_closed = True
        self.limiter.close()

    # ---- the optional protocols

    def batches(self, parts: Sequence[Part]) -> Sequence[Sequence[Part]]:
        ordered = sorted(parts, key=_at)
        size = self.limits.schedule_batch
        return [ordered[start : start + size] for start in range(0, len(ordered), size)]

    async def schedule(
        self, batch: Sequence[Prepared], options: CallOptions | None = None
    ) -> Sequence[Post | ReelPubError]:
        await self._request("schedule", options, Lane.WRITE)
        self._fail_before()
        posts = [self._store(p.part, PostStatus.SCHEDULED, _at(p.part).timestamp()) for p in batch]
        self._fail_after()
        return posts

    def plan_retry(self, part: Part, post: Post, *, in_place: bool | None = None) -> Part:
        failed = tuple(delivery.account for delivery in post.failed)
        if not failed:
            raise ValidationError([Problem(field="post", value=post.id, message="has no failed delivery")])
        use_call = len(failed) == len(post.deliveries) if in_place is None else in_place
        return evolve(part, accounts=failed, at=None, retries=post.id if use_call else None)

    async def cancel(self, post_id: str) -> CancelResult:
        await self._request("cancel", None, Lane.WRITE)
        if self._get(post_id).status is not PostStatus.SCHEDULED:
            return CancelResult.TOO_LATE
        stored = self._posts[post_id]
        cancelled = tuple(evolve(d, status=DeliveryStatus.CANCELLED) for d in stored.post.deliveries)
        stored.post = evolve(stored.post, status=PostStatus.CANCELLED, deliveries=cancelled)
        return CancelResult.CANCELLED

    async def reschedule(self, post_id: str, at: datetime) -> Post:
        await self._request("reschedule", None, Lane.WRITE)
        self._get(post_id)
        stored = self._posts[post_id]
        stored.starts_at, stored.ends_at = at.timestamp(), at.timestamp() + self.script.seconds
        stored.post = evolve(stored.post, scheduled_at=at)
        return self._get(post_id)

    @property
    def has_bulk_read(self) -> bool | None:
        return True

    async def read_page(self, page: int, *, created_after: float | None = None) -> PostPage | None:
        await self._request("read_page", None, Lane.POLL)
        # Those before aren't visited: there may be many thousands.
        newest = takewhile(lambda stored: stored.made_at >= (created_after or 0.0), reversed(self._posts.values()))
        posts = [self._get(stored.post.id) for stored in newest]
        size = self.limits.page_size
        shown = tuple(posts[page * size : (page + 1) * size])
        return PostPage(posts=shown, has_more=(page + 1) * size < len(posts), total=len(posts))

    async def find(self, prepared: Prepared, attempt: Attempt, *, taken: frozenset[str] = frozenset()) -> Finding:
        await self._request("find", None, Lane.POLL)
        if not self.script.is_findable:
            return Undecided("this publisher was told to find nothing")
        if prepared.part.retries is not None:
            return self._find_retry(prepared.part.retries, attempt)
        wanted = (str(prepared.part.request.source), tuple(a.id for a in prepared.part.accounts))
        found = [
            self._get(post_id)
            for post_id, stored in self._posts.items()
            if post_id not in taken
            and (stored.source, tuple(d.account.id for d in stored.post.deliveries)) == wanted
            and (stored.post.created_at is None or stored.post.created_at.timestamp() >= attempt.started_at - 1)
        ]
        if len(found) > 1:
            return Undecided(f"{len(found)} posts could be the one")
        return Found(found[0]) if found else Absent()

    # ---- inside

    def _find_retry(self, post_id: str, attempt: Attempt) -> Finding:
        """Tell a retry of a post where it stands by when it began again."""
        post = self._get(post_id)
        is_there = self._posts[post_id].starts_at >= attempt.started_at - 1
        return Found(post) if is_there else Absent()

    async def _request(self, operation: str, options: CallOptions | None, lane: Lane) -> None:
        deadline = options.deadline if options else None
        permit = await self.limiter.acquire(lane, deadline=deadline, operation=operation, provider=self.provider)
        if options and options.before_send:
            try:
                await options.before_send()
            except BaseException:
                permit.abandoned()
                raise
        self._requests[operation] += 1
        permit.answered(None, 200)

    def _fail_before(self) -> None:
        if self.script.refuse:
            raise self.script.refuse.pop(0)
        if self.script.lose_before > 0:
            self.script.lose_before -= 1
            raise RequestTimeout("no answer", operation="publish", provider=self.provider, sent=True)

    def _fail_after(self) -> None:
        if self.script.lose_after > 0:
            self.script.lose_after -= 1
            raise RequestTimeout("no answer", operation="publish", provider=self.provider, sent=True)

    def _store(self, part: Part, status: PostStatus, starts_at: float) -> Post:
        now = datetime.fromtimestamp(self.clock.time(), UTC)
        pending = DeliveryStatus.SCHEDULED if status is PostStatus.SCHEDULED else DeliveryStatus.PUBLISHING
        post = Post(
            id=f"post-{next(self._ids)}",
            provider=self.provider,
            publisher=self.name,
            status=status,
            deliveries=tuple(Delivery(account=account, status=pending) for account in part.accounts),
            scheduled_at=part.at,
            created_at=now,
        )
        made_at, ends_at = now.timestamp(), starts_at + self.script.seconds
        stored = _Stored(post, str(part.request.source), made_at, starts_at, ends_at)
        self._posts[post.id] = stored
        return post

    def _again(self, post_id: str, now: float) -> Post:
        stored = self._posts[post_id]
        again = tuple(
            evolve(d, status=DeliveryStatus.PUBLISHING, error=None) if d.is_failed else d
            for d in stored.post.deliveries
        )
        stored.starts_at, stored.ends_at = now, now + self.script.seconds
        stored.post = evolve(stored.post, status=PostStatus.PUBLISHING, deliveries=again)
        return stored.post

    def _get(self, post_id: str) -> Post:
        if post_id not in self._posts:
            raise NotFoundError("no such post", status=404, operation="fetch", provider=self.provider)
        stored = self._posts[post_id]
        now = self.clock.time()
        if stored.post.is_terminal or now < stored.starts_at:
            return stored.post
        if now >= stored.ends_at and not self.script.stuck:
            self._finish(stored)
        elif stored.post.status is PostStatus.SCHEDULED:
            running = tuple(evolve(d, status=DeliveryStatus.PUBLISHING) for d in stored.post.deliveries)
            stored.post = evolve(stored.post, status=PostStatus.PUBLISHING, deliveries=running)
        return stored.post

    def _finish(self, stored: _Stored) -> None:
        ended = tuple(d if d.status.is_terminal else self._deliver(d, stored) for d in stored.post.deliveries)
        failed = [d for d in ended if d.is_failed]
        status = PostStatus.PUBLISHED if not failed else PostStatus.PARTLY_PUBLISHED
        if len(failed) == len(ended):
            status = PostStatus.FAILED
        stored.post = evolve(stored.post, status=status, deliveries=ended)

    def _deliver(self, delivery: Delivery, stored: _Stored) -> Delivery:
        account = delivery.account
        if self.script.fail_accounts.get(account.id, 0) > 0:
            self.script.fail_accounts[account.id] -= 1
            return evolve(delivery, status=DeliveryStatus.FAILED, error="the platform said no")
        self.live.setdefault(account.id, []).append(stored.source)
        url = f"https://{account.platform}.example/{account.username}/{stored.post.id}"
        return evolve(
            delivery,
            status=DeliveryStatus.PUBLISHED,
            url=url,
            platform_post_id=stored.post.id,
            published_at=datetime.fromtimestamp(stored.ends_at, UTC),
        )


def _account(text: str) -> Account:
    platform, _, username = text.partition(":")
    return Account(id=f"{platform}-{username}", provider="memory", platform=platform, username=username)


def _at(part: Part) -> datetime:
    if part.at is None:
        raise ValidationError([Problem(field="at", message="is missing")])
    return part.at
