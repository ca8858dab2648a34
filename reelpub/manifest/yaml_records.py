"""Rows out of YAML: a list of rows, or ``defaults`` and ``posts``, or a document for each row, as the parser goes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import field, frozen

from reelpub.manifest.columns import Kind, find, is_private, unknown
from reelpub.manifest.records import Path, Record, Unreadable
from reelpub.manifest.rows import Place, RowProblem
from reelpub.manifest.text import Lines
from reelpub.manifest.yaml_nodes import Events, MapNode, Node, ScalarNode, SequenceNode, place_of
from reelpub.models.problem import Problem

__all__ = ["yaml_records"]

_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS: Final = {
    spelling: value
    for word, value in (("yes", True), ("no", False), ("true", True), ("false", False), ("on", True), ("off", False))
    for spelling in (word, word.capitalize(), word.upper())
}
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,300}")
_NUMBER: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

Found = tuple[Place, Problem]


@frozen
class _Spots:
    """Where each value stands: the parser tells once, in passing."""

    places: Mapping[Path, tuple[int, int]]

    def find(self, path: Path) -> tuple[int, int | None] | None:
        return self.places.get(path)


@frozen(kw_only=True)
class _Row:
    """A mapping of columns, made JSON values by what each column holds."""

    line: int
    values: Mapping[str, Any] = field(factory=dict)
    places: Mapping[Path, tuple[int, int]] = field(factory=dict)
    faults: tuple[Found, ...] = ()
    own: Mapping[str, Any] = field(factory=dict)


def yaml_records(lines: Lines) -> Iterator[Record]:
    """Yield the rows of YAML; row 0 tells what is wrong outside of any.

    Raises:
        Unreadable: it isn't YAML from there on; the place is told.
    """
    return _Reading(Events(lines)).records()


class _Reading:
    """One file being read."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._number = 0
        self._defaults = _Row(line=0)

    def records(self) -> Iterator[Record]:
        try:
            yield from self._documents()
        except Unreadable:
            yield from self._outside(self._events.damages())
            raise
        yield from self._outside(self._events.damages())

    def _documents(self) -> Iterator[Record]:
        while (event := self._events.next()) is not None:
            kind = type(event).__name__
            if kind == "SequenceStartEvent":
                yield from self._rows()
            elif kind == "MappingStartEvent":
                yield from self._root(event.start_mark.line + 1)
            elif kind == "DocumentEndEvent":
                self._events.forget()
                self._defaults = _Row(line=0)
            elif kind in ("ScalarEvent", "AliasEvent"):
                yield from self._stray(event)

    def _stray(self, event: Any) -> Iterator[Record]:
        node = self._events.row(event)
        if not _is_nothing(node):
            said = "is neither a list of rows nor a mapping of columns"
            yield from self._outside([(place_of(node), Problem(field="file", message=said))])

    def _rows(self) -> Iterator[Record]:
        while type(event := self._events.next()).__name__ != "SequenceEndEvent":
            yield self._record(self._events.row(event))

    def _root(self, line: int) -> Iterator[Record]:
        """Read a mapping at the top: one row, unless it has ``posts`` or ``defaults``."""
        pairs: list[tuple[ScalarNode, Node]] = []
        seen: set[str] = set()
        while type(event := self._events.next()).__name__ != "MappingEndEvent":
            key, event = self._events.row(event), self._events.next()
            name = key.text if isinstance(key, ScalarNode) else ""
            if name in seen:
                yield from self._outside([(place_of(key), Problem(field=name[:100], message="is named twice"))])
            if name == "posts" and type(event).__name__ == "SequenceStartEvent":
                seen.add(name)
                yield from self._rows()
                continue
            value = self._events.row(event)
            if name == "posts" or not isinstance(key, ScalarNode):
                said = "has to be a list of rows" if name else "has a name that is no text"
                yield from self._outside([(place_of(value), Problem(field=name or "file", message=said))])
            elif name == "defaults":
                yield from self._outside(self._take_defaults(key, value, seen))
            elif name not in seen:
                pairs.append((key, value))
            seen.add(name)
        yield from self._concluded(line, pairs, seen)

    def _concluded(self, line: int, pairs: list[tuple[ScalarNode, Node]], seen: set[str]) -> Iterator[Record]:
        if not seen & {"posts", "defaults"}:
            size = 1 + sum(value.size for _, value in pairs)
            yield self._record(MapNode(line=line, position=1, pairs=tuple(pairs), size=size))
            return
        said = "isn't known beside defaults and posts"
        strange = [key for key, _ in pairs if not is_private(key.text)]
        yield from self._outside((place_of(key), Problem(field=key.text[:100], message=said)) for key in strange)

    def _take_defaults(self, key: Node, value: Node, seen: set[str]) -> list[Found]:
        if "posts" in seen:
            return [(place_of(key), Problem(field="defaults", message="has to come before posts"))]
        if not isinstance(value, MapNode):
            return [(place_of(value), Problem(field="defaults", message="has to be a mapping of columns"))]
        self._defaults = _row_of(value)
        return list(self._defaults.faults)

    def _outside(self, found: Any) -> Iterator[Record]:
        """Yield row 0 for what was *found* outside of rows, and for what nodes there had wrong with them."""
        faults, self._events.faults = [*found, *self._events.faults], []
        if faults:
            yield Record(number=0, line=faults[0][0].line, problems=_told(0, faults))

    def _record(self, node: Node) -> Record:
        self._number += 1
        row = _row_of(node)
        faults, self._events.faults = [*self._events.faults, *row.faults], []
        faults += self._events.damages(_last_line(node))
        shared = frozenset(self._defaults.values) - row.values.keys()
        is_whole = isinstance(node, MapNode)
        return Record(
            number=self._number,
            line=row.line,
            values={**self._defaults.values, **row.values} if is_whole else {},
            spots=_Spots({**_of(self._defaults.places, shared), **row.places}),
            problems=_told(self._number, faults),
            shared=shared,
            own={**self._defaults.own, **row.own} if is_whole else {},
            # What defaults has wrong is told once and concerns every row.
            is_blocked=bool(self._defaults.faults),
        )


