"""The content key of a request: what makes two requests the same thing twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import attrs
import orjson

from reelpub.models.account import Account
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.policies.scheduling import instant

__all__ = ["content_key"]


def content_key(request: PublishRequest, publisher: str) -> str:
    """Return a key that is equal for requests that would make the same post: publisher, accounts, source, texts, time.

    The order of accounts doesn't matter; `reference` doesn't count.
    """
    names = sorted(account.id if isinstance(account, Account) else account.strip() for account in request.accounts)
    content = [
        publisher,
        type(request.source).__name__,
        attrs.asdict(request.source),
        names,
        request.caption,
        request.title,
        list(request.tags),
        {platform: _plain(value) for platform, value in request.settings.items()},
        _time(request),
    ]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return {name: member for name, member in attrs.asdict(value).items() if member is not None}
    return dict(value) if isinstance(value, Mapping) else value


def _time(request: PublishRequest) -> str | None:
    if request.at is None:
        return None
    at = instant(request.at)
    return str(request.at) if isinstance(at, Problem) else at.isoformat()
