"""CSV as spreadsheets and people write it: separators, quotes, line breaks, comments, and every fault at its cell."""

from __future__ import annotations

import io
from datetime import datetime

import pytest

from reelpub import Clip, Draft, GeneratedPost, LocalTime, MediaItem, MediaItems, Problem, Severity, TikTokSettings
from reelpub.manifest import read_manifest
from reelpub.manifest.csv_cells import MAX_CELL
from reelpub.manifest.text import MAX_LINE


def rows_of(text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_manifest(io.BytesIO(data), **{"format": "csv", **options}))


def request_of(text, **options):
    (row,) = rows_of(text, **options)
    assert row.is_sound, row.problems
    return row.request


def told(rows):
    """Every problem as row, line, column, cell and words."""
    return [
        (told.row, told.place.line, told.place.column, told.place.position, told.problem.message)
        for row in rows
        for told in row.problems
    ]


def only(text, **options):
    (problem,) = told(rows_of(text, **options))
    return problem


class TestSpreadsheets:
    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    def test_the_separator_shows_in_the_header(self, separator):
        text = "clip,caption,title\np/c,a,b\n".replace(",", separator)
        request = request_of(text)
        assert (request.source, request.caption, request.title) == (Clip("p", "c"), "a", "b")

    def test_excels_first_line_names_the_separator(self):
        request = request_of("sep=;\r\nclip;caption\r\np/c;a, b\r\n")
        assert request.caption == "a, b"

    def test_excels_first_line_may_stand_in_quotes(self):
        assert request_of('"sep=|"\nclip|caption\np/c|a,b;c\n').caption == "a,b;c"

    def test_a_german_excels_utf8_file_is_read(self):
        data = '\ufeffClip;Caption;Title\r\np/c;"Größe: 5\u00a0cm\r\nzweite Zeile";Käse\r\n;;\r\n'.encode()
        request = request_of(data)
        assert (request.caption, request.title) == ("Größe: 5\u00a0cm\r\nzweite Zeile", "Käse")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_excels_unicode_text_is_read(self, encoding):
        text = "clip\tcaption\r\np/c\tKäse 🎬\r\n"
        data = text.encode("utf-16") if encoding == "utf-16" else ("\ufeff" + text).encode(encoding)
        assert request_of(data).caption == "Käse 🎬"

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_lines_may_end_in_any_way(self, end):
        rows = rows_of(end.join(["clip,caption", "p/1,a", '"p/2","b', 'c"', "p/3,d"]))
        assert [(row.number, row.line, row.request.caption) for row in rows] == [
            (1, 2, "a"),
            (2, 3, f"b{end}c"),
            (3, 5, "d"),
        ]

    def test_headers_may_have_capitals_spaces_and_hyphens(self):
        request = request_of(" Generated Post , Allow-Duplicate ,TikTok.Disable Duet\ng1,Yes,TRUE\n")
        assert request.source == GeneratedPost("g1")
        assert request.allow_duplicate is True
        assert request.settings == {"tiktok": TikTokSettings(disable_duet=True)}

    def test_trailing_empty_cells_and_columns_are_nothing(self):
        (row,) = rows_of("clip,caption,,\np/c,a,,,,\n")
        assert row.is_sound

    def test_empty_rows_are_no_rows(self):
        rows = rows_of("clip,caption\n\n,,\n   \np/c,a\n , \n")
        assert [(row.number, row.line) for row in rows] == [(1, 5)]

    def test_a_number_that_a_spreadsheet_spoilt_is_told(self):
        number, line, column, cell, message = only("draft\n1.23457E+17\n")
        assert (number, line, column, cell) == (1, 2, "draft", 1)
        assert "format the column as text" in message

    def test_a_tsv_file_is_one_by_its_name(self, tmp_path):
        path = tmp_path / "posts.tsv"
        path.write_text("clip\tcaption\np/c\ta,b\n")
        (row,) = read_manifest(path)
        assert row.request.caption == "a,b"


