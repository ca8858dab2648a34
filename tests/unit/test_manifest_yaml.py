"""YAML: lists, defaults, documents; texts stay texts; no tag makes an object, no alias a bomb; faults have places."""

from __future__ import annotations

import builtins
import io
import sys
import time

import pytest
import yaml

from reelpub import Clip, Draft, LocalTime, MediaItem, MediaItems, TikTokSettings, YouTubeSettings
from reelpub.errors import ConfigurationError
from reelpub.manifest import read_manifest


def rows_of(text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_manifest(io.BytesIO(data), **{"format": "yaml", **options}))


def request_of(text, **options):
    (row,) = rows_of(text, **options)
    assert row.is_sound, row.problems
    return row.request


def told(rows):
    return [
        (told.row, told.place.line, told.place.column, told.place.position, told.problem.message)
        for row in rows
        for told in row.problems
    ]


def only(text, **options):
    (problem,) = told(rows_of(text, **options))
    return problem


@pytest.fixture(params=["C", "Python"])
def parser(request, monkeypatch):
    """Both of PyYAML's parsers: not every build has the one in C."""
    if request.param == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("this PyYAML has no parser in C")


class TestShapes:
    def test_a_list_of_rows(self, parser):
        rows = rows_of("# posts\n- clip: p/1\n- clip: p/2\n  caption: b\n")
        assert [(row.number, row.line, str(row.request.source)) for row in rows] == [(1, 2, "p/1"), (2, 3, "p/2")]

    def test_defaults_and_posts(self):
        rows = rows_of(
            "defaults:\n  title: T\n  tags: [a]\nposts:\n- clip: p/1\n- {clip: p/2, title: null, tags: []}\n"
        )
        assert [(row.request.title, row.request.tags) for row in rows] == [("T", ("a",)), (None, ())]

    def test_a_document_for_each_row(self):
        rows = rows_of("---\nclip: p/1\n---\nclip: p/2\n...\n---\n- clip: p/3\n---\n---\nposts: [{clip: p/4}]\n")
        assert [(row.number, str(row.request.source)) for row in rows] == [
            (1, "p/1"),
            (2, "p/2"),
            (3, "p/3"),
            (4, "p/4"),
        ]

    def test_defaults_end_with_their_document(self):
        rows = rows_of("defaults: {title: T}\nposts: [{clip: p/1}]\n---\n- clip: p/2\n")
        assert [row.request.title for row in rows] == ["T", None]

    @pytest.mark.parametrize(
        ("text", "place", "words"),
        [
            ("posts: [{clip: p/1}]\ndefaults: {title: T}\n", (0, 2, None, 1), "before posts"),
            ("defaults: [1]\nposts: [{clip: p/1}]\n", (0, 1, None, 11), "a mapping of columns"),
            ("posts: {clip: p/1}\n", (0, 1, None, 8), "a list of rows"),
            ("version: 1\nposts: [{clip: p/1}]\n", (0, 1, None, 1), "beside defaults and posts"),
            ("posts: [{clip: p/1}]\nposts: [{clip: p/2}]\n", (0, 2, None, 1), "named twice"),
            ("[a, b]: c\nposts: [{clip: p/1}]\n", (0, 1, None, 9), "no text"),
            ("hello\n", (0, 1, None, 1), "neither a list"),
            ("- hello\n- clip: p/1\n", (1, 1, None, 3), "a mapping of columns"),
            ("- [clip]\n", (1, 1, None, 3), "a mapping of columns"),
            ("- {}\n", (1, 1, None, None), "names nothing"),
            ("clip: p/1\nclip: p/2\n", (0, 2, None, 1), "named twice"),
        ],
    )
    def test_other_shapes_are_told(self, text, place, words):
        found = told(rows_of(text))
        assert found[0][:4] == place
        assert words in found[0][4]

    @pytest.mark.parametrize("text", ["", "# nothing\n", "---\n...\n", "posts: []\n", "[]\n", "~\n"])
    def test_nothing_is_told(self, text):
        assert only(text)[0] == 0

    def test_defaults_alone_have_no_rows(self):
        assert only("defaults: {title: T}\n")[4] == "has no rows"


