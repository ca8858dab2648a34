"""The fault matrix: every call that makes, changes or calls off a post, times every way in which it can go wrong.

Each cell plays one story on the sandbox, over real sockets in virtual time: a post is asked for, the fault strikes at
the one call that the cell is about, and what the caller is told is compared with what the provider then has and with
what goes live. `tests/acceptance/fault_matrix.json` names for each cell the one end that is allowed.

Run ``python benchmarks/fault_matrix.py > docs/fault-matrix.md``; it fails where a cell doesn't hold.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from reelpub import (
    CancelResult,
    Clip,
    DeliveryStatus,
    GeneratedPost,
    MediaItems,
    Orchestrator,
    Outcome,
    OutcomeStatus,
    PublishRequest,
    ReapPublisher,
    ReelMirrorClient,
    ReelMirrorPublisher,
    ReelPubError,
    StoreError,
)
from reelpub.clocks import Clock
from reelpub.sandbox import (
    REAP_ACCOUNTS,
    REAP_KEY,
    REELMIRROR_ACCOUNTS,
    REELMIRROR_KEY,
    Fault,
    FaultKind,
    ReelMirrorDialect,
    Sandbox,
)
from reelpub.store import SqliteStore
from reelpub.testing import run_virtual
from reelpub.transport.message import CallOptions, Request, Response

__all__ = ["CELLS", "FAULTS", "OPERATIONS", "Cell", "Result", "breaches", "load_cells", "main", "play", "render"]

CELLS = Path(__file__).parents[1] / "tests" / "acceptance" / "fault_matrix.json"

BEFORE_SEND, BEFORE_NOTE, AFTER_NOTE = "killed before the send", "killed before the note", "killed after the note"

FAULTS: Mapping[str, FaultKind | None] = {
    "lost before": FaultKind.LOST_BEFORE,
    "lost after": FaultKind.LOST_AFTER,
    "reset in the body": FaultKind.RESET_IN_BODY,
    "hangs before": FaultKind.HANG_BEFORE,
    "hangs after": FaultKind.HANG_AFTER,
    "502 after": FaultKind.HTML_502_AFTER,
    "takes effect late": FaultKind.LATE,
    "429 before": FaultKind.RATE_LIMITED,
    "pooled connection closed": FaultKind.CLOSE_POOLED,
    BEFORE_SEND: None,
    BEFORE_NOTE: None,
    AFTER_NOTE: None,
}
"""What goes wrong, by its name in the table; None is a death of the process."""

HOUR = timedelta(hours=1)
RESUME_EVERY = 5.0
PATIENCE = 900.0
"""Seconds of the clock after which a cell that hasn't ended never will."""


# ---- what is asked for


@frozen(kw_only=True)
class Operation:
    """One row: the call that the fault strikes, and the story that leads to it.

    `call` is the client's method. `requests` are what is asked for; `setting` are faults that belong to the story
    itself. `after` is what is asked of the finished outcome, where the call belongs to something that comes later.
    """

    provider: str
    name: str
    call: str
    requests: Callable[[datetime], Sequence[PublishRequest]]
    after: Callable[[Orchestrator, Outcome], Awaitable[Outcome | CancelResult]] | None = None
    setting: tuple[Fault, ...] = ()
    dialect: ReelMirrorDialect = field(factory=ReelMirrorDialect)

    @property
    def is_noted(self) -> bool:
        """Whether the call belongs to a job of the store's, so that another process takes it up."""
        return self.after is None or self.after is _retry


def _items(now: datetime) -> list[PublishRequest]:
    del now
    return [
        PublishRequest(MediaItems(["demo-media-item-1"]), caption="One", accounts=["instagram:acme", "tiktok:acme"])
    ]


def _generated(now: datetime) -> list[PublishRequest]:
    del now
    return [PublishRequest(GeneratedPost("demo-generated-post-1"))]


def _edited(now: datetime) -> list[PublishRequest]:
    del now
    return [PublishRequest(GeneratedPost("demo-generated-post-1"), caption="Another", accounts=["tiktok:acme"])]


def _approved(now: datetime) -> list[PublishRequest]:
    del now
    return [PublishRequest(GeneratedPost("demo-generated-post-1", approve=True))]


def _items_later(now: datetime) -> list[PublishRequest]:
    return [evolve(request, at=now + 2 * HOUR) for request in _items(now)]


