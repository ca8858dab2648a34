"""A dry run: the real code path with every write stopped before its first byte, and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from reelpub.clocks import Clock, SystemClock, utc_now
from reelpub.errors import ConfigurationError
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.choice import choose
from reelpub.orchestrator.context import new_job_id
from reelpub.orchestrator.orchestrator import Orchestrator
from reelpub.policies.lateness import is_kept_here
from reelpub.policies.polling import PollPolicy
from reelpub.policies.scheduling import instant
from reelpub.providers.base import Publisher, SupportsRehearsal
from reelpub.transport.rehearsal import RehearsedRequest

__all__ = ["Rehearsal", "rehearse"]


@frozen(kw_only=True)
class Rehearsal:
    """What a dry run showed: `requests` in the order in which they would leave, and how each request would end.

    The posts in `outcomes` don't exist. `kept` holds the places of the requests that are kept here until their time,
    as the provider doesn't schedule so soon; their requests are shown as they leave then.
    """

    requests: tuple[RehearsedRequest, ...]
    outcomes: tuple[Outcome, ...]
    kept: frozenset[int] = field(factory=frozenset)


async def rehearse(
    publishers: Sequence[Publisher],
    requests: Sequence[PublishRequest],
    *,
    clock: Clock | None = None,
    earlier: Mapping[int, str] | None = None,
) -> Rehearsal:
    """Go through publishing *requests* without publishing anything, and close *publishers*.

    Reads are sent, within the limits: accounts, projects, drafts. Writes are answered here as if they went well, so
    where a provider would answer otherwise the real run may send more. No store is read or written: *earlier* has the
    places of the requests that the real run's store has already, each with its job, of which they end as duplicates.

    Raises:
        ConfigurationError: a publisher can't rehearse; nothing was sent.
    """
    clock = clock or SystemClock()
    shown: list[RehearsedRequest] = []
    for publisher in publishers:
        if not isinstance(publisher, SupportsRehearsal):
            raise ConfigurationError(f"publisher {publisher.name!r} can't show what it would send")
    for publisher in publishers:
        if isinstance(publisher, SupportsRehearsal):
            publisher.rehearse(shown.append)
    now = utc_now(clock)
    known = {publisher.name: publisher for publisher in publishers}
    done = {place: _duplicate(requests[place], job, known, now) for place, job in (earlier or {}).items()}
    fresh = [(place, request) for place, request in enumerate(requests) if place not in done]
    kept = frozenset(place for place, request in fresh if _is_kept(request, known, now))
    wanted = [evolve(request, at=None) if place in kept else request for place, request in fresh]
    # What was answered here has ended at once; there is nothing to wait for.
    at_once = PollPolicy(first_look=0.0, first_single_look=0.0)
    async with Orchestrator(publishers, poll=at_once, clock=clock) as orchestrator:
        report = await orchestrator.publish_many(wanted)
    done |= {place: outcome for (place, _), outcome in zip(fresh, report, strict=True)}
    return Rehearsal(requests=tuple(shown), outcomes=tuple(done[place] for place in range(len(requests))), kept=kept)


def _duplicate(request: PublishRequest, job: str, publishers: Mapping[str, Publisher], now: datetime) -> Outcome:
    publisher = choose(request, publishers, now).publisher
    return Outcome(
        request=request,
        job_id=new_job_id(),
        publisher=None if publisher is None else publisher.name,
        status=OutcomeStatus.DUPLICATE,
        reason=f"the same as {job}",
        duplicate_of=job,
        submitted_at=now,
        settled_at=now,
    )


def _is_kept(request: PublishRequest, publishers: Mapping[str, Publisher], now: datetime) -> bool:
    at = None if request.at is None else instant(request.at)
    if not isinstance(at, datetime) or at <= now:
        return False
    publisher = choose(request, publishers, now).publisher
    return publisher is not None and is_kept_here(at, now, publisher.limits)