class TestScalars:
    @pytest.mark.parametrize(
        "word", ["no", "1:30", "2027-01-01", "1.10", "0x1F", "1e3", "yes", ".inf", "012", "=", "<<"]
    )
    def test_a_text_is_the_text_that_was_written(self, word):
        assert request_of(f"- {{clip: p/c, caption: {word}, tags: [{word}], draft: null}}").caption == word

    def test_ids_of_digits_are_texts(self):
        assert request_of("- draft: 12345678901234567890\n").source == Draft("12345678901234567890")

    @pytest.mark.parametrize("word", ["~", "null", "", "NULL"])
    def test_nothing_is_nothing(self, word):
        assert request_of(f"- clip: p/c\n  caption: {word}\n").caption is None

    def test_nothing_in_quotes_is_an_empty_text(self):
        assert request_of('- clip: p/c\n  caption: ""\n  title: "null"\n').caption == ""

    @pytest.mark.parametrize(("word", "value"), [("yes", True), ("Off", False), ("TRUE", True), ("no", False)])
    def test_a_switch_may_be_said_in_yamls_ways(self, word, value):
        assert request_of(f"- clip: p/c\n  allow_duplicate: {word}\n").allow_duplicate is value

    @pytest.mark.parametrize("word", ["y", "'yes'", "1", "!!str true"])
    def test_nothing_else_is_a_switch(self, word):
        assert "true or false" in only(f"- clip: p/c\n  allow_duplicate: {word}\n")[4]

    def test_times_are_read_as_written(self):
        assert (
            request_of("- clip: p/c\n  at: 2027-03-28 14:30:00 +02:00\n").at.isoformat() == "2027-03-28T14:30:00+02:00"
        )
        at = request_of("- clip: p/c\n  at: 2027-03-28 14:30\n", zone="Europe/Oslo").at
        assert at == LocalTime("2027-03-28 14:30", "Europe/Oslo")

    def test_blocks_keep_their_lines(self):
        text = "- clip: p/c\n  caption: |\n    a\n\n    b\n  title: >\n    c\n    d\n"
        request = request_of(text)
        assert (request.caption, request.title) == ("a\n\nb\n", "c d\n")

    def test_settings_are_typed_where_they_are_known(self):
        text = """
- clip: p/c
  tiktok.privacy: friends
  settings:
    youtube: {made_for_kids: no, privacy: public}
    x: {a: no, b: 1, c: 1.5, d: true, e: ~, f: [1, "1"], g: .nan, h: 1e999}
"""
        assert request_of(text).settings == {
            "tiktok": TikTokSettings(privacy="friends"),
            "youtube": YouTubeSettings(made_for_kids=False, privacy="public"),
            "x": {"a": "no", "b": 1, "c": 1.5, "d": True, "e": None, "f": [1, "1"], "g": ".nan", "h": "1e999"},
        }

    def test_media_items_and_clips_may_be_mappings(self):
        rows = rows_of("- media_items: [m1, {id: 2, use_voice_converted: on}]\n- clip: {project: a/b, clip: 7}\n")
        assert rows[0].request.source == MediaItems([MediaItem("m1"), MediaItem("2", use_voice_converted=True)])
        assert rows[1].request.source == Clip("a/b", "7")

    def test_one_text_is_no_list(self):
        assert 'such as ["tiktok:acme"]' in only("- clip: p/c\n  accounts: tiktok:acme\n")[4]


