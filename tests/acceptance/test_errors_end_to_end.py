"""Whatever goes wrong at a provider: the right error with its own words, the others unharmed, and the truth told."""

from __future__ import annotations

import pytest
from attrs import evolve

from reelpub import (
    AuthenticationError,
    BadRequestError,
    Clip,
    ConflictError,
    DecodeError,
    Draft,
    GeneratedPost,
    MediaItems,
    NotFoundError,
    Orchestrator,
    OutcomeStatus,
    PaymentRequiredError,
    PermissionDeniedError,
    PublishRequest,
    RateLimitError,
    ReapPublisher,
    RetryPolicy,
    ServerError,
)
from reelpub.sandbox import REAP_ACCOUNTS, REAP_KEY, REELMIRROR_KEY, Fault, FaultKind
from reelpub.sandbox.seed import (
    REAP_READ_ONLY_KEY,
    REAP_REVOKED_KEY,
    REELMIRROR_NO_BALANCE_KEY,
    REELMIRROR_NO_CONTENT_KEY,
    REELMIRROR_READ_ONLY_KEY,
    REELMIRROR_REVOKED_KEY,
)

POSTS = [PublishRequest(MediaItems([f"demo-media-item-{n}"]), accounts=["instagram:acme"]) for n in (1, 2, 3)]
CLIPS = [PublishRequest(Clip("demo-project-1", f"demo-clip-{n}"), title="T", accounts=["x:acme"]) for n in (1, 2, 3)]
REFUSED, NOT_SENT, PUBLISHED = OutcomeStatus.REFUSED, OutcomeStatus.NOT_SENT, OutcomeStatus.PUBLISHED
SECRETS = (REELMIRROR_KEY, REAP_KEY, REELMIRROR_REVOKED_KEY, REAP_REVOKED_KEY)


def check_words(outcome):
    """Assert that nothing told of *outcome* holds a key."""
    said = repr(outcome) + str(outcome) + repr(outcome.error) + repr(vars(outcome.error) if outcome.error else "")
    assert not any(secret in said for secret in SECRETS)


@pytest.mark.parametrize(
    ("provider", "key", "kind", "words"),
    [
        ("reelmirror", "rm_" + "wrong" + "0" * 27, AuthenticationError, "The API key is missing or not valid."),
        ("reelmirror", REELMIRROR_REVOKED_KEY, AuthenticationError, "The API key is missing or not valid."),
        ("reelmirror", REELMIRROR_READ_ONLY_KEY, PermissionDeniedError, "publishing:write"),
        ("reap", "reap_no_such_key", AuthenticationError, "The API key is missing or not valid."),
        ("reap", REAP_REVOKED_KEY, AuthenticationError, "The API key is missing or not valid."),
        ("reap", REAP_READ_ONLY_KEY, PermissionDeniedError, "The API key can only read."),
    ],
    ids=["wrong", "revoked", "read only", "reap wrong", "reap revoked", "reap read only"],
)
def test_a_key_that_may_not_harms_only_its_own_requests(play, provider, key, kind, words):
    """The other provider's half of the batch is published; the refused half has the provider's words."""

    async def story(stage):
        wrong = {"reelmirror": stage.reelmirror, "reap": stage.reap}[provider](key)
        right = {"reelmirror": stage.reap, "reap": stage.reelmirror}[provider]()
        async with stage.orchestrator(wrong, right) as publishing:
            report = await publishing.publish_many([*POSTS, *CLIPS])
        for outcome in report:
            if outcome.publisher == right.name:
                assert outcome.status is PUBLISHED
            else:
                assert outcome.status is REFUSED
                assert type(outcome.error) is kind
                assert words in str(outcome.error)
                assert words in outcome.reason
                assert outcome.error.provider == provider
            check_words(outcome)
        stage.check_truth(report)
        assert len(stage.live()) == 3
        assert len(stage.live(provider)) == 0

    play(story)


