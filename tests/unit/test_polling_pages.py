"""Which page of the list is read, whatever order the list has: simulated against a pure provider."""

from __future__ import annotations

import itertools
import random

import pytest

from reelpub.policies.polling import PollBook, PollPolicy, ReadOne, ReadPage, Rest, Watched

POLICY = PollPolicy()
NEWEST, OLDEST, NONE = "newest first", "oldest first", "no order"


class Provider:
    """Makes posts that take 10 to 60 s, and shows them a page at a time."""

    def __init__(self, order, *, size=100, before=0, tells_total=False, seed=3):
        self.order, self.size, self.tells_total = order, size, tells_total
        self.dice = random.Random(seed)
        self.posts = {f"old-{n}": -1.0 for n in range(before)}
        self.places = {name: self.dice.random() for name in self.posts}

    def publish(self, name, now):
        self.posts[name] = now + self.dice.uniform(10, 60)
        self.places[name] = self.dice.random()

    def page(self, number):
        names = list(self.posts)
        if self.order == NEWEST:
            names.reverse()
        elif self.order == NONE:
            names.sort(key=self.places.__getitem__)
        shown = names[number * self.size : (number + 1) * self.size]
        last = (len(names) - 1) // self.size if self.tells_total else None
        return shown, (number + 1) * self.size < len(names), last


class Follower:
    """Follows posts with the book, and notes how long after its end each was seen to have ended."""

    def __init__(self, provider, *, every=10.0):
        self.provider, self.every = provider, every
        self.book = PollBook(POLICY, 60, 60.0)
        self.reads, self.notices, self.now, self.seen_at = [], {}, 0.0, {}

    def accept(self, names):
        for name in names:
            self.provider.publish(name, self.now)
            self.book.watch(Watched(id=name, accepted_at=self.now, due_at=self.now + 8.0, created_after=0.0))
            self.seen_at[name] = [self.now + 8.0]

    def run(self, until, *, is_busy):
        while self.now < until:
            every = self.every if is_busy else None
            what = self.book.next_read(self.now, has_list=True, is_busy=is_busy, every=every)
            if isinstance(what, Rest):
                if what.until is None:
                    return
                self.now = min(until, what.until)
                continue
            self.reads.append(what)
            self.now += 0.1
            if isinstance(what, ReadOne):
                self.look(what.post_id)
                continue
            shown, has_more, last = self.provider.page(what.page)
            for name in shown:
                self.look(name)
            self.book.page_read(has_more=has_more, last=last)

    def look(self, name):
        if name not in self.book:
            return
        self.seen_at[name].append(self.now)
        if self.provider.posts[name] <= self.now:
            self.notices[name] = self.now - self.provider.posts[name]
            self.book.forget(name, ended_at=self.now)
        else:
            self.book.seen(name, self.now)

    @property
    def singles(self):
        return sum(isinstance(what, ReadOne) for what in self.reads)


ORDERS = pytest.mark.parametrize("order", [NEWEST, OLDEST, NONE])
TOTALS = pytest.mark.parametrize("tells_total", [False, True], ids=["no total", "total"])


@ORDERS
@TOTALS
def test_a_batch_is_followed_with_one_read_every_ten_seconds_in_any_order(order, tells_total):
    provider = Provider(order, before=250, tells_total=tells_total)
    follower = Follower(provider)
    for window in range(8):
        follower.accept(f"p{window}-{n}" for n in range(54))
        follower.run(60.0 * (window + 1), is_busy=True)
    follower.run(900.0, is_busy=False)
    assert len(follower.notices) == 8 * 54
    gaps = [b - a for times in follower.seen_at.values() for a, b in itertools.pairwise(times)]
    assert max(gaps) <= POLICY.unseen_guard + 1
    if order is not NONE:
        mean = sum(follower.notices.values()) / len(follower.notices)
        assert mean <= 9.0
        assert follower.singles <= 8


