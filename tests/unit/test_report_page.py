"""The page of a report: it says what the record says, holds nothing else, and lets nothing in or out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib.resources import files
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plotly.offline import get_plotlyjs

from reelpub import ConfigurationError, Draft, LocalTime, OutcomeStatus, Problem, PublishRequest, report
from reelpub.bulk.record import Moment
from reelpub.report.posts import MOST_STATIC
from reelpub.report.text import script, shown

NOW = datetime(2027, 3, 26, 9, 0, tzinfo=UTC)
OSLO = "Europe/Oslo"
VOID = {"br", "input", "link", "meta", "path", "use"}
EVIL = (
    "</script><script>alert(1)</script>",
    "</style><style>body{display:none}</style>",
    "<!--",
    "<!--<script>",
    "]]>",
    "--></textarea></title><img src=x onerror=alert(1)>",
    "\u202egnp.exe",
    "'\"><svg onload=alert(1)>",
    "&lt;b&gt; &amp; $policy ${record} %{x}",
    "a\u2028b\u2029c\0d",
)


@attrs.define
class Node:
    """One element, as an HTML reader sees it."""

    tag: str
    attributes: dict
    children: list = attrs.field(factory=list)

    def all(self, tag, **attributes):
        for child in self.children:
            if isinstance(child, Node):
                if child.tag == tag and attributes.items() <= child.attributes.items():
                    yield child
                yield from child.all(tag, **attributes)

    def one(self, tag, **attributes):
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def text(self):
        return "".join(child if isinstance(child, str) else child.text for child in self.children)


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed, in order."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = Node("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attributes):
        node = Node(tag, {name.replace("-", "_"): value for name, value in attributes})
        self.open[-1].children.append(node)
        if tag not in VOID or (tag in ("path", "use")):
            self.open.append(node)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].children.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def rendered(run, zone=OSLO, *, is_whole=False):
    page = report.render(run, generated_at=NOW, zone=zone)
    # The charts' library takes longer to read than all the rest.
    root = read(page if is_whole else page.replace(script(get_plotlyjs()), "/* the charts' library */"))
    return root, json.loads(root.one("script", id="record").text), page


def oslo(instant):
    return instant.astimezone(ZoneInfo(OSLO)).strftime("%Y-%m-%d %H:%M:%S")


def milliseconds(instant):
    return int(instant.timestamp()) * 1000 + instant.microsecond // 1000


# ---- it says what the record says


def test_every_row_and_account_is_as_the_record_has_it(runs):
    run = runs.run(30, unfinished=3)
    root, values, _ = rendered(run)
    assert len(values["rows"]) == len(run.rows) == len(list(root.one("tbody", id="rows").all("tr")))
    for row, told in zip(run.rows, values["rows"], strict=True):
        check_values(row, told)
        check_shown(row, root.one("tr", id=f"row-{row.number}"))


def check_values(row, told):
    assert (told["number"], told["line"], told["status"]) == (row.number, row.line, str(row.status))
    assert told["caption"] == row.request.caption if row.request.caption is not None else "caption" not in told
    assert told["label"] == row.request.reference
    assert (
        [*told["moments"]] == [[milliseconds(one.at), one.kind, in_words(one)] for one in row.moments]
        if row.moments
        else ("moments" not in told)
    )
    outcome = row.outcome
    if outcome is None:
        assert told["words"] == ["not submitted yet"]
        assert "settled" not in told
        return
    assert told.get("settled") == (milliseconds(outcome.settled_at) if outcome.settled_at else None)
    assert told["submitted"] == milliseconds(outcome.submitted_at)
    assert told["sends"] == outcome.requests
    assert outcome.reason is None or any(outcome.reason in words for words in told["words"])
    assert outcome.error is None or any(str(outcome.error) in words for words in told["words"])
    assert all(any(str(problem) in words for words in told["words"]) for problem in outcome.problems)
    accounts = told.get("accounts", [])
    for delivery, account in zip(outcome.deliveries, accounts, strict=bool(outcome.deliveries)):
        assert account == {
            key: value
            for key, value in {
                "name": str(delivery.account),
                "platform": delivery.account.platform,
                "status": str(delivery.status),
                "url": delivery.url,
                "href": delivery.url,
                "words": delivery.error,
                "raw": delivery.raw_status,
                "post": delivery.platform_post_id,
                "at": delivery.published_at and milliseconds(delivery.published_at),
            }.items()
            if value is not None
        }
    facts = dict(told["facts"])
    assert facts["Job"] == row.job_id
    assert facts.get("Same as job") == outcome.duplicate_of
    assert facts.get("Drafts left behind") == (", ".join(outcome.orphans) or None)


def in_words(moment):
    """Return what a moment says; the word for an end is the one that every badge has."""
    return moment.text.replace("_", " ") if moment.kind == "settled" else moment.text


def check_shown(row, element):
    badges = [badge.text for badge in element.all("span") if badge.attributes.get("class", "").startswith("badge")]
    assert badges[0] == row.status.replace("_", " ")
    assert element.one("th").text == f"{row.number} line {row.line}"
    times = {time.text for time in element.all("time")}
    assert times >= {oslo(moment.at) for moment in row.moments}
    if row.outcome is None:
        return
    deliveries = row.outcome.deliveries
    assert badges[1:] == [str(delivery.status).replace("_", " ") for delivery in deliveries] or not deliveries
    links = [(link.text, link.attributes["href"]) for link in element.all("a")]
    assert links == [(delivery.url, delivery.url) for delivery in deliveries if delivery.url]
    assert {quote.text for quote in element.all("q")} == {delivery.error for delivery in deliveries if delivery.error}
    if row.outcome.settled_at:
        assert oslo(row.outcome.settled_at) in times


def test_links_open_in_a_tab_that_knows_nothing_of_the_report(runs):
    root, _, _ = rendered(runs.run(1))
    outside = [link for link in root.all("a") if link.attributes["href"].startswith("http")]
    assert len(outside) == 2
    assert all(link.attributes["target"] == "_blank" for link in outside)
    assert all(link.attributes["rel"] == "noopener noreferrer" for link in outside)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "ftp://example.com"])
def test_what_is_no_web_address_is_text(runs, url):
    row = runs.row(1, OutcomeStatus.PUBLISHED, url=url)
    root, values, _ = rendered(runs.run(1, rows=(row,)))
    assert "href" not in values["rows"][0]["accounts"][0]
    element = root.one("tr", id="row-1")
    assert not list(element.all("a"))
    assert url in element.text


def test_totals_are_the_records(runs):
    run = runs.run(23)
    root, _, _ = rendered(run)
    cards = {card.attributes["href"]: card.one("b").text for card in root.all("a", **{"class": "card"})}
    assert cards == {f"#?status={status}": str(count) for status, count in run.counts.items()}
    deliveries = [delivery for row in run.rows for delivery in row.outcome.deliveries]
    for platform in ("tiktok", "instagram"):
        link = root.one("a", aria_label=f"{count_of(deliveries, platform, 'failed')} failed, {platform}")
        assert link.attributes["href"] == f"#?platform={platform}&status=account.failed"


def test_every_total_leads_to_a_filter_that_there_is(runs):
    """Of a duplicate's accounts nothing is told: that, too, can be asked for."""
    by_id = runs.row(24, OutcomeStatus.DUPLICATE, accounts=("5eed0001",))
    root, _, _ = rendered(runs.run(24, rows=(*runs.run(23).rows, by_id)))
    asked = [parse_qs(link.attributes["href"][2:]) for link in root.one("section", id="totals").all("a")]
    choices = {
        name: {option.attributes["value"] for option in root.one("select", id=f"filter-{name}").all("option")}
        for name in ("status", "platform", "account")
    }
    for name, there in choices.items():
        assert {value for one in asked for value in one.get(name, ())} <= there
    assert "account.not told" in choices["status"]
    assert "not named" in choices["platform"]
    assert "not told: nothing is known of the account itself" in root.one("section", id="totals").text


