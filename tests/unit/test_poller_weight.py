"""What a post that is followed costs Python's garbage collector, which visits everything that it holds."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

from reelpub import GeneratedPost, PublishRequest, ReelMirrorPublisher
from reelpub.clocks import SystemClock
from reelpub.models.job import Part
from reelpub.models.post import Post, PostStatus
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.poller import Poller
from reelpub.orchestrator.tracker import PartRef
from reelpub.policies.caps import CapBook
from reelpub.policies.lifecycle import PartState, Rules, Stage
from reelpub.policies.polling import PollPolicy

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def a_job(number):
    request = PublishRequest(GeneratedPost(f"post-{number}", approve=True))
    job = Job(id=f"job_{number}", request=request, publisher="reelmirror", submitted_at=NOW)
    post = Post(id=f"p{number}", provider="reelmirror", publisher="reelmirror", status=PostStatus.PUBLISHING)
    part = Part(id=f"{job.id}.1", job_id=job.id, request=request)
    job.parts = [PartState(part=part, stage=Stage.ACCEPTED, post=post)]
    return job


async def test_a_post_that_is_followed_is_one_object_for_the_garbage_collector():
    context = Context(
        clock=SystemClock(),
        rules=Rules(),
        poll=PollPolicy(),
        caps=CapBook({}),
        on_settled=lambda _job: None,
        known_by=lambda _job, _key: None,
    )
    poller = Poller(ReelMirrorPublisher.connect("rm_key"), context, is_busy=lambda: True)
    jobs = [a_job(number) for number in range(1000)]
    gc.collect()
    before = len(gc.get_objects())
    for job in jobs:
        poller.watch(PartRef(job, 0))
    gc.collect()
    assert len(gc.get_objects()) - before <= 1.1 * len(jobs)
