"""Takes on the rows of a run, so many at a time, and sees each to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from attrs import define, evolve, field

from reelpub.bulk.ledger import numbers_of
from reelpub.errors import ConfigurationError, StoreError
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.providers.base import Publisher
from reelpub.store import codec
from reelpub.store.runs import RunStore, StoredRow
from reelpub.store.trouble import Trouble

__all__ = ["Crew", "OnRows", "is_for"]

log = logging.getLogger("reelpub.bulk")

OnRows = Callable[[Mapping[int, Handle]], None]
"""Told each time rows are taken on: their numbers, each with the handle of its job."""

CHUNK = 250
"""Rows submitted at once: five full scheduling requests at Reap, and some hundredth of a second."""
MOST_OPEN = 5_000
"""Rows under way at a time: an hour and more of work at the faster of the limits, and some 40 MB."""
REST = 0.2
"""Seconds between two looks at what has settled."""

_WITHOUT_JOB = frozenset(
    {OutcomeStatus.REFUSED, OutcomeStatus.NOT_SENT, OutcomeStatus.DUPLICATE, OutcomeStatus.CANCELLED}
)
"""How a row can end without the store's having its job."""


@define(kw_only=True, eq=False)
class Crew:
    """Works on the rows of one run. `news` is set by others when something has settled.

    `numbers` are the rows of jobs as far as they are known beforehand.
    """

    pub: Orchestrator
    store: RunStore
    run: str
    news: asyncio.Event
    on_rows: OnRows | None = None
    numbers: dict[str, int] = field(factory=dict)
    _open: dict[str, Handle] = field(factory=dict, init=False)
    _rows: dict[str, StoredRow] = field(factory=dict, init=False)
    _unwritten: list[tuple[StoredRow, bytes]] = field(factory=list, init=False)
    _trouble: Trouble = field(factory=lambda: Trouble(log), init=False)

    def take_up(self, handles: Sequence[Handle], rows: Mapping[int, StoredRow] | None = None) -> None:
        """See out jobs that the store has, or is to have: how one of *rows*, by number, ends without it is noted."""
        pairs = ((handle.id, handle.job.retries) for handle in handles)
        self.numbers |= numbers_of(self.run, pairs, known=self.numbers)
        self._tell({self.numbers[handle.id]: handle for handle in handles if handle.id in self.numbers})
        if rows is not None:
            self._rows |= {handle.id: rows[self.numbers[handle.id]] for handle in handles}
        self._open |= {handle.id: handle for handle in handles if not handle.is_settled or handle.id in self._rows}

    async def submit(self, rows: Iterable[StoredRow], *, is_again: bool = False) -> None:
        """Take on *rows* under their job ids, no more than `MOST_OPEN` at a time.

        With *is_again*, what was asked for at a time that has passed goes out now. Rows that are for a publisher which
        isn't here are left as they are.
        """
        left = 0
        remaining = iter(rows)
        while chunk := list(islice(remaining, CHUNK)):
            await self._make_room(len(chunk))
            asked = [(row, codec.load_request(row.request)) for row in chunk]
            here = [(row, request) for row, request in asked if is_for(request, self.pub.publishers)]
            left += len(asked) - len(here)
            self._submit(here, is_again=is_again)
            await self.settle_up()
        if left:
            log.warning("run %s: %d rows are left as they are: no publisher for them is here", self.run, left)

    def _submit(self, asked: Sequence[tuple[StoredRow, PublishRequest]], *, is_again: bool) -> None:
        # Another call of this process may have been faster.
        handles = {row.job_id: handle for row, _ in asked if (handle := self._known(row.job_id)) is not None}
        new = [(row.job_id, request) for row, request in asked if row.job_id not in handles]
        submitted = self.pub.submit_many(
            [request for _, request in new],
            run=self.run,
            job_ids=[job_id for job_id, _ in new],
            even_if_late=is_again,
        )
        handles |= {handle.id: handle for handle in submitted}
        self._open |= handles
        self._rows |= {row.job_id: row for row, _ in asked}
        self._tell({row.number: handles[row.job_id] for row, _ in asked})

    def _known(self, job_id: str) -> Handle | None:
        try:
            return self.pub.job(job_id)
        except ConfigurationError:
            return None

    def _tell(self, handles: Mapping[int, Handle]) -> None:
        if self.on_rows is not None and handles:
            self.on_rows(handles)

    async def _make_room(self, count: int) -> None:
        while len(self._open) > MOST_OPEN - count:
            await self._look()

    async def see_out(self) -> None:
        """Wait until everything that was taken on has settled."""
        while self._open:
            await self._look()

    async def _look(self) -> None:
        self.news.clear()
        before = len(self._open)
        await self.settle_up()
        if len(self._open) == before:
            await self.news.wait()
            await self.pub.clock.sleep(REST)

    async def settle_up(self) -> None:
        """Let go of what has settled, and note how rows ended of which the store has no job."""
        for handle in [handle for handle in self._open.values() if handle.is_settled]:
            del self._open[handle.id]
            row = self._rows.pop(handle.id, None)
            if row is not None and _ended_without_job(handle):
                self._unwritten.append((row, codec.dump_outcome(handle.outcome())))
        # What closing makes of jobs isn't their end: they go on when the run is resumed.
        if self._unwritten and self.pub.is_open:
            await self._write()

    async def _write(self) -> None:
        rows, self._unwritten = self._unwritten, []
        try:
            # Whoever called a row off meanwhile, or sent it again, has the last word.
            await self.store.settle_rows(
                [evolve(row, outcome=outcome) for row, outcome in rows], was=[row.outcome for row, _ in rows]
            )
        except StoreError as error:
            self._trouble.tell("run %s: the outcomes of %d rows couldn't be noted yet: %s", self.run, len(rows), error)
            self._unwritten += rows
        else:
            self._trouble.is_over("run %s: the outcomes of rows are noted again", self.run)


def _ended_without_job(handle: Handle) -> bool:
    outcome = handle.outcome()
    return not handle.job.is_stored and outcome.status in _WITHOUT_JOB and not _was_submitted_before(outcome)


def _was_submitted_before(outcome: Outcome) -> bool:
    """Whether the store has a job of this very id: another process was faster, and its outcome counts."""
    return outcome.duplicate_of == outcome.job_id


def is_for(request: PublishRequest, publishers: Mapping[str, Publisher]) -> bool:
    """Return whether one of *publishers* may be meant; what is wrong with the request otherwise is theirs to say."""
    if request.publisher is not None:
        return request.publisher in publishers
    return any(isinstance(request.source, publisher.capabilities.sources) for publisher in publishers.values())
