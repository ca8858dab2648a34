"""Sending again what a run provably didn't get live, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence

from attrs import evolve, field, frozen

from reelpub.bulk.attending import attend
from reelpub.bulk.choosing import chosen, handles_of
from reelpub.bulk.composing import outcome_of
from reelpub.bulk.crew import Crew, OnRows
from reelpub.bulk.history import ledger_of, require_run_of
from reelpub.bulk.ledger import Entry, Ledger
from reelpub.bulk.record import RunRecord
from reelpub.bulk.recorder import Recorder
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.orchestrator.retrying import is_retryable
from reelpub.policies.content import spellings
from reelpub.store.runs import RunStore, StoredRow

__all__ = ["Retries", "retries_of", "retry_failed"]

log = logging.getLogger("reelpub.bulk")

_CHUNK = 100
"""Rows looked at before the loop gets a turn."""
_NEVER_WENT = frozenset({OutcomeStatus.REFUSED, OutcomeStatus.NOT_SENT})


@frozen
class Retries:
    """What is sent again: stored jobs of which something failed, and rows of which nothing was ever made.

    Each of `anew` has the id of the job that it is to be.
    """

    jobs: list[str] = field(factory=list)
    anew: list[StoredRow] = field(factory=list)

    def add(self, entry: Entry, outcome: Outcome, ledger: Ledger) -> None:
        """Add a row, if there is something of it that provably isn't live, now or later.

        What a check refused starts over, although the orchestrator wouldn't: an account may have been connected since.
        """
        if entry.job is not None and is_retryable(outcome):
            self.jobs.append(entry.job.id)
        elif outcome.status in _NEVER_WENT and not outcome.deliveries and not outcome.posts:
            self.anew.append(evolve(entry.row, job_id=ledger.next_id(entry, outcome.job_id)))


async def retries_of(ledger: Ledger, entries: Sequence[Entry]) -> Retries:
    """Return what of *entries* is sent again; what is unfinished, unknown, called off or a duplicate isn't."""
    found = Retries()
    for count, entry in enumerate(entries, start=1):
        outcome = outcome_of(entry) if not (entry.is_untouched or entry.is_unfinished) else None
        if outcome is not None:
            found.add(entry, outcome, ledger)
        if count % _CHUNK == 0:
            await asyncio.sleep(0)
    return found


async def retry_failed(
    pub: Orchestrator,
    store: RunStore,
    run_id: str,
    *,
    rows: Collection[int] | None = None,
    in_place: bool | None = None,
    timeout: float | None = None,
    on_rows: OnRows | None = None,
    drain: asyncio.Event | None = None,
) -> RunRecord:
    """Send again what of a run, or of *rows* by number, provably isn't live, account by account and each once.

    What is live, scheduled, unknown or unfinished is left alone, and so is what was called off, or was asked for since,
    as by running a results file. A time that has passed
    means now. *in_place* is as in `Orchestrator.retry_failed_many`, the rest as in `carry_out`; a retry that was
    interrupted goes on with `carry_out`, too.

    Raises:
        ConfigurationError: there is no such run or row.
        UnsupportedOperation: a provider can't retry; nothing was sent.
    """
    await require_run_of(pub, store, run_id)
    ledger = await ledger_of(store, run_id)
    entries = await _not_asked_since(store, chosen(ledger, rows))
    retries = await retries_of(ledger, entries)
    retrying = _Retrying(pub=pub, store=store, ledger=ledger, retries=retries, in_place=in_place, on_rows=on_rows)
    return await attend(pub, store, run_id, retrying.work, timeout=timeout, drain=drain)


async def _not_asked_since(store: RunStore, entries: Sequence[Entry]) -> list[Entry]:
    """Return *entries* without those whose lacking accounts were asked for since, as by a results file that was run.

    Where a row is live nowhere, its retry is compared with others as any job is. Where it is live in part, the retry
    has the content of the whole row, and what was asked for since has that of some accounts.
    """
    keys = [_lacking_keys(entry) for entry in entries]
    jobs = await store.same_content([key for mine in keys for key in mine]) if any(keys) else {}
    left: list[Entry] = []
    for entry, mine in zip(entries, keys, strict=True):
        other = next((jobs[key] for key in mine if key in jobs), None)
        if other is None:
            left.append(entry)
        else:
            log.warning("row %d isn't sent again: job %s was asked for the same since", entry.row.number, other)
    return left


def _lacking_keys(entry: Entry) -> tuple[str, ...]:
    """Return the content keys by which others may have asked for what *entry* lacks; none unless it is live in part."""
    outcome = None if entry.job is None or entry.is_unfinished else outcome_of(entry)
    if outcome is None or outcome.publisher is None or outcome.status is not OutcomeStatus.PARTLY_PUBLISHED:
        return ()
    lacking = [delivery.account for delivery in outcome.deliveries if delivery.status.is_provably_not_live]
    asked = evolve(outcome.request, accounts=tuple(account.id for account in lacking))
    return spellings(asked, lacking, outcome.publisher) if lacking else ()


@frozen(kw_only=True, eq=False)
class _Retrying:
    """The work of retrying, once it is known what."""

    pub: Orchestrator
    store: RunStore
    ledger: Ledger
    retries: Retries
    in_place: bool | None
    on_rows: OnRows | None

    async def work(self, recorder: Recorder) -> None:
        """Retry, and stay until all of it has settled."""
        crew = Crew(
            pub=self.pub,
            store=self.store,
            run=self.ledger.run,
            news=recorder.news,
            on_rows=self.on_rows,
            numbers=dict(self.ledger.numbers),
        )
        earlier = await handles_of(self.pub, self.ledger.run, self.retries.jobs)
        retrying = asyncio.ensure_future(self.pub.retry_failed_many(earlier.values(), in_place=self.in_place))
        try:
            # In its first step it either refuses, with nothing sent, or takes all of them on.
            await asyncio.sleep(0)
            if retrying.done():
                retrying.result()
            rows = {entry.row.number: entry.row for entry in self.ledger}
            crew.take_up([handle for handle in self.pub.jobs if handle.job.retries in earlier], rows)
            await crew.submit(self.retries.anew, is_again=True)
            await crew.see_out()
            await retrying
        finally:
            retrying.cancel()
            await asyncio.gather(retrying, return_exceptions=True)
