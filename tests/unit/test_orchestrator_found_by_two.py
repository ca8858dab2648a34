"""Two processes that look for the same at once: a post that was found is one's alone, and none is lost by it."""

from __future__ import annotations

import asyncio

import pytest

from reelpub import Clip, Orchestrator, OutcomeStatus, PublishRequest
from reelpub.errors import RequestTimeout, StoreError
from reelpub.store import MemoryStore
from reelpub.testing import InMemoryPublisher, run_virtual

OUT = OutcomeStatus
REPEATED = PublishRequest(Clip("p", "c1"), accounts=["tiktok:acme"], allow_duplicate=True)


class World(InMemoryPublisher):
    """One provider for several processes; the answers to the first requests are lost, to each as it is told."""

    def __init__(self, *losses, **options):
        super().__init__(**options)
        self.losses = list(losses)

    async def publish(self, prepared, options=None):
        loss = self.losses.pop(0) if self.losses else None
        if loss != "before":
            post = await super().publish(prepared, options)
            if loss is None:
                return post
        else:
            await options.before_send()
        raise RequestTimeout("no answer", operation="publish", provider=self.provider, sent=True)

    async def find(self, prepared, attempt, *, taken=frozenset()):
        found = await super().find(prepared, attempt, taken=taken)
        # Long enough for the other one to look, too.
        await self.clock.sleep(1)
        return found

    async def close(self):
        pass


def play(losses, store):
    """Have two processes ask for the same on purpose; return their outcomes, and how often it is live."""

    async def main(clock):
        world = World(*losses, clock=clock)
        try:
            async with (
                Orchestrator([world], clock=clock, store=store) as one,
                Orchestrator([world], clock=clock, store=store) as other,
            ):
                outcomes = await asyncio.gather(one.publish(REPEATED), other.publish(REPEATED))
                for post_id in list(world._posts):
                    await world.fetch(post_id)
        finally:
            world.limiter.close()
        return outcomes, len(world.live["tiktok-acme"])

    return run_virtual(main)


@pytest.mark.parametrize("losses", [("before", "after"), ("after", "before")])
def test_a_post_that_both_find_is_one_s_and_the_other_is_sent(losses):
    outcomes, live = play(losses, MemoryStore())
    assert [outcome.status for outcome in outcomes] == [OUT.PUBLISHED] * 2
    assert len({post.id for outcome in outcomes for post in outcome.posts}) == live == 2


def test_where_the_store_cant_say_whose_it_is_it_is_taken_as_before():
    class Full(MemoryStore):
        async def claim_post(self, part, *, owner, since):
            raise StoreError("the disk is full")

    outcomes, _ = play(["after"], Full())
    assert [outcome.status for outcome in outcomes] == [OUT.PUBLISHED] * 2
