"""What is known of a job here beside what the store says of it; and what the store has to be told of its end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from attrs import evolve

from reelpub.errors import ConfigurationError, ConnectError, StoreError
from reelpub.models.account import Account
from reelpub.models.job import Attempt, Part
from reelpub.models.outcome import CancelResult, Outcome, OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus, Post, PostStatus
from reelpub.models.problem import Problem, Severity
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.orchestrator.adopting import adopt
from reelpub.orchestrator.book import JobBook
from reelpub.orchestrator.job import Job
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.orchestrator.recalling import chain_id, current
from reelpub.orchestrator.rows import job_of, stored_job, stored_part, untold_parts
from reelpub.policies.lifecycle import PartState, Stage
from reelpub.store import MemoryStore, StoredJob, codec
from reelpub.testing import InMemoryPublisher, Script, run_virtual

OUT = OutcomeStatus
NOW = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
TIKTOK = Account(id="tiktok-acme", provider="memory", platform="tiktok", username="acme")


def clip(name="c1", *accounts, **members):
    return PublishRequest(Clip("p", name), accounts=accounts or ("tiktok:acme",), **members)


def a_job(name="j", outcome=None, **members):
    job = Job(id=name, request=clip(name), publisher="memory", submitted_at=NOW, **members)
    if outcome is not None:
        job.settle(an_outcome(outcome, name))
    return job


def an_outcome(status=OUT.PUBLISHED, name="j", **members):
    return Outcome(request=clip(name), job_id=name, publisher="memory", status=status, settled_at=NOW, **members)


def a_post(status=PostStatus.PUBLISHED, name="post-1"):
    delivery = {
        PostStatus.PUBLISHED: DeliveryStatus.PUBLISHED,
        PostStatus.SCHEDULED: DeliveryStatus.SCHEDULED,
        PostStatus.PUBLISHING: DeliveryStatus.PUBLISHING,
    }[status]
    deliveries = (Delivery(account=TIKTOK, status=delivery),)
    return Post(id=name, provider="memory", publisher="memory", status=status, deliveries=deliveries)


def a_part(number=1, name="j", **members):
    part = Part(id=f"{name}.{number}", job_id=name, request=clip(name), accounts=(TIKTOK,))
    return PartState(part=part, **members)


# ---- chains


class TestTheLatestOfAChain:
    def test_is_the_job_itself_where_it_was_never_retried(self):
        book, job = JobBook(), a_job()
        assert book.latest(job) is job
        assert not book.is_retried(job)

    def test_is_found_through_jobs_that_are_forgotten(self):
        """By the jobs' own links, which handles keep alive."""
        book = JobBook(keep=1)
        chain = [a_job(f"j{n}", OUT.FAILED) for n in range(5)]
        for earlier, job in pairwise(chain):
            book.settled(earlier)
            book.retries(earlier, job)
        assert book.get("j0") is None
        assert [book.latest(job) for job in chain] == [chain[-1]] * 5

    def test_is_found_by_ids_where_only_an_outcome_is_left(self):
        book = JobBook()
        chain = [a_job(f"j{n}", OUT.FAILED) for n in range(3)]
        for earlier, job in pairwise(chain):
            book.retries(earlier, job)
        book.add(chain[-1])
        again = adopt(chain[0].outcome)
        assert book.latest(again) is chain[-1]

    def test_is_the_last_that_is_known_where_the_rest_is_forgotten(self):
        """And it counts as retried, so that nobody retries it twice."""
        book, first, second = JobBook(), a_job("a", OUT.FAILED), a_job("b", OUT.FAILED)
        book.retries(first, second)
        again = adopt(first.outcome)
        assert book.latest(again) is again
        assert book.is_retried(again)

    def test_is_the_newer_of_two_jobs_of_one_id(self):
        """A recall may put another in the place of one that handles still have."""
        book, first, old, new = JobBook(), a_job("a", OUT.FAILED), a_job("b"), a_job("b")
        book.retries(first, old)
        book.add(new)
        assert book.latest(first) is new
        assert book.latest(old) is new

    def test_in_the_store_skips_what_the_store_never_took(self):
        stored, unstored = a_job("a", is_stored=True), a_job("b", retries="a")
        assert chain_id(stored) == "a"
        assert chain_id(unstored) == "a"
        assert chain_id(a_job("c", retries="a", is_stored=True)) == "c"
        assert chain_id(a_job("elsewhere")) == "elsewhere"


# ---- the store's word and ours


