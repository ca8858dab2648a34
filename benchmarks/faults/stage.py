"""One cell of the fault matrix, the stage that it is played on, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import define, frozen

from faults.dying import Doom, DoomedStore, DoomedTransport
from faults.operations import Operation
from reelpub import Orchestrator, PublishRequest, ReapPublisher, ReelMirrorPublisher
from reelpub.clocks import Clock
from reelpub.sandbox import REAP_KEY, REELMIRROR_KEY, Sandbox
from reelpub.store import SqliteStore

__all__ = ["Cell", "Result", "Stage"]


@frozen(kw_only=True)
class Cell:
    """One cell of the table: what happens, and the one end that is allowed for it, `within` seconds of the clock.

    `told` is how many drafts may be left behind that the outcome then names. `why` is the reason of an end *unknown*.
    """

    provider: str
    operation: str
    fault: str
    end: str
    within: float
    told: int = 0
    why: str | None = None

    @property
    def id(self) -> str:
        """The cell's name in a test's report."""
        return f"{self.provider}-{self.operation}-{self.fault}".replace(" ", "_")


@frozen(kw_only=True)
class Result:
    """What a cell came to.

    `lost` and `doubled` count accounts; `false` are the statements that aren't so, in words; `told` are the drafts left
    behind that an outcome names; `sent` is how often the call reached the provider.
    """

    end: str
    seconds: float
    lost: int
    doubled: int
    false: tuple[str, ...]
    told: int
    sent: int


@define(eq=False)
class Stage:
    """The running sandbox of one cell, and what a process on it needs."""

    operation: Operation
    sandbox: Sandbox
    clock: Clock
    file: Path
    asked: Sequence[PublishRequest]

    def process(self, doom: Doom | None = None) -> Orchestrator:
        """Return a new process on the same file; with *doom*, one that dies."""
        publisher: Any
        if self.operation.provider == "reelmirror":
            publisher = ReelMirrorPublisher.connect(
                REELMIRROR_KEY, base_url=self.sandbox.reelmirror_url, clock=self.clock
            )
        else:
            publisher = ReapPublisher.connect(REAP_KEY, base_url=self.sandbox.reap_url, clock=self.clock)
        if doom is not None:
            publisher.client.transport = DoomedTransport(publisher.client.transport, doom)
        store = SqliteStore(self.file) if doom is None else DoomedStore(self.file, doom)
        return Orchestrator([publisher], clock=self.clock, store=store, shutdown_timeout=0)
