"""What a store has of one run, put in order: which jobs each row became, and which of them counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import frozen

from reelpub.bulk.ids import job_id, place_of
from reelpub.store.base import StoredJob
from reelpub.store.runs import StoredRow

__all__ = ["Entry", "Ledger", "numbers_of"]


@frozen
class Entry:
    """One row and, where it came to have jobs in the store, the latest: a retry's, where it was retried."""

    row: StoredRow
    job: StoredJob | None

    @property
    def job_id(self) -> str:
        """The id of the latest job, or the one that the row is to have."""
        return self.job.id if self.job is not None else self.row.job_id

    @property
    def is_untouched(self) -> bool:
        """Whether the row has neither a job nor an outcome: it hasn't been submitted, as far as the store knows."""
        return self.job is None and self.row.outcome is None

    @property
    def is_unfinished(self) -> bool:
        """Whether its latest job has no outcome yet."""
        return self.job is not None and self.job.outcome is None


@frozen
class Ledger:
    """The entries of a run by their numbers, in the manifest's order, and the row of each job, retries included."""

    run: str
    entries: Mapping[int, Entry]
    numbers: Mapping[str, int]

    @classmethod
    def of(cls, run: str, rows: Sequence[StoredRow], jobs: Sequence[StoredJob]) -> Ledger:
        """Put *rows* and *jobs* of *run* in order; *jobs* are the oldest first, as the store gives them."""
        numbers = numbers_of(run, ((job.id, job.retries) for job in jobs))
        # A retry is younger than what it retries, so the last one of a row is the latest.
        latest = {numbers[job.id]: job for job in jobs if job.id in numbers}
        entries = {row.number: Entry(row, latest.get(row.number)) for row in rows}
        return cls(run, entries, {row.job_id: row.number for row in rows} | numbers)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def next_id(self, entry: Entry, ended_as: str) -> str:
        """Return a fresh id under which a row is submitted anew; *ended_as* is the job that its outcome names."""
        number = entry.row.number
        names = [ended_as, *(name for name, row in self.numbers.items() if row == number)]
        places = [place_of(name, self.run) for name in names]
        return job_id(self.run, number, 1 + max((place[1] for place in places if place is not None), default=0))


def numbers_of(
    run: str, jobs: Iterable[tuple[str, str | None]], *, known: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Return the row's number of each job: *jobs* are pairs of an id and the id that it retries, the oldest first.

    *known* are those of other jobs. A job that neither its name nor a chain of retries leads to a row is left out.
    """
    numbers = dict(known or {})
    for name, retries in jobs:
        place = place_of(name, run)
        number = place[0] if place is not None else numbers.get(retries or "")
        if number is not None:
            numbers[name] = number
    return numbers
