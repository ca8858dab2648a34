"""What is kept comes back as it was: requests, parts, outcomes and errors; and nothing secret is ever in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from reelpub import (
    Account,
    APIStatusError,
    Clip,
    ConflictError,
    ConnectError,
    DecodeError,
    Delivery,
    DeliveryFailed,
    DeliveryStatus,
    Draft,
    FoldPolicy,
    GapPolicy,
    GeneratedPost,
    InstagramSettings,
    LeaseLost,
    LinkedInSettings,
    LocalTime,
    MediaItem,
    MediaItems,
    Outcome,
    OutcomeStatus,
    OutcomeUnknown,
    Post,
    PostStatus,
    Problem,
    PublishRequest,
    RateLimitError,
    RateLimitWouldBlock,
    ReelPubError,
    RequestTimeout,
    ServerError,
    Severity,
    StoreError,
    TikTokSettings,
    UnsupportedOperation,
    ValidationError,
    YouTubeSettings,
)
from reelpub.errors import status_error
from reelpub.models.job import Attempt, Part, Prepared
from reelpub.policies.lifecycle import LookedAbsent as Absent
from reelpub.policies.lifecycle import PartState, Rules, Stage, step
from reelpub.policies.safety import effect_of
from reelpub.store import codec

SECRET = "rm_" + "s3cr3t" * 6
WHERE = {"operation": "publish_clip", "provider": "reap"}

words = st.text(max_size=12)
ids = st.text(min_size=1, max_size=12)
maybe_words = st.none() | words
maybe_bool = st.none() | st.booleans()
seconds = st.floats(min_value=0, max_value=4e9, allow_nan=False)
moments = st.integers(1_500_000_000, 2_200_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))
instants = moments | st.just(datetime(2027, 3, 28, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))))

accounts = st.builds(
    Account,
    id=ids,
    provider=st.sampled_from(["reap", "reelmirror"]),
    platform=ids,
    username=maybe_words,
    name=maybe_words,
    status=maybe_words,
    is_active=st.booleans(),
)
media_items = st.builds(MediaItem, ids, use_voice_converted=maybe_bool)
sources = (
    st.builds(GeneratedPost, ids, approve=st.booleans())
    | st.builds(MediaItems, st.lists(media_items, min_size=1, max_size=3), persona_id=maybe_words)
    | st.builds(Draft, ids)
    | st.builds(Clip, ids, ids)
)
local_times = st.builds(
    LocalTime,
    words | st.datetimes().map(lambda moment: moment.isoformat()),
    words,
    gap=st.sampled_from(GapPolicy),
    fold=st.sampled_from(FoldPolicy),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
platform_settings = (
    st.builds(YouTubeSettings, privacy=maybe_words, embeddable=maybe_bool)
    | st.builds(TikTokSettings, privacy=maybe_words, disable_duet=maybe_bool)
    | st.builds(InstagramSettings, share_to_feed=maybe_bool)
    | st.builds(LinkedInSettings, privacy=maybe_words)
    | st.dictionaries(st.text(max_size=6), json_values, max_size=3)
)
requests = st.builds(
    PublishRequest,
    sources,
    caption=maybe_words,
    title=maybe_words,
    tags=st.lists(words, max_size=3),
    accounts=st.lists(ids | accounts, max_size=3),
    settings=st.dictionaries(ids, platform_settings, max_size=2),
    at=st.none() | instants | local_times,
    publisher=maybe_words,
    allow_duplicate=st.booleans(),
    reference=maybe_words,
)
problems = st.builds(
    Problem,
    field=words,
    message=words,
    value=st.none() | words | st.integers(0, 99) | st.lists(words, max_size=2),
    limit=maybe_words,
    severity=st.sampled_from(Severity),
)
errors = (
    st.builds(ReelPubError, words)
    | st.builds(StoreError, words)
    | st.builds(LeaseLost, words)
    | st.builds(ConnectError, words, operation=words, provider=words)
    | st.builds(RequestTimeout, words, operation=words, provider=words, sent=maybe_bool)
    | st.builds(OutcomeUnknown, words, operation=words, provider=words)
    | st.builds(DecodeError, words, operation=words, provider=words, status=st.none() | st.just(200))
    | st.builds(RateLimitWouldBlock, seconds, operation=words, provider=words)
    | st.builds(UnsupportedOperation, words, words, supported_by=st.lists(words, max_size=2))
    | st.builds(ValidationError, st.lists(problems, max_size=2))
    | st.builds(
        status_error,
        st.sampled_from([302, 400, 401, 402, 403, 404, 409, 418, 422, 429, 500, 502]),
        words | st.just("None of it"),
        operation=words,
        provider=words,
        code=maybe_words,
        retry_after=st.none() | seconds,
    )
)
deliveries = st.builds(
    Delivery,
    account=accounts,
    status=st.sampled_from(DeliveryStatus),
    raw_status=maybe_words,
    url=maybe_words,
    platform_post_id=maybe_words,
    error=maybe_words,
    published_at=st.none() | instants,
)
posts = st.builds(
    Post,
    id=ids,
    provider=words,
    publisher=words,
    status=st.sampled_from(PostStatus),
    raw_status=maybe_words,
    deliveries=st.lists(deliveries, max_size=2).map(tuple),
    title=maybe_words,
    caption=maybe_words,
    scheduled_at=st.none() | instants,
    created_at=st.none() | instants,
)
some_accounts = st.lists(accounts, max_size=2).map(tuple)
parts = st.builds(
    Part,
    id=ids,
    job_id=ids,
    request=requests,
    accounts=some_accounts,
    at=st.none() | instants,
    not_before=st.none() | instants,
    copy_of=maybe_words,
    retries=maybe_words,
    begun_at=st.none() | instants,
)
attempts = st.builds(
    Attempt,
    id=ids,
    part_id=ids,
    number=st.integers(1, 9),
    started_at=seconds,
    send_deadline=st.none() | seconds,
    ended_at=st.none() | seconds,
    post_id=maybe_words,
)


def prepared_parts(part):
    return st.builds(
        Prepared,
        part=st.just(part),
        post_id=maybe_words,
        orphans=st.lists(words, max_size=2).map(tuple),
        warnings=st.lists(problems, max_size=1).map(tuple),
    )


@st.composite
def states(draw):
    part = draw(parts)
    prepared = draw(st.none() | prepared_parts(part))
    return PartState(
        part=part,
        stage=draw(st.sampled_from(Stage)),
        prepared=prepared,
        attempts=tuple(draw(st.lists(attempts, max_size=2))),
        post=draw(st.none() | posts),
        is_reconciled=draw(st.booleans()),
        absences=draw(st.integers(0, 2)),
        doubts=draw(st.integers(0, 2)),
        look_failures=draw(st.integers(0, 5)),
        error=draw(st.none() | errors),
        reason=draw(maybe_words),
        end=draw(st.none() | st.sampled_from(DeliveryStatus)),
    )


outcomes = st.builds(
    Outcome,
    request=requests,
    job_id=ids,
    publisher=maybe_words,
    status=st.sampled_from(OutcomeStatus),
    reason=maybe_words,
    deliveries=st.lists(deliveries, max_size=2).map(tuple),
    posts=st.lists(posts, max_size=2).map(tuple),
    error=st.none() | errors,
    problems=st.lists(problems, max_size=2).map(tuple),
    warnings=st.lists(problems, max_size=1).map(tuple),
    duplicate_of=maybe_words,
    drafts=st.lists(words, max_size=2).map(tuple),
    orphans=st.lists(words, max_size=2).map(tuple),
    requests=st.integers(0, 9),
    submitted_at=st.none() | instants,
    settled_at=st.none() | instants,
    is_resumable=st.booleans(),
)


def same_error(one, other):
    """Return whether two errors are of one type, in the same words, and lead to the same decisions."""
    if one is None or other is None:
        return one is other
    members = ("status", "code", "operation", "provider", "sent", "retry_after", "delay", "problems", "supported_by")
    return (
        type(one) is type(other)
        and str(one) == str(other)
        and effect_of(one) is effect_of(other)
        and all(getattr(one, name, None) == getattr(other, name, None) for name in members)
    )


@given(requests)
def test_a_request_comes_back(request):
    assert codec.load_request(codec.dump_request(request)) == request


@given(states())
def test_a_part_comes_back(state):
    again = codec.load_part(codec.dump_part(state))
    assert same_error(again.error, state.error)
    assert evolve(again, error=None) == evolve(state, error=None)


@given(outcomes)
def test_an_outcome_comes_back(outcome):
    again = codec.load_outcome(codec.dump_outcome(outcome))
    assert same_error(again.error, outcome.error)
    assert evolve(again, error=None) == evolve(outcome, error=None)


def test_the_strategies_know_every_member():
    """A member that is added later has to be drawn here too, or nothing proves that it is kept."""
    assert {field.name for field in fields(PublishRequest)} == {
        *("source", "caption", "title", "tags", "accounts", "settings", "at"),
        *("publisher", "allow_duplicate", "reference"),
    }
    assert len(fields(PartState)) == 12
    assert len(fields(Part)) == 9
    assert len(fields(Attempt)) == 7
    assert len(fields(Prepared)) == 4
    assert len(fields(Outcome)) == 17


def error_again(error):
    state = PartState(part=Part(id="j.1", job_id="j", request=PublishRequest(Clip("p", "c"))), error=error)
    return codec.load_part(codec.dump_part(state)).error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DecodeError("no JSON", status=200, problems=["x", "y"], **WHERE), DecodeError),
        (status_error(409, "None of it", **WHERE), ConflictError),
        (status_error(503, "busy", retry_after=3.0, **WHERE), ServerError),
        (status_error(429, "slow down", retry_after=3.5, **WHERE), RateLimitError),
        (RequestTimeout("no answer", sent=None, **WHERE), TimeoutError),
        (OutcomeUnknown("lost", cause=OSError("reset"), **WHERE), OutcomeUnknown),
        (KeyError("not ours"), ReelPubError),
        (DeliveryFailed(Post(id="p", provider="reap", publisher="r", status=PostStatus.FAILED)), ReelPubError),
    ],
)
def test_an_error_stays_what_it_is(error, kind):
    again = error_again(error)
    assert isinstance(again, kind)
    assert str(again) == str(error)


def test_an_unreadable_success_doesnt_come_back_as_a_refusal():
    """What was lost and turns out absent is sent again; taken for an error status below 500, it wouldn't be."""
    attempt = Attempt(id="j.1.1", part_id="j.1", number=1, started_at=0.0, ended_at=1.0)
    state = PartState(
        part=Part(id="j.1", job_id="j", request=PublishRequest(Clip("p", "c"))),
        stage=Stage.LOOKING,
        attempts=(attempt,),
        error=DecodeError("no JSON", status=200, **WHERE),
    )
    again = codec.load_part(codec.dump_part(state))
    for now in (100.0, 200.0):
        again, _ = step(again, Absent(), now, Rules())
    assert again.stage is Stage.READY


