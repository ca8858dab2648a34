"""JSON, read strictly, and where its values stand: nothing is guessed, and each fault has its position."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from attrs import frozen

from reelpub.manifest.records import Path

__all__ = ["JsonFault", "loads", "position_of"]

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_MAX_DEPTH: Final = 20


@frozen
class JsonFault(Exception):
    """*message* says what is wrong, *position* where: the character, from 1, if it can be told."""

    message: str
    position: int | None = None


@frozen
class _Repeated(Exception):
    name: str


def loads(text: str) -> Any:
    """Return the value of *text*.

    Raises:
        JsonFault: it isn't JSON, names a member twice, is nested too deep, or has a number that JSON doesn't.
    """
    try:
        value = _decoded(text)
    except json.JSONDecodeError as error:
        raise JsonFault(f"isn't JSON: {error.msg[:1].lower()}{error.msg[1:]}", error.pos + 1) from None
    except _Repeated as error:
        raise JsonFault(f"names {error.name!r} twice", _repetition(text)) from None
    except RecursionError:
        raise JsonFault("is nested too deep", None) from None
    except ValueError as error:
        raise JsonFault(str(error), None) from None
    # Fewer brackets can't nest deeper; most rows are through here.
    if text.count("{") + text.count("[") > _MAX_DEPTH and _is_deeper(value, _MAX_DEPTH):
        raise JsonFault("is nested too deep", None)
    return value


def position_of(text: str, path: Path, *, of_name: bool = False) -> int | None:
    """Return where the value at *path* stands in *text*, the JSON that `loads` took: the character, from 1.

    With *of_name* it is the member's name that is looked for.
    """
    start = _skip(text, 0)
    for depth, step in enumerate(path):
        wants_name = of_name and depth == len(path) - 1
        found = _member(text, start, step, wants_name) if isinstance(step, str) else _element(text, start, step)
        if found is None:
            return None
        start = found
    return start + 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Repeated(Counter(name for name, _ in pairs).most_common(1)[0][0])
    return members


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        containers = [one for one in level if isinstance(one, (dict, list))]
        level = [one for each in containers for one in (each.values() if isinstance(each, dict) else each)]
        if not containers:
            return False
    return True


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"has {word}, which is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"has {text[:20]}, which is too large a number")
    return number


def _whole(text: str) -> int:
    if len(text) > 300:
        raise ValueError(f"has a number of {len(text)} digits")
    return int(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite, parse_int=_whole
)
_SKIPPER: Final = json.JSONDecoder(parse_int=str, parse_float=str)
"""Finds where values end; what they are is nothing to it, such as numbers of more digits than Python reads."""


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except _Repeated:
        # It ended the reading at once: whether the rest is JSON, in which places can be told, isn't known yet.
        _SKIPPER.decode(text)
        raise


def _skip(text: str, index: int) -> int:
    space = _SPACE.match(text, index)
    return space.end() if space is not None else index


def _pairs(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Yield the members of the object that starts at *start*: name, where it stands, where its value stands."""
    index = _skip(text, start + 1)
    while text[index] != "}":
        name, end = _SKIPPER.raw_decode(text, index)
        value = _skip(text, _skip(text, end) + 1)
        yield name, index, value
        index = _after(text, value)


def _items(text: str, start: int) -> Iterator[int]:
    """Yield where the elements of the array that starts at *start* stand."""
    index = _skip(text, start + 1)
    while text[index] != "]":
        yield index
        index = _after(text, index)


def _after(text: str, value: int) -> int:
    """Return where the next member or element stands, or the bracket that ends them."""
    index = _skip(text, _SKIPPER.raw_decode(text, value)[1])
    return _skip(text, index + 1) if text[index] == "," else index


def _member(text: str, start: int, step: str, wants_name: bool) -> int | None:
    if text[start] != "{":
        return None
    return next((at if wants_name else value for name, at, value in _pairs(text, start) if name == step), None)


def _element(text: str, start: int, step: int) -> int | None:
    if text[start] != "[":
        return None
    return next((at for index, at in enumerate(_items(text, start)) if index == step), None)


def _repetition(text: str) -> int | None:
    """Return where the first name stands that its object has already."""
    waiting = [(_skip(text, 0), 0)]
    found: list[int] = []
    while waiting:
        start, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            continue
        if text[start] == "{":
            seen: set[str] = set()
            for name, at, value in _pairs(text, start):
                found += [at + 1] if name in seen else []
                seen.add(name)
                waiting.append((value, depth + 1))
        elif text[start] == "[":
            waiting += [(at, depth + 1) for at in _items(text, start)]
    return min(found, default=None)