class TestQuotes:
    def test_a_quoted_cell_holds_anything(self):
        request = request_of('clip,caption\np/c,"a ""b"", c;\n# no comment\n\n|d"\n')
        assert request.caption == 'a "b", c;\n# no comment\n\n|d'

    def test_spaces_around_the_quotes_dont_count(self):
        assert request_of('caption,clip\n "a, b" , p/c \n').caption == "a, b"

    def test_a_quote_inside_an_unquoted_cell_is_text(self):
        assert request_of('clip,caption\np/c,5" wide\n').caption == '5" wide'

    def test_a_row_starts_on_its_first_line_whatever_breaks_it_has(self):
        rows = rows_of('clip,caption\n"p/1","a\nb\nc"\np/2,d\n')
        assert [row.line for row in rows] == [2, 5]

    def test_an_unclosed_quote_is_one_problem_and_hides_no_row(self):
        rows = rows_of('clip,caption\np/1,"a\np/2,b\np/3,c\n')
        assert [row.is_sound for row in rows] == [False, True, True]
        ((number, line, column, cell, message),) = told(rows)
        assert (number, line, column, cell) == (1, 2, "caption", 2)
        assert "never closed" in message

    def test_an_unclosed_quote_before_quoted_rows_is_found_at_its_line(self):
        rows = rows_of('clip,caption\np/1,"a\np/2,b\np/3,"c"\np/4,d\n')
        assert [row.is_sound for row in rows] == [False, True, True, True]
        assert told(rows)[0][:4] == (1, 2, "caption", 2)

    def test_text_after_a_closing_quote_is_refused(self):
        *place, message = only('clip,caption\np/c,"a"b\n')
        assert place == [1, 2, "caption", 2]
        assert "after a closing quote" in message

    def test_an_unclosed_quote_in_a_long_file_costs_little(self):
        rows = rows_of('clip,caption\np/0,"a\n' + "".join(f"p/{i},b\n" for i in range(20_000)))
        assert len(rows) == 20_001
        assert [row.number for row in rows if not row.is_sound] == [1]


class TestComments:
    def test_lines_between_rows_may_be_comments(self):
        rows = rows_of("# my posts\n\nclip,caption\n# first\np/c,a\n  # not one\n#p/d,b\n")
        assert [row.line for row in rows] == [5, 6]
        assert "of the header's 2 cells" in told(rows)[0][4]

    def test_a_quoted_first_cell_with_a_hash_is_no_comment(self):
        assert request_of('caption,clip\n"#launch",p/c\n').caption == "#launch"


