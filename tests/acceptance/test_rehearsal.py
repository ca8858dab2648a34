"""A dry run shows what the real run sends: the same requests, byte for byte but for ids that don't exist yet."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from reelpub import (
    Clip,
    ConfigurationError,
    Draft,
    GeneratedPost,
    LocalTime,
    MediaItems,
    Orchestrator,
    OutcomeStatus,
    PublishRequest,
    TikTokSettings,
)
from reelpub.bulk.rehearsal import rehearse
from reelpub.clocks import utc_now
from reelpub.policies.safety import RequestKind
from reelpub.providers.reelmirror.schemas import OutgoingPostItemInput
from reelpub.sandbox import REAP_KEY, REELMIRROR_ACCOUNTS, REELMIRROR_KEY
from reelpub.testing import InMemoryPublisher

INVENTED = re.compile(r"rehearsed-post-\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{24}\b")
READS_AFTERWARDS = {"listOutgoingPosts", "getAllPosts", "getPostDetails"}


def _requests(now):
    later = now + timedelta(hours=3)
    return [
        PublishRequest(GeneratedPost("demo-generated-post-1")),
        PublishRequest(GeneratedPost("demo-generated-post-2"), caption="Other words", accounts=["tiktok:acme"]),
        PublishRequest(GeneratedPost("demo-generated-post-3", approve=True)),
        PublishRequest(
            MediaItems(["demo-media-item-1", "demo-media-item-2"]), caption="Ünïcode", accounts=["instagram:acme"]
        ),
        PublishRequest(GeneratedPost("demo-generated-post-4"), at=later),
        PublishRequest(
            Clip("demo-project-1", "demo-clip-1"),
            title="One",
            tags=["a", "b"],
            accounts=["tiktok:acme", "youtube:acme"],
            settings={"tiktok": TikTokSettings(privacy="friends")},
        ),
        *(
            PublishRequest(
                Clip("demo-project-1", f"demo-clip-{number}"), accounts=["x:acme"], at=later + timedelta(hours=number)
            )
            for number in (2, 3, 4)
        ),
    ]


def _as_sent(exchange):
    body = json.loads(exchange.request_body) if exchange.request_body else None
    path = f"{exchange.path}?{exchange.query}" if exchange.query else exchange.path
    return _comparable(exchange.provider, exchange.method, path, body, exchange.request_headers)


def _as_shown(request):
    parts = urlsplit(request.url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return _comparable(request.provider, request.method, path, request.body, request.headers)


def _comparable(provider, method, path, body, headers):
    ours = {name.lower(): value for name, value in headers.items()}
    kept = {name: ours.get(name) for name in ("accept", "content-type", "user-agent")}
    text = INVENTED.sub("ID", json.dumps([path, body], sort_keys=True))
    return provider, method, text, tuple(kept.items())


def test_what_is_shown_is_what_is_sent(play):
    """Every way of going live at both providers: the writes of the rehearsal and those of the real run are the same."""

    async def story(stage):
        requests = _requests(utc_now(stage.clock))
        rehearsal = await rehearse([stage.reelmirror(), stage.reap()], requests, clock=stage.clock)
        assert stage.live() == []
        assert all(exchange.method == "GET" for exchange in stage.exchanges), "a rehearsal only reads"
        shown = [request for request in rehearsal.requests if request.kind is not RequestKind.READ]
        assert not any(request.is_sent for request in shown)
        before = len(stage.exchanges)
        async with stage.orchestrator() as publishing:
            report = await publishing.publish_many(requests)
            assert report.is_success
        sent = [exchange for exchange in stage.exchanges[before:] if exchange.method != "GET"]
        assert sorted(map(_as_shown, shown)) == sorted(map(_as_sent, sent))
        for dry, real in zip(rehearsal.outcomes, report, strict=True):
            assert (dry.status, len(dry.posts)) == (real.status, len(real.posts))
            if dry.deliveries:  # the provider decides some only when it is asked
                assert [str(d) for d in _settled(dry)] == [str(d) for d in _settled(real)]

    play(story)


def _settled(outcome):
    return [(str(delivery.account), delivery.status) for delivery in outcome.deliveries]


def test_the_key_is_never_shown_and_reads_are_told_as_sent(play):
    async def story(stage):
        rehearsal = await rehearse(
            [stage.reelmirror(), stage.reap()], _requests(utc_now(stage.clock)), clock=stage.clock
        )
        said = repr(rehearsal)
        assert REAP_KEY not in said
        assert REELMIRROR_KEY not in said
        assert {request.headers["Authorization"] for request in rehearsal.requests} == {"Bearer [redacted]"}
        told = sorted(_as_shown(request) for request in rehearsal.requests if request.is_sent)
        assert told == sorted(map(_as_sent, stage.exchanges))

    play(story)


def test_a_draft_of_ones_own_is_read_and_left_as_it_is(play):
    """The draft exists, so it is read; the edit that it would get is shown, and isn't made."""

    async def story(stage):
        publisher = stage.reelmirror()
        made = await publisher.client.create_outgoing_post(
            items=[OutgoingPostItemInput("demo-media-item-1")],
            target_account_ids=[REELMIRROR_ACCOUNTS[0].id],
            caption="As it was",
        )
        request = PublishRequest(Draft(made.id), caption="New words", accounts=["tiktok:acme"])
        rehearsal = await rehearse([stage.reelmirror()], [request], clock=stage.clock)
        assert [one.operation for one in rehearsal.requests if not one.is_sent] == [
            "update_outgoing_post",
            "get_outgoing_post",
            "publish_outgoing_post",
        ]
        [outcome] = rehearsal.outcomes
        assert [str(delivery.account) for delivery in outcome.published] == ["tiktok:acme"]
        untouched = await publisher.client.get_outgoing_post(made.id)
        assert (untouched.caption, untouched.status) == ("As it was", "draft")
        await publisher.close()

    play(story)


