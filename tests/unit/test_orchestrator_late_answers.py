"""What is seen of a post while it is called off or moved counts before the answer to that, which is of before."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from attrs import evolve

from reelpub import CancelResult, Clip, NotFoundError, Orchestrator, OutcomeStatus, PostStatus, PublishRequest
from reelpub.clocks import utc_now
from reelpub.testing import InMemoryPublisher, run_virtual

OUT = OutcomeStatus
SECONDS = 60


def play(story, publisher, **options):
    """Play ``story(pub, memory, handle)`` with a post that is scheduled for a minute from now."""

    async def main(clock):
        memory = publisher(clock=clock)
        async with Orchestrator([memory], clock=clock, **options) as pub:
            at = utc_now(clock) + timedelta(seconds=SECONDS)
            handle = pub.submit(PublishRequest(Clip("p", "c1"), accounts=["tiktok:acme"], at=at))
            assert (await handle).status is OUT.SCHEDULED
            return await story(pub, memory, handle)

    return run_virtual(main)


# ---- calling off


class AnswersLate(InMemoryPublisher):
    """Says two minutes later that it is cancelled, and did nothing: its record had been cleared away."""

    async def cancel(self, post_id):
        await self.clock.sleep(2 * SECONDS)
        return CancelResult.CANCELLED


def test_what_was_seen_live_isnt_called_off_by_a_late_answer():
    async def story(pub, memory, handle):
        waiting = asyncio.create_task(pub.wait(handle))
        assert await pub.cancel(handle) is CancelResult.TOO_LATE
        assert (await waiting).status is handle.outcome().status is OUT.PUBLISHED
        assert memory.live == {"tiktok-acme": ["p/c1"]}

    play(story, AnswersLate)


class AnswersAsItGoesOut(InMemoryPublisher):
    """Says that it is cancelled while it is seen to be going out."""

    async def cancel(self, post_id):
        await self.clock.sleep(SECONDS + 15)
        return CancelResult.CANCELLED


def test_what_was_seen_going_out_is_followed_on_and_not_told_as_called_off():
    async def story(pub, memory, handle):
        memory.script.seconds = 100
        waiting = asyncio.create_task(pub.wait(handle))
        assert await pub.cancel(handle) is CancelResult.UNKNOWN
        assert (await waiting).status is OUT.PUBLISHED

    play(story, AnswersAsItGoesOut)


class Forgets(InMemoryPublisher):
    """Has no record of its posts any more, and takes that for cancelled, as Reap's adapter does."""

    async def fetch(self, post_id):
        raise NotFoundError("no such post", status=404, operation="fetch", provider=self.provider)

    async def cancel(self, post_id):
        return CancelResult.CANCELLED


class Breaks(Forgets):
    """Has a bug beside that."""

    async def fetch(self, post_id):
        raise LookupError(post_id)


@pytest.mark.parametrize("publisher", [Forgets, Breaks])
@pytest.mark.parametrize(
    ("passed", "result", "status"),
    [(0, CancelResult.CANCELLED, OUT.CANCELLED), (SECONDS, CancelResult.UNKNOWN, OUT.SCHEDULED)],
)
def test_what_vanished_is_called_off_only_if_its_time_hadnt_come(publisher, passed, result, status):
    """Scheduled yesterday, called off today: it may have gone out in between."""

    async def story(pub, memory, handle):
        await memory.clock.sleep(passed)
        assert await pub.cancel(handle) is result
        assert handle.outcome().status is status

    play(story, publisher)


def test_what_is_cancelled_and_can_be_read_is_cancelled_after_its_time_too():
    class Cancelled(InMemoryPublisher):
        async def cancel(self, post_id):
            result = await super().cancel(post_id)
            await self.clock.sleep(2 * SECONDS)
            return result

    async def story(pub, memory, handle):
        assert await pub.cancel(handle) is CancelResult.CANCELLED
        assert handle.outcome().status is OUT.CANCELLED
        assert memory.live == {}

    play(story, Cancelled)


@pytest.mark.parametrize(
    ("status", "is_timed", "result"),
    [
        (PostStatus.OTHER, True, CancelResult.CANCELLED),
        (PostStatus.OTHER, False, CancelResult.UNKNOWN),
        (PostStatus.DRAFT, False, CancelResult.UNKNOWN),
        (PostStatus.PUBLISHING, False, CancelResult.TOO_LATE),
    ],
)
def test_under_a_word_that_doesnt_say_whether_it_went_out_it_isnt_told_to_be_too_late(status, is_timed, result):
    class Odd(InMemoryPublisher):
        def _store(self, part, _, starts_at):
            post = evolve(super()._store(part, status, starts_at), raw_status="queued")
            self._posts[post.id].post = post
            return post

        async def cancel(self, post_id):
            return CancelResult.CANCELLED

        def _get(self, post_id):
            return self._posts[post_id].post

    async def main(clock):
        async with Orchestrator([Odd(clock=clock)], clock=clock) as pub:
            at = utc_now(clock) + timedelta(hours=5) if is_timed else None
            handle = pub.submit(PublishRequest(Clip("p", "c1"), accounts=["tiktok:acme"], at=at))
            await clock.sleep(5)
            return await pub.cancel(handle)

    assert run_virtual(main) is result


# ---- moving


class MovesLate(InMemoryPublisher):
    """Shows two minutes later the post as it was when it was asked."""

    async def reschedule(self, post_id, at):
        shown = evolve(self._get(post_id), scheduled_at=at)
        await self.clock.sleep(2 * SECONDS)
        return shown


def test_what_was_seen_live_isnt_moved_by_a_late_answer():
    async def story(pub, memory, handle):
        waiting = asyncio.create_task(pub.wait(handle))
        moved = await pub.reschedule(handle, utc_now(memory.clock) + timedelta(days=1))
        assert (await waiting).status is moved.status is handle.outcome().status is OUT.PUBLISHED

    play(story, MovesLate)


def test_what_was_called_off_meanwhile_stays_so():
    async def story(pub, memory, handle):
        moving = asyncio.create_task(pub.reschedule(handle, utc_now(memory.clock) + timedelta(days=1)))
        await memory.clock.sleep(1)
        assert await pub.cancel(handle) is CancelResult.CANCELLED
        assert (await moving).status is handle.outcome().status is OUT.CANCELLED

    play(story, MovesLate)


class AnswersWithTheEnd(InMemoryPublisher):
    """Shows the post as it is by then: live, or going out."""

    after = 0.0

    async def reschedule(self, post_id, at):
        await self.clock.sleep(self.after)
        return self._get(post_id)


@pytest.mark.parametrize("after", [SECONDS + 5, SECONDS + 25])
@pytest.mark.parametrize("is_followed", [True, False])
def test_a_post_that_has_begun_to_go_out_is_followed_to_its_end_at_once(after, is_followed):
    """And not only from the time to which it wasn't moved, nor until it counts as stuck."""

    async def story(pub, memory, handle):
        memory.after = after
        waiting = asyncio.create_task(pub.wait(handle)) if is_followed else None
        await pub.reschedule(handle, utc_now(memory.clock) + timedelta(days=1))
        assert (await (waiting or pub.wait(handle))).status is OUT.PUBLISHED
        return memory.clock.monotonic()

    began = 0.0

    async def begin(clock):
        return clock.monotonic()

    began = run_virtual(begin)
    assert play(story, AnswersWithTheEnd) - began < 10 * SECONDS