def test_what_a_provider_sent_along_with_an_error_isnt_kept():
    """Details and headers are free-form, so they may hold anything; a cause may hold a whole request."""
    error = status_error(
        409, "no", details={"token": SECRET}, headers={"date": SECRET, "set-cookie": SECRET}, code="CONFLICT", **WHERE
    )
    unknown = OutcomeUnknown("lost", cause=ValueError(SECRET), **WHERE)
    part = Part(id="j.1", job_id="j", request=PublishRequest(Clip("p", "c")))
    for one in (error, unknown):
        assert SECRET.encode() not in codec.dump_part(PartState(part=part, error=one))
        outcome = Outcome(request=part.request, job_id="j", publisher="reap", status=OutcomeStatus.UNKNOWN, error=one)
        assert SECRET.encode() not in codec.dump_outcome(outcome)
    again = error_again(error)
    assert isinstance(again, APIStatusError)
    assert (again.code, again.details, again.headers) == ("CONFLICT", None, {})


@pytest.mark.parametrize("caption", ["half a pair \ud83d", "\u2028 and \x00", "🎬"])
def test_texts_that_json_finds_hard_come_back(caption):
    request = PublishRequest(Clip("p", "c"), caption=caption, settings={"x": {"n": 2**80, "m": [caption]}})
    assert codec.load_request(codec.dump_request(request)) == request


def test_what_cant_be_json_at_all_is_a_clear_error():
    request = PublishRequest(Clip("p", "c"), settings={"x": {(1, 2): "a pair isn't a name"}})
    with pytest.raises(StoreError, match="can't be noted"):
        codec.dump_request(request)
