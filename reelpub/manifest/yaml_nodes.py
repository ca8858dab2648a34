"""YAML as nodes with their places, one at a time, out of a parser's events: no tag makes an object, no alias a bomb."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from attrs import define, field, frozen

from reelpub.errors import ConfigurationError
from reelpub.manifest.records import Unreadable
from reelpub.manifest.rows import Place
from reelpub.manifest.text import Lines, damage
from reelpub.models.problem import Problem

__all__ = ["Events", "MapNode", "Node", "ScalarNode", "SequenceNode", "place_of"]

_MAX_DEPTH: Final = 20
_MAX_NODES: Final = 20_000
"""The most values that one row may have, counting what its aliases stand for."""

_MAX_ANCHORED: Final = 100_000
"""The most values that all anchors of a document may keep."""

_CORE_TAGS: Final = frozenset(
    {None, "!"} | {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")}
)
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@frozen(kw_only=True)
class ScalarNode:
    """A scalar as it was written; only a plain one, without quotes, may mean anything but a text."""

    line: int
    position: int
    text: str
    is_plain: bool
    size: int = 1


@frozen(kw_only=True)
class SequenceNode:
    """A list."""

    line: int
    position: int
    items: tuple[Node, ...]
    size: int


@frozen(kw_only=True)
class MapNode:
    """A mapping: its keys are scalars, all of them different."""

    line: int
    position: int
    pairs: tuple[tuple[ScalarNode, Node], ...]
    size: int


Node = ScalarNode | SequenceNode | MapNode


def place_of(node: Node, column: str | None = None) -> Place:
    """Return where *node* stands."""
    return Place(line=node.line, column=column, position=node.position)


@define
class _Feed:
    """What the parser reads: the file's lines, with what YAML forbids replaced and told."""

    lines: Lines
    problems: list[tuple[int, Problem]] = field(factory=list)

    def read(self, size: int = -1) -> str:
        del size  # it takes any length for an answer
        line = next(self.lines, None)
        if line is None:
            return ""
        found = line.problem or damage(line.text) or _control(line.text)
        if found is None:
            return line.text
        self.problems.append((line.number, found))
        return _UNPRINTABLE.sub("\ufffd", line.text)


def _control(text: str) -> Problem | None:
    found = None if text.isprintable() else _UNPRINTABLE.search(text)
    if found is None:
        return None
    said = f"holds the control character {found[0]!r}, which YAML takes only as an escape in double quotes"
    return Problem(field="file", message=said)


