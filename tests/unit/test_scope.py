"""What a limit counts, told from the headers, against pure models of servers that count by key or by operation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelpub.policies.headers import HIDDEN_SECOND, Quota
from reelpub.policies.scope import DOUBTED, REUNITED, Scope
from reelpub.sandbox.limits import LimitKind, RateLimit, open_window

W = 60.0
WINDOWS = [LimitKind.FIXED, LimitKind.ANCHORED, LimitKind.SLIDING_LOG]
"""The kinds whose counter is that of a window."""


class Key:
    """A key at a server that counts by *scope*; `strange` uses it from elsewhere."""

    def __init__(self, kind, scope, *, limit=10, burst=None):
        self.limit = RateLimit(limit=limit, kind=kind, burst=burst)
        self.by_operation, self.windows = scope == "endpoint", {}
        self.learned = Scope(limit, W)
        self.refused = 0

    def hit(self, now, operation):
        name = operation if self.by_operation else ""
        window = self.windows.setdefault(name, open_window(self.limit))
        return window.take(1_800_000_000.0 + now)

    def send(self, now, operation, *, seconds=0.2, has_others=False):
        """Send one request; return whether it was let through."""
        self.learned.sent(operation)
        said = self.hit(now, operation)
        # Both times come in whole seconds, cut off.
        date, reset = math.floor(1_800_000_000.0 + now), math.floor(said.reset)
        quota = Quota(
            limit=said.limit, remaining=said.remaining, reset_in=min(max(0.0, reset - date + HIDDEN_SECOND), 2 * W)
        )
        self.refused += not said.allowed
        status = 200 if said.allowed else 429
        self.learned.answered(operation, now + seconds, quota, status, sent_at=now, has_others=has_others)
        return said.allowed


def batch(key, until, *, start=7.0, every=1.5, reads=20.0, dice=None, strangers=0.0):
    """Publish as the limit lets through, read the list now and then, and let strangers use the key beside it."""
    now, next_read, dice = start, start + 8, dice or random.Random(1)
    sent = []
    while now < until:
        if len([at for at in sent if at > now - W - 1]) < 9:
            key.send(now, "publish")
            sent.append(now)
        if now >= next_read:
            key.send(now + 0.3, "list")
            sent.append(now + 0.3)
            next_read += reads
        if dice.random() < strangers:
            key.hit(now + 0.6, dice.choice(["publish", "list", "other"]))
        now += every


@pytest.mark.parametrize("kind", WINDOWS, ids=lambda kind: kind.value)
def test_operations_that_count_by_themselves_are_told_apart(kind):
    key = Key(kind, "endpoint")
    batch(key, 300.0)
    assert key.learned.is_apart
    assert key.refused == 0


@pytest.mark.parametrize("limit", [10, 60])
@pytest.mark.parametrize("strangers", [0.0, 0.3])
@pytest.mark.parametrize("kind", LimitKind, ids=lambda kind: kind.value)
def test_one_count_for_the_key_is_never_taken_for_several(kind, strangers, limit):
    for seed in range(4):
        key = Key(kind, "key", limit=limit)
        batch(key, 900.0, every=1.5 * 10 / limit, dice=random.Random(seed), strangers=strangers)
        assert not key.learned.is_apart, seed


@pytest.mark.parametrize("burst", [1, 3, 6])
def test_a_leaky_bucket_of_the_key_is_never_taken_for_several_counts(burst):
    key = Key(LimitKind.GCRA, "key", burst=burst)
    batch(key, 900.0, every=6.5)
    assert not key.learned.is_apart


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from(list(LimitKind)),
    limit=st.sampled_from([10, 60]),
    burst=st.none() | st.integers(1, 10),
    gaps=st.lists(st.tuples(st.floats(0.05, 25.0), st.sampled_from(["publish", "list", "details", "stranger"]))),
)
def test_whatever_is_sent_one_count_for_the_key_is_taken_for_one(kind, limit, burst, gaps):
    """As long as our own requests come one after another, and stay within the limit by our own count."""
    key, now, sent = Key(kind, "key", limit=limit, burst=burst), 3.0, []
    for gap, operation in gaps:
        now += gap
        if operation == "stranger":
            key.hit(now, "publish")
        elif len([at for at in sent if at > now - W - 1]) < limit:
            key.send(now, operation, seconds=0.01)
            sent.append(now)
        if kind is not LimitKind.SLIDING_COUNTER:
            assert not key.learned.is_apart


def test_the_first_seconds_are_enough_where_several_operations_are_used():
    """Projects are read before their clips are published; each counter begins at one."""
    key = Key(LimitKind.SLIDING_LOG, "endpoint")
    for step, operation in enumerate(["status"] * 3 + ["clips"] * 3 + ["publish"] * 2):
        key.send(step * 0.3, operation)
    assert key.learned.is_apart


def apart():
    key = Key(LimitKind.FIXED, "endpoint")
    batch(key, 200.0)
    assert key.learned.is_apart
    return key


def test_the_answers_of_one_operation_alone_have_to_prove_it_more_often():
    """It may be the only one that has a count of its own."""
    key = Key(LimitKind.FIXED, "endpoint")
    for step in range(8):
        key.send(61.0 + step, "publish")
    for step in range(4):
        key.send(70.0 + step, "list")
    assert not key.learned.is_apart
    key.send(74.0, "list")
    assert key.learned.is_apart


def test_a_refusal_nobody_foresaw_puts_them_together_again_for_long_and_longer_each_time():
    key, now = apart(), 200.0
    for windows in (REUNITED, 2 * REUNITED):
        key.learned.sent("list")
        refusal = Quota(limit=10, remaining=0, reset_in=20.0)
        key.learned.answered("list", now, refusal, 429, sent_at=now - 0.1, has_others=False)
        assert not key.learned.is_apart
        batch(key, now + windows * W - 60, start=now + 1)
        assert not key.learned.is_apart
        batch(key, now + windows * W + 300, start=now + windows * W + 1)
        assert key.learned.is_apart
        now += windows * W + 300


def test_a_refusal_that_others_explain_does_not():
    key = apart()
    key.learned.sent("list")
    refusal = Quota(limit=10, remaining=0, reset_in=20.0)
    key.learned.answered("list", 200.0, refusal, 429, sent_at=199.0, has_others=True)
    assert key.learned.is_apart


def test_answers_that_show_as_much_as_one_count_would_put_them_together_again():
    """The server was changed, say; a few of them in a row are enough, before anything is refused."""
    key = apart()
    key.by_operation = False
    key.windows.clear()
    now = 242.0
    while key.learned.is_apart and now < 280.0:
        key.send(now, ["publish", "list"][int(now) % 2])
        now += 1.0
    assert not key.learned.is_apart
    assert key.refused == 0


def test_nothing_is_concluded_for_a_while_from_a_counter_that_falls():
    scope = Scope(10, W)

    def say(now, operation, remaining, reset_at):
        scope.sent(operation)
        quota = Quota(limit=10, remaining=remaining, reset_in=reset_at - now)
        scope.answered(operation, now, quota, 200, sent_at=now - 0.1, has_others=False)

    say(1.0, "a", 4, 60.0)
    say(2.0, "a", 7, 60.0)
    for step in range(8):
        say(3.0 + step, ["b", "c"][step % 2], 9, 60.0 + 5 * step)
    assert not scope.is_apart
    later = DOUBTED * W + 20.0
    for step in range(8):
        say(later + step, ["b", "c"][step % 2], 9 - step // 2, later + [40.0, 55.0][step % 2])
    assert scope.is_apart


def test_answers_without_headers_and_refused_calls_prove_nothing():
    scope = Scope(10, W)
    for step in range(20):
        operation = "abc"[step % 3]
        scope.sent(operation)
        quota = None if step % 2 else Quota(limit=10, remaining=9, reset_in=30.0 + 7 * (step % 3))
        scope.answered(operation, float(step), quota, 404, sent_at=step - 0.5, has_others=False)
    assert not scope.is_apart


def test_it_knows_what_went_out_before_an_operation_is_paced_by_itself():
    scope = Scope(10, W)
    for now in (1.0, 2.0, 50.0):
        scope.sent("a")
        scope.answered("a", now, Quota(limit=10, remaining=5, reset_in=40.0), 200, sent_at=now, has_others=False)
    scope.sent("a")
    scope.sent("b")
    scope.abandoned("b")
    assert scope.answers("a", 55.0) == [1.0, 2.0, 50.0]
    assert scope.answers("a", 61.5) == [2.0, 50.0]
    assert (scope.in_flight("a"), scope.in_flight("b"), scope.in_flight("c")) == (1, 0, 0)
    assert scope.answers("c", 0.0) == []
    assert scope.last_told("a") == (50.0, Quota(limit=10, remaining=5, reset_in=40.0))
    assert scope.last_told("c") is None
