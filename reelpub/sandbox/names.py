"""What is said to whoever names something that there isn't: the names that there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["no_such"]

_LOOKED_AT = 100
"""Characters of what was given; nothing that is longer is near to a name."""


def no_such(what: str, given: object, names: Iterable[str]) -> ValueError:
    """Return the error for *given*, which is none of *names*: it says which one was probably meant, and all of them."""
    there = sorted(names)
    if given is None:
        return ValueError(f"{what}: is missing; there are {', '.join(there)}")
    near = get_close_matches(given[:_LOOKED_AT], there, n=1) if isinstance(given, str) else []
    hint = f", did you mean {near[0]}? There" if near else "; there"
    return ValueError(f"{what}: there is no {given!r}{hint} are {', '.join(there)}")
