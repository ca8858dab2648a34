"""Reap's rules as pure functions; each raises `Refusal` with the status that the contract or the dialect gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reelpub.sandbox.wire import Refusal

__all__ = [
    "LEAST_INTERVAL",
    "SCHEDULE_LEAD",
    "check_id",
    "check_schedule_date",
    "invalid",
    "is_too_late",
    "missing",
    "twelve_months_after",
]

SCHEDULE_LEAD = 3000
"""Seconds that a schedule date has to lie ahead (https://docs.reap.video/api-reference/schedule-clips)."""

LEAST_INTERVAL = 300
"""Seconds between two clips of one schedule-clips call, at least; also the default."""


def missing(noun: str) -> Refusal:
    """Return the 404 for a record that isn't there, in the words seen live."""
    return Refusal(404, f"{noun} not found")


def invalid(where: tuple[str, ...], message: str, kind: str = "value_error") -> Refusal:
    """Return a 422 in FastAPI's form: *where* is the place (`("body", "scheduleDate")`), *kind* its error type."""
    return Refusal(422, message, details=[{"loc": list(where), "msg": message, "type": kind}])


def check_id(value: Any, where: tuple[str, ...]) -> str:
    """Return *value* if it can be an id at all; else refuse it with 422."""
    if not isinstance(value, str) or not value.strip():
        raise invalid(where, "Input should be a valid id", "id_parsing")
    return value


def twelve_months_after(now: float) -> float:
    """Return the Unix time of the same day and time of day a year after *now* (28 February for the 29th), in UTC."""
    moment = datetime.fromtimestamp(now, UTC)
    try:
        return moment.replace(year=moment.year + 1).timestamp()
    except ValueError:
        return moment.replace(year=moment.year + 1, day=28).timestamp()


def is_too_late(date: int, now: float) -> bool:
    """Tell whether *date* lies more than 12 months after *now*."""
    return date > twelve_months_after(now)


def check_schedule_date(date: int, now: float, *, status: int) -> None:
    """Refuse a date less than 50 minutes or more than 12 months ahead, with *status* (the dialect's 400 or 422)."""
    if date < now + SCHEDULE_LEAD:
        message = "Schedule date must be at least 50 minutes in the future."
    elif is_too_late(date, now):
        message = "Schedule date can't be more than 12 months in the future."
    else:
        return
    raise invalid(("body", "scheduleDate"), message) if status == 422 else Refusal(status, message)
