"""ReelMirror's schemas: open words, strict scalars, absent and null members, hidden secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from attrs import NOTHING, fields, has
from attrs.exceptions import FrozenInstanceError

from reelpub.errors import DecodeError
from reelpub.providers.reelmirror import schemas as s
from reelpub.providers.reelmirror.converter import CONVERTER, wire_name
from reelpub.providers.structure import structure

CONTRACT = Path(__file__).parents[2] / "docs" / "contracts" / "reelmirror.openapi.yaml"
SCHEMAS = yaml.safe_load(CONTRACT.read_text())["components"]["schemas"]
DELIVERY = {"id": "d1", "platform": "instagram", "status": "pending"}
SHAPES = [shape for name in s.__all__ if has(shape := getattr(s, name))]


def read(value, type_):
    return structure(CONVERTER, value, type_, operation="op", provider="reelmirror", status=200)


@pytest.mark.parametrize(
    ("word", "status"),
    [("published", s.DeliveryStatus.PUBLISHED), ("on_hold", "on_hold"), ("", "")],
)
def test_an_unknown_word_stays_text(word, status):
    delivery = read({**DELIVERY, "status": word}, s.Delivery)

    assert delivery.status == status
    assert isinstance(delivery.status, s.DeliveryStatus) is (word == "published")


@pytest.mark.parametrize("missing", ["id", "platform", "status"])
def test_a_delivery_needs_what_tells_it_apart(missing):
    with pytest.raises(DecodeError, match=rf"required member missing @ \$\.{missing}"):
        read({name: value for name, value in DELIVERY.items() if name != missing}, s.Delivery)


@pytest.mark.parametrize("missing", ["absent", "null"])
def test_absent_and_null_members_are_the_same(missing):
    optional = [member.name for member in fields(s.OutgoingPost) if member.name not in ("id", "status")]
    value = {"id": "p1", "status": "draft", **({} if missing == "absent" else dict.fromkeys(optional))}

    assert read(value, s.OutgoingPost) == s.OutgoingPost(id="p1", status=s.OutgoingPostStatus.DRAFT)


def test_unknown_members_are_ignored_where_the_contract_is_closed():
    assert read({**DELIVERY, "permalink": "https://x"}, s.Delivery) == read(DELIVERY, s.Delivery)


@pytest.mark.parametrize("shape", [s.GeneratedPost, s.GeneratedMediaItem, s.Persona, s.SyncJob, s.SourcePost, s.ApiKey])
def test_unknown_members_are_kept_where_the_contract_is_open(shape):
    value = read({"id": "x", "status": "completed", "surprise": {"a": None}}, shape)

    assert value.extra["surprise"] == {"a": None}


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("username", 5),
        ("username", ["a"]),
        ("platform_post_id", 18012345678901234),
        ("published_at", "2025-06-01T14:00:05"),
        ("published_at", 1748786405),
        ("status", None),
        ("status", True),
    ],
)
def test_a_member_of_another_type_is_refused_and_not_guessed(member, value):
    with pytest.raises(DecodeError, match=rf"\$\.{member}"):
        read({**DELIVERY, member: value}, s.Delivery)


def test_times_are_aware_and_in_utc():
    delivery = read({**DELIVERY, "published_at": "2025-06-01T16:00:05+02:00"}, s.Delivery)

    assert delivery.published_at == datetime(2025, 6, 1, 14, 0, 5, tzinfo=UTC)


def test_camel_case_is_read_only_where_the_service_writes_it():
    slots = {"purchased": 1, "used": 1, "available": 0, "subscriptionId": "sub_x"}

    assert read(slots, s.AccountSlots).subscription_id == "sub_x"
    assert read({"checkoutUrl": "https://pay"}, s.SlotsPurchase).checkout_url == "https://pay"
    assert read({"authUrl": "https://login"}, s.ConnectUrl).auth_url == "https://login"
    assert wire_name("scheduled_for") == "scheduled_for"


@pytest.mark.parametrize(
    "secretive",
    [
        s.ApiKeyCreated(id="k", key="rm_secret"),
        s.SetupIntent(client_secret="rm_secret"),
        s.ApiKey(id="k", extra={"key": "rm_secret"}),
    ],
)
def test_a_secret_is_in_no_repr(secretive):
    assert "rm_secret" not in f"{secretive!r} {secretive}"


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_immutable_and_says_what_it_is(shape):
    assert shape.__doc__
    required = {member.name: "x" for member in fields(shape) if member.name}
    value = shape(**required)

    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(shape)[0].name, "y")


@pytest.mark.parametrize(
    "shape",
    [
        s.AccountSlots,
        s.ApiKeyCreated,
        s.Balance,
        s.ConnectedAccount,
        s.Delivery,
        s.GeneratedMediaItem,
        s.GeneratedPost,
        s.OutgoingPost,
        s.OutgoingPostItem,
        s.OutgoingPostItemInput,
        s.Persona,
        s.Source,
        s.SyncJob,
        s.Transaction,
    ],
)
def test_members_and_which_of_them_have_to_be_there_are_the_contracts(shape):
    contract = SCHEMAS[shape.__name__]
    members = {wire_name(member.name): member.default is NOTHING for member in fields(shape) if member.name != "extra"}

    assert set(members) == set(contract["properties"])
    assert {name for name, needed in members.items() if needed} == set(contract.get("required", []))
    assert hasattr(fields(shape), "extra") is contract.get("additionalProperties", False)


@pytest.mark.parametrize(
    ("words", "contract"),
    [
        (s.Platform, "Platform"),
        (s.DeliveryStatus, "DeliveryStatus"),
        (s.OutgoingPostStatus, "OutgoingPostStatus"),
        (s.ReviewStatus, "ReviewStatus"),
        (s.GenerationStatus, "GenerationStatus"),
        (s.SyncJobStatus, "SyncJobStatus"),
        (s.AutomationMode, "AutomationMode"),
        (s.Scope, "Scope"),
    ],
)
def test_the_known_words_are_the_contracts(words, contract):
    known = SCHEMAS[contract].get("enum") or SCHEMAS[contract]["x-known-values"]

    assert {str(word) for word in words} == {word if isinstance(word, str) else word["value"] for word in known}
