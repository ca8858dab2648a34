"""A problem with a request, told before anything is sent."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

__all__ = ["Problem", "Severity"]


class Severity(StrEnum):
    """Whether a problem stops the request."""

    ERROR = "error"
    WARNING = "warning"
    """Worth a look; only limits that a provider documents refuse a request."""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:45]}… ({len(text)} characters)"


@frozen(kw_only=True)
class Problem:
    """What is wrong with one field: its name, the value given, and what would be right.

    `field` is a path such as ``accounts[1]`` or ``settings.tiktok.privacy``. `limit` is the rule that the value
    breaks, in words or as a number, where there is one.
    """

    field: str
    message: str
    value: object = None
    limit: str | None = None
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """Whether the request can't be sent because of this."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        given = "" if self.value is None else f" (given: {_short(self.value)})"
        limit = "" if self.limit is None else f" [limit: {self.limit}]"
        return f"{self.field}: {self.message}{given}{limit}"
