"""The facade over publishers in memory, in virtual time: what goes in, what comes out, and what never happens."""

# Naive times are among what is refused.
# ruff: noqa: DTZ001

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from attrs import evolve

from reelpub.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    RateLimitError,
    ServerError,
    StoreError,
    UnsupportedOperation,
    ValidationError,
)
from reelpub.models.account import Account
from reelpub.models.capability import Feature, ProviderLimits
from reelpub.models.job import Prepared
from reelpub.models.outcome import OutcomeStatus
from reelpub.models.post import DeliveryStatus, PostStatus
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip, GeneratedPost
from reelpub.models.when import LocalTime
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.caps import AccountCap
from reelpub.policies.lifecycle import Rules
from reelpub.providers.base import PostPage
from reelpub.store import MemoryStore
from reelpub.testing import InMemoryPublisher, Script, run_virtual

SAID = {"operation": "publish", "provider": "memory"}
OUT = OutcomeStatus


def clip(name="c1", *accounts, **members):
    return PublishRequest(Clip("p", name), accounts=accounts or ("tiktok:acme",), **members)


def clips(count, *accounts, **members):
    return [clip(f"c{n}", *accounts, **members) for n in range(count)]


def play(story, *, publishers=None, script=None, limits=None, **options):
    """Run ``story(orchestrator, publisher, clock)`` with one publisher in memory, or ``{name: class}`` of them."""

    async def main(clock):
        kinds = publishers or {"memory": InMemoryPublisher}
        made = [
            kind(name, clock=clock, script=script if index == 0 else None, limits=limits)
            for index, (name, kind) in enumerate(kinds.items())
        ]
        async with Orchestrator(made, clock=clock, **options) as orchestrator:
            return await story(orchestrator, made[0] if len(made) == 1 else made, clock)

    return run_virtual(main)


def statuses(report):
    return [outcome.status for outcome in report]


