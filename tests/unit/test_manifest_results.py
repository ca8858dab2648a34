"""Results are manifests: any request comes back as it was, and only what provably isn't live runs again."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
import yaml
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reelpub import (
    Account,
    Clip,
    Delivery,
    DeliveryStatus,
    Draft,
    FoldPolicy,
    GapPolicy,
    GeneratedPost,
    InstagramSettings,
    LinkedInSettings,
    LocalTime,
    MediaItem,
    MediaItems,
    OutcomeStatus,
    PublishRequest,
    TikTokSettings,
    YouTubeSettings,
)
from reelpub.errors import ConfigurationError
from reelpub.manifest import ResultRow, read_manifest, write_results
from reelpub.manifest.values import request_cells

AT = datetime(2027, 3, 28, 12, 30, tzinfo=UTC)
TIKTOK = Account(id="a1", provider="reap", platform="tiktok", username="acme")
YOUTUBE = Account(id="a2", provider="reap", platform="youtube", username="Acme")
REQUEST = PublishRequest(Clip("p", "c"), caption="Hi", accounts=["tiktok:acme", "youtube:acme"])


def written(*rows, form, **options):
    stream = io.BytesIO()
    write_results(rows, stream, form, **options)
    return stream.getvalue()


def read(data, form):
    return list(read_manifest(io.BytesIO(data), format=form))


def result(request=REQUEST, status=OutcomeStatus.FAILED, **more):
    return ResultRow(number=1, line=2, request=request, status=status, **more)


def again(row, form):
    (found,) = read(written(row, form=form), form)
    assert not found.problems
    return found


# ---- any request

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    [
        "",
        " ",
        "=1+1",
        "+1",
        "-1",
        "@x",
        "'x",
        "''",
        "\tx",
        "\rx",
        "\nx",
        "a\r\nb",
        '"',
        'a"b',
        "#x",
        "a;b",
        "a|b",
        "\uff1d1",
    ]
)
names = texts.filter(str.strip)
flags = st.none() | st.booleans()


def typed(kind, **members):
    return st.builds(kind, **dict.fromkeys(members.pop("flags", ()), flags), **members)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
raw = st.dictionaries(texts, json_values, max_size=3)
privacy = st.none() | names
platform_settings = st.fixed_dictionaries(
    {},
    optional={
        "tiktok": raw | typed(TikTokSettings, privacy=privacy, flags=["disable_duet", "brand_content"]),
        "youtube": raw | typed(YouTubeSettings, privacy=privacy, flags=["made_for_kids", "embeddable"]),
        "instagram": typed(InstagramSettings, flags=["share_to_feed"]),
        "linkedin": typed(LinkedInSettings, privacy=privacy),
        "pinterest": raw,
        "tictok": raw,
    },
)
sources = (
    st.builds(GeneratedPost, names, approve=st.booleans())
    | st.builds(
        MediaItems,
        st.lists(st.builds(MediaItem, names, use_voice_converted=flags), min_size=1, max_size=3),
        persona_id=st.none() | names,
    )
    | st.builds(Draft, names)
    | st.builds(Clip, names, names)
)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001
clocks = moments.map(lambda at: at.isoformat(sep=" ")) | moments.map(datetime.isoformat)
local_times = st.builds(
    LocalTime,
    clocks | moments,
    st.sampled_from(["Europe/Oslo", "Asia/Kolkata", "America/New_York"]),
    gap=st.sampled_from([GapPolicy.EARLIER, GapPolicy.LATER]),
    fold=st.sampled_from([FoldPolicy.FIRST, FoldPolicy.SECOND]),
)
requests = st.builds(
    PublishRequest,
    sources,
    caption=st.none() | texts,
    title=st.none() | texts,
    tags=st.lists(names, max_size=4),
    accounts=st.lists(names | st.just(TIKTOK), max_size=3),
    settings=platform_settings,
    at=st.none() | st.builds(datetime.replace, moments, tzinfo=offsets) | local_times,
    publisher=st.none() | names,
    allow_duplicate=st.booleans(),
    reference=st.none() | texts,
)


def plain(request):
    """The request as a manifest can say it: accounts by name, clock times as text."""
    accounts = [one.id if isinstance(one, Account) else one for one in request.accounts]
    at = request.at
    if isinstance(at, LocalTime) and isinstance(at.clock, datetime):
        at = evolve(at, clock=at.clock.isoformat(sep=" "))
    return evolve(request, accounts=accounts, at=at)


@settings(max_examples=300, deadline=None)
@example(requests=[PublishRequest(GeneratedPost("0E0"))], form="csv")
@given(requests=st.lists(requests, min_size=1, max_size=3), form=st.sampled_from(["csv", "jsonl"]))
def test_any_request_comes_back_as_it_was(requests, form):
    rows = read(written(*(result(request) for request in requests), form=form), form)
    assert [row.request for row in rows] == [plain(request) for request in requests]
    assert all(row.is_sound and row.skip is None for row in rows), [row.problems for row in rows]


class Yaml(yaml.SafeDumper):
    """Writes YAML in which 0E0 is text: by YAML 1.1, which the library writes, it needs no quotes; by 1.2 it does."""


def quoted_number(dumper, text):
    style = '"' if re.fullmatch(r"[-+.0-9][-+.0-9eE]*", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Yaml.add_representer(str, quoted_number)


@settings(max_examples=150, deadline=None)
@given(request=requests)
@example(PublishRequest(Clip("p", "c"), settings={"x": {"a": "0E0", "b": 0.0, "c": "1_0", "d": "+.5", "e": "12"}}))
def test_the_same_rows_in_yaml_ask_for_the_same(request):
    # Escaped: the library writes a next-line character in a way that it reads as a space itself.
    text = yaml.dump([request_cells(request)], Dumper=Yaml, allow_unicode=False)
    (row,) = read(text.encode(), "yaml")
    assert row.is_sound, row.problems
    assert row.request == plain(request)


# ---- what runs again

SKIPPED = {
    OutcomeStatus.PUBLISHED: "is live already",
    OutcomeStatus.SCHEDULED: "is scheduled",
    OutcomeStatus.UNKNOWN: "may or may not be live",
    OutcomeStatus.PENDING: "hadn't ended",
    OutcomeStatus.DUPLICATE: "was sent before",
    OutcomeStatus.CANCELLED: "was called off",
    OutcomeStatus.PARTLY_PUBLISHED: "provably missing on none",
}


KNOWN = SKIPPED.keys() - {OutcomeStatus.CANCELLED}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("status", OutcomeStatus)
def test_what_is_live_or_may_be_is_skipped_and_the_rest_runs_whole(status, form):
    row = again(result(status=status), form)
    assert row.request == REQUEST
    if status in SKIPPED:
        assert SKIPPED[status] in row.skip
        # What was called off is unknown to the store again; anything else would be a duplicate there.
        how = "empty result_status" + (" and set allow_duplicate to yes" if status in KNOWN else "")
        assert row.skip.endswith(f"; {how} to run it all the same")
    else:
        assert row.skip is None
        assert status in (OutcomeStatus.FAILED, OutcomeStatus.REFUSED, OutcomeStatus.NOT_SENT)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_row_that_is_live_in_part_goes_to_the_accounts_that_lack_it(form):
    deliveries = (
        Delivery(account=TIKTOK, status=DeliveryStatus.PUBLISHED, url="https://t/1"),
        Delivery(account=YOUTUBE, status=DeliveryStatus.FAILED, error="=too long"),
    )
    row = again(result(status=OutcomeStatus.PARTLY_PUBLISHED, deliveries=deliveries), form)
    assert row.request == evolve(REQUEST, accounts=("youtube:acme",))
    assert row.skip is None
    unnamed = again(
        result(evolve(REQUEST, accounts=()), status=OutcomeStatus.PARTLY_PUBLISHED, deliveries=deliveries), form
    )
    assert unnamed.request.accounts == ("a2",)


def test_what_failed_beside_what_was_called_off_goes_to_what_failed():
    deliveries = (
        Delivery(account=TIKTOK, status=DeliveryStatus.CANCELLED),
        Delivery(account=YOUTUBE, status=DeliveryStatus.NOT_SENT),
    )
    assert again(result(deliveries=deliveries), "csv").request.accounts == ("youtube:acme",)


def test_what_was_approved_and_is_live_in_part_is_left_to_retry():
    deliveries = (
        Delivery(account=TIKTOK, status=DeliveryStatus.PUBLISHED),
        Delivery(account=YOUTUBE, status=DeliveryStatus.FAILED),
    )
    request = PublishRequest(GeneratedPost("g", approve=True))
    row = again(result(request, status=OutcomeStatus.PARTLY_PUBLISHED, deliveries=deliveries), "jsonl")
    assert row.request == request
    assert "reelpub retry" in row.skip


def test_an_emptied_status_runs_the_whole_row():
    (row,) = read(b'{"clip": "p/c", "result_status": "", "result_retry_accounts": ["x"]}', "jsonl")
    assert (row.skip, row.request.accounts) == (None, ())


def test_a_status_that_is_none_is_told():
    (row,) = read(b'{"clip": "p/c", "result_status": "done"}', "jsonl")
    assert not row.is_sound
    assert "published" in row.problems[0].problem.limit


def test_a_row_that_cant_be_read_stays_so():
    (row,) = read(b'{"result_status": "partly_published", "result_retry_accounts": ["a1"]}', "jsonl")
    assert (row.request, row.skip) == (None, None)


# ---- what is written

FULL = result(
    evolve(REQUEST, title="=HYPERLINK(1)", reference="-r", tags=["@a", "b"]),
    status=OutcomeStatus.PARTLY_PUBLISHED,
    reason="one failed",
    job_id="run.1",
    publisher="reap",
    run="run",
    posts=("p1", "p2"),
    settled_at=AT,
    deliveries=(
        Delivery(account=TIKTOK, status=DeliveryStatus.PUBLISHED, url="https://t/1"),
        Delivery(account=YOUTUBE, status=DeliveryStatus.FAILED, error="too long"),
    ),
)


def test_json_lines_tell_everything():
    told = json.loads(written(FULL, form="jsonl"))
    assert {name: value for name, value in told.items() if name.startswith("result_")} == {
        "result_status": "partly_published",
        "result_reason": "one failed; youtube:Acme: too long",
        "result_publisher": "reap",
        "result_run": "run",
        "result_job": "run.1",
        "result_row": 1,
        "result_line": 2,
        "result_posts": ["p1", "p2"],
        "result_links": ["https://t/1"],
        "result_live_accounts": ["tiktok:acme"],
        "result_retry_accounts": ["youtube:acme"],
        "result_at": "2027-03-28T12:30:00+00:00",
    }


def test_why_a_whole_row_was_refused_is_told_once():
    """Each of its accounts has the same to say."""
    said = "title: is too long"
    deliveries = tuple(
        Delivery(account=account, status=DeliveryStatus.REFUSED, error=error)
        for account, error in ((TIKTOK, said), (YOUTUBE, "is no channel"))
    )
    row = result(status=OutcomeStatus.REFUSED, reason=said, deliveries=deliveries)
    assert json.loads(written(row, form="jsonl"))["result_reason"] == f"{said}; youtube:Acme: is no channel"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_wrong_with_a_row_that_isnt_to_run_is_nobodys_concern(form):
    """A spreadsheet writes every date of a file in its own way, of rows that are live already, too."""
    at = "8.12.2026 10:00"
    live, failed = (
        written(result(evolve(REQUEST, at=AT), status, job_id="j"), form=form).decode("utf-8-sig").splitlines()
        for status in (OutcomeStatus.PUBLISHED, OutcomeStatus.FAILED)
    )
    text = "\n".join([*live, failed[-1]]).replace(AT.isoformat(), at) + "\n"
    first, second = read(text.encode(), form)
    assert first.skip.startswith("is live already")
    assert first.problems == ()
    (told,) = second.problems
    assert (told.problem.field, second.skip) == ("at", None)


def test_accounts_that_cant_be_read_are_told_though_the_row_is_left_out_for_them():
    row = {"clip": "p/c", "accounts": ["tiktok:a"], "result_status": "partly_published", "result_retry_accounts": "x"}
    (read_row,) = read(json.dumps(row).encode() + b"\n", "jsonl")
    assert [told.problem.field for told in read_row.problems] == ["result_retry_accounts"]


def test_csv_opens_in_a_spreadsheet_and_runs_nothing():
    data = written(FULL, form="csv")
    assert data.startswith(b"\xef\xbb\xbfreference,")
    header, line, end = data.decode("utf-8-sig").split("\r\n")
    assert end == ""
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    assert cells["title"] == "'=HYPERLINK(1)"
    assert cells["reference"] == "'-r"
    assert cells["tags"] == '"\'@a;b"'
    assert cells["result_guarded"] == "yes"
    assert cells["result_posts"] == '"p1;p2"'
    assert cells["result_row"] == "1"


@settings(max_examples=200, deadline=None)
@given(request=requests)
def test_no_cell_of_csv_begins_like_a_formula(request):
    import csv

    text = written(result(request), form="csv").decode("utf-8-sig")
    for cells in csv.reader(io.StringIO(text, newline="")):
        assert not [
            cell
            for cell in cells
            if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
        ]


def test_a_row_added_by_hand_is_read_as_it_stands():
    data = written(result(), form="csv").decode("utf-8-sig")
    header = data.split("\r\n", maxsplit=1)[0].split(",")
    cells = {"clip": "p/d", "caption": "'tis"}
    (_, row) = read((data + ",".join(cells.get(name, "") for name in header) + "\r\n").encode(), "csv")
    assert (row.request.source, row.request.caption) == (Clip("p", "d"), "'tis")


def test_what_cant_be_written_is_replaced_rather_than_raised():
    request = PublishRequest(Clip("p", "c"), caption="\ud800", settings={"x": {"a": object()}})
    for form in ("csv", "jsonl"):
        assert read(written(result(request), form=form), form)


def test_rows_go_out_as_they_come():
    stream = io.BytesIO()

    def rows():
        yield result()
        assert stream.getvalue().count(b"\n") == 1
        yield result()

    write_results(rows(), stream, "jsonl")


def test_there_is_no_other_format():
    with pytest.raises(ConfigurationError, match="there are csv, jsonl"):
        write_results([], io.BytesIO(), "xlsx")


# ---- the writer's own columns, and the separator

own_values = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), max_size=5).map("_{}".format), texts.filter(len)
)


@given(own=own_values)
@example(own={"_sum": "=1+1", "_name": "'tis", "_id": "1E5", "_list": "a;b,c", "_#": "#", '_"': 'say "so"'})
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_columns_of_ones_own_come_back_as_they_were(form, own):
    (found,) = read(written(result(own=own), form=form, own=list(own)), form)
    assert found.own == own
    assert not found.problems


def test_columns_of_ones_own_stand_between_what_was_asked_and_what_became_of_it():
    rows = [result(own={"_note": "a", "_size": 3}), result(own={"_more": ["x", {"y": None}]}), result()]
    data = written(*rows, form="csv", own=["_note", "_size", "_more"]).decode("utf-8-sig")
    header = data.split("\r\n")[0].split(",")
    assert header[header.index("_note") : header.index("_more") + 2] == ["_note", "_size", "_more", "result_status"]
    found = [row.own for row in read(data.encode(), "csv")]
    assert found == [{"_note": "a", "_size": "3"}, {"_more": '["x", {"y": null}]'}, {}]


def test_own_columns_are_those_that_are_named():
    row = result(own={"_note": "a", "_secret": "b"})
    assert [found.own for found in read(written(row, form="csv", own=["_note"]), "csv")] == [{"_note": "a"}]
    with pytest.raises(ConfigurationError, match="own: 'note' doesn't begin with an underscore"):
        written(row, form="csv", own=["note"])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@settings(max_examples=50, deadline=None)
@given(request=requests)
def test_any_request_comes_back_whatever_stands_between_the_cells(separator, request):
    (found,) = read(written(result(request), form="csv", separator=separator), "csv")
    assert found.request == again(result(request), "csv").request


def test_there_is_no_other_separator():
    with pytest.raises(ConfigurationError, match="separator: has to be ',' or ';' or a tab"):
        written(form="csv", separator="|")