def one_of(known, found, before=None):
    book = JobBook()
    if known is not None:
        book.add(known)
        if known.is_settled:
            book.settled(known)
    (job,) = current(book, {known.id: known.outcome} if before is None and known else before or {}, [found])
    return job


class TestBesideWhatIsKnownHere:
    def test_an_unknown_job_is_the_stores(self):
        found = a_job()
        assert one_of(None, found) is found

    def test_a_job_under_way_here_goes_on(self):
        known = a_job(is_stored=True)
        assert one_of(known, a_job(outcome=OUT.CANCELLED, is_stored=True)) is known

    def test_a_job_with_the_same_outcome_stays(self):
        known = a_job(outcome=OUT.SCHEDULED, is_stored=True)
        assert one_of(known, a_job(outcome=OUT.SCHEDULED, is_stored=True)) is known

    def test_another_outcome_is_another_processs_word_and_newer(self):
        found = a_job(outcome=OUT.CANCELLED, is_stored=True)
        assert one_of(a_job(outcome=OUT.SCHEDULED, is_stored=True), found) is found

    def test_a_job_that_was_let_go_and_is_free_is_taken_again(self):
        found = a_job(is_stored=True)
        assert one_of(a_job(outcome=OUT.PENDING, is_stored=True), found) is found

    def test_what_changed_while_the_store_was_read_is_newer(self):
        """It settled meanwhile: the store's word of it as unfinished would send it a second time."""
        known = a_job(outcome=OUT.PUBLISHED, is_stored=True)
        assert one_of(known, a_job(is_stored=True), {"j": None}) is known
        assert one_of(known, a_job(is_stored=True), {"other": None}) is known
        assert one_of(known, a_job(outcome=OUT.SCHEDULED, is_stored=True), {"j": an_outcome()}) is known

    def test_a_refusal_here_because_the_store_had_it_gives_way(self):
        found = a_job(outcome=OUT.PUBLISHED, is_stored=True)
        assert one_of(a_job(outcome=OUT.DUPLICATE), found) is found

    def test_what_an_outcome_spoke_of_gives_way_to_what_the_store_has(self):
        found = a_job(outcome=OUT.PUBLISHED, is_stored=True)
        assert one_of(adopt(an_outcome()), found) is found

    def test_what_is_followed_since_an_outcome_spoke_of_it_is_noted_from_now_on(self):
        known = adopt(an_outcome(OUT.SCHEDULED))
        known.outcome = None
        assert one_of(known, a_job(outcome=OUT.SCHEDULED, is_stored=True, run="r")) is known
        assert (known.is_stored, known.run) == (True, "r")

    def test_a_submission_of_the_same_id_that_isnt_through_yet_stays_unstored(self):
        known = a_job()
        assert one_of(known, a_job(outcome=OUT.PUBLISHED, is_stored=True)) is known
        assert not known.is_stored


# ---- rows


def and_back(job, outcome):
    row = evolve(stored_job(job), outcome=codec.dump_outcome(outcome), parts=tuple(map(stored_part, untold_parts(job))))
    return job_of(row, NOW)


