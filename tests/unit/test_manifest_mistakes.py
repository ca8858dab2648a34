"""500 rows with 40 different mistakes: all of them in one go, each at its line and column, and no other row touched."""

from __future__ import annotations

import io
import json

import pytest

from reelpub.manifest import read_manifest

HEADER = (
    "reference",
    "publisher",
    "generated_post",
    "approve",
    "media_items",
    "persona",
    "draft",
    "clip",
    "caption",
    "title",
    "tags",
    "accounts",
    "at",
    "zone",
    "gap",
    "fold",
    "allow_duplicate",
    "settings",
    "raw_settings",
    "tiktok.privacy",
    "youtube.made_for_kids",
)

MISTAKES = (
    # what a row gives instead, the column where it is told, a word of what is told
    ({"clip": ""}, None, "names nothing"),
    ({"draft": "d1"}, "clip", "second source"),
    ({"clip": "", "generated_post": "g", "media_items": "m"}, "media_items", "second source"),
    ({"clip": "project"}, "clip", "PROJECT/CLIP"),
    ({"clip": "/c"}, "clip", "PROJECT/CLIP"),
    ({"clip": '{"project": "p"}'}, "clip", "empty entry"),
    ({"clip": '{"project": "p", "clip": "c", "x": 1}'}, "clip", "isn't known"),
    ({"clip": '{"project": '}, "clip", "isn't JSON"),
    ({"clip": "", "draft": "1.2E+20"}, "draft", "made a number"),
    ({"clip": "", "media_items": "[]"}, "media_items", "list of ids"),
    ({"clip": "", "media_items": '["m", ""]'}, "media_items", "empty entry"),
    ({"clip": "", "media_items": '[{"id": "m", "voice": 1}]'}, "media_items", "isn't known"),
    ({"approve": "yes"}, "approve", "goes with generated_post"),
    ({"approve": "maybe"}, "approve", "yes or no"),
    ({"persona": "pe"}, "persona", "goes with media_items"),
    ({"tags": '["a", 1]'}, "tags", 'write "1" in quotes'),
    ({"tags": '["a"'}, "tags", "isn't JSON"),
    ({"accounts": "tiktok:acme, x:acme"}, "accounts", "separated by ;"),
    ({"accounts": '["tiktok:acme", " "]'}, "accounts", "empty entry"),
    ({"at": "03/04/2027 10:00"}, "at", "which number is the month"),
    ({"at": "46474.6"}, "at", "a spreadsheet's number"),
    ({"at": "1806244200"}, "at", "Unix time"),
    ({"at": "2027-03-28"}, "at", "no clock time"),
    ({"at": "2027-02-30 10:00"}, "at", "no time that exists"),
    ({"at": "2027-03-28 02:30"}, "at", "skipped"),
    ({"at": "2027-10-31 02:30"}, "at", "comes twice"),
    ({"at": "2027-03-28T10:00Z"}, "at", "an offset already"),
    ({"at": "2027-03-28 10:00", "zone": ""}, "at", "no offset and no zone"),
    ({"at": "2027-03-28 10:00", "zone": "Europe/Olso"}, "zone", "did you mean Europe/Oslo"),
    ({"gap": "sometime"}, "gap", "words allowed"),
    ({"fold": "third"}, "fold", "words allowed"),
    ({"allow_duplicate": "perhaps"}, "allow_duplicate", "yes or no"),
    ({"settings": "{}}"}, "settings", "isn't JSON"),
    ({"settings": '{"tiktok": {"privasy": "x"}}'}, "settings", "did you mean privacy"),
    ({"settings": '{"tiktok": {"privacy": "x", "privacy": "y"}}'}, "settings", "twice"),
    ({"settings": '{"tiktok": "x"}'}, "settings", "object of settings"),
    ({"settings": '{"tiktok": {"privacy": "x"}}', "tiktok.privacy": "y"}, "tiktok.privacy", "twice in this row"),
    ({"raw_settings": '{"tiktok": []}'}, "raw_settings", "own members"),
    ({"youtube.made_for_kids": "WAHR"}, "youtube.made_for_kids", "yes or no"),
    ({"caption": "a\0b"}, "caption", "NUL"),
)


def cell(text):
    return '"' + text.replace('"', '""') + '"'


def manifest():
    """The file, and for each mistake its row, line, column, cell and words. Every second row has a line break."""
    lines, expected, line = [",".join(HEADER)], [], 2
    for number in range(1, 501):
        row = {"clip": f"p/c{number}", "caption": "one\ntwo" if number % 2 else "one", "zone": "Europe/Oslo"}
        if number % 12 == 0 and number // 12 <= len(MISTAKES):
            changes, column, words = MISTAKES[number // 12 - 1]
            row |= changes
            expected.append((number, line, column, None if column is None else HEADER.index(column) + 1, words))
        lines.append(",".join(cell(row.get(name, "")) for name in HEADER))
        line += 1 + row["caption"].count("\n")
    return "\r\n".join(lines) + "\r\n", expected


def test_there_are_40_different_ones():
    assert len(MISTAKES) == 40
    assert len({json.dumps(changes) for changes, _, _ in MISTAKES}) == 40


def test_all_40_are_told_in_one_go_each_at_its_line_and_column():
    text, expected = manifest()
    rows = list(read_manifest(io.BytesIO(text.encode()), format="csv"))
    told = [
        (each.row, each.place.line, each.place.column, each.place.position) for row in rows for each in row.problems
    ]
    assert told == [tuple(place) for *place, _ in expected]
    problems = [each.problem for row in rows for each in row.problems]
    for problem, (*_, words) in zip(problems, expected, strict=True):
        assert words in problem.message
    assert len(rows) == 500
    assert [row.number for row in rows if not row.is_sound] == [number for number, *_ in expected]


@pytest.mark.parametrize("form", ["jsonl", "yaml"])
def test_the_same_mistakes_are_told_in_other_formats(form):
    """Those that are about what a row says; what JSON says, it says in its own types."""
    meant = [one for one in MISTAKES if one[2] in ("names nothing", "second source", "PROJECT/CLIP", "words allowed")]
    meant += [one for one in MISTAKES if one[1] in ("at", "zone")]
    lines = [
        json.dumps({"clip": "p/c", "zone": "Europe/Oslo"} | {k: v or None for k, v in row.items()})
        for row, _, _ in meant
    ]
    text = "\n".join(lines if form == "jsonl" else [f"- {line}" for line in lines])
    rows = list(read_manifest(io.BytesIO(text.encode()), format=form))
    assert len(rows) == len(meant) > 15
    for row, line, (_, column, words) in zip(rows, range(1, 100), meant, strict=False):
        (told,) = row.problems
        assert (told.place.line, words in told.problem.message) == (line, True)
        assert column is None or told.place.position is not None