def test_a_missing_scope_is_named(play):
    """A key without content:write can't touch the review queue; what needs only publishing goes out."""

    async def story(stage):
        requests = [PublishRequest(GeneratedPost("demo-generated-post-1")), POSTS[2]]
        async with stage.orchestrator(stage.reelmirror(REELMIRROR_NO_CONTENT_KEY)) as publishing:
            report = await publishing.publish_many(requests)
        assert [outcome.status for outcome in report] == [REFUSED, PUBLISHED]
        assert type(report[0].error) is PermissionDeniedError
        assert "content:" in report[0].error.message
        stage.check_truth(report)

    play(story)


def test_an_empty_balance_is_a_payment_matter(play):
    async def story(stage):
        async with stage.orchestrator(stage.reelmirror(REELMIRROR_NO_BALANCE_KEY)) as publishing:
            with pytest.raises(PaymentRequiredError, match="Not enough credit to write a caption"):
                await publishing.generate_caption(["demo-media-item-1"])

    play(story)


GOING_LIVE = pytest.mark.parametrize(
    ("requests", "operation"), [(POSTS, "publishOutgoingPost"), (CLIPS, "publishClip")], ids=["reelmirror", "reap"]
)


@GOING_LIVE
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault(FaultKind.PAYMENT_REQUIRED, text="Your card has expired."), PaymentRequiredError, "card has expired"),
        (Fault(FaultKind.FORBIDDEN, text="This key may not publish."), PermissionDeniedError, "may not publish"),
        (Fault(FaultKind.CONFLICT, text="It is locked."), ConflictError, "It is locked"),
    ],
    ids=["402", "403", "409"],
)
def test_a_refusal_of_one_leaves_the_others_alone(play, requests, operation, fault, kind, words):
    """The middle one of three is refused when it is to go live: it is told with the words, and two are published."""

    async def story(stage):
        stage.sandbox.order(Fault(fault.kind, operation=operation, after=1, text=fault.text))
        async with stage.orchestrator(concurrency=1) as publishing:
            report = await publishing.publish_many(requests)
        assert [outcome.status for outcome in report] == [PUBLISHED, REFUSED, PUBLISHED]
        assert type(report[1].error) is kind
        assert words in report[1].error.message
        assert words in report[1].reason
        stage.check_truth(report)
        assert len(stage.live()) == 2

    play(story)


@GOING_LIVE
def test_a_429_without_headers_is_borne(play, requests, operation):
    """It did nothing, so it is sent again, later; nobody is told of it but the limiter."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.RATE_LIMITED_BARE, operation=operation, times=3))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests)
        assert [outcome.status for outcome in report] == [PUBLISHED] * 3
        assert stage.sent(operation) == 6
        stage.check_truth(report)
        assert len(stage.live()) == 3

    play(story)


@GOING_LIVE
@pytest.mark.parametrize("text", [None, "date"], ids=["seconds", "date"])
def test_retry_after_is_obeyed(play, requests, operation, text):
    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.RETRY_AFTER, operation=operation, seconds=40.0, text=text))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests[:1])
        first, second = (r.at for r in stage.sandbox.requests() if r.operation == operation)
        assert 40 <= second - first < 60
        assert report.is_success

    play(story)


@GOING_LIVE
def test_a_429_that_never_ends_is_told_as_not_sent(play, requests, operation):
    """In the end it is given up, with the provider's words, and nothing is live; it can be retried later."""

    async def story(stage):
        stage.sandbox.order(Fault(FaultKind.RATE_LIMITED_BARE, operation=operation, times=3))
        retry = RetryPolicy(rate_attempts=3)
        publishers = (stage.reelmirror(retry=retry), stage.reap(retry=retry))
        async with stage.orchestrator(*publishers) as publishing:
            report = await publishing.publish_many(requests[:1])
            assert [outcome.status for outcome in report] == [NOT_SENT]
            assert type(report[0].error) is RateLimitError
            assert "Too many requests." in report[0].reason
            assert stage.live() == []
            again = await publishing.retry_failed_many(report)
        assert [outcome.status for outcome in again] == [PUBLISHED]
        stage.check_truth(again)

    play(story)


