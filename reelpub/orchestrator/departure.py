"""The one moment that can't be taken back: the attempt is noted, then the request leaves."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import anyio.lowlevel
from attrs import frozen

from reelpub.errors import ReelPubError
from reelpub.models.job import Attempt
from reelpub.models.post import Post
from reelpub.orchestrator.claims import Claims
from reelpub.orchestrator.context import Context
from reelpub.orchestrator.journal import Journal
from reelpub.orchestrator.planning import names_of
from reelpub.orchestrator.queue import Worker
from reelpub.orchestrator.strangers import checked_results, heard, strange
from reelpub.orchestrator.suspension import elapsed_clock
from reelpub.orchestrator.tracker import PartRef, apply
from reelpub.policies.lifecycle import Sending, Stage, Unsent
from reelpub.policies.safety import Effect, effect_of
from reelpub.providers.base import Publisher, SupportsSchedule
from reelpub.transport.message import CallOptions

__all__ = ["Departure", "Stale"]

log = logging.getLogger("reelpub.orchestrator")


class Stale(ReelPubError):
    """A part was settled, or held by a cap, while its token was awaited; nothing was sent."""


@frozen(eq=False)
class Departure:
    """Sends what goes live, for one publisher."""

    _publisher: Publisher
    _context: Context
    _journal: Journal
    _claims: Claims

    def cap_wait(self, refs: Sequence[PartRef]) -> float:
        """Return how many seconds the caps of their accounts hold *refs*."""
        return self._context.caps.delay(_names(refs), self._context.clock.monotonic())

    async def go_live(self, refs: Sequence[PartRef], worker: Worker) -> Sequence[Post | ReelPubError]:
        """Send the request that puts *refs* live, and return a post or an error for each.

        Raises:
            Stale: they have to be put together anew; nothing was sent.
        """
        leave_by = math.inf
        counted_at: float | None = None

        async def leaving() -> None:
            nonlocal leave_by, counted_at
            # The token may come in the very turn in which the pool closes.
            await anyio.lowlevel.checkpoint_if_cancelled()
            if any(ref.state.is_settled for ref in refs) or (counted_at is None and self.cap_wait(refs) > 0):
                raise Stale
            worker.is_sending = True
            leave_by = elapsed_clock() + self._context.send_timeout
            counted_at = self._count(refs) if counted_at is None else counted_at
            self._note_attempt(refs)
            await self._journal.note(refs)

        def repeated(error: ReelPubError) -> None:
            nonlocal counted_at
            if effect_of(error) is Effect.NONE and counted_at is not None:
                self._sent_nothing(refs, worker)
                self._context.caps.give_back(_names(refs), counted_at)
                counted_at = None

        deadlines = [ref.job.deadline for ref in refs if ref.job.deadline is not None]
        options = CallOptions(
            timeout=self._context.send_timeout,
            deadline=min(deadlines, default=None),
            before_send=leaving,
            # Whoever takes the job over counts on it that nothing leaves after the noted send deadline.
            may_leave=lambda: elapsed_clock() < leave_by,
            on_repeat=repeated,
        )
        try:
            results = await self._results(refs, options, worker)
        finally:
            worker.is_sending = False
            self._claims.returned(refs)
        for ref, result in zip(refs, results, strict=True):
            if isinstance(result, Post):
                self._claims.own(result.id, ref)
        return results

    async def _results(
        self, refs: Sequence[PartRef], options: CallOptions, worker: Worker
    ) -> Sequence[Post | ReelPubError]:
        try:
            results = checked_results(await self._call(refs, options), len(refs))
            if any(isinstance(result, Stale) for result in results):
                # Where a provider turned some of a batch down by itself, an error of the request stands for the others.
                raise Stale
        except Stale:
            raise
        except ReelPubError as error:
            return [error] * len(refs)
        except Exception as error:
            log.exception("%s: publishing %s raised", self._publisher.name, refs[0].state.part.id)
            if not worker.is_sending:
                # It can't be told whether such a publisher sent anything, so nothing may be concluded.
                self._count(refs)
                self._note_attempt(refs)
            return [strange(error, self._publisher, "publish")] * len(refs)
        return results

    def _sent_nothing(self, refs: Sequence[PartRef], worker: Worker) -> None:
        # The wait may be an hour's, for a provider that is out of reach: nobody is to take it for sending.
        worker.sent_nothing()
        self._claims.returned(refs)
        for ref in refs:
            apply(self._context, ref, Unsent())

    def _count(self, refs: Sequence[PartRef]) -> float:
        """Count *refs* among what their accounts have had, and return when."""
        now = self._context.clock.monotonic()
        self._context.caps.use(_names(refs), now)
        return now

    async def _call(self, refs: Sequence[PartRef], options: CallOptions) -> Sequence[Post | ReelPubError]:
        prepared = [ref.prepared for ref in refs]
        if refs[0].state.part.at is not None and isinstance(self._publisher, SupportsSchedule):
            return await heard(self._publisher.schedule(prepared, options))
        return [await heard(self._publisher.publish(prepared[0], options))]

    def _note_attempt(self, refs: Sequence[PartRef]) -> None:
        clock = self._context.clock
        self._claims.leaves(refs)
        for ref in refs:
            ref.job.requests += 1
            number = len(ref.state.attempts) + (0 if ref.state.stage is Stage.SENDING else 1)
            part_id = ref.state.part.id
            attempt = Attempt(
                id=f"{part_id}.{number}",
                part_id=part_id,
                number=number,
                started_at=clock.time(),
                send_deadline=clock.time() + self._context.send_window,
            )
            apply(self._context, ref, Sending(attempt))


def _names(refs: Sequence[PartRef]) -> list[tuple[str, str]]:
    return [names for ref in refs for names in names_of(ref.state.part)]
