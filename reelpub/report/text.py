"""Text from elsewhere, made fit for a page: nothing in it can act, hide, or turn what stands beside it around."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import urlsplit

import orjson

__all__ = ["address", "chart_text", "embedded", "script", "shown"]

_LINE_BREAKS = re.compile("\r\n?|[\u2028\u2029\u0085]")
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Controls, what overrides or embeds a direction (the marks that right-to-left scripts need do neither), half a
surrogate pair, and what is no character."""

_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_PLAIN_ADDRESS = re.compile("[!-~\u00a1-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def shown(text: object) -> str:
    r"""Return *text* with every character spelt out that could hide or reorder others: ``\u202e``, ``\x1b``."""
    return _UNSAFE.sub(_spelt_out, _LINE_BREAKS.sub("\n", str(text)))


def _spelt_out(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape", "surrogatepass").decode("ascii")


def chart_text(text: object) -> str:
    """Return *text* for a chart, whose library reads a few HTML tags in what it writes."""
    return escape(shown(text).replace("\n", " "), quote=False)


def address(url: str | None) -> str | None:
    """Return *url* where it may be a link: an http or https address of another host, in plain characters."""
    if url is None or not _PLAIN_ADDRESS.fullmatch(url) or shown(url) != url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme.lower() in ("http", "https") and parts.hostname else None


def embedded(value: Mapping[str, object]) -> str:
    """Return *value* as JSON that can stand in a script element: nothing in it can end the element or begin another."""
    text = orjson.dumps(value).decode()
    for character, written in _IN_SCRIPT.items():
        text = text.replace(character, written)
    return text


def script(source: str) -> str:
    r"""Return JavaScript so that HTML can't read an end, or a comment, into it.

    Within strings and regular expressions, the only places where they can stand, ``\/`` and ``\!`` are ``/`` and ``!``.
    """
    source = re.sub("<(?=/script)", r"\\x3c", source, flags=re.IGNORECASE)
    return source.replace("<!--", r"\x3c!--").replace("\r\n", "\n").replace("\r", "\n")
