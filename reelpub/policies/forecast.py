"""How long a batch will take at a limit, and how many requests: pure arithmetic, rounded up to whole windows.

A forecast is meant to be kept. What of a window is the reads' is what the limiter keeps for them (`allowance`), of a
long batch the whole share, so that only the rest of it publishes; what a window can't take waits for the next one. What
the arithmetic doesn't know is other users of the same key, refusals, and servers that announce no window, at which
pacing costs two requests of each (docs/performance.md).
"""

from __future__ import annotations

import math

from attrs import frozen

from reelpub.policies.allowance import PUT_OFF, kept_for_reads

__all__ = ["FINISH_SECONDS", "Forecast", "Load", "forecast", "remaining_seconds", "window_capacity"]

FINISH_SECONDS = 60.0
"""Seconds from going live to the end of it: ReelMirror's guide says 10 to 60 s, Reap says nothing.
See https://reelmirror.com/docs/guides/publishing."""

DEFAULT_SHARE = 0.1
"""The most of a limit that reads take while there is something to publish, as the limiter and the poller have it."""

_LAST_READS = 17
"""List reads over the last minute, every 2 s at first and then less often (`PollPolicy.idle_interval`)."""

_PAGE = 100
"""Posts that one list read shows."""


@frozen(kw_only=True)
class Load:
    """What is still to be done with one credential.

    `writes` put posts live or make them ready, `reads` have to come before posts go out. `posts` go out at once and are
    followed to their ends; one that the provider keeps for a later time isn't followed by the run that scheduled it.
    """

    writes: int = 0
    reads: int = 0
    posts: int = 0

    def __add__(self, other: Load) -> Load:
        return Load(writes=self.writes + other.writes, reads=self.reads + other.reads, posts=self.posts + other.posts)


@frozen(kw_only=True)
class Forecast:
    """What a load will take.

    `sending` is the seconds until the last request of it has left, `seconds` those until its last post has ended.
    `requests` is what the load itself needs, `following` about how many reads follow its posts beside that.
    """

    requests: int
    following: int
    sending: float
    seconds: float


def window_capacity(limit: int, *, share: float = DEFAULT_SHARE) -> int:
    """Return how many requests of a long batch fit one window of *limit* while reads have *share* of it."""
    return max(1, limit - math.floor(share * limit + 1e-9))


def remaining_seconds(
    *,
    limit: int,
    window: float,
    used: int = 0,
    writes_left: int,
    reads_left: int = 0,
    share: float = DEFAULT_SHARE,
) -> float:
    """Return the seconds until the last of the requests that are left may leave, in whole windows.

    *limit* requests go in each *window* seconds; *used* of the present one are spoken for already. 0 where everything
    that is left fits what is free now. A batch is taken to begin now, so that near its end reads may get more of a long
    one than is reckoned with here.
    """
    left = writes_left + reads_left
    free = max(0, limit - used)
    if left <= free:
        return 0.0

    def slot_at(number: int) -> float:
        return 0.0 if number < free else (1 + (number - free) // limit) * window

    most = limit - window_capacity(limit, share=share)
    kept = kept_for_reads(
        0.0, most=most, writes=left, since=0.0, limit=limit, window=window, put_off=PUT_OFF, slot_at=slot_at
    )
    each = limit - kept
    return math.ceil((left - max(0.0, free - kept)) / each - 1e-9) * window


def forecast(
    load: Load,
    *,
    limit: int,
    window: float,
    used: int = 0,
    share: float = DEFAULT_SHARE,
    has_list: bool = True,
) -> Forecast:
    """Return what *load* will take from now on.

    *has_list* says whether posts can be read a page at a time. Without a list each of them takes a read at least, and
    those count against the same limit.
    """
    singles = 0 if has_list else load.posts
    sending = remaining_seconds(
        limit=limit, window=window, used=used, writes_left=load.writes, reads_left=load.reads, share=share
    )
    seconds = sending
    if load.posts:
        # The reads that come after the last write have the whole limit, so that nothing is kept from them.
        all_sent = remaining_seconds(
            limit=limit, window=window, used=used, writes_left=load.writes, reads_left=load.reads + singles, share=share
        )
        seconds = max(sending + FINISH_SECONDS, all_sent)
    following = _list_reads(load.posts, sending, limit, window, share) if has_list else singles
    return Forecast(requests=load.writes + load.reads, following=following, sending=sending, seconds=seconds)


def _list_reads(posts: int, sending: float, limit: int, window: float, share: float) -> int:
    """Return about how many list reads follow *posts*: their share while others are sent, then every few seconds.

    At the end as many pages are read each time as the posts of the last window fill, in what others leave of a window.
    """
    if not posts:
        return 0
    while_sending = math.ceil(sending / window * max(1.0, share * limit))
    pages = math.ceil(min(posts, limit) / _PAGE)
    afterwards = min(_LAST_READS * pages, math.ceil(limit / 3))
    return while_sending + afterwards
