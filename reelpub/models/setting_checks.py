"""What settings have to be, told when the settings are made and not in the middle of a batch.

Each function is a validator for `attrs.field`, or makes one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from attrs import Attribute

from reelpub.errors import ConfigurationError

__all__ = [
    "SettingError",
    "above_zero",
    "at_least_one",
    "finite_above_zero",
    "not_negative",
    "one_of",
    "whole",
]

_Validator = Callable[[Any, "Attribute[Any]", Any], None]


class SettingError(ConfigurationError, ValueError):
    """A setting that it can't have; a `ValueError`, too, as Python's own are."""


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def not_negative(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Check a number that may be infinite.

    Raises:
        ConfigurationError: it isn't one, or below 0.
    """
    if not _is_number(value) or not value >= 0:
        raise SettingError(f"{attribute.name}: {value!r} has to be a number, 0 or more")


def above_zero(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Check a number that may be infinite.

    Raises:
        ConfigurationError: it isn't one, or not above 0.
    """
    if not _is_number(value) or not value > 0:
        raise SettingError(f"{attribute.name}: {value!r} has to be a number above 0")


def finite_above_zero(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Check a number such as the seconds of a window.

    Raises:
        ConfigurationError: it isn't one, infinite, or not above 0.
    """
    if not _is_number(value) or not 0 < value < math.inf:
        raise SettingError(f"{attribute.name}: {value!r} has to be a finite number above 0")


def whole(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Check a count.

    Raises:
        ConfigurationError: it isn't a whole number, or below 0.
    """
    if not _is_whole(value) or value < 0:
        raise SettingError(f"{attribute.name}: {value!r} has to be a whole number, 0 or more")


def at_least_one(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Check a count of something that there has to be, or how often something is tried.

    Raises:
        ConfigurationError: it isn't a whole number, or below 1.
    """
    if not _is_whole(value) or value < 1:
        raise SettingError(f"{attribute.name}: {value!r} has to be a whole number of at least 1")


def one_of(kind: type) -> _Validator:
    """Return a validator for members of the enum *kind*, whose plain words would be taken for none of them.

    Raises:
        ConfigurationError: a value isn't one.
    """

    def check(_: Any, attribute: Attribute[Any], value: Any) -> None:
        if not isinstance(value, kind):
            raise SettingError(f"{attribute.name}: {value!r} has to be a {kind.__name__}")

    return check
