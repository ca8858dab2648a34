"""How a request ended, account by account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from datetime import datetime
from enum import StrEnum
from typing import overload

from attrs import field, frozen

from reelpub.errors import DeadlineExceeded, DeliveryFailed, OutcomeUnknown, ReelPubError, ValidationError
from reelpub.models.post import Delivery, DeliveryStatus, Post
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest

__all__ = ["CancelResult", "Outcome", "OutcomeStatus", "Report"]


class OutcomeStatus(StrEnum):
    """The closed set of ends."""

    PUBLISHED = "published"
    """Live on every account."""
    PARTLY_PUBLISHED = "partly_published"
    """Live, or scheduled, on some accounts and not on others."""
    SCHEDULED = "scheduled"
    """The provider has it and will publish it at its time."""
    REFUSED = "refused"
    """A check or the provider turned it down; nothing is live."""
    FAILED = "failed"
    """The provider tried and it is live on no account."""
    CANCELLED = "cancelled"
    """It was called off in time."""
    NOT_SENT = "not_sent"
    """It never left, or provably did nothing; `reason` says why."""
    DUPLICATE = "duplicate"
    """The same was asked for before, and isn't sent again; `duplicate_of` names that job."""
    PENDING = "pending"
    """Accepted and not finished: when the deadline came, or because it is stuck."""
    UNKNOWN = "unknown"
    """It may or may not be live on an account, and it isn't sent again by itself."""


class CancelResult(StrEnum):
    """How a cancellation ended."""

    CANCELLED = "cancelled"
    """It won't go out."""
    TOO_LATE = "too_late"
    """It has gone out, is going out, or had ended already."""
    UNKNOWN = "unknown"
    """Neither can be proved."""


@frozen(kw_only=True)
class Outcome:
    """What became of one request.

    `deliveries` has one entry for each account; none where nobody knows the accounts, as after an approval whose answer
    was lost. `posts` are the provider's posts, oldest first. `problems` are what a check found, `error` is the error
    behind a refusal, a failure to send or an unknown end, without its traceback, and `reason` says either in words.
    `warnings` didn't stop it. `drafts` were prepared and never went live, `orphans` are drafts left behind at the
    provider. `requests` counts how often a request that goes live left, those that were refused with 429 too; what
    everything cost together is in `Orchestrator.usage`. `settled_at` is None as long as it isn't the end.
    `is_resumable` is True where the orchestrator was closed first and its store has the job unfinished: this is how it
    stood then, and `Orchestrator.resume` goes on with it, here or in another process.
    """

    request: PublishRequest
    job_id: str
    publisher: str | None
    status: OutcomeStatus
    reason: str | None = None
    deliveries: tuple[Delivery, ...] = ()
    posts: tuple[Post, ...] = ()
    error: ReelPubError | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    duplicate_of: str | None = None
    drafts: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    requests: int = 0
    submitted_at: datetime | None = None
    settled_at: datetime | None = None
    is_resumable: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether this is the end, as far as this library follows it; a snapshot isn't settled."""
        return self.settled_at is not None

    @property
    def is_success(self) -> bool:
        """Whether everything asked for is live, or scheduled where that was asked for."""
        return self.status in (OutcomeStatus.PUBLISHED, OutcomeStatus.SCHEDULED)

    @property
    def published(self) -> tuple[Delivery, ...]:
        """The deliveries that are live."""
        return tuple(delivery for delivery in self.deliveries if delivery.is_published)

    @property
    def failed(self) -> tuple[Delivery, ...]:
        """The deliveries that provably aren't live and could be retried."""
        return tuple(delivery for delivery in self.deliveries if delivery.status.is_provably_not_live)

    @property
    def unknown(self) -> tuple[Delivery, ...]:
        """The deliveries of which nobody can say whether they are live."""
        return tuple(delivery for delivery in self.deliveries if delivery.status is DeliveryStatus.UNKNOWN)

    def raise_for_status(self) -> Outcome:
        """Return the outcome if it is a success, and raise what stands in its way otherwise.

        Raises:
            OutcomeUnknown: it may or may not be live.
            DeadlineExceeded: it is accepted and not finished.
            DeliveryFailed: the provider says that deliveries failed.
            ReelPubError: whatever else kept it from being sent or accepted: a copy of `error`, where there is one.
        """
        if self.is_success:
            return self
        said = f"{self.request}: {self.reason or self.status}"
        if self.status is OutcomeStatus.UNKNOWN:
            raise OutcomeUnknown(said, operation="publish", provider=self.publisher or "", cause=self.error)
        if self.status is OutcomeStatus.PENDING:
            raise DeadlineExceeded(said, last_status=next((str(post.status) for post in self.posts), None))
        failed = next((post for post in reversed(self.posts) if post.failed), None)
        if failed is not None:
            raise DeliveryFailed(failed)
        if self.error is not None:
            raise _again(self.error)
        raise ValidationError(self.problems) if self.problems else ReelPubError(said)

    def __str__(self) -> str:
        head = f"{self.status:<16} {self.request}"
        if self.deliveries:
            head += ": " + "; ".join(str(delivery) for delivery in self.deliveries)
        return f"{head} [{self.reason}]" if self.reason else head


def _again(error: ReelPubError) -> ReelPubError:
    """Return a copy to raise: what is raised again and again would keep the frames of everybody who raised it."""
    again = copy(error)
    again.__cause__, again.__suppress_context__ = error.__cause__, error.__suppress_context__
    return again


def _outcomes(values: Iterable[Outcome]) -> tuple[Outcome, ...]:
    return tuple(values)


@frozen
class Report(Sequence[Outcome]):
    """The outcomes of a batch, in the order of its requests."""

    outcomes: tuple[Outcome, ...] = field(converter=_outcomes)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Outcome]: ...
    def __getitem__(self, index: int | slice) -> Outcome | Sequence[Outcome]:
        return self.outcomes[index]

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    def of(self, *statuses: OutcomeStatus) -> tuple[Outcome, ...]:
        """Return the outcomes that ended in one of *statuses*."""
        return tuple(outcome for outcome in self.outcomes if outcome.status in statuses)

    @property
    def is_success(self) -> bool:
        """Whether every outcome is a success."""
        return all(outcome.is_success for outcome in self.outcomes)

    @property
    def counts(self) -> dict[OutcomeStatus, int]:
        """How many outcomes ended in each status; statuses that didn't occur are left out."""
        found = [outcome.status for outcome in self.outcomes]
        return {status: found.count(status) for status in OutcomeStatus if status in found}

    def __str__(self) -> str:
        return ", ".join(f"{count} {status}" for status, count in self.counts.items()) or "empty"
