"""Reading what a provider answered into typed values, strictly where it matters and tolerantly elsewhere.

cattrs by itself turns ``None`` into ``'None'``, ``'5'`` into 5 and ``'abc'`` into letters. The converters made here
refuse every such guess and name all misfits of an answer at once. They are tolerant where the contracts are open:
unknown members are ignored (or kept, see `make_converter`), unknown enum values stay text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypeVar, get_args

import attrs
import orjson
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.cols import (
    homogenous_tuple_structure_factory,
    is_mapping,
    is_mutable_sequence,
    is_sequence,
    list_structure_factory,
    mapping_structure_factory,
)
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from reelpub.errors import DecodeError
from reelpub.providers.annotations import is_open_enum, is_optional_one, known_words, takes_none, without_none
from reelpub.providers.reader import MISFITS, Reader, compile_reader
from reelpub.transport.message import Response

__all__ = ["UNSET", "Unset", "WireTypeError", "camel_case", "identity", "load_json", "make_converter", "structure"]

T = TypeVar("T")
_Hook = Callable[[Any, Any], Any]

_EXTRA_KEY: Final = "\x00extra"
"""Carries the unknown members into the field `extra`; a NUL keeps it apart from every real name."""


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Not given, where None is a value of its own (JSON null)."""


class WireTypeError(ValueError):
    """A JSON value of another type than the schema's; says which types, never which value."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"expected {expected}, got {_json_type(value)}")


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, (list, tuple)) else "an object"


def identity(name: str) -> str:
    """Return *name* as it is: the wire name of a provider that writes snake_case."""
    return name


def camel_case(name: str) -> str:
    """Return ``project_id`` as ``projectId``."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def make_converter(*, wire_name: Callable[[str], str] = identity) -> Converter:
    """Return a converter for the schemas of one provider; *wire_name* turns a field's name into the wire's.

    Reading: scalars, arrays and objects must be of the very JSON type (a whole number passes for a float, and ``5.0``
    for an int, since JSON doesn't tell them apart). A `datetime` is an ISO 8601 text with an offset and becomes UTC.
    An absent member, and null for a field that isn't optional, leave the field's default; without one they are
    problems. `SomeStrEnum | str` reads a known value as the member and any other text as text. Unknown members are
    ignored, except that a schema with a field ``extra: Mapping[str, Any]`` collects them there.

    Writing (`Converter.unstructure`): wire names; fields that are None or `UNSET` are left out; the members of
    ``extra`` are written beside the others; arrays are lists; instants are ISO 8601 in UTC with ``Z``.
    """
    converter = Converter(unstruct_collection_overrides={tuple: list})
    for type_, hook in _SCALARS.items():
        converter.register_structure_hook(type_, hook)
    converter.register_structure_hook_factory(is_sequence, _array_hook)
    converter.register_structure_hook_factory(is_mapping, _object_hook)
    converter.register_structure_hook_factory(is_optional_one, _optional_hook)
    converter.register_structure_hook_factory(is_open_enum, _open_enum_hook)
    readers: dict[type, Reader] = {}
    converter.register_structure_hook_factory(attrs.has, lambda cls, conv: _schema_hook(cls, conv, wire_name, readers))
    converter.register_unstructure_hook(datetime, _iso)
    converter.register_unstructure_hook_factory(attrs.has, lambda cls, conv: _writer(cls, conv, wire_name))
    return converter


def structure(
    converter: Converter, value: object, type_: type[T], *, operation: str, provider: str, status: int | None
) -> T:
    """Return *value*, parsed JSON, as *type_*.

    Raises `DecodeError` with a line in `problems` for each member that doesn't fit, such as
    ``expected a string, got null @ $.posts[3].id``. Neither the error nor what it is chained to holds a value.
    """
    try:
        return converter.structure(value, type_)
    except (BaseValidationError, WireTypeError) as error:
        problems = transform_error(error, format_exception=_describe)
    # Raised outside the handler: the exceptions caught there may hold parts of the answer.
    raise DecodeError(
        "the answer doesn't fit its schema", operation=operation, provider=provider, status=status, problems=problems
    )


def load_json(response: Response, *, operation: str, provider: str) -> Any:
    """Return the JSON value in the body of *response*; of members with the same name the last one counts.

    Raises `DecodeError` when the body is empty, cut off or otherwise not JSON.
    """
    try:
        return orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        # Only the place: the exception itself holds the whole document.
        said = f"not valid JSON at byte {error.pos} of {len(response.body)}" if response.body else "an empty body"
    raise DecodeError(f"can't read the answer: {said}", operation=operation, provider=provider, status=response.status)


def _text(value: Any, type_: Any) -> Any:
    if type_ is str and value.__class__ is str:
        return value
    if not isinstance(value, str):
        raise WireTypeError("a string", value)
    return value if type_ is str else _member(type_, value)


def _flag(value: Any, _: Any) -> bool:
    if not isinstance(value, bool):
        raise WireTypeError("a boolean", value)
    return value


