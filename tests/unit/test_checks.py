"""What is wrong with a request before anything is sent: every field, every problem at once, documented limits only."""

# Naive times are among what is refused.
# ruff: noqa: DTZ001

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from reelpub.models.account import Account
from reelpub.models.capability import Capabilities, Feature, ProviderLimits, TextLimit
from reelpub.models.problem import Severity
from reelpub.models.request import PublishRequest
from reelpub.models.settings import TikTokSettings, YouTubeSettings
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItem, MediaItems
from reelpub.models.when import LocalTime
from reelpub.policies import checks

NOW = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)
EVERYTHING = Capabilities(
    sources=(GeneratedPost, MediaItems, Draft, Clip),
    platforms=frozenset({"tiktok", "youtube"}),
    features=frozenset(Feature),
)
LIMITS = ProviderLimits(
    requests=10,
    max_tags=3,
    title=TextLimit(maximum=5, source="the guide"),
    caption=TextLimit(maximum=8, is_documented=False),
    schedule_max_lead=86_400,
)
GOOD = PublishRequest(Clip("p", "c"), caption="Launch", title="Day", tags=["a"], accounts=["tiktok:acme"])


def found(request, capabilities=EVERYTHING, limits=LIMITS):
    return checks.static(request, now=NOW, capabilities=capabilities, limits=limits, provider="prov")


def told(request, **options):
    return [(problem.field, problem.message) for problem in found(request, **options)]


def only(request, **options):
    (problem,) = found(request, **options)
    return problem


