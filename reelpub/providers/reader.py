"""Compiled reading of a schema: one generated function for each class, for answers that are as they should be.

The function takes a parsed JSON object apart without a call for each member: it looks at the very type of each value
and fills the schema. What it doesn't know by heart it hands to the converter's hook for that type, and where something
doesn't fit it gives up: the careful way, cattrs member by member, then names every misfit. So it decides nothing by
itself. It is there because it takes less than half the time (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, get_args, get_origin

import attrs
from cattrs import BaseValidationError, Converter

from reelpub.providers.annotations import is_open_enum, known_words, takes_none, without_none

__all__ = ["MISFITS", "Misfit", "Reader", "compile_reader", "open_twin"]

Reader = Callable[[Any], Any]

_SCALARS: Final = (str, int, float, bool)


class Misfit(ValueError):
    """Something doesn't fit; what, the careful way says."""


MISFITS: Final = (BaseValidationError, LookupError, TypeError, ValueError)
"""What a compiled reader, or a hook that it calls, raises where a value doesn't fit."""


def compile_reader(
    cls: type, converter: Converter, wire_name: Callable[[str], str], readers: Mapping[type, Reader]
) -> Reader | None:
    """Return the compiled reader of the attrs class *cls*, None where its members can't be taken one by one.

    *readers* holds those of the schemas whose hooks *converter* has made already. A field ``extra`` collects the
    members that no other field has.
    """
    fields = attrs.fields(cls)
    if not all(a.init and _has_plain_default(a) for a in fields):
        return None
    source = _Source(converter, readers)
    names = frozenset(wire_name(a.name) for a in fields if a.name != "extra")
    source.add("if o.__class__ is not dict: raise Misfit", "get = o.get")
    for number, a in enumerate(fields):
        if a.name == "extra":
            source.add(f"v{number} = {{k: v for k, v in o.items() if k not in {source.bind(names)}}}")
        else:
            _read_member(source, f"v{number}", wire_name(a.name), a)
    _build(source, cls)
    return source.compile(f"read_{cls.__name__}")


class _Source:
    """The lines of a function under way, and the values that its names stand for."""

    def __init__(self, converter: Converter, readers: Mapping[type, Reader]) -> None:
        self.converter = converter
        self.readers = readers
        self._lines: list[str] = []
        self._values: dict[str, Any] = {
            "Misfit": Misfit,
            "absent": object(),
            "utc": UTC,
            "instant_of": datetime.fromisoformat,
        }

    def add(self, *lines: str) -> None:
        self._lines += lines

    def bind(self, value: object) -> str:
        """Return a name that stands for *value* in the function."""
        name = f"x{len(self._values)}"
        self._values[name] = value
        return name

    def hook(self, type_: Any) -> tuple[str, str]:
        """Return the names of the converter's hook for *type_*, and of *type_*."""
        return self.bind(self.converter.get_structure_hook(type_)), self.bind(type_)

    def compile(self, name: str) -> Reader:
        text = "\n    ".join([f"def {name}(o):", *self._lines, ""])
        # All that comes from outside is a class's field and wire names, and those are written by repr().
        exec(compile(text, f"<reelpub {name}>", "exec"), self._values)  # noqa: S102  as said above
        reader: Reader = self._values[name]
        return reader


def _read_member(source: _Source, v: str, wire: str, a: attrs.Attribute[Any]) -> None:
    """Add the lines that leave the member *wire* in the variable *v*."""
    value = _value_lines(source, v, a.type)
    if takes_none(a.type) and value:
        value = [f"if {v} is not None:", *_indented(value)]
    if a.default is attrs.NOTHING:
        source.add(f"{v} = o[{wire!r}]", *value)
    elif takes_none(a.type) and a.default is None:
        source.add(f"{v} = get({wire!r})", *value)
    else:
        # Null is as good as nothing, unless it is a value.
        missing = "absent" if takes_none(a.type) else "None"
        source.add(f"{v} = get({wire!r}, {missing})", f"if {v} is {missing}: {v} = {_default(source, a)}")
        if value:
            source.add("else:", *_indented(value))


def _value_lines(source: _Source, v: str, type_: Any) -> list[str]:
    """Return the lines that turn the JSON value in *v*, which isn't null where null is a value, into *type_*."""
    inner = without_none(type_)
    if type_ in (Any, object):
        return []
    if inner is datetime:
        hook, name = source.hook(datetime)
        return [f"raw = {v}", f"{v} = instant_of(raw)", f"if {v}.tzinfo is not utc: {v} = {hook}(raw, {name})"]
    if is_open_enum(type_):
        hook, name = source.hook(type_)
        known = source.bind(known_words(type_))
        return [f"{v} = {known}.get({v}, {v}) if {v}.__class__ is str else {hook}({v}, {name})"]
    hook, name = source.hook(inner)
    if inner in _SCALARS:
        return [f"if {v}.__class__ is not {inner.__name__}: {v} = {hook}({v}, {name})"]
    if inner in source.readers:
        return [f"{v} = {source.bind(source.readers[inner])}({v})"]
    return _array_lines(source, v, inner) or [f"{v} = {hook}({v}, {name})"]


def _array_lines(source: _Source, v: str, type_: Any) -> list[str]:
    """Return the lines for a list or tuple of a schema, none for any other type."""
    items = get_args(type_)
    kind = get_origin(type_)
    is_array = kind is list or (kind is tuple and items[1:] == (...,))
    if not is_array or items[0] not in source.readers:
        return []
    read = source.bind(source.readers[items[0]])
    made = f"[{read}(item) for item in {v}]"
    return [f"if {v}.__class__ is not list: raise Misfit", f"{v} = {made if kind is list else f'tuple({made})'}"]


def _factory(a: attrs.Attribute[Any]) -> Any:
    """Return the maker of the default, None where the default is a value."""
    return a.default if isinstance(a.default, attrs.Factory) else None  # type: ignore[arg-type]


def _has_plain_default(a: attrs.Attribute[Any]) -> bool:
    factory = _factory(a)
    return factory is None or not factory.takes_self


def _default(source: _Source, a: attrs.Attribute[Any]) -> str:
    factory = _factory(a)
    return source.bind(a.default) if factory is None else f"{source.bind(factory.factory)}()"


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _build(source: _Source, cls: type) -> None:
    """Add the lines that make the instance."""
    fields = attrs.fields(cls)
    twin = open_twin(cls)
    if twin is None:
        members = ", ".join(f"{a.alias}=v{number}" for number, a in enumerate(fields))
        source.add(f"return {source.bind(cls)}({members})")
        return
    source.add(f"self = {source.bind(twin)}()")
    source.add(*(f"self.{a.name} = v{number}" for number, a in enumerate(fields)))
    source.add(f"self.__class__ = {source.bind(cls)}", "return self")


def open_twin(cls: type) -> type | None:
    """Return a class of the same layout as the frozen attrs class *cls*, but whose members are simply assigned.

    An instance of it becomes one of *cls* by its ``__class__``. A frozen class's own ``__init__`` sets each member
    through `object.__setattr__`, which takes six times as long. None where ``__init__`` does more than set members.
    """
    does_more = any(a.validator is not None or a.converter is not None for a in attrs.fields(cls))
    hooks = ("__attrs_pre_init__", "__attrs_post_init__")
    if does_more or "__slots__" not in vars(cls) or any(hasattr(cls, name) for name in hooks):
        return None
    plain = {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__")}
    return type(cls.__name__, (cls,), {"__slots__": (), "__module__": cls.__module__, **plain})
