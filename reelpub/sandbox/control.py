"""The control endpoint under ``/__sandbox__/`` on both servers, for people who don't write Python.

| call | does |
| --- | --- |
| GET /__sandbox__/ | names the keys, accounts and addresses |
| GET /__sandbox__/live | what went live, and how much of it twice; ``?provider=`` ``?key=`` |
| GET /__sandbox__/requests | counts of requests by operation and status, and of rate-limit refusals |
| GET, POST, DELETE /__sandbox__/faults | lists, orders (an object or a list of them), forgets faults |
| POST /__sandbox__/accounts | connects an account: ``platform``, ``username``, ``id``?, ``status``? |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from attrs import asdict

from reelpub.sandbox import seed
from reelpub.sandbox.faults import Fault
from reelpub.sandbox.ledger import masked

if TYPE_CHECKING:
    from reelpub.sandbox.server import Sandbox

__all__ = ["CONTROL_PREFIX", "control", "describe"]

CONTROL_PREFIX = "/__sandbox__/"


async def control(sandbox: Sandbox, provider: str, request: web.BaseRequest) -> web.Response:
    """Answer a call of the control endpoint on *provider*'s server."""
    name = request.path.removeprefix(CONTROL_PREFIX).rstrip("/")
    handler = _HANDLERS.get((request.method, name))
    if handler is None:
        return _json({"error": f"no such call: {request.method} {request.path}"}, status=404)
    try:
        return await handler(sandbox, provider, request)
    except ValueError as error:
        return _json({"error": str(error)}, status=400)
    except (TypeError, KeyError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, status=400)


async def _info(sandbox: Sandbox, provider: str, request: web.BaseRequest) -> web.Response:
    del provider, request
    return _json(
        {
            "environment": sandbox.environment(),
            "keys": {"reelmirror": _keys(seed.REELMIRROR_KEYS), "reap": _keys(seed.REAP_KEYS)},
            "accounts": {"reelmirror": _accounts(seed.REELMIRROR_ACCOUNTS), "reap": _accounts(seed.REAP_ACCOUNTS)},
            "dialects": {"reelmirror": asdict(sandbox.reelmirror_dialect), "reap": asdict(sandbox.reap_dialect)},
        }
    )


async def _live(sandbox: Sandbox, provider: str, request: web.BaseRequest) -> web.Response:
    del provider
    chosen = (request.query.get("provider"), request.query.get("key"))
    rows = [asdict(record) | {"key": masked(record.key)} for record in sandbox.live(*chosen)]
    return _json({"live": rows, "duplicates": len(sandbox.duplicates(*chosen))})


async def _requests(sandbox: Sandbox, provider: str, request: web.BaseRequest) -> web.Response:
    chosen = request.query.get("provider", provider)
    records = sandbox.requests(chosen)
    return _json(
        {
            "provider": chosen,
            "count": len(records),
            "rejections": sandbox.rejections(chosen),
            "by_status": Counter(str(record.status) for record in records),
            "by_operation": Counter(record.operation or "unknown" for record in records),
        }
    )


async def _faults(sandbox: Sandbox, provider: str, request: web.BaseRequest) -> web.Response:
    del provider, request
    return _json({"faults": [fault.to_json() for fault in sandbox.faults.open_orders()]})


async def _order(sandbox: Sandbox, provider: str, request: web.BaseRequest) -> web.Response:
    members = orjson.loads(await request.read())
    rows = members if isinstance(members, list) else [members]
    faults = [Fault.from_json({"provider": provider, **row}) for row in rows]
    sandbox.order(*faults)
    return _json({"faults": [fault.to_json() for fault in faults]}, status=201)


async def _forget(sandbox: Sandbox, provider: str, request: web.BaseRequest) -> web.Response:
    del provider, request
    sandbox.faults.clear()
    return _json({"faults": []})


async def _connect(sandbox: Sandbox, provider: str, request: web.BaseRequest) -> web.Response:
    members = orjson.loads(await request.read())
    default = {"id": f"demo-account-{members['platform']}-{members['username']}", "status": "active"}
    account = seed.AccountSeed(**{**default, **members})
    sandbox.connect_account(provider, account)
    return _json(asdict(account), status=201)


_HANDLERS: Mapping[tuple[str, str], Callable[[Sandbox, str, web.BaseRequest], Awaitable[web.Response]]] = {
    ("GET", ""): _info,
    ("GET", "live"): _live,
    ("GET", "requests"): _requests,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _order,
    ("DELETE", "faults"): _forget,
    ("POST", "accounts"): _connect,
}


def _json(body: Any, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def _keys(keys: tuple[seed.KeySeed, ...]) -> list[dict[str, str]]:
    return [{"key": key.key, "note": key.note} for key in keys]


def _accounts(accounts: tuple[seed.AccountSeed, ...]) -> list[dict[str, str]]:
    return [{"id": account.id, "account": account.name, "status": account.status} for account in accounts]


def describe(sandbox: Sandbox) -> str:
    """Return what a person needs to use the running *sandbox*: addresses, keys, ids and the control endpoint."""
    last = seed.generated_post_id(seed.GENERATED_POSTS)
    return "\n".join(
        [
            *(f"export {name}={value}" for name, value in sandbox.environment().items()),
            "",
            "ReelMirror",
            *_rows("key", ((key.key, key.note) for key in seed.REELMIRROR_KEYS)),
            *_rows("account", ((f"{one.name} ({one.status})", one.id) for one in seed.REELMIRROR_ACCOUNTS)),
            f"  generated posts  {seed.generated_post_id(1)} .. {last}; {seed.UNFINISHED_GENERATED_POST}",
            f"  media items      demo-media-item-1 .. demo-media-item-{seed.MEDIA_ITEMS}",
            f"  persona          {seed.PERSONA}, connected to instagram:acme and tiktok:acme",
            "",
            "Reap",
            *_rows("key", ((key.key, key.note) for key in seed.REAP_KEYS)),
            *_rows("integration", ((f"{one.name} ({one.status})", one.id) for one in seed.REAP_ACCOUNTS)),
            f"  projects         {', '.join(seed.REAP_PROJECTS)}, each with demo-clip-1 .. {seed.CLIPS_PER_PROJECT}",
            f"                   {seed.REAP_PROJECT_UNFINISHED}, {seed.REAP_PROJECT_CANCELLED}",
            "",
            "Control, on either server",
            f"  curl {sandbox.origin('reelmirror')}{CONTROL_PREFIX}live",
            f"  curl {sandbox.origin('reap')}{CONTROL_PREFIX}requests",
            f"  curl -d '{_EXAMPLE}' {sandbox.origin('reelmirror')}{CONTROL_PREFIX}faults",
            f"  curl -X DELETE {sandbox.origin('reelmirror')}{CONTROL_PREFIX}faults",
        ]
    )


_EXAMPLE = '{"kind": "lost_after", "operation": "publishOutgoingPost"}'


def _rows(name: str, rows: Any) -> list[str]:
    return [f"  {name:<11}  {left:<34}  {right}" for left, right in rows]
