"""The progress of a run as a few lines: how much is done, how long the rest will take, how each limit stands."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from attrs import frozen
from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.text import Text

from reelpub.cli.durations import spoken
from reelpub.cli.progress.tally import Counted, Tally
from reelpub.cli.show.painting import STYLES
from reelpub.cli.show.printable import clean
from reelpub.cli.show.when import clock_time
from reelpub.cli.show.words import spaced
from reelpub.policies.forecast import FINISH_SECONDS, remaining_seconds
from reelpub.providers.base import Publisher, SupportsReach

__all__ = ["Budget", "Picture", "budget_line", "budgets_of", "estimate"]

_NARROW = 60
_ROOMY = 76
"""Columns from which on a limit is told in words: fewer would cut some of them, now and then, as numbers grow."""

_WAIT_WORTH_TELLING = 1.0


@frozen(kw_only=True)
class Budget:
    """How the limit of one publisher stands: *used* of *limit* requests in *window* seconds, and who waits.

    `next_in` is the seconds until the next request may go, infinite where only an answer can tell. `unreached_for` is
    the seconds for which the service has been out of reach, None where it isn't or that can't be told.
    """

    publisher: str
    limit: int
    window: float
    used: int
    waiting: int
    next_in: float
    unreached_for: float | None = None


def budgets_of(publishers: Mapping[str, Publisher]) -> list[Budget]:
    """Return how the limit of each of *publishers* stands now."""
    found = []
    for name, publisher in publishers.items():
        limiter = publisher.limiter
        state = limiter.snapshot()
        found.append(
            Budget(
                publisher=name,
                limit=state.limit,
                window=limiter.window,
                used=state.used,
                waiting=state.waiting,
                next_in=state.next_in,
                unreached_for=publisher.unreached_for if isinstance(publisher, SupportsReach) else None,
            )
        )
    return found


def estimate(tally: Tally, budgets: Sequence[Budget], now: datetime) -> float | None:
    """Return the seconds until every row has ended, as far as the limits and the rows' own times tell; None if done.

    It is made to be kept: requests that don't fit a window wait for the next whole one, and what was sent last is
    given the time that platforms take.
    """
    if tally.settled >= tally.total:
        return None
    seconds = 0.0
    for budget in budgets:
        left = tally.left(budget.publisher)
        wait = remaining_seconds(
            limit=budget.limit, window=budget.window, used=min(budget.used, budget.limit), writes_left=left
        )
        seconds = max(seconds, wait)
    due_at = tally.last_due_at()
    if due_at is not None:
        seconds = max(seconds, (due_at - now).total_seconds())
    return seconds + FINISH_SECONDS


def budget_line(budget: Budget, width: int) -> str:
    """Return one line on *budget* that fits *width*."""
    name = clean(budget.publisher)
    if budget.unreached_for is not None:
        since = spoken(budget.unreached_for)
        if width < _ROOMY:
            return f"{name}: out of reach for {since}"
        return f"{name:<12}can't be reached for {since}; what waits is sent when it can be"
    wait = budget.next_in
    if wait < _WAIT_WORTH_TELLING:
        when = "next now"
    else:
        when = f"next in {spoken(wait)}" if math.isfinite(wait) else "next after an answer"
    waiting = f", {budget.waiting} waiting" if budget.waiting else ""
    if width < _ROOMY:
        short = f"{name} {budget.used}/{budget.limit}, {when}"
        return short + waiting if cell_len(short + waiting) < width else short
    return f"{name:<12}{budget.used:>4} of {budget.limit} requests used, {when}{waiting}"


@frozen
class Picture:
    """Draws *tally* with the budgets that *budgets* tells, and the present that *now* tells."""

    tally: Tally
    budgets: Callable[[], Sequence[Budget]]
    now: Callable[[], datetime]

    def draw(self, width: int, *, in_ascii: bool = False) -> RenderableType:
        """Return the picture for a terminal of *width* columns."""
        tally, budgets = self.tally, self.budgets()
        lines: list[RenderableType] = [_line(text, width) for text in self._head(width, budgets)]
        lines.append(_bar(tally, width, in_ascii=in_ascii))
        lines += _counts(tally.counts, width)
        lines += [_line(text, width) for text in self._waits(width)]
        lines += [_line(budget_line(budget, width), width, "dim") for budget in budgets]
        return Group(*lines)

    def _head(self, width: int, budgets: Sequence[Budget]) -> list[str]:
        tally = self.tally
        left = estimate(tally, budgets, self.now())
        done = f"{tally.settled} of {tally.total}"
        rest = f"about {spoken(left)} left" if left is not None else "done"
        if width < _NARROW:
            return [f"{done}, {rest}"]
        head = f"{tally.run}  {clean(tally.name)}"
        tail = f"{done}   {rest}"
        room = width - 1 - cell_len(tail) - 2
        head = head if cell_len(head) <= room else f"{set_cell_size(head, max(0, room - 3))}..."
        return [f"{head}{'':{max(2, width - 1 - cell_len(head) - cell_len(tail))}}{tail}"]

    def _waits(self, width: int) -> list[str]:
        now = self.now()
        due = self.tally.due(now)
        if due is None:
            return []
        left = spoken((due.next_at - now).total_seconds())
        if width < _NARROW:
            return [f"{due.count} for later, next in {left}"]
        what = "1 waits for its time" if due.count == 1 else f"{due.count} wait for their time"
        return [f"{what}, the next in {left}: {clock_time(due.next_at, due.zone)}"]


def _line(text: str, width: int, style: str = "") -> Text:
    """Return *text* on one line; the last column stays free, since some terminals wrap a line that fills it."""
    cut = text if cell_len(text) < width else f"{set_cell_size(text, max(0, width - 4))}..."
    return Text(cut, style=style, no_wrap=True)


def _bar(tally: Tally, width: int, *, in_ascii: bool) -> RenderableType:
    """Return the bar: done and to do differ by their marks, not by colour alone."""
    room = max(1, width - 3)
    filled = room * tally.settled // max(1, tally.total)
    done, left = ("#", ".") if in_ascii else ("━", "─")
    ends = ("[", "]") if in_ascii else ("", "")
    return Text.assemble(ends[0], (done * filled, "green"), (left * (room - filled), "dim"), ends[1], no_wrap=True)


def _counts(counts: Sequence[Counted], width: int) -> list[RenderableType]:
    """Return how many rows are in each state, on as many lines as that needs."""
    lines: list[Text] = [Text(no_wrap=True)]
    for counted in counts:
        text = f"{counted.count} {spaced(counted.state)}"
        if lines[-1].plain and cell_len(lines[-1].plain) + 2 + len(text) > width - 1:
            lines.append(Text(no_wrap=True))
        lines[-1].append(f"{'  ' if lines[-1].plain else ''}")
        lines[-1].append(text, style=STYLES.get(counted.state, ""))
    return list(lines)
