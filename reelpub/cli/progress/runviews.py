"""The three ways of showing a run while it goes on, and which one to use."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from reelpub.bulk.record import Moment
from reelpub.cli.progress.panel import Panel
from reelpub.cli.progress.picture import Picture
from reelpub.cli.progress.tally import Line, Tally
from reelpub.cli.show.encode import event_record, record
from reelpub.cli.show.fitting import print_fitted
from reelpub.cli.show.jsonlines import JsonOutput
from reelpub.cli.show.lines import LinesOutput
from reelpub.cli.show.listing import Listing
from reelpub.cli.show.printable import clean, shorten
from reelpub.cli.show.unread import to_nowhere
from reelpub.cli.show.words import is_bad_end, is_bad_moment, is_noteworthy, sentence
from reelpub.models.event import AccountFailed, JobEvent, JobSettled, JobUnknown

__all__ = ["RunJson", "RunLines", "RunScreen", "RunView", "Sturdy", "choose", "sturdy"]

_LEAST_SECONDS = 0.2


class RunView(Protocol):
    """Shows a run: what happens, and what came of it. Everything that it is given may hold text from elsewhere."""

    def open(self, tally: Tally, picture: Picture) -> None:
        """Begin to show the run that *tally* counts; *picture* draws it."""
        ...

    def close(self) -> None:
        """Stop showing it; the terminal is as before."""
        ...

    def tick(self) -> None:
        """Show what changed since the last time; called several times a second."""
        ...

    def event(self, line: Line, event: JobEvent) -> None:
        """Show what happened to a row, which the tally has already."""
        ...

    def moment(self, line: Line, moment: Moment) -> None:
        """Show what another process noted of a row, which the tally has already."""
        ...

    def note(self, text: str) -> None:
        """Show a remark to the person at the terminal."""
        ...

    def advise(self, text: str, command: str) -> None:
        """Show what to do next, and the command for it, which may be empty."""
        ...

    def listing(self, listing: Listing) -> None:
        """Print a result."""
        ...

    def record(self, members: Mapping[str, Any]) -> None:
        """Print an object that only a program wants."""
        ...


class RunJson(JsonOutput):
    """JSON lines: a ``run`` first, events, an ``outcome`` for each row, a ``summary`` last."""

    def __init__(self) -> None:
        self._run = ""

    def open(self, tally: Tally, picture: Picture) -> None:
        del picture
        self._run = tally.run

    def event(self, line: Line, event: JobEvent) -> None:
        self.record(event_record(event, run=self._run, row=line.number, request=line.label))

    def moment(self, line: Line, moment: Moment) -> None:
        self.record({**record(moment.kind, moment), "run": self._run, "row": line.number, "request": line.label})

    def advise(self, text: str, command: str) -> None:
        self.note(f"{text}: {command}" if command else text)


class RunLines(LinesOutput):
    """One line an event, with the seconds since the first one and the number of its row."""

    def open(self, tally: Tally, picture: Picture) -> None:
        del picture
        longest = max((cell_len(_name(line)) for line in tally.lines.values()), default=0)
        self._width = min(longest, 40)

    def event(self, line: Line, event: JobEvent) -> None:
        self.told(event.at, _name(line), sentence(event))

    def moment(self, line: Line, moment: Moment) -> None:
        self.told(moment.at, _name(line), shorten(moment.text))

    def advise(self, text: str, command: str) -> None:
        self.note(f"{text}: {command}" if command else text)


class RunScreen:
    """A terminal: progress at its foot, what went wrong printed above it for good, a table at the end."""

    def __init__(self, console: Console | None = None) -> None:
        # Nothing that is printed here is markup, an emoji code or something to highlight.
        self._console = console or Console(markup=False, emoji=False, highlight=False)
        self._panel = Panel(self._console)
        self._picture: Picture | None = None
        self._shown_at = 0.0
        self._rest = _LEAST_SECONDS

    @property
    def is_able(self) -> bool:
        """Whether the terminal can move its cursor."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    def open(self, tally: Tally, picture: Picture) -> None:
        del tally
        self._picture = picture
        self._draw()

    def close(self) -> None:
        self._picture = None
        self._panel.close()

    def tick(self) -> None:
        if time.monotonic() - self._shown_at >= self._rest:
            self._draw()

    def event(self, line: Line, event: JobEvent) -> None:
        if is_noteworthy(event) or (isinstance(event, JobSettled) and is_bad_end(event)):
            bad = isinstance(event, (JobUnknown, AccountFailed, JobSettled))
            self._above(Text(f"{_name(line)}: {sentence(event)}", style="red" if bad else "green"))

    def moment(self, line: Line, moment: Moment) -> None:
        if is_bad_moment(moment):
            self._above(Text(f"{_name(line)}: {shorten(moment.text)}", style="red"))

    def note(self, text: str) -> None:
        self._above(Text(clean(text)))

    def advise(self, text: str, command: str) -> None:
        self.note(f"{text}:" if command else text)
        if command:
            # A line of its own, which the terminal wraps if it has to: so it can be copied.
            self._panel.above(Text(f"  {clean(command)}", style="bold"), soft_wrap=True)

    def listing(self, listing: Listing) -> None:
        print_fitted(self._console, listing)

    def record(self, members: Mapping[str, Any]) -> None:
        pass

    def _above(self, text: Text) -> None:
        self._panel.above(text)
        if self._picture is not None:
            self._draw()

    def _draw(self) -> None:
        if self._picture is not None:
            began = time.monotonic()
            in_ascii = not self._console.encoding.startswith("utf")
            self._panel.show(self._picture.draw(self._console.width, in_ascii=in_ascii))
            self._shown_at = time.monotonic()
            # A hundred thousand rows take a while to count; drawing may have a twentieth of the time.
            self._rest = max(_LEAST_SECONDS, 20 * (self._shown_at - began))


