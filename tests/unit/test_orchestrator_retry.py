"""Sending again what failed: only that, never twice, and never what may be live."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from attrs import evolve

from reelpub.errors import BadRequestError, ConfigurationError, ConnectError, UnsupportedOperation, ValidationError
from reelpub.models.capability import Feature
from reelpub.models.job import Prepared
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip, Draft, GeneratedPost
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.lifecycle import Rules
from reelpub.store import MemoryStore
from reelpub.testing import InMemoryPublisher, Script, run_virtual

SAID = {"operation": "publish", "provider": "memory"}
OUT = OutcomeStatus
AT = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)


def clip(name="c1", *accounts, **members):
    return PublishRequest(Clip("p", name), accounts=accounts or ("tiktok:acme",), **members)


BOTH = ("tiktok:acme", "youtube:acme")


class TwoPosts(InMemoryPublisher):
    """Makes a post for each account, as Reap does for two accounts on one platform."""

    def plan(self, request, accounts):
        return [(account,) for account in accounts]


class KeptOpen(InMemoryPublisher):
    async def close(self):
        pass


def play(story, *, publishers=None, script=None, **options):
    async def main(clock):
        kinds = publishers or {"memory": InMemoryPublisher}
        made = [kind(name, clock=clock, script=script) for name, kind in kinds.items()]
        async with Orchestrator(made, clock=clock, **options) as orchestrator:
            return await story(orchestrator, made[0] if len(made) == 1 else made, clock)

    return run_virtual(main)


@pytest.mark.parametrize("store", [None, MemoryStore], ids=["no store", "store"])
class TestRetrying:
    def test_sends_only_the_failed_account(self, store):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1", *BOTH))
            assert outcome.status is OUT.PARTLY_PUBLISHED
            again = await pub.retry_failed(outcome)
            assert (again.status, again.requests) == (OUT.PUBLISHED, 1)
            assert again.job_id != outcome.job_id
            assert [str(d.account) for d in again.deliveries] == list(BOTH)
            assert [post.id for post in again.posts] == ["post-1", "post-2"]
            assert memory.live == {"youtube-acme": ["p/c1"], "tiktok-acme": ["p/c1"]}

        play(story, script=Script(fail_accounts={"tiktok-acme": 1}), store=store and store())

    def test_a_post_that_failed_everywhere_is_retried_where_it_stands(self, store):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1", *BOTH))
            again = await pub.retry_failed(outcome)
            assert again.status is OUT.PUBLISHED
            assert [(post.id, post.status) for post in again.posts] == [("post-1", PostStatus.PUBLISHED)]
            assert {account: len(live) for account, live in memory.live.items()} == {
                "tiktok-acme": 1,
                "youtube-acme": 1,
            }

        play(story, script=Script(fail_accounts={"tiktok-acme": 1, "youtube-acme": 1}), store=store and store())

    def test_in_place_or_never_in_place(self, store):
        async def story(pub, memory, clock):
            report = await pub.publish_many([clip("c1", *BOTH), clip("c2", *BOTH)])
            first = await pub.retry_failed(report[0], in_place=True)
            assert [post.id for post in first.posts] == ["post-1"]
            second = await pub.retry_failed(report[1], in_place=False)
            assert [post.id for post in second.posts] == ["post-2", "post-3"]
            assert {account: len(live) for account, live in memory.live.items()} == {
                "tiktok-acme": 2,
                "youtube-acme": 2,
            }

        play(story, script=Script(fail_accounts={"tiktok-acme": 2}), store=store and store())

    def test_an_old_report_retried_again_stands_for_its_latest_retry(self, store):
        async def story(pub, memory, clock):
            report = await pub.publish_many([clip("c1", *BOTH), clip("c2", *BOTH)])
            first = await pub.retry_failed_many(report)
            assert [o.status for o in first] == [OUT.PUBLISHED, OUT.PUBLISHED]
            for items in (report, first, [report[0].job_id, report[1].job_id], [*report, *first]):
                assert [o.job_id for o in await pub.retry_failed_many(items)][:2] == [o.job_id for o in first]
            assert memory.requests["publish"] == 4
            assert {account: len(live) for account, live in memory.live.items()} == {
                "tiktok-acme": 2,
                "youtube-acme": 2,
            }

        play(story, script=Script(fail_accounts={"tiktok-acme": 2}), store=store and store())

    def test_again_and_again_until_it_works(self, store):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1", *BOTH))
            ends = [outcome.status]
            while not outcome.is_success:
                outcome = await pub.retry_failed(outcome)
                ends.append(outcome.status)
            assert ends == [OUT.PARTLY_PUBLISHED] * 3 + [OUT.PUBLISHED]
            assert memory.live == {"youtube-acme": ["p/c1"], "tiktok-acme": ["p/c1"]}

        play(story, script=Script(fail_accounts={"tiktok-acme": 3}), store=store and store())

    def test_two_tasks_at_once_send_it_once(self, store):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1", *BOTH))
            tasks = [asyncio.create_task(pub.retry_failed(outcome)) for _ in range(3)]
            ends = [await task for task in tasks]
            assert len({end.job_id for end in ends}) == 1
            assert memory.live == {"youtube-acme": ["p/c1"], "tiktok-acme": ["p/c1"]}

        play(story, script=Script(fail_accounts={"tiktok-acme": 1}), store=store and store())

    def test_one_outcome_named_several_times_in_one_call(self, store):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1", *BOTH))
            again = await pub.retry_failed_many([outcome, outcome.job_id, pub.job(outcome.job_id)])
            assert len({end.job_id for end in again}) == 1
            assert memory.requests["publish"] == 2

        play(story, script=Script(fail_accounts={"tiktok-acme": 1}), store=store and store())

    def test_what_was_not_sent_is_sent(self, store):
        async def story(pub, memory, clock):
            unsent = await pub.publish_many([clip(), PublishRequest(GeneratedPost("g1"))], timeout=0)
            assert [o.status for o in unsent] == [OUT.NOT_SENT] * 2
            again = await pub.retry_failed_many(unsent)
            assert again.is_success
            assert sorted(memory.live["tiktok-acme"]) == ["g1", "p/c1"]
            assert [o.job_id for o in await pub.retry_failed_many(unsent)] == [o.job_id for o in again]

        play(story, store=store and store())

    def test_what_the_provider_turned_down_is_sent_again(self, store):
        async def story(pub, memory, clock):
            refused = await pub.publish(clip("c1", *BOTH))
            assert (refused.status, len(refused.failed)) == (OUT.REFUSED, 2)
            assert (await pub.retry_failed(refused)).status is OUT.PUBLISHED

        play(story, script=Script(refuse=[BadRequestError("no", status=422, **SAID)]), store=store and store())

    def test_a_scheduled_one_that_never_left_keeps_its_time(self, store):
        async def story(pub, memory, clock):
            refused = await pub.schedule(clip(at=AT))
            assert refused.status is OUT.NOT_SENT
            again = await pub.retry_failed(refused)
            assert (again.status, again.posts[0].scheduled_at) == (OUT.SCHEDULED, AT)

        play(story, script=Script(refuse=[ConnectError("refused", **SAID)]), store=store and store())

    def test_a_lost_answer_of_a_retry_is_looked_up_too(self, store):
        for lost in ("lose_before", "lose_after"):

            async def story(pub, memory, clock, lost=lost):
                outcome = await pub.publish(clip("c1", *BOTH))
                setattr(memory.script, lost, 1)
                assert (await pub.retry_failed(outcome)).status is OUT.PUBLISHED
                assert memory.live == {"youtube-acme": ["p/c1"], "tiktok-acme": ["p/c1"]}

            play(story, script=Script(fail_accounts={"tiktok-acme": 1}), store=store and store())

    def test_an_outcome_of_another_orchestrator(self, store):
        async def main(clock):
            memory = KeptOpen(clock=clock, script=Script(fail_accounts={"tiktok-acme": 1}))
            async with Orchestrator([memory], clock=clock) as one:
                outcome = await one.publish(clip("c1", *BOTH))
            async with Orchestrator([memory], clock=clock, store=store and store()) as two:
                first = await two.retry_failed(outcome)
                assert first.status is OUT.PUBLISHED
                assert (await two.retry_failed(outcome)).job_id == first.job_id
            assert memory.live == {"youtube-acme": ["p/c1"], "tiktok-acme": ["p/c1"]}

        run_virtual(main)


class TestNotRetrying:
    def test_what_succeeded_and_what_is_unknown_come_back_as_they_are(self):
        async def story(pub, memory, clock):
            live = await pub.publish(clip("c1"))
            memory.script.lose_after, memory.script.is_findable = 1, False
            unknown = await pub.publish(clip("c2"))
            assert unknown.status is OUT.UNKNOWN
            before = memory.requests["publish"]
            assert list(await pub.retry_failed_many([live, unknown])) == [live, unknown]
            assert memory.requests["publish"] == before

        play(story)

    def test_what_a_check_refused_stays_refused(self):
        async def story(pub, memory, clock):
            refused = await pub.publish_many(
                [clip(caption=5), clip("c1", "tiktok:nobody"), clip(publisher="other"), clip("c2"), clip("c2")]
            )
            again = await pub.retry_failed_many(refused)
            assert list(again) == list(refused)

        play(story)

    def test_a_part_that_a_check_refused_leaves_the_failed_ones_to_be_retried(self):
        class Picky(TwoPosts):
            async def prepare(self, part):
                if part.accounts[0].platform == "youtube":
                    raise ValidationError([Problem(field="clip", message="isn't ready")])
                return await super().prepare(part)

        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1", *BOTH))
            assert [d.status for d in outcome.deliveries] == [DeliveryStatus.FAILED, DeliveryStatus.REFUSED]
            again = await pub.retry_failed(outcome)
            assert [d.status for d in again.deliveries] == [DeliveryStatus.PUBLISHED, DeliveryStatus.REFUSED]
            assert memory.live == {"tiktok-acme": ["p/c1"]}

        play(story, publishers={"memory": Picky}, script=Script(fail_accounts={"tiktok-acme": 1}))

    def test_of_a_mixed_job_only_the_failed_part(self):
        async def story(pub, memory, clock):
            memory.script.lose_after, memory.script.is_findable = 1, False
            outcome = await pub.publish(clip("c1", *BOTH))
            assert outcome.status is OUT.UNKNOWN
            unknown = [d.account.id for d in outcome.unknown]
            failed = [d.account.id for d in outcome.failed]
            assert (len(unknown), len(failed)) == (1, 1)
            again = await pub.retry_failed(outcome)
            assert again.status is OUT.UNKNOWN
            assert {d.account.id: d.status for d in again.deliveries} == {
                unknown[0]: DeliveryStatus.UNKNOWN,
                failed[0]: DeliveryStatus.PUBLISHED,
            }

        script = Script(fail_accounts={"tiktok-acme": 1, "youtube-acme": 1})
        play(story, publishers={"memory": TwoPosts}, script=script)

    def test_what_is_still_under_way_is_waited_for(self):
        async def story(pub, memory, clock):
            early = await pub.publish(clip(), timeout=5)
            assert early.status is OUT.PENDING
            assert (await pub.retry_failed(early)).status is OUT.PUBLISHED
            assert memory.requests["publish"] == 1

        play(story)

    def test_what_somebody_asked_for_anew_in_the_meantime_is_a_duplicate(self):
        """A report that is retried late must not put a second post beside one that was sent since."""

        async def story(pub, memory, clock):
            failed = await pub.publish(clip())
            assert failed.status is OUT.FAILED
            anew = await pub.publish(clip())
            assert anew.status is OUT.PUBLISHED
            again = await pub.retry_failed(failed)
            assert (again.status, again.duplicate_of) == (OUT.DUPLICATE, anew.job_id)
            assert memory.live == {"tiktok-acme": ["p/c1"]}

        play(story, script=Script(fail_accounts={"tiktok-acme": 1}))

    def test_a_report_whose_retry_is_long_forgotten_is_not_retried_again(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip("c1", *BOTH))
            assert (await pub.retry_failed(outcome)).status is OUT.PUBLISHED
            await pub.publish_many([clip("c2"), clip("c3"), clip("c4")])
            assert (await pub.retry_failed(outcome)).job_id == outcome.job_id
            assert memory.live["tiktok-acme"].count("p/c1") == 1

        play(story, script=Script(fail_accounts={"tiktok-acme": 1}), keep_settled=2)

    def test_where_one_of_the_providers_can_not_nothing_is_sent(self):
        class Unable(InMemoryPublisher):
            def __init__(self, *args, **options):
                super().__init__(*args, **options)
                self.provider = "unable"
                features = self.capabilities.features - {Feature.RETRY_FAILED}
                self.capabilities = evolve(self.capabilities, features=features)

        async def story(pub, made, clock):
            report = await pub.publish_many([clip(publisher="good"), clip(publisher="bad")])
            assert [o.status for o in report] == [OUT.FAILED] * 2
            with pytest.raises(UnsupportedOperation, match="unable can't retry failed; supported by: memory"):
                await pub.retry_failed_many(report)
            assert [memory.requests["publish"] for memory in made] == [1, 1]
            assert (await pub.retry_failed(report[0])).status is OUT.PUBLISHED

        async def main(clock):
            good = InMemoryPublisher("good", clock=clock, script=Script(fail_accounts={"tiktok-acme": 1}))
            bad = Unable("bad", clock=clock, script=Script(fail_accounts={"tiktok-acme": 1}))
            async with Orchestrator([good, bad], clock=clock) as pub:
                await story(pub, (good, bad), clock)

        run_virtual(main)

    def test_where_one_can_not_do_it_in_place_nothing_is_sent(self):
        class NeverInPlace(InMemoryPublisher):
            def plan_retry(self, part, post, *, in_place=None):
                if in_place:
                    raise UnsupportedOperation("retry in place", self.provider)
                return super().plan_retry(part, post, in_place=in_place)

        async def main(clock):
            good = InMemoryPublisher("good", clock=clock, script=Script(fail_accounts={"tiktok-acme": 1}))
            bad = NeverInPlace("bad", clock=clock, script=Script(fail_accounts={"tiktok-acme": 1}))
            async with Orchestrator([good, bad], clock=clock) as pub:
                report = await pub.publish_many([clip(publisher="good"), clip(publisher="bad")])
                with pytest.raises(UnsupportedOperation, match="memory can't retry in place"):
                    await pub.retry_failed_many(report, in_place=True)
                assert (good.requests["publish"], bad.requests["publish"]) == (1, 1)

        run_virtual(main)

    def test_where_the_publisher_has_no_such_method(self):
        class Half(InMemoryPublisher):
            plan_retry = None

        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            with pytest.raises(UnsupportedOperation, match="memory can't retry failed"):
                await pub.retry_failed(outcome)

        play(story, publishers={"memory": Half}, script=Script(fail_accounts={"tiktok-acme": 1}))

    @pytest.mark.parametrize("bad", ["yes", 1, []])
    def test_in_place_is_a_switch(self, bad):
        async def story(pub, memory, clock):
            with pytest.raises(ConfigurationError, match=r"in_place: .* has to be a bool"):
                await pub.retry_failed_many([], in_place=bad)

        play(story)


class Drafting(InMemoryPublisher):
    """Makes a draft first, as ReelMirror does."""

    made = 0

    async def prepare(self, part):
        if isinstance(part.request.source, Draft):
            return Prepared(part=part, post_id=part.request.source.id)
        self.made += 1
        return Prepared(part=part, post_id=f"draft-{self.made}", orphans=(f"orphan-{self.made}",))


class TestDrafts:
    def test_a_draft_that_never_went_live_is_told_and_used_by_the_retry(self):
        seen = []

        class Watching(Drafting):
            async def publish(self, prepared, options=None):
                seen.append((prepared.post_id, prepared.part.request.source, prepared.part.accounts))
                return await super().publish(prepared, options)

        async def story(pub, memory, clock):
            outcome = await pub.publish(PublishRequest(GeneratedPost("g1"), accounts=["tiktok:acme"], caption="x"))
            assert (outcome.status, outcome.drafts, outcome.orphans) == (OUT.NOT_SENT, ("draft-1",), ("orphan-1",))
            again = await pub.retry_failed(outcome)
            assert (again.status, again.drafts, again.orphans) == (OUT.PUBLISHED, (), ())
            assert memory.made == 1
            assert [post_id for post_id, _, _ in seen] == ["draft-1", "draft-1"]
            assert seen[1][1] == Draft("draft-1")
            assert [a.id for a in seen[1][2]] == ["tiktok-acme"]

        play(story, publishers={"memory": Watching}, script=Script(refuse=[ConnectError("refused", **SAID)]))

    def test_a_draft_that_may_be_live_is_not_told_as_one_that_is_not(self):
        async def story(pub, memory, clock):
            outcome = await pub.publish(clip())
            assert (outcome.status, outcome.drafts) == (OUT.UNKNOWN, ())

        script = Script(lose_after=1, is_findable=False)
        play(story, publishers={"memory": Drafting}, script=script, rules=Rules(settle_after=5))


def test_accounts_that_came_right_in_the_meantime_are_not_retried_with_their_old_post():
    """The newest post of an account counts: what an older one says of it is out of date."""
    account = {"provider": "memory", "publisher": "memory"}

    async def story(pub, memory, clock):
        tiktok, youtube = [a for a in await pub.accounts() if a.platform in ("tiktok", "youtube")]
        failed = [Delivery(account=a, status=DeliveryStatus.FAILED) for a in (tiktok, youtube)]
        old = Post(id="old", status=PostStatus.FAILED, deliveries=tuple(failed), **account)
        new = Post(
            id="new",
            status=PostStatus.PUBLISHED,
            deliveries=(Delivery(account=tiktok, status=DeliveryStatus.PUBLISHED),),
            **account,
        )
        base = await pub.publish(clip("c1", *BOTH))
        outcome = evolve(
            base,
            job_id="job_elsewhere",
            status=OUT.PARTLY_PUBLISHED,
            posts=(old, new),
            deliveries=(new.deliveries[0], failed[1]),
            request=clip("c9", *BOTH),
        )
        again = await pub.retry_failed(outcome, in_place=False)
        assert again.status is OUT.PUBLISHED
        assert memory.live["youtube-acme"] == ["p/c1", "p/c9"]
        assert memory.live["tiktok-acme"] == ["p/c1"]

    play(story)


def test_what_was_never_sent_goes_out_now_where_its_time_has_passed():
    """A request for a later time that never began would be refused as past if it were sent anew as it was."""

    async def main(clock):
        publisher = InMemoryPublisher(clock=clock)
        past = datetime.fromtimestamp(clock.time() - 3600, UTC)
        missed = Outcome(
            request=PublishRequest(GeneratedPost("p"), at=past),
            job_id="job_elsewhere",
            publisher=publisher.name,
            status=OutcomeStatus.NOT_SENT,
            reason="it fell due while nothing ran",
            submitted_at=past,
            settled_at=past,
        )
        async with Orchestrator([publisher], clock=clock) as pub:
            assert (await pub.retry_failed(missed)).status is OutcomeStatus.PUBLISHED

    run_virtual(main)
