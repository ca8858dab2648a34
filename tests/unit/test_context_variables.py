"""Work runs with the context variables of whoever opened the orchestrator, never with another request's."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

from reelpub import Clip, Orchestrator, ProviderLimits, PublishRequest
from reelpub.testing import InMemoryPublisher, run_virtual

REQUEST: ContextVar[str] = ContextVar("REQUEST", default="none")


class Noting(InMemoryPublisher):
    """Notes under which request each of its calls was made, as a log filter does."""

    def __init__(self, *args, **names):
        super().__init__(*args, **names)
        self.seen = set()

    async def prepare(self, part):
        self.seen.add(REQUEST.get())
        return await super().prepare(part)

    async def publish(self, prepared, options=None):
        self.seen.add(REQUEST.get())
        return await super().publish(prepared, options)

    async def read_page(self, page, *, created_after=None):
        self.seen.add(REQUEST.get())
        return await super().read_page(page, created_after=created_after)


def test_a_worker_that_one_request_hired_doesnt_log_the_work_of_others_as_its():
    """A worker goes from job to job; with the context of the first, every line of the others would be misattributed."""

    async def handler(pub, number):
        REQUEST.set(f"request-{number}")
        return pub.submit(PublishRequest(Clip("p", f"c{number}"), accounts=["tiktok:acme"]))

    async def story(clock):
        memory = Noting(clock=clock, limits=ProviderLimits(requests=2, window=10.0))
        REQUEST.set("the service")
        async with Orchestrator([memory], clock=clock, concurrency=2) as pub:
            handles = [await asyncio.create_task(handler(pub, number)) for number in range(5)]
            await pub.wait_many(handles)
        assert memory.seen == {"the service"}

    run_virtual(story)