def _name(line: Line) -> str:
    label = clean(line.label)
    return f"{line.number} {label if len(label) <= 36 else f'{label[:35]}…'}"


class Sturdy:
    """Passes everything on to *view* until its reader has gone, which `when_lost` tells, and to nobody any more."""

    def __init__(self, view: RunView) -> None:
        self._view = view
        self._listeners: list[Callable[[], object]] = []
        self.is_lost = False

    def when_lost(self, listener: Callable[[], object]) -> None:
        """Have *listener* called once the reader has gone, which may be at once."""
        self._listeners.append(listener)
        if self.is_lost:
            listener()

    def open(self, tally: Tally, picture: Picture) -> None:
        self._do(lambda: self._view.open(tally, picture))

    def close(self) -> None:
        self._do(self._view.close)

    def tick(self) -> None:
        self._do(self._view.tick)

    def event(self, line: Line, event: JobEvent) -> None:
        self._do(lambda: self._view.event(line, event))

    def moment(self, line: Line, moment: Moment) -> None:
        self._do(lambda: self._view.moment(line, moment))

    def note(self, text: str) -> None:
        self._do(lambda: self._view.note(text))

    def advise(self, text: str, command: str) -> None:
        self._do(lambda: self._view.advise(text, command))

    def listing(self, listing: Listing) -> None:
        self._do(lambda: self._view.listing(listing))

    def record(self, members: Mapping[str, Any]) -> None:
        self._do(lambda: self._view.record(members))

    def _do(self, show: Callable[[], None]) -> None:
        if self.is_lost:
            return
        try:
            show()
        except OSError:
            # A closed pipe, or a terminal that is gone.
            self.is_lost = True
            to_nowhere()
            for listener in self._listeners:
                listener()


def sturdy(view: RunView) -> Sturdy:
    """Return *view* if it is sturdy already, else one that passes on to it."""
    return view if isinstance(view, Sturdy) else Sturdy(view)


def choose(*, as_json: bool) -> RunView:
    """Return JSON lines where asked, progress on a terminal, plain lines elsewhere."""
    if as_json:
        return RunJson()
    # FORCE_COLOR makes rich take a pipe for a terminal; progress there would be noise.
    view = RunScreen() if sys.stdout.isatty() else None
    return view if view is not None and view.is_able else RunLines()
