"""Whatever is in a file: rows or problems, never an exception, and soon."""

from __future__ import annotations

import io
import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelpub import Problem
from reelpub.manifest import FORMATS, read_manifest
from reelpub.manifest.examples import example

EXAMPLES = [example(form, date(2027, 3, 30)).encode() for form in ("csv", "jsonl", "yaml")]
PIECES = st.sampled_from(
    [
        *(
            b'"',
            b'""',
            b"'",
            b",",
            b";",
            b"\t",
            b"|",
            b"\r",
            b"\n",
            b"\r\n",
            b"\0",
            b"\xff",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
        ),
        *(
            b"{",
            b"}",
            b"[",
            b"]",
            b":",
            b"- ",
            b"&a ",
            b"*a",
            b"<<: ",
            b"!!python/object:x ",
            b"? ",
            b"| ",
            b"> ",
            b"%",
            b"#",
        ),
        *(b"clip", b"at", b"settings", b"tiktok.privacy", b"result_guarded", b"result_status", b"posts:", b"defaults:"),
        *(
            b"2027-03-28 02:30",
            b"99999999999999999999",
            b"1e999",
            b"NaN",
            b"\\ud800",
            b"\\u0000",
            b"sep=;\n",
            b"=cmd()",
            b'{"a":1,"a":2}',
        ),
        *(
            "ä".encode("latin-1"),
            "\u2028".encode(),
            "\x85".encode(),
            "🎬".encode("utf-16"),
            b"\xed\xa0\x80",
            b"a" * 70_000,
        ),
    ]
)
FORMS = st.sampled_from([None, *FORMATS])


def judge(data, form):
    """Read *data* to its end, and look at everything that it gives."""
    began = time.process_time()
    rows = list(read_manifest(io.BytesIO(data), format=form))
    # Of the processor's time; a second or so would do.
    assert time.process_time() - began < 30
    assert rows
    for row in rows:
        assert row.is_sound or row.problems or row.is_blocked
        assert row.number > 0 or (row.request is None and row.problems)
        for told in row.problems:
            assert (told.row, bool(str(told))) == (row.number, True)
            assert told.place.line >= 1
    for row in rows[:100]:
        assert dict(row.places) is not None
    assert [row.number for row in rows if row.number] == list(range(1, max(row.number for row in rows) + 1))


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=400), form=FORMS)
def test_random_bytes(data, form):
    judge(data, form)


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=400), form=FORMS, encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-be", "utf-32"]))
def test_random_text(text, form, encoding):
    judge(text.encode(encoding, "replace"), form)


@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(PIECES, max_size=25), form=FORMS)
def test_random_pieces_of_syntax(pieces, form):
    judge(b"".join(pieces), form)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_manifests_with_something_changed(data):
    text = data.draw(st.sampled_from(EXAMPLES))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(PIECES | st.binary(max_size=3)) + text[end:]
    judge(text, data.draw(FORMS))


FIELDS = st.text(max_size=30) | st.lists(
    st.sampled_from(["source", "items", "settings", "tiktok", "at", "accounts", "id", "[0]", "[7]", "[", "]", ".", "x"])
).map(".".join)


@settings(max_examples=200, deadline=None)
@given(field=FIELDS, example=st.sampled_from(EXAMPLES))
def test_any_field_has_a_place(field, example):
    for row in read_manifest(io.BytesIO(example)):
        assert row.locate(Problem(field=field, message="is wrong")).place.line >= 1


@pytest.mark.parametrize("form", ["csv", "jsonl", "yaml"])
@pytest.mark.parametrize(
    "data",
    [
        b'"' * 300_000,
        b'clip\n"' + b'""' * 300_000,
        b"clip,caption\n" + b'p/c,"a\n' * 30_000,
        b"clip,caption\n" + b'p/c,"a"b\n' * 30_000,
        b"clip," + b"x," * 20_000 + b"\n" + b"p/c," * 5,
        b"[" * 300_000,
        b"{" * 300_000,
        b'{"a":' * 100_000,
        b'{"clip": "p/c", "_x": ' + b"[" * 900 + b"]" * 900 + b"}",
        b"- " * 100_000,
        b"? " * 20_000,
        b"a: " * 20_000,
        b"- &a [*a, *a]\n" * 5_000,
        b"#" * 300_000,
        b"\n" * 300_000,
        b"\r" * 300_000,
        b"a" * 9_000_000,
        b"\xff\xfe" + b"\x00\xd8" * 100_000,
        b"- 'a\n" * 20_000,
        b"clip\n" + b"p/c\n" * 20_000 + b'"',
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_made_to_take_long(data, form):
    judge(data, form)
