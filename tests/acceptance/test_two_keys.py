"""Two keys of one provider in one orchestrator: the request names whose it is, and each has limits of its own."""

from __future__ import annotations

import pytest

from reelpub import Clip, ConfigurationError, GeneratedPost, MediaItems, OutcomeStatus, PublishRequest
from reelpub.sandbox import REAP_KEY, REELMIRROR_KEY, Fault, FaultKind

SECOND = {"reelmirror": "rm_" + "second" + "0" * 26, "reap": "reap_second_key_000000000000000001"}
FIRST = {"reelmirror": REELMIRROR_KEY, "reap": REAP_KEY}


def publishers(stage, provider):
    """Return one publisher for each of two keys of *provider*."""
    make = {"reelmirror": stage.reelmirror, "reap": stage.reap}[provider]
    return make(FIRST[provider], name="first"), make(SECOND[provider], name="second")


def request_of(provider, number, publisher):
    if provider == "reelmirror":
        source, account = MediaItems([f"demo-media-item-{number}"]), "tiktok:acme"
    else:
        source, account = Clip("demo-project-1", f"demo-clip-{number}"), "youtube:acme"
    return PublishRequest(source, accounts=[account], publisher=publisher)


PROVIDERS = pytest.mark.parametrize("provider", ["reelmirror", "reap"])


@PROVIDERS
def test_each_request_goes_out_with_the_key_it_names(play, provider):
    async def story(stage):
        requests = [request_of(provider, n, "first" if n % 2 else "second") for n in range(1, 9)]
        async with stage.orchestrator(*publishers(stage, provider)) as publishing:
            report = await publishing.publish_many(requests)
        assert report.is_success
        assert [outcome.publisher for outcome in report] == [request.publisher for request in requests]
        stage.check_truth(report)
        by_key = {}
        for outcome in report:
            by_key.setdefault(outcome.publisher, set()).update(post.id for post in outcome.posts)
        for name, key in (("first", FIRST[provider]), ("second", SECOND[provider])):
            assert {record.post_id for record in stage.sandbox.live(provider, key)} == by_key[name]
            assert len(by_key[name]) == 4

    play(story, keys=[SECOND[provider]])


@PROVIDERS
def test_a_request_that_names_none_is_refused_and_told_which_there_are(play, provider):
    async def story(stage):
        async with stage.orchestrator(*publishers(stage, provider)) as publishing:
            report = await publishing.publish_many(
                [request_of(provider, 1, None), request_of(provider, 2, "third"), request_of(provider, 3, "second")]
            )
            with pytest.raises(ConfigurationError, match="one of first, second"):
                await publishing.fetch("some-post")
        assert [outcome.status for outcome in report] == [OutcomeStatus.REFUSED] * 2 + [OutcomeStatus.PUBLISHED]
        assert "has to be named" in report[0].reason
        assert "first, second" in report[0].reason
        assert "'third'" in report[1].reason

    play(story, keys=[SECOND[provider]])


@PROVIDERS
def test_their_limits_are_apart(play, provider):
    """Two keys take half the time: neither waits for the other's window, and neither is refused."""
    count = {"reelmirror": 40, "reap": 30}[provider]
    operation = {"reelmirror": "publishOutgoingPost", "reap": "publishClip"}[provider]

    def seconds(names):
        async def story(stage):
            requests = [request_of(provider, 1 + n, names[n % len(names)]) for n in range(count)]
            async with stage.orchestrator(*publishers(stage, provider)) as publishing:
                report = await publishing.publish_many(requests)
            assert report.is_success
            assert stage.sandbox.rejections() == 0
            sent = [record.at for record in stage.sandbox.requests() if record.operation == operation]
            assert len(sent) == count
            return sent[-1] - sent[0]

        return play(story, keys=[SECOND[provider]])

    assert seconds(["first", "second"]) < 0.6 * seconds(["first"])


@PROVIDERS
def test_what_one_key_is_refused_the_other_isnt(play, provider):
    """A 429, and a revoked key, hold up and fail only their own."""

    async def story(stage):
        operation = {"reelmirror": "publishOutgoingPost", "reap": "publishClip"}[provider]
        stage.sandbox.order(
            Fault(FaultKind.RETRY_AFTER, operation=operation, key=FIRST[provider], seconds=100.0),
        )
        async with stage.orchestrator(*publishers(stage, provider)) as publishing:
            slow, fast = publishing.submit_many([request_of(provider, 1, "first"), request_of(provider, 2, "second")])
            quick = await fast
            assert stage.clock.monotonic() < 95
            assert quick.status is OutcomeStatus.PUBLISHED
            assert (await slow).status is OutcomeStatus.PUBLISHED
            assert stage.clock.monotonic() > 100
        stage.check_truth([quick, slow.outcome()])

    play(story, keys=[SECOND[provider]])


@PROVIDERS
def test_the_same_under_two_keys_isnt_a_duplicate(play, provider):
    """Two customers may post the same file; for one of them, twice is a mistake."""

    async def story(stage):
        requests = [request_of(provider, 1, name) for name in ("first", "second", "first")]
        async with stage.orchestrator(*publishers(stage, provider)) as publishing:
            report = await publishing.publish_many(requests)
        assert [outcome.status.value for outcome in report] == ["published", "published", "duplicate"]
        assert report[2].duplicate_of == report[0].job_id

    play(story, keys=[SECOND[provider]])


@PROVIDERS
def test_a_lost_answer_is_looked_up_with_its_own_key(play, provider):
    """Alike posts of two keys: each finds its own, and a retry goes out with the key of the first try."""

    async def story(stage):
        operation = {"reelmirror": "publishOutgoingPost", "reap": "publishClip"}[provider]
        stage.sandbox.order(
            Fault(FaultKind.LOST_AFTER, operation=operation, key=FIRST[provider]),
            Fault(FaultKind.LOST_BEFORE, operation=operation, key=SECOND[provider]),
            Fault(FaultKind.PLATFORM_FAILS, operation=operation, key=SECOND[provider]),
        )
        async with stage.orchestrator(*publishers(stage, provider)) as publishing:
            report = await publishing.publish_many(
                [request_of(provider, 1, "first"), request_of(provider, 1, "second")]
            )
            assert [outcome.status.value for outcome in report] == ["published", "failed"]
            again = await publishing.retry_failed_many(report)
        assert [outcome.status.value for outcome in again] == ["published", "published"]
        for key in (FIRST, SECOND):
            assert len(stage.sandbox.live(provider, key[provider])) == 1
        stage.check_truth(again)

    play(story, keys=[SECOND[provider]])


def test_two_of_one_name_are_refused(play):
    async def story(stage):
        first, second = stage.reap(), stage.reap(SECOND["reap"])
        with pytest.raises(ConfigurationError, match="two are named 'reap'"):
            stage.orchestrator(first, second)
        await first.close()
        await second.close()

    play(story, answers=0)


def test_captions_are_asked_of_the_named_publisher(play):
    async def story(stage):
        first, second = publishers(stage, "reelmirror")
        async with stage.orchestrator(first, second, stage.reap()) as publishing:
            await publishing.generate_caption(["demo-media-item-1"], publisher="second")
            outcome = await publishing.publish(
                PublishRequest(GeneratedPost("demo-generated-post-1"), publisher="first")
            )
            assert outcome.status is OutcomeStatus.PUBLISHED
        keys = {record.operation: record.key for record in stage.sandbox.requests("reelmirror")}
        assert keys["generateCaption"] == SECOND["reelmirror"]
        assert keys["publishOutgoingPost"] == REELMIRROR_KEY

    play(story, keys=[SECOND["reelmirror"]])