def test_that_nothing_is_told_is_no_choice_where_all_is(runs):
    root, _, _ = rendered(runs.run(1))
    assert "account.not told" not in [option.attributes["value"] for option in root.all("option")]
    assert "nothing is known of the account itself" not in root.one("section", id="totals").text


def test_a_chart_has_its_room_before_it_is_drawn(runs):
    """Without it everything below would move as the charts come, and a link to a filter end somewhere else."""
    root, _, _ = rendered(runs.run(20))
    charts = json.loads(root.one("script", id="charts").text)
    places = {node.attributes["id"]: node.attributes["style"] for node in root.all("div", **{"class": "chart"})}
    assert places == {
        f"chart-{name}": f"--height:{chart['layout']['height']};--traces:{len(chart['data'])}"
        for name, chart in charts.items()
    }


def count_of(deliveries, platform, status):
    return sum(one.account.platform == platform and one.status == status for one in deliveries)


def test_the_head_says_which_run_it_is_in_both_times(runs):
    run = runs.run(5)
    root, _, _ = rendered(run)
    said = root.one("header").text
    for part in (run.id, run.name, run.command, oslo(run.started_at), "Europe/Oslo · 08:00:00 UTC", oslo(run.ended_at)):
        assert part in said
    assert root.one("title").text == "launch.csv: report of a run"


