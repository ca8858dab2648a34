"""From a request to its parts: the checks that need the provider's accounts, and the grouping into posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from reelpub.errors import ValidationError
from reelpub.models.account import Account
from reelpub.models.job import Part
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.job import Job
from reelpub.policies.checks import errors_in, resolve
from reelpub.policies.lateness import is_kept_here
from reelpub.policies.lifecycle import PartState
from reelpub.policies.scheduling import instant
from reelpub.providers.base import Publisher

__all__ = ["names_of", "plan_parts", "renumber", "scheduled_instant"]


def scheduled_instant(request: PublishRequest) -> datetime | None:
    """Return when a request that passed its static checks goes out; None means now."""
    if request.at is None:
        return None
    at = instant(request.at)
    if isinstance(at, Problem):
        raise ValidationError([at])
    return at


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
    kept = at if at is not None and (at <= now or is_kept_here(at, now, publisher.limits)) else None
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


def names_of(part: Part) -> list[tuple[str, str]]:
    """Return the names under which a cap may be set on each account of a part: its id, and platform:username."""
    return [(account.id, str(account)) for account in part.accounts]


def renumber(job: Job, parts: Sequence[Part]) -> list[PartState]:
    """Return *parts* as new parts of *job*."""
    return [PartState(part=evolve(part, id=f"{job.id}.{n}", job_id=job.id)) for n, part in enumerate(parts, start=1)]