class TestASettledJobInTheStore:
    def test_needs_no_parts_where_its_outcome_tells_everything(self):
        job = a_job()
        job.parts = [a_part(stage=Stage.SETTLED, post=a_post())]
        assert untold_parts(job) == ()
        job.is_behind = True
        assert untold_parts(job) == tuple(job.parts)

    @pytest.mark.parametrize(
        "state",
        [
            a_part(stage=Stage.SETTLED, end=DeliveryStatus.NOT_SENT, reason="the deadline passed"),
            a_part(stage=Stage.SETTLED, post=a_post(PostStatus.PUBLISHING), reason="stuck"),
            a_part(stage=Stage.SETTLED, post=a_post(PostStatus.SCHEDULED)),
            a_part(stage=Stage.SETTLED, post=a_post(PostStatus.PUBLISHING), end=DeliveryStatus.UNKNOWN, reason="gone"),
        ],
        ids=["not sent", "stuck", "scheduled", "out of reach"],
    )
    def test_has_the_parts_that_its_outcome_doesnt_tell(self, state):
        job = a_job(warnings=(Problem(field="title", message="is long", severity=Severity.WARNING),))
        job.parts = [state, a_part(2, stage=Stage.SETTLED, post=a_post(name="post-2"))]
        outcome = job.settled_from_parts(NOW)
        again = and_back(job, outcome)
        assert again.parts == job.parts
        assert again.settled_from_parts(NOW) == outcome
        assert again.warnings == job.warnings
        assert (again.is_settled, again.is_stored, again.was_settled) == (True, True, True)

    def test_that_was_followed_to_its_end_has_forgotten_why_it_once_stopped(self):
        """The part was written when it was stuck; the outcome that came later is newer."""
        job = a_job()
        job.parts = [a_part(stage=Stage.SETTLED, post=a_post(PostStatus.PUBLISHING), reason="stuck")]
        row = evolve(stored_job(job), outcome=codec.dump_outcome(an_outcome(posts=(a_post(),))))
        assert job_of(row, NOW).parts == [a_part(stage=Stage.SETTLED, post=a_post())]

    def test_with_parts_of_the_time_before_their_ends_were_written(self):
        """As in a file of version 1: what the outcome says of the part's accounts stands."""
        job = a_job()
        job.parts = [a_part(stage=Stage.READY), a_part(2, stage=Stage.ACCEPTED, post=a_post(PostStatus.PUBLISHING))]
        deliveries = (Delivery(account=TIKTOK, status=DeliveryStatus.NOT_SENT),)
        outcome = an_outcome(OUT.NOT_SENT, posts=(a_post(),), deliveries=deliveries, reason="late")
        unsent, published = job_of(evolve(stored_job(job), outcome=codec.dump_outcome(outcome)), NOW).parts
        assert (unsent.stage, unsent.end, unsent.reason) == (Stage.SETTLED, DeliveryStatus.NOT_SENT, "late")
        assert published == a_part(2, stage=Stage.SETTLED, post=a_post())
        bare = job_of(evolve(stored_job(job), outcome=codec.dump_outcome(an_outcome(OUT.UNKNOWN))), NOW)
        assert [state.end for state in bare.parts] == [DeliveryStatus.UNKNOWN, None]

    def test_without_parts_has_those_that_its_posts_are(self):
        outcome = an_outcome(OUT.SCHEDULED, posts=(a_post(PostStatus.SCHEDULED),), submitted_at=NOW, requests=2)
        row = StoredJob(
            id="j",
            publisher="memory",
            request=codec.dump_request(clip("j")),
            submitted_at=NOW.timestamp(),
            outcome=codec.dump_outcome(outcome),
            run="r",
        )
        job = job_of(row, NOW)
        assert [state.post.id for state in job.parts] == ["post-1"]
        assert (job.outcome, job.requests, job.run, job.is_stored) == (outcome, 2, "r", True)

    def test_counts_the_attempts_of_its_own_parts_alone(self):
        """A retry has parts of what it retries, with their attempts."""

        def tried(name):
            return (Attempt(id=f"{name}.1", part_id=name, number=1, started_at=1.0),)

        parts = [a_part(1, attempts=tried("earlier.1")), a_part(2, attempts=tried("j.2"))]
        job = a_job()
        job.parts = parts
        assert job_of(stored_job(job), NOW).requests == 1


# ---- in an orchestrator


class KeptOpen(InMemoryPublisher):
    """Outlives the orchestrators that close it, as a provider does."""

    async def close(self):
        pass


def play(story, *, kind=KeptOpen, script=None, store=None):
    """Play ``story(memory, store, clock, open)``, where *open* makes an orchestrator on the one store."""
    store = store or MemoryStore()

    async def main(clock):
        memory = kind(clock=clock, script=script)

        def orchestrator(**options):
            return Orchestrator([memory], clock=clock, store=store, **options)

        try:
            return await story(memory, store, clock, orchestrator)
        finally:
            memory.limiter.close()

    return run_virtual(main)


class Slow(MemoryStore):
    """Takes a second to add a job, and has added it then, whoever has gone away."""

    seconds = 1.0

    async def add(self, jobs, **options):
        await asyncio.sleep(self.seconds)
        return await super().add(jobs, **options)


async def outcome_in(store, job_id):
    row = await store.job(job_id)
    return None if row is None or row.outcome is None else codec.load_outcome(row.outcome)


