"""Reap's words in the library's: statuses, deliveries, accounts, settings, times; and which post is which."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
import yaml
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reelpub.models.account import Account
from reelpub.models.job import Part
from reelpub.models.post import DeliveryStatus as D
from reelpub.models.post import PostStatus as P
from reelpub.models.problem import Severity
from reelpub.models.request import PublishRequest
from reelpub.models.settings import InstagramSettings, LinkedInSettings, TikTokSettings, YouTubeSettings
from reelpub.models.source import Clip, Draft
from reelpub.providers.reap import schemas
from reelpub.providers.reap.directory import Directory
from reelpub.providers.reap.mapping import (
    NO_REASON,
    delivery_status,
    post_status,
    read_account,
    read_post,
    stranger,
)
from reelpub.providers.reap.matching import Slot, candidates, clip_of, match, same_title, tell_apart
from reelpub.providers.reap.rules import LIMITS, schedule_problem, text_problems, whole_second
from reelpub.providers.reap.settings import settings_problems, wire_settings

TIKTOK = Account(id="t1", provider="reap", platform="tiktok", username="acme")
TIKTOK_2 = Account(id="t2", provider="reap", platform="tiktok", username="acme_two")
YOUTUBE = Account(id="y1", provider="reap", platform="youtube", username="acme")
NOW = 1_800_000_000


def wire(**members):
    defaults = {
        "id": "post-1",
        "project_id": "p",
        "clip_id": "c",
        "platforms": ("tiktok", "youtube"),
        "integrations": ("t1", "y1"),
        "status": "processing",
        "schedule_type": "immediate",
        "title": "Launch",
        "created_at": NOW,
    }
    return schemas.Post(**(defaults | members))


def post(accounts=(TIKTOK, YOUTUBE), **members):
    return read_post(wire(**members), publisher="reap", accounts=accounts)


def statuses(accounts=(TIKTOK, YOUTUBE), **members):
    return [delivery.status for delivery in post(accounts, **members).deliveries]


# ---- status of a post

POST_ROWS = {
    "processing": P.PUBLISHING,
    "draft": P.DRAFT,
    "scheduled": P.SCHEDULED,
    "completed": P.PUBLISHED,
    "failed": P.FAILED,
    "unresolved": P.PARTLY_PUBLISHED,
    "cancelled": P.CANCELLED,
}


@pytest.mark.parametrize(("raw", "expected"), POST_ROWS.items())
def test_each_status_of_the_contract(raw, expected):
    assert post_status(raw, is_timed=False) is expected


def test_the_rows_are_the_contract_s_vocabulary(pytestconfig):
    contract = yaml.safe_load((pytestconfig.rootpath / "docs/contracts/reap.openapi.yaml").read_text("utf-8"))
    assert set(POST_ROWS) == set(contract["components"]["schemas"]["PostStatus"]["enum"])


def test_a_draft_with_a_date_waits_for_it():
    assert post_status("draft", is_timed=True) is P.SCHEDULED
    assert post(status="draft", schedule_date=NOW).status is P.SCHEDULED


@pytest.mark.parametrize("raw", ["awaiting_moderation", "", None])
def test_an_unknown_status_is_other_and_keeps_the_word(raw):
    found = post(status=raw)
    assert (found.status, found.raw_status) == (P.OTHER, raw)
    assert [d.status for d in found.deliveries] == [D.OTHER, D.OTHER]
    assert [d.raw_status for d in found.deliveries] == [raw, raw]
    assert not found.is_terminal


# ---- status of a delivery

LISTED_NOWHERE = {
    "processing": D.PUBLISHING,
    "draft": D.PENDING,
    "scheduled": D.SCHEDULED,
    "completed": D.PUBLISHED,
    "failed": D.FAILED,
    "unresolved": D.UNKNOWN,
    "cancelled": D.CANCELLED,
}


@pytest.mark.parametrize(("raw", "expected"), LISTED_NOWHERE.items())
def test_an_account_in_neither_list_goes_by_the_post(raw, expected):
    assert statuses(status=raw) == [expected, expected]


@pytest.mark.parametrize("raw", LISTED_NOWHERE)
def test_the_lists_go_before_the_post_s_status(raw):
    found = statuses(status=raw, success_platforms=("TikTok",), failed_platforms=("youtube",))
    assert found == [D.PUBLISHED, LISTED_NOWHERE[raw] if raw in GOING_ON else D.FAILED]


GOING_ON = ("processing", "draft", "scheduled")


@pytest.mark.parametrize("raw", GOING_ON)
def test_what_may_still_come_right_hasn_t_failed(raw):
    """Sent again while the service tries on its own, it would be there twice."""
    found = post(status=raw, failed_platforms=("tiktok", "youtube"))
    assert not found.status.is_terminal
    assert [(one.status, one.error) for one in found.deliveries] == [(LISTED_NOWHERE[raw], None)] * 2
    mixed = post(status=raw, success_platforms=("tiktok",), failed_platforms=("youtube",))
    assert not mixed.status.is_terminal


def test_a_platform_in_both_lists_decides_nothing_once_it_has_ended():
    both = {"success_platforms": ("tiktok",), "failed_platforms": ("tiktok",)}
    assert statuses(status="unresolved", **both)[0] is D.UNKNOWN
    assert statuses(status="processing", **both)[0] is D.PUBLISHING


def test_two_accounts_of_a_platform_wait_for_the_end_of_the_post():
    accounts = (TIKTOK, TIKTOK_2)
    ids = {"integrations": ("t1", "t2"), "platforms": ("tiktok",)}
    assert statuses(accounts, status="processing", success_platforms=("tiktok",), **ids) == [D.PUBLISHING] * 2
    assert statuses(accounts, status="completed", success_platforms=("tiktok",), **ids) == [D.PUBLISHED] * 2
    both = {"success_platforms": ("tiktok",), "failed_platforms": ("tiktok",)}
    assert statuses(accounts, status="unresolved", **both, **ids) == [D.UNKNOWN] * 2


def test_what_is_live_is_never_called_failed():
    """Whatever else the answer says: a platform that is in the success list isn't sent to again."""
    for status, in_failed, is_shared in itertools.product(P, (True, False), (True, False)):
        found = delivery_status(status, is_in_success=True, is_in_failed=in_failed, is_shared=is_shared)
        assert found is not D.FAILED or not status.is_terminal


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"success_platforms": ("tiktok", "youtube")}, P.PUBLISHED),
        ({"failed_platforms": ("tiktok", "youtube")}, P.FAILED),
        ({"success_platforms": ("tiktok",), "failed_platforms": ("youtube",)}, P.PARTLY_PUBLISHED),
        ({"success_platforms": ("tiktok",)}, P.OTHER),
    ],
)
def test_the_post_s_status_follows_its_deliveries_once_all_are_told(lists, expected):
    """Whatever the word for that is."""
    assert post(status="brand_new", **lists).status is expected


