"""What can be told to be wrong with the arguments of ReelMirror's operations, beyond what every provider asks for."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from reelpub.providers import arguments

__all__ = ["MAX_PAGE", "Checks"]

MAX_PAGE = 100
"""The most rows of a page; see https://reelmirror.com/docs/api-reference/introduction."""


class Checks(arguments.Checks):
    """Collects what is wrong with the arguments of one call to ReelMirror."""

    SECRET: ClassVar[tuple[str, ...]] = ("url", "password")

    def email(self, field: str, value: object) -> None:
        """Check that *value* looks like an e-mail address."""
        self.require(isinstance(value, str) and "@" in value, field, "has to be an e-mail address", value)
        if isinstance(value, str):
            self.text(field, value)

    def secret(self, field: str, value: object, *, least: int) -> None:
        """Check a text of at least *least* characters."""
        self.required(field, value)
        self.text(field, value)
        if isinstance(value, str):
            self.require(len(value) >= least, field, "is too short", limit=f"at least {least} characters")

    def instant(self, field: str, value: object, *, after: datetime) -> None:
        """Check an aware datetime later than *after*."""
        if not isinstance(value, datetime):
            self.add(field, "has to be an aware datetime", value)
        elif value.utcoffset() is None:
            self.add(field, "has to be aware: give it a tzinfo, such as UTC", value)
        else:
            self.require(value > after, field, "has to be in the future", value.isoformat(), limit="later than now")

    def page(self, limit: object, offset: object) -> None:
        """Check the size and the start of a page."""
        self.whole("limit", limit, least=1, most=MAX_PAGE)
        self.required("offset", offset)
        self.whole("offset", offset, least=0)
