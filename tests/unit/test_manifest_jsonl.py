"""JSON lines: each line for itself, types as they are, and every fault at its line and character."""

from __future__ import annotations

import io
import json
import sys

import pytest

from reelpub import Clip, GeneratedPost, LinkedInSettings, LocalTime, MediaItem, MediaItems, TikTokSettings
from reelpub.errors import ConfigurationError
from reelpub.manifest import read_manifest
from reelpub.manifest.json_text import loads, position_of
from reelpub.manifest.text import MAX_LINE


def rows_of(text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_manifest(io.BytesIO(data), **{"format": "jsonl", **options}))


def row_of(**members):
    (row,) = rows_of(json.dumps({"clip": "p/c", **members}) + "\n")
    return row


def told(rows):
    return [
        (told.row, told.place.line, told.place.column, told.place.position, told.problem.message)
        for row in rows
        for told in row.problems
    ]


def words_of(**members):
    (problem,) = row_of(**members).problems
    return problem.problem.message


class TestLines:
    def test_comments_and_blank_lines_are_no_rows(self):
        rows = rows_of('# one\n// two\n\n{"clip": "p/c"}\r\n  \n  # three\n{"clip": "p/d"}')
        assert [(row.number, row.line) for row in rows] == [(1, 4), (2, 7)]

    def test_a_byte_order_mark_is_no_text(self):
        assert rows_of(b'\xef\xbb\xbf{"clip": "p/c"}')[0].is_sound

    def test_a_broken_line_hides_none(self):
        rows = rows_of('{"clip": "p/1"}\n{"clip": "p/2",}\n{"clip" "p/3"}\n{"clip": "p/4"}\n')
        assert [row.is_sound for row in rows] == [True, False, False, True]
        # Python 3.13 points at the comma itself, earlier ones at what follows it.
        comma = 15 if sys.version_info >= (3, 13) else 16
        assert [place[:4] for place in told(rows)] == [(2, 2, None, comma), (3, 3, None, 9)]

    @pytest.mark.parametrize(
        ("line", "position", "words"),
        [
            ('{"clip": "p/c", "clip": "p/d"}', 17, "names 'clip' twice"),
            ('{"clip": "p/c", "settings": {"x": {"a": [1], "b": [{"c": 1, "c": 2}]}}}', 61, "names 'c' twice"),
            ('{"clip": "p/c", "settings": {"x": {"a": 1, "a": 2}}', None, "isn't JSON"),
            ('{"settings": {"x": 1, "x": 2}, "clip": nope}', 40, "isn't JSON"),
            ('{"settings": {"x": 1, "x": 2}', None, "isn't JSON"),
            ('{"settings": {"x": 1, "x": 2}, "y": ' + "1" * 5000 + "}", 23, "names 'x' twice"),
            ('{"settings": {"x": 1, "x": 2}, "y": ' + "[" * 100_000, None, "nested too deep"),
            ('{"clip": NaN}', None, "has NaN"),
            ('{"clip": -Infinity}', None, "has -Infinity"),
            ('{"clip": 1e999}', None, "too large a number"),
            ('{"clip": ' + "1" * 5000 + "}", None, "5000 digits"),
            ("[" * 50 + "]" * 50, None, "nested too deep"),
            ("[" * 100_000, None, "nested too deep"),
            ("{", None, "one JSON object"),
            ('"text"', None, "is no object"),
            ('["clip"]', None, "is no object"),
            ("17", None, "is no object"),
            ("null", None, "is no object"),
            ("clip,caption", 1, "isn't JSON"),
            ("{'clip': 'p/c'}", 2, "isn't JSON"),
        ],
    )
    def test_what_isnt_one_object_is_told(self, line, position, words):
        rows = rows_of(line + '\n{"clip": "p/c"}\n')
        assert [row.is_sound for row in rows] == [False, True]
        ((number, at, _, found, message),) = told(rows)
        assert (number, at) == (1, 1)
        assert words in message
        assert position is None or found == position

    def test_a_line_that_is_too_long_is_told(self):
        rows = rows_of('{"clip": "p/c", "caption": "' + "a" * (MAX_LINE + 1) + '"}\n{"clip": "p/c"}\n')
        assert [row.is_sound for row in rows] == [False, True]
        assert "longer than a line" in told(rows)[0][4]

    def test_another_encoding_is_told_at_its_line(self):
        rows = rows_of('{"clip": "p/c"}\n{"clip": "Käse/c"}\n'.encode("latin-1"))
        assert "0xe4" in told(rows)[0][4]
        assert [row.is_sound for row in rows] == [True, False]

    def test_an_empty_object_is_a_row_with_a_problem(self):
        assert "names nothing to publish" in told(rows_of("{}\n"))[0][4]


