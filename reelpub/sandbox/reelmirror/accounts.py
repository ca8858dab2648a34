"""Connected accounts: listing, connecting, disconnecting, and the slots that they take."""

from __future__ import annotations

from urllib.parse import urlencode

from reelpub.sandbox.reelmirror.render import account_json, read_reply, written
from reelpub.sandbox.reelmirror.world import World
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = ["connect_url", "disconnect", "list_accounts", "read_slots", "set_slots"]


def list_accounts(world: World, call: Call) -> Reply:
    """List all connected accounts; this list has no pages."""
    del call
    rows = [account_json(account) for account in world.accounts.values()]
    return Reply(body={"data": rows, "count": len(rows)})


def connect_url(world: World, call: Call) -> Reply:
    """Give a link for a person to open. Nothing is behind it; the control endpoint connects accounts here."""
    query = urlencode({"platform": call.query["platform"], "state": world.new_id()})
    return read_reply(world, {"authUrl": f"{world.origin}/__sandbox__/connect?{query}"})


def disconnect(world: World, call: Call) -> Reply:
    """Disconnect an account; what is on its way to it fails only if its sending hasn't begun."""
    account = world.account(call.path["account_id"])
    del world.accounts[account.id]
    return written(world, account_json(account), "disconnected")


def read_slots(world: World, call: Call) -> Reply:
    """Read how many slots are paid for, used and free; one slot costs nothing and isn't counted as purchased."""
    del call
    used = len(world.accounts)
    free = max(0, world.paid_slots + 1 - used)
    return read_reply(
        world,
        {"purchased": world.paid_slots, "used": used, "available": free, "subscriptionId": "sub_sandbox"},
    )


def set_slots(world: World, call: Call) -> Reply:
    """Set the number of paid slots, in all. More than now need a card on file: without one, a checkout link comes."""
    slots = call.body["slots"]
    if slots + 1 < len(world.accounts):
        raise Refusal(400, f"{len(world.accounts)} accounts are connected; disconnect some first.")
    row: dict[str, object] = {"purchased": world.paid_slots, "subscriptionId": "sub_sandbox"}
    if slots > world.paid_slots and not world.has_card:
        return Reply(body={"data": {**row, "checkoutUrl": f"{world.origin}/__sandbox__/checkout?slots={slots}"}})
    world.paid_slots = slots
    return Reply(body={"data": {**row, "purchased": slots}})