class TestWhatEndsWhileItIsBeingNoted:
    """Told as never sent, it must not be sent by the next process, either."""

    @pytest.mark.parametrize("closes_at_once", [False, True])
    def test_because_its_time_was_up(self, closes_at_once):
        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                outcome = (await pub.publish_many([clip()], timeout=0.5, run="r", job_ids=["j"]))[0]
                assert outcome.status is OUT.NOT_SENT
                if not closes_at_once:
                    await clock.sleep(5)
            assert (await outcome_in(store, "j")).status is OUT.NOT_SENT
            async with orchestrator() as pub:
                assert await pub.resume() == []
            assert memory.live == {}

        play(story, store=Slow())

    def test_because_it_was_called_off(self):
        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                pub.submit_many([clip()], job_ids=["j"])
                await clock.sleep(0.5)
                assert await pub.cancel("j") is CancelResult.CANCELLED
            assert (await outcome_in(store, "j")).status is OUT.CANCELLED

        play(story, store=Slow())

    def test_before_it_was_begun_isnt_noted_at_all(self):
        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                pub.submit_many([clip()], job_ids=["j"])
                assert await pub.cancel("j") is CancelResult.CANCELLED
                await clock.sleep(5)
            assert await store.count() == (0, 0)

        play(story, store=Slow())

    def test_because_the_orchestrator_closed_goes_on_in_the_next(self):
        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                (handle,) = pub.submit_many([clip()], run="r", job_ids=["j"])
                await clock.sleep(0.5)
            assert handle.outcome().status is OUT.NOT_SENT
            async with orchestrator() as pub:
                assert (await pub.wait_many(await pub.recall("r"))).is_success
            assert memory.live == {"tiktok-acme": ["p/c1"]}

        play(story, store=Slow())

    def test_a_retry_too(self):
        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                failed = await pub.publish(clip())
                again = await pub.retry_failed(failed, timeout=0.5)
                assert again.failed
                await clock.sleep(5)
                assert (await outcome_in(store, again.job_id)) == again
            assert memory.requests["publish"] == 1

        play(story, store=Slow(), script=Script(fail_accounts={"tiktok-acme": 1}))

    def test_a_store_that_fails_when_nobody_waits_any_more_leaves_nothing_behind(self):
        class Failing(Slow):
            async def add(self, jobs, **options):
                await asyncio.sleep(self.seconds)
                raise StoreError("the disk is full")

        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                pub.submit_many([clip()])
                await clock.sleep(0.5)

        play(story, store=Failing())


class TestWarnings:
    class Doubtful(KeptOpen):
        def check(self, request):
            return [Problem(field="title", message="is missing", severity=Severity.WARNING)]

    def test_survive_a_restart(self):
        """They are in the outcome of a job that another process ends."""

        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                pub.submit_many([clip("a")], run="r", job_ids=["a"])
                await clock.sleep(1)
            assert (await store.job("a")).parts != ()
            async with orchestrator() as pub:
                (outcome,) = await pub.wait_many(await pub.recall("r"))
                assert outcome.is_success
                assert [one.field for one in outcome.warnings] == ["title"]

        play(story, kind=self.Doubtful)

    def test_of_an_unplanned_job_survive_too(self):
        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                pub.submit_many([clip("a")], run="r", job_ids=["a"])
                await clock.sleep(0.5)
            assert (await store.job("a")).parts == ()
            async with orchestrator() as pub:
                (outcome,) = await pub.wait_many(await pub.recall("r"))
                assert [one.field for one in outcome.warnings] == ["title"]

        play(story, kind=self.Doubtful, store=Slow())