def test_what_would_be_refused_is_told_and_the_rest_is_shown(play):
    """A wrong account, a project that isn't there and the same twice: each ends as it would."""

    async def story(stage):
        good = PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["tiktok:acme"])
        requests = [
            good,
            good,
            PublishRequest(Clip("demo-project-1", "demo-clip-2"), accounts=["tiktok:nobody"]),
            PublishRequest(Clip("no-such-project", "demo-clip-2"), accounts=["tiktok:acme"]),
            PublishRequest(Clip("demo-project-1", "demo-clip-3"), accounts=["x:acme"], at=utc_now(stage.clock)),
        ]
        rehearsal = await rehearse([stage.reap()], requests, clock=stage.clock)
        assert [outcome.status for outcome in rehearsal.outcomes] == [
            OutcomeStatus.PUBLISHED,
            OutcomeStatus.DUPLICATE,
            OutcomeStatus.REFUSED,
            OutcomeStatus.REFUSED,
            OutcomeStatus.REFUSED,
        ]
        assert [one.operation for one in rehearsal.requests if not one.is_sent] == ["publish_clip"]

    play(story)


def test_what_is_kept_here_until_its_time_is_shown_without_waiting(play):
    """Reap schedules 50 minutes ahead at the earliest; a sooner post is shown as it will leave."""

    async def story(stage):
        started = stage.clock.monotonic()
        soon = utc_now(stage.clock) + timedelta(minutes=20)
        requests = [
            PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["x:acme"], at=soon),
            PublishRequest(Clip("demo-project-1", "demo-clip-2"), accounts=["x:acme"], at=LocalTime("soon", "UTC")),
        ]
        rehearsal = await rehearse([stage.reap()], requests, clock=stage.clock)
        assert rehearsal.kept == {0}
        assert [one.operation for one in rehearsal.requests if not one.is_sent] == ["publish_clip"]
        assert rehearsal.outcomes[1].status is OutcomeStatus.REFUSED
        assert stage.clock.monotonic() - started < 5

    play(story)


async def test_a_publisher_that_cant_rehearse_is_refused_before_anything_is_done():
    publisher = InMemoryPublisher()
    with pytest.raises(ConfigurationError, match="can't show what it would send"):
        await rehearse([publisher], [])


def test_a_publisher_that_rehearses_never_writes_again(play):
    """Whatever it is asked for: cancelling, rescheduling and deleting only read, and uploads are refused."""

    async def story(stage):
        shown = []
        publisher = stage.reap()
        publisher.rehearse(shown.append)
        with pytest.raises(ConfigurationError, match="can't show what it would send"):
            publisher.rehearse(shown.append)
        async with Orchestrator([publisher], clock=stage.clock) as publishing:
            at = utc_now(stage.clock) + timedelta(hours=3)
            handle = await publishing.publish(
                PublishRequest(Clip("demo-project-1", "demo-clip-1"), accounts=["x:acme"], at=at)
            )
            moved = await publishing.reschedule(handle, at + timedelta(hours=1))
            assert moved.posts[0].scheduled_at == (at + timedelta(hours=1)).replace(microsecond=0)
            await publishing.cancel(moved)
            with pytest.raises(ConfigurationError, match="no answer"):
                await publisher.client.cancel_project(project_id="demo-project-1")
        assert [one.operation for one in shown if one.kind is not RequestKind.READ] == [
            "schedule_clips",
            "update_post",
            "delete_post",
        ]
        assert all(exchange.method == "GET" for exchange in stage.exchanges)

    play(story)
