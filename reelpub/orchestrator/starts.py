"""When a part starts: at once, at a time that is waited for here, late, or together with others in one request."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from attrs import define

from reelpub.models.event import JobHeld
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.tracker import PartRef, apply
from reelpub.policies.lateness import LatePolicy
from reelpub.policies.lifecycle import Withdrawn
from reelpub.providers.base import Publisher, SupportsSchedule

__all__ = ["Starts", "batches"]

log = logging.getLogger("reelpub.orchestrator")


@define(eq=False)
class Starts:
    """Decides for the parts of one publisher, and keeps late ones apart."""

    _context: Context
    _last_late: float = -math.inf

    def is_late(self, ref: PartRef) -> bool:
        """Return whether a part is late beyond its grace."""
        due = ref.state.part.not_before
        return due is not None and self._context.lateness.is_late(due, self._context.now())

    def is_wanted(self, ref: PartRef) -> bool:
        """Return whether a part is still wanted; what is late beyond its grace may not be."""
        due, lateness = ref.state.part.not_before, self._context.lateness
        if due is None or not self.is_late(ref) or lateness.policy is LatePolicy.PUBLISH:
            return True
        reason = f"it fell due at {due.isoformat(timespec='seconds')} while nothing ran"
        apply(self._context, ref, Withdrawn(reason, is_cancel=lateness.policy is LatePolicy.SKIP))
        return not ref.state.is_settled

    def start_of(self, ref: PartRef) -> float | None:
        """Return when a part that is waited for here starts, in monotonic seconds; None for at once."""
        due = ref.state.part.not_before
        if due is None:
            return None
        now, clock = self._context.now(), self._context.clock
        wait = (due - now).total_seconds()
        if self._context.lateness.is_late(due, now):
            wait = self._next_late(clock.monotonic(), self._context.lateness.spacing)
        if wait <= 0:
            return None
        self._context.tell(JobHeld, ref.job, seconds=wait, reason="time")
        return clock.monotonic() + wait

    def _next_late(self, now: float, spacing: float) -> float:
        """Return how long the next late post waits; the first doesn't."""
        self._last_late = max(now, self._last_late + spacing)
        return self._last_late - now


def batches(publisher: Publisher, refs: Sequence[PartRef]) -> list[list[PartRef]]:
    """Return *refs*, which have a time, in the publisher's batches; where it makes none of them, one by one."""
    if not refs or not isinstance(publisher, SupportsSchedule):
        return [[ref] for ref in refs]
    by_id = {ref.state.part.id: ref for ref in refs}
    try:
        made = [[by_id[part.id] for part in batch] for batch in publisher.batches([ref.state.part for ref in refs])]
    except Exception:
        log.exception("%s: putting %d posts into batches raised", publisher.name, len(refs))
        made = []
    if sorted(ref.state.part.id for batch in made for ref in batch) != sorted(by_id):
        return [[ref] for ref in refs]
    return made