class TestBatches:
    def test_publishes_and_tells_every_account_in_the_order_of_the_requests(self):
        async def story(pub, memory, clock):
            wanted = [
                clip("c1", "youtube:acme", "tiktok:acme", reference="one"),
                clip("c2"),
                clip("c3", "instagram:acme"),
            ]
            report = await pub.publish_many(wanted)
            assert [outcome.request for outcome in report] == wanted
            assert statuses(report) == [OUT.PUBLISHED] * 3
            first = report[0]
            assert [(str(d.account), d.is_published) for d in first.deliveries] == [
                ("youtube:acme", True),
                ("tiktok:acme", True),
            ]
            assert first.deliveries[0].url.startswith("https://youtube.example/acme/")
            assert (first.requests, first.reason, first.error, first.is_settled) == (1, None, None, True)
            assert [post.id for post in first.posts] == ["post-1"]
            assert {account: sorted(sources) for account, sources in memory.live.items()} == {
                "tiktok-acme": ["p/c1", "p/c2"],
                "youtube-acme": ["p/c1"],
                "instagram-acme": ["p/c3"],
            }

        play(story)

    def test_a_big_batch_costs_few_reads_and_leaves_nothing_behind(self):
        async def story(pub, memory, clock):
            report = await pub.publish_many(clips(200))
            assert report.is_success
            assert memory.requests["publish"] == 200
            assert memory.requests.get("fetch", 0) + memory.requests["read_page"] < 100
            assert pub.usage() == {"memory": memory.requests}
            assert len(memory.live["tiktok-acme"]) == 200

        play(story, limits=ProviderLimits(requests=60))

    def test_an_empty_batch_is_an_empty_report(self):
        async def story(pub, memory, clock):
            assert len(await pub.publish_many([])) == 0
            assert pub.submit_many(iter([])) == []
            assert memory.requests == {}

        play(story)

    def test_any_iterable_will_do(self):
        async def story(pub, memory, clock):
            report = await pub.publish_many(request for request in clips(2))
            assert report.is_success

        play(story)

    def test_posts_without_named_accounts_go_where_the_provider_says(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(PublishRequest(GeneratedPost("g1")))
            assert sorted(str(d.account) for d in outcome.deliveries) == [
                "instagram:acme",
                "tiktok:acme",
                "youtube:acme",
            ]

        play(story)

    def test_each_publisher_gets_its_own(self):
        async def story(pub, made, clock):
            one, two = made
            report = await pub.publish_many([clip("c1", publisher="two"), clip("c2", publisher="one")])
            assert [outcome.publisher for outcome in report] == ["two", "one"]
            assert (one.live, two.live) == ({"tiktok-acme": ["p/c2"]}, {"tiktok-acme": ["p/c1"]})
            assert set(pub.publishers) == {"one", "two"}

        play(story, publishers={"one": InMemoryPublisher, "two": InMemoryPublisher})

    def test_failed_accounts_are_told_with_the_providers_words(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1", "tiktok:acme", "youtube:acme"))
            assert outcome.status is OUT.PARTLY_PUBLISHED
            assert [(d.status, d.error) for d in outcome.deliveries] == [
                (DeliveryStatus.FAILED, "the platform said no"),
                (DeliveryStatus.PUBLISHED, None),
            ]
            assert (await pub.publish(clip("c2"))).status is OUT.FAILED

        play(story, script=Script(fail_accounts={"tiktok-acme": 2}))

    def test_a_stuck_post_ends_as_pending_in_the_end(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert (outcome.status, outcome.is_settled) == (OUT.PENDING, True)
            assert outcome.reason == "stuck at publishing for 30 minutes"
            assert 1800 <= clock.monotonic() <= 2000

        play(story, script=Script(stuck=True))


class TestBadRequests:
    BAD: ClassVar = {
        "source": ({"source": None}, "source: is missing"),
        "an id": ({"source": Clip("", "c")}, "source.project_id: has to be an id, a text that isn't empty (given: '')"),
        "caption": ({"caption": 5}, "caption: has to be text, not int (given: 5)"),
        "title": ({"title": b"x"}, "title: has to be text, not bytes (given: b'x')"),
        "tags": ({"tags": "x"}, "tags: has to be a list, such as [\"launch\"], not one text (given: 'x')"),
        "too many tags": ({"tags": ["t"] * 11}, "tags: has 11 tags (given: 11) [limit: at most 10]"),
        "accounts": (
            {"accounts": "tiktok:acme"},
            "accounts: has to be a list, such as [\"tiktok:acme\"], not one text (given: 'tiktok:acme')",
        ),
        "no account": ({"accounts": ()}, "accounts: is empty; name at least one account"),
        "settings": ({"settings": 5}, "settings: has to map platform names to settings (given: 5)"),
        "naive time": (
            {"at": datetime(2027, 6, 1)},
            (
                "at: has no time zone; give an aware datetime, such as one with tzinfo=UTC, or a LocalTime "
                "(given: '2027-06-01T00:00:00')"
            ),
        ),
        "past time": (
            {"at": datetime(2027, 1, 1, tzinfo=UTC)},
            "at: is in the past (given: '2027-01-01T00:00:00+00:00') [limit: after 2027-01-15T08:00:00+00:00]",
        ),
        "gap": (
            {"at": LocalTime("2027-03-28 02:30", "Europe/Oslo")},
            (
                "at: is skipped there when the clocks go forward; name a gap policy or another time "
                "(given: '2027-03-28 02:30 Europe/Oslo')"
            ),
        ),
        "publisher": (
            {"publisher": "other"},
            "publisher: isn't one of the publishers here (given: 'other') [limit: memory]",
        ),
        "publisher's type": ({"publisher": 5}, "publisher: has to be text, not int (given: 5)"),
        "allow_duplicate": ({"allow_duplicate": "no"}, "allow_duplicate: has to be True or False (given: 'no')"),
        "reference": ({"reference": 5}, "reference: has to be text, not int (given: 5)"),
        "half a surrogate pair": ({"caption": "\ud800"}, "caption: holds half a surrogate pair, which can't be sent"),
        "settings that are no JSON": (
            {"settings": {"tiktok": {1: 2}}},
            "settings.tiktok: can't be written as JSON: Dict key must be str",
        ),
    }

    @pytest.mark.parametrize("bad", BAD)
    def test_is_refused_with_its_problem_and_nothing_is_sent(self, bad):
        change, text = self.BAD[bad]

        async def story(pub, memory, clock):
            outcome = await pub.publish(evolve(clip(), **change))
            assert (outcome.status, outcome.reason) == (OUT.REFUSED, text)
            assert [str(problem) for problem in outcome.problems] == [text]
            assert [str(problem) for problem in pub.check([evolve(clip(), **change)])[0]] == [text]
            assert (memory.requests, outcome.requests, outcome.is_settled) == ({}, 0, True)

        play(story)

    def test_all_problems_are_told_at_once_even_without_a_publisher(self):
        bad = PublishRequest(None, caption=5, tags="x", accounts=5, at="soon", publisher="other", allow_duplicate=1)

        async def story(pub, memory, clock):
            (problems,) = pub.check([bad])
            assert [problem.field for problem in problems] == [
                "source",
                "accounts",
                "caption",
                "tags",
                "at",
                "allow_duplicate",
                "publisher",
            ]
            assert (await pub.publish(bad)).problems == problems

        play(story)

    def test_a_publisher_has_to_be_named_where_several_would_do(self):
        async def story(pub, made, clock):
            outcome = await pub.publish(clip())
            assert outcome.reason == "publisher: has to be named, as several take this source [limit: one, two]"
            assert outcome.publisher is None

        play(story, publishers={"one": InMemoryPublisher, "two": InMemoryPublisher})

    def test_a_source_that_nobody_takes(self):
        class OnlyGenerated(InMemoryPublisher):
            def __init__(self, *args, **options):
                super().__init__(*args, **options)
                self.capabilities = evolve(self.capabilities, sources=(GeneratedPost,))

        async def story(pub, made, clock):
            outcome = await pub.publish(clip())
            assert outcome.reason == "source: is taken by none of the publishers here (one, two) (given: 'p/c1')"
            outcome = await pub.publish(evolve(clip(), source="p/c1"))
            assert outcome.reason.startswith("source: is no source; give a GeneratedPost")

        play(story, publishers={"one": OnlyGenerated, "two": OnlyGenerated})

    def test_scheduling_where_the_provider_can_not_says_who_can(self):
        class NoSchedule(InMemoryPublisher):
            def __init__(self, *args, **options):
                super().__init__(*args, **options)
                self.provider = "simple"
                self.capabilities = evolve(self.capabilities, features=self.capabilities.features - {Feature.SCHEDULE})

        async def story(pub, made, clock):
            at = datetime(2027, 6, 1, tzinfo=UTC)
            outcome = await pub.publish(clip(at=at, publisher="one"))
            assert (outcome.status, made[0].requests) == (OUT.REFUSED, {})
            assert "at: simple can't schedule" in outcome.reason
            assert "[limit: memory]" in outcome.reason

        play(story, publishers={"one": NoSchedule, "two": InMemoryPublisher})

    @pytest.mark.parametrize(
        ("account", "text"),
        [
            ("tiktok:nobody", "is no account at memory; connected are instagram:acme, tiktok:acme, youtube:acme"),
            ("x:acme", "is of another platform; memory has instagram:acme, tiktok:acme, youtube:acme"),
        ],
    )
    def test_accounts_are_looked_up_before_anything_is_sent(self, account, text):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1", "tiktok:acme", account))
            assert (outcome.status, outcome.problems[0].message) == (OUT.REFUSED, text)
            assert outcome.problems[0].field == "accounts[1]"
            assert memory.requests == {}

        play(story)

    def test_one_bad_request_leaves_the_others_alone(self):
        async def story(pub, memory, clock):
            bad = [evolve(clip(), **change) for change, _ in self.BAD.values()]
            good = clips(len(bad))
            mixed = [request for pair in zip(bad, good, strict=True) for request in pair]
            report = await pub.publish_many(mixed)
            assert statuses(report) == [OUT.REFUSED, OUT.PUBLISHED] * len(bad)
            assert clock.monotonic() < 60

        play(story)

    @pytest.mark.parametrize(
        ("requests", "text"),
        [
            (clip(), "requests: has to be a list of PublishRequest, not PublishRequest"),
            ("abc", "requests: has to be a list of PublishRequest, not str"),
            (None, "requests: has to be a list of PublishRequest, not NoneType"),
            (5, "requests: has to be a list of PublishRequest, not int"),
            ({"a": clip()}, "requests: has to be a list of PublishRequest, not dict"),
            ([clip(), "abc"], "requests[1]: has to be a PublishRequest, not str"),
            ([None], "requests[0]: has to be a PublishRequest, not NoneType"),
        ],
    )
    def test_what_is_no_list_of_requests(self, requests, text):
        async def story(pub, memory, clock):
            for call in (pub.publish_many, pub.schedule_many):
                with pytest.raises(ConfigurationError) as caught:
                    await call(requests)
                assert str(caught.value) == text
            for call in (pub.submit_many, pub.check):
                with pytest.raises(ConfigurationError) as caught:
                    call(requests)
                assert str(caught.value) == text
            assert memory.requests == {}

        play(story)

    @pytest.mark.parametrize("request_", [None, "abc", [clip()]])
    def test_what_is_no_request(self, request_):
        async def story(pub, memory, clock):
            at = datetime(2027, 6, 1, tzinfo=UTC)
            for call in (pub.publish, pub.schedule, lambda r: pub.schedule(r, at=at)):
                with pytest.raises(ConfigurationError, match=r"requests\[0\]: has to be a PublishRequest"):
                    await call(request_)
            with pytest.raises(ConfigurationError, match=r"requests\[0\]: has to be a PublishRequest"):
                pub.submit(request_)

        play(story)

    @pytest.mark.parametrize("timeout", [-1, "5", True, float("nan"), [5]])
    def test_what_is_no_timeout(self, timeout):
        async def story(pub, memory, clock):
            text = r"timeout: .* has to be a number of seconds, 0 or more, or None"
            for call in (pub.publish_many, pub.wait_many, pub.retry_failed_many):
                with pytest.raises(ConfigurationError, match=text):
                    await call([], timeout=timeout)
            for call in (pub.publish, pub.schedule):
                with pytest.raises(ConfigurationError, match=text):
                    await call(clip(at=datetime(2027, 6, 1, tzinfo=UTC)), timeout=timeout)
            with pytest.raises(ConfigurationError, match=text):
                pub.submit_many([clip()], timeout=timeout)
            assert memory.requests == {}

        play(story)

    @pytest.mark.parametrize(
        ("items", "text"),
        [
            ("job_1", "items: has to be a list of handles, outcomes or job ids, not str"),
            (None, "items: has to be a list of handles, outcomes or job ids, not NoneType"),
            ([5], "items[0]: has to be a handle, an outcome or a job id, not int"),
            ([[]], "items[0]: has to be a handle, an outcome or a job id, not list"),
            ([clip()], "items[0]: has to be a handle, an outcome or a job id, not PublishRequest"),
            (["job_1"], "job 'job_1' isn't known here"),
        ],
    )
    def test_what_names_no_job(self, items, text):
        async def story(pub, memory, clock):
            for call in (pub.wait_many, pub.retry_failed_many, pub.cancel_many):
                with pytest.raises(ConfigurationError) as caught:
                    await call(items)
                assert str(caught.value) == text
            if items is not None:
                with pytest.raises(ConfigurationError) as caught:
                    async with pub.stream(items):
                        pass
                assert str(caught.value) == text

        play(story)

    @pytest.mark.parametrize("item", [None, 5, "job_1", ["job_1"]])
    def test_what_is_no_job(self, item):
        async def story(pub, memory, clock):
            for call in (pub.wait, pub.retry_failed, pub.cancel):
                with pytest.raises(ConfigurationError, match=r"items\[0\]: has to be|isn't known here"):
                    await call(item)
            with pytest.raises(ConfigurationError, match=r"items\[0\]: has to be|isn't known here"):
                await pub.reschedule(item, datetime(2027, 6, 1, tzinfo=UTC))
            with pytest.raises(ConfigurationError, match=r"items\[0\]: has to be|isn't known here"):
                pub.job(item)

        play(story)

    def test_a_handle_or_an_outcome_by_itself_is_no_list(self):
        async def story(pub, memory, clock):
            handle = pub.submit(clip())
            for item in (handle, await handle):
                with pytest.raises(ConfigurationError, match="items: has to be a list of handles, outcomes or job ids"):
                    await pub.wait_many(item)

        play(story)


class TestConstruction:
    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"publishers": []}, "publishers: give at least one"),
            ({"publishers": None}, "publishers: has to be a list of publishers, not NoneType"),
            ({"publishers": "reap"}, "publishers: has to be a list of publishers, not str"),
            ({"publishers": ["reap"]}, "publishers[0]: has to be a publisher, not str"),
            (
                {"publishers": [InMemoryPublisher("a"), InMemoryPublisher("a")]},
                "publishers: two are named 'a'; give each a name of its own",
            ),
            ({"concurrency": 0}, "concurrency: 0 has to be a whole number of at least 1"),
            ({"concurrency": 2.5}, "concurrency: 2.5 has to be a whole number of at least 1"),
            ({"concurrency": True}, "concurrency: True has to be a whole number of at least 1"),
            ({"keep_settled": -1}, "keep_settled: -1 has to be a whole number of at least 0"),
            ({"shutdown_timeout": -1}, "shutdown_timeout: -1 has to be a number of seconds, 0 or more"),
            ({"shutdown_timeout": "5"}, "shutdown_timeout: '5' has to be a number of seconds, 0 or more"),
            ({"shutdown_timeout": float("inf")}, "shutdown_timeout: inf has to be a number of seconds, 0 or more"),
            ({"shutdown_timeout": float("nan")}, "shutdown_timeout: nan has to be a number of seconds, 0 or more"),
            ({"lease": 0}, "lease: 0 has to be a number of seconds, above 0"),
            ({"send_timeout": None}, "send_timeout: None has to be a number of seconds, above 0"),
            ({"rules": 5}, "rules: 5 has to be a Rules"),
            ({"poll": 5}, "poll: 5 has to be a PollPolicy"),
            ({"late": 5}, "late: 5 has to be a Lateness"),
            ({"clock": 5}, "clock: 5 has to be a Clock"),
            ({"store": 5}, "store: 5 has to be a Store"),
            ({"caps": 5}, "caps: 5 has to map accounts to AccountCap"),
            ({"caps": {"a": 5}}, "caps: {'a': 5} has to map accounts to AccountCap"),
        ],
    )
    def test_bad_options(self, options, text):
        with pytest.raises(ConfigurationError) as caught:
            Orchestrator(**({"publishers": [InMemoryPublisher()]} | options))
        assert str(caught.value) == text

    def test_from_env_needs_a_key(self, monkeypatch):
        monkeypatch.delenv("REELMIRROR_API_KEY", raising=False)
        monkeypatch.delenv("REAP_API_KEY", raising=False)
        with pytest.raises(ConfigurationError, match="no API key found: set REAP_API_KEY or REELMIRROR_API_KEY"):
            Orchestrator.from_env()

    async def test_from_env_makes_a_publisher_for_each_key(self, monkeypatch):
        monkeypatch.setenv("REELMIRROR_API_KEY", "rm_test_key")
        monkeypatch.setenv("REAP_API_KEY", "reap_test_key")
        async with Orchestrator.from_env(concurrency=2) as pub:
            assert {publisher.provider for publisher in pub.publishers.values()} == {"reap", "reelmirror"}


