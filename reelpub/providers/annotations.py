"""What the annotation of a schema's field says about the JSON it takes."""

from __future__ import annotations

from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

__all__ = ["is_open_enum", "is_optional_one", "known_words", "takes_none", "without_none"]


def _members_of(type_: Any) -> tuple[Any, ...]:
    """Return the types of a union, none for any other type."""
    return get_args(type_) if get_origin(type_) in (Union, UnionType) else ()


def takes_none(type_: Any) -> bool:
    """Return whether null is a value of *type_*."""
    return type_ in (Any, object) or NoneType in _members_of(type_)


def is_optional_one(type_: Any) -> bool:
    """Return whether *type_* is ``X | None``."""
    members = _members_of(type_)
    return len(members) == 2 and NoneType in members


def without_none(type_: Any) -> Any:
    """Return ``X`` for ``X | None``, anything else as it is."""
    if not is_optional_one(type_):
        return type_
    (inner,) = (member for member in _members_of(type_) if member is not NoneType)
    return inner


def is_open_enum(type_: Any) -> bool:
    """Return whether *type_* is ``SomeStrEnum | str``, perhaps with None: known words and any other."""
    members = [member for member in _members_of(type_) if member is not NoneType]
    enums = [member for member in members if isinstance(member, type) and issubclass(member, StrEnum)]
    return bool(enums) and str in members and len(enums) + 1 == len(members)


def known_words(type_: Any) -> dict[str, StrEnum]:
    """Return the known words of an open enum with their members."""
    enums = [member for member in _members_of(type_) if isinstance(member, type) and issubclass(member, StrEnum)]
    return {item.value: item for enum in enums for item in enum}
