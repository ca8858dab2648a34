"""Ordered faults: which call or delivery each one meets; the ledger; the switches; the keys."""

from __future__ import annotations

import pytest

from reelpub.sandbox.dialect import ReapDialect, ReelMirrorDialect
from reelpub.sandbox.faults import Fault, FaultBook, FaultKind
from reelpub.sandbox.keys import KeyRing
from reelpub.sandbox.ledger import Ledger, LiveRecord
from reelpub.sandbox.seed import (
    GENERATED_POSTS,
    MEDIA_ITEMS,
    REAP_ACCOUNTS,
    REAP_KEY,
    REELMIRROR_KEYS,
    REELMIRROR_REVOKED_KEY,
    SCOPES,
    media_items_of,
)


def book(*faults):
    made = FaultBook()
    for fault in faults:
        made.order(fault)
    return made


def kinds(faults, count, operation="publishClip", provider="reap", key="k"):
    taken = (faults.for_call(provider, operation, key) for _ in range(count))
    return [fault.kind if fault else None for fault in taken]


def test_a_fault_meets_the_calls_after_the_ones_left_out_and_only_so_many_times():
    faults = book(Fault(FaultKind.LOST_AFTER, after=1, times=2))
    assert kinds(faults, 5) == [None, FaultKind.LOST_AFTER, FaultKind.LOST_AFTER, None, None]
    assert faults.open_orders() == []


def test_a_fault_without_an_end_goes_on():
    assert kinds(book(Fault(FaultKind.HTML_502, times=None)), 4) == [FaultKind.HTML_502] * 4


@pytest.mark.parametrize("other", [{"operation": "getAllPosts"}, {"provider": "reelmirror"}, {"key": "other"}])
def test_a_fault_meets_only_what_matches(other):
    fault = Fault(FaultKind.HTML_500, operation="publishClip", provider="reap", key="k")
    faults = book(fault)
    call = {"operation": "publishClip", "provider": "reap", "key": "k"}
    assert kinds(faults, 1, **{**call, **other}) == [None]
    assert kinds(faults, 1, **call) == [FaultKind.HTML_500]


def test_of_several_faults_that_are_due_the_first_comes_first_and_none_is_lost():
    faults = book(Fault(FaultKind.HTML_500), Fault(FaultKind.HTML_502))
    assert kinds(faults, 3) == [FaultKind.HTML_500, FaultKind.HTML_502, None]


def test_orders_can_be_forgotten():
    faults = book(Fault(FaultKind.HTML_500))
    faults.clear()
    assert kinds(faults, 1) == [None]


def delivery_fault(faults, platform="tiktok", account="acc", name="tiktok:acme"):
    return faults.for_delivery("reap", "publishClip", "k", platform=platform, account_id=account, account_name=name)


def test_calls_and_deliveries_dont_take_each_others_faults():
    faults = book(Fault(FaultKind.STUCK), Fault(FaultKind.HTML_500))
    assert kinds(faults, 2) == [FaultKind.HTML_500, None]
    assert delivery_fault(faults).kind is FaultKind.STUCK
    assert delivery_fault(faults) is None


@pytest.mark.parametrize("chosen", [{"platform": "tiktok"}, {"account": "acc"}, {"account": "tiktok:acme"}])
def test_a_delivery_fault_is_narrowed_by_platform_or_account(chosen):
    faults = book(Fault(FaultKind.PLATFORM_FAILS, **chosen))
    assert delivery_fault(faults, platform="x", account="other", name="x:acme") is None
    assert delivery_fault(faults).kind is FaultKind.PLATFORM_FAILS


def test_whether_a_call_takes_effect_follows_the_kind_unless_it_is_said():
    assert not Fault(FaultKind.LOST_BEFORE).takes_effect
    assert Fault(FaultKind.LOST_AFTER).takes_effect
    assert Fault(FaultKind.HTML_500, executed=True).takes_effect


def test_a_fault_goes_through_json_without_its_key():
    fault = Fault.from_json({"kind": "retry_after", "seconds": 3, "provider": "reap", "key": "secret"})
    assert fault == Fault(FaultKind.RETRY_AFTER, seconds=3, provider="reap", key="secret")
    assert fault.to_json() == {"kind": "retry_after", "after": 0, "times": 1, "seconds": 3, "provider": "reap"}
    assert "secret" not in repr(fault)


@pytest.mark.parametrize("wrong", [{"kind": "odd"}, {}, {"kind": "stuck", "after": -1}, {"kind": "stuck", "times": 0}])
def test_a_fault_without_sense_is_refused(wrong):
    with pytest.raises(ValueError):
        Fault.from_json(wrong)


def live(**members):
    given = {"provider": "reap", "key": "key-000000000", "account_id": "a", "platform": "x", "post_id": "p"}
    return LiveRecord(**{**given, "source": "s", "at": 1.0, **members})


def test_the_ledger_tells_duplicates_by_account_and_source():
    ledger = Ledger()
    again = live(post_id="p2")
    for record in (live(), live(account_id="b"), live(source="t"), live(provider="reelmirror"), again):
        ledger.record(record)
    assert ledger.duplicates() == [again]
    assert ledger.duplicates("reelmirror") == []
    assert len(ledger.live("reap")) == 4
    assert ledger.live(key="other") == []


def test_a_live_record_doesnt_show_its_key():
    assert "key-000000000" not in repr(live())
    assert "shortkey" not in repr(live(key="shortkey"))


@pytest.mark.parametrize("dialect", [ReelMirrorDialect, ReapDialect])
def test_every_switch_takes_its_values_and_no_other(dialect):
    options = dialect.options()
    for name, values in options.items():
        assert len(values) >= 2
        for value in values:
            assert getattr(dialect.from_json({name: value}), name) == value
        with pytest.raises(ValueError):
            dialect(**{name: "something else"})
    assert all(getattr(dialect(), name) == values[0] for name, values in options.items())
    with pytest.raises(ValueError, match="no such switch: odd"):
        dialect.from_json({"odd": 1})


def test_revoked_keys_arent_found_and_extra_ones_may_do_everything():
    ring = KeyRing(REELMIRROR_KEYS, ["mine"])
    assert ring.find(REELMIRROR_REVOKED_KEY) is None
    assert ring.find("nobody") is None
    mine = ring.find("mine")
    assert all(mine.has_scope(scope) for scope in SCOPES)
    assert REELMIRROR_REVOKED_KEY not in [credential.key for credential in ring.valid()]
    assert REELMIRROR_REVOKED_KEY in list(ring)


def test_the_seeds_are_what_is_documented():
    assert len(SCOPES) == 16
    assert {len(key.key) for key in REELMIRROR_KEYS} == {35}
    items = [item for number in range(1, GENERATED_POSTS + 1) for item in media_items_of(number)]
    assert items == [f"demo-media-item-{number}" for number in range(1, MEDIA_ITEMS + 1)]
    assert [one.name for one in REAP_ACCOUNTS if not one.is_active] == ["youtube:acme_old"]
    assert REAP_KEY == "reap_sandbox_key_0000000000000001"
