"""Notes what happens in a run while it happens: events, waits that a provider imposes, and how the budgets are used."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

import anyio
from attrs import define, field

from reelpub.bulk.ids import place_of
from reelpub.bulk.moments import stored_event, stored_hold, stored_sample
from reelpub.bulk.record import BudgetSample
from reelpub.clocks import Clock, utc_now
from reelpub.errors import ConfigurationError, StoreError
from reelpub.models.event import Event, EventsMissed, JobSettled
from reelpub.orchestrator.events import EventStream
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.providers.base import Publisher
from reelpub.store.runs import RunStore, StoredEvent
from reelpub.store.trouble import Trouble
from reelpub.transport.limiter import Hold

__all__ = ["Recorder", "recording", "sample_interval"]

log = logging.getLogger("reelpub.bulk")

BUFFER = 500_000
"""Events that may wait to be noted: some fifty for each of ten thousand rows that are taken on at once."""
PAUSE = 1.0
"""Seconds between two writes."""
LEAST_INTERVAL = 5.0
SAMPLES = 500
KEPT_WHILE_FAILING = 200_000
"""Events kept for the next write while the store can't be written to."""
_TURN = 200
"""Events taken before the loop gets a turn."""
_IMPOSED = frozenset({"429", "announced"})


def sample_interval(elapsed: float) -> float:
    """Return the seconds between two samples of a budget, *elapsed* seconds into a run: a long one has no more of them.

    Every 5 s at first, then such that at any time about 500 are apart by that much or more.
    """
    return max(LEAST_INTERVAL, elapsed / SAMPLES)


@define(kw_only=True, eq=False)
class Recorder:
    """Turns what it hears into events of a run, and writes them about once a second while there are any.

    A write that fails is told, once until one goes well again, and tried again with the next; it never stops the run.
    While *is_open* says no, the orchestrator is closing the store, and nothing is written by itself. `news` is set when
    a job of the run settles.
    """

    store: RunStore
    run: str
    publishers: Mapping[str, Publisher]
    clock: Clock
    is_mine: Callable[[str], bool]
    is_open: Callable[[], bool]
    news: asyncio.Event = field(factory=asyncio.Event, init=False)
    _pending: list[StoredEvent] = field(factory=list, init=False)
    _stirred: asyncio.Event = field(factory=asyncio.Event, init=False)
    _samples: dict[str, BudgetSample] = field(factory=dict, init=False)
    _holds_until: dict[tuple[str, str], float] = field(factory=dict, init=False)
    _trouble: Trouble = field(factory=lambda: Trouble(log), init=False)
    _began: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._began = self.clock.monotonic()

    def hear(self, event: Event) -> None:
        """Take one event."""
        job_id = getattr(event, "job_id", None)
        if job_id is None or self.is_mine(job_id):
            self._pending.append(stored_event(self.run, event, self.clock.time()))
            self._stirred.set()
            if isinstance(event, (JobSettled, EventsMissed)):
                self.news.set()

    def hear_hold(self, publisher: str, hold: Hold) -> None:
        """Take one wait; those that the provider imposed are noted, each once and not for everybody who waits."""
        self._stirred.set()
        now, key = self.clock.monotonic(), (publisher, hold.reason)
        if hold.reason in _IMPOSED and now >= self._holds_until.get(key, now):
            self._holds_until[key] = now + hold.delay
            self._pending.append(stored_hold(self.run, publisher, hold, self.clock.time()))

    def sample(self) -> None:
        """Note how each publisher's limit stands, where that has changed since it was noted last."""
        for name, publisher in self.publishers.items():
            budget = _budget(name, publisher, self.clock)
            if not _is_same(budget, self._samples.get(name)):
                self._samples[name] = budget
                self._pending.append(stored_sample(self.run, budget))

    async def write(self) -> None:
        """Write what is pending."""
        events, self._pending = self._pending, []
        if not events:
            return
        try:
            await self.store.add_events(events)
        except StoreError as error:
            self._trouble.tell("run %s: what happened couldn't be noted yet: %s", self.run, error)
            self._pending = [*events, *self._pending][-KEPT_WHILE_FAILING:]
        else:
            self._trouble.is_over("run %s: what happened is noted again", self.run)

    async def listen(self, events: EventStream) -> None:
        """Take events until they end."""
        count = 0
        async for event in events:
            self.hear(event)
            count += 1
            if count % _TURN == 0:
                await asyncio.sleep(0)
        # They end when the orchestrator stops, which settles everything.
        self.news.set()

    async def keep(self) -> None:
        """Sample and write until the orchestrator is closed, resting while nothing happens; cancel to stop."""
        sampled_at = self._began
        self.sample()
        while self.is_open():
            await self._stirred.wait()
            self._stirred.clear()
            await self.clock.sleep(PAUSE)
            now = self.clock.monotonic()
            if now - sampled_at >= sample_interval(now - self._began):
                sampled_at = now
                self.sample()
            if self.is_open():
                await self.write()
            if self._is_in_use():
                self._stirred.set()

    def _is_in_use(self) -> bool:
        """Whether a budget is still changing by itself, or hasn't been noted as it is."""
        now = {name: _budget(name, publisher, self.clock) for name, publisher in self.publishers.items()}
        return any(one.used or one.waiting or not _is_same(one, self._samples.get(name)) for name, one in now.items())


def _budget(name: str, publisher: Publisher, clock: Clock) -> BudgetSample:
    state = publisher.limiter.snapshot()
    return BudgetSample(
        at=utc_now(clock),
        publisher=name,
        limit=state.limit,
        window=publisher.limiter.window,
        used=state.used,
        waiting=state.waiting,
        requests=sum(publisher.requests.values()),
    )


def _is_same(one: BudgetSample, other: BudgetSample | None) -> bool:
    """Return whether *one* tells nothing that *other* doesn't; one that was never used tells nothing."""
    return _standing(one)[1:] == (0, 0, 0) if other is None else _standing(one) == _standing(other)


def _standing(budget: BudgetSample) -> tuple[int, int, int, int]:
    return budget.limit, budget.used, budget.waiting, budget.requests


@asynccontextmanager
async def recording(pub: Orchestrator, store: RunStore, run_id: str) -> AsyncGenerator[Recorder, None]:
    """Note what happens to the jobs of a run in *pub*, which has to be open, while the ``async with`` lasts.

    What is left is written at the end, also after a cancellation.
    """
    recorder = Recorder(
        store=store,
        run=run_id,
        publishers=pub.publishers,
        clock=pub.clock,
        is_mine=partial(_is_of, pub, run_id),
        is_open=lambda: pub.is_open,
    )
    unhook = [
        publisher.limiter.add_hold_listener(partial(recorder.hear_hold, name))
        for name, publisher in pub.publishers.items()
    ]
    async with pub.stream(buffer=BUFFER) as events:
        listening = asyncio.create_task(recorder.listen(events), name="reelpub-listen")
        keeping = asyncio.create_task(recorder.keep(), name="reelpub-record")
        try:
            yield recorder
        finally:
            for end in unhook:
                end()
            events.end()
            # The rest is written whatever ended the run; a second cancellation stops this, too.
            with anyio.CancelScope(shield=True):
                await _stop(keeping)
                await listening
                recorder.sample()
                await recorder.write()


def _is_of(pub: Orchestrator, run_id: str, job_id: str) -> bool:
    if place_of(job_id, run_id) is not None:
        return True
    try:
        return pub.job(job_id).job.run == run_id
    except ConfigurationError:  # so many have settled since then that it isn't remembered
        return False


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
