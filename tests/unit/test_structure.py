"""The converter that both providers read their answers with: strict scalars, open enums, all misfits at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal

import pytest
from attrs import field, frozen

from reelpub.errors import DecodeError
from reelpub.providers.structure import UNSET, camel_case, identity, load_json, make_converter, structure
from reelpub.transport.message import Response

SECRET = "hunter2-very-secret"


class State(StrEnum):
    ON = "on"
    OFF = "off"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Colour(Enum):
    RED = "red"


@frozen(kw_only=True)
class Scalars:
    text: str
    whole: int
    number: float
    flag: bool


@frozen(kw_only=True)
class Row:
    row_id: str
    state: State | str | None = None


@frozen(kw_only=True)
class Sheet:
    rows: tuple[Row, ...]
    names: list[str] = field(factory=list)
    numbers: Sequence[float] = ()
    urls: Mapping[str, str] = field(factory=dict)
    first: Row | None = None
    seen_at: datetime | None = None
    free: Any = None
    count: int = 7


@frozen(kw_only=True)
class Open:
    kind: str
    extra: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class Closed:
    state: State = State.ON
    size: Size = Size.SMALL
    colour: Colour = Colour.RED
    literal: Literal["x"] = "x"


@frozen(kw_only=True)
class Patch:
    title: str | None = None
    tags: tuple[str, ...] | None = None
    at: datetime | None = None
    nested: Row | None = None
    state: State | str | None = None
    mark: Any = UNSET
    extra: Mapping[str, Any] = field(factory=dict)


CAMEL = make_converter(wire_name=camel_case)
SNAKE = make_converter()


def read(value, type_, converter=CAMEL):
    return structure(converter, value, type_, operation="get_thing", provider="acme", status=200)


def problems(value, type_, converter=CAMEL):
    with pytest.raises(DecodeError) as caught:
        read(value, type_, converter)
    return caught.value.problems


GOOD = {"text": "a", "whole": 1, "number": 1.5, "flag": True}


def test_scalars_of_the_right_type_are_taken_as_they_are():
    assert read(GOOD, Scalars) == Scalars(text="a", whole=1, number=1.5, flag=True)


def test_a_whole_number_passes_for_a_float_and_becomes_one():
    assert isinstance(read({**GOOD, "number": 2}, Scalars).number, float)


def test_a_float_without_fraction_passes_for_an_int_and_becomes_one():
    assert isinstance(read({**GOOD, "whole": 1783437503.0}, Scalars).whole, int)


@pytest.mark.parametrize(
    ("member", "value", "line"),
    [
        ("text", None, "expected a string, got null @ $.text"),
        ("text", 5, "expected a string, got a number @ $.text"),
        ("text", ["a"], "expected a string, got an array @ $.text"),
        ("whole", "1", "expected a whole number, got a string @ $.whole"),
        ("whole", 1.9, "expected a whole number, got a number @ $.whole"),
        ("whole", True, "expected a whole number, got a boolean @ $.whole"),
        ("whole", float("inf"), "expected a whole number, got a number @ $.whole"),
        ("number", "1.5", "expected a number, got a string @ $.number"),
        ("number", False, "expected a number, got a boolean @ $.number"),
        ("flag", 1, "expected a boolean, got a number @ $.flag"),
        ("flag", "true", "expected a boolean, got a string @ $.flag"),
        ("flag", {}, "expected a boolean, got an object @ $.flag"),
    ],
)
def test_a_scalar_of_another_json_type_is_refused_and_never_converted(member, value, line):
    assert problems({**GOOD, member: value}, Scalars) == (line,)


def test_all_misfits_are_told_at_once_with_their_places():
    value = {"rows": [{"rowId": 5}, {}, "x"], "names": "abc", "urls": {"a": None}, "first": [], "seenAt": 3}
    assert problems(value, Sheet) == (
        "expected a string, got a number @ $.rows[0].row_id",
        "required member missing @ $.rows[1].row_id",
        "expected an object, got a string @ $.rows[2]",
        "expected an array, got a string @ $.names",
        "expected a string, got null @ $.urls['a']",
        "expected an object, got an array @ $.first",
        "expected a string, got a number @ $.seen_at",
    )


def test_absent_members_take_their_defaults():
    sheet = read({"rows": []}, Sheet)
    assert (sheet.names, sheet.numbers, sheet.urls, sheet.first, sheet.count) == ([], (), {}, None, 7)


def test_null_is_none_where_optional_and_the_default_elsewhere():
    sheet = read({"rows": [], "first": None, "names": None, "count": None, "urls": None, "seenAt": None}, Sheet)
    assert (sheet.first, sheet.names, sheet.count, sheet.urls, sheet.seen_at) == (None, [], 7, {}, None)


def test_null_for_a_required_array_is_a_problem_and_not_an_empty_one():
    assert problems({"rows": None}, Sheet) == ("expected an array, got null @ $.rows",)


def test_unknown_members_are_ignored():
    assert read({"rows": [], "grownLater": {"a": 1}}, Sheet) == Sheet(rows=())


def test_a_schema_with_extra_keeps_the_unknown_members():
    assert read({"kind": "a", "b": 1, "c": None}, Open) == Open(kind="a", extra={"b": 1, "c": None})


def test_a_member_named_extra_is_an_unknown_member_like_any_other():
    assert read({"kind": "a", "extra": 5}, Open).extra == {"extra": 5}


def test_sequences_become_tuples_and_lists_lists():
    sheet = read({"rows": [{"rowId": "1"}], "names": ["a"], "numbers": [1, 2.5], "free": {"x": [1]}}, Sheet)
    assert (sheet.rows, sheet.names, sheet.numbers) == ((Row(row_id="1"),), ["a"], (1.0, 2.5))
    assert sheet.free == {"x": [1]}


@pytest.mark.parametrize(("raw", "want"), [("on", State.ON), ("paused", "paused"), (None, None)])
def test_open_enums_read_known_values_as_members_and_keep_other_text(raw, want):
    state = read({"rowId": "1", "state": raw}, Row).state
    assert state == want
    assert type(state) is type(want)


def test_an_open_enum_refuses_what_is_not_text():
    assert problems({"rowId": "1", "state": 3}, Row) == ("expected a string, got a number @ $.state",)


def test_an_open_enum_that_is_not_optional_refuses_null():
    assert problems([None], tuple[State | str, ...]) == ("expected a string, got null @ $[0]",)


def test_closed_enums_read_their_members():
    read_back = read({"state": "off", "size": 2, "colour": "red"}, Closed)
    assert (read_back.state, read_back.size, read_back.colour) == (State.OFF, Size.LARGE, Colour.RED)


def test_closed_enums_and_literals_refuse_other_values_without_quoting_them():
    lines = problems({"state": SECRET, "size": 9, "colour": SECRET, "literal": SECRET}, Closed)
    assert lines == (
        "expected one of on, off, got a string @ $.state",
        "expected one of 1, 2, got a number @ $.size",
        "not a value of Colour @ $.colour",
        "not a value of Literal @ $.literal",
    )


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T12:00:00.250+02:00", datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_instants_with_an_offset_become_utc(raw, want):
    seen_at = read({"rows": [], "seenAt": raw}, Sheet).seen_at
    assert seen_at == want
    assert seen_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "raw", ["2026-03-01T10:00:00", "2026-03-01", "soon", "", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z"]
)
def test_an_instant_without_offset_or_sense_is_refused(raw):
    assert problems({"rows": [], "seenAt": raw}, Sheet) == (
        "expected an ISO 8601 time with its offset, got a string @ $.seen_at",
    )


@pytest.mark.parametrize(
    ("value", "type_", "line"),
    [
        ([], Sheet, "expected an object, got an array @ $"),
        ("x", Mapping[str, Any], "expected an object, got a string @ $"),
        ({}, tuple[str, ...], "expected an array, got an object @ $"),
        (5, str, "expected a string, got a number @ $"),
    ],
)
def test_the_whole_answer_may_be_of_the_wrong_type(value, type_, line):
    assert problems(value, type_) == (line,)


def test_the_error_names_operation_provider_and_status_and_holds_no_value():
    with pytest.raises(DecodeError) as caught:
        read({"rows": [{"rowId": [SECRET]}], "seenAt": SECRET, "count": SECRET}, Sheet)
    error = caught.value
    assert (error.operation, error.provider, error.status) == ("get_thing", "acme", 200)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert SECRET not in repr(error) + str(vars(error))


def test_without_a_wire_name_the_fields_names_are_the_members():
    assert read({"row_id": "1"}, Row, SNAKE) == Row(row_id="1")
    assert identity("row_id") == "row_id"


@pytest.mark.parametrize(
    ("name", "wire"), [("id", "id"), ("project_id", "projectId"), ("profile_picture_url", "profilePictureUrl")]
)
def test_camel_case(name, wire):
    assert camel_case(name) == wire


def test_writing_leaves_out_what_is_not_given_and_uses_wire_names():
    patch = Patch(title="", nested=Row(row_id="1", state=State.ON), state="own")
    assert CAMEL.unstructure(patch) == {"title": "", "nested": {"rowId": "1", "state": "on"}, "state": "own"}


def test_writing_makes_lists_of_tuples_and_utc_of_instants_and_adds_extra():
    at = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    written = CAMEL.unstructure(Patch(tags=("a", "b"), at=at, mark=0, extra={"own": 1}))
    assert written == {"tags": ["a", "b"], "at": "2026-03-01T10:00:00Z", "mark": 0, "own": 1}
    assert type(written["tags"]) is list


def test_what_is_written_reads_back():
    sheet = Sheet(rows=(Row(row_id="1", state=State.OFF),), urls={"a": "b"}, seen_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert read(CAMEL.unstructure(sheet), Sheet) == sheet


def answer(body):
    return Response(status=200, headers={}, body=body)


def test_load_json_reads_a_document_and_takes_the_last_of_double_members():
    assert load_json(answer(b'{"a": 1, "a": 2}'), operation="o", provider="p") == {"a": 2}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body"),
        (b'{"key": "hunter2-very-secret', "not valid JSON at byte"),
        (b"<html>hunter2-very-secret</html>", "not valid JSON at byte 0 of 32"),
        (b'{"a": NaN}', "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 5000, "not valid JSON"),
    ],
)
def test_load_json_tells_where_an_answer_ends_to_be_json_and_quotes_nothing(body, words):
    with pytest.raises(DecodeError, match="p o: can't read the answer") as caught:
        load_json(answer(body), operation="o", provider="p")
    error = caught.value
    assert words in str(error)
    assert error.status == 200
    assert error.__context__ is None
    assert SECRET not in repr(error) + str(vars(error))


def test_unset_prints_as_its_name():
    assert repr(UNSET) == "UNSET"