def test_a_post_that_is_live_everywhere_has_ended():
    assert post(status="processing", success_platforms=("tiktok", "youtube")).status is P.PUBLISHED


def test_a_failure_says_that_there_is_no_reason():
    failed = post(status="failed").deliveries[0]
    assert (failed.error, failed.url, failed.published_at) == (NO_REASON, None, None)


def test_an_account_that_the_post_doesn_t_list_isn_t_told():
    found = post(status="completed", integrations=("y1",))
    assert [d.status for d in found.deliveries] == [D.UNKNOWN, D.PUBLISHED]
    assert "doesn't list" in found.deliveries[0].error


# ---- addresses, times, accounts


@pytest.mark.parametrize("key", ["t1", "tiktok", "TikTok"])
def test_an_address_is_found_by_integration_and_by_platform(key):
    found = post(status="completed", urls={key: "https://t.example/1"})
    assert [d.url for d in found.deliveries] == ["https://t.example/1", None]


def test_an_address_by_platform_names_no_one_of_two_accounts():
    ids = {"integrations": ("t1", "t2"), "platforms": ("tiktok",), "status": "completed"}
    found = post((TIKTOK, TIKTOK_2), urls={"tiktok": "https://t.example/1", "t2": "https://t.example/2"}, **ids)
    assert [d.url for d in found.deliveries] == [None, "https://t.example/2"]


def test_an_address_before_success_isn_t_told():
    assert post(status="processing", urls={"t1": "https://t.example/1"}).deliveries[0].url is None


def test_instants_are_aware_and_in_utc():
    found = post(status="completed", schedule_date=NOW, publish_date=NOW + 1, updated_at=NOW + 2)
    assert found.scheduled_at == datetime.fromtimestamp(NOW, UTC)
    assert found.published_at == found.deliveries[0].published_at == datetime.fromtimestamp(NOW + 1, UTC)
    assert found.created_at.tzinfo is UTC
    assert found.updated_at == datetime.fromtimestamp(NOW + 2, UTC)


@pytest.mark.parametrize("odd", [None, 0, 10**18, -(10**18)])
def test_an_impossible_instant_is_none(odd):
    assert post(schedule_date=odd).scheduled_at is None


