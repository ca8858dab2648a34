"""Checks of arguments before a request is built: everything that is wrong is told at once.

Only what ReelMirror documents is refused, and what could never be meant, such as a text where a list belongs.
Arguments are typed ``object`` here because these checks are for callers without a type checker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import orjson
from attrs import Factory, define

from reelpub.errors import ValidationError
from reelpub.models.problem import Problem

__all__ = ["MAX_PAGE", "Checks"]

MAX_PAGE = 100
"""The most rows of a page; see https://reelmirror.com/docs/api-reference/introduction."""


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


@define
class Checks:
    """Collects what is wrong with the arguments of one call; None means that an argument wasn't given."""

    problems: list[Problem] = Factory(list)

    def require(self, good: bool, field: str, message: str, value: object = None, *, limit: str | None = None) -> None:
        """Note a problem with *field* unless *good*."""
        if not good:
            self.problems.append(Problem(field=field, message=message, value=value, limit=limit))

    def identifier(self, field: str, value: object) -> None:
        """*value* must be a text that isn't blank."""
        self.require(isinstance(value, str) and value.strip() != "", field, "must be a text that isn't empty", value)

    def optional_identifier(self, field: str, value: object) -> None:
        """*value*, where given, must be a text that isn't blank."""
        if value is not None:
            self.identifier(field, value)

    def identifiers(self, field: str, value: object, *, least: int = 0) -> None:
        """*value*, where given, must be a list of at least *least* texts that aren't blank."""
        if value is None:
            return
        if not isinstance(value, Sequence) or not _is_list(value):
            self.require(False, field, "must be a list of texts", value)
            return
        self.require(len(value) >= least, field, "must not be empty", value, limit=f"at least {least}")
        for index, entry in enumerate(value):
            self.identifier(f"{field}[{index}]", entry)

    def text(self, field: str, value: object) -> None:
        """*value*, where given, must be a text; it may be empty."""
        self.require(value is None or isinstance(value, str), field, "must be a text", value)

    def email(self, field: str, value: object) -> None:
        """*value* must look like an e-mail address."""
        self.require(isinstance(value, str) and "@" in value, field, "must be an e-mail address", value)

    def secret(self, field: str, value: object, *, least: int) -> None:
        """*value* must be a text of at least *least* characters; it isn't kept in the problem."""
        if isinstance(value, str):
            self.require(len(value) >= least, field, "is too short", limit=f"at least {least} characters")
        else:
            self.require(False, field, "must be a text")

    def flag(self, field: str, value: object) -> None:
        """*value*, where given, must be True or False."""
        self.require(value is None or isinstance(value, bool), field, "must be True or False", value)

    def integer(self, field: str, value: object, *, least: int | None = None, most: int | None = None) -> None:
        """*value*, where given, must be a whole number from *least* to *most*."""
        if value is None:
            return
        if not isinstance(value, int) or not _is_int(value):
            self.require(False, field, "must be a whole number", value)
            return
        self.require(least is None or value >= least, field, "is too small", value, limit=f"at least {least}")
        self.require(most is None or value <= most, field, "is too large", value, limit=f"at most {most}")

    def choice(self, field: str, value: object, known: type[StrEnum]) -> None:
        """*value*, where given, must be one of the *known* words."""
        words = [str(word) for word in known]
        self.require(
            value is None or value in words, field, "isn't one of the words allowed", value, limit=", ".join(words)
        )

    def json_object(self, field: str, value: object) -> None:
        """*value*, where given, must be a mapping that can be written as a JSON object."""
        if value is None:
            return
        if not isinstance(value, Mapping):
            self.require(False, field, "must be a mapping", value)
            return
        try:
            orjson.dumps(dict(value))
        except orjson.JSONEncodeError as error:
            self.require(False, field, f"can't be written as JSON: {error}")

    def instant(self, field: str, value: object, *, after: datetime) -> None:
        """*value* must be an aware datetime later than *after*."""
        if not isinstance(value, datetime):
            self.require(False, field, "must be an aware datetime", value)
        elif value.utcoffset() is None:
            self.require(False, field, "must be aware: give it a tzinfo, such as UTC", value)
        else:
            self.require(value > after, field, "must be in the future", value.isoformat(), limit="later than now")

    def page(self, limit: object, offset: object) -> None:
        """Check the size and the start of a page."""
        self.integer("limit", limit, least=1, most=MAX_PAGE)
        self.require(offset is not None, "offset", "must be a whole number")
        self.integer("offset", offset, least=0)

    def done(self) -> None:
        """Raise `ValidationError` with every problem found."""
        if self.problems:
            raise ValidationError(self.problems)