class TestOpenAndClosed:
    CALLS: ClassVar = {
        "publish": lambda pub: pub.publish(clip()),
        "publish_many": lambda pub: pub.publish_many([]),
        "schedule": lambda pub: pub.schedule(clip(), at=datetime(2027, 6, 1, tzinfo=UTC)),
        "wait_many": lambda pub: pub.wait_many([]),
        "retry_failed_many": lambda pub: pub.retry_failed_many([]),
        "cancel_many": lambda pub: pub.cancel_many([]),
        "reschedule": lambda pub: pub.reschedule("job_1", datetime(2027, 6, 1, tzinfo=UTC)),
        "fetch": lambda pub: pub.fetch("post-1"),
        "accounts": lambda pub: pub.accounts(),
        "generate_caption": lambda pub: pub.generate_caption(["m1"]),
        "resume": lambda pub: pub.resume(),
        "stream": lambda pub: pub.stream().__aenter__(),
    }

    @pytest.mark.parametrize("call", CALLS)
    async def test_nothing_can_be_asked_for_before_opening_and_after_closing(self, call):
        memory = InMemoryPublisher()
        pub = Orchestrator([memory])
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="the orchestrator isn't open; use it in `async with`"):
                await self.CALLS[call](pub)
            with pytest.raises(ConfigurationError, match="isn't open"):
                pub.submit(clip())
            async with pub if not memory.is_closed else InMemoryContext():
                pass
        assert memory.requests == {}

    async def test_what_needs_no_request_works_at_any_time(self):
        pub = Orchestrator([InMemoryPublisher()])
        assert pub.check([clip()]) == [()]
        async with pub:
            outcome = await pub.publish(clip(), timeout=0)
        assert pub.usage() == {"memory": {}}
        assert list(pub.publishers) == ["memory"]
        assert pub.job(outcome.job_id).is_settled

    async def test_is_opened_once(self):
        pub = Orchestrator([InMemoryPublisher()])
        async with pub:
            with pytest.raises(ConfigurationError, match="an orchestrator is opened once; make a new one"):
                await pub.__aenter__()
        with pytest.raises(ConfigurationError, match="an orchestrator is opened once; make a new one"):
            await pub.__aenter__()


class InMemoryContext:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


SYNCHRONOUS = {"check", "plan", "batches"}


def raising(where, error):
    """Return a publisher of which one method raises."""

    async def later(*_, **__):
        raise error

    def at_once(*_, **__):
        raise error

    return type("Raising", (InMemoryPublisher,), {where: at_once if where in SYNCHRONOUS else later})