def test_a_run_that_is_not_over_says_so_and_how_to_go_on(runs):
    said = rendered(runs.run(5, unfinished=2))[0].one("header").text
    assert "2 posts haven't come to an end" in said
    assert "reelpub resume 20270326-0800-owl" in said
    assert "not yet" in said
    assert "1 post hasn't" in rendered(runs.run(5, unfinished=1))[0].one("header").text


def test_a_run_that_is_over_does_not(runs):
    assert "resume" not in rendered(runs.run(5))[0].one("header").text


def test_waits_that_a_provider_imposed_are_told(runs):
    moments = tuple(Moment(at=NOW, kind="held", text=f"reap refused a request, {n}") for n in range(60))
    root, values, _ = rendered(runs.run(3, moments=moments))
    said = root.one("section", id="budget").text
    assert f"{oslo(NOW)} reap refused a request, 49" in said
    assert "and 10 more" in said
    assert len(values["moments"]) == 60


def test_the_calendar_links_to_the_rows(runs):
    root, _, _ = rendered(runs.run(30))
    section = root.one("section", id="calendar")
    entries = {entry.attributes["href"] for entry in section.all("a")}
    assert entries == {"#row-3", "#row-13", "#row-23"}
    assert "3 posts have a time of their own, all of them are scheduled" in section.text
    assert [header.text for header in section.all("th")][:2] == ["Monday", "Tuesday"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (OutcomeStatus.SCHEDULED, "1 post has a time of its own, and is scheduled. Times are"),
        (OutcomeStatus.FAILED, "1 post has a time of its own. Times are"),
    ],
)
def test_a_single_post_in_the_calendar_is_told_as_one(runs, status, said):
    record = runs.run(1, rows=(runs.row(1, status, at=NOW),))
    assert said in rendered(record)[0].one("section", id="calendar").text


@pytest.mark.parametrize(
    ("scheduled", "said"), [(0, "none of them is scheduled"), (1, "1 of them is"), (2, "2 of them are"), (3, "all of")]
)
def test_how_many_of_the_calendar_are_scheduled_is_told_as_people_do(runs, scheduled, said):
    rows = tuple(
        runs.row(number, OutcomeStatus.SCHEDULED if number <= scheduled else OutcomeStatus.FAILED, at=NOW)
        for number in (1, 2, 3)
    )
    section = rendered(runs.run(3, rows=rows))[0].one("section", id="calendar")
    assert f"3 posts have a time of their own, {said}" in section.text