def _clip(now: datetime) -> list[PublishRequest]:
    del now
    clip = Clip("demo-project-1", "demo-clip-1")
    return [PublishRequest(clip, title="One", accounts=["tiktok:acme", "youtube:acme"])]


def _clip_twice(now: datetime) -> list[PublishRequest]:
    return [*_clip(now), *(evolve(request, allow_duplicate=True) for request in _clip(now))]


def _clip_later(now: datetime) -> list[PublishRequest]:
    return [evolve(request, at=now + 2 * HOUR) for request in _clip(now)]


def _clips_later(now: datetime) -> list[PublishRequest]:
    clips = [Clip(f"demo-project-{1 + number // 40}", f"demo-clip-{1 + number % 40}") for number in range(50)]
    at = now + 2 * HOUR
    return [
        PublishRequest(clip, title=f"No. {number}", accounts=["tiktok:acme"], at=at + number * timedelta(minutes=10))
        for number, clip in enumerate(clips)
    ]


async def _cancel(publishing: Orchestrator, outcome: Outcome) -> CancelResult:
    return await publishing.cancel(outcome)


async def _move(publishing: Orchestrator, outcome: Outcome) -> Outcome:
    at = outcome.posts[0].scheduled_at
    first = outcome.request.at
    if at is None or not isinstance(first, datetime):
        raise TypeError("only a scheduled post can be moved")
    return await publishing.reschedule(outcome, first + HOUR)


async def _retry(publishing: Orchestrator, outcome: Outcome) -> Outcome:
    return await publishing.retry_failed(outcome)


_BOTH_FAIL = (Fault(FaultKind.PLATFORM_FAILS), Fault(FaultKind.PLATFORM_FAILS))
_NO_LIST = ReelMirrorDialect(list_posts="absent")
_SAME_TARGETS = ReelMirrorDialect(patch_targets="ignores")


def _row(provider: str, name: str, call: str, requests: Callable[..., Any], **more: Any) -> Operation:
    return Operation(provider=provider, name=name, call=call, requests=requests, **more)


OPERATIONS = {
    (row.provider, row.name): row
    for row in (
        _row("reelmirror", "compose", "send_generated_post_to_compose", _generated),
        _row("reelmirror", "create", "create_outgoing_post", _items),
        _row("reelmirror", "update", "update_outgoing_post", _edited),
        _row("reelmirror", "publish", "publish_outgoing_post", _items),
        _row("reelmirror", "approve", "approve_generated_post", _approved, dialect=_NO_LIST),
        _row("reelmirror", "schedule", "schedule_outgoing_post", _items_later),
        _row("reelmirror", "cancel", "cancel_outgoing_post", _items_later, after=_cancel),
        _row("reelmirror", "retry", "retry_outgoing_post", _items, after=_retry, setting=_BOTH_FAIL),
        # An edit that ignores its accounts has the draft made anew, and the first one deleted.
        _row("reelmirror", "delete", "delete_outgoing_post", _edited, dialect=_SAME_TARGETS),
        _row("reap", "publish-clip", "publish_clip", _clip),
        _row("reap", "publish-clip, twice", "publish_clip", _clip_twice),
        _row("reap", "schedule-clips, 1", "schedule_clips", _clip_later),
        _row("reap", "schedule-clips, 50", "schedule_clips", _clips_later),
        _row("reap", "update-post", "update_post", _clip_later, after=_move),
        _row("reap", "delete-post", "delete_post", _clip_later, after=_cancel),
    )
}


# ---- a process that dies


@define(eq=False)
class Doom:
    """Where a process dies: at the moment named, of the first `call`. `struck` is set when it has."""

    call: str
    moment: str
    has_answer: bool = False
    struck: asyncio.Event = field(factory=asyncio.Event, init=False)

    async def strike(self) -> None:
        """Die: nothing after this runs."""
        self.struck.set()
        await asyncio.Event().wait()