class Events:
    """The events of a file, and the nodes that they make up.

    An event is known by the name of its class: the library that has the classes comes with an extra. `faults` are what
    was wrong with nodes since it was last emptied; such a node is there all the same, as far as it goes.
    """

    def __init__(self, lines: Lines) -> None:
        self._feed = _Feed(lines)
        self._events = _parsed(self._feed)
        self._anchors: dict[str, Node] = {}
        self._anchored = 0
        self._size = 0
        self.faults: list[tuple[Place, Problem]] = []

    def next(self) -> Any:
        """Return the next event, or None at the end.

        Raises:
            Unreadable: it isn't YAML from here on.
        """
        return next(self._events, None)

    def forget(self) -> None:
        """Let go of the anchors: they belong to one document."""
        self._anchors.clear()
        self._anchored = 0

    def damages(self, line: int | None = None) -> Iterator[tuple[Place, Problem]]:
        """Give out once what is wrong with lines up to *line*, or with all that were read."""
        while self._feed.problems and (line is None or self._feed.problems[0][0] <= line):
            number, problem = self._feed.problems.pop(0)
            yield Place(line=number), problem

    def row(self, event: Any) -> Node:
        """Return the node that *event* begins, with a size that is bounded anew."""
        self._size = 0
        return self.node(event)

    def node(self, event: Any, depth: int = 0) -> Node:
        """Return the node that *event* begins."""
        kind = type(event).__name__
        if kind == "AliasEvent":
            return self._alias(event)
        if event.tag not in _CORE_TAGS:
            self._fault(event, f"has the tag {event.tag[:80]!r}; only the core's tags are read")
        self._count(event, 1)
        if kind == "ScalarEvent":
            found: Node = self._scalar(event)
        elif depth >= _MAX_DEPTH:
            self._fault(event, "is nested too deep")
            self._skip(event)
            found = ScalarNode(**_mark(event), text="", is_plain=True)
        else:
            found = self._sequence(event, depth) if kind == "SequenceStartEvent" else self._map(event, depth)
        if event.anchor is not None:
            self._keep(event, found)
        return found

    def _scalar(self, event: Any) -> ScalarNode:
        is_text = event.tag in ("tag:yaml.org,2002:str", "!")
        return ScalarNode(**_mark(event), text=event.value, is_plain=not event.style and not is_text)

    def _sequence(self, event: Any, depth: int) -> SequenceNode:
        items = []
        while not type(inner := self.next()).__name__.endswith("EndEvent"):
            items.append(self.node(inner, depth + 1))
        return SequenceNode(**_mark(event), items=tuple(items), size=1 + sum(item.size for item in items))

    def _map(self, event: Any, depth: int) -> MapNode:
        pairs: dict[str, tuple[ScalarNode, Node]] = {}
        while not type(inner := self.next()).__name__.endswith("EndEvent"):
            key, value = self.node(inner, depth + 1), self.node(self.next(), depth + 1)
            if not isinstance(key, ScalarNode):
                self.faults.append((place_of(key), Problem(field="row", message="has a name that is no text")))
            elif key.text in pairs:
                self.faults.append((place_of(key), Problem(field=key.text, message="is named twice")))
            else:
                pairs[key.text] = (key, value)
        size = 1 + sum(1 + value.size for _, value in pairs.values())
        return MapNode(**_mark(event), pairs=tuple(pairs.values()), size=size)

    def _alias(self, event: Any) -> Node:
        known = self._anchors.get(event.anchor)
        if known is None:
            self._fault(event, f"names the anchor {event.anchor[:80]!r}, which isn't there before it")
            return ScalarNode(**_mark(event), text="", is_plain=True)
        self._count(event, known.size)
        return known

    def _keep(self, event: Any, node: Node) -> None:
        replaced = self._anchors.get(event.anchor)
        self._anchored += node.size - (replaced.size if replaced is not None else 0)
        if self._anchored > _MAX_ANCHORED:
            raise Unreadable(Problem(field="file", message="has too much behind its anchors"), _place(event))
        self._anchors[event.anchor] = node

    def _count(self, event: Any, size: int) -> None:
        self._size += size
        if self._size > _MAX_NODES:
            said = "has too many values in one row, counting what its aliases stand for"
            raise Unreadable(Problem(field="file", message=said, limit=f"at most {_MAX_NODES:,}"), _place(event))

    def _skip(self, event: Any) -> None:
        depth = 1
        while depth:
            name = type(self.next()).__name__
            depth += name.endswith("StartEvent") - name.endswith("EndEvent")
            if depth > 100:
                # The parser's time grows with the square of the depth.
                said = "is nested too deep; nothing after this is read"
                raise Unreadable(Problem(field="file", message=said), _place(event))

    def _fault(self, event: Any, message: str) -> None:
        self.faults.append((_place(event), Problem(field="row", message=message)))


def _place(event: Any) -> Place:
    return Place(line=event.start_mark.line + 1, position=event.start_mark.column + 1)


def _mark(event: Any) -> dict[str, int]:
    return {"line": event.start_mark.line + 1, "position": event.start_mark.column + 1}


def _parsed(feed: _Feed) -> Iterator[Any]:
    try:
        import yaml  # noqa: PLC0415  (it comes with an extra)
    except ModuleNotFoundError as missing:
        raise ConfigurationError("YAML needs one more package: pip install 'reelpub[cli]'") from missing
    # The same parser in C is some ten times as fast; not every build of PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.parse(feed, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = f"isn't YAML: {error.problem or error.context}; nothing after this is read"
        place = Place(line=mark.line + 1, position=mark.column + 1) if mark is not None else Place(line=1)
        raise Unreadable(Problem(field="file", message=said), place) from None
    except yaml.YAMLError as error:
        said = f"isn't YAML: {str(error).splitlines()[0][:200]}; nothing after this is read"
        raise Unreadable(Problem(field="file", message=said)) from None