def test_texts_are_kept():
    found = post(description="Words", title=None)
    assert (found.title, found.caption, found.provider, found.publisher) == (None, "Words", "reap", "reap")


def test_an_integration_becomes_an_account():
    found = read_account(schemas.Integration(id="i", platform="TikTok", is_active=False, username="u", name="n"))
    assert found == Account(id="i", provider="reap", platform="tiktok", username="u", name="n", is_active=False)
    bare = read_account(schemas.Integration(id="i"))
    assert (bare.platform, bare.is_active) == ("unknown", True)


@pytest.mark.parametrize(
    ("platforms", "integrations", "known", "expected"),
    [
        (("tiktok",), ("s",), (), "tiktok"),
        (("tiktok", "youtube"), ("t1", "s"), (TIKTOK,), "youtube"),
        (("tiktok", "youtube"), ("s", "other"), (), "unknown"),
        ((), ("s",), (), "unknown"),
    ],
)
def test_the_platform_of_an_unknown_account_where_it_follows(platforms, integrations, known, expected):
    assert stranger("s", wire(platforms=platforms, integrations=integrations), known).platform == expected


def test_the_directory_knows_accounts_and_remembers_posts():
    directory = Directory()
    assert not directory.knows(wire())
    assert [a.id for a in directory.accounts_of(wire())] == ["t1", "y1"]
    directory.learn([TIKTOK])
    assert directory.accounts_of(wire())[1] == Account(id="y1", provider="reap", platform="youtube")
    directory.learn([YOUTUBE])
    assert directory.knows(wire())
    directory.remember("post-1", [TIKTOK])
    assert directory.accounts_of(wire(integrations=())) == (TIKTOK,)
    assert directory.accounts_of(wire()) == (TIKTOK, YOUTUBE)


def test_the_directory_forgets_the_oldest_posts():
    directory = Directory()
    for number in range(10_001):
        directory.remember(f"post-{number}", [TIKTOK])
    assert directory.accounts_of(wire(id="post-0", integrations=())) == ()
    assert directory.accounts_of(wire(id="post-1", integrations=())) == (TIKTOK,)


# ---- settings


def test_settings_go_only_to_the_platforms_of_the_post():
    settings = {"TikTok": TikTokSettings(privacy="friends", disable_duet=True), "youtube": YouTubeSettings()}
    assert wire_settings(settings, ["tiktok", "youtube"]) == {"tiktok": {"privacy": "friends", "disableDuet": True}}
    assert wire_settings(settings, ["YouTube"]) == {}
    assert wire_settings({"x": {"a": 1}}, []) == {}


def test_a_mapping_is_sent_as_it_is():
    assert wire_settings({"instagram": {"shareToFeed": True}}, ["instagram"]) == {"instagram": {"shareToFeed": True}}


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"x": {}}, "settings.x"),
        ({"facebook": YouTubeSettings()}, "settings.facebook"),
        ({"youtube": {"madeForCats": True}}, "settings.youtube.madeForCats"),
        ({"youtube": TikTokSettings(disable_duet=True)}, "settings.youtube.disableDuet"),
        ({"youtube": YouTubeSettings(privacy="friends")}, "settings.youtube.privacy"),
        ({"tiktok": TikTokSettings(privacy="nobody")}, "settings.tiktok.privacy"),
        ({"tiktok": {"privacy": None}}, "settings.tiktok.privacy"),
        ({"instagram": InstagramSettings(share_to_feed="yes")}, "settings.instagram.shareToFeed"),
    ],
)
def test_wrong_settings_are_named(settings, field):
    (problem,) = settings_problems(settings)
    assert (problem.field, problem.is_error) == (field, True)


@pytest.mark.parametrize(
    "settings",
    [
        {"tiktok": TikTokSettings(privacy="followers")},
        {"tiktok": {"privacy": "unlisted"}},
        {"linkedin": LinkedInSettings(privacy="logged_in")},
    ],
)
def test_values_that_the_vendor_s_documents_disagree_on_only_warn(settings):
    (problem,) = settings_problems(settings)
    assert problem.severity is Severity.WARNING


def test_what_is_no_settings_at_all_is_left_to_the_common_checks():
    assert settings_problems({"tiktok": 5}) == []
    assert wire_settings({"tiktok": 5}, ["tiktok"]) == {}


def test_right_settings_have_no_problem():
    settings = {
        "YouTube": YouTubeSettings(privacy="unlisted", embeddable=False),
        "tiktok": {"privacy": "public", "brandContent": True},
    }
    assert settings_problems(settings) == []


