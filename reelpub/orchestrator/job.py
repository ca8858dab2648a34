"""One request on its way: its parts, what happened to them, and its outcome once it has one."""

from __future__ import annotations

import asyncio
from datetime import datetime

from attrs import define, field

from reelpub.errors import ReelPubError, ValidationError
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.post import DeliveryStatus
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.loops import require_loop, running_loop
from reelpub.policies.lifecycle import PartState, deliveries_of
from reelpub.policies.settlement import implied_status, merge, outcome_status

__all__ = ["Job"]


@define(kw_only=True, eq=False)
class Job:
    """A request that was taken on.

    `earlier` is the outcome that this job retries, if it retries one; `retries` the id of the stored job that had it,
    and `retry` the job that retries this one. `run` is the run that it belongs to. `is_stored` is set once the store
    has it, and `has_stored_parts` once it has its parts too; `is_behind` says that a note of them couldn't be written.
    `taken_up_at` is when it was taken up from another process. `deadline` (monotonic seconds) is when it may no longer
    start. `refusal` is why it can't be sent, unless the store has it already. `was_settled` stays set for one that has
    its outcome and is followed further. `asked` is the request as it was before its time passed, where it goes out all
    the same, and `other_keys` are content keys under which somebody may have asked for the same.
    """

    id: str
    request: PublishRequest
    publisher: str | None
    submitted_at: datetime
    content_key: str | None = None
    other_keys: tuple[str, ...] = ()
    asked: PublishRequest | None = None
    deadline: float | None = None
    parts: list[PartState] = field(factory=list)
    earlier: Outcome | None = None
    run: str | None = None
    retries: str | None = None
    retry: Job | None = None
    is_stored: bool = False
    has_stored_parts: bool = False
    is_behind: bool = False
    taken_up_at: datetime | None = None
    refusal: ValidationError | None = None
    warnings: tuple[Problem, ...] = ()
    requests: int = 0
    outcome: Outcome | None = None
    was_settled: bool = False
    _loop: asyncio.AbstractEventLoop | None = field(factory=running_loop, init=False)
    _waiters: list[asyncio.Future[None]] = field(factory=list, init=False)

    @property
    def content_keys(self) -> tuple[str, ...]:
        """Every key by which another job is known to ask for the same."""
        return self.other_keys if self.content_key is None else (self.content_key, *self.other_keys)

    @property
    def is_settled(self) -> bool:
        """Whether the job has its outcome."""
        return self.outcome is not None

    @property
    def is_done(self) -> bool:
        """Whether every part has ended."""
        return bool(self.parts) and all(part.is_settled for part in self.parts)

    def snapshot(self) -> Outcome:
        """Return the outcome, or what is known so far."""
        return self.outcome or self._from_parts(None)

    def settle(self, outcome: Outcome) -> None:
        """Give the job its outcome and wake who waits for it."""
        self.outcome = outcome
        self.was_settled = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def settled_from_parts(self, at: datetime) -> Outcome:
        """Return the outcome that the ended parts add up to."""
        return self._from_parts(at)

    def plain_outcome(
        self,
        status: OutcomeStatus,
        at: datetime,
        *,
        reason: str | None = None,
        error: ReelPubError | None = None,
        problems: tuple[Problem, ...] = (),
        duplicate_of: str | None = None,
    ) -> Outcome:
        """Return an outcome for a job that never came to have parts."""
        return Outcome(
            request=self.request,
            job_id=self.id,
            publisher=self.publisher,
            status=status,
            reason=reason,
            deliveries=self.earlier.deliveries if self.earlier else (),
            posts=self.earlier.posts if self.earlier else (),
            error=error,
            problems=problems,
            warnings=self.warnings,
            duplicate_of=duplicate_of,
            submitted_at=self.submitted_at,
            settled_at=at,
        )

    async def wait(self) -> Outcome:
        """Wait until the job has its outcome. Cancelling the wait doesn't touch the job.

        Raises:
            ConfigurationError: it has none yet, and is another event loop's.
        """
        while self.outcome is None:
            require_loop("a job under way", self._loop)
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        return self.outcome

    def _from_parts(self, settled_at: datetime | None) -> Outcome:
        fresh = tuple(delivery for part in self.parts for delivery in deliveries_of(part))
        deliveries = merge(self.earlier.deliveries if self.earlier else (), fresh)
        posts = tuple(part.post for part in self.parts if part.post is not None)
        retried = {post.id for post in posts}
        ends = [_end(part) for part in self.parts if not deliveries_of(part)]
        status = outcome_status([*(delivery.status for delivery in deliveries), *ends])
        errors = [part.error for part in self.parts if isinstance(part.error, ReelPubError)]
        reasons = list(dict.fromkeys(part.reason for part in self.parts if part.reason))
        return Outcome(
            request=self.request,
            job_id=self.id,
            publisher=self.publisher,
            status=status,
            reason="; ".join(reasons) or None,
            deliveries=deliveries,
            # A post that was retried where it stands shows as it is now.
            posts=tuple(p for p in (self.earlier.posts if self.earlier else ()) if p.id not in retried) + posts,
            error=errors[0] if errors else None,
            problems=tuple(problem for error in errors for problem in getattr(error, "problems", ())),
            warnings=self.warnings + tuple(w for part in self.parts if part.prepared for w in part.prepared.warnings),
            drafts=tuple(_draft(part) for part in self.parts if _draft(part)),
            orphans=tuple(orphan for part in self.parts if part.prepared for orphan in part.prepared.orphans),
            requests=self.requests,
            submitted_at=self.submitted_at,
            settled_at=settled_at,
        )


def _end(state: PartState) -> DeliveryStatus:
    """Return what is so of a part whose accounts nobody has told."""
    if state.end is not None:
        return state.end
    return implied_status(state.post) if state.post is not None else DeliveryStatus.PENDING


def _draft(state: PartState) -> str:
    """Return the id of a draft that was made for a part and certainly hasn't gone live, or an empty text."""
    is_idle = state.is_settled and state.post is None and state.end in (DeliveryStatus.REFUSED, DeliveryStatus.NOT_SENT)
    if not is_idle or state.prepared is None or state.part.retries is not None:
        return ""
    return state.prepared.post_id or ""
