"""How phases and statuses are called and drawn: words, icons, colours and patterns, never colour alone.

A colour is the name of one of the style sheet's, after an ``@``: the page fills in its value, light or dark.
"""

from __future__ import annotations

from attrs import frozen

from reelpub.report.html import Html, tag
from reelpub.report.phases import Phase

__all__ = ["PHASES", "TONES", "PhaseLook", "badge", "icons", "spaced"]


@frozen
class PhaseLook:
    """How a phase is drawn: its name, its pattern, and how high its bar is, where 1 reaches the next row's."""

    name: str
    pattern: str = ""
    height: float = 0.8


PHASES: dict[Phase, PhaseLook] = {
    Phase.WAITING: PhaseLook("waiting its turn", height=0.3),
    Phase.LIMIT: PhaseLook("held by the rate limit", pattern="/"),
    Phase.CAP: PhaseLook("held by an account's cap", pattern="\\"),
    Phase.TIME: PhaseLook("held until its time", pattern=".", height=0.3),
    Phase.SENDING: PhaseLook("on its way", pattern="|"),
    Phase.PROVIDER: PhaseLook("at the provider"),
    Phase.LOOKUP: PhaseLook("looked up after a lost answer", pattern="x"),
    Phase.DONE: PhaseLook("live or scheduled"),
    Phase.NOT_LIVE: PhaseLook("ended otherwise", pattern="x"),
}

TONES = {
    "published": "good",
    "partly_published": "mixed",
    "scheduled": "later",
    "refused": "bad",
    "failed": "bad",
    "unknown": "unsure",
}
"""The tone of a status; all others are quiet."""

_ICONS = {
    "published": "M3 8.5 6.5 12 13 4.5",
    "partly_published": "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
    "scheduled": "M8 2.5a5.5 5.5 0 1 0 .01 0M8 5v3.2l2.2 1.6",
    "refused": "M8 2.5a5.5 5.5 0 1 0 .01 0M5 8h6",
    "failed": "M4 4l8 8M12 4l-8 8",
    "cancelled": "M8 2.5a5.5 5.5 0 1 0 .01 0M4.2 4.2l7.6 7.6",
    "not_sent": "M3 8h10",
    "duplicate": "M3 3h7v7H3zM6 10v3h7V6h-3",
    "pending": "M4 8h.01M8 8h.01M12 8h.01",
    "publishing": "M8 13V3M4 7l4-4 4 4",
    "unknown": "M5.2 5.6a2.8 2.8 0 1 1 4.2 2.4c-.9.5-1.4 1-1.4 1.9M8 12.7v.1",
    "other": "M8 8h.01",
}


def spaced(status: object) -> str:
    """Return a status as people write it: ``partly published``."""
    return str(status).replace("_", " ")


def badge(status: str) -> Html:
    """Return a status with its icon, which says nothing that the words don't."""
    use = tag("use", href=f"#icon-{status}")
    icon = tag("svg", use, class_="icon", viewBox="0 0 16 16", aria_hidden="true")
    return tag("span", icon, spaced(status), class_=f"badge {TONES.get(status, 'quiet')}")


def icons() -> Html:
    """Return the icons, for `badge` and the page's script to refer to."""
    symbols = [
        tag("symbol", tag("path", d=path), id=f"icon-{name}", viewBox="0 0 16 16") for name, path in _ICONS.items()
    ]
    return tag("svg", *symbols, class_="sprite", aria_hidden="true", focusable="false")