def test_where_the_list_is_oldest_first_its_end_is_found_once_and_stays_known():
    provider = Provider(OLDEST, before=1050)
    follower = Follower(provider)
    follower.accept(f"a{n}" for n in range(50))
    follower.run(90.0, is_busy=False)
    found = [what.page for what in follower.reads if isinstance(what, ReadPage)]
    assert found[:11] == list(range(11))
    del follower.reads[:]
    follower.accept(f"b{n}" for n in range(40))
    follower.run(200.0, is_busy=False)
    pages = {what.page for what in follower.reads if isinstance(what, ReadPage)}
    assert pages <= {10, 11}
    assert follower.singles <= 3


def test_where_the_total_is_told_the_end_is_found_at_once():
    provider = Provider(OLDEST, before=1050, tells_total=True)
    follower = Follower(provider)
    follower.accept(f"a{n}" for n in range(50))
    follower.run(12.0, is_busy=False)
    assert [what.page for what in follower.reads[:2]] == [0, 10]


def test_of_two_pages_the_one_with_most_unseen_waiting_goes_first():
    book = PollBook(POLICY, 60, 60.0)
    for n in range(130):
        book.watch(Watched(id=f"p{n}", accepted_at=0.0, due_at=8.0, created_after=0.0))
    now, pages = 8.0, []
    newest = [f"p{n}" for n in reversed(range(130))]
    for _ in range(90):
        what = book.next_read(now, has_list=True, is_busy=True)
        if isinstance(what, Rest):
            now = what.until
            continue
        pages.append(what.page)
        for name in newest[100 * what.page : 100 * what.page + 100]:
            book.seen(name, now)
        book.page_read(has_more=what.page == 0)
    # 100 posts on the first page wait for ten seconds about as long, together, as 30 do for 33.
    assert pages[:5] == [0, 0, 0, 0, 1]
    assert 0.15 <= pages[5:].count(1) / len(pages[5:]) <= 0.35


def test_while_reads_are_put_off_nothing_is_read_and_nobody_guarded():
    book = PollBook(POLICY, 60, 60.0)
    for n in range(20):
        book.watch(Watched(id=f"p{n}", accepted_at=0.0, due_at=8.0, created_after=0.0))
    rest = book.next_read(100.0, has_list=True, is_busy=True, every=150.0)
    assert rest == Rest(158.0)
    assert isinstance(book.next_read(100.0, has_list=True, is_busy=False), ReadPage | ReadOne)
    book.sweep_failed()
    assert isinstance(book.next_read(158.0, has_list=True, is_busy=True, every=150.0), ReadPage | ReadOne)


def test_in_a_slow_batch_a_read_has_to_be_worth_the_slot_that_it_takes():
    follower = Follower(Provider(NEWEST), every=None)
    for window in range(20):
        follower.accept(f"p{window}-{n}" for n in range(18))
        follower.run(60.0 * (window + 1), is_busy=True)
    assert len(follower.reads) / (20 * 18) <= 0.3
    assert sum(follower.notices.values()) / len(follower.notices) <= 6.0
    assert sorted(follower.notices.values())[int(0.95 * len(follower.notices))] <= 14.5


def reads_of_two_that_take_long(until, every=None, **policy):
    """Return when the list is read for two posts of which neither ends, while there is something to publish."""
    book, now, reads = PollBook(PollPolicy(**policy), 60, 60.0), 0.0, []
    for name in "ab":
        book.watch(Watched(id=name, accepted_at=0.0, due_at=8.0, created_after=0.0))
    while now < until:
        what = book.next_read(now, has_list=True, is_busy=True, every=every)
        if isinstance(what, Rest):
            now = what.until
            continue
        reads.append(now)
        for name in "ab":
            book.seen(name, now)
        book.page_read(has_more=False)
    return reads


def test_a_read_that_is_worth_little_waits_half_as_long_again_and_no_longer():
    gaps = [b - a for a, b in itertools.pairwise(reads_of_two_that_take_long(54.0))]
    assert gaps == [pytest.approx(15.0)] * 3


def test_a_read_that_takes_nothing_from_what_is_to_be_published_is_worth_it():
    assert reads_of_two_that_take_long(40.0, every=10.0) == [8.0, 18.0, 28.0, 38.0]


