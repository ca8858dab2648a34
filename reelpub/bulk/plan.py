"""What a manifest would do, told before anything is sent: every problem of every row, requests, time and calendar.

The checks are those of publishing itself: who carries a row out and what is wrong with it (`orchestrator.choice`), its
accounts (`policies.checks`) and its posts (`Publisher.plan`). Accounts and the queue are read; nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from attrs import field, frozen

from reelpub.bulk.calendar import PlannedRow
from reelpub.bulk.planner import Planner
from reelpub.bulk.tally import PublisherPlan
from reelpub.errors import ReelPubError
from reelpub.manifest.rows import ManifestRow, RowProblem
from reelpub.providers.base import Publisher
from reelpub.store.runs import RunStore

__all__ = ["QUEUE_READS", "Plan", "plan"]

QUEUE_READS = 5
"""Requests that reading a provider's queue may take unless told otherwise: 500 posts, half a minute's limit at Reap."""

_TURN = 200
"""Rows that are checked before the loop gets a turn."""


@frozen(kw_only=True)
class Plan:
    """What a manifest comes to.

    Of `rows`, nothing is wrong with `sound`, and `skipped` are left out because the file says that they went out
    already. The store has `remembered` of them, so that they aren't sent again; `new` are sound and unknown to it, and
    `publishers` and `calendar` are of those alone, the calendar in the order of the file.
    `errors` and `warnings` count what was found. `reads` are the requests that planning itself took, by publisher;
    `unread` is why accounts couldn't be read, by publisher. `notes` say what else couldn't be known.
    """

    rows: int
    sound: int
    skipped: int
    errors: int
    warnings: int
    new: int
    remembered: int = 0
    publishers: tuple[PublisherPlan, ...] = ()
    calendar: tuple[PlannedRow, ...] = field(default=(), repr=False)
    reads: Mapping[str, int] = field(factory=dict)
    unread: Mapping[str, ReelPubError] = field(factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether no error was found, and the accounts of every row could be looked at."""
        return self.errors == 0 and not self.unread

    @property
    def posts(self) -> int:
        """The posts that the rows become at the providers."""
        return sum(one.posts for one in self.publishers)

    @property
    def requests(self) -> int:
        """The requests in all, about."""
        return sum(one.requests for one in self.publishers)

    @property
    def seconds(self) -> float:
        """The seconds until all has ended, but for what a provider keeps for a later time."""
        return max((one.seconds for one in self.publishers), default=0.0)

    @property
    def first_at(self) -> datetime | None:
        """When the first post goes out."""
        return min((row.at for row in self.calendar), default=None)

    @property
    def last_at(self) -> datetime | None:
        """When the last one does."""
        return max((row.at for row in self.calendar), default=None)


async def plan(
    rows: Iterable[ManifestRow],
    publishers: Mapping[str, Publisher],
    *,
    now: datetime,
    found: Callable[[RowProblem], object] = lambda _: None,
    planned: Callable[[PlannedRow], object] = lambda _: None,
    recalled: Callable[[int, str], object] = lambda _number, _job: None,
    left_out: Callable[[int, str], object] = lambda _number, _why: None,
    store: RunStore | None = None,
    is_offline: bool = False,
    queue_reads: int = QUEUE_READS,
) -> Plan:
    """Check *rows* as they come, and return what they come to; nothing but reads is sent.

    *found* is told of each error as soon as its row was read, and *planned* of each row that would be sent. Without
    *is_offline* the accounts of every publisher that a row needs are read, once, and its queue in at most *queue_reads*
    requests. An open *store* is asked which rows it has already, some hundred at a time, which sound rows wait for; it
    isn't written to. *recalled* is told of the number of each row that it has, and of its job, and *left_out* of each
    row of a results file that was sent again since it was written, and so isn't to run, and why. *now* is aware.

    Raises:
        StoreError: the store can't be read.
    """
    planner = Planner(
        publishers,
        now=now,
        found=found,
        planned=planned,
        recalled=recalled,
        left_out=left_out,
        store=store,
        is_offline=is_offline,
        queue_reads=queue_reads,
    )
    before = {name: sum(publisher.requests.values()) for name, publisher in publishers.items()}
    for number, row in enumerate(rows, start=1):
        await planner.add(row)
        if number % _TURN == 0:
            await asyncio.sleep(0)
    await planner.finish()
    reads = {name: sum(publisher.requests.values()) - before[name] for name, publisher in publishers.items()}
    return Plan(
        rows=planner.rows,
        sound=planner.sound,
        new=len(planner.calendar),
        remembered=planner.remembered,
        skipped=planner.skipped,
        errors=planner.errors,
        warnings=planner.warnings,
        publishers=planner.results(),
        calendar=tuple(planner.calendar),
        reads={name: count for name, count in reads.items() if count},
        unread=planner.unread(),
        notes=planner.notes(),
    )