# ---- times and texts


def test_a_fraction_of_a_second_is_rounded_up():
    at = datetime.fromtimestamp(NOW, UTC)
    assert whole_second(at) == NOW
    assert whole_second(at + timedelta(microseconds=1)) == NOW + 1
    assert whole_second(at.astimezone(timezone(timedelta(hours=5, minutes=30)))) == NOW


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_date_is_never_early_and_less_than_a_second_late(at):
    late = datetime.fromtimestamp(whole_second(at), UTC) - at
    assert timedelta(0) <= late < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("lead", "limit"),
    [(0, "after"), (2999, "at least 50 minutes ahead"), (3000, None), (365 * 86_400, None)],
)
def test_the_window_for_dates(lead, limit):
    problem = schedule_problem(NOW + lead, NOW, LIMITS)
    assert (problem is None) == (limit is None)
    if problem is not None:
        assert problem.field == "at"
        assert limit in problem.limit


def test_the_cap_is_twelve_months_of_the_calendar():
    leap_day = datetime(2028, 2, 29, 12, tzinfo=UTC).timestamp()
    a_year_on = int(datetime(2029, 2, 28, 12, tzinfo=UTC).timestamp())
    assert schedule_problem(a_year_on, leap_day, LIMITS) is None
    assert schedule_problem(a_year_on + 1, leap_day, LIMITS).limit == "at most 12 months ahead"
    before_leap_day = datetime(2027, 3, 1, tzinfo=UTC).timestamp()
    after_leap_day = int(datetime(2028, 3, 1, tzinfo=UTC).timestamp())
    assert schedule_problem(after_leap_day, before_leap_day, LIMITS) is None


def test_limits_for_changing_a_post():
    found = text_problems("t" * 251, "c" * 1001, ["x"] * 11)
    assert [(p.field, p.limit) for p in found] == [
        ("title", "at most 250"),
        ("caption", "at most 1000"),
        ("tags", "at most 10"),
    ]
    assert text_problems("t" * 250, "c" * 1000, ["x"] * 10) == text_problems(None, None, None) == []


# ---- which post is which


def part(*, at=None, title="Launch", accounts=(TIKTOK, YOUTUBE)):
    request = PublishRequest(Clip("p", "c"), title=title, accounts=[a.id for a in accounts])
    return Part(id="part", job_id="job", request=request, accounts=accounts, at=at)


AT = datetime.fromtimestamp(NOW + 4000, UTC)
TIMED = {"schedule_type": "scheduled", "schedule_date": NOW + 4000}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, True),
        ({"integrations": ("y1", "t1")}, True),
        ({"created_at": NOW - 1}, False),
        ({"project_id": "other"}, False),
        ({"clip_id": "other"}, False),
        ({"integrations": ("x1",)}, False),
        ({"integrations": ("t1", "y1", "x1")}, False),
        ({"integrations": ("t1", "x1")}, False),
        ({"title": "Another"}, False),
        (TIMED, False),
        ({"project_id": None}, None),
        ({"clip_id": None}, None),
        ({"integrations": ()}, None),
        ({"integrations": ("t1",)}, None),
        ({"title": None}, None),
        ({"created_at": None}, None),
        ({"schedule_type": None, "schedule_date": NOW}, None),
        ({"schedule_type": None}, True),
        ({"project_id": None, "clip_id": "other"}, False),
    ],
)
def test_a_post_made_now(members, expected):
    assert match(wire(**members), part(), not_before=NOW) is expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (TIMED, True),
        (TIMED | {"schedule_type": None}, True),
        (TIMED | {"schedule_date": NOW + 3700}, None),
        (TIMED | {"schedule_date": None}, None),
        ({}, False),
    ],
)
def test_a_scheduled_post(members, expected):
    assert match(wire(**members), part(at=AT), not_before=NOW) is expected


def test_taken_posts_are_no_candidates():
    posts = [wire(id="a"), wire(id="b"), wire(id="c", title=None), wire(id="d", clip_id="other")]
    found = candidates(posts, part(), not_before=NOW, taken=frozenset({"a"}))
    assert ([p.id for p in found.sure], [p.id for p in found.doubtful]) == (["b"], ["c"])


