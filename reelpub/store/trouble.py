"""Telling of writes that fail one after the other: once, and once more when they go well again."""

from __future__ import annotations

import logging

from attrs import define, field

__all__ = ["Trouble"]


@define(eq=False)
class Trouble:
    """What one writer says of its failures in *log*: a full disk would have it say the same each second.

    The first of a row of failures is a warning; the others can be had at DEBUG.
    """

    log: logging.Logger
    _is_told: bool = field(default=False, init=False)

    def tell(self, message: str, *values: object) -> None:
        """Say that a write failed, in the words of `logging`."""
        self.log.log(logging.DEBUG if self._is_told else logging.WARNING, message, *values)
        self._is_told = True

    def is_over(self, message: str, *values: object) -> None:
        """Say that a write went well, if one before it didn't."""
        if self._is_told:
            self._is_told = False
            self.log.warning(message, *values)