class TestHeader:
    def test_an_unknown_column_is_told_once_and_blocks_the_rows_that_fill_it(self):
        rows = rows_of("clip,captoin\np/1,a\np/2,\n")
        assert told(rows) == [(0, 1, "captoin", 2, "isn't a column of a manifest; did you mean caption?")]
        assert [row.is_sound for row in rows] == [False, False, True]
        assert [row.is_blocked for row in rows] == [False, True, False]

    def test_a_misspelt_source_is_told_once_however_many_rows_fill_it(self):
        rows = rows_of("clpi,caption\np/1,a\np/2,b\n,c\n")
        assert [(line, message[:20]) for _, line, _, _, message in told(rows)] == [
            (1, "isn't a column of a "),
            (4, "names nothing to pub"),
        ]
        assert not any(row.is_sound for row in rows)

    def test_an_unknown_column_like_none_says_where_they_are_listed(self):
        assert "reelpub schema" in told(rows_of("clip,zzzz\np/1,\n"))[0][4]

    @pytest.mark.parametrize("name", ["Konten", "Zeit", "time", "date", "link", "posts"])
    def test_a_word_that_only_looks_a_little_like_a_column_isnt_guessed_at(self, name):
        message = told(rows_of(f"clip,{name}\np/1,\n"))[0][4]
        assert "did you mean" not in message
        assert "reelpub schema" in message

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("Titel", "title"),
            ("acounts", "accounts"),
            ("media", "media_items"),
            ("timezone", "zone"),
            ("hashtags", "tags"),
            ("result_stauts", "result_status"),
        ],
    )
    def test_a_slip_or_a_part_of_a_name_is_guessed(self, name, meant):
        assert f"did you mean {meant}?" in told(rows_of(f"clip,{name}\np/1,\n"))[0][4]

    def test_columns_of_ones_own_begin_with_an_underscore(self):
        (row, other) = rows_of("_note,clip,_Due by\nwhatever,p/c,\n  ,p/d,1;2\n")
        assert row.is_sound
        assert (row.own, other.own) == ({"_note": "whatever"}, {"_note": "  ", "_Due by": "1;2"})

    def test_of_two_columns_of_ones_own_with_one_name_the_first_is_kept(self):
        (row,) = rows_of("_note,clip,_note\na,p/c,b\n")
        assert (row.is_sound, row.own) == (True, {"_note": "a"})

    def test_an_unknown_setting_names_the_known_ones(self):
        (problem, *_) = rows_of("clip,tiktok.privasy\np/c,x\n")[0].problems
        assert "did you mean privacy" in problem.problem.message
        assert "disable_duet" in problem.problem.limit

    def test_a_platform_misspelt_is_told(self):
        assert "did you mean tiktok?" in told(rows_of("clip,tictok.privacy\np/c,\n"))[0][4]

    def test_a_column_named_twice_is_told(self):
        rows = rows_of("clip,caption,Caption\np/c,a,b\n")
        assert told(rows) == [(0, 1, "Caption", 3, "is a column already, the 2. one")]
        assert rows[1].is_blocked

    def test_text_under_no_name_is_refused(self):
        assert only("clip,,caption\np/c,x,a\n") == (1, 2, None, 2, "stands in a column without a name")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("p/c,hello\np/d,there\n", "has no header"),
            ("# only\n\n", "has no rows, and no header"),
            ("clip,caption\n", "has no rows"),
            ('"clip,caption\np/c,a\n', "never closed"),
            ("", "is empty"),
        ],
    )
    def test_a_file_without_rows_or_header_says_so(self, text, words):
        number, _, _, _, message = only(text)
        assert number == 0
        assert words in message

    def test_a_header_may_have_line_breaks(self):
        assert request_of('"\nclip";caption\np/c;a\n').caption == "a"