class TestIsolation:
    ERRORS: ClassVar = [ValueError("a bug"), ServerError("down", status=500, **SAID)]

    @pytest.mark.parametrize("error", ERRORS, ids=["bug", "error"])
    @pytest.mark.parametrize(
        ("where", "end", "reason"),
        [
            ("check", OUT.REFUSED, "couldn't check the request: it raised"),
            ("accounts", OUT.NOT_SENT, None),
            ("plan", OUT.NOT_SENT, None),
            ("prepare", OUT.NOT_SENT, None),
            ("publish", OUT.NOT_SENT, None),
            ("fetch", OUT.PENDING, "stuck at publishing for 30 minutes"),
        ],
    )
    def test_a_publisher_that_raises_never_harms_or_delays_the_others(self, where, error, end, reason):
        ended_at = {}

        async def story(pub, made, clock):
            async def note(handle, name):
                ended_at[name] = (await handle).status, clock.monotonic()

            handles = pub.submit_many([clip(publisher="bad"), clip(publisher="good")])
            await asyncio.gather(note(handles[0], "bad"), note(handles[1], "good"))
            outcome = await handles[0]
            assert outcome.status is end
            assert (reason or str(error)) in outcome.reason
            assert (outcome.is_settled, made[0].live) == (True, {})

        play(story, publishers={"bad": raising(where, error), "good": InMemoryPublisher})
        alone = {}

        async def undisturbed(pub, made, clock):
            alone["good"] = (await pub.publish(clip(publisher="good"))).status, clock.monotonic()

        play(undisturbed, publishers={"bad": InMemoryPublisher, "good": InMemoryPublisher})
        assert ended_at["good"] == alone["good"]

    @pytest.mark.parametrize("error", ERRORS, ids=["bug", "error"])
    def test_requests_that_need_no_accounts_go_out_although_those_can_not_be_read(self, error):
        async def story(pub, memory, clock):
            report = await pub.publish_many([clip(), PublishRequest(GeneratedPost("g1"))])
            assert statuses(report) == [OUT.NOT_SENT, OUT.PUBLISHED]

        play(story, publishers={"memory": raising("accounts", error)})

    @pytest.mark.parametrize("error", ERRORS, ids=["bug", "error"])
    def test_a_list_that_can_not_be_read_leaves_reading_one_by_one(self, error):
        async def story(pub, memory, clock):
            report = await pub.publish_many(clips(3))
            assert report.is_success
            assert clock.monotonic() < 600

        play(story, publishers={"memory": raising("read_page", error)})

    def test_a_list_that_means_nothing_leaves_reading_one_by_one(self):
        class NoPage(InMemoryPublisher):
            async def read_page(self, page, *, created_after=None):
                return "page"

        async def story(pub, memory, clock):
            assert (await pub.publish_many(clips(2))).is_success

        play(story, publishers={"memory": NoPage})

    def test_a_publisher_that_can_not_say_whether_it_has_a_list_is_tried_again(self):
        class Moody(InMemoryPublisher):
            asked = 0

            @property
            def has_bulk_read(self):
                self.asked += 1
                if 1 < self.asked < 5:
                    raise ValueError("a bug")
                return True

        async def story(pub, memory, clock):
            assert (await pub.publish_many(clips(2))).is_success

        play(story, publishers={"memory": Moody})

    def test_one_post_that_can_not_be_read_does_not_stand_in_the_way_of_the_others(self):
        class Unreadable(InMemoryPublisher):
            has_bulk_read = False

            async def fetch(self, post_id):
                if post_id == "post-1":
                    raise ServerError("down", status=500, **SAID)
                return await super().fetch(post_id)

        async def story(pub, memory, clock):
            handles = pub.submit_many(clips(5))
            for handle in handles[1:]:
                assert (await handle).status is OUT.PUBLISHED
            assert clock.monotonic() < 300
            outcome = await handles[0]
            assert (outcome.status, outcome.reason) == (OUT.PENDING, "stuck at publishing for 30 minutes")

        play(story, publishers={"memory": Unreadable})

    @pytest.mark.parametrize("error", ERRORS, ids=["bug", "error"])
    def test_batches_that_can_not_be_made_are_sent_one_by_one(self, error):
        async def story(pub, memory, clock):
            at = datetime(2027, 6, 1, tzinfo=UTC)
            report = await pub.publish_many([*clips(2, at=at), clip("now")])
            assert statuses(report) == [OUT.SCHEDULED, OUT.SCHEDULED, OUT.PUBLISHED]
            assert memory.requests["schedule"] == 2

        play(story, publishers={"memory": raising("batches", error)})

    @pytest.mark.parametrize("lost", [slice(1, None), slice(0, 0)])
    def test_batches_that_lose_a_part_are_not_believed(self, lost):
        class Losing(InMemoryPublisher):
            def batches(self, parts):
                return [batch[lost] for batch in super().batches(parts)]

        async def story(pub, memory, clock):
            at = datetime(2027, 6, 1, tzinfo=UTC)
            assert statuses(await pub.publish_many(clips(3, at=at))) == [OUT.SCHEDULED] * 3

        play(story, publishers={"memory": Losing})

    def test_a_plan_without_a_post_ends_at_once(self):
        class Planless(InMemoryPublisher):
            def plan(self, request, accounts):
                return []

        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert (outcome.status, outcome.reason) == (OUT.NOT_SENT, "memory makes no post of it")

        play(story, publishers={"memory": Planless})

    @pytest.mark.parametrize("answer", [[], [None], None, ["post"]])
    def test_an_answer_that_means_nothing_is_looked_up(self, answer):
        class Odd(InMemoryPublisher):
            async def schedule(self, batch, options=None):
                await super().schedule(batch, options)
                return answer

        async def story(pub, memory, clock):
            outcome = await pub.publish(clip(at=datetime(2027, 6, 1, tzinfo=UTC)))
            assert (outcome.status, memory.requests["schedule"]) == (OUT.SCHEDULED, 1)

        play(story, publishers={"memory": Odd})

    def test_a_publisher_that_answers_with_no_post_is_looked_up(self):
        class Silent(InMemoryPublisher):
            async def publish(self, prepared, options=None):
                await super().publish(prepared, options)

        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert (outcome.status, memory.live) == (OUT.PUBLISHED, {"tiktok-acme": ["p/c1"]})

        play(story, publishers={"memory": Silent})

    def test_work_that_fails_unforeseen_ends_alone(self, caplog):
        class Limiterless(InMemoryPublisher):
            def __init__(self, *args, **options):
                super().__init__(*args, **options)
                self.limiter = None

            async def close(self):
                pass

        async def story(pub, made, clock):
            report = await pub.publish_many([clip(publisher="bad"), clip(publisher="good")])
            assert statuses(report) == [OUT.NOT_SENT, OUT.PUBLISHED]
            assert "AttributeError" in report[0].reason

        play(story, publishers={"bad": Limiterless, "good": InMemoryPublisher})
        assert "a piece of work raised" in caplog.text

    def test_a_cancelled_task_leaves_its_jobs_and_the_others(self):
        async def story(pub, memory, clock):
            first = asyncio.create_task(pub.publish_many(clips(3)))
            second = asyncio.create_task(pub.publish(clip("other")))
            await asyncio.sleep(5)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert (await second).status is OUT.PUBLISHED
            assert len(memory.live["tiktok-acme"]) == 4

        play(story)


