"""The memory of rows: what is the same is the very same object, and nothing that changed is overlooked."""

import pytest

from reelpub.errors import DecodeError
from reelpub.providers.rows import RowMemory


class Maker:
    """Makes an object of each row, notes which, and refuses those that are marked bad."""

    def __init__(self):
        self.made = []

    async def __call__(self, rows):
        bad = [f"$[{place}]" for place, row in enumerate(rows) if isinstance(row, dict) and row.get("bad")]
        if bad:
            raise DecodeError("bad rows", operation="list", provider="p", status=200, problems=bad)
        self.made.append([row["id"] if isinstance(row, dict) else row for row in rows])
        return [object() for _ in rows]


@pytest.fixture
def make():
    return Maker()


async def test_an_unchanged_row_gives_the_very_same_object_wherever_it_stands(make):
    memory = RowMemory()
    a, b = {"id": "a", "n": 1}, {"id": "b", "n": 1}
    first = await memory.read([a, b], make, version=0)
    second = await memory.read([dict(b), dict(a)], make, version=0)
    assert second == first[::-1]
    assert make.made == [["a", "b"]]


@pytest.mark.parametrize(
    "changed", [{"id": "a", "n": 2}, {"id": "a", "n": 1, "m": None}, {"id": "a"}, {"id": "c", "n": 1}]
)
async def test_any_difference_makes_a_row_anew_and_leaves_the_others(make, changed):
    memory = RowMemory()
    first = await memory.read([{"id": "a", "n": 1}, {"id": "b"}], make, version=0)
    second = await memory.read([changed, {"id": "b"}], make, version=0)
    assert second[0] is not first[0]
    assert second[1] is first[1]
    assert make.made[1:] == [[changed["id"]]]


async def test_a_new_version_and_forgetting_make_rows_anew(make):
    memory = RowMemory()
    rows = [{"id": "a"}, {"id": "b"}]
    first = await memory.read(rows, make, version=0)
    assert await memory.read(rows, make, version=1) != first
    second = await memory.read(rows, make, version=1)
    memory.forget("a")
    memory.forget("never seen")
    third = await memory.read(rows, make, version=1)
    assert third[0] is not second[0]
    assert third[1] is second[1]


async def test_only_the_latest_are_kept(make):
    memory = RowMemory(keep=2)
    await memory.read([{"id": "a"}, {"id": "b"}, {"id": "c"}], make, version=0)
    await memory.read([{"id": "c"}, {"id": "b"}], make, version=0)
    await memory.read([{"id": "a"}], make, version=0)
    assert make.made == [["a", "b", "c"], ["a"]]


async def test_rows_without_an_id_are_made_each_time(make):
    memory = RowMemory()
    await memory.read([{"id": None}, 7], make, version=0)
    await memory.read([{"id": None}, 7], make, version=0)
    assert make.made == [[None, 7], [None, 7]]


async def test_an_error_names_rows_by_their_place_on_the_page(make):
    memory = RowMemory()
    await memory.read([{"id": "a"}, {"id": "b"}], make, version=0)
    with pytest.raises(DecodeError) as caught:
        await memory.read([{"id": "a"}, {"id": "b"}, {"id": "c", "bad": True}], make, version=0)
    assert caught.value.problems == ("$[2]",)
    with pytest.raises(DecodeError) as caught:
        await RowMemory().read([{"id": "a", "bad": True}], make, version=0)
    assert caught.value.problems == ("$[0]",)


def test_a_page_is_known_by_its_number_its_whole_answer_and_the_version():
    memory = RowMemory()
    page = object()
    memory.keep_page(0, b"[1]", page, version=3)
    memory.keep_page(1_000, b"[1]", page, version=3)
    assert memory.page(0, b"[1]", version=3) is page
    assert memory.page(0, b"[2]", version=3) is None
    assert memory.page(0, b"[1]", version=4) is None
    assert memory.page(1, b"[1]", version=3) is None
    assert memory.page(1_000, b"[1]", version=3) is None
    memory.forget("any")
    assert memory.page(0, b"[1]", version=3) is None
