"""When a post goes out, as people read it: by the clocks of its own zone, and in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

from reelpub.bulk.calendar import written_zone, zone_name
from reelpub.bulk.due import due_at, due_of
from reelpub.models.post import Post
from reelpub.models.request import PublishRequest
from reelpub.policies.scheduling import instant

__all__ = ["clock_time", "due_at", "due_of", "due_text", "told_at", "when_members", "zone_of"]


def zone_of(request: PublishRequest) -> tzinfo:
    """Return the zone in which the time of *request* was written; UTC where it has none that can be read."""
    if request.at is None or not isinstance(instant(request.at), datetime):
        return UTC
    return written_zone(request) or UTC


def clock_time(at: datetime, zone: tzinfo) -> str:
    """Return *at* (aware) by the clocks of *zone*: ``2026-11-22 14:00 Europe/Oslo``."""
    local = _in(at, zone)
    return f"{local:%Y-%m-%d %H:%M} {zone_name(local)}"


def told_at(at: datetime, zone: tzinfo) -> str:
    """Return *at* (aware) in both zones, once where they are one: ``2026-11-22 14:00 Europe/Oslo, 13:00 UTC``."""
    local, utc = _in(at, zone), at.astimezone(UTC)
    if zone_name(local) == "UTC":
        return clock_time(at, UTC)
    day = "" if local.date() == utc.date() else f"{utc:%Y-%m-%d} "
    return f"{clock_time(at, zone)}, {day}{utc:%H:%M} UTC"


def due_text(request: PublishRequest, posts: Iterable[Post] = ()) -> str:
    """Return when *request* goes out in words; nothing where it has no time."""
    at = due_of(request, posts)
    return told_at(at, zone_of(request)) if at is not None else ""


def when_members(at: datetime | None, zone: tzinfo) -> dict[str, Any]:
    """Return the members of JSON that say when: ``at`` in UTC, ``local`` by the clocks of *zone*, and its name."""
    if at is None:
        return {"at": None, "local": None, "zone": None}
    local = _in(at, zone)
    return {"at": at.astimezone(UTC), "local": local, "zone": zone_name(local)}


def _in(at: datetime, zone: tzinfo) -> datetime:
    try:
        return at.astimezone(zone)
    except OverflowError:  # the last hours of the calendar, by clocks that are ahead
        return at.astimezone(UTC)