def test_a_full_day_of_the_calendar_can_be_opened(runs):
    rows = tuple(runs.row(number, OutcomeStatus.SCHEDULED, at=NOW) for number in range(1, 8))
    section = rendered(runs.run(7, rows=rows))[0].one("section", id="calendar")
    assert section.one("summary").text == "3 more"
    assert len(list(section.all("a"))) == 7


def test_without_a_zone_times_are_told_in_that_of_most_rows(runs):
    zones = ("Asia/Kathmandu", "Mars/Base", "Mars/Base", "Asia/Kathmandu", "Mars/Base", "Europe/Oslo")
    rows = [
        runs.row(number, OutcomeStatus.REFUSED, at=LocalTime("2027-03-26 12:00", zone))
        for number, zone in enumerate(zones, start=1)
    ]
    root, _, _ = rendered(runs.run(rows=tuple(rows)), zone=None)
    assert "2027-03-26 13:45:00 Asia/Kathmandu · 08:00:00 UTC" in root.one("header").text


def test_times_are_utc_where_no_row_has_a_zone(runs):
    root, values, _ = rendered(runs.run(2), zone=None)
    assert values["offsets"] == [[values["offsets"][0][0], 0]]
    assert "2027-03-26 08:00:00" in root.one("header").text


def test_how_a_post_ended_is_told_in_words(runs):
    moment = Moment(at=NOW, kind="settled", text="not_sent: it was too_late for partly_published")
    row = attrs.evolve(runs.row(1, OutcomeStatus.NOT_SENT), moments=(moment,))
    _, values, _ = rendered(runs.run(1, rows=(row,)))
    assert [said for _, _, said in values["rows"][0]["moments"]] == ["not sent: it was too_late for partly_published"]


@pytest.mark.parametrize(("status", "word"), [(OutcomeStatus.SCHEDULED, "since"), (OutcomeStatus.FAILED, "ended")])
def test_what_is_scheduled_hasnt_ended(runs, status, word):
    """It would have ended before the time that it is for."""
    row = runs.row(1, status, at=NOW)
    root, _, _ = rendered(runs.run(1, rows=(row,)))
    said = root.one("tr", id="row-1").one("td", **{"class": "when"}).text
    assert said == f"for {oslo(NOW)}{word} {oslo(row.outcome.settled_at)}"


def test_what_was_left_behind_is_in_the_details(runs):
    row = runs.row(1, OutcomeStatus.FAILED)
    outcome = attrs.evolve(
        row.outcome, drafts=("d-1", "d-2"), warnings=(Problem(field="url", message="ends too soon"),), reason=None
    )
    root, _, _ = rendered(runs.run(rows=(attrs.evolve(row, outcome=outcome),)))
    said = root.one("tr", id="row-1").text
    for part in ("Prepared, not lived-1, d-2", "Warningurl: ends too soon", "Drafts left behinddraft-1", "Source"):
        assert part in said


def test_a_reason_that_says_all_that_the_error_says_is_told_once(runs):
    row = runs.row(4, OutcomeStatus.REFUSED)
    outcome = attrs.evolve(row.outcome, reason="words 4", problems=())
    _, values, _ = rendered(runs.run(rows=(attrs.evolve(row, outcome=outcome),)))
    assert values["rows"][0]["words"] == [str(outcome.error)]
    outcome = attrs.evolve(outcome, reason=f"refused: {outcome.error}")
    _, values, _ = rendered(runs.run(rows=(attrs.evolve(row, outcome=outcome),)))
    assert values["rows"][0]["words"] == [outcome.reason]


