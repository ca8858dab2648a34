"""From a request to its parts: the checks that need the provider's accounts, and the grouping into posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from reelpub.errors import ConfigurationError, ValidationError
from reelpub.models.account import Account
from reelpub.models.job import Part
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.job import Job
from reelpub.policies.checks import errors_in, resolve
from reelpub.policies.content import spellings
from reelpub.policies.lateness import is_kept_here
from reelpub.policies.lifecycle import PartState
from reelpub.policies.scheduling import instant
from reelpub.providers.base import Publisher

__all__ = ["asked_keys", "fit_time", "names_of", "plan_parts", "renumber", "scheduled_instant", "without_past_time"]


def scheduled_instant(request: PublishRequest) -> datetime | None:
    """Return when a request that passed its static checks goes out; None means now."""
    if request.at is None:
        return None
    at = instant(request.at)
    if isinstance(at, Problem):
        raise ValidationError([at])
    return at


def asked_keys(job: Job, accounts: Sequence[Account], publisher: str) -> tuple[str, ...]:
    """Return the content keys by which others may have asked for the same as *job*, which goes to *accounts*.

    None where it names no accounts: then there is only one way to ask for it.
    """
    asked = [job.request] if job.asked is None else [job.request, job.asked]
    return tuple(key for request in asked for key in spellings(request, accounts, publisher)) if accounts else ()


def plan_parts(job: Job, publisher: Publisher, known: Sequence[Account], now: datetime) -> None:
    """Give *job* its parts, as seen from *now*.

    Raises:
        ValidationError: an account that the request names can't be used.
    """
    accounts, problems = resolve(
        job.request, known, platforms=publisher.capabilities.platforms, provider=publisher.provider
    )
    if errors_in(problems):
        raise ValidationError(problems)
    job.warnings += tuple(problems)
    at = scheduled_instant(job.request)
    groups = publisher.plan(job.request, accounts)
    if not groups:
        raise ConfigurationError(f"{publisher.provider} makes no post of it")
    kept = at if _is_too_near(at, publisher, now) else None
    job.parts = [
        PartState(
            part=Part(
                id=f"{job.id}.{n}",
                job_id=job.id,
                request=job.request,
                accounts=group,
                at=None if kept else at,
                not_before=kept,
            )
        )
        for n, group in enumerate(groups, start=1)
    ]


def fit_time(state: PartState, publisher: Publisher, now: datetime) -> PartState:
    """Return a part that hasn't been sent with a time that it can be sent for: one that came too near is kept here."""
    if not _is_too_near(state.part.at, publisher, now):
        return state
    part = evolve(state.part, at=None, not_before=state.part.at)
    prepared = None if state.prepared is None else evolve(state.prepared, part=part)
    return evolve(state, part=part, prepared=prepared)


def _is_too_near(at: datetime | None, publisher: Publisher, now: datetime) -> bool:
    return at is not None and (at <= now or is_kept_here(at, now, publisher.limits))


def names_of(part: Part) -> list[tuple[str, str]]:
    """Return the names under which a cap may be set on each account of a part: its id, and platform:username."""
    return [(account.id, str(account)) for account in part.accounts]


def renumber(job: Job, parts: Sequence[Part], *, first: int = 1) -> list[PartState]:
    """Return *parts* as new parts of *job*, numbered from *first*.

    One whose time has passed goes out now, since that is what is asked for.
    """
    return [
        PartState(part=evolve(part, id=f"{job.id}.{n}", job_id=job.id, at=_if_ahead(part.at, job.submitted_at)))
        for n, part in enumerate(parts, start=first)
    ]


def _if_ahead(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and at > now else None


def without_past_time(request: PublishRequest, now: datetime) -> PublishRequest:
    """Return *request* for at once where its time has passed; a later time stays."""
    at = None if request.at is None else instant(request.at)
    return evolve(request, at=None) if isinstance(at, datetime) and at <= now else request
