"""Policies that can't be meant are refused when they are made."""

from __future__ import annotations

import math

import attrs
import pytest

from reelpub import ConfigurationError, Lateness, LatePolicy, PollPolicy, Rules

NUMBERS = [
    (kind, one.name)
    for kind in (Rules, PollPolicy, Lateness)
    for one in attrs.fields(kind)
    if isinstance(one.default, float)
]
COUNTS = [(Rules, "max_attempts"), (Rules, "max_look_failures")]


@pytest.mark.parametrize(("kind", "name"), NUMBERS)
@pytest.mark.parametrize("value", [-1, -0.5, math.nan, "30", None, True])
def test_a_number_is_0_or_more(kind, name, value):
    with pytest.raises(ConfigurationError, match=f"^{name}: .* has to be a number, 0 or more$"):
        kind(**{name: value})


@pytest.mark.parametrize(("kind", "name"), NUMBERS)
@pytest.mark.parametrize("value", [0, 0.0, 7, math.inf])
def test_nothing_and_for_ever_can_be_meant(kind, name, value):
    assert getattr(kind(**{name: value}), name) == value


@pytest.mark.parametrize(("kind", "name"), COUNTS)
@pytest.mark.parametrize("value", [0, -1, 2.5, "3", True])
def test_a_count_is_at_least_1(kind, name, value):
    with pytest.raises(ConfigurationError, match=f"^{name}: .* has to be a whole number of at least 1$"):
        kind(**{name: value})


def test_what_becomes_of_late_posts_is_one_of_three():
    """The plain word would be taken for none of them, and the posts would be left unsent."""
    with pytest.raises(ConfigurationError, match="policy: 'publish' has to be a LatePolicy"):
        Lateness(policy="publish")
    assert Lateness(policy=LatePolicy.PUBLISH).policy is LatePolicy.PUBLISH