class TestLostAnswers:
    def test_an_answer_lost_before_it_took_effect_is_sent_again(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert (outcome.status, outcome.requests, memory.requests["publish"]) == (OUT.PUBLISHED, 2, 2)
            assert (outcome.error, outcome.reason) == (None, None)
            assert memory.live == {"tiktok-acme": ["p/c1"]}

        play(story, script=Script(lose_before=1))

    def test_an_answer_lost_after_it_took_effect_is_found(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert (outcome.status, outcome.requests, memory.requests["publish"]) == (OUT.PUBLISHED, 1, 1)
            assert memory.live == {"tiktok-acme": ["p/c1"]}

        play(story, script=Script(lose_after=1))

    def test_one_lost_answer_in_a_batch_delays_no_other(self):
        async def story(pub, memory, clock):
            handles = pub.submit_many(clips(10))
            for handle in handles[1:]:
                await handle
            others = clock.monotonic()
            assert (await handles[0]).status is OUT.PUBLISHED
            assert others < 40 < clock.monotonic()
            assert sorted(memory.live["tiktok-acme"]) == sorted(f"p/c{n}" for n in range(10))

        play(story, script=Script(lose_before=1))

    @pytest.mark.parametrize("lost", ["lose_before", "lose_after"])
    def test_what_can_not_be_looked_up_ends_as_unknown_and_is_never_sent_again(self, lost):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert outcome.status is OUT.UNKNOWN
            assert [d.status for d in outcome.unknown] == [DeliveryStatus.UNKNOWN]
            assert "told to find nothing" in outcome.reason
            again = await pub.retry_failed_many([outcome, outcome.job_id])
            assert list(again) == [outcome, outcome]
            await asyncio.sleep(5000)
            assert memory.requests["publish"] == 1
            assert (await pub.publish(clip())).status is OUT.DUPLICATE

        play(story, script=Script(is_findable=False, **{lost: 1}))

    @pytest.mark.parametrize("error", TestIsolation.ERRORS, ids=["bug", "error"])
    def test_a_lookup_that_raises_ends_as_unknown(self, error):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert outcome.status is OUT.UNKNOWN
            assert "it can't be looked up" in outcome.reason
            assert memory.requests["publish"] == 1

        play(story, publishers={"memory": raising("find", error)}, script=Script(lose_after=1))

    def test_a_lookup_that_means_nothing_ends_as_unknown(self):
        class Odd(InMemoryPublisher):
            async def find(self, *_, **__):
                return "post-1"

        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert outcome.status is OUT.UNKNOWN
            assert "found str, which means nothing" in outcome.reason

        play(story, publishers={"memory": Odd}, script=Script(lose_after=1))

    def test_a_publisher_that_can_not_look_up_ends_as_unknown(self):
        class Blind(InMemoryPublisher):
            find = None

        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert outcome.status is OUT.UNKNOWN
            assert memory.requests["publish"] == 1

        play(story, publishers={"memory": Blind}, script=Script(lose_after=1))

    def test_so_many_attempts_and_no_more(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert (outcome.status, outcome.requests) == (OUT.NOT_SENT, 2)
            assert outcome.reason.startswith("sent 2 times without taking effect: ")
            assert memory.live == {}

        play(story, script=Script(lose_before=9), rules=Rules(settle_after=5, max_attempts=2))

    def test_lost_answers_of_a_scheduled_batch_are_told_apart(self):
        async def story(pub, memory, clock):
            at = datetime(2027, 6, 1, tzinfo=UTC)
            report = await pub.schedule_many(clips(25, at=at))
            assert statuses(report) == [OUT.SCHEDULED] * 25
            await asyncio.sleep(86_400 * 200)
            page = await memory.read_page(0)
            assert len(page.posts) == 25

        play(story, script=Script(lose_after=1, lose_before=0))

    def test_duplicates_that_both_lost_their_answer_never_share_a_post(self):
        async def story(pub, memory, clock):
            report = await pub.publish_many([clip(allow_duplicate=True), clip(allow_duplicate=True)])
            live = len(memory.live["tiktok-acme"])
            published = len(report.of(OUT.PUBLISHED))
            assert published <= live <= 2
            ids = [post.id for outcome in report for post in outcome.posts]
            assert len(set(ids)) == len(ids)

        for script in (Script(lose_after=2), Script(lose_before=1), Script(lose_after=1), Script(lose_before=2)):
            play(story, script=script)

    @pytest.mark.parametrize(
        ("error", "end"),
        [
            (BadRequestError("the caption is bad", status=422, **SAID), OUT.REFUSED),
            (AuthenticationError("wrong key", status=401, **SAID), OUT.REFUSED),
            (RateLimitError("slow down", status=429, **SAID), OUT.NOT_SENT),
            (ConflictError("exists", status=409, **SAID), OUT.REFUSED),
        ],
    )
    def test_a_refusal_is_told_with_the_providers_words_and_leaves_the_rest(self, error, end):
        async def story(pub, memory, clock):
            report = await pub.publish_many(clips(3))
            assert statuses(report) == [end, OUT.PUBLISHED, OUT.PUBLISHED]
            assert (report[0].error, report[0].reason) == (error, str(error))

        play(story, script=Script(refuse=[error]))


class TestDuplicates:
    def test_in_one_batch(self):
        async def story(pub, memory, clock):
            report = await pub.publish_many([clip(), clip(reference="again"), clip("other")])
            assert statuses(report) == [OUT.PUBLISHED, OUT.DUPLICATE, OUT.PUBLISHED]
            assert report[1].duplicate_of == report[0].job_id
            assert report[1].reason == f"the same as {report[0].job_id}"
            assert sorted(memory.live["tiktok-acme"]) == ["p/c1", "p/other"]

        play(story)

    def test_across_batches_and_under_other_spellings(self):
        async def story(pub, memory, clock):
            first = await pub.publish(clip("c1", "tiktok:acme", "youtube:acme"))
            for accounts in (["youtube:acme", "tiktok:acme"], ["TikTok:@ACME", " youtube:acme"]):
                outcome = await pub.publish(PublishRequest(Clip("p", "c1"), accounts=accounts))
                assert (outcome.status, outcome.duplicate_of) == (OUT.DUPLICATE, first.job_id)

        play(story)

    def test_are_sent_where_they_are_asked_for(self):
        async def story(pub, memory, clock):
            report = await pub.publish_many([clip(), clip(allow_duplicate=True)])
            assert report.is_success
            assert memory.live == {"tiktok-acme": ["p/c1", "p/c1"]}

        play(story)

    def test_a_duplicate_that_came_to_nothing_frees_nothing(self):
        """The first post stays known, although one that was asked for beside it was refused."""

        async def story(pub, memory, clock):
            first = await pub.publish(clip())
            memory.script.refuse.append(BadRequestError("no", status=422, **SAID))
            assert (await pub.publish(clip(allow_duplicate=True))).status is OUT.REFUSED
            again = await pub.publish(clip())
            assert (again.status, again.duplicate_of) == (OUT.DUPLICATE, first.job_id)
            assert memory.live == {"tiktok-acme": ["p/c1"]}

        play(story)

    def test_what_came_to_nothing_may_be_asked_for_again(self):
        async def story(pub, memory, clock):
            assert (await pub.publish(clip())).status is OUT.REFUSED
            assert (await pub.publish(clip(), timeout=0)).status is OUT.NOT_SENT
            assert (await pub.publish(clip())).status is OUT.PUBLISHED

        play(story, script=Script(refuse=[BadRequestError("no", status=422, **SAID)]))

    def test_are_known_as_long_as_their_job_is_remembered(self):
        async def story(pub, memory, clock):
            await pub.publish(clip("c1"))
            await pub.publish(clip("c2"))
            assert (await pub.publish(clip("c2"))).status is OUT.DUPLICATE
            assert (await pub.publish(clip("c1"))).status is OUT.PUBLISHED

        play(story, keep_settled=2)


class TestDeadlines:
    def test_what_has_not_begun_is_not_sent_and_the_rest_goes_on(self):
        async def story(pub, memory, clock):
            report = await pub.publish_many(clips(10), timeout=30)
            assert clock.monotonic() == 30
            begun = report.of(OUT.PENDING, OUT.PUBLISHED)
            unsent = report.of(OUT.NOT_SENT)
            assert len(begun) + len(unsent) == 10
            assert begun
            assert unsent
            assert {outcome.reason for outcome in unsent} <= {
                "the deadline passed before it was sent",
                "the deadline passed before its turn",
            } | {outcome.reason for outcome in unsent if "rate limit allows it only" in outcome.reason}
            assert all(outcome.is_settled for outcome in unsent)
            waited = await pub.wait_many(report)
            assert statuses(waited.of(OUT.PUBLISHED)) == [OUT.PUBLISHED] * len(begun)
            assert len(memory.live["tiktok-acme"]) == len(begun)

        play(story, limits=ProviderLimits(requests=2, window=20))

    def test_zero_sends_nothing(self):
        async def story(pub, memory, clock):
            report = await pub.publish_many(clips(3), timeout=0)
            assert statuses(report) == [OUT.NOT_SENT] * 3
            await asyncio.sleep(100)
            assert memory.requests == {}

        play(story)

    def test_an_endless_one_is_one(self):
        async def story(pub, memory, clock):
            assert (await pub.publish(clip(), timeout=float("inf"))).status is OUT.PUBLISHED

        play(story)

    def test_a_lost_answer_is_unknown_when_the_deadline_comes_and_decided_later(self):
        """What turns out never to have taken effect isn't sent again: its time to be sent is over."""

        async def story(pub, memory, clock):
            outcome = await pub.publish(clip(), timeout=20)
            assert (outcome.status, outcome.is_settled) == (OUT.UNKNOWN, False)
            outcome = await pub.wait(outcome)
            assert (outcome.status, outcome.is_settled) == (OUT.NOT_SENT, True)
            assert (memory.requests["publish"], memory.live) == (1, {})

        play(story, script=Script(lose_before=1))

    def test_submitted_requests_keep_theirs(self):
        async def story(pub, memory, clock):
            handles = pub.submit_many(clips(6), timeout=25)
            outcomes = [await handle for handle in handles]
            assert {outcome.status for outcome in outcomes} == {OUT.PUBLISHED, OUT.NOT_SENT}
            assert len(memory.live["tiktok-acme"]) == len([o for o in outcomes if o.status is OUT.PUBLISHED])

        play(story, limits=ProviderLimits(requests=2, window=20))

    def test_a_cap_that_outlasts_the_deadline_is_told_at_once(self):
        async def story(pub, memory, clock):
            first, second = pub.submit_many(clips(2), timeout=60)
            outcome = await second
            assert (outcome.status, clock.monotonic()) == (OUT.NOT_SENT, pytest.approx(0, abs=5))
            assert "the cap of its account holds it for 3600 s, past the deadline" in outcome.reason
            assert (await first).status is OUT.PUBLISHED

        play(story, caps={"tiktok:acme": AccountCap(min_gap=3600)})


class TestScheduling:
    AT = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)

    def test_is_settled_once_the_provider_has_it(self):
        async def story(pub, memory, clock):
            report = await pub.schedule_many(clips(3, at=self.AT))
            assert statuses(report) == [OUT.SCHEDULED] * 3
            assert report.is_success
            assert (clock.monotonic(), memory.requests) == (pytest.approx(0, abs=5), {"schedule": 1})
            assert report[0].posts[0].scheduled_at == self.AT

        play(story)

    def test_nothing_is_read_before_its_time_and_everything_after(self):
        async def story(pub, memory, clock):
            handle = pub.submit(clip(at=self.AT))
            await handle
            waiting = asyncio.create_task(pub.wait(handle))
            await asyncio.sleep((self.AT - datetime.fromtimestamp(clock.time(), UTC)).total_seconds() - 1)
            assert (memory.requests, handle.is_settled, handle.outcome().status) == (
                {"schedule": 1},
                False,
                OUT.SCHEDULED,
            )
            outcome = await waiting
            assert (outcome.status, handle.outcome()) == (OUT.PUBLISHED, outcome)
            assert datetime.fromtimestamp(clock.time(), UTC) < self.AT + timedelta(minutes=2)

        play(story)

    def test_by_a_local_time(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(), at=LocalTime("2027-06-01 14:00", "Europe/Oslo"))
            assert (outcome.status, outcome.posts[0].scheduled_at) == (OUT.SCHEDULED, self.AT)

        play(story)

    def test_needs_a_time(self):
        async def story(pub, memory, clock):
            with pytest.raises(ValidationError) as caught:
                await pub.schedule_many([clip("a", at=self.AT), clip("b"), clip("c")])
            assert [problem.field for problem in caught.value.problems] == ["requests[1].at", "requests[2].at"]
            assert str(caught.value).startswith("requests[1].at: is missing; give an aware datetime or a LocalTime; ")
            with pytest.raises(ValidationError, match=r"requests\[0\].at: is missing"):
                await pub.schedule(clip())
            assert memory.requests == {}

        play(story)

    def test_a_time_that_passes_while_it_is_followed_with_a_timeout(self):
        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=self.AT))
            again = await pub.wait(outcome, timeout=60)
            assert (again.status, again.is_settled) == (OUT.SCHEDULED, False)
            assert memory.requests == {"schedule": 1}

        play(story)

    def test_too_near_for_the_provider_it_is_kept_here_until_its_time(self):
        async def story(pub, memory, clock):
            due = datetime.fromtimestamp(clock.time(), UTC) + timedelta(minutes=10)
            handle = pub.submit(clip(at=due))
            assert [w.field for w in handle.outcome().warnings] == ["at"]
            await asyncio.sleep(599)
            assert memory.requests == {}
            outcome = await handle
            assert (outcome.status, memory.requests["publish"]) == (OUT.PUBLISHED, 1)
            assert outcome.posts[0].created_at == due

        play(story, limits=ProviderLimits(requests=600, schedule_min_lead=3000))

    def test_an_unclear_answer_is_followed_until_the_provider_has_it(self):
        class Unclear(InMemoryPublisher):
            async def schedule(self, batch, options=None):
                posts = await super().schedule(batch, options)
                return [evolve(post, status=PostStatus.OTHER, deliveries=()) for post in posts]

        async def story(pub, memory, clock):
            outcome = await pub.schedule(clip(at=self.AT))
            assert (outcome.status, outcome.is_settled) == (OUT.SCHEDULED, True)
            assert clock.monotonic() < 120

        play(story, publishers={"memory": Unclear})


