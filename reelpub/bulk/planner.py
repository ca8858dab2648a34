"""Checks the rows of a manifest one after the other, and keeps of each only what later rows and the plan need."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs
from attrs import define, evolve, field, frozen

from reelpub.bulk.calendar import PlannedRow, written_zone
from reelpub.bulk.duplicates import FileDuplicates, remembered
from reelpub.bulk.known import Known
from reelpub.bulk.standing import Standing
from reelpub.bulk.tally import PublisherPlan, Tally
from reelpub.errors import ReelPubError
from reelpub.manifest.rows import ManifestRow, RowProblem
from reelpub.models.account import Account
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.choice import Choice, choose, is_only_late
from reelpub.policies.checks import errors_in
from reelpub.policies.content import content_key, spellings
from reelpub.policies.lateness import is_kept_here
from reelpub.policies.scheduling import instant
from reelpub.providers.base import Cost, Publisher
from reelpub.store.runs import RunStore

__all__ = ["Planner"]

log = logging.getLogger("reelpub.bulk")

_ASKED_AT_ONCE: Final = 500
"""Rows of which the store is asked together."""

_FIELDS: Final = frozenset(attrs.fields_dict(PublishRequest))

_LABEL: Final = 80
"""Characters of a row's name that are kept."""


@frozen(kw_only=True)
class _Checked:
    """A row whose publisher is known: its accounts as far as they are, and what was found."""

    row: ManifestRow
    request: PublishRequest
    publisher: Publisher
    known: Known
    accounts: tuple[Account, ...]
    at: datetime | None
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing keeps it from being sent."""
        return not errors_in(self.problems) and self.row.is_sound


@define(eq=False)
class Planner:
    """The walk over a manifest's rows; `plan.plan` drives it. Nothing it does depends on how many rows there are."""

    publishers: Mapping[str, Publisher]
    now: datetime = field(kw_only=True)
    found: Callable[[RowProblem], object] = field(kw_only=True)
    planned: Callable[[PlannedRow], object] = field(kw_only=True)
    recalled: Callable[[int, str], object] = field(kw_only=True)
    left_out: Callable[[int, str], object] = field(kw_only=True)
    store: RunStore | None = field(kw_only=True)
    is_offline: bool = field(kw_only=True)
    queue_reads: int = field(kw_only=True)
    rows: int = field(default=0, init=False)
    skipped: int = field(default=0, init=False)
    errors: int = field(default=0, init=False)
    warnings: int = field(default=0, init=False)
    remembered: int = field(default=0, init=False)
    repeated: int = field(default=0, init=False)
    calendar: list[PlannedRow] = field(factory=list, init=False)
    _standing: Standing | None = field(init=False)
    _known: dict[str, Known] = field(factory=dict, init=False)
    _tallies: dict[str, Tally] = field(factory=dict, init=False)
    _in_file: FileDuplicates = field(factory=FileDuplicates, init=False)
    _waiting: list[_Checked] = field(factory=list, init=False)
    _names: dict[tuple[str, ...], tuple[str, ...]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._standing = None if self.store is None else Standing(self.store)

    async def add(self, row: ManifestRow) -> None:
        """Check the next row, tell what is wrong with it, and count it."""
        self.rows += row.number > 0
        for problem in row.problems:
            self._tell(problem)
        since = None if self._standing is None else await self._standing.why_not(row)
        if since is not None:
            self.left_out(row.number, since)
        if row.skip is not None or since is not None:
            self.skipped += 1
        elif row.request is not None:
            await self._check(row, row.request)

    async def finish(self) -> None:
        """Ask the store of the rows that it wasn't asked of yet, and count those that it doesn't have."""
        await self._settle()

    @property
    def sound(self) -> int:
        """The rows that nothing is wrong with, those that the store has among them."""
        return len(self.calendar) + self.repeated

    def results(self) -> tuple[PublisherPlan, ...]:
        """Return what each publisher gets to do, in the publishers' order."""
        return tuple(self._tallies[name].result() for name in self.publishers if name in self._tallies)

    def unread(self) -> dict[str, ReelPubError]:
        """Return why accounts couldn't be read, by publisher."""
        return {name: known.error for name, known in self._known.items() if known.error is not None}

    def notes(self) -> tuple[str, ...]:
        """Return what couldn't be known."""
        notes = [note for known in self._known.values() for note in known.notes]
        for name, tally in self._tallies.items():
            if tally.follows and tally.has_list is None:
                notes.append(f"whether {name} has a list of posts isn't known; each post is counted as read by itself")
        return tuple(notes)

    # ---- one row

    async def _check(self, row: ManifestRow, request: PublishRequest) -> None:
        choice = choose(request, self.publishers, self.now)
        if choice.publisher is not None and await self._is_done(row, request, choice, choice.publisher):
            return
        told = {(found.problem.field, found.problem.message) for found in row.problems}
        unread = _unread_fields(row, request)
        problems = [
            problem
            for problem in choice.problems
            if (problem.field, problem.message) not in told and _root(problem.field) not in unread
        ]
        # What can be known offline is told before anything is waited for.
        for problem in problems:
            self._tell(row.locate(problem))
        if choice.publisher is None:
            return
        name = choice.publisher.name
        known = self._known.setdefault(
            name, Known(choice.publisher, is_offline=self.is_offline, queue_reads=self.queue_reads)
        )
        accounts, more = await self._accounts(known, request, choice.problems)
        at = instant(request.at) if request.at is not None else None
        checked = _Checked(
            row=row,
            request=request,
            publisher=choice.publisher,
            known=known,
            accounts=accounts,
            at=at if isinstance(at, datetime) else None,
            problems=(*choice.problems, *more),
        )
        for problem in more:
            self._tell(row.locate(problem))
        await self._compare(checked)

    async def _is_done(self, row: ManifestRow, request: PublishRequest, choice: Choice, publisher: Publisher) -> bool:
        """Return whether a row whose time has passed was asked for before, and tell that instead of its lateness."""
        is_late = bool(choice.errors) and row.is_sound and is_only_late(request, choice.errors, self.now)
        if self.store is None or not is_late or request.allow_duplicate:
            return False
        key = content_key(request, publisher.name)
        job_id = (await self.store.same_content([key])).get(key)
        if job_id is not None:
            # Those before it are told first, so that what the store has is told in the order of rows.
            await self._settle()
            self._recall(row, request, job_id)
        return job_id is not None

    async def _accounts(
        self, known: Known, request: PublishRequest, told: Sequence[Problem]
    ) -> tuple[tuple[Account, ...], list[Problem]]:
        named: object = request.accounts
        if not isinstance(named, tuple) or not all(isinstance(one, (str, Account)) for one in named):
            return (), []  # told with the types
        accounts, problems = await known.resolve(request)
        fields = {problem.field for problem in told}
        is_repeated = any(problem.message == "is named twice" for problem in told)
        return accounts, [
            problem
            for problem in problems
            if problem.field not in fields and not (is_repeated and problem.message == "is named twice")
        ]

    async def _compare(self, checked: _Checked) -> None:
        """Tell what the file has twice; a row that can go out waits for what the store says of it."""
        request, row = checked.request, checked.row
        fields = [problem.field for problem in errors_in(checked.problems)]
        # What couldn't be read, such as a time, is missing from the request, so that it looks like another one.
        if not row.is_sound or any(field.startswith(("source", "publisher", "accounts")) for field in fields):
            return
        # Names are compared by the accounts that they stand for, as far as those are known.
        resolved = request if errors_in(checked.problems) else evolve(request, accounts=checked.accounts)
        same = self._in_file.same_content(resolved, content_key(resolved, checked.publisher.name), row.line)
        if same is not None:
            self._tell(row.locate(same))
        if same is not None or not checked.is_sound:
            return
        self._waiting.append(checked)
        if self.store is None or len(self._waiting) >= _ASKED_AT_ONCE:
            await self._settle()

    # ---- the store

    async def _settle(self) -> None:
        """Count those of the rows that wait that the store doesn't have, and tell the others, in their order."""
        waiting, self._waiting = self._waiting, []
        for checked, job_id in zip(waiting, await self._ask_store(waiting), strict=True):
            row, request = checked.row, checked.request
            # A row that isn't sent again has its minute all the same, and is itself what the provider has in it.
            shared = self._same_minute(checked)
            if job_id is not None:
                self.repeated += 1
                self._recall(row, request, job_id)
                continue
            queued = (await checked.known.queue()).find(request, checked.accounts, checked.at)
            for problem in (*shared, *queued):
                self._tell(row.locate(problem))
            self._count(checked)

    async def _ask_store(self, waiting: Sequence[_Checked]) -> list[str | None]:
        """Return the job that the store has for each of *waiting*, None where it has none or the row may repeat it."""
        if self.store is None:
            return [None] * len(waiting)
        keys = [() if checked.request.allow_duplicate else _asked_keys(checked) for checked in waiting]
        asked = [key for mine in keys for key in mine]
        jobs = await self.store.same_content(asked) if asked else {}
        return [next((jobs[key] for key in mine if key in jobs), None) for mine in keys]

    def _same_minute(self, checked: _Checked) -> list[Problem]:
        if checked.at is None:
            return []
        names = [(account.id, str(account)) for account in checked.accounts]
        return self._in_file.same_minute(checked.at, names, checked.row.line)

    def _recall(self, row: ManifestRow, request: PublishRequest, job_id: str) -> None:
        self.remembered += 1
        self.recalled(row.number, job_id)
        self._tell(row.locate(remembered(request, job_id)))

    # ---- what is kept of it

    def _count(self, checked: _Checked) -> None:
        request, publisher, at = checked.request, checked.publisher, checked.at
        is_kept = at is not None and is_kept_here(at, self.now, publisher.limits)
        costed = self._cost(checked, None if is_kept else at)
        if costed is None:
            return
        groups, cost = costed
        tally = self._tallies.setdefault(publisher.name, Tally(publisher, self.now))
        leaves_in = tally.add(cost, len(groups), at=at, is_kept=is_kept, names_accounts=bool(request.accounts))
        row = PlannedRow(
            number=checked.row.number,
            line=checked.row.line,
            publisher=publisher.name,
            label=str(request)[:_LABEL],
            accounts=self._names_of(checked),
            at=at or self.now + timedelta(seconds=leaves_in),
            zone=written_zone(request),
            is_timed=at is not None,
            is_kept_here=is_kept,
            posts=len(groups),
            requests=None if cost.shares else cost.writes + cost.reads,
        )
        self.calendar.append(row)
        self.planned(row)

    def _cost(self, checked: _Checked, at: datetime | None) -> tuple[Sequence[tuple[Account, ...]], Cost] | None:
        """Return the accounts of each post of a row and what it takes; None, told as an error, where that raises."""
        publisher, request = checked.publisher, checked.request
        try:
            groups = publisher.plan(request, checked.accounts)
            return groups, checked.known.cost(request, groups, at)
        except Exception as error:  # a publisher with a bug must not keep the other rows from being planned
            log.exception("%s: planning raised", publisher.name)
            message = f"{publisher.name} couldn't plan it: it raised {type(error).__name__}: {error}"
            self._tell(checked.row.locate(Problem(field="publisher", message=message)))
            return None

    def _names_of(self, checked: _Checked) -> tuple[str, ...]:
        names = tuple(map(str, checked.accounts)) if not self.is_offline else tuple(map(str, checked.request.accounts))
        # The same few accounts stand in most rows of a manifest.
        return self._names.setdefault(names, names)

    def _tell(self, problem: RowProblem) -> None:
        if problem.is_error:
            self.errors += 1
        else:
            self.warnings += 1
        self.found(problem)


def _asked_keys(checked: _Checked) -> tuple[str, ...]:
    """Return the content keys by which the store may have a row's request, whatever that called its accounts."""
    return spellings(checked.request, checked.accounts, checked.publisher.name)


def _unread_fields(row: ManifestRow, request: PublishRequest) -> set[str]:
    """Return the fields that *request* lacks since the row's couldn't be read: that they are missing isn't news.

    Where the row fills a column whose header can't be read, that may be any field.
    """
    roots = {_root(found.problem.field) for found in row.problems if found.is_error}
    roots |= _FIELDS if row.is_blocked else set()
    return {root for root in roots if not getattr(request, root, None)}


def _root(field: str) -> str:
    return field.partition(".")[0].partition("[")[0]
