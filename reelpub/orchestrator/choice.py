"""Which publisher carries out a request, and everything that can be known to be wrong with it offline."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from reelpub.models.capability import Feature
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.policies import checks
from reelpub.policies.scheduling import instant
from reelpub.providers.base import Publisher

__all__ = ["Choice", "choose", "is_not_taken", "is_only_late"]

log = logging.getLogger("reelpub.orchestrator")

_NOT_TAKEN = "is taken by none of the publishers here"

_OFFERED = frozenset({"source", "title", "tags"})
"""Fields that the capabilities speak of, so that a provider's own rules would say the same in other words."""


@frozen(kw_only=True)
class Choice:
    """The publisher for a request, where there is exactly one, and what is wrong or doubtful about the request."""

    publisher: Publisher | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop the request."""
        return tuple(problem for problem in self.problems if problem.is_error)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that don't."""
        return tuple(problem for problem in self.problems if not problem.is_error)


def choose(request: PublishRequest, publishers: Mapping[str, Publisher], now: datetime) -> Choice:
    """Return who carries out *request* at *now*, and all its problems at once."""
    found = _pick(request, publishers)
    if isinstance(found, Problem):
        return Choice(publisher=None, problems=_once([*checks.request_problems(request), found]))
    problems = checks.static(
        request, now=now, capabilities=found.capabilities, limits=found.limits, provider=found.provider
    )
    problems += _schedulable(request, found, publishers)
    malformed = [problem.field for problem in checks.errors_in(checks.request_problems(request))] if problems else []
    offered = {problem.field for problem in checks.errors_in(problems)} & _OFFERED
    problems += [problem for problem in _own_rules(request, found, malformed) if problem.field not in offered]
    return Choice(publisher=found, problems=_once(problems))


def is_not_taken(problem: Problem) -> bool:
    """Return whether *problem* is that no publisher takes the source."""
    return problem.field == "source" and problem.message.startswith(_NOT_TAKEN)


def is_only_late(request: PublishRequest, errors: Sequence[Problem], now: datetime) -> bool:
    """Return whether nothing stops *request* but its time, which has passed by *now*."""
    at = None if request.at is None else instant(request.at)
    return isinstance(at, datetime) and at <= now and all(problem.field == "at" for problem in errors)


def _own_rules(request: PublishRequest, publisher: Publisher, malformed: Sequence[str]) -> list[Problem]:
    """Return what the provider's own rules find, but for what they say of *malformed* fields, which is told already."""
    try:
        found = publisher.check(request)
        return [problem for problem in found if not any(_overlap(problem.field, field) for field in malformed)]
    except Exception as error:  # a publisher with a bug must not take the other requests with it
        if malformed:
            # Its rules may count on members of the right types; they are asked again once those are right.
            return []
        log.exception("%s: checking a request raised", publisher.name)
        message = f"{publisher.name} couldn't check the request: it raised {type(error).__name__}: {error}"
        return [Problem(field="publisher", message=message)]


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _pick(request: PublishRequest, publishers: Mapping[str, Publisher]) -> Publisher | Problem:
    names = ", ".join(publishers)
    if isinstance(request.publisher, str):
        named = publishers.get(request.publisher)
        return named or Problem(
            field="publisher", value=request.publisher, message="isn't one of the publishers here", limit=names
        )
    able = [p for p in publishers.values() if isinstance(request.source, p.capabilities.sources)]
    if len(able) == 1:
        return able[0]
    if able:
        which = ", ".join(publisher.name for publisher in able)
        return Problem(field="publisher", message="has to be named, as several take this source", limit=which)
    wrong = checks.source_problems(request.source)
    if wrong and wrong[0].field == "source":
        return wrong[0]
    return Problem(field="source", value=str(request.source), message=f"{_NOT_TAKEN} ({names})")


def _schedulable(request: PublishRequest, publisher: Publisher, publishers: Mapping[str, Publisher]) -> list[Problem]:
    if request.at is None or publisher.capabilities.can(Feature.SCHEDULE):
        return []
    able = sorted({p.provider for p in publishers.values() if p.capabilities.can(Feature.SCHEDULE)})
    return [
        Problem(
            field="at", value=str(request.at), message=f"{publisher.provider} can't schedule", limit=", ".join(able)
        )
    ]


def _once(problems: list[Problem]) -> tuple[Problem, ...]:
    found: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        found.setdefault((problem.field, problem.message), problem)
    return tuple(found.values())
