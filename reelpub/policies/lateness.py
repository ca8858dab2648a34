"""Posts that are kept here until their time, and what becomes of one that fell due while nothing ran."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from attrs import field, frozen

from reelpub.models.capability import ProviderLimits
from reelpub.models.setting_checks import not_negative, one_of

__all__ = ["LatePolicy", "Lateness", "is_kept_here"]

MARGIN = 120.0
"""Seconds. A time that a provider only just takes may be too near once the token is there; it is kept here instead."""


class LatePolicy(StrEnum):
    """What to do with a post whose time passed while nothing ran."""

    PUBLISH = "publish"
    """Publish it now, spaced out from the other late ones."""
    SKIP = "skip"
    """Call it off."""
    ASK = "ask"
    """Leave it unsent, and let the caller decide: `retry_failed` sends it."""


@frozen(kw_only=True)
class Lateness:
    """How late a post may be and what then. Durations are seconds.

    Within *grace* it goes out as if on time. *spacing* keeps late posts apart, so that a morning's posts don't go out
    in one burst at noon.

    Raises:
        ConfigurationError: a number is negative, or *policy* is no `LatePolicy`.
    """

    policy: LatePolicy = field(default=LatePolicy.ASK, validator=one_of(LatePolicy))
    grace: float = field(default=900.0, validator=not_negative)
    spacing: float = field(default=300.0, validator=not_negative)

    def is_late(self, due: datetime, now: datetime) -> bool:
        """Return whether a post that was due at *due* is late at *now*."""
        return (now - due).total_seconds() > self.grace


def is_kept_here(at: datetime, now: datetime, limits: ProviderLimits) -> bool:
    """Return whether *at* is sooner than the provider schedules, so that it is waited for here."""
    if limits.schedule_min_lead <= 0:
        return False
    return at < now + timedelta(seconds=limits.schedule_min_lead + MARGIN)