class DoomedTransport:
    """A transport whose process dies before a request leaves, or when its answer has come."""

    def __init__(self, inner: Any, doom: Doom) -> None:
        self._inner, self._doom = inner, doom

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def send(self, request: Request, options: CallOptions | None = None) -> Response:
        """Send *request*, or die of it."""
        doom = self._doom
        if request.operation != doom.call:
            return await self._inner.send(request, options)
        if doom.moment == BEFORE_SEND:
            options = self._dying(options or CallOptions())
        response = await self._inner.send(request, options)
        doom.has_answer = True
        if doom.moment == BEFORE_NOTE:
            await doom.strike()
        return response

    def _dying(self, options: CallOptions) -> CallOptions:
        async def before_send() -> None:
            if options.before_send is not None:
                await options.before_send()
            await self._doom.strike()

        return evolve(options, before_send=before_send)


class DoomedStore(SqliteStore):
    """A store whose process dies after the first note that is made once the answer has come; then it takes nothing."""

    def __init__(self, path: Path, doom: Doom) -> None:
        super().__init__(path)
        self._doom = doom

    async def put(self, parts: Any, **by: Any) -> None:
        await super().put(parts, **by)
        if self._doom.has_answer and self._doom.moment == AFTER_NOTE:
            await self._doom.strike()

    async def _write(self, write: Any) -> Any:
        if self._doom.struck.is_set():
            raise StoreError("the process is dead")
        return await super()._write(write)


# ---- one cell


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


def play(cell: Cell) -> Result:
    """Play *cell* and return what it came to."""
    operation = OPERATIONS[cell.provider, cell.operation]
    random.seed(1)

    async def story(clock: Clock) -> Result:
        with tempfile.TemporaryDirectory() as folder:
            async with Sandbox(clock=clock, reelmirror=operation.dialect) as sandbox:
                asked = operation.requests(datetime.fromtimestamp(clock.time(), UTC))
                stage = Stage(operation, sandbox, clock, Path(folder) / "jobs.db", asked)
                async with asyncio.timeout(PATIENCE):
                    told, seconds = await _tell(stage, cell.fault)
                return await _judge(stage, told, seconds)

    return run_virtual(story)


async def _tell(stage: Stage, fault: str) -> tuple[Any, float]:
    """Play the story; return what the caller was told, and how long it took from the asking."""
    doom = Doom(stage.operation.call, fault) if FAULTS[fault] is None else None
    before = await _lead_up(stage)
    _order(stage, fault)
    asked_at = stage.clock.time()
    told = await (_ask(stage, before) if doom is None else _ask_and_die(stage, before, doom))
    return told, stage.clock.time() - asked_at


def _order(stage: Stage, fault: str) -> None:
    kind, call = FAULTS[fault], _camel(stage.operation.call)
    if kind is FaultKind.CLOSE_POOLED:
        # Every connection dies on its second use, so that the call meets one wherever it would take one from a pool.
        stage.sandbox.order(Fault(kind, times=None))
    elif kind is not None:
        stage.sandbox.order(Fault(kind, operation=call, times=2 if len(stage.asked) == 2 else 1))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


async def _lead_up(stage: Stage) -> Outcome | None:
    """Play what comes before the call, where there is something."""
    if stage.operation.after is None:
        return None
    stage.sandbox.order(*stage.operation.setting)
    async with stage.process() as publishing:
        (outcome,) = await publishing.publish_many(stage.asked)
    return outcome


async def _ask(stage: Stage, before: Outcome | None, doom: Doom | None = None) -> Any:
    async with stage.process(doom) as publishing:
        if before is None or stage.operation.after is None:
            return list(await publishing.publish_many(stage.asked))
        try:
            told = await stage.operation.after(publishing, before)
        except ReelPubError as error:
            return error
        if doom is not None and doom.moment == AFTER_NOTE and not stage.operation.is_noted:
            await doom.strike()
        return [told] if isinstance(told, Outcome) else told


async def _ask_and_die(stage: Stage, before: Outcome | None, doom: Doom) -> Any:
    """Ask in a process that dies of it, and then in another one."""
    life = asyncio.ensure_future(_ask(stage, before, doom))
    death = asyncio.ensure_future(doom.struck.wait())
    await asyncio.wait([life, death], return_when=asyncio.FIRST_COMPLETED)
    if not doom.struck.is_set():
        raise AssertionError(f"the process outlived {doom.moment}: {life.result()}")
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)
    return await (_resume(stage) if stage.operation.is_noted else _ask(stage, before))


async def _resume(stage: Stage) -> list[Outcome]:
    """Take up in a new process what the dead one left, once its leases have ended."""
    async with stage.process() as publishing:
        while not (handles := await publishing.resume()):
            await stage.clock.sleep(RESUME_EVERY)
        return [await handle for handle in handles]


