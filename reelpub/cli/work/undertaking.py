"""Something done to a run while it is shown, from opening its store to the last table."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from reelpub.bulk import history
from reelpub.bulk.record import Moment, RunRecord
from reelpub.cli.exits import ExitStatus, of_statuses
from reelpub.cli.progress.picture import Picture, budgets_of
from reelpub.cli.progress.runviews import Sturdy, sturdy
from reelpub.cli.progress.tally import Tally
from reelpub.cli.progress.weights import weights
from reelpub.cli.setup import Setup, orchestrator
from reelpub.cli.show import runlisting, steps
from reelpub.cli.stores import default_path, path_from
from reelpub.cli.work.following import shown
from reelpub.cli.work.interrupts import Interrupts, listening
from reelpub.cli.work.numbering import Numbering
from reelpub.clocks import utc_now
from reelpub.errors import ConfigurationError, ReelPubError
from reelpub.models.event import EventsMissed, JobEvent, JobSettled
from reelpub.models.outcome import OutcomeStatus
from reelpub.orchestrator.events import EventStream
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.lateness import Lateness
from reelpub.providers.base import Publisher
from reelpub.store import SqliteStore

__all__ = ["Case", "Floor", "Work", "conclude", "named_store", "undertake"]

Work = Callable[["Floor"], Awaitable[object]]
"""What is done to a run. It is given a `Floor`; a `RunRecord` that it returns is how the run stands afterwards."""

_BUFFER = 200_000
_TURN = 100
"""Events shown before the loop gets a turn."""


def named_store(path: Path | None) -> Path | None:
    """Return *path* if commands about it have to name it, None where they find it by themselves."""
    return None if path == (path_from(os.environ) or default_path()) else path


@frozen(kw_only=True)
class Case:
    """Which run in which store, and who is shown it.

    The publishers are *publishers* where they were made already, else *publisher* alone, or one for each key.
    *records* are printed after the run's own, where JSON is. With *until_live* what is scheduled isn't done yet.
    """

    setup: Setup
    store: Path
    run: str
    view: Sturdy = field(converter=sturdy)
    publisher: str | None = None
    publishers: Sequence[Publisher] | None = None
    records: Sequence[Mapping[str, Any]] = ()
    late: Lateness | None = None
    until_live: bool = False

    @property
    def go_on(self) -> str:
        """The command that goes on with the run."""
        return steps.resume_command(self.run, named_store(self.store))


@frozen(kw_only=True)
class Floor:
    """What work on a run has: an open orchestrator and its store.

    *drain* is set when it is to stop in order; *on_rows* is to be told which rows are taken on, and *on_moment* what
    another process notes of a row.
    """

    pub: Orchestrator
    store: SqliteStore
    run: str
    drain: asyncio.Event
    on_rows: Callable[[Mapping[int, Handle]], None]
    on_moment: Callable[[int, Moment], None]


async def undertake(case: Case, work: Work) -> RunRecord:
    """Do *work* with an open orchestrator while the run is shown, and return how the run stands afterwards.

    After Ctrl-C, SIGTERM, SIGHUP or a reader that has gone nothing more is sent; what is on the wire is waited for and
    noted. A second signal ends the process at once. The store has every outcome either way.

    Raises:
        ReelPubError: what the work raised; the run can be gone on with, which the view is told, unless it was wrong
            use.
    """
    store = SqliteStore(case.store)
    async with AsyncExitStack() as unless_opened:
        for publisher in case.publishers or ():
            unless_opened.push_async_callback(publisher.close)
        async with history.opened(store):
            before = await history.load(store, case.run)
        pub = orchestrator(case.setup, case.publisher, store=store, late=case.late, made=case.publishers)
        tally = Tally(case.run, before.name, case.until_live)
        tally.add(before.rows, weights(before.rows, pub.publishers, utc_now(case.setup.clock)))
        # An orchestrator that is open closes them itself.
        undertaking = _Undertaking(case=case, pub=pub, store=store, tally=tally, opened=unless_opened.pop_all)
        for members in (runlisting.run_record(before), *case.records):
            undertaking.view.record(members)
        done = await undertaking.run(work)
    if isinstance(done, RunRecord):
        return done
    async with history.opened(store):
        return await history.load(store, case.run)


@define(kw_only=True)
class _Undertaking:
    case: Case
    pub: Orchestrator
    store: SqliteStore
    tally: Tally
    opened: Callable[[], object]
    view: Sturdy = field(init=False)
    _drain: asyncio.Event = field(factory=asyncio.Event, init=False)
    _numbering: Numbering = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.view = self.case.view
        self.view.when_lost(self._drain.set)
        self._numbering = Numbering(self.pub, self.case.run)

    async def run(self, work: Work) -> object:
        """Do *work* to its end, or until it is drained."""
        interrupts = Interrupts(self._drain.set, first_words=self._first_words, last_words=self._last_words)
        with listening(interrupts):
            try:
                return await self._shown(work)
            except ReelPubError as error:
                # After wrong use nothing was begun that could be gone on with.
                if not isinstance(error, ConfigurationError):
                    self.view.advise("the run stopped; go on with", self.case.go_on)
                raise

    def _first_words(self) -> None:
        self.view.note("stopping: nothing new is sent, what is on the wire is waited for; Ctrl-C again stops at once")

    def _last_words(self) -> None:
        self.view.close()
        self.view.advise("stopped at once; go on with", self.case.go_on)

    async def _shown(self, work: Work) -> object:
        floor = Floor(
            pub=self.pub,
            store=self.store,
            run=self.case.run,
            drain=self._drain,
            on_rows=self._numbering.learn,
            on_moment=self._noted,
        )
        stream = self.pub.stream(buffer=_BUFFER)
        async with self.pub, shown(self.view, self._open_view, stream, self._feed) as events:
            self.opened()
            try:
                done = await work(floor)
                # What closing does to posts that aren't waited for is no news.
                events.end()
            finally:
                await self.pub.close()
            return done

    def _noted(self, number: int, moment: Moment) -> None:
        line = self.tally.note(moment, number)
        if line is not None:
            self.view.moment(line, moment)

    def _open_view(self) -> None:
        clock = self.case.setup.clock
        picture = Picture(self.tally, lambda: budgets_of(self.pub.publishers), lambda: utc_now(clock))
        self.view.open(self.tally, picture)

    async def _feed(self, events: EventStream) -> None:
        count = 0
        async for event in events:
            if isinstance(event, EventsMissed):
                self.view.note(f"{event.count} events came too fast to be shown")
                continue
            number = self._numbering.number(event.job_id)
            if number is not None and not (self._drain.is_set() and _is_unfinished(event)):
                self._show(number, event)
            count += 1
            if count % _TURN == 0:
                await asyncio.sleep(0)

    def _show(self, number: int, event: JobEvent) -> None:
        line = self.tally.apply(event, number)
        if line is not None:
            self.view.event(line, event)


def _is_unfinished(event: JobEvent) -> bool:
    """Return whether *event* says what stopping makes of a job, which isn't its end."""
    return isinstance(event, JobSettled) and event.outcome.status in (OutcomeStatus.PENDING, OutcomeStatus.NOT_SENT)


def conclude(case: Case, record: RunRecord, *, only: Collection[int] | None = None) -> ExitStatus:
    """Show what became of the run, of its rows *only* those, and what to do next; return the exit status."""
    view = case.view
    store = named_store(case.store)
    status = of_statuses((row.status for row in record.rows), scheduled_counts=not case.until_live)
    view.listing(runlisting.rows(record, limit=runlisting.BRIEF, only=only, store=store))
    view.note(runlisting.totals(record))
    for step in steps.next_steps(record, store=store):
        view.advise(step.text, step.command)
    view.record(runlisting.summary_record(record, status, store=store))
    return status
