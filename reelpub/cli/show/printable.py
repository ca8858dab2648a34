"""Text from elsewhere, made fit for a terminal."""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "shorten"]

_JOINERS = frozenset({"\u200c", "\u200d"})
"""Zero-width joiners: emoji and some scripts are written with them, and they can't move or hide anything."""

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, formats (the bidirectional overrides among them), lone surrogates, line and paragraph separators."""


def clean(text: object) -> str:
    r"""Return *text* on one line with every control character spelt out, so that none reaches a terminal.

    Line breaks and tabs become spaces, an escape character ``\x1b``, a right-to-left override ``\u202e``.
    """
    return "".join(_safe(character) for character in str(text))


def shorten(text: object, length: int = 300) -> str:
    """Return *text*, cleaned, with at most *length* characters."""
    cleaned = clean(text)
    return cleaned if len(cleaned) <= length else cleaned[: length - 1] + "…"


def _safe(character: str) -> str:
    if character in "\n\r\t":
        return " "
    if unicodedata.category(character) not in _UNSAFE or character in _JOINERS:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
