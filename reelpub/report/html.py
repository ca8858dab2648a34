"""HTML from Python: what is text is escaped, always, unless it was made here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from reelpub.report.text import shown
from reelpub.report.times import Zone

__all__ = ["Html", "clock", "join", "number", "so_many", "tag"]

_VOID = frozenset({"br", "input", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(element: str, *children: object, **attributes: object) -> Html:
    """Return an element; children that aren't `Html` are text.

    An attribute's name has ``-`` for ``_`` and no trailing one (``class_``, ``aria_label``). False and None leave it
    out, True names it alone.
    """
    opening = f"<{element}{''.join(_attribute(name, value) for name, value in attributes.items())}>"
    return Html(opening) if element in _VOID else Html(f"{opening}{join(children)}</{element}>")


def join(children: Iterable[object]) -> Html:
    """Return *children* one after the other; None is nothing."""
    return Html("".join(_child(child) for child in children if child is not None))


def number(value: float) -> str:
    """Return a number with its thousands set apart: ``10,000``."""
    return f"{value:,.0f}"


def so_many(count: int, what: str) -> str:
    """Return so many of something: ``1 post``, ``10,000 posts``."""
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def clock(at: datetime, zone: Zone) -> Html:
    """Return an instant as people in *zone* read it, with UTC in its tool tip and for machines."""
    utc = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return tag("time", zone.clock(at), datetime=utc, title=f"{utc[:19].replace('T', ' ')} UTC")


def _child(child: object) -> str:
    return child if isinstance(child, Html) else escape(shown(child), quote=False)


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(shown(value))}"'
