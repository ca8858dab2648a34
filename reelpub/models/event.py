"""What happens to a job, told as it happens. `kind` names each event for logs and JSON."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from attrs import frozen

from reelpub.models.outcome import Outcome
from reelpub.models.post import Delivery, Post, PostStatus

__all__ = [
    "AccountDelivered",
    "AccountFailed",
    "Event",
    "EventsMissed",
    "JobAccepted",
    "JobEvent",
    "JobHeld",
    "JobQueued",
    "JobSent",
    "JobSettled",
    "JobStatusChanged",
    "JobStuck",
    "JobUnknown",
]


@frozen(kw_only=True)
class JobEvent:
    """Base of the events of one job; `at` is when it happened, in UTC."""

    kind: ClassVar[str] = ""
    job_id: str
    publisher: str
    at: datetime


@frozen(kw_only=True)
class JobQueued(JobEvent):
    """The job was taken on and waits for its turn."""

    kind: ClassVar[str] = "queued"


@frozen(kw_only=True)
class JobHeld(JobEvent):
    """The job waits: `seconds` is the wait expected.

    `reason` is ``limit`` (the provider's rate limit), ``cap`` (the account's cap) or ``time`` (it is kept until it is
    due).
    """

    kind: ClassVar[str] = "held"
    seconds: float
    reason: Literal["limit", "cap", "time"]


@frozen(kw_only=True)
class JobSent(JobEvent):
    """The request that puts a part live is leaving; `attempt` counts from 1."""

    kind: ClassVar[str] = "sent"
    part_id: str
    attempt: int


@frozen(kw_only=True)
class JobAccepted(JobEvent):
    """The provider has the post; `reconciled` says that it was found after a lost answer."""

    kind: ClassVar[str] = "accepted"
    post: Post
    reconciled: bool = False


@frozen(kw_only=True)
class JobStatusChanged(JobEvent):
    """A read showed the post in another state."""

    kind: ClassVar[str] = "status_changed"
    post: Post
    before: PostStatus


@frozen(kw_only=True)
class AccountDelivered(JobEvent):
    """The post is live on one account."""

    kind: ClassVar[str] = "delivered"
    post_id: str
    delivery: Delivery


@frozen(kw_only=True)
class AccountFailed(JobEvent):
    """The provider says that one account didn't get the post."""

    kind: ClassVar[str] = "failed"
    post_id: str
    delivery: Delivery


@frozen(kw_only=True)
class JobUnknown(JobEvent):
    """The answer to a call that can't be repeated was lost; it is being looked up, unless `is_final`."""

    kind: ClassVar[str] = "unknown"
    part_id: str
    reason: str
    is_final: bool = False


@frozen(kw_only=True)
class JobStuck(JobEvent):
    """The post hasn't ended within the time that is reasonable; its outcome stays pending."""

    kind: ClassVar[str] = "stuck"
    post: Post


@frozen(kw_only=True)
class JobSettled(JobEvent):
    """The job has its outcome."""

    kind: ClassVar[str] = "settled"
    outcome: Outcome


@frozen(kw_only=True)
class EventsMissed:
    """The reader was too slow: `count` events were dropped before the next one. No outcome is lost by it."""

    kind: ClassVar[str] = "missed"
    count: int


Event = (
    JobQueued
    | JobHeld
    | JobSent
    | JobAccepted
    | JobStatusChanged
    | AccountDelivered
    | AccountFailed
    | JobUnknown
    | JobStuck
    | JobSettled
    | EventsMissed
)
