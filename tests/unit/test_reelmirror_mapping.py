"""ReelMirror's words in the library's: tables row by row, and every decision that is a function of values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from attrs import evolve

from reelpub.errors import ValidationError
from reelpub.models.account import Account
from reelpub.models.job import Part
from reelpub.models.outcome import CancelResult
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.settings import InstagramSettings, TikTokSettings
from reelpub.models.source import GeneratedPost, MediaItem, MediaItems
from reelpub.providers.base import Absent, Found, Undecided
from reelpub.providers.reelmirror import decisions, schemas
from reelpub.providers.reelmirror.content import content_of_post, content_of_source, edits, platform_settings
from reelpub.providers.reelmirror.mapping import DELIVERY_STATUS, POST_STATUS, account_of, post_of, post_status
from reelpub.providers.reelmirror.targets import Match, compare, shown

CONTRACT = yaml.safe_load(
    (Path(__file__).parents[2] / "docs" / "contracts" / "reelmirror.openapi.yaml").read_text(encoding="utf-8")
)
SCHEMAS = CONTRACT["components"]["schemas"]
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)

INSTAGRAM = Account(id="a-instagram", provider="reelmirror", platform="instagram", username="acme")
TIKTOK = Account(id="a-tiktok", provider="reelmirror", platform="tiktok", username="acme")

D = DeliveryStatus
P = PostStatus


def raw_delivery(account=INSTAGRAM, status="pending", **members):
    members = {
        "id": f"d-{account.platform}",
        "connected_account_id": account.id,
        "platform": account.platform,
        "username": account.username,
        **members,
    }
    return schemas.Delivery(status=status, **members)


def raw_post(*deliveries, status="publishing", **members):
    return schemas.OutgoingPost(id="p-1", status=status, deliveries=deliveries, **members)


def resolve(delivery):
    return {account.id: account for account in (INSTAGRAM, TIKTOK)}[delivery.connected_account_id]


def mapped(raw):
    return post_of(raw, publisher="main", resolve=resolve)


def delivery(status, account=INSTAGRAM, **members):
    return Delivery(account=account, status=status, **members)


def post(status=P.PUBLISHING, *deliveries, **members):
    return Post(id="p-1", provider="reelmirror", publisher="main", status=status, deliveries=deliveries, **members)


def part(**members):
    request = members.pop("request", PublishRequest(GeneratedPost("g-1"), caption="Hi"))
    return Part(**{"id": "part-1", "job_id": "job-1", "request": request, "accounts": (INSTAGRAM, TIKTOK), **members})


# --- the tables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("draft", P.DRAFT),
        ("published", P.PUBLISHED),
        ("failed", P.FAILED),
        ("scheduled", P.SCHEDULED),
        ("publishing", P.PUBLISHING),
        ("cancelled", P.CANCELLED),
        ("partial", P.PARTLY_PUBLISHED),
        ("on_the_moon", P.OTHER),
    ],
)
def test_a_post_without_deliveries_goes_by_its_own_word(word, status):
    seen = mapped(raw_post(status=word))
    assert (seen.status, seen.raw_status, seen.deliveries) == (status, word, ())


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", D.PENDING),
        ("publishing", D.PUBLISHING),
        ("published", D.PUBLISHED),
        ("failed", D.FAILED),
        ("vanished", D.OTHER),
    ],
)
def test_each_delivery_word_has_its_status(word, status):
    (seen,) = mapped(raw_post(raw_delivery(status=word))).deliveries
    assert (seen.status, seen.raw_status, seen.account) == (status, word, INSTAGRAM)


def test_the_tables_hold_the_contracts_vocabulary_and_nothing_else():
    known = {row["value"] for row in SCHEMAS["OutgoingPostStatus"]["x-known-values"]}
    assert set(POST_STATUS) == known
    assert set(DELIVERY_STATUS) == set(SCHEMAS["DeliveryStatus"]["enum"])


@pytest.mark.parametrize(
    ("word", "status"),
    [("draft", D.PENDING), ("scheduled", D.SCHEDULED), ("cancelled", D.CANCELLED), ("publishing", D.PENDING)],
)
def test_a_pending_delivery_takes_the_state_that_its_post_is_in(word, status):
    (seen,) = mapped(raw_post(raw_delivery(), status=word)).deliveries
    assert seen.status is status


@pytest.mark.parametrize(
    ("stated", "found", "status"),
    [
        (P.PUBLISHING, [D.PUBLISHED, D.PUBLISHED], P.PUBLISHED),
        (P.FAILED, [D.PUBLISHED, D.PUBLISHED], P.PUBLISHED),
        (P.PUBLISHED, [D.PUBLISHED, D.FAILED], P.PARTLY_PUBLISHED),
        (P.FAILED, [D.PUBLISHED, D.FAILED], P.PARTLY_PUBLISHED),
        (P.PARTLY_PUBLISHED, [D.PUBLISHED, D.FAILED], P.PARTLY_PUBLISHED),
        (P.PUBLISHED, [D.FAILED, D.FAILED], P.FAILED),
        (P.PUBLISHED, [D.PUBLISHED, D.PENDING], P.PUBLISHING),
        (P.FAILED, [D.FAILED, D.PENDING], P.PUBLISHING),
        (P.DRAFT, [D.PENDING, D.PENDING], P.DRAFT),
        (P.DRAFT, [D.PENDING, D.PUBLISHING], P.PUBLISHING),
        (P.SCHEDULED, [D.SCHEDULED, D.SCHEDULED], P.SCHEDULED),
        (P.SCHEDULED, [D.SCHEDULED, D.PUBLISHED], P.PUBLISHING),
        (P.CANCELLED, [D.CANCELLED, D.CANCELLED], P.CANCELLED),
        (P.CANCELLED, [D.CANCELLED, D.PUBLISHED], P.PARTLY_PUBLISHED),
        (P.OTHER, [D.PENDING, D.PENDING], P.OTHER),
        (P.OTHER, [D.PUBLISHED, D.PUBLISHED], P.PUBLISHED),
        (P.OTHER, [D.PUBLISHING, D.PENDING], P.PUBLISHING),
        (P.PUBLISHING, [D.PUBLISHED, D.OTHER], P.OTHER),
    ],
)
def test_the_deliveries_decide_the_posts_status(stated, found, status):
    assert post_status(stated, [delivery(one) for one in found]) is status


# --- posts and accounts -----------------------------------------------------------------------------------------


def test_a_published_post_keeps_every_fact_that_the_provider_gives():
    first = raw_delivery(status="published", platform_post_id="1799", published_at=NOW)
    later = NOW + timedelta(seconds=9)
    second = raw_delivery(TIKTOK, status="published", published_at=later)
    seen = mapped(raw_post(first, second, status="published", caption="Hi", scheduled_for=NOW, created_at=NOW))
    assert (seen.id, seen.provider, seen.publisher, seen.caption) == ("p-1", "reelmirror", "main", "Hi")
    assert (seen.scheduled_at, seen.published_at, seen.created_at) == (NOW, later, NOW)
    assert seen.deliveries[0].platform_post_id == "1799"
    assert seen.is_terminal


def test_the_providers_words_stand_on_a_failure_only():
    failed = raw_delivery(status="failed", error_message="Too long")
    renewed = raw_delivery(TIKTOK, status="pending", error_message="of the try before")
    seen = mapped(raw_post(failed, renewed))
    assert [one.error for one in seen.deliveries] == ["Too long", None]
    assert seen.published_at is None


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["failed", "pending"], D.PENDING),
        (["published", "failed"], D.PUBLISHED),
        (["failed", "published"], D.PUBLISHED),
        (["publishing", "failed"], D.PUBLISHING),
        (["failed", "odd"], D.OTHER),
    ],
)
def test_an_account_that_stands_in_a_post_twice_has_one_delivery(words, status):
    seen = mapped(raw_post(*(raw_delivery(status=word) for word in words)))
    assert [one.status for one in seen.deliveries] == [status]


@pytest.mark.parametrize(
    ("status", "is_active"), [(None, True), (schemas.AccountStatus.ACTIVE, True), ("expired", False)]
)
def test_an_account_is_active_by_that_word_or_by_none(status, is_active):
    raw = schemas.ConnectedAccount(id="a-1", platform=schemas.Platform.TIKTOK, username="acme", status=status)
    seen = account_of(raw)
    assert (seen.id, str(seen), seen.is_active) == ("a-1", "tiktok:acme", is_active)
    assert seen.status == (None if status is None else str(status))


def test_an_account_without_a_platform_is_unknown_rather_than_an_error():
    assert account_of(schemas.ConnectedAccount(id="a-1")).platform == "unknown"


# --- what an answer means ---------------------------------------------------------------------------------------


def accepted(shown, **members):
    return decisions.accepted(shown, post_id="p-1", publisher="main", part=part(**members))


def test_an_answer_without_the_post_means_the_parts_accounts_all_pending():
    seen = accepted(None)
    assert (seen.id, seen.status, seen.publisher, seen.caption) == ("p-1", P.PUBLISHING, "main", "Hi")
    assert [(one.account, one.status) for one in seen.deliveries] == [(INSTAGRAM, D.PENDING), (TIKTOK, D.PENDING)]


def test_an_answer_about_another_record_is_no_answer_about_the_post():
    stray = evolve(post(P.PUBLISHED), id="job-7")
    assert accepted(stray) == accepted(None)


def test_an_answer_that_still_shows_the_draft_means_publishing():
    shown = post(P.DRAFT, delivery(D.PENDING), raw_status="draft")
    seen = accepted(shown)
    assert (seen.status, seen.raw_status, seen.is_terminal) == (P.PUBLISHING, "draft", False)


def test_an_answer_with_a_post_but_no_deliveries_isnt_the_end():
    seen = accepted(post(P.PUBLISHED, published_at=NOW))
    assert (seen.status, seen.published_at, len(seen.deliveries)) == (P.PUBLISHING, None, 2)


def test_an_answer_with_finished_deliveries_is_believed():
    seen = accepted(post(P.PARTLY_PUBLISHED, delivery(D.PUBLISHED), delivery(D.FAILED, TIKTOK, error="no")))
    assert (seen.status, seen.deliveries[1].error) == (P.PARTLY_PUBLISHED, "no")


def test_an_accepted_retry_renews_the_failures_that_its_answer_still_shows():
    shown = post(P.FAILED, delivery(D.FAILED, error="no"), delivery(D.FAILED, TIKTOK, error="no"))
    seen = accepted(shown, retries="p-1")
    assert seen.status is P.PUBLISHING
    assert [(one.status, one.error) for one in seen.deliveries] == [(D.PENDING, None)] * 2


def scheduled(shown):
    return decisions.scheduled(shown, post_id="p-1", publisher="main", part=part(at=NOW))


@pytest.mark.parametrize(
    "shown",
    [
        None,
        post(P.DRAFT, delivery(D.PENDING), delivery(D.PENDING, TIKTOK)),
        post(P.SCHEDULED, delivery(D.SCHEDULED), delivery(D.SCHEDULED, TIKTOK), scheduled_at=NOW),
        post(P.SCHEDULED),
        evolve(post(P.FAILED), id="job-7"),
    ],
)
def test_every_answer_to_schedule_that_isnt_beyond_it_means_scheduled(shown):
    seen = scheduled(shown)
    assert (seen.id, seen.status, seen.scheduled_at) == ("p-1", P.SCHEDULED, NOW)
    assert [one.status for one in seen.deliveries] == [D.SCHEDULED, D.SCHEDULED]


def test_the_instant_that_the_provider_shows_is_told_even_where_it_isnt_the_one_asked_for():
    other = NOW + timedelta(hours=5)
    assert scheduled(post(P.SCHEDULED, scheduled_at=other)).scheduled_at == other


def test_an_answer_that_is_beyond_scheduled_is_believed():
    seen = scheduled(post(P.PUBLISHING, delivery(D.PUBLISHING)))
    assert (seen.status, seen.scheduled_at) == (P.PUBLISHING, NOW)


# --- looking for a lost attempt ---------------------------------------------------------------------------------


def test_a_draft_that_is_still_one_wasnt_published():
    assert decisions.finding(post(P.DRAFT, delivery(D.PENDING)), part()) == Absent()


@pytest.mark.parametrize("status", [one for one in P if one is not P.DRAFT])
def test_a_post_beyond_the_draft_is_found(status):
    seen = post(status)
    assert decisions.finding(seen, part(at=NOW)) == Found(seen)


@pytest.mark.parametrize(
    ("statuses", "is_found"),
    [
        ([D.FAILED, D.FAILED], False),
        ([D.PENDING, D.FAILED], True),
        ([D.PUBLISHED, D.PUBLISHED], True),
        ([D.OTHER, D.FAILED], True),
    ],
)
def test_a_retry_is_found_when_a_delivery_has_left_failed(statuses, is_found):
    seen = post(P.FAILED, delivery(statuses[0]), delivery(statuses[1], TIKTOK))
    assert decisions.finding(seen, part(retries="p-1")) == (Found(seen) if is_found else Absent())


def test_a_published_delivery_beside_those_retried_proves_nothing():
    seen = post(P.PARTLY_PUBLISHED, delivery(D.PUBLISHED), delivery(D.FAILED, TIKTOK))
    assert decisions.finding(seen, part(retries="p-1", accounts=(TIKTOK,))) == Absent()
    assert decisions.finding(seen, part(retries="p-1", accounts=())) == Found(seen)


def test_a_retried_post_without_its_deliveries_decides_nothing():
    assert isinstance(decisions.finding(post(P.FAILED), part(retries="p-1")), Undecided)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (P.CANCELLED, CancelResult.CANCELLED),
        (P.DRAFT, CancelResult.CANCELLED),
        (P.SCHEDULED, None),
        (P.PUBLISHING, CancelResult.TOO_LATE),
        (P.PUBLISHED, CancelResult.TOO_LATE),
        (P.PARTLY_PUBLISHED, CancelResult.TOO_LATE),
        (P.FAILED, CancelResult.TOO_LATE),
        (P.OTHER, CancelResult.UNKNOWN),
    ],
)
def test_what_a_cancellation_came_to_is_read_off_the_post(status, result):
    assert decisions.cancel_result(post(status)) is result


# --- retrying what failed ---------------------------------------------------------------------------------------

ALL_FAILED = post(P.FAILED, delivery(D.FAILED), delivery(D.FAILED, TIKTOK))
MIXED = post(P.PARTLY_PUBLISHED, delivery(D.PUBLISHED), delivery(D.FAILED, TIKTOK))


@pytest.mark.parametrize(
    ("seen", "in_place", "copy_of", "retries", "accounts"),
    [
        (ALL_FAILED, None, None, "p-1", (INSTAGRAM, TIKTOK)),
        (ALL_FAILED, True, None, "p-1", (INSTAGRAM, TIKTOK)),
        (ALL_FAILED, False, "p-1", None, (INSTAGRAM, TIKTOK)),
        (MIXED, None, "p-1", None, (TIKTOK,)),
        (MIXED, True, None, "p-1", (TIKTOK,)),
        (MIXED, False, "p-1", None, (TIKTOK,)),
    ],
)
def test_a_retry_never_touches_what_is_live_unless_asked_to(seen, in_place, copy_of, retries, accounts):
    before = part(at=NOW, copy_of="p-0")
    made = decisions.retry_part(before, seen, in_place=in_place)
    assert (made.copy_of, made.retries, made.accounts, made.at) == (copy_of, retries, accounts, None)
    assert (made.id, made.job_id, made.request) == (before.id, before.job_id, before.request)


@pytest.mark.parametrize("seen", [post(P.PUBLISHED, delivery(D.PUBLISHED)), post(P.FAILED)])
def test_nothing_to_retry_is_an_error_that_names_the_post(seen):
    with pytest.raises(ValidationError, match="post: post p-1 has no failed delivery"):
        decisions.retry_part(part(), seen, in_place=None)


@pytest.mark.parametrize(
    ("at", "said"),
    [(None, "at: a time is needed"), (NOW, "at: has passed .*later than 2027-03-01T12:00:00")],
)
def test_a_time_to_schedule_for_must_lie_ahead(at, said):
    with pytest.raises(ValidationError, match=said):
        decisions.due(part(at=at), NOW.timestamp())
    assert decisions.due(part(at=NOW), NOW.timestamp() - 1) == NOW


# --- the accounts of a draft ------------------------------------------------------------------------------------


def anonymous(account, **members):
    return raw_delivery(account, connected_account_id=None, **members)


@pytest.mark.parametrize(
    ("asked", "deliveries", "match"),
    [
        ((INSTAGRAM, TIKTOK), [raw_delivery(TIKTOK), raw_delivery(INSTAGRAM)], Match.SAME),
        ((INSTAGRAM, TIKTOK), [anonymous(INSTAGRAM, username="ACME"), anonymous(TIKTOK)], Match.SAME),
        ((INSTAGRAM,), [raw_delivery(INSTAGRAM), raw_delivery(TIKTOK)], Match.DIFFERENT),
        ((INSTAGRAM, TIKTOK), [raw_delivery(INSTAGRAM)], Match.DIFFERENT),
        ((INSTAGRAM,), [anonymous(TIKTOK)], Match.DIFFERENT),
        ((INSTAGRAM,), [anonymous(INSTAGRAM, username="acme_two")], Match.DIFFERENT),
        ((INSTAGRAM,), [raw_delivery(INSTAGRAM), raw_delivery(INSTAGRAM)], Match.DIFFERENT),
        ((), [raw_delivery(INSTAGRAM)], Match.DIFFERENT),
        ((INSTAGRAM,), [], Match.HIDDEN),
        ((INSTAGRAM,), [anonymous(INSTAGRAM, username=None)], Match.HIDDEN),
        ((evolve(INSTAGRAM, username=None),), [anonymous(INSTAGRAM)], Match.HIDDEN),
    ],
)
def test_a_draft_is_compared_account_by_account(asked, deliveries, match):
    assert compare(asked, deliveries) is match


def test_the_accounts_of_a_draft_are_named_as_people_write_them():
    named = [raw_delivery(INSTAGRAM), raw_delivery(TIKTOK, username=None), anonymous(TIKTOK, username=None)]
    assert shown(named) == "instagram:acme, tiktok:a-tiktok, tiktok:?"


# --- what goes into a draft -------------------------------------------------------------------------------------


def test_media_items_keep_their_order_and_their_voice():
    source = MediaItems(["m-1", MediaItem("m-2", use_voice_converted=True)], persona_id="per-1")
    content = content_of_source(PublishRequest(source, caption="Hi"))
    assert [(one.generated_media_item_id, one.position, one.use_voice_converted) for one in content.items] == [
        ("m-1", 0, None),
        ("m-2", 1, True),
    ]
    assert (content.persona_id, content.caption, content.settings) == ("per-1", "Hi", None)
    assert content_of_source(PublishRequest(GeneratedPost("g-1"))) is None


def copied(request, **members):
    item = schemas.OutgoingPostItem(generated_media_item_id="m-1", position=3, use_voice_converted=False)
    members = {"items": (item,), "persona_id": "per-1", "caption": "Old", "platform_settings": {"x": 1}, **members}
    return content_of_post(raw_post(**members), request)


def test_a_copy_takes_over_what_the_request_leaves_open():
    content = copied(PublishRequest(GeneratedPost("g-1")))
    (item,) = content.items
    assert (item.generated_media_item_id, item.position, item.use_voice_converted) == ("m-1", 3, False)
    assert (content.persona_id, content.caption, content.settings) == ("per-1", "Old", {"x": 1})


def test_a_copy_prefers_the_requests_own_caption_even_an_empty_one():
    settings = {"instagram": InstagramSettings(share_to_feed=True)}
    content = copied(PublishRequest(GeneratedPost("g-1"), caption="", settings=settings))
    assert (content.caption, content.settings) == ("", {"instagram": {"share_to_feed": True}})


@pytest.mark.parametrize("items", [(), (schemas.OutgoingPostItem(id="i-1"),)])
def test_a_post_that_hides_media_cant_be_copied(items):
    assert copied(PublishRequest(GeneratedPost("g-1")), items=items) is None


def test_typed_settings_go_out_without_what_wasnt_set_and_mappings_as_they_are():
    settings = {"tiktok": TikTokSettings(privacy="friends"), "instagram": {"anyKey": None}}
    assert platform_settings(PublishRequest(GeneratedPost("g-1"), settings=settings)) == {
        "tiktok": {"privacy": "friends"},
        "instagram": {"anyKey": None},
    }
    assert platform_settings(PublishRequest(GeneratedPost("g-1"), settings={"tiktok": TikTokSettings()})) is None


def test_an_edit_changes_only_what_was_given():
    assert edits(PublishRequest(GeneratedPost("g-1")), ()) == {}
    assert edits(PublishRequest(GeneratedPost("g-1"), caption=""), (TIKTOK,)) == {
        "caption": "",
        "target_account_ids": ["a-tiktok"],
    }