def _of(places: Mapping[Path, tuple[int, int]], columns: frozenset[str]) -> dict[Path, tuple[int, int]]:
    return {path: place for path, place in places.items() if path[0] in columns}


def _told(number: int, faults: list[Found]) -> tuple[RowProblem, ...]:
    return tuple(RowProblem(row=number, place=place, problem=problem) for place, problem in faults)


def _last_line(node: Node) -> int:
    """Return the line on which the last value of *node* begins."""
    if isinstance(node, MapNode) and node.pairs:
        return max(node.line, _last_line(node.pairs[-1][1]))
    if isinstance(node, SequenceNode) and node.items:
        return max(node.line, _last_line(node.items[-1]))
    return node.line


def _is_nothing(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.is_plain and node.text in _NOTHING


def _row_of(node: Node) -> _Row:
    if not isinstance(node, MapNode):
        return _Row(
            line=node.line, faults=((place_of(node), Problem(field="row", message="has to be a mapping of columns")),)
        )
    values: dict[str, Any] = {}
    places: dict[Path, tuple[int, int]] = {}
    faults: list[Found] = []
    own: dict[str, Any] = {}
    for key, value in _merged(node, faults):
        if is_private(key.text):
            own[key.text] = _value(value, (key.text,), {})
        elif find(key.text) is None:
            faults.append((place_of(key, key.text[:100]), unknown(key.text[:100])))
        else:
            values[key.text] = _value(value, (key.text,), places)
    return _Row(line=node.line, values=values, places=places, faults=tuple(faults), own=own)


def _merged(node: MapNode, faults: list[Found]) -> list[tuple[ScalarNode, Node]]:
    """Return the pairs of *node* with what ``<<`` brings in, under what the row says itself."""
    pairs: dict[str, tuple[ScalarNode, Node]] = {}
    for key, value in node.pairs:
        if key.text != "<<" or not key.is_plain:
            continue
        sources = value.items if isinstance(value, SequenceNode) else (value,)
        for source in reversed(sources):
            if isinstance(source, MapNode):
                pairs |= {inner.text: (inner, each) for inner, each in source.pairs if inner.text != "<<"}
            else:
                faults.append((place_of(value), Problem(field="<<", message="has to be a mapping or a list of them")))
    return list((pairs | {key.text: (key, each) for key, each in node.pairs if key.text != "<<"}).values())


def _value(node: Node, path: Path, places: dict[Path, tuple[int, int]]) -> Any:
    places[path] = (node.line, node.position)
    if isinstance(node, ScalarNode):
        return _scalar(node, path)
    if isinstance(node, SequenceNode):
        return [_value(item, (*path, index), places) for index, item in enumerate(node.items)]
    return {key.text: _value(value, (*path, key.text), places) for key, value in node.pairs}


def _scalar(node: ScalarNode, path: Path) -> Any:
    """Return what a scalar means where it stands: in a column of texts ``no`` and ``1:30`` are texts."""
    if not node.is_plain:
        return node.text
    if node.text in _NOTHING:
        return None
    holds = _kind(path)
    if holds is Kind.FLAG:
        return _FLAGS.get(node.text, node.text)
    return _core(node.text) if holds is Kind.VALUE else node.text


def _kind(path: Path) -> Kind:
    column = find(str(path[0]))
    if column is None or column.kind in (Kind.RAW, Kind.VALUE):
        return Kind.VALUE
    if column.kind is Kind.SETTINGS:
        setting = find(".".join(map(str, path[1:3])))
        return Kind.VALUE if setting is None or len(path) > 3 else setting.kind
    if column.kind is Kind.ITEMS and path[-1] == "use_voice_converted":
        return Kind.FLAG
    return column.kind


def _core(text: str) -> Any:
    """Return a plain scalar by YAML 1.2's core schema, in which ``no`` is a text."""
    if text.lower() in ("true", "false") and text in _FLAGS:
        return _FLAGS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text
