"""What a client and a publisher take from a transport that offers more than sending, and from one that doesn't."""

from __future__ import annotations

from collections import Counter

import pytest

from reelpub.clocks import SystemClock
from reelpub.providers.reap.publisher import ReapPublisher
from reelpub.providers.reelmirror.publisher import ReelMirrorPublisher
from reelpub.transport.bucket import AioLimiterBucket, LogBucket, NotingBucket, ReadyBucket
from reelpub.transport.limiter import RateLimiter
from reelpub.transport.offline import OfflineTransport

PUBLISHERS = pytest.mark.parametrize("kind", [ReelMirrorPublisher, ReapPublisher])


class Telling(OfflineTransport):
    """Sends nothing, and offers everything beside."""

    def __init__(self):
        super().__init__("somebody")
        self.limiter = RateLimiter(7, 60.0)
        self.requests = Counter({"get_post": 3})
        self.unreached_for = 12.0
        self.clock_ahead = 0.0
        self.closed = 0

    async def close(self):
        self.closed += 1


@PUBLISHERS
async def test_what_a_transport_offers_is_used_and_it_is_left_open(kind):
    transport = Telling()
    async with kind.connect("key-1", name="mine", transport=transport) as publisher:
        assert publisher.requests == {"get_post": 3}
        assert publisher.requests is not transport.requests
        assert publisher.unreached_for == 12.0
        assert publisher.limiter is transport.limiter
        assert publisher.name == "mine"
        assert repr(publisher) == f"<{kind.__name__} 'mine'>"
    assert transport.closed == 0


@PUBLISHERS
async def test_a_transport_that_only_sends_is_enough(kind):
    async with kind.connect("key-1", transport=OfflineTransport("somebody")) as publisher:
        assert publisher.requests == {}
        assert publisher.unreached_for is None
        assert publisher.limiter.snapshot().limit == publisher.limits.requests


@pytest.mark.parametrize("bucket", [LogBucket(1, 60.0, clock=SystemClock()), AioLimiterBucket(1)])
def test_the_buckets_here_offer_everything_that_one_may(bucket):
    assert isinstance(bucket, ReadyBucket)
    assert isinstance(bucket, NotingBucket)


async def test_a_bucket_that_only_lets_take_is_enough():
    class Plain:
        taken = 0

        async def take(self):
            self.taken += 1

    bucket = Plain()
    limiter = RateLimiter(2, 60.0, bucket=bucket)
    for _ in range(2):
        (await limiter.acquire()).answered()
    assert bucket.taken == 2
    limiter.close()
