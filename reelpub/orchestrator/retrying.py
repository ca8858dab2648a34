"""Which deliveries of an outcome are sent again, and how: only what is provably not live."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from reelpub.errors import ValidationError
from reelpub.models.job import Part
from reelpub.models.outcome import Outcome, OutcomeStatus
from reelpub.models.post import Delivery, DeliveryStatus, Post
from reelpub.models.source import Draft
from reelpub.orchestrator.planning import scheduled_instant
from reelpub.providers.base import Publisher, SupportsRetryFailed

__all__ = ["is_retryable", "retry_parts"]


def is_retryable(outcome: Outcome) -> bool:
    """Return whether something in *outcome* provably isn't live and could be sent again.

    What a check refused stays refused: it would be refused again.
    """
    if any(delivery.status in (DeliveryStatus.FAILED, DeliveryStatus.NOT_SENT) for delivery in outcome.deliveries):
        return True
    if outcome.failed:
        return not isinstance(outcome.error, ValidationError)
    never_began = outcome.status in (OutcomeStatus.NOT_SENT, OutcomeStatus.REFUSED) and not outcome.deliveries
    is_refused_by_a_check = isinstance(outcome.error, ValidationError) or bool(outcome.problems)
    return never_began and not is_refused_by_a_check


def retry_parts(outcome: Outcome, publisher: SupportsRetryFailed, *, in_place: bool | None) -> list[Part]:
    """Return the parts that send the failed deliveries of *outcome* again; empty where it has to start over.

    A post of which something failed is retried in the provider's safe way; accounts that never came to have a post
    get one.
    """
    failed = {delivery.account.id for delivery in outcome.deliveries if delivery.status is DeliveryStatus.FAILED}
    parts: list[Part] = []
    for post in reversed(outcome.posts):
        here = [d for d in post.deliveries if d.account.id in failed]
        if here:
            parts.append(
                publisher.plan_retry(_part(outcome, post.deliveries), _only_failed(post, failed), in_place=in_place)
            )
            failed -= {delivery.account.id for delivery in here}
    return parts + _unsent_parts(outcome, publisher)


def _part(outcome: Outcome, deliveries: Sequence[Delivery]) -> Part:
    accounts = tuple(delivery.account for delivery in deliveries)
    return Part(id="", job_id="", request=outcome.request, accounts=accounts)


def _only_failed(post: Post, failed: set[str]) -> Post:
    """Return *post* with what has come right elsewhere since then taken as published."""
    return evolve(
        post,
        deliveries=tuple(
            evolve(d, status=DeliveryStatus.PUBLISHED) if d.is_failed and d.account.id not in failed else d
            for d in post.deliveries
        ),
    )


def _unsent_parts(outcome: Outcome, publisher: SupportsRetryFailed) -> list[Part]:
    unsent = [d for d in outcome.deliveries if d.status in (DeliveryStatus.NOT_SENT, DeliveryStatus.REFUSED)]
    if not unsent:
        return []
    part = _part(outcome, unsent)
    at = scheduled_instant(outcome.request)
    if len(outcome.drafts) == 1:
        # The draft has every edit already; a generated post can't be sent to compose twice as far as is documented.
        draft = Draft(outcome.drafts[0])
        part = evolve(part, request=evolve(outcome.request, source=draft, caption=None, accounts=(), settings={}))
    groups = publisher.plan(part.request, part.accounts) if isinstance(publisher, Publisher) else (part.accounts,)
    return [evolve(part, accounts=group, at=at) for group in groups]
