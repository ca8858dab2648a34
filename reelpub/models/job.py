"""How a request is carried out: a job has parts, a part is one provider post, an attempt is one try to make it live."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from reelpub.models.account import Account
from reelpub.models.request import PublishRequest

__all__ = ["Attempt", "Part", "Prepared"]


@frozen(kw_only=True)
class Part:
    """One provider post of a job.

    `accounts` is empty where the provider decides them (a generated post without named accounts). `at` is None for
    now. `copy_of` is a post whose media the part takes over for other accounts; `retries` is a post that is to be
    retried where it stands.
    """

    id: str
    job_id: str
    request: PublishRequest
    accounts: tuple[Account, ...] = ()
    at: datetime | None = None
    copy_of: str | None = None
    retries: str | None = None


@frozen(kw_only=True)
class Prepared:
    """A part that is ready to go live: what had to exist beforehand exists.

    `post_id` is the draft that will go live, where the provider has drafts. `orphans` are drafts that were made on
    the way and aren't needed any more.
    """

    part: Part
    post_id: str | None = None
    orphans: tuple[str, ...] = ()


@frozen(kw_only=True)
class Attempt:
    """One try to put a part live.

    `started_at` (Unix seconds, just before the request left) bounds the search for it; `post_id` is the provider's
    id once it is known. Matching at the provider is one to one with attempts.
    """

    id: str
    part_id: str
    number: int
    started_at: float
    post_id: str | None = field(default=None)