class TestMembers:
    def test_an_unknown_member_is_told_at_its_name(self):
        ((*place, message),) = told(rows_of('{"clip": "p/c", "captoin": "x"}'))
        assert place == [1, 1, "captoin", 17]
        assert "did you mean caption?" in message

    def test_members_of_ones_own_begin_with_an_underscore(self):
        row = row_of(_note=[1, {"x": None}])
        assert (row.is_sound, row.own) == (True, {"_note": [1, {"x": None}]})

    def test_null_means_not_given(self):
        row = row_of(caption=None, tags=None, settings=None, at=None, draft=None, approve=None)
        assert row.is_sound
        assert row.request.caption is None

    def test_an_empty_text_is_a_text(self):
        assert row_of(caption="").request.caption == ""

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (12, 'not a number; write "12" in quotes'),
            (1.5, 'write "1.5" in quotes'),
            (True, 'write "true" in quotes'),
            (["a"], "not a list"),
            ({"a": 1}, "not an object"),
            ("a\0b", "NUL"),
        ],
    )
    def test_a_text_has_to_be_one(self, value, words):
        assert words in words_of(caption=value)

    @pytest.mark.parametrize("value", ["yes", "true", 1, 0, []])
    def test_a_switch_has_to_be_one(self, value):
        assert "true or false" in words_of(allow_duplicate=value)

    @pytest.mark.parametrize(
        ("value", "words"),
        [("launch", '["launch"]'), ({}, "a list"), (["a", ""], "empty entry"), ([None], "empty entry")],
    )
    def test_a_list_has_to_be_one(self, value, words):
        assert words in words_of(tags=value)

    def test_an_entry_is_told_at_its_place(self):
        ((*place, _),) = told(rows_of('{"clip": "p/c", "accounts": ["tiktok:acme", 17]}'))
        assert place == [1, 1, "accounts", 45]

    @pytest.mark.parametrize("value", [46474.6, 1_800_000_000])
    def test_a_time_as_a_number_says_what_it_may_mean(self, value):
        assert "2027-" in words_of(at=value)

    @pytest.mark.parametrize("column", ["publisher", "zone", "at", "persona"])
    def test_what_has_to_say_something_may_not_be_empty(self, column):
        assert any("is empty; leave it out" in problem.problem.message for problem in row_of(**{column: " "}).problems)

    def test_a_choice_has_its_words(self):
        assert words_of(gap="whenever") == "isn't one of the words allowed"
        assert row_of(gap="later").is_sound

    def test_media_items_may_be_objects(self):
        row = row_of(clip=None, media_items=["m1", {"id": "m2", "use_voice_converted": True}], persona="pe")
        assert row.request.source == MediaItems(
            [MediaItem("m1"), MediaItem("m2", use_voice_converted=True)], persona_id="pe"
        )

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ([], "has to be a list of ids"),
            ("m1", "has to be a list of ids"),
            ([{"id": "m1", "voice": 1}], "isn't known"),
            ([{}], "empty entry"),
            ([{"id": "m1", "use_voice_converted": "yes"}], "true or false"),
            ([7], "has to be text"),
        ],
    )
    def test_media_items_have_to_be_ids(self, value, words):
        assert words in words_of(clip=None, media_items=value)

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ({"project": "p"}, "empty entry"),
            ({"project": "p", "clip": "c", "x": 1}, "isn't known"),
            (7, "has to be text"),
            (" ", "is empty"),
        ],
    )
    def test_a_clip_has_to_be_one(self, value, words):
        assert words in words_of(clip=value)

    def test_a_clip_may_be_an_object(self):
        assert row_of(clip={"project": "a/b", "clip": "c"}).request.source == Clip("a/b", "c")

    def test_a_source_needs_its_id(self):
        assert "empty" in words_of(clip=None, draft="")


class TestSettings:
    def test_known_platforms_are_typed_and_others_passed_on(self):
        row = row_of(settings={"TikTok": {"privacy": "friends", "disable_duet": None}, "pin": {"a": [1]}})
        assert row.request.settings == {"tiktok": TikTokSettings(privacy="friends"), "pin": {"a": [1]}}

    def test_flat_and_nested_members_go_together(self):
        row = row_of(settings={"linkedin": {}, "x": None}, **{"tiktok.privacy": "public", "pin.board": 7})
        assert row.request.settings == {
            "linkedin": LinkedInSettings(),
            "tiktok": TikTokSettings(privacy="public"),
            "pin": {"board": 7},
        }

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("x", "an object from platform to settings"),
            ({"tiktok": "friends"}, "an object of settings"),
            ({"tiktok": {"privasy": 1}}, "did you mean privacy?"),
            ({"tiktok": {"disable_duet": "yes"}}, "true or false"),
            ({"tiktok": {"privacy": 1}}, "has to be text"),
            ({"tictok": {}}, "did you mean tiktok?"),
        ],
    )
    def test_what_isnt_a_setting_is_told(self, value, words):
        assert words in words_of(settings=value)

    def test_raw_settings_are_the_services_own(self):
        row = row_of(raw_settings={"tiktok": {"disableDuet": True}, "x": {}})
        assert row.request.settings == {"tiktok": {"disableDuet": True}, "x": {}}

    @pytest.mark.parametrize(("value", "words"), [({"x": 1}, "own members"), ([], "an object from platform")])
    def test_raw_settings_have_to_be_objects(self, value, words):
        assert words in words_of(raw_settings=value)

    def test_settings_of_one_platform_in_two_ways_are_refused(self):
        assert "keep one" in words_of(settings={"tiktok": {}}, raw_settings={"tiktok": {}})

    def test_a_setting_is_found_where_it_stands(self):
        (row,) = rows_of('{"clip": "p/c", "settings": {"youtube": {"made_for_kids": true}}}')
        place = row.places["settings.youtube.madeForKids"]
        assert (place.column, place.position) == ("settings", 59)


