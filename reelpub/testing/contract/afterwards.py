"""What happens later: posts for another time, called off, moved, and sent again where they failed."""

from __future__ import annotations

from collections import Counter

from reelpub.errors import ValidationError
from reelpub.models.outcome import CancelResult
from reelpub.models.post import PostStatus
from reelpub.providers.base import (
    Publisher,
    SupportsCancel,
    SupportsReschedule,
    SupportsRetryFailed,
    SupportsSchedule,
)
from reelpub.testing.contract.base import ContractBase
from reelpub.testing.contract.expecting import expect, is_in_due_order, raises

__all__ = ["AfterwardsTests"]


class AfterwardsTests(ContractBase):
    """What a publisher offers beside publishing at once; what it doesn't offer isn't asked for."""

    def test_batches_cover_every_part_once_and_in_due_order(self) -> None:
        """Whatever order they are given in; nothing is sent for it."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, SupportsSchedule):
                return
            parts = await self._parts(publisher, step=600.0)
            before = dict(publisher.requests)
            batches = publisher.batches(parts[::-1])
            expect(Counter(p.id for b in batches for p in b) == Counter(p.id for p in parts), "not each part once")
            expect(all(batches), "a batch is empty")
            expect(all(is_in_due_order(batch) for batch in batches), "a batch isn't in due order")
            expect(is_in_due_order([batch[0] for batch in batches]), "the batches aren't in due order")
            most = publisher.limits.schedule_batch
            expect(max(map(len, batches)) <= most, f"a batch has more than {most}")
            expect(dict(publisher.requests) == before, "batches sent something")

        self._play(body)

    def test_scheduled_posts_wait_for_their_time(self) -> None:
        """Each member of a batch has its answer, in order; nothing is public before its time, all of it after."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, SupportsSchedule):
                return
            posts = await self._schedule(publisher, await self._parts(publisher, step=600.0))
            await self._clock.sleep(self.lead / 2)
            expect(not await self._live(), "something is public before its time")
            for post in posts:
                waiting = await publisher.fetch(post.id)
                expect(waiting.status is PostStatus.SCHEDULED, f"it waits as {waiting.status} ({waiting.raw_status})")
                expect(not waiting.is_terminal, "it is over before its time")
            await self._clock.sleep(self.lead / 2 + 600.0 * len(posts))
            for post in posts:
                ended = await self._ended(publisher, post)
                expect(ended.status is PostStatus.PUBLISHED, f"it ended as {ended.status}")
                await self._expect_live(ended)

        self._play(body)

    def test_a_cancelled_post_never_goes_out(self) -> None:
        """Called off in time it is cancelled and stays so; what is out already is too late."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, SupportsCancel) or not isinstance(publisher, SupportsSchedule):
                return
            [post] = await self._schedule(publisher, (await self._parts(publisher, step=600.0))[:1])
            result = await publisher.cancel(post.id)
            expect(result is CancelResult.CANCELLED, f"a waiting post: {result}")
            await self._clock.sleep(self.lead)
            await self._wait()
            expect(not await self._live(), "it went out all the same")
            late = await self._ended(publisher, await self._publish(publisher, (await self._parts(publisher))[1]))
            result = await publisher.cancel(late.id)
            expect(result is CancelResult.TOO_LATE, f"a post that is out: {result}")

        self._play(body)

    def test_a_post_moves_to_another_time(self) -> None:
        """A waiting post that is moved isn't public at its first time, and is at its second."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, SupportsReschedule) or not isinstance(publisher, SupportsSchedule):
                return
            [post] = await self._schedule(publisher, (await self._parts(publisher, step=600.0))[:1])
            later = self._in(2 * self.lead)
            moved = await publisher.reschedule(post.id, later)
            expect(moved.scheduled_at == later, f"it is scheduled for {moved.scheduled_at}, not {later}")
            await self._clock.sleep(1.5 * self.lead)
            expect(not await self._live(), "it went out at its first time")
            await self._clock.sleep(self.lead / 2)
            ended = await self._ended(publisher, moved)
            await self._expect_live(ended)

        self._play(body)

    def test_a_retry_touches_only_what_failed(self) -> None:
        """The account that failed gets the post, and the others don't get it again."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, SupportsRetryFailed):
                return
            [part, *_] = await self._parts(publisher)
            post = await self._partly_failed(publisher)
            failed = [one.account.id for one in post.failed]
            retry = publisher.plan_retry(part, post)
            expect([account.id for account in retry.accounts] == failed, "the retry is for other accounts")
            expect(retry.at is None, "a retry goes out now")
            again = await self._ended(publisher, await self._publish(publisher, retry))
            mine = {one.account.id: one for one in again.deliveries}
            expect(all(mine[account_id].is_published for account_id in failed), "it failed again")
            counted = Counter(account_id for account_id, _ in await self._live())
            expect(counted == Counter(account.id for account in part.accounts), f"live: {dict(counted)}")
            with raises(ValidationError):
                publisher.plan_retry(retry, again)

        self._play(body)
