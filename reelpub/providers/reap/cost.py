"""What a request takes at Reap, known before anything is sent. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from reelpub.models.account import Account
from reelpub.models.request import PublishRequest
from reelpub.models.source import Clip
from reelpub.providers.base import Cost
from reelpub.providers.reap.rules import whole_second
from reelpub.providers.reap.scheduler import in_common

__all__ = ["cost_of"]

_PROJECT_READS: Final = 2
"""The status of a project and the first page of its clips, which serve all of its clips (see `Readiness`)."""


def cost_of(request: PublishRequest, groups: Sequence[tuple[Account, ...]], *, at: datetime | None) -> Cost:
    """Return what *request* takes: one call for each post that goes out at once, or a share in scheduling calls."""
    source = request.source
    once = {f"project {source.project_id}": _PROJECT_READS} if isinstance(source, Clip) else {}
    if at is None:
        return Cost(writes=len(groups), once=once)
    date = whole_second(at)
    return Cost(once=once, shares=tuple((in_common(request, group), date) for group in groups))
