"""JSON lines on standard output; remarks go to standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from reelpub.cli.show.board import Board
from reelpub.cli.show.encode import event_record, line
from reelpub.cli.show.listing import Listing
from reelpub.cli.show.printable import clean
from reelpub.models.event import JobEvent

__all__ = ["JsonOutput", "JsonView"]


class JsonOutput:
    """One JSON object a line, each written out at once."""

    def close(self) -> None:
        pass

    def tick(self) -> None:
        pass

    def note(self, text: str) -> None:
        print(clean(text), file=sys.stderr, flush=True)

    def listing(self, listing: Listing) -> None:
        for members in listing.records:
            self.record(members)

    def record(self, members: Mapping[str, Any]) -> None:
        print(line(members), flush=True)


class JsonView(JsonOutput):
    """JSON lines of posts."""

    def open(self, board: Board) -> None:
        pass

    def event(self, label: str, event: JobEvent) -> None:
        self.record(event_record(event, request=label))
