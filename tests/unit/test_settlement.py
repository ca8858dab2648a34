"""From deliveries to outcomes, row by row."""

from __future__ import annotations

from itertools import combinations

import pytest

from reelpub.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectError,
    OutcomeUnknown,
    RateLimitError,
    RateLimitWouldBlock,
    ReelPubError,
    RequestTimeout,
    ServerError,
    UnsupportedOperation,
    ValidationError,
)
from reelpub.models.account import Account
from reelpub.models.outcome import CancelResult, OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.policies.settlement import (
    combine_cancels,
    deliveries_of_post,
    failure_status,
    implied_status,
    merge,
    outcome_status,
    same_for_all,
)

D, OUT = DeliveryStatus, OutcomeStatus
ONE, TWO, THREE = (Account(id=f"a{n}", provider="p", platform="tiktok", username=f"u{n}") for n in (1, 2, 3))


def post(status, *deliveries):
    return Post(id="p1", provider="p", publisher="pub", status=status, deliveries=deliveries)


@pytest.mark.parametrize(
    ("statuses", "end"),
    [
        ([], OUT.PENDING),
        ([D.PENDING], OUT.PENDING),
        ([D.PUBLISHING], OUT.PENDING),
        ([D.OTHER], OUT.PENDING),
        ([D.PUBLISHED], OUT.PUBLISHED),
        ([D.SCHEDULED], OUT.SCHEDULED),
        ([D.FAILED], OUT.FAILED),
        ([D.REFUSED], OUT.REFUSED),
        ([D.CANCELLED], OUT.CANCELLED),
        ([D.NOT_SENT], OUT.NOT_SENT),
        ([D.UNKNOWN], OUT.UNKNOWN),
        ([D.PUBLISHED, D.PUBLISHED], OUT.PUBLISHED),
        ([D.PUBLISHED, D.SCHEDULED], OUT.SCHEDULED),
        ([D.PUBLISHED, D.FAILED], OUT.PARTLY_PUBLISHED),
        ([D.PUBLISHED, D.REFUSED], OUT.PARTLY_PUBLISHED),
        ([D.PUBLISHED, D.NOT_SENT], OUT.PARTLY_PUBLISHED),
        ([D.PUBLISHED, D.CANCELLED], OUT.PARTLY_PUBLISHED),
        ([D.SCHEDULED, D.FAILED], OUT.PARTLY_PUBLISHED),
        ([D.SCHEDULED, D.CANCELLED], OUT.PARTLY_PUBLISHED),
        ([D.PUBLISHED, D.SCHEDULED, D.FAILED], OUT.PARTLY_PUBLISHED),
        ([D.PUBLISHED, D.PUBLISHING], OUT.PENDING),
        ([D.FAILED, D.PENDING], OUT.PENDING),
        ([D.SCHEDULED, D.OTHER], OUT.PENDING),
        ([D.FAILED, D.REFUSED], OUT.FAILED),
        ([D.FAILED, D.CANCELLED, D.NOT_SENT], OUT.FAILED),
        ([D.REFUSED, D.CANCELLED], OUT.REFUSED),
        ([D.REFUSED, D.NOT_SENT], OUT.REFUSED),
        ([D.CANCELLED, D.NOT_SENT], OUT.CANCELLED),
    ],
)
def test_accounts_add_up_to_an_outcome(statuses, end):
    assert outcome_status(statuses) is end
    assert outcome_status(reversed(statuses)) is end


def test_what_nobody_knows_outweighs_everything_else():
    for other in D:
        assert outcome_status([other, D.UNKNOWN]) is OUT.UNKNOWN


def test_success_means_success_on_every_account():
    good = {D.PUBLISHED, D.SCHEDULED}
    for size in (1, 2, 3):
        for statuses in combinations(D, size):
            is_success = outcome_status(statuses) in {OUT.PUBLISHED, OUT.SCHEDULED}
            assert is_success == (set(statuses) <= good), statuses


def test_an_unfinished_account_never_makes_an_end():
    for other in set(D) - {D.UNKNOWN}:
        for open_ in (D.PENDING, D.PUBLISHING, D.OTHER):
            assert outcome_status([other, open_]) is OUT.PENDING