def _whole(value: Any, type_: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise WireTypeError("a whole number", value)
    return value if type_ is int else _member(type_, value)


def _member(enum: type[Enum], value: object) -> Enum:
    """Return the member of a closed enum; cattrs hands those that mix in str or int to the hooks of str and int."""
    try:
        return enum(value)
    except ValueError:
        known = ", ".join(str(item.value) for item in enum)
    raise WireTypeError(f"one of {known}", value)


def _number(value: Any, _: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise WireTypeError("a number", value)
    return float(value)


def _instant(value: Any, _: Any) -> datetime:
    text: str = value if value.__class__ is str else _text(value, str)
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is UTC:
            return instant
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise WireTypeError("an ISO 8601 time with its offset", value)


_SCALARS: Final[dict[type, _Hook]] = {str: _text, bool: _flag, int: _whole, float: _number, datetime: _instant}


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _array_hook(type_: Any, converter: Converter) -> _Hook:
    is_list = is_mutable_sequence(type_)
    factory = list_structure_factory if is_list else homogenous_tuple_structure_factory
    inner = factory(type_, converter)
    item_type = get_args(type_)[0] if get_args(type_) else Any
    item_hook = converter.get_structure_hook(item_type)

    def structure_array(value: Any, _: Any) -> Any:
        if not isinstance(value, list):
            raise WireTypeError("an array", value)
        try:
            items = [item_hook(item, item_type) for item in value]
        except MISFITS:
            # Slower, and goes on after a misfit in order to name them all.
            return inner(value, type_)
        return items if is_list else tuple(items)

    return structure_array


def _object_hook(type_: Any, converter: Converter) -> _Hook:
    inner = mapping_structure_factory(type_, converter)
    is_free = get_args(type_) == (str, Any)

    def structure_object(value: Any, _: Any) -> Any:
        if value.__class__ is not dict and not isinstance(value, Mapping):
            raise WireTypeError("an object", value)
        # The names in a JSON object are texts.
        return dict(value) if is_free else inner(value, type_)

    return structure_object


def _open_enum_hook(type_: Any) -> _Hook:
    is_optional, known = takes_none(type_), known_words(type_)

    def structure_open_enum(value: Any, _: Any) -> Any:
        if value.__class__ is str:
            return known.get(value, value)
        if value is None and is_optional:
            return None
        text = _text(value, str)
        return known.get(text, text)

    return structure_open_enum


def _optional_hook(type_: Any, converter: Converter) -> _Hook:
    """Return the hook of ``X | None``, bound once: cattrs itself looks the inner one up for each value."""
    inner_type = without_none(type_)
    inner = converter.get_structure_hook(inner_type)

    def structure_optional(value: Any, _: Any) -> Any:
        return None if value is None else inner(value, inner_type)

    def structure_optional_text(value: Any, _: Any) -> Any:
        return value if value is None or value.__class__ is str else inner(value, inner_type)

    return structure_optional_text if inner_type is str else structure_optional


def _schema_hook(cls: Any, converter: Converter, wire_name: Callable[[str], str], readers: dict[type, Reader]) -> _Hook:
    attrs.resolve_types(cls)
    fields = {wire_name(a.name): a for a in attrs.fields(cls) if a.name != "extra"}
    keeps_extra = len(fields) < len(attrs.fields(cls))
    droppable = {name for name, a in fields.items() if a.default is not attrs.NOTHING and not takes_none(a.type)}
    renamed: dict[str, Any] = {a.name: override(rename=name) for name, a in fields.items()}
    if keeps_extra:
        renamed["extra"] = override(rename=_EXTRA_KEY)
    inner = make_dict_structure_fn(cls, converter, **renamed)

    def structure_schema(value: Any, _: Any) -> Any:
        if value.__class__ is not dict and not isinstance(value, Mapping):
            raise WireTypeError("an object", value)
        members = value
        if keeps_extra:
            members = {k: v for k, v in value.items() if k in fields}
            members[_EXTRA_KEY] = {k: v for k, v in value.items() if k not in fields}
        for name in droppable:
            if name in members and members[name] is None:
                members = {k: v for k, v in members.items() if k not in droppable or v is not None}
                break
        return inner(members, cls)

    read = compile_reader(cls, converter, wire_name, readers)
    if read is None:
        return structure_schema
    readers[cls] = read

    def structure_fast(value: Any, _: Any) -> Any:
        try:
            return read(value)
        except MISFITS:
            # Slower, takes any mapping, and names every misfit.
            return structure_schema(value, cls)

    return structure_fast


def _writer(cls: Any, converter: Converter, wire_name: Callable[[str], str]) -> Callable[[Any], dict[str, Any]]:
    attrs.resolve_types(cls)
    names = {a.name: wire_name(a.name) for a in attrs.fields(cls) if a.name != "extra"}
    keeps_extra = len(names) < len(attrs.fields(cls))
    renamed: dict[str, Any] = {name: override(rename=wire) for name, wire in names.items()}
    inner = make_dict_unstructure_fn(cls, converter, **renamed)

    def write(value: Any) -> dict[str, Any]:
        given = {name for name in names if getattr(value, name) not in (None, UNSET)}
        members = inner(value)
        extra = members.pop("extra") if keeps_extra else {}
        return {**extra, **{wire: members[wire] for name, wire in names.items() if name in given}}

    return write


def _describe(error: BaseException, type_: Any) -> str:
    """Word one problem for `transform_error` without the words of *error*, which may quote the answer."""
    if isinstance(error, WireTypeError):
        return str(error)
    if isinstance(error, KeyError):
        return "required member missing"
    return f"not a value of {getattr(type_, '__name__', 'its type')}"
