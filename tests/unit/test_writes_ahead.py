"""The desk tells the limiter how many writes are to come, and takes back what won't."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from reelpub import Clip, GeneratedPost, PublishRequest
from reelpub.models.job import Part
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.tracker import PartRef
from reelpub.orchestrator.writes import WritesAhead
from reelpub.policies.lifecycle import PartState, Stage
from reelpub.providers.reelmirror.publisher import ReelMirrorPublisher


class Expected:
    """Stands where the limiter counts."""

    def __init__(self):
        self.total = 0

    def expect_writes(self):
        return self

    def add(self, writes):
        self.total += writes

    def clear(self):
        self.total = 0


class Counted:
    """A publisher that knows what a request takes, or fails to."""

    name = "counted"

    def __init__(self, requests_for=None):
        self.limiter = Expected()
        if requests_for is not None:
            self.requests_for = requests_for


def refs(*requests, stage=Stage.PLANNED):
    made = []
    for number, request in enumerate(requests):
        part = Part(id=f"p{number}", job_id=f"j{number}", request=request)
        job = Job(id=f"j{number}", request=request, publisher="counted", submitted_at=datetime.now(UTC))
        job.parts = [PartState(part=part, stage=stage)]
        made.append(PartRef(job, 0))
    return made


CLIP = PublishRequest(Clip("p", "c"), accounts=["tiktok:acme"])


def test_each_batch_counts_until_it_is_over_and_the_last_clears_the_rest():
    over = []
    publisher = Counted(ReelMirrorPublisher.offline().requests_for)
    ahead = WritesAhead(publisher, lambda: over.append(True))
    approved = PublishRequest(GeneratedPost("g", approve=True))
    edited = PublishRequest(GeneratedPost("g"), caption="new")
    first, second = ahead.add(refs(approved)), ahead.add(refs(edited))
    assert (publisher.limiter.total, ahead.posts) == (1 + 3, 2)
    first()
    first()
    assert (publisher.limiter.total, ahead.posts, over) == (4, 1, [])
    second()
    assert (publisher.limiter.total, ahead.posts, over) == (0, 0, [True])


def test_what_is_ready_takes_one_more_request_and_so_does_a_batch_of_many():
    publisher = Counted(lambda *_, **__: type("Cost", (), {"writes": 0})())
    ahead = WritesAhead(publisher, lambda: None)
    ahead.add(refs(CLIP, CLIP, CLIP))
    assert (publisher.limiter.total, ahead.posts) == (1, 3)
    ahead.add(refs(CLIP, stage=Stage.READY))
    assert publisher.limiter.total == 2


def test_a_publisher_that_does_not_know_or_fails_is_counted_with_one_each(caplog):
    def broken(*_, **__):
        raise ValueError("a bug")

    for publisher in (Counted(), Counted(broken)):
        with caplog.at_level(logging.ERROR):
            WritesAhead(publisher, lambda: None).add(refs(CLIP))
        assert publisher.limiter.total == 1
    assert "foreseeing the requests of p0 raised" in caplog.text


def test_nothing_is_asked_of_the_limiter_before_there_is_something_to_send():
    publisher = Counted()
    publisher.limiter = None
    assert WritesAhead(publisher, lambda: None).posts == 0
