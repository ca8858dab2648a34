"""What a contract's tests start from: the hooks that its subclass gives, and what the tests do with them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeVar

from reelpub.clocks import Clock
from reelpub.models.account import Account
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.models.post import DeliveryStatus, Post
from reelpub.models.request import PublishRequest
from reelpub.policies.checks import resolve
from reelpub.providers.base import Publisher, SupportsBulkRead
from reelpub.testing.contract.expecting import accounts_of, expect
from reelpub.testing.virtual import run_virtual

__all__ = ["ContractBase"]

T = TypeVar("T")
Body = Callable[[Publisher], Awaitable[None]]


class ContractBase:
    """The hooks of `PublisherContract`, and what its tests share."""

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

        Each names at least two accounts, of different platforms, unless your service has only one: what goes to one
        account alone shows less.
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
            expect(not problems and len(accounts) > 0, f"request {number} has to name good accounts: {problems}")
            group = publisher.plan(request, accounts)[0]
            at = None if step is None else self._in(self.lead + step * number)
            parts.append(Part(id=f"job{number}.1", job_id=f"job{number}", request=request, accounts=group, at=at))
        expect(len(parts) >= 3, "`requests` has to return three requests")
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
            expect(len(answers) == len(batch), f"{len(answers)} answers for {len(batch)} members of a batch")
            for part, post in zip(batch, answers, strict=True):
                expect(isinstance(post, Post), f"not scheduled: {post!r}")
                expect(post.scheduled_at == part.at, f"scheduled for {post.scheduled_at}, not {part.at}")
                expect(accounts_of(post) == sorted(account.id for account in part.accounts), "for other accounts")
                posts.append(post)
        return posts

    async def _ended(self, publisher: Publisher, post: Post) -> Post:
        """Return *post* once it has ended."""
        until = self._clock.monotonic() + self.patience
        while not post.is_terminal:
            expect(self._clock.monotonic() <= until, f"post {post.id} is {post.status} after {self.patience:g} s")
            await self._clock.sleep(self.patience / 10)
            post = await publisher.fetch(post.id)
        return post

    async def _partly_failed(self, publisher: Publisher) -> Post:
        """Return an ended post of the first request, which failed on its last account."""
        [part, *_] = await self._parts(publisher)
        await self.fail_next(part.accounts[-1])
        return await self._ended(publisher, await self._publish(publisher, part))

    async def _list(self, publisher: SupportsBulkRead) -> list[Post]:
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
        expect(found == said, f"live: {dict(found)}, told: {dict(said)}")
