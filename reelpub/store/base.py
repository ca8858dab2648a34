"""What a store does: it remembers jobs, so that a crash loses none and repeats none.

Rows are plain values of JSON bytes; what is in them is `reelpub.store.codec`'s business. Several processes may share
one store: a job belongs to the process that holds its lease, and a write for a part of it is refused once the lease
is gone. That refusal is the fence: it is made in the shared store, in the same transaction as the write.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

from attrs import frozen

__all__ = ["ClaimsPosts", "Store", "StoredJob", "StoredPart"]


@frozen(kw_only=True)
class StoredPart:
    """One part as it is kept.

    `post_id` and `sent_at` (Unix seconds) stand beside the state so that others who look for a lost post can leave
    this one out.
    """

    id: str
    job_id: str
    state: bytes
    post_id: str | None = None
    sent_at: float | None = None


@frozen(kw_only=True)
class StoredJob:
    """One job as it is kept; `outcome` is None while it is unfinished. Times are Unix seconds.

    `due_at` is when it has to be looked at again, for one that waits for its time here. `before` is the outcome that
    it retries, if it retries one, and `retries` the id of the job that had it. `warnings` is what was doubtful about
    it. `run` is the run that it belongs to. `may_repeat` is for adding it: the same content beside it doesn't matter.
    """

    id: str
    publisher: str
    request: bytes
    submitted_at: float
    content_key: str | None = None
    due_at: float | None = None
    before: bytes | None = None
    outcome: bytes | None = None
    parts: tuple[StoredPart, ...] = ()
    run: str | None = None
    retries: str | None = None
    warnings: bytes | None = None
    may_repeat: bool = False


@runtime_checkable
class Store(Protocol):
    """Remembers jobs. Every method that writes returns only when what it wrote would survive a crash."""

    async def open(self) -> None:
        """Make the store ready; if it is open already, it stays open until it was closed once more.

        Raises:
            StoreError: it can't be written to, or was made by a newer version.
        """
        ...

    async def close(self) -> None:
        """Write what is pending, and let go unless somebody else opened it, too."""
        ...

    async def add(self, jobs: Sequence[StoredJob], *, owner: str, lease_until: float) -> Mapping[str, str]:
        """Remember new jobs as *owner*'s.

        Four kinds aren't added, and the answer maps the id of each to the job that stands in its way: one whose id
        is remembered already (to itself; the remembered one stays as it is), one that retries what another retries
        already, and one whose content key a remembered one has, unless it may repeat it. The fourth is the job of a
        run's row that has ended without it, as one that was called off has (to itself, too). A job that retries one of
        a run belongs to the run, too.
        """
        ...

    async def put(self, parts: Sequence[StoredPart], *, owner: str) -> None:
        """Write parts as they are now.

        A lease that ended and that nobody took over still counts: whoever takes the job over after this write finds
        what it says.

        Raises:
            LeaseLost: one of the jobs isn't *owner*'s any more; nothing was written.
        """
        ...

    async def settle(
        self, job_id: str, outcome: bytes, *, owner: str, keep_content: bool, parts: Sequence[StoredPart] = ()
    ) -> None:
        """Write a job's outcome, over an earlier one if it has one, and *parts* of it with it.

        Without *keep_content* the same may be asked for again.

        Raises:
            LeaseLost: another process has taken the job over; nothing was written.
        """
        ...

    async def claim(
        self,
        *,
        publishers: Sequence[str],
        owner: str,
        now: float,
        lease_until: float,
        limit: int,
        run: str | None = None,
    ) -> Sequence[StoredJob]:
        """Take over up to *limit* unfinished jobs of *publishers* that nobody holds at *now*, the oldest first.

        With *run*, only jobs of that run.
        """
        ...

    async def recall(
        self,
        run: str,
        *,
        publishers: Sequence[str],
        owner: str,
        now: float,
        lease_until: float,
        job_ids: Collection[str] | None = None,
    ) -> Sequence[StoredJob]:
        """Take over the jobs of *run* and *publishers* that are settled, or that nobody holds at *now*, oldest first.

        With *job_ids*, only those. A settled job changes hands whoever held it last: from then on only *owner* writes
        its outcome. Unfinished jobs that somebody holds, *owner* too, are left out.
        """
        ...

    async def renew(self, *, owner: str, lease_until: float) -> None:
        """Prolong every lease that *owner* holds."""
        ...

    async def release(self, *, owner: str, job_ids: Sequence[str] | None = None) -> None:
        """Give up what *owner* holds of *job_ids*, or all that it holds, so that the next process needn't wait."""
        ...

    async def owners(self) -> Sequence[str]:
        """Return everybody who holds a lease."""
        ...

    async def posts_since(self, sent_at: float) -> frozenset[str]:
        """Return the provider's ids of the posts that were sent at *sent_at* or later."""
        ...

    async def job(self, job_id: str) -> StoredJob | None:
        """Read one job."""
        ...

    async def count(self) -> tuple[int, int]:
        """Return how many jobs are unfinished, and how many are settled."""
        ...


@runtime_checkable
class ClaimsPosts(Store, Protocol):
    """A store that gives a post that was found to one part alone, whichever processes look for theirs at once."""

    async def claim_post(self, part: StoredPart, *, owner: str, since: float) -> str | None:
        """Write *part*, whose lost post was found, unless that post is another's that was sent at *since* or later.

        Returns the id of the other part; None where this one has the post now.

        Raises:
            LeaseLost: its job isn't *owner*'s any more; nothing was written.
        """
        ...
