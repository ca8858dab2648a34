"""The contract that every publisher keeps, as tests to subclass for a publisher of your own.

::

    from reelpub.testing import PublisherContract

    class TestMyPublisher(PublisherContract):
        async def make(self, clock):
            self.server = await MyServer.start(clock)
            return MyPublisher(self.server.url, api_key="k-secret", clock=clock)

        async def clean_up(self):
            await self.server.stop()

        def requests(self):
            return [PublishRequest(Clip("project", f"clip-{n}"), accounts=["tiktok:a", "youtube:a"]) for n in range(3)]

        async def live(self):
            return [(post.account_id, post.id) for post in self.server.live_posts()]

        async def fail_next(self, account):
            self.server.fail_next_delivery(account.id)

        secrets = ("k-secret",)
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeVar, cast

from reelpub.clocks import Clock
from reelpub.errors import ReelPubError, UnsupportedOperation, ValidationError
from reelpub.models.account import Account
from reelpub.models.capability import Capabilities, Feature
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.outcome import CancelResult
from reelpub.models.post import DeliveryStatus, Post, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.policies.checks import resolve
from reelpub.providers import base
from reelpub.providers.base import Absent, Found, Publisher
from reelpub.testing.memory import InMemoryPublisher
from reelpub.testing.virtual import run_virtual
from reelpub.transport.message import CallOptions

__all__ = ["PublisherContract"]

T = TypeVar("T")
Body = Callable[[Publisher], Awaitable[None]]

PROTOCOLS: dict[Feature, type] = {
    Feature.SCHEDULE: base.SupportsSchedule,
    Feature.RETRY_FAILED: base.SupportsRetryFailed,
    Feature.CANCEL: base.SupportsCancel,
    Feature.RESCHEDULE: base.SupportsReschedule,
    Feature.DELETE: base.SupportsDelete,
    Feature.BULK_READ: base.SupportsBulkRead,
    Feature.FIND_DUPLICATE: base.SupportsFindDuplicate,
    Feature.CAPTIONS: base.SupportsCaptions,
    Feature.CONNECT_ACCOUNT: base.SupportsConnect,
    Feature.DISCONNECT_ACCOUNT: base.SupportsDisconnect,
    Feature.ACCOUNT_SLOTS: base.SupportsAccountSlots,
}


class _NotSentError(Exception):
    """What a `before_send` raises here, to see that nothing is sent then."""


class PublisherContract:
    """Subclass it under a name that begins with ``Test``, and give it the hooks; pytest does the rest.

    `make`, `requests`, `live` and `fail_next` have to be given. `secrets` are texts that must never show, such as the
    API key; `patience` is within how many seconds a post of yours has ended; `lead` is how many seconds ahead posts
    are scheduled.

    Each test makes a publisher of its own and runs in virtual time. A publisher whose service doesn't live in the
    test's own loop can't be played so: override `run` with ``asyncio.run(main(SystemClock()))``, say.
    """

    secrets: ClassVar[Sequence[str]] = ()
    patience: ClassVar[float] = 120.0
    lead: ClassVar[float] = 7200.0

    # ---- the hooks

    async def make(self, clock: Clock) -> Publisher:
        """Start what the publisher talks to, with nothing live, and return the publisher. *clock* is everybody's."""
        raise NotImplementedError("give PublisherContract.make: it makes the publisher")

    async def clean_up(self) -> None:
        """End what `make` started. The publisher is closed already."""

    def requests(self) -> Sequence[PublishRequest]:
        """Return three requests, all different, that your service can carry out now.

        Each names at least two accounts, of different platforms.
        """
        raise NotImplementedError("give PublisherContract.requests: what your service can publish")

    async def live(self) -> Iterable[tuple[str, str]]:
        """Return what is public by now: account id and post id, once for each time that it is."""
        raise NotImplementedError("give PublisherContract.live: what your service has made public")

    async def fail_next(self, account: Account) -> None:
        """Let the next delivery to *account* fail at the platform."""
        raise NotImplementedError("give PublisherContract.fail_next: it makes a delivery fail")

    def run(self, main: Callable[[Clock], Coroutine[Any, Any, T]]) -> T:
        """Run *main* with a clock; in virtual time unless overridden."""
        return run_virtual(main)

    # ---- what it is

    def test_it_is_a_publisher(self) -> None:
        """It has every member of the protocol, a name, a provider and limits that mean something."""

        async def body(publisher: Publisher) -> None:
            _expect(isinstance(publisher, Publisher), "a member of reelpub.providers.base.Publisher is missing")
            _expect(bool(publisher.name) and bool(publisher.provider), "name and provider have to be texts")
            _expect(publisher.limits.requests >= 1 and publisher.limits.window > 0, "limits allow no request")
            _expect(publisher.limiter.limit >= 1, "the limiter lets nothing through")
            for request in self.requests():
                kind = type(request.source)
                _expect(issubclass(kind, publisher.capabilities.sources), f"capabilities.sources leaves {kind} out")

        self._play(body)

    def test_features_are_offered_as_implemented(self) -> None:
        """A feature is among the capabilities exactly if its protocol is implemented."""

        async def body(publisher: Publisher) -> None:
            for feature, protocol in PROTOCOLS.items():
                offered, implemented = publisher.capabilities.can(feature), isinstance(publisher, protocol)
                _expect(
                    offered == implemented,
                    f"{feature.value} is {'' if offered else 'not '}offered, "
                    f"{protocol.__name__} is {'' if implemented else 'not '}implemented",
                )

        self._play(body)

    def test_what_it_lacks_is_refused_with_nothing_sent(self) -> None:
        """Asking for a feature that it doesn't offer raises, and names who can."""

        async def body(publisher: Publisher) -> None:
            able = InMemoryPublisher("able")
            able.capabilities = Capabilities(
                sources=(), platforms=frozenset(), features=cast("Any", frozenset(Feature))
            )
            before = dict(publisher.requests)
            for feature in Feature:
                if publisher.capabilities.can(feature):
                    base.require(publisher, feature, [publisher, able])
                    continue
                with _raises(UnsupportedOperation) as caught:
                    base.require(publisher, feature, [publisher, able])
                error = cast("UnsupportedOperation", caught[0])
                _expect(error.supported_by == (able.provider,), f"{feature.value}: doesn't say who can")
                _expect(error.provider == publisher.provider, f"{feature.value}: doesn't say who can't")
            _expect(dict(publisher.requests) == before, "something was sent")
            await able.close()

        self._play(body)

    def test_a_check_sends_nothing(self) -> None:
        """What the checks find in good requests is no error, and they are offline."""

        async def body(publisher: Publisher) -> None:
            for request in self.requests():
                errors = [str(problem) for problem in publisher.check(request) if problem.is_error]
                _expect(not errors, f"check refuses a request that `requests` says is good: {errors}")
            _expect(not publisher.requests, "check sent something")

        self._play(body)

    def test_accounts_are_read_once(self) -> None:
        """They are this provider's, each once; they are remembered until they are to be read anew."""

        async def body(publisher: Publisher) -> None:
            accounts = await publisher.accounts()
            ids = [account.id for account in accounts]
            _expect(len(ids) == len(set(ids)) > 0, f"accounts are missing or doubled: {ids}")
            _expect(all(one.provider == publisher.provider for one in accounts), "an account is another provider's")
            before = dict(publisher.requests)
            _expect(list(await publisher.accounts()) == list(accounts), "the second time they are others")
            _expect(dict(publisher.requests) == before, "they were read again though nobody asked for that")
            again = await publisher.accounts(refresh=True)
            _expect([one.id for one in again] == ids, "read anew, they are others")

        self._play(body)

    def test_a_plan_covers_each_account_exactly_once(self) -> None:
        """The groups of a plan, put together, are the accounts; none is empty, and nothing is sent for it."""

        async def body(publisher: Publisher) -> None:
            accounts = [account for account in await publisher.accounts() if account.is_active]
            before = dict(publisher.requests)
            for request in self.requests():
                groups = publisher.plan(request, accounts)
                found = Counter(account.id for group in groups for account in group)
                _expect(found == Counter(one.id for one in accounts), f"covered: {dict(found)}")
                _expect(all(groups), "a group is empty")
            _expect(dict(publisher.requests) == before, "plan sent something")

        self._play(body)

    # ---- going live

    def test_preparing_makes_nothing_public(self) -> None:
        """Nothing is live after `prepare`, however long one waits."""

        async def body(publisher: Publisher) -> None:
            for part in await self._parts(publisher):
                prepared = await publisher.prepare(part)
                _expect(prepared.part == part, "prepare returns another part")
            await self._wait()
            _expect(not await self._live(), "something is public before it was published")

        self._play(body)

    def test_a_publish_tells_before_it_sends(self) -> None:
        """`before_send` runs exactly once, when nothing is live and nothing of the request has left."""

        async def body(publisher: Publisher) -> None:
            calls: list[tuple[int, int]] = []
            prepared = await publisher.prepare((await self._parts(publisher))[0])
            before = sum(publisher.requests.values())

            async def before_send() -> None:
                calls.append((len(await self._live()), sum(publisher.requests.values()) - before))

            await publisher.publish(prepared, CallOptions(before_send=before_send))
            _expect(calls == [(0, 0)], f"before_send was called with (live, sent) = {calls}, not [(0, 0)]")
            _expect(sum(publisher.requests.values()) - before == 1, "publish is one request")

        self._play(body)

    def test_nothing_is_sent_when_before_send_raises(self) -> None:
        """Its error comes out as it is, nothing goes live, and the part can still be published."""

        async def body(publisher: Publisher) -> None:
            prepared = await publisher.prepare((await self._parts(publisher))[0])
            before = dict(publisher.requests)

            async def before_send() -> None:
                raise _NotSentError

            with _raises(_NotSentError):
                await publisher.publish(prepared, CallOptions(before_send=before_send))
            _expect(dict(publisher.requests) == before, "a request was sent")
            await self._wait()
            _expect(not await self._live(), "something went live")
            post = await self._ended(publisher, await publisher.publish(prepared))
            _expect(post.status is PostStatus.PUBLISHED, f"afterwards it ended as {post.status}")

        self._play(body)

    def test_a_post_has_one_delivery_for_each_account(self) -> None:
        """At once and at its end; every one of them is live then, once."""

        async def body(publisher: Publisher) -> None:
            for part in await self._parts(publisher):
                wanted = sorted(account.id for account in part.accounts)
                post = await self._publish(publisher, part)
                _expect(_accounts(post) == wanted, f"at first for {_accounts(post)}, not {wanted}")
                _expect(post.provider == publisher.provider, "the post is another provider's")
                _expect(post.publisher == publisher.name, "the post is another publisher's")
                post = await self._ended(publisher, post)
                _expect(_accounts(post) == wanted, f"in the end for {_accounts(post)}, not {wanted}")
                _expect(post.status is PostStatus.PUBLISHED, f"it ended as {post.status} ({post.raw_status})")
                _expect(all(one.is_published for one in post.deliveries), "a delivery isn't published")
                await self._expect_live(post)

        self._play(body)

    def test_a_failed_delivery_is_told_apart(self) -> None:
        """One account fails, the others are live, and nothing else is said of any."""

        async def body(publisher: Publisher) -> None:
            post = await self._partly_failed(publisher)
            failed = [one.account.id for one in post.failed]
            _expect(len(failed) == 1, f"failed: {failed}")
            _expect(post.status is PostStatus.PARTLY_PUBLISHED, f"the post's status is {post.status}")
            _expect(post.is_terminal, "it isn't over")
            await self._expect_live(post)

        self._play(body)

    # ---- reading

    def test_a_list_and_a_single_read_agree(self) -> None:
        """A post is the same in both, as far as the list shows it; where there is no list, that is known."""

        async def body(publisher: Publisher) -> None:
            posts = [await self._publish(publisher, part) for part in await self._parts(publisher)]
            posts = [await self._ended(publisher, post) for post in posts]
            if not isinstance(publisher, base.SupportsBulkRead):
                return
            listed = {post.id: post for post in await self._list(publisher)}
            if publisher.has_bulk_read is False:
                _expect(not listed, "it says that it has no list, and lists")
                return
            for post in posts:
                _expect(post.id in listed, f"post {post.id} isn't listed")
                seen = listed[post.id]
                _expect(seen.status is post.status, f"{seen.status} in the list, {post.status} by itself")
                if seen.deliveries:
                    _expect(_states(seen) == _states(post), f"{_states(seen)} in the list, {_states(post)} by itself")

        self._play(body)

    def test_a_lost_post_is_found_and_another_is_not(self) -> None:
        """Before it is sent it is absent; afterwards it and no other is found."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, base.SupportsFindDuplicate):
                return
            first, second = (await self._parts(publisher))[:2]
            prepared, other = await publisher.prepare(first), await publisher.prepare(second)
            attempt = self._attempt(first)
            _expect(isinstance(await publisher.find(prepared, attempt), Absent), "found before it was sent")
            taken = await publisher.publish(other)
            _expect(isinstance(await publisher.find(prepared, attempt), Absent), "found, but it is another's post")
            post = await publisher.publish(prepared)
            for wait in (0.0, self.patience):
                await self._clock.sleep(wait)
                found = await publisher.find(prepared, attempt, taken=frozenset({taken.id}))
                _expect(isinstance(found, Found), f"not found {wait:g} s after it was sent: {found}")
                _expect(cast("Found", found).post.id == post.id, "another post was found")

        self._play(body)

    # ---- later

    def test_batches_cover_every_part_once_and_in_due_order(self) -> None:
        """Whatever order they are given in; nothing is sent for it."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, base.SupportsSchedule):
                return
            parts = await self._parts(publisher, step=600.0)
            before = dict(publisher.requests)
            batches = publisher.batches(parts[::-1])
            _expect(Counter(p.id for b in batches for p in b) == Counter(p.id for p in parts), "not each part once")
            _expect(all(batches), "a batch is empty")
            _expect(all(_in_order(batch) for batch in batches), "a batch isn't in due order")
            _expect(_in_order([batch[0] for batch in batches]), "the batches aren't in due order")
            most = publisher.limits.schedule_batch
            _expect(max(map(len, batches)) <= most, f"a batch has more than {most}")
            _expect(dict(publisher.requests) == before, "batches sent something")

        self._play(body)

    def test_scheduled_posts_wait_for_their_time(self) -> None:
        """Each member of a batch has its answer, in order; nothing is public before its time, all of it after."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, base.SupportsSchedule):
                return
            posts = await self._schedule(publisher, await self._parts(publisher, step=600.0))
            await self._clock.sleep(self.lead / 2)
            _expect(not await self._live(), "something is public before its time")
            for post in posts:
                waiting = await publisher.fetch(post.id)
                _expect(waiting.status is PostStatus.SCHEDULED, f"it waits as {waiting.status} ({waiting.raw_status})")
                _expect(not waiting.is_terminal, "it is over before its time")
            await self._clock.sleep(self.lead / 2 + 600.0 * len(posts))
            for post in posts:
                ended = await self._ended(publisher, post)
                _expect(ended.status is PostStatus.PUBLISHED, f"it ended as {ended.status}")
                await self._expect_live(ended)

        self._play(body)

    def test_a_cancelled_post_never_goes_out(self) -> None:
        """Called off in time it is cancelled and stays so; what is out already is too late."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, base.SupportsCancel) or not isinstance(publisher, base.SupportsSchedule):
                return
            [post] = await self._schedule(publisher, (await self._parts(publisher, step=600.0))[:1])
            result = await publisher.cancel(post.id)
            _expect(result is CancelResult.CANCELLED, f"a waiting post: {result}")
            await self._clock.sleep(self.lead)
            await self._wait()
            _expect(not await self._live(), "it went out all the same")
            late = await self._ended(publisher, await self._publish(publisher, (await self._parts(publisher))[1]))
            result = await publisher.cancel(late.id)
            _expect(result is CancelResult.TOO_LATE, f"a post that is out: {result}")

        self._play(body)

    def test_a_post_moves_to_another_time(self) -> None:
        """A waiting post that is moved isn't public at its first time, and is at its second."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, base.SupportsReschedule) or not isinstance(publisher, base.SupportsSchedule):
                return
            [post] = await self._schedule(publisher, (await self._parts(publisher, step=600.0))[:1])
            later = self._in(2 * self.lead)
            moved = await publisher.reschedule(post.id, later)
            _expect(moved.scheduled_at == later, f"it is scheduled for {moved.scheduled_at}, not {later}")
            await self._clock.sleep(1.5 * self.lead)
            _expect(not await self._live(), "it went out at its first time")
            await self._clock.sleep(self.lead / 2)
            ended = await self._ended(publisher, moved)
            await self._expect_live(ended)

        self._play(body)

    def test_a_retry_touches_only_what_failed(self) -> None:
        """The account that failed gets the post, and the others don't get it again."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, base.SupportsRetryFailed):
                return
            [part, *_] = await self._parts(publisher)
            post = await self._partly_failed(publisher)
            failed = [one.account.id for one in post.failed]
            retry = publisher.plan_retry(part, post)
            _expect([account.id for account in retry.accounts] == failed, "the retry is for other accounts")
            _expect(retry.at is None, "a retry goes out now")
            again = await self._ended(publisher, await self._publish(publisher, retry))
            mine = {one.account.id: one for one in again.deliveries}
            _expect(all(mine[account_id].is_published for account_id in failed), "it failed again")
            counted = Counter(account_id for account_id, _ in await self._live())
            _expect(counted == Counter(account.id for account in part.accounts), f"live: {dict(counted)}")
            with _raises(ValidationError):
                publisher.plan_retry(retry, again)

        self._play(body)

    # ---- leaving

    def test_closing_twice_is_closing_once(self) -> None:
        """`close` may be called again, also on a publisher that was never used."""

        async def body(publisher: Publisher) -> None:
            await publisher.close()
            await publisher.close()

        async def used(publisher: Publisher) -> None:
            await publisher.accounts()
            await body(publisher)

        self._play(body)
        self._play(used)

    def test_no_secret_shows(self) -> None:
        """No secret is in the repr of the publisher, of what hangs on it, or of anything that it returns."""

        async def body(publisher: Publisher) -> None:
            prepared = await publisher.prepare((await self._parts(publisher))[0])
            post = await publisher.publish(prepared)
            shown = [publisher, prepared, post, await publisher.accounts(), publisher.requests]
            shown += list(vars(publisher).values()) if hasattr(publisher, "__dict__") else []
            try:
                await publisher.fetch("no such post")
            except ReelPubError as error:
                shown += [error, str(error), vars(error), error.__cause__, error.__context__]
            for value in shown:
                for secret in self.secrets:
                    _expect(secret not in repr(value), f"a secret shows in the repr of {type(value).__name__}")

        self._play(body)

    # ---- what the tests share

    _clock: Clock

    def _play(self, body: Body) -> None:
        async def main(clock: Clock) -> None:
            self._clock = clock
            publisher = await self.make(clock)
            try:
                await body(publisher)
            finally:
                await publisher.close()
                await self.clean_up()
                await asyncio.sleep(0)

        self.run(main)

    async def _parts(self, publisher: Publisher, *, step: float | None = None) -> list[Part]:
        """Return the first part of each request; with *step*, scheduled so many seconds apart."""
        known = await publisher.accounts()
        parts: list[Part] = []
        for number, request in enumerate(self.requests(), start=1):
            platforms = publisher.capabilities.platforms
            accounts, problems = resolve(request, known, platforms=platforms, provider=publisher.provider)
            _expect(not problems and len(accounts) > 1, f"request {number} has to name two good accounts: {problems}")
            group = publisher.plan(request, accounts)[0]
            at = None if step is None else self._in(self.lead + step * number)
            parts.append(Part(id=f"job{number}.1", job_id=f"job{number}", request=request, accounts=group, at=at))
        _expect(len(parts) >= 3, "`requests` has to return three requests")
        return parts

    def _in(self, seconds: float) -> datetime:
        now = datetime.fromtimestamp(self._clock.time(), UTC).replace(microsecond=0)
        return now + timedelta(seconds=seconds)

    def _attempt(self, part: Part) -> Attempt:
        return Attempt(id=f"{part.id}.1", part_id=part.id, number=1, started_at=self._clock.time())

    async def _publish(self, publisher: Publisher, part: Part) -> Post:
        return await publisher.publish(await publisher.prepare(part))

    async def _schedule(self, publisher: Any, parts: Sequence[Part]) -> list[Post]:
        posts: list[Post] = []
        for batch in publisher.batches(parts):
            prepared: list[Prepared] = [await publisher.prepare(part) for part in batch]
            answers = await publisher.schedule(prepared)
            _expect(len(answers) == len(batch), f"{len(answers)} answers for {len(batch)} members of a batch")
            for part, post in zip(batch, answers, strict=True):
                _expect(isinstance(post, Post), f"not scheduled: {post!r}")
                _expect(post.scheduled_at == part.at, f"scheduled for {post.scheduled_at}, not {part.at}")
                _expect(_accounts(post) == sorted(account.id for account in part.accounts), "for other accounts")
                posts.append(post)
        return posts

    async def _ended(self, publisher: Publisher, post: Post) -> Post:
        """Return *post* once it has ended."""
        until = self._clock.monotonic() + self.patience
        while not post.is_terminal:
            _expect(self._clock.monotonic() <= until, f"post {post.id} is {post.status} after {self.patience:g} s")
            await self._clock.sleep(self.patience / 10)
            post = await publisher.fetch(post.id)
        return post

    async def _partly_failed(self, publisher: Publisher) -> Post:
        """Return an ended post of the first request, which failed on its last account."""
        [part, *_] = await self._parts(publisher)
        await self.fail_next(part.accounts[-1])
        return await self._ended(publisher, await self._publish(publisher, part))

    async def _list(self, publisher: base.SupportsBulkRead) -> list[Post]:
        posts: list[Post] = []
        page = 0
        while (found := await publisher.read_page(page)) is not None:
            posts += found.posts
            page += 1
            if not found.has_more:
                break
        return posts

    async def _wait(self) -> None:
        await self._clock.sleep(self.patience)

    async def _live(self) -> list[tuple[str, str]]:
        return list(await self.live())

    async def _expect_live(self, post: Post) -> None:
        """Expect that *post* is live where it says that it is published, once, and nowhere else."""
        found = Counter(account_id for account_id, post_id in await self._live() if post_id == post.id)
        said = Counter(one.account.id for one in post.deliveries if one.status is DeliveryStatus.PUBLISHED)
        _expect(found == said, f"live: {dict(found)}, told: {dict(said)}")


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


@contextmanager
def _raises(kind: type[BaseException]) -> Iterator[list[BaseException]]:
    """Expect an error of *kind*, which is in the list afterwards."""
    caught: list[BaseException] = []
    try:
        yield caught
    except kind as error:
        caught.append(error)
    _expect(bool(caught), f"{kind.__name__} wasn't raised")


def _accounts(post: Post) -> list[str]:
    return sorted(delivery.account.id for delivery in post.deliveries)


def _states(post: Post) -> dict[str, DeliveryStatus]:
    return {delivery.account.id: delivery.status for delivery in post.deliveries}


def _in_order(parts: Sequence[Part]) -> bool:
    times = [part.at for part in parts if part.at is not None]
    return times == sorted(times) and len(times) == len(parts)
