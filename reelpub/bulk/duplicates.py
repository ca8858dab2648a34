"""What would go out twice: within a manifest, against what the store remembers, and against a provider's queue.

A row takes some hundred bytes here, whatever is in it: a digest of its content, and a minute for each account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import define, field, frozen

from reelpub.models.account import Account
from reelpub.models.problem import Problem, Severity
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip, MediaItems, Source
from reelpub.providers.base import Queue, QueuedPost

__all__ = ["FileDuplicates", "QueueDuplicates", "remembered", "source_field"]

_TWICE: Final = "each post once; allow_duplicate sends it again"
_DIGEST: Final = 16
"""Bytes of a content key that are kept: no two of a million rows are taken for the same by chance."""


def source_field(request: PublishRequest) -> str:
    """Return the name of the field that says what *request* publishes."""
    if isinstance(request.source, Clip):
        return "source.clip_id"
    return "source.items" if isinstance(request.source, MediaItems) else "source.id"


def remembered(request: PublishRequest, job_id: str) -> Problem:
    """Return the warning that the store has *request* already, as *job_id*."""
    return Problem(
        field=source_field(request),
        value=str(request.source),
        message=f"was asked for before, as job {job_id}; it isn't sent again",
        limit=_TWICE,
        severity=Severity.WARNING,
    )


@define
class FileDuplicates:
    """Finds rows that ask for what an earlier line asks for, or for the same account in the same minute."""

    _contents: dict[bytes, int] = field(factory=dict, init=False)
    _minutes: dict[tuple[str, int], int] = field(factory=dict, init=False)

    def same_content(self, request: PublishRequest, content_key: str, line: int) -> Problem | None:
        """Note *request*; return the error that an earlier line asks for the same, if one does.

        *content_key* is the request's (`policies.content`): publishing refuses the second one, too.
        """
        digest = bytes.fromhex(content_key)[:_DIGEST]
        earlier = self._contents.setdefault(digest, line)
        if earlier == line or request.allow_duplicate:
            return None
        return Problem(
            field=source_field(request),
            value=str(request.source),
            message=f"is the same post as in line {earlier}",
            limit=_TWICE,
        )

    def same_minute(self, at: datetime, accounts: Iterable[tuple[str, str]], line: int) -> list[Problem]:
        """Note a post at *at* for *accounts* (id and name); return a warning for each that an earlier line serves."""
        minute = int(at.timestamp() // 60)
        problems = []
        for account_id, name in accounts:
            earlier = self._minutes.setdefault((account_id, minute), line)
            if earlier != line:
                problems.append(_same_minute(at, f"{name} has a post in the same minute in line {earlier}"))
        return problems


@frozen(kw_only=True)
class QueueDuplicates:
    """Finds what a provider has scheduled already."""

    _by_source: Mapping[object, Sequence[QueuedPost]]
    _by_minute: Mapping[tuple[str, int], QueuedPost]

    @classmethod
    def of(cls, queue: Queue) -> QueueDuplicates:
        """Return what is needed of *queue*."""
        by_source: dict[object, list[QueuedPost]] = {}
        by_minute: dict[tuple[str, int], QueuedPost] = {}
        for post in queue.posts:
            for source in post.sources:
                by_source.setdefault(_plain(source), []).append(post)
            if post.at is not None:
                minute = int(post.at.timestamp() // 60)
                by_minute |= {(account_id, minute): post for account_id in post.accounts}
        return cls(by_source=by_source, by_minute=by_minute)

    def find(self, request: PublishRequest, accounts: Sequence[Account], at: datetime | None) -> list[Problem]:
        """Return a warning for each post that waits there with the same content, or in the same minute."""
        same = [post for post in self._by_source.get(_plain(request.source), ()) if _meet(post, accounts)]
        problems = [_waits(request, post) for post in same]
        if at is None:
            return problems
        minute = int(at.timestamp() // 60)
        for account in accounts:
            post = self._by_minute.get((account.id, minute))
            if post is not None and post not in same:
                problems.append(_same_minute(at, f"{account} has post {post.id} scheduled in the same minute"))
        return problems


def _plain(source: Source) -> object:
    """Return what counts of *source*: of media items their ids, in their order."""
    return tuple(item.id for item in source.items) if isinstance(source, MediaItems) else source


def _meet(post: QueuedPost, accounts: Sequence[Account]) -> bool:
    return not post.accounts or not accounts or any(account.id in post.accounts for account in accounts)


def _waits(request: PublishRequest, post: QueuedPost) -> Problem:
    when = "" if post.at is None else f" for {post.at.isoformat(timespec='minutes')}"
    return Problem(
        field=source_field(request),
        value=str(request.source),
        message=f"is scheduled there already{when}, as post {post.id}",
        severity=Severity.WARNING,
    )


def _same_minute(at: datetime, message: str) -> Problem:
    return Problem(field="at", value=at.isoformat(), message=message, severity=Severity.WARNING)
