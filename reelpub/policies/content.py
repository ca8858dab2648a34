"""The content key of a request: what makes two requests the same thing twice."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

import attrs

from reelpub.models.account import Account, AccountRef
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.models.source import Source
from reelpub.policies.scheduling import instant

__all__ = ["content_key"]

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
    content = [
        publisher,
        type(request.source).__name__,
        _members(request.source),
        sorted(_name(account) for account in request.accounts),
        _text(request.caption),
        _text(request.title),
        [_text(tag) for tag in request.tags],
        {platform: _plain(value) for platform, value in request.settings.items()},
        _time(request),
    ]
    return hashlib.sha256(_JSON.encode(content).encode()).hexdigest()


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
