"""Walking over all pages: each row once, whatever the totals say, and never for ever."""

from __future__ import annotations

import pytest
from attrs import frozen

from reelpub.errors import DecodeError
from reelpub.providers.reap import paging
from reelpub.providers.reap.paging import all_items


@frozen
class Row:
    id: str | None
    name: str = ""


@frozen
class Page:
    items: tuple
    total: int | None = None
    total_pages: int | None = None


def rows(first, last):
    return tuple(Row(str(n)) for n in range(first, last + 1))


async def walk(answer, page_size=3):
    """Return the rows' ids and how many pages were read; *answer* gives the page of a number."""
    numbers = []

    async def fetch(number):
        numbers.append(number)
        return answer(number)

    found = [row.id async for row in all_items(fetch, page_size=page_size, operation="get_all_posts")]
    assert numbers == list(range(1, len(numbers) + 1))
    return found, len(numbers)


def of(*pages):
    return lambda number: pages[number - 1] if number <= len(pages) else Page(())


def ids(first, last):
    return [str(n) for n in range(first, last + 1)]


async def test_an_empty_list_takes_one_request():
    assert await walk(of(Page((), 0, 0))) == ([], 1)


async def test_a_short_page_that_the_totals_agree_with_is_the_last():
    assert await walk(of(Page(rows(1, 3), 5, 2), Page(rows(4, 5), 5, 2))) == (ids(1, 5), 2)


async def test_a_full_page_is_always_followed_by_another():
    assert await walk(of(Page(rows(1, 3), 3, 1))) == (ids(1, 3), 2)


async def test_without_totals_only_an_empty_page_ends_the_list():
    assert await walk(of(Page(rows(1, 2)), Page(rows(3, 4)), Page(rows(5, 5)))) == (ids(1, 5), 4)


async def test_totals_that_are_too_small_hide_nothing_behind_full_pages():
    pages = of(Page(rows(1, 3), 1, 1), Page(rows(4, 6), 1, 1), Page(rows(7, 7), 1, 1))
    assert await walk(pages) == (ids(1, 7), 3)


async def test_totals_that_are_too_large_end_at_an_empty_page():
    assert await walk(of(Page(rows(1, 2), 10**9, 10**7))) == (ids(1, 2), 2)


async def test_smaller_pages_than_asked_for_are_read_to_the_end():
    pages = of(Page(rows(1, 2), 5, 3), Page(rows(3, 4), 5, 3), Page(rows(5, 5), 5, 3))
    assert await walk(pages, page_size=100) == (ids(1, 5), 3)


async def test_only_a_number_of_pages_is_enough():
    assert await walk(of(Page(rows(1, 2), None, 2), Page(rows(3, 3), None, 2))) == (ids(1, 3), 2)


async def test_only_a_number_of_rows_is_enough():
    assert await walk(of(Page(rows(1, 1), 5), Page(rows(2, 5), 5))) == (ids(1, 5), 3)


async def test_rows_that_shift_to_the_next_page_are_told_once():
    pages = of(Page(rows(1, 3), 6, 2), Page(rows(3, 5), 7, 3), Page(rows(6, 6), 7, 3))
    assert await walk(pages) == (ids(1, 6), 4)


async def test_one_page_of_old_rows_alone_does_not_end_the_list():
    pages = of(Page(rows(1, 3)), Page(rows(1, 3)), Page(rows(4, 5), 5, 3))
    assert await walk(pages) == (ids(1, 5), 3)


async def test_a_server_that_ignores_the_number_of_the_page_ends_after_two_old_pages():
    assert await walk(lambda _: Page(rows(1, 3), 3, 1)) == (ids(1, 3), 3)


async def test_rows_without_an_id_are_told_apart_by_what_they_hold():
    found, requests = await walk(lambda _: Page((Row(None, "a"), Row(None, "b"), Row(None, "c")), 3, 1))
    assert (found, requests) == ([None, None, None], 3)


async def test_a_list_that_never_ends_is_an_error_and_no_silent_cut(monkeypatch):
    monkeypatch.setattr(paging, "PAGES_MOST", 5)
    with pytest.raises(DecodeError, match="doesn't end within 5 pages"):
        await walk(lambda number: Page(rows(number * 3, number * 3 + 2)))


async def test_nothing_is_read_before_the_first_row_is_asked_for():
    async def fetch(number):
        raise AssertionError("read too early")

    all_items(fetch, page_size=3, operation="get_all_posts")


async def test_a_reader_that_stops_early_reads_no_further_page():
    read = []

    async def fetch(number):
        read.append(number)
        return Page(rows(number * 3, number * 3 + 2))

    async for row in all_items(fetch, page_size=3, operation="get_all_posts"):
        if row.id == "5":
            break
    assert read == [1]