def test_a_policy_that_asks_for_no_ends_has_no_read_wait():
    assert reads_of_two_that_take_long(40.0, least_ends=0.0) == [8.0, 18.0, 28.0, 38.0]


def test_a_scheduled_post_is_thought_to_begin_at_its_time():
    book = PollBook(POLICY, 60, 60.0)
    for n in range(10):
        book.watch(Watched(id=f"p{n}", accepted_at=0.0, due_at=3608.0, created_after=0.0))
    assert isinstance(book.next_read(3608.0, has_list=True, is_busy=True), ReadPage)
    for n in range(10):
        book.seen(f"p{n}", 3608.0)
    book.page_read(has_more=False)
    # 10 to 60 s from 3600 s on: by 3618 s one or two of the ten may have ended, by 3621 s more than two.
    assert isinstance(book.next_read(3618.0, has_list=True, is_busy=True), Rest)
    assert isinstance(book.next_read(3621.0, has_list=True, is_busy=True), ReadPage)


def test_the_last_of_many_is_read_as_often_as_they_were():
    follower = Follower(Provider(NEWEST))
    follower.accept(["a", "b"])
    follower.provider.posts["a"], follower.provider.posts["b"] = 15.0, 300.0
    follower.run(40.0, is_busy=False)
    assert "a" in follower.notices
    assert {type(what) for what in follower.reads} == {ReadPage}
    assert max(b - a for a, b in itertools.pairwise(follower.seen_at["b"])) <= 5


class TestOneByOne:
    """Where there is no list."""

    def follow(self, posts, *, is_busy, until, limit=60):
        book = PollBook(POLICY, limit, 60.0)
        for name, accepted in posts.items():
            book.watch(Watched(id=name, accepted_at=accepted, due_at=accepted + 8.0, created_after=0.0))
        now, reads = 0.0, []
        while now < until:
            what = book.next_read(now, has_list=False, is_busy=is_busy)
            if isinstance(what, Rest):
                now = until if what.until is None else what.until
                continue
            reads.append((now, what.post_id))
            book.seen(what.post_id, now)
        return reads

    def test_while_there_is_something_to_publish_only_what_has_surely_ended_is_read(self):
        reads = self.follow({f"p{n}": float(n) for n in range(5)}, is_busy=True, until=63.5)
        assert [name for _, name in reads] == ["p0", "p1", "p2", "p3", "p4"]
        assert all(at == pytest.approx(59.0 + n) for n, (at, _) in enumerate(reads))

    def test_so_it_is_where_more_wait_than_can_be_read(self):
        reads = self.follow({f"p{n}": 0.0 for n in range(40)}, is_busy=False, until=59.5)
        assert len(reads) == 40
        assert reads[0][0] == pytest.approx(59.0)

    def test_a_few_are_looked_at_when_four_of_ten_have_ended(self):
        reads = self.follow({"a": 0.0}, is_busy=False, until=60.0)
        assert [at for at, _ in reads] == [30.0, 40.0, 50.0]

    def test_how_long_posts_really_take_is_learned(self):
        book = PollBook(POLICY, 60, 60.0)
        for n in range(30):
            accepted = 400.0 * n
            book.watch(Watched(id=f"p{n}", accepted_at=accepted, due_at=accepted + 8.0, created_after=0.0))
            now, looks = accepted, 0
            while f"p{n}" in book:
                what = book.next_read(now, has_list=False, is_busy=False)
                if isinstance(what, Rest):
                    now = what.until
                elif now - accepted >= 200.0:
                    book.forget(what.post_id, ended_at=now)
                else:
                    looks += 1
                    book.seen(what.post_id, now)
        assert looks <= 5

    def test_a_policy_that_looks_at_once_does_so_always(self):
        book = PollBook(PollPolicy(first_look=0.0, first_single_look=0.0), 60, 60.0)
        for n in range(50):
            book.watch(Watched(id=f"p{n}", accepted_at=float(n), due_at=float(n), created_after=0.0))
            assert book.next_read(float(n), has_list=False, is_busy=True) == ReadOne(f"p{n}")
            book.forget(f"p{n}", ended_at=n + 0.5)