def test_a_draft_without_accounts_has_none(runs):
    row = attrs.evolve(runs.unfinished(1), request=PublishRequest(Draft("d"), tags=()))
    root, values, _ = rendered(runs.run(rows=(row,), samples=0))
    assert "accounts" not in values["rows"][0]
    assert [cell.text for cell in root.one("tr", id="row-1").all("td")][2:6] == ["-", "-", "-", "-"]


# ---- runs of every size


def test_an_empty_run_is_a_report_without_charts(runs):
    root, values, page = rendered(runs.run(0, samples=0))
    assert values["rows"] == []
    assert root.one("header").text.count("This run has no rows.") == 1
    assert "Plotly" not in page
    for nothing in ("nothing to count", "on record", "has a time of its own"):
        assert nothing in root.one("main").text


def test_a_run_of_which_nothing_was_recorded_on_the_way_is_a_report(runs):
    rows = tuple(attrs.evolve(row, moments=()) for row in runs.run(3).rows)
    root, _, page = rendered(runs.run(3, rows=rows, samples=0))
    assert "Nothing that happened on the way is on record." in root.one("section", id="timeline").text
    assert "Plotly" not in page


def test_large_runs_have_some_rows_without_a_script_and_say_how_many(runs):
    root, values, _ = rendered(runs.run(MOST_STATIC + 1, samples=1))
    assert len(list(root.one("tbody", id="rows").all("tr"))) == MOST_STATIC
    assert len(values["rows"]) == MOST_STATIC + 1
    assert f"only the first {MOST_STATIC} of 501 posts" in root.one("noscript").text


# ---- nothing gets in or out


def test_only_the_pages_own_scripts_may_run(runs):
    root, _, _ = rendered(runs.run(2), is_whole=True)
    policy = root.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
    run_scripts = [node.text for node in root.all("script") if node.attributes.get("type") is None]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in run_scripts}
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert set(allowed["script-src"].split()) == hashes
    assert len(hashes) == 3
    assert allowed["default-src"] == "'none'"
    assert "connect-src" not in allowed
    assert "unsafe-eval" not in policy


def test_nothing_is_loaded_from_anywhere(runs):
    root, _, _ = rendered(runs.run(12))
    assert not [node for name in ("link", "img", "iframe", "object", "base") for node in root.all(name)]
    assert not [node for node in root.all("script") if "src" in node.attributes]
    style = root.one("style").text
    assert "url(" not in style
    assert "@import" not in style


def test_no_element_has_a_handler_of_its_own(runs):
    root, _, _ = rendered(runs.run(12))

    def attributes(node):
        for child in node.children:
            if isinstance(child, Node):
                yield from child.attributes
                yield from attributes(child)

    assert not [name for name in attributes(root) if name.startswith("on")]


evil_text = st.one_of(st.sampled_from(EVIL), st.text(st.characters(), max_size=30))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(caption=evil_text, title=evil_text, reference=evil_text, url=evil_text, said=evil_text, name=evil_text)
def test_text_from_elsewhere_stays_text(runs, caption, title, reference, url, said, name):
    row = runs.row(1, OutcomeStatus.PUBLISHED, caption=caption, title=title, reference=reference or "r", url=url or "u")
    moments = (*row.moments, Moment(at=NOW, kind="stuck", text=said))
    row = attrs.evolve(row, outcome=attrs.evolve(row.outcome, reason=said), moments=moments)
    root, values, _ = rendered(runs.run(rows=(row,), name=name, command=name))
    told = values["rows"][0]
    assert told["caption"] == shown(caption)
    assert told["title"] == shown(title)
    assert told["label"] == shown(reference or "r")
    assert told["accounts"][0]["url"] == shown(url or "u")
    assert shown(said).strip() in root.one("section", id="posts").text
    # Whatever was written, the page has the elements that it has for plain words.
    assert [node.attributes.get("id") for node in root.all("script")] == ["record", "charts", None, None, None]
    assert len(list(root.all("style"))) == 1
    assert not list(root.all("img"))