@pytest.mark.parametrize(
    ("sent", "seen", "expected"),
    [
        (None, "the clip's own", True),
        ("Launch", "Launch", True),
        ("  Launch\nday ", "Launch day", True),
        ("Q&A <live>", "Q&amp;A &lt;live&gt;", True),
        ("Cafe\u0301", "Caf\u00e9", True),
        ("Launch", "launch", False),
        ("Launch day", "Launch", False),
        ("x" * 300, "x" * 250, None),
        ("x" * 300, "x" * 80 + "…", None),
        ("x" * 300, "x" * 79, False),
        ("Launch", None, None),
    ],
)
def test_titles(sent, seen, expected):
    assert same_title(sent, seen) is expected


def test_only_clips_are_reap_s():
    with pytest.raises(TypeError, match="Draft"):
        clip_of(evolve(part(), request=PublishRequest(Draft("d"))))


# ---- the answer to schedule-clips

SLOTS = [Slot(project_id="p", clip_id=f"c{i}", date=NOW + i * 300) for i in range(4)]


def made(index, *, date="as asked", **members):
    slot = SLOTS[index]
    at = slot.date if date == "as asked" else date
    return wire(**({"id": f"post-{index}", "clip_id": slot.clip_id, "schedule_date": at} | members))


def refused(index, clip=None, error="no"):
    return schemas.ScheduleFailure(index=index, clip_id=clip, error=error)


def told(posts, failed=(), slots=SLOTS):
    answer = schemas.ScheduleResult(posts=tuple(posts), failed=tuple(failed))
    return [getattr(result, "id", None) or getattr(result, "error", None) for result in tell_apart(slots, answer)]


def test_all_accepted_in_any_order():
    expected = ["post-0", "post-1", "post-2", "post-3"]
    assert told([made(i) for i in range(4)]) == expected
    assert told([made(i) for i in (3, 1, 0, 2)]) == expected


def test_refusals_go_by_their_index():
    assert told([made(0), made(2)], [refused(1, "c1"), refused(3)]) == ["post-0", "no", "post-2", "no"]


def test_an_index_that_counts_from_one_is_seen_by_the_clip():
    assert told([made(0), made(2), made(3)], [refused(2, "c1")]) == ["post-0", "no", "post-2", "post-3"]


@pytest.mark.parametrize("index", [9, None, 3, -1])
def test_the_only_refusal_is_of_the_only_clip_without_a_post(index):
    """Also where the index counts from one and would name a clip that was accepted."""
    assert told([made(0), made(1), made(3)], [refused(index)]) == ["post-0", "post-1", "no", "post-3"]


def test_two_vague_refusals_are_of_the_two_clips_without_a_post():
    assert told([made(0), made(3)], [refused(None), refused(9)]) == ["post-0", "no", "no", "post-3"]


def test_the_same_clip_that_moved_up_is_told_by_its_title():
    slots = [Slot(project_id="p", clip_id="c", date=NOW + i * 300, title=f"Part {i}") for i in range(3)]
    posts = [wire(id=f"post-{i}", title=f"Part {i}", schedule_date=NOW + (i - 1) * 300) for i in (1, 2)]
    assert told(posts, [refused(0, "c")], slots) == ["no", "post-1", "post-2"]


def test_clips_that_moved_up_are_told_by_their_order():
    posts = [made(0), made(2, date=SLOTS[1].date), made(3, date=SLOTS[2].date)]
    assert told(posts, [refused(1, "c1")]) == ["post-0", "no", "post-2", "post-3"]


def test_posts_without_dates_are_told_by_their_order():
    posts = [made(i, date=None, project_id=None, clip_id=None) for i in range(4)]
    assert told(posts) == ["post-0", "post-1", "post-2", "post-3"]


def test_the_same_clip_at_two_times_is_told_by_the_date():
    slots = [Slot(project_id="p", clip_id="c", date=NOW), Slot(project_id="p", clip_id="c", date=NOW + 300)]
    posts = [wire(id="late", schedule_date=NOW + 300), wire(id="early", schedule_date=NOW)]
    assert told(posts, slots=slots) == ["early", "late"]


@pytest.mark.parametrize(
    ("posts", "failed", "expected"),
    [
        ([made(0)], [], ["post-0", None, None, None]),
        ([made(0, date=None), made(1, date=None)], [], [None] * 4),
        ([made(0)], [refused(9), refused(None)], ["post-0", None, None, None]),
        ([made(0), made(1, date=NOW - 1)], [refused(9), refused(None)], ["post-0", None, None, None]),
        ([made(0), made(0, id="again"), made(1)], [], [None, "post-1", None, None]),
        ([made(0), made(1), made(2), made(3, date=None, clip_id="odd")], [], ["post-0", "post-1", "post-2", None]),
    ],
)
def test_what_can_t_be_told_is_left_open(posts, failed, expected):
    assert told(posts, failed) == expected
