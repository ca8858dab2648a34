"""When each row of a manifest goes out, in UTC and in the zone that it was written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, tzinfo
from itertools import groupby
from zoneinfo import ZoneInfo

from attrs import frozen

from reelpub.models.request import PublishRequest
from reelpub.models.when import LocalTime

__all__ = ["PlannedRow", "days", "written_zone", "zone_name"]


@frozen(kw_only=True)
class PlannedRow:
    """One sound row, as it will go out.

    `at` is in UTC: the time asked for where `is_timed`, else about when its turn comes. `is_kept_here` says that the
    time is too near for the provider, so that the command has to run until then. `posts` is how many posts it becomes
    at the provider. `requests` is what its posts take, None where they share requests with those of other rows.
    """

    number: int
    line: int
    publisher: str
    label: str
    accounts: tuple[str, ...]
    at: datetime
    zone: tzinfo | None = None
    is_timed: bool = True
    is_kept_here: bool = False
    posts: int = 1
    requests: int | None = None

    def local(self, zone: tzinfo | None = None) -> datetime:
        """Return `at` in *zone*, or else in the zone that it was written in."""
        return self.at.astimezone(zone or self.zone or UTC)


def written_zone(request: PublishRequest) -> tzinfo | None:
    """Return the zone in which the time of *request*, which is sound, was written; None where it has no time."""
    if isinstance(request.at, LocalTime):
        return ZoneInfo(request.at.zone)
    return None if request.at is None else request.at.tzinfo


def zone_name(at: datetime) -> str:
    """Return the name of the zone of *at* (aware): the IANA one, or its offset such as +02:00."""
    if isinstance(at.tzinfo, ZoneInfo):
        return at.tzinfo.key
    offset = at.isoformat()[-6:]
    return "UTC" if offset == "+00:00" else offset


def days(rows: Iterable[PlannedRow], zone: tzinfo | None = None) -> Iterator[tuple[date, Sequence[PlannedRow]]]:
    """Yield each day of *zone* (UTC unless given) on which something goes out, with its rows, the earliest first."""
    ordered = sorted(rows, key=lambda row: (row.at, row.number))
    for day, found in groupby(ordered, key=lambda row: row.at.astimezone(zone or UTC).date()):
        yield day, list(found)
