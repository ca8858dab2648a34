"""When something goes out: from what a person wrote to an instant, and whether a provider takes that instant."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reelpub.models.capability import ProviderLimits
from reelpub.models.problem import Problem
from reelpub.models.when import FoldPolicy, GapPolicy, LocalTime

__all__ = ["add_months", "instant", "window_problem"]


def instant(at: object, *, field: str = "at") -> datetime | Problem:
    """Return the aware UTC instant that *at* names, or the problem with it."""
    try:
        return _instant(at, field)
    except OverflowError:
        return Problem(field=field, value=str(at), message="is outside the years 1 to 9999 in UTC")


def _instant(at: object, field: str) -> datetime | Problem:
    if isinstance(at, LocalTime):
        return _local_instant(at, field)
    if not isinstance(at, datetime):
        return Problem(field=field, value=at, message="is no time; give an aware datetime or a LocalTime")
    if at.tzinfo is None or at.utcoffset() is None:
        return Problem(
            field=field,
            value=at.isoformat(),
            message="has no time zone; give an aware datetime, such as one with tzinfo=UTC, or a LocalTime",
        )
    return at.astimezone(UTC)


def _local_instant(at: LocalTime, field: str) -> datetime | Problem:
    unread = _policy_problem(at.gap, GapPolicy, f"{field}.gap") or _policy_problem(at.fold, FoldPolicy, f"{field}.fold")
    if unread is not None:
        return unread
    clock = _clock(at)
    if clock is None:
        return Problem(
            field=f"{field}.clock",
            value=at.clock,
            message="is no clock time such as 2027-03-28 14:30, without an offset",
        )
    try:
        zone = ZoneInfo(at.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        return Problem(
            field=f"{field}.zone",
            value=at.zone,
            message="is no zone that this machine knows; give an IANA name such as Europe/Oslo (without a zone "
            "database, install tzdata)",
        )
    if _is_skipped(clock, zone):
        return _in_gap(at, clock, zone, field)
    if _is_doubled(clock, zone):
        return _in_fold(at, clock, zone, field)
    return clock.replace(tzinfo=zone).astimezone(UTC)


def _policy_problem(value: object, known: type[StrEnum], field: str) -> Problem | None:
    words = [str(word) for word in known]
    if value in words:
        return None
    return Problem(field=field, value=value, message="is no such policy", limit=", ".join(words))


def _clock(at: LocalTime) -> datetime | None:
    clock: object = at.clock
    if isinstance(clock, str):
        try:
            clock = datetime.fromisoformat(clock.strip())
        except ValueError:
            return None
    if not isinstance(clock, datetime) or clock.tzinfo is not None:
        return None
    return clock.replace(fold=0)


def _is_skipped(clock: datetime, zone: ZoneInfo) -> bool:
    there = clock.replace(tzinfo=zone).astimezone(UTC)
    return there.astimezone(zone).replace(tzinfo=None, fold=0) != clock


def _is_doubled(clock: datetime, zone: ZoneInfo) -> bool:
    return clock.replace(tzinfo=zone).utcoffset() != clock.replace(tzinfo=zone, fold=1).utcoffset()


def _in_gap(at: LocalTime, clock: datetime, zone: ZoneInfo, field: str) -> datetime | Problem:
    if at.gap == GapPolicy.REFUSE:
        return Problem(
            field=field,
            value=str(at),
            message="is skipped there when the clocks go forward; name a gap policy or another time",
        )
    # PEP 495: in a gap, fold 0 reads the time with the offset before it, which lands after the gap.
    fold = 0 if at.gap == GapPolicy.LATER else 1
    return clock.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _in_fold(at: LocalTime, clock: datetime, zone: ZoneInfo, field: str) -> datetime | Problem:
    if at.fold == FoldPolicy.REFUSE:
        return Problem(
            field=field,
            value=str(at),
            message="comes twice there when the clocks go back; name a fold policy or another time",
        )
    fold = 0 if at.fold == FoldPolicy.FIRST else 1
    return clock.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def add_months(start: datetime, months: int) -> datetime:
    """Return *start* moved on by calendar months, on the last day where the month is shorter."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))


def window_problem(at: datetime, now: datetime, limits: ProviderLimits, *, field: str = "at") -> Problem | None:
    """Return what is wrong with publishing at *at*, seen from *now*, under a provider's documented window."""
    if at <= now:
        return Problem(field=field, value=at.isoformat(), message="is in the past", limit=f"after {now.isoformat()}")
    earliest = now + timedelta(seconds=limits.schedule_min_lead)
    if at < earliest:
        minutes = limits.schedule_min_lead / 60
        return Problem(
            field=field,
            value=at.isoformat(),
            message=f"is too soon; the earliest is {earliest.isoformat(timespec='seconds')}",
            limit=f"at least {minutes:g} minutes ahead",
        )
    if limits.schedule_max_lead is not None and at > now + timedelta(seconds=limits.schedule_max_lead):
        days = limits.schedule_max_lead / 86_400
        return Problem(
            field=field, value=at.isoformat(), message="is too far ahead", limit=f"at most {days:g} days ahead"
        )
    return None
