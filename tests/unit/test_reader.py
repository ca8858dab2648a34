"""The compiled readers: whatever an answer holds, they read it as the careful way does, or leave it to that."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, get_args, get_origin

import attrs
import pytest
from attrs import Factory, field, frozen
from attrs.exceptions import FrozenInstanceError
from hypothesis import given, settings
from hypothesis import strategies as st

from reelpub.errors import DecodeError
from reelpub.providers.annotations import is_open_enum, known_words, without_none
from reelpub.providers.reader import MISFITS, compile_reader, open_twin
from reelpub.providers.reap import schemas as reap
from reelpub.providers.reap.converter import CONVERTER as REAP
from reelpub.providers.reelmirror import schemas as reelmirror
from reelpub.providers.reelmirror.converter import CONVERTER as REELMIRROR
from reelpub.providers.reelmirror.converter import wire_name
from reelpub.providers.structure import camel_case, identity, make_converter, structure

CONVERTER = make_converter()


class Mood(StrEnum):
    FINE = "fine"
    BAD = "bad"


@frozen(kw_only=True)
class Leaf:
    id: str
    size: int = 3
    weight: float | None = None


@frozen(kw_only=True)
class Tree:
    """One member of every kind."""

    id: str
    needed: str | None
    anything: Any
    mood: Mood | str | None = None
    strict_mood: Mood = Mood.FINE
    is_tall: bool = False
    height: float = 1.5
    rings: int | None = 7
    born_at: datetime | None = None
    felled_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    leaf: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    branches: list[Leaf] = Factory(list)
    names: Sequence[str] = ()
    words: Mapping[str, str] = Factory(dict)
    free: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = Factory(dict)


def schemas_of(module):
    found = (getattr(module, name) for name in module.__all__)
    return [cls for cls in found if isinstance(cls, type) and attrs.has(cls) and get_origin(cls) is None]


CASES = [
    *((cls, REELMIRROR, wire_name) for cls in schemas_of(reelmirror)),
    *((cls, REAP, camel_case) for cls in schemas_of(reap)),
    *[(Tree, CONVERTER, identity)] * 5,
]

TEXTS = st.sampled_from(
    ["", "a", "fine", "published", "2026-11-22T14:00:05Z", "2026-11-22T15:00:05+01:00", "2026-11-22"]
)
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2**40), st.just(5.0), st.floats(allow_nan=False), TEXTS,
    st.lists(st.one_of(st.none(), TEXTS, st.integers()), max_size=2), st.dictionaries(TEXTS, TEXTS, max_size=2),
)  # fmt: skip
SCALARS = {
    str: TEXTS,
    int: st.integers(0, 2**40),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    datetime: st.sampled_from(["2026-11-22T14:00:05Z", "2026-11-22T14:00:05.25+05:30", "2026-11-22T14:00:05-00:00"]),
}


def fitting(type_, name):
    """Values that fit *type_*, as far as this knows the type; anything else may fit by chance."""
    inner = without_none(type_)
    if inner in SCALARS:
        return SCALARS[inner]
    if is_open_enum(type_):
        return st.sampled_from([*known_words(type_), "a word of tomorrow"])
    if attrs.has(inner):
        return documents(inner, name)
    if get_origin(inner) in (list, tuple, Sequence) and get_args(inner):
        return st.lists(fitting(get_args(inner)[0], name), max_size=3)
    return st.dictionaries(TEXTS, TEXTS, max_size=2)


def documents(cls, name):
    """Objects whose members mostly fit *cls*: some are missing, null or of another type, and some are unknown."""
    attrs.resolve_types(cls)
    members = {
        name(a.name): st.one_of(fitting(a.type, name), fitting(a.type, name), fitting(a.type, name), JUNK)
        for a in attrs.fields(cls)
        if a.name != "extra"
    }
    required = {name(a.name) for a in attrs.fields(cls) if a.default is attrs.NOTHING}
    needed = {wire: value for wire, value in members.items() if wire in required}
    others = {wire: value for wire, value in members.items() if wire not in required}
    whole = st.fixed_dictionaries(needed, optional={**others, "grownLater": JUNK})
    partial = st.fixed_dictionaries({}, optional=members)
    return st.one_of(whole, whole, whole, partial)


def careful(value):
    """Return *value* with objects that no compiled reader takes."""
    if isinstance(value, dict):
        return MappingProxyType({name: careful(member) for name, member in value.items()})
    return [careful(item) for item in value] if isinstance(value, list) else value


def outcome(value, cls, converter):
    try:
        return structure(converter, value, cls, operation="get_thing", provider="acme", status=200)
    except DecodeError as error:
        return error.problems


def tidy(value):
    """Return *value* in a form in which types count, too: True isn't 1, and a member of an enum isn't its text."""
    if attrs.has(type(value)):
        return type(value), [tidy(getattr(value, a.name)) for a in attrs.fields(type(value))]
    if isinstance(value, Mapping):
        return "object", {name: tidy(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [tidy(item) for item in value]
    return type(value), value.isoformat() if isinstance(value, datetime) else value


@pytest.mark.parametrize(("cls", "converter", "name"), CASES, ids=lambda case: getattr(case, "__name__", ""))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_answer_is_read_as_the_careful_way_reads_it(cls, converter, name, data):
    value = data.draw(documents(cls, name))
    assert tidy(outcome(value, cls, converter)) == tidy(outcome(careful(value), cls, converter))


EACH_KIND = [None, True, 0, 5.0, 2.5, "", "fine", "2026-11-22T15:00:05+01:00", "2026-11-22", [], ["a"], {}, {"id": "1"}]


@pytest.mark.parametrize("value", EACH_KIND, ids=repr)
@pytest.mark.parametrize("member", [a.name for a in attrs.fields(Tree)])
def test_each_member_takes_of_each_kind_of_value_what_the_careful_way_takes(member, value):
    whole = {"id": "t", "needed": None, "anything": 1, member: value}
    assert tidy(outcome(whole, Tree, CONVERTER)) == tidy(outcome(careful(whole), Tree, CONVERTER))


def compiled(cls, *inner, converter=CONVERTER, name=identity):
    readers = {}
    for each in (*inner, cls):
        converter.get_structure_hook(each)
        readers[each] = compile_reader(each, converter, name, readers)
    return readers[cls]


def test_a_sound_answer_needs_no_careful_way():
    read = compiled(Tree, Leaf)
    leaf = {"id": "1", "weight": 0.5}
    value = {
        "id": "t",
        "needed": None,
        "anything": [1],
        "mood": "bad",
        "leaf": leaf,
        "leaves": [leaf, {"id": "2"}],
        "a": 1,
    }
    assert read(value) == Tree(
        id="t",
        needed=None,
        anything=[1],
        mood=Mood.BAD,
        leaf=Leaf(id="1", weight=0.5),
        leaves=(Leaf(id="1", weight=0.5), Leaf(id="2")),
        extra={"a": 1},
    )


@pytest.mark.parametrize(
    "value",
    [
        [],
        None,
        MappingProxyType({"id": "t", "needed": None, "anything": 1}),
        {"needed": None, "anything": 1},
        {"id": "t", "needed": None},
        {"id": "t", "needed": None, "anything": 1, "leaves": {}},
        {"id": "t", "needed": None, "anything": 1, "leaves": [{}]},
        {"id": "t", "needed": None, "anything": 1, "is_tall": 1},
        {"id": "t", "needed": None, "anything": 1, "born_at": "2026-11-22T14:00:05"},
        {"id": "t", "needed": None, "anything": 1, "born_at": 5},
    ],
)
def test_what_does_not_fit_is_left_to_the_careful_way(value):
    with pytest.raises(MISFITS):
        compiled(Tree, Leaf)(value)


def test_defaults_are_made_anew_for_each_object():
    read = compiled(Tree, Leaf)
    first, second = (read({"id": "t", "needed": None, "anything": 1}) for _ in range(2))
    assert first.branches == second.branches == []
    assert first.branches is not second.branches


def test_what_is_read_is_as_frozen_as_what_is_made():
    made = Leaf(id="1", size=3, weight=2.0)
    found = compiled(Leaf)({"id": "1", "weight": 2.0})
    assert type(found) is Leaf
    assert (found, hash(found), repr(found)) == (made, hash(made), repr(made))
    assert pickle.loads(pickle.dumps(found)) == made
    assert attrs.evolve(found, size=4) == Leaf(id="1", size=4, weight=2.0)
    with pytest.raises(FrozenInstanceError):
        found.id = "2"
    with pytest.raises(FrozenInstanceError):
        del found.id


@frozen
class Base:
    a: str


@frozen
class Derived(Base):
    b: str = "b"


def test_a_schema_may_build_upon_another():
    found = compiled(Derived)({"a": "1"})
    assert (type(found), found) == (Derived, Derived("1", "b"))
    with pytest.raises(FrozenInstanceError):
        found.a = "2"


def refuse_empty(_instance, _attribute, value):
    if not value:
        raise ValueError("empty")


@frozen
class Validated:
    id: str = field(validator=refuse_empty)


@frozen
class Converted:
    id: str = field(converter=str.upper)


@frozen
class Finished:
    id: str

    def __attrs_post_init__(self):
        if self.id == "bad":
            raise ValueError("bad")


@frozen(slots=False)
class Roomy:
    id: str


@pytest.mark.parametrize("cls", [Validated, Converted, Finished, Roomy])
def test_a_schema_that_does_more_when_it_is_made_is_made_as_ever(cls):
    assert open_twin(cls) is None
    assert compiled(cls)({"id": "x"}) == cls("x")


@pytest.mark.parametrize(("cls", "value"), [(Validated, ""), (Finished, "bad")])
def test_its_refusal_is_heard(cls, value):
    with pytest.raises(ValueError, match=r"empty|bad"):
        compiled(cls)({"id": value})


@frozen
class Dependent:
    id: str
    name: str = field(default=Factory(lambda self: self.id.upper(), takes_self=True))


@frozen
class Computed:
    id: str
    length: int = field(init=False, default=0)


@pytest.mark.parametrize(
    ("cls", "want"), [(Dependent, Dependent("a", "A")), (Computed, Computed("a"))], ids=["takes_self", "not_in_init"]
)
def test_a_schema_whose_members_depend_on_each_other_is_read_the_careful_way(cls, want):
    assert compile_reader(cls, CONVERTER, identity, {}) is None
    assert outcome({"id": "a"}, cls, CONVERTER) == want