class TestRecords:
    def test_a_short_record_is_refused(self):
        assert only("clip,caption,title\np/c,a\n")[:4] == (1, 2, None, None)

    def test_a_long_record_is_refused_at_its_first_cell_too_many(self):
        *place, message = only("clip,caption\np/c,a, b\n")
        assert place == [1, 2, None, 3]
        assert "into quotes" in message

    def test_a_cell_that_is_too_long_is_refused_and_the_next_row_read(self):
        rows = rows_of(f'clip,caption\np/c,"{"a" * (MAX_CELL + 1)}"\np/d,b\n')
        assert [row.is_sound for row in rows] == [False, True]
        assert told(rows)[0][1:4] == (2, "caption", 2)

    def test_an_unquoted_cell_that_is_too_long_is_refused(self):
        rows = rows_of(f"clip,caption\np/c,{'a' * (MAX_CELL + 1)}\np/d,b\n")
        assert [row.is_sound for row in rows] == [False, True]

    def test_a_quoted_cell_over_many_lines_that_is_too_long_is_refused(self):
        rows = rows_of('clip,caption\np/c,"' + "a,b,c\n" * (MAX_CELL // 6 + 10), format="csv")
        assert rows[0].problems[0].problem.limit == f"at most {MAX_CELL:,} characters"

    def test_a_line_that_is_too_long_is_refused_and_the_next_row_read(self):
        rows = rows_of(f"clip,caption\np/c,{'a' * (MAX_LINE + 70_000)}\np/d,b\n")
        assert [row.is_sound for row in rows] == [False, True]
        assert [row.line for row in rows] == [2, 3]

    def test_a_long_line_of_many_short_cells_is_refused(self):
        rows = rows_of("clip,caption\np/c" + ",a" * (MAX_LINE // 2 + 1) + "\np/d,b\n")
        assert [row.is_sound for row in rows] == [False, True]
        assert "longer than a line" in told(rows)[0][4]

    def test_a_nul_is_told_at_its_cell(self):
        filler = "".join(f"p/{i},b\n" for i in range(2000))
        rows = rows_of(f"clip,caption\n{filler}p/c,a\0b\np/d,b\n")
        ((number, line, column, cell, message),) = told(rows)
        assert (number, line, column, cell) == (2001, 2002, "caption", 2)
        assert "NUL" in message
        assert rows[-1].is_sound

    def test_another_encoding_is_told_at_its_cell_and_hides_no_row(self):
        rows = rows_of("clip,caption\np/1,Käse\np/2,cheese\np/3,Brötchen\n".encode("cp1252"))
        assert [row.is_sound for row in rows] == [False, True, False]
        assert [place[:4] for place in told(rows)] == [(1, 2, "caption", 2), (3, 4, "caption", 2)]
        assert "0xe4; save the file as UTF-8" in told(rows)[0][4]

    def test_utf16_cut_in_half_is_told(self):
        rows = rows_of("clip,caption\np/c,a".encode("utf-16") + b"x")
        assert "damaged UTF-16" in told(rows)[0][4]

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"PK\x03\x04rest", "an Excel workbook"),
            (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook"),
            (b"\x1f\x8brest", "gzip"),
            ("clip,caption\n".encode("utf-16-le"), "has NUL bytes"),
        ],
    )
    def test_what_isnt_text_says_what_it_is(self, data, words):
        assert words in only(data)[4]


class TestValues:
    def test_every_column_reaches_the_request(self):
        header = "reference;publisher;media_items;persona;caption;title;tags;accounts;at;zone;gap;fold;allow_duplicate"
        line = "r1;reelmirror;m1|;pe;c;t;a;tiktok:acme;2027-03-28 14:30;Europe/Oslo;later;first;yes"
        request = request_of(f"{header}\n{line}\n".replace("m1|", "m1"))
        assert request.reference == "r1"
        assert request.publisher == "reelmirror"
        assert request.source == MediaItems([MediaItem("m1")], persona_id="pe")
        assert (request.caption, request.title, request.tags, request.accounts) == ("c", "t", ("a",), ("tiktok:acme",))
        assert request.at == LocalTime("2027-03-28 14:30", "Europe/Oslo", gap="later", fold="first")
        assert request.allow_duplicate is True

    @pytest.mark.parametrize(
        ("cell", "tags"),
        [
            ("launch", ("launch",)),
            ("launch;news", ("launch", "news")),
            (" launch ; big news ;; ", ("launch", "big news")),
            ('["a;b"," c ","[d]","e,f"]', ("a;b", " c ", "[d]", "e,f")),
            ("", ()),
            ("[]", ()),
        ],
    )
    def test_a_list_is_separated_by_semicolons_or_is_json(self, cell, tags):
        escaped = cell.replace('"', '""')
        assert request_of(f'clip,tags\np/c,"{escaped}"\n').tags == tags

    def test_a_comma_in_a_list_is_worth_a_look(self):
        (row,) = rows_of('clip,tags\np/c,"a, b"\n')
        assert row.is_sound
        assert row.request.tags == ("a, b",)
        assert row.problems[0].problem.severity is Severity.WARNING

    @pytest.mark.parametrize("cell", ["tiktok:acme, x:acme", "tiktok:acme x:acme", "tiktok:acme|x:acme"])
    def test_accounts_separated_otherwise_are_refused(self, cell):
        assert "separated by ;" in only(f'clip;accounts\np/c;"{cell}"\n')[4]

    @pytest.mark.parametrize(
        ("cell", "words"), [("[a]", "isn't JSON"), ("[1]", 'write "1" in quotes'), ('[" "]', "empty")]
    )
    def test_a_bad_json_list_is_told(self, cell, words):
        escaped = cell.replace('"', '""')
        assert words in only(f'clip;tags\np/c;"{escaped}"\n')[4]

    @pytest.mark.parametrize("cell", ["yes", "Yes", " TRUE ", "1"])
    def test_yes_may_be_said_in_ways(self, cell):
        assert request_of(f"clip,allow_duplicate\np/c,{cell}\n").allow_duplicate is True

    @pytest.mark.parametrize("cell", ["no", "False", "0", "", "  "])
    def test_no_may_be_said_in_ways(self, cell):
        assert request_of(f"clip,allow_duplicate\np/c,{cell}\n").allow_duplicate is False

    def test_anything_else_is_neither(self):
        assert only("clip,allow_duplicate\np/c,WAHR\n") == (1, 2, "allow_duplicate", 2, "has to be yes or no")

    def test_ids_are_trimmed_and_texts_arent(self):
        request = request_of('clip,caption\n" p/c "," a "\n')
        assert (request.source, request.caption) == (Clip("p", "c"), " a ")

    def test_settings_may_stand_in_one_cell(self):
        cell = '{"tiktok": {"privacy": "friends", "disable_duet": true}, "x": {"kind": 1}}'.replace('"', '""')
        request = request_of(f'clip,settings\np/c,"{cell}"\n')
        assert request.settings == {"tiktok": TikTokSettings(privacy="friends", disable_duet=True), "x": {"kind": 1}}

    def test_settings_of_another_platform_are_passed_on(self):
        request = request_of("clip,Pinterest.boardId,x.quiet\np/c, b1 ,TRUE\n")
        assert request.settings == {"pinterest": {"boardId": "b1"}, "x": {"quiet": True}}

    def test_raw_settings_are_passed_on_as_they_are(self):
        cell = '{"tiktok": {"disableDuet": true}}'.replace('"', '""')
        assert request_of(f'clip,raw_settings\np/c,"{cell}"\n').settings == {"tiktok": {"disableDuet": True}}

    def test_a_setting_given_in_two_columns_is_refused(self):
        cell = '{"tiktok": {"privacy": "friends"}}'.replace('"', '""')
        *place, message = only(f'clip,tiktok.privacy,settings\np/c,public,"{cell}"\n')
        assert place == [1, 2, "tiktok.privacy", 2]
        assert "twice" in message

    def test_formulas_are_text(self):
        request = request_of('clip,caption,title\np/c,"=HYPERLINK(""http://evil"")",@SUM(A1)\n')
        assert (request.caption, request.title) == ('=HYPERLINK("http://evil")', "@SUM(A1)")

    def test_an_apostrophe_is_text(self):
        assert request_of("clip,caption\np/c,'tis the season\n").caption == "'tis the season"

    def test_one_source_is_needed_and_one_only(self):
        rows = rows_of("clip,draft,caption\np/c,d1,a\n,,b\n,d2,c\n")
        assert told(rows) == [
            (1, 2, "clip", 1, "names a second source beside draft; keep one"),
            (2, 3, None, None, "names nothing to publish; fill one of generated_post, media_items, draft and clip"),
        ]
        assert rows[2].request.source == Draft("d2")

    def test_a_second_source_that_cant_be_read_counts_too(self):
        rows = rows_of("draft,clip\n1E+20,p/c\n")
        assert rows[0].request is None

    def test_approve_and_persona_belong_to_their_sources(self):
        rows = rows_of("clip,generated_post,approve,persona\np/c,,yes,\n,g,yes,\n,g,no,pe\n")
        assert told(rows) == [
            (1, 2, "approve", 3, "goes with generated_post only"),
            (3, 4, "persona", 4, "goes with media_items only"),
        ]
        assert rows[1].request.source == GeneratedPost("g", approve=True)

    def test_media_items_that_cant_be_read_are_told_once(self):
        assert only('media_items,caption\n"[m",a\n')[1:4] == (2, "media_items", 1)

    @pytest.mark.parametrize("cell", ["pc", "/c", "p/", "/"])
    def test_a_clip_has_a_project_and_a_name(self, cell):
        assert "PROJECT/CLIP" in only(f"clip\n{cell}\n")[4]

    def test_a_clip_may_be_an_object(self):
        cell = '{"project": "a/b", "clip": "c"}'.replace('"', '""')
        assert request_of(f'clip\n"{cell}"\n').source == Clip("a/b", "c")

    def test_a_request_with_faults_lacks_what_couldnt_be_read(self):
        (row,) = rows_of("clip,at,caption\np/c,tomorrow,a\n")
        assert not row.is_sound
        assert (row.request.caption, row.request.at) == ("a", None)

    def test_times_with_an_offset_are_instants(self):
        assert request_of("clip,at\np/c,2027-03-28T14:30+02:00\n").at == datetime.fromisoformat(
            "2027-03-28T14:30+02:00"
        )


class TestPlaces:
    def test_a_later_problem_finds_its_cell(self):
        (row,) = rows_of(
            "clip,accounts,tags,tiktok.disable_duet,settings,at,zone\np/c,a;b,t,yes,,2027-01-01 10:00,UTC\n"
        )
        found = {field: (row.places[field].column, row.places[field].position) for field in row.places}
        assert found["source"] == ("clip", 1)
        assert found["at"] == ("at", 6)
        assert found["at.zone"] == ("zone", 7)
        for field, expected in {
            "source.project_id": ("clip", 1),
            "accounts[1]": ("accounts", 2),
            "settings.tiktok.disable_duet": ("tiktok.disable_duet", 4),
            "settings.tiktok.disableDuet": ("tiktok.disable_duet", 4),
            "settings.tiktok": ("tiktok.disable_duet", 4),
        }.items():
            place = row.places[field]
            assert (place.line, place.column, place.position) == (2, *expected)

    def test_a_checks_problem_is_told_at_the_nearest_place(self):
        (row,) = rows_of("clip,accounts,youtube.made_for_kids\np/c,a;b,yes\n")
        for field, expected in {
            "accounts[1]": "line 2 column 2 (accounts): accounts[1]: is wrong",
            "source.clip_id": "line 2 column 1 (clip): source.clip_id: is wrong",
            "settings.youtube.madeForKids.x": "line 2 column 3 (youtube.made_for_kids)",
            "title": "line 2 (title): title: is wrong",
            "what[3].ever": "line 2: what[3].ever: is wrong",
        }.items():
            located = row.locate(Problem(field=field, message="is wrong"))
            assert str(located).startswith(expected)
            assert (located.row, located.is_error) == (1, True)

    def test_what_isnt_there_still_has_its_line_and_column(self):
        (row,) = rows_of("clip\np/c\n")
        assert (row.places["title"].line, row.places["title"].column) == (2, "title")
        assert row.places["settings"].column == "settings"
        assert "nonsense" not in row.places
        assert len(row.places) == len(list(row.places))

    def test_a_setting_in_the_shared_cell_is_found_there(self):
        cell = '{"youtube": {"made_for_kids": true}}'.replace('"', '""')
        (row,) = rows_of(f'clip,youtube.made_for_kids,settings\np/c,,"{cell}"\n')
        assert row.places["settings.youtube.madeForKids"].column == "settings"