class TestFields:
    def test_a_good_request_has_no_problem(self):
        assert found(GOOD) == []
        assert found(evolve(GOOD, at=NOW + timedelta(hours=1), settings={"tiktok": TikTokSettings()})) == []

    @pytest.mark.parametrize("source", ["clip", 5, object(), Clip, ("p", "c")])
    def test_what_is_no_source(self, source):
        problem = only(evolve(GOOD, source=source))
        assert (problem.field, problem.value) == ("source", source)
        assert problem.message == "is no source; give a GeneratedPost, MediaItems, a Draft or a Clip"

    def test_no_source_at_all(self):
        assert told(evolve(GOOD, source=None)) == [("source", "is missing")]

    @pytest.mark.parametrize("bad", ["", "  ", None, 5, b"id"])
    @pytest.mark.parametrize(
        ("make", "field"),
        [
            (GeneratedPost, "source.id"),
            (Draft, "source.id"),
            (lambda bad: Clip(bad, "c"), "source.project_id"),
            (lambda bad: Clip("p", bad), "source.clip_id"),
            (lambda bad: MediaItems([MediaItem("a"), MediaItem(bad)]), "source.items[1].id"),
        ],
    )
    def test_ids(self, make, field, bad):
        problem = only(evolve(GOOD, source=make(bad)))
        assert (problem.field, problem.value) == (field, bad)
        assert problem.message == "has to be an id, a text that isn't empty"

    def test_an_item_that_is_none(self):
        assert told(evolve(GOOD, source=MediaItems([5]))) == [
            ("source.items[0]", "has to be an id, a text that isn't empty")
        ]

    @pytest.mark.parametrize("items", ["abc", 5, None])
    def test_items_that_are_no_list(self, items):
        assert told(evolve(GOOD, source=MediaItems(items))) == [("source.items", "has to be a list of media items")]

    def test_no_items(self):
        assert told(evolve(GOOD, source=MediaItems([]))) == [("source.items", "is empty; give at least one media item")]

    @pytest.mark.parametrize("field", ["caption", "title"])
    @pytest.mark.parametrize("bad", [5, b"text", ["text"], True])
    def test_texts(self, field, bad):
        problem = only(evolve(GOOD, **{field: bad}))
        assert (problem.field, problem.value) == (field, bad)
        assert problem.message == f"has to be text, not {type(bad).__name__}"

    @pytest.mark.parametrize("field", ["publisher", "reference"])
    def test_names(self, field):
        assert told(evolve(GOOD, **{field: 5})) == [(field, "has to be text, not int")]

    @pytest.mark.parametrize("bad", ["tiktok:acme", 5, None, {"tiktok": "acme"}])
    def test_accounts_that_are_no_list(self, bad):
        problem = only(evolve(GOOD, accounts=bad))
        assert (problem.field, problem.value) == ("accounts", bad)
        assert problem.message == 'has to be a list, such as ["tiktok:acme"], not one text'

    @pytest.mark.parametrize("bad", ["", "  ", None, 5, b"tiktok:acme", ["x"]])
    def test_an_account_that_is_none(self, bad):
        problem = only(evolve(GOOD, accounts=["tiktok:acme", bad]))
        assert (problem.field, problem.value) == ("accounts[1]", bad)
        assert problem.message == "has to be an Account, an id or a platform:username"

    def test_an_account_named_twice(self):
        account = Account(id="acc-1", provider="p", platform="tiktok", username="acme")
        assert told(evolve(GOOD, accounts=["a", " a ", account, "acc-1"])) == [
            ("accounts[1]", "is named twice"),
            ("accounts[3]", "is named twice"),
        ]

    @pytest.mark.parametrize("bad", ["launch", 5, None])
    def test_tags_that_are_no_list(self, bad):
        assert told(evolve(GOOD, tags=bad)) == [("tags", 'has to be a list, such as ["launch"], not one text')]

    @pytest.mark.parametrize("bad", ["", " ", None, 5])
    def test_a_tag_that_is_none(self, bad):
        assert told(evolve(GOOD, tags=["a", bad])) == [("tags[1]", "has to be a text that isn't empty")]

    @pytest.mark.parametrize("bad", [5, "tiktok", None, ["tiktok"]])
    def test_settings_that_are_no_mapping(self, bad):
        assert told(evolve(GOOD, settings=bad)) == [("settings", "has to map platform names to settings")]

    @pytest.mark.parametrize("bad", [None, "public", 5, GeneratedPost("g"), [("privacy", "public")]])
    def test_settings_of_a_platform_that_are_none(self, bad):
        problem = only(evolve(GOOD, settings={"youtube": YouTubeSettings(), "tiktok": bad}))
        assert (problem.field, problem.value) == ("settings.tiktok", bad)
        assert problem.message == "has to be settings of that platform or a mapping"

    @pytest.mark.parametrize("bad", [{1: 2}, {"a": object()}, {"a": 2**70}, {"a": "\ud800"}])
    def test_settings_that_are_no_json(self, bad):
        ((field, message),) = told(evolve(GOOD, settings={"tiktok": bad}))
        assert field == "settings.tiktok"
        assert message.startswith("can't be written as JSON: ")

    @pytest.mark.parametrize("bad", ["yes", 1, None])
    def test_allow_duplicate(self, bad):
        problem = only(evolve(GOOD, allow_duplicate=bad))
        assert (problem.field, problem.value, problem.message) == ("allow_duplicate", bad, "has to be True or False")

    @pytest.mark.parametrize(
        ("at", "field", "message"),
        [
            ("2027-02-01", "at", "is no time"),
            (datetime(2027, 2, 1), "at", "has no time zone"),
            (NOW, "at", "is in the past"),
            (NOW + timedelta(days=2), "at", "is too far ahead"),
            (LocalTime("2027-03-28 02:30", "Europe/Oslo"), "at", "is skipped there"),
            (LocalTime("noon", "Europe/Oslo"), "at.clock", "is no clock time"),
            (LocalTime("2027-03-28 12:30", "Oslo"), "at.zone", "is no zone"),
        ],
    )
    def test_times(self, at, field, message):
        problem = only(evolve(GOOD, at=at))
        assert problem.field == field
        assert problem.message.startswith(message)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"source": GeneratedPost("\ud800")}, "source.id"),
            ({"caption": "\ud83d"}, "caption"),
            ({"title": "a\udc00"}, "title"),
            ({"tags": ["\udfff"]}, "tags[0]"),
            ({"accounts": ["tiktok:\ud800"]}, "accounts[0]"),
            ({"publisher": "\ud800"}, "publisher"),
            ({"reference": "\ud800"}, "reference"),
        ],
    )
    def test_half_a_surrogate_pair_is_refused_and_never_quoted(self, change, field):
        problem = only(evolve(GOOD, **change))
        assert (problem.field, problem.message) == (field, "holds half a surrogate pair, which can't be sent")
        str(problem).encode()

    def test_whole_surrogate_pairs_are_text_like_any(self):
        assert found(evolve(GOOD, caption="🎬", tags=["🎬"])) == []

    def test_everything_at_once(self):
        request = PublishRequest(
            Clip("", None),
            caption=5,
            title=b"x",
            tags="launch",
            accounts="tiktok:acme",
            settings=5,
            at=datetime(2027, 1, 1),
            publisher=5,
            reference=5,
            allow_duplicate="no",
        )
        assert [field for field, _ in told(request)] == [
            "source.project_id",
            "source.clip_id",
            "accounts",
            "caption",
            "title",
            "tags",
            "settings",
            "at",
            "publisher",
            "allow_duplicate",
            "reference",
        ]
        assert {field for field, _ in told(request)} == {p.field for p in checks.request_problems(request)}