@pytest.mark.parametrize("evil", EVIL)
def test_evil_captions_are_seen_as_they_are(runs, evil):
    row = runs.row(1, OutcomeStatus.PUBLISHED, caption=evil)
    root, values, _ = rendered(runs.run(1, rows=(row,)))
    assert root.one("bdi", **{"class": "caption"}).text == values["rows"][0]["caption"] == shown(evil)


def test_what_a_template_would_fill_in_is_text(runs):
    root, _, _ = rendered(runs.run(1, name="$record ${policy}"))
    assert root.one("h1").text == "$record ${policy}"


# ---- looks


def test_every_status_has_a_tone_and_an_icon(runs):
    root, _, _ = rendered(runs.run(20))
    icons = {symbol.attributes["id"] for symbol in root.all("symbol")}
    assert {use.attributes["href"][1:] for use in root.all("use")} <= icons
    assert {f"icon-{status}" for status in OutcomeStatus} <= icons


def test_ids_are_one_of_a_kind_and_names_lead_to_them(runs):
    root, _, page = rendered(runs.run(12))
    body = root.one("body")
    found = re.findall(r' id="([^"]+)"', page.split("<script")[0])
    assert len(found) == len(set(found))
    for attribute in ("aria_labelledby", "aria_describedby", "for"):
        for node in (node for tag in ("section", "div", "label") for node in body.all(tag)):
            assert node.attributes.get(attribute, found[0]) in found
    for link in body.all("a"):
        target = link.attributes["href"]
        assert not target.startswith("#") or target.startswith("#?") or target[1:] in found


def colours(style, start):
    block = style[style.index("{", style.index(start)) :]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[: block.index("}")]))


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [":root", "@media screen and (prefers-color-scheme: dark) {\n  :root"])
def test_everybody_can_read_the_colours(scheme):
    style = files("reelpub.report").joinpath("assets", "report.css").read_text(encoding="utf-8")
    found = colours(style, scheme.split("{\n")[-1] if scheme == ":root" else "prefers-color-scheme: dark")
    if scheme != ":root":
        found = colours(style[style.index("prefers-color-scheme: dark") + 10 :].split("{", 1)[1], ":root")
    tones = ("good", "mixed", "later", "bad", "unsure", "quiet")
    text = [(f"{tone}-text", f"{tone}-fill") for tone in tones]
    text += [(name, ground) for name in ("text", "soft", "link") for ground in ("ground", "surface", "raised")]
    for name, ground in text:
        assert contrast(found[name], found[ground]) >= 4.5, (name, ground)
    shapes = [name for name in found if name.startswith("phase-") and not name.endswith("-pale")]
    assert len(shapes) == 9
    for name in (*shapes, "focus", *(f"{tone}-text" for tone in tones)):
        assert contrast(found[name], found["surface"]) >= 3, name


# ---- writing it


def test_a_report_is_written_whole(runs, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("an older report")
    report.write(runs.run(3), path, generated_at=NOW, zone=OSLO)
    assert path.read_text(encoding="utf-8") == report.render(runs.run(3), generated_at=NOW, zone=OSLO)
    assert list(tmp_path.iterdir()) == [path]


def test_where_it_cannot_be_written_nothing_is_left(runs, tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OSError):
        report.write(runs.run(1), tmp_path / "report.html", generated_at=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_without_the_charts_library_it_says_what_to_install(runs, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(ConfigurationError, match=re.escape("pip install 'reelpub[cli]'")):
        report.render(runs.run(1), generated_at=NOW)


def test_an_unknown_zone_is_refused(runs):
    with pytest.raises(ConfigurationError, match="no zone"):
        report.render(runs.run(1), generated_at=NOW, zone="Mars/Base")


def test_the_same_record_gives_the_same_page(runs):
    pages = {report.render(runs.run(5), generated_at=NOW + timedelta()) for _ in range(2)}
    assert len(pages) == 1
