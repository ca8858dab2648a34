"""What Reap can do and how far it goes, as data, and what it documents about times and texts of posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from reelpub.models.capability import Capabilities, Feature, ProviderLimits, TextLimit
from reelpub.models.problem import Problem
from reelpub.models.source import Clip
from reelpub.policies.scheduling import add_months, window_problem
from reelpub.providers.reap import limits
from reelpub.providers.reap.schemas import Platform

__all__ = ["CAPABILITIES", "LIMITS", "PROVIDER", "schedule_problem", "text_problems", "whole_second"]

PROVIDER: Final = "reap"

_FEATURES: Final = frozenset(
    {
        Feature.SCHEDULE,
        Feature.RETRY_FAILED,
        Feature.CANCEL,
        Feature.RESCHEDULE,
        Feature.DELETE,
        Feature.BULK_READ,
        Feature.FIND_DUPLICATE,
    }
)

CAPABILITIES: Final = Capabilities(
    sources=(Clip,),
    platforms=frozenset(platform.value for platform in Platform),
    # mypy can't infer the type variable of the field's converter.
    features=cast("Any", _FEATURES),
    text_fields=frozenset({"title", "caption", "tags"}),
)
"""`caption` is Reap's description."""

_ELSEWHERE: Final = "documented for a change of a post, not for a new one"

LIMITS: Final = ProviderLimits(
    requests=10,
    window=60.0,
    max_tags=limits.TAGS_MOST,
    title=TextLimit(maximum=limits.POST_TITLE_LENGTH, is_documented=False, source=_ELSEWHERE),
    caption=TextLimit(maximum=limits.POST_DESCRIPTION_LENGTH, is_documented=False, source=_ELSEWHERE),
    schedule_min_lead=float(limits.SCHEDULE_LEAD_LEAST),
    schedule_max_lead=float(limits.SCHEDULE_LEAD_MOST),
    schedule_batch=limits.SCHEDULE_CLIPS_MOST,
    schedule_min_interval=float(limits.INTERVAL_SECONDS_LEAST),
    page_size=limits.PAGE_SIZE_MOST,
)
"""`schedule_max_lead` is the longest year; `schedule_problem` knows the calendar's 12 months."""

_MONTHS_AHEAD: Final = 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def whole_second(at: datetime) -> int:
    """Return *at* (aware) in whole Unix seconds, as Reap's dates are; rounded up, so that nothing goes out early."""
    return -((_EPOCH - at) // timedelta(seconds=1))


def schedule_problem(date: int, now: float, provider_limits: ProviderLimits) -> Problem | None:
    """Return what is wrong with the schedule date *date* at *now* (both Unix seconds), or None.

    At least 50 minutes and at most 12 calendar months ahead. Whether the 12 months bound only the first clip of a call
    isn't documented, so callers ask for every clip (https://docs.reap.video/api-reference/schedule-clips).
    """
    at, present = datetime.fromtimestamp(date, UTC), datetime.fromtimestamp(now, UTC)
    latest = add_months(present, _MONTHS_AHEAD)
    if at > latest:
        return Problem(
            field="at",
            value=at.isoformat(),
            message=f"is too far ahead; the latest is {latest.isoformat(timespec='seconds')}",
            limit="at most 12 months ahead",
        )
    return window_problem(at, present, provider_limits)


def text_problems(title: str | None, caption: str | None, tags: Sequence[str] | None) -> list[Problem]:
    """Return what breaks the limits for changing a post (https://docs.reap.video/api-reference/update-post)."""
    sizes = (
        ("title", title, limits.POST_TITLE_LENGTH, "characters"),
        ("caption", caption, limits.POST_DESCRIPTION_LENGTH, "characters"),
        ("tags", tags, limits.TAGS_MOST, "tags"),
    )
    return [
        Problem(field=name, value=value, message=f"has {len(value)} {unit}", limit=f"at most {most}")
        for name, value, most, unit in sizes
        if value is not None and len(value) > most
    ]
