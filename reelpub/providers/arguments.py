"""What can be told to be wrong with the arguments of a call before a request is built: everything at once.

Only what a provider documents is refused, and what could never be meant or sent, such as a text where a list belongs.
Arguments are typed ``object`` here because these checks are for callers without a type checker.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, TypeGuard

import orjson

from reelpub.errors import ValidationError
from reelpub.models.problem import Problem

__all__ = ["MAX_INTEGER", "Checks", "can_be_id", "is_list", "is_whole"]

MAX_INTEGER = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exact."""

_HALF_PAIR = "holds half a surrogate pair, which can't be sent"


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Whether *value* is a sequence, but no text."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether *value* is an integer, but no bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def can_be_id(value: object) -> TypeGuard[str]:
    """Whether *value* is a text that isn't blank and can be sent."""
    return isinstance(value, str) and value.strip() != "" and _is_unicode(value)


def _is_unicode(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


class Checks:
    """Collects what is wrong with the arguments of one call; `finish` raises it.

    None means "not given" and passes every check but `required`, `identifier` and `file`.
    """

    SECRET: ClassVar[tuple[str, ...]] = ()
    """How the names of the fields end whose values are never quoted, such as addresses that may be signed."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def is_absent(self, value: object) -> bool:
        """Whether an argument wasn't given."""
        return value is None

    def add(self, field: str, message: str, value: object = None, limit: object = None) -> None:
        """Note one problem; *limit* is the rule that *value* breaks."""
        shown = None if field.endswith(self.SECRET) else value
        self.problems.append(
            Problem(field=field, message=message, value=shown, limit=None if limit is None else str(limit))
        )

    def require(self, good: bool, field: str, message: str, value: object = None, *, limit: object = None) -> None:
        """Note a problem with *field* unless *good*."""
        if not good:
            self.add(field, message, value, limit)

    def finish(self) -> None:
        """Raise `ValidationError` with everything that was noted, if anything was."""
        if self.problems:
            raise ValidationError(self.problems)

    def required(self, field: str, value: object) -> None:
        """Check that a value that isn't an id is there at all."""
        self.require(not self.is_absent(value), field, "has to be given")

    def identifier(self, field: str, value: object) -> None:
        """Check an id or a name: a text that isn't blank."""
        if not isinstance(value, str) or not value.strip():
            self.add(field, "has to be a text that isn't empty", value)
        elif not _is_unicode(value):
            self.add(field, _HALF_PAIR)

    def optional_identifier(self, field: str, value: object) -> None:
        """Check an id or a name, where it is given."""
        if not self.is_absent(value):
            self.identifier(field, value)

    def text(self, field: str, value: object, most: int | None = None) -> None:
        """Check a text of at most *most* characters; it may be empty."""
        if self.is_absent(value):
            return
        if not isinstance(value, str):
            self.add(field, "has to be a text", value)
        elif not _is_unicode(value):
            self.add(field, _HALF_PAIR)
        elif most is not None and len(value) > most:
            self.add(field, f"has {len(value)} characters", value, f"at most {most}")

    def flag(self, field: str, value: object) -> None:
        """Check a switch."""
        self.require(self.is_absent(value) or isinstance(value, bool), field, "has to be True or False", value)

    def whole(self, field: str, value: object, *, least: int | None = None, most: int = MAX_INTEGER) -> None:
        """Check a whole number from *least* to *most*."""
        if self.is_absent(value):
            return
        if not is_whole(value):
            self.add(field, "has to be a whole number", value)
            return
        lowest = -MAX_INTEGER if least is None else least
        self.require(value >= lowest, field, "is too small", value, limit=f"at least {lowest}")
        self.require(value <= most, field, "is too large", value, limit=f"at most {most}")

    def one_of(self, field: str, value: object, known: type[StrEnum] | Sequence[int]) -> None:
        """Check one of the documented values."""
        values: list[object] = [item.value if isinstance(item, StrEnum) else item for item in known]
        is_known = not isinstance(value, (bool, float)) and value in values
        limit = ", ".join(map(str, values))
        self.require(self.is_absent(value) or is_known, field, "isn't a documented value", value, limit=limit)

    def many_of(self, field: str, values: object, known: type[StrEnum]) -> None:
        """Check a list of documented values."""
        for place, value in self.entries(field, values, "texts"):
            self.one_of(place, value, known)

    def texts(self, field: str, values: object, *, least: int = 0, most: int | None = None) -> None:
        """Check a list of *least* to *most* texts that aren't blank."""
        for place, value in self.entries(field, values, "texts", least=least, most=most):
            self.identifier(place, value)

    def entries(
        self, field: str, values: object, kind: str, *, least: int = 0, most: int | None = None
    ) -> list[tuple[str, object]]:
        """Check a list of *least* to *most* of *kind*, and return each entry beside the name of its place."""
        if self.is_absent(values):
            return []
        if not is_list(values):
            self.add(field, f"has to be a list of {kind}", values)
            return []
        count = len(values)
        told = f"has {count} entries" if count else "is empty"
        self.require(count >= least, field, told, values, limit=f"at least {least}")
        self.require(most is None or count <= most, field, told, values, limit=f"at most {most}")
        return [(f"{field}[{index}]", value) for index, value in enumerate(values)]

    def json_object(self, field: str, value: object) -> None:
        """Check a mapping that can be written as a JSON object."""
        if self.is_absent(value):
            return
        if not isinstance(value, Mapping):
            self.add(field, "has to be a mapping", value)
            return
        try:
            orjson.dumps(dict(value))
        except orjson.JSONEncodeError as error:
            self.add(field, f"can't be written as JSON: {error}")

    def file(self, field: str, value: object) -> Path | None:
        """Check a path to a file that exists, and return it; None where it is no path."""
        if not isinstance(value, (str, os.PathLike)):
            self.add(field, "has to be a path", value)
            return None
        path = Path(value)
        self.require(path.is_file(), field, "isn't a file that exists", str(path))
        return path
