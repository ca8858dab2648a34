"""What happens in a run, kept and read again."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from reelpub import (
    Account,
    Delivery,
    DeliveryStatus,
    GeneratedPost,
    Outcome,
    OutcomeStatus,
    Post,
    PostStatus,
    PublishRequest,
)
from reelpub.bulk import BudgetSample, Moment
from reelpub.bulk.moments import moment, sample, stored_event, stored_hold, stored_sample
from reelpub.models import event as events
from reelpub.transport.limiter import Hold
from reelpub.transport.message import Lane

AT = datetime(2026, 11, 22, 5, 0, 0, 250000, tzinfo=UTC)
COMMON = {"job_id": "r.1", "publisher": "reap", "at": AT}
ACCOUNT = Account(id="a1", provider="reap", platform="tiktok", username="acme")
POST = Post(id="p1", provider="reap", publisher="reap", status=PostStatus.PUBLISHING, raw_status="uploading")


def delivery(status, **members):
    return Delivery(account=ACCOUNT, status=status, **members)


def outcome(status, reason=None):
    request = PublishRequest(GeneratedPost("g1"))
    return Outcome(request=request, job_id="r.1", publisher="reap", status=status, reason=reason, settled_at=AT)


LIVE = delivery(DeliveryStatus.PUBLISHED, url="https://tiktok.example/1")
FAILED = delivery(DeliveryStatus.FAILED, error="the platform said no")
CASES = [
    (events.JobQueued(**COMMON), {"text": "queued for reap"}),
    (
        events.JobHeld(**COMMON, seconds=12.3456, reason="limit"),
        {"text": "waits for the rate limit, about 12 s", "seconds": 12.346, "reason": "limit"},
    ),
    (
        events.JobHeld(**COMMON, seconds=math.inf, reason="cap"),
        {"text": "waits for its account's cap", "reason": "cap"},
    ),
    (
        events.JobHeld(**COMMON, seconds=3, reason="weather"),
        {"text": "waits: weather, about 3 s", "seconds": 3.0, "reason": "weather"},
    ),
    (events.JobSent(**COMMON, part_id="r.1.1", attempt=1), {"text": "sent"}),
    (events.JobSent(**COMMON, part_id="r.1.1", attempt=2), {"text": "sent again, attempt 2"}),
    (events.JobAccepted(**COMMON, post=POST), {"text": "accepted as post p1"}),
    (events.JobAccepted(**COMMON, post=POST, reconciled=True), {"text": "found as post p1"}),
    (
        events.JobStatusChanged(**COMMON, post=POST, before=PostStatus.SCHEDULED),
        {"text": "post p1 is uploading"},
    ),
    (
        events.AccountDelivered(**COMMON, post_id="p1", delivery=LIVE),
        {"text": "live on tiktok:acme https://tiktok.example/1", "account": "tiktok:acme"},
    ),
    (
        events.AccountDelivered(**COMMON, post_id="p1", delivery=delivery(DeliveryStatus.PUBLISHED)),
        {"text": "live on tiktok:acme", "account": "tiktok:acme"},
    ),
    (
        events.AccountFailed(**COMMON, post_id="p1", delivery=FAILED),
        {"text": "failed on tiktok:acme: the platform said no", "account": "tiktok:acme"},
    ),
    (
        events.JobUnknown(**COMMON, part_id="r.1.1", reason="timed out"),
        {"text": "the answer was lost and is being looked up: timed out"},
    ),
    (
        events.JobUnknown(**COMMON, part_id="r.1.1", reason="two fit", is_final=True),
        {"text": "may or may not be live: two fit"},
    ),
    (events.JobStuck(**COMMON, post=POST), {"text": "post p1 is stuck at uploading"}),
    (events.JobSettled(**COMMON, outcome=outcome(OutcomeStatus.PUBLISHED)), {"text": "published"}),
    (
        events.JobSettled(**COMMON, outcome=outcome(OutcomeStatus.REFUSED, "no such account")),
        {"text": "refused: no such account"},
    ),
]


@pytest.mark.parametrize(("event", "told"), CASES, ids=lambda value: getattr(value, "kind", ""))
def test_an_event_comes_back_as_the_moment_that_it_was(event, told):
    kept = stored_event("r", event, at=1.0)
    assert (kept.run, kept.job_id) == ("r", "r.1")
    assert moment(kept) == Moment(at=AT, kind=event.kind, **told)


def test_every_kind_of_event_is_kept():
    kinds = {kind.kind for kind in events.JobEvent.__subclasses__()}
    assert kinds == {event.kind for event, _ in CASES}


def test_missed_events_are_told_as_such_at_the_time_at_which_that_was_noticed():
    kept = stored_event("r", events.EventsMissed(count=7), at=AT.timestamp())
    assert kept.job_id is None
    assert moment(kept) == Moment(at=AT, kind="missed", text="7 events came too fast to be kept")


def test_long_words_of_a_provider_are_cut_and_what_is_no_text_is_replaced():
    said = delivery(DeliveryStatus.FAILED, error="\ud800" + "x" * 10_000)
    kept = moment(stored_event("r", events.AccountFailed(**COMMON, post_id="p1", delivery=said), at=1.0))
    assert kept.text.startswith("failed on tiktok:acme: ?xxx")
    assert len(kept.text) == 300


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("429", "reap refused a request for its rate, about 31 s"),
        ("announced", "reap announced that nothing is left of its limit, about 31 s"),
        ("weather", "reap holds requests: weather, about 31 s"),
    ],
)
def test_a_wait_that_the_provider_imposed_is_about_no_single_job(reason, text):
    hold = Hold(operation="publishClip", provider="reap", lane=Lane.WRITE, delay=30.6, reason=reason)
    kept = stored_hold("r", "reap", hold, at=AT.timestamp())
    assert kept.job_id is None
    assert moment(kept) == Moment(at=AT, kind="held", text=text, seconds=30.6, reason=reason)


def test_a_budget_comes_back_as_it_was():
    budget = BudgetSample(at=AT, publisher="reap", limit=10, window=60.0, used=7, waiting=3, requests=41)
    assert sample(stored_sample("r", budget)) == budget