class TestRecalling:
    def test_what_was_refused_while_it_was_prepared_can_be_retried(self):
        """Its parts were never noted on the way; the end of each is in the store all the same."""

        class Refusing(KeptOpen):
            refuses = True

            async def prepare(self, part):
                if self.refuses:
                    raise ConnectError("no way there", operation="prepare", provider="memory")
                return await super().prepare(part)

        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                (outcome,) = await pub.publish_many([clip()], run="r", job_ids=["j"])
                assert outcome.status is OUT.NOT_SENT
            (part,) = (await store.job("j")).parts
            assert codec.load_part(part.state).end is DeliveryStatus.NOT_SENT
            memory.refuses = False
            async with orchestrator() as pub:
                (handle,) = await pub.recall("r")
                assert handle.job.settled_from_parts(outcome.settled_at).deliveries == outcome.deliveries
                assert (await pub.retry_failed(handle)).is_success

        play(story, kind=Refusing)

    def test_an_answer_that_couldnt_be_noted_is_noted_with_the_outcome(self):
        class Once(MemoryStore):
            async def put(self, parts, **options):
                if any(part.post_id for part in parts):
                    raise StoreError("the disk is full")
                await super().put(parts, **options)

        async def story(memory, store, clock, orchestrator):
            at = NOW + timedelta(days=1)
            async with orchestrator() as pub:
                (outcome,) = await pub.schedule_many([clip(at=at)], run="r", job_ids=["j"])
                assert outcome.status is OUT.SCHEDULED
            (part,) = (await store.job("j")).parts
            assert part.post_id == "post-1"
            async with orchestrator() as pub:
                assert await pub.cancel((await pub.recall("r"))[0]) is CancelResult.CANCELLED

        play(story, store=Once())

    def test_a_stuck_post_is_followed_and_its_reason_is_forgotten(self):
        script = Script(stuck=True)

        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                (outcome,) = await pub.publish_many([clip()], run="r", job_ids=["j"])
                assert outcome.status is OUT.PENDING
                assert "stuck" in outcome.reason
            script.stuck = False
            async with orchestrator() as pub:
                (ended,) = await pub.wait_many(await pub.recall("r"))
                assert (ended.status, ended.reason) == (OUT.PUBLISHED, None)
            async with orchestrator() as pub:
                (handle,) = await pub.recall("r")
                assert handle.job.settled_from_parts(NOW).reason is None
                assert handle.outcome() == ended

        play(story, script=script)

    def test_a_retry_in_place_of_a_post_that_hasnt_ended_has_it_once(self):
        """The post is both what is retried and what hasn't ended."""
        script = Script(stuck=True)

        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                outcome = await pub.publish(clip("c", "tiktok:acme", "youtube:acme"))
                failed = evolve(outcome.posts[0].deliveries[0], status=DeliveryStatus.FAILED)
                mixed = evolve(outcome.posts[0], deliveries=(failed, outcome.posts[0].deliveries[1]))
                told = evolve(outcome, job_id="elsewhere", posts=(mixed,), deliveries=mixed.deliveries)
                script.stuck = False
                in_place = await pub.retry_failed(told, in_place=True)
                assert [post.id for post in in_place.posts] == ["post-1"]
                assert in_place.is_success

        play(story, script=script)

    def test_the_jobs_known_here_are_told(self):
        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                assert list(pub.jobs) == []
                (outcome,) = await pub.publish_many([clip("a")], job_ids=["a"])
                pub.submit_many([clip("b")], job_ids=["b"])
                assert [handle.id for handle in pub.jobs] == ["b", "a"]
                await pub.wait("b")
                assert [handle.id for handle in pub.jobs] == ["a", "b"]
            async with orchestrator() as pub:
                await pub.wait(outcome)
                assert [handle.id for handle in pub.jobs] == ["a"]

        play(story)

    def test_resuming_can_be_for_one_run_alone(self):
        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                for run in ("r1", "r2"):
                    pub.submit_many([clip(run)], run=run, job_ids=[run])
                await clock.sleep(1)
            async with orchestrator() as pub:
                assert [handle.id for handle in await pub.resume(run="r2")] == ["r2"]
                assert await pub.unfinished() == 2
                assert [handle.id for handle in await pub.resume()] == ["r1"]

        play(story, script=Script(seconds=60))

    def test_flushing_waits_for_the_store_and_tells_what_it_cant_take(self):
        class Failing(MemoryStore):
            is_full = True

            async def settle(self, *arguments, **options):
                await asyncio.sleep(1)
                if self.is_full:
                    raise StoreError("the disk is full")
                await super().settle(*arguments, **options)

        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                await pub.publish_many([clip()], job_ids=["j"])
                with pytest.raises(StoreError, match="disk is full"):
                    await pub.flush()
                store.is_full = False
                await pub.flush()
                assert (await outcome_in(store, "j")).status is OUT.PUBLISHED

        play(story, store=Failing())

        async def without(clock):
            async with Orchestrator([InMemoryPublisher(clock=clock)], clock=clock) as pub:
                await pub.publish(clip())
                await pub.flush()

        run_virtual(without)

    def test_a_publisher_that_is_asked_for_has_to_be_here(self):
        async def story(memory, store, clock, orchestrator):
            async with orchestrator() as pub:
                with pytest.raises(ConfigurationError, match="isn't one of memory"):
                    await pub.fetch("post-1", publisher="other")

        play(story)


def test_parts_come_back_in_the_order_of_their_numbers():
    """However the store returns them."""
    job = a_job()
    job.parts = [a_part(n) for n in range(1, 12)]
    row = stored_job(job)
    parts = tuple(sorted(row.parts, key=lambda part: part.id))
    assert [part.id for part in parts][:2] == ["j.1", "j.10"]
    assert job_of(evolve(row, parts=parts), NOW).parts == job.parts
