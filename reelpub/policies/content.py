"""The content key of a request: what makes two requests the same thing twice."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

import attrs

from reelpub.models.account import Account, AccountRef
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.source import Source
from reelpub.policies.scheduling import instant

__all__ = ["content_key", "spellings"]

_MIXED_MOST = 32
"""Ways of naming the accounts of one request that are tried: five accounts, some by id and the others by name."""

_FLAT = frozenset({str, bool, int, type(None)})

# Not orjson: a key has to be had for every value, and that refuses large integers and half surrogate pairs. Made once:
# `json.dumps` makes an encoder for every call that isn't plain.
_JSON = json.JSONEncoder(sort_keys=True, default=str)


def content_key(request: PublishRequest, publisher: str) -> str:
    """Return a key that is equal for requests that would make the same post: publisher, accounts, source, texts, time.

    The order of accounts doesn't matter, nor how a ``platform:username`` is spelt, nor what a program that saves a text
    anew makes of its line ends and letters: a file that was opened elsewhere asks for the same. `reference` doesn't
    count.
    """
    names = sorted(_name(account) for account in request.accounts)
    return _digest(_JSON.encode([*_before(request, publisher), names, *_after(request)]))


def spellings(request: PublishRequest, accounts: Sequence[Account], publisher: str) -> tuple[str, ...]:
    """Return the keys that *request* has or would have with its *accounts* under any of their names, by ids first.

    *accounts* are those that its own names stand for. Whoever asked for the same elsewhere may have named them
    otherwise: by id or by ``platform:username``, one like this and one like that. Of many accounts only the ways count
    that name all of them alike.
    """
    head, tail = _JSON.encode(_before(request, publisher))[:-1], _JSON.encode(_after(request))[1:]
    given = tuple(_name(account) for account in request.accounts)
    ways = dict.fromkeys([*_ways(accounts), given])
    return tuple(_digest(f"{head}, {_JSON.encode(sorted(names))}, {tail}") for names in ways)


def _ways(accounts: Sequence[Account]) -> list[tuple[str, ...]]:
    ids = tuple(account.id for account in accounts)
    names = tuple(_name(str(account)) for account in accounts)
    is_few = 2 ** len(accounts) <= _MIXED_MOST
    mixed = list(product(*zip(ids, names, strict=True))) if is_few else [ids, names]
    return [*mixed, tuple(_name(f"{account.platform}:{account.id}") for account in accounts)]


def _before(request: PublishRequest, publisher: str) -> list[Any]:
    return [publisher, type(request.source).__name__, _members(request.source)]


def _after(request: PublishRequest) -> list[Any]:
    return [
        _text(request.caption),
        _text(request.title),
        [_text(tag) for tag in request.tags],
        {platform: _plain(value) for platform, value in request.settings.items()},
        _time(request),
    ]


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _name(account: str | Account) -> str:
    if isinstance(account, Account):
        return account.id
    ref = AccountRef(account.strip())
    return f"{ref.platform}:{ref.username.lower()}" if ref.platform and ref.username else ref.text


def _text(text: Any) -> Any:
    if not isinstance(text, str):  # what is wrong with it is told elsewhere
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return unicodedata.normalize("NFC", lines)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(attrs.fields_dict(kind))


def _members(source: Source) -> dict[str, Any]:
    """Return the members of a source; `attrs.asdict` takes twice as long where there is nothing to go down to."""
    kind: type = type(source)
    members = {name: getattr(source, name) for name in _names(kind)}
    return members if _FLAT.issuperset(map(type, members.values())) else attrs.asdict(source)


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return {name: member for name, member in attrs.asdict(value).items() if member is not None}
    return dict(value) if isinstance(value, Mapping) else value


def _time(request: PublishRequest) -> str | None:
    if request.at is None:
        return None
    at = instant(request.at)
    return str(request.at) if isinstance(at, Problem) else at.isoformat()
