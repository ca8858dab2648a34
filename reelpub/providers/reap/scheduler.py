"""Scheduling through Reap: which clips share a call, the window for their dates, and what came of each clip."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from attrs import evolve

from reelpub.clocks import Clock
from reelpub.errors import OutcomeUnknown, ReelPubError, ValidationError
from reelpub.models.account import Account
from reelpub.models.capability import ProviderLimits
from reelpub.models.job import Part
from reelpub.models.post import Post
from reelpub.models.problem import Problem
from reelpub.models.request import PublishRequest
from reelpub.policies.batching import evenly_spaced
from reelpub.policies.scheduling import instant
from reelpub.providers.reap import matching, rules, schemas
from reelpub.providers.reap.settings import wire_settings
from reelpub.transport.message import CallOptions

if TYPE_CHECKING:
    from reelpub.providers.reap.client import ReapClient

__all__ = ["Scheduler", "in_common", "settings_of"]

_log = logging.getLogger("reelpub.reap")


class _OutsideWindow(ValidationError):
    """A date left the provider's window while the request waited for its token; nothing was sent."""


class Scheduler:
    """Schedules parts and looks after the window for their dates.

    *own* turns a wire post into the post of a part, and remembers its accounts.
    """

    def __init__(
        self, client: ReapClient, clock: Clock, limits: ProviderLimits, own: Callable[[schemas.Post, Part], Post]
    ) -> None:
        self._client = client
        self._clock = clock
        self._limits = limits
        self._own = own

    def batches(self, parts: Sequence[Part]) -> list[list[Part]]:
        """Return *parts* in calls: the same accounts and settings, and evenly spaced dates, at most 50 in each."""
        return evenly_spaced(
            parts,
            at=_date,
            key=_shared,
            max_size=self._limits.schedule_batch,
            min_interval=math.ceil(self._limits.schedule_min_interval),
        )

    async def schedule(self, parts: Sequence[Part], options: CallOptions | None) -> list[Post | ReelPubError]:
        """Schedule *parts*, one of `batches`, in one request; return what came of each, in order.

        A part whose time has left the provider's window, also while the request waits for its token, comes back as a
        `ValidationError` and the others are sent without it. What the provider refuses is a `ValidationError` too. A
        part that the answer doesn't tell of comes back as `OutcomeUnknown`. An error of the request is raised, or
        comes back for each part that was in it where others had left the window; `safety.effect_of` judges each.
        """
        _require_even(parts)
        results: dict[int, Post | ReelPubError] = {}
        while open_ := self._inside_window(parts, results):
            try:
                results |= zip(open_, await self._send([parts[index] for index in open_], options), strict=True)
            except _OutsideWindow:
                continue
            except ReelPubError as error:
                if not results:
                    raise
                results |= dict.fromkeys(open_, error)
        return [results[index] for index in range(len(parts))]

    def future(self, at: datetime) -> int:
        """Return *at* as a date for Reap.

        Raises:
            ValidationError: it is naive or outside the provider's window.
        """
        moment = instant(at)
        if isinstance(moment, Problem):
            raise ValidationError([moment])
        date = rules.whole_second(moment)
        problem = self._problem(date)
        if problem is not None:
            raise ValidationError([problem])
        return date

    def guarded(self, dates: Sequence[int], options: CallOptions | None) -> CallOptions:
        """Return *options* that look at the window once more when the token is there, before anything else is done."""
        options = options or CallOptions()
        inner = options.before_send

        async def before_send() -> None:
            problems = [problem for problem in map(self._problem, dates) if problem is not None]
            if problems:
                raise _OutsideWindow(problems)
            if inner is not None:
                await inner()

        return evolve(options, before_send=before_send)

    def _problem(self, date: int) -> Problem | None:
        return rules.schedule_problem(date, self._clock.time(), self._limits)

    def _inside_window(self, parts: Sequence[Part], results: dict[int, Post | ReelPubError]) -> list[int]:
        """Return the places without a result; those whose time can't be had any more get their refusal."""
        open_ = [index for index in range(len(parts)) if index not in results]
        problems = {index: self._problem(_date(parts[index])) for index in open_}
        results |= {index: ValidationError([problem]) for index, problem in problems.items() if problem is not None}
        return [index for index in open_ if problems[index] is None]

    async def _send(self, parts: Sequence[Part], options: CallOptions | None) -> list[Post | ReelPubError]:
        dates = [_date(part) for part in parts]
        answer = await self._client.schedule_clips(
            clips=[_schedule_clip(part) for part in parts],
            integrations=[account.id for account in parts[0].accounts],
            schedule_date=dates[0],
            interval_seconds=dates[1] - dates[0] if len(dates) > 1 else None,
            platform_settings=settings_of(parts[0]) or None,
            options=self.guarded(dates, options),
        )
        told = matching.tell_apart([_slot(part) for part in parts], answer)
        return [self._result(part, found) for part, found in zip(parts, told, strict=True)]

    def _result(self, part: Part, found: schemas.Post | schemas.ScheduleFailure | None) -> Post | ReelPubError:
        if found is None:
            return _untold(part)
        if isinstance(found, schemas.ScheduleFailure):
            return _refusal(part, found)
        if found.schedule_date not in (None, _date(part)):
            _log.warning("post %s is scheduled for %s, not for %s", found.id, found.schedule_date, _date(part))
        return self._own(found, part)