def test_what_does_not_exist_is_named(play):
    """404 of each source: a draft, a generated post, a media item, a project, a clip."""

    async def story(stage):
        requests = [
            PublishRequest(Draft("nowhere")),
            PublishRequest(GeneratedPost("nowhere")),
            PublishRequest(MediaItems(["nowhere"]), accounts=["tiktok:acme"]),
            PublishRequest(Clip("nowhere", "demo-clip-1"), accounts=["tiktok:acme"]),
            PublishRequest(Clip("demo-project-1", "nowhere"), accounts=["tiktok:acme"]),
            POSTS[0],
            CLIPS[0],
        ]
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests)
            with pytest.raises(NotFoundError):
                await publishing.fetch("nowhere", publisher="reelmirror")
            with pytest.raises(NotFoundError):
                await publishing.fetch("nowhere", publisher="reap")
        assert [outcome.status for outcome in report] == [REFUSED] * 5 + [PUBLISHED] * 2
        for outcome in report[:3]:
            assert type(outcome.error) is NotFoundError
            assert "There is no" in outcome.error.message
        assert "nowhere" in report[3].reason
        assert "nowhere" in report[4].reason
        stage.check_truth(report)

    play(story)


def test_an_id_is_data_whatever_it_holds(play):
    """Ids that look like paths, queries or lines of a header reach the provider as one segment, and aren't found."""

    async def story(stage):
        ids = ["../accounts", "a/b", "a?b=c", "a#b", "a\nX-Evil: 1", "%2e%2e", "..", "ä\u202e"]
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many([PublishRequest(Draft(one)) for one in ids])
            for one in ids:
                with pytest.raises((NotFoundError, BadRequestError)):
                    await publishing.fetch(one, publisher="reap")
        assert [outcome.status for outcome in report] == [REFUSED] * len(ids)
        assert {type(outcome.error) for outcome in report} == {NotFoundError}
        assert stage.live() == []

    play(story)


READS = {
    "reelmirror": (POSTS, "listConnectedAccounts"),
    "reap": (CLIPS, "getIntegrations"),
}


@pytest.mark.parametrize("provider", READS)
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault(FaultKind.HTML_502), ServerError, "502"),
        (Fault(FaultKind.HTML_500), ServerError, "500"),
        (Fault(FaultKind.TRUNCATED_JSON), DecodeError, "JSON"),
        (Fault(FaultKind.WRONG_CONTENT_TYPE), DecodeError, "text/plain"),
        (Fault(FaultKind.BIG_BODY), DecodeError, "10"),
        (Fault(FaultKind.CONFLICT, text="Busy."), ConflictError, "Busy."),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Fault) else "",
)
def test_accounts_that_can_not_be_read(play, provider, fault, kind, words):
    """Every attempt fails: what needed the accounts is not sent or refused, the other provider's half goes out."""
    _, operation = READS[provider]

    async def story(stage):
        stage.sandbox.order(Fault(fault.kind, operation=operation, times=4, text=fault.text))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many([*POSTS, *CLIPS])
            mine = [outcome for outcome in report if outcome.publisher == provider]
            assert all(outcome.status in (NOT_SENT, REFUSED) for outcome in mine)
            for outcome in mine:
                assert type(outcome.error) is kind or issubclass(type(outcome.error), kind)
                assert words in str(outcome.error)
                assert operation_of(operation) in str(outcome.error)
                check_words(outcome)
            assert [o.status for o in report if o.publisher != provider] == [PUBLISHED] * 3
            stage.check_truth(report)
            stage.sandbox.faults.clear()
            again = await publishing.retry_failed_many(report)
        assert [outcome.status for outcome in again] == [PUBLISHED] * 6
        stage.check_truth(again)
        assert stage.sandbox.duplicates() == []

    play(story)


def operation_of(name):
    """Return the client's name of an operation."""
    return {"listConnectedAccounts": "list_connected_accounts", "getIntegrations": "get_integrations"}[name]


READ_FAULTS = [FaultKind.HTML_502, FaultKind.TRUNCATED_JSON, FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER]