class TestPlaces:
    def test_later_problems_find_their_member(self):
        line = '{"media_items": ["m1", {"id": "m2"}], "accounts": ["a", "b"], "caption": "c"}'
        (row,) = rows_of(line)
        for field, value in {
            "source": '["m1"',
            "source.items[0]": '"m1"',
            "source.items[1].id": '"m2"',
            "accounts[1]": '"b"',
            "caption": '"c"',
        }.items():
            assert row.places[field].position == line.index(value) + 1

    def test_a_place_that_isnt_there_is_that_of_what_is_around_it(self):
        assert position_of('{"a": [1]}', ("a", 7)) is None
        assert position_of('{"a": 1}', ("a", "b")) is None
        assert position_of('{"a": 1}', ("a", 0)) is None
        assert position_of('[[], {"a":  true}]', (1, "a")) == 13

    def test_what_is_read_is_the_json(self):
        value = {"a": [1, 2.5, "x\u2028", None, True], "b": {"c": {}}}
        assert loads(json.dumps(value)) == value
        assert loads("[" * 15 + "{}," * 30 + "{}" + "]" * 15) is not None


class TestReading:
    def test_a_file_says_by_its_name_what_it_is(self, tmp_path):
        path = tmp_path / "posts.NDJSON"
        path.write_text('{"generated_post": "g"}\n')
        (row,) = read_manifest(path)
        assert row.request.source == GeneratedPost("g")

    @pytest.mark.parametrize(
        "text",
        [
            '# x\n{"clip": "p/c"}\n',
            "# x\nclip,caption\np/c,a\n",
            "# x\n- clip: p/c\n",
            "---\nclip: p/c\n",
            "posts:\n- clip: p/c\n",
            "clip: p/c\n",
        ],
    )
    def test_a_file_that_doesnt_say_is_looked_at(self, tmp_path, text):
        path = tmp_path / "posts.txt"
        path.write_text(text)
        (row,) = read_manifest(path)
        assert row.request.source == Clip("p", "c")

    def test_standard_input_is_a_dash(self, monkeypatch):
        from pathlib import Path

        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"clip": "p/c"}')))
        (row,) = read_manifest(Path("-"))
        assert row.is_sound

    def test_a_file_that_isnt_there_is_a_problem_of_row_0(self, tmp_path):
        (row,) = read_manifest(tmp_path / "none.csv")
        assert row.number == 0
        assert "No such file" in row.problems[0].problem.message

    def test_a_folder_is_a_problem_of_row_0(self, tmp_path):
        (row,) = read_manifest(tmp_path)
        assert row.problems[0].problem.message.startswith("can't be read")

    def test_wrong_use_is_told_before_anything_is_read(self):
        with pytest.raises(ConfigurationError, match="no format of a manifest; there are csv"):
            read_manifest(io.BytesIO(b""), format="xml")
        with pytest.raises(ConfigurationError, match="did you mean Europe/Oslo"):
            read_manifest(io.BytesIO(b""), zone="Europe/Olso")

    def test_a_row_is_out_before_the_next_is_read(self):
        class Slow(io.RawIOBase):
            def __init__(self):
                self.lines = [b'{"clip": 1}\n', b'{"clip": "p/c"}\n', None]

            def read(self, size=-1):
                line = self.lines.pop(0)
                assert line is not None, "read too far"
                return line

        rows = read_manifest(Slow(), format="jsonl")
        assert not next(rows).is_sound
        assert next(rows).is_sound

    def test_a_stream_stays_open(self):
        stream = io.BytesIO(b'{"clip": "p/c"}')
        assert len(list(read_manifest(stream))) == 1
        assert not stream.closed

    def test_local_times_take_the_zone_and_policies_of_the_call(self):
        (row,) = rows_of('{"clip": "p/c", "at": "2027-03-28 02:30"}', zone="Europe/Oslo", gap="later", fold="first")
        assert row.request.at == LocalTime("2027-03-28 02:30", "Europe/Oslo", gap="later", fold="first")


@pytest.mark.parametrize("source", ["posts.csv", b"clip\na/b\n", io.StringIO("clip\na/b\n"), None])
def test_what_is_neither_a_path_nor_a_stream_of_bytes_is_refused_at_once(source):
    with pytest.raises(ConfigurationError, match=f"source: has to be a Path .*, not {type(source).__name__}"):
        read_manifest(source)
