"""Publishing at once: nothing leaves too early, each account is told of, and a post is found again."""

from __future__ import annotations

from typing import cast

from reelpub.models.post import PostStatus
from reelpub.providers.base import Absent, Found, Publisher, SupportsBulkRead, SupportsFindDuplicate
from reelpub.testing.contract.base import ContractBase
from reelpub.testing.contract.expecting import accounts_of, expect, raises, states_of
from reelpub.transport.message import CallOptions

__all__ = ["PublishingTests"]


class _NotSentError(Exception):
    """What a `before_send` raises here, to see that nothing is sent then."""


class PublishingTests(ContractBase):
    """A post goes live once, on the accounts asked for, and reads the same wherever it is read."""

    # ---- going live

    def test_preparing_makes_nothing_public(self) -> None:
        """Nothing is live after `prepare`, however long one waits."""

        async def body(publisher: Publisher) -> None:
            for part in await self._parts(publisher):
                prepared = await publisher.prepare(part)
                expect(prepared.part == part, "prepare returns another part")
            await self._wait()
            expect(not await self._live(), "something is public before it was published")

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
            expect(calls == [(0, 0)], f"before_send was called with (live, sent) = {calls}, not [(0, 0)]")
            expect(sum(publisher.requests.values()) - before == 1, "publish is one request")

        self._play(body)

    def test_nothing_is_sent_when_before_send_raises(self) -> None:
        """Its error comes out as it is, nothing goes live, and the part can still be published."""

        async def body(publisher: Publisher) -> None:
            prepared = await publisher.prepare((await self._parts(publisher))[0])
            before = dict(publisher.requests)

            async def before_send() -> None:
                raise _NotSentError

            with raises(_NotSentError):
                await publisher.publish(prepared, CallOptions(before_send=before_send))
            expect(dict(publisher.requests) == before, "a request was sent")
            await self._wait()
            expect(not await self._live(), "something went live")
            post = await self._ended(publisher, await publisher.publish(prepared))
            expect(post.status is PostStatus.PUBLISHED, f"afterwards it ended as {post.status}")

        self._play(body)

    def test_a_post_has_one_delivery_for_each_account(self) -> None:
        """At once and at its end; every one of them is live then, once."""

        async def body(publisher: Publisher) -> None:
            for part in await self._parts(publisher):
                wanted = sorted(account.id for account in part.accounts)
                post = await self._publish(publisher, part)
                expect(accounts_of(post) == wanted, f"at first for {accounts_of(post)}, not {wanted}")
                expect(post.provider == publisher.provider, "the post is another provider's")
                expect(post.publisher == publisher.name, "the post is another publisher's")
                post = await self._ended(publisher, post)
                expect(accounts_of(post) == wanted, f"in the end for {accounts_of(post)}, not {wanted}")
                expect(post.status is PostStatus.PUBLISHED, f"it ended as {post.status} ({post.raw_status})")
                expect(all(one.is_published for one in post.deliveries), "a delivery isn't published")
                await self._expect_live(post)

        self._play(body)

    def test_a_failed_delivery_is_told_apart(self) -> None:
        """One account fails, the others are live, and nothing else is said of any."""

        async def body(publisher: Publisher) -> None:
            post = await self._partly_failed(publisher)
            failed = [one.account.id for one in post.failed]
            expect(len(failed) == 1, f"failed: {failed}")
            expected = PostStatus.PARTLY_PUBLISHED if len(post.deliveries) > 1 else PostStatus.FAILED
            expect(post.status is expected, f"the post's status is {post.status}")
            expect(post.is_terminal, "it isn't over")
            await self._expect_live(post)

        self._play(body)

    # ---- reading

    def test_a_list_and_a_single_read_agree(self) -> None:
        """A post is the same in both, as far as the list shows it; where there is no list, that is known."""

        async def body(publisher: Publisher) -> None:
            posts = [await self._publish(publisher, part) for part in await self._parts(publisher)]
            posts = [await self._ended(publisher, post) for post in posts]
            if not isinstance(publisher, SupportsBulkRead):
                return
            listed = {post.id: post for post in await self._list(publisher)}
            if publisher.has_bulk_read is False:
                expect(not listed, "it says that it has no list, and lists")
                return
            for post in posts:
                expect(post.id in listed, f"post {post.id} isn't listed")
                seen = listed[post.id]
                expect(seen.status is post.status, f"{seen.status} in the list, {post.status} by itself")
                if seen.deliveries:
                    expect(
                        states_of(seen) == states_of(post),
                        f"{states_of(seen)} in the list, {states_of(post)} by itself",
                    )

        self._play(body)

    def test_a_lost_post_is_found_and_another_is_not(self) -> None:
        """Before it is sent it is absent; afterwards it and no other is found."""

        async def body(publisher: Publisher) -> None:
            if not isinstance(publisher, SupportsFindDuplicate):
                return
            first, second = (await self._parts(publisher))[:2]
            prepared, other = await publisher.prepare(first), await publisher.prepare(second)
            attempt = self._attempt(first)
            expect(isinstance(await publisher.find(prepared, attempt), Absent), "found before it was sent")
            taken = await publisher.publish(other)
            expect(isinstance(await publisher.find(prepared, attempt), Absent), "found, but it is another's post")
            post = await publisher.publish(prepared)
            for wait in (0.0, self.patience):
                await self._clock.sleep(wait)
                found = await publisher.find(prepared, attempt, taken=frozenset({taken.id}))
                expect(isinstance(found, Found), f"not found {wait:g} s after it was sent: {found}")
                expect(cast("Found", found).post.id == post.id, "another post was found")

        self._play(body)
