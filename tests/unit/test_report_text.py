"""Text in a report: whatever it is, it stays text, shows what is in it, and reads as it was meant."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.errors import ConfigurationError
from reelpub.report.html import clock, join, number, tag
from reelpub.report.text import address, chart_text, embedded, script, shown
from reelpub.report.times import milliseconds, offset_text, spoken, zone_named

HIDING = "".join(chr(code) for code in (0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069))
AT = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)


# ---- text


@given(st.text(st.characters(), max_size=60))
def test_shown_text_can_be_written_and_holds_no_control(text):
    said = shown(text)
    said.encode("utf-8")
    assert not re.search(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{HIDING}]", said)
    assert shown(said) == said


def test_what_turns_text_around_is_spelt_out():
    assert shown("invoice\u202efdp.exe") == "invoice\\u202efdp.exe"


def test_half_a_surrogate_pair_is_spelt_out():
    assert shown("a\ud800b") == "a\\ud800b"


@pytest.mark.parametrize(
    "text",
    ["שלום\u200f עולם", "👩\u200d👩\u200d👧", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "tab\tand\nbreak"],
)
def test_what_scripts_and_emoji_need_stays(text):
    assert shown(text) == text


def test_every_kind_of_line_break_is_one():
    assert shown("a\r\nb\rc\u2028d\u2029e\x85f") == "a\nb\nc\nd\ne\nf"


@given(st.dictionaries(st.text(max_size=9), st.text(st.characters(exclude_categories=["Cs"]), max_size=40)))
def test_embedded_values_come_back_and_cannot_end_their_element(values):
    text = embedded(values)
    assert json.loads(text) == values
    assert not re.search("[<>&\u2028\u2029]", text)


@pytest.mark.parametrize("evil", ["</script><script>alert(1)</script>", "<!--", "<!--<script>", "]]>", "</style>"])
def test_embedded_evil_is_only_text(evil):
    assert json.loads(embedded({"caption": evil})) == {"caption": evil}
    assert "<" not in embedded({"caption": evil})


def test_a_script_keeps_no_end_and_no_comment():
    source = "a('</script>');b('</SCRIPT >');c('<!-- x')\r\n"
    assert script(source) == "a('\\x3c/script>');b('\\x3c/SCRIPT >');c('\\x3c!-- x')\n"


def test_text_of_a_chart_has_no_tags():
    assert chart_text('<a href="x">&\nb') == '&lt;a href="x"&gt;&amp; b'


@pytest.mark.parametrize(
    "url",
    [
        "https://www.tiktok.com/@acme/video/7?a=1&b=2",
        "HTTP://example.com",
        "https://xn--bcher-kva.example/ü",
    ],
)
def test_addresses_of_the_web_are_links(url):
    assert address(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        " https://example.com",
        "data:text/html,<script>",
        "//example.com",
        "/videos/1",
        "https://",
        "https://[::1",
        "https://example.com/\u202egpj.exe",
        "vbscript:x",
        "file:///etc/passwd",
    ],
)
def test_other_addresses_are_no_links(url):
    assert address(url) is None


# ---- HTML


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_tag_escapes_text_and_attributes(text):
    made = tag("p", text, title=text)
    assert made.count("<") == 2
    assert made.count(">") == 2
    assert made.count('"') - shown(text).count('"') == 2


def test_a_tag_keeps_what_was_made_by_tags():
    assert tag("p", tag("b", "a<b"), " & ", 3, None) == "<p><b>a&lt;b</b> &amp; 3</p>"


def test_attributes_are_named_as_in_html():
    assert tag("a", "x", class_="b c", aria_label="d", hidden=True, href=None, title=False) == (
        '<a class="b c" aria-label="d" hidden>x</a>'
    )


def test_an_element_without_content_has_no_end():
    assert tag("input", type="search") == '<input type="search">'


def test_joining_escapes_what_is_text():
    assert join(["<", tag("i", "x"), None]) == "&lt;<i>x</i>"


def test_numbers_have_their_thousands_apart():
    assert number(1234567) == "1,234,567"


def test_an_instant_has_the_zones_time_and_utc():
    assert clock(AT, zone_named("Europe/Oslo")) == (
        '<time datetime="2027-03-28T00:30:00.000Z" title="2027-03-28 00:30:00 UTC">2027-03-28 01:30:00</time>'
    )


# ---- times


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.04, "0 s"),
        (0.42, "0.4 s"),
        (9.96, "10 s"),
        (42.4, "42 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (86400, "1 d"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations_are_said_in_two_units(seconds, said):
    assert spoken(seconds) == said


def test_milliseconds_are_javascripts():
    assert milliseconds(datetime(2027, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC)) == 1798761600999


@pytest.mark.parametrize("name", ["Mars/Base", "../../etc/passwd", "a\0b", ""])
def test_a_zone_that_nobody_knows_is_refused(name):
    with pytest.raises(ConfigurationError, match="no zone"):
        zone_named(name)


def test_offsets_say_when_the_clocks_change():
    hour = 3_600_000
    start = milliseconds(AT)
    found = zone_named("Europe/Oslo").offsets([start + hour, start, start - hour, start])
    assert found == [(start - hour, 3600), (start + hour, 7200)]


def test_at_the_ends_of_the_calendar_there_is_no_offset():
    last = datetime.max.replace(tzinfo=UTC)
    assert zone_named("Asia/Tokyo").wall(last) == last.replace(tzinfo=None)


@pytest.mark.parametrize(("minutes", "said"), [(0, "UTC+00:00"), (330, "UTC+05:30"), (-210, "UTC-03:30")])
def test_offsets_are_said_from_utc(minutes, said):
    assert offset_text(timedelta(minutes=minutes)) == said
