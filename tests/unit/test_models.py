"""The shared values: what they turn their arguments into, what they say of themselves, and how they add up."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest

from reelpub.models.account import Account, AccountRef, Platform
from reelpub.models.capability import Capabilities, Feature
from reelpub.models.event import EventsMissed, JobEvent, JobSettled
from reelpub.models.outcome import Outcome, OutcomeStatus, Report
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.problem import Problem, Severity
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItem, MediaItems
from reelpub.models.when import GapPolicy, LocalTime

TIKTOK = Account(id="acc-1", provider="p", platform="tiktok", username="Acme")
YOUTUBE = Account(id="acc-2", provider="p", platform="youtube")


def delivery(status, account=TIKTOK, **members):
    return Delivery(account=account, status=status, **members)


def post(status=PostStatus.PUBLISHING, deliveries=()):
    return Post(id="p1", provider="p", publisher="pub", status=status, deliveries=deliveries)


def outcome(status, *deliveries, **members):
    request = PublishRequest(GeneratedPost("g1"))
    return Outcome(request=request, job_id="j", publisher="pub", status=status, deliveries=tuple(deliveries), **members)


class TestAccounts:
    def test_is_named_by_platform_and_username_or_id(self):
        assert (str(TIKTOK), str(YOUTUBE)) == ("tiktok:Acme", "youtube:acc-2")

    @pytest.mark.parametrize(
        "text", ["acc-1", "tiktok:Acme", "tiktok:acme", "TikTok:ACME", "tiktok:@acme", "tiktok:acc-1"]
    )
    def test_ref_matches_by_id_and_by_name_without_regard_to_case(self, text):
        assert AccountRef(text).matches(TIKTOK)

    @pytest.mark.parametrize("text", ["acc-2", "Acme", "youtube:acme", "tiktok:", ":acme", "tiktok:acm", "", "ACC-1"])
    def test_ref_does_not_match_other_accounts(self, text):
        assert not AccountRef(text).matches(TIKTOK)

    def test_ref_without_a_username_at_the_provider_matches_by_id_alone(self):
        assert AccountRef("youtube:acc-2").matches(YOUTUBE)
        assert not AccountRef("youtube:acme").matches(YOUTUBE)

    def test_ref_takes_itself_apart(self):
        ref = AccountRef(" TikTok : @acme ")
        assert (ref.platform, ref.username) == ("tiktok", "acme")
        assert (AccountRef("acc-1").platform, AccountRef("acc-1").username) == (None, None)

    def test_platforms_are_plain_text(self):
        assert f"{Platform.TIKTOK}:acme" == "tiktok:acme"


class TestRequests:
    def test_lists_become_tuples_and_keys_text(self):
        request = PublishRequest(
            Clip("p", "c"), tags=["a"], accounts=(name for name in ["x"]), settings={Platform.TIKTOK: {"a": 1}}
        )
        assert (request.tags, request.accounts, request.settings) == (("a",), ("x",), {"tiktok": {"a": 1}})
        assert {type(key) for key in request.settings} == {str}

    @pytest.mark.parametrize("value", ["acme", b"acme", 5, None, {"a": 1}])
    def test_what_is_no_list_stays_as_it_is_for_the_checks_to_name(self, value):
        assert PublishRequest(Clip("p", "c"), accounts=value, tags=value).accounts == value

    def test_what_is_no_mapping_stays_as_it_is_for_the_checks_to_name(self):
        assert PublishRequest(Clip("p", "c"), settings=["x"]).settings == ["x"]

    def test_is_named_by_its_reference_or_its_source(self):
        assert str(PublishRequest(Clip("p", "c"))) == "p/c"
        assert str(PublishRequest(Clip("p", "c"), reference="launch")) == "launch"

    def test_sources_are_named_by_their_ids(self):
        assert str(GeneratedPost("g")) == "g"
        assert str(Draft("d")) == "d"
        assert str(MediaItems(["a", MediaItem("b", use_voice_converted=True)])) == "a+b"

    def test_media_items_take_ids_and_items_and_leave_the_rest_to_the_checks(self):
        assert MediaItems(["a"]).items == (MediaItem("a"),)
        assert MediaItems("abc").items == "abc"
        assert MediaItems(5).items == 5

    def test_everything_but_the_source_is_keyword_only(self):
        with pytest.raises(TypeError):
            PublishRequest(Clip("p", "c"), "caption")

    def test_requests_are_values(self):
        assert PublishRequest(Clip("p", "c"), tags=["a"]) == PublishRequest(Clip("p", "c"), tags=("a",))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            PublishRequest(Clip("p", "c")).caption = "x"

    def test_equal_requests_have_one_hash_whatever_their_settings(self):
        """So that what became of a request can be kept by it."""
        one, other = (PublishRequest(Clip("p", "c"), settings={"tiktok": {"tags": ["a"]}}) for _ in range(2))
        assert {one: "first", other: "second"} == {one: "second"}
        assert len({one, other, PublishRequest(Clip("p", "c"))}) == 2

    def test_local_time_says_what_was_meant(self):
        time = LocalTime("2027-03-28 02:30", "Europe/Oslo", gap=GapPolicy.LATER)
        assert str(time) == "2027-03-28 02:30 Europe/Oslo"


class TestProblems:
    def test_says_field_value_and_limit(self):
        problem = Problem(field="tags", message="has 11 tags", value=11, limit="at most 10")
        assert str(problem) == "tags: has 11 tags (given: 11) [limit: at most 10]"
        assert problem.is_error

    def test_says_no_more_than_there_is(self):
        assert str(Problem(field="source", message="is missing")) == "source: is missing"

    def test_cuts_long_values(self):
        text = str(Problem(field="caption", message="is long", value="x" * 5000))
        assert len(text) < 120
        assert "(5002 characters)" in text

    def test_a_warning_stops_nothing(self):
        assert not Problem(field="title", message="is long", severity=Severity.WARNING).is_error


class TestStatuses:
    @pytest.mark.parametrize(
        ("status", "is_terminal", "is_provably_not_live"),
        [
            (DeliveryStatus.PENDING, False, False),
            (DeliveryStatus.SCHEDULED, False, False),
            (DeliveryStatus.PUBLISHING, False, False),
            (DeliveryStatus.PUBLISHED, True, False),
            (DeliveryStatus.FAILED, True, True),
            (DeliveryStatus.CANCELLED, True, False),
            (DeliveryStatus.REFUSED, True, True),
            (DeliveryStatus.NOT_SENT, True, True),
            (DeliveryStatus.UNKNOWN, True, False),
            (DeliveryStatus.OTHER, False, False),
        ],
    )
    def test_deliveries(self, status, is_terminal, is_provably_not_live):
        assert (status.is_terminal, status.is_provably_not_live) == (is_terminal, is_provably_not_live)

    @pytest.mark.parametrize(
        ("status", "is_terminal"),
        [
            (PostStatus.DRAFT, False),
            (PostStatus.SCHEDULED, False),
            (PostStatus.PUBLISHING, False),
            (PostStatus.PUBLISHED, True),
            (PostStatus.PARTLY_PUBLISHED, True),
            (PostStatus.FAILED, True),
            (PostStatus.CANCELLED, True),
            (PostStatus.OTHER, False),
        ],
    )
    def test_posts_without_deliveries_go_by_their_own_status(self, status, is_terminal):
        assert post(status).is_terminal is is_terminal

    def test_posts_with_deliveries_go_by_those(self):
        ended, running = delivery(DeliveryStatus.PUBLISHED), delivery(DeliveryStatus.PUBLISHING, YOUTUBE)
        assert not post(PostStatus.PUBLISHED, (ended, running)).is_terminal
        assert post(PostStatus.PUBLISHING, (ended,)).is_terminal

    def test_posts_tell_the_live_from_the_failed(self):
        live, failed = delivery(DeliveryStatus.PUBLISHED), delivery(DeliveryStatus.FAILED, YOUTUBE, error="no")
        shown = post(PostStatus.PARTLY_PUBLISHED, (live, failed))
        assert (shown.published, shown.failed) == ((live,), (failed,))
        assert str(failed) == "youtube:acc-2 failed (no)"
        assert str(live) == "tiktok:Acme published"

    def test_a_capability_is_asked_for_by_its_feature(self):
        able = Capabilities(sources=(Clip,), platforms=frozenset(), features=frozenset({Feature.CANCEL}))
        assert able.can(Feature.CANCEL)
        assert not able.can(Feature.CAPTIONS)


class TestOutcomes:
    def test_says_what_became_of_each_account(self):
        told = outcome(OutcomeStatus.PUBLISHED, delivery(DeliveryStatus.PUBLISHED, url="https://x.example/1"))
        assert str(told) == "published        g1: tiktok:Acme published (https://x.example/1)"
        assert str(outcome(OutcomeStatus.NOT_SENT, reason="too late")) == "not_sent         g1 [too late]"

    @pytest.mark.parametrize("status", list(OutcomeStatus))
    def test_success_is_live_or_scheduled(self, status):
        assert outcome(status).is_success is (status in {OutcomeStatus.PUBLISHED, OutcomeStatus.SCHEDULED})

    def test_sorts_deliveries_by_what_can_be_done_about_them(self):
        kinds = [delivery(status) for status in DeliveryStatus]
        told = outcome(OutcomeStatus.UNKNOWN, *kinds)
        assert {d.status for d in told.published} == {DeliveryStatus.PUBLISHED}
        assert {d.status for d in told.failed} == {
            DeliveryStatus.FAILED,
            DeliveryStatus.REFUSED,
            DeliveryStatus.NOT_SENT,
        }
        assert {d.status for d in told.unknown} == {DeliveryStatus.UNKNOWN}

    def test_is_settled_once_it_has_the_time_of_it(self):
        assert not outcome(OutcomeStatus.PENDING).is_settled
        assert outcome(OutcomeStatus.PENDING, settled_at=datetime(2027, 1, 1, tzinfo=UTC)).is_settled

    def test_a_report_is_a_sequence_that_counts(self):
        outcomes = [outcome(OutcomeStatus.PUBLISHED), outcome(OutcomeStatus.REFUSED), outcome(OutcomeStatus.PUBLISHED)]
        report = Report(iter(outcomes))
        assert (len(report), report[0], report[1:], list(report)) == (3, outcomes[0], tuple(outcomes[1:]), outcomes)
        assert report.counts == {OutcomeStatus.PUBLISHED: 2, OutcomeStatus.REFUSED: 1}
        assert str(report) == "2 published, 1 refused"
        assert report.of(OutcomeStatus.REFUSED) == (outcomes[1],)
        assert not report.is_success
        assert (str(Report([])), Report([]).is_success) == ("empty", True)

    def test_every_event_has_a_kind_of_its_own(self):
        kinds = [event.kind for event in JobEvent.__subclasses__()]
        assert len(set(kinds)) == len(kinds)
        assert all(kinds)
        assert (JobSettled.kind, EventsMissed(count=1).kind) == ("settled", "missed")