@pytest.mark.parametrize(
    ("operation", "kind"),
    [(operation, kind) for operation in ("listConnectedAccounts", "getIntegrations") for kind in READ_FAULTS]
    + [("createOutgoingPost", kind) for kind in (FaultKind.HTML_502, FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER)],
    ids=lambda value: getattr(value, "value", value),
)
def test_what_may_be_repeated_is(play, kind, operation):
    """A read or a draft that fails once costs one request more, and nobody is told."""

    async def story(stage):
        stage.sandbox.order(Fault(kind, operation=operation))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many([POSTS[0], CLIPS[0]])
        assert report.is_success
        assert stage.sent(operation) == 2
        stage.check_truth(report)

    play(story)


@pytest.mark.parametrize("provider", READS)
def test_a_redirect_is_not_followed(play, provider):
    """Another origin never sees the request, nor the key."""
    requests, operation = READS[provider]

    async def story(stage):
        other = {"reelmirror": "reap", "reap": "reelmirror"}[provider]
        elsewhere = stage.sandbox.base_url(other) + "/v1/steal"
        stage.sandbox.order(Fault(FaultKind.REDIRECT, operation=operation, text=elsewhere, times=None))
        async with stage.orchestrator({"reelmirror": stage.reelmirror, "reap": stage.reap}[provider]()) as publishing:
            report = await publishing.publish_many(requests)
        assert stage.sandbox.requests(other) == []
        assert stage.live() == []
        for outcome in report:
            assert outcome.status in (REFUSED, NOT_SENT)
            assert "redirect to 127.0.0.1 isn't followed" in outcome.reason
        stage.check_truth(report)

    play(story)


def test_a_provider_that_is_not_there(play, unused_tcp_port):
    """Nothing listens: it never left, it is told as not sent, and the other half goes out."""

    async def story(stage):
        gone = ReapPublisher.connect(REAP_KEY, base_url=f"http://127.0.0.1:{unused_tcp_port}/api", clock=stage.clock)
        async with Orchestrator([stage.reelmirror(), gone], clock=stage.clock) as publishing:
            report = await publishing.publish_many([*POSTS, *CLIPS])
        assert [outcome.status for outcome in report] == [PUBLISHED] * 3 + [NOT_SENT] * 3
        for outcome in report[3:]:
            assert "can't connect" in outcome.reason
            check_words(outcome)
        stage.check_truth(report)

    play(story)


def test_an_account_that_expires_between_the_look_and_the_post(play):
    """The provider's own refusal is passed on, for that post alone."""

    async def story(stage):
        async with stage.orchestrator() as publishing:
            await publishing.accounts()
            stage.sandbox.connect_account("reap", evolve(REAP_ACCOUNTS[4], status="inactive"))
            other = PublishRequest(Clip("demo-project-1", "demo-clip-9"), accounts=["tiktok:acme"])
            report = await publishing.publish_many([*CLIPS[:1], other])
        assert [outcome.status for outcome in report] == [REFUSED, PUBLISHED]
        assert type(report[0].error) is BadRequestError
        assert "is not active" in report[0].error.message
        stage.check_truth(report)

    play(story)


def test_reading_that_fails_delays_the_truth_and_never_bends_it(play):
    """The list of posts is broken for a while: outcomes come later, and are what is so."""

    async def story(stage):
        for operation in ("listOutgoingPosts", "getAllPosts"):
            for kind in (FaultKind.HTML_502, FaultKind.TRUNCATED_JSON, FaultKind.LOST_BEFORE):
                stage.sandbox.order(Fault(kind, operation=operation, times=4))
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many([*POSTS, *CLIPS])
        assert [outcome.status for outcome in report] == [PUBLISHED] * 6
        stage.check_truth(report)

    play(story)


def test_a_key_revoked_in_the_middle_leaves_what_was_accepted_pending(play):
    """What can't be read any more isn't guessed: it is pending, and its reason says why."""

    async def story(stage):
        async with stage.orchestrator(stage.reap()) as publishing:
            handles = publishing.submit_many(CLIPS)
            await stage.clock.sleep(5)
            assert stage.sent("publishClip") == 3
            stage.sandbox.order(Fault(FaultKind.FORBIDDEN, operation="getAllPosts", times=None, text="Revoked."))
            outcomes = [await handle for handle in handles]
        assert {outcome.status for outcome in outcomes} == {OutcomeStatus.PENDING}
        assert all("Revoked." in outcome.reason for outcome in outcomes)

    play(story)
