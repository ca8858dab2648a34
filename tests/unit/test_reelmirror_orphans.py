"""The hunt for drafts that a lost answer left: what counts as one, and when nothing is concluded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from reelpub.errors import RateLimitError, TransportError
from reelpub.models.account import Account
from reelpub.models.job import Part
from reelpub.models.request import PublishRequest
from reelpub.models.source import MediaItems
from reelpub.providers.reelmirror import orphans
from reelpub.providers.reelmirror.orphans import Leftovers, OrphanHunt, is_alike
from reelpub.providers.reelmirror.schemas import Delivery, OutgoingPost, OutgoingPostItem

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def a_draft(id_="mine", *, age=0.0, media=("m",), accounts=("a",), **members):
    return OutgoingPost(
        id=id_,
        created_at=NOW - timedelta(seconds=age),
        items=tuple(OutgoingPostItem(generated_media_item_id=item) for item in media),
        deliveries=tuple(
            Delivery(id=f"d-{one}", platform="tiktok", status="pending", connected_account_id=one) for one in accounts
        ),
        **{"status": "draft", "caption": "One", **members},
    )


class Client:
    """Lists what it is given, and counts the rows that were taken."""

    def __init__(self, rows):
        self.clock, self.rows, self.taken, self.now = self, rows, 0, NOW.timestamp()

    def time(self):
        return self.now

    async def list_outgoing_posts(self):
        for row in self.rows:
            self.taken += 1
            yield row


def hunt_on(rows):
    deleted = []

    async def discard(draft_id):
        deleted.append(draft_id)
        return ()

    client = Client(rows)
    return OrphanHunt(client, has_list=lambda: None, discard=discard), client, deleted


LOST = TransportError("lost", operation="create_outgoing_post", provider="reelmirror", sent=None)


async def send(making, times, failure):
    """Send the call so many times, each but the first because of *failure*."""
    for number in range(times):
        if number:
            making.options.on_repeat(failure)
        await making.options.before_send()


async def after(rows, *, sends=2, lasted=10.0, failure=LOST):
    """Return what remains after a call that left *sends* times within *lasted* seconds and made the draft "mine"."""
    hunt, client, deleted = hunt_on(rows)
    with hunt.making("m") as making:
        client.now -= lasted
        await send(making, sends, failure)
        client.now += lasted
        hunt.own("mine")
        return await hunt.after(making, "mine"), deleted, client


async def test_one_made_while_the_call_was_under_way_is_deleted():
    left, deleted, _ = await after([a_draft(), a_draft("lost", age=9)])
    assert (left, deleted) == (Leftovers(), ["lost"])


@pytest.mark.parametrize(
    "other",
    [
        a_draft("x", age=13),
        a_draft("x", media=("n",)),
        a_draft("x", media=()),
        a_draft("x", caption="Two"),
        a_draft("x", persona_id="p"),
        a_draft("x", accounts=("b",)),
        a_draft("x", status="scheduled"),
        evolve(a_draft("x"), created_at=None),
    ],
    ids=["older", "other media", "no media", "caption", "persona", "account", "scheduled", "no time"],
)
async def test_what_may_be_something_else_is_let_alone(other):
    left, deleted, _ = await after([a_draft(), other])
    assert (left.orphans, deleted) == ((), [])
    assert "may still appear" in str(left.warnings), "what a lost request made may show only later"


@pytest.mark.parametrize(
    "failure",
    [
        RateLimitError("slow down", status=429, operation="create_outgoing_post", provider="reelmirror"),
        TransportError("refused", operation="create_outgoing_post", provider="reelmirror", sent=False),
    ],
    ids=["429", "never left"],
)
async def test_what_was_refused_made_nothing_and_isnt_looked_for(failure):
    left, deleted, client = await after([a_draft(), a_draft("x")], failure=failure)
    assert (left, deleted, client.taken) == (Leftovers(), [], 0)


async def test_a_call_that_left_once_looks_at_nothing():
    left, _, client = await after([a_draft(), a_draft("x")], sends=1)
    assert (left, client.taken) == (Leftovers(), 0)


async def test_two_of_them_after_one_repeat_are_told_and_kept():
    left, deleted, _ = await after([a_draft(), a_draft("x"), a_draft("y")])
    assert deleted == []
    assert "x, y" in str(left.warnings)
    left, deleted, _ = await after([a_draft(), a_draft("x"), a_draft("y")], sends=3)
    assert (left, deleted) == (Leftovers(), ["x", "y"])


@pytest.mark.parametrize(
    "rows",
    [[], [a_draft("x")], [evolve(a_draft(), created_at=None), a_draft("x")]],
    ids=["empty", "not ours", "untimed"],
)
async def test_a_list_without_our_own_draft_and_its_time_tells_nothing(rows):
    left, deleted, _ = await after(rows)
    assert deleted == []
    assert "may be left" in str(left.warnings)


async def test_reading_ends_with_what_is_older_where_the_newest_come_first():
    rows = [a_draft(), a_draft("lost", age=5), *(a_draft(f"old-{n}", age=100 + n) for n in range(50))]
    _, deleted, client = await after(rows)
    assert (deleted, client.taken) == (["lost"], 3)
    _, deleted, client = await after(rows[::-1])
    assert (deleted, client.taken) == (["lost"], 52)


async def test_a_list_that_is_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(orphans, "ROWS_MOST", 20)
    left, deleted, client = await after([a_draft(f"old-{n}", age=100 - n) for n in range(50)] + [a_draft()])
    assert (deleted, client.taken) == ([], 20)
    assert "may be left" in str(left.warnings)


async def test_own_drafts_are_remembered_up_to_a_number(monkeypatch):
    monkeypatch.setattr(orphans, "REMEMBERED", 2)
    hunt, _, deleted = hunt_on([a_draft(), a_draft("first"), a_draft("second")])
    with hunt.making("m") as making:
        await send(making, 2, LOST)
        for draft_id in ("first", "second", "mine"):
            hunt.own(draft_id)
        assert await hunt.after(making, "mine") == Leftovers()
    assert deleted == ["first"]


async def test_while_another_call_for_the_same_is_under_way_nothing_is_deleted():
    hunt, _, deleted = hunt_on([a_draft(), a_draft("x")])
    with hunt.making("m") as making, hunt.making("m"):
        await send(making, 2, LOST)
        left = await hunt.after(making, "mine")
    assert deleted == []
    assert "x may be left" in str(left.warnings)


# ---- what a process that died may have left


def a_part(**members):
    account = Account(id="b", provider="reelmirror", platform="tiktok")
    request = PublishRequest(MediaItems(["m"]), **{"caption": "Two", **members})
    return Part(id="p", job_id="j", request=request, accounts=(account,), begun_at=NOW - timedelta(minutes=3))


@pytest.mark.parametrize(
    "left", [a_draft("x", age=200), a_draft("x", caption="Two"), a_draft("x", caption="Two", accounts=("b",))]
)
async def test_what_a_dead_process_made_of_it_is_told_and_kept(left):
    """As it was made, after its edit, or made anew for the accounts asked for."""
    hunt, _, deleted = hunt_on([a_draft(), left])
    hunt.own("mine")
    assert await hunt.before(a_part(), "mine") == Leftovers(orphans=("x",))
    assert deleted == []
    assert await hunt.before(evolve(a_part(), begun_at=None), "mine") == Leftovers()


async def test_where_the_same_may_be_asked_for_twice_it_is_only_a_guess():
    hunt, _, _ = hunt_on([a_draft(), a_draft("x")])
    hunt.own("mine")
    left = await hunt.before(a_part(allow_duplicate=True), "mine")
    assert left.orphans == ()
    assert "may have left x" in str(left.warnings)


async def test_without_a_list_a_dead_process_may_have_left_something():
    hunt = OrphanHunt(Client([]), has_list=lambda: False, discard=None)
    left = await hunt.before(a_part(), "mine")
    assert "may have left a draft" in str(left.warnings)


def test_hidden_accounts_dont_tell_drafts_apart():
    assert is_alike(a_draft(accounts=()), a_draft())
    assert is_alike(a_draft(), a_draft(accounts=()))
    assert not is_alike(a_draft(accounts=("b",)), a_draft())