class TestProviders:
    FEW = Capabilities(
        sources=(GeneratedPost, Draft),
        platforms=frozenset({"tiktok"}),
        features=frozenset(),
        text_fields=frozenset({"caption"}),
    )

    def test_a_source_that_the_provider_does_not_take(self):
        problem = only(PublishRequest(Clip("p", "c")), capabilities=self.FEW)
        assert (problem.field, problem.value, problem.limit) == ("source", "Clip", "GeneratedPost, Draft")
        assert problem.message == "isn't something prov publishes"

    def test_texts_that_the_provider_has_no_place_for(self):
        assert told(PublishRequest(Draft("d"), title="x", tags=["a"]), capabilities=self.FEW) == [
            ("title", "prov has no title; put it into the caption"),
            ("tags", "prov has no tags; put it into the caption"),
        ]
        assert told(PublishRequest(Draft("d"), title="", caption="x"), capabilities=self.FEW) == []

    def test_too_many_tags(self):
        problem = only(evolve(GOOD, tags=["a", "b", "c", "d"]))
        assert (problem.field, problem.value, problem.limit) == ("tags", 4, "at most 3")
        assert found(evolve(GOOD, tags=["a", "b", "c"])) == []

    def test_a_documented_length_refuses(self):
        problem = only(evolve(GOOD, title="x" * 6))
        assert (problem.field, problem.message, problem.limit) == ("title", "has 6 characters", "at most 5 (the guide)")
        assert problem.is_error

    def test_an_undocumented_length_only_warns(self):
        problem = only(evolve(GOOD, caption="x" * 9))
        assert (problem.field, problem.limit, problem.severity) == ("caption", "at most 8", Severity.WARNING)
        assert checks.errors_in([problem]) == []

    def test_what_is_no_limit_refuses_nothing(self):
        request = evolve(GOOD, tags=[f"t{n}" for n in range(99)], title="x" * 9999, caption="x" * 9999)
        assert found(request, limits=ProviderLimits(requests=1)) == []

    def test_sooner_than_the_provider_schedules_is_kept_here_with_a_warning(self):
        limits = evolve(LIMITS, schedule_min_lead=3000)
        problem = only(evolve(GOOD, at=NOW + timedelta(minutes=10)), limits=limits)
        assert (problem.field, problem.severity, problem.limit) == ("at", Severity.WARNING, "at least 50 minutes ahead")
        assert "kept here" in problem.message
        assert only(evolve(GOOD, at=NOW), limits=limits).message == "is in the past"
        assert found(evolve(GOOD, at=NOW + timedelta(minutes=60)), limits=limits) == []


ACME = Account(id="acc-1", provider="prov", platform="tiktok", username="Acme")
TUBE = Account(id="acc-2", provider="prov", platform="youtube", username="acme")
GONE = Account(id="acc-3", provider="prov", platform="tiktok", username="old", is_active=False, status="disconnected")
MUTE = Account(id="acc-4", provider="prov", platform="tiktok", username="mute", is_active=False)
FACE = Account(id="acc-5", provider="prov", platform="facebook", username="acme5")
TWIN = Account(id="acc-6", provider="prov", platform="youtube", username="ACME")
KNOWN = [ACME, TUBE, GONE, MUTE, FACE]


class TestResolving:
    def resolve(self, *accounts, known=KNOWN):
        request = PublishRequest(Clip("p", "c"), accounts=accounts)
        return checks.resolve(request, known, platforms=frozenset({"tiktok", "youtube"}), provider="prov")

    def test_finds_accounts_by_every_name_in_their_order(self):
        accounts, problems = self.resolve("youtube:@acme", " acc-1 ")
        assert (accounts, problems) == ((TUBE, ACME), [])
        assert self.resolve(ACME)[0] == (ACME,)
        assert self.resolve() == ((), [])

    def test_an_account_value_is_taken_by_its_id_as_the_provider_has_it_now(self):
        stale = evolve(ACME, username="old-name", is_active=False)
        assert self.resolve(stale)[0] == (ACME,)

    @pytest.mark.parametrize(
        ("wanted", "message", "limit"),
        [
            ("tiktok:nobody", "is no account at prov; connected are tiktok:Acme, youtube:acme, facebook:acme5", None),
            ("acc-99", "is no account at prov; connected are tiktok:Acme, youtube:acme, facebook:acme5", None),
            ("x:acme", "is of another platform; prov has tiktok:Acme, youtube:acme", None),
            ("tiktok:old", "is disconnected at prov; connect it again", None),
            ("tiktok:mute", "is inactive at prov; connect it again", None),
            ("facebook:acme5", "is on a platform prov doesn't publish to", "tiktok, youtube"),
        ],
    )
    def test_says_what_is_wrong_with_an_account(self, wanted, message, limit):
        accounts, (problem,) = self.resolve("youtube:acme", wanted)
        assert accounts == (TUBE,)
        assert (problem.field, problem.message, problem.limit) == ("accounts[1]", message, limit)

    def test_an_ambiguous_name_is_refused_with_the_ids(self):
        _, (problem,) = self.resolve("youtube:acme", known=[TUBE, TWIN])
        assert problem.message == "names 2 accounts; give one id of acc-2, acc-6"

    def test_one_account_under_two_names_is_refused(self):
        _, (problem,) = self.resolve("acc-1", "tiktok:acme")
        assert (problem.field, problem.message, problem.value) == ("accounts", "is named twice", "tiktok:Acme")

    def test_without_any_account_says_none(self):
        _, (problem,) = self.resolve("tiktok:acme", known=[])
        assert problem.message == "is no account at prov; connected are none"

    def test_tells_every_problem(self):
        _, problems = self.resolve("tiktok:old", "nobody", "facebook:acme5")
        assert [problem.field for problem in problems] == ["accounts[0]", "accounts[1]", "accounts[2]"]
