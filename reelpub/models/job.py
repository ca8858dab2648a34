"""How a request is carried out: a job has parts, a part is one provider post, an attempt is one try to make it live."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from reelpub.models.account import Account
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest

__all__ = ["Attempt", "Part", "Prepared"]


@frozen(kw_only=True)
class Part:
    """One provider post of a job.

    `accounts` is empty where the provider decides them (a generated post without named accounts). `at` is when the
    provider is to publish it, None for at once; `not_before` is a time that the provider doesn't take, so that it is
    waited for here. `copy_of` is a post whose media the part takes over for other accounts; `retries` is a post that
    is to be retried where it stands. `begun_at` is set where a process that died may have begun to prepare it already,
    no earlier than then.
    """

    id: str
    job_id: str
    request: PublishRequest
    accounts: tuple[Account, ...] = ()
    at: datetime | None = None
    not_before: datetime | None = None
    copy_of: str | None = None
    retries: str | None = None
    begun_at: datetime | None = None


@frozen(kw_only=True)
class Prepared:
    """A part that is ready to go live: what had to exist beforehand exists.

    `post_id` is the draft that will go live, where the provider has drafts. `orphans` are drafts that were made on
    the way and aren't needed any more; `warnings` say what else may have been left behind.
    """

    part: Part
    post_id: str | None = None
    orphans: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()


@frozen(kw_only=True)
class Attempt:
    """One try to put a part live.

    Times are Unix seconds. `started_at`, just before the request left, bounds the search for it; after `send_deadline`
    no byte of it leaves any more; `ended_at` is when the process that sent it saw it end. `post_id` is the provider's
    id once it is known. Matching at the provider is one to one with attempts.
    """

    id: str
    part_id: str
    number: int
    started_at: float
    send_deadline: float | None = None
    ended_at: float | None = None
    post_id: str | None = None
