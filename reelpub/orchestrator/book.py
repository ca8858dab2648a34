"""The jobs that an orchestrator knows: by id, by content, and which retry follows which job."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from attrs import define, field

from reelpub.models.outcome import OutcomeStatus
from reelpub.orchestrator.job import Job

__all__ = ["NOTHING_LIVE", "JobBook"]

NOTHING_LIVE = frozenset(
    {
        OutcomeStatus.REFUSED,
        OutcomeStatus.FAILED,
        OutcomeStatus.NOT_SENT,
        OutcomeStatus.CANCELLED,
        OutcomeStatus.DUPLICATE,
    }
)
"""Ends after which the same may be asked for again."""


@define
class JobBook:
    """Remembers jobs; of the settled ones the latest *keep*, their content keys for as long as they are remembered.

    Which job retried which is remembered for the latest *keep* retries, so that an old report can't retry twice.
    """

    keep: int = 10_000
    _open: dict[str, Job] = field(factory=dict, init=False)
    _settled: OrderedDict[str, Job] = field(factory=OrderedDict, init=False)
    # Several hold one content where duplicates were asked for.
    _by_content: dict[str, list[str]] = field(factory=dict, init=False)
    _retried_by: OrderedDict[str, str] = field(factory=OrderedDict, init=False)

    def __iter__(self) -> Iterator[Job]:
        yield from self._open.values()
        yield from self._settled.values()

    @property
    def open_jobs(self) -> list[Job]:
        """The jobs without an outcome."""
        return list(self._open.values())

    def add(self, job: Job) -> None:
        """Remember a job, under its content keys if it has any."""
        known = self.get(job.id)
        if known is not None and known.content_key != job.content_key:
            # Another process learned since that nothing of it is live, so that it doesn't stand in the way any more.
            self._forget_content(known)
        self._settled.pop(job.id, None)
        self._open[job.id] = job
        for key in job.content_keys:
            self._hold(key, job)

    def add_key(self, job: Job, key: str) -> None:
        """Know a job by one more content key."""
        job.other_keys += (key,)
        self._hold(key, job)

    def _hold(self, key: str, job: Job) -> None:
        holders = self._by_content.setdefault(key, [])
        if job.id not in holders:
            holders.append(job.id)

    def get(self, job_id: str) -> Job | None:
        """Return a job by its id."""
        return self._open.get(job_id) or self._settled.get(job_id)

    def same_content(self, *keys: str) -> str | None:
        """Return the id of the first job that has or had the same to publish, by any of *keys*."""
        return next((holder for key in keys for holder in self._by_content.get(key, ())), None)

    def rival(self, job: Job, key: str) -> str | None:
        """Return the id of another job with the content *key* that comes before *job*: taken on earlier, or planned."""
        for holder in self._by_content.get(key, ()):
            other = self.get(holder)
            if other is None or other is job:
                continue
            if other.is_settled or other.parts or self._is_before(other, job):
                return holder
        return None

    def _is_before(self, one: Job, other: Job) -> bool:
        return next(job for job in self._open.values() if job is one or job is other) is one

    def settled(self, job: Job) -> None:
        """Note that a job has its outcome; what put nothing live may be asked for again."""
        self._open.pop(job.id, None)
        self._settled[job.id] = job
        if job.outcome is not None and job.outcome.status in NOTHING_LIVE:
            self._forget_content(job)
        while len(self._settled) > self.keep:
            _, oldest = self._settled.popitem(last=False)
            self._forget_content(oldest)

    def retries(self, earlier: Job, job: Job) -> None:
        """Note that *job* retries an earlier one."""
        for known in (earlier, self.get(earlier.id)):
            if known is not None:
                known.retry = job
        self._retried_by[earlier.id] = job.id
        while len(self._retried_by) > max(self.keep, 1):
            self._retried_by.popitem(last=False)

    def is_retried(self, job: Job) -> bool:
        """Return whether a job was retried by another."""
        return job.retry is not None or job.id in self._retried_by

    def latest(self, job: Job) -> Job:
        """Return the last job that is remembered of the chain of retries that begins with *job*.

        The jobs name their retries themselves, so that a handle leads to its latest retry however long ago that was.
        """
        latest, job_id = self.get(job.id) or job, job.id
        while True:
            if latest.id == job_id and latest.retry is not None:
                job_id = latest.retry.id
                latest = self.get(job_id) or latest.retry
            elif job_id in self._retried_by:
                job_id = self._retried_by[job_id]
                latest = self.get(job_id) or latest
            else:
                return latest

    def _forget_content(self, job: Job) -> None:
        for key in job.content_keys:
            holders = self._by_content.get(key, [])
            if job.id in holders:
                holders.remove(job.id)
            if not holders:
                self._by_content.pop(key, None)
