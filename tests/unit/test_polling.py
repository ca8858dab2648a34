"""What to read next, simulated against a pure provider: in time, not too early, within the budget, and it stops."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelpub.policies.polling import PollBook, PollPolicy, ReadOne, ReadPage, Rest, Watched

POLICY = PollPolicy()


class Reader:
    """Reads what the book says, from a list of posts, newest first, of which some never show in the list."""

    def __init__(self, book, *, has_list=True, page_size=100, hidden=(), others=0, is_busy=False, seconds=0.2):
        self.book, self.has_list, self.page_size, self.hidden = book, has_list, page_size, set(hidden)
        self.is_busy, self.seconds, self.others = is_busy, seconds, others
        self.now, self.listed, self.reads, self.seen = 0.0, [], [], {}

    def watch(self, post_id, *, due=None, accepted=None, created=0.0):
        accepted = self.now if accepted is None else accepted
        due = accepted + POLICY.first_look if due is None else due
        self.book.watch(Watched(id=post_id, accepted_at=accepted, due_at=due, created_after=created))
        self.listed.insert(0, post_id)
        self.seen[post_id] = []

    def run(self, until):
        while self.now < until:
            what = self.book.next_read(self.now, has_list=self.has_list, is_busy=self.is_busy)
            if isinstance(what, Rest):
                assert what.until is None or what.until > self.now, "a rest that ends in the past spins"
                if what.until is None:
                    return
                self.now = min(what.until, until)
                continue
            self.reads.append((self.now, what))
            self.now += self.seconds
            for post_id in self.shown(what):
                if post_id in self.book:
                    self.book.seen(post_id, self.now)
                    self.seen[post_id].append(self.now)
            if isinstance(what, ReadPage):
                everything = self.others + len([p for p in self.listed if p not in self.hidden])
                self.book.page_read(has_more=(what.page + 1) * self.page_size < everything)

    def shown(self, what):
        if isinstance(what, ReadOne):
            return [what.post_id]
        newest = [None] * self.others + [p for p in self.listed if p not in self.hidden]
        page = newest[what.page * self.page_size : (what.page + 1) * self.page_size]
        return [post_id for post_id in page if post_id is not None]


def book(limit=60, **policy):
    return PollBook(PollPolicy(**policy), limit, 60.0)


def test_nothing_is_read_while_nothing_is_watched():
    reader = Reader(book())
    reader.run(10_000)
    assert reader.reads == []
    assert reader.book.next_read(0.0, has_list=True, is_busy=True) == Rest(None)


def test_a_single_post_is_read_by_itself_after_its_first_look():
    reader = Reader(book())
    reader.watch("a")
    reader.run(100)
    assert reader.reads[0] == (POLICY.first_single_look, ReadOne("a"))
    assert all(what == ReadOne("a") for _, what in reader.reads)
    gaps = [later - earlier for (earlier, _), (later, _) in zip(reader.reads, reader.reads[1:], strict=False)]
    assert min(gaps) >= 10.0
    assert max(gaps) <= POLICY.slowest + 1


def test_several_posts_share_the_list():
    reader = Reader(book())
    for n in range(50):
        reader.watch(f"p{n}")
    reader.run(60)
    assert {type(what) for _, what in reader.reads} == {ReadPage}
    assert reader.reads[0][0] == POLICY.first_look
    assert all(len(times) == len(reader.reads) for times in reader.seen.values())


def test_a_provider_without_a_list_is_read_post_by_post_in_turn():
    reader = Reader(book(), has_list=False)
    for n in range(5):
        reader.watch(f"p{n}")
    reader.run(300)
    assert {type(what) for _, what in reader.reads} == {ReadOne}
    counts = [len(times) for times in reader.seen.values()]
    assert min(counts) >= 3
    assert max(counts) - min(counts) <= 1


def test_a_sweep_ends_with_the_last_page():
    reader = Reader(book(), page_size=10, hidden=["p0", "p1"])
    for n in range(25):
        reader.watch(f"p{n}")
    reader.run(12)
    assert [what.page for _, what in reader.reads[:4]] == [0, 1, 2, 0]


def test_a_sweep_ends_when_everything_watched_was_seen():
    reader = Reader(book(), page_size=10)
    for n in range(40):
        reader.watch(f"p{n}")
    for n in range(35):
        reader.book.forget(f"p{n}")
    reader.run(9)
    assert [what.page for _, what in reader.reads] == [0]


def test_a_sweep_never_costs_much_more_than_reading_the_posts_themselves():
    """Posts that were scheduled long ago stand deep down in the list."""
    reader = Reader(book(), page_size=100, others=5000)
    reader.watch("old-1")
    reader.watch("old-2")
    reader.run(30)
    first_sweep = [what for _, what in reader.reads[:3]]
    assert first_sweep == [ReadPage(0, 0.0), ReadPage(1, 0.0), first_sweep[2]]
    assert isinstance(first_sweep[2], ReadOne)
    assert {what.post_id for _, what in reader.reads if isinstance(what, ReadOne)} == {"old-1", "old-2"}
    assert max(what.page for _, what in reader.reads if isinstance(what, ReadPage)) == 1


def test_posts_left_over_from_a_sweep_are_read_only_while_they_are_watched():
    watched = book()
    for name in ("a", "b", "c"):
        watched.watch(Watched(id=name, accepted_at=0.0, due_at=8.0, created_after=0.0))
    assert watched.next_read(8.0, has_list=True, is_busy=False) == ReadPage(0, 0.0)
    watched.page_read(has_more=True)
    assert watched.next_read(8.0, has_list=True, is_busy=False) == ReadPage(1, 0.0)
    watched.seen("a", 8.0)
    watched.page_read(has_more=True)
    watched.forget("b")
    assert watched.next_read(8.0, has_list=True, is_busy=False) == ReadOne("c")
    watched.seen("c", 8.0)
    assert isinstance(watched.next_read(8.0, has_list=True, is_busy=False), Rest)


def test_a_failed_sweep_starts_over_at_its_next_time():
    watched = book()
    for name in ("a", "b"):
        watched.watch(Watched(id=name, accepted_at=0.0, due_at=8.0, created_after=0.0))
    assert watched.next_read(8.0, has_list=True, is_busy=False) == ReadPage(0, 0.0)
    watched.sweep_failed()
    rest = watched.next_read(8.0, has_list=True, is_busy=False)
    assert isinstance(rest, Rest)
    assert watched.next_read(rest.until, has_list=True, is_busy=False) == ReadPage(0, 0.0)


def test_while_sweeps_fail_posts_are_read_by_themselves_within_the_guard():
    watched = book()
    for name in ("a", "b"):
        watched.watch(Watched(id=name, accepted_at=0.0, due_at=8.0, created_after=0.0))
    now, singles = 8.0, []
    while now < 300:
        what = watched.next_read(now, has_list=True, is_busy=False)
        if isinstance(what, ReadPage):
            watched.sweep_failed()
            now += 60
        elif isinstance(what, ReadOne):
            singles.append((now, what.post_id))
            watched.seen(what.post_id, now)
        else:
            now = what.until
    assert [name for _, name in singles[:4]] == ["a", "b", "a", "b"]
    assert max(later - earlier for (earlier, _), (later, _) in zip(singles, singles[2:], strict=False)) <= 75 + 60
    watched.next_read(400.0, has_list=True, is_busy=False)


def test_a_scheduled_post_is_not_read_before_its_time():
    reader = Reader(book())
    reader.watch("now")
    reader.watch("later", due=3600.0)
    reader.book.seen("later", 5.0)
    reader.run(40)
    reader.book.forget("now")
    reader.run(3599)
    assert {what for _, what in reader.reads} == {ReadOne("now")}
    reader.run(3700)
    assert reader.reads[-1][1] == ReadOne("later")
    assert min(time for time, what in reader.reads if what == ReadOne("later")) == 3600.0


def test_reads_fade_out_while_nothing_ends_but_never_beyond_the_slowest():
    reader = Reader(book())
    for name in ("a", "b"):
        reader.watch(name)
    reader.run(1500)
    times = [time for time, _ in reader.reads]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[0] <= 3
    assert POLICY.slowest - 1 <= gaps[-1] <= POLICY.slowest + 1


def test_while_there_is_something_to_publish_reads_take_their_share_alone():
    reader = Reader(book(limit=60), is_busy=True)
    for n in range(200):
        reader.watch(f"p{n}")
    reader.run(608)
    assert 0.9 * 60 <= len(reader.reads) <= 1.1 * 60  # one page every 10 s, whichever has most to show
    assert {what.page for _, what in reader.reads} == {0, 1}


def test_a_post_that_the_list_never_shows_is_read_by_itself_within_the_guard():
    for is_busy, limit in [(False, 60), (True, 60), (True, 10), (False, 10)]:
        reader = Reader(book(limit=limit), hidden=["ghost"], is_busy=is_busy)
        for name in ("a", "b", "ghost"):
            reader.watch(name)
        reader.run(600)
        times = [POLICY.first_look, *reader.seen["ghost"]]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert len(gaps) >= 5
        assert max(gaps) <= POLICY.unseen_guard + 2, (is_busy, limit)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(2, 40),
    page_size=st.integers(1, 50),
    others=st.integers(0, 200),
    hidden=st.integers(0, 3),
    limit=st.sampled_from([10, 60, 600]),
    is_busy=st.booleans(),
    has_list=st.booleans(),
)
def test_every_post_is_seen_again_and_again(count, page_size, others, hidden, limit, is_busy, has_list):
    reader = Reader(
        book(limit=limit),
        page_size=page_size,
        others=others,
        hidden=[f"p{n}" for n in range(hidden)],
        is_busy=is_busy,
        has_list=has_list,
    )
    for n in range(count):
        reader.watch(f"p{n}")
    reader.run(900)
    for times in reader.seen.values():
        looks = [POLICY.first_look, *times, 900.0]
        longest = max(later - earlier for earlier, later in itertools.pairwise(looks))
        # One request takes 0.2 s here: a round of single reads, or of sweep and guard, comes on top.
        assert longest <= POLICY.unseen_guard + POLICY.slowest + count * 0.4


def test_an_overdue_post_is_named_once_it_has_taken_too_long():
    watched = book()
    watched.watch(Watched(id="a", accepted_at=0.0, due_at=8.0, created_after=0.0))
    watched.watch(Watched(id="later", accepted_at=0.0, due_at=1000.0, created_after=0.0))
    watched.next_read(8.0, has_list=True, is_busy=False)
    assert watched.overdue(1807.9) == []
    assert watched.overdue(1808.0) == ["a"]
    watched.next_read(1808.0, has_list=True, is_busy=False)
    assert watched.overdue(2799.0) == ["a"]
    assert watched.overdue(2800.0) == ["a", "later"]


def test_a_post_is_watched_once_and_forgotten_for_good():
    watched = book()
    for due in (8.0, 20.0):
        watched.watch(Watched(id="a", accepted_at=0.0, due_at=due, created_after=0.0))
    assert (len(watched), "a" in watched, "b" in watched) == (1, True, False)
    watched.forget("a")
    watched.forget("a")
    assert (len(watched), "a" in watched) == (0, False)
    assert watched.next_read(100.0, has_list=True, is_busy=False) == Rest(None)


def test_a_forgotten_post_may_be_watched_again():
    watched = book()
    watched.watch(Watched(id="a", accepted_at=0.0, due_at=8.0, created_after=0.0))
    watched.forget("a")
    watched.watch(Watched(id="a", accepted_at=0.0, due_at=500.0, created_after=0.0))
    watched.watch(Watched(id="b", accepted_at=0.0, due_at=600.0, created_after=0.0))
    watched.watch(Watched(id="c", accepted_at=0.0, due_at=90.0, created_after=0.0))
    assert watched.next_read(100.0, has_list=True, is_busy=False) == ReadOne("c")
    watched.forget("c")
    assert watched.next_read(100.0, has_list=True, is_busy=False) == Rest(500.0)


def test_the_list_is_asked_for_nothing_older_than_what_is_watched():
    watched = book()
    watched.watch(Watched(id="a", accepted_at=0.0, due_at=8.0, created_after=700.0))
    watched.watch(Watched(id="b", accepted_at=0.0, due_at=8.0, created_after=300.0))
    assert watched.next_read(8.0, has_list=True, is_busy=False) == ReadPage(0, 300.0)


@pytest.mark.parametrize(("limit", "interval"), [(60, 10.0), (10, 60.0), (5, 60.0), (600, 1.0)])
def test_the_share_of_the_budget_makes_the_busy_interval(limit, interval):
    assert POLICY.busy_interval(limit, 60.0) == pytest.approx(interval)
