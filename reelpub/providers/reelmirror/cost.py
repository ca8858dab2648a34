"""What a request takes at ReelMirror, known before anything is sent. Pure.

The way to a post is in `drafts.DraftDesk`; the usual one is counted: an edit's targets are taken, and nothing has to be
made anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from reelpub.models.account import Account
from reelpub.models.request import PublishRequest
from reelpub.models.source import Draft, GeneratedPost
from reelpub.providers.base import Cost
from reelpub.providers.reelmirror.content import edits

__all__ = ["cost_of"]


def cost_of(request: PublishRequest, groups: Sequence[tuple[Account, ...]]) -> Cost:
    """Return what *request* takes; a time makes no difference, as each post is scheduled by itself."""
    costs = [_cost(request, accounts) for accounts in groups]
    return Cost(writes=sum(cost.writes for cost in costs), reads=sum(cost.reads for cost in costs))


def _cost(request: PublishRequest, accounts: tuple[Account, ...]) -> Cost:
    source = request.source
    if isinstance(source, GeneratedPost):
        if source.approve:
            return Cost(writes=1)
        # Compose, edit where that is asked for, publish; a draft whose accounts were named is read once more.
        return Cost(writes=2 + bool(edits(request, accounts)), reads=1 if accounts else 0)
    if isinstance(source, Draft):
        # Read, and where it may have other accounts, edited and read again.
        return Cost(writes=1 + bool(edits(request, accounts)), reads=2 if accounts else 1)
    return Cost(writes=2)
