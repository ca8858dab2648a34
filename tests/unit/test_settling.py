"""How long posts take, learned from the ages at which they were seen going on and at which their end was seen."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelpub.policies.settling import Settling


def learned(took, *, every=5.0, seed=1):
    """Return what is learned from posts that took so long each and were looked at every so often."""
    settling, dice = Settling(), random.Random(seed)
    for seconds in took:
        age, before = dice.uniform(0, every), 0.0
        while age < seconds:
            age, before = age + every, age
        settling.note(before, age)
    return settling


def test_until_more_is_known_posts_take_10_to_60_seconds():
    settling = Settling()
    assert settling.age_at(0.4) == pytest.approx(30.0)
    assert settling.age_at(0.98) == pytest.approx(59.0)
    assert [settling.share_ended(age) for age in (0, 10, 35, 60, 9999)] == pytest.approx([0, 0, 0.5, 1, 1])


@pytest.mark.parametrize(("least", "most"), [(10, 60), (100, 200), (2, 6), (300, 900)])
def test_it_finds_what_posts_really_take(least, most):
    dice = random.Random(7)
    settling = learned([dice.uniform(least, most) for _ in range(400)])
    for share in (0.4, 0.9):
        truth = least + share * (most - least)
        assert settling.age_at(share) == pytest.approx(truth, rel=0.25, abs=6.0)


def test_a_post_that_was_looked_at_once_only_says_that_it_had_ended_by_then():
    settling = Settling()
    for _ in range(100):
        settling.note(0.0, 60.0)
    assert settling.age_at(0.4) == pytest.approx(30.0)


def test_a_post_seen_going_on_is_the_less_likely_to_have_ended():
    settling = Settling()
    assert settling.chance(None, 35.0) == pytest.approx(0.5)
    assert settling.chance(35.0, 47.5) == pytest.approx(0.5)
    assert settling.chance(60.0, 300.0) == 0.0


@given(st.lists(st.tuples(st.floats(0, 3000), st.floats(0.1, 3000)), max_size=30), st.floats(0.01, 0.99))
def test_more_have_ended_the_later_it_is_whatever_was_seen(seen, share):
    settling = Settling()
    for open_at, longer in seen:
        settling.note(open_at, open_at + longer)
    shares = [settling.share_ended(age) for age in range(0, 3600, 7)]
    assert all(0.0 <= one <= 1.0 for one in shares)
    assert shares == sorted(shares)
    age = settling.age_at(share)
    assert 0.0 <= age <= 1800.0
    assert settling.ended == len(seen)
