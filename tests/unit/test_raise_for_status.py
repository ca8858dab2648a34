"""An outcome that isn't a success can be raised: each kind as the error that says what to do next."""

from __future__ import annotations

import pytest

from reelpub import (
    Account,
    Clip,
    DeadlineExceeded,
    Delivery,
    DeliveryFailed,
    DeliveryStatus,
    NotFoundError,
    Outcome,
    OutcomeStatus,
    OutcomeUnknown,
    Post,
    PostStatus,
    Problem,
    PublishRequest,
    ReelPubError,
    ValidationError,
)

ACCOUNT = Account(id="a", provider="reap", platform="tiktok", username="acme")
REFUSED = NotFoundError("no such clip", status=404, operation="publish_clip", provider="reap")


def outcome(status, **members):
    return Outcome(request=PublishRequest(Clip("p", "c")), job_id="j", publisher="reap", status=status, **members)


def post(status):
    failed = Delivery(account=ACCOUNT, status=DeliveryStatus.FAILED, error="the platform said no")
    return Post(id="1", provider="reap", publisher="reap", status=status, deliveries=(failed,))


@pytest.mark.parametrize("status", [OutcomeStatus.PUBLISHED, OutcomeStatus.SCHEDULED])
def test_a_success_returns_itself(status):
    found = outcome(status)
    assert found.raise_for_status() is found


@pytest.mark.parametrize(
    ("found", "kind", "words"),
    [
        (outcome(OutcomeStatus.UNKNOWN, reason="no answer"), OutcomeUnknown, "no answer"),
        (outcome(OutcomeStatus.PENDING, posts=(post(PostStatus.PUBLISHING),)), DeadlineExceeded, "pending"),
        (outcome(OutcomeStatus.FAILED, posts=(post(PostStatus.FAILED),)), DeliveryFailed, "the platform said no"),
        (outcome(OutcomeStatus.PARTLY_PUBLISHED, posts=(post(PostStatus.FAILED),)), DeliveryFailed, "tiktok:acme"),
        (outcome(OutcomeStatus.REFUSED, error=REFUSED), NotFoundError, "no such clip"),
        (outcome(OutcomeStatus.REFUSED, problems=(Problem(field="at", message="is past"),)), ValidationError, "at: is"),
        (outcome(OutcomeStatus.NOT_SENT, reason="closed"), ReelPubError, "closed"),
        (outcome(OutcomeStatus.DUPLICATE, reason="the same as j0"), ReelPubError, "the same as j0"),
    ],
    ids=lambda value: value.status.value if isinstance(value, Outcome) else None,
)
def test_everything_else_raises_what_stands_in_the_way(found, kind, words):
    with pytest.raises(kind, match=words):
        found.raise_for_status()


def test_the_last_status_is_told():
    with pytest.raises(DeadlineExceeded) as caught:
        outcome(OutcomeStatus.PENDING, posts=(post(PostStatus.PUBLISHING),)).raise_for_status()
    assert caught.value.last_status == "publishing"