class TestCaps:
    def sent_at(self, pub, memory, count, *accounts):
        async def main():
            assert (await pub.publish_many(clips(count, *accounts))).is_success
            page = await memory.read_page(0)
            times = sorted(post.created_at.timestamp() for post in page.posts)
            return [later - earlier for earlier, later in itertools.pairwise(times)]

        return main()

    @pytest.mark.parametrize("name", ["tiktok:acme", "tiktok-acme"])
    def test_a_gap_holds_posts_to_one_account_apart(self, name):
        async def story(pub, memory, clock):
            gaps = await self.sent_at(pub, memory, 6)
            assert len(gaps) == 5
            assert min(gaps) >= 300
            assert max(gaps) < 330

        play(story, caps={name: AccountCap(min_gap=300)})

    def test_a_count_holds_what_is_over_it(self):
        async def story(pub, memory, clock):
            gaps = await self.sent_at(pub, memory, 6)
            assert [gap > 3000 for gap in gaps] == [False, False, True, False, False]

        play(story, caps={"tiktok:acme": AccountCap(count=3, window=3600)})

    def test_other_accounts_are_not_held(self):
        async def story(pub, memory, clock):
            report = await pub.publish_many([clip("c1"), *clips(4, "youtube:acme")])
            assert report.is_success
            assert clock.monotonic() < 60

        play(story, caps={"tiktok:acme": AccountCap(min_gap=3600)})

    def test_a_refusal_for_the_rate_uses_a_cap_once(self):
        """A request that leaves again after a 429 is one post, and uses up one place."""

        class Refused(InMemoryPublisher):
            async def publish(self, prepared, options=None):
                if options and options.before_send and not self.requests:
                    await options.before_send()
                return await super().publish(prepared, options)

        async def story(pub, memory, clock):
            report = await pub.publish_many(clips(2))
            assert report.is_success
            assert clock.monotonic() < 60

        play(story, publishers={"memory": Refused}, caps={"tiktok:acme": AccountCap(count=2)}, concurrency=1)


