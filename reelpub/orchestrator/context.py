"""What everything in an orchestrator shares: the clock, the rules, the events and the ids."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import define, field

from reelpub.clocks import Clock, scale_of, utc_now
from reelpub.models.event import AccountDelivered, AccountFailed, JobEvent
from reelpub.models.post import Post
from reelpub.orchestrator.events import EventBus
from reelpub.orchestrator.job import Job
from reelpub.policies.caps import CapBook
from reelpub.policies.lateness import Lateness
from reelpub.policies.lifecycle import Rules
from reelpub.policies.polling import PollPolicy

__all__ = ["Context", "new_job_id"]


def new_job_id() -> str:
    """Return an id that no other job has, in this process or another."""
    return f"job_{secrets.token_hex(8)}"


@define(kw_only=True, eq=False)
class Context:
    """Shared by the desks of one orchestrator.

    `send_timeout` is the longest that a request which goes live may be under way, in real seconds.
    """

    clock: Clock
    rules: Rules
    poll: PollPolicy
    caps: CapBook
    send_timeout: float = 30.0
    lateness: Lateness = field(factory=Lateness)
    bus: EventBus = field(factory=EventBus)
    on_settled: Callable[[Job], None]
    known_by: Callable[[Job, Sequence[str]], str | None]
    """Know a job by the first of these content keys, too, or return the id of another that has one of them."""
    gave_way: Callable[[str, Job], bool] = lambda _id, _job: False
    """Return whether the job of that id ended as the duplicate of this one."""
    is_left: Callable[[Job], bool] = lambda _: False
    """Whether a job that ends now only does so as this is being closed, and stays unfinished in the store."""

    @property
    def send_window(self) -> float:
        """`send_timeout` in the clock's seconds: HTTP time-outs stay real where the clock is scaled."""
        return self.send_timeout * scale_of(self.clock)

    def now(self) -> datetime:
        """Return the clock's present in UTC."""
        return utc_now(self.clock)

    def tell(self, make: type[JobEvent], job: Job, **members: object) -> None:
        """Make and hand out an event, if anybody listens."""
        if self.bus.is_heard:
            self.bus.put(make(job_id=job.id, publisher=job.publisher or "", at=self.now(), **members))

    def tell_deliveries(self, job: Job, before: Post | None, post: Post) -> None:
        """Tell which accounts ended between two views of a post."""
        ended = {d.account.id for d in before.deliveries if d.status.is_terminal} if before is not None else set()
        for delivery in post.deliveries:
            if delivery.account.id in ended:
                continue
            if delivery.is_published:
                self.tell(AccountDelivered, job, post_id=post.id, delivery=delivery)
            elif delivery.is_failed:
                self.tell(AccountFailed, job, post_id=post.id, delivery=delivery)
