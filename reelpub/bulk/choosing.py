"""Which rows of a run a call is about, and the handles of their jobs without setting anything else going."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from reelpub.bulk.ledger import Entry, Ledger
from reelpub.errors import ConfigurationError
from reelpub.orchestrator.handle import Handle
from reelpub.orchestrator.orchestrator import Orchestrator

__all__ = ["chosen", "handles_of"]

_SHOWN = 10


def chosen(ledger: Ledger, rows: Collection[int] | None) -> list[Entry]:
    """Return the entries of *rows*, by their numbers, or of every row.

    Raises:
        ConfigurationError: the run has no such row.
    """
    if rows is None:
        return list(ledger)
    unknown = sorted(set(rows) - ledger.entries.keys())
    if unknown:
        named = ", ".join(map(str, unknown[:_SHOWN]))
        raise ConfigurationError(f"run {ledger.run}: there is no row {named}; its rows are {_range(ledger.entries)}")
    return [entry for entry in ledger if entry.row.number in set(rows)]


def _range(numbers: Iterable[int]) -> str:
    found = sorted(numbers)
    return f"{found[0]} to {found[-1]}" if found else "none"


async def handles_of(pub: Orchestrator, run_id: str, job_ids: Collection[str]) -> dict[str, Handle]:
    """Return the handles of those of *job_ids* that nobody else holds; the other jobs of the run are left alone."""
    wanted = set(job_ids)
    # Those that are known here, too: another process may have learned more of them since.
    found = await pub.recall(run_id, job_ids=wanted) if wanted else ()
    return {handle.id: handle for handle in found if handle.id in wanted}
