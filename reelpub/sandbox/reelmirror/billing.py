"""Money and access: balance, transactions, top-ups, sign-up and API keys."""

from __future__ import annotations

from reelpub.sandbox.keys import Credential
from reelpub.sandbox.reelmirror.records import Transaction
from reelpub.sandbox.reelmirror.render import balance_json, key_json, listed, read_reply, transaction_json, written
from reelpub.sandbox.reelmirror.world import SIGNUPS_PER_DAY, World
from reelpub.sandbox.seed import SCOPES
from reelpub.sandbox.wire import Call, Refusal, Reply

__all__ = [
    "DEFAULT_SCOPES",
    "TOPUP_CENTS",
    "charge",
    "create_key",
    "list_keys",
    "list_transactions",
    "read_balance",
    "revoke_key",
    "set_auto_reload",
    "setup_intent",
    "sign_up",
    "top_up",
]

TOPUP_CENTS = (500, 1000, 2500, 5000, 10_000)
"""The amounts accepted here; the vendor accepts only certain ones, and which isn't public."""

DEFAULT_SCOPES = tuple(scope for scope in SCOPES if not scope.startswith(("billing:", "feedback:")))
"""What a new key may do unless told otherwise (https://reelmirror.com/docs/api-reference/api-keys/create-api-key)."""

_DAY = 86_400.0


def charge(world: World, call: Call, cents: int, description: str, *, generated_post_id: str | None = None) -> None:
    """Take *cents* from the caller's wallet; raises `Refusal` 402 if it holds less, or nothing at all."""
    wallet = world.wallet_of(call.key)
    if wallet.balance_cents < max(1, cents):
        raise Refusal(402, f"Not enough credit: {cents} cents are needed, {wallet.balance_cents} are left.")
    wallet.balance_cents -= cents
    if cents:
        wallet.transactions.insert(
            0,
            Transaction(
                id=world.new_id(),
                amount_cents=-cents,
                operation_type="generation" if generated_post_id is not None else "sync",
                description=description,
                created_at=call.now,
                generated_post_id=generated_post_id,
            ),
        )


def read_balance(world: World, call: Call) -> Reply:
    """Read the balance of the caller's wallet."""
    return Reply(body={"data": balance_json(world, world.wallet_of(call.key))})


def set_auto_reload(world: World, call: Call) -> Reply:
    """Change auto-reload; switching it on needs a card on file, else a link to save one comes and nothing changes."""
    wallet, body = world.wallet_of(call.key), call.body or {}
    if body.get("auto_reload") and not world.has_card:
        setup_url = f"{world.origin}/__sandbox__/setup"
        return Reply(body={"data": {**balance_json(world, wallet), "setup_url": setup_url}})
    wallet.auto_reload = body.get("auto_reload", wallet.auto_reload)
    wallet.reload_threshold_cents = body.get("reload_threshold_cents", wallet.reload_threshold_cents)
    wallet.reload_amount_cents = body.get("reload_amount_cents", wallet.reload_amount_cents)
    return Reply(body={"data": balance_json(world, wallet)})


def list_transactions(world: World, call: Call) -> Reply:
    """Page through the transactions, newest first."""
    return listed(call, world.wallet_of(call.key).transactions, lambda one: transaction_json(world, one))


def top_up(world: World, call: Call) -> Reply:
    """Give a link to pay at; nobody pays here, so the balance stays."""
    if call.body["amount_cents"] not in TOPUP_CENTS:
        raise Refusal(400, f"amount_cents has to be one of {', '.join(map(str, TOPUP_CENTS))}.")
    return Reply(body={"data": {"url": f"{world.origin}/__sandbox__/checkout?session={world.new_id()}"}})


def setup_intent(world: World, call: Call) -> Reply:
    """Begin to save a card. From now on one is on file, since nobody can finish the form here."""
    del call
    world.has_card = True
    return Reply(body={"client_secret": f"seti_{world.new_id()}_secret_{world.new_id()}"})


def sign_up(world: World, call: Call) -> Reply:
    """Sign up by e-mail; an address in use is a conflict, and a day takes five."""
    email = call.body["email"].lower()
    if not all(email.rpartition("@")[::2]):
        raise Refusal(400, "This isn't an e-mail address.")
    if email in world.signups:
        raise Refusal(409, "There is an account with this e-mail address.")
    if sum(call.now - at < _DAY for at in world.signups.values()) >= SIGNUPS_PER_DAY:
        raise Refusal(429, "Too many sign-ups from this address today.")
    world.signups[email] = call.now
    return read_reply(world, {"status": "pending_confirmation", "user_id": world.new_id()}, status=201)


def create_key(world: World, call: Call) -> Reply:
    """Make an API key that works at once; its secret is shown only here."""
    scopes = tuple(call.body.get("scopes", DEFAULT_SCOPES))
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise Refusal(400, f"No such scope: {unknown[0]}." if unknown else "A key needs at least one scope.")
    credential = Credential(
        key=f"rm_{world.rng.getrandbits(128):032x}",
        id=world.new_id(),
        name=call.body["name"],
        scopes=scopes,
        monthly_limit_cents=call.body.get("monthly_limit_cents"),
        created_at=call.now,
    )
    world.keys.add(credential)
    return read_reply(world, {**key_json(world, credential), "key": credential.key}, status=201)


def list_keys(world: World, call: Call) -> Reply:
    """List the keys that aren't revoked, without their secrets."""
    del call
    rows = [key_json(world, credential) for credential in world.keys.valid()]
    return Reply(body={"data": rows, "count": len(rows)})


def revoke_key(world: World, call: Call) -> Reply:
    """Revoke a key at once, the caller's own too."""
    for credential in world.keys.valid():
        if credential.id == call.path["key_id"]:
            credential.revoked = True
            return written(world, key_json(world, credential), "revoked")
    raise Refusal(404, "There is no key with this id.")
