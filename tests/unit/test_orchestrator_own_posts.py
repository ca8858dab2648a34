"""A job that this process sent and takes up again from a store that says less of it: its own post isn't another's."""

from __future__ import annotations

from reelpub import CancelResult, Clip, Orchestrator, OutcomeStatus, ProviderLimits, PublishRequest
from reelpub.errors import StoreError
from reelpub.store import MemoryStore
from reelpub.testing import InMemoryPublisher, run_virtual

SLOW = ProviderLimits(requests=1, max_tags=10)
ONE = PublishRequest(Clip("p", "c1"), accounts=["tiktok:acme"])


class Failing(MemoryStore):
    """Takes nothing while it `is_full`; `give` hands jobs to another process."""

    is_full = False

    def _require_room(self):
        if self.is_full:
            raise StoreError("database or disk is full")

    async def put(self, *arguments, **options):
        self._require_room()
        await super().put(*arguments, **options)

    async def settle(self, *arguments, **options):
        self._require_room()
        await super().settle(*arguments, **options)

    async def renew(self, *arguments, **options):
        self._require_room()
        await super().renew(*arguments, **options)

    def give(self, owner, *, only=None):
        for job_id, held in self._jobs.items():
            if only in (None, job_id):
                held.owner = owner


class Telling(InMemoryPublisher):
    """Calls *on_first* when it has its first post, before anybody hears of that."""

    def __init__(self, clock, on_first):
        super().__init__(clock=clock)
        self._on_first = on_first

    async def publish(self, prepared, options=None):
        post = await super().publish(prepared, options)
        if self.requests["publish"] == 1:
            self._on_first()
        return post


def play(story):
    """Play ``story(clock, store, memory)``: no more than one request may have gone live."""

    async def main(clock):
        store = Failing()
        memory = await story(clock, store)
        assert memory.requests["publish"] == 1
        assert list(memory.live.values()) == [["p/c1"]]

    run_virtual(main)


def test_what_ended_while_the_disk_was_full_isnt_sent_again_once_there_is_room():
    """Its lease has ended meanwhile: `resume` first writes down what is known, and takes up only what isn't."""

    async def story(clock, store):
        memory = Telling(clock, lambda: setattr(store, "is_full", True))
        async with Orchestrator([memory], clock=clock, store=store) as pub:
            assert (await pub.publish(ONE)).status is OutcomeStatus.PUBLISHED
            await clock.sleep(300)
            store.is_full = False
            assert await pub.resume() == []
            assert await pub.unfinished() == 0
        return memory

    play(story)


def test_what_another_process_took_over_and_left_is_found_again():
    """The answer came when the job was another's, which died: the post is this part's, and known here as such."""

    async def story(clock, store):
        memory = Telling(clock, lambda: store.give("another"))
        async with Orchestrator([memory], clock=clock, store=store) as pub:
            assert (await pub.publish(ONE)).reason == "another process carries it out now"
            store.give(None)
            (again,) = await pub.resume()
            assert (await pub.wait(again)).status is OutcomeStatus.PUBLISHED
        return memory

    play(story)


def test_what_another_process_carries_out_by_now_isnt_said_to_be_called_off():
    """It may be sent there: whoever is told *cancelled* counts on it that it won't go out."""

    async def main(clock):
        store = Failing()
        async with Orchestrator([InMemoryPublisher(clock=clock, limits=SLOW)], clock=clock, store=store) as pub:
            requests = [PublishRequest(Clip("p", f"c{n}"), accounts=["tiktok:acme"]) for n in range(3)]
            _, mine, theirs = pub.submit_many(requests)
            await clock.sleep(5)
            store.give("another", only=theirs.id)
            assert await pub.cancel_many([mine, theirs]) == [CancelResult.CANCELLED, CancelResult.UNKNOWN]

    run_virtual(main)


def test_what_another_process_has_sent_since_isnt_overwritten_with_what_was_told_here():
    """Called off here, sent there: whoever takes it up again goes on from what the store says."""

    async def main(clock):
        store = Failing()
        memory, same = (InMemoryPublisher(clock=clock, limits=limits) for limits in (SLOW, None))
        memory._posts, memory.live = same._posts, same.live
        async with Orchestrator([memory], clock=clock, store=store) as pub:
            await pub.publish(PublishRequest(Clip("p", "c0"), accounts=["tiktok:acme"]))
            handle = pub.submit(ONE)
            await clock.sleep(1)
            store.give(None, only=handle.id)
            async with Orchestrator([same], clock=clock, store=store) as other:
                await other.resume()
                await clock.sleep(5)
                assert await pub.cancel(handle) is CancelResult.UNKNOWN
            (again,) = await pub.resume()
            assert (await pub.wait(again)).status is OutcomeStatus.PUBLISHED
        assert same.live == {"tiktok-acme": ["p/c0", "p/c1"]}

    run_virtual(main)