# ---- the truth


async def _judge(stage: Stage, told: Any, seconds: float) -> Result:
    stage.sandbox.faults.clear()
    sent = _camel(stage.operation.call)
    count = sum(record.operation == sent for record in stage.sandbox.requests())
    outcomes = told if isinstance(told, list) else []
    false = [*_untrue_times(stage, outcomes)]
    await stage.clock.sleep(24 * 3600.0)
    live = Counter((record.account_id, record.source) for record in stage.sandbox.live())
    wanted = Counter() if told is CancelResult.CANCELLED else _wanted(stage)
    false += _untrue(stage, outcomes)
    left, untold = await _drafts(stage, outcomes)
    return Result(
        end=_end(told),
        seconds=seconds,
        lost=(wanted - live).total(),
        doubled=(live - wanted).total(),
        false=(*false, *(f"draft {draft} is left behind, and no outcome says so" for draft in untold)),
        told=left,
        sent=count,
    )


def _wanted(stage: Stage) -> Counter[tuple[str, str]]:
    """Return what was asked for, as the sandbox's ledger names it."""
    accounts = REELMIRROR_ACCOUNTS if stage.operation.provider == "reelmirror" else REAP_ACCOUNTS
    ids = {account.name: account.id for account in accounts}
    return Counter((ids[str(name)], _source(request)) for request in stage.asked for name in _names(request))


def _names(request: PublishRequest) -> Sequence[Any]:
    """Return the accounts of a request; a persona's own, where it names none."""
    return request.accounts or ("instagram:acme", "tiktok:acme")


def _source(request: PublishRequest) -> str:
    clip = request.source
    # Every other source here holds the first media item alone.
    return f"{clip.project_id}/{clip.clip_id}" if isinstance(clip, Clip) else "demo-media-item-1"


def _end(told: Any) -> str:
    if isinstance(told, ReelPubError):
        return f"raised {type(told).__name__}"
    return told.value if isinstance(told, CancelResult) else " and ".join(sorted({o.status.value for o in told}))


