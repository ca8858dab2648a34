"""What everything in an orchestrator shares: the clock, the rules, the events and the ids."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from attrs import define, field

from reelpub.clocks import Clock, utc_now
from reelpub.models.event import AccountDelivered, AccountFailed, JobEvent
from reelpub.models.post import Post
from reelpub.orchestrator.events import EventBus
from reelpub.orchestrator.job import Job
from reelpub.policies.caps import CapBook
from reelpub.policies.lifecycle import Rules
from reelpub.policies.polling import PollPolicy

__all__ = ["Context", "new_job_id"]


def new_job_id() -> str:
    """Return an id that no other job has, in this process or another."""
    return f"job_{secrets.token_hex(8)}"


@define(kw_only=True, eq=False)
class Context:
    """Shared by the desks of one orchestrator."""

    clock: Clock
    rules: Rules
    poll: PollPolicy
    caps: CapBook
    bus: EventBus = field(factory=EventBus)
    on_settled: Callable[[Job], None]

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
