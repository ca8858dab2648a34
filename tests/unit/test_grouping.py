"""Which accounts share a post."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reelpub.models.account import Account
from reelpub.policies.grouping import one_per_platform


def account(platform, number):
    return Account(id=f"{platform}-{number}", provider="reap", platform=platform)


accounts = st.lists(
    st.builds(account, st.sampled_from(["tiktok", "TikTok", "youtube", "x"]), st.integers(0, 4)), max_size=12
)


@given(accounts)
def test_every_account_is_in_exactly_one_group(given_):
    placed = [a.id for group in one_per_platform(given_) for a in group]
    assert Counter(placed) == Counter({a.id for a in given_})


@given(accounts)
def test_no_group_has_a_platform_twice(given_):
    for group in one_per_platform(given_):
        platforms = [a.platform.casefold() for a in group]
        assert len(set(platforms)) == len(platforms)


@given(accounts)
def test_there_are_as_few_groups_as_the_busiest_platform_allows(given_):
    distinct = {a.id: a for a in given_}.values()
    busiest = max(Counter(a.platform.casefold() for a in distinct).values(), default=0)
    assert len(one_per_platform(given_)) == busiest


def test_order_is_kept_and_the_second_account_of_a_platform_goes_to_the_second_group():
    first, other, second, third = (account("tiktok", 1), account("x", 1), account("tiktok", 2), account("x", 2))
    assert one_per_platform([first, other, second, third]) == ((first, other), (second, third))


def test_no_accounts_are_no_groups():
    assert one_per_platform([]) == ()