class TestLooking:
    def test_fetch_reads_one_post(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            post = await pub.fetch(outcome.posts[0].id)
            assert (post.id, post.status) == ("post-1", PostStatus.PUBLISHED)
            with pytest.raises(NotFoundError):
                await pub.fetch("post-99")
            with pytest.raises(ConfigurationError, match="publisher: 'other' isn't one of memory"):
                await pub.fetch("post-1", publisher="other")

        play(story)

    @pytest.mark.parametrize("bad", [None, "", " ", 5])
    def test_fetch_needs_an_id(self, bad):
        async def story(pub, memory, clock):
            with pytest.raises(ValidationError, match="post_id: has to be an id, a text that isn't empty"):
                await pub.fetch(bad)
            with pytest.raises(ConfigurationError, match=r"publisher: \[\] has to be a str"):
                await pub.fetch("post-1", publisher=[])
            assert memory.requests == {}

        play(story)

    def test_fetch_needs_a_name_where_there_are_several(self):
        async def story(pub, made, clock):
            with pytest.raises(ConfigurationError, match="publisher: has to be named, one of one, two"):
                await pub.fetch("post-1")
            await pub.publish(clip(publisher="two"))
            assert (await pub.fetch("post-1", publisher="two")).publisher == "two"

        play(story, publishers={"one": InMemoryPublisher, "two": InMemoryPublisher})

    def test_accounts_are_those_of_every_publisher(self):
        async def story(pub, made, clock):
            accounts = await pub.accounts(refresh=True)
            assert [str(account) for account in accounts] == ["instagram:acme", "tiktok:acme", "youtube:acme"] * 2
            with pytest.raises(ConfigurationError, match="refresh: 'yes' has to be a bool"):
                await pub.accounts(refresh="yes")

        play(story, publishers={"one": InMemoryPublisher, "two": InMemoryPublisher})

    def test_captions_where_nobody_writes_them(self):
        async def story(pub, memory, clock):
            with pytest.raises(UnsupportedOperation, match="memory can't generate captions"):
                await pub.generate_caption(["m1"])
            with pytest.raises(UnsupportedOperation, match="memory can't generate captions"):
                await pub.generate_caption(["m1"], publisher="memory")

        play(story)

    def test_captions_where_somebody_does(self):
        class Writer(InMemoryPublisher):
            def __init__(self, *args, **options):
                super().__init__(*args, **options)
                self.provider = "writer"
                self.capabilities = evolve(self.capabilities, features=self.capabilities.features | {Feature.CAPTIONS})

            async def generate_caption(self, media_item_ids, *, persona_id=None):
                return f"{persona_id}: {'+'.join(media_item_ids)}"

        async def story(pub, made, clock):
            assert await pub.generate_caption(["m1", "m2"], persona_id="p") == "p: m1+m2"
            assert await pub.generate_caption(["m1"], publisher="two") == "None: m1"
            with pytest.raises(UnsupportedOperation, match="memory can't generate captions; supported by: writer"):
                await pub.generate_caption(["m1"], publisher="one")
            for bad, text in [
                ("m1", "media_item_ids: has to be a list of ids, not one text"),
                (None, "media_item_ids: has to be a list of ids, not one text"),
                ([], "media_item_ids: is empty; give at least one id"),
                (["m1", ""], r"media_item_ids\[1\]: has to be an id, a text that isn't empty"),
                ([5], r"media_item_ids\[0\]: has to be an id, a text that isn't empty"),
            ]:
                with pytest.raises(ValidationError, match=text):
                    await pub.generate_caption(bad)
            with pytest.raises(ConfigurationError, match="persona_id: 5 has to be a str"):
                await pub.generate_caption(["m1"], persona_id=5)

        play(story, publishers={"one": InMemoryPublisher, "two": Writer})


class TestWaiting:
    def test_an_outcome_of_another_orchestrator_is_followed_to_its_end(self):
        async def main(clock):
            memory = KeptOpen(clock=clock)
            async with Orchestrator([memory], clock=clock) as one:
                early = await one.publish_many([clip("c1"), clip("c2", at=TestScheduling.AT), clip("")], timeout=1)
            assert statuses(early) == [OUT.PENDING, OUT.SCHEDULED, OUT.REFUSED]
            async with Orchestrator([memory], clock=clock) as two:
                waiting = [asyncio.create_task(two.wait_many(early)) for _ in range(2)]
                ends = [await task for task in waiting]
                assert [statuses(end) for end in ends] == [[OUT.PUBLISHED, OUT.PUBLISHED, OUT.REFUSED]] * 2
                assert [outcome.job_id for outcome in ends[0]] == [outcome.job_id for outcome in early]
                assert (await two.wait(early[0])).status is OUT.PUBLISHED
                assert two.job(early[0].job_id).is_settled
            assert memory.live == {"tiktok-acme": ["p/c1", "p/c2"]}

        run_virtual(main)

    def test_an_outcome_that_no_publisher_was_found_for_may_be_handed_in_anywhere(self):
        async def main(clock):
            async with Orchestrator([InMemoryPublisher(clock=clock)], clock=clock) as one:
                refused = await one.publish(clip(publisher="other"))
                refused = evolve(refused, publisher=None)
            async with Orchestrator([InMemoryPublisher(clock=clock)], clock=clock) as two:
                assert list(await two.wait_many([refused])) == [refused]
                assert list(await two.retry_failed_many([refused])) == [refused]

        run_virtual(main)

    def test_an_outcome_of_a_publisher_that_is_not_here_is_refused(self):
        async def main(clock):
            async with Orchestrator([InMemoryPublisher("one", clock=clock)], clock=clock) as one:
                outcome = await one.publish(clip())
            async with Orchestrator([InMemoryPublisher("two", clock=clock)], clock=clock) as two:
                with pytest.raises(ConfigurationError, match="publisher 'one' isn't one of those here"):
                    await two.wait(outcome)

        run_virtual(main)

    def test_a_settled_end_comes_back_at_once_and_costs_nothing(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            before = memory.requests
            assert list(await pub.wait_many([outcome, outcome.job_id, pub.job(outcome.job_id)])) == [outcome] * 3
            assert memory.requests == before

        play(story)

    def test_a_stuck_post_can_be_followed_again(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert outcome.status is OUT.PENDING
            memory.script.stuck = False
            assert (await pub.wait(outcome)).status is OUT.PUBLISHED

        play(story, script=Script(stuck=True))

    def test_a_post_that_the_provider_forgets_is_unknown(self):
        class Forgetful(InMemoryPublisher):
            async def fetch(self, post_id):
                raise NotFoundError("no such post", status=404, **SAID)

        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert outcome.status is OUT.UNKNOWN
            assert outcome.reason == "the provider accepted it and doesn't know it any more"

        play(story, publishers={"memory": Forgetful})

    def test_a_key_that_may_not_read_leaves_what_is_known(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert outcome.status is OUT.PENDING
            assert outcome.reason == "its state can't be read: memory publish: 401: wrong key"

        play(story, publishers={"memory": raising("fetch", AuthenticationError("wrong key", status=401, **SAID))})

    def test_a_list_without_deliveries_says_when_to_look(self):
        class Terse(InMemoryPublisher):
            async def read_page(self, page, *, created_after=None):
                shown = await super().read_page(page, created_after=created_after)
                return PostPage(posts=tuple(evolve(p, deliveries=()) for p in shown.posts), has_more=shown.has_more)

        async def story(pub, memory, clock):
            report = await pub.publish_many(clips(5))
            assert report.is_success
            assert all(outcome.deliveries[0].url for outcome in report)
            assert memory.requests["fetch"] == 5
            assert clock.monotonic() < 60

        play(story, publishers={"memory": Terse})

    def test_a_provider_that_turns_out_to_have_no_list_is_read_one_by_one(self):
        class Listless(InMemoryPublisher):
            has_list = None

            @property
            def has_bulk_read(self):
                return self.has_list

            async def read_page(self, page, *, created_after=None):
                await super().read_page(page)
                self.has_list = False

        async def story(pub, memory, clock):
            assert (await pub.publish_many(clips(5))).is_success
            assert memory.requests["read_page"] == 1

        play(story, publishers={"memory": Listless})

    def test_a_post_whose_accounts_nobody_tells_goes_by_its_own_status(self):
        class Silent(InMemoryPublisher):
            def plan(self, request, accounts):
                return [()]

        async def story(pub, memory, clock):
            report = await pub.publish_many(
                [PublishRequest(GeneratedPost("g1")), PublishRequest(GeneratedPost("g2"), at=TestScheduling.AT)]
            )
            assert [(o.status, o.deliveries) for o in report] == [(OUT.PUBLISHED, ()), (OUT.SCHEDULED, ())]

        class Ends(Silent):
            async def fetch(self, post_id):
                return evolve(await super().fetch(post_id), status=PostStatus.PUBLISHED)

            read_page = fetch

        play(story, publishers={"memory": Ends})


class Failing(MemoryStore):
    """Fails at one kind of write, from a given one of it on."""

    def __init__(self, where, *, after=0):
        super().__init__()
        self.where, self.left = where, after

    def fail(self, where):
        if where == self.where:
            self.left -= 1
            if self.left < 0:
                raise StoreError("the disk is full")

    async def add(self, jobs, **options):
        self.fail("add")
        return await super().add(jobs, **options)

    async def put(self, parts, **options):
        self.fail("put")
        return await super().put(parts, **options)

    async def settle(self, job_id, outcome, **options):
        self.fail("settle")
        return await super().settle(job_id, outcome, **options)


class TestStores:
    class Drafting(InMemoryPublisher):
        async def prepare(self, part):
            return Prepared(part=part, post_id="draft-1")

    @pytest.mark.parametrize("kind", [InMemoryPublisher, Drafting])
    @pytest.mark.parametrize("where", ["add", "put"])
    def test_what_can_not_be_noted_is_not_sent(self, where, kind):
        async def story(pub, memory, clock):
            report = await pub.publish_many([clip("c1"), clip(caption=5)])
            assert statuses(report) == [OUT.NOT_SENT, OUT.REFUSED]
            assert (report[0].reason, report[0].error.args) == ("the disk is full", ("the disk is full",))
            assert memory.requests == {}

        play(story, publishers={"memory": kind}, store=Failing(where))

    def test_a_retry_that_can_not_be_noted_is_not_sent(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert outcome.status is OUT.FAILED
            again = await pub.retry_failed(outcome)
            assert [d.status for d in again.deliveries] == [DeliveryStatus.NOT_SENT]
            assert (again.reason, memory.requests["publish"]) == ("the disk is full", 1)

        play(story, script=Script(fail_accounts={"tiktok-acme": 1}), store=Failing("add", after=1))

    def test_what_is_known_is_told_although_it_can_not_be_noted(self):
        async def story(pub, memory, clock):
            assert (await pub.publish(clip())).status is OUT.PUBLISHED

        play(story, store=Failing("settle"))

    def test_duplicates_are_known_to_the_store_too_unless_they_are_asked_for(self):
        async def main(clock):
            store, memory = MemoryStore(), KeptOpen(clock=clock)
            async with Orchestrator([memory], clock=clock, store=store) as one:
                first = await one.publish(clip())
            async with Orchestrator([memory], clock=clock, store=store) as two:
                again = await two.publish(clip())
                assert (again.status, again.duplicate_of) == (OUT.DUPLICATE, first.job_id)
                assert (await two.publish(clip(allow_duplicate=True))).status is OUT.PUBLISHED
            assert memory.live == {"tiktok-acme": ["p/c1", "p/c1"]}

        run_virtual(main)


class KeptOpen(InMemoryPublisher):
    """Outlives the orchestrator that closes it, as a provider does."""

    async def close(self):
        pass


def test_posts_of_two_jobs_on_one_provider_post_both_end():
    """Two jobs may come to follow one post: neither waits for ever."""

    class OnePost(InMemoryPublisher):
        async def publish(self, prepared, options=None):
            post = await super().publish(prepared, options)
            return evolve(post, id="post-1")

    async def story(pub, memory, clock):
        report = await pub.publish_many([clip("a"), clip("b")], timeout=600)
        assert [outcome.is_settled for outcome in report] == [True, True]

    play(story, publishers={"memory": OnePost})


def test_an_account_may_be_given_as_the_value_that_accounts_returned():
    async def story(pub, memory, clock):
        account = next(a for a in await pub.accounts() if a.platform == "tiktok")
        assert isinstance(account, Account)
        outcome = await pub.publish(PublishRequest(Clip("p", "c"), accounts=[account]))
        assert [d.account for d in outcome.deliveries] == [account]

    play(story)