def settings_of(part: Part) -> dict[str, dict[str, Any]]:
    """Return the settings of *part* for the platforms that it goes to, as on the wire."""
    return _settings(part.request, part.accounts)


def in_common(request: PublishRequest, accounts: Sequence[Account]) -> tuple[tuple[str, ...], str]:
    """Return what the clips of one call have in common, of a post of *request* to *accounts*: these and settings."""
    settings = {name: sorted(members.items()) for name, members in _settings(request, accounts).items()}
    return tuple(sorted(account.id for account in accounts)), repr(sorted(settings.items()))


def _settings(request: PublishRequest, accounts: Sequence[Account]) -> dict[str, dict[str, Any]]:
    return wire_settings(request.settings, [account.platform for account in accounts])


def _date(part: Part) -> int:
    if part.at is None:
        raise ValidationError([Problem(field="at", message="is missing; only timed parts can be scheduled")])
    return rules.whole_second(part.at)


def _shared(part: Part) -> tuple[tuple[str, ...], str]:
    return in_common(part.request, part.accounts)


def _require_even(parts: Sequence[Part]) -> None:
    dates = [_date(part) for part in parts]
    steps = {later - earlier for earlier, later in pairwise(dates)}
    if not parts or len(steps) > 1 or len({_shared(part) for part in parts}) > 1:
        message = "isn't one of `batches`: one call has the same accounts and settings, and evenly spaced times"
        raise ValidationError([Problem(field="batch", value=dates, message=message)])


def _slot(part: Part) -> matching.Slot:
    clip = matching.clip_of(part)
    return matching.Slot(project_id=clip.project_id, clip_id=clip.clip_id, date=_date(part), title=part.request.title)


def _schedule_clip(part: Part) -> schemas.ScheduleClip:
    clip, request = matching.clip_of(part), part.request
    return schemas.ScheduleClip(
        project_id=clip.project_id,
        clip_id=clip.clip_id,
        title=request.title,
        description=request.caption,
        tags=request.tags or None,
    )


def _refusal(part: Part, failure: schemas.ScheduleFailure) -> ReelPubError:
    message = f"reap refuses it: {failure.error or 'no reason given'}"
    return ValidationError([Problem(field="source", value=str(part.request.source), message=message)])


def _untold(part: Part) -> ReelPubError:
    return OutcomeUnknown(
        f"the answer tells nothing certain of clip {part.request.source}",
        operation="schedule_clips",
        provider=rules.PROVIDER,
    )
