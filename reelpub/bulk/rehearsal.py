"""A dry run: the real code path with every write stopped before its first byte, and shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from reelpub.clocks import Clock, SystemClock, utc_now
from reelpub.errors import ConfigurationError
from reelpub.models.outcome import Outcome
from reelpub.models.request import PublishRequest
from reelpub.orchestrator.choice import choose
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
    publishers: Sequence[Publisher], requests: Sequence[PublishRequest], *, clock: Clock | None = None
) -> Rehearsal:
    """Go through publishing *requests* without publishing anything, and close *publishers*.

    Reads are sent, within the limits: accounts, projects, drafts. Writes are answered here as if they went well, so
    where a provider would answer otherwise the real run may send more. No store is read or written.

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
    kept = frozenset(place for place, request in enumerate(requests) if _is_kept(request, publishers, now))
    wanted = [evolve(request, at=None) if place in kept else request for place, request in enumerate(requests)]
    # What was answered here has ended at once; there is nothing to wait for.
    at_once = PollPolicy(first_look=0.0, first_single_look=0.0)
    async with Orchestrator(publishers, poll=at_once, clock=clock) as orchestrator:
        outcomes = await orchestrator.publish_many(wanted)
    return Rehearsal(requests=tuple(shown), outcomes=tuple(outcomes), kept=kept)


def _is_kept(request: PublishRequest, publishers: Sequence[Publisher], now: datetime) -> bool:
    at = None if request.at is None else instant(request.at)
    if not isinstance(at, datetime) or at <= now:
        return False
    publisher = choose(request, {publisher.name: publisher for publisher in publishers}, now).publisher
    return publisher is not None and is_kept_here(at, now, publisher.limits)
