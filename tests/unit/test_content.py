"""The content key: equal for what would make the same post, different for anything else."""

# Naive times are among what is refused.
# ruff: noqa: DTZ001

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from attrs import evolve

from reelpub.models.account import Account
from reelpub.models.request import PublishRequest
from reelpub.models.settings import TikTokSettings
from reelpub.models.source import Clip, Draft, GeneratedPost, MediaItems
from reelpub.models.when import LocalTime
from reelpub.policies.content import content_key, spellings

ACME = Account(id="acc-1", provider="p", platform="tiktok", username="acme")
BASE = PublishRequest(
    Clip("p", "c"),
    caption="Launch",
    title="Day",
    tags=["a", "b"],
    accounts=["tiktok:acme", "youtube:acme"],
    settings={"tiktok": {"privacy": "public"}},
    at=datetime(2027, 6, 1, 12, 30, tzinfo=UTC),
)


def same(first, second):
    return content_key(first, "pub") == content_key(second, "pub")


@pytest.mark.parametrize(
    "change",
    [
        {"source": Clip("p", "other")},
        {"source": Clip("other", "c")},
        {"source": Draft("c")},
        {"caption": "launch"},
        {"caption": None},
        {"title": None},
        {"tags": ("a",)},
        {"accounts": ("tiktok:acme",)},
        {"settings": {}},
        {"settings": {"tiktok": {"privacy": "private"}}},
        {"at": None},
        {"at": datetime(2027, 6, 1, 12, 31, tzinfo=UTC)},
    ],
)
def test_any_part_of_the_content_makes_another_key(change):
    assert not same(BASE, evolve(BASE, **change))


def test_another_publisher_makes_another_key():
    assert content_key(BASE, "one") != content_key(BASE, "two")


def test_sources_of_different_kinds_with_one_id_differ():
    assert not same(PublishRequest(GeneratedPost("x")), PublishRequest(Draft("x")))
    assert not same(PublishRequest(GeneratedPost("x")), PublishRequest(GeneratedPost("x", approve=True)))
    assert not same(PublishRequest(MediaItems(["a", "b"])), PublishRequest(MediaItems(["b", "a"])))


@pytest.mark.parametrize(
    "change",
    [
        {"accounts": ("youtube:acme", " tiktok:acme ")},
        {"accounts": ("TikTok:@Acme", "youtube:ACME")},
        {"reference": "mine"},
        {"allow_duplicate": True},
        {"publisher": "pub"},
        {"settings": {"tiktok": TikTokSettings(privacy="public")}},
        {"settings": {"tiktok": MappingProxyType({"privacy": "public"})}},
        {"at": LocalTime("2027-06-01 14:30", "Europe/Oslo")},
    ],
)
def test_what_makes_the_same_post_makes_the_same_key(change):
    assert same(BASE, evolve(BASE, **change))


def test_ids_keep_their_case():
    assert not same(evolve(BASE, accounts=("acc-1",)), evolve(BASE, accounts=("ACC-1",)))
    assert same(evolve(BASE, accounts=(ACME,)), evolve(BASE, accounts=("acc-1",)))


@pytest.mark.parametrize(
    "odd",
    [
        {"caption": "half a pair \ud800"},
        {"settings": {"tiktok": TikTokSettings(privacy=2**70)}},
        {"settings": {"tiktok": {"when": datetime(2027, 6, 1, tzinfo=UTC)}}},
        {"settings": {"tiktok": "no settings"}},
        {"at": datetime(2027, 6, 1)},
    ],
)
def test_odd_values_have_a_key_too(odd):
    request = evolve(BASE, **odd)
    assert content_key(request, "pub") == content_key(evolve(request, reference="again"), "pub")
    assert not same(request, BASE)


@pytest.mark.parametrize("member", ["caption", "title"])
@pytest.mark.parametrize(
    ("one", "other"), [("a\nb", "a\r\nb"), ("a\nb", "a\rb"), ("Caf\u00e9\n", "Cafe\u0301\r\n"), ("\u00c5", "\u212b")]
)
def test_a_text_that_a_program_saved_anew_makes_the_same_key(member, one, other):
    assert same(evolve(BASE, **{member: one}), evolve(BASE, **{member: other}))
    assert same(evolve(BASE, tags=(one,)), evolve(BASE, tags=(other,)))
    assert not same(evolve(BASE, **{member: one}), evolve(BASE, **{member: f"{one} "}))


# ---- whatever the accounts are called

YOUTUBE = Account(id="acc-2", provider="p", platform="youtube", username="Acme")
NAMELESS = Account(id="acc-3", provider="p", platform="x")


@pytest.mark.parametrize(
    "accounts",
    [
        ("acc-1", "acc-2", "acc-3"),
        ("tiktok:acme", "youtube:@ACME", "x:acc-3"),
        ("acc-3", "tiktok:acc-1", "youtube:acc-2"),
        (ACME, "youtube:acme", "acc-3"),
        ("x:acc-3", "acc-2", "tiktok:acme"),
    ],
)
def test_the_keys_of_all_spellings_are_the_same_whichever_was_given(accounts):
    """A key that the store has from one of them is among those of every other."""
    asked = evolve(BASE, accounts=accounts)
    keys = spellings(asked, [ACME, YOUTUBE, NAMELESS], "pub")
    assert keys[0] == content_key(evolve(BASE, accounts=(ACME, YOUTUBE, NAMELESS)), "pub")
    assert content_key(asked, "pub") in keys
    assert content_key(evolve(BASE, accounts=("acc-1", "youtube:acme", "acc-3")), "pub") in keys
    assert content_key(evolve(BASE, accounts=("acc-1", "acc-2")), "pub") not in keys
    assert content_key(evolve(asked, caption="other"), "pub") not in keys


def test_of_many_accounts_the_ways_that_name_all_alike_count():
    many = [Account(id=f"acc-{n}", provider="p", platform="x", username=f"user{n}") for n in range(30)]
    keys = spellings(evolve(BASE, accounts=tuple(f"x:user{n}" for n in range(30))), many, "pub")
    assert set(keys) == {
        content_key(evolve(BASE, accounts=tuple(texts)), "pub")
        for texts in ([one.id for one in many], [f"x:{one.username}" for one in many], [f"x:{one.id}" for one in many])
    }


def test_without_accounts_there_is_one_way_to_ask():
    bare = PublishRequest(GeneratedPost("g"))
    assert spellings(bare, (), "pub") == (content_key(bare, "pub"),)
