"""What is known of every request, put together from events: what a live table shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

from attrs import define, field, frozen

from reelpub.models.account import Account, AccountRef
from reelpub.models.event import (
    AccountDelivered,
    AccountFailed,
    JobAccepted,
    JobEvent,
    JobHeld,
    JobQueued,
    JobSent,
    JobSettled,
    JobStatusChanged,
    JobUnknown,
)
from reelpub.models.outcome import Outcome
from reelpub.models.post import Delivery
from reelpub.models.request import PublishRequest

__all__ = ["Board", "Cell", "Row"]


@frozen(kw_only=True)
class Cell:
    """One account of a request: its name, how it stands there (None: nothing known yet), and a link or a reason."""

    name: str
    status: str | None = None
    detail: str = ""


@define(kw_only=True)
class Row:
    """One request. `changed` orders the rows by when something last happened to them; `job_id` is its latest job.

    `story` is what went wrong on the way and what was done about it.
    """

    request: PublishRequest
    label: str
    publisher: str = ""
    state: str = "queued"
    job_id: str | None = None
    is_settled: bool = False
    changed: int = 0
    cells: list[Cell] = field(factory=list)
    story: list[str] = field(factory=list)

    def put(self, deliveries: Iterable[Delivery]) -> None:
        """Take over how the accounts stand; one that the request named otherwise gets its proper name."""
        for delivery in deliveries:
            cell = Cell(
                name=str(delivery.account), status=delivery.status.value, detail=delivery.url or delivery.error or ""
            )
            place = self._place(delivery.account)
            if place is None:
                self.cells.append(cell)
            else:
                self.cells[place] = cell

    def _place(self, account: Account) -> int | None:
        for place, cell in enumerate(self.cells):
            if cell.name == str(account) or AccountRef(cell.name).matches(account):
                return place
        return None


class Board:
    """The requests of one run, in their order."""

    def __init__(self, requests: Iterable[PublishRequest] = ()) -> None:
        self.rows: list[Row] = []
        self._by_request: dict[int, Row] = {}
        self._changes = count(1)
        for request in requests:
            self.add(request)

    def add(self, request: PublishRequest) -> Row:
        """Show *request*, and the accounts that it names."""
        row = Row(request=request, label=str(request), cells=[Cell(name=str(name)) for name in request.accounts])
        self.rows.append(row)
        self._by_request[id(request)] = row
        return row

    def apply(self, event: JobEvent, request: PublishRequest) -> Row | None:
        """Note what happened to *request*, the very object that was added; return its row, or None for another."""
        row = self._by_request.get(id(request))
        if row is None:
            return None
        row.changed, row.job_id = next(self._changes), event.job_id
        row.publisher = event.publisher or row.publisher
        _note(row, event)
        return row

    def counts(self, rows: Sequence[Row] | None = None) -> dict[str, int]:
        """Return how many of *rows*, by default all, are in each state."""
        states = [row.state for row in (self.rows if rows is None else rows)]
        return {state: states.count(state) for state in dict.fromkeys(states)}


def _note(row: Row, event: JobEvent) -> None:
    row.story += _told(row, event)
    match event:
        case JobQueued():
            row.state, row.is_settled = "queued", False
        case JobHeld():
            row.state = "waiting"
        case JobSent():
            row.state = "sent" if event.attempt == 1 else "sent again"
        case JobAccepted() | JobStatusChanged():
            row.state = event.post.status.value if isinstance(event, JobStatusChanged) else "accepted"
            row.put(event.post.deliveries)
        case AccountDelivered() | AccountFailed():
            row.put([event.delivery])
        case JobUnknown():
            row.state = "unknown" if event.is_final else "looking up"
        case JobSettled():
            _settle(row, event.outcome)


def _settle(row: Row, outcome: Outcome) -> None:
    row.state, row.is_settled = outcome.status.value, True
    row.put(outcome.deliveries)


def _told(row: Row, event: JobEvent) -> list[str]:
    """Return what *event*, which isn't on the row yet, adds to its story."""
    match event:
        case JobQueued() if row.is_settled:
            return ["sent again where it failed"]
        case JobSent() if event.attempt > 1:
            return [f"attempt {event.attempt}"]
        case JobUnknown(is_final=False):
            return ["the answer was lost"]
        case JobAccepted(reconciled=True):
            return ["found at the provider and not sent again"]
        case AccountFailed():
            return [f"{event.delivery.account} failed"]
    return []