def _untrue_times(stage: Stage, outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Name the posts for a later time that an outcome gives another time than was asked for."""
    moved = HOUR if stage.operation.after is _move else timedelta()
    for request, outcome in zip(stage.asked, outcomes, strict=False):
        if isinstance(request.at, datetime) and outcome.posts and outcome.posts[-1].scheduled_at != request.at + moved:
            yield f"{outcome.posts[-1].id} is to go out at {outcome.posts[-1].scheduled_at}"


def _untrue(stage: Stage, outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Name the deliveries of which an outcome says what isn't so, now that everything has gone out."""
    live = Counter((record.post_id, record.account_id) for record in stage.sandbox.live())
    at = {record.post_id: record.at for record in stage.sandbox.live()}
    for outcome in outcomes:
        posts = [post.id for post in outcome.posts]
        for delivery in outcome.deliveries:
            times = sum(live[post, delivery.account.id] for post in posts)
            goes_out = delivery.status in (DeliveryStatus.PUBLISHED, DeliveryStatus.SCHEDULED)
            if delivery.status is not DeliveryStatus.UNKNOWN and times != goes_out:
                yield f"{delivery.account} is told {delivery.status} and is live {times} times"
        for post in outcome.posts:
            if (
                post.scheduled_at is not None
                and not 0 <= at.get(post.id, math.inf) - post.scheduled_at.timestamp() <= 60
            ):
                yield f"{post.id} went out at {at.get(post.id)}"


async def _drafts(stage: Stage, outcomes: Sequence[Outcome]) -> tuple[int, list[str]]:
    """Return how many drafts are left behind that an outcome names or warns of, and those of which none speaks."""
    if stage.operation.provider != "reelmirror" or stage.operation.dialect.list_posts != "present":
        return 0, []
    named = {draft for outcome in outcomes for draft in (*outcome.orphans, *outcome.drafts)}
    may_be_left = any(warning.field == "draft" for outcome in outcomes for warning in outcome.warnings)
    async with ReelMirrorClient(REELMIRROR_KEY, base_url=stage.sandbox.reelmirror_url, clock=stage.clock) as client:
        left = [post.id async for post in client.list_outgoing_posts() if post.status == "draft"]
    untold = [] if may_be_left else [draft for draft in left if draft not in named]
    return len(left) - len(untold), untold


# ---- the table


def breaches(cell: Cell, result: Result) -> list[str]:
    """Return how *result* breaks what *cell* allows, in words; an account that ends *unknown* isn't called lost."""
    found = list(result.false)
    if result.end != cell.end:
        found.append(f"it ended as {result.end}, not as {cell.end}")
    if result.seconds > cell.within:
        found.append(f"it took {result.seconds:.0f} s, more than {cell.within:.0f} s")
    if result.doubled:
        found.append(f"{result.doubled} accounts got it twice")
    if result.lost and cell.end != OutcomeStatus.UNKNOWN.value:
        found.append(f"{result.lost} accounts never got it")
    if result.told != cell.told:
        found.append(f"{result.told} drafts were left behind and told, not {cell.told}")
    return found


def load_cells(path: Path = CELLS) -> list[Cell]:
    """Read the cells."""
    return [Cell(**row) for row in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def render(cells: Sequence[Cell]) -> str:
    """Return the table of *cells* as Markdown."""
    notes = list(dict.fromkeys(cell.why for cell in cells if cell.why))
    lines = [_INTRODUCTION.format(count=len(cells))]
    for provider, title in (("reelmirror", "ReelMirror"), ("reap", "Reap")):
        mine = {(cell.operation, cell.fault): cell for cell in cells if cell.provider == provider}
        lines += [f"## {title}", "", _line(["", *FAULTS]), _line(["---"] * (1 + len(FAULTS)))]
        for row in dict.fromkeys(operation for operation, _ in mine):
            shown = [_shown(mine.get((row, fault)), notes) for fault in FAULTS]
            lines.append(_line([f"**{row}**", *shown]))
        lines.append("")
    lines += [f"{number}. {why}" for number, why in enumerate(notes, start=1)]
    return "\n".join(lines)


_INTRODUCTION = """# The fault matrix

What becomes of a post when a call goes wrong. Each row is one call of a provider, each column one thing that goes \
wrong at that call, each cell the one end that is allowed and the time within which it is reached, in seconds of the \
clock from the asking.

In all {count} cells what the caller is told is compared with what the provider then has and with what goes live: \
nothing went live twice, nothing was lost, and no outcome said what isn't so. They are played on the \
[sandbox](sandbox.md) over real sockets, with the rate limits on; `python benchmarks/fault_matrix.py` plays them all \
and prints this page. The cells are in `tests/acceptance/fault_matrix.json`, and the tests hold them.

- *Before* and *after* say whether the provider had carried the call out when its answer was lost.
- *Pooled connection closed*: every connection dies on its second use.
- A process is killed just before the request leaves, its intent on disk; with the answer in hand and nothing of it \
noted; and right after the note. Another process then takes the job up, once the dead one's leases have ended (120 s). \
Cancellations and moves are no jobs of the store's: there the second process is asked again at once.
- *Update* and *delete* at ReelMirror are calls on the way to a post: the edit of a draft, and the deletion of one \
that didn't take its accounts. *Told* counts drafts that a process that died left behind: nobody sees them, and the \
outcome names them in `orphans`. A draft that a lost answer left is found and deleted; one that a lost request makes \
only later is warned of.
- *Takes effect late*: the connection breaks without an answer, and the provider carries the call out 20 s afterwards.
- The times include the rate limits. A process that doesn't know yet what its key has used of the window begins slowly.
- Where the end is *unknown*, the note says why. Nothing is sent again then.
"""


def _line(columns: Sequence[str]) -> str:
    return f"| {' | '.join(columns)} |"


def _shown(cell: Cell | None, notes: Sequence[str]) -> str:
    if cell is None:
        return ""
    told = f", {cell.told} told" if cell.told else ""
    note = f" ({1 + notes.index(cell.why)})" if cell.why else ""
    return f"{cell.end}{note}{told}, {cell.within:.0f} s"


def main() -> int:
    """Play every cell and print the table; return 1, and print what broke to stderr, where one doesn't hold."""
    logging.disable(logging.CRITICAL)
    cells = load_cells()
    broken = [(cell.id, words) for cell in cells for words in breaches(cell, play(cell))]
    for name, words in broken:
        print(f"{name}: {words}", file=sys.stderr)
    if broken:
        return 1
    print(render(cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