class TestAnchors:
    def test_an_alias_repeats_a_value(self):
        rows = rows_of("- clip: p/1\n  tags: &t [a, b]\n- clip: p/2\n  tags: *t\n")
        assert rows[1].request.tags == ("a", "b")

    def test_merging_brings_in_what_the_row_doesnt_say(self):
        rows = rows_of(
            "_a: &a {title: T, caption: A}\n_b: &b {caption: B}\nposts:\n- <<: [*b, *a]\n  clip: p/c\n  title: U\n"
        )
        assert [(row.request.title, row.request.caption) for row in rows] == [("U", "B")]

    def test_merging_takes_mappings_only(self):
        assert "mapping" in only("- clip: p/c\n  <<: [1]\n")[4]

    def test_an_unknown_alias_is_told(self):
        assert only("- clip: p/c\n  caption: *nothing\n")[:4] == (1, 2, None, 12)

    def test_an_alias_of_what_is_around_it_is_told(self):
        assert "isn't there before it" in told(rows_of("- &a\n  clip: p/c\n  tags: [*a]\n"))[0][4]

    def test_laughs_by_the_billion_end_early(self):
        lines = ["_a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"_a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
        began = time.process_time()
        rows = rows_of("\n".join([*lines, "posts:", "- clip: p/c", "  tags: *a11", ""]))
        assert "too many values" in told(rows)[-1][4]
        assert time.process_time() - began < 5

    def test_too_much_behind_anchors_is_told(self):
        many = "[" + ", ".join(["x"] * 15_000) + "]"
        text = "".join(f"_a{i}: &a{i} {many}\n" for i in range(8)) + "posts: [{clip: p/c}]\n"
        assert "behind its anchors" in told(rows_of(text))[-1][4]

    def test_an_anchor_used_anew_counts_once(self):
        many = "[" + ", ".join(["x"] * 15_000) + "]"
        text = "".join(f"- {{clip: p/{i}, _x: &a {many}}}\n" for i in range(10))
        assert all(row.is_sound for row in rows_of(text))


class TestFaults:
    @pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!own", "!!binary", "!!set"])
    def test_a_tag_makes_nothing(self, tag):
        rows = rows_of(f"- clip: p/c\n  caption: {tag} [x]\n- clip: p/d\n")
        assert "only the core's tags" in told(rows)[0][4]
        assert [row.is_sound for row in rows] == [False, True]

    def test_core_tags_are_fine(self):
        assert request_of("- clip: !!str p/c\n  tags: !!seq [! a]\n").tags == ("a",)

    def test_a_syntax_error_is_told_after_the_rows_before_it(self, parser):
        rows = rows_of("- clip: p/1\n- clip: p/2\n  caption: a: b\n- clip: p/3\n")
        assert rows[0].is_sound
        ((number, line, _, position, message),) = told(rows)
        assert (number, line, position) == (0, 3, 13)
        assert "nothing after this is read" in message

    def test_a_name_twice_is_told_at_the_second(self):
        assert only("- clip: p/c\n  caption: a\n  caption: b\n") == (1, 3, None, 3, "is named twice")

    def test_a_name_that_is_no_text_is_told(self):
        assert "no text" in only("- clip: p/c\n  ? [a]\n  : b\n")[4]

    def test_unknown_names_are_told_with_what_may_be_meant(self):
        assert only("- clip: p/c\n  captoin: a\n") == (
            1,
            2,
            "captoin",
            3,
            "isn't a column of a manifest; did you mean caption?",
        )

    def test_a_fault_in_defaults_is_told_once_and_blocks_all(self):
        rows = rows_of("defaults:\n  captoin: x\nposts:\n- clip: p/1\n- clip: p/2\n")
        assert [place[:4] for place in told(rows)] == [(0, 2, "captoin", 3)]
        assert not any(row.is_sound for row in rows)

    def test_a_wrong_default_is_told_once_and_blocks_the_rows_that_take_it(self):
        rows = rows_of("defaults:\n  at: tomorrow\nposts:\n- clip: p/1\n- clip: p/2\n- {clip: p/3, at: null}\n")
        assert [place[:4] for place in told(rows)] == [(1, 2, "at", 7)]
        assert [row.is_sound for row in rows] == [False, False, True]

    def test_nesting_is_bounded(self, parser):
        rows = rows_of(f"- clip: p/c\n  _x: {'[' * 50}{']' * 50}\n- clip: p/d\n")
        assert told(rows)[0][4] == "is nested too deep"
        assert rows[1].is_sound
        began = time.process_time()
        assert "nested too deep" in told(rows_of("- " + "[" * 100_000))[-1][4]
        assert time.process_time() - began < 2

    def test_control_characters_are_told_at_their_line(self, parser):
        rows = rows_of("- clip: p/1\n- clip: p/2\n  caption: a\x01b\n- clip: p/3\n")
        assert [row.is_sound for row in rows] == [True, False, True]
        assert told(rows)[0][:3] == (2, 3, None)
        assert "control character '\\x01'" in told(rows)[0][4]

    def test_another_encoding_is_told_at_its_line(self):
        rows = rows_of("- clip: p/1\n- clip: Käse/2\n- clip: p/3\n".encode("latin-1"))
        assert [row.is_sound for row in rows] == [True, False, True]
        assert told(rows)[0][:2] == (2, 2)

    def test_damage_outside_of_rows_is_told_as_the_files(self):
        rows = rows_of(b"- clip: p/1\n# \xff\n")
        assert told(rows)[-1][:2] == (0, 2)

    def test_damage_is_told_even_if_the_rest_cant_be_read(self):
        rows = rows_of(b"# \xff\n]\n")
        assert [place[:2] for place in told(rows)] == [(0, 1), (0, 2)]

    def test_without_the_library_it_says_what_to_install(self, monkeypatch):
        real = builtins.__import__

        def without_yaml(name, *rest, **more):
            if name == "yaml":
                raise ModuleNotFoundError(name)
            return real(name, *rest, **more)

        monkeypatch.delitem(sys.modules, "yaml")
        monkeypatch.setattr(builtins, "__import__", without_yaml)
        with pytest.raises(ConfigurationError, match=r"pip install 'reelpub\[cli\]'"):
            rows_of("- clip: p/c\n")


class TestPlaces:
    def test_later_problems_find_their_value(self):
        (row,) = rows_of("- clip: p/c\n  accounts:\n    - a\n    - b\n  settings:\n    tiktok: {privacy: x}\n")
        found = {
            field: (row.places[field].line, row.places[field].position)
            for field in ("source.clip_id", "accounts[1]", "settings.tiktok.privacy", "settings.tiktok", "settings")
        }
        assert found == {
            "source.clip_id": (1, 9),
            "accounts[1]": (4, 7),
            "settings.tiktok.privacy": (6, 23),
            "settings.tiktok": (6, 13),
            "settings": (6, 5),
        }

    def test_a_default_is_found_where_it_stands(self):
        (row,) = rows_of("defaults: {title: T}\nposts:\n- clip: p/c\n")
        assert (row.places["title"].line, row.places["title"].position) == (1, 19)


def test_members_of_ones_own_are_kept_with_those_of_defaults():
    rows = rows_of("""
defaults: {_campaign: spring, _note: none yet}
posts:
  - {clip: p/c, _note: no, _size: 3}
  - {clip: p/d}
""")
    assert [row.own for row in rows] == [
        {"_campaign": "spring", "_note": "no", "_size": 3},
        {"_campaign": "spring", "_note": "none yet"},
    ]
    assert all(row.is_sound for row in rows)