@pytest.mark.parametrize(
    ("status", "implied"),
    [
        (PostStatus.DRAFT, D.PENDING),
        (PostStatus.SCHEDULED, D.SCHEDULED),
        (PostStatus.PUBLISHING, D.PUBLISHING),
        (PostStatus.PUBLISHED, D.PUBLISHED),
        (PostStatus.PARTLY_PUBLISHED, D.UNKNOWN),
        (PostStatus.FAILED, D.FAILED),
        (PostStatus.CANCELLED, D.CANCELLED),
        (PostStatus.OTHER, D.OTHER),
    ],
)
def test_a_post_without_deliveries_speaks_for_all_its_accounts(status, implied):
    assert implied_status(post(status)) is implied
    assert deliveries_of_post(post(status), [ONE, TWO]) == same_for_all([ONE, TWO], implied)


def test_a_post_with_a_delivery_for_each_account_speaks_for_itself():
    own = (Delivery(account=ONE, status=D.PUBLISHED, url="u"), Delivery(account=TWO, status=D.FAILED))
    assert deliveries_of_post(post(PostStatus.PARTLY_PUBLISHED, *own), [TWO, ONE]) == own


def test_an_account_that_an_ended_post_leaves_out_is_not_made_up():
    own = Delivery(account=ONE, status=D.PUBLISHED)
    found = deliveries_of_post(post(PostStatus.PUBLISHED, own), [ONE, TWO])
    assert [(d.account, d.status) for d in found] == [(ONE, D.PUBLISHED), (TWO, D.OTHER)]


def test_an_account_that_a_running_post_leaves_out_goes_by_the_post():
    own = Delivery(account=ONE, status=D.PUBLISHING)
    found = deliveries_of_post(post(PostStatus.PUBLISHING, own), [ONE, TWO])
    assert [(d.account, d.status) for d in found] == [(ONE, D.PUBLISHING), (TWO, D.PUBLISHING)]


def test_accounts_nobody_named_are_shown_too():
    own = Delivery(account=THREE, status=D.PUBLISHED)
    found = deliveries_of_post(post(PostStatus.PUBLISHING, own), [ONE])
    assert [d.account for d in found] == [THREE, ONE]


ANSWER = {"operation": "publish", "provider": "p"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValidationError([]), D.REFUSED),
        (BadRequestError("no", status=422, **ANSWER), D.REFUSED),
        (AuthenticationError("no", status=401, **ANSWER), D.REFUSED),
        (RateLimitError("no", status=429, **ANSWER), D.NOT_SENT),
        (ServerError("no", status=500, **ANSWER), D.NOT_SENT),
        (ConnectError("no", **ANSWER), D.NOT_SENT),
        (RequestTimeout("no", sent=False, **ANSWER), D.NOT_SENT),
        (RateLimitWouldBlock(5, **ANSWER), D.NOT_SENT),
        (UnsupportedOperation("schedule", "p"), D.NOT_SENT),
        (ConfigurationError("closed"), D.NOT_SENT),
        (OutcomeUnknown("raised", **ANSWER), D.NOT_SENT),
        (ReelPubError("?"), D.NOT_SENT),
    ],
)
def test_a_failure_that_did_nothing_is_a_refusal_or_was_never_sent(error, status):
    assert failure_status(error) is status


def test_merging_replaces_what_was_tried_again_and_keeps_the_order():
    before = [Delivery(account=ONE, status=D.PUBLISHED), Delivery(account=TWO, status=D.FAILED)]
    after = [Delivery(account=THREE, status=D.PUBLISHED), Delivery(account=TWO, status=D.PUBLISHED)]
    assert [(d.account, d.status) for d in merge(before, after)] == [
        (ONE, D.PUBLISHED),
        (TWO, D.PUBLISHED),
        (THREE, D.PUBLISHED),
    ]
    assert merge(before, []) == tuple(before)
    assert merge([], after) == tuple(after)


@pytest.mark.parametrize(
    ("results", "whole"),
    [
        ([], CancelResult.CANCELLED),
        ([CancelResult.CANCELLED], CancelResult.CANCELLED),
        ([CancelResult.CANCELLED, CancelResult.TOO_LATE], CancelResult.TOO_LATE),
        ([CancelResult.TOO_LATE, CancelResult.UNKNOWN], CancelResult.UNKNOWN),
        ([CancelResult.UNKNOWN, CancelResult.CANCELLED], CancelResult.UNKNOWN),
    ],
)
def test_parts_called_off_add_up_to_the_least_certain(results, whole):
    assert combine_cancels(results) is whole
