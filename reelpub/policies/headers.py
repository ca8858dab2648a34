"""What an answer's headers say about the rate limit: pure reading, never an error.

ReelMirror and Reap document ``X-RateLimit-Limit``, ``-Remaining`` and ``-Reset`` (Unix time); neither mentions
``Retry-After``, which proxies in front of them may send all the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache

from attrs import frozen

__all__ = ["Quota", "clock_ahead", "read_quota"]

HIDDEN_SECOND = 1.0
"""Date and reset come in whole seconds, cut off rather than rounded: the real wait may be this much longer."""

LONGEST_RESET = 86_400.0
"""A reset further off than a day isn't the end of a window of requests."""

_FARTHEST = 86_400.0
_EPOCH_FLOOR = 1_000_000_000.0
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


@frozen(kw_only=True)
class Quota:
    """What one answer said about the limit; None where it said nothing that can be understood.

    `limit` and `remaining` are requests. `reset_in` and `retry_after` are seconds from the moment of the answer.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_in: float | None = None
    retry_after: float | None = None

    @property
    def is_announced(self) -> bool:
        """Whether the server told of a window that can be planned with."""
        return self.limit is not None and self.remaining is not None and self.reset_in is not None

    @property
    def wait(self) -> float | None:
        """The wait in seconds that the server asks of a refused request, where it names one."""
        return self.retry_after if self.retry_after is not None else self.reset_in


_NAMES = frozenset({"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"})
_NOTHING = Quota()


def read_quota(headers: Mapping[str, str], *, now: float, window: float = 60.0) -> Quota:
    """Read *headers* (lower-case names); *now* is our own Unix time, *window* the limit's window in seconds.

    Times are made relative by the answer's own ``Date``, so that a wrong clock on this machine does no harm, and
    by *now* only where there is no ``Date`` or where it makes no sense of the reset.
    """
    if _NAMES.isdisjoint(headers):
        return _NOTHING
    date = _http_date(headers.get("date"))
    return Quota(
        limit=_count(headers.get("x-ratelimit-limit"), least=1),
        remaining=_count(headers.get("x-ratelimit-remaining"), least=0),
        reset_in=_reset_in(_number(headers.get("x-ratelimit-reset")), date, now, window),
        retry_after=_retry_after(headers.get("retry-after"), date, now),
    )


def clock_ahead(headers: Mapping[str, str], *, now: float) -> float:
    """Return by how many seconds *now*, our own Unix time, is ahead of the ``Date`` in *headers*.

    What the answer took to come counts, too, so that it is rather too much than too little. 0 where there is no
    ``Date``, or where it is a day and more away: that is no clock.
    """
    date = _http_date(headers.get("date"))
    ahead = 0.0 if date is None else now - date
    return ahead if 0 < ahead <= _FARTHEST else 0.0


def _number(text: str | None) -> float | None:
    match = _NUMBER.fullmatch(text.strip()) if text else None
    return float(match.group()) if match else None


def _count(text: str | None, *, least: int) -> int | None:
    value = _number(text)
    return int(value) if value is not None and value >= least else None


@lru_cache(maxsize=64)
def _http_date(text: str | None) -> float | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _reset_in(reset: float | None, date: float | None, now: float, window: float) -> float | None:
    if reset is None:
        return None
    if reset < _EPOCH_FLOOR:
        # Not a Unix time of this century: seconds from now, as in the IETF draft for RateLimit headers.
        return reset if reset <= LONGEST_RESET else None
    waits = [reset - base + HIDDEN_SECOND for base in (date, now) if base is not None]
    plausible = [wait for wait in waits if -window <= wait <= 2 * window]
    wait = plausible[0] if plausible else waits[0]
    if date is None or plausible:
        return min(max(0.0, wait), 2 * window)
    return max(0.0, wait) if wait <= LONGEST_RESET else None


def _retry_after(text: str | None, date: float | None, now: float) -> float | None:
    seconds = _number(text)
    if seconds is not None:
        return seconds
    moment = _http_date(text)
    if moment is None:
        return None
    return max(0.0, moment - (now if date is None else date) + HIDDEN_SECOND)
