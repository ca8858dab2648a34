"""What the rows of one publisher take together: posts, requests and time."""

from __future__ import annotations

import math
from array import array
from collections.abc import Hashable
from datetime import datetime, timedelta

from attrs import define, field, frozen

from reelpub.policies.batching import evenly_spaced
from reelpub.policies.forecast import FINISH_SECONDS, Load, forecast, remaining_seconds
from reelpub.providers.base import Cost, Publisher, SupportsBulkRead

__all__ = ["PublisherPlan", "Tally"]


@frozen(kw_only=True)
class PublisherPlan:
    """What one publisher gets to do.

    Of its `posts`, `scheduled` are given to the provider for a later time, and `kept_here` wait in this program for
    theirs; the others go out as soon as the limit of `limit` requests in each `window` seconds allows. `writes` and
    `reads` are the requests for that, `following` about how many more follow posts to their ends. `sending` is the
    seconds until the last request that needn't wait for its time has left, `seconds` those until all has ended.
    """

    publisher: str
    provider: str
    rows: int
    posts: int
    scheduled: int
    kept_here: int
    writes: int
    reads: int
    following: int
    sending: float
    seconds: float
    limit: int
    window: float

    @property
    def requests(self) -> int:
        """The requests in all, about."""
        return self.writes + self.reads + self.following


@define(eq=False)
class Tally:
    """Adds up the sound rows of one publisher as they come; a row that shares requests takes 8 bytes."""

    publisher: Publisher
    now: datetime
    rows: int = 0
    posts: int = 0
    scheduled: int = 0
    kept_here: int = 0
    _load: Load = field(factory=Load)
    _once: dict[str, int] = field(factory=dict)
    _shares: dict[Hashable, array[int]] = field(factory=dict)
    _last_kept: datetime | None = None
    _names_accounts: bool = False

    def add(self, cost: Cost, posts: int, *, at: datetime | None, is_kept: bool, names_accounts: bool) -> float:
        """Count a row that becomes *posts* posts at *at*, or at once; return in how many seconds it leaves, about."""
        self.rows += 1
        self.posts += posts
        self._names_accounts = self._names_accounts or names_accounts
        self._once.update(cost.once)
        for key, date in cost.shares:
            self._shares.setdefault(key, array("q")).append(date)
        is_timed = at is not None and not is_kept
        self.scheduled += posts if is_timed else 0
        if is_kept and at is not None:
            self.kept_here += posts
            self._last_kept = max(at, self._last_kept or at)
            return (at - self.now).total_seconds()
        self._load += Load(writes=cost.writes, reads=cost.reads, posts=0 if is_timed else posts)
        return self._seconds_to_send()

    def _seconds_to_send(self) -> float:
        limiter = self.publisher.limiter
        return remaining_seconds(
            limit=limiter.limit, window=limiter.window, writes_left=self._load.writes, reads_left=self._load.reads
        )

    def result(self) -> PublisherPlan:
        """Return what it comes to."""
        limiter = self.publisher.limiter
        load = self._load + Load(writes=self._batches(), reads=sum(self._once.values()) + self._names_accounts)
        found = forecast(load, limit=limiter.limit, window=limiter.window, has_list=self.has_list is True)
        return PublisherPlan(
            publisher=self.publisher.name,
            provider=self.publisher.provider,
            rows=self.rows,
            posts=self.posts,
            scheduled=self.scheduled,
            kept_here=self.kept_here,
            writes=load.writes + self.kept_here,
            reads=load.reads,
            following=found.following + self._kept_reads(),
            sending=found.sending,
            seconds=max(found.seconds, self._kept_seconds()),
            limit=limiter.limit,
            window=limiter.window,
        )

    @property
    def has_list(self) -> bool | None:
        """Whether posts can be read a page at a time; None where that isn't known yet."""
        return self.publisher.has_bulk_read if isinstance(self.publisher, SupportsBulkRead) else False

    @property
    def follows(self) -> bool:
        """Whether there are posts to be followed to their end."""
        return self._load.posts > 0

    def _kept_reads(self) -> int:
        """Return about how many reads follow posts that wait here, each at a time of its own."""
        limiter = self.publisher.limiter
        alone = forecast(Load(posts=1), limit=limiter.limit, window=limiter.window, has_list=self.has_list is True)
        return self.kept_here * alone.following

    def _kept_seconds(self) -> float:
        if self._last_kept is None:
            return 0.0
        return (self._last_kept - self.now + timedelta(seconds=FINISH_SECONDS)).total_seconds()

    def _batches(self) -> int:
        limits = self.publisher.limits
        return sum(
            len(
                evenly_spaced(
                    dates,
                    at=lambda date: date,
                    key=lambda _: None,
                    max_size=limits.schedule_batch,
                    min_interval=math.ceil(limits.schedule_min_interval),
                )
            )
            for dates in self._shares.values()
        )
